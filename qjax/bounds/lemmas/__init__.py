"""Lemmas that several bounds rest on, as proof steps with their checks."""
