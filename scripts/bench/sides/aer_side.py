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
        if op.angle is None:
            getattr(built, op.name)(*op.wires)
        else:
            getattr(built, op.name)(angles[op.angle], op.wires[0])
    return built


def noise() -> NoiseModel:
    # Qiskit's parameter is that of rho -> (1 - p) rho + p I / 2: 4/3 of the Paulis'.
    one = depolarizing_error(4 * PAULI_ERROR / 3, 1)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(one.tensor(one), ["cx"])
    return model


def z_on(wire: int, num_wires: int) -> SparsePauliOp:
    return SparsePauliOp("I" * (num_wires - 1 - wire) + "Z" + "I" * wire)


def _chain_values(case: Case, variant: str, settings: dict) -> Prepared:
    """<Z> by matrix product states, which are complex128 whatever is asked for."""
    lapack, n = variant == "mps-lapack", case.num_wires
    simulator = AerSimulator(
        method="matrix_product_state",
        matrix_product_state_max_bond_dimension=case.bond,
        mps_lapack=lapack,
        # Gates merged in pairs only cost time here.
        **settings | {"precision": "double", "fusion_enable": False},
    )
    built = circuit(case)
    for wire in case.sites:
        built.save_expectation_value(z_on(wire, n), range(n), label=f"z{wire}")

    def values(out):
        return {"values": np.asarray([out.data(0)[f"z{w}"] for w in case.sites])}

    note = "matrix_product_state, SVD of LAPACK" if lapack else "matrix_product_state"
    return Prepared(lambda: _run(simulator, built, 1), values, "complex128", note)


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
    if case.task == "chain_values":
        return _chain_values(case, variant, settings)
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
            built.save_expectation_value(z_on(wire, n), range(n), label=f"z{wire}")

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
