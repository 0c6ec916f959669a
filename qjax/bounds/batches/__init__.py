"""Batches of queries on shared copies, and estimators from shots."""
