"""PennyLane's default.qubit through JAX: one jitted QNode."""

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml

from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.sides.jax_common import (
    batch_case,
    compiled,
    dtypes,
    gradient_arrays,
    state_arrays,
)
from scripts.bench.workloads import PAULI_ERROR, Case, ising_words

ROTATIONS = {"rx": qml.RX, "ry": qml.RY, "rz": qml.RZ}


def apply(case: Case, angles, noisy: bool = False) -> None:
    for op in case.operations():
        if op.name != "cx":
            ROTATIONS[op.name](angles[op.angle], op.wires)
            continue
        qml.CNOT(op.wires)
        if noisy:
            for wire in op.wires:
                qml.DepolarizingChannel(PAULI_ERROR, wire)


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    n, (real, _) = case.num_wires, dtypes(precision)
    angles = jnp.asarray(case.angles().ravel(), real)
    kind = "default.mixed" if case.task == "density" else "default.qubit"
    device = qml.device(kind, wires=n)

    def node(function):
        return qml.QNode(function, device, interface="jax", diff_method="backprop")

    if case.task in ("state", "density"):

        def state(values):
            apply(case, values, noisy=case.task == "density")
            return qml.state()

        if case.task == "state":
            return compiled(node(state), (angles,), state_arrays, "jit")
        return compiled(
            node(state), (angles,), lambda out: {"state": np.asarray(out)}, "jit"
        )
    if case.task == "gradient":
        order = dict(enumerate(range(n)))
        terms = [qml.pauli.string_to_pauli_word(w, order) for w in ising_words(n)]
        operator = qml.Hamiltonian([1.0] * len(terms), terms)

        def energy(values):
            apply(case, values)
            return qml.expval(operator)

        program = jax.value_and_grad(node(energy))
        return compiled(program, (angles,), gradient_arrays, "jit, backprop")
    if case.task in ("batch_values", "batch_gradient"):

        def values(flat, vector):
            qml.StatePrep(vector, range(n), validate_norm=False)
            apply(case, flat)
            return [qml.expval(qml.Z(w)) for w in range(n)]

        run = node(values)
        return batch_case(
            case,
            precision,
            lambda a, vector: jnp.stack(run(a.ravel(), vector)),
            "jit, vmap, backprop",
        )
    raise Unsupported(f"no {case.task}")
