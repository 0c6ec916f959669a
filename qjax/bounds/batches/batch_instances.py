"""Simulated batch memories: one bit per qubit, access codes, copies, quantised normals.

Angles are (theta, phi) of Rz(phi) Ry(theta) |0>; a qubit without content stays |0>.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom

from qjax._checks import require
from qjax.bounds.batches.batch_memories import (
    BatchMemory,
    batch_values,
    copy_states,
    noisy_register,
    outcome_table,
    prepare,
)
from qjax.bounds.information import depolarizing_capacity
from qjax.bounds.memory.instances import TETRAHEDRON
from qjax.bounds.memory.structure import entropy_bits, holevo_information

ZERO = np.diag([1.0, 0.0]).astype(complex)
IDENTITY = np.eye(2, dtype=complex)
PAULI_X = np.array([[0, 1], [1, 0]], dtype=complex)
PAULI_Y = np.array([[0, -1j], [1j, 0]])
PAULI_Z = np.diag([1.0, -1.0]).astype(complex)


def words(count: int, size: int = 2) -> NDArray[np.int64]:
    """All messages x_1 ... x_B with x_j < a, shape (a^B, B)."""
    return np.array(list(itertools.product(range(size), repeat=count)))


def _sides(axis: NDArray, wire: int) -> NDArray:
    """The two outcomes of a Pauli axis on one wire of the register."""
    halves = [(IDENTITY + sign * axis) / 2 for sign in (1, -1)]
    pairs = [(half, IDENTITY) if wire == 0 else (IDENTITY, half) for half in halves]
    return np.stack([np.kron(*pair) for pair in pairs])


def stored_bits(count: int, low: float = 1.0, high: float = -1.0) -> BatchMemory:
    """One bit per qubit, m = B, in the computational basis, each read in it.

    With depolarizing noise lambda: Delta_j = lambda^2 and chi = B kappa(lambda).

    Args:
        count: B, 1 or 2.
        low, high: X_j for a stored 0 and 1.
    """
    digits = words(count)
    angles = np.zeros((len(digits), 2, 2))
    angles[:, :count, 0] = math.pi * digits
    effects = np.stack([_sides(PAULI_Z, wire) for wire in range(count)])
    values = np.tile([low, high], (count, 1))
    uniform = np.full(len(digits), 1 / len(digits))
    return BatchMemory(prepare(angles), uniform, digits, values, count, 1, effects)


def access_code(count: int, copies: int = 1) -> BatchMemory:
    """B = 2 or 3 bits in one qubit on orthogonal Bloch axes; Delta_j = 1/B.

    Args:
        count: B.
        copies: 1: query j measures axis j. 2: both copies are measured together, by the
            measurement that explains most.

    Source: Ambainis, Nayak, Ta-Shma and Vazirani, J. ACM 49, 496 (2002).
    """
    require(count in (2, 3), "count", "be 2 or 3", count)
    digits = words(count)
    vectors = (1 - 2 * digits) / math.sqrt(count)
    third = vectors[:, 2] if count == 3 else np.zeros(len(digits))
    angles = np.zeros((len(digits), 2, 2))
    angles[:, 0] = np.stack(
        [np.arccos(vectors[:, 1]), np.arctan2(third, vectors[:, 0])], axis=-1
    )
    if copies == 2:
        angles[:, 1] = angles[:, 0]
    axes = (PAULI_X, PAULI_Z, PAULI_Y)[:count]
    effects = np.stack([_sides(axis, 0) for axis in axes])
    uniform = np.full(len(digits), 1 / len(digits))
    signs = np.tile([1.0, -1.0], (count, 1))
    chosen = effects if copies == 1 else None
    return BatchMemory(prepare(angles), uniform, digits, signs, 1, copies, chosen)


def copied_bit() -> BatchMemory:
    """One bit in one qubit, of which the query measures two copies together."""
    angles = np.zeros((2, 2, 2))
    angles[1, :, 0] = math.pi
    signs = np.array([[1.0, -1.0]])
    return BatchMemory(prepare(angles), np.full(2, 0.5), words(1), signs, 1, 2)


def untouched_coins(count: int) -> BatchMemory:
    """B independent fair coins and a memory that holds nothing about them."""
    digits = words(count)
    register = prepare(np.zeros((len(digits), 2, 2)))
    effects = np.stack([_sides(PAULI_Z, 0)] * count)
    signs = np.tile([1.0, -1.0], (count, 1))
    uniform = np.full(len(digits), 1 / len(digits))
    return BatchMemory(register, uniform, digits, signs, 1, 1, effects)


def repeated_answer() -> BatchMemory:
    """X_1 = X_2, one fair bit in one qubit: the answers are not independent."""
    angles = np.zeros((2, 2, 2))
    angles[1, 0, 0] = math.pi
    digits = np.array([[0, 0], [1, 1]])
    effects = np.stack([_sides(PAULI_Z, 0)] * 2)
    signs = np.tile([1.0, -1.0], (2, 1))
    return BatchMemory(prepare(angles), np.full(2, 0.5), digits, signs, 1, 1, effects)


def basis_effects() -> NDArray[np.complex128]:
    """Both wires in the computational basis: four outcomes."""
    return np.stack([np.diag(row) for row in np.eye(4)]).astype(complex)[None]


def stored_symbol(size: int, error: float = 0.0) -> BatchMemory:
    """One of a = 2, 3 or 4 symbols in two qubits, replaced by another at random.

    The encoder mixes: with probability `error` it stores one of the other symbols,
    uniformly. Then Fano's inequality is an equality.

    Args:
        size: a.
        error: delta in [0, 1].
    """
    codes = words(2)[:size]
    angles = np.zeros((size, 2, 2))
    angles[:, :, 0] = math.pi * codes
    mixing = np.full((size, size), error / (size - 1))
    np.fill_diagonal(mixing, 1 - error)
    register = np.einsum("xs,sij->xij", mixing, prepare(angles))
    digits = np.arange(size)[:, None]
    values = np.arange(size, dtype=float)[None]
    uniform = np.full(size, 1 / size)
    return BatchMemory(register, uniform, digits, values, 2, 1, basis_effects())


def named_word(count: int) -> BatchMemory:
    """B bits, one per qubit, read all at once: the first measurement names the word."""
    bits = stored_bits(count)
    effects = np.repeat(basis_effects(), count, axis=0)
    return BatchMemory(
        bits.register, bits.prior, bits.digits, bits.values, count, 1, effects
    )


def named_corner(angles: NDArray[np.float64]) -> BatchMemory:
    """Two bits in one qubit: a corner of the tetrahedron each, measured by all four.

    Args:
        angles: (theta, phi) of the four corners.
    """
    rows = np.zeros((4, 2, 2))
    rows[:, 0] = angles
    register = prepare(rows)
    corners = copy_states(register, 1)
    effects = np.stack([np.kron(rho / 2, IDENTITY) for rho in corners])
    digits = words(2)
    signs = np.tile([1.0, -1.0], (2, 1))
    povm = np.stack([effects, effects])
    return BatchMemory(register, np.full(4, 0.25), digits, signs, 1, 1, povm)


def normal_bins(
    thresholds: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities and means of a standard normal variable between thresholds.

    P = Phi(t') - Phi(t) and E[X | bin] = (f(t) - f(t'))/P with the density f.

    Args:
        thresholds: Increasing, shape (..., a - 1).

    Returns:
        Both of shape (..., a).

    Example:
        >>> import numpy as np
        >>> weights, means = normal_bins(np.array([0.0]))
        >>> weights, means.round(4)
        (array([0.5, 0.5]), array([-0.7979,  0.7979]))
    """
    edge = np.full((*thresholds.shape[:-1], 1), np.inf)
    ends = np.concatenate([-edge, thresholds, edge], axis=-1)
    weights = np.diff(ndtr(ends), axis=-1)
    density = np.exp(-(ends**2) / 2) / math.sqrt(2 * math.pi)
    safe = np.where(weights > 0, weights, 1)
    return weights, np.where(weights > 0, -np.diff(density, axis=-1) / safe, 0)


