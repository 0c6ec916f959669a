"""The memory that `run` takes, predicted from shapes alone, and its refusal."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from qjax._checks import require
from qjax._memory import available_bytes, itemsize, require_fits
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Conditional,
    Measure,
    walk,
)
from qjax.plan import CostModel, Layout, Program, program_matrices
from qjax.plan.arrays import is_written_out
from qjax.plan.chains import ChainPlan, Layer, Pairs, plan_chain
from qjax.plan.layers import chunked
from qjax.plan.program import Loop
from qjax.plan.strings import pieces
from qjax.plan.sweeps import Single, Sweep, Window, closes
from qjax.simulate.fused import (
    Gradient,
    Method,
    blocks_program,
    choose_gradient,
    uses_blocks,
)
from qjax.simulate.gates import check_fit
from qjax.states.base import AbstractMixedState, AbstractState
from qjax.states.batch import StateBatch
from qjax.states.density import DensityMatrix
from qjax.states.mps import MPS

State = AbstractState | StateBatch


def predict_bytes(
    circuit: Circuit,
    state: State,
    *,
    gradient: Gradient | None = None,
    method: Method = "auto",
    cost_model: CostModel | None = None,
) -> int:
    """Predict the memory that a compiled `run` takes, without running or allocating.

    With S the size of the state, w the windows of a layer and d its repetitions, it is
    4 S for the run alone; for its gradient (w d + w + 3) S in mode "reverse",
    (d + w + 3) S in mode "remat", and 6 to 10 S in mode "adjoint", whatever the depth.
    The program's matrices are added, and what windows broadcast. Where one gate is
    applied at a time, w counts the operations with angles or matrices, and where
    conditional operations act on a mixed state, S is that of all branches.

    On an MPS, S is the chain and its environments at the bond that the circuit reaches,
    and w the gates that one of the d steps does at once: a run takes 2 to 10 S, its
    gradient in addition S for each step in mode "remat", and in mode "reverse" what the
    gates of a step decompose.

    The prediction is within a factor of 2 of what XLA reserves on a CPU for states of
    0.5 MiB and more (`tests/simulate/test_memory.py`).

    Args:
        circuit: Circuit of n wires; its numbers may be `jax.ShapeDtypeStruct`s.
        state: State of n wires or a batch, or its shape, as from
            `jax.eval_shape(lambda: StateVector.zeros(n))`.
        gradient: None for the run alone; otherwise as in `run`, for the value and the
            gradient of a number with respect to all numbers of the circuit.
        method: As in `run`.
        cost_model: As in `run`.

    Returns:
        Bytes at the peak: the state given, the one returned, and all between.

    Raises:
        ValueError: If the widths differ, or the gradient cannot do the circuit.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.simulate import predict_bytes
        >>> from qjax.states import StateVector
        >>> circuit = hardware_efficient(jnp.zeros((100, 20, 2)))
        >>> state = jax.eval_shape(lambda: StateVector.zeros(20))
        >>> adjoint = predict_bytes(circuit, state, gradient="adjoint")
        >>> reverse = predict_bytes(circuit, state, gradient="reverse")
        >>> adjoint < 2**27, reverse > 2**32
        (True, True)
    """
    check_fit(circuit, state)
    if isinstance(state, MPS):
        rule = "be None, auto, reverse or remat on an MPS"
        require(gradient != "adjoint", "gradient", rule, repr(gradient))
        widest = max(state.bond, min(state.max_bond, 2 ** (state.num_wires // 2)))
        own = pieces(circuit.operations)
        plan = plan_chain(own, state.num_wires, state.bond, widest)
        bond = widest if plan.steps else state.bond * plan.growth
        return chain_bytes(plan, bond, state.dtype, gradient)
    blocks = uses_blocks(circuit, state, method, wanted=gradient == "adjoint")
    return _predict(circuit, state, blocks, gradient, cost_model)


def require_run_fits(
    circuit: Circuit,
    state: State,
    blocks: bool,
    gradient: Gradient,
    cost_model: CostModel | None,
) -> None:
    """Raise ValueError if a run cannot fit; its gradient counts where it was chosen."""
    available = available_bytes()
    asked = None if gradient == "auto" else gradient
    # Whether a gradient will be taken is not known here; a run alone needs no plan.
    predicted = 4 * _bytes(state) * _branches(circuit, state)
    if asked is not None and available is not None:
        # No plan keeps more than a state for each operation and wire: mostly it need
        # not be made to know that it fits.
        if predicted * state.num_wires * _count(circuit.operations) > available:
            predicted = _predict(circuit, state, blocks, asked, cost_model)
    if available is None or predicted <= available:
        return
    what = f"`run` on a {type(state).__name__} of "
    if isinstance(state, StateBatch):
        what += f"{state.batch} states of "
    what += f"{state.num_wires} wires"
    if asked is not None:
        what += f' with gradient="{asked}"'

    def predict(other: Gradient) -> int:
        return _predict(circuit, state, blocks, other, cost_model)

    others = _alternatives(circuit, state, blocks, asked, predicted, predict)
    require_fits(predicted, what, others)


def _count(operations: Sequence[AbstractOperation]) -> int:
    return sum(
        o.depth * _count(o.operations) if isinstance(o, Repeat) else 1
        for o in operations
    )


def require_unitary_fits(num_wires: int, dtype: np.dtype | type) -> None:
    """Raise ValueError if the matrix of a circuit cannot fit."""
    what = f"`unitary_matrix` of {num_wires} wires"
    column = "`run` the circuit on the states that matter"
    one = 2**num_wires * itemsize(dtype)
    require_fits(4 * 2**num_wires * one, what, [(4 * one, column)])


def _alternatives(
    circuit: Circuit,
    state: State,
    blocks: bool,
    gradient: Gradient | None,
    predicted: int,
    predict: Callable[[Gradient], int],
) -> list[tuple[int, str]]:
    """What to do instead: bytes and advice, the best first."""
    found = []
    unitary = all(
        isinstance(o, AbstractUnitary | Repeat) for o in walk(circuit.operations)
    )
    if gradient in ("reverse", "remat") and blocks and unitary:
        found.append((predict("adjoint"), 'use gradient="adjoint"'))
    if gradient == "reverse":
        found.append((predict("remat"), 'use gradient="remat"'))
    if isinstance(state, StateBatch):
        chunks = "do it in chunks, as by `jax.lax.map(..., batch_size=...)`"
        found.append((predicted // state.batch, chunks))
    if isinstance(state, DensityMatrix):
        found.append((predicted * 2 // 3, "use a PauliDensity"))
    if isinstance(state, AbstractMixedState):
        # Four vectors of the square root of the numbers that the matrix has.
        vectors = 4 * 2**state.num_wires * state.dtype.itemsize
        found.append((vectors, "use trajectories of a StateVector (`trajectory`)"))
    if state.dtype == np.complex128:
        found.append((predicted // 2, "complex64 takes half of it"))
    return [*found, (0, "use fewer wires")]


def _predict(
    circuit: Circuit,
    state: State,
    blocks: bool,
    gradient: Gradient | None,
    cost_model: CostModel | None,
) -> int:
    if not blocks:
        return _gates_bytes(circuit, state, gradient)
    if gradient is not None:
        gradient = choose_gradient(circuit, state, gradient)
    return _blocks_bytes(circuit, state, gradient, cost_model)


# --- one gate at a time ---------------------------------------------------------------


def _gates_bytes(circuit: Circuit, state: State, gradient: Gradient | None) -> int:
    size = _bytes(state) * _branches(circuit, state)
    if gradient is None:
        return 4 * size
    # rho -> U rho U^dagger is two steps.
    steps = 2 if isinstance(state, DensityMatrix) else 1
    kept, layer = _kept_gates(circuit.operations, steps, gradient == "remat")
    return (kept + layer + 4) * size


def _kept_gates(
    operations: Sequence[AbstractOperation], steps: int, remat: bool
) -> tuple[int, int]:
    """States kept for the gradient, and at most for a repetition while it is undone."""
    kept = most = 0
    for operation in operations:
        if isinstance(operation, Repeat):
            body, inner = _kept_gates(operation.operations, steps, remat)
            kept += operation.depth * (1 if remat else body)
            most = max(most, body + inner)
        elif any(math.prod(np.shape(leaf)) for leaf in jax.tree.leaves(operation)):
            kept += steps if isinstance(operation, AbstractUnitary) else 1
    return kept, most


def _branches(circuit: Circuit, state: State) -> int:
    """Branches of a mixed state whose operations depend on measured bits."""
    conditional = any(isinstance(o, Conditional) for o in walk(circuit.operations))
    if not conditional or not isinstance(state, AbstractMixedState):
        return 1
    return 2 ** max(_recorded(circuit.operations))


def _recorded(operations: Sequence[AbstractOperation]) -> tuple[int, int]:
    """Bits known at the end, and at most on the way; a Repeat forgets its own."""
    bits = most = 0
    for operation in operations:
        if isinstance(operation, Measure):
            bits += len(operation.wires)
        elif isinstance(operation, Repeat):
            most = max(most, bits + max(_recorded(operation.operations)))
    return bits, most


# --- blocks ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Sizes:
    """Bytes of a state's numbers, and of one of them."""

    numbers: int
    item: int


