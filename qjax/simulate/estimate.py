"""Expectations by measurements, with error bars and unbiased gradients."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from qjax._checks import check_shots, require
from qjax._linalg import dagger
from qjax._types import Key
from qjax.circuits.grouping import Setting, measurement_settings
from qjax.circuits.observables import (
    AbstractObservable,
    PauliSum,
    Projector,
    check_observable,
)
from qjax.simulate.gates import apply_unitary
from qjax.simulate.measure import cast_like
from qjax.states.base import AbstractState
from qjax.states.mps import MPS
from qjax.states.sampling import draw_index
from qjax.statistics import Estimate, mean_and_stderr, score_function_mean


def estimate(
    key: Key,
    state: AbstractState,
    observable: AbstractObservable,
    shots: int | Sequence[int],
    *,
    grouping: str = "qubit-wise",
) -> Estimate:
    """Estimate an expectation by measurements, with its standard error.

    A PauliSum is split into groups of words that one measurement gives together: the
    mean is sum_g mean_s sum_{j in g} c_j P_j(s), and since each shot contributes the
    sum over its group, covariances within a group are part of the error. A Hermitian
    matrix is measured in its eigenbasis. The mean's gradient with respect to the state
    is unbiased (score function with leave-one-out baseline); eigenvectors and
    eigenvalues of a Hermitian count as constants there.

    Args:
        key: JAX random key.
        state: Normalised state of n wires.
        observable: O.
        shots: Measurements for each group, at least 1; with one, stderr is NaN. Or one
            number for each group, as `qjax.circuits.allocate_shots` gives them. Static.
        grouping: "qubit-wise", or "general" for fewer groups with entangling gates
            before the measurement; see `qjax.circuits.commuting_groups`.

    Returns:
        Estimate(mean, stderr, shots) with `shots` the total over groups.

    Raises:
        ValueError: If `shots` < 1 or there are not as many as groups, the observable
            acts outside the state's wires, or the grouping is unknown.

    Source: grouping: Kandala et al., Nature 549, 242 (2017); general: Gokhale et al.,
        arXiv:1907.13623.

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
    observable = check_observable(observable, state.num_wires)
    if isinstance(observable, PauliSum):
        settings = measurement_settings(observable.words, grouping)
        numbers = _shots_of_groups(shots, len(settings))
        return _estimate_pauli_sum(key, state, observable, settings, numbers)
    (number,) = _shots_of_groups(shots, 1)
    if isinstance(observable, Projector):
        target = int("".join(map(str, observable.bits)), 2)
        outcomes = np.arange(2 ** len(observable.wires)) == target
        return _estimate_outcomes(key, state, observable.wires, outcomes, number)
    matrix = jnp.asarray(observable.matrix).astype(state.dtype)
    values, vectors = jnp.linalg.eigh(jax.lax.stop_gradient(matrix))
    rotated = state.apply_matrix(dagger(vectors), observable.wires)
    return _estimate_outcomes(key, rotated, observable.wires, values, number)


def _shots_of_groups(shots: int | Sequence[int], groups: int) -> list[int]:
    if not isinstance(shots, Sequence):
        check_shots(shots)
        return [shots] * groups
    for number in shots:
        check_shots(number)
    rule = f"be one number, or {groups}, one for each group"
    require(len(shots) == groups, "shots", rule, shots)
    return list(shots)


def _estimate_pauli_sum(
    key: Key,
    state: AbstractState,
    observable: PauliSum,
    settings: Sequence[Setting],
    shots: Sequence[int],
) -> Estimate:
    real_dtype = jnp.finfo(state.dtype).dtype
    coefficients = jnp.asarray(observable.coefficients).astype(real_dtype)
    mean = jnp.zeros((), real_dtype)
    variance = jnp.zeros((), real_dtype)
    for group, (setting, number) in enumerate(zip(settings, shots, strict=True)):
        rotated = state
        for operation in setting.operations:
            rotated = apply_unitary(operation, rotated)
        own = coefficients[np.asarray(setting.members)]
        draw_key = jax.random.fold_in(key, group)
        if isinstance(rotated, MPS):
            bits = rotated.sample(draw_key, number)
            values = _word_values_of_bits(setting, own, bits)
            log_probs = rotated.log_probabilities(bits)
        else:
            weights = rotated.probabilities(setting.wires).reshape(-1)
            index, log_probs = draw_index(draw_key, weights, number)
            values = _word_values(setting, own, index)
        part = _summarise(values, log_probs)
        mean, variance = mean + part.mean, variance + part.stderr**2
    return Estimate(mean, jnp.sqrt(variance), sum(shots))


def _word_values(
    setting: Setting, coefficients: Float[Array, " t"], index: Int[Array, " s"]
) -> Float[Array, " s"]:
    """Return sum_j c_j P_j for each outcome."""
    masks = jnp.asarray(setting.masks, jnp.int32)
    signs = jnp.asarray(setting.signs, coefficients.dtype)

    def add(total: Array, word: tuple[Array, Array]) -> tuple[Array, None]:
        mask, coefficient = word
        odd = jax.lax.population_count(index & mask) & 1
        return total + jnp.where(odd == 1, -coefficient, coefficient), None

    zeros = jnp.zeros(index.shape, coefficients.dtype)
    # A loop, since a sum may have thousands of words.
    return jax.lax.scan(add, zeros, (masks, signs * coefficients))[0]


def _word_values_of_bits(
    setting: Setting, coefficients: Float[Array, " t"], bits: UInt8[Array, "s n"]
) -> Float[Array, " s"]:
    """As `_word_values`, of outcomes on too many wires for an integer."""
    last = len(setting.wires) - 1
    table = [
        [mask >> (last - k) & 1 for k in range(last + 1)] for mask in setting.masks
    ]
    measured = bits[:, np.asarray(setting.wires)].astype(jnp.int32)
    odd = jnp.matmul(measured, jnp.asarray(np.asarray(table, np.int32)).T) % 2
    signs = jnp.asarray(setting.signs, coefficients.dtype)
    values = (1 - 2 * odd).astype(coefficients.dtype)
    return jnp.sum(values * (signs * coefficients)[None], axis=1)


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
    return _summarise(cast_like(outcomes, probabilities)[index], log_probs)


def _summarise(values: Float[Array, " s"], log_probs: Float[Array, " s"]) -> Estimate:
    spread = mean_and_stderr(jax.lax.stop_gradient(values))
    return Estimate(score_function_mean(values, log_probs), spread.stderr, spread.shots)
