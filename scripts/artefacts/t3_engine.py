"""T3: the engine beside the fastest of the other simulators, as `make bench` recorded.

Nothing is measured here: the rows are read from the recorded benchmark, and a cell's
point holds the hash of that file, so that another record gives other cells.
"""

import dataclasses
import hashlib

import pandas as pd

from qjax.experiments import Column, Experiment, Frames, HarnessError, Row, Table
from scripts.bench import store
from scripts.bench.bars import fastest, ours, work
from scripts.bench.report import frame, machines
from scripts.bench.run import RESULTS
from scripts.bench.sides import SAMPLES, SIDES
from scripts.bench.workloads import CASES, FIRST_CALLS, Case

PRECISION = "single"
TIMED = tuple(
    dict.fromkeys(c.workload for c in CASES.values() if c.workload not in FIRST_CALLS)
)
"""All workloads but those of first calls, which are timed in another way."""


@dataclasses.dataclass(frozen=True)
class EngineConfig:
    """Workloads to show; `seed` is the root seed, and nothing is random."""

    seed: int = 0
    workloads: tuple[str, ...] = TIMED


def record_id() -> str:
    """What tells one recorded benchmark from another; empty if there is none."""
    if not store.read(RESULTS):
        return ""
    return hashlib.sha256(RESULTS.read_bytes()).hexdigest()[:16]


def grid(config: EngineConfig) -> list[dict]:
    """One cell per case."""
    record = record_id()
    return [
        {"case": case.name, "record": record}
        for case in CASES.values()
        if case.workload in config.workloads
    ]


def run(key, *, case: str, record: str) -> list[Row]:
    """Rows of one case: one, or one for each thing that samplers hand out."""
    del key
    if record != record_id():
        raise HarnessError(f"The recorded benchmark {record!r} has been replaced.")
    known = CASES[case]
    group = store.read(RESULTS).get((case, PRECISION))
    takers = [side for side in SIDES.values() if side.takes(known)]
    # Ours come first in the list of sides, in the order of the page.
    kinds = list(dict.fromkeys(side.gives(known) for side in takers))
    if group is None:
        return [line(known, gives, None) for gives in kinds]
    rows = frame({(case, PRECISION): group})
    return [line(known, gives, rows[rows["gives"] == gives]) for gives in kinds]


def line(case: Case, gives: str, rows: pd.DataFrame | None) -> Row:
    """One row of the table; what was not recorded is None."""
    own = None if rows is None else ours(rows)
    peer = None if rows is None else fastest(rows)
    absent = "not recorded" if rows is None else "none"
    took, theirs = found(own, "cpu_ms"), found(peer, "cpu_ms")
    ratios: list[float] = []
    if own is not None and peer is not None and took is not None:
        # Both were measured in turns: a round's ratio is free of the machine's drift.
        pairs = zip(own["cpu_rounds"], peer["cpu_rounds"], strict=False)
        ratios = [other / mine for mine, other in pairs]
    return {
        "workload": work(case.name, gives),
        "computes": described(case) + kept(case, own, peer),
        "peer": absent if peer is None else peer["side"],
        "peer_dtype": None if peer is None else peer["dtype"] or None,
        "peer_ms": theirs,
        "ours_ms": took,
        "ratio": None if took is None or theirs is None else theirs / took,
        "lowest": min(ratios, default=None),
        "highest": max(ratios, default=None),
        "first_s": found(own, "first_s"),
        "temporaries": found(own, "temporaries_mib"),
    }


def described(case: Case) -> str:
    name = case.task.replace("_", " ")
    name += ", re-uploading" if case.reupload else ""
    size = "" if case.task in SAMPLES else f", depth {case.depth}"
    if case.pairs:
        size = f", {case.pairs} random CNOTs"
    size += f", bond {case.bond}" if case.bond else ""
    return f"{name}, n = {case.num_wires}{size}"


def kept(case: Case, own: pd.Series | None, peer: pd.Series | None) -> str:
    """Of chains: how much of the state is left of what their bonds could not hold."""
    if not case.bond:
        return ""
    if not case.truncates:
        return ", nothing cut off"
    texts = ""
    for whose, row in (("", own), (" of the peer", peer)):
        norm = found(row, "fidelity")
        texts += "" if norm is None else f", squared norm{whose} {norm:.5f}"
    return texts


def found(row: pd.Series | None, column: str) -> float | None:
    if row is None or pd.isna(row[column]):
        return None
    return float(row[column])


def build(frames: Frames) -> pd.DataFrame:
    """The rows in the order of the workloads; none if no benchmark is recorded."""
    rows = frames["engine"]
    return rows.loc[rows["record"] != "", [column.name for column in COLUMNS]]


def notes(groups: dict[store.Key, dict]) -> tuple[str, ...]:
    """How the numbers are to be read, and where and when they were measured."""
    shown = {key: group for key, group in groups.items() if key[1] == PRECISION}
    if not shown:
        return ("No benchmark is recorded: `make bench` measures one.",)
    where = [text.removeprefix("- ") for text in machines(shown).splitlines()]
    return (
        "Peer: of all configurations of other simulators that hand out the same thing, "
        "the one with the least CPU time, in its best precision; ours is complex64. "
        "One thread on one core.",
        "Ratio: CPU time of the peer over ours, medians of the rounds; lowest and "
        "highest are the extremes over the rounds, which both took in turns.",
        "Chains are cut to the same largest bond on both sides, not to the same error: "
        "what is left of the squared norm estimates the fidelity of each.",
        *where,
    )


COLUMNS = (
    Column("workload", "label"),
    Column("computes", "label"),
    Column("peer", "label", heading="strongest peer"),
    Column("peer_dtype", "label", heading="its dtype"),
    Column("peer_ms", "measured", unit="ms", heading="peer", digits=3),
    Column("ours_ms", "measured", unit="ms", heading="qjax", digits=3),
    Column("ratio", "measured", digits=3),
    Column("lowest", "measured", digits=3),
    Column("highest", "measured", digits=3),
    Column("first_s", "measured", unit="s", heading="first call", digits=3,
           description="CPU time of ours, compilation included"),
    Column("temporaries", "measured", unit="MiB", digits=3,
           description="of our compiled program"),
)  # fmt: skip

ENGINE = Experiment(
    name="engine",
    version=2,
    config=EngineConfig,
    grid=grid,
    run=run,
    source="scripts/bench",
    dtypes=("complex64",),
    columns=COLUMNS,
)

EXPERIMENTS = (ENGINE,)
ARTEFACTS = (
    Table(
        name="t3_engine",
        title="T3. The engine beside the fastest of the other simulators",
        experiments=("engine",),
        build=build,
        columns=COLUMNS,
        notes=notes(store.read(RESULTS)),
    ),
)
