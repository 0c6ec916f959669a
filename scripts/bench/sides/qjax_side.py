"""qjax: the only file that knows how this project is called by the benchmarks."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from qjax.circuits import (
    AbstractOperation,
    Circuit,
    Repeat,
    Template,
    cx,
    cz,
    hardware_efficient,
    ising,
    pauli,
    rx,
    ry,
    rz,
    template,
)
from qjax.geometry import circuit_metric
from qjax.noise import depolarizing
from qjax.simulate import (
    average_trajectories,
    counts,
    expectation,
    run,
    run_each,
    sample,
    sample_indices,
)
from qjax.states import MPS, DensityMatrix, StateBatch, StateVector
from scripts.bench.sides import SAMPLES
from scripts.bench.sides.base import (
    Prepared,
    Unsupported,
    ones_of_counts,
    ones_of_indices,
)
from scripts.bench.sides.jax_common import (
    batch_program,
    compiled,
    dtypes,
    gradient_arrays,
    state_arrays,
)
from scripts.bench.workloads import (
    PAULI_ERROR,
    Case,
    Op,
    alternating_ops,
    layer_ops,
)

SAMPLERS = {"counts": counts, "indices": sample_indices, "bits": sample}
ROTATIONS = {"rx": rx, "ry": ry, "rz": rz}
FIXED = {"cx": cx, "cz": cz}


def gates(operations: list[Op], angles) -> list[AbstractOperation]:
    """Gates one by one, with flat angles."""
    return [
        FIXED[op.name](*op.wires)
        if op.angle is None
        else ROTATIONS[op.name](angles[op.angle], op.wires[0])
        for op in operations
    ]


def circuit(case: Case, angles) -> Circuit:
    """The ansatz as one Repeat, or a random circuit gate by gate."""
    if not case.pairs:
        return hardware_efficient(angles)
    return Circuit(gates(case.operations(), angles), case.num_wires)


def noisy_circuit(case: Case, angles) -> Circuit:
    """Depolarizing noise on both wires after each CNOT, as one Repeat."""

    def layer(values):
        operations = []
        for op in layer_ops(case.num_wires):
            if op.name != "cx":
                rotate = ROTATIONS[op.name]
                operations.append(rotate(values.ravel()[op.angle], op.wires[0]))
                continue
            # The parameter here is 4/3 of the probability of a Pauli error.
            operations.append(cx(*op.wires))
            operations += [depolarizing(4 * PAULI_ERROR / 3, w) for w in op.wires]
        return Circuit(operations, case.num_wires)

    return Circuit([Repeat(jax.vmap(layer)(angles), case.depth)], case.num_wires)


def _state(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)

    def program(angles):
        start = StateVector.zeros(case.num_wires, dtype=dtype)
        return run(circuit(case, angles), start).vector()

    return compiled(program, (jnp.asarray(case.angles(), real),), state_arrays, "run")


def loop_built(case: Case) -> Template:
    """The ansatz as a plain Python loop writes it, gate by gate, through `template`."""

    def build(angles):
        operations = gates(case.operations(), angles.ravel())
        return Circuit(operations, case.num_wires)

    return template(build, case.angles().astype(np.float32))


def _gradient(case: Case, precision: str, variant: str) -> Prepared:
    real, dtype = dtypes(precision)
    build = loop_built(case) if variant == "template" else partial(circuit, case)

    def energy(angles):
        start = StateVector.zeros(case.num_wires, dtype=dtype)
        return expectation(run(build(angles), start), ising(case.num_wires))

    arguments = (jnp.asarray(case.angles(), real),)
    return compiled(jax.value_and_grad(energy), arguments, gradient_arrays, "grad")


def _batch(case: Case, precision: str) -> Prepared:
    """Shared angles: one circuit for all states. Re-uploading: each has its own."""
    n = case.num_wires
    z_terms = [pauli("Z", wire) for wire in range(n)]

    def values(angles, batch, offsets):
        if not case.reupload:
            return expectation(run(circuit(case, angles), batch), z_terms)
        each = jax.vmap(lambda offset: circuit(case, angles.at[:, :, 0].add(offset)))
        return expectation(run_each(each(offsets), batch), z_terms)

    note = "run_each" if case.reupload else "StateBatch"
    return batch_program(case, precision, values, note, StateBatch.from_amplitudes)


def _sampler(case: Case, precision: str, variant: str) -> Prepared:
    _, dtype = dtypes(precision)
    n, amplitudes = case.num_wires, jnp.asarray(case.amplitudes(), dtype)

    def draw(key, vectors):
        if case.task == "sample":
            state = StateVector(vectors.reshape((2,) * n))
        else:
            state = StateBatch(vectors.T.reshape((2,) * n + (-1,)))
        return SAMPLERS[variant](key, state, case.shots)

    def result(out):
        out = np.asarray(out)
        if variant == "bits":
            return {"ones": out.mean(-2)}
        if variant == "indices":
            return {"ones": ones_of_indices(out, n)}
        rows = [ones_of_counts(row, n) for row in out.reshape(-1, 2**n)]
        return {"ones": np.asarray(rows).reshape(*out.shape[:-1], n)}

    note = f"{SAMPLERS[variant].__name__}: {variant}"
    return compiled(draw, (jax.random.key(1), amplitudes), result, note)


def _density(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)
    side = 2**case.num_wires

    def program(angles):
        start = DensityMatrix.zeros(case.num_wires, dtype=dtype)
        return run(noisy_circuit(case, angles), start).matrix()

    def result(out):
        return {"state": np.asarray(out).reshape(side, side)}

    return compiled(program, (jnp.asarray(case.angles(), real),), result, "run")


def _trajectories(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)
    z_terms = [pauli("Z", wire) for wire in range(case.num_wires)]

    def program(key, angles):
        start = StateVector.zeros(case.num_wires, dtype=dtype)
        noisy = noisy_circuit(case, angles)
        return average_trajectories(key, noisy, start, z_terms, case.shots).mean

    return compiled(
        program,
        (jax.random.key(1), jnp.asarray(case.angles(), real)),
        lambda out: {"values": np.asarray(out), "count": np.asarray(case.shots)},
        f"{case.shots} trajectories",
    )


def _metric(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)

    def program(angles):
        start = StateVector.zeros(case.num_wires, dtype=dtype)
        return circuit_metric(partial(circuit, case), angles, start)

    return compiled(
        program,
        (jnp.asarray(case.angles(), real),),
        lambda out: {"metric": np.asarray(out)},
        "circuit_metric",
    )


def chain_circuit(case: Case, angles) -> Circuit:
    """Layers with CZ on alternating links, as a Repeat of an even and an odd one."""
    n = case.num_wires
    two = [op for layer in (0, 1) for op in alternating_ops(n, layer)]

    def layers_of(values) -> Circuit:
        # One split, those of a kind side by side, as in `hardware_efficient`.
        flat = values.transpose(2, 0, 1).reshape(-1)
        pieces = jax.lax.split(flat, (1,) * values.size)
        order = np.arange(values.size).reshape(2, 2 * n).T.reshape(-1)
        return Circuit(gates(two, [pieces[i].reshape(()) for i in order]), n)

    layers = jax.vmap(layers_of)
    pairs = case.depth // 2
    return Circuit([Repeat(layers(angles.reshape(pairs, 2, n, 2)), pairs)], n)


def _chain_values(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)
    z_terms = [pauli("Z", wire) for wire in case.sites]

    def program(angles):
        start = MPS.zeros(case.num_wires, case.bond, dtype)
        state = run(chain_circuit(case, angles), start)
        return expectation(state, z_terms), state

    def result(out):
        values, state = out
        fidelity = np.asarray(state.norm()) ** 2
        return {"values": np.asarray(values), "fidelity": fidelity}

    arguments = (jnp.asarray(case.angles(), real),)
    return compiled(program, arguments, result, "MPS")


def _chain_gradient(case: Case, precision: str) -> Prepared:
    real, dtype = dtypes(precision)
    z_terms = [pauli("Z", wire) for wire in range(case.num_wires)]

    def total(angles):
        start = MPS.zeros(case.num_wires, case.bond, dtype)
        state = run(chain_circuit(case, angles), start)
        return jnp.sum(expectation(state, z_terms))

    arguments = (jnp.asarray(case.angles(), real),)
    return compiled(jax.value_and_grad(total), arguments, gradient_arrays, "MPS")


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    if case.task == "gradient":
        return _gradient(case, precision, variant)
    if case.task in SAMPLES:
        return _sampler(case, precision, variant)
    tasks = {
        "state": _state,
        "batch_values": _batch,
        "batch_gradient": _batch,
        "density": _density,
        "trajectories": _trajectories,
        "metric": _metric,
        "chain_values": _chain_values,
        "chain_compile": _chain_values,
        "chain_gradient": _chain_gradient,
    }
    if case.task not in tasks:
        raise Unsupported(f"no {case.task}")
    return tasks[case.task](case, precision)
