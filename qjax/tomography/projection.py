"""Nearest states and channels: projections onto what quantum mechanics allows."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from qjax._checks import check_shots, require
from qjax._linalg import dagger, real_to_complex

Matrix = Complex[Array, "rows columns"] | Complex[np.ndarray, "rows columns"]


class ProjectionInfo(eqx.Module):
    """How an iterative projection ended.

    Attributes:
        residual: Frobenius distance of the last two half-steps, one in each set.
        iterations: Number of iterations done.
        converged: Whether the residual reached the tolerance.
    """

    residual: Float[Array, ""]
    iterations: Int[Array, ""]
    converged: Bool[Array, ""]


def nearest_state(matrix: Matrix) -> Complex[Array, "d d"]:
    """Return the density matrix nearest to a Hermitian matrix in Frobenius norm.

    Keeps the eigenvectors and projects the eigenvalues onto the simplex.

    Args:
        matrix: Shape (d, d); its Hermitian part counts.

    Raises:
        ValueError: If the matrix is not square.

    Source: Smolin, Gambetta and Smith, Phys. Rev. Lett. 108, 070502 (2012); error
    bounds: Guta, Kahn, Kueng and Tropp, J. Phys. A 53, 204001 (2020).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.tomography import nearest_state
        >>> nearest_state(jnp.diag(jnp.asarray([1.2 + 0j, -0.2]))).real.tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    require(square, "matrix", "be square", f"of shape {matrix.shape}")
    values, vectors = jnp.linalg.eigh(_hermitian(matrix))
    descending = values[::-1]
    ranks = jnp.arange(1, len(values) + 1, dtype=values.dtype)
    excess = (jnp.cumsum(descending) - 1) / ranks
    kept = jnp.sum(descending > excess)
    shift = excess[kept - 1]
    return _rebuilt(jnp.maximum(values - shift, 0), vectors)


def nearest_channel(
    choi: Matrix,
    tolerance: float | None = None,
    max_iterations: int = 1000,
) -> tuple[Complex[Array, "p p"], ProjectionInfo]:
    """Return the channel nearest to a Choi matrix in Frobenius norm.

    Dykstra's algorithm alternates the projections onto positive matrices (eigenvalues
    below 0 become 0) and onto those that keep the trace, Tr_out J = I; the correction
    it carries makes the limit the nearest point and not just one in both sets. What is
    left of a violation, of the size of the residual, is removed by
    J -> (T (x) I) J (T (x) I), T = (Tr_out J)^(-1/2), so that the result is a channel
    to rounding.

    Args:
        choi: Shape (4^k, 4^k), input wires first; its Hermitian part counts.
        tolerance: Residual to stop at; None for 8 * 4^k rounding units.
        max_iterations: At least 1. Static.

    Returns:
        The Choi matrix, and how the iteration ended.

    Raises:
        ValueError: If the shape is not (4^k, 4^k) or `max_iterations` < 1.

    Source: Surawy-Stepney, Kahn, Kueng and Guta, Quantum 6, 844 (2022) (projected
    least squares); Boyle and Dykstra, Lect. Notes Stat. 37, 28 (1986).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import choi_from_transfer, transfer_from_choi
        >>> from qjax.tomography import nearest_channel
        >>> too_much = jnp.diag(jnp.asarray([1.0, 1.1, 1.1, 1.1]))
        >>> nearest, info = nearest_channel(choi_from_transfer(too_much))
        >>> transfer_from_choi(nearest).diagonal().round(3).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    size = round(choi.shape[0] ** 0.5)
    fits = choi.shape == (size**2,) * 2 and size >= 2 and not size & (size - 1)
    require(fits, "choi", "have shape (4^k, 4^k) with k >= 1", f"of shape {choi.shape}")
    check_shots(max_iterations, "max_iterations")
    start = _hermitian(choi)
    eps = float(jnp.finfo(start.dtype).eps)
    goal = 8 * size**2 * eps if tolerance is None else tolerance

    def wanted(carry: tuple[Array, Array, Array, Array]) -> Array:
        _, _, residual, count = carry
        return (residual > goal) & (count < max_iterations)

    def step(carry: tuple[Array, Array, Array, Array]):
        now, correction, _, count = carry
        positive = _positive_part(now + correction)
        correction = now + correction - positive
        # An affine set needs no correction of its own.
        now = _with_trace_kept(positive, size)
        return now, correction, jnp.linalg.norm(now - positive), count + 1

    infinite = jnp.asarray(np.inf, jnp.finfo(start.dtype).dtype)
    blank = (_with_trace_kept(start, size), jnp.zeros_like(start), infinite)
    now, _, residual, count = jax.lax.while_loop(
        wanted, step, (*blank, jnp.zeros((), jnp.int32))
    )
    info = ProjectionInfo(residual, count, residual <= goal)
    return _exactly_a_channel(_positive_part(now), size), info


def _hermitian(matrix: Matrix) -> Array:
    return (jnp.asarray(matrix) + dagger(matrix)) / 2


def _rebuilt(values: Array, vectors: Array) -> Array:
    scaled = vectors * real_to_complex(values)[None, :]
    high = jax.lax.Precision.HIGHEST
    return jnp.matmul(scaled, dagger(vectors), precision=high)


def _positive_part(matrix: Array) -> Array:
    values, vectors = jnp.linalg.eigh(matrix)
    return _rebuilt(jnp.maximum(values, 0), vectors)


def _input_trace(choi: Array, size: int) -> Array:
    """Return Tr_out J, shape (d, d)."""
    return jnp.einsum("aibi->ab", choi.reshape((size,) * 4))


def _with_trace_kept(choi: Array, size: int) -> Array:
    eye = jnp.eye(size, dtype=choi.dtype)
    return choi - jnp.kron(_input_trace(choi, size) - eye, eye) / size


def _exactly_a_channel(choi: Array, size: int) -> Array:
    values, vectors = jnp.linalg.eigh(_input_trace(choi, size))
    root = _rebuilt(1 / jnp.sqrt(values), vectors)
    turn = jnp.kron(root, jnp.eye(size, dtype=choi.dtype))
    high = jax.lax.Precision.HIGHEST
    both = jnp.matmul(jnp.matmul(turn, choi, precision=high), turn, precision=high)
    return _hermitian(both)
