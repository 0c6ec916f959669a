"""Running a program on the numbers of a state, with three kinds of reverse mode."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from qjax.plan.alone import by_itself
from qjax.plan.arrays import (
    Numbers,
    apply_single,
    apply_window,
    carry_first,
    carry_last,
    numbers_before,
    open_window,
    relayout,
    right_products,
    right_products_transposed,
    right_slopes,
)
from qjax.plan.program import Loop, Program, Stage
from qjax.plan.sweeps import Layout, Single, Sweep, Window, axes_after, closes

Method = Literal["reverse", "remat", "adjoint"]
Matrices = Sequence[Array]
Flow = PyTree[Float[Array, "..."]]
"""What moves pass on: a state's numbers, or parts of them yet to be joined."""


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
    return apply_program(program, matrices, numbers)


def apply_program(
    program: Program, matrices: PyTree, numbers: Numbers, *, alone: Array | None = None
) -> Numbers:
    """Apply a program; what `pull_back_program` undoes.

    Args:
        program: The plan.
        matrices: Its matrices.
        numbers: As in `execute`.
        alone: A traced True, to take as little memory as possible: there are no tables
            of indices, and every array operation is the branch of a conditional, which
            XLA neither merges with the others nor begins before them.
    """
    for part, own in zip(program.parts, matrices, strict=True):
        if isinstance(part, Stage):
            for move in _moves(part, program.layout, gather=alone is None):
                numbers = by_itself(alone, functools.partial(move.apply, own), numbers)
        else:
            numbers, _ = jax.lax.scan(
                lambda carry, layer, p=part: (
                    apply_program(p.body, layer, carry, alone=alone),
                    None,
                ),
                numbers,
                own,
                length=part.depth,
            )
    return numbers


def _adjoint_forward(
    program: Program, matrices: PyTree, numbers: Numbers
) -> tuple[Numbers, tuple[PyTree, Numbers]]:
    final = apply_program(program, matrices, numbers)
    return final, (matrices, final)


def _adjoint_backward(
    program: Program, residuals: tuple[PyTree, Numbers], cotangent: Numbers
) -> tuple[PyTree, Numbers]:
    matrices, final = residuals
    _, cotangent, gradients = pull_back_program(program, matrices, final, cotangent)
    return gradients, cotangent


_adjoint.defvjp(_adjoint_forward, _adjoint_backward)


def pull_back_program(
    program: Program,
    matrices: PyTree,
    numbers: Numbers,
    cotangent: Numbers,
    *,
    alone: Array | None = None,
) -> tuple[Numbers, Numbers, PyTree]:
    """Undo a program: the numbers before it, their cotangent, the matrices' ones."""
    gradients: list[PyTree] = []
    for part, own in zip(reversed(program.parts), reversed(matrices), strict=True):
        if isinstance(part, Loop):

            def back(carry: tuple[Numbers, Numbers], layer: PyTree, p: Loop = part):
                before, pulled, gradient = pull_back_program(
                    p.body, layer, *carry, alone=alone
                )
                return (before, pulled), gradient

            (numbers, cotangent), found = jax.lax.scan(
                back, (numbers, cotangent), own, length=part.depth, reverse=True
            )
            gradients.append(found)
            continue
        pulled: dict[int, Array] = {}
        for move in reversed(_moves(part, program.layout, gather=alone is None)):
            numbers, cotangent, found = move.pull_back(
                own, numbers, cotangent, alone=alone
            )
            pulled |= found
        gradients.append(tuple(pulled[index] for index in range(len(own))))
    return numbers, cotangent, tuple(reversed(gradients))


