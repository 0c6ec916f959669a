"""Operations as a device sees them: on the wires of its shard, its own bits known."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from qjax._types import Wires
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractUnitary, Controlled, Gate, Unitary
from qjax.parallel.route import Loop, Route, Segment
from qjax.plan.wiring import diagonal_wires


class View:
    """Where a device finds the wires: its own bits, or the axes of its shard.

    Attributes:
        bits: The device's bit of every outer wire.
        axes: The axis of every inner wire.
    """

    def __init__(self, order: Wires, num_outer: int, index: Int[Array, ""]):
        outer = order[:num_outer]
        self.bits: Mapping[int, Array] = {
            wire: (index >> (num_outer - 1 - place)) & 1
            for place, wire in enumerate(outer)
        }
        self.axes = {wire: axis for axis, wire in enumerate(order[num_outer:])}

    def inner(self, wires: Sequence[int]) -> Wires:
        """Return the axes of those wires that are inner."""
        return tuple(self.axes[wire] for wire in wires if wire in self.axes)


def local_circuits(
    route: Route, circuit: Circuit, num_outer: int, index: Int[Array, ""]
) -> PyTree[Circuit]:
    """Write a circuit as circuits on a shard: one for each segment of its route.

    Args:
        route: The circuit's route.
        circuit: The circuit.
        num_outer: g.
        index: Number of the device, traced.

    Returns:
        For every part of the route a circuit of n - g wires, None where there is none,
        or for a loop a tuple of those, with a leading depth axis.
    """
    parts: list[PyTree] = []
    for part in route.parts:
        if isinstance(part, Segment):
            view = View(part.order, num_outer, index)
            acted = (circuit.operations[position] for position in part.operations)
            local = [_local(o, view) for o in acted if isinstance(o, AbstractUnitary)]
            parts.append(Circuit(local, circuit.num_wires - num_outer))
        elif isinstance(part, Loop):
            repeat = circuit.operations[part.position]
            assert isinstance(repeat, Repeat)
            build = jax.vmap(
                lambda body, p=part: local_circuits(p.body, body, num_outer, index),
                axis_size=part.depth,
            )
            parts.append(build(repeat.body))
        else:
            parts.append(None)
    return tuple(parts)


def _local(operation: AbstractUnitary, view: View) -> AbstractUnitary:
    """Write an operation on the axes of a shard; a phase goes to the first axis."""
    found = _restricted(operation, view)
    if found.wires:
        return found
    phase = found.matrix()
    return Unitary(phase * jnp.eye(2, dtype=phase.dtype), (0,))


def _restricted(operation: AbstractUnitary, view: View) -> AbstractUnitary:
    """Choose what the operation does on the inner wires; on none, it is a phase."""
    if isinstance(operation, Controlled):
        return _controlled(operation, view)
    wires = operation.wires
    inner = view.inner(wires)
    if len(inner) < len(wires):
        return Unitary(_chosen(operation, view), inner)
    if isinstance(operation, Gate):
        return Gate(operation.params, inner, operation.spec)
    return Unitary(operation.matrix(), inner)


def _controlled(operation: Controlled, view: View) -> AbstractUnitary:
    """Decide by the device's bits; controls on inner wires stay controls."""
    target = _restricted(operation.operation, view)
    pairs = list(zip(operation.controls, operation.values, strict=True))
    own = [view.bits[wire] == value for wire, value in pairs if wire in view.bits]
    if own:
        matrix = target.matrix()
        identity = jnp.eye(len(matrix), dtype=matrix.dtype)
        held = jnp.stack(own).all()
        target = Unitary(jnp.where(held, matrix, identity), target.wires)
    kept = [(view.axes[wire], value) for wire, value in pairs if wire in view.axes]
    if not kept:
        return target
    if not target.wires:  # a controlled phase is one on the last control
        *kept, (wire, value) = kept
        phase = target.matrix().reshape(1)
        one = jnp.ones_like(phase)
        ends = (one, phase) if value else (phase, one)
        target = Unitary(jnp.diag(jnp.concatenate(ends)), (wire,))
        if not kept:
            return target
    controls, values = zip(*kept, strict=True)
    return Controlled(target, controls, values)


def _chosen(operation: AbstractUnitary, view: View) -> Array:
    """Take the block of a matrix that the device's bits choose."""
    wires = operation.wires
    assert {w for w in wires if w in view.bits} <= set(diagonal_wires(operation))
    tensor = jnp.asarray(operation.matrix()).reshape((2,) * (2 * len(wires)))
    for axis in reversed(range(len(wires))):
        if wires[axis] not in view.bits:
            continue
        bit, half = view.bits[wires[axis]], tensor.ndim // 2
        for each in (half + axis, axis):
            tensor = jax.lax.dynamic_index_in_dim(tensor, bit, each, keepdims=False)
    size = 2 ** (tensor.ndim // 2)
    return tensor.reshape(size, size)