def _blocks_bytes(
    circuit: Circuit,
    state: State,
    gradient: Gradient | None,
    cost_model: CostModel | None,
) -> int:
    real = np.dtype(jnp.finfo(state.dtype).dtype)
    programs = []

    def build(circuit: Circuit) -> PyTree:
        program, planned = blocks_program(circuit, state, cost_model)
        programs.append(program)
        return program_matrices(program, planned, real)

    shapes = jax.eval_shape(build, circuit)
    (program,) = programs
    given, matrices = _bytes(state), _bytes(shapes)
    numbers = given // 2 if isinstance(state, DensityMatrix) else given
    sizes = _Sizes(numbers, real.itemsize)
    windows = [
        window
        for window in _windows(program)
        if not _is_written_out(window, program.layout, real)
    ]
    broadcast = [_broadcast(window, program.layout, sizes) for window in windows]
    widest = max(broadcast, default=0)
    if gradient is None:
        return 2 * given + 2 * numbers + widest + matrices
    if gradient == "adjoint":
        # Two states, the next of both and a sum; relayouts without a batch take more,
        # and so do the parts from which a carry is put in front.
        held = 5 if program.layout.log_batch else 9 if program.layout.carry else 7
        return given + held * numbers + 2 * widest + 4 * matrices
    kept, layer = _kept_blocks(program, sizes, gradient == "remat")
    return given + kept + layer + 2 * numbers + 4 * matrices


