"""Concrete local updates: superdense, GHZ, reset, wandering, one-hot; and deletes.

Each is a `LocalUpdates` or `Deletes` that the engine then simulates.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from qjax.bounds.updates.local_updates import (
    PAULIS,
    LocalUpdates,
    acceptance_table,
    apply_updates,
    holevo_bits,
    named_values,
    update_values,
    updated_kets,
)


def _bell_pairs(count: int) -> np.ndarray:
    """Ket of Bell pairs between wires j and count + j."""
    return np.eye(2**count).reshape(-1).astype(complex) / 2 ** (count / 2)


def _word(letters: tuple[int, ...]) -> np.ndarray:
    """Kronecker product of Paulis."""
    matrix = np.ones((1, 1))
    for letter in letters:
        matrix = np.kron(matrix, PAULIS[letter])
    return matrix


def _pauli_inserts(memory: np.ndarray, width: int, name: str) -> LocalUpdates:
    """Each element is one Pauli word on the first `width` qubits of a ket: N' = 4^t."""
    letters = itertools.product(range(4), repeat=width)
    words = np.stack([_word(word) for word in letters])
    touched = np.tile(np.arange(width), (len(words), 1))
    return LocalUpdates(memory, words[:, None], touched, None, width, name)


def bell_inserts(pairs: int = 1) -> LocalUpdates:
    """Superdense inserts: Paulis on one half of each Bell pair; 2t bits in t qubits.

    Args:
        pairs: t, 1 or 2.

    Source: Bennett and Wiesner, Phys. Rev. Lett. 69, 2881 (1992).

    Example:
        >>> from qjax.bounds.updates.update_structures import bell_inserts
        >>> bell_inserts(2).kraus.shape
        (16, 1, 4, 4)
    """
    return _pauli_inserts(_bell_pairs(pairs), pairs, f"Bell pairs t={pairs}")


def ghz_inserts(num_wires: int = 3) -> LocalUpdates:
    """Paulis on one qubit of a GHZ state, which is as entangled with the rest."""
    memory = np.zeros(2**num_wires, dtype=complex)
    memory[[0, -1]] = 0.5**0.5
    return _pauli_inserts(memory, 1, f"GHZ of {num_wires}")


def partly_entangled_inserts(angle: float) -> LocalUpdates:
    """Paulis on one half of cos(angle/2)|00> + sin(angle/2)|11>."""
    memory = np.zeros(4, dtype=complex)
    memory[[0, 3]] = np.cos(angle / 2), np.sin(angle / 2)
    return _pauli_inserts(memory, 1, f"partly entangled, angle {angle:g}")


def reset_inserts() -> LocalUpdates:
    """Element x replaces the touched qubit by |x>, N' = 2; the rest is untouched."""
    kraus = np.zeros((2, 2, 2, 2), dtype=complex)
    for element, level in itertools.product(range(2), range(2)):
        kraus[element, level, element, level] = 1  # |x><level|
    effects = np.stack([np.kron(np.diag(row), np.eye(2)) for row in np.eye(2)])
    touched = np.zeros((2, 1), dtype=int)
    return LocalUpdates(_bell_pairs(1), kraus, touched, effects, 1, "reset")


def wandering_inserts(pairs: int, width: int = 1) -> LocalUpdates:
    """Paulis of weight at most t on the halves of m Bell pairs: the place is a message.

    Every set of at most t qubits and every choice of X, Y, Z on it is one element, so
    N' = sum_{j<=t} C(m,j) 3^j orthogonal states.

    Args:
        pairs: m, 1 to 4.
        width: t, 1 or 2.
    """
    rows, operators = [], []
    for weight in range(width + 1):
        for places in itertools.combinations(range(pairs), weight):
            spare = [w for w in range(pairs) if w not in places][: width - weight]
            for letters in itertools.product((1, 2, 3), repeat=weight):
                rows.append([*places, *spare])
                operators.append(_word((*letters, *[0] * len(spare)))[None])
    name = f"wandering m={pairs} t={width}"
    kraus, touched = np.stack(operators), np.asarray(rows)
    return LocalUpdates(_bell_pairs(pairs), kraus, touched, None, pairs, name)


