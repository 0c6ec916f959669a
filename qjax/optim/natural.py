"""Natural gradient as optax transformations for any pytree of parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from qjax._checks import require

MetricFn = Callable[..., Float[Array, "p p"]]
MetricProductFn = Callable[..., Any]


def scale_by_metric(
    metric_fn: MetricFn, damping: float
) -> optax.GradientTransformationExtraArgs:
    """Replace the gradient g by (G + damping I)^-1 g with a dense metric G.

    Args:
        metric_fn: Maps parameters, and the batch if one is passed, to the symmetric
            positive semi-definite metric in the order of `ravel_pytree(params)`.
        damping: Non-negative number added to the diagonal.

    Returns:
        Transformation whose `update` needs `params` and takes the batch as the optax
        extra argument `batch`; other extra arguments are ignored. The metric is cast to
        the gradient's dtype.

    Raises:
        ValueError: If `damping` is negative, or `update` gets no `params`.

    Source: Amari 1998; Stokes et al., Quantum 4, 269 (2020).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import scale_by_metric
        >>> transform = scale_by_metric(lambda p: jnp.diag(jnp.array([4.0, 0.25])), 0.0)
        >>> params = jnp.zeros(2)
        >>> transform.update(jnp.ones(2), transform.init(params), params)[0].tolist()
        [0.25, 4.0]
    """
    require(damping >= 0, "damping", "be at least 0", damping)

    def solve(gradient: Any, params: Any, batch: Any) -> Any:
        flat, unravel = ravel_pytree(gradient)
        metric = _call(metric_fn, params, batch).astype(flat.dtype)
        shifted = metric + damping * jnp.eye(flat.size, dtype=flat.dtype)
        return unravel(jax.scipy.linalg.solve(shifted, flat, assume_a="pos"))

    return _transformation(solve)


def scale_by_metric_product(
    product_fn: MetricProductFn,
    damping: float,
    *,
    max_steps: int = 50,
    tolerance: float = 1e-5,
) -> optax.GradientTransformationExtraArgs:
    """Replace the gradient g by (G + damping I)^-1 g, found by conjugate gradients.

    Args:
        product_fn: Maps parameters, a pytree v like them, and the batch if one is
            passed, to G v; for example `qjax.geometry.metric_vp` of a state function.
        damping: Positive number added to the diagonal.
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
    require(damping > 0, "damping", "be positive", damping)
    require(max_steps >= 1, "max_steps", "be at least 1", max_steps)
    require(tolerance > 0, "tolerance", "be positive", tolerance)

    def solve(gradient: Any, params: Any, batch: Any) -> Any:
        flat, unravel = ravel_pytree(gradient)

        def product(vector: Array) -> Array:
            image = _call(product_fn, params, unravel(vector), batch)
            return ravel_pytree(image)[0].astype(flat.dtype) + damping * vector

        solution, _ = jax.scipy.sparse.linalg.cg(
            product, flat, tol=tolerance, maxiter=max_steps
        )
        return unravel(solution)

    return _transformation(solve)


def qng(
    learning_rate: optax.ScalarOrSchedule, metric_fn: MetricFn, *, damping: float = 0.01
) -> optax.GradientTransformationExtraArgs:
    """Build quantum natural gradient descent: t <- t - rate (G + damping I)^-1 g.

    Args:
        learning_rate: Number or optax schedule.
        metric_fn: As for `scale_by_metric`.
        damping: Non-negative number added to the diagonal of G.

    Returns:
        optax transformation that needs `params` in `update`.

    Raises:
        ValueError: If `damping` is negative.

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
        scale_by_metric(metric_fn, damping), optax.scale_by_learning_rate(learning_rate)
    )


def _transformation(
    solve: Callable[[Any, Any, Any], Any],
) -> optax.GradientTransformationExtraArgs:
    def init(params: Any) -> optax.EmptyState:
        del params
        return optax.EmptyState()

    def update(
        updates: Any, state: Any, params: Any = None, *, batch: Any = None, **extra: Any
    ) -> tuple[Any, Any]:
        del extra
        if params is None:
            raise ValueError(
                "Argument `params` must be passed to `update`, but is None."
            )
        return solve(updates, params, batch), state

    return optax.GradientTransformationExtraArgs(init, update)


def _call(function: Callable[..., Any], *args: Any) -> Any:
    """Call with the batch, the last argument, left out if there is none."""
    return function(*args) if args[-1] is not None else function(*args[:-1])
