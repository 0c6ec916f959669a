"""The same statistics in mpmath: what a float64 violation must survive to count.

Near the maximally mixed state, entropies differ by less than their rounding errors, and
a float64 "violation" of 1e-10 says nothing. This path shares no code with the engine.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np

from qjax.bounds.memory.memory_noise import MEMORY_NOISES, mp_kron
from qjax.bounds.memory.structure import membership_table

Channel = Callable[[mpmath.matrix], mpmath.matrix]


def precise_statistics(
    states: np.ndarray, effects: np.ndarray, num_blocks: int, block_size: int,
    noise: Channel, digits: int = 50,
) -> Mapping[str, Any]:  # fmt: skip
    """Member, other and Holevo again, in mpmath, for states given as float64 arrays.

    The arrays stand for the exact numbers they hold; each state is made Hermitian and
    of trace one, each effect Hermitian with its spectrum clipped to [0, 1], at `digits`
    digits. Noise is applied as a Kraus sum in mpmath, not by the engine.

    Args:
        states: Shape (b^n, d, d), before noise.
        effects: Shape (n b, d, d).
        num_blocks: n.
        block_size: b.
        noise: What happens to each state, for example `precise_noise(...)`.
        digits: Working precision.

    Returns:
        {"p": ..., "a": ..., "chi": ...} as mpmath numbers.
    """
    with mpmath.workdps(digits):
        noisy = [noise(precise_state(rho)) for rho in states]
        clipped = [precise_effect(effect) for effect in effects]
        member = membership_table(num_blocks, block_size)
        table = [[mpmath.re(product_trace(m, rho)) for rho in noisy] for m in clipped]
        sums = {True: mpmath.mpf(0), False: mpmath.mpf(0)}
        for row, inside in zip(table, member, strict=True):
            for value, flag in zip(row, inside, strict=True):
                sums[bool(flag)] += value
        average = sum(noisy[1:], noisy[0]) / len(noisy)
        mean = mpmath.fsum(precise_entropy(rho) for rho in noisy) / len(noisy)
        return {
            "p": snapped(sums[True] / int(member.sum())),
            "a": snapped(sums[False] / int((~member).sum())),
            "chi": precise_entropy(average) - mean,
        }


def precise_state(rho: np.ndarray) -> mpmath.matrix:
    """A density matrix made Hermitian and of trace one, in mpmath."""
    matrix = mpmath.matrix(rho.tolist())
    matrix = (matrix + matrix.H) / 2
    return matrix / mpmath.re(product_trace(matrix, mpmath.eye(matrix.rows)))


def precise_effect(effect: np.ndarray) -> mpmath.matrix:
    """An effect made Hermitian, its spectrum clipped to [0, 1], in mpmath."""
    matrix = mpmath.matrix(effect.tolist())
    values, vectors = mpmath.eighe((matrix + matrix.H) / 2)
    clipped = mpmath.diag([min(max(value, 0), 1) for value in values])
    return vectors * clipped * vectors.H


def snapped(probability: mpmath.mpf) -> mpmath.mpf:
    """A probability within rounding of 0 or 1, put there.

    At p = a = 1 - 1e-50 the mixture p/b + (1 - 1/b) a may round to 1, where the
    relative entropy jumps to infinity: a false violation.
    """
    room = mpmath.mpf(10) ** (8 - mpmath.mp.dps)
    for edge in (mpmath.mpf(0), mpmath.mpf(1)):
        if abs(probability - edge) < room:
            return edge
    return probability


def precise_noise(
    name: str,
    values: Mapping[str, Any],
    layers: int = 1,
    between: Sequence[np.ndarray] = (),
) -> Channel:
    """T layers of a noise of `MEMORY_NOISES` in mpmath, with unitaries between them.

    Args:
        name: Key of `MEMORY_NOISES`.
        values: Parameters of one layer.
        layers: T.
        between: T - 1 unitaries as float64 arrays, or none. Each is made unitary to the
            working precision by Newton's iteration U <- U (3 - U^dagger U)/2.

    Returns:
        A function of an mpmath density matrix, to be called at the working precision.
    """
    row = MEMORY_NOISES[name]

    def apply(rho: mpmath.matrix) -> mpmath.matrix:
        stages = row.stages(values)
        for layer in range(layers):
            for operators in stages:
                rho = _on_every_block(rho, operators, row.block)
            if between and layer < layers - 1:
                turn = _unitary(between[layer])
                rho = turn * rho * turn.H
        return rho

    return apply


def _unitary(matrix: np.ndarray) -> mpmath.matrix:
    found = mpmath.matrix(matrix.tolist())
    for _ in range(3):  # 1e-16 -> 1e-32 -> 1e-64 -> below any precision used
        found = found * (3 * mpmath.eye(found.rows) - found.H * found) / 2
    return found


def _on_every_block(
    rho: mpmath.matrix, operators: list[mpmath.matrix], block: int
) -> mpmath.matrix:
    """Apply Kraus operators to qubits 0.., in blocks; a last part is replaced alone."""
    wires = rho.rows.bit_length() - 1
    for first in range(0, wires, block):
        width = min(block, wires - first)
        local = operators if width == block else _marginal(operators)
        left = mpmath.eye(2**first)
        right = mpmath.eye(2 ** (wires - first - width))
        total = mpmath.zeros(rho.rows)
        for operator in local:
            full = mp_kron(mp_kron(left, operator), right)
            total += full * rho * full.H
        rho = total
    return rho


def _marginal(operators: list[mpmath.matrix]) -> list[mpmath.matrix]:
    """A block's noise on its first qubit alone, the second being maximally mixed."""
    half = mpmath.sqrt(mpmath.mpf(1) / 2)
    return [
        half * mpmath.matrix([[operator[2 * i + k, 2 * j + m] for j in range(2)]
                              for i in range(2)])
        for operator in operators for k in range(2) for m in range(2)
    ]  # fmt: skip


def product_trace(first: mpmath.matrix, second: mpmath.matrix) -> Any:
    """Tr AB."""
    return mpmath.fsum(
        first[i, j] * second[j, i] for i in range(first.rows) for j in range(first.rows)
    )


def precise_entropy(rho: mpmath.matrix) -> mpmath.mpf:
    """Von Neumann entropy in bits, at the working precision."""
    values = mpmath.eighe(rho, eigvals_only=True)
    return -mpmath.fsum(v * mpmath.log(v, 2) for v in values if v > 0)
