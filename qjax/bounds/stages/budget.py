"""What the stages share: the budget, the evidence, and how a witness is written."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from qjax._checks import require
from qjax.bounds.bound import Bound, RandomBatch
from qjax.bounds.reports.report import WITNESS_FORMAT, Witness


@dataclasses.dataclass(frozen=True)
class Budget:
    """How hard to try.

    Attributes:
        random_instances: Random structures in the exact stage; 0 for none.
        shots: Runs per kind of query in the Monte-Carlo stage; 0 for none.
        delta: Probability of any false alarm of the whole Monte-Carlo stage.
        restarts: Restarts of each adversarial search, relative to what it declares:
            1 for all of them, 0 for no search.
        programs: Whether semidefinite programs are solved.
        max_replays: Random candidates replayed in high precision; more are an error.
        digits: Working precision of every evaluation that decides.
    """

    random_instances: int = 1000
    shots: int = 20_000
    delta: float = 1e-6
    restarts: float = 1.0
    programs: bool = True
    max_replays: int = 40
    digits: int = 50

    def __post_init__(self):
        for name in ("random_instances", "shots", "restarts", "max_replays"):
            value = getattr(self, name)
            require(value >= 0, name, "be at least 0", value)
        inside = 0 < self.delta < 1
        require(inside, "delta", "lie between 0 and 1", self.delta)
        require(self.digits >= 30, "digits", "be at least 30", self.digits)


SMOKE = Budget(random_instances=0, shots=0, restarts=0.0, programs=False)
"""Statements, proofs, simulated instances and mutants: half a minute for all bounds.

Random instances, shots and searches each compile programs of their own; solvers of
semidefinite programs take seconds to import.
"""

BUDGETS = {
    "smoke": SMOKE,
    "default": Budget(),
    "full": Budget(random_instances=100_000, shots=1_000_000, restarts=4.0),
}
"""Budgets by the name of a size: seconds, minutes, hours for all bounds."""


@dataclasses.dataclass
class Evidence:
    """What the stages share: each instance is simulated once.

    Attributes:
        values: By instance name.
        batch: Random structures, once drawn.
    """

    values: dict[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    batch: RandomBatch | None = None


class Outcome(NamedTuple):
    """Verdict, one line, one mapping per check, and violations."""

    verdict: str
    summary: str
    details: list[dict[str, Any]]
    witnesses: list[Witness]


def constant_grid(bound: Bound) -> list[dict[str, Any]]:
    """Every choice of the existential constants; one empty choice if there are none."""
    free = bound.existential()
    names = [constant.name for constant in free]
    grids = [constant.grid for constant in free]
    choices = itertools.product(*grids)
    return [dict(zip(names, choice, strict=True)) for choice in choices]


def covers_grid(bound: Bound, witnesses: Sequence[Witness]) -> bool:
    """Whether every choice of the existential constants has a witness."""
    beaten = [dict(witness.constants) for witness in witnesses]
    wanted = [
        {name: exact_text(value) for name, value in choice.items()}
        for choice in constant_grid(bound)
    ]
    return all(choice in beaten for choice in wanted)


def exact_text(value: Any) -> str:
    """A number as text that reads back exactly: a rational, or a float's repr."""
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if isinstance(value, float) else str(value)


def make_witness(
    bound_id: str,
    relation: sp.Rel,
    kind: str,
    name: str,
    values: Mapping[str, Any],
    sides: tuple[Any, Any],
    constants: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Witness:
    """A violation as data, with its sides at 17 digits."""
    used = {symbol.name for symbol in relation.free_symbols}
    given = dict(constants or {})
    left, right, excess = (
        str(sp.Float(str(side), 17)) for side in (*sides, abs(sides[0] - sides[1]))
    )
    shown = {k: exact_text(v) for k, v in values.items() if k in used - set(given)}
    return Witness(
        WITNESS_FORMAT,
        bound_id,
        str(relation),
        kind,
        name,
        {k: exact_text(v) for k, v in given.items()},
        shown,
        left,
        right,
        excess,
        dict(data or {}),
    )