def _kept_blocks(program: Program, sizes: _Sizes, remat: bool) -> tuple[int, int]:
    """Bytes kept for the gradient, and at most for a repetition while it is undone."""
    kept = most = 0
    for part in program.parts:
        if isinstance(part, Loop):
            body, inner = _kept_blocks(part.body, sizes, remat)
            if program.layout.carry and not program.layout.log_batch:
                body += sizes.numbers  # the parts that the carry comes from
            kept += part.depth * (sizes.numbers if remat else body)
            most = max(most, body + inner)
            continue
        for step in part.steps:
            if isinstance(step, Single):
                kept += sizes.numbers
                continue
            for window in step.windows:
                kept += sizes.numbers + _broadcast(window, program.layout, sizes)
    return kept, most


def _is_written_out(window: Window, layout: Layout, dtype: np.dtype) -> bool:
    """Say whether a window's matrix is used as it is."""
    rows = layout.bits * (window.stop - window.start) + layout.carry
    right = layout.bits * (layout.num_wires - window.stop) + layout.log_batch
    return is_written_out(2 ** (layout.bits * window.start), 2**rows, 2**right, dtype)


def _broadcast(window: Window, layout: Layout, sizes: _Sizes) -> int:
    """Bytes of a window's matrix, repeated for all that is to its left."""
    if window.start == 0 or closes(window, layout):
        return 0
    rows = layout.bits * (window.stop - window.start) + layout.carry
    return sizes.item * 2 ** (layout.bits * window.start + 2 * rows)


def _windows(program: Program) -> list[Window]:
    found = []
    for part in program.parts:
        if isinstance(part, Loop):
            found += _windows(part.body)
        else:
            sweeps = [step for step in part.steps if isinstance(step, Sweep)]
            found += [window for sweep in sweeps for window in sweep.windows]
    return found


# --- chains ---------------------------------------------------------------------------


def chain_bytes(
    plan: ChainPlan, bond: int, dtype: np.dtype, gradient: Gradient | None = None
) -> int:
    """Predict what a planned run on a chain takes whose bonds grow to `bond`.

    The factors count what XLA was seen to keep at once; see `predict_bytes`.
    """
    square = bond**2 * itemsize(dtype)
    tensors = 2 * len(plan.after) * square
    if not plan.steps:
        return tensors * 5 // 2 if gradient is None else 5 * tensors
    steps = chunked(plan.steps)
    # The chain with its two idle sites, and its environments.
    chain = 3 * (len(plan.after) + 2) * square
    most = max((len(s.placed) for s in steps if isinstance(s, Pairs)), default=0)
    pairs = 4 * most * square
    rank = max((step.rank for step in steps if isinstance(step, Layer)), default=0)
    wide = rank**2 * tensors
    if gradient is None:
        return 5 * chain // 2 + 3 * pairs + 3 * wide
    working = 13 * chain + 10 * pairs + 16 * wide
    if gradient == "remat":
        return len(steps) * chain + working
    # A step keeps what any kind of step would.
    return len(steps) * (2 * chain // 3 + 10 * pairs + 13 * wide) + working


def _bytes(tree: PyTree) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
