"""Deterministic execution: unitary on pure states, exact channels on mixed ones."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
    Controlled,
    Measure,
    Reset,
    walk,
)
from qjax.states.base import AbstractState
from qjax.states.density import DensityMatrix
from qjax.states.vector import StateVector

State = TypeVar("State", bound=AbstractState)

PROJECTORS = np.asarray([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], dtype=complex)
"""Kraus operators |0><0|, |1><1| of measuring one wire."""

RESETS = np.asarray([[[1, 0], [0, 0]], [[0, 1], [0, 0]]], dtype=complex)
"""Kraus operators |0><0|, |0><1| of resetting one wire."""


def run(circuit: Circuit, state: State) -> State:
    """Apply a circuit: |psi> -> U |psi>, or rho -> E(rho) on a density matrix.

    On a density matrix, measurements are read by nobody (rho -> sum_x P_x rho P_x) and
    conditional operations act exactly, on every branch of the outcomes they look at. A
    pure state takes unitary operations only: what is random needs `trajectory`.

    Args:
        circuit: Circuit of n wires. Angles and Kraus operators may be traced.
        state: State of n wires; its dtype is the dtype of the computation.

    Returns:
        State of the same kind, width and dtype.

    Raises:
        ValueError: If the widths differ.
        TypeError: If the circuit has an operation that the kind of state cannot take.

    Source: Nielsen and Chuang, sections 2.2 and 8.2.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> bell = run(Circuit([h(0), cx(0, 1)], 2), StateVector.zeros(2))
        >>> [round(float(p), 3) for p in bell.probabilities().ravel()]
        [0.5, 0.0, 0.0, 0.5]
    """
    check_fit(circuit, state)
    branching = any(isinstance(op, Conditional) for op in walk(circuit.operations))
    if isinstance(state, DensityMatrix) and branching:
        return cast(State, _run_branches(circuit, state))
    return cast(State, _run_operations(circuit.operations, state))


def unitary_matrix(
    circuit: Circuit, dtype: np.dtype | type | None = None
) -> Complex[Array, "d d"]:
    """Return the matrix U of a circuit without channels or measurements.

    Column x is the circuit's action on the basis state |x>; cost 4^n per gate.

    Args:
        circuit: Circuit of n wires.
        dtype: Complex dtype; by default JAX's at the time of the call.

    Returns:
        Shape (2^n, 2^n).

    Raises:
        TypeError: If an operation is not unitary.

    Example:
        >>> from qjax.circuits import Circuit, x
        >>> from qjax.simulate import unitary_matrix
        >>> unitary_matrix(Circuit([x(0)], 1)).real.tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    shape = (2,) * circuit.num_wires
    basis = jnp.eye(2**circuit.num_wires, dtype=complex if dtype is None else dtype)

    def column(amplitudes: Array) -> Array:
        return run(circuit, StateVector(amplitudes.reshape(shape))).vector()

    return jax.vmap(column, out_axes=1)(basis)


def apply_unitary(operation: AbstractUnitary, state: AbstractState) -> AbstractState:
    """Apply a unitary operation; controls cost nothing beyond their target."""
    if isinstance(operation, Controlled):
        target = operation.operation
        controls, values = operation.controls, operation.values
        return state.apply_matrix(target.matrix(), target.wires, controls, values)
    return state.apply_matrix(operation.matrix(), operation.wires)


def check_fit(circuit: Circuit, state: AbstractState) -> None:
    """Raise unless circuit and state have the same wires."""
    fits = circuit.num_wires == state.num_wires
    require(fits, "state", f"have {circuit.num_wires} wires", state.num_wires)


def _run_operations(
    operations: Sequence[AbstractOperation], state: AbstractState
) -> AbstractState:
    for operation in operations:
        if isinstance(operation, Repeat):
            state, _ = jax.lax.scan(
                lambda carry, layer: (_run_operations(layer.operations, carry), None),
                state,
                operation.body,
                length=operation.depth,
            )
        else:
            state = apply_operation(operation, state)
    return state


