"""Representations that can give an expectation: what each takes, and how to use it."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax import network
from qjax._memory import available_bytes, itemsize
from qjax._types import is_traced
from qjax.circuits.circuit import Circuit
from qjax.circuits.observables import Hermitian, PauliSum, Projector
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
    Measure,
    Reset,
)
from qjax.plan.chains import Layer, plan_chain
from qjax.plan.clifford import is_clifford, operation_action
from qjax.plan.strings import pieces
from qjax.simulate.adaptive import run_to_error
from qjax.simulate.measure import expectation
from qjax.simulate.memory import chain_bytes, predict_bytes
from qjax.simulate.propagation import propagate
from qjax.simulate.run import run
from qjax.states.mps import MPS
from qjax.states.pauli_density import PauliDensity
from qjax.states.stabilizer import StabilizerState
from qjax.states.vector import StateVector

MOST_WORDS = 2**18
"""Pauli words that are followed at most."""

Observable = PauliSum | Projector | Hermitian

_MOST_CONES = 256
"""Words whose light cones are contracted at most."""


@dataclasses.dataclass(frozen=True)
class Rates:
    """What predicted times rest on: speeds of one CPU core, to order representations.

    The defaults are for that order alone, whatever the machine: they were measured by
    `scripts/bench/rates.py` on 2026-11-22 on one core of an AMD EPYC (family 25 model
    17) in complex64, and that script measures them anew elsewhere.

    Attributes:
        flops: Real operations per second of matrix products.
        pass_bytes: Bytes per second of a pass over a state.
        eigenvalues: Seconds times 1 / d^3 of an eigendecomposition of d x d.
        tableau_gate: Seconds of a gate on a tableau.
        word_gate: Seconds of a gate on a Pauli word.
        start: Seconds that any representation takes in addition, outside jit.
        compile_state: Seconds to trace and compile a state's program and reading.
        compile_chain: The same of a matrix product state.
        compile_tensor: The same of each tensor of a network.
    """

    flops: float = 1.3e11
    pass_bytes: float = 1.7e10
    eigenvalues: float = 1.3e-9
    tableau_gate: float = 1.9e-5
    word_gate: float = 2.4e-7
    start: float = 0.15
    compile_state: float = 2.0
    compile_chain: float = 4.3
    compile_tensor: float = 0.095


@dataclasses.dataclass(frozen=True)
class Option:
    """One way to compute what is asked for.

    Attributes:
        name: Name of the representation.
        possible: Whether it can do this circuit, in this memory, to this error.
        reason: Why, or why not, in one sentence.
        seconds: Predicted time of a run, without compilation; NaN if not known.
        compile_seconds: Predicted time to trace and compile.
        num_bytes: Predicted memory; 0 if not known.
        max_bond: Of a matrix product state, the bond to take, otherwise 0.
    """

    name: str
    possible: bool
    reason: str
    seconds: float = float("nan")
    num_bytes: int = 0
    max_bond: int = 0
    compile_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is asked for: <O> after a circuit, to an error, at given speeds."""

    circuit: Circuit
    observable: Observable
    dtype: np.dtype
    max_error: float
    largest_bond: int
    rates: Rates
    operations: tuple[AbstractOperation, ...]

    @property
    def unitary(self) -> bool:
        """Whether nothing is random."""
        return all(isinstance(o, AbstractUnitary) for o in self.operations)


# --- what each representation takes ---------------------------------------------------


def _vector_option(problem: Problem) -> Option:
    circuit, name = problem.circuit, "state vector"
    if not problem.unitary:
        return Option(name, False, "the circuit is not unitary")
    return _dense_option(problem, name, circuit.num_wires, StateVector, 1)


def _density_option(problem: Problem) -> Option:
    name = "Pauli density"
    if problem.unitary:
        return Option(name, False, "the circuit is unitary: a vector is enough")
    if any(isinstance(o, Conditional) for o in problem.operations):
        return Option(name, False, "the circuit is conditional: use `trajectory`")
    width = 2 * problem.circuit.num_wires
    return _dense_option(problem, name, width, PauliDensity, 2)


