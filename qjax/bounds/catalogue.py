"""Every bound that ships with qjax, by id."""

from collections.abc import Callable

from qjax.bounds.bound import Bound
from qjax.bounds.theorems.a1 import theorem_a1
from qjax.bounds.theorems.literal_a import literal_a
from qjax.bounds.theorems.literal_b import READINGS, literal_b


def _reading(name: str) -> Callable[[], Bound]:
    return lambda: literal_b(name)


BOUNDS: dict[str, Callable[[], Bound]] = {
    "A1": theorem_a1,
    "literal-A": literal_a,
    **{f"literal-B/{name}": _reading(name) for name in READINGS},
}
"""Builders of the bounds that ship with qjax, by id."""
