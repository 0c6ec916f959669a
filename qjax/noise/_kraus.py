"""Parts that Kraus operators are put together from, and checks of their strengths."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import as_float, check_wires, checked, require
from qjax._linalg import real_to_complex
from qjax._types import ArrayLike, is_traced
from qjax.circuits import Channel
from qjax.circuits.gates import pauli_matrix


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
    rest = 1 - jnp.sum(values)
    # A remainder rounded below 0 is 0, with the slope that it has elsewhere.
    rest = jnp.where(rest < 0, rest - jax.lax.stop_gradient(rest), rest)
    return jnp.concatenate([rest[None], values])


def pauli_mixture(
    weights: Float[Array, " k"],
    words: Sequence[str],
    wires: int | Sequence[int],
    name: str,
) -> Channel:
    """Build the channel that applies the Pauli word words[i] with weights[i]."""
    matrices = np.stack([pauli_matrix(word) for word in words])
    operators = jnp.asarray(matrices, real_to_complex(weights).dtype)
    return Channel(operators, check_wires(wires), name, weights, tuple(words))


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
