"""The array operations that a program's steps become, on the numbers of a state."""

import functools
import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._linalg import contract
from qjax.plan.sweeps import CARRY, Layout, Single, Window, closes

_SLOPE_PIECES = 8

Numbers = Float[Array, " size"]
Parts = tuple[Float[Array, "before between columns"], ...]


def apply_window(
    window: Window,
    order: tuple[int, ...],
    layout: Layout,
    matrix: Array,
    numbers: Numbers,
) -> Numbers:
    """Multiply a window's axes, seen as (left, rows, right), by its matrix.

    A closing window puts the carry in front.
    """
    left, rows = 2 ** (layout.bits * window.start), matrix.shape[-1]
    view = numbers.reshape(left, rows, -1)
    if closes(window, layout):
        if layout.carry:
            return carry_first(right_products(window, order, matrix, numbers))
        return _product(view[..., 0], matrix[0].T).reshape(-1)
    if left == 1:
        return _product(matrix[0], view[0]).reshape(-1)
    before = numbers_before(window, order)
    return _products(matrix, view.reshape(before, len(matrix), -1, *view.shape[1:]))


def open_window(
    window: Window,
    order: tuple[int, ...],
    layout: Layout,
    matrix: Array,
    numbers: Numbers,
) -> Numbers:
    """Do the transpose of a closing window: the carry goes back to the last axes."""
    if not layout.carry:
        return _product(numbers.reshape(-1, matrix.shape[-1]), matrix[0]).reshape(-1)
    columns = matrix.shape[-1] // 2
    parts = carry_last(len(matrix), numbers_before(window, order), columns, numbers)
    return right_products_transposed(matrix, parts)


def right_products(
    window: Window, order: tuple[int, ...], matrix: Array, numbers: Numbers
) -> Parts:
    """Multiply the last axes by each matrix from the right, real parts apart.

    Returns:
        The real parts that each matrix makes, then the imaginary parts, each of shape
        (before, between, columns): the wire that chooses is between the first two axes.
    """
    count, rows = matrix.shape[:2]
    split = numbers.reshape(numbers_before(window, order), count, -1, rows)
    halves = matrix.reshape(count, 2, -1, rows)
    pairs = itertools.product(range(2), range(count))
    return tuple(_product(split[:, z], halves[z, c].T) for c, z in pairs)


def right_products_transposed(matrix: Array, parts: Parts) -> Numbers:
    """Do the transpose of `right_products`."""
    count = len(matrix)
    wide = [jnp.concatenate(parts[z::count], -1) for z in range(count)]
    products = [_product(part, matrix[z]) for z, part in enumerate(wide)]
    return jnp.stack(products, 1).reshape(-1)


