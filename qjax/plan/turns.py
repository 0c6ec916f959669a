"""Turns: one-wire unitaries in a row, where what lies between only permutes."""

import functools
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array

from qjax.circuits.operation import AbstractOperation, Gate, GateSpec
from qjax.plan.matrices import small_product
from qjax.plan.pool import Item, Pool

Order = np.ndarray


def turn_levels(
    operations: Sequence[AbstractOperation], num_wires: int, dtype: np.dtype
) -> tuple[Array, Order, Order] | None:
    """Write operations as levels on one wire each, if all others permute the basis.

    A permutation such as a CNOT costs nothing: it only changes where the next level
    finds its rows.

    Returns:
        Matrices of the levels, shape (levels, 2, 2); before each level, the order of
        the 2^n rows in which its wire leads, shape (levels, 2^n); and the way back
        from the last order, shape (2^n,). None if an operation is of another kind.
    """
    place = np.arange(2**num_wires)  # of every basis state, among the rows
    pending: dict[int, list[Item]] = {wire: [] for wire in range(num_wires)}
    runs: list[list[Item]] = []
    orders: list[Order] = []

    def flush(wire: int) -> None:
        nonlocal place
        if not pending[wire]:
            return
        runs.append(pending.pop(wire))
        pending[wire] = []
        bit = np.arange(2**num_wires) >> (num_wires - 1 - wire) & 1
        basis = np.argsort(bit, kind="stable")  # the basis states, the wire leading
        orders.append(place[basis])
        place = np.argsort(basis)

    for index, operation in enumerate(operations):
        moved = _permutation(operation)
        if moved is not None:
            for wire in operation.wires:
                flush(wire)
            place = place[_preimages(moved, operation.wires, num_wires)]
        elif len(operation.wires) == 1:
            pending[operation.wires[0]].append((index, ()))
        else:
            return None
    for wire in range(num_wires):
        flush(wire)
    if not runs:
        return None
    pool = Pool(operations, [item for run in runs for item in run], 2, dtype)
    matrices = _products(runs, pool)
    return matrices, np.stack(orders).astype(np.int32), place.astype(np.int32)


def _products(runs: Sequence[Sequence[Item]], pool: Pool) -> Array:
    """Multiply every run, the first item on the right: (runs, 2, 2)."""
    longest = max(len(run) for run in runs)
    padded = [item for run in runs for item in (*run, *[None] * (longest - len(run)))]
    taken = pool.take(padded, 1).reshape(len(runs), longest, 2, 2)
    product = taken[:, 0]
    for position in range(1, longest):
        product = small_product(taken[:, position], product)
    return product


def _permutation(operation: AbstractOperation) -> tuple[int, ...] | None:
    """Give the row of the 1 in every column, if the matrix is such."""
    if isinstance(operation, Gate) and not operation.spec.num_params:
        return _permutation_of(operation.spec)
    return None


@functools.cache
def _permutation_of(spec: GateSpec) -> tuple[int, ...] | None:
    with jax.ensure_compile_time_eval():
        matrix = np.asarray(spec.matrix())
    if not np.all((matrix == 0) | (matrix == 1)):
        return None
    return tuple(int(row) for row in np.argmax(matrix == 1, axis=0))


def _preimages(moved: Sequence[int], wires: Sequence[int], num_wires: int) -> Order:
    """Give the basis state that a permutation on some wires brings to each state."""
    states = np.arange(2**num_wires)
    shifts = [num_wires - 1 - wire for wire in wires]
    local = sum(
        (states >> shift & 1) << (len(wires) - 1 - axis)
        for axis, shift in enumerate(shifts)
    )
    before = np.argsort(moved)[local]
    rest = states & ~sum(1 << shift for shift in shifts)
    return rest + sum(
        (before >> (len(wires) - 1 - axis) & 1) << shift
        for axis, shift in enumerate(shifts)
    )
