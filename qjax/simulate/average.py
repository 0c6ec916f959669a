"""Averages over trajectories: of a fixed number, or of as many as an error needs."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from qjax._checks import check_shots, checked, require
from qjax._memory import require_fits
from qjax._types import ArrayLike, Key, is_traced
from qjax.circuits.circuit import Circuit
from qjax.circuits.observables import AbstractObservable, Hermitian, PauliSum
from qjax.simulate.estimate import estimate
from qjax.simulate.measure import expectation
from qjax.simulate.shared import share_run, shares_run
from qjax.simulate.trajectory import trajectory
from qjax.states.base import AbstractState
from qjax.statistics import Estimate, Moments, mean_and_stderr, score_function_mean

Observables = AbstractObservable | Sequence[AbstractObservable]

_BATCH_BYTES = {"cpu": 2**16}
_BATCH_BYTES_ELSEWHERE = 2**26
"""Default size of a batch of states: within a core's cache, or enough for a device."""

_LOOK_EVERY = 128
"""Default number of trajectories between two looks at the error."""


class StoppedEstimate(eqx.Module):
    """A sampled number whose sample size was decided by its error bar.

    Attributes:
        mean: Estimated value.
        stderr: Bound on its error that the sample size was chosen by.
        num_trajectories: Number of histories taken.
        reached: Whether the error bar became as small as was asked.
    """

    mean: Float[Array, "*t"]
    stderr: Float[Array, "*t"]
    num_trajectories: Int[Array, ""]
    reached: Bool[Array, ""]


def average_trajectories(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    num_trajectories: int,
    *,
    shots: int | None = None,
    batch_size: int | None = None,
) -> Estimate:
    """Estimate Tr(O E(rho)) by independent trajectories, with an unbiased gradient.

    Reverse-mode differentiation of the mean gives
    E[d<O>/dt + <O> d ln(p)/dt], the score-function estimator with a leave-one-out
    baseline over all trajectories, which is unbiased for d Tr(O E_t(rho)) / dt. Where
    errors are rare its variance is far above that of
    `qjax.gradients.trajectory_gradient`, which takes the likeliest history exactly:
    use that one for the gradient with respect to a weak noise's strength, and where
    probabilities depend on the state (damping).

    Where all that is random are the Pauli channels of `qjax.noise`, at most one
    `Repeat` deep, trajectories of a `StateVector` of 8 wires or more share the matrices
    of the circuit and one noiseless run, up to the first error of each: the same values
    to rounding, several times as fast. The noiseless states kept take up to 64 MiB.
    A derivative takes every trajectory by itself.

    Args:
        key: JAX random key; trajectory i uses `fold_in(key, i)`.
        circuit: Circuit of n wires, noisy or not.
        state: Initial state of n wires.
        observable: O, or a sequence of t of them, all taken from the same trajectories.
        num_trajectories: Number of histories, at least 1; with one, stderr is NaN.
        shots: Measurements of O on each trajectory's final state; None takes its exact
            expectation.
        batch_size: Trajectories done at the same time, at least 1: memory is theirs,
            in the gradient too, where each batch is run again. The results are the same
            to rounding. None fits the states to the cache of a CPU core (64 KiB), or
            takes 64 MiB of them on another device.

    Returns:
        Estimate whose stderr covers trajectories and shots together; a scalar, or shape
        (t,) for a sequence.

    Raises:
        ValueError: If a number is below 1 or the widths differ.

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, h, pauli
        >>> from qjax.simulate import average_trajectories
        >>> from qjax.states import StateVector
        >>> key, circuit = jax.random.key(1), Circuit([h(0)], 1)
        >>> zero = StateVector.zeros(1)
        >>> x = average_trajectories(key, circuit, zero, pauli("X", 0), 10)
        >>> round(float(x.mean), 5), x.shots
        (1.0, 10)
    """
    check_shots(num_trajectories, "num_trajectories")
    values, log_probs = sampled_values(
        key,
        circuit,
        state,
        observable,
        jnp.int32(0),
        shots=shots,
        number=num_trajectories,
        batch_size=batch_size,
    )
    spread = mean_and_stderr(jax.lax.stop_gradient(values))
    mean = score_function_mean(values, log_probs)
    return Estimate(mean, spread.stderr, num_trajectories * (shots or 1))


