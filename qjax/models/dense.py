"""The classical baseline: a dense network."""

import itertools
from collections.abc import Sequence

import flax.nnx as nnx
from jaxtyping import Array, Float

from qjax._checks import require


class DenseNetwork(nnx.Module):
    """Dense layers with rectified linear units between them.

    Args:
        rngs: nnx random streams; `params` draws the weights.
        sizes: Widths from input to logits, at least two.

    Raises:
        ValueError: If there are fewer than two sizes or one is not positive.

    Example:
        >>> import flax.nnx as nnx, jax.numpy as jnp
        >>> from qjax.models import DenseNetwork
        >>> DenseNetwork(nnx.Rngs(0), (784, 128, 10))(jnp.ones((3, 784))).shape
        (3, 10)
    """

    def __init__(self, rngs: nnx.Rngs, sizes: Sequence[int]):
        fits = len(sizes) >= 2 and all(size >= 1 for size in sizes)
        require(fits, "sizes", "hold at least two positive widths", tuple(sizes))
        pairs = itertools.pairwise(sizes)
        self.layers = nnx.List([nnx.Linear(a, b, rngs=rngs) for a, b in pairs])

    def __call__(self, inputs: Float[Array, "batch d"]) -> Float[Array, "batch c"]:
        """Return logits."""
        *hidden, last = self.layers
        for layer in hidden:
            inputs = nnx.relu(layer(inputs))
        return last(inputs)
