"""Reading a state exactly: expectations."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax.circuits.observables import (
    AbstractObservable,
    PauliSum,
    Projector,
    check_observable,
)
from qjax.simulate.energy import sum_expectation, sum_expectations, takes_windows
from qjax.states.base import AbstractState
from qjax.states.batch import StateBatch
from qjax.states.vector import StateVector


def expectation(
    state: AbstractState | StateBatch,
    observable: AbstractObservable | Sequence[AbstractObservable],
) -> Float[Array, "*t"]:
    """Return the exact expectation <psi|O|psi> or Tr(O rho).

    Args:
        state: Pure or mixed state of n wires, or a `StateBatch`.
        observable: One observable, or a sequence of t of them.

    Returns:
        A real scalar, or shape (t,) for a sequence; after the batch axis of a batch.

    Raises:
        ValueError: If the observable acts outside the state's wires.
        TypeError: If it is no observable.

    Source: Born rule.

    Example:
        >>> from qjax.circuits import pauli
        >>> from qjax.simulate import expectation
        >>> from qjax.states import StateVector
        >>> float(expectation(StateVector.basis((0, 1)), pauli("ZZ", (0, 1))))
        -1.0
    """
    if isinstance(observable, Sequence):
        some = len(observable) > 0
        require(some, "observable", "hold at least one observable", "empty")
    if isinstance(state, StateBatch):
        return _batch_expectation(state, observable)
    if isinstance(observable, Sequence):
        return _expectations(state, observable)
    observable = check_observable(observable, state.num_wires)
    if isinstance(observable, PauliSum):
        if isinstance(state, StateVector) and takes_windows(state, observable):
            return sum_expectation(state, observable)
        values = state.expect_paulis(*observable.masks(state.num_wires))
        return jnp.sum(values * cast_like(observable.coefficients, values))
    if isinstance(observable, Projector):
        return state.probabilities(observable.wires)[observable.bits]
    reduced = state.reduced(observable.wires)
    matrix = jnp.asarray(observable.matrix).astype(reduced.dtype)
    return jnp.sum(matrix * reduced.T).real


def _expectations(
    state: AbstractState, observables: Sequence[AbstractObservable]
) -> Float[Array, " t"]:
    """All words of all sums in one call: those that share an X mask share a pass."""
    sums = [o for o in observables if isinstance(o, PauliSum)]
    if len(sums) < len(observables):
        return jnp.stack([expectation(state, one) for one in observables])
    for one in sums:
        check_observable(one, state.num_wires)
    masks = [one.masks(state.num_wires) for one in sums]
    values = state.expect_paulis(
        tuple(x for xs, _ in masks for x in xs), tuple(z for _, zs in masks for z in zs)
    )
    ends = np.cumsum([len(one.words) for one in sums])
    parts = jnp.split(values, ends[:-1])
    weighted = [
        jnp.sum(part * cast_like(one.coefficients, part))
        for part, one in zip(parts, sums, strict=True)
    ]
    return jnp.stack(weighted)


def _batch_expectation(
    batch: StateBatch, observable: AbstractObservable | Sequence[AbstractObservable]
) -> Float[Array, "batch *t"]:
    if isinstance(observable, Sequence):
        for one in observable:
            check_observable(one, batch.num_wires)
        sums = [one for one in observable if isinstance(one, PauliSum)]
        if len(sums) == len(observable):
            return sum_expectations(batch, sums)
        return jnp.stack([_batch_expectation(batch, o) for o in observable], axis=-1)
    observable = check_observable(observable, batch.num_wires)
    if isinstance(observable, PauliSum):
        return sum_expectation(batch, observable)
    return jax.vmap(lambda state: expectation(state, observable))(batch.unstack())


def cast_like(values: Array | np.ndarray, like: Array) -> Array:
    """Return numbers in the dtype of others."""
    return jnp.asarray(values).astype(like.dtype)
