"""Metrics as linear maps: dense, in blocks, diagonal or of low rank."""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._linalg import product

Spectral = Callable[[Float[Array, " k"]], Float[Array, " k"]]


class AbstractMetric(eqx.Module):
    """A symmetric form G on p parameters, in the order of `ravel_pytree`."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """p."""

    @property
    @abc.abstractmethod
    def dtype(self) -> jnp.dtype:
        """Dtype of G."""

    @abc.abstractmethod
    def dense(self) -> Float[Array, "p p"]:
        """Return G as a matrix."""

    @abc.abstractmethod
    def product(self, vector: Float[Array, " p"]) -> Float[Array, " p"]:
        """Return G v."""

    @abc.abstractmethod
    def solve(
        self, vector: Float[Array, " p"], damping: Float[Array, ""]
    ) -> Float[Array, " p"]:
        """Return (G + damping I)^-1 v of a positive semi-definite G."""

    @abc.abstractmethod
    def largest(self) -> Float[Array, ""]:
        """Return the largest absolute eigenvalue."""

    @abc.abstractmethod
    def apply(
        self, function: Spectral, vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        """Return f(G) v, with f applied to the eigenvalues of G."""


class DenseMetric(AbstractMetric):
    """A metric as a matrix.

    Attributes:
        matrix: G, shape (p, p), symmetric.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import DenseMetric
        >>> metric = DenseMetric(jnp.diag(jnp.asarray([4.0, 0.25])))
        >>> metric.solve(jnp.ones(2), jnp.asarray(0.0)).tolist()
        [0.25, 4.0]
    """

    matrix: Float[Array, "p p"]

    @property
    def size(self) -> int:
        return self.matrix.shape[0]

    @property
    def dtype(self) -> jnp.dtype:
        return self.matrix.dtype

    def dense(self) -> Float[Array, "p p"]:
        return self.matrix

    def product(self, vector: Float[Array, " p"]) -> Float[Array, " p"]:
        return product(self.matrix, vector)

    def solve(
        self, vector: Float[Array, " p"], damping: Float[Array, ""]
    ) -> Float[Array, " p"]:
        return _damped_solve(self.matrix, vector, damping)

    def largest(self) -> Float[Array, ""]:
        return jnp.max(jnp.abs(jnp.linalg.eigvalsh(self.matrix)))

    def apply(
        self, function: Spectral, vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        return _spectral(self.matrix, function, vector)


class BlockMetric(AbstractMetric):
    """A block-diagonal metric: for each array of parameters b equal blocks of k.

    Attributes:
        blocks: For each leaf of the parameters its blocks in order, shape (b, k, k).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import BlockMetric
        >>> metric = BlockMetric((2 * jnp.ones((3, 1, 1)), 4 * jnp.eye(2)[None]))
        >>> metric.solve(jnp.ones(5), jnp.asarray(0.0)).round(4).tolist()
        [0.5, 0.5, 0.5, 0.25, 0.25]
    """

    blocks: tuple[Float[Array, "_b _k _k"], ...]

    @property
    def size(self) -> int:
        return sum(stack.shape[0] * stack.shape[1] for stack in self.blocks)

    @property
    def dtype(self) -> jnp.dtype:
        return jnp.result_type(*(stack.dtype for stack in self.blocks))

    def dense(self) -> Float[Array, "p p"]:
        each = [block for stack in self.blocks for block in stack]
        return jax.scipy.linalg.block_diag(*each)

    def product(self, vector: Float[Array, " p"]) -> Float[Array, " p"]:
        return self._each(product, vector)

    def solve(
        self, vector: Float[Array, " p"], damping: Float[Array, ""]
    ) -> Float[Array, " p"]:
        return self._each(lambda g, v: _damped_solve(g, v, damping), vector)

    def largest(self) -> Float[Array, ""]:
        sizes = [jnp.max(jnp.abs(jnp.linalg.eigvalsh(s))) for s in self.blocks]
        return jnp.max(jnp.stack(sizes))

    def apply(
        self, function: Spectral, vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        return self._each(lambda g, v: _spectral(g, function, v), vector)

    def _each(
        self, function: Callable[[Array, Array], Array], vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        start, parts = 0, []
        for stack in self.blocks:
            count, width = stack.shape[:2]
            own = vector[start : start + count * width].reshape(count, width)
            parts.append(jax.vmap(function)(stack, own).reshape(-1))
            start += count * width
        return jnp.concatenate(parts)


class DiagonalMetric(AbstractMetric):
    """A diagonal metric.

    Attributes:
        diagonal: G_ii, shape (p,).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import DiagonalMetric
        >>> metric = DiagonalMetric(jnp.asarray([1.0, 3.0]))
        >>> metric.solve(jnp.ones(2), jnp.asarray(1.0)).tolist()
        [0.5, 0.25]
    """

    diagonal: Float[Array, " p"]

    @property
    def size(self) -> int:
        return self.diagonal.shape[0]

    @property
    def dtype(self) -> jnp.dtype:
        return self.diagonal.dtype

    def dense(self) -> Float[Array, "p p"]:
        return jnp.diag(self.diagonal)

    def product(self, vector: Float[Array, " p"]) -> Float[Array, " p"]:
        return self.diagonal * vector

    def solve(
        self, vector: Float[Array, " p"], damping: Float[Array, ""]
    ) -> Float[Array, " p"]:
        return vector / (self.diagonal + damping)

    def largest(self) -> Float[Array, ""]:
        return jnp.max(jnp.abs(self.diagonal))

    def apply(
        self, function: Spectral, vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        return function(self.diagonal) * vector


class LowRankMetric(AbstractMetric):
    """A metric of rank at most r, G = L L^T.

    Attributes:
        factor: L, shape (p, r).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import LowRankMetric
        >>> metric = LowRankMetric(jnp.asarray([[1.0], [0.0]]))
        >>> metric.solve(jnp.ones(2), jnp.asarray(1.0)).tolist()
        [0.5, 1.0]
    """

    factor: Float[Array, "p r"]

    @property
    def size(self) -> int:
        return self.factor.shape[0]

    @property
    def dtype(self) -> jnp.dtype:
        return self.factor.dtype

    def dense(self) -> Float[Array, "p p"]:
        return product(self.factor, self.factor.T)

    def product(self, vector: Float[Array, " p"]) -> Float[Array, " p"]:
        return product(self.factor, product(self.factor.T, vector))

    def solve(
        self, vector: Float[Array, " p"], damping: Float[Array, ""]
    ) -> Float[Array, " p"]:
        # Woodbury: (t + L L^T)^-1 = (1 - L (t + L^T L)^-1 L^T) / t.
        small = product(self.factor.T, self.factor)
        inner = _damped_solve(small, product(self.factor.T, vector), damping)
        return (vector - product(self.factor, inner)) / damping

    def largest(self) -> Float[Array, ""]:
        return jnp.max(jnp.linalg.eigvalsh(product(self.factor.T, self.factor)))

    def apply(
        self, function: Spectral, vector: Float[Array, " p"]
    ) -> Float[Array, " p"]:
        values, vectors = jnp.linalg.eigh(product(self.factor.T, self.factor))
        floor = values.size * jnp.finfo(values.dtype).eps * jnp.max(values)
        real = values > floor
        scales = jnp.where(real, 1 / jnp.sqrt(jnp.where(real, values, 1)), 0)
        basis = product(self.factor, vectors * scales[None])
        outside = function(jnp.zeros_like(values))
        change = (function(values) - outside) * product(basis.T, vector)
        return outside[0] * vector + product(basis, change)


def _damped_solve(
    matrix: Float[Array, "k k"], vector: Float[Array, " k"], damping: Float[Array, ""]
) -> Float[Array, " k"]:
    shifted = matrix + damping * jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    return jax.scipy.linalg.solve(shifted, vector, assume_a="pos")


def _spectral(
    matrix: Float[Array, "k k"], function: Spectral, vector: Float[Array, " k"]
) -> Float[Array, " k"]:
    values, vectors = jnp.linalg.eigh(matrix)
    return product(vectors, function(values) * product(vectors.T, vector))
