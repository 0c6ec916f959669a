"""F3b: error of matrix product states against their largest bond."""

import dataclasses

import jax
import matplotlib.axes
import matplotlib.figure
import numpy as np
import pandas as pd

from qjax.circuits import pauli
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from qjax.simulate import expectation
from qjax.simulate import run as simulate
from qjax.states import MPS
from scripts.artefacts._palette import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    marked_sizes,
    plain_axes,
)
from scripts.artefacts._timing import draw_spread, one_blas_thread
from scripts.bench.sides.numpy_side import evolve, z_values, zeros
from scripts.bench.sides.qjax_side import chain_circuit
from scripts.bench.workloads import CASES, Case

DTYPES = ("complex64", "complex128")


@dataclasses.dataclass(frozen=True)
class TruncationConfig:
    """Circuits, bonds and precisions; `seed` is the root seed.

    The angles are those of the benchmark, and depend on the size and the draw only.
    """

    seed: int = 0
    num_wires: int = 12
    depth: int = 16
    bonds: tuple[int, ...] = (2, 4, 8, 16, 32)
    draws: int = 5
    dtypes: tuple[str, ...] = DTYPES

    def __post_init__(self):
        unknown = sorted(set(self.dtypes) - set(DTYPES))
        if unknown:
            raise ValueError(
                f"Field `dtypes` must hold names from {DTYPES}, but has {unknown}."
            )
        widest = 2 ** (self.num_wires // 2)
        if max(self.bonds) >= widest:
            raise ValueError(
                f"Field `bonds` must be below {widest}, which cuts nothing off "
                f"{self.num_wires} wires, but has {max(self.bonds)}."
            )


def grid(config: TruncationConfig) -> list[dict]:
    """Every bond in every precision; all draws are one cell, and compile once."""
    size = {"num_wires": config.num_wires, "depth": config.depth}
    return [
        {"dtype": dtype, **size, "bond": bond, "draws": config.draws}
        for dtype in config.dtypes
        for bond in config.bonds
    ]


def run(
    key, *, dtype: str, num_wires: int, depth: int, bond: int, draws: int
) -> list[Row]:
    """Errors of every draw of the angles against plain NumPy."""
    del key
    case = dataclasses.replace(
        CASES["W6"], num_wires=num_wires, depth=depth, bond=bond, draw=0
    )
    terms = [pauli("Z", wire) for wire in range(num_wires)]

    @jax.jit
    def final(angles):
        start = MPS.zeros(num_wires, bond, np.dtype(dtype))
        state = simulate(chain_circuit(case, angles), start)
        values = expectation(state, terms)
        return state.to_vector().vector(), values, state.truncation_error

    rows = []
    with one_blas_thread():
        for draw in range(draws):
            drawn = dataclasses.replace(case, draw=draw)
            real = "float32" if dtype == "complex64" else "float64"
            found = final(drawn.angles().astype(real))
            rows.append({"draw": draw, **errors(drawn, *map(np.asarray, found))})
    return rows


def errors(case: Case, cut: np.ndarray, values: np.ndarray, bound: np.ndarray) -> Row:
    """Distances of a cut state, as it is, and of its values from the exact ones."""
    n = case.num_wires
    operations, angles = case.operations(), case.angles().ravel()
    exact = evolve(operations, angles, zeros(n)).ravel()
    cut = cut.astype(complex)
    weight = np.vdot(cut, cut).real
    # Of the part beside the exact state, free of the cancellation in 1 - fidelity.
    beside = cut - exact * np.vdot(exact, cut)
    return {
        "bound": float(bound),
        "distance": float(np.linalg.norm(cut - exact)),
        "infidelity": float(np.vdot(beside, beside).real / weight),
        "lost": float(1 - weight),
        "value_error": float(np.max(np.abs(values - z_values(np.abs(exact) ** 2, n)))),
    }


TRUNCATION = Experiment(
    name="truncation",
    version=1,
    config=TruncationConfig,
    grid=grid,
    run=run,
    source="qjax.states.MPS.truncation_error; scripts/bench, workload W6",
    dtypes=DTYPES,
    columns=(
        Column("draw", "label", description="which angles"),
        Column("bound", "exact", description="truncation_error, bounds the distance"),
        Column("distance", "exact", description="|psi - psi_exact|"),
        Column("infidelity", "exact", description="1 - fidelity, psi normalised"),
        Column("lost", "exact", description="1 - |psi|^2, what a user sees of it"),
        Column("value_error", "exact", description="largest error of a <Z_i>"),
    ),
)


# --- the figure -----------------------------------------------------------------------

STYLES = {"complex64": (":", "none"), "complex128": ("-", None)}
STATE = (("bound", RED, "v", "bound"), ("distance", BLUE, "o", "distance"))
REST = (
    ("value_bound", RED, "v", "bound on a value"),
    ("value_error", ORANGE, "s", "largest error of a value"),
    ("infidelity", BLUE, "o", "1 - fidelity"),
    ("lost", GREY, "x", "1 - squared norm"),
)


def _draw_errors(axes: matplotlib.axes.Axes, rows: pd.DataFrame, curves) -> None:
    """Medians over the draws, bars from the least to the largest."""
    for dtype, part in rows.groupby("dtype", sort=False):
        line, face = STYLES[str(dtype)]
        for column, colour, marker, label in curves:
            found = part.groupby("bond")[column].agg(["median", "min", "max"])
            found.columns = [column, f"{column}_low", f"{column}_high"]
            draw_spread(
                axes,
                found.reset_index(),
                "bond",
                column,
                color=colour,
                marker=marker,
                markerfacecolor=face or colour,
                linestyle=line,
                label=label if line == "-" else None,
            )
    axes.set_yscale("log")
    marked_sizes(axes, rows["bond"])
    axes.set_xlabel("largest bond")
    axes.legend(fontsize=7.5, loc="lower left")


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Left the state and its bound, right fidelity and values."""
    # An expectation of Z is off by at most 2 |psi - psi_exact|.
    rows = frames["truncation"].assign(value_bound=lambda own: 2 * own["bound"])
    left, right = figure.subplots(1, 2)
    _draw_errors(left, rows, STATE)
    _draw_errors(right, rows, REST)
    left.set_ylabel("error of the state")
    right.set_ylabel("other errors")
    plain_axes(left, "a")
    plain_axes(right, "b")


EXPERIMENTS = (TRUNCATION,)
ARTEFACTS = (
    Figure(
        name="f3_truncation",
        title="F3b. Error of matrix product states against their largest bond",
        experiments=("truncation",),
        draw=draw,
        caption=(
            "Layers of RY and RZ by random angles and CZ on alternating links; exact "
            "states by plain NumPy. Medians over draws of the angles, bars the whole "
            "range; solid: complex128, dotted: complex64, hidden "
            "where it is the same. (a) Distance of the state, "
            "and what the simulator reports as its bound. (b) Infidelity of the "
            "normalised state, the share of the squared norm that was cut off, which "
            "estimates it, and the largest error of any <Z_i> with its bound, twice "
            "that of the state."
        ),
        width=7.0,
        height=3.0,
    ),
)
