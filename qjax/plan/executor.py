"""Running a program on the numbers of a state, with three kinds of reverse mode."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax._linalg import contract
from qjax.plan.program import Loop, Program, Stage
from qjax.plan.sweeps import CARRY, Layout, Single, Window, axes_after, closes

Numbers = Float[Array, " size"]
Method = Literal["reverse", "remat", "adjoint"]


def execute(
    program: Program, matrices: PyTree, numbers: Numbers, method: Method
) -> Numbers:
    """Apply a program to a state's numbers, a vector with axes in `Layout.start` order.

    Args:
        program: The plan.
        matrices: Its matrices.
        numbers: Real numbers; a trailing batch axis is merged into the vector.
        method: What reverse-mode differentiation keeps: "reverse" every intermediate
            state, "remat" one state for each repetition of a loop, "adjoint" the last
            state only, from which it computes back (orthogonal matrices only).
    """
    if method == "adjoint":
        return _adjoint(program, matrices, numbers)
    return _forward(program, matrices, numbers, method == "remat")


def _forward(
    program: Program, matrices: PyTree, numbers: Numbers, remat: bool
) -> Numbers:
    for part, own in zip(program.parts, matrices, strict=True):
        if isinstance(part, Stage):
            for move in _moves(part, program.layout, gather=False):
                numbers = move.apply(own, numbers)
        else:
            step = functools.partial(_forward_step, part.body, remat)
            body = jax.checkpoint(step) if remat else step
            numbers, _ = jax.lax.scan(body, numbers, own, length=part.depth)
    return numbers


def _forward_step(
    body: Program, remat: bool, numbers: Numbers, matrices: PyTree
) -> tuple[Numbers, None]:
    return _forward(body, matrices, numbers, remat), None


# --- the reversible adjoint -----------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _adjoint(program: Program, matrices: PyTree, numbers: Numbers) -> Numbers:
    return _run(program, matrices, numbers)


def _run(program: Program, matrices: PyTree, numbers: Numbers) -> Numbers:
    for part, own in zip(program.parts, matrices, strict=True):
        if isinstance(part, Stage):
            for move in _moves(part, program.layout, gather=True):
                numbers = move.apply(own, numbers)
        else:
            numbers, _ = jax.lax.scan(
                lambda carry, layer, p=part: (_run(p.body, layer, carry), None),
                numbers,
                own,
                length=part.depth,
            )
    return numbers


def _adjoint_forward(
    program: Program, matrices: PyTree, numbers: Numbers
) -> tuple[Numbers, tuple[PyTree, Numbers]]:
    final = _run(program, matrices, numbers)
    return final, (matrices, final)


def _adjoint_backward(
    program: Program, residuals: tuple[PyTree, Numbers], cotangent: Numbers
) -> tuple[PyTree, Numbers]:
    matrices, final = residuals
    _, cotangent, gradients = _pull_back(program, matrices, final, cotangent)
    return gradients, cotangent


_adjoint.defvjp(_adjoint_forward, _adjoint_backward)


def _pull_back(
    program: Program, matrices: PyTree, numbers: Numbers, cotangent: Numbers
) -> tuple[Numbers, Numbers, PyTree]:
    """Undo a program: the numbers before it, their cotangent, the matrices' ones."""
    gradients: list[PyTree] = []
    for part, own in zip(reversed(program.parts), reversed(matrices), strict=True):
        if isinstance(part, Loop):

            def back(carry: tuple[Numbers, Numbers], layer: PyTree, p: Loop = part):
                before, pulled, gradient = _pull_back(p.body, layer, *carry)
                return (before, pulled), gradient

            (numbers, cotangent), found = jax.lax.scan(
                back, (numbers, cotangent), own, length=part.depth, reverse=True
            )
            gradients.append(found)
            continue
        pulled: dict[int, Array] = {}
        for move in reversed(_moves(part, program.layout, gather=True)):
            # The transpose of an orthogonal map is its inverse.
            numbers, after = move.transpose(own, numbers), cotangent
            cotangent = move.transpose(own, cotangent)
            if move.matrix is not None:
                pulled[move.matrix] = move.gradient(own, numbers, after)
        gradients.append(tuple(pulled[index] for index in range(len(own))))
    return numbers, cotangent, tuple(reversed(gradients))


# --- moves ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Move:
    """One array operation: linear in the numbers, and in its matrix if it has one.

    `back` is its transpose in the numbers, written out: what differentiation makes of
    a matrix product with few columns takes several times as long.
    """

    function: Callable[..., Numbers]
    back: Callable[..., Numbers]
    matrix: int | None = None

    def apply(self, matrices: Sequence[Array], numbers: Numbers) -> Numbers:
        return self.function(*self._own(matrices), numbers)

    def transpose(self, matrices: Sequence[Array], numbers: Numbers) -> Numbers:
        return self.back(*self._own(matrices), numbers)

    def gradient(
        self, matrices: Sequence[Array], before: Numbers, cotangent: Numbers
    ) -> Array:
        """Return the cotangent of the matrix."""
        (matrix,) = self._own(matrices)
        _, pull = jax.vjp(lambda m: self.function(m, before), matrix)
        return pull(cotangent)[0]

    def _own(self, matrices: Sequence[Array]) -> tuple[Array, ...]:
        return () if self.matrix is None else (matrices[self.matrix],)


