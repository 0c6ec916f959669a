"""Contractions of small matrices with tensors of many two-level axes."""

import functools
import string
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._types import ArrayLike, Wires

_PAULIS = np.asarray(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
)


def contract(
    tensor: Array,
    matrix: Array | np.ndarray,
    wires: Wires,
    controls: Wires = (),
    control_values: tuple[int, ...] = (),
) -> Array:
    """Apply `matrix` to axes `wires` of `tensor` where axes `controls` have the values.

    Cost: 2**(tensor.ndim + len(wires) - len(controls)) multiplications. Axes beyond the
    wires (of any length) are carried along.
    """
    if not controls:
        return _contract(tensor, matrix, wires)
    index: list[slice | int] = [slice(None)] * tensor.ndim
    for wire, value in zip(controls, control_values, strict=True):
        index[wire] = value
    # Fixing the control axes removes them, so later target axes move down.
    targets = tuple(w - sum(control < w for control in controls) for w in wires)
    block = _contract(tensor[tuple(index)], matrix, targets)
    return tensor.at[tuple(index)].set(block)


def _contract(tensor: Array, matrix: Array | np.ndarray, wires: Wires) -> Array:
    """Merge the untouched axes first: the rank, and with it compile time, stays low."""
    num_targets = len(wires)
    gate = jnp.asarray(matrix).astype(tensor.dtype).reshape((2,) * (2 * num_targets))
    merged, position = [], {}
    start = 0
    for wire in sorted(wires):
        merged.append(int(np.prod(tensor.shape[start:wire], initial=1)))
        position[wire] = len(merged)
        merged.append(2)
        start = wire + 1
    merged.append(int(np.prod(tensor.shape[start:], initial=1)))

    letters = string.ascii_lowercase[: len(merged)]
    inputs = "".join(letters[position[wire]] for wire in wires)
    outputs = string.ascii_uppercase[:num_targets]
    result = letters.translate(str.maketrans(inputs, outputs))
    view = jnp.einsum(
        f"{outputs}{inputs},{letters}->{result}",
        gate,
        tensor.reshape(merged),
        # Some accelerators otherwise multiply float32 at reduced precision.
        precision=jax.lax.Precision.HIGHEST,
    )
    return view.reshape(tensor.shape)


def wires_first(tensor: Array, wires: Wires, num_wires: int) -> Array:
    """Move axes `wires` to the front and merge: shape (2^k, rest)."""
    rest = tuple(axis for axis in range(num_wires) if axis not in wires)
    return tensor.transpose(wires + rest).reshape(2 ** len(wires), -1)


def real_to_complex(value: Array) -> Array:
    """Return `value` in the complex dtype of the same precision."""
    return jax.lax.complex(value, jnp.zeros_like(value))


def as_complex(value: ArrayLike) -> Array:
    """Return `value` as a complex array of its own precision; integers as default."""
    array = jnp.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.inexact):
        array = array.astype(float)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        return array
    return real_to_complex(array)


def dagger(matrix: Array | np.ndarray) -> Array:
    """Return the conjugate transpose over the last two axes."""
    return jnp.conj(jnp.swapaxes(matrix, -1, -2))


_SPLIT_FROM = 16
"""Side from which three real products beat one complex one."""


def product(left: Array, right: Array) -> Array:
    """Return left @ right at full precision; large complex ones as three real ones.

    (a + ib)(c + id) = ac - bd + i ((a + b)(c + d) - ac - bd): compilers for the CPU
    have fast kernels for real products alone.
    """
    high = jax.lax.Precision.HIGHEST
    small = min(left.shape[-2:] + right.shape[-1:]) < _SPLIT_FROM
    if small or not jnp.iscomplexobj(left) or not jnp.iscomplexobj(right):
        return jnp.matmul(left, right, precision=high)
    both = jnp.matmul(left.real + left.imag, right.real + right.imag, precision=high)
    real = jnp.matmul(left.real, right.real, precision=high)
    imag = jnp.matmul(left.imag, right.imag, precision=high)
    return jax.lax.complex(real - imag, both - real - imag)