def quantised_values(
    thresholds: tuple[float, ...], count: int, survival: float
) -> Mapping[str, Any]:
    """B standard normal answers, the bin of each in qubits of its own.

    Args:
        thresholds: One (a sign bit per answer, B = 1 or 2) or three (two bits, B = 1).
        count: B.
        survival: lambda of one layer of depolarizing noise.
    """
    weights, means = normal_bins(np.asarray(thresholds))
    bits = stored_bits(2 if len(weights) == 4 else count)
    if len(weights) == 4:
        digits, effects = np.arange(4)[:, None], basis_effects()
        prior = weights
    else:
        digits, effects = bits.digits, bits.effects
        prior = np.prod(weights[digits], axis=1)
    values = np.tile(means, (count, 1))
    memory = BatchMemory(bits.register, prior, digits, values, bits.wires, 1, effects)
    return batch_values(memory, survival, 1, np.ones(count))


def tilted_values(tilt: float) -> Mapping[str, Any]:
    """A standard normal X that tilts one classical bit: P(Y = +-1) = (1 +- tilt X)/2.

    The state is a mixture of two simulated basis states. Integrals over X are
    Gauss-Hermite sums of 80 nodes; where |tilt X| > 1 the mixture is clipped, which at
    tilt 0.1 has probability 10^-23.

    Args:
        tilt: At most 0.1. The posterior variance is 1 - tilt^2 for either outcome.
    """
    require(0 < tilt <= 0.1, "tilt", "lie in (0, 0.1]", tilt)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    lean = np.clip(tilt * nodes, -1, 1)[:, None, None]
    pair = noisy_register(stored_bits(1).register, 1.0, 1)
    table = outcome_table(pair, np.asarray(stored_bits(1).effects))[0]
    single = copy_states(pair, 1)
    states = (1 + lean) / 2 * single[0] + (1 - lean) / 2 * single[1]
    average = np.einsum("x,xij->ij", weights, states)
    chi = float(entropy_bits(average) - weights @ entropy_bits(states))
    rows = (1 + lean[:, 0]) / 2 * table[:, 0] + (1 - lean[:, 0]) / 2 * table[:, 1]
    outcome = weights @ rows
    means = (weights * nodes) @ rows / outcome
    explained = float(outcome @ means**2)
    share = float(depolarizing_capacity(math.sqrt(explained)))
    return {
        "B": 1, "c": 1, "m": 1, "lam": 1.0, "T": 1, "chi": chi,
        "g": 1 - explained, "Delta": explained, "Phi": share,
    }  # fmt: skip


