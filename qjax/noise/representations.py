"""Channels as Choi matrices, Pauli transfer matrices and Kraus operators.

The Choi matrix is J = sum_ab |a><b| (x) E(|a><b|), input wires first, of trace 2^k. The
Pauli transfer matrix is R_PQ = Tr(P E(Q)) / 2^k with words in the order I, X, Y, Z of
each wire, the first wire leading. On k wires both have shape (4^k, 4^k).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import check_wires, require
from qjax._linalg import dagger, pauli_words, real_to_complex
from qjax._types import ArrayLike, Wires
from qjax.circuits import Channel
from qjax.circuits.operation import AbstractOperation, AbstractUnitary
from qjax.states import DensityMatrix

Transfer = Float[Array, "p p"] | Float[np.ndarray, "p p"]
Choi = Complex[Array, "p p"] | Complex[np.ndarray, "p p"]


def transfer_matrix(
    operations: AbstractOperation | Sequence[AbstractOperation],
    wires: Sequence[int] | None = None,
) -> Float[Array, "p p"]:
    """Return the Pauli transfer matrix of operations done one after the other.

    Args:
        operations: Unitaries and channels in time order.
        wires: The k wires it is written on, the first leading; None for those of the
            first operation, as of a gate that is followed by its noise.

    Returns:
        R, shape (4^k, 4^k), real.

    Raises:
        ValueError: If there is no operation, or one acts on other wires.
        TypeError: If one is neither unitary nor a channel.

    Source: Greenbaum, arXiv:1509.02921.

    Example:
        >>> from qjax.circuits import h
        >>> from qjax.noise import depolarizing, transfer_matrix
        >>> transfer_matrix([h(0), depolarizing(0.5, 0)]).round(2).tolist()[1]
        [0.0, 0.0, 0.0, 0.5]
    """
    if isinstance(operations, AbstractOperation):
        operations = (operations,)
    require(len(operations) > 0, "operations", "hold at least one", operations)
    wires = check_wires(operations[0].wires if wires is None else wires)
    matrices = [_kraus(one, wires) for one in operations]
    dtype = np.result_type(np.complex64, *(matrix.dtype for matrix in matrices))
    words = jnp.asarray(pauli_words(len(wires)), dtype)

    def image(word: Complex[Array, "d d"]) -> Complex[Array, "d d"]:
        state = DensityMatrix(word.reshape((2,) * (2 * len(wires))))
        for one, matrix in zip(operations, matrices, strict=True):
            places = tuple(wires.index(wire) for wire in one.wires)
            state = state.apply_kraus(matrix, places)
        return state.matrix()

    images = jax.vmap(image)(words)
    return _coefficients(words, images)


def _kraus(operation: AbstractOperation, wires: Wires) -> Array:
    rule = f"act on wires among {wires}"
    fits = set(operation.wires) <= set(wires)
    require(fits, "operations", rule, operation.wires)
    if isinstance(operation, AbstractUnitary):
        return jnp.asarray(operation.matrix())[None]
    if isinstance(operation, Channel):
        return jnp.asarray(operation.kraus)
    raise TypeError(
        "Argument `operations` must hold unitaries and channels, "
        f"but has {type(operation).__name__}."
    )


def _coefficients(words: Array, images: Array) -> Float[Array, "p p"]:
    """Return Tr(P A_Q) / d for words P and matrices A_Q."""
    high = jax.lax.Precision.HIGHEST
    traces = jnp.einsum("pab,qba->pq", words, images, precision=high)
    return traces.real / words.shape[-1]


def _words(matrix: ArrayLike, name: str, dtype: np.dtype | type) -> Array:
    """Return the Pauli words on the wires that a (4^k, 4^k) matrix is about."""
    shape = np.shape(matrix)
    num_wires = max((shape[0].bit_length() - 1) // 2, 1) if shape else 1
    rule = "have shape (4^k, 4^k) with k >= 1"
    require(shape == (4**num_wires,) * 2, name, rule, f"of shape {shape}")
    return jnp.asarray(pauli_words(num_wires), dtype)


def choi_from_transfer(transfer: Transfer) -> Complex[Array, "p p"]:
    """Return J = sum_PQ R_PQ Q^T (x) P / 2^k.

    Raises:
        ValueError: If the shape is not (4^k, 4^k).

    Source: Greenbaum, arXiv:1509.02921.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import choi_from_transfer
        >>> choi_from_transfer(jnp.eye(4)).real[0].tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    coefficients = real_to_complex(jnp.asarray(transfer))
    words = _words(transfer, "transfer", coefficients.dtype)
    size = words.shape[-1]
    joint = jnp.einsum(
        "pq,qba,pij->aibj",
        coefficients,
        words,
        words,
        precision=jax.lax.Precision.HIGHEST,
    )
    return joint.reshape(size**2, size**2) / size


def transfer_from_choi(choi: Choi) -> Float[Array, "p p"]:
    """Return R_PQ = Tr[(Q^T (x) P) J] / 2^k, the inverse of `choi_from_transfer`.

    Raises:
        ValueError: If the shape is not (4^k, 4^k).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import choi_from_transfer, transfer_from_choi
        >>> transfer_from_choi(choi_from_transfer(jnp.eye(4))).diagonal().tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    matrix = jnp.asarray(choi)
    words = _words(choi, "choi", matrix.dtype)
    size = words.shape[-1]
    # E(Q) = Tr_in[(Q^T (x) I) J] = sum_ab Q_ab J_(a.)(b.)
    images = jnp.einsum(
        "qab,aibj->qij",
        words,
        matrix.reshape((size,) * 4),
        precision=jax.lax.Precision.HIGHEST,
    )
    return _coefficients(words, images)


def choi_from_kraus(
    kraus: Complex[Array, "k d d"] | Complex[np.ndarray, "k d d"],
) -> Complex[Array, "p p"]:
    """Return J = sum_k |K_k>> <<K_k| with |K>> = sum_a |a> (x) K |a>.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import choi_from_kraus
        >>> choi_from_kraus(jnp.eye(2, dtype=complex)[None]).real[3].tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    operators = jnp.asarray(kraus)
    columns = operators.swapaxes(-1, -2).reshape(operators.shape[0], -1)
    high = jax.lax.Precision.HIGHEST
    return jnp.matmul(columns.T, columns.conj(), precision=high)


def kraus_from_choi(choi: Choi) -> Complex[Array, "p d d"]:
    """Return 4^k Kraus operators of a positive Choi matrix, the largest first.

    K_j = sqrt(l_j) times the eigenvector of l_j as a matrix; an l_j below 0 counts as
    0: project first (`qjax.tomography.nearest_channel`) where there are such.

    Raises:
        ValueError: If the shape is not (4^k, 4^k).

    Source: Choi, Linear Algebra Appl. 10, 285 (1975).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.noise import choi_from_kraus, kraus_from_choi
        >>> identity = choi_from_kraus(jnp.eye(2, dtype=complex)[None])
        >>> kraus_from_choi(identity).shape
        (4, 2, 2)
    """
    matrix = jnp.asarray(choi)
    size = _words(choi, "choi", matrix.dtype).shape[-1]
    values, vectors = jnp.linalg.eigh((matrix + dagger(matrix)) / 2)
    roots = real_to_complex(jnp.sqrt(jnp.maximum(values, 0)))
    operators = (vectors * roots[None, :]).T.reshape(-1, size, size)
    return operators.swapaxes(-1, -2)[::-1]
