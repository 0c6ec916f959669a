"""Try to refute a bound, then say how much of its proof is closed."""

import dataclasses
import importlib.metadata
import platform
import time

import jax
import jax.numpy as jnp

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import Bound
from qjax.bounds.information import evaluate
from qjax.bounds.report import Kill, Report, StageResult, Witness
from qjax.bounds.stages import (
    Budget,
    Evidence,
    covers_grid,
    exact_stage,
    kill_mutant,
    lint_stage,
    mutant_stage,
    sampled_stage,
    side_ratio,
    symbolic_stage,
)

TIGHT_RATIO = 0.999
"""A tight instance below this ratio is not tight: its claim fails."""


def verify(key: Key, bound: Bound, budget: Budget | None = None) -> Report:
    """Run statement lint, symbolic, exact, Monte-Carlo and mutant stages on a bound.

    Args:
        key: JAX random key for random instances and shots.
        bound: The statement with its steps, instances and mutants.
        budget: Sizes; by default `Budget()`.

    Returns:
        The report; its status follows the rules in `STATUSES`.

    Raises:
        ValueError: If double precision is off: entropies in single precision decide
            nothing. Enable it in the entry point, or locally by `jax.enable_x64(True)`.

    Source: theory of bounds, section 8.
    """
    budget = Budget() if budget is None else budget
    double = jnp.zeros(()).dtype == jnp.float64
    rule = "be on to verify a bound: use jax.enable_x64 or the entry point's setting"
    require(double, "jax_enable_x64", rule, "off")
    random_key, shot_key = jax.random.split(key)
    evidence = Evidence()
    stages: list[StageResult] = []
    found: list[Witness] = []
    for name, stage in (
        ("statement lint", lambda: lint_stage(bound)),
        ("symbolic", lambda: symbolic_stage(bound)),
        ("exact", lambda: exact_stage(random_key, bound, budget, evidence)),
        ("monte carlo", lambda: sampled_stage(shot_key, bound, budget)),
    ):
        start = time.perf_counter()
        outcome = stage()
        seconds = time.perf_counter() - start
        details = tuple(outcome.details)
        stages.append(
            StageResult(name, outcome.verdict, outcome.summary, details, seconds)
        )
        found += outcome.witnesses
    start = time.perf_counter()
    kills = tuple(kill_mutant(bound, each, budget, evidence) for each in bound.mutants)
    stages.append(mutant_stage(kills, time.perf_counter() - start))
    # A statement "for some constants" is false only if each choice of them is.
    witnesses = found if covers_grid(bound, found) else []
    return _report(bound, budget, key, stages, witnesses, kills, evidence)


def _report(
    bound: Bound,
    budget: Budget,
    key: Key,
    stages: list[StageResult],
    witnesses: list[Witness],
    kills: tuple[Kill, ...],
    evidence: Evidence,
) -> Report:
    symbolic = next(stage for stage in stages if stage.name == "symbolic")
    open_steps = tuple(d["step"] for d in symbolic.details if not d["closed"])
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
        dataclasses.asdict(bound.conventions),
        tuple(
            {"number": step.number, "claim": step.claim, "source": step.source}
            for step in bound.steps
            if step.kind == "axiom"
        ),
        open_steps,
        tuple(stages),
        tight,
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
    survivors = [kill.mutant for kill in kills if not kill.killed]
    kinds = {step.kind for step in bound.steps}
    failed = [stage.name for stage in stages if stage.verdict == "failed"]
    missing = []
    if not any(step.concludes for step in bound.steps):
        missing.append("no proof step concludes the statement")
    if "monte_carlo" in kinds:
        missing.append("a step is supported by sampling only")
    if survivors:
        missing.append(f"mutants survive: {', '.join(survivors)}")
    if failed:
        missing.append(f"stages not passed: {', '.join(failed)}")
    if tight is not None and not tight >= TIGHT_RATIO:
        missing.append(f"ratio {tight:.6f} at an instance claimed to be tight")
    if missing:
        return "SUPPORTED", tuple(missing)
    if "certified" in kinds:
        return "CERTIFIED-ON-DOMAIN", ("a step is certified on its domain only",)
    return "PROVED", ()


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
    for package in ("jax", "numpy", "scipy", "sympy", "mpmath", "qjax-simulator"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "source tree"
    return versions