def average_until(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    *,
    target_stderr: ArrayLike,
    max_trajectories: int,
    shots: int | None = None,
    batch_size: int | None = None,
    min_batches: int = 4,
) -> StoppedEstimate:
    """Estimate Tr(O E(rho)) by as many trajectories as a standard error asks for.

    Batches are added until e = sqrt(s^2 / N + (w / N)^2) <= target for each observable,
    where N counts trajectories, s^2 is their variance and w bounds the range of O. The
    second term, gone for large N, is the change that one unlike trajectory would make:
    without it, trajectories in which no rare error has happened yet would agree and
    pass for exact.

    To stop by the data itself costs: runs whose spread is small by chance stop early.
    The interval mean +- 1.96 s / sqrt(N) then covers less than 95 %, the more so the
    fewer and the more skewed the values are, and `mean` is biased by a small part of
    the target. e is returned as the error, and its second term makes up for that. Where
    neither may be, average as many trajectories of another key.

    Args:
        key: JAX random key; trajectory i uses `fold_in(key, i)`, so the mean is that of
            `average_trajectories` with as many trajectories.
        circuit: Circuit of n wires.
        state: Initial state of n wires.
        observable: O, or a sequence of t of them; then all must reach the target.
        target_stderr: Positive: a scalar, or shape (t,) for a sequence.
        max_trajectories: Never take more than this number.
        shots: Measurements of O on each final state; None for its exact expectation.
        batch_size: Trajectories between two looks at the error, at least 1. None takes
            128, or fewer if the maximum asks for it. No more are done at the same time
            than `average_trajectories` would.
        min_batches: Batches to take before the first stop, at least 1.

    Returns:
        Estimate, number of trajectories taken, and whether the target was reached.

    Raises:
        ValueError: If a number is out of range, the maximum is less than `min_batches`
            batches, or the widths differ.
        TypeError: If differentiated: the number of trajectories is no smooth function.
            Use `average_trajectories` with the number found.

    Source: Chow and Robbins, Ann. Math. Stat. 36, 457 (1965).

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, h, pauli
        >>> from qjax.noise import depolarizing
        >>> from qjax.simulate import average_until
        >>> from qjax.states import StateVector
        >>> noisy = Circuit([h(0), depolarizing(0.2, 0)], 1)
        >>> found = average_until(jax.random.key(1), noisy, StateVector.zeros(1),
        ...     pauli("X", 0), target_stderr=0.02, max_trajectories=10_000)
        >>> bool(found.reached), abs(float(found.mean) - 0.8) < 0.1
        (True, True)
    """
    check_shots(max_trajectories, "max_trajectories")
    check_shots(min_batches, "min_batches")
    size = max(1, min(_LOOK_EVERY, max_trajectories // min_batches))
    if batch_size is not None:
        check_shots(batch_size, "batch_size")
        size = batch_size
    rule = f"be at least {min_batches} batches of {size}"
    enough = max_trajectories >= min_batches * size
    require(enough, "max_trajectories", rule, max_trajectories)
    circuit, state, observable = _constant((circuit, state, observable))
    histories = _histories(key, circuit, state, observable, shots)
    shape = jax.eval_shape(histories, jnp.zeros(1, jnp.int32))[0]
    shape = jax.ShapeDtypeStruct(shape.shape[1:], shape.dtype)
    positive = checked(target_stderr, lambda t: t > 0, "target_stderr", "be positive")
    target = jnp.asarray(positive).astype(shape.dtype)
    fits = target.shape in ((), shape.shape)
    rule = f"be a scalar or have shape {shape.shape}"
    require(fits, "target_stderr", rule, f"of shape {target.shape}")
    target = jnp.broadcast_to(target, shape.shape)
    each = observable if isinstance(observable, Sequence) else [observable]
    width = jnp.stack([_width(o, shape.dtype) for o in each]).reshape(shape.shape)

    def error(moments: Moments) -> Float[Array, "*t"]:
        unlike = width / moments.count.astype(shape.dtype)
        return jnp.hypot(moments.stderr(), unlike)

    def unfinished(moments: Moments) -> Bool[Array, ""]:
        done = jnp.all(error(moments) <= target) & (moments.count >= min_batches * size)
        return ~done & (moments.count + size <= max_trajectories)

    def add_batch(moments: Moments) -> Moments:
        together = _batch(None, state, size)
        values, _ = _in_batches(lambda i: histories(moments.count + i), size, together)
        return moments.merge(Moments.of(values))

    zero = jnp.zeros(shape.shape, shape.dtype)
    empty = Moments(jnp.int32(0), zero, zero)
    total = jax.lax.while_loop(unfinished, add_batch, empty)
    stderr = error(total)
    return StoppedEstimate(total.mean, stderr, total.count, jnp.all(stderr <= target))


_Histories = Callable[[Int[Array, " b"]], tuple[Array, Array]]
"""Maps numbers of trajectories to their values and ln probabilities."""


def sampled_values(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    first: Int[Array, ""],
    *,
    shots: int | None,
    number: int,
    batch_size: int | None,
) -> tuple[Float[Array, "s *t"], Float[Array, " s"]]:
    """Return values and ln probabilities of trajectories first .. first + number."""
    size = _batch(batch_size, state, number)
    return _sampled(
        key, circuit, state, observable, first, shots=shots, number=number, size=size
    )


@eqx.filter_custom_jvp
def _sampled(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    first: Int[Array, ""],
    *,
    shots: int | None,
    number: int,
    size: int,
) -> tuple[Float[Array, "s *t"], Float[Array, " s"]]:
    histories = _histories(key, circuit, state, observable, shots)
    return _in_batches(lambda i: histories(first + i), number, size)


@_sampled.def_jvp
def _sampled_jvp(primals: PyTree, tangents: PyTree, **options: Any) -> PyTree:
    """Differentiate the trajectories run one by one: shared ones have no derivative."""

    def alone(
        key: Any, circuit: Any, state: Any, observable: Any, first: Any
    ) -> PyTree:
        shots = options["shots"]
        histories = _histories(key, circuit, state, observable, shots, share=False)
        number, size = options["number"], options["size"]
        return _in_batches(lambda i: histories(first + i), number, size)

    return eqx.filter_jvp(alone, primals, tangents)


def _histories(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    shots: int | None,
    *,
    share: bool = True,
) -> _Histories:
    """Prepare trajectories; those of Pauli noise share what they can, or need not."""
    if shots is not None:
        check_shots(shots)

    def measure(shot_key: Key, final: AbstractState) -> Array:
        if shots is None:
            return expectation(final, observable)
        if not isinstance(observable, Sequence):
            return estimate(shot_key, final, observable, shots).mean
        keys = jax.random.split(shot_key, len(observable))
        pairs = zip(keys, observable, strict=True)
        return jnp.stack([estimate(k, final, o, shots).mean for k, o in pairs])

    def keys_of(number: Array) -> Array:
        return jax.random.split(jax.random.fold_in(key, number))

    def alone(number: Array) -> tuple[Array, Array]:
        path_key, shot_key = keys_of(number)
        final, record = trajectory(path_key, circuit, state)
        return measure(shot_key, final), record.log_prob

    if not (share and shares_run(circuit, state)):
        return jax.vmap(alone)
    shared = share_run(circuit, state)

    def together(numbers: Int[Array, " b"]) -> tuple[Array, Array]:
        keys = jax.vmap(keys_of)(numbers)
        finals, log_probs = shared.trajectories(keys[:, 0])
        return jax.vmap(measure)(keys[:, 1], finals), log_probs

    return together


def _in_batches(
    histories: _Histories, number: int, size: int
) -> tuple[Float[Array, "s *t"], Float[Array, " s"]]:
    """Do `number` histories, `size` or fewer at a time, all batches equally large."""
    batches = -(-number // size)
    if batches == 1:
        return histories(jnp.arange(number, dtype=jnp.int32))
    size = -(-number // batches)
    index = jnp.arange(batches * size, dtype=jnp.int32).reshape(batches, size)
    # The gradient runs a batch again rather than keep what it computed.
    batch = jax.checkpoint(histories, prevent_cse=False)
    values, log_probs = jax.lax.map(batch, index)
    merged = values.reshape(batches * size, *values.shape[2:])
    return merged[:number], log_probs.reshape(-1)[:number]


def _batch(batch_size: int | None, state: AbstractState, most: int) -> int:
    if batch_size is not None:
        check_shots(batch_size, "batch_size")
        many = min(batch_size, most)
        what = f"A batch of {many} trajectories of {state.num_wires} wires"
        one = 4 * _state_bytes(state)
        require_fits(many * one, what, [(one, "take a smaller `batch_size`")])
        return many
    size = _state_bytes(state)
    limit = _BATCH_BYTES.get(jax.default_backend(), _BATCH_BYTES_ELSEWHERE)
    return max(1, min(limit // size, most))


def _state_bytes(state: AbstractState) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))


def _width(observable: AbstractObservable, dtype: np.dtype) -> Float[Array, ""]:
    """Bound the difference of any two values of an observable."""
    if isinstance(observable, PauliSum):
        varying = np.asarray([bool(word) for word in observable.words])
        coefficients = jnp.asarray(observable.coefficients).astype(dtype)
        return 2 * jnp.sum(jnp.abs(coefficients[varying]))
    if isinstance(observable, Hermitian):
        # The largest and the smallest eigenvalue differ by at most sqrt(2) |H|_F.
        norm = jnp.linalg.norm(jnp.asarray(observable.matrix))
        return jnp.sqrt(2 * norm.astype(dtype) ** 2)
    return jnp.ones((), dtype)  # a projector


def _constant(tree: PyTree) -> PyTree:
    """Return the tree; to differentiate with respect to a leaf is an error.

    The mean would be seen as a function of the sampled values alone: a wrong slope.
    """
    return jax.tree.map(lambda x: _leaf_constant(x) if is_traced(x) else x, tree)


@jax.custom_jvp
def _leaf_constant(value: Array) -> Array:
    return value


@_leaf_constant.defjvp
def _refuse(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    raise TypeError(
        "Result of `average_until` cannot be differentiated: the number of "
        "trajectories is no smooth function; use `average_trajectories` with it."
    )
