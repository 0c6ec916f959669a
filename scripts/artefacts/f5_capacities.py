"""F5: bits that one noisy qubit holds: proved from above, attained from below."""

import dataclasses
import math

import matplotlib.axes
import matplotlib.figure
import numpy as np
import pandas as pd
from jaxtyping import Complex

from qjax._types import Key
from qjax.bounds import binary_entropy, evaluate
from qjax.bounds.memory.instances import product_states
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.structure import (
    entropy_bits,
    holevo_information,
    simulate_noise,
)
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from scripts.artefacts._palette import BLUE, GREEN, RED, curve_label, plain_axes

TITLES = {
    "depolarizing": ("depolarizing", "1 - λ"),
    "dephasing": ("dephasing", "1 - c"),
    "replacement": ("replacement by |0⟩", "μ"),
    "damping": ("cold amplitude damping", "γ"),
    "generalized-damping": ("damping, 1/4 excited", "γ"),
    "relaxation": ("relaxation, T2 = T1", "γ"),
}
"""Noise -> title of its panel, name of its strength."""


@dataclasses.dataclass(frozen=True)
class CapacityConfig:
    """Noises, strengths 0 to 1 and angles of the inputs; `seed` is the root seed."""

    seed: int = 0
    noises: tuple[str, ...] = tuple(TITLES)
    strengths: int = 61
    angles: int = 181

    def __post_init__(self):
        unknown = sorted(set(self.noises) - set(TITLES))
        if unknown:
            raise ValueError(
                f"Field `noises` must hold names from {sorted(TITLES)}, "
                f"but has {unknown}."
            )
        for field in ("strengths", "angles"):
            if getattr(self, field) < 3:
                raise ValueError(f"Field `{field}` must be at least 3.")


def grid(config: CapacityConfig) -> list[dict]:
    """One cell per noise."""
    sizes = {"strengths": config.strengths, "angles": config.angles}
    return [{"noise": noise, **sizes} for noise in config.noises]


def layer_values(noise: str, strength: float) -> dict[str, float]:
    """Parameters of one layer of a panel's noise."""
    kept = max(1 - strength, 1e-9)  # relaxation has positive times only
    excited = {"generalized-damping": 0.25}.get(noise, 0.0)
    values = {"lam": kept, "eta": kept, "coh": kept, "mu": strength, "exc": excited}
    return {name: values[name] for name in MEMORY_NOISES[noise].names}


def run(key: Key, *, noise: str, strengths: int, angles: int) -> list[Row]:
    """Upper bound and best single-qubit ensemble at every strength."""
    del key  # the ensembles are optimised over a fixed table of pure states
    row = MEMORY_NOISES[noise]
    tilt = np.linspace(0, math.pi, angles)
    table = np.stack([np.tile(tilt, 2), np.repeat([0, math.pi], angles)], axis=-1)
    inputs = np.asarray(product_states(table[:, None]))
    rows = []
    # Denser at both ends, where slopes are infinite.
    for strength in (1 - np.cos(np.linspace(0, math.pi, strengths))) / 2:
        values = layer_values(noise, float(strength))
        outputs = simulate_noise(inputs, row.circuit(values, 1, 1))
        first, second, share = best_tilts(outputs[:angles])
        # Each tilt and its mirror image, with equal probabilities.
        chosen = [first, first + angles, second, second + angles]
        shares = np.array([1 - share, 1 - share, share, share]) / 2
        rows.append(
            {
                "strength": float(strength),
                "kappa": float(evaluate(row.kappa, {**values, "T": 1})),
                "attained": max(holevo_information(outputs[chosen], shares), 0.0),
                "first_tilt": float(np.degrees(tilt[first])),
                "second_tilt": float(np.degrees(tilt[second])),
                "second_share": share,
            }
        )
    return rows


