"""The matrices of windows, built from operations in one batch: few array operations.

Every window with every choice of its `mux` bits is a *block*: a product of operations
on k local wires. One-wire operations are multiplied first and absorbed into the
two-wire operation that follows them; a block is then a short list of *levels*, each one
matrix on two local wires, and level t of all blocks of a size is applied at once.
Before a level the rows are put into an order in which its wires lead; that order is
known beforehand, so it costs one gather.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._types import Wires
from qjax.circuits.operation import AbstractOperation
from qjax.plan.pool import Item, Pool
from qjax.plan.sweeps import Window

MAX_UNROLLED_LEVELS = 8
"""Longer lists of levels go through a scan, so that compile time stays flat."""


@dataclasses.dataclass(frozen=True)
class _Level:
    """One matrix on local wires, after one-wire operations on each of them."""

    wires: tuple[int, ...]
    before: tuple[tuple[Item, ...], ...]
    item: Item | None


@dataclasses.dataclass(frozen=True)
class _Block:
    size: int
    levels: tuple[_Level, ...]

    def items(self) -> Iterator[Item]:
        """Every item of every level."""
        for level in self.levels:
            yield from (item for run in level.before for item in run)
            if level.item is not None:
                yield level.item


_IDLE = _Level((0, 1), ((), ()), None)


def window_matrices(
    operations: Sequence[AbstractOperation],
    windows: Sequence[tuple[Wires, Window]],
    site: int,
    dtype: np.dtype,
) -> list[Array]:
    """Build the matrix of every window for every value of its choosing bits.

    Args:
        operations: The operations that the windows refer to by position.
        windows: Wires of each window in axis order, and the window.
        site: Length s of a wire's axis: 2 for amplitudes, 4 for Pauli coefficients.
        dtype: dtype of the matrices.

    Returns:
        One array for each window, shape (2^mux, s^k, s^k).
    """
    groups = [_blocks(wires, window, operations) for wires, window in windows]
    blocks = [block for group in groups for block in group]
    items = [item for block in blocks for item in block.items()]
    pool = Pool(operations, items, site, dtype)
    built = {}
    for size in sorted({block.size for block in blocks}):
        together = _build([b for b in blocks if b.size == size], size, pool)
        counts = [len(group) for group in groups if group[0].size == size]
        # The transpose of a split is one concatenation; of slices, a sum of pads.
        built[size] = iter(jax.lax.split(together, counts))
    return [next(built[group[0].size]) for group in groups]


def level_matrices(
    operations: Sequence[AbstractOperation], num_wires: int, dtype: np.dtype
) -> tuple[Array, np.ndarray, np.ndarray]:
    """Write operations on one or two wires as levels on all wires, to act on states.

    Returns:
        Matrices of the levels, shape (levels, 4, 4); before each level, the order of
        the 2^n rows in which its two wires lead, shape (levels, 2^n); and the way back
        from the last order, shape (2^n,).
    """
    steps = [(operation.wires, (i, ())) for i, operation in enumerate(operations)]
    block = _Block(num_wires, tuple(_levels(steps, num_wires)))
    pool = Pool(operations, block.items(), 2, dtype)
    pairs = _pair_matrices([list(block.levels)], pool)[0]
    rows, back = _row_orders([list(block.levels)], num_wires, 2)
    return pairs, rows[:, 0], back[0]


# --- blocks ---------------------------------------------------------------------------


def _blocks(
    wires: Wires, window: Window, operations: Sequence[AbstractOperation]
) -> list[_Block]:
    """Write a window as levels, once for each value of the bits that choose."""
    blocks = []
    for bits in itertools.product((0, 1), repeat=len(window.mux)):
        values = dict(zip(window.mux, bits, strict=True))
        steps = []
        for index in window.operations:
            acted = operations[index].wires
            chosen = tuple((a, values[w]) for a, w in enumerate(acted) if w in values)
            local = tuple(wires.index(w) for w in acted if w not in values)
            steps.append((local, (index, chosen)))
        blocks.append(_Block(len(wires), tuple(_levels(steps, len(wires)))))
    return blocks


def _levels(steps: Sequence[tuple[tuple[int, ...], Item]], size: int) -> list[_Level]:
    pending: dict[int, list[Item]] = {wire: [] for wire in range(size)}
    levels = []

    def flush(wires: tuple[int, ...], item: Item | None) -> None:
        levels.append(_Level(wires, tuple(tuple(pending[w]) for w in wires), item))
        pending.update({wire: [] for wire in wires})

    for local, item in steps:
        if len(local) == 1:
            pending[local[0]].append(item)
        else:
            flush(local, item)
    waiting = [wire for wire in range(size) if pending[wire]]
    if len(waiting) % 2:
        waiting.append(next(wire for wire in range(size) if wire not in waiting[-1:]))
    for first, second in zip(waiting[::2], waiting[1::2], strict=True):
        flush((first, second), None)
    return levels


# --- products -------------------------------------------------------------------------


def _build(blocks: Sequence[_Block], size: int, pool: Pool) -> Array:
    """Multiply the levels of all blocks of one size: (blocks, s^k, s^k)."""
    if any(len(level.wires) > 2 for block in blocks for level in block.levels):
        return jnp.stack([_build_alone(block, pool) for block in blocks])
    count, dim, pair = len(blocks), pool.site**size, pool.site**2
    matrix = jnp.broadcast_to(jnp.eye(dim, dtype=pool.dtype), (count, dim, dim))
    num_levels = max(len(block.levels) for block in blocks)
    if not num_levels:
        return matrix
    table = [[*b.levels, *[_IDLE] * (num_levels - len(b.levels))] for b in blocks]
    pairs = _pair_matrices(table, pool)
    rows, back = _row_orders(table, size, pool.site)

    def level(matrix: Array, order: Array | np.ndarray, pairs: Array) -> Array:
        grouped = _take_rows(matrix, order).reshape(count, pair, -1)
        return _product(pairs, grouped).reshape(matrix.shape)

    if num_levels <= MAX_UNROLLED_LEVELS:
        for t in range(num_levels):
            matrix = level(matrix, rows[t], pairs[:, t])
    else:
        steps = (jnp.asarray(rows), jnp.swapaxes(pairs, 0, 1))
        matrix, _ = jax.lax.scan(lambda m, step: (level(m, *step), None), matrix, steps)
    return _take_rows(matrix, back)


def _take_rows(matrix: Array, order: Array | np.ndarray) -> Array:
    """Reorder the rows of every block; one order for all is one plain gather."""
    if isinstance(order, np.ndarray) and (order == order[0]).all():
        natural = (order[0] == np.arange(order.shape[1])).all()
        return matrix if natural else matrix[:, order[0]]
    return jnp.take_along_axis(matrix, jnp.asarray(order)[:, :, None], axis=1)


def _pair_matrices(table: list[list[_Level]], pool: Pool) -> Array:
    """Matrices of levels, what precedes included: (blocks, levels, s^2, s^2)."""
    flat = [level for row in table for level in row]
    runs = [run for level in flat for run in level.before]
    pairs = pool.take([level.item for level in flat], 2)
    longest = max(len(run) for run in runs)
    if longest:
        padded = [
            item for run in runs for item in (*run, *[None] * (longest - len(run)))
        ]
        taken = pool.take(padded, 1).reshape(
            len(flat), 2, longest, pool.site, pool.site
        )
        singles = taken[:, :, 0]
        for position in range(1, longest):
            singles = small_product(taken[:, :, position], singles)
        first, second = singles[:, 0], singles[:, 1]
        both = first[:, :, None, :, None] * second[:, None, :, None, :]
        pairs = small_product(pairs, both.reshape(pairs.shape))
    return pairs.reshape(len(table), len(table[0]), *pairs.shape[1:])


def small_product(left: Array, right: Array) -> Array:
    """Multiply stacks of tiny matrices entry by entry: faster than many GEMM calls."""
    return jnp.sum(left[..., :, :, None] * right[..., None, :, :], axis=-2)


def _row_orders(
    table: list[list[_Level]], size: int, site: int
) -> tuple[np.ndarray, np.ndarray]:
    """Row orders in which each level's wires lead, and the way back.

    Returns:
        Gather indices (levels, blocks, s^k), each relative to the order before, and
        (blocks, s^k) from the last order to the natural one.
    """
    rows = np.zeros((len(table[0]), len(table), site**size), np.int32)
    back = np.zeros((len(table), site**size), np.int32)
    for b, levels in enumerate(table):
        order = tuple(range(size))
        for t, level in enumerate(levels):
            new = _leading(order, level.wires)
            rows[t, b] = _reorder(order, new, site)
            order = new
        back[b] = _reorder(order, tuple(range(size)), site)
    return rows, back


def _leading(order: tuple[int, ...], wires: tuple[int, ...]) -> tuple[int, ...]:
    return wires + tuple(wire for wire in order if wire not in wires)


def _reorder(old: tuple[int, ...], new: tuple[int, ...], site: int) -> np.ndarray:
    index = np.arange(site ** len(old)).reshape((site,) * len(old))
    return index.transpose([old.index(wire) for wire in new]).reshape(-1)


def _build_alone(block: _Block, pool: Pool) -> Array:
    """The same for a block with an operation on three local wires or more."""
    natural = order = tuple(range(block.size))
    dim = pool.site**block.size
    matrix = jnp.eye(dim, dtype=pool.dtype)
    for level in block.levels:
        runs = zip(level.wires, level.before, strict=True)
        steps = [((wire,), item) for wire, run in runs for item in run]
        for wires, item in [*steps, (level.wires, level.item)]:
            new = _leading(order, wires)
            rows = matrix[_reorder(order, new, pool.site)]
            small = pool.take([item], len(wires))[0]
            grouped = rows.reshape(small.shape[0], -1)
            matrix, order = _product(small, grouped).reshape(dim, dim), new
    return matrix[_reorder(order, natural, pool.site)]


def _product(left: Array, right: Array) -> Array:
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)
