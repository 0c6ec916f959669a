"""What a sampled gradient is reported as, and how its samples are batched."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from qjax._checks import check_shots, require


class GradientEstimate(eqx.Module):
    """A sampled gradient with the standard error of each entry.

    Attributes:
        mean: Estimated gradient, a pytree like the parameters.
        stderr: Standard error of each entry of `mean`, same structure.
        samples: Number of samples (trajectories, shots or pairs) spent. Static.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.gradients import GradientEstimate
        >>> slope = GradientEstimate({"a": jnp.ones(2)}, {"a": jnp.zeros(2)}, 10)
        >>> slope.mean["a"].shape, slope.samples
        ((2,), 10)
    """

    mean: PyTree
    stderr: PyTree
    samples: int = eqx.field(static=True)


def flatten(params: PyTree) -> tuple[Float[Array, " p"], Callable[[Array], PyTree]]:
    """Return the parameters as one vector, and the map back; refuse integers."""
    flat, unravel = ravel_pytree(params)
    real = jnp.issubdtype(flat.dtype, jnp.floating)
    require(flat.size > 0 and real, "params", "hold real floating numbers", flat.dtype)
    return flat, unravel


def in_batches(function: Callable[..., Any], xs: Any, batch_size: int | None) -> Any:
    """Map over leading axes: all at once, or `batch_size` at a time to save memory."""
    if batch_size is None:
        return jax.vmap(function)(*xs)
    check_shots(batch_size, "batch_size")
    return jax.lax.map(lambda x: function(*x), xs, batch_size=batch_size)
