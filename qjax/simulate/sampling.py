"""Measuring wires in the computational basis: bits, indices, counts."""

from collections.abc import Callable, Sequence

import jax
from jaxtyping import Array, Int, UInt8

from qjax._checks import check_shots
from qjax._types import Key
from qjax.states.base import AbstractState, resolve_wires
from qjax.states.batch import StateBatch
from qjax.states.sampling import draw, draw_counts
from qjax.states.vector import StateVector


def sample(
    key: Key,
    state: AbstractState | StateBatch,
    shots: int,
    wires: Sequence[int] | None = None,
) -> UInt8[Array, "*batch shots k"]:
    """Measure wires in the computational basis, `shots` times independently.

    Outcomes follow p(x) = <x|rho|x> of the chosen wires, to the rounding of the state:
    `qjax.states.sampling` says how, and bounds the error. Where only indices or counts
    are needed, `sample_indices` and `counts` spare the time to write bits.

    Args:
        key: JAX random key; the same key gives the same shots.
        state: Normalised state of n wires, or a `StateBatch`.
        shots: Number of measurements, at least 1. Static.
        wires: k wires to measure, the others are traced out; None for all. Static.

    Returns:
        Bits of shape (shots, k), after the batch axis of a batch; column j is wires[j].

    Raises:
        ValueError: If `shots` < 1 or a wire is out of range.

    Source: Born rule.

    Example:
        >>> import jax
        >>> from qjax.simulate import sample
        >>> from qjax.states import StateVector
        >>> sample(jax.random.key(1), StateVector.basis((1, 0)), 2).tolist()
        [[1, 0], [1, 0]]
    """
    if isinstance(state, StateBatch):
        return _each(lambda k, one: sample(k, one, shots, wires), key, state)
    return state.sample(key, shots, wires)


def sample_indices(
    key: Key,
    state: AbstractState | StateBatch,
    shots: int,
    wires: Sequence[int] | None = None,
) -> Int[Array, "*batch shots"]:
    """Measure as `sample` does, each outcome as one integer.

    Args:
        key: JAX random key.
        state: Normalised state of n wires, or a `StateBatch`.
        shots: Number of measurements, at least 1. Static.
        wires: k wires to measure, the first the most significant; None for all. Static.

    Returns:
        Integers in [0, 2^k), shape (shots,), after the batch axis of a batch.

    Raises:
        ValueError: If `shots` < 1 or a wire is out of range.

    Example:
        >>> import jax
        >>> from qjax.simulate import sample_indices
        >>> from qjax.states import StateVector
        >>> sample_indices(jax.random.key(1), StateVector.basis((1, 0)), 3).tolist()
        [2, 2, 2]
    """
    check_shots(shots)
    if isinstance(state, StateBatch):
        return _each(lambda k, one: sample_indices(k, one, shots, wires), key, state)
    wires = resolve_wires(wires, state.num_wires)
    return draw(key, state.probabilities(wires).reshape(-1), shots)


def counts(
    key: Key,
    state: AbstractState | StateBatch,
    shots: int,
    wires: Sequence[int] | None = None,
) -> Int[Array, "*batch outcomes"]:
    """Measure as `sample` does and count how often each outcome occurs.

    Args:
        key: JAX random key.
        state: Normalised state of n wires, or a `StateBatch`.
        shots: Number of measurements, at least 1. Static.
        wires: k wires to measure, the first the most significant; None for all. Static.

    Returns:
        Counts of shape (2^k,), after the batch axis of a batch; they sum to `shots`.

    Raises:
        ValueError: If `shots` < 1 or a wire is out of range.

    Example:
        >>> import jax
        >>> from qjax.simulate import counts
        >>> from qjax.states import StateVector
        >>> counts(jax.random.key(1), StateVector.basis((1, 0)), 3).tolist()
        [0, 0, 3, 0]
    """
    check_shots(shots)
    if isinstance(state, StateBatch):
        return _each(lambda k, one: counts(k, one, shots, wires), key, state)
    wires = resolve_wires(wires, state.num_wires)
    return draw_counts(key, state.probabilities(wires).reshape(-1), shots)


def _each(
    function: Callable[[Key, StateVector], Array], key: Key, batch: StateBatch
) -> Array:
    keys = jax.random.split(key, batch.batch)
    return jax.vmap(function)(keys, batch.unstack())