def voting_filter(survival: float, copies: int, votes: int) -> Mapping[str, Any]:
    """The SIC filter of one element in four, asked on c copies, accepted by votes.

    One copy is simulated; the copies are independent, so that the votes are binomial.

    Args:
        survival: lambda of one layer.
        copies: c.
        votes: Acceptances that are needed.

    Returns:
        p and alpha of the vote, chi of one copy, B = 1 and c.
    """
    corners = named_corner(np.asarray(TETRAHEDRON))
    states = noisy_register(corners.register, survival, 1)
    # The four-outcome measurement has half of each corner's projector.
    table = 2 * outcome_table(states, np.asarray(corners.effects))[0]
    member, other = table.trace() / 4, (table.sum() - table.trace()) / 12
    accepted = [float(binom.sf(votes - 1, copies, x)) for x in (member, other)]
    chi = holevo_information(copy_states(states, 1), corners.prior)
    return {
        "p": accepted[0], "alpha": accepted[1], "chi": chi, "B": 1, "c": copies,
    }  # fmt: skip


def superdense_values() -> Mapping[str, Any]:
    """Two bits through one qubit whose partner the querier holds already.

    The first qubit of a Bell pair is turned by one of four Paulis and both are measured
    in the Bell basis; only the first qubit is counted as memory.
    """
    pair = np.array([1, 0, 0, 1]) / math.sqrt(2)
    turns = (IDENTITY, PAULI_X, PAULI_Y, PAULI_Z)
    kets = np.stack([np.kron(turn, IDENTITY) @ pair for turn in turns])
    bells = (kets[:, :, None] * kets[:, None, :].conj()).astype(complex)
    right = outcome_table(bells, bells[None])[0].trace() / 4
    return {"B": 2, "m": 1, "lam": 1.0, "T": 1, "p": min(1.0, float(right))}
