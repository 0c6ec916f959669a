"""F6: explained variance per query against the size of a batch, per bit of memory."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping

import matplotlib.axes
import matplotlib.figure
import numpy as np

from qjax._types import Key
from qjax.bounds import depolarizing_capacity
from qjax.bounds.batches.batch_ensembles import random_batches
from qjax.bounds.batches.batch_instances import access_code, stored_bits
from qjax.bounds.batches.batch_memories import BatchMemory, batch_values, wrong_guesses
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from qjax.statistics import clopper_pearson
from scripts.artefacts._palette import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    curve_label,
    plain_axes,
)

CONFIDENCE = 0.95
MEMORIES: Mapping[str, Callable[[], BatchMemory]] = {
    "noisy bits": functools.partial(stored_bits, 1),
    "QRAC 2→1": functools.partial(access_code, 2),
    "QRAC 3→1": functools.partial(access_code, 3),
}
"""Label -> builder of a memory whose answers are fair signs, equally hard to read."""

RANDOM = "random memories"
MARKS = {"noisy bits": ("o", GREEN), "QRAC 2→1": ("s", ORANGE), "QRAC 3→1": ("^", PINK)}


@dataclasses.dataclass(frozen=True)
class BatchConfig:
    """Memories, noise levels of the stored bits, shots; `seed` is the root seed."""

    seed: int = 0
    memories: tuple[str, ...] = tuple(MEMORIES)
    survivals: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
    code_survivals: tuple[float, ...] = (1.0, 0.8)
    shots: int = 20_000
    random: int = 2000

    def __post_init__(self):
        unknown = sorted(set(self.memories) - set(MEMORIES))
        if unknown:
            raise ValueError(
                f"Field `memories` must hold names from {sorted(MEMORIES)}, "
                f"but has {unknown}."
            )


def grid(config: BatchConfig) -> list[dict]:
    """One cell per memory and noise level, and one for the random memories."""
    codes = dict.fromkeys(config.memories, config.code_survivals)
    if "noisy bits" in codes:
        codes["noisy bits"] = config.survivals
    cells = [
        {"memory": name, "survival": level, "count": config.shots}
        for name, levels in codes.items()
        for level in levels
    ]
    return [*cells, {"memory": RANDOM, "survival": 1.0, "count": config.random}]


def load(batch: float, copies: float, wires: float, survival: float) -> float:
    """Queries per bit of memory that they can use, B/(c m kappa)."""
    return float(batch / (copies * wires * depolarizing_capacity(survival)))


def run(key: Key, *, memory: str, survival: float, count: int) -> list[Row]:
    """Explained variance of one memory from states and from shots."""
    if memory == RANDOM:
        return _random_rows(key, count)
    built = MEMORIES[memory]()
    values = batch_values(built, survival)
    wrong = wrong_guesses(key, built, survival, 1, count)
    low, high = clopper_pearson(wrong, count, CONFIDENCE)
    rate = wrong / count
    # Two outcomes, fair signs: E[X|y] = +-(1 - 2q) and Delta = (1 - 2q)^2.
    return [
        {
            "load": load(values["B"], values["c"], values["m"], survival),
            "batch": int(values["B"]),
            "chi": values["chi"],
            "explained": values["Delta"],
            "sampled": (1 - 2 * rate) ** 2,
            "sampled_stderr": 4 * (1 - 2 * rate) * math.sqrt(rate * (1 - rate) / count),
            "low": (1 - 2 * min(high, 0.5)) ** 2,
            "high": (1 - 2 * low) ** 2,
        }
    ]


def _random_rows(key: Key, count: int) -> list[Row]:
    """Random batches of fair signs: laws, encodings and measurements, exact numbers."""
    batch = random_batches(key, count, "signs", noisy=True).values
    columns = [batch[name].tolist() for name in ("B", "c", "m", "lam", "chi", "Delta")]
    empty = dict.fromkeys(("sampled", "sampled_stderr", "low", "high"))
    return [
        {"load": load(size, copies, wires, level), "batch": int(size), "chi": chi,
         "explained": delta, **empty}
        for size, copies, wires, level, chi, delta in zip(*columns, strict=True)
    ]  # fmt: skip


BATCHES = Experiment(
    name="batches",
    version=1,
    config=BatchConfig,
    grid=grid,
    run=run,
    source="Theorem B1, proofs/b1.md; Ambainis et al. 2002 for the codes",
    dtypes=("complex128",),
    columns=(
        Column("load", "exact", description="B/(c m kappa)"),
        Column("batch", "label", description="queries B"),
        Column("chi", "exact", unit="bit", description="Holevo information of a copy"),
        Column("explained", "exact", description="mean explained variance Delta"),
        Column("sampled", "estimated", stderr="sampled_stderr",
               description="the same from the rate of wrong guesses in shots"),
        Column("low", "label", description="95 % Clopper-Pearson, lower end"),
        Column("high", "label", description="95 % Clopper-Pearson, upper end"),
    ),
)  # fmt: skip


def _draw_laws(axes: matplotlib.axes.Axes, last: float) -> None:
    """The exact law, its linear form, and the literal claim."""
    explained = np.linspace(1e-4, 1, 400)
    axes.plot(1 / depolarizing_capacity(np.sqrt(explained)), explained, color=BLUE)
    axes.plot([0, 1], [1, 1], color=BLUE)
    axes.fill_between(
        np.append(1 / depolarizing_capacity(np.sqrt(explained)), [1.0, 0.0]),
        np.append(explained, [1.0, 1.0]), 1.1, color=BLUE, alpha=0.08, linewidth=0,
    )  # fmt: skip
    loads = np.linspace(2 * math.log(2), last, 200)
    axes.plot(loads, 2 * math.log(2) / loads, color=BLUE, linestyle="--", linewidth=1)
    loads = np.linspace(1, last, 200)
    axes.plot(loads, 1 / loads, color=RED, linestyle=":", linewidth=1.3)
    for size in (2, 3):  # up to x = B the claim is 1/B
        axes.plot([0, size], [1 / size] * 2, color=RED, linestyle=":", linewidth=1.3)
        place = (0.06, 1 / size + 0.015)
        curve_label(axes, f"claim, B = {size}", place, RED)
    curve_label(axes, "excluded by B1", (5.2, 0.5), BLUE)


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """One panel: laws as curves, memories as points."""
    rows = frames["batches"]
    axes = figure.subplots()
    _draw_laws(axes, 8.0)
    cloud = rows[rows["memory"] == RANDOM]
    axes.plot(cloud["load"], cloud["explained"], ".", color=GREY, markersize=2,
              alpha=0.6, markeredgewidth=0, label=RANDOM, rasterized=True)  # fmt: skip
    for name, found in rows[rows["memory"] != RANDOM].groupby("memory", sort=False):
        marker, colour = MARKS[str(name)]
        error = [found["sampled"] - found["low"], found["high"] - found["sampled"]]
        axes.errorbar(found["load"], found["sampled"], yerr=np.abs(error), fmt=marker,
                      color=colour, markersize=4, capsize=2, linewidth=1,
                      label=str(name), zorder=4)  # fmt: skip
    curve_label(axes, "Theorem B1", (0.08, 1.015), BLUE)
    curve_label(axes, "2 ln 2 / x", (2.75, 0.52), BLUE)
    axes.set(xlim=(0, 8), ylim=(0, 1.06))
    axes.set_xlabel("queries per usable bit, $x = B/(m κ)$")
    axes.set_ylabel("explained variance per query, Δ")
    plain_axes(axes)
    axes.legend(fontsize=7.5, loc="upper right", handletextpad=0.3, markerscale=1.0)


EXPERIMENTS = (BATCHES,)
ARTEFACTS = (
    Figure(
        name="f6_batches",
        title="F6. What a memory explains of each query of a batch",
        experiments=("batches",),
        draw=draw,
        caption=(
            "Mean explained variance of fair ±1 answers. Solid: Theorem B1, no memory "
            "lies above; dashed: its linear form. Points: memories simulated with "
            "shots (95 % Clopper-Pearson); one noisy bit per query lies on the curve "
            "at every noise. Dotted: the literal claim min(1/B, χ/H) with H = B bits; "
            "noisy bits (B = 1) and noisy access codes lie above it. Dots: "
            "random encodings and measurements of one to three queries."
        ),
        width=3.5,
        height=3.2,
    ),
)