def one_hot_inserts(num_wires: int) -> LocalUpdates:
    """Element x flips qubit x of |0...0>: one touched qubit tells log m bits."""
    memory = np.zeros(2**num_wires, dtype=complex)
    memory[0] = 1
    kraus = np.tile(PAULIS[1], (num_wires, 1, 1, 1))
    touched = np.arange(num_wires)[:, None]
    name = f"one-hot m={num_wires}"
    return LocalUpdates(memory, kraus, touched, None, num_wires, name)


def noise_first_values(updates: LocalUpdates, survival: float) -> Mapping[str, Any]:
    """A6's symbols where the noise hits the touched qubits before the update.

    The touched wires must be the same for every element.
    """
    memory = updates.memory
    if memory.ndim == 1:
        memory = np.outer(memory, memory.conj())
    idle = np.eye(2**updates.width)[None, None]
    noisy = apply_updates(memory[None], idle, updates.touched[:1], survival)[0]
    values = update_values(dataclasses.replace(updates, memory=noisy))
    return {**values, "lam": survival}


@dataclasses.dataclass(frozen=True)
class Deletes:
    """Elements written by inserts of any reach, and deletes that touch t fixed qubits.

    Attributes:
        empty: Density matrix before any insert, shape (d, d).
        written: Density matrices after the insert of each element, shape (N', d, d).
        delete: Channel of each element on the touched wires.
    """

    empty: np.ndarray
    written: np.ndarray
    delete: LocalUpdates


def history_left(deletes: Deletes) -> float:
    """Largest entry by which insert-then-delete differs from the empty memory.

    Zero if the deletes forget: then A6 bounds the qubits that they touch.
    """
    rule = deletes.delete
    after = apply_updates(deletes.written, rule.kraus, rule.touched)
    return float(np.max(np.abs(after - deletes.empty)))


def delete_values(
    deletes: Deletes, survival: float = 1.0, layers: int = 1
) -> Mapping[str, Any]:
    """Values of A6's symbols for deletes: noise hits the qubits that deletes touch.

    Args:
        deletes: Inserts and deletes; each element is tested by its written state.
        survival: lambda per layer, in [0, 1].
        layers: T.
    """
    rule = deletes.delete
    idle = np.tile(np.eye(2**rule.width), (len(rule.touched), 1, 1, 1))
    states = apply_updates(deletes.written, idle, rule.touched, survival, layers)
    table = acceptance_table(states, deletes.written)
    return named_values(table, holevo_bits(states), rule, survival, layers)


def _projectors(kets: np.ndarray) -> np.ndarray:
    return kets[:, :, None] * kets[:, None, :].conj()


def forgetting_bell_deletes() -> Deletes:
    """Inserts rewrite both qubits to Bell state x; deletes undo it on one qubit."""
    insert = bell_inserts(1)
    written = _projectors(updated_kets(insert))
    return Deletes(_projectors(insert.memory[None])[0], written, insert)


def tombstone_deletes(num_bits: int) -> Deletes:
    """Inserts write x and raise a flag; deletes lower the flag only, so x stays behind.

    The last qubit is the flag. The state after a delete depends on the history, which
    is why one touched qubit can guard `num_bits` bits.

    Args:
        num_bits: log2 N', 1 to 3.
    """
    basis = _projectors(np.eye(2 ** (num_bits + 1)).astype(complex))
    elements = 2**num_bits
    flip = np.tile(PAULIS[1], (elements, 1, 1, 1))
    touched = np.full((elements, 1), num_bits)
    name = f"tombstone {num_bits} bits"
    rule = LocalUpdates(basis[0], flip, touched, None, 1, name)
    return Deletes(basis[0], basis[1::2], rule)
