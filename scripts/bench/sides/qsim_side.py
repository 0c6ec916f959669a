"""qsim: complex64 only.

The variants f2, f3, f4 translate the circuit beforehand and time the C++ entry point
alone; `api` is `QSimSimulator.simulate_into_1d_array`, as users call it.
"""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import cirq
import numpy as np
import qsimcirq
from qsimcirq import qsim

from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.workloads import PAULI_ERROR, Case

DTYPE = "complex64"


def circuit(case: Case, noisy: bool = False) -> tuple[cirq.Circuit, list[cirq.Qid]]:
    qubits: list[cirq.Qid] = [*cirq.LineQubit.range(case.num_wires)]
    angles = case.angles().ravel()
    rotations = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}
    operations: list[cirq.Operation] = []
    for op in case.operations():
        wires = [qubits[w] for w in op.wires]
        if op.name == "cx":
            operations.append(cirq.CNOT(*wires))
            if noisy:
                operations += [cirq.depolarize(PAULI_ERROR).on(q) for q in wires]
        else:
            operations.append(rotations[op.name](angles[op.angle]).on(*wires))
    return cirq.Circuit(operations), qubits


def options(fused: int) -> dict:
    return qsimcirq.QSimOptions(max_fused_gate_size=fused, cpu_threads=1).as_dict()


def _state(case: Case, fused: int) -> Prepared:
    built, qubits = circuit(case)
    program = qsimcirq.QSimCircuit(built)
    settings = options(fused) | {"s": 1}
    settings["c"], _ = program.translate_cirq_to_qsim(cirq.QubitOrder.explicit(qubits))

    return Prepared(
        lambda: qsim.qsim_simulate_fullstate(settings, 0),
        lambda out: {"state": out.view(np.complex64)},
        DTYPE,
        f"gates fused to {fused} qubits",
    )


def _api(case: Case) -> Prepared:
    built, qubits = circuit(case)
    fused = 2 if case.num_wires < 18 else 3
    simulator = qsimcirq.QSimSimulator(options(fused), seed=1)

    return Prepared(
        lambda: simulator.simulate_into_1d_array(built, qubit_order=qubits)[1],
        lambda out: {"state": np.asarray(out)},
        DTYPE,
        f"Python interface, translates each time; fused to {fused} qubits",
    )


def _trajectories(case: Case, fused: int) -> Prepared:
    n = case.num_wires
    built, qubits = circuit(case, noisy=True)
    program = qsimcirq.QSimCircuit(built)
    count = min(100, case.shots) if n > 8 else case.shots
    settings = options(fused) | {"r": count, "s": 1}
    translate = program.translate_cirq_to_qtrajectory
    settings["c"], _ = translate(cirq.QubitOrder.explicit(qubits))
    # qsim counts its qubits from the least significant bit.
    places = {qubit: n - 1 - w for w, qubit in enumerate(qubits)}
    terms = []
    for qubit in qubits:
        string = qsim.OpString()
        string.weight = 1.0
        qsimcirq.qsim_circuit.add_op_to_opstring(cirq.Z(qubit), places, string)
        terms.append(([string], 1))

    def call():
        settings["s"] += 1
        return qsim.qtrajectory_simulate_expectation_values(settings, terms, 0)

    return Prepared(
        call,
        lambda out: {"values": np.real(out), "count": np.asarray(count)},
        DTYPE,
        f"{count} trajectories, scaled; fused to {fused}",
        scale=case.shots / count,
    )


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    if precision != "single":
        raise Unsupported("qsim has complex64 only")
    if variant == "api":
        return _api(case)
    fused = int(variant.removeprefix("f"))
    if case.task == "state":
        return _state(case, fused)
    if case.task == "trajectories":
        return _trajectories(case, fused)
    raise Unsupported(f"no {case.task}")
