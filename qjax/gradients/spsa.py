"""Simultaneous perturbation: two values for a whole gradient, however many entries."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from qjax._checks import check_shots, checked
from qjax._types import ArrayLike, Key
from qjax.gradients.estimate import GradientEstimate, flatten, in_batches
from qjax.statistics import Moments


def spsa(
    key: Key,
    value_fn: Callable[[Key, Any], Array],
    params: PyTree,
    *,
    radius: ArrayLike,
    num_samples: int,
    batch_size: int | None = None,
) -> GradientEstimate:
    """Estimate a gradient from values at pairs of randomly displaced parameters.

    g = mean over D of D (f(x + r D) - f(x - r D)) / (2 r), where D has independent
    entries +1 or -1. E[g] = grad f + O(r^2); entry i has at least the variance
    sum_{j != i} (df/dx_j)^2 for each pair, whatever the shots.

    Args:
        key: JAX random key. Displacements and values draw from different keys, and the
            two values of a pair are independent.
        value_fn: Maps a key and the parameters to a real scalar; ignore the key if the
            value is exact.
        params: Pytree of p real floating numbers in all.
        radius: r > 0, in the unit of the parameters.
        num_samples: Pairs, at least 1; with one, the standard error is NaN. Static.
        batch_size: Pairs evaluated at the same time; None takes all.

    Returns:
        Gradient with standard errors; `samples` is the number of pairs.

    Raises:
        ValueError: If `radius` is not positive or `num_samples` < 1.

    Source: Spall, IEEE Trans. Autom. Control 37, 332 (1992).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.gradients import spsa
        >>> def value(key, x):
        ...     return jnp.sum(x**2)
        >>> found = spsa(
        ...     jax.random.key(1), value, jnp.asarray([1.0]), radius=0.1, num_samples=4
        ... )
        >>> round(float(found.mean[0]), 4)
        2.0
    """
    check_shots(num_samples, "num_samples")
    flat, unravel = flatten(params)
    radius = checked(radius, lambda r: r > 0, "radius", "be positive")
    step = jnp.asarray(radius).astype(flat.dtype)

    def one(sample_key: Key) -> Float[Array, " p"]:
        sign_key, up_key, down_key = jax.random.split(sample_key, 3)
        signs = jax.random.rademacher(sign_key, flat.shape, flat.dtype)
        up = value_fn(up_key, unravel(flat + step * signs))
        down = value_fn(down_key, unravel(flat - step * signs))
        return (up - down).astype(flat.dtype) / (2 * step) * signs

    keys = jax.random.split(key, num_samples)
    moments = Moments.of(in_batches(one, (keys,), batch_size))
    return GradientEstimate(
        unravel(moments.mean), unravel(moments.stderr()), num_samples
    )