def best_tilts(outputs: Complex[np.ndarray, "k 2 2"]) -> tuple[int, int, float]:
    """The two tilts whose mirrored pairs have the largest Holevo information.

    Every noise here commutes with rotations about z and with the mirror at the yz
    plane, so that some best ensemble consists of mirrored pairs in the xz plane. Their
    mean is diagonal, hence chi = h((1 + z)/2) - S with the means z of Bloch's z
    component and S of the entropies: a concave function of the share of one tilt, with
    its maximum where log2((1 - z)/(1 + z))/2 equals the slope of S against z.

    Args:
        outputs: Outputs of one member of each pair.

    Returns:
        Indices of the tilts, and the share of the second one.
    """
    z = np.real(outputs[:, 0, 0] - outputs[:, 1, 1])
    entropy = entropy_bits(outputs)
    step, rise = z - z[:, None], entropy - entropy[:, None]
    apart = np.abs(step) > 1e-12
    slope = np.where(apart, rise / np.where(apart, step, 1), 0)
    best_z = -np.tanh(math.log(2) * slope)
    share = (best_z - z[:, None]) / np.where(apart, step, 1)
    share = np.clip(np.where(apart, share, 0), 0, 1)
    mean = np.clip((1 + z[:, None] + share * step) / 2, 0, 1)
    attained = binary_entropy(mean) - entropy[:, None] - share * rise
    first, second = np.unravel_index(int(np.argmax(attained)), attained.shape)
    return int(first), int(second), float(share[first, second])


CAPACITIES = Experiment(
    name="capacities",
    version=1,
    config=CapacityConfig,
    grid=grid,
    run=run,
    source="lemmas of capacity, proofs/lemmas; Holevo 1998, Schumacher and "
    "Westmoreland 1997 for the lower curve",
    dtypes=("complex128",),
    columns=(
        Column("strength", "label", description="strength of one layer"),
        Column("kappa", "exact", unit="bit", description="proved upper bound"),
        Column("attained", "exact", unit="bit",
               description="Holevo information of the best simulated ensemble"),
        Column("first_tilt", "exact", unit="degree",
               description="angle to |0> of a mirrored pair of inputs"),
        Column("second_tilt", "exact", unit="degree", description="and of another"),
        Column("second_share", "exact", description="probability of the second pair"),
    ),
)  # fmt: skip


def _draw_noise(axes: matplotlib.axes.Axes, rows: pd.DataFrame, noise: str) -> None:
    x, upper, lower = rows["strength"], rows["kappa"], rows["attained"]
    axes.fill_between(x, lower, upper, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(x, upper, color=BLUE, linewidth=1.4)
    axes.plot(x, lower, color=GREEN, linewidth=1.4, linestyle=(0, (4, 1.5)))
    if noise == "damping":
        axes.plot(x, 1 - x, color=RED, linewidth=1.2, linestyle=":")
        curve_label(axes, "M7: κ = η", (0.06, 0.12), RED)
    title, strength = TITLES[noise]
    axes.set(xlim=(0, 1), ylim=(0, 1.04))
    axes.set_xlabel(f"strength {strength}")
    axes.set_title(title, fontsize=8.5)


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """One panel per noise."""
    groups = list(frames["capacities"].groupby("noise", sort=False))
    columns = min(3, len(groups))
    lines = -(-len(groups) // columns)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(groups) :]:
        axes.remove()
    for axes, (noise, rows) in zip(panels.flat, groups, strict=False):
        _draw_noise(axes, rows, str(noise))
        plain_axes(axes)
    for axes in panels[:, 0]:
        axes.set_ylabel("bits per qubit")
    first = panels[0, 0]
    first.plot([], [], color=BLUE, label="proved upper bound κ")
    first.plot([], [], color=GREEN, linestyle=(0, (4, 1.5)),
               label="best ensemble on one simulated qubit")  # fmt: skip
    first.fill_between([], [], [], color=BLUE, alpha=0.15, label="unknown")
    figure.legend(loc="outside upper center", ncols=3, fontsize=7.5)


EXPERIMENTS = (CAPACITIES,)
ARTEFACTS = (
    Figure(
        name="f5_capacities",
        title="F5. Bits that a noisy qubit holds",
        experiments=("capacities",),
        draw=draw,
        caption=(
            "Upper: capacity bound κ used by Theorem A1, against the strength of one "
            "layer. Lower: Holevo information of the best ensemble on one qubit, the "
            "states simulated and their probabilities optimised; block coding attains "
            "it. The capacity lies in the shaded region. Depolarizing noise and "
            "dephasing leave no room. The dotted line κ = η = 1 - γ (mutant M7) falls "
            "below what an ensemble attains at strong damping, hence is no bound."
        ),
        width=7.0,
        height=4.2,
    ),
)
