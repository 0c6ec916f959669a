"""Natural gradient as optax transformations for any pytree of parameters."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PyTree

from qjax._checks import require
from qjax._types import Key
from qjax.geometry import AbstractMetric, DenseMetric, parameter_names
from qjax.optim.damping import AbstractDamping, Fixed, Schedule, Spectral, Step
from qjax.statistics import Estimate

Metric = AbstractMetric | Float[Array, "p p"]
MetricFn = Callable[..., Metric]
MetricProductFn = Callable[..., Any]
SampledMetricFn = Callable[..., Estimate | Float[Array, "p p"]]
Damping = float | Schedule | AbstractDamping


class MetricState(NamedTuple):
    """State of `scale_by_metric`: arrays alone, so that it can be written to a file.

    Attributes:
        count: Steps done.
        damping: State of the damping.
        metric: The metric in use where it is kept for several steps, else ().
    """

    count: Int[Array, ""]
    damping: Any
    metric: Any


def scale_by_metric(
    metric_fn: MetricFn,
    damping: Damping,
    *,
    every: int = 1,
    example_batch: PyTree | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Replace the gradient g by (G + damping I)^-1 g.

    Args:
        metric_fn: Maps parameters, and the batch if one is passed, to the symmetric
            positive semi-definite metric in the order of `ravel_pytree(params)`: a
            matrix, or what `qjax.geometry.block_metric`, `diagonal_metric` and
            `low_rank_metric` return.
        damping: Non-negative number added to the diagonal, an optax schedule of it, or
            `LevenbergMarquardt` or `Spectral`.
        every: Steps for which a metric is used before it is computed anew, at least 1.
        example_batch: With `every` > 1, a batch or its shapes, if `metric_fn` takes
            one.

    Returns:
        Transformation whose `update` needs `params`, and takes the batch as the optax
        extra argument `batch` and the loss as `value`; other extra arguments are
        ignored. The metric is cast to the gradient's dtype.

    Raises:
        ValueError: If a number is out of range, or `update` gets no `params`. At run
            time, if the metric is singular and `damping` is 0: a redundant parameter is
            named.

    Source: Amari 1998; Stokes et al., Quantum 4, 269 (2020).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import scale_by_metric
        >>> transform = scale_by_metric(lambda p: jnp.diag(jnp.array([4.0, 0.25])), 0.0)
        >>> params = jnp.zeros(2)
        >>> transform.update(jnp.ones(2), transform.init(params), params)[0].tolist()
        [0.25, 4.0]
    """
    rule = damping if isinstance(damping, AbstractDamping) else Fixed(damping)
    require(every >= 1, "every", "be at least 1", every)

    def compute(params: Any, batch: Any) -> AbstractMetric:
        found = _call(metric_fn, params, batch)
        metric = found if isinstance(found, AbstractMetric) else DenseMetric(found)
        dtype = ravel_pytree(params)[0].dtype
        return jax.tree.map(lambda leaf: leaf.astype(dtype), metric)

    def init(params: Any) -> MetricState:
        kept: Any = ()
        if every > 1:
            shapes = jax.eval_shape(compute, params, example_batch)
            kept = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        start = rule.init(ravel_pytree(params)[0])
        return MetricState(jnp.zeros((), jnp.int32), start, kept)

    def update(
        updates: Any,
        state: MetricState,
        params: Any = None,
        *,
        batch: Any = None,
        value: Any = None,
        **extra: Any,
    ) -> tuple[Any, MetricState]:
        del extra
        _need(params)
        if every == 1:
            metric, kept = compute(params, batch), ()
        else:
            stale = state.count % every != 0
            metric = kept = jax.lax.cond(
                stale, lambda: state.metric, lambda: compute(params, batch)
            )
        flat, unravel = ravel_pytree(updates)
        names = functools.partial(parameter_names, params)
        value = None if value is None else jnp.asarray(value)
        step = Step(metric, flat, ravel_pytree(params)[0], names, state.count, value)
        found, next_damping = rule.solve(step, state.damping)
        return unravel(found), MetricState(state.count + 1, next_damping, kept)

    return optax.GradientTransformationExtraArgs(init, update)


class SampledMetricState(NamedTuple):
    """State of `scale_by_sampled_metric`.

    Attributes:
        count: Steps done.
        key: Data of the JAX key.
        mean: Running mean of the metric.
    """

    count: Int[Array, ""]
    key: Array
    mean: Float[Array, "p p"]


