"""T1: every bound through every stage of the verifier, and how it fared.

The same cells feed the kill matrix T4 and the tightness plot F7: a cell verifies one
bound once and returns a row for the bound, one per mutant, and one per ratio.
"""

import dataclasses
import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import sympy as sp

from qjax._types import Key
from qjax.bounds import (
    BOUNDS,
    Bound,
    Budget,
    Instance,
    RandomBatch,
    Report,
    Witness,
    verify,
)
from qjax.bounds.information import evaluate_batch
from qjax.bounds.reports.report_plot import ratios
from qjax.bounds.stages.comparison import relation_sides, side_ratio
from qjax.experiments import Column, Experiment, Frames, Row, Table

STAGES = {
    "lint": "statement lint",
    "symbolic": "symbolic",
    "entropic": "entropic",
    "certified": "certified",
    "machine": "machine-checked",
    "exact": "exact",
    "sampled": "monte carlo",
    "adversarial": "adversarial",
    "semidefinite": "semidefinite",
    "mutants": "mutants",
}
"""Column -> name of the stage in a report."""

RELATIONS = {sp.LessThan: "≤", sp.GreaterThan: "≥", sp.Equality: "="}

REPLAYED_CANDIDATES = 5
"""Random structures nearest to equality in float64 that are replayed at 50 digits."""

VANISHING = 1e-12
"""Where both sides are below this, their ratio is rounding."""

Seen = Mapping[str, Mapping[str, Any]]
"""Values of every simulated instance, by its name."""


@dataclasses.dataclass(frozen=True)
class VerificationConfig:
    """Bounds to verify and how hard; `seed` is the root seed."""

    seed: int = 0
    bounds: tuple[str, ...] = tuple(BOUNDS)
    random_instances: int = 1000
    shots: int = 20_000
    restarts: float = 1.0
    programs: bool = True

    def __post_init__(self):
        unknown = sorted(set(self.bounds) - set(BOUNDS))
        if unknown:
            raise ValueError(
                f"Field `bounds` must hold ids from {sorted(BOUNDS)}, "
                f"but has {unknown}."
            )


def grid(config: VerificationConfig) -> list[dict]:
    """One cell per bound."""
    budget = {
        "random_instances": config.random_instances, "shots": config.shots,
        "restarts": config.restarts, "programs": config.programs,
    }  # fmt: skip
    return [{"bound": name, **budget} for name in config.bounds]


COLUMNS = (
    Column("record", "label", description="bound, mutant or ratio"),
    Column("entry", "label", description="id of the bound or mutant, or the instance"),
    Column("statement", "label", description="title of the bound, or the change"),
    *(Column(name, "label", description=f"verdict of the stage: {stage}")
      for name, stage in STAGES.items()),
    Column("verdict", "label"),
    Column("reasons", "label", description="why not a better verdict; why a mutant "
           "is still open"),
    Column("tight_ratio", "exact", description="smallest ratio at the tight instances"),
    Column("killed", "label", description="mutants refuted, k of n"),
    Column("axioms", "label", description="published theorems that are trusted"),
    Column("stage", "label", description="kind of the witness, or stage of the ratio"),
    Column("witness", "label", description="what refutes the statement"),
    Column("left", "label", description="left side at the witness, 17 digits"),
    Column("relation", "label", description="what the statement claims of the sides"),
    Column("right", "label", description="right side at the witness, 17 digits"),
    Column("ratio", "exact", description="smaller side over greater side; above 1 "
           "violates, None for 0/0 or an infinite ratio"),
    Column("tight", "label", description="whether the instance is claimed to be tight"),
    Column("seconds", "measured", unit="s", description="wall time of the bound"),
    Column("stage_seconds", "measured", unit="s", description="of each stage"),
)  # fmt: skip


def row_of(record: str, **values: Any) -> Row:
    """A row with the given values; the other columns do not apply to it."""
    return {**dict.fromkeys(column.name for column in COLUMNS), "record": record,
            **values}  # fmt: skip


