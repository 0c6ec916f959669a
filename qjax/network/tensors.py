"""The tensors of operations: a diagonal axis once, like operations together."""

import dataclasses
from collections.abc import Hashable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._types import Wires
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Controlled,
    Reset,
)
from qjax.network.cone import is_swap
from qjax.plan.pool import Pool
from qjax.plan.wiring import diagonal_wires

Stacks = dict[Hashable, Array | np.ndarray]
"""Tensors of equal shape side by side, by a name for them."""

# C[v][k, c]: for k = 0 whatever the control c, for k = 1 only where c = v.
_CONTROLS = np.asarray([[[1, 1], [1, 0]], [[1, 1], [0, 1]]])

# Kraus operators |0><0| and |0><1|.
_RESET = np.asarray([[[1, 0], [0, 0]], [[0, 1], [0, 0]]])


@dataclasses.dataclass(frozen=True)
class Part:
    """One tensor of an operation, axes in the order bonds, kept, moved out, moved in.

    Attributes:
        stack: Name of the stack that it is in.
        row: Its place there.
        kept: Wires on which it is diagonal: one axis each.
        moved: The other wires: an axis out and an axis in.
        bonds: Local names of axes that it shares with the operation's other parts.
        joint: Whether the conjugate copy of the operation shares the bonds too, as the
            number of a Kraus operator.
    """

    stack: Hashable
    row: int
    kept: Wires
    moved: Wires
    bonds: tuple[int, ...] = ()
    joint: bool = False


def decompose(
    operations: Sequence[AbstractOperation], dtype: np.dtype
) -> tuple[Stacks, list[tuple[Part, ...]]]:
    """Turn operations into tensors.

    With c controls, U becomes sum_k prod_j C_j[k, c_j] T[k] where T[0] = I and
    T[1] = U - I: c + 1 small tensors instead of one of 2^c blocks. An exchange of wires
    has no tensor at all.

    Args:
        operations: Unitaries, channels and resets.
        dtype: Complex dtype of the tensors.

    Returns:
        The stacks, and for each operation its parts.
    """
    stacks: Stacks = {}
    parts: list[tuple[Part, ...]] = [()] * len(operations)
    unitary = {
        row: operation
        for row, operation in enumerate(operations)
        if isinstance(operation, AbstractUnitary) and not is_swap(operation)
    }
    _add_unitaries(unitary, dtype, stacks, parts)
    _add_channels(operations, dtype, stacks, parts)
    return stacks, parts


def _add_unitaries(
    unitaries: dict[int, AbstractUnitary],
    dtype: np.dtype,
    stacks: Stacks,
    parts: list[tuple[Part, ...]],
) -> None:
    """Add stacks by number of wires and of diagonal ones, and parts by row."""
    rows = list(unitaries)
    opened = [_without_controls(unitaries[row]) for row in rows]
    targets = [target for target, *_ in opened]
    pool = Pool(targets, [(member, ()) for member in range(len(rows))], 2, dtype)
    groups: dict[tuple[int, Wires, bool], list[int]] = {}
    for member, (target, controls, _) in enumerate(opened):
        keeps = diagonal_wires(target)
        axes = tuple(target.wires.index(wire) for wire in keeps)
        kind = (len(target.wires), axes, bool(controls))
        groups.setdefault(kind, []).append(member)
    for (width, axes, controlled), members in groups.items():
        matrices = pool.take([(member, ()) for member in members], width)
        stack = _diagonals_once(matrices, width, axes)
        if controlled:
            one = jnp.eye(2**width, dtype=dtype)[None]
            identity = _diagonals_once(one, width, axes)
            both = jnp.broadcast_to(identity, stack.shape), stack - identity
            stack = jnp.stack(both, axis=1)
        name = "unitary", width, axes, controlled
        stacks[name] = stack
        for row, member in enumerate(members):
            target, controls, values = opened[member]
            kept = tuple(target.wires[axis] for axis in axes)
            moved = tuple(wire for wire in target.wires if wire not in kept)
            bonds = (0,) if controlled else ()
            switches = (
                Part("control", value, (control,), (), bonds)
                for control, value in zip(controls, values, strict=True)
            )
            parts[rows[member]] = (*switches, Part(name, row, kept, moved, bonds))
    stacks["control"] = _CONTROLS.astype(dtype)


def _without_controls(
    operation: AbstractUnitary,
) -> tuple[AbstractUnitary, Wires, tuple[int, ...]]:
    """Open `Controlled`, also a nested one: target, controls and their values."""
    controls: Wires = ()
    values: tuple[int, ...] = ()
    while isinstance(operation, Controlled):
        controls += operation.controls
        values += operation.values
        operation = operation.operation
    return operation, controls, values


def _diagonals_once(matrices: Array, width: int, axes: tuple[int, ...]) -> Array:
    """Take (count, 2^w, 2^w) to axes count, kept, moved out, moved in."""
    moved = [axis for axis in range(width) if axis not in axes]
    outs = [1 + axis for axis in range(width)]
    ins = [1 + axis if axis in axes else 1 + width + axis for axis in range(width)]
    result = [0, *(outs[a] for a in axes), *(outs[a] for a in moved)]
    result += [ins[axis] for axis in moved]
    tensor = matrices.reshape(-1, *(2,) * (2 * width))
    return jnp.einsum(tensor, [0, *outs, *ins], result)


def _add_channels(
    operations: Sequence[AbstractOperation],
    dtype: np.dtype,
    stacks: Stacks,
    parts: list[tuple[Part, ...]],
) -> None:
    """Add Kraus operators, with their number as a bond, by their shape."""
    members: dict[Hashable, list[Array]] = {}
    for row, operation in enumerate(operations):
        if isinstance(operation, Channel):
            kraus = jnp.asarray(operation.kraus).astype(dtype)
            width = len(operation.wires)
            kraus = kraus.reshape(-1, *(2,) * (2 * width))
            held = members.setdefault(("kraus", kraus.shape), [])
            part = Part(
                ("kraus", kraus.shape), len(held), (), operation.wires, (0,), True
            )
            held.append(kraus)
            parts[row] = (part,)
        elif isinstance(operation, Reset):
            parts[row] = tuple(
                Part("reset", 0, (), (wire,), (bond,), True)
                for bond, wire in enumerate(operation.wires)
            )
            stacks["reset"] = _RESET[None].astype(dtype)
    stacks |= {name: jnp.stack(held) for name, held in members.items()}
