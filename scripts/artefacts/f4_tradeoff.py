"""F4: qubits per element against the false-positive rate, for several noises."""

import dataclasses
import math
from typing import Any

import matplotlib.axes
import matplotlib.figure
import numpy as np
import pandas as pd
import scipy.optimize

from qjax._types import Key
from qjax.bounds import (
    STRUCTURES,
    QuantumDataStructure,
    evaluate,
    exact_statistics,
    membership_information,
)
from qjax.bounds.batches.batch_memories import generator
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, MemoryNoise
from qjax.bounds.memory.structure import (
    acceptance_intervals,
    membership_table,
    simulate_noise,
)
from qjax.circuits import Circuit
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from scripts.artefacts._palette import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    curve_label,
    plain_axes,
)

ELEMENTS, UNIVERSE = 1000, 2**20
MISSES = (0.0, 0.05)
"""False-negative rates beta of the two panels."""

CONFIDENCE = 0.95
CODES: dict[str, tuple[str, dict[str, int]]] = {
    "SIC": ("sic", {"num_blocks": 1}),
    "1 bit": ("basis", {"num_wires": 1}),
    **{f"{m} bits": ("basis", {"num_wires": m}) for m in (2, 3, 4)},
}
"""Label -> builder and its arguments: one element of 4 or of 2^m."""

LABELS = {
    "depolarizing": "depolarizing", "interleaved": "interleaved depolarizing",
    "relaxation": "relaxation, T2 = T1", "damping": "cold damping",
    "dephasing": "dephasing", "generalized-damping": "damping",
    "replacement": "replacement", "block": "two-qubit depolarizing",
}  # fmt: skip
COLOURS = dict(
    zip(LABELS, (BLUE, SKY, GREEN, RED, GREY, PINK, ORANGE, BLACK), strict=True)
)


@dataclasses.dataclass(frozen=True)
class TradeoffConfig:
    """Noises, one exposure for all of them, and what is simulated; `seed` is root."""

    seed: int = 0
    noises: tuple[str, ...] = ("depolarizing", "interleaved", "relaxation", "damping")
    exposure: float = 0.25
    layers: int = 10
    depolarized: tuple[str, ...] = ("SIC", "2 bits", "4 bits")
    damped: tuple[str, ...] = ("SIC", "3 bits")
    shots: int = 20_000

    def __post_init__(self):
        fields = (("noises", LABELS), ("depolarized", CODES), ("damped", CODES))
        for field, known in fields:
            unknown = sorted(set(getattr(self, field)) - set(known))
            if unknown:
                raise ValueError(
                    f"Field `{field}` must hold names from {sorted(known)}, "
                    f"but has {unknown}."
                )


def grid(config: TradeoffConfig) -> list[dict]:
    """One cell per noise, and one per noise and simulated code."""
    common = {
        "exposure": config.exposure, "layers": config.layers, "shots": config.shots
    }  # fmt: skip
    codes = {"depolarizing": config.depolarized, "damping": config.damped}
    return [
        {"noise": noise, "code": code, **common}
        for noise in config.noises
        for code in ("", *codes.get(noise, ()))
    ]


def layer_strengths(row: MemoryNoise, level: float) -> dict[str, float]:
    """Parameters of one layer of which the fraction `level` survives.

    All surviving factors are equal (T2 = T1 for relaxation), and the bath is cold.
    """
    values = {"lam": level, "eta": level, "coh": level, "mu": 1 - level, "exc": 0.0}
    return {name: values[name] for name in row.names}


def run(
    key: Key, *, noise: str, code: str, exposure: float, layers: int, shots: int
) -> Row:
    """The noise's bits per qubit, and one code simulated under it."""
    row = MEMORY_NOISES[noise]
    strengths = layer_strengths(row, math.exp(-exposure / layers))
    kappa = float(evaluate(row.kappa, {**strengths, "T": layers}))
    empty = dict.fromkeys(name for column in COLUMNS for name in column.names)
    if not code:
        return {**empty, "kappa": kappa}
    name, arguments = CODES[code]
    built = STRUCTURES[name](**arguments)
    circuit = row.circuit(strengths, layers, built.num_wires)
    exact = exact_statistics(built, circuit)
    counts = accepted_shots(key, built, circuit, shots)
    member, other = acceptance_intervals(counts, shots, CONFIDENCE)

    def bits(p: float, a: float) -> float:
        size = built.block_size
        return float(membership_information(1, size, min(p, 1.0), min(a, p, 1.0)))

    low, high = bits(member[0], other[1]), bits(member[1], other[0])
    return {
        "kappa": kappa,
        "qubits": built.num_wires / built.num_blocks,
        "information": bits(exact.member, exact.other),
        "sampled": bits(counts[0] / shots, counts[1] / shots),
        "sampled_stderr": (high - low) / 2 / 1.96,
        "low": low,
        "high": high,
    }


def accepted_shots(
    key: Key, structure: QuantumDataStructure, noise: Circuit, shots: int
) -> tuple[int, int]:
    """Accepted queries of members and of others, `shots` of each, fresh copies.

    Outcomes are drawn with Born's probabilities of the noisy density matrices.
    """
    states = simulate_noise(structure.states[0], noise)
    table = np.einsum("qij,sji->qs", np.asarray(structure.effects[0]), states).real
    member = membership_table(structure.num_blocks, structure.block_size)
    draw = generator(key)
    counts = []
    for asked in (member, ~member):
        chances = draw.choice(table[asked], size=shots)
        counts.append(int(np.sum(draw.random(shots) < chances)))
    return counts[0], counts[1]


