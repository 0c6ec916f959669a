"""Contractions of small matrices with tensors of many two-level axes."""

import string

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._types import ArrayLike, Wires


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


def superoperator(kraus: Complex[Array, "k d d"]) -> Complex[Array, "d*d d*d"]:
    """Return S = sum_k K_k (x) conj(K_k), which acts on row-major vec(rho)."""
    size = kraus.shape[-1]
    product = jnp.einsum(
        "kab,kcd->acbd", kraus, kraus.conj(), precision=jax.lax.Precision.HIGHEST
    )
    return product.reshape(size * size, size * size)
