"""Noise channels in plain NumPy, as maps on density matrices, not as Kraus operators.

Each channel is written as what it does to the entries of a density matrix, which is
how textbooks define it physically; `on_register` then applies it to any wires. The
engine writes Kraus operators, so an error in one is not repeated in the other.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

from tests import oracles
from tests.oracles import X, Y, Z

Map = Callable[[np.ndarray], np.ndarray]


def on_register(channel: Map, rho: np.ndarray, wires: Sequence[int]) -> np.ndarray:
    """Apply a map on k qubits to `wires` of an n-qubit density matrix.

    With rho = sum_ab |a><b|_wires (x) rho_ab, the image is
    sum_ab channel(|a><b|) (x) rho_ab, and |c><e| (x) rho_ab = |c><a| rho |b><e|.
    """
    num_wires = int(np.log2(len(rho)))
    d = 2 ** len(wires)
    total = np.zeros_like(rho)
    for a in range(d):
        for b in range(d):
            image = channel(_unit(d, a, b))
            for c, e in zip(*np.nonzero(image), strict=True):
                left = oracles.embed(_unit(d, c, a), wires, num_wires)
                right = oracles.embed(_unit(d, b, e), wires, num_wires)
                total += image[c, e] * sandwich(left, rho, right)
    return total


def sandwich(left: np.ndarray, rho: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left rho right, by sparse products.

    A full-register matrix is nearly empty, and the threads of a dense product of this
    size only wait for each other: 15 times slower on a busy machine.
    """
    return scipy.sparse.csr_array(left) @ rho @ scipy.sparse.csr_array(right)


def _unit(d: int, row: int, column: int) -> np.ndarray:
    unit = np.zeros((d, d), dtype=complex)
    unit[row, column] = 1
    return unit


def choi(channel: Map, dimension: int) -> np.ndarray:
    """sum_ab |a><b| (x) channel(|a><b|)."""
    blocks = [
        [channel(_unit(dimension, a, b)) for b in range(dimension)]
        for a in range(dimension)
    ]
    return np.block(blocks)


def from_kraus(kraus: np.ndarray) -> Map:
    """The map rho -> sum_k K_k rho K_k^dagger."""
    return lambda rho: sum(
        (k @ rho @ k.conj().T for k in kraus), start=np.zeros_like(rho)
    )


def bit_flip(p: float) -> Map:
    return lambda rho: (1 - p) * rho + p * X @ rho @ X


def phase_flip(p: float) -> Map:
    return lambda rho: (1 - p) * rho + p * Z @ rho @ Z


def bit_phase_flip(p: float) -> Map:
    return lambda rho: (1 - p) * rho + p * Y @ rho @ Y


def pauli(px: float, py: float, pz: float) -> Map:
    return lambda rho: (
        (1 - px - py - pz) * rho
        + px * X @ rho @ X
        + py * Y @ rho @ Y
        + pz * Z @ rho @ Z
    )


def depolarizing(p: float) -> Map:
    """(1 - p) rho + p Tr(rho) I / d, for any d: p = 1 forgets everything."""
    return lambda rho: (1 - p) * rho + p * np.trace(rho) * np.eye(len(rho)) / len(rho)


def relaxation(decay: float, coherence: float, excited: float) -> Map:
    """Populations relax to (1 - excited, excited); coherences shrink.

    Args:
        decay: Fraction of the distance to equilibrium that is lost.
        coherence: Factor on the off-diagonal entries.
        excited: Equilibrium population of |1>.
    """

    def channel(rho: np.ndarray) -> np.ndarray:
        population = rho[0, 0] + rho[1, 1]
        one = (1 - decay) * rho[1, 1] + decay * excited * population
        return np.array(
            [
                [population - one, coherence * rho[0, 1]],
                [coherence * rho[1, 0], one],
            ]
        )

    return channel


def amplitude_damping(gamma: float) -> Map:
    return relaxation(gamma, np.sqrt(1 - gamma), 0.0)


def generalized_amplitude_damping(gamma: float, excited: float) -> Map:
    return relaxation(gamma, np.sqrt(1 - gamma), excited)


def phase_damping(lam: float) -> Map:
    return relaxation(0.0, np.sqrt(1 - lam), 0.0)


def thermal_relaxation(t1: float, t2: float, time: float, excited: float) -> Map:
    return relaxation(1 - np.exp(-time / t1), np.exp(-time / t2), excited)


def reset(p0: float, p1: float) -> Map:
    """With probability p0 to |0>, with p1 to |1>, otherwise untouched."""
    return lambda rho: (
        (1 - p0 - p1) * rho + np.trace(rho) * np.diag([p0, p1]).astype(complex)
    )


# name: (number of wires, how to draw parameters, parameters -> map)
CHANNELS: dict[str, tuple[int, str, Callable[..., Map]]] = {
    "bit_flip": (1, "p", bit_flip),
    "phase_flip": (1, "p", phase_flip),
    "bit_phase_flip": (1, "p", bit_phase_flip),
    "pauli_channel": (1, "ppp", pauli),
    "depolarizing": (1, "p", depolarizing),
    "two_qubit_depolarizing": (2, "p", depolarizing),
    "amplitude_damping": (1, "p", amplitude_damping),
    "generalized_amplitude_damping": (1, "p,p", generalized_amplitude_damping),
    "phase_damping": (1, "p", phase_damping),
    "thermal_relaxation": (1, "times", thermal_relaxation),
    "reset_error": (1, "pp", reset),
}


def random_params(rng: np.random.Generator, name: str) -> tuple[float, ...]:
    """Parameters from the whole domain: "ppp" are disjoint chances, "p,p" free ones."""
    how = CHANNELS[name][1]
    if how == "times":
        t1 = rng.uniform(20, 100)
        t2 = rng.uniform(0.1, 2) * t1  # above t1 too: 2 t1 is the physical limit
        return t1, t2, rng.uniform(0, 2) * t1, rng.uniform(0, 1)
    if "," in how:
        return tuple(float(p) for p in rng.uniform(0, 1, how.count("p")))
    return tuple(float(p) for p in rng.dirichlet(np.ones(len(how) + 1))[:-1])