def apply_operation(
    operation: AbstractOperation, state: AbstractState
) -> AbstractState:
    """Apply an elementary operation without randomness, or say that it needs some."""
    if isinstance(operation, AbstractUnitary):
        return apply_unitary(operation, state)
    if isinstance(state, DensityMatrix):
        if isinstance(operation, Channel):
            return state.apply_kraus(operation.kraus, operation.wires)
        if isinstance(operation, Measure | Reset):
            kraus = PROJECTORS if isinstance(operation, Measure) else RESETS
            for wire in operation.wires:
                state = state.apply_kraus(kraus, (wire,))
            return state
    raise TypeError(
        f"Argument `circuit` must be unitary for `run` on a {type(state).__name__}, "
        f"but has {operation.name}; use `trajectory`, or a DensityMatrix."
    )


# --- classical feed-forward on density matrices ---------------------------------------
# The state is a stack of unnormalised branches, one for each string of measured bits;
# `known` lists, for every recorded bit, its value in each branch (None: forgotten).

_Known = list[np.ndarray | None]
_Stack = Any


def _run_branches(circuit: Circuit, state: DensityMatrix) -> DensityMatrix:
    stack = jax.tree.map(lambda leaf: leaf[None], state)
    stack, _ = _grow_branches(circuit.operations, stack, [])
    return jax.tree.map(lambda leaf: jnp.sum(leaf, axis=0), stack)


def _grow_branches(
    operations: Sequence[AbstractOperation], stack: _Stack, known: _Known
) -> tuple[_Stack, _Known]:
    for operation in operations:
        if isinstance(operation, Repeat):
            stack, known = _repeat_branches(operation, stack, known)
        elif isinstance(operation, Measure):
            for wire in operation.wires:
                stack, known = _split(stack, known, wire)
        elif isinstance(operation, Conditional):
            chosen = _matches(operation, known)
            changed = jax.vmap(
                lambda s, op=operation: apply_operation(op.operation, s)
            )(stack)
            stack = _select(chosen, changed, stack)
        else:
            stack = jax.vmap(lambda s, op=operation: apply_operation(op, s))(stack)
    return stack, known


def _repeat_branches(
    repeat: Repeat, stack: _Stack, known: _Known
) -> tuple[_Stack, _Known]:
    """Scan, forgetting each repetition's bits at its end: no later one may see them."""
    num_branches = stack.tensor.shape[0]
    num_bits = 0

    def step(carry: _Stack, layer: Circuit) -> tuple[_Stack, None]:
        nonlocal num_bits
        grown, bits = _grow_branches(layer.operations, carry, known)
        num_bits = len(bits) - len(known)
        summed = jax.tree.map(
            lambda leaf: leaf.reshape(num_branches, -1, *leaf.shape[1:]).sum(1), grown
        )
        return summed, None

    stack, _ = jax.lax.scan(step, stack, repeat.body, length=repeat.depth)
    return stack, known + [None] * (num_bits * repeat.depth)


def _split(stack: _Stack, known: _Known, wire: int) -> tuple[_Stack, _Known]:
    def project(state: DensityMatrix) -> Array:
        halves = [state.apply_matrix(p, (wire,)).tensor for p in PROJECTORS]
        return jnp.stack(halves)

    halves = jax.vmap(project)(stack)
    num_branches = halves.shape[0]
    tensor = halves.reshape(2 * num_branches, *halves.shape[2:])
    doubled = [None if bits is None else np.repeat(bits, 2) for bits in known]
    # Only the shape of a stack differs from a state's, so build it leaf by leaf.
    grown = jax.tree.unflatten(jax.tree.structure(stack), [tensor])
    return grown, doubled + [np.tile([0, 1], num_branches)]


def _matches(operation: Conditional, known: _Known) -> np.ndarray:
    chosen = np.asarray(True)
    for position, value in zip(operation.outcomes, operation.values, strict=True):
        check_outcome(position, len(known))
        bits = known[position]
        if bits is None:
            raise ValueError(
                "Argument `outcomes` must not point into an earlier Repeat for `run` "
                f"on a DensityMatrix, but is {operation.outcomes}; use `trajectory`."
            )
        chosen = chosen & (bits == value)
    return chosen


def _select(chosen: np.ndarray, changed: _Stack, stack: _Stack) -> _Stack:
    def pick(new: Array, old: Array) -> Array:
        return jnp.where(chosen.reshape((-1,) + (1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(pick, changed, stack)


def check_outcome(position: int, recorded: int) -> None:
    """Raise unless a condition looks at a bit that has been recorded."""
    rule = f"point into the {recorded} bits recorded before"
    require(-recorded <= position < recorded, "outcomes", rule, position)
