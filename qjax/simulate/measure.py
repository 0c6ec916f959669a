"""Reading a state: exact expectations, samples, and estimates with error bars."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from qjax._checks import check_shots, check_wires
from qjax._linalg import dagger
from qjax._types import Key
from qjax.circuits.builders import h, sdg
from qjax.circuits.observables import (
    AbstractObservable,
    Hermitian,
    PauliSum,
    Projector,
    commuting_groups,
)
from qjax.states.base import AbstractState, draw_index, index_to_bits
from qjax.statistics import Estimate, mean_and_stderr, score_function_mean


def expectation(
    state: AbstractState, observable: AbstractObservable | Sequence[AbstractObservable]
) -> Float[Array, "*t"]:
    """Return the exact expectation <psi|O|psi> or Tr(O rho).

    Args:
        state: Pure or mixed state of n wires.
        observable: One observable, or a sequence of t of them.

    Returns:
        A real scalar, or shape (t,) for a sequence.

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
        return jnp.stack([expectation(state, one) for one in observable])
    observable = _check_observable(observable, state)
    if isinstance(observable, PauliSum):
        values = state.expect_paulis(*observable.masks(state.num_wires))
        return jnp.sum(values * _cast(observable.coefficients, values))
    if isinstance(observable, Projector):
        return state.probabilities(observable.wires)[observable.bits]
    reduced = state.reduced(observable.wires)
    matrix = jnp.asarray(observable.matrix).astype(reduced.dtype)
    return jnp.sum(matrix * reduced.T).real


def sample(key: Key, state: AbstractState, shots: int) -> UInt8[Array, "shots n"]:
    """Measure all wires in the computational basis, `shots` times independently.

    Args:
        key: JAX random key; the same key gives the same shots.
        state: Normalised state of n wires.
        shots: Number of measurements, at least 1. Static.

    Returns:
        Bits of shape (shots, n); column 0 is wire 0.

    Raises:
        ValueError: If `shots` < 1.

    Source: Born rule, p(x) = |<x|psi>|^2.

    Example:
        >>> import jax
        >>> from qjax.simulate import sample
        >>> from qjax.states import StateVector
        >>> sample(jax.random.key(1), StateVector.basis((1, 0)), 2).tolist()
        [[1, 0], [1, 0]]
    """
    return state.sample(key, shots)


def estimate(
    key: Key, state: AbstractState, observable: AbstractObservable, shots: int
) -> Estimate:
    """Estimate an expectation by measurements, with its standard error.

    A PauliSum is split into groups that share one basis on every wire; each group gets
    `shots` measurements. A Hermitian matrix is measured in its eigenbasis. The mean's
    gradient with respect to the state is unbiased (score function with leave-one-out
    baseline); eigenvectors and eigenvalues of a Hermitian count as constants there.

    Args:
        key: JAX random key.
        state: Normalised state of n wires.
        observable: O.
        shots: Measurements for each group, at least 1; with one, stderr is NaN. Static.

    Returns:
        Estimate(mean, stderr, shots) with `shots` the total over groups.

    Raises:
        ValueError: If `shots` < 1 or the observable acts outside the state's wires.

    Source: grouping: Kandala et al., Nature 549, 242 (2017).

    Example:
        >>> import jax
        >>> from qjax.circuits import pauli
        >>> from qjax.simulate import estimate
        >>> from qjax.states import StateVector
        >>> zero = StateVector.zeros(1)
        >>> result = estimate(jax.random.key(1), zero, pauli("Z", 0), shots=10)
        >>> float(result.mean), float(result.stderr), result.shots
        (1.0, 0.0, 10)
    """
    check_shots(shots)
    observable = _check_observable(observable, state)
    if isinstance(observable, PauliSum):
        return _estimate_pauli_sum(key, state, observable, shots)
    if isinstance(observable, Projector):
        target = int("".join(map(str, observable.bits)), 2)
        outcomes = np.arange(2 ** len(observable.wires)) == target
        return _estimate_outcomes(key, state, observable.wires, outcomes, shots)
    matrix = jnp.asarray(observable.matrix).astype(state.dtype)
    values, vectors = jnp.linalg.eigh(jax.lax.stop_gradient(matrix))
    rotated = state.apply_matrix(dagger(vectors), observable.wires)
    return _estimate_outcomes(key, rotated, observable.wires, values, shots)


def _estimate_pauli_sum(
    key: Key, state: AbstractState, observable: PauliSum, shots: int
) -> Estimate:
    real_dtype = jnp.finfo(state.dtype).dtype
    coefficients = jnp.asarray(observable.coefficients).astype(real_dtype)
    mean = jnp.zeros((), real_dtype)
    variance = jnp.zeros((), real_dtype)
    groups = commuting_groups(observable.words)
    for group, members in enumerate(groups):
        basis = {w: a for j in members for w, a in observable.words[j]}
        wires = tuple(sorted(basis))
        rotated = state
        for wire, letter in basis.items():
            if letter == "Y":
                rotated = rotated.apply_matrix(sdg(wire).matrix(), (wire,))
            if letter in "XY":
                rotated = rotated.apply_matrix(h(wire).matrix(), (wire,))
        probabilities = rotated.probabilities(wires).reshape(-1)
        index, log_probs = draw_index(
            jax.random.fold_in(key, group), probabilities, shots
        )
        signs = 1 - 2 * index_to_bits(index, len(wires)).astype(real_dtype)
        values = jnp.zeros((shots,), real_dtype)
        for j in members:
            columns = np.asarray([wires.index(w) for w, _ in observable.words[j]], int)
            product = jnp.prod(signs[:, columns], axis=1)
            values = values + coefficients[j] * product
        part = _summarise(values, log_probs)
        mean, variance = mean + part.mean, variance + part.stderr**2
    return Estimate(mean, jnp.sqrt(variance), shots * len(groups))


def _estimate_outcomes(
    key: Key,
    state: AbstractState,
    wires: Sequence[int],
    outcomes: Array | np.ndarray,
    shots: int,
) -> Estimate:
    """Average the value that each basis state of `wires` stands for."""
    probabilities = state.probabilities(wires).reshape(-1)
    index, log_probs = draw_index(key, probabilities, shots)
    return _summarise(_cast(outcomes, probabilities)[index], log_probs)


def _summarise(values: Float[Array, " s"], log_probs: Float[Array, " s"]) -> Estimate:
    spread = mean_and_stderr(jax.lax.stop_gradient(values))
    return Estimate(score_function_mean(values, log_probs), spread.stderr, spread.shots)


def _cast(values: Array | np.ndarray, like: Array) -> Array:
    return jnp.asarray(values).astype(like.dtype)


def _check_observable(
    observable: AbstractObservable, state: AbstractState
) -> PauliSum | Projector | Hermitian:
    if not isinstance(observable, PauliSum | Projector | Hermitian):
        raise TypeError(
            "Argument `observable` must be a PauliSum, Projector or Hermitian, "
            f"but is {type(observable).__name__}."
        )
    check_wires(observable.wires, state.num_wires, "observable.wires")
    return observable
