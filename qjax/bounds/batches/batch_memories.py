"""Batches of queries about independent answers, read from one simulated memory.

A batch memory is a table of two-qubit registers, one per message; the register holds
the copies that a query uses. Everything a bound on batches speaks of is computed from
the simulated states: plug-in entropies of sampled answers would be biased upwards, so
the Holevo information comes from density matrices only.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float
from numpy.typing import NDArray

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.bounds.information import depolarizing_capacity
from qjax.bounds.memory.instances import product_states
from qjax.bounds.memory.structure import (
    acceptances,
    holevo_information,
    noisy_states,
    storage_noise,
)
from qjax.circuits import Circuit

REGISTER_WIRES = 2
MAX_MESSAGES, MAX_EFFECTS = 8, 12
# Every table is padded to these sizes, so that each engine function compiles once.


def generator(key: Key) -> np.random.Generator:
    """NumPy's generator seeded by a JAX key: no compilation for each shape drawn."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())


@dataclasses.dataclass(frozen=True)
class BatchMemory:
    """Answers X_1, ..., X_B of a message, and the memory that holds them.

    Attributes:
        register: Noiseless state of all copies for each message, shape (messages, 4,
            4); qubits that hold no copy are in a fixed state.
        prior: Probability of each message, shape (messages,).
        digits: Which value X_j has in a message, shape (messages, B).
        values: Values of X_j, shape (B, a).
        wires: m, qubits of one copy; they come first in the register.
        copies: c; m c is at most 2.
        effects: POVM of each query on the register, shape (B, outcomes, 4, 4); None for
            the measurement that explains most variance, found after the noise.

    Raises:
        ValueError: If the copies do not fit into the register.
    """

    register: NDArray[np.complex128]
    prior: NDArray[np.float64]
    digits: NDArray[np.int64]
    values: NDArray[np.float64]
    wires: int = 1
    copies: int = 1
    effects: NDArray[np.complex128] | None = None

    def __post_init__(self):
        total = self.wires * self.copies
        rule = f"fill at most {REGISTER_WIRES} qubits with its copies"
        require(1 <= total <= REGISTER_WIRES, "wires", rule, total)


def _pad(table: NDArray, size: int) -> NDArray:
    return np.concatenate([table, np.repeat(table[-1:], size - len(table), axis=0)])