def witness_columns(witness: Witness | None, relation: sp.Rel) -> Row:
    """What refutes a statement: kind, name and both sides."""
    if witness is None:
        return {}
    return {
        "stage": witness.kind, "witness": witness.name, "left": witness.left,
        "relation": RELATIONS[type(relation)], "right": witness.right,
    }  # fmt: skip


def bound_row(report: Report, bound: Bound, seconds: float) -> Row:
    """The verdict of one bound."""
    verdicts = {name: report.stage(stage).verdict for name, stage in STAGES.items()}
    killed = sum(kill.killed for kill in report.kills)
    first = min(report.witnesses, key=lambda w: w.kind != "family", default=None)
    times = [report.stage(stage).seconds for stage in STAGES.values()]
    return row_of(
        "bound", entry=report.bound, statement=report.title, **verdicts,
        verdict=report.status, reasons="; ".join(report.reasons),
        tight_ratio=report.tight_ratio,
        killed=f"{killed} of {len(report.kills)}" if report.kills else None,
        axioms=len(report.axioms), **witness_columns(first, bound.statement),
        seconds=seconds, stage_seconds=times,
    )  # fmt: skip


def mutant_rows(report: Report, bound: Bound) -> Iterator[Row]:
    """One row per mutant: it faces what its bound faces, and has no proof."""
    statements = {mutant.id: mutant.statement for mutant in bound.mutants}
    for kill in report.kills:
        open_text = kill.still_open or "nothing tried here refutes it"
        yield row_of(
            "mutant", entry=kill.mutant, statement=kill.change,
            verdict="REFUTED" if kill.killed else "OPEN",
            reasons="" if kill.killed else open_text,
            **witness_columns(kill.witness, statements[kill.mutant]),
        )  # fmt: skip


def ratio_rows(
    report: Report, bound: Bound, seen: Seen, batch: RandomBatch | None, digits: int
) -> Iterator[Row]:
    """How close to equality every instance, search and random batch came.

    Instances outside of the bound's domain are left out, and those where both sides
    vanish, because their ratio is rounding.
    """
    telling = {name for name, values in seen.items() if tells(bound, values, digits)}
    for found in ratios(report.to_dict()):
        if found["name"] in seen and found["name"] not in telling:
            continue
        yield row_of(
            "ratio", entry=found["name"], stage=found["stage"], tight=found["tight"],
            ratio=finite(found["ratio"]),
        )  # fmt: skip
    best = None if batch is None else nearest_random(bound, batch, digits)
    if best is not None:
        yield row_of("ratio", entry="best of the random structures", stage="random",
                     tight=False, ratio=finite(best))  # fmt: skip


def tells(bound: Bound, values: Mapping[str, Any], digits: int) -> bool:
    """Whether the ratio of the sides means something at these values."""
    if bound.existential() or not bound.claimed_at(values, digits):
        return False
    sides = relation_sides(bound.statement, values, digits)
    return bool(max(map(abs, sides)) > VANISHING)


def finite(value: float) -> float | None:
    """The number; None for what a row cannot hold."""
    return float(value) if np.isfinite(value) else None


