"""Layers of memory noise as a matrix on vec(rho), from the engine's channels."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax.bounds.information import evaluate
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, MemoryNoise


def find_noise(name: str, strengths: Mapping[str, float]) -> MemoryNoise:
    """The row of `MEMORY_NOISES`, after a check that its parameters are given.

    Raises:
        ValueError: If there is no such noise, or its parameters are not the given ones.
    """
    rule = f"be one of {sorted(MEMORY_NOISES)}"
    require(name in MEMORY_NOISES, "noise", rule, repr(name))
    row = MEMORY_NOISES[name]
    rule = f"give {', '.join(row.names)}, and nothing else"
    fits = set(row.names) == set(strengths)
    require(fits, "strengths", rule, sorted(strengths))
    return row


def layer_map(
    noise: MemoryNoise, strengths: Mapping[str, float], num_wires: int, layers: int = 1
) -> Complex[Array, "dd dd"]:
    """T layers of noise on m qubits as one matrix on row-major vec(rho).

    A matrix compiles in no time and is applied to a batch by one product; at m <= 3
    qubits it has at most 64^2 entries.

    Args:
        noise: Row of `MEMORY_NOISES`.
        strengths: Its parameters by name.
        num_wires: m.
        layers: T.
    """
    total = np.eye(4**num_wires, dtype=complex)
    for channel in noise.channels(strengths, num_wires):
        wires = channel.wires  # neighbours, in increasing order
        before = np.eye(2 ** wires[0])
        after = np.eye(2 ** (num_wires - wires[-1] - 1))
        step = np.zeros_like(total)
        for kraus in np.asarray(channel.kraus):
            full = np.kron(np.kron(before, kraus), after)
            step += np.kron(full, full.conj())
        total = step @ total
    return jnp.asarray(np.linalg.matrix_power(total, layers))


def apply_layer(
    layer: Complex[Array, "dd dd"], states: Complex[Array, "*batch d d"]
) -> Complex[Array, "*batch d d"]:
    """The states after the noise."""
    size = states.shape[-1]
    flat = states.reshape(-1, size * size)
    return (flat @ layer.T).reshape(states.shape)


def available_bits(
    noise: MemoryNoise, strengths: Mapping[str, float], num_wires: int, layers: int
) -> float:
    """m kappa of the noise after T layers, rounded to float64."""
    values = {**strengths, "T": layers}
    return num_wires * float(evaluate(noise.kappa, values))
