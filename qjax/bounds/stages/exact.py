"""The stage of exact probabilities: simulated instances and random structures.

A statement with existential constants is refuted only when every choice on their grid
has a witness.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from qjax._types import Key
from qjax.bounds.bound import Bound, Instance, RandomBatch
from qjax.bounds.information import evaluate_batch
from qjax.bounds.reports.report import Witness
from qjax.bounds.stages.budget import (
    Budget,
    Evidence,
    Outcome,
    constant_grid,
    covers_grid,
    make_witness,
)
from qjax.bounds.stages.comparison import side_ratio, violated_sides

FLOAT_SLACK = 1e-12
"""A float64 slack below minus this must be replayed; one above is rounding."""

EQUATION_SLACK = 1e-9
"""Relative distance of an equation's sides in float64 above which it is replayed."""


def exact_stage(key: Key, bound: Bound, budget: Budget, evidence: Evidence) -> Outcome:
    """Evaluate the statement at simulated instances and at random structures."""
    details, witnesses, unresolved = [], [], 0
    for instance in bound.instances:
        evidence.values[instance.name] = instance.values()
    grid = constant_grid(bound)
    for constants in grid:
        witnesses += violations(bound, budget, evidence, constants)
        if bound.family is not None:
            family = bound.family(constants)
            witnesses += _family_violation(bound, family, budget, constants)
    for instance in bound.instances if not bound.existential() else ():
        values = evidence.values[instance.name]
        ratio = side_ratio(bound.statement, values, budget.digits)
        details.append(
            {"instance": instance.name, "tight": instance.tight, "ratio": ratio}
        )
    tried = f"{len(bound.instances)} instances"
    if bound.random is not None and budget.random_instances:
        evidence.batch = bound.random(key, budget.random_instances)
        found, record, unresolved = random_violations(bound, evidence.batch, budget)
        witnesses += found
        details.append(record)
        tried += f" and {budget.random_instances} random structures"
    if bound.existential():
        tried += f", {len(grid)} choices of constants"
    if witnesses and covers_grid(bound, witnesses):
        text = f"{len(witnesses)} violations in {tried}"
        return Outcome("refuted", text, details, witnesses)
    if unresolved:
        text = f"{unresolved} float64 candidates left without a replay"
        return Outcome("failed", text, details, witnesses)
    if not bound.instances and bound.random is None:
        return Outcome("skipped", "no instances", details, witnesses)
    return Outcome("passed", f"no violation in {tried}", details, witnesses)


def violations(
    bound: Bound, budget: Budget, evidence: Evidence, constants: Mapping[str, Any]
) -> Iterator[Witness]:
    """Violations of the statement and its stronger forms at simulated instances."""
    for instance in bound.instances:
        values = {**evidence.values[instance.name], **constants}
        if not bound.claimed_at(values, budget.digits):
            continue
        for relation in (bound.statement, *bound.also):
            sides = violated_sides(relation, values, instance.error, budget.digits)
            if sides is not None:
                yield make_witness(
                    bound.id,
                    relation,
                    "instance",
                    instance.name,
                    values,
                    sides,
                    constants,
                )


def _family_violation(
    bound: Bound, instance: Instance, budget: Budget, constants: Mapping[str, Any]
) -> list[Witness]:
    values = {**instance.values(), **constants}
    sides = violated_sides(bound.statement, values, instance.error, budget.digits)
    if sides is None:
        return []
    return [
        make_witness(
            bound.id, bound.statement, "family", instance.name, values, sides, constants
        )
    ]


def random_violations(
    bound: Bound, batch: RandomBatch, budget: Budget
) -> tuple[list[Witness], dict[str, Any], int]:
    """Screen in float64, decide in mpmath: only a replayed violation counts."""
    witnesses, worst, candidates, unresolved = [], np.inf, 0, 0
    # The relations are often close to equality at the same structures.
    replay = functools.cache(batch.replay)
    for relation in (bound.statement, *bound.also):
        slack = _batch_slack(relation, batch)
        believable = slack[slack > -FLOAT_SLACK]
        worst = min(worst, float(believable.min(initial=np.inf)))
        # Near-equalities within rounding are replayed too, as far as the budget goes.
        indices = np.flatnonzero(~(slack > 0))
        order = indices[np.argsort(slack[indices])]
        must = int(np.sum(~(slack > -FLOAT_SLACK)))
        candidates += must
        unresolved += max(0, must - budget.max_replays)
        for index in order[: budget.max_replays]:
            values = replay(int(index))
            if not bound.claimed_at(values, budget.digits):
                continue
            sides = violated_sides(relation, values, 0.0, budget.digits)
            if sides is not None:
                data = batch.serialise(int(index))
                name = f"random structure {int(index)}"
                witnesses.append(
                    make_witness(
                        bound.id, relation, "random", name, values, sides, data=data
                    )
                )
    record = {
        "instance": "random structures", "float64 violations": candidates,
        "smallest slack not replayed": worst, "confirmed": len(witnesses),
    }  # fmt: skip
    return witnesses, record, unresolved


def _batch_slack(relation: sp.Rel, batch: RandomBatch) -> NDArray[np.float64]:
    """How far each random instance is from violating the relation, in float64."""
    left = evaluate_batch(relation.lhs, batch.values)
    right = evaluate_batch(relation.rhs, batch.values)
    if isinstance(relation, sp.Equality):
        return EQUATION_SLACK * np.maximum(1, np.abs(left)) - np.abs(left - right)
    return left - right if isinstance(relation, sp.GreaterThan) else right - left
