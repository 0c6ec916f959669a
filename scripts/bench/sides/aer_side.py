"""Qiskit Aer: circuits are built beforehand and run without transpiling."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from scripts.bench.sides.base import Prepared, Unsupported, reverse_wires
from scripts.bench.workloads import PAULI_ERROR, Case

TRAJECTORIES = 16


def circuit(case: Case) -> QuantumCircuit:
    built, angles = QuantumCircuit(case.num_wires), case.angles().ravel()
    for op in case.operations():
        if op.name == "cx":
            built.cx(*op.wires)
        else:
            getattr(built, op.name)(angles[op.angle], op.wires[0])
    return built


def noise() -> NoiseModel:
    # Qiskit's parameter is that of rho -> (1 - p) rho + p I / 2: 4/3 of the Paulis'.
    one = depolarizing_error(4 * PAULI_ERROR / 3, 1)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(one.tensor(one), ["cx"])
    return model


def _run(simulator: AerSimulator, built: QuantumCircuit, shots: int):
    return simulator.run(built, shots=shots).result()


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    n = case.num_wires
    dtype = "complex64" if precision == "single" else "complex128"
    settings = {
        "precision": precision,
        "max_parallel_threads": 1,
        "max_parallel_experiments": 1,
        "max_parallel_shots": 1,
        "fusion_enable": True,
        "fusion_threshold": 10,
    }
    built = circuit(case)
    if case.task == "state":
        simulator = AerSimulator(method="statevector", **settings)
        built.save_statevector()

        def state(out):
            return {"state": reverse_wires(np.asarray(out.data(0)["statevector"]), n)}

        return Prepared(lambda: _run(simulator, built, 1), state, dtype, "fusion on")
    if case.task == "density":
        simulator = AerSimulator(
            method="density_matrix", noise_model=noise(), **settings
        )
        built.save_density_matrix()

        def density(out):
            matrix = np.asarray(out.data(0)["density_matrix"]).reshape((2,) * (2 * n))
            order = (*range(n)[::-1], *range(n, 2 * n)[::-1])
            return {"state": matrix.transpose(order).reshape(2**n, 2**n)}

        return Prepared(lambda: _run(simulator, built, 1), density, dtype, "fusion on")
    if case.task == "trajectories":
        simulator = AerSimulator(method="statevector", noise_model=noise(), **settings)
        count = min(TRAJECTORIES, case.shots) if n > 8 else case.shots
        for wire in range(n):
            word = SparsePauliOp("I" * (n - 1 - wire) + "Z" + "I" * wire)
            built.save_expectation_value(word, range(n), label=f"z{wire}")

        def values(out):
            data = out.data(0)
            found = np.asarray([data[f"z{wire}"] for wire in range(n)])
            return {"values": found, "count": np.asarray(count)}

        return Prepared(
            lambda: _run(simulator, built, count),
            values,
            dtype,
            f"{count} trajectories, scaled",
            scale=case.shots / count,
        )
    raise Unsupported(f"no {case.task}")
