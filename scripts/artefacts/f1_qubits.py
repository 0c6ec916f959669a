"""F1: qubits that structures use beside those that Theorem A1 requires."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import matplotlib.axes
import matplotlib.figure
import numpy as np

from qjax.bounds import (
    STRUCTURES,
    depolarizing_capacity,
    exact_statistics,
    membership_information,
    sampled_acceptances,
    storage_noise,
)
from qjax.bounds.memory.structure import acceptance_intervals
from qjax.bounds.memory.trivial import repetition_error
from qjax.experiments import Column, Experiment, Figure, Frames

BLOOM = {"num_blocks": 2, "block_size": 8, "num_bits": 6, "seeds": tuple(range(4))}
CHOICES: Mapping[str, tuple[str, Mapping[str, Any], float]] = {
    "SIC": ("sic", {"num_blocks": 1}, 1.0),
    "SIC, noisy": ("sic", {"num_blocks": 1}, 0.9),
    "QRAC 2→1": ("qrac", {"num_bits": 2}, 1.0),
    "QRAC 3→1": ("qrac", {"num_bits": 3}, 1.0),
    "Bloom, k=1": ("bloom", {**BLOOM, "hashes": 1}, 1.0),
    "Bloom, k=2": ("bloom", {**BLOOM, "hashes": 2}, 1.0),
    "bit vector": ("bit_vector", {"num_blocks": 1, "block_size": 4}, 1.0),
}
"""Label -> builder, its arguments, survival lambda."""

TARGET_ERROR = 0.05
CONFIDENCE = 0.95
# Okabe and Ito's palette: distinct for every common kind of colour vision.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"


@dataclasses.dataclass(frozen=True)
class QubitsConfig:
    """Structures of panel a, noise exposures of panel b; `seed` is the root seed."""

    seed: int = 0
    structures: tuple[str, ...] = tuple(CHOICES)
    exposures: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
    shots: int = 20_000

    def __post_init__(self):
        unknown = sorted(set(self.structures) - set(CHOICES))
        if unknown:
            raise ValueError(
                f"Field `structures` must hold names from {sorted(CHOICES)}, "
                f"but has {unknown}."
            )


def grid(config: QubitsConfig) -> list[dict]:
    """One cell per structure, and one per noise exposure of the repetition code."""
    cells = [
        {"structure": name, "survival": CHOICES[name][2], "shots": config.shots}
        for name in config.structures
    ]
    # lambda^T with epsilon = T epsilon / T and many weak layers: exp(-T epsilon).
    cells += [
        {"structure": "repetition", "survival": math.exp(-x), "shots": config.shots}
        for x in config.exposures
    ]
    return cells


def copies_needed(flip: float) -> int:
    """Smallest odd number of bits whose majority errs at most `TARGET_ERROR`."""
    copies = 1
    while repetition_error(flip, copies) > TARGET_ERROR:
        copies += 2
    return copies


def run(key, *, structure: str, survival: float, shots: int) -> dict:
    """Exact and sampled acceptances of one structure on the engine."""
    repeated = structure == "repetition"
    name, arguments, _ = CHOICES.get(structure, ("repetition", {"copies": 1}, None))
    built = STRUCTURES[name](**arguments)
    noise = storage_noise(survival, 1, built.num_wires)
    exact = exact_statistics(built, noise)
    counts = sampled_acceptances(key, built, noise, shots)
    member, other = acceptance_intervals(counts, shots, CONFIDENCE)
    n, b = built.num_blocks, built.block_size

    def bits(p: float, a: float) -> float:
        return float(membership_information(n, b, min(p, 1.0), min(a, p, 1.0))) / n

    means = counts[0] / shots, counts[1] / shots
    low, high = bits(member[0], other[1]), bits(member[1], other[0])
    # One stored bit: the flip rate is that of a single copy, and copies are identical.
    flips = [1 - float(exact.member), 1 - member[1], 1 - member[0]]
    copies = [copies_needed(flip) if repeated else None for flip in flips]
    return {
        "qubits": built.num_wires,
        "elements": n,
        "information": bits(float(exact.member), float(exact.other)),
        "sampled": bits(*means),
        "sampled_stderr": (high - low) / 2 / 1.96,
        "low": low,
        "high": high,
        "copies": copies[0],
        "copies_low": copies[1],
        "copies_high": copies[2],
    }


QUBITS = Experiment(
    name="qubits",
    version=1,
    config=QubitsConfig,
    grid=grid,
    run=run,
    source="Theorem A1; Bloom 1970; Carter et al. 1978",
    dtypes=("complex128",),
    columns=(
        Column("qubits", "label", description="memory of the structure"),
        Column("elements", "label", description="stored elements n"),
        Column("information", "exact", unit="bit", description="d per element"),
        Column("sampled", "estimated", unit="bit", stderr="sampled_stderr",
               description="d per element from shots"),
        Column("low", "label", description="95 % Clopper-Pearson, pessimistic"),
        Column("high", "label", description="95 % Clopper-Pearson, optimistic"),
        Column("copies", "exact", description="repetition bits for 5 % error"),
        Column("copies_low", "label", description="the same from shots, lower end"),
        Column("copies_high", "label", description="the same from shots, upper end"),
    ),
)  # fmt: skip


def _label(
    axes: matplotlib.axes.Axes,
    text: str,
    place: tuple[float, float],
    color: str,
    rotation: float = 0.0,
    right: bool = False,
) -> None:
    axes.annotate(
        text, place, color=color, fontsize=7.5, rotation=rotation,
        rotation_mode="anchor", ha="right" if right else "left",
    )  # fmt: skip


def _draw_rates(axes: matplotlib.axes.Axes, rows) -> None:
    """Qubits per element against the false-positive rate of an equal perfect filter."""
    bits = np.linspace(0.0, 3.4, 100)
    lines = (
        (1.0, GREY, "-"),
        (1 / float(depolarizing_capacity(0.9)), BLUE, "-"),
        (1 / math.log(2), ORANGE, "--"),
    )
    for slope, color, style in lines:
        axes.plot(bits, slope * bits, color=color, linestyle=style, linewidth=1.2)
    _label(axes, "n log 1/α = A1 at λ=1", (2.2, 1.95), GREY, 32)
    # The two upper lines nearly coincide: 1/κ(0.9) = 1.401 and 1/ln 2 = 1.443.
    _label(axes, "Bloom, 1.44 n log 1/α", (2.02, 3.05), ORANGE, 41)
    _label(axes, "A1 at λ=0.9", (2.32, 2.98), BLUE, 41)
    offsets = {
        "SIC": (6, -9), "SIC, noisy": (-6, 5), "QRAC 2→1": (7, -3),
        "QRAC 3→1": (6, -8), "bit vector": (-6, -11),
        "Bloom, k=1": (-6, 3), "Bloom, k=2": (-6, -8),
    }  # fmt: skip
    for row in rows.itertuples():
        error = [[max(row.sampled - row.low, 0)], [max(row.high - row.sampled, 0)]]
        color = RED if "Bloom" in row.structure or "vector" in row.structure else GREEN
        y = row.qubits / row.elements
        axes.errorbar([row.sampled], [y], xerr=error, fmt="o", color=color,
                      markersize=3.5, capsize=2, linewidth=1)  # fmt: skip
        place = offsets.get(row.structure, (6, -3))
        side = "right" if place[0] < 0 else "left"
        name = row.structure.replace("noisy", "λ=0.9")
        axes.annotate(name, (row.sampled, y), xytext=place, ha=side, fontsize=7.5,
                      textcoords="offset points", color=color)  # fmt: skip
    ticks = np.arange(5)
    axes.set_xticks(ticks, ["1", "1/2", "1/4", "1/8", "1/16"][: len(ticks)])
    axes.set(xlim=(0, 3.4), ylim=(0, 4.4), ylabel="qubits per element")
    axes.set_xlabel("false-positive rate α  (equivalent: $2^{-d(1-β‖α_b)}$)")


def _draw_noise(axes: matplotlib.axes.Axes, rows) -> None:
    """Bits for one stored bit at 5 % error against noise: needed, used, and claimed."""
    exposure = np.linspace(0.0, 2.2, 400)
    needed = membership_information(1, 2, 1 - TARGET_ERROR, TARGET_ERROR)
    axes.plot(exposure, needed / depolarizing_capacity(np.exp(-exposure)), color=BLUE)
    before = exposure[exposure < 0.999]
    claim = math.log2(1 / (2 * TARGET_ERROR)) / (1 - before)
    axes.plot(before, claim, color=RED, linestyle="--", linewidth=1.2)
    axes.axvline(1.0, color=RED, linestyle=":", linewidth=0.8)
    found = rows.copies.astype(float)
    error = [found - rows.copies_low.astype(float),
             rows.copies_high.astype(float) - found]  # fmt: skip
    axes.errorbar(-np.log(rows.survival), found, yerr=np.abs(error), fmt="o",
                  color=GREEN, markersize=3.5, capsize=2, linewidth=1)  # fmt: skip
    _label(axes, "A1: no structure below", (1.1, 5.2), BLUE, 27)
    _label(axes, "repetition code, simulated", (1.04, 85), GREEN)
    _label(axes, "literal A, C=c=1:\npole, then negative", (0.95, 200), RED, right=True)
    axes.axhline(float(needed), color=GREY, linewidth=0.8)
    _label(axes, "noiseless", (2.18, float(needed) * 1.12), GREY, right=True)
    axes.set_yscale("log")
    axes.set(xlim=(0, 2.2), ylim=(0.5, 400))
    axes.set_xlabel("noise exposure $Tε$ ($λ^T=e^{-Tε}$)")
    axes.set_ylabel("qubits for one bit, error 5 %")


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Two panels, one above the other, for one column of text."""
    rows = frames["qubits"]
    top, bottom = figure.subplots(2, 1)
    repeated = rows.structure == "repetition"
    _draw_rates(top, rows[~repeated])
    _draw_noise(bottom, rows[repeated])
    for axes, letter in ((top, "a"), (bottom, "b")):
        axes.set_title(letter, loc="left", fontsize=9, fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7.5)
        axes.xaxis.label.set_size(8.5)
        axes.yaxis.label.set_size(8.5)


EXPERIMENTS = (QUBITS,)
ARTEFACTS = (
    Figure(
        name="f1_qubits",
        title="F1. Required qubits against false-positive rate and noise",
        experiments=("qubits",),
        draw=draw,
        caption=(
            "(a) Qubits per stored element against the false-positive rate; one "
            "with false negatives or a finite universe is placed at the rate of a "
            "perfect filter with the same information d. Points: structures simulated "
            "with shots, 95 % Clopper-Pearson bars. The SIC filter lies on the bound "
            "with and without noise. (b) One stored bit with both errors 5 %, against "
            "storage noise: Theorem A1, repetition codes whose flip rate was simulated "
            "with shots (bars: 95 % Clopper-Pearson), and the literal statement A."
        ),
        width=3.5,
        height=5.6,
    ),
)
