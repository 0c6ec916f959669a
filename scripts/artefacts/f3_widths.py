"""F3c: one value of a wide circuit on three representations, against its width."""

import dataclasses
import functools

import jax.numpy as jnp
import matplotlib.figure
import numpy as np

from qjax import network
from qjax.circuits import pauli
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from qjax.simulate import expectation
from qjax.simulate import run as simulate
from qjax.states import MPS, StateVector
from scripts.artefacts._palette import BLUE, GREEN, ORANGE, marked_sizes, plain_axes
from scripts.artefacts._timing import (
    draw_spread,
    first_calls,
    later_calls,
    one_blas_thread,
    spread,
    spread_columns,
)
from scripts.bench.check import TOLERANCE
from scripts.bench.report import MIB, scaled
from scripts.bench.sides.base import Prepared
from scripts.bench.sides.jax_common import compiled
from scripts.bench.sides.qjax_side import chain_circuit
from scripts.bench.workloads import CASES, Case


@dataclasses.dataclass(frozen=True)
class WidthsConfig:
    """Widths, the bond, and how often each is timed; `seed` is the root seed."""

    seed: int = 0
    widths: tuple[int, ...] = (8, 14, 20, 64)
    vector_up_to: int = 20
    depth: int = 10
    bond: int = 32
    starts: int = 1
    rounds: int = 5
    seconds: float = 0.1


def grid(config: WidthsConfig) -> list[dict]:
    """One cell per width: the representations of a cell have to agree."""
    return [
        {
            "num_wires": n,
            "vector": n <= config.vector_up_to,
            "depth": config.depth,
            "bond": config.bond,
            "starts": config.starts,
            "rounds": config.rounds,
            "seconds": config.seconds,
        }
        for n in config.widths
    ]


def by_vector(case: Case, angles):
    """<Z> of the middle wire from all amplitudes."""
    state = simulate(chain_circuit(case, angles), StateVector.zeros(case.num_wires))
    return expectation(state, pauli("Z", case.num_wires // 2))


def by_mps(case: Case, angles):
    """The same from a chain of tensors."""
    start = MPS.zeros(case.num_wires, case.bond)
    state = simulate(chain_circuit(case, angles), start)
    return expectation(state, pauli("Z", case.num_wires // 2))


def by_network(case: Case, angles):
    """The same by contraction of the light cone."""
    circuit = chain_circuit(case, angles)
    return network.expectation(circuit, pauli("Z", case.num_wires // 2))


WAYS = {"vector": by_vector, "mps": by_mps, "network": by_network}


def prepare(way: str, case: Case) -> Prepared:
    """The compiled program of one representation."""
    angles = jnp.asarray(case.angles(), jnp.float32)
    program = functools.partial(WAYS[way], case)
    return compiled(program, (angles,), lambda out: {"value": np.asarray(out)}, way)


def run(
    key,
    *,
    num_wires: int,
    vector: bool,
    depth: int,
    bond: int,
    starts: int,
    rounds: int,
    seconds: float,
) -> list[Row]:
    """Time every representation of one width, once all have given the same value."""
    del key  # the angles are those of the benchmark, and depend on the size only
    case = dataclasses.replace(CASES["W6"], num_wires=num_wires, depth=depth, bond=bond)
    ways = ["vector"] * vector + ["mps", "network"]
    with one_blas_thread():
        found = {}
        for way in ways:
            found[way] = first_calls(functools.partial(prepare, way, case), starts)
        values = {way: float(out) for way, (_, _, out) in found.items()}
        require_same(num_wires, values)
        return [
            {
                "representation": way,
                "value": values[way],
                **spread("first_s", firsts),
                **spread("call_ms", later_calls(prepared, rounds, seconds)),
                "memory_mib": scaled(prepared.temporaries, 1 / MIB),
            }
            for way, (firsts, prepared, _) in found.items()
        ]


def require_same(num_wires: int, values: dict[str, float]) -> None:
    """A wrong result is not timed."""
    apart = max(values.values()) - min(values.values())
    if not apart <= TOLERANCE["complex64"]:
        raise ArithmeticError(f"{num_wires} wires: the values are {values}.")


WIDTHS = Experiment(
    name="widths",
    version=1,
    config=WidthsConfig,
    grid=grid,
    run=run,
    source="scripts/bench, the circuits of workload W6",
    dtypes=("complex64",),
    columns=(
        Column("representation", "label"),
        Column("value", "exact", description="<Z> of the middle wire"),
        *spread_columns("first_s", "s", "first call, with compilation"),
        *spread_columns("call_ms", "ms", "a later call, wall time"),
        Column("memory_mib", "measured", unit="MiB",
               description="temporaries of the compiled program"),
    ),
)  # fmt: skip


# --- the figure -----------------------------------------------------------------------

STYLES = {
    "vector": (ORANGE, "s", "vector"),
    "mps": (BLUE, "o", "MPS"),
    "network": (GREEN, "^", "network"),
}
PANELS = (
    ("call_ms", "one call (ms)"),
    ("first_s", "first call (s)"),
    ("memory_mib", "memory of a call (MiB)"),
)


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """One panel for each quantity."""
    rows = frames["widths"]
    panels = figure.subplots(1, 3)
    for axes, (column, heading), letter in zip(panels, PANELS, "abc", strict=True):
        for way, part in rows.groupby("representation", sort=False):
            colour, marker, label = STYLES[str(way)]
            draw_spread(
                axes,
                part,
                "num_wires",
                column,
                color=colour,
                marker=marker,
                label=label,
            )
        axes.set_yscale("log")
        marked_sizes(axes, rows["num_wires"])
        axes.set_xlabel("qubits")
        axes.set_ylabel(heading)
        plain_axes(axes, letter)
    # Compile times stay within a decade.
    panels[1].set_yscale("linear")
    panels[1].set_ylim(bottom=0)
    panels[1].legend(fontsize=7.5, loc="lower right")


EXPERIMENTS = (WIDTHS,)
ARTEFACTS = (
    Figure(
        name="f3_widths",
        title="F3c. One value of a circuit against its width, on three representations",
        experiments=("widths",),
        draw=draw,
        caption=(
            "<Z> of the middle qubit after ten layers of RY and RZ by random angles "
            "and CZ on alternating links, complex64: by the state vector while it "
            "fits, by a matrix product state whose bond of 32 loses nothing (below 10 "
            "qubits no state needs as much, and bonds are cut back by eigenvectors), "
            "and by contracting the light cone, which does not grow with the width. "
            "At every width they agreed to 2e-4 before they were timed. Wall time in "
            "one process, one thread for LAPACK; medians, bars the range. First call: "
            "from the circuit to the first value, compilation included, imports not. "
            "Memory: temporaries of the compiled program."
        ),
        width=7.0,
        height=2.6,
    ),
)
