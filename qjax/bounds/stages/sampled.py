"""The Monte-Carlo stage: shots, Clopper-Pearson limits, Bonferroni's correction."""

import jax

from qjax._types import Key
from qjax.bounds.bound import Bound
from qjax.bounds.stages.budget import Budget, Outcome, make_witness
from qjax.bounds.stages.comparison import side_ratio, violated_sides


def sampled_stage(key: Key, bound: Bound, budget: Budget) -> Outcome:
    """Run instances with shots and evaluate the statement at pessimistic values."""
    chosen = [instance for instance in bound.instances if instance.sampled is not None]
    if not chosen or not budget.shots:
        return Outcome("skipped", "nothing to sample", [], [])
    confidence = 1 - bonferroni(budget.delta, len(chosen))
    details, witnesses = [], []
    for index, instance in enumerate(chosen):
        part = jax.random.fold_in(key, index)
        assert instance.sampled is not None  # chosen above; for the type checker
        values = instance.sampled(part, budget.shots, confidence)
        ratio = side_ratio(bound.statement, values, budget.digits)
        details.append({"instance": instance.name, "pessimistic ratio": ratio})
        if not bound.claimed_at(values, budget.digits):
            continue
        sides = violated_sides(bound.statement, values, 0.0, budget.digits)
        if sides is not None:
            data = {"key": jax.random.key_data(part).tolist(), "shots": budget.shots,
                    "confidence": confidence}  # fmt: skip
            witnesses.append(
                make_witness(bound.id, bound.statement, "monte carlo", instance.name,
                         values, sides, data=data)
            )  # fmt: skip
    text = f"{len(chosen)} comparisons of {budget.shots} shots, delta {budget.delta:g}"
    verdict = "refuted" if witnesses else "passed"
    return Outcome(verdict, text, details, witnesses)


def bonferroni(delta: float, comparisons: int) -> float:
    """Error allowed to each of several comparisons so that all hold with 1 - delta."""
    return delta / comparisons
