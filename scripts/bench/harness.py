"""Measure a group: start the sides, check them against each other, time in turns."""

import dataclasses
import datetime
import pathlib
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np

from scripts.bench.check import exact_ones, verdicts
from scripts.bench.process import Died, Worker
from scripts.bench.sides import ORACLE, SAMPLES, Side
from scripts.bench.workloads import FIRST_CALLS, SEED, Case, small

FIRST_CLOCKS = ("first_wall", "first_cpu", "prepare_cpu")
"""What the first-call cases are about: the whole call, and what comes before it runs.

Sides that compile ahead of time do so there.
"""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a run measures.

    Args:
        rounds: Turns of every side; the spread is over them.
        budget: Seconds of one turn (at least one call).
        starts: Fresh processes of each side for the first-call cases.
        patience: Seconds that a side may take to answer before it is given up.
        core: Processor core that all sides are pinned to, one at a time.
    """

    rounds: int = 5
    budget: float = 0.5
    starts: int = 3
    patience: float = 300.0
    core: int = 0


def precision_on(side: Side, precision: str) -> str:
    """The asked precision, or in the table of best precisions the side's own."""
    return precision if precision in side.precisions else side.precisions[0]


def candidates(sides: Sequence[Side], case: Case, precision: str) -> list[Side]:
    """Sides to run: the table of double precision has only those that offer it."""
    fitting = [side for side in sides if side.takes(case)]
    if precision == "double":
        return [side for side in fitting if "double" in side.precisions]
    return fitting


def oracle_affords(case: Case) -> bool:
    return ORACLE.takes(case) and case.depth <= 10


def spread(values: Sequence[float]) -> dict:
    """Median and range of the rounds' medians."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "rounds": list(values),
    }


def start(side: Side, case: Case, precision: str, folder: pathlib.Path, settings):
    return Worker(
        side.name,
        case.name,
        precision_on(side, precision),
        folder / f"{side.name.replace(':', '-')}.npz",
        settings.core,
        settings.patience,
    )


def checked(case: Case, workers: dict[str, Worker]) -> dict[str, dict]:
    """Verdicts on the results of first calls."""
    results, dtypes = {}, {}
    for name, worker in workers.items():
        with np.load(worker.arrays) as arrays:
            results[name] = {key: arrays[key] for key in arrays.files}
        worker.arrays.unlink()
        dtypes[name] = worker.ready["dtype"]
    if case.task in SAMPLES:
        results[ORACLE.name], dtypes[ORACLE.name] = exact_ones(case), "complex128"
    return verdicts(case, results, dtypes, ORACLE.name)


def timed(workers: dict[str, Worker], rows: dict[str, dict], settings: Settings):
    """Interleaved rounds: drift of the machine meets all sides alike."""
    samples: dict[str, dict[str, list[float]]] = {
        name: {"wall": [], "cpu": []} for name in workers
    }
    for _ in range(settings.rounds):
        for name in list(workers):
            try:
                answer = workers[name].ask("time", budget=settings.budget)
            except Died as reason:
                rows[name] |= {"status": "failed", "reason": str(reason)}
                del workers[name], samples[name]
                continue
            for clock, found in samples[name].items():
                found.append(statistics.median(answer[clock]))
    for name, found in samples.items():
        rows[name] |= {clock: spread(values) for clock, values in found.items()}
    for name in list(workers):
        try:
            rows[name] |= workers[name].ask("memory")
        except Died as reason:
            rows[name]["memory_reason"] = str(reason)


def started(
    chosen: Sequence[Side],
    case: Case,
    precision: str,
    settings: Settings,
    rows: dict[str, dict],
    stack: ExitStack,
) -> dict[str, Worker]:
    """Workers that are ready; every side's answer becomes its row, if it has none."""
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    workers = {}
    for side in chosen:
        if not side.installed():
            rows[side.name] = {"status": "not installed"}
            continue
        worker = stack.enter_context(start(side, case, precision, folder, settings))
        row = rows.setdefault(side.name, dict(worker.ready))
        if worker.ready["status"] == "ready":
            workers[side.name] = worker
        else:
            row |= worker.ready
    return workers


def judge(case: Case, workers: dict[str, Worker], rows: dict[str, dict]) -> None:
    """Note every verdict, and send home the oracle and who is wrong."""
    for name, verdict in checked(case, workers).items():
        if name not in workers:
            continue
        rows[name]["check"] = verdict
        if not verdict["right"]:
            rows[name]["status"] = "wrong"
        if name == ORACLE.name or not verdict["right"]:
            workers.pop(name).close()
    rows.pop(ORACLE.name, None)


def rehearsed(
    chosen: list[Side], case: Case, precision: str, settings: Settings, rows: dict
) -> list[Side]:
    """Sides whose small twin of the case agrees with the oracle.

    For sampled histories, whose averages at full size nobody knows exactly.
    """
    with ExitStack() as stack:
        twin, found = small(case), {}
        everyone = [*chosen, ORACLE]
        workers = started(everyone, twin, precision, settings, found, stack)
        judge(twin, workers, found)
        for name, row in found.items():
            if name not in workers:
                rows[name] = row | {"note": "at a small size"}
        return [side for side in chosen if side.name in workers]


def measure(
    case: Case, precision: str, sides: Sequence[Side], settings: Settings
) -> list[dict]:
    """One row for each side: refused, failed, wrong, or right with its times."""
    rows: dict[str, dict] = {}
    chosen = candidates(sides, case, precision)
    if oracle_affords(case):
        chosen.append(ORACLE)
    if case.task == "trajectories":
        chosen = rehearsed(chosen, case, precision, settings, rows)
    with ExitStack() as stack:
        workers = started(chosen, case, precision, settings, rows, stack)
        judge(case, workers, rows)
        timed(workers, rows, settings)
    return [{"side": name, **row} for name, row in rows.items()]


def measure_first_calls(
    case: Case, precision: str, sides: Sequence[Side], settings: Settings
) -> list[dict]:
    """First calls in fresh processes, in turns; the first start is checked."""
    rows: dict[str, dict] = {}
    firsts: dict[str, dict[str, list[float]]] = {}
    chosen = candidates(sides, case, precision)
    for turn in range(settings.starts):
        with ExitStack() as stack:
            workers = started(chosen, case, precision, settings, rows, stack)
            for name, worker in workers.items():
                for clock in FIRST_CLOCKS:
                    taken = firsts.setdefault(name, {}).setdefault(clock, [])
                    taken.append(worker.ready[clock])
            if turn == 0:
                judge(case, workers, rows)
            # Who failed once, or is wrong, is not asked again.
            chosen = [side for side in chosen if side.name in workers]
    for name, found in firsts.items():
        if rows[name]["status"] == "ready":
            rows[name] |= {f"{c}_spread": spread(taken) for c, taken in found.items()}
    return [{"side": name, **row} for name, row in rows.items()]


def group(
    case: Case,
    precision: str,
    sides: Sequence[Side],
    settings: Settings,
    machine: dict,
) -> dict:
    """A measured group, ready for the store."""
    run = measure_first_calls if case.workload in FIRST_CALLS else measure
    rows = run(case, precision, sides, settings)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "case": case.name,
        "precision": precision,
        "seed": SEED,
        "date": now,
        "machine": machine,
        **dataclasses.asdict(settings),
        "rows": rows,
    }
