"""The adversarial stage: searches for a violation that also measure tightness."""

import math

import jax

from qjax._types import Key
from qjax.bounds.bound import Attack, Bound
from qjax.bounds.reports.report import Witness
from qjax.bounds.search.candidates import REPLAY_ERROR
from qjax.bounds.stages.budget import Budget, Outcome, make_witness
from qjax.bounds.stages.comparison import side_ratio, violated_sides


def attack_stage(key: Key, bound: Bound, budget: Budget) -> Outcome:
    """Run every search, replay its best candidate at high precision, and compare.

    A search that does not reach the ratio it is known to reach is broken, and what it
    failed to refute says nothing: the stage fails.
    """
    if not bound.attacks or not budget.restarts:
        return Outcome("skipped", "no search", [], [])
    details, witnesses, weak = [], [], []
    for index, attack in enumerate(bound.attacks):
        part = jax.random.fold_in(key, index)
        ratio, witness = _attack(part, bound, attack, budget)
        details.append(
            {"instance": attack.name, "ratio": ratio, "reaches": attack.reaches}
        )
        if witness is not None:
            witnesses.append(witness)
        if attack.reaches is not None and not ratio >= attack.reaches:
            weak.append(attack.name)
    best = ", ".join(f"{row['instance']}: {row['ratio']:.6f}" for row in details)
    if witnesses:
        return Outcome("refuted", f"best ratios: {best}", details, witnesses)
    if weak:
        text = f"searches short of their known ratio: {', '.join(weak)} ({best})"
        return Outcome("failed", text, details, [])
    return Outcome("passed", f"best ratios: {best}", details, [])


def _attack(
    key: Key, bound: Bound, attack: Attack, budget: Budget
) -> tuple[float, Witness | None]:
    restarts = max(1, math.ceil(attack.restarts * budget.restarts))
    record = attack.run(key, restarts, attack.steps)
    values = attack.replay(record)
    relation = bound.statement if attack.relation is None else attack.relation
    ratio = side_ratio(relation, values, budget.digits)
    sides = violated_sides(relation, values, REPLAY_ERROR, budget.digits)
    if sides is None:
        return ratio, None
    name = attack.name
    return ratio, make_witness(
        bound.id, relation, "attack", name, values, sides, data=record
    )
