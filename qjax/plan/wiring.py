"""What a planner has to know of an operation: its wires, and where it is diagonal."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import numpy as np

from qjax._types import Wires
from qjax.circuits.operation import AbstractOperation, Controlled, Gate, GateSpec


@dataclasses.dataclass(frozen=True)
class Wiring:
    """The static part of an operation.

    Attributes:
        wires: Wires acted on.
        diagonal: Those of them whose basis states the operation keeps, such as a
            control: there it is a choice between matrices on the other wires.
        controls: Wires and values of controls that `Controlled` added.
    """

    wires: Wires
    diagonal: Wires = ()
    controls: tuple[Wires, tuple[int, ...]] = ((), ())

    @property
    def target(self) -> Wires:
        """The wires that are no added controls."""
        return self.wires[len(self.controls[0]) :]


def wirings(operations: Sequence[AbstractOperation]) -> tuple[Wiring, ...]:
    """Describe elementary operations for the planner."""
    described = []
    for operation in operations:
        controls: tuple[Wires, tuple[int, ...]] = ((), ())
        if isinstance(operation, Controlled):
            controls = operation.controls, operation.values
        wiring = Wiring(operation.wires, diagonal_wires(operation), controls)
        described.append(wiring)
    return tuple(described)


def diagonal_wires(operation: AbstractOperation) -> Wires:
    """List the wires whose basis states the operation keeps."""
    if isinstance(operation, Controlled):
        return operation.controls + diagonal_wires(operation.operation)
    if isinstance(operation, Gate):
        return tuple(operation.wires[axis] for axis in _diagonal_axes(operation.spec))
    return ()


@functools.cache
def _diagonal_axes(spec: GateSpec) -> tuple[int, ...]:
    """Find the axes by the gate's generator, or by its matrix at generic angles."""
    tensor = np.abs(_sample(spec)).reshape((2,) * (2 * spec.num_wires))
    axes = []
    for axis in range(spec.num_wires):
        paired = np.moveaxis(tensor, (axis, axis + spec.num_wires), (0, 1))
        if not paired[0, 1].any() and not paired[1, 0].any():
            axes.append(axis)
    return tuple(axes)


def _sample(spec: GateSpec) -> np.ndarray:
    """Return a matrix that is diagonal where the gate is, compiling nothing if it can.

    exp(-i t G) keeps the basis states of an axis for all t if and only if G does.
    """
    if spec.generator is not None:
        return spec.generator
    with jax.ensure_compile_time_eval():
        angles = np.float32(0.7) + np.arange(spec.num_params, dtype=np.float32)
        return np.asarray(spec.matrix(*angles))