def scale_by_sampled_metric(
    key: Key,
    metric_fn: SampledMetricFn,
    damping: float,
    *,
    memory: float | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Replace the gradient g by (|M| + damping I)^-1 g with a running mean M.

    Estimates of single steps are noisy and need not be positive, so that their mean
    over the steps so far is taken, and the absolute values of its eigenvalues. The mean
    starts from the identity, which counts as one step.

    Args:
        key: JAX random key; each step draws with one of its own.
        metric_fn: Maps a key, parameters, and the batch if one is passed, to an
            estimate of the metric: a matrix, or an `Estimate` such as
            `qjax.geometry.random_metric` and `sampled_metric` return.
        damping: Positive number added to the diagonal.
        memory: Weight of the past in [0, 1); None gives all steps the same weight.

    Returns:
        Transformation like that of `scale_by_metric`.

    Raises:
        ValueError: If a number is out of range, or `update` gets no `params`.

    Source: Gacon et al., Quantum 5, 567 (2021) (QN-SPSA), section 3.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.optim import scale_by_sampled_metric
        >>> def noisy(key, params):
        ...     return 4 * jnp.eye(2)
        >>> key = jax.random.key(1)
        >>> transform = scale_by_sampled_metric(key, noisy, 0.5, memory=0.0)
        >>> params = jnp.zeros(2)
        >>> step, _ = transform.update(jnp.ones(2), transform.init(params), params)
        >>> [round(float(x), 4) for x in step]
        [0.2222, 0.2222]
    """
    require(damping > 0, "damping", "be positive", damping)
    if memory is not None:
        require(0 <= memory < 1, "memory", "lie in [0, 1)", memory)
    rule = Spectral(cutoff=0.0, strength=damping)

    def init(params: Any) -> SampledMetricState:
        flat = ravel_pytree(params)[0]
        mean = jnp.eye(flat.size, dtype=flat.dtype)
        return SampledMetricState(
            jnp.zeros((), jnp.int32), jax.random.key_data(key), mean
        )

    def update(
        updates: Any,
        state: SampledMetricState,
        params: Any = None,
        *,
        batch: Any = None,
        **extra: Any,
    ) -> tuple[Any, SampledMetricState]:
        del extra
        _need(params)
        flat, unravel = ravel_pytree(updates)
        own = jax.random.fold_in(
            jax.random.wrap_key_data(state.key, impl=jax.random.key_impl(key)),
            state.count,
        )
        drawn = _call(metric_fn, own, params, batch)
        drawn = drawn.mean if isinstance(drawn, Estimate) else drawn
        past = jnp.asarray(state.count + 1, flat.dtype)
        weight = past / (past + 1) if memory is None else jnp.asarray(memory)
        weight = weight.astype(flat.dtype)
        mean = weight * state.mean + (1 - weight) * drawn.astype(flat.dtype)
        where = ravel_pytree(params)[0]
        step = Step(DenseMetric(mean), flat, where, list, state.count, None)
        found, _ = rule.solve(step, ())
        return unravel(found), SampledMetricState(state.count + 1, state.key, mean)

    return optax.GradientTransformationExtraArgs(init, update)


def scale_by_metric_product(
    product_fn: MetricProductFn,
    damping: float | Schedule,
    *,
    max_steps: int = 50,
    tolerance: float = 1e-5,
) -> optax.GradientTransformationExtraArgs:
    """Replace the gradient g by (G + damping I)^-1 g, found by conjugate gradients.

    Args:
        product_fn: Maps parameters, a pytree v like them, and the batch if one is
            passed, to G v; for example `qjax.geometry.metric_vp` of a state function.
        damping: Positive number added to the diagonal, or an optax schedule of it.
        max_steps: Cap on the number of products.
        tolerance: Relative residual at which the iteration stops.

    Returns:
        Transformation like that of `scale_by_metric`, without the dense matrix.

    Raises:
        ValueError: If an argument is out of range, or `update` gets no `params`.

    Source: Hestenes and Stiefel 1952.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import scale_by_metric_product
        >>> product = lambda params, v: jnp.asarray([4.0, 0.25]) * v
        >>> transform = scale_by_metric_product(product, damping=1e-6)
        >>> params = jnp.zeros(2)
        >>> step, _ = transform.update(jnp.ones(2), transform.init(params), params)
        >>> [round(float(x), 3) for x in step]
        [0.25, 4.0]
    """
    if not callable(damping):
        require(damping > 0, "damping", "be positive", damping)
    require(max_steps >= 1, "max_steps", "be at least 1", max_steps)
    require(tolerance > 0, "tolerance", "be positive", tolerance)

    def init(params: Any) -> MetricState:
        del params
        return MetricState(jnp.zeros((), jnp.int32), (), ())

    def update(
        updates: Any,
        state: MetricState,
        params: Any = None,
        *,
        batch: Any = None,
        **extra: Any,
    ) -> tuple[Any, MetricState]:
        del extra
        _need(params)
        flat, unravel = ravel_pytree(updates)
        strength = damping(state.count) if callable(damping) else damping
        strength = jnp.asarray(strength).astype(flat.dtype)

        def product(vector: Array) -> Array:
            image = _call(product_fn, params, unravel(vector), batch)
            return ravel_pytree(image)[0].astype(flat.dtype) + strength * vector

        solution, _ = jax.scipy.sparse.linalg.cg(
            product, flat, tol=tolerance, maxiter=max_steps
        )
        return unravel(solution), MetricState(state.count + 1, (), ())

    return optax.GradientTransformationExtraArgs(init, update)


def qng(
    learning_rate: optax.ScalarOrSchedule,
    metric_fn: MetricFn,
    *,
    damping: Damping = 0.01,
    every: int = 1,
    example_batch: PyTree | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Build quantum natural gradient descent: t <- t - rate (G + damping I)^-1 g.

    Args:
        learning_rate: Number or optax schedule.
        metric_fn: As for `scale_by_metric`.
        damping: As for `scale_by_metric`.
        every: As for `scale_by_metric`.
        example_batch: As for `scale_by_metric`.

    Returns:
        optax transformation that needs `params` in `update`.

    Raises:
        ValueError: As `scale_by_metric`.

    Source: Stokes et al., Quantum 4, 269 (2020).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import qng
        >>> optimizer = qng(0.1, lambda params: jnp.eye(2), damping=0.0)
        >>> params = jnp.ones(2)
        >>> optimizer.update(params, optimizer.init(params), params)[0].tolist()
        [-0.10000000149011612, -0.10000000149011612]
    """
    return optax.chain(
        scale_by_metric(metric_fn, damping, every=every, example_batch=example_batch),
        optax.scale_by_learning_rate(learning_rate),
    )


def _need(params: Any) -> None:
    if params is None:
        raise ValueError("Argument `params` must be passed to `update`, but is None.")


def _call(function: Callable[..., Any], *args: Any) -> Any:
    """Call with the batch, the last argument, left out if there is none."""
    return function(*args) if args[-1] is not None else function(*args[:-1])
