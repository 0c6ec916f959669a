"""qulacs: complex128 only, little-endian; angles are bound beforehand."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import numpy as np
from qulacs import (
    DensityMatrix,
    Observable,
    ParametricQuantumCircuit,
    QuantumCircuit,
    QuantumState,
)
from qulacs.circuit import QuantumCircuitOptimizer
from qulacs.gate import DepolarizingNoise

from scripts.bench.sides.base import (
    Prepared,
    Unsupported,
    ones_of_indices,
    reverse_wires,
)
from scripts.bench.workloads import PAULI_ERROR, Case, ising_words

DTYPE = "complex128"
# Trajectories that are run; the time is scaled up to what the case asks for.
TRAJECTORIES = 8


def circuit(case: Case, angles: np.ndarray, noisy: bool = False) -> QuantumCircuit:
    built = QuantumCircuit(case.num_wires)
    for op in case.operations():
        if op.name == "cx":
            built.add_CNOT_gate(*op.wires)
            if noisy:
                for wire in op.wires:
                    built.add_gate(DepolarizingNoise(wire, PAULI_ERROR))
        else:
            rotate = getattr(built, f"add_Rot{op.name[1].upper()}_gate")
            rotate(op.wires[0], angles[op.angle])
    return built


def parametric(case: Case, angles: np.ndarray) -> ParametricQuantumCircuit:
    """Parametric rotations of qulacs turn the other way: exp(+i t P / 2)."""
    built = ParametricQuantumCircuit(case.num_wires)
    for op in case.operations():
        if op.name == "cx":
            built.add_CNOT_gate(*op.wires)
        else:
            rotate = getattr(built, f"add_parametric_{op.name.upper()}_gate")
            rotate(op.wires[0], -angles[op.angle])
    return built


def observable(num_wires: int, words: list[tuple[float, str]]) -> Observable:
    total = Observable(num_wires)
    for weight, word in words:
        letters = [f"{p} {w}" for w, p in enumerate(word) if p != "I"]
        total.add_operator(weight, " ".join(letters))
    return total


def z_words(num_wires: int) -> list[str]:
    return ["I" * w + "Z" + "I" * (num_wires - 1 - w) for w in range(num_wires)]


def _state(case: Case, variant: str) -> Prepared:
    built = circuit(case, case.angles().ravel())
    optimizer = QuantumCircuitOptimizer()
    if variant == "fused":
        optimizer.optimize(built, 3 if case.num_wires > 12 else 2)
    elif variant == "light":
        optimizer.optimize_light(built)
    state = QuantumState(case.num_wires)

    def call():
        state.set_zero_state()
        built.update_quantum_state(state)
        return state

    def result(final):
        return {"state": reverse_wires(final.get_vector(), case.num_wires)}

    return Prepared(call, result, DTYPE, f"QuantumCircuit, {variant}")


def _gradient(case: Case) -> Prepared:
    built = parametric(case, case.angles().ravel())
    energy = observable(case.num_wires, [(1.0, w) for w in ising_words(case.num_wires)])
    return Prepared(
        lambda: built.backprop(energy),
        lambda out: {"gradient": -np.asarray(out)},
        DTYPE,
        "backprop; the value itself is not computed",
    )


def _batch_values(case: Case) -> Prepared:
    n, angles = case.num_wires, case.angles()
    inputs = [reverse_wires(row, n) for row in case.inputs().astype(complex)]
    terms = [observable(n, [(1.0, word)]) for word in z_words(n)]
    samples = case.offsets() if case.reupload else [np.zeros(n)]
    built = []
    for offset in samples:
        shifted = angles.copy()
        shifted[:, :, 0] += offset
        built.append(circuit(case, shifted.ravel()))
    state = QuantumState(n)

    def call():
        rows = []
        for sample, vector in enumerate(inputs):
            state.load(vector)
            built[sample if case.reupload else 0].update_quantum_state(state)
            rows.append([term.get_expectation_value(state) for term in terms])
        return rows

    return Prepared(
        call,
        lambda rows: {"values": np.asarray(rows)},
        DTYPE,
        "loop over the batch",
    )


def _sampler(case: Case) -> Prepared:
    n = case.num_wires
    vectors = [reverse_wires(row, n) for row in np.atleast_2d(case.amplitudes())]
    states = []
    for vector in vectors:
        states.append(QuantumState(n))
        states[-1].load(vector)

    def call():
        return [state.sampling(case.shots) for state in states]

    def result(rows):
        ones = ones_of_indices(np.asarray(rows), n)[:, ::-1]
        return {"ones": ones[0] if case.task == "sample" else ones}

    return Prepared(call, result, DTYPE, "sampling: list of indices; loop over states")


def _density(case: Case) -> Prepared:
    n = case.num_wires
    built = circuit(case, case.angles().ravel(), noisy=True)
    # Each channel as one CPTP gate would be the same work: noise gates on a density
    # matrix are applied exactly.
    state = DensityMatrix(n)

    def call():
        state.set_zero_state()
        built.update_quantum_state(state)
        return state

    def result(final):
        matrix = np.asarray(final.get_matrix()).reshape((2,) * (2 * n))
        order = (*range(n)[::-1], *range(n, 2 * n)[::-1])
        return {"state": matrix.transpose(order).reshape(2**n, 2**n)}

    return Prepared(call, result, DTYPE, "DensityMatrix")


def _trajectories(case: Case) -> Prepared:
    n = case.num_wires
    built = circuit(case, case.angles().ravel(), noisy=True)
    terms = [observable(n, [(1.0, word)]) for word in z_words(n)]
    state = QuantumState(n)
    count = min(TRAJECTORIES, case.shots) if n > 8 else case.shots

    def call():
        total = np.zeros(n)
        for _ in range(count):
            state.set_zero_state()
            built.update_quantum_state(state)
            total += [term.get_expectation_value(state) for term in terms]
        return total / count

    return Prepared(
        call,
        lambda out: {"values": out, "count": np.asarray(count)},
        DTYPE,
        f"{count} trajectories, scaled",
        scale=case.shots / count,
    )


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    if case.task == "state":
        return _state(case, variant)
    if variant != "plain":
        raise Unsupported("fused circuits are timed for states only")
    tasks = {
        "gradient": _gradient,
        "batch_values": _batch_values,
        "sample": _sampler,
        "batch_sample": _sampler,
        "density": _density,
        "trajectories": _trajectories,
    }
    if case.task not in tasks:
        raise Unsupported(f"no {case.task}")
    return tasks[case.task](case)
