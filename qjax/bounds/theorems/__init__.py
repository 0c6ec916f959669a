"""Bounds by group: each module builds `Bound`s from lemmas, instances and mutants."""
