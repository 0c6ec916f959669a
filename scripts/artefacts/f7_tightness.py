"""F7: how close to equality instances, shots and searches come, for every bound.

Drawn from the rows of T1's experiment, which verifies every bound once.
"""

import matplotlib.figure
import matplotlib.transforms
import numpy as np
import pandas as pd

from qjax.experiments import Figure, Frames
from scripts.artefacts._palette import BLUE, GREEN, GREY, ORANGE, PINK, RED, plain_axes

MARKS = {
    "exact": ("instance", "o", BLUE),
    "monte carlo": ("shots, pessimistic", "|", ORANGE),
    "random": ("best random structure", "s", GREY),
    "adversarial": ("best of a search", "^", PINK),
}
"""Stage -> legend, marker, colour."""

VIOLATED = 1 + 1e-9
LEFT_EDGE, RIGHT_EDGE = -0.04, 1.1


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """One line per bound: its ratios, tight instances as stars."""
    rows = frames["verification"]
    bounds = rows.loc[rows["record"] == "bound", ["bound", "verdict"]]
    ratio_rows = rows[rows["record"] == "ratio"].dropna(subset=["ratio"])
    axes = figure.subplots()
    places = {name: y for y, name in enumerate(bounds["bound"])}
    axes.axvline(1.0, color=GREY, linewidth=0.8, zorder=1)
    for stage, (_, marker, colour) in MARKS.items():
        found = ratio_rows[ratio_rows["stage"] == stage]
        tight = found["tight"].fillna(False).astype(bool)
        _scatter(axes, found[~tight], places, marker, colour)
        _scatter(axes, found[tight], places, "*", GREEN)
    refuted = bounds[bounds["verdict"] == "REFUTED"]
    # Those that hold for no choice of constants have no ratio of their own.
    _scatter(axes, refuted.assign(ratio=np.inf), places, ">", RED)
    labels = list(places)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", labelsize=6.5)
    for tick, verdict in zip(axes.get_yticklabels(), bounds["verdict"], strict=True):
        tick.set_color(RED if verdict == "REFUTED" else "black")
    axes.set(xlim=(LEFT_EDGE, RIGHT_EDGE), ylim=(len(labels) - 0.4, -0.6))
    axes.set_xlabel("smaller side / greater side")
    plain_axes(axes)
    axes.tick_params(axis="y", labelsize=6.5, length=0)
    _legend(axes)


def _scatter(axes, rows: pd.DataFrame, places: dict[str, int], marker, colour) -> None:
    """Ratios of one kind; violations stand at the right edge, in red."""
    y = rows["bound"].map(places).to_numpy(dtype=float)
    ratio = rows["ratio"].to_numpy(dtype=float)
    violated = ratio > VIOLATED
    size = 46 if marker == "*" else 20
    layer = 4 if marker == "*" else 3  # nothing hides a tight instance
    common = {"s": size, "linewidths": 0.8, "zorder": layer, "clip_on": False}
    x = np.clip(ratio, 0, 1)
    axes.scatter(x[~violated], y[~violated], marker=marker, color=colour, alpha=0.75,
                 **common)  # fmt: skip
    edge = np.full(violated.sum(), 1.06)
    axes.scatter(edge, y[violated], marker=">", color=RED, **common)


def _legend(axes) -> None:
    kinds = [("tight instance", "*", GREEN), *MARKS.values()]
    kinds.append(("refuted", ">", RED))
    for label, marker, colour in kinds:
        axes.scatter([], [], marker=marker, color=colour, s=24, label=label)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=7,
        handletextpad=0.2, columnspacing=1.2, borderpad=0.2,
    )  # fmt: skip


EXPERIMENTS = ()
ARTEFACTS = (
    Figure(
        name="f7_tightness",
        title="F7. How close to equality the bounds are met",
        experiments=("verification",),
        draw=draw,
        caption=(
            "Ratio of the two sides of every bound, the side claimed to be smaller "
            "over the other: 1 is equality. Stars: instances claimed to be tight. "
            "Shots are evaluated at confidence limits that favour the bound, and so "
            "fall short of the exact ratio. A ratio below 0 is drawn at 0. Triangles "
            "and names in red: refuted statements, whose ratio exceeds 1 at a "
            "witness."
        ),
        width=7.0,
        height=7.5,
    ),
)
