"""Computing cells: those that are missing, or a sample that is checked again."""

import contextlib
import dataclasses
import functools
import random
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import jax
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from qjax.experiments.catalogue import Layout, Reference, to_travel
from qjax.experiments.cells import Point, cell_key
from qjax.experiments.columns import Row, difference
from qjax.experiments.config import resolve, store_config
from qjax.experiments.errors import HarnessError
from qjax.experiments.experiment import Experiment, Size
from qjax.experiments.files import probe_folder
from qjax.experiments.frames import Results
from qjax.experiments.provenance import at, machine_provenance
from qjax.experiments.store import Record, RowStore


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run did.

    Args:
        computed: Cells computed and stored now.
        present: Cells that were stored before.
        failed: Experiment and point of every cell that raised.
    """

    computed: int = 0
    present: int = 0
    failed: tuple[tuple[str, Point], ...] = ()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.computed + other.computed,
            self.present + other.present,
            self.failed + other.failed,
        )


T = TypeVar("T")


@contextlib.contextmanager
def _progress(console: Console, total: int) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere each cell prints its own line."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal or total == 0
    with Progress(*columns, console=console, disable=hidden) as progress:
        yield progress


def run_cell(
    experiment: Experiment, root_seed: int, cell: str, point: Point
) -> list[Row]:
    """Compute one cell: its rows, checked and in stored form.

    The cell's key and the width of the types depend on the experiment alone, not on
    the state of the process.
    """
    with jax.enable_x64(experiment.x64):
        result = experiment.run(cell_key(root_seed, cell), **point)
        return experiment.rows(result)


def _timed_cell(
    experiment: Experiment | Reference, root_seed: int, cell: str, point: Point
) -> tuple[list[Row], float]:
    """Compute one cell, and the seconds it takes where it is computed."""
    if isinstance(experiment, Reference):
        experiment = experiment.load()
    start = time.perf_counter()
    rows = run_cell(experiment, root_seed, cell, point)
    return rows, time.perf_counter() - start


def _attempt(
    compute: Callable[[], T], experiment: Experiment, point: Point, console: Console
) -> T | None:
    """Compute one cell; a failure is reported with its point, and None returned."""
    try:
        return compute()
    except Exception as error:
        console.print(escape(traceback.format_exc()), style="dim", soft_wrap=True)
        console.print(
            escape(
                f"error: cell {point} of experiment {experiment.name!r} raised "
                f"{type(error).__name__}: {error}"
            ),
            style="red",
            soft_wrap=True,
        )
        return None


def _run_missing(
    store: RowStore,
    results: Results,
    root: Path,
    console: Console,
    executor: Executor | None,
) -> Outcome:
    """Compute and store the missing cells of one experiment, in grid order."""
    experiment, seed = results.experiment, results.config.seed
    todo = [c for c in results.cells if c not in store.records]
    outcome = Outcome(present=len(results.cells) - len(todo))
    if not todo:
        return outcome
    provenance = machine_provenance(experiment, results.size, root)
    computations: dict[str, Callable[[], tuple[list[Row], float]]] = {}
    sent = experiment if executor is None else to_travel(experiment)
    for cell in todo:
        call = (_timed_cell, sent, seed, cell, results.cells[cell])
        computations[cell] = (
            functools.partial(*call)
            if executor is None
            else executor.submit(*call).result
        )
    with _progress(console, len(todo)) as progress:
        task = progress.add_task(experiment.name, total=len(todo))
        for number, cell in enumerate(todo, start=1):
            point = results.cells[cell]
            computed = _attempt(computations[cell], experiment, point, console)
            progress.advance(task)
            if computed is None:
                outcome += Outcome(failed=((experiment.name, point),))
                continue
            rows, seconds = computed
            name, version = experiment.name, experiment.version
            stamp = at(provenance, seconds)
            store.append(Record(cell, name, version, seed, point, rows, stamp))
            outcome += Outcome(computed=1)
            if not console.is_terminal:
                text = f"{name} {number}/{len(todo)} {point} {seconds:.1f} s"
                console.print(escape(text), soft_wrap=True)
    return outcome


def run_experiments(
    experiments: Sequence[Experiment],
    layout: Layout,
    size: Size,
    overrides: Mapping[str, Mapping[str, Any]],
    root: Path,
    console: Console,
    executor: Executor | None = None,
) -> Outcome:
    """Compute every missing cell of the experiments at a size.

    All configurations and output folders are checked before anything is computed.

    Args:
        experiments: What to run.
        layout: Where files lie.
        size: Which section of the configurations.
        overrides: Settings by experiment name, laid over the section.
        root: Checkout, for the git id.
        console: Where progress and failures are shown.
        executor: Where cells are computed, such as `qjax.parallel.process_pool` or
            `qjax.parallel.dask.dask_pool`; in this process by default. Rows are stored
            here, in grid order, whatever computes them.

    Returns:
        Counts, and the points of the cells that raised.

    Raises:
        HarnessError: If a configuration or store is malformed, or a folder is not
            writable.
    """
    plans = []
    probe_folder(layout.out)
    probe_folder(layout.rows_folder(size))
    for experiment in experiments:
        extra = overrides.get(experiment.name)
        config = resolve(experiment, layout.configs, size, extra)
        plans.append((experiment, config, experiment.cells(config)))
    total = Outcome()
    for experiment, config, cells in plans:
        store = RowStore(layout.store_path(experiment, size), experiment)
        with store.writing():
            store_config(layout.config_path(experiment, size), experiment, size, config)
            results = Results(experiment, size, config, cells, store.records)
            total += _run_missing(store, results, root, console, executor)
    return total


def check_experiments(
    sources: Sequence[Results], count: int, seed: int, console: Console
) -> list[str]:
    """Compute a random sample of stored cells again and compare, tolerance zero.

    Args:
        sources: Stored rows to draw from.
        count: Cells per experiment, or all if there are fewer.
        seed: Seed of the sample.
        console: Where progress is shown.

    Returns:
        One sentence per cell that differs outside its measured columns, or raises.
    """
    draw = random.Random(seed)
    samples = []
    for results in sources:
        done = results.done
        chosen = draw.sample(done, min(count, len(done)))
        samples += [(results.experiment, record) for record in chosen]
    problems = []
    with _progress(console, len(samples)) as progress:
        task = progress.add_task("check", total=len(samples))
        for experiment, old in samples:
            again = functools.partial(
                run_cell, experiment, old.root_seed, old.cell, old.point
            )
            rows = _attempt(again, experiment, old.point, console)
            phrase = "it raises now"
            if rows is not None:
                phrase = difference(old.rows, rows, experiment.columns)
            if phrase is not None:
                problems.append(
                    f"cell {old.point} of experiment {experiment.name!r} (stored on "
                    f"{old.provenance.get('device')}, jaxlib "
                    f"{old.provenance.get('jaxlib')}): {phrase}"
                )
            progress.advance(task)
    console.print(f"checked {len(samples)} cells, {len(problems)} differ")
    return problems


def require_rows(sources: Sequence[Results]) -> None:
    """Raise if there is nothing to check.

    Raises:
        HarnessError: If no experiment has a stored cell.
    """
    if not any(results.done for results in sources):
        raise HarnessError("There are no stored rows to check; run `paper.py run`.")
