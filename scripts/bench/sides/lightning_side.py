"""PennyLane's lightning.qubit: tapes and device are built beforehand."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import numpy as np
import pennylane as qml
from pennylane.devices.execution_config import ExecutionConfig

from scripts.bench.sides.base import Prepared, Unsupported, ones_of_indices
from scripts.bench.workloads import Case, ising_words

ROTATIONS = {"rx": qml.RX, "ry": qml.RY, "rz": qml.RZ}


def gates(case: Case, angles: np.ndarray) -> list[qml.operation.Operator]:
    return [
        qml.CNOT(op.wires)
        if op.name == "cx"
        else ROTATIONS[op.name](angles[op.angle], op.wires)
        for op in case.operations()
    ]


def energy(num_wires: int):
    terms = [
        qml.pauli.string_to_pauli_word(word, dict(enumerate(range(num_wires))))
        for word in ising_words(num_wires)
    ]
    return qml.Hamiltonian([1.0] * len(terms), terms)


def adjoint(device, script) -> tuple[float, np.ndarray]:
    config = ExecutionConfig(gradient_method="adjoint")
    values, slopes = device.execute_and_compute_derivatives([script], config)
    return values[0], slopes[0]


def _gradient(case: Case, device, dtype: str) -> Prepared:
    angles = case.angles().ravel()
    operations = gates(case, angles)
    script = qml.tape.QuantumScript(operations, [qml.expval(energy(case.num_wires))])
    script.trainable_params = list(range(len(angles)))

    def result(out):
        return {"value": np.asarray(out[0]), "gradient": np.asarray(out[1]).ravel()}

    return Prepared(lambda: adjoint(device, script), result, dtype, "adjoint")


def _state(case: Case, device, dtype: str) -> Prepared:
    script = qml.tape.QuantumScript(gates(case, case.angles().ravel()), [qml.state()])
    return Prepared(
        lambda: device.execute([script])[0],
        lambda out: {"state": np.asarray(out)},
        dtype,
        "device.execute of a ready tape",
    )


def _batch(case: Case, device, dtype: str) -> Prepared:
    n, wires = case.num_wires, range(case.num_wires)
    scripts = []
    for start, offset in zip(case.inputs(), case.offsets(), strict=True):
        angles = case.angles()
        if case.reupload:
            angles[:, :, 0] += offset
        load = qml.StatePrep(start.astype(dtype), wires)
        operations = [load, *gates(case, angles.ravel())]
        if case.task == "batch_values":
            measured = [qml.expval(qml.Z(w)) for w in wires]
            scripts.append(qml.tape.QuantumScript(operations, measured))
            continue
        model = qml.Hamiltonian(case.weights(), [qml.Z(w) for w in wires])
        script = qml.tape.QuantumScript(operations, [qml.expval(model)])
        script.trainable_params = list(range(1, 1 + angles.size))
        scripts.append(script)
    targets = case.targets()

    def values():
        return np.asarray(device.execute(scripts))

    def loss():
        pairs = [adjoint(device, script) for script in scripts]
        model = np.asarray([pair[0] for pair in pairs])
        slopes = np.asarray([np.asarray(pair[1]).ravel() for pair in pairs])
        residual = model - targets
        return np.mean(residual**2), 2 * residual @ slopes / len(targets)

    note = f"loop over the batch of {n} wires"
    if case.task == "batch_values":
        return Prepared(values, lambda out: {"values": out}, dtype, note)
    return Prepared(
        loss, lambda out: {"value": out[0], "gradient": out[1]}, dtype, note
    )


def _sampler(case: Case, device, dtype: str) -> Prepared:
    n = case.num_wires
    scripts = [
        qml.tape.QuantumScript(
            [qml.StatePrep(row.astype(dtype), range(n), validate_norm=False)],
            [qml.sample(wires=range(n))],
            shots=case.shots,
        )
        for row in np.atleast_2d(case.amplitudes())
    ]
    powers = 2 ** np.arange(n)[::-1]

    def result(rows):
        ones = np.stack([ones_of_indices(np.asarray(r) @ powers, n) for r in rows])
        return {"ones": ones[0] if case.task == "sample" else ones}

    return Prepared(
        lambda: device.execute(scripts), result, dtype, "bits; loads the state too"
    )


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    dtype = "complex64" if precision == "single" else "complex128"
    tasks = {
        "state": _state,
        "gradient": _gradient,
        "batch_values": _batch,
        "batch_gradient": _batch,
        "sample": _sampler,
        "batch_sample": _sampler,
    }
    if case.task not in tasks:
        raise Unsupported(f"no {case.task}")
    device = qml.device(
        "lightning.qubit", wires=case.num_wires, c_dtype=np.dtype(dtype).type
    )
    return tasks[case.task](case, device, dtype)
