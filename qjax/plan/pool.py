"""The matrices of a stage's operations, those of one kind computed together."""

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._linalg import pauli_transfer
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Gate,
    Measure,
    Reset,
    Unitary,
)

Choice = tuple[tuple[int, int], ...]
"""Values of those axes of an operation that choose its matrix on the others."""

Item = tuple[int, Choice]
"""An operation by its position, and the choice."""

PROJECTORS = np.asarray([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], dtype=complex)
"""Kraus operators |0><0|, |1><1| of measuring one wire."""

RESETS = np.asarray([[[1, 0], [0, 0]], [[0, 1], [0, 0]]], dtype=complex)
"""Kraus operators |0><0|, |0><1| of resetting one wire."""


class Pool:
    """Matrices of items by number of wires: stacks of shape (count, s^w, s^w).

    Attributes:
        site: Length s of a wire's axis: 2 for amplitudes, 4 for Pauli coefficients.
        dtype: Complex for amplitudes, real for Pauli coefficients.
    """

    def __init__(
        self,
        operations: Sequence[AbstractOperation],
        items: Iterable[Item],
        site: int,
        dtype: np.dtype,
    ):
        self.site, self.dtype = site, dtype
        self._rows: dict[Item, int] = {}
        self._stacks: dict[int, list[Array]] = {}
        self._counts: dict[int, int] = {}
        choices: dict[int, dict[Choice, None]] = {}
        for index, choice in items:
            choices.setdefault(index, {})[choice] = None
        for members in _kinds(operations, choices):
            matrices = _stack([operations[index] for index in members], site, dtype)
            wanted = dict.fromkeys(c for index in members for c in choices[index])
            for choice in wanted:
                self._append(members, choice, matrices)

    def _append(self, members: list[int], choice: Choice, matrices: Array) -> None:
        """Add the matrices of all members on the wires that do not choose."""
        axes = (matrices.shape[-1] - 1).bit_length() // (self.site.bit_length() - 1)
        tensor = matrices.reshape(-1, *(self.site,) * (2 * axes))
        cut: list[slice | int] = [slice(None)] * (2 * axes)
        for axis, value in choice:
            cut[axis] = cut[axes + axis] = value
        width = axes - len(choice)
        size = self.site**width
        first = self._counts.get(width, 0)
        self._counts[width] = first + len(members)
        self._rows |= {(m, choice): first + row for row, m in enumerate(members)}
        stack = tensor[(slice(None), *cut)].reshape(-1, size, size)
        self._stacks.setdefault(width, []).append(stack)

    def take(self, items: Sequence[Item | None], width: int) -> Array:
        """Stack the matrices of items on `width` wires; None is the identity."""
        size = self.site**width
        identity = jnp.eye(size, dtype=self.dtype)[None]
        stack = jnp.concatenate([*self._stacks.get(width, []), identity])
        last = stack.shape[0] - 1
        rows = [last if item is None else self._rows[item] for item in items]
        return _take(np.asarray(rows, np.int32), stack)


def _take(rows: np.ndarray, stack: Array) -> Array:
    """Gather matrices; the derivative is a product, since scatters are slow."""
    select = jax.custom_jvp(lambda s: s[rows])

    @select.defjvp
    def derivative(primals, tangents):
        (tangent,) = tangents
        chosen = np.zeros((len(rows), stack.shape[0]), np.float32)
        chosen[np.arange(len(rows)), rows] = 1
        flat = tangent.reshape(stack.shape[0], -1)
        high = jax.lax.Precision.HIGHEST
        moved = jnp.matmul(jnp.asarray(chosen, flat.dtype), flat, precision=high)
        return select(*primals), moved.reshape(len(rows), *stack.shape[1:])

    return select(stack)


def _kinds(
    operations: Sequence[AbstractOperation], wanted: Iterable[int]
) -> list[list[int]]:
    """Group operations whose matrices one batched call computes."""
    kinds: dict[object, list[int]] = {}
    for index in sorted(wanted):
        operation, key = operations[index], object()
        if isinstance(operation, Gate):
            key = operation.spec
        elif isinstance(operation, Unitary):
            key = len(operation.wires)
        elif isinstance(operation, Channel):
            key = (operation.operators.shape, operation.weights is None)
        elif isinstance(operation, Measure | Reset):
            key = type(operation)
        kinds.setdefault(key, []).append(index)
    return list(kinds.values())


def _stack(
    operations: Sequence[AbstractOperation], site: int, dtype: np.dtype
) -> Array:
    """Matrices of operations of one kind: (count, s^w, s^w)."""
    first = operations[0]
    complex_dtype = np.result_type(dtype, np.complex64)
    if isinstance(first, AbstractUnitary):
        unitaries = _unitaries(operations, complex_dtype)
        if site == 2:
            return unitaries
        return jax.vmap(pauli_transfer)(unitaries[:, None]).astype(dtype)
    if isinstance(first, Channel):
        leaves = [
            [jnp.asarray(x).astype(np.result_type(dtype, x.dtype)) for x in same]
            for same in zip(*map(jax.tree.leaves, operations), strict=True)
        ]
        stacked = [jnp.stack(same) for same in leaves]
        # Only shapes differ from one channel's: its constructor would refuse a stack.
        together = jax.tree.unflatten(jax.tree.structure(first), stacked)
        kraus = jax.vmap(lambda channel: channel.kraus)(together)
        return jax.vmap(pauli_transfer)(kraus.astype(complex_dtype)).astype(dtype)
    kraus = PROJECTORS if isinstance(first, Measure) else RESETS
    one = pauli_transfer(jnp.asarray(kraus, complex_dtype)).astype(dtype)
    return jnp.broadcast_to(one, (len(operations), *one.shape))


def _unitaries(operations: Sequence[Any], dtype: np.dtype) -> Array:
    first = operations[0]
    if isinstance(first, Gate) and first.spec.num_params:
        real = jnp.finfo(dtype).dtype
        params = [
            jnp.asarray(operation.params).astype(real) for operation in operations
        ]
        # Slices side by side, as a template leaves them, join to one slice.
        table = jnp.concatenate(params).reshape(len(operations), -1)
        columns = [table[:, i] for i in range(first.spec.num_params)]
        return jnp.asarray(jax.vmap(first.spec.matrix)(*columns)).astype(dtype)
    if isinstance(first, Gate):
        matrix = jnp.asarray(first.matrix()).astype(dtype)
        return jnp.broadcast_to(matrix, (len(operations), *matrix.shape))
    matrices = [jnp.asarray(operation.matrix()) for operation in operations]
    return jnp.stack([matrix.astype(dtype) for matrix in matrices])
