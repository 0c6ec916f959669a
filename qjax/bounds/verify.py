"""Try to refute a bound, then say how much of its proof is closed."""

import dataclasses
import importlib.metadata
import platform
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import Bound
from qjax.bounds.information import evaluate
from qjax.bounds.reports.report import Kill, Report, StageResult, Witness, describe
from qjax.bounds.stages.attacks import attack_stage
from qjax.bounds.stages.budget import Budget, Evidence, Outcome, covers_grid
from qjax.bounds.stages.comparison import side_ratio
from qjax.bounds.stages.exact import exact_stage
from qjax.bounds.stages.mutants import kill_mutant, mutant_stage, surviving
from qjax.bounds.stages.programs import program_stage
from qjax.bounds.stages.proof import proof_stages
from qjax.bounds.stages.sampled import sampled_stage
from qjax.bounds.stages.statement import lint_stage

TIGHT_RATIO = 0.999
"""A tight instance below this ratio is not tight: its claim fails."""


def verify(key: Key, bound: Bound, budget: Budget | None = None) -> Report:
    """Try to refute a bound by every stage, and close the steps of its proof.

    Statement lint; symbolic, entropic, certified and machine-checked steps; exact
    probabilities at instances and random structures; shots; adversarial search;
    semidefinite programs; and the mutation matrix.

    Args:
        key: JAX random key for random instances, shots and searches.
        bound: The statement with its steps, instances and mutants.
        budget: Sizes; by default `Budget()`.

    Returns:
        The report; its status follows the rules in `STATUSES`.

    Raises:
        ValueError: If double precision is off: entropies in single precision decide
            nothing. Enable it in the entry point, or locally by `jax.enable_x64(True)`.

    Source: theory of bounds, section 8.

    Example:
        >>> import jax
        >>> from qjax.bounds import SMOKE, literal_b, verify
        >>> with jax.enable_x64(True):
        ...     report = verify(jax.random.key(0), literal_b("ratio"), SMOKE)
        >>> report.status
        'REFUTED'
    """
    budget = Budget() if budget is None else budget
    double = jnp.zeros(()).dtype == jnp.float64
    rule = "be on to verify a bound: use jax.enable_x64 or the entry point's setting"
    require(double, "jax_enable_x64", rule, "off")
    random_key, shot_key, search_key = jax.random.split(key, 3)
    # The fourth of them, so that adding it changed none of the three.
    program_key = jax.random.fold_in(key, 3)
    evidence = Evidence()
    found: list[Witness] = []

    def staged(name: str, stage: Callable[[], Outcome]) -> StageResult:
        start = time.perf_counter()
        outcome = stage()
        seconds = time.perf_counter() - start
        found.extend(outcome.witnesses)
        details = tuple(outcome.details)
        return StageResult(name, outcome.verdict, outcome.summary, details, seconds)

    stages = [
        staged("statement lint", lambda: lint_stage(bound)),
        *proof_stages(bound),
        staged("exact", lambda: exact_stage(random_key, bound, budget, evidence)),
        staged("monte carlo", lambda: sampled_stage(shot_key, bound, budget)),
        staged("adversarial", lambda: attack_stage(search_key, bound, budget)),
        staged("semidefinite", lambda: program_stage(program_key, bound, budget)),
    ]
    start = time.perf_counter()
    kills = tuple(kill_mutant(bound, each, budget, evidence) for each in bound.mutants)
    stages.append(mutant_stage(kills, time.perf_counter() - start))
    # A statement "for some constants" is false only if each choice of them is.
    witnesses = found if covers_grid(bound, found) else []
    report = _report(bound, budget, key, stages, witnesses, kills, evidence)
    return describe(report, bound)


