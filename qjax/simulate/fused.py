"""The fast path of `run`: a circuit as fused blocks on the real numbers of a state."""

from collections.abc import Iterator, Sequence
from typing import Literal, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Measure,
    Reset,
)
from qjax.plan import (
    CostModel,
    Layout,
    Program,
    default_cost_model,
    execute,
    pair_layers,
    plan,
    program_matrices,
)
from qjax.states.base import AbstractMixedState, AbstractState
from qjax.states.batch import StateBatch
from qjax.states.density import DensityMatrix
from qjax.states.pauli_density import PauliDensity
from qjax.states.vector import StateVector

Method = Literal["auto", "gates", "blocks"]
Gradient = Literal["auto", "reverse", "remat", "adjoint"]
Storage = Literal["bfloat16", "float16"] | None

_FEWEST_WIRES = {StateVector: 8, StateBatch: 2, DensityMatrix: 5, PauliDensity: 4}
"""Below these widths a block's matrix costs more to build than its gates to apply."""

_MOST_TRANSFER_WIRES = 3
"""A transfer matrix on k wires has 16^k entries: a wider gate is cheaper alone."""

_KEPT_LOG_SIZE = 12
"""States of up to 2^12 numbers are kept for the gradient: faster than recomputing."""

_KEPT_LOG_WORK = 19
"""Up to 2^19 numbers times operations, keeping is not slower than computing back."""


def takes_blocks(circuit: Circuit, state: AbstractState | StateBatch) -> bool:
    """Say whether blocks can run the circuit on this kind of state at all."""
    kinds: tuple[type, ...] = (AbstractUnitary,)
    if isinstance(state, AbstractMixedState):
        kinds = (AbstractUnitary, Channel, Measure, Reset)
        # Measurements and resets go wire by wire.
        acted = [o for o, _ in _elementary(circuit.operations)]
        wide = [len(o.wires) for o in acted if not isinstance(o, Measure | Reset)]
        if max(wide, default=0) > _MOST_TRANSFER_WIRES:
            return False
    return type(state) in _FEWEST_WIRES and _only(circuit.operations, kinds)


def prefers_blocks(circuit: Circuit, state: AbstractState | StateBatch) -> bool:
    """Say whether blocks are likely to be faster than one gate at a time."""
    num_operations = sum(times for _, times in _elementary(circuit.operations))
    wide = state.num_wires >= _FEWEST_WIRES[type(state)]
    return wide and num_operations >= 2 * state.num_wires


def uses_blocks(
    circuit: Circuit,
    state: AbstractState | StateBatch,
    method: Method,
    *,
    wanted: bool = False,
) -> bool:
    """Resolve the method "auto"; `wanted` asks for blocks wherever possible."""
    if method != "auto":
        return method == "blocks"
    wanted = wanted or isinstance(state, StateBatch)
    return takes_blocks(circuit, state) and (wanted or prefers_blocks(circuit, state))


def choose_gradient(
    circuit: Circuit, state: AbstractState | StateBatch, gradient: Gradient
) -> Literal["reverse", "remat", "adjoint"]:
    """Resolve "auto" by size, and refuse what the circuit cannot do."""
    unitary = _only(circuit.operations, (AbstractUnitary,))
    if gradient == "adjoint" and not unitary:
        acted = (o for o, _ in _elementary(circuit.operations))
        other = next(o for o in acted if not isinstance(o, AbstractUnitary))
        require(
            False,
            "gradient",
            f'be "reverse" or "remat" for {other.name}, which cannot be undone',
            '"adjoint"',
        )
    if gradient != "auto":
        return gradient
    size = sum(leaf.size for leaf in jax.tree.leaves(state))
    if not unitary:
        return "reverse" if size <= 2**_KEPT_LOG_SIZE else "remat"
    work = size * sum(times for _, times in _elementary(circuit.operations))
    return "reverse" if work <= 2**_KEPT_LOG_WORK else "adjoint"


def blocks_program(
    circuit: Circuit, state: AbstractState | StateBatch, cost_model: CostModel | None
) -> tuple[Program, Circuit]:
    """Plan a circuit for the numbers of a state; a mixed one has Pauli coefficients.

    Returns:
        The plan, and the circuit as planned: layers may have been paired.
    """
    if cost_model is None:
        name = np.dtype(jnp.finfo(state.dtype).dtype).name
        cost_model = default_cost_model(jax.default_backend(), name)
    bits = 2 if isinstance(state, AbstractMixedState) else 1
    batch = state.batch if isinstance(state, StateBatch) else 1
    log_batch = max(1, batch.bit_length() - 1) if batch > 1 else 0
    layout = Layout(state.num_wires, bits, bits == 1, log_batch)
    paired = pair_layers(circuit, layout, cost_model)
    return plan(paired, layout, cost_model), paired


@eqx.filter_jit
def run_blocks(
    circuit: Circuit,
    state: AbstractState | StateBatch,
    gradient: Literal["reverse", "remat", "adjoint"],
    cost_model: CostModel | None,
    storage: Storage,
) -> AbstractState | StateBatch:
    """Run a circuit by the plan that the cost model predicts to be fastest."""
    if isinstance(state, DensityMatrix):
        mixed = PauliDensity.from_density(state)
        done = run_blocks(circuit, mixed, gradient, cost_model, storage)
        return cast(PauliDensity, done).density()
    real = np.dtype(jnp.finfo(state.dtype).dtype)
    program, circuit = blocks_program(circuit, state, cost_model)
    matrices = program_matrices(program, circuit, real)
    numbers = to_numbers(state)
    if storage is not None:
        matrices, numbers = jax.tree.map(
            lambda array: array.astype(storage), (matrices, numbers)
        )
    numbers = execute(program, matrices, numbers, gradient).astype(real)
    return from_numbers(numbers, state)


def _elementary(
    operations: Sequence[AbstractOperation], times: int = 1
) -> Iterator[tuple[AbstractOperation, int]]:
    """Yield operations that are no Repeat, with the number of times they are done."""
    for operation in operations:
        if isinstance(operation, Repeat):
            yield from _elementary(operation.operations, times * operation.depth)
        else:
            yield operation, times


def _only(operations: Sequence[AbstractOperation], kinds: tuple[type, ...]) -> bool:
    return all(isinstance(operation, kinds) for operation, _ in _elementary(operations))


def to_numbers(state: AbstractState | StateBatch) -> Float[Array, " size"]:
    """Return what programs run on: real parts, then imaginary ones; or coefficients.

    Joined as vectors: XLA then sees that what `run` returned is put together already.
    """
    if isinstance(state, PauliDensity):
        return state.coefficients.reshape(-1)
    assert isinstance(state, StateVector | StateBatch)
    flat = state.amplitudes.reshape(-1)
    return jnp.concatenate([flat.real, flat.imag])


def from_numbers(
    numbers: Float[Array, " size"], like: AbstractState | StateBatch
) -> AbstractState | StateBatch:
    """Return numbers as a state of the kind and shape of `like`."""
    if isinstance(like, PauliDensity):
        return PauliDensity(numbers.reshape(like.coefficients.shape))
    assert isinstance(like, StateVector | StateBatch)
    amplitudes = jax.lax.complex(*jnp.split(numbers, 2))
    return type(like)(amplitudes.reshape(like.amplitudes.shape))
