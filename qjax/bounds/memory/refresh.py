"""A memory that is refreshed with an entropy sink: what the depth bounds forbid.

One bit in three qubits; after every layer of noise a majority vote corrects the first,
the other two are reset and written again. Without the resets no unitary could do it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.circuits import Circuit, Repeat, ccx, cx
from qjax.circuits.operation import Reset

REFRESHED_QUBITS = 3


def refreshed_bit() -> Complex[np.ndarray, "2 d"]:
    """Kets |000> and |111>, shape (2, 8)."""
    kets = np.zeros((2, 2**REFRESHED_QUBITS), dtype=complex)
    kets[0, 0] = kets[1, -1] = 1
    return kets


def refreshing_circuit(survival: float, rounds: int) -> Circuit:
    """Rounds of depolarizing noise on three qubits, then a majority vote with resets.

    Args:
        survival: lambda of one layer on every qubit.
        rounds: At least 1.

    Returns:
        Circuit on three wires; after each round a logical error has probability
        3 f^2 - 2 f^3 with f = (1 - lambda)/2.

    Example:
        >>> from qjax.bounds.memory.refresh import refreshing_circuit
        >>> refreshing_circuit(0.9, 4).num_wires
        3
    """
    spread = (cx(0, 1), cx(0, 2))
    vote = (*spread, ccx(1, 2, 0), Reset((1, 2)), *spread)
    noise = MEMORY_NOISES["interleaved"].channels({"lam": survival}, REFRESHED_QUBITS)
    body = Circuit((*noise, *vote), REFRESHED_QUBITS)
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf] * rounds), body)
    return Circuit((Repeat(stacked, rounds),), REFRESHED_QUBITS)