def nearest_random(bound: Bound, batch: RandomBatch, digits: int) -> float | None:
    """Largest ratio of a random batch: ranked in float64, replayed at 50 digits."""
    if isinstance(bound.statement, sp.Equality):
        return None  # equal up to rounding everywhere: it measures nothing
    smaller = evaluate_batch(bound.statement.lts, batch.values)
    greater = evaluate_batch(bound.statement.gts, batch.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        ranked = np.asarray(smaller / greater, dtype=np.float64)
    # Where both sides vanish the ratio is rounding.
    ranked = np.where(greater > 1e-6, ranked, -np.inf)
    for relation in bound.where:
        inside = evaluate_batch(relation.gts - relation.lts, batch.values) >= 0
        ranked = np.where(inside, ranked, -np.inf)
    order = np.argsort(-ranked)[:REPLAYED_CANDIDATES]
    values = [batch.replay(int(index)) for index in order if np.isfinite(ranked[index])]
    known = [
        side_ratio(bound.statement, each, digits)
        for each in values
        if bound.claimed_at(each, digits)
    ]
    return max(known, default=None)


def run(
    key: Key, *, bound: str, random_instances: int, shots: int, restarts: float,
    programs: bool,
) -> list[Row]:  # fmt: skip
    """Verify one bound: its row, one row per mutant, one per ratio."""
    start = time.perf_counter()
    budget = Budget(random_instances=random_instances, shots=shots, restarts=restarts,
                    programs=programs)  # fmt: skip
    stated = BOUNDS[bound]()
    drawn: list[RandomBatch] = []
    seen: dict[str, Mapping[str, Any]] = {}

    def noted(instance: Instance) -> Mapping[str, Any]:
        """Values of an instance, kept so that it is simulated once."""
        seen[instance.name] = instance.values()
        return seen[instance.name]

    def remembered(key: Key, count: int) -> RandomBatch:
        """The random batch of the exact stage, kept so that it is drawn once."""
        assert stated.random is not None
        drawn.append(stated.random(key, count))
        return drawn[-1]

    random = None if stated.random is None else remembered
    instances = tuple(
        dataclasses.replace(each, values=functools.partial(noted, each))
        for each in stated.instances
    )
    watched = dataclasses.replace(stated, random=random, instances=instances)
    report = verify(key, watched, budget)
    batch = drawn[0] if drawn else None
    kept = [*mutant_rows(report, stated)]
    kept += ratio_rows(report, stated, seen, batch, budget.digits)
    return [bound_row(report, stated, time.perf_counter() - start), *kept]


VERIFICATION = Experiment(
    name="verification",
    version=3,
    config=VerificationConfig,
    grid=grid,
    run=run,
    source="qjax.bounds.verify; proofs/",
    dtypes=("complex128",),
    columns=COLUMNS,
)

SHOWN = ("entry", *STAGES, "verdict", "tight_ratio", "killed", "axioms", "seconds")
MARKS = {"passed": "pass", "failed": "fail", "refuted": "refuted", "skipped": "–"}
"""Short, because there are ten such columns."""


def build(frames: Frames) -> pd.DataFrame:
    """One line per bound, in grid order."""
    rows = frames["verification"]
    shown = rows.loc[rows["record"] == "bound", list(SHOWN)].copy()
    for name in STAGES:
        shown[name] = shown[name].map(MARKS)
    return shown


EXPERIMENTS = (VERIFICATION,)
ARTEFACTS = (
    Table(
        name="t1_verification",
        title="T1. Verification of the bounds",
        experiments=("verification",),
        build=build,
        columns=(
            Column("entry", "label", heading="bound"),
            Column("lint", "label"),
            Column("symbolic", "label"),
            Column("entropic", "label"),
            Column("certified", "label"),
            Column("machine", "label", heading="machine-checked"),
            Column("exact", "label"),
            Column("sampled", "label", heading="Monte Carlo"),
            Column("adversarial", "label"),
            Column("semidefinite", "label"),
            Column("mutants", "label"),
            Column("verdict", "label"),
            Column("tight_ratio", "exact", heading="tight ratio", digits=12),
            Column("killed", "label", heading="mutants refuted"),
            Column("axioms", "label", heading="axioms"),
            Column("seconds", "measured", unit="s", heading="time", digits=2),
        ),
        notes=(
            "A stage passes, fails (a step is not closed, a mutant survives, a search "
            "is short of what it is known to reach, a solver finds another constant), "
            "refutes the statement, or has nothing to do (–). For a refuted statement "
            "the proof stages check its refutation.",
            "Tight ratio: smaller side over greater side, the smallest over all "
            "instances that are claimed to reach equality. Axioms: published theorems "
            "that the proof trusts; each report lists them.",
            "The mutants are in T4, the ratios of all instances in F7.",
        ),
    ),
)
