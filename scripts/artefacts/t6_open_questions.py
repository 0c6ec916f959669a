"""T6: searches on questions that theory leaves open, with the best candidates."""

import dataclasses
import json

import numpy as np
import pandas as pd

from qjax._types import Key
from qjax.bounds.search import attack_damping, attack_interleaved, refrigerator
from qjax.bounds.search.candidates import Candidate
from qjax.experiments import Column, Experiment, Frames, Row, Table

INTERLEAVED = "κ(λ^T) with unitaries between"
DAMPING = "M9: storage κ for interleaved damping"
REFRIGERATOR = "M9, permutation circuit"


@dataclasses.dataclass(frozen=True)
class OpenQuestionsConfig:
    """Sizes and strengths of each search; `seed` is the root seed.

    `interleaved` and `damping` hold texts "m T": qubits and layers.
    """

    seed: int = 0
    interleaved: tuple[str, ...] = ("2 2", "2 3", "2 4", "3 2")
    survivals: tuple[float, ...] = (0.3, 0.9)
    damping: tuple[str, ...] = ("2 4",)
    refrigerated: tuple[str, ...] = ("2 10", "2 25", "3 10")
    gammas: tuple[float, ...] = (0.5,)
    restarts: int = 4
    steps: int = 150

    def __post_init__(self):
        for field in ("interleaved", "damping", "refrigerated"):
            for text in getattr(self, field):
                parts = text.split()
                if len(parts) != 2 or not all(part.isdigit() for part in parts):
                    raise ValueError(
                        f'Field `{field}` must hold texts "m T", but has {text!r}.'
                    )


def grid(config: OpenQuestionsConfig) -> list[dict]:
    """One cell per question, size and strength."""
    effort = {"restarts": config.restarts, "steps": config.steps}
    plans = (
        (INTERLEAVED, config.interleaved, config.survivals, effort),
        (DAMPING, config.damping, config.gammas, effort),
        (REFRIGERATOR, config.refrigerated, config.gammas, dict.fromkeys(effort, 0)),
    )
    return [
        {"question": question, "m": m, "T": T, "noise": noise, **tried}
        for question, sizes, strengths, tried in plans
        for m, T in (map(int, text.split()) for text in sizes)
        for noise in strengths
    ]


def run(
    key: Key, *, question: str, m: int, T: int, noise: float, restarts: int, steps: int
) -> Row:
    """The best candidate of one search, replayed at 50 digits."""
    if question == INTERLEAVED:
        found = attack_interleaved(key, m, T, noise, restarts=restarts, steps=steps)
    elif question == DAMPING:
        found = attack_damping(key, m, T, noise, restarts=restarts, steps=steps)
    else:
        found = refrigerator(noise, T, m)
    return candidate_row(found)


def candidate_row(found: Candidate) -> Row:
    """Ratio, spread over restarts, verdict and witness of a candidate."""
    ends = found.all_ratios[np.isfinite(found.all_ratios)]
    return {
        "claim": found.claim,
        "ratio": float(found.replayed.ratio),
        "excess": float(found.replayed.ratio - 1),
        "mean": float(np.mean(ends)),
        "spread": float(np.std(ends, ddof=1)) if len(ends) > 1 else None,
        "dropped": found.dropped,
        "refuted": found.refutes,
        "witness": json.dumps(found.record, sort_keys=True),
    }


OPEN_QUESTIONS = Experiment(
    name="open_questions",
    version=1,
    config=OpenQuestionsConfig,
    grid=grid,
    run=run,
    source="theory of bounds, sections 7 (M9) and 9 (open problem i)",
    dtypes=("complex128",),
    columns=(
        Column("claim", "label"),
        Column("ratio", "exact", description="attained over claimed, at 50 digits"),
        Column("excess", "exact", description="ratio - 1, rounded after subtracting"),
        Column("mean", "estimated", stderr="spread",
               description="ratio over restarts; the error is that of one restart"),
        Column("dropped", "label", description="restarts that were not finite"),
        Column("refuted", "label", description="ratio above 1 by more than 1e-30"),
        Column("witness", "label", description="states, circuit and strengths as JSON; "
               "qjax.bounds.search.replay_candidate reads it"),
    ),
)  # fmt: skip


def build(frames: Frames) -> pd.DataFrame:
    """One line per search, in grid order."""
    rows = frames["open_questions"].copy()
    rows["verdict"] = rows["refuted"].map({True: "refuted", False: "not refuted"})
    return rows[["question", "m", "T", "noise", "restarts", "ratio", "excess", "mean",
                 "spread", "verdict"]]  # fmt: skip


EXPERIMENTS = (OPEN_QUESTIONS,)
ARTEFACTS = (
    Table(
        name="t6_open_questions",
        title="T6. Searches on open questions",
        experiments=("open_questions",),
        build=build,
        columns=(
            Column("question", "label", heading="claim"),
            Column("m", "label", heading="qubits m"),
            Column("T", "label", heading="layers T"),
            Column("noise", "label", heading="λ or γ"),
            Column("restarts", "label"),
            Column("ratio", "exact", digits=10, heading="best ratio",
                   description="attained bits over claimed bits, replayed at 50 "
                   "digits; above 1 refutes the claim"),
            Column("excess", "exact", digits=2, heading="ratio - 1"),
            Column("mean", "exact", digits=6, heading="mean of restarts"),
            Column("spread", "exact", digits=2, heading="their spread",
                   description="standard deviation over the restarts"),
            Column("verdict", "label"),
        ),
        notes=(
            "First claim: with any unitaries between T layers of depolarizing noise "
            "the divergence of the output from the maximally mixed state is at most "
            "m (1 - h((1 + λ^T)/2)); proved is m λ^2T only. A search that ends at "
            "ratio 1 supports it, and does not prove it.",
            "M9 claims for amplitude damping with unitaries between the layers what is "
            "proved for storage. The permutation circuit moves weight back to states "
            "with more excitations and refutes it; it is not searched but constructed, "
            "hence without restarts.",
        ),
    ),
)  # fmt: skip