def _report(
    bound: Bound,
    budget: Budget,
    key: Key,
    stages: list[StageResult],
    witnesses: list[Witness],
    kills: tuple[Kill, ...],
    evidence: Evidence,
) -> Report:
    checks = [detail for stage in stages for detail in stage.details]
    open_steps = tuple(d["step"] for d in checks if d.get("closed", True) is False)
    tight_values = [evidence.values[i.name] for i in bound.instances if i.tight]
    ratios = [side_ratio(bound.statement, v, budget.digits) for v in tight_values]
    tight = min(ratios) if ratios else None
    status, reasons = _status(bound, stages, witnesses, kills, tight, evidence, budget)
    return Report(
        bound.id,
        bound.title,
        str(bound.statement),
        status,
        reasons,
        bound.hypotheses,
        bound.model.sentences(),
        tuple(
            {"number": step.number, "claim": step.claim, "source": step.source}
            for step in bound.steps
            if step.kind == "axiom"
        ),
        open_steps,
        tuple(stages),
        tight,
        bound.not_tight,
        kills,
        tuple(witnesses),
        {"verify": jax.random.key_data(key).tolist()},
        _versions(),
        dataclasses.asdict(budget),
        bound.proof,
    )


def _status(
    bound: Bound,
    stages: list[StageResult],
    witnesses: list[Witness],
    kills: tuple[Kill, ...],
    tight: float | None,
    evidence: Evidence,
    budget: Budget,
) -> tuple[str, tuple[str, ...]]:
    """Apply the rules of `STATUSES` in their order."""
    if witnesses:
        return "REFUTED", (f"{len(witnesses)} witnesses",)
    if _vacuous(bound, evidence, budget):
        return "VACUOUS", (f"{bound.vacuous_when} at every instance",)
    if not any(kill.killed for kill in kills):
        why = "none of its mutants is refuted" if kills else "it has no mutants"
        return "UNFALSIFIABLE", (f"{why}: passing shows nothing",)
    missing = _missing(bound, stages, kills, tight)
    if missing:
        return "SUPPORTED", tuple(missing)
    partial = [step.number for step in bound.proof_closure() if step.domain]
    if partial:
        text = f"certified on a part of its domain only: {', '.join(partial)}"
        return "CERTIFIED-ON-DOMAIN", (text,)
    return "PROVED", ()


def _missing(
    bound: Bound,
    stages: list[StageResult],
    kills: tuple[Kill, ...],
    tight: float | None,
) -> list[str]:
    """What keeps an unrefuted, falsifiable bound from being proved."""
    closure = bound.proof_closure()
    unchecked = {
        d["step"] for s in stages for d in s.details if d.get("closed", 0) is None
    }
    rests_on = sorted(unchecked & {step.number for step in closure})
    survivors = surviving(kills)
    failed = [stage.name for stage in stages if stage.verdict == "failed"]
    missing = []
    if not closure:
        missing.append("no proof step concludes the statement")
    if any(step.kind == "monte_carlo" for step in closure):
        missing.append("a step is supported by sampling only")
    if rests_on:
        missing.append(f"rests on steps not checked here: {', '.join(rests_on)}")
    if survivors:
        missing.append(f"mutants survive: {', '.join(survivors)}")
    if failed:
        missing.append(f"stages not passed: {', '.join(failed)}")
    if tight is not None and not tight >= TIGHT_RATIO:
        missing.append(f"ratio {tight:.6f} at an instance claimed to be tight")
    if tight is None and not bound.not_tight:
        missing.append("no tight instance, and no reason why there is none")
    return missing


def _vacuous(bound: Bound, evidence: Evidence, budget: Budget) -> bool:
    if bound.vacuous_when is None or not evidence.values:
        return False
    relation = bound.vacuous_when
    for values in evidence.values.values():
        gap = evaluate(relation.gts - relation.lts, values, budget.digits)
        if gap < 0:
            return False
    return True


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    packages = ("jax", "numpy", "scipy", "sympy", "mpmath", "python-flint")
    for package in (*packages, "qjax-simulator"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "source tree"
    return versions
