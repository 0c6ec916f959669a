"""The same statistics in mpmath: what a float64 violation must survive to count.

Near the maximally mixed state, entropies differ by less than their rounding errors, and
a float64 "violation" of 1e-10 says nothing. This path shares no code with the engine.
"""

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np

from qjax.bounds.structure import membership_table


def precise_statistics(
    states: np.ndarray, effects: np.ndarray, num_blocks: int, block_size: int,
    survival: float, digits: int = 50,
) -> Mapping[str, Any]:  # fmt: skip
    """Member, other and Holevo again, in mpmath, for states given as float64 arrays.

    The arrays stand for the exact numbers they hold; each state is made Hermitian and
    of trace one, each effect Hermitian with its spectrum clipped to [0, 1], at `digits`
    digits. Noise is applied as a Kraus sum over Paulis, not by the engine.

    Args:
        states: Shape (b^n, d, d), before noise.
        effects: Shape (n b, d, d).
        num_blocks: n.
        block_size: b.
        survival: lambda, of one layer on every qubit.
        digits: Working precision.

    Returns:
        {"p": ..., "a": ..., "chi": ...} as mpmath numbers.
    """
    with mpmath.workdps(digits):
        noisy = [_precise_noise(_precise_state(rho), survival) for rho in states]
        clipped = [_precise_effect(effect) for effect in effects]
        member = membership_table(num_blocks, block_size)
        table = [[mpmath.re(_trace(m, rho)) for rho in noisy] for m in clipped]
        sums = {True: mpmath.mpf(0), False: mpmath.mpf(0)}
        for row, inside in zip(table, member, strict=True):
            for value, flag in zip(row, inside, strict=True):
                sums[bool(flag)] += value
        average = sum(noisy[1:], noisy[0]) / len(noisy)
        mean = mpmath.fsum(_precise_entropy(rho) for rho in noisy) / len(noisy)
        return {
            "p": sums[True] / int(member.sum()),
            "a": sums[False] / int((~member).sum()),
            "chi": _precise_entropy(average) - mean,
        }


def _precise_state(rho: np.ndarray) -> mpmath.matrix:
    matrix = mpmath.matrix(rho.tolist())
    matrix = (matrix + matrix.H) / 2
    return matrix / mpmath.re(_trace(matrix, mpmath.eye(matrix.rows)))


def _precise_effect(effect: np.ndarray) -> mpmath.matrix:
    matrix = mpmath.matrix(effect.tolist())
    values, vectors = mpmath.eighe((matrix + matrix.H) / 2)
    clipped = mpmath.diag([min(max(value, 0), 1) for value in values])
    return vectors * clipped * vectors.H


def _precise_noise(rho: mpmath.matrix, survival: float) -> mpmath.matrix:
    """One-qubit depolarizing on every qubit: (1+3l)/4 identity, (1-l)/4 each Pauli."""
    survival = mpmath.mpf(survival)
    paulis = [[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    for wire in range(rho.rows.bit_length() - 1):
        total = rho * (1 + 3 * survival) / 4
        left, right = 2**wire, rho.rows // 2 ** (wire + 1)
        for pauli in paulis:
            full = np.kron(np.kron(np.eye(left), pauli), np.eye(right))
            operator = mpmath.matrix(full.tolist())
            total += operator * rho * operator.H * (1 - survival) / 4
        rho = total
    return rho


def _trace(first: mpmath.matrix, second: mpmath.matrix) -> Any:
    return mpmath.fsum(
        first[i, j] * second[j, i] for i in range(first.rows) for j in range(first.rows)
    )


def _precise_entropy(rho: mpmath.matrix) -> mpmath.mpf:
    values = mpmath.eighe(rho, eigvals_only=True)
    return -mpmath.fsum(v * mpmath.log(v, 2) for v in values if v > 0)