def _dense_option(
    problem: Problem, name: str, log_size: int, kind: type, factor: int
) -> Option:
    """Option of a state of 2^log_size numbers that every operation passes over."""
    n, dtype = problem.circuit.num_wires, problem.dtype
    available = available_bytes()
    if available is not None and 2**log_size * itemsize(dtype) > available:
        return Option(name, False, f"2^{log_size} numbers do not fit into memory")
    shape = jax.eval_shape(lambda: kind.zeros(n, dtype=dtype))
    num_bytes = predict_bytes(problem.circuit, shape)
    one_pass = factor * 2**log_size * itemsize(dtype) / problem.rates.pass_bytes
    # Blocks do several gates in a pass.
    seconds = problem.rates.start + one_pass * len(problem.operations) / 4
    reason = f"exact, 2^{log_size} numbers"
    compile_seconds = problem.rates.compile_state
    return Option(name, True, reason, seconds, num_bytes, 0, compile_seconds)


def _stabilizer_option(problem: Problem) -> Option:
    name, n = "stabilizer", problem.circuit.num_wires
    if not isinstance(problem.observable, PauliSum):
        return Option(name, False, "the observable is no sum of Pauli words")
    if not problem.unitary or not is_clifford(problem.circuit):
        return Option(name, False, "the circuit is not known to be Clifford")
    gates = len(problem.operations)
    seconds = problem.rates.start + gates * problem.rates.tableau_gate
    compile_seconds = problem.rates.compile_state
    reason = "exact, all gates are Clifford"
    return Option(name, True, reason, seconds, n * n, 0, compile_seconds)


