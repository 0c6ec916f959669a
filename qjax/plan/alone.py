"""Computations that XLA neither merges with others nor begins before they are due."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree


def by_itself(alone: Array | None, function: Callable, *operands: PyTree) -> PyTree:
    """Call a function, as a branch of its own if `alone` is a traced True.

    What a branch needs for itself is allocated when it is entered and freed when it is
    left; an optimization barrier would be gone before XLA orders a CPU's program.
    """
    if alone is None:
        return function(*operands)
    shapes = jax.eval_shape(function, *operands)

    def never(*operands: PyTree) -> PyTree:
        del operands
        return jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)

    return jax.lax.cond(alone, function, never, *operands)
