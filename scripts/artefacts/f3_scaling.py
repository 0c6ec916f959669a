"""F3: time, memory and first call of a gradient, against qubits and against depth."""

import dataclasses
import functools

import matplotlib.axes
import matplotlib.figure
import pandas as pd

from qjax.experiments import Column, Experiment, Figure, Frames, Row
from scripts.artefacts._timing import (
    draw_spread,
    first_calls,
    later_calls,
    spread,
    spread_columns,
)
from scripts.bench.check import agree
from scripts.bench.harness import oracle_affords
from scripts.bench.sides import ORACLE, SIDES
from scripts.bench.sides.base import Prepared
from scripts.bench.worker import measure_memory
from scripts.bench.workloads import CASES, Case

LABELS = {"qjax": "qjax", "lightning": "lightning.qubit"}
COLOURS = {"qjax": "#0072B2", "lightning": "#D55E00"}
MARKERS = {"qjax": "o", "lightning": "s"}
MIB = 2**20


@dataclasses.dataclass(frozen=True)
class ScalingConfig:
    """Sizes of both sweeps and how often each is timed; `seed` is the root seed."""

    seed: int = 0
    sides: tuple[str, ...] = tuple(LABELS)
    widths: tuple[int, ...] = (4, 8, 14, 18)
    depth: int = 10
    depths: tuple[int, ...] = (10, 50, 200)
    width: int = 10
    starts: int = 2
    rounds: int = 3
    seconds: float = 0.1

    def __post_init__(self):
        unknown = sorted(set(self.sides) - set(LABELS))
        if unknown:
            raise ValueError(
                f"Field `sides` must hold names from {sorted(LABELS)}, "
                f"but has {unknown}."
            )


def grid(config: ScalingConfig) -> list[dict]:
    """Both sweeps for every side; the size that they share is one cell."""
    sizes = {(n, config.depth) for n in config.widths}
    sizes |= {(config.width, depth) for depth in config.depths}
    often = {"starts": config.starts, "rounds": config.rounds}
    return [
        {"side": side, "num_wires": n, "depth": depth, "seconds": config.seconds}
        | often
        for side in config.sides
        for n, depth in sorted(sizes)
    ]


def run(
    key,
    *,
    side: str,
    num_wires: int,
    depth: int,
    starts: int,
    rounds: int,
    seconds: float,
) -> Row:
    """Time one side at one size; all None where its package is not installed."""
    del key  # the angles are those of the benchmark, and depend on the size only
    if not SIDES[side].installed():
        return dict.fromkeys(column.name for column in COLUMNS)
    name = f"W2-n{num_wires}-d{depth}"
    case = dataclasses.replace(
        CASES["W2-n10"], name=name, num_wires=num_wires, depth=depth
    )
    module = SIDES[side].load()
    prepare = functools.partial(module.prepare, case, "single", "")
    firsts, prepared, out = first_calls(prepare, starts)
    require_right(case, prepared, out)
    calls = later_calls(prepared, rounds, seconds)
    added = prepared.temporaries
    if added is None:
        added = measure_memory(prepared)["rss_added"]
    return {
        **spread("first_s", firsts),
        **spread("call_ms", calls),
        "memory_mib": added / MIB,
    }


def require_right(case: Case, prepared: Prepared, out: object) -> None:
    """A wrong result is not timed: small sizes are checked against plain NumPy."""
    if not oracle_affords(case):
        return
    exact = ORACLE.load().prepare(case, "double", "")
    theirs = exact.result(exact.call())
    dtypes = (prepared.dtype, exact.dtype)
    same, distance = agree(case, prepared.result(out), theirs, dtypes)
    if not same:
        raise ArithmeticError(f"{case.name}: wrong by {distance:.1e}")


COLUMNS = (
    *spread_columns("first_s", "s", "first call, with compilation"),
    *spread_columns("call_ms", "ms", "a later call, wall time"),
    Column("memory_mib", "measured", unit="MiB", description="temporaries of the "
           "compiled program; without one, resident memory that a call adds"),
)  # fmt: skip

SCALING = Experiment(
    name="scaling",
    version=1,
    config=ScalingConfig,
    grid=grid,
    run=run,
    source="scripts/bench, workload W2",
    dtypes=("complex64",),
    columns=COLUMNS,
)


# --- the figure -----------------------------------------------------------------------

PANELS = (
    ("call_ms", "one call (ms)"),
    ("memory_mib", "memory of a call (MiB)"),
    ("first_s", "first call (s)"),
)


def _draw_panel(
    axes: matplotlib.axes.Axes, rows: pd.DataFrame, size: str, column: str
) -> None:
    for side, group in rows.groupby("side", sort=False):
        name = str(side)
        draw_spread(
            axes,
            group,
            size,
            column,
            color=COLOURS[name],
            marker=MARKERS[name],
            label=LABELS[name],
        )
    axes.set_yscale("log")


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Above against qubits, below against depth; the sweeps share one size."""
    rows = frames["scaling"]
    depth = rows.groupby("depth")["num_wires"].nunique().idxmax()
    width = rows.groupby("num_wires")["depth"].nunique().idxmax()
    panels = figure.subplots(2, 3)
    sweeps = (
        (rows[rows["depth"] == depth], "num_wires", f"qubits (depth {depth})"),
        (rows[rows["num_wires"] == width], "depth", f"depth ({width} qubits)"),
    )
    for line, (sweep, size, label) in zip(panels, sweeps, strict=True):
        for axes, (column, heading) in zip(line, PANELS, strict=True):
            _draw_panel(axes, sweep, size, column)
            if size == "depth":
                axes.set_xscale("log")
            places = sorted(set(sweep[size]))
            axes.set_xticks(places, [str(place) for place in places])
            axes.set_xticks([], minor=True)
            axes.set_xlabel(label, fontsize=8.5)
            axes.set_ylabel(heading, fontsize=8.5)
            axes.tick_params(labelsize=7.5)
        if line[0].lines:
            line[0].legend(fontsize=7.5)


EXPERIMENTS = (SCALING,)
ARTEFACTS = (
    Figure(
        name="f3_scaling",
        title="F3. A gradient against the number of qubits and the depth",
        experiments=("scaling",),
        draw=draw,
        caption=(
            "Value and gradient of the Ising energy after layers of RY, RZ and a chain "
            "of CNOTs, complex64 on both sides: qjax, and PennyLane's lightning.qubit "
            "by its adjoint method where it is installed. Wall time in one process; "
            "points are medians, bars the range. First call: from the circuit to the "
            "first gradient, compilation included, imports not. Memory: temporaries of "
            "qjax's compiled program, and resident memory that a call of "
            "lightning.qubit adds. Up to 12 qubits at depth 10, every gradient was "
            "checked against plain NumPy first."
        ),
        width=7.0,
        height=4.2,
    ),
)