# --- moves ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Move:
    """One array operation: linear in the numbers, and in its matrix if it has one.

    Attributes:
        function: The operation, given the matrix and the numbers.
        back: Its transpose in the numbers, written out: what differentiation makes of
            a matrix product with few columns takes several times as long.
        matrix: Index of the matrix in the stage.
        bit: Bit of a piece's index that chooses between two matrices.
        slope: The cotangent of the matrix, written out, where that takes less memory
            than what differentiation makes of it.
    """

    function: Callable[..., Flow]
    back: Callable[..., Flow]
    matrix: int | None = None
    bit: int | None = None
    slope: Callable[..., Array] | None = None

    def apply(
        self, matrices: Matrices, numbers: Flow, piece: Array | None = None
    ) -> Flow:
        return self.function(*self._own(matrices, piece), numbers)

    def transpose(
        self, matrices: Matrices, numbers: Flow, piece: Array | None = None
    ) -> Flow:
        return self.back(*self._own(matrices, piece), numbers)

    def gradient(
        self,
        matrices: Matrices,
        before: Flow,
        cotangent: Flow,
        piece: Array | None = None,
    ) -> Array:
        """Return the cotangent of the matrix."""
        assert self.matrix is not None

        def through(matrix: Array) -> Flow:
            return self.function(self._choose(matrix, piece), before)

        _, pull = jax.vjp(through, matrices[self.matrix])
        return pull(cotangent)[0]

    def pull_back(
        self,
        matrices: Matrices,
        numbers: Flow,
        cotangent: Flow,
        piece: Array | None = None,
        alone: Array | None = None,
    ) -> tuple[Flow, Flow, dict[int, Array]]:
        """Return the numbers before, their cotangent and the matrix's."""
        # The transpose of an orthogonal map is its inverse.
        back = functools.partial(self.transpose, matrices, piece=piece)
        before = by_itself(alone, back, numbers)
        found: dict[int, Array] = {}
        if self.matrix is not None:
            slope = functools.partial(self.gradient, matrices, piece=piece)
            if alone is not None and self.slope is not None:
                slope = functools.partial(self.slope, matrices[self.matrix])
            found[self.matrix] = by_itself(alone, slope, before, cotangent)
        return before, by_itself(alone, back, cotangent), found

    def _own(self, matrices: Matrices, piece: Array | None) -> tuple[Array, ...]:
        if self.matrix is None:
            return ()
        return (self._choose(matrices[self.matrix], piece),)

    def _choose(self, matrix: Array, piece: Array | None) -> Array:
        if self.bit is None or piece is None:
            return matrix
        return jax.lax.dynamic_index_in_dim(matrix, (piece >> self.bit) & 1)


@dataclasses.dataclass(frozen=True)
class _Pieces:
    """Moves on one piece of the numbers after the other: each piece fits a cache."""

    moves: tuple[_Move, ...]
    count: int

    def apply(self, matrices: Matrices, numbers: Flow) -> Flow:
        def step(_: None, piece: Array, numbers: Flow) -> tuple[None, Flow]:
            for move in self.moves:
                numbers = move.apply(matrices, numbers, piece)
            return None, numbers

        return self._each(step, None, numbers)[1]

    def pull_back(
        self,
        matrices: Matrices,
        numbers: Flow,
        cotangent: Flow,
        alone: Array | None = None,
    ) -> tuple[Flow, Flow, dict[int, Array]]:
        """Pull every piece back, and sum the matrices' cotangents."""
        assert alone is None  # where operations are alone, stages are not in pieces

        def step(total: dict[int, Array], piece: Array, pair: tuple[Flow, Flow]):
            numbers, cotangent = pair
            for move in reversed(self.moves):
                numbers, cotangent, found = move.pull_back(
                    matrices, numbers, cotangent, piece
                )
                total = total | {i: total[i] + found[i] for i in found}
            return total, (numbers, cotangent)

        own = [move.matrix for move in self.moves if move.matrix is not None]
        total = {index: jnp.zeros_like(matrices[index]) for index in own}
        total, done = self._each(step, total, (numbers, cotangent))
        return *done, total

    def _each(
        self, step: Callable, total: PyTree, numbers: Flow
    ) -> tuple[PyTree, Flow]:
        """Map pieces as `jax.lax.scan` does, in less memory.

        A scan fills the room for its results with zeros, which XLA does for all loops
        of a program at its beginning, so that they share none. Filled with a number
        that is known only when the loop begins, the room is made then.
        """
        pieces = jax.tree.map(
            lambda x: x.reshape(self.count, -1, *x.shape[1:]), numbers
        )
        fill = jax.tree.leaves(numbers)[0].reshape(-1)[0]

        def cut(index: Array | int) -> Flow:
            take = functools.partial(jax.lax.dynamic_index_in_dim, keepdims=False)
            return jax.tree.map(lambda x: take(x, index), pieces)

        def put(index: Array, carry: tuple[PyTree, Flow]) -> tuple[PyTree, Flow]:
            total, done = carry
            total, new = step(total, index, cut(index))
            write = functools.partial(jax.lax.dynamic_update_index_in_dim, axis=0)
            return total, jax.tree.map(lambda x, y: write(x, y, index), done, new)

        shapes = jax.eval_shape(lambda: step(total, jnp.asarray(0), cut(0))[1])
        room = jax.tree.map(lambda x: jnp.full((self.count, *x.shape), fill), shapes)
        total, done = jax.lax.fori_loop(0, self.count, put, (total, room))
        return total, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), done)