def right_slopes(
    window: Window,
    order: tuple[int, ...],
    matrix: Array,
    numbers: Numbers,
    pull: Numbers,
) -> Array:
    """Return the matrices' cotangents of a closing window with a carry.

    Summed over pieces in a loop: a product of all numbers at once is made of copies.
    """
    count, rows = matrix.shape[:2]
    before = numbers_before(window, order)
    split = numbers.reshape(before, count, -1, rows)
    pulled = pull.reshape(2, before, count, -1, rows // 2)
    axis = 0 if before > split.shape[2] else 2
    pieces = min(_SLOPE_PIECES, split.shape[axis])

    def cut(array: Array, along: int, index: Array) -> Array:
        size = array.shape[along] // pieces
        return jax.lax.dynamic_slice_in_dim(array, index * size, size, along)

    def add(index: Array, total: Array) -> Array:
        own, ends = cut(split, axis, index), cut(pulled, axis + 1, index)
        high = jax.lax.Precision.HIGHEST
        slope = jnp.einsum("bzmr,cbzmk->zckr", own, ends, precision=high)
        return total + slope.reshape(matrix.shape).astype(matrix.dtype)

    return jax.lax.fori_loop(0, pieces, add, jnp.zeros_like(matrix))


def carry_first(parts: Parts) -> Numbers:
    """Put parts side by side and the carry in front of everything."""
    count = len(parts) // 2
    halves = [jnp.stack(half, 1) for half in (parts[:count], parts[count:])]
    return jnp.stack(halves).reshape(-1)


def carry_last(count: int, before: int, columns: int, numbers: Numbers) -> Parts:
    """Do the transpose of `carry_first`, to twice so many parts of so many columns."""
    split = numbers.reshape(2, before, count, -1, columns)
    pairs = itertools.product(range(2), range(count))
    return tuple(split[c, :, z] for c, z in pairs)


def numbers_before(window: Window, order: tuple[int, ...]) -> int:
    """Numbers to the left of the wire that chooses the window's matrix."""
    return 2 ** order.index(window.mux[0]) if window.mux else 1


def apply_single(
    step: Single, layout: Layout, axes: tuple[int, ...], matrix: Array, numbers: Numbers
) -> Numbers:
    """Apply an operation that is too wide for a window to the axes where they are."""
    starts, position = {}, 0
    for axis in axes:
        starts[axis] = position
        position += 1 if axis == CARRY else layout.bits

    def places(wires: Sequence[int]) -> tuple[int, ...]:
        return tuple(starts[w] + b for w in wires for b in range(layout.bits))

    tensor = numbers.reshape((2,) * position + (-1,))
    acted = ((starts[CARRY],) if layout.carry else ()) + places(step.wires)
    done = contract(tensor, matrix, acted, places(step.controls), step.values)
    return done.reshape(-1)


def relayout(
    old: tuple[int, ...],
    new: tuple[int, ...],
    bits: int,
    gather: bool,
    numbers: Numbers,
) -> Numbers:
    """Permute axes. A gather is faster on a CPU; only a transpose has a transpose."""
    widths = [1 if axis == CARRY else bits for axis in old]
    if not gather:
        return _transpose(old, new, widths, numbers)
    starts = [0, *itertools.accumulate(widths)]
    places = [starts[i] + bit for i in map(old.index, new) for bit in range(widths[i])]
    kept = 0
    while kept < len(places) and places[-1 - kept] == len(places) - 1 - kept:
        kept += 1
    moved = places[: len(places) - kept]
    # A row's source is a sum over its bits, so two short tables give all of them.
    weights = [1 << (len(moved) - 1 - place) for place in moved]
    half = len(moved) // 2
    first, second = _bit_sums(weights[:half]), _bit_sums(weights[half:])
    index = (jnp.asarray(first)[:, None] + jnp.asarray(second)[None, :]).reshape(-1)
    rows = numbers.reshape(index.shape[0], -1)
    return rows.at[index].get(mode="promise_in_bounds", unique_indices=True).reshape(-1)


def _transpose(
    old: tuple[int, ...], new: tuple[int, ...], widths: Sequence[int], numbers: Numbers
) -> Numbers:
    """Permute axes; those that stay neighbours are merged: few axes move faster."""
    runs: list[list[int]] = []
    for place in map(old.index, new):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    order = sorted(runs)
    shape = [2 ** sum(widths[place] for place in run) for run in order]
    view = numbers.reshape(*shape, -1)
    return view.transpose(*map(order.index, runs), len(order)).reshape(-1)


def _bit_sums(weights: Sequence[int]) -> np.ndarray:
    """Sum the weights of the bits set in j, for every j, the first bit leading."""
    sums = np.zeros(1, np.int32)
    for weight in reversed(weights):
        sums = np.concatenate([sums, sums + np.int32(weight)])
    return sums


def is_written_out(many: int, rows: int, columns: int, dtype: np.dtype) -> bool:
    """Say whether so many products are sums, as is faster where XLA unrolls them.

    Measured for float32. Fewer products are not worth the time to compile.
    """
    unrolled = rows <= 16 and rows * columns == 128
    return unrolled and many >= 256 and dtype == np.float32


@jax.custom_jvp
def _products(matrix: Array, view: Float[Array, "before m between rows columns"]):
    """Multiply the m-th rows by the m-th matrix; returns all numbers in a row."""
    rows, columns = view.shape[-2:]
    if is_written_out(view.size // (rows * columns), rows, columns, view.dtype):
        return _written_out(matrix, view)
    return _one_by_one(matrix, view).reshape(-1)


@functools.partial(_products.defjvp, symbolic_zeros=True)
def _products_derivative(primals, tangents):
    (matrix, view), (change, moved) = primals, tangents
    zero = jax.custom_derivatives.SymbolicZero
    value = _products(matrix, view)
    tangent = jnp.zeros_like(value)
    if not isinstance(change, zero):
        tangent = tangent + _one_by_one(change, view).reshape(-1)
    if not isinstance(moved, zero):
        # Written so that its transpose, and not itself, is the product that is fast.
        turned = jnp.swapaxes(matrix, -1, -2)
        tangent = tangent + _one_by_one(turned, moved, _BY_ROWS).reshape(-1)
    return value, tangent


def _one_by_one(matrix: Array, view: Array, dimensions: tuple | None = None) -> Array:
    """Multiply one matrix after the other."""
    shape = (*view.shape[:3], *matrix.shape[1:])
    matrices = jnp.broadcast_to(matrix[None, :, None], shape)
    left = matrices.reshape(-1, *shape[-2:])
    return _product(left, view.reshape(-1, *view.shape[-2:]), dimensions)


def _written_out(matrix: Array, view: Array) -> Array:
    """Multiply small matrices as sums over their columns.

    XLA's batched product takes as long for each of them as for larger ones.
    """
    rows = range(matrix.shape[-1])
    each = matrix[None, :, None, :, :, None]
    terms = [[each[:, :, :, i, j] * view[:, :, :, j] for j in rows] for i in rows]
    return jnp.stack([sum(row[1:], row[0]) for row in terms], 3).reshape(-1)


_BY_ROWS = (((1,), (1,)), ((0,), (0,)))
"""Dimension numbers of matrices^T times matrices, one after the other."""


def _product(left: Array, right: Array, dimensions: tuple | None = None) -> Array:
    # Some accelerators otherwise multiply float32 at reduced precision; numbers stored
    # in 16 bits are summed in 32.
    wide = np.promote_types(left.dtype, np.float32)
    settings = {"precision": jax.lax.Precision.HIGHEST, "preferred_element_type": wide}
    if dimensions is None:
        product = jnp.matmul(left, right, **settings)
    else:
        product = jax.lax.dot_general(left, right, dimensions, **settings)
    return product.astype(left.dtype)
