"""F3d: strong and weak scaling of a sharded gradient, on simulated devices."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import matplotlib.axes
import matplotlib.figure
import numpy as np
import pandas as pd

from qjax.circuits import hardware_efficient, ising
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from qjax.simulate import expectation
from qjax.simulate import run as simulate
from qjax.states import StateVector
from scripts.artefacts._palette import (
    BLUE,
    GREY,
    marked_sizes,
    plain_axes,
    short_log_axis,
)
from scripts.artefacts._timing import draw_spread, spread_columns
from scripts.bench.check import TOLERANCE
from scripts.bench.sharding import angles_of, elsewhere


@dataclasses.dataclass(frozen=True)
class ShardingConfig:
    """Qubits on the fewest devices, numbers of devices; `seed` is the root seed."""

    seed: int = 0
    num_wires: int = 18
    devices: tuple[int, ...] = (1, 2, 4, 8)
    depth: int = 4
    rounds: int = 5


def grid(config: ShardingConfig) -> list[dict]:
    """The same circuit on more devices, and one qubit more for each doubling."""
    first = min(config.devices)
    sizes = {(config.num_wires, count) for count in config.devices}
    sizes |= {
        (config.num_wires + int(math.log2(count / first)), count)
        for count in config.devices
    }
    rest = {"depth": config.depth, "rounds": config.rounds}
    return [{"num_wires": n, "devices": count, **rest} for n, count in sorted(sizes)]


def run(key, *, num_wires: int, devices: int, depth: int, rounds: int) -> Row:
    """Measure in a process of its own."""
    del key  # the angles depend on the size only
    found = elsewhere(num_wires, devices, depth, rounds)
    require_right(num_wires, depth, found)
    return {
        "call_ms": 1e3 * found["median_seconds"],
        "call_ms_low": 1e3 * found["fastest_seconds"],
        "call_ms_high": 1e3 * found["slowest_seconds"],
        "first_s": found["compile_seconds"],
        "shards": found["temporaries_in_shards"],
        "exchanges": found["exchanges_layer_by_layer"],
    }


@functools.cache
def unsharded(num_wires: int, depth: int) -> dict[str, float]:
    """Value and length of the gradient from one state vector."""

    def energy(angles):
        circuit = hardware_efficient(angles)
        return expectation(
            simulate(circuit, StateVector.zeros(num_wires)), ising(num_wires)
        )

    angles = jnp.asarray(angles_of(num_wires, depth))
    value, slopes = jax.jit(jax.value_and_grad(energy))(angles)
    return {"energy": float(value), "slope": float(np.linalg.norm(slopes))}


def require_right(num_wires: int, depth: int, found: dict) -> None:
    """A wrong result is refused."""
    for name, right in unsharded(num_wires, depth).items():
        apart = abs(found[name] - right)
        if not apart <= TOLERANCE["complex64"] * max(1.0, abs(right)):
            raise ArithmeticError(
                f"{num_wires} wires on {found['devices']} devices: {name} is "
                f"{found[name]}, but {right} on one."
            )


SHARDING = Experiment(
    name="sharding",
    version=1,
    config=ShardingConfig,
    grid=grid,
    run=run,
    source="scripts/bench/sharding.py",
    dtypes=("complex64",),
    columns=(
        *spread_columns("call_ms", "ms", "a later call, wall time"),
        Column("first_s", "measured", unit="s", description="compilation"),
        Column("shards", "measured", description="temporaries of a device over the "
               "size of its shard"),
        Column("exchanges", "exact", description="exchanges between devices in a run "
               "planned layer by layer"),
    ),
)  # fmt: skip


# --- the figure -----------------------------------------------------------------------

PANELS = (
    ("call_ms", "value and gradient (ms)"),
    ("shards", "temporaries per device (shards)"),
)


def _draw_ideal(axes: matplotlib.axes.Axes, sweep: pd.DataFrame, colour: str) -> None:
    """What the same cores would take if sharding cost nothing: gates times 2^n."""
    sweep = sweep.sort_values("devices")
    wires = sweep["num_wires"].astype(float)
    work = wires * 2.0 ** (wires - wires.iloc[0]) / wires.iloc[0]
    ideal = float(sweep["call_ms"].iloc[0]) * work
    axes.plot(sweep["devices"], ideal, color=colour, linestyle=":", linewidth=1)


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Strong and weak scaling of the time, and memory of both."""
    rows = frames["sharding"]
    fewest = rows["devices"].min()
    base = int(rows.loc[rows["devices"] == fewest, "num_wires"].iloc[0])
    doublings = np.log2(rows["devices"].astype(float) / fewest)
    sweeps = (
        (rows[rows["num_wires"] == base], f"strong: {base} qubits", BLUE, "o"),
        (
            rows[rows["num_wires"] == base + doublings],
            "weak: one qubit more for each doubling",
            GREY,
            "s",
        ),
    )
    panels = figure.subplots(1, 2)
    for axes, (column, heading), letter in zip(panels, PANELS, "ab", strict=True):
        for sweep, label, colour, marker in sweeps:
            style = {"color": colour, "marker": marker, "label": label}
            draw_spread(axes, sweep, "devices", column, **style)
            if column == "call_ms":
                _draw_ideal(axes, sweep, colour)
        marked_sizes(axes, rows["devices"])
        axes.set_xlabel("simulated devices, one machine")
        axes.set_ylabel(heading)
        plain_axes(axes, letter)
    short_log_axis(panels[0])
    panels[0].set_ylim(top=4 * float(rows["call_ms_high"].max()))  # for the legend
    panels[1].set_ylim(bottom=0)
    panels[0].legend(fontsize=7.5)


EXPERIMENTS = (SHARDING,)
ARTEFACTS = (
    Figure(
        name="f3_sharding",
        title="F3d. Strong and weak scaling of a sharded gradient, simulated devices",
        experiments=("sharding",),
        draw=draw,
        caption=(
            "Simulated devices: they share the cores and the memory of one machine, so "
            "that the figure shows what sharding costs, not what more hardware gives. "
            "Value and gradient of the Ising energy after layers of RY, RZ and a chain "
            "of CNOTs, complex64, by the adjoint rule; every point is measured in a "
            "process of its own, and kept if value and length of the gradient agree "
            "to 2e-4 with those of one unsharded state. (a) Wall time, medians, bars "
            "the range over the rounds; dotted: the work at the speed of the first "
            "point, sharding for free. (b) Temporaries of each device in units of its "
            "shard of the state; what has a fixed size weighs on small shards."
        ),
        width=7.0,
        height=3.0,
    ),
)
