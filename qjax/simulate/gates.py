"""The readable path of `run`: one gate at a time, by the state's own contractions."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

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
from qjax.plan.clifford import known_matrix
from qjax.plan.pool import PROJECTORS, RESETS
from qjax.plan.wiring import diagonal_wires
from qjax.states.base import AbstractMixedState, AbstractState
from qjax.states.sparse import SparseState


def run_gates(
    circuit: Circuit, state: AbstractState, *, remat: bool = False
) -> AbstractState:
    """Run a circuit gate by gate; `remat` keeps one state for each repetition.

    Slower than blocks on many wires, and takes everything: it is their oracle.
    """
    branching = any(isinstance(op, Conditional) for op in walk(circuit.operations))
    if isinstance(state, AbstractMixedState) and branching:
        return _run_branches(circuit, state)
    return _run_operations(circuit.operations, state, remat)


def check_fit(circuit: Circuit, state: Any) -> None:
    """Raise unless circuit and state have the same wires."""
    fits = circuit.num_wires == state.num_wires
    require(fits, "state", f"have {circuit.num_wires} wires", state.num_wires)


def apply_unitary(operation: AbstractUnitary, state: AbstractState) -> AbstractState:
    """Apply a unitary operation; controls cost nothing beyond their target."""
    target, controls, values = operation, (), ()
    if isinstance(operation, Controlled):
        target = operation.operation
        controls, values = operation.controls, operation.values
    if isinstance(state, SparseState):
        known = known_matrix(target)
        matrix = target.matrix() if known is None else known
        kept = diagonal_wires(target)
        return state.apply_matrix(matrix, target.wires, controls, values, kept)
    return state.apply_matrix(target.matrix(), target.wires, controls, values)


def _run_operations(
    operations: Sequence[AbstractOperation], state: AbstractState, remat: bool
) -> AbstractState:
    def step(carry: AbstractState, layer: Circuit) -> tuple[AbstractState, None]:
        return _run_operations(layer.operations, carry, remat), None

    body = jax.checkpoint(step) if remat else step
    for operation in operations:
        if isinstance(operation, Repeat):
            state, _ = jax.lax.scan(body, state, operation.body, length=operation.depth)
        else:
            state = apply_operation(operation, state)
    return state


def apply_operation(
    operation: AbstractOperation, state: AbstractState
) -> AbstractState:
    """Apply an elementary operation without randomness, or say that it needs some."""
    if isinstance(operation, AbstractUnitary):
        return apply_unitary(operation, state)
    if isinstance(state, AbstractMixedState):
        if isinstance(operation, Channel):
            return state.apply_kraus(operation.kraus, operation.wires)
        if isinstance(operation, Measure | Reset):
            kraus = PROJECTORS if isinstance(operation, Measure) else RESETS
            for wire in operation.wires:
                state = state.apply_kraus(kraus, (wire,))
            return state
    raise TypeError(
        f"Argument `circuit` must be unitary for `run` on a {type(state).__name__}, "
        f"but has {operation.name}; use `trajectory`, or a mixed state."
    )


# --- classical feed-forward on mixed states -------------------------------------------
# The state is a stack of unnormalised branches, one for each string of measured bits;
# `known` lists, for every recorded bit, its value in each branch (None: forgotten).

_Known = list[np.ndarray | None]
_Stack = Any


def _run_branches(circuit: Circuit, state: AbstractMixedState) -> AbstractMixedState:
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
    num_branches = jax.tree.leaves(stack)[0].shape[0]
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
    # Only the shape of a stack differs from a state's, so it is built leaf by leaf.
    def project(state: AbstractMixedState) -> _Stack:
        halves = [state.apply_matrix(p, (wire,)) for p in PROJECTORS]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *halves)

    halves = jax.vmap(project)(stack)
    grown = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), halves)
    num_branches = jax.tree.leaves(stack)[0].shape[0]
    doubled = [None if bits is None else np.repeat(bits, 2) for bits in known]
    return grown, doubled + [np.tile([0, 1], num_branches)]


def _matches(operation: Conditional, known: _Known) -> np.ndarray:
    chosen = np.asarray(True)
    for position, value in zip(operation.outcomes, operation.values, strict=True):
        check_outcome(position, len(known))
        bits = known[position]
        if bits is None:
            raise ValueError(
                "Argument `outcomes` must not point into an earlier Repeat for `run` "
                f"on a mixed state, but is {operation.outcomes}; use `trajectory`."
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