def _moves(stage: Stage, layout: Layout, gather: bool) -> list[_Move]:
    """Write a stage as array operations; `gather` relayouts have no fast transpose."""
    axes, moves, matrix = layout.start(), [], 0

    def reach(target: tuple[int, ...]) -> None:
        if axes != target:
            there = functools.partial(relayout, axes, target, layout.bits, gather)
            back = functools.partial(relayout, target, axes, layout.bits, gather)
            moves.append(_Move(there, back))

    for step in stage.steps:
        if isinstance(step, Single):
            function = functools.partial(_apply_single, step, layout, axes)
            moves.append(_Move(function, _with_transpose(function), matrix))
            matrix += 1
            continue
        reach(layout.axes(step.order))
        for window in step.windows:
            function = functools.partial(apply_window, window, step.order, layout)
            if closes(window, layout):
                back = functools.partial(open_window, window, step.order, layout)
            else:
                back = _with_transpose(function)
            moves.append(_Move(function, back, matrix))
            matrix += 1
        axes = axes_after(step, layout)
    reach(layout.start())
    return moves


def _with_transpose(function: Callable[[Array, Numbers], Numbers]):
    return lambda matrix, numbers: function(jnp.swapaxes(matrix, -1, -2), numbers)


def apply_window(
    window: Window,
    order: tuple[int, ...],
    layout: Layout,
    matrix: Array,
    numbers: Numbers,
) -> Numbers:
    """Multiply a window's axes, seen as (left, rows, right), by its matrix."""
    left, rows = 2 ** (layout.bits * window.start), matrix.shape[-1]
    view = numbers.reshape(left, rows, -1)
    if closes(window, layout):
        return _close(window, order, layout, matrix, view[..., 0])
    if left == 1:
        return _product(matrix[0], view[0]).reshape(-1)
    if window.mux:
        before = _before(window, order)
        shape = (before, 2, left // before // 2, rows, rows)
        matrix = jnp.broadcast_to(matrix[None, :, None], shape)
    matrices = jnp.broadcast_to(matrix.reshape(-1, rows, rows), (left, rows, rows))
    return _products(matrices, view).reshape(-1)


def _close(
    window: Window, order: tuple[int, ...], layout: Layout, matrix: Array, view: Array
) -> Numbers:
    """Multiply the last axes from the right, and put the carry in front."""
    if not layout.carry:
        return _product(view, matrix[0].T).reshape(-1)
    count, rows = matrix.shape[:2]
    split = view.reshape(_before(window, order), count, -1, rows)
    products = [_product(split[:, z], matrix[z].T) for z in range(count)]
    # Slices side by side move the carry faster than a transposition.
    halves = [product.reshape(*split[:, 0].shape[:2], 2, -1) for product in products]
    parts = [jnp.stack([half[:, :, c] for half in halves], 1) for c in range(2)]
    return jnp.stack(parts).reshape(-1)


def open_window(
    window: Window,
    order: tuple[int, ...],
    layout: Layout,
    matrix: Array,
    numbers: Numbers,
) -> Numbers:
    """Do the transpose of a closing window: the carry goes back to the last axes."""
    count, rows = matrix.shape[0], matrix.shape[-1]
    if layout.carry:
        numbers = jnp.swapaxes(numbers.reshape(2, -1, rows // 2), 0, 1)
    split = numbers.reshape(_before(window, order), count, -1, rows)
    parts = [_product(split[:, z], matrix[z]) for z in range(count)]
    return jnp.stack(parts, 1).reshape(-1)


def _before(window: Window, order: tuple[int, ...]) -> int:
    """Numbers to the left of the wire that chooses the window's matrix."""
    return 2 ** order.index(window.mux[0]) if window.mux else 1


def _apply_single(
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


@jax.custom_jvp
def _products(matrices: Array, view: Array) -> Array:
    """Multiply one matrix after the other."""
    return _product(matrices, view)


@functools.partial(_products.defjvp, symbolic_zeros=True)
def _products_derivative(primals, tangents):
    (matrices, view), (changes, moved) = primals, tangents
    zero = jax.custom_derivatives.SymbolicZero
    value = _product(matrices, view)
    tangent = jnp.zeros_like(value)
    if not isinstance(changes, zero):
        tangent = tangent + _product(changes, view)
    if not isinstance(moved, zero):
        # Written so that its transpose, and not itself, is the product that is fast.
        turned = jnp.swapaxes(matrices, -1, -2)
        tangent = tangent + _product(turned, moved, _BY_ROWS)
    return value, tangent


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