COLUMNS = (
    Column("kappa", "exact", unit="bit", description="bits per memory qubit"),
    Column("qubits", "label", description="qubits per element of the code"),
    Column("information", "exact", unit="bit", description="d per element"),
    Column("sampled", "estimated", unit="bit", stderr="sampled_stderr",
           description="d per element from shots"),
    Column("low", "label", description="95 % Clopper-Pearson, pessimistic"),
    Column("high", "label", description="95 % Clopper-Pearson, optimistic"),
)  # fmt: skip

TRADEOFF = Experiment(
    name="tradeoff",
    version=1,
    config=TradeoffConfig,
    grid=grid,
    run=run,
    source="Theorem A1 for each noise; Bloom 1970; Carter et al. 1978",
    dtypes=("complex128",),
    columns=COLUMNS,
)


def needed_bits(alpha: Any, miss: float) -> Any:
    """d(1 - beta || alpha_b) per element for n = 1000 elements of 2^20."""
    other = np.minimum(alpha, 1 - miss)
    return membership_information(1, UNIVERSE / ELEMENTS, 1 - miss, other)


def equal_rate(bits: float, miss: float) -> float:
    """False-positive rate at which a filter of the panel needs that many bits."""
    if bits >= needed_bits(0.0, miss):
        return 0.0
    if bits <= 0:
        return 1 - miss
    found = scipy.optimize.brentq(
        lambda alpha: float(needed_bits(alpha, miss)) - bits, 0.0, 1 - miss
    )
    return float(found)


def _draw_panel(axes: matplotlib.axes.Axes, rows: pd.DataFrame, miss: float) -> None:
    """Curves of one false-negative rate and the codes placed on their noises."""
    alpha = np.logspace(-2, math.log10(0.98 * (1 - miss)), 200)
    bits = needed_bits(alpha, miss)
    axes.plot(alpha, bits, color=BLACK, linewidth=1.0)
    axes.plot(alpha, np.log2(1 / alpha) / math.log(2), "--", color=ORANGE, linewidth=1)
    for noise, found in rows.groupby("noise", sort=False):
        colour = COLOURS[str(noise)]
        axes.plot(alpha, bits / found["kappa"].iloc[0], color=colour, linewidth=1.2)
        codes = found[found["code"] != ""]
        for code in codes.itertuples():
            bits_known = (code.sampled, code.high, code.low)
            place, *ends = [equal_rate(x, miss) for x in bits_known]
            error = [[place - min(place, *ends)], [max(place, *ends) - place]]
            style = {"fmt": "D" if code.code == "SIC" else "o", "markersize": 3.5}
            axes.errorbar([place], [code.qubits], xerr=error, color=colour, capsize=2,
                          linewidth=0.9, zorder=4, **style)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(1e-2, 1.0), ylim=(0.4, 20))
    axes.set_xlabel("false-positive rate α")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1], ["0.01", "0.03", "0.1", "0.3", "1"])
    axes.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axes.minorticks_off()


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Two panels, one per false-negative rate, and one legend."""
    rows = frames["tradeoff"]
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, miss, letter in ((left, MISSES[0], "a"), (right, MISSES[1], "b")):
        _draw_panel(axes, rows, miss)
        plain_axes(axes, letter)
        place = (0.97, 0.95)
        curve_label(axes, f"β = {miss:g}", place, BLACK, xycoords="axes fraction",
                    ha="right", va="top")  # fmt: skip
    left.set_ylabel("qubits per element, m/n")
    kappas = rows.drop_duplicates("noise").set_index("noise")["kappa"]
    for noise, kappa in kappas.sort_values().items():
        label = f"{LABELS[str(noise)]}, κ = {kappa:.3f}"
        left.plot([], [], color=COLOURS[str(noise)], label=label)
    left.plot([], [], "--", color=ORANGE, label="Bloom filter, 1.44 log 1/α (β = 0)")
    left.plot([], [], color=BLACK, label="no noise; classical, log 1/α (β = 0)")
    figure.legend(loc="outside upper center", ncols=3, fontsize=7.5, handlelength=1.6)


EXPERIMENTS = (TRADEOFF,)
ARTEFACTS = (
    Figure(
        name="f4_tradeoff",
        title="F4. Qubits per element against the false-positive rate",
        experiments=("tradeoff",),
        draw=draw,
        caption=(
            "Theorem A1 for n = 1000 elements of a universe of 2^20: no structure "
            "lies below the curve of its noise. All noises have the same exposure, "
            "a surviving fraction exp(-1/4) after 10 layers. The bound for "
            "interleaved noise is weaker than that for storage, because it allows any "
            "unitaries between the layers. Points in the colour of their noise: one "
            "element of 2^m in m bits (circles) or of 4 in one qubit (SIC, diamonds), "
            "simulated with shots (95 % Clopper-Pearson) and placed at the rate α at "
            "which the filter of the panel needs the same information. The SIC "
            "filter meets the bound of depolarizing noise."
        ),
        width=7.0,
        height=3.4,
    ),
)
