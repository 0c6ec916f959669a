"""Parts that Kraus operators are put together from, and checks of their strengths."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import as_float, check_wires, checked, require
from qjax._linalg import real_to_complex
from qjax._types import ArrayLike, is_traced
from qjax.circuits import Channel


def scalars(*values: ArrayLike) -> list[Array]:
    """Return scalars as floating arrays of one dtype: callers mix widths under x64."""
    arrays = [as_float(value, "strength") for value in values]
    for array in arrays:
        rule = "be a scalar (batch a builder with jax.vmap)"
        require(array.ndim == 0, "strength", rule, f"of shape {array.shape}")
    dtype = np.result_type(*(array.dtype for array in arrays))
    return [array.astype(dtype) for array in arrays]


def together(*values: ArrayLike) -> Any:
    """Stack scalars, on the host if all are concrete: they then fail at trace time."""
    if any(is_traced(value) for value in values):
        return jnp.stack(scalars(*values))
    return np.stack([np.asarray(value) for value in values])


def with_remainder(*probabilities: ArrayLike, name: str) -> Float[Array, " k"]:
    """Put the remaining probability in front, or report that none remains."""

    def holds(stack: Any) -> Any:
        return stack.sum() <= 1 + 1e-6  # sums of rounded float32 may pass 1

    stack = checked(together(*probabilities), holds, name, "be at most 1 in sum")
    values = jnp.stack(scalars(*stack))
    return jnp.concatenate([(1 - jnp.sum(values))[None], values])


def mixture(
    weights: Float[Array, " k"],
    matrices: Complex[np.ndarray, "k d d"] | Float[np.ndarray, "k d d"],
    wires: int | Sequence[int],
    name: str,
) -> Channel:
    """Build the channel with Kraus operators sqrt(weights[i]) matrices[i]."""
    roots = real_to_complex(safe_root(weights))
    kraus = roots[:, None, None] * jnp.asarray(matrices, roots.dtype)
    return Channel(kraus, check_wires(wires), name)


def real_channel(
    operators: Sequence[Float[Array, "2 2"]], wire: int, name: str
) -> Channel:
    """Build a one-wire channel from real Kraus operators."""
    return Channel(real_to_complex(jnp.stack(operators)), check_wires(wire), name)


def diagonal(first: Float[Array, ""], second: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Return diag(first, second)."""
    zero = jnp.zeros_like(first)
    return jnp.stack([first, zero, zero, second]).reshape(2, 2)


def matrix_unit(position: int, value: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Return the matrix with one entry, at `position` in row-major order."""
    return jnp.zeros(4, value.dtype).at[position].set(value).reshape(2, 2)


def safe_root(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return sqrt(value) with the derivative that keeps the channel's right at 0.

    A Kraus operator enters as K K^dagger, so d/dp (sqrt(p)^2) = 2 sqrt(p) sqrt(p)' has
    to come out as 1 at p = 0 too, where it would be 0 * inf. A floor of eps^4, far
    below rounding, makes both factors finite; rounded values below 0 are raised to it.
    """
    floor = float(jnp.finfo(value.dtype).eps) ** 4
    raised = floor + (value - jax.lax.stop_gradient(value))
    return jnp.sqrt(jnp.where(value < floor, raised, value))