def prepare(angles: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Registers of Rz(phi) Ry(theta) |0> on both wires, run on the engine.

    Args:
        angles: (theta, phi), shape (messages, 2, 2), at most 8 messages.
    """
    padded = product_states(
        _pad(np.asarray(angles, float), MAX_MESSAGES), np.complex128
    )
    return np.asarray(padded)[: len(angles)]


@eqx.filter_jit
def _run_noise(
    states: Complex[Array, "messages d d"], noise: Circuit
) -> Complex[Array, "messages d d"]:
    return noisy_states(states, noise)


@eqx.filter_jit
def _run_queries(
    states: Complex[Array, "messages d d"], effects: Complex[Array, "effects d d"]
) -> Float[Array, "effects messages"]:
    return acceptances(states, effects)


def noisy_register(
    register: NDArray[np.complex128], survival: float, layers: int
) -> NDArray[np.complex128]:
    """T layers of one-qubit depolarizing noise on both wires of every register."""
    noise = storage_noise(survival, 1, REGISTER_WIRES)
    states = jnp.asarray(_pad(register, MAX_MESSAGES))
    for _ in range(layers):
        states = _run_noise(states, noise)
    return np.asarray(states)[: len(register)]


def outcome_table(
    states: NDArray[np.complex128], effects: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Tr M_y rho_x on the engine, shape (queries, outcomes, messages)."""
    flat = effects.reshape(-1, *effects.shape[-2:])
    padded = _pad(flat, MAX_EFFECTS), _pad(states, MAX_MESSAGES)
    table = _run_queries(jnp.asarray(padded[1]), jnp.asarray(padded[0]))
    table = np.asarray(table)[: len(flat), : len(states)]
    return np.clip(table, 0, 1).reshape(*effects.shape[:2], len(states))


def projective(bases: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Rank-one effects |u_y><u_y| of bases whose columns are u_y: one more axis, y."""
    kets = bases.swapaxes(-1, -2)
    return kets[..., :, None] * kets[..., None, :].conj()


def best_bases(
    states: NDArray[np.complex128],
    prior: NDArray[np.float64],
    answers: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """Bases in which measuring explains most of the variance of each answer.

    With D_j = E (X_j - E X_j) rho_X and the mean state s, the measurement is that of
    L_j, where (s L_j + L_j s)/2 = D_j; it explains Tr s L_j^2.

    Args:
        states: Shape (..., messages, d, d).
        prior: Shape (..., messages).
        answers: X_j of each message, shape (..., B, messages).

    Returns:
        Unitaries whose columns are the basis, shape (..., B, d, d).

    Source: S. D. Personick, IEEE Trans. Inf. Theory 17, 240 (1971).

    Example:
        >>> import numpy as np
        >>> pair = np.stack([np.diag([0.9, 0.1]), np.diag([0.2, 0.8])]).astype(complex)
        >>> basis = best_bases(pair, np.array([0.5, 0.5]), np.array([[1.0, -1.0]]))
        >>> np.abs(basis[0]).round(6)
        array([[0., 1.],
               [1., 0.]])
    """
    mean = np.einsum("...x,...xij->...ij", prior, states)
    centred = answers - np.einsum("...x,...bx->...b", prior, answers)[..., None]
    moved = np.einsum("...x,...bx,...xij->...bij", prior, centred, states)
    weights, vectors = np.linalg.eigh(mean)
    vectors = vectors[..., None, :, :]
    inside = vectors.conj().swapaxes(-1, -2) @ moved @ vectors
    sums = weights[..., :, None] + weights[..., None, :]
    # Outside the mean state's support every outcome has probability 0.
    inverse = np.where(sums > 1e-12, 2 / np.where(sums > 1e-12, sums, 1), 0)
    solution = inside * inverse[..., None, :, :]
    hermitian = (solution + solution.conj().swapaxes(-1, -2)) / 2
    return np.asarray(vectors @ np.linalg.eigh(hermitian)[1])


def law_statistics(
    joint: NDArray[np.float64],
    values: NDArray[np.float64],
    used: NDArray[np.bool_],
    variances: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """What B1 and its corollaries say about laws of (X_j, Y_j), over leading axes.

    Args:
        joint: P(X_j = value v, Y_j = y), shape (..., B, a, outcomes).
        values: Shape (..., B, a).
        used: Which of the B queries there are, shape (..., B).
        variances: Var X_j where X_j has more values than the law distinguishes.

    Returns:
        By symbol name: S = sum V_j/r_j^2, V = mean V_j, r = largest r_j, I = sum of
        I(X_j;Y_j) in bits, Phi = mean phi(Delta_j) and Delta = mean V_j/Var X_j, delta
        = mean error of the likeliest value, g = geometric mean of MMSE_j/Var X_j.

    Example:
        >>> import numpy as np
        >>> flipped = np.array([[[0.45, 0.05], [0.05, 0.45]]])  # a bit, error 0.1
        >>> found = law_statistics(flipped, np.array([[1.0, -1.0]]), np.array([True]))
        >>> found["Delta"].round(6), found["delta"].round(6)
        (np.float64(0.64), np.float64(0.1))
    """
    outcome, marginal = joint.sum(axis=-2), joint.sum(axis=-1)
    mean = np.sum(marginal * values, axis=-1)
    seen = outcome > 0
    sums = np.sum(joint * values[..., None], axis=-2)
    given = np.where(seen, sums / np.where(seen, outcome, 1), mean[..., None])
    explained = np.sum(outcome * (given - mean[..., None]) ** 2, axis=-1)
    spread = np.sum(marginal * (values - mean[..., None]) ** 2, axis=-1)
    spread = np.where(used, spread if variances is None else variances, 1.0)
    high = np.where(marginal > 0, values, -np.inf).max(axis=-1)
    reach = high - np.where(marginal > 0, values, np.inf).min(axis=-1)
    reach = np.where(used, reach, 1.0)
    share = np.where(used, explained / spread, 0.0)
    share = np.clip(share, 0, 1)
    count = used.sum(axis=-1)
    error = np.where(used, 1 - joint.max(axis=-2).sum(axis=-1), 0)
    with np.errstate(divide="ignore"):  # a known answer: log 0 = -inf, g = 0
        left = np.exp(np.sum(np.log1p(-share), axis=-1) / count)
    found = {
        "S": np.sum(np.where(used, explained / reach**2, 0), axis=-1),
        "V": np.sum(np.where(used, explained, 0), axis=-1) / count,
        "r": np.where(used, reach, 0).max(axis=-1),
        "I": np.sum(np.where(used, _mutual_information(joint), 0), axis=-1),
        "Phi": np.sum(depolarizing_capacity(np.sqrt(share)), axis=-1) / count,
        "Delta": np.sum(share, axis=-1) / count,
        "delta": np.clip(np.sum(error, axis=-1) / count, 0, 1),
        "g": left,
    }
    return {name: np.asarray(value) for name, value in found.items()}


def _mutual_information(joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """sum P ln(P/Q) + Q - P in bits, Q the product law: every term is >= 0."""
    product = joint.sum(axis=-1)[..., None] * joint.sum(axis=-2)[..., None, :]
    possible = product > 0
    excess = np.where(possible, joint / np.where(possible, product, 1) - 1, 0)
    ratio = np.maximum(excess, -1)
    logs = np.log1p(np.where(ratio > -1, ratio, 0))
    terms = product * ((1 + ratio) * logs - ratio)
    return np.asarray(terms.sum(axis=(-2, -1)) / math.log(2))


def joint_law(table: NDArray[np.float64], memory: BatchMemory) -> NDArray[np.float64]:
    """P(X_j = v, Y_j = y) from Born probabilities, shape (B, a, outcomes)."""
    size = memory.values.shape[1]
    is_value = memory.digits.T[:, :, None] == np.arange(size)
    return np.einsum("x,bxv,byx->bvy", memory.prior, is_value.astype(float), table)


def copy_states(register: NDArray[np.complex128], wires: int) -> NDArray[np.complex128]:
    """States of the first copy: the register's second qubit traced out if m = 1."""
    if wires == REGISTER_WIRES:
        return register
    parts = register.reshape(*register.shape[:-2], 2, 2, 2, 2)
    return np.asarray(np.einsum("...iaja->...ij", parts))


def batch_values(
    memory: BatchMemory,
    survival: float = 1.0,
    layers: int = 1,
    variances: NDArray[np.float64] | None = None,
) -> Mapping[str, Any]:
    """Simulate a batch memory under storage noise: values of every symbol of B1.

    Args:
        memory: The encodings and measurements.
        survival: lambda per layer.
        layers: T.
        variances: Var X_j, where `values` are means over bins of a continuous X_j.

    Returns:
        B, c, m, a, lam, T, chi of one copy, p (probability that one measurement of the
        first query's basis names the whole message), and those of `law_statistics`.
    """
    states = noisy_register(memory.register, survival, layers)
    effects = memory.effects
    if effects is None:
        answers = np.stack(
            [row[digits] for row, digits in
             zip(memory.values, memory.digits.T, strict=True)]
        )  # fmt: skip
        effects = projective(best_bases(states, memory.prior, answers))
    table = outcome_table(states, effects)
    used = np.ones(memory.digits.shape[1], dtype=bool)
    found = law_statistics(joint_law(table, memory), memory.values, used, variances)
    single = copy_states(states, memory.wires)
    guessed = np.max(memory.prior * table[0], axis=1).sum()
    return {
        **{name: float(value) for name, value in found.items()},
        "chi": max(0.0, holevo_information(single, memory.prior)),
        "B": len(used), "c": memory.copies, "m": memory.wires,
        "a": memory.values.shape[1], "lam": survival, "T": layers,
        "p": min(1.0, float(guessed)),
    }  # fmt: skip


def wrong_guesses(
    key: Key, memory: BatchMemory, survival: float, layers: int, shots: int
) -> int:
    """Run queries on fresh copies and count wrong guesses of the likeliest value.

    Each run draws a query, a message and an outcome with the simulated probabilities.

    Args:
        key: JAX random key.
        memory: With explicit effects.
        survival: lambda per layer.
        layers: T.
        shots: Runs, at least 1.

    Raises:
        ValueError: If `shots` < 1 or the memory names no effects.
    """
    check_shots(shots)
    require(memory.effects is not None, "memory", "have explicit effects", None)
    states = noisy_register(memory.register, survival, layers)
    table = outcome_table(states, np.asarray(memory.effects))
    joint = joint_law(table, memory)
    guess = joint.argmax(axis=1)  # the rule is fixed before any shot
    steps = np.cumsum(joint.reshape(-1) / len(joint))
    uniform = generator(key).random(shots) * steps[-1]
    draws = np.minimum(np.searchsorted(steps, uniform, side="right"), joint.size - 1)
    query, value, outcome = np.unravel_index(draws, joint.shape)
    return int(np.sum(guess[query, outcome] != value))
