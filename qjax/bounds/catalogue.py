"""Every bound that ships with qjax, by id."""

import functools
from collections.abc import Callable

from qjax.bounds.bound import Bound
from qjax.bounds.memory_noise import MEMORY_NOISES
from qjax.bounds.theorems.a1 import theorem_a1
from qjax.bounds.theorems.a2 import corollary_a2
from qjax.bounds.theorems.literal_a import literal_a
from qjax.bounds.theorems.literal_b import READINGS, literal_b

OTHER_NOISES = tuple(name for name in MEMORY_NOISES if name != "depolarizing")

BOUNDS: dict[str, Callable[[], Bound]] = {
    "A1": theorem_a1,
    **{f"A1/{name}": functools.partial(theorem_a1, name) for name in OTHER_NOISES},
    "A2": corollary_a2,
    "A2/block": functools.partial(corollary_a2, "block"),
    "literal-A": literal_a,
    **{f"literal-B/{name}": functools.partial(literal_b, name) for name in READINGS},
}
"""Builders of the bounds that ship with qjax, by id."""