def superoperator(kraus: Complex[Array, "k d d"]) -> Complex[Array, "d*d d*d"]:
    """Return S = sum_k K_k (x) conj(K_k), which acts on row-major vec(rho)."""
    size = kraus.shape[-1]
    product = jnp.einsum(
        "kab,kcd->acbd", kraus, kraus.conj(), precision=jax.lax.Precision.HIGHEST
    )
    return product.reshape(size * size, size * size)


@functools.cache
def pauli_words(num_wires: int) -> Complex[np.ndarray, "p d d"]:
    """Return the 4^k Pauli words on k wires, in the order I, X, Y, Z of each wire."""
    words = np.ones((1, 1, 1), dtype=complex)
    for _ in range(num_wires):
        count, size = 4 * len(words), 2 * words.shape[-1]
        words = np.einsum("pab,qcd->pqacbd", words, _PAULIS).reshape(count, size, size)
    words.setflags(write=False)  # every caller gets the same array
    return words


def pauli_transfer(
    kraus: Complex[Array, "k d d"] | Complex[np.ndarray, "k d d"],
) -> Float[Array, "d*d d*d"]:
    """Return R_ij = sum_k Tr(P_i K_k P_j K_k^dagger) / d, which acts on Tr(P_j rho).

    Args:
        kraus: Operators on w wires, d = 2^w; one unitary is a stack of one. Batches by
            `jax.vmap`.

    Returns:
        Shape (4^w, 4^w), real, in the precision of `kraus`; rows and columns run over
        words in the order I, X, Y, Z of each wire, the first wire leading.

    Source: Greenbaum, arXiv:1509.02921.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.asarray([[1, 0], [0, 1j]])
        >>> pauli_transfer(phase[None])[1].tolist()  # X takes minus Y's coefficient
        [0.0, 0.0, -1.0, 0.0]
    """
    operators = jnp.asarray(kraus)
    size = operators.shape[-1]
    words = pauli_words(size.bit_length() - 1).reshape(size**2, size**2)
    # Tr(P rho) = sum_ab conj(P_ab) rho_ab for Hermitian P: rows conj(P) on vec(rho).
    basis = jnp.asarray(words).astype(operators.dtype)
    product = jnp.einsum(
        "ia,ab,jb->ij",
        basis.conj(),
        superoperator(operators),
        basis,
        precision=jax.lax.Precision.HIGHEST,
    )
    return product.real / size


# --- properties, as predicates on NumPy arrays and on traced ones alike ---------------


def _eps(value: Any) -> float:
    """Return the rounding unit in which JAX will compute with `value`."""
    dtype = jax.dtypes.canonicalize_dtype(value.dtype)
    inexact = jnp.issubdtype(dtype, jnp.inexact)
    return float(jnp.finfo(dtype if inexact else jnp.finfo(float).dtype).eps)


def keeps_trace(kraus: Any) -> Any:
    """Say where |sum_k K_k^dagger K_k - I| is at most what rounding explains."""
    stacked = kraus.reshape(-1, kraus.shape[-1])
    gap = abs(stacked.conj().T @ stacked - np.eye(kraus.shape[-1]).astype(kraus.dtype))
    # Each entry sums stacked.shape[0] products of entries of size at most 1.
    return gap <= 16 * stacked.shape[0] * _eps(kraus)


def is_unitary(matrix: Any) -> Any:
    """Say where |U^dagger U - I| is at most what rounding explains."""
    return keeps_trace(matrix[None])


def is_hermitian(matrix: Any) -> Any:
    """Say where |H - H^dagger| is at most what rounding explains."""
    gap = abs(matrix - matrix.conj().swapaxes(-1, -2))
    return gap <= 16 * matrix.shape[-1] * _eps(matrix) * (abs(matrix).max() + 1)


def has_unit_norm(vector: Any) -> Any:
    """Say whether the Euclidean norm is 1 to sqrt(eps)."""
    return abs((abs(vector) ** 2).sum() - 1) <= 2 * float(np.sqrt(_eps(vector)))


def has_unit_trace(matrix: Any) -> Any:
    """Say whether the trace is 1 to sqrt(eps)."""
    return abs(matrix.trace() - 1) <= float(np.sqrt(_eps(matrix)))
