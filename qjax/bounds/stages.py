"""The stages of a verification: each tries to refute, and says what it checked.

A statement with
existential constants is refuted only when every choice on their grid has a witness.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import (
    UNCHECKED_KINDS,
    Bound,
    Instance,
    Mutant,
    RandomBatch,
    Step,
)
from qjax.bounds.information import evaluate, evaluate_batch
from qjax.bounds.lint import by_symbol, lint, violated_sides
from qjax.bounds.report import WITNESS_FORMAT, Kill, StageResult, Witness

FLOAT_SLACK = 1e-12
"""A float64 slack below minus this must be replayed; one above is rounding."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """How hard to try.

    Attributes:
        random_instances: Random structures in the exact stage; 0 for none.
        shots: Runs per kind of query in the Monte-Carlo stage; 0 for none.
        delta: Probability of any false alarm of the whole Monte-Carlo stage.
        max_replays: Random candidates replayed in high precision; more are an error.
        digits: Working precision of every evaluation that decides.
    """

    random_instances: int = 1000
    shots: int = 20_000
    delta: float = 1e-6
    max_replays: int = 40
    digits: int = 50


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


def _witness(
    bound_id: str,
    relation: sp.Rel,
    kind: str,
    name: str,
    values: Mapping[str, Any],
    sides: tuple[Any, Any],
    constants: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Witness:
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


def lint_stage(bound: Bound) -> Outcome:
    """Lint the statement for every choice of its existential constants."""
    details, witnesses = [], []
    for constants in constant_grid(bound):
        found = lint(bound, constants)
        shown = {name: exact_text(value) for name, value in constants.items()}
        details += [
            {"constants": shown, "rule": f.rule, "passed": f.passed, "text": f.message}
            for f in found
        ]
        witnesses += [
            _witness(bound.id, bound.statement, "trivial structure", f.structure.name,
                     by_symbol(bound, f.structure), f.sides, constants)
            for f in found
            if f.structure is not None and f.sides is not None
        ]  # fmt: skip
    broken = sorted({d["rule"] for d in details if not d["passed"]})
    if witnesses and covers_grid(bound, witnesses):
        text = f"{len(witnesses)} violations by trivial structures; broken: {broken}"
        return Outcome("refuted", text, details, witnesses)
    if broken:
        text = f"broken: {', '.join(broken)}"
        return Outcome("failed", text, details, witnesses)
    return Outcome("passed", "no rule broken", details, witnesses)


def symbolic_stage(bound: Bound) -> Outcome:
    """Close every proof step that a machine can check; list the others."""
    details = []
    for step in bound.steps:
        if step.kind in UNCHECKED_KINDS:
            closed, note = True, step.source or step.kind
        else:
            closed, note = _closed(step)
        details.append(
            {"step": step.number, "kind": step.kind, "claim": step.claim,
             "closed": closed, "note": note}
        )  # fmt: skip
    if not bound.steps:
        return Outcome("skipped", "no proof steps", details, [])
    still_open = [detail["step"] for detail in details if not detail["closed"]]
    checked = sum(step.kind not in UNCHECKED_KINDS for step in bound.steps)
    if still_open:
        text = f"open steps: {', '.join(still_open)}"
        return Outcome("failed", text, details, [])
    text = f"{checked} of {len(details)} steps checked here"
    return Outcome("passed", text, details, [])


def _closed(step: Step) -> tuple[bool, str]:
    try:
        return step.check is not None and bool(step.check()), ""
    except Exception as error:  # a check that crashes leaves its step open, and says so
        return False, f"{type(error).__name__}: {error}"


def exact_stage(key: Key, bound: Bound, budget: Budget, evidence: Evidence) -> Outcome:
    """Evaluate the statement at simulated instances and at random structures."""
    details, witnesses, unresolved = [], [], 0
    for instance in bound.instances:
        evidence.values[instance.name] = instance.values()
    grid = constant_grid(bound)
    for constants in grid:
        witnesses += _violations(bound, budget, evidence, constants)
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
        found, record, unresolved = _random_violations(bound, evidence.batch, budget)
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


def side_ratio(relation: sp.Rel, values: Mapping[str, Any], digits: int = 50) -> float:
    """(Smaller side)/(larger side) of an inequality at a point; nan for 0/0."""
    greater = evaluate(relation.gts, values, digits)
    smaller = evaluate(relation.lts, values, digits)
    return float(smaller / greater) if greater != 0 else float("nan")


def _violations(
    bound: Bound, budget: Budget, evidence: Evidence, constants: Mapping[str, Any]
) -> Iterator[Witness]:
    for instance in bound.instances:
        values = {**evidence.values[instance.name], **constants}
        for relation in (bound.statement, *bound.also):
            sides = violated_sides(relation, values, instance.error, budget.digits)
            if sides is not None:
                yield _witness(bound.id, relation, "instance", instance.name, values,
                               sides, constants)  # fmt: skip


def _family_violation(
    bound: Bound, instance: Instance, budget: Budget, constants: Mapping[str, Any]
) -> list[Witness]:
    values = {**instance.values(), **constants}
    sides = violated_sides(bound.statement, values, instance.error, budget.digits)
    if sides is None:
        return []
    return [_witness(bound.id, bound.statement, "family", instance.name, values, sides,
                     constants)]  # fmt: skip


def _random_violations(
    bound: Bound, batch: RandomBatch, budget: Budget
) -> tuple[list[Witness], dict[str, Any], int]:
    """Screen in float64, decide in mpmath: only a replayed violation counts."""
    witnesses, worst, candidates, unresolved = [], np.inf, 0, 0
    for relation in (bound.statement, *bound.also):
        smaller = evaluate_batch(relation.lts, batch.values)
        slack = evaluate_batch(relation.gts, batch.values) - smaller
        believable = slack[slack > -FLOAT_SLACK]
        worst = min(worst, float(believable.min(initial=np.inf)))
        # Near-equalities within rounding are replayed too, as far as the budget goes.
        indices = np.flatnonzero(~(slack > 0))
        order = indices[np.argsort(slack[indices])]
        must = int(np.sum(~(slack > -FLOAT_SLACK)))
        candidates += must
        unresolved += max(0, must - budget.max_replays)
        for index in order[: budget.max_replays]:
            values = batch.replay(int(index))
            sides = violated_sides(relation, values, 0.0, budget.digits)
            if sides is not None:
                data = batch.serialise(int(index))
                name = f"random structure {int(index)}"
                witnesses.append(_witness(bound.id, relation, "random", name, values,
                                          sides, data=data))  # fmt: skip
    record = {
        "instance": "random structures", "float64 violations": candidates,
        "smallest slack not replayed": worst, "confirmed": len(witnesses),
    }  # fmt: skip
    return witnesses, record, unresolved


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
        sides = violated_sides(bound.statement, values, 0.0, budget.digits)
        if sides is not None:
            data = {"key": jax.random.key_data(part).tolist(), "shots": budget.shots,
                    "confidence": confidence}  # fmt: skip
            witnesses.append(
                _witness(bound.id, bound.statement, "monte carlo", instance.name,
                         values, sides, data=data)
            )  # fmt: skip
    text = f"{len(chosen)} comparisons of {budget.shots} shots, delta {budget.delta:g}"
    verdict = "refuted" if witnesses else "passed"
    return Outcome(verdict, text, details, witnesses)


def bonferroni(delta: float, comparisons: int) -> float:
    """Error allowed to each of several comparisons so that all hold with 1 - delta."""
    return delta / comparisons


def kill_mutant(
    bound: Bound, mutant: Mutant, budget: Budget, evidence: Evidence
) -> Kill:
    """Refute a mutant: at its expected killer, other instances, then elsewhere."""
    mutated = bound.with_mutant(mutant)
    for witness in _mutant_witnesses(mutated, mutant, budget, evidence):
        killer = f"{witness.kind}: {witness.name}"
        return Kill(mutant.id, mutant.change, True, killer, witness)
    return Kill(mutant.id, mutant.change, False, "", None)


def _mutant_witnesses(
    mutated: Bound, mutant: Mutant, budget: Budget, evidence: Evidence
) -> Iterator[Witness]:
    names = {symbol.name for symbol in mutant.statement.free_symbols}
    own = {instance.name: instance.values() for instance in mutant.instances}
    known = Evidence({**evidence.values, **own})
    usable = [i for i in mutated.instances if names <= set(known.values[i.name])]
    usable.sort(key=lambda instance: instance.name != mutant.killer)
    simulated = dataclasses.replace(mutated, instances=tuple(usable))
    for constants in constant_grid(mutated):
        yield from _violations(simulated, budget, known, constants)
    yield from lint_stage(mutated).witnesses
    if evidence.batch is not None and names <= set(evidence.batch.values):
        yield from _random_violations(mutated, evidence.batch, budget)[0]


def mutant_stage(kills: tuple[Kill, ...], seconds: float) -> StageResult:
    details = tuple(
        {"mutant": k.mutant, "killed": k.killed, "killer": k.killer} for k in kills
    )
    survivors = [kill.mutant for kill in kills if not kill.killed]
    if not kills:
        return StageResult("mutants", "skipped", "no mutants", details, seconds)
    text = f"{len(kills) - len(survivors)} of {len(kills)} refuted"
    verdict = "failed" if survivors else "passed"
    return StageResult("mutants", verdict, text, details, seconds)
