"""Clifford unitaries on few wires: what they make of Pauli words, found from a matrix.

A word is written i^k X^x Z^z with bits x, z on the wires and k modulo 4; both bits set
mean X Z = -i Y, so Y has k = 1. Phases of products are then plain: word by word,
X^x Z^z X^u Z^v = (-1)^(z.u) X^(x+u) Z^(z+v).
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

Bits = np.ndarray
"""Words on k wires, shape (..., 2 k): x and z of the first wire, of the second, ..."""


@dataclasses.dataclass(frozen=True, eq=False)
class CliffordAction:
    """The words U P U^dagger for the 2 k words P = X_0, Z_0, X_1, Z_1, ...

    Attributes:
        images: Bits of the images, shape (2 k, 2 k), one row for each.
        phases: Their k modulo 4, shape (2 k,).
    """

    images: Bits
    phases: np.ndarray

    @property
    def num_wires(self) -> int:
        return len(self.phases) // 2

    @functools.cached_property
    def order(self) -> np.ndarray:
        """Return z_i . x_j of the images for i < j: the signs of ordered products."""
        crossed = self.images[:, 1::2] @ self.images[:, 0::2].T & 1
        return np.triu(crossed, 1)

    def __call__(self, words: Bits, phases: np.ndarray) -> tuple[Bits, np.ndarray]:
        """Return the images of t words, bits of shape (t, 2 k) and phases (t,)."""
        signs = np.einsum("ti,tj,ij->t", words, words, self.order)
        return words @ self.images & 1, (phases + words @ self.phases + 2 * signs) % 4


def clifford_action(matrix: np.ndarray) -> CliffordAction | None:
    """Return what a unitary makes of Pauli words, or None if they do not stay words.

    Entries count as equal up to 64 roundings of the matrix' precision, so an angle that
    is a multiple of pi / 2 is one when it is rounded too.

    Args:
        matrix: Unitary U, shape (2^k, 2^k), concrete. A global phase does not matter.

    Source: Gottesman, arXiv:quant-ph/9807006.

    Example:
        >>> import numpy as np
        >>> from qjax.states.clifford import clifford_action
        >>> action = clifford_action(np.diag([1, 1j]))  # S X S^dagger = Y = i X Z
        >>> action.images.tolist(), action.phases.tolist()
        ([[1, 1], [0, 1]], [1, 0])
    """
    unitary = np.asarray(matrix)
    exact = not np.issubdtype(unitary.dtype, np.inexact)
    tolerance = 64 * np.finfo(float if exact else unitary.dtype).eps
    unitary = unitary.astype(complex)
    num_wires = len(unitary).bit_length() - 1
    images, phases = [], []
    for word in np.eye(2 * num_wires, dtype=int):
        moved = unitary @ word_matrix(word) @ unitary.conj().T
        image, phase = _nearest_word(moved, num_wires)
        if abs(moved - 1j**phase * word_matrix(image)).max() > tolerance:
            return None
        images.append(image)
        phases.append(phase)
    return CliffordAction(np.asarray(images), np.asarray(phases))


def word_matrix(word: Bits) -> np.ndarray:
    """Return the matrix of X^x Z^z, the first wire leading."""
    flip, signs = np.asarray([[0, 1], [1, 0]]), np.diag([1, -1])
    letters = [
        np.linalg.matrix_power(flip, x) @ np.linalg.matrix_power(signs, z)
        for x, z in zip(word[0::2], word[1::2], strict=True)
    ]
    return functools.reduce(np.kron, letters, np.eye(1, dtype=int))


def with_controls(matrix: np.ndarray, values: Sequence[int]) -> np.ndarray:
    """Return the matrix that acts where the controls, leading, have their values."""
    size = len(matrix)
    start = size * int("0" + "".join(map(str, values)), 2)
    full = np.eye(size * 2 ** len(values), dtype=matrix.dtype)
    full[start : start + size, start : start + size] = matrix
    return full


def identity_action(num_wires: int) -> CliffordAction:
    """Return the action that changes nothing."""
    size = 2 * num_wires
    return CliffordAction(np.eye(size, dtype=int), np.zeros(size, int))


def word_action(word: Bits) -> CliffordAction:
    """Return the action of the word itself: a sign where it anticommutes."""
    swapped = np.asarray(word).reshape(-1, 2)[:, ::-1].reshape(-1)
    return CliffordAction(np.eye(len(word), dtype=int), 2 * swapped)


def pack_actions(actions: Sequence[CliffordAction], num_wires: int) -> np.ndarray:
    """Write actions as masks of all or no bits for `qjax.states.tableau.conjugate`.

    Args:
        actions: Actions on up to `num_wires` wires; narrower ones leave the last ones.

    Returns:
        Shape (actions, 2 k, 4 k + 2), uint32: images, phases' low and high bits, order.
    """
    size = 2 * num_wires
    packed = np.zeros((len(actions), size, 2 * size + 2), np.uint32)
    for action, rows in zip(actions, packed, strict=True):
        own = 2 * action.num_wires
        rows[:, :size] = np.eye(size)
        rows[:own, :own] = action.images
        rows[:own, size] = action.phases & 1
        rows[:own, size + 1] = action.phases >> 1
        rows[:own, size + 2 : size + 2 + own] = action.order
    return np.uint32(0) - packed


def _nearest_word(matrix: np.ndarray, num_wires: int) -> tuple[Bits, int]:
    """Read bits and phase off a matrix that should be i^k X^x Z^z."""
    x = int(abs(matrix[:, 0]).argmax())
    first = matrix[x, 0]
    phase = round(np.angle(first) / (np.pi / 2)) % 4
    word = np.zeros(2 * num_wires, int)
    for wire in range(num_wires):
        bit = 1 << (num_wires - 1 - wire)
        word[2 * wire] = bool(x & bit)
        word[2 * wire + 1] = (matrix[x ^ bit, bit] * first.conj()).real < 0
    return word, phase
