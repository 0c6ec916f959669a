"""The semidefinite stage: a solver and exact rational duals against closed forms."""

from typing import Any

import jax

from qjax._types import Key
from qjax.bounds.bound import Bound
from qjax.bounds.program import Program
from qjax.bounds.stages.budget import Budget, Outcome

PROGRAM_ERROR = 1e-5
"""How far solver and rounded solution may be from the closed form: Clarabel's
accuracy on programs of this size is about 1e-8, that of SCS about 1e-6."""


def program_stage(key: Key, bound: Bound, budget: Budget) -> Outcome:
    """Solve every program of a bound and compare it with what the bound claims.

    A closed form that is not the optimum fails the stage, from either side: above it
    the constant is not the best that its proof gives, below it the proof is wrong.
    """
    if not bound.programs or not budget.programs:
        return Outcome("skipped", "no semidefinite program", [], [])
    keys = jax.random.split(key, len(bound.programs))
    rows = [_solved(*pair) for pair in zip(keys, bound.programs, strict=True)]
    wrong = [row["program"] for row in rows if row["agrees"] is False]
    absent = [row["program"] for row in rows if row["agrees"] is None]
    if wrong:
        text = f"the closed form is not the optimum: {', '.join(wrong)}"
        return Outcome("failed", text, rows, [])
    text = f"{len(rows) - len(absent)} optima as claimed"
    if absent:
        text += f"; no solver here (extra `sdp`): {', '.join(absent)}"
    return Outcome("skipped" if len(absent) == len(rows) else "passed", text, rows, [])


def _solved(key: Key, program: Program) -> dict[str, Any]:
    try:
        claimed, optimum, proved = program.solve(key)
    except ImportError as missing:
        return {"program": program.name, "agrees": None, "note": str(missing)}
    agrees = all(abs(x - claimed) <= PROGRAM_ERROR for x in (optimum, proved))
    return {
        "program": program.name, "agrees": agrees, "claimed": claimed,
        "optimum": optimum, "proved": proved,
    }  # fmt: skip
