"""Sweeps along a chain of tensors: environments, canonical form, truncation.

A chain is one array of shape (n, x, 2, x): site, left bond, wire, right bond. Bonds are
padded with zeros to x, and the outer bonds use their entry 0 only, so that a sweep is
one `lax.scan` whatever n. Left environments carry (bra, ket) axes, right ones (ket,
bra): L = sum A^dagger L A, R = sum A R A^dagger, and <psi|psi> = Tr(L R) on every bond.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from qjax._decompositions import row_basis
from qjax._linalg import dagger, product
from qjax.states.mps.cuts import cut

Chain = Complex[Array, "n x 2 x"]
Bonds = Complex[Array, "m x x"]


class Gauged(NamedTuple):
    """A chain whose tensors have orthonormal rows, and its left environments.

    Attributes:
        tensors: Shape (n, x, 2, x); sum_s B_s B_s^dagger <= 1, with equality up to
            what truncation took away.
        environments: Left environment of every bond, shape (n + 1, x, x), never below
            the exact one.
    """

    tensors: Chain
    environments: Bonds


class Loss(NamedTuple):
    """What cuts of a chain cost.

    Attributes:
        error: Bound on the distance to the state without them.
        tied: Whether one of them has no derivative.
    """

    error: Float[Array, ""]
    tied: Bool[Array, ""]


def edge(size: int, dtype: np.dtype) -> Complex[np.ndarray, "x x"]:
    """Return the environment at an end of the chain."""
    matrix = np.zeros((size, size), dtype)
    matrix[0, 0] = 1
    return matrix


def push_left(environment: Array, tensor: Array) -> Array:
    """Carry a left environment over a tensor: (x, x), (x, 2, y) -> (y, y)."""
    size, _, right = tensor.shape
    weighted = product(environment, tensor.reshape(size, -1))
    return product(dagger(tensor.reshape(-1, right)), weighted.reshape(2 * size, right))


def push_right(environment: Array, tensor: Array) -> Array:
    """Carry a right environment over a tensor: (y, y), (x, 2, y) -> (x, x)."""
    size, _, right = tensor.shape
    weighted = product(tensor.reshape(-1, right), environment)
    return product(weighted.reshape(size, -1), dagger(tensor.reshape(size, -1)))


def left_environments(tensors: Chain) -> Bonds:
    """Return the left environment of every bond, shape (n + 1, x, x)."""
    start = jnp.asarray(edge(tensors.shape[1], tensors.dtype))

    def step(environment: Array, tensor: Array) -> tuple[Array, Array]:
        return push_left(environment, tensor), environment

    last, before = jax.lax.scan(step, start, tensors)
    return jnp.concatenate([before, last[None]])


def right_environments(tensors: Chain) -> Bonds:
    """Return the right environment of every bond, shape (n + 1, x, x)."""
    start = jnp.asarray(edge(tensors.shape[1], tensors.dtype))

    def step(environment: Array, tensor: Array) -> tuple[Array, Array]:
        return push_right(environment, tensor), environment

    first, after = jax.lax.scan(step, start, tensors, reverse=True)
    return jnp.concatenate([first[None], after])


def squared_norm(tensors: Chain) -> Float[Array, ""]:
    """Return <psi|psi>."""
    start = jnp.asarray(edge(tensors.shape[1], tensors.dtype))
    carried = jax.lax.scan(
        lambda env, tensor: (push_left(env, tensor), None), start, tensors
    )[0]
    return carried[0, 0].real


def right_canonical(tensors: Chain) -> Chain:
    """Return the same state with orthonormal rows in every tensor but the first.

    One QR decomposition for each site, from the right; the first tensor keeps the norm.
    """
    size = tensors.shape[1]

    def step(factor: Array, tensor: Array) -> tuple[Array, Array]:
        joined = product(tensor.reshape(-1, size), factor).reshape(size, -1)
        factor, rows = row_basis(joined)
        return factor, rows.reshape(size, 2, size)

    start = jnp.eye(size, dtype=tensors.dtype)
    factor, rows = jax.lax.scan(step, start, tensors, reverse=True)
    first = product(factor[:1], rows[0].reshape(size, -1)).reshape(1, 2, size)
    return rows.at[0].set(jnp.zeros_like(rows[0]).at[:1].set(first))


def gauged(tensors: Chain) -> Gauged:
    """Bring a chain into the form that truncating updates need."""
    tensors = right_canonical(tensors)
    return Gauged(tensors, left_environments(tensors))


def truncated(tensors: Chain, size: int) -> tuple[Gauged, Loss]:
    """Cut the bonds of a chain to `size` states each, the heaviest.

    Each cut projects on the span of the leading eigenvectors of the reduced density
    matrix of what lies to its right. The projections act one inside the other, so the
    errors add up in squares: |psi - psi'|^2 <= sum of the weights cut off.

    Args:
        tensors: Right-canonical chain.
        size: Bond that is kept. Static.

    Returns:
        The chain with bonds of `size`, and the bound on |psi - psi'|.

    Source: Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), theorem 2.2.
    """
    wide = tensors.shape[1]
    start = (
        jnp.eye(size, wide, dtype=tensors.dtype),
        jnp.asarray(edge(size, tensors.dtype)),
    )

    def turned(change: Array, tensor: Array) -> Array:
        return product(change, tensor.reshape(wide, -1)).reshape(size, 2, wide)

    def step(carry: tuple[Array, Array], tensor: Array):
        change, environment = carry
        own = turned(change, tensor)
        gram = push_left(environment, own)
        kept = cut(gram, size)
        new = product(own.reshape(-1, wide), kept.basis).reshape(size, 2, size)
        carry = dagger(kept.basis), kept.weights
        return carry, (new, environment, kept.lost, kept.tied)

    (change, before_last), steps = jax.lax.scan(step, start, tensors[:-1])
    new, before, lost, tied = steps
    # The outer bond uses its first entry, which needs no cut.
    last = turned(change, tensors[-1])[..., :size]
    end = push_left(before_last, last)
    chain = jnp.concatenate([new, last[None]])
    environments = jnp.concatenate([before, before_last[None], end[None]])
    return Gauged(chain, environments), Loss(jnp.sqrt(jnp.sum(lost)), jnp.any(tied))
