"""Forward-mode gradients: for few parameters, without storing the computation."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from qjax.gradients.estimate import flatten, in_batches


def forward_gradient(
    value_fn: Callable[[Any], Array],
    params: PyTree,
    *,
    batch_size: int | None = None,
) -> tuple[Float[Array, "*t"], PyTree]:
    """Return f(params) and df/dparams by forward-mode derivatives.

    One Jacobian-vector product for each of the p parameters, in one batch: time grows
    with p, memory does not grow with the depth of the circuit. Where p is more than
    about four, reverse mode (`jax.grad`) is faster.

    Args:
        value_fn: Maps the parameters to a real scalar or to shape (t,); differentiable.
        params: Pytree of p real floating numbers in all.
        batch_size: Directions done at the same time; None does all.

    Returns:
        The value, and the gradient with the structure of `params`; for values of shape
        (t,) each leaf has the axis t last.

    Raises:
        ValueError: If there are no parameters, or they are not floating.

    Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.gradients import forward_gradient
        >>> params = jnp.asarray([2.0, 3.0])
        >>> value, slope = forward_gradient(lambda x: x[0] * x[1], params)
        >>> float(value), slope.tolist()
        (6.0, [3.0, 2.0])
    """
    flat, unravel = flatten(params)

    def along(direction: Float[Array, " p"]) -> tuple[Array, Array]:
        return jax.jvp(lambda x: value_fn(unravel(x)), (flat,), (direction,))

    directions = jnp.eye(flat.size, dtype=flat.dtype)
    if batch_size is None:
        # The value does not depend on the direction: the batch computes it once.
        value, slopes = jax.vmap(along, out_axes=(None, 0))(directions)
    else:
        values, slopes = in_batches(along, (directions,), batch_size)
        value = values[0]
    if slopes.ndim == 1:
        return value, unravel(slopes.astype(flat.dtype))
    columns = jax.vmap(unravel, in_axes=1, out_axes=-1)(slopes.astype(flat.dtype))
    return value, columns
