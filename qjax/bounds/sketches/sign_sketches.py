"""Phase-encoded sign sketches on the engine: states, noise, overlaps, measurements.

k random hyperplanes give each vector a pattern of k signs. Hyperplane j turns qubit
j mod m by Rz(+theta) or Rz(-theta); the qubits start in |+>. `sketch_profiles` sums
over all pairs of sign patterns, `sketch_sampling` draws hyperplanes and shots, and the
closed forms are in `sketch_laws`.
"""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax.circuits import Circuit, Repeat, cswap, h, rz
from qjax.noise import depolarizing, generalized_amplitude_damping, phase_flip
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

MAX_LAYERS = 3
"""Noise layers that one compiled program can apply; fewer are switched off."""


Strength = Float[Array, "*batch"] | Float[np.ndarray, "*batch"] | float


class SketchNoise(eqx.Module):
    """Storage noise of a sketch: T layers on every qubit.

    Attributes:
        survival: lambda in [0, 1]: rho -> lambda rho + (1 - lambda) I/2 per layer.
        coherence: nu in [0, 1]: off-diagonal elements are multiplied by nu per layer.
        population: eta in [0, 1]: damping with gamma = 1 - eta per layer, which also
            multiplies coherences by sqrt(eta).
        excited: e in [0, 1]: population of |1> in the damping's fixed state.
        layers: T, an integer in [0, 3].
    """

    survival: Strength = 1.0
    coherence: Strength = 1.0
    population: Strength = 1.0
    excited: Strength = 0.0
    layers: Int[Array, "*batch"] | Int[np.ndarray, "*batch"] | int = 0


def sign_patterns(num_signs: int) -> Int[np.ndarray, "patterns k"]:
    """All 2^k patterns of k signs, shape (2^k, k), entries +1 and -1.

    Raises:
        ValueError: If `num_signs` < 1.

    Example:
        >>> from qjax.bounds.sketches.sign_sketches import sign_patterns
        >>> sign_patterns(1).tolist()
        [[1], [-1]]
    """
    require(num_signs >= 1, "num_signs", "be at least 1", num_signs)
    return np.asarray(list(itertools.product((1, -1), repeat=num_signs)))


def bucket_sums(signs: Any, num_qubits: int) -> Any:
    """A_q = sum of the signs j with j mod m = q, shape (..., m) from (..., k)."""
    shape = (*signs.shape[:-1], -1, num_qubits)
    return signs.reshape(shape).sum(axis=-2)


def sketch_circuit(
    signs: Int[Array, " k"], theta: Float[Array, ""] | float, num_qubits: int
) -> Circuit:
    """|+>^m, then Rz(theta a_j) on qubit j mod m for every sign a_j.

    Args:
        signs: a, shape (k,), entries +1 and -1; may be traced.
        theta: Phase per sign, in radians; may be traced.
        num_qubits: m >= 1. Static.

    Returns:
        Circuit on m wires, to be run on |0...0>.

    Raises:
        ValueError: If k is not a multiple of m.

    Source: theory of bounds, section 5.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.sketches.sign_sketches import sketch_circuit
        >>> sketch_circuit(jnp.asarray([1, -1, 1, 1]), 0.3, 2).num_wires
        2
    """
    num_signs = signs.shape[0]
    fits = num_qubits >= 1 and num_signs % num_qubits == 0
    require(fits, "num_qubits", f"divide the {num_signs} signs", num_qubits)
    phase = jnp.asarray(theta)
    gates = [h(wire) for wire in range(num_qubits)]
    gates += [
        rz(phase * signs[j].astype(phase.dtype), j % num_qubits)
        for j in range(num_signs)
    ]
    return Circuit(tuple(gates), num_qubits)


def sketch_noise(noise: SketchNoise, num_qubits: int) -> Circuit:
    """T layers: depolarizing, dephasing, generalised damping on every qubit.

    Layers beyond T have strength zero, so that T may be traced.
    """

    def layer(active):
        survival, coherence, population = (
            jnp.where(active, jnp.asarray(strength), 1.0)
            for strength in (noise.survival, noise.coherence, noise.population)
        )
        gates = []
        for wire in range(num_qubits):
            gates += [
                depolarizing(1 - survival, wire),
                phase_flip((1 - coherence) / 2, wire),
                generalized_amplitude_damping(1 - population, noise.excited, wire),
            ]
        return Circuit(tuple(gates), num_qubits)

    body = jax.vmap(layer)(jnp.arange(MAX_LAYERS) < noise.layers)
    return Circuit((Repeat(body, MAX_LAYERS),), num_qubits)


def sketch_states(
    signs: Int[Array, "*batch k"],
    theta: Float[Array, ""] | float,
    noise: SketchNoise,
    num_qubits: int,
) -> tuple[Any, Any]:
    """Kets before noise and density matrices after it, one per sign pattern.

    Args:
        signs: Shape (patterns, k).
        theta: Phase per sign, in radians.
        noise: Storage noise.
        num_qubits: m. Static.

    Returns:
        A `StateVector` and a `DensityMatrix`, both with a leading batch axis.
    """
    channel = sketch_noise(noise, num_qubits)

    def one(row):
        start = StateVector.zeros(num_qubits)
        ket = run(sketch_circuit(row, theta, num_qubits), start)
        return ket, run(channel, DensityMatrix.from_state(ket))

    return jax.vmap(one)(signs)


def overlap_table(states: Any) -> Float[Array, "patterns patterns"]:
    """Re <psi_a|psi_b> or Tr rho_a rho_b of every pair of a batch of states."""

    def pair(first, second):
        return jnp.real(first.overlap(second))

    inner = jax.vmap(pair, in_axes=(None, 0))
    return jax.vmap(inner, in_axes=(0, None))(states, states)


def swap_test_circuit(num_qubits: int) -> Circuit:
    """The SWAP test as a circuit: wire 0 is the ancilla, then the two registers.

    P(ancilla = 0) = (1 + Tr rho_a rho_b)/2.

    Source: Buhrman, Cleve, Watrous and de Wolf, Phys. Rev. Lett. 87, 167902 (2001).

    Example:
        >>> from qjax.bounds.sketches.sign_sketches import swap_test_circuit
        >>> swap_test_circuit(2).num_wires
        5
    """
    swaps = [cswap(0, 1 + q, 1 + num_qubits + q) for q in range(num_qubits)]
    return Circuit((h(0), *swaps, h(0)), 1 + 2 * num_qubits)
