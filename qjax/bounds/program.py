"""A semidefinite program whose optimum a bound claims to know in closed form."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from qjax._types import Key


class Solved(NamedTuple):
    """What became of a semidefinite program.

    Attributes:
        claimed: The bound's closed form, at the program's numbers.
        optimum: The solver's value, to its accuracy.
        proved: Value of a feasible point with rational entries that was checked in
            exact arithmetic; it lies on the safe side of the true optimum.
    """

    claimed: float
    optimum: float
    proved: float


@dataclasses.dataclass(frozen=True)
class Program:
    """A cross-check of a constant by a solver that knows nothing of the closed form.

    Attributes:
        name: Unique within its bound.
        solve: Given a key for its starting points, if it has any, solves the program,
            rounds the solution to rationals and checks it exactly.
            An `ImportError` means that a solver is not installed.
    """

    name: str
    solve: Callable[[Key], Solved]