def _moves(stage: Stage, layout: Layout, gather: bool) -> list[_Move | _Pieces]:
    """Write a stage as array operations.

    To `gather` relayouts, and to do pieces, is faster, but has no fast transpose.
    """
    axes, moves, matrix = layout.start(), [], 0

    def reach(target: tuple[int, ...]) -> None:
        if axes != target:
            there = functools.partial(relayout, axes, target, layout.bits, gather)
            back = functools.partial(relayout, target, axes, layout.bits, gather)
            moves.append(_Move(there, back))

    for step in stage.steps:
        if isinstance(step, Single):
            function = functools.partial(apply_single, step, layout, axes)
            moves.append(_Move(function, _with_transpose(function), matrix))
            matrix += 1
            continue
        reach(layout.axes(step.order))
        whole = step.whole if gather else len(step.windows)
        moves += _sweep_moves(dataclasses.replace(step, whole=whole), layout, matrix)
        matrix += len(step.windows)
        axes = axes_after(step, layout)
    reach(layout.start())
    return moves


def _sweep_moves(sweep: Sweep, layout: Layout, first: int) -> list[_Move | _Pieces]:
    """Write windows as moves; `first` is the first one's matrix."""
    whole: list[_Move | _Pieces] = [
        _window_move(window, sweep.order, layout, first + index)
        for index, window in enumerate(sweep.windows[: sweep.whole])
    ]
    pieced = sweep.windows[sweep.whole :]
    if not pieced:
        return whole
    fixed = pieced[0].start
    order = sweep.order[fixed:]
    smaller = dataclasses.replace(layout, num_wires=layout.num_wires - fixed)
    moves = []
    for index, window in enumerate(pieced, first + sweep.whole):
        chosen = [sweep.order.index(wire) for wire in window.mux if wire not in order]
        own = dataclasses.replace(
            window,
            start=window.start - fixed,
            stop=window.stop - fixed,
            mux=() if chosen else window.mux,
        )
        # The first of the wires that stay is the highest bit of a piece's index.
        bit = fixed - 1 - chosen[0] if chosen else None
        move = _window_move(own, order, smaller, index)
        moves.append(dataclasses.replace(move, bit=bit))
    count = 2 ** (layout.bits * fixed)
    if not (layout.carry and closes(pieced[-1], layout)):
        return [*whole, _Pieces(tuple(moves), count)]
    # The carry passes in front of all pieces at once.
    moves[-1] = dataclasses.replace(
        moves[-1],
        function=functools.partial(right_products, own, order),
        back=right_products_transposed,
    )
    last = functools.partial(
        carry_last,
        2 ** len(own.mux),
        count * numbers_before(own, order),
        2 ** (own.stop - own.start),
    )
    return [*whole, _Pieces(tuple(moves), count), _Move(carry_first, last)]


def _window_move(
    window: Window, order: tuple[int, ...], layout: Layout, matrix: int
) -> _Move:
    function = functools.partial(apply_window, window, order, layout)
    if not closes(window, layout):
        return _Move(function, _with_transpose(function), matrix)
    back = functools.partial(open_window, window, order, layout)
    slope = functools.partial(right_slopes, window, order) if layout.carry else None
    return _Move(function, back, matrix, slope=slope)


def _with_transpose(function: Callable[[Array, Numbers], Numbers]):
    return lambda matrix, numbers: function(jnp.swapaxes(matrix, -1, -2), numbers)
