"""Names for the arrays that pass through qjax."""

import numpy as np
from jax.core import Tracer
from jaxtyping import Array, PRNGKeyArray

Wires = tuple[int, ...]
"""Wire numbers; wire 0 is the most significant bit of a basis index."""

Key = PRNGKeyArray
"""A JAX random key, typed (`jax.random.key`) or raw (`jax.random.PRNGKey`)."""

ArrayLike = Array | np.ndarray | np.number | float | int | complex
"""Anything that `jnp.asarray` turns into an array."""


def is_traced(value: object) -> bool:
    """Say whether `value` has no concrete entries yet (inside jit, grad or vmap)."""
    return isinstance(value, Tracer)
