"""Deterministic execution: unitary on pure states, exact channels on mixed ones."""

from typing import TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax.circuits.circuit import Circuit
from qjax.plan import CostModel
from qjax.simulate.chain import run_chain
from qjax.simulate.fused import (
    Gradient,
    Method,
    Storage,
    choose_gradient,
    run_blocks,
    takes_blocks,
    uses_blocks,
)
from qjax.simulate.gates import check_fit, run_gates
from qjax.simulate.memory import require_run_fits, require_unitary_fits
from qjax.simulate.stabilizer import run_stabilizer
from qjax.states.base import AbstractState
from qjax.states.batch import StateBatch
from qjax.states.mps import MPS
from qjax.states.stabilizer import StabilizerState
from qjax.states.vector import StateVector

State = TypeVar("State", bound=AbstractState | StateBatch)


def run(
    circuit: Circuit,
    state: State,
    *,
    method: Method = "auto",
    gradient: Gradient = "auto",
    cost_model: CostModel | None = None,
    storage: Storage = None,
) -> State:
    """Apply a circuit: |psi> -> U |psi>, or rho -> E(rho) on a mixed state.

    On a mixed state, measurements are read by nobody (rho -> sum_x P_x rho P_x) and
    conditional operations act exactly, on every branch of the outcomes they look at. A
    pure state takes unitary operations only: what is random needs `trajectory`. On a
    `StabilizerState` gates must be Clifford, with angles known when tracing; a
    `SparseState` takes all gates, one by one.

    Args:
        circuit: Circuit of n wires. Angles and Kraus operators may be traced.
        state: State of n wires, or a `StateBatch` that one circuit acts on; its dtype
            is the dtype of the computation.
        method: "gates" applies one operation at a time, "blocks" merges operations
            into few large matrices by a plan, "auto" takes blocks from 8 wires on (5 on
            a `DensityMatrix`, 4 on a `PauliDensity`) where the circuit allows.
        gradient: What blocks keep for reverse mode: "reverse" every intermediate state,
            "remat" one state for each repetition, "adjoint" the final state only, from
            which the others are computed back. "auto" is "reverse" for small states;
            beyond 2^19 numbers times operations "adjoint" for unitary circuits, beyond
            4096 numbers "remat" for noisy ones. Forward mode needs one of the others.
        cost_model: What the plan is chosen by; by default the one shipped for the
            device and precision.
        storage: "bfloat16" or "float16" halves the memory of a complex64 run by blocks:
            numbers are kept in 16 bits between products, which sum in 32. The error,
            about 2^-8 or 2^-11 for each block, is for the caller to afford.

    Returns:
        State of the same kind, width and dtype.

    Raises:
        ValueError: If the widths differ, the state does not fit into memory, or the
            method or gradient cannot do the circuit.
        TypeError: If the circuit has an operation that the kind of state cannot take.

    Source: Nielsen and Chuang, sections 2.2 and 8.2; adjoint: Jones and Gacon,
    arXiv:2009.02823.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> bell = run(Circuit([h(0), cx(0, 1)], 2), StateVector.zeros(2))
        >>> [round(float(p), 3) for p in bell.probabilities().ravel()]
        [0.5, 0.0, 0.0, 0.5]
    """
    check_fit(circuit, state)
    rule = "be one of auto, gates, blocks"
    require(method in ("auto", "gates", "blocks"), "method", rule, repr(method))
    rule = "be one of auto, reverse, remat, adjoint"
    known = ("auto", "reverse", "remat", "adjoint")
    require(gradient in known, "gradient", rule, repr(gradient))
    rule = "be None, bfloat16 or float16"
    require(storage in (None, "bfloat16", "float16"), "storage", rule, repr(storage))
    if isinstance(state, StabilizerState):
        require(method != "blocks", "method", 'be "gates" on a tableau', '"blocks"')
        return cast(State, run_stabilizer(circuit, state))
    if isinstance(state, MPS):
        return cast(State, _run_chain(circuit, state, method, gradient, storage))
    wanted = gradient == "adjoint" or storage is not None
    if uses_blocks(circuit, state, method, wanted=wanted):
        return cast(State, _run_blocks(circuit, state, gradient, cost_model, storage))
    rule = "be None where blocks do not apply"
    require(storage is None, "storage", rule, repr(storage))
    if gradient == "adjoint":
        choose_gradient(circuit, state, gradient)
        rule = 'be "reverse" or "remat" with method="gates"'
        require(False, "gradient", rule, '"adjoint"')
    require_run_fits(circuit, state, False, gradient, cost_model)
    return cast(State, _run_gates(circuit, state, gradient == "remat"))


def _run_chain(
    circuit: Circuit, state: MPS, method: Method, gradient: Gradient, storage: Storage
) -> MPS:
    require(method == "auto", "method", 'be "auto" on an MPS', repr(method))
    require(storage is None, "storage", "be None on an MPS", repr(storage))
    rule = "be one of auto, reverse, remat on an MPS"
    require(gradient != "adjoint", "gradient", rule, repr(gradient))
    return run_chain(circuit, state, remat=gradient == "remat")


def _run_blocks(
    circuit: Circuit,
    state: AbstractState | StateBatch,
    gradient: Gradient,
    cost_model: CostModel | None,
    storage: Storage,
) -> AbstractState | StateBatch:
    if not takes_blocks(circuit, state):
        # What no method takes is refused in the words of the gates path.
        jax.eval_shape(lambda own: _run_gates(circuit, own, False), state)
        rule = 'be "gates" for conditional or wide operations and this kind of state'
        require(False, "method", rule, '"blocks"')
    chosen = choose_gradient(circuit, state, gradient)
    if storage is not None and chosen == "adjoint":
        rule = 'be "reverse" or "remat" with `storage`: rounding cannot be undone'
        require(gradient != "adjoint", "gradient", rule, '"adjoint"')
        chosen = "remat"
    require_run_fits(circuit, state, True, gradient, cost_model)
    return run_blocks(circuit, state, chosen, cost_model, storage)


def _run_gates(
    circuit: Circuit, state: AbstractState | StateBatch, remat: bool
) -> AbstractState | StateBatch:
    if not isinstance(state, StateBatch):
        return run_gates(circuit, state, remat=remat)
    each = jax.vmap(lambda one: run_gates(circuit, one, remat=remat))
    return StateBatch.stack(cast(StateVector, each(state.unstack())))


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
    require_unitary_fits(circuit.num_wires, complex if dtype is None else dtype)
    shape = (2,) * circuit.num_wires
    basis = jnp.eye(2**circuit.num_wires, dtype=complex if dtype is None else dtype)

    def column(amplitudes: Array) -> Array:
        return run(circuit, StateVector(amplitudes.reshape(shape))).vector()

    return jax.vmap(column, out_axes=1)(basis)
