"""T1: every bound through every stage of the verifier, and what refuted it."""

import dataclasses
import time

import pandas as pd

from qjax.bounds import BOUNDS, Budget, Report, verify
from qjax.experiments import Column, Experiment, Frames, Table

STAGES = {
    "lint": "statement lint",
    "symbolic": "symbolic",
    "exact": "exact",
    "sampled": "monte carlo",
    "mutants": "mutants",
}


@dataclasses.dataclass(frozen=True)
class VerificationConfig:
    """Bounds to verify and how hard; `seed` is the root seed."""

    seed: int = 0
    bounds: tuple[str, ...] = tuple(BOUNDS)
    random_instances: int = 1000
    shots: int = 20_000

    def __post_init__(self):
        unknown = sorted(set(self.bounds) - set(BOUNDS))
        if unknown:
            raise ValueError(
                f"Field `bounds` must hold ids from {sorted(BOUNDS)}, "
                f"but has {unknown}."
            )


def grid(config: VerificationConfig) -> list[dict]:
    """One cell per bound."""
    budget = {"random_instances": config.random_instances, "shots": config.shots}
    return [{"bound": name, **budget} for name in config.bounds]


def _bound_row(report: Report, seconds: float) -> dict:
    row = {name: report.stage(stage).verdict for name, stage in STAGES.items()}
    killed = sum(kill.killed for kill in report.kills)
    first = min(report.witnesses, key=lambda w: w.kind != "family", default=None)
    return {
        "entry": report.bound,
        "statement": report.title,
        **row,
        "verdict": report.status,
        "ratio": report.tight_ratio,
        "killed": f"{killed} of {len(report.kills)}" if report.kills else "",
        "witness": "" if first is None else first.name,
        "axioms": len(report.axioms),
        "seconds": seconds,
    }


def run(key, *, bound: str, random_instances: int, shots: int) -> list[dict]:
    """Verify one bound: its row, then one row per mutant."""
    start = time.perf_counter()
    budget = Budget(random_instances=random_instances, shots=shots)
    report = verify(key, BOUNDS[bound](), budget)
    rows = [_bound_row(report, time.perf_counter() - start)]
    for kill in report.kills:
        # A mutant faces the instances of its bound; it has no proof of its own.
        rows.append(
            {
                "entry": f"{report.bound}/{kill.mutant}",
                "statement": kill.change,
                **dict.fromkeys(STAGES, ""),
                "exact": "refuted" if kill.killed else "passed",
                "verdict": "REFUTED" if kill.killed else "SURVIVES",
                "ratio": None,
                "killed": "",
                "witness": kill.killer.removeprefix("instance: "),
                "axioms": 0,
                "seconds": None,  # part of the row of its bound
            }
        )
    return rows


VERIFICATION = Experiment(
    name="verification",
    version=1,
    config=VerificationConfig,
    grid=grid,
    run=run,
    source="Theorem A1 and the literal statements A and B; proofs/",
    dtypes=("complex128",),
    columns=(
        Column("entry", "label"),
        Column("statement", "label"),
        *(Column(name, "label", description=f"stage: {stage}")
          for name, stage in STAGES.items()),
        Column("verdict", "label"),
        Column("ratio", "exact", description="smallest ratio at the tight instances"),
        Column("killed", "label", description="mutants refuted"),
        Column("witness", "label", description="what refutes it"),
        Column("axioms", "label", description="published theorems that are trusted"),
        Column("seconds", "measured", unit="s", description="wall-clock time"),
    ),
)  # fmt: skip

SHOWN = ("entry", *STAGES, "verdict", "ratio", "killed", "witness", "seconds")


def build(frames: Frames) -> pd.DataFrame:
    """The rows in grid order: each bound, then its mutants."""
    return frames["verification"][list(SHOWN)]


EXPERIMENTS = (VERIFICATION,)
ARTEFACTS = (
    Table(
        name="t1_verification",
        title="T1. Verification of the bounds",
        experiments=("verification",),
        build=build,
        columns=(
            Column("entry", "label", heading="bound"),
            Column("lint", "label", heading="statement lint"),
            Column("symbolic", "label"),
            Column("exact", "label"),
            Column("sampled", "label", heading="Monte-Carlo"),
            Column("mutants", "label"),
            Column("verdict", "label"),
            Column("ratio", "exact", heading="ratio at tight instance", digits=12),
            Column("killed", "label", heading="mutants refuted"),
            Column("witness", "label"),
            Column("seconds", "measured", unit="s", heading="time", digits=2),
        ),
        notes=(
            "A1 is proved from three cited theorems: strong subadditivity, data "
            "processing and King's additivity. M1 to M4 are wrong variants of it.",
            "The literal statements are refuted for every choice of their constants; "
            "the witness shown for A is the first of the family.",
            "For a refuted statement the symbolic stage checks the refutation.",
        ),
    ),
)