def _propagation_option(problem: Problem) -> Option:
    name, observable = "propagation", problem.observable
    if not isinstance(observable, PauliSum):
        return Option(name, False, "the observable is no sum of Pauli words")
    if any(isinstance(o, Conditional) for o in problem.operations):
        return Option(name, False, "the circuit is conditional")
    splitting = sum(_splits(o) for o in _cone(problem))
    if len(observable.words) * 2**splitting > MOST_WORDS:
        reason = f"{splitting} operations in the light cone may each double the words"
        return Option(name, False, reason)
    words = len(observable.words) * 2**splitting
    seconds = words * len(problem.operations) * problem.rates.word_gate
    reason = f"exact, at most {words} Pauli words"
    num_bytes = words * (problem.circuit.num_wires // 4 + 16)
    return Option(name, True, reason, problem.rates.start + seconds, num_bytes)


def _cone(problem: Problem) -> Sequence[AbstractOperation]:
    """Operations that the observable depends on."""
    if any(isinstance(o, Measure) for o in problem.operations):
        return problem.operations
    cone = network.light_cone(problem.circuit, problem.observable.wires)
    return cone.operations


def _splits(operation: AbstractOperation) -> bool:
    """Say whether an operation may turn one Pauli word into several."""
    if isinstance(operation, AbstractUnitary):
        return operation_action(operation) is None
    if isinstance(operation, Channel):
        return operation.paulis is None
    return isinstance(operation, Reset)


def _network_option(problem: Problem) -> Option:
    name, observable = "network", problem.observable
    if any(isinstance(o, Measure | Conditional) for o in problem.operations):
        return Option(name, False, "the circuit measures")
    if isinstance(observable, PauliSum) and len(observable.words) > _MOST_CONES:
        return Option(name, False, f"more than {_MOST_CONES} words, each its own cone")
    flops = num_bytes = tensors = 0
    try:
        for term in _terms(observable):
            graph = network.average_network(problem.circuit, term, dtype=problem.dtype)
            plan = network.plan_contraction(graph, optimizer="greedy")
            flops += plan.flops
            tensors += len(plan.tree.inputs)
            num_bytes = max(num_bytes, plan.peak_bytes)
    except TypeError as refusal:
        return Option(name, False, str(refusal))
    seconds = problem.rates.start + flops / problem.rates.flops
    reason = f"exact, {flops:.2g} operations in the light cones"
    compile_seconds = tensors * problem.rates.compile_tensor
    return Option(name, True, reason, seconds, num_bytes, 0, compile_seconds)


def _terms(observable: Observable) -> Iterator[Observable]:
    if not isinstance(observable, PauliSum):
        yield observable
        return
    for word in observable.words:
        yield PauliSum(np.ones(1), (word,))


def _mps_option(problem: Problem) -> Option:
    name, circuit = "MPS", problem.circuit
    if not problem.unitary:
        return Option(name, False, "the circuit is not unitary")
    n, bond = circuit.num_wires, problem.largest_bond
    try:
        own = pieces(circuit.operations)
    except TypeError as refusal:
        return Option(name, False, str(refusal))
    widest = min(bond, 2 ** (n // 2))
    plan = plan_chain(own, n, 1, widest)
    exact = not plan.steps or widest == 2 ** (n // 2)
    size = widest if plan.steps else plan.growth
    decompositions = sum(
        2 * n if isinstance(step, Layer) else len(step.placed) for step in plan.steps
    )
    seconds = decompositions * problem.rates.eigenvalues * (2 * size) ** 3
    seconds += 30 * n * size**3 / problem.rates.flops
    num_bytes = chain_bytes(plan, size, problem.dtype)
    if exact:
        reason = f"exact, bonds of at most {size}"
    elif problem.max_error > 0:
        reason = f"cut to bonds of at most {size}: the error is known after the run"
    else:
        reason = f"bonds of {size} may not be enough, and no error is allowed"
    possible = exact or problem.max_error > 0
    seconds += problem.rates.start
    compile_seconds = problem.rates.compile_chain
    return Option(name, possible, reason, seconds, num_bytes, size, compile_seconds)


# --- how each computes ----------------------------------------------------------------

Numbers = tuple[Float[Array, ""], float]


def _by_state(make: Callable) -> Callable[[Problem, Option], Numbers]:
    """Run on a state of |0...0> and read it."""

    def compute(problem: Problem, chosen: Option) -> Numbers:
        state = make(problem.circuit.num_wires, problem.dtype)
        return expectation(run(problem.circuit, state), problem.observable), 0.0

    return compute


def _by_propagation(problem: Problem, chosen: Option) -> Numbers:
    observable = problem.observable
    assert isinstance(observable, PauliSum)
    back = propagate(problem.circuit, observable, max_terms=MOST_WORDS)
    # In |0...0> a word of letters Z alone is 1, any other one 0.
    ones = np.asarray([all(letter == "Z" for _, letter in w) for w in back.words])
    return jnp.sum(jnp.where(ones, jnp.asarray(back.coefficients), 0)), 0.0


def _by_network(problem: Problem, chosen: Option) -> Numbers:
    value = network.expectation(
        problem.circuit, problem.observable, dtype=problem.dtype
    )
    return value, 0.0


def _by_mps(problem: Problem, chosen: Option) -> Numbers:
    width = _spread(problem.observable)
    start = MPS.zeros(problem.circuit.num_wires, chosen.max_bond, problem.dtype)
    if problem.max_error > 0:
        few = MPS(start.tensors, start.truncation_error, min(8, chosen.max_bond))
        state = run_to_error(
            problem.circuit,
            few,
            max_error=problem.max_error / width,
            largest_bond=chosen.max_bond,
        )
    else:
        state = run(problem.circuit, start)
    exact = is_traced(state.truncation_error) or problem.max_error == 0
    error = 0.0 if exact else width * float(state.truncation_error)
    return expectation(state, problem.observable), error


def _spread(observable: Observable) -> float:
    """Bound the largest minus the smallest eigenvalue."""
    if isinstance(observable, PauliSum):
        return 2 * float(np.sum(np.abs(observable.coefficients)))
    if isinstance(observable, Projector):
        return 1.0
    return float(np.ptp(np.linalg.eigvalsh(np.asarray(observable.matrix))))


WAYS: dict[str, tuple[Callable[[Problem], Option], Callable]] = {
    "state vector": (_vector_option, _by_state(StateVector.zeros)),
    "Pauli density": (_density_option, _by_state(PauliDensity.zeros)),
    "stabilizer": (
        _stabilizer_option,
        _by_state(lambda num_wires, dtype: StabilizerState.zeros(num_wires)),
    ),
    "propagation": (_propagation_option, _by_propagation),
    "network": (_network_option, _by_network),
    "MPS": (_mps_option, _by_mps),
}
"""For each representation, what it takes and how it computes."""
