"""Subspaces of matrices, with derivatives that depend on the subspace alone.

An orthonormal basis of a subspace is known up to a unitary change of it. What is
computed from a matrix product state does not depend on that choice, so its derivative
may be left out: what remains is how the subspace turns, which is finite where plain
derivatives of SVD, QR and eigenvectors divide by differences of equal numbers.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._linalg import dagger, product, real_to_complex


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def leading_space(
    gram: Complex[Array, "*b d d"], rank: int
) -> tuple[Complex[Array, "*b d k"], Complex[Array, "*b k k"], Float[Array, "*b j"]]:
    """Return a basis Q of the span of the eigenvectors of the k largest eigenvalues.

    Of a positive semidefinite M with eigenvalues l and eigenvectors q, the subspace
    turns by dQ_i = sum_{j > k} q_j <q_j|dM|q_i> / (l_i - l_j): only differences across
    the cut are divided by; one below rounding (both eigenvalues are 0) gives 0.

    Args:
        gram: M, Hermitian, shape (..., d, d).
        rank: k, at most d. Static.

    Returns:
        Q, shape (..., d, k); Q^dagger M Q, shape (..., k, k), diagonal, ascending; and
        the other eigenvalues, shape (..., d - k), ascending, not differentiated.
        Derivatives are right for what does not change with Q -> Q W,
        Q^dagger M Q -> W^dagger (Q^dagger M Q) W.
    """
    values, vectors = jnp.linalg.eigh(gram, symmetrize_input=False)
    cut = values.shape[-1] - rank
    weights = _diagonal(values[..., cut:])
    return vectors[..., cut:], weights, values[..., :cut]


def _diagonal(values: Float[Array, "*b k"]) -> Complex[Array, "*b k k"]:
    """Return complex diagonal matrices."""
    column = real_to_complex(values)[..., None]
    eye = np.eye(values.shape[-1], dtype=column.dtype)
    return column * eye.reshape((1,) * (values.ndim - 1) + eye.shape)


@leading_space.defjvp
def _leading_space_derivative(rank, primals, tangents):
    (gram,), (change,) = primals, tangents
    values, vectors = jnp.linalg.eigh(gram, symmetrize_input=False)
    cut = values.shape[-1] - rank
    lost, basis = vectors[..., :cut], vectors[..., cut:]
    moved = product(change, basis)
    gaps = values[..., None, cut:] - values[..., :cut, None]
    turn = real_to_complex(_inverse(gaps, values[..., -1])) * product(
        dagger(lost), moved
    )
    d_basis = product(lost, turn)
    d_weights = product(dagger(basis), moved)
    rest = values[..., :cut]
    found = basis, _diagonal(values[..., cut:]), rest
    return found, (d_basis, d_weights, jnp.zeros_like(rest))


def _inverse(
    gaps: Float[Array, "*b j i"], largest: Float[Array, "*b"]
) -> Float[Array, "*b j i"]:
    """Return 1 / gap, and 0 where a gap is within rounding of 0."""
    floor = 4 * gaps.shape[-1] * jnp.finfo(gaps.dtype).eps * largest[..., None, None]
    return gaps / (gaps**2 + floor**2 + jnp.finfo(gaps.dtype).tiny)


@jax.custom_jvp
def row_basis(
    matrix: Complex[Array, "*b a d"],
) -> tuple[Complex[Array, "*b a k"], Complex[Array, "*b k d"]]:
    """Write W = T V with orthonormal rows in V, k = min(a, d) of them.

    The rows turn by dV = T^+ dW (1 - V^dagger V), with T^+ the inverse of T, and 0 on
    what T maps to 0 to rounding.

    Args:
        matrix: W, shape (..., a, d).

    Returns:
        T and V. Derivatives are right for what does not change with T -> T U,
        V -> U^dagger V.
    """
    vectors, factor = jnp.linalg.qr(dagger(matrix))
    return dagger(factor), dagger(vectors)


@row_basis.defjvp
def _row_basis_derivative(primals, tangents):
    (matrix,), (change,) = primals, tangents
    factor, rows = row_basis(matrix)
    inside = product(change, dagger(rows))
    if rows.shape[-2] == rows.shape[-1]:  # rows span everything and need not turn
        return (factor, rows), (inside, jnp.zeros_like(rows))
    outside = change - product(inside, rows)
    gram = product(dagger(factor), factor)
    scale = jnp.trace(gram, axis1=-2, axis2=-1).real
    limits = jnp.finfo(scale.dtype)
    floor = limits.eps * scale + limits.tiny
    every = jnp.broadcast_to(floor[..., None], gram.shape[:-1])
    shifted = gram + _diagonal(every)
    turn = jnp.linalg.solve(shifted, product(dagger(factor), outside))
    return (factor, rows), (inside, turn)
