"""Random Clifford circuits, as steps that the engine and the oracles read."""

import functools
from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np

from tests import oracles
from tests.strategies import Step

FIXED = (
    "x", "y", "z", "h", "s", "sdg", "sx", "sxdg",
    "cx", "cy", "cz", "swap", "iswap", "iswapdg",
)  # fmt: skip
ROTATIONS = ("rx", "ry", "rz", "rxx", "ryy", "rzz", "phase")
NAMES = (*FIXED, *ROTATIONS, "cphase", "u3", "unitary", "controlled", "rotation")

#: Names that stim has too.
STIM = {"sdg": "S_DAG", "sx": "SQRT_X", "sxdg": "SQRT_X_DAG", "iswapdg": "ISWAP_DAG"}


def size(name: str) -> int:
    if name in oracles.GATES:
        return oracles.GATES[name][0]
    return {"unitary": 1, "controlled": 2, "rotation": 1}[name]


def random_step(rng: np.random.Generator, name: str, num_wires: int) -> Step:
    """A Clifford step of a name on random wires."""
    order = tuple(int(wire) for wire in rng.permutation(num_wires))
    wires = order[: size(name)]
    quarter = float(rng.integers(-4, 9) * np.pi / 2)
    if name in FIXED:
        return Step("gate", name, wires)
    if name in ROTATIONS:
        return Step("gate", name, wires, (quarter,))
    if name == "cphase":
        return Step("gate", name, wires, (2 * quarter,))
    if name == "u3":
        angles = tuple(map(float, rng.integers(-4, 5, 3) * np.pi / 2))
        return Step("gate", name, wires, angles)
    if name == "rotation":
        width = int(rng.integers(1, min(num_wires, 3) + 1))
        word = "".join(rng.choice(list("IXYZ"), width))
        return Step("rotation", word, order[:width], (quarter,))
    if name == "controlled":
        target = str(rng.choice(["x", "y", "z"]))
        return Step("controlled", target, wires, (), None, (int(rng.integers(2)),))
    width = int(rng.integers(1, min(num_wires, 3) + 1))
    return Step("unitary", name, order[:width], array=random_matrix(rng, width))


def random_matrix(rng: np.random.Generator, num_wires: int) -> np.ndarray:
    """A product of random fixed gates, with a random global phase."""
    steps = random_steps(rng, num_wires, 12, FIXED)
    full = [oracles.embed(oracles.gate(s.name), s.wires, num_wires) for s in steps]
    phase = np.exp(2j * np.pi * rng.random())
    return phase * functools.reduce(np.matmul, full)


def random_steps(
    rng: np.random.Generator, num_wires: int, length: int, names: Sequence[str] = NAMES
) -> list[Step]:
    """Steps with names drawn from those that fit."""
    fitting = [name for name in names if size(name) <= num_wires]
    return [random_step(rng, str(n), num_wires) for n in rng.choice(fitting, length)]


@st.composite
def wired_steps(
    draw: st.DrawFn, widths: Sequence[int], max_length: int = 20
) -> tuple[int, list[Step]]:
    """A number of wires and Clifford steps on them, that shrink."""
    num_wires = draw(st.sampled_from(widths))
    fitting = [name for name in NAMES if size(name) <= num_wires]
    chosen = draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=max_length))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return num_wires, [random_step(rng, name, num_wires) for name in chosen]
