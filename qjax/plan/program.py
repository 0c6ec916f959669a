"""Programs: a circuit's structure as stages of steps, and their matrices."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation, Controlled, Measure, Reset
from qjax.plan.cost import CostModel
from qjax.plan.matrices import window_matrices
from qjax.plan.pool import Pool
from qjax.plan.sweeps import (
    Layout,
    Single,
    Step,
    closes,
    plan_steps,
    steps_seconds,
)
from qjax.plan.wiring import Wiring, wirings


@dataclasses.dataclass(frozen=True)
class Stage:
    """Steps for the operations first .. first + count of a circuit."""

    first: int
    count: int
    steps: tuple[Step, ...]


@dataclasses.dataclass(frozen=True)
class Loop:
    """A program done `depth` times, for the Repeat at a position of a circuit."""

    position: int
    depth: int
    body: "Program"


@dataclasses.dataclass(frozen=True)
class Program:
    """What is static about running a circuit: hashable, without any number."""

    layout: Layout
    parts: tuple[Stage | Loop, ...]


def plan(circuit: Circuit, layout: Layout, cost: CostModel) -> Program:
    """Plan a circuit of elementary operations and Repeats for a layout."""
    parts: list[Stage | Loop] = []
    first, operations = 0, _wire_by_wire(circuit.operations)
    for position, operation in enumerate((*operations, None)):
        if operation is not None and not isinstance(operation, Repeat):
            continue
        if position > first:
            parts.append(_stage(first, operations[first:position], layout, cost))
        if isinstance(operation, Repeat):
            body = plan(operation.body, layout, cost)
            parts.append(Loop(position, operation.depth, body))
        first = position + 1
    return Program(layout, tuple(parts))


def predict_seconds(program: Program, cost: CostModel) -> float:
    """Predict the time of a program, its matrices included."""
    total = 0.0
    for part in program.parts:
        if isinstance(part, Loop):
            total += part.depth * predict_seconds(part.body, cost)
        else:
            total += steps_seconds(part.steps, program.layout, cost)
    return total


def _wire_by_wire(
    operations: Sequence[AbstractOperation],
) -> list[AbstractOperation]:
    """Write measurements and resets of several wires as one operation for each."""
    apart: list[AbstractOperation] = []
    for operation in operations:
        if isinstance(operation, Measure | Reset):
            apart += [type(operation)((wire,)) for wire in operation.wires]
        else:
            apart.append(operation)
    return apart


def _stage(
    first: int,
    operations: Sequence[AbstractOperation],
    layout: Layout,
    cost: CostModel,
) -> Stage:
    described = wirings(operations)
    if layout.bits > 1:
        # No operation keeps Pauli words as it keeps basis states.
        described = tuple(Wiring(wiring.wires) for wiring in described)
    return Stage(first, len(operations), plan_steps(described, layout, cost))


# --- matrices -------------------------------------------------------------------------


def program_matrices(program: Program, circuit: Circuit, dtype: np.dtype) -> PyTree:
    """Build every matrix of a program: real arrays, in a tuple for each part.

    Args:
        program: Plan of a circuit of the same structure.
        circuit: The circuit.
        dtype: Real dtype of the state's numbers.

    Returns:
        For a stage, one array for each window and single operation; for a loop, those
        of its body with a leading depth axis.
    """
    built, operations = [], _wire_by_wire(circuit.operations)
    for part in program.parts:
        if isinstance(part, Stage):
            own = operations[part.first : part.first + part.count]
            built.append(_stage_matrices(part, own, program.layout, dtype))
        else:
            repeat = operations[part.position]
            assert isinstance(repeat, Repeat)
            build = jax.vmap(
                lambda body, p=part: program_matrices(p.body, body, dtype),
                axis_size=part.depth,
            )
            built.append(build(repeat.body))
    return tuple(built)


def _stage_matrices(
    stage: Stage,
    operations: Sequence[AbstractOperation],
    layout: Layout,
    dtype: np.dtype,
) -> tuple[Array, ...]:
    if not stage.steps:
        return ()
    complex_dtype = np.result_type(dtype, np.complex64)
    site, own_dtype = 2**layout.bits, complex_dtype if layout.carry else dtype
    windows, forms = [], []
    for step in stage.steps:
        done = 0
        if isinstance(step, Single):
            continue
        for window in step.windows:
            windows.append((step.order[window.start : window.stop], window))
            forms.append((max(done - window.start, 0), closes(window, layout)))
            done = window.stop
    matrices = window_matrices(operations, windows, site, own_dtype)
    if layout.carry:
        matrices = _real_forms(matrices, forms)
    remaining = iter(matrices)
    built: list[Array] = []
    for step in stage.steps:
        if isinstance(step, Single):
            operation = operations[step.operation]
            built.append(_single_matrix(operation, layout, site, own_dtype))
        else:
            built += [next(remaining) for _ in step.windows]
    return tuple(built)


def _real_forms(
    unitaries: Sequence[Array], forms: Sequence[tuple[int, bool]]
) -> list[Array]:
    """Write every window's matrices as real ones, all of one shape and form at once."""
    kinds: dict[tuple, list[int]] = {}
    for index, (unitary, form) in enumerate(zip(unitaries, forms, strict=True)):
        kinds.setdefault((unitary.shape, form), []).append(index)
    built: dict[int, Array] = {}
    for (shape, form), members in kinds.items():
        together = jnp.concatenate([unitaries[index] for index in members])
        real = _real_form(together, *form)
        apart = jax.lax.split(real, [shape[0]] * len(members))
        built |= dict(zip(members, apart, strict=True))
    return [built[index] for index in range(len(unitaries))]


def _real_form(unitary: Array, overlap: int, closing: bool) -> Array:
    """Write complex matrices as real ones on wires and carry: [[Re, -Im], [Im, Re]].

    The carry enters after the `overlap` wires that a window shares with the one before
    it, and leaves behind the last wire, or in front of the first when closing.
    """
    count, dim = unitary.shape[:2]
    real, imag = unitary.real, unitary.imag
    both = jnp.stack([jnp.stack([real, -imag], 1), jnp.stack([imag, real], 1)], 1)
    both = both.reshape(count, 2, 2, dim, 2**overlap, dim >> overlap)
    rows = (1, 3) if closing else (3, 1)
    return both.transpose(0, *rows, 4, 2, 5).reshape(count, 2 * dim, 2 * dim)


def _single_matrix(
    operation: AbstractOperation, layout: Layout, site: int, dtype: np.dtype
) -> Array:
    if layout.carry and isinstance(operation, Controlled):
        operation = operation.operation
    item = (0, ())
    matrix = Pool([operation], [item], site, dtype).take([item], len(operation.wires))
    return _real_form(matrix, 0, closing=True)[0] if layout.carry else matrix[0]
