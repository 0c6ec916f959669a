"""Memories with local updates: what t touched qubits can write into the whole.

An insert is a channel on t qubits A of a memory AR whose state before does not depend
on the element; noise may follow on A. Updates and noise run on the engine; examples
are in `update_structures`.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.memory.structure import entropy_bits
from qjax.bounds.sampling import BernoulliTest, Counts
from qjax.circuits import Channel, Circuit, Unitary
from qjax.noise import depolarizing
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

PAULIS = np.asarray(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
)
"""I, X, Y, Z."""

# Every call of the engine has one of these shapes, padded: a compilation costs a second
# and a wasted qubit nothing.
_ROWS, _WIDTH, _OPERATORS, _MIXED_WIRES, _KET_WIRES = 64, 2, 4, 4, 8


@dataclasses.dataclass(frozen=True)
class LocalUpdates:
    """One channel on t qubits for each of N' elements, and one test for each.

    Attributes:
        memory: State before the update, a ket of shape (d,) or a density matrix.
        kraus: Operators on the touched qubits, at most four each, shape (N', k, e, e)
            with e = 2^t and t = 1 or 2.
        touched: Touched wires of each element, first wire leading, shape (N', t).
        effects: Accepting POVM elements, shape (N', d, d), or None: each element's
            test is then the projector on what its own (unitary) update leaves.
        choices: m: wires among which the touched ones are chosen.
        name: For reports.

    Raises:
        ValueError: If the shapes do not fit together.

    Source: theory of bounds, section 3.4 (A6).
    """

    memory: np.ndarray
    kraus: np.ndarray
    touched: np.ndarray
    effects: np.ndarray | None
    choices: int
    name: str

    def __post_init__(self):
        elements, width = self.touched.shape
        count = self.kraus.shape[1]
        fits = self.kraus.shape == (elements, count, 2**width, 2**width)
        fits = fits and count <= _OPERATORS and width <= _WIDTH
        rule = f"have at most 4 operators on {width} <= 2 wires for {elements} elements"
        require(fits, "kraus", rule, f"of shape {self.kraus.shape}")

    @property
    def width(self) -> int:
        """t, the touched qubits."""
        return self.touched.shape[1]


@eqx.filter_jit
def _channels(
    memories: Complex[Array, "rows d d"], kraus: Complex[Array, "rows k e e"]
) -> Complex[Array, "rows d d"]:
    """A channel of its own for each density matrix, on the leading wires."""

    def one(memory, operators):
        channel = Channel(operators, tuple(range(_WIDTH)), "Update")
        return run(Circuit((channel,), _MIXED_WIRES), _density(memory)).matrix()

    return jax.vmap(one)(memories, kraus)


@eqx.filter_jit
def _noise_layer(
    memories: Complex[Array, "rows d d"], survival: Float[Array, "rows w"]
) -> Complex[Array, "rows d d"]:
    """Depolarizing noise on the leading wires, of a strength of its own for each."""

    def one(memory, levels):
        noise = tuple(depolarizing(1 - levels[w], w) for w in range(_WIDTH))
        return run(Circuit(noise, _MIXED_WIRES), _density(memory)).matrix()

    return jax.vmap(one)(memories, survival)


@eqx.filter_jit
def _unitaries(
    kets: Complex[Array, "rows d"], matrices: Complex[Array, "rows e e"]
) -> Complex[Array, "rows d"]:
    """A unitary of its own for each ket, on the leading wires."""

    def one(ket, matrix):
        gate = Unitary(matrix, tuple(range(_WIDTH)))
        state = StateVector(ket.reshape((2,) * _KET_WIRES))
        return run(Circuit((gate,), _KET_WIRES), state).vector()

    return jax.vmap(one)(kets, matrices)


def _density(matrix: Complex[Array, "d d"]) -> DensityMatrix:
    return DensityMatrix(matrix.reshape((2,) * (2 * _MIXED_WIRES)))


def _front(states: np.ndarray, touched: np.ndarray, inverse: bool) -> np.ndarray:
    """Move each state's touched wires to the front, or back again."""
    count, sides = states.shape[1].bit_length() - 1, states.ndim - 1
    moved = np.empty_like(states)
    for row in np.unique(touched, axis=0):
        chosen = np.flatnonzero((touched == row).all(axis=1))
        order = [*row, *(w for w in range(count) if w not in row)]
        order = list(np.argsort(order)) if inverse else order
        axes = [0, *(1 + side * count + w for side in range(sides) for w in order)]
        tensor = states[chosen].reshape(-1, *(2,) * (count * sides))
        moved[chosen] = tensor.transpose(axes).reshape(states[chosen].shape)
    return moved


def _padded(states: np.ndarray, wires: int) -> np.ndarray:
    """States with further wires in |0>, up to a given number."""
    size = 2**wires
    step = size // states.shape[1]
    padded = np.zeros((len(states), *(size,) * (states.ndim - 1)), dtype=complex)
    padded[(slice(None), *(slice(None, None, step),) * (states.ndim - 1))] = states
    return padded


def _in_blocks(function: Any, *arrays: np.ndarray) -> np.ndarray:
    """Call a compiled function on blocks of rows; the last one repeats its first row.

    Repeated rows are dropped again.
    """
    total, parts = len(arrays[0]), []
    for start in range(0, total, _ROWS):
        index = np.arange(start, start + _ROWS)
        index = np.where(index < total, index, start)
        parts.append(np.asarray(function(*(jnp.asarray(a[index]) for a in arrays))))
    return np.concatenate(parts)[:total]


def _wide(kraus: np.ndarray) -> np.ndarray:
    """Operators on two wires, four of each: padded by the identity and by zeros."""
    rows, count, size, _ = kraus.shape
    spare = np.eye(2**_WIDTH // size)
    wide = np.einsum("rkij,ab->rkiajb", kraus, spare)
    padded = np.zeros((rows, _OPERATORS, 2**_WIDTH, 2**_WIDTH), dtype=complex)
    padded[:, :count] = wide.reshape(rows, count, 2**_WIDTH, 2**_WIDTH)
    return padded


def apply_updates(
    memories: np.ndarray,
    kraus: np.ndarray,
    touched: np.ndarray,
    survival: np.ndarray | float = 1.0,
    layers: int = 1,
) -> np.ndarray:
    """Apply a channel to each density matrix, then noise to the qubits it touched.

    Args:
        memories: Density matrices of at most four qubits, shape (k, d, d).
        kraus: Operators on one or two wires, shape (k, r, e, e), r <= 4.
        touched: Wires, first one leading, shape (k, t).
        survival: lambda per layer, in [0, 1], one for all or shape (k,).
        layers: T >= 0.

    Returns:
        Shape (k, d, d).
    """
    step = 2**_MIXED_WIRES // memories.shape[1]
    front = _padded(_front(memories, touched, False), _MIXED_WIRES)
    # Spare wires are last, so that the touched ones stay in front.
    states = _in_blocks(_channels, front, _wide(kraus))
    levels = np.ones((len(memories), _WIDTH))
    levels[:, : touched.shape[1]] = np.broadcast_to(survival, len(memories))[:, None]
    for _ in range(layers):
        states = _in_blocks(_noise_layer, states, levels)
    return _front(states[:, ::step, ::step], touched, True)


def updated_states(
    updates: LocalUpdates, survival: float = 1.0, layers: int = 1
) -> np.ndarray:
    """State of the memory after each element's update and noise on what it touched.

    Args:
        updates: What each element does.
        survival: lambda per layer, in [0, 1].
        layers: T >= 0.

    Returns:
        Shape (N', d, d).
    """
    memory = updates.memory
    if memory.ndim == 1:
        memory = np.outer(memory, memory.conj())
    memories = np.tile(memory, (len(updates.touched), 1, 1))
    kraus, touched = updates.kraus, updates.touched
    return apply_updates(memories, kraus, touched, survival, layers)


def updated_kets(updates: LocalUpdates) -> np.ndarray:
    """Kets after each element's unitary, without noise; shape (N', d).

    Raises:
        ValueError: If the memory is not a ket or an update has several operators.
    """
    unitary = updates.memory.ndim == 1 and updates.kraus.shape[1] == 1
    require(unitary, "updates", "be unitary updates of a ket", updates.name)
    kets = np.tile(updates.memory, (len(updates.touched), 1))
    step = 2**_KET_WIRES // kets.shape[1]
    front = _padded(_front(kets, updates.touched, False), _KET_WIRES)
    after = _in_blocks(_unitaries, front, _wide(updates.kraus)[:, 0])
    return _front(after[:, ::step], updates.touched, True)


def acceptance_table(states: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """Tr M_y rho_x for every element x (row) and query y (column), in [0, 1]."""
    table = np.einsum("xij,yji->xy", states, effects).real
    return np.clip(table, 0, 1)  # rounding may leave [0, 1] by one unit


def named_values(
    table: np.ndarray, chi: float, updates: LocalUpdates, survival: float, layers: int
) -> Mapping[str, Any]:
    """Values of A6's symbols: t, m, K, N, lam, T, p, a and chi = I(X;A'R)."""
    own = np.eye(len(table), dtype=bool)
    member, other = (min(float(table[which].mean()), 1.0) for which in (own, ~own))
    return {
        "t": updates.width, "m": updates.choices,
        "K": math.comb(updates.choices, updates.width), "N": len(table),
        "lam": survival, "T": layers, "p": member, "a": other, "chi": chi,
    }  # fmt: skip


def update_values(
    updates: LocalUpdates, survival: float = 1.0, layers: int = 1
) -> Mapping[str, Any]:
    """Values of A6's symbols for updates of density matrices of at most four qubits.

    Args:
        updates: What each element does.
        survival: lambda per layer on the touched qubits, in [0, 1].
        layers: T.

    Example:
        >>> import jax
        >>> from qjax.bounds.updates.update_structures import bell_inserts
        >>> from qjax.bounds.updates.local_updates import update_values
        >>> with jax.enable_x64(True):
        ...     values = update_values(bell_inserts(1))
        >>> values["t"], values["N"], round(values["chi"], 9)
        (1, 4, 2.0)
    """
    states = updated_states(updates, survival, layers)
    effects = updates.effects
    tests = updated_states(updates, layers=0) if effects is None else effects
    table = acceptance_table(states, tests)
    chi = holevo_bits(states)
    return named_values(table, chi, updates, survival, layers)


def holevo_bits(states: np.ndarray) -> float:
    """Holevo information of the uniform ensemble, in bits."""
    return float(entropy_bits(states.mean(axis=0)) - entropy_bits(states).mean())


def ket_update_values(updates: LocalUpdates) -> Mapping[str, Any]:
    """The same values without noise, from kets: each tested by its own projector.

    chi is the entropy of the Gram matrix over N', which has the mean state's spectrum.
    """
    kets = updated_kets(updates)
    gram = kets.conj() @ kets.T
    chi = float(entropy_bits(gram / len(kets)))
    table = np.clip(np.abs(gram) ** 2, 0, 1)
    return named_values(table, chi, updates, 1.0, 1)


def update_test(
    build: Callable[[], LocalUpdates], survival: float = 1.0
) -> BernoulliTest:
    """The Monte-Carlo test of updates: p at its lower limit, a at its upper one.

    Each shot draws an element, a query that is (is not) that element, and the outcome
    of its test on a fresh copy. chi is absent: a plug-in entropy would be biased.

    Args:
        build: Returns the updates.
        survival: lambda of one layer on the touched qubits.
    """

    @functools.cache
    def table() -> np.ndarray:
        updates = build()
        states, effects = updated_states(updates, survival), updates.effects
        own = updated_states(updates, layers=0) if effects is None else effects
        return acceptance_table(states, own)

    @functools.cache
    def exact() -> dict[str, Any]:
        values = dict(named_values(table(), math.nan, build(), survival, 1))
        values.pop("chi")
        return values

    def rates() -> Sequence[float]:
        return exact()["p"], exact()["a"]

    def count(key: Key, shots: int) -> Counts:
        chances, counts = table(), []
        size = len(chances)
        for part, low in zip(jax.random.split(key), (0, 1), strict=True):
            keys = jax.random.split(part, 3)
            stored = np.asarray(jax.random.randint(keys[0], (shots,), 0, size))
            shift = jax.random.randint(keys[1], (shots,), low, size if low else 1)
            chance = chances[stored, (stored + np.asarray(shift)) % size]
            outcome = np.asarray(jax.random.uniform(keys[2], (shots,)))
            counts.append(int(np.sum(outcome < chance)))
        return counts[0], counts[1]

    def values(limits: Sequence[Any]) -> Mapping[str, Any]:
        low, high = limits
        return {**exact(), "p": low, "a": np.minimum(high, low)}

    return BernoulliTest(rates, count, ("lower", "upper"), values)
