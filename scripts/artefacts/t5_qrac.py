"""T5: quantum random access codes: success from below, and three caps from above."""

import dataclasses

import numpy as np
import pandas as pd

from qjax._types import Key
from qjax.bounds import binary_entropy
from qjax.bounds.sdp import (
    mancinska_storgaard_success,
    nayak_success,
    qrac_dual,
    qrac_seesaw,
)
from qjax.experiments import Column, Experiment, Frames, Row, Table

SAME_OPTIMUM = 1e-6
"""Restarts this close to the best one have found the same optimum."""


@dataclasses.dataclass(frozen=True)
class QracConfig:
    """Largest sizes n and m, and how hard to search; `seed` is the root seed."""

    seed: int = 0
    max_bits: int = 6
    max_wires: int = 3
    restarts: int = 32
    iterations: int = 300


def grid(config: QracConfig) -> list[dict]:
    """One cell per code n -> m with m < n."""
    search = {"restarts": config.restarts, "iterations": config.iterations}
    return [
        {"n": n, "m": m, **search}
        for m in range(1, config.max_wires + 1)
        for n in range(m + 1, config.max_bits + 1)
    ]


def run(key: Key, *, n: int, m: int, restarts: int, iterations: int) -> Row:
    """See-saw of one size, the dual of what it found, and the caps."""
    code = qrac_seesaw(key, n, m, restarts=restarts, iterations=iterations)
    ends = code.all_successes
    return {
        "seesaw": code.success,
        "mean": float(np.mean(ends)),
        "spread": float(np.std(ends, ddof=1)) if restarts > 1 else None,
        "found_by": f"{int(np.sum(ends > code.success - SAME_OPTIMUM))} of {restarts}",
        "dual": qrac_dual(code.observables).success,
        "mancinska_storgaard": mancinska_storgaard_success(n, m),
        "nayak": nayak_success(n, m),
        "share": n * (1 - float(binary_entropy(code.success))) / m,
    }


COLUMNS = (
    Column("seesaw", "exact", digits=7, heading="see-saw",
           description="best average success found: a code attains it"),
    Column("mean", "estimated", stderr="spread",
           description="mean over restarts; the standard error is that of one restart"),
    Column("found_by", "label", heading="found by",
           description="restarts within 1e-6 of the best"),
    Column("dual", "exact", digits=7,
           description="cap on every encoding for the measurements found"),
    Column("mancinska_storgaard", "exact", digits=7, heading="M-S cap",
           description="1/2 + sqrt(2^(m-1)/n)/2, at most 1"),
    Column("nayak", "exact", digits=7, heading="Nayak cap",
           description="largest p with n (1 - h(p)) <= m"),
    Column("share", "exact", digits=3, heading="n(1-h)/m",
           description="fraction of Nayak's bound that the code attains"),
)  # fmt: skip

SHOWN = (
    COLUMNS[0],
    Column("mean", "exact", digits=6, heading="mean of restarts"),
    Column("spread", "exact", digits=2, heading="their spread",
           description="standard deviation over the restarts"),
    *COLUMNS[2:],
)  # fmt: skip

QRAC = Experiment(
    name="qrac",
    version=1,
    config=QracConfig,
    grid=grid,
    run=run,
    source="Ambainis et al. 2008; Nayak 1999; Mancinska and Storgaard 2022",
    dtypes=("complex128",),
    columns=COLUMNS,
)


def build(frames: Frames) -> pd.DataFrame:
    """One line per code, in grid order."""
    rows = frames["qrac"].copy()
    sizes = zip(rows["n"], rows["m"], strict=True)
    rows["code"] = [f"{n} → {m}" for n, m in sizes]
    return rows[["code", *(name for column in SHOWN for name in column.names)]]


EXPERIMENTS = (QRAC,)
ARTEFACTS = (
    Table(
        name="t5_qrac",
        title="T5. Random access codes: n bits in m qubits",
        experiments=("qrac",),
        build=build,
        columns=(Column("code", "label", heading="n → m"), *SHOWN),
        notes=(
            "The optimum lies between the see-saw value and the smaller cap; where "
            "they agree the code is optimal. The see-saw alternates between best "
            "states and best measurements; it never falls, and may end in a local "
            "optimum: hence the spread over restarts.",
            "The dual meets the see-saw where it has converged; it caps encodings for "
            "those measurements only, not all codes.",
        ),
    ),
)
