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
from qjax.simulate import average_trajectories, expectation, run, sample
from qjax.states import DensityMatrix, StateVector
from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.sides.jax_common import (
    batch_case,
    compiled,
    dtypes,
    gradient_arrays,
    state_arrays,
)
from scripts.bench.workloads import PAULI_ERROR, Case, layer_ops

BUILDERS = {"rx": rx, "ry": ry, "rz": rz}
# Trajectories that are run; the time is scaled up to what the case asks for.
TRAJECTORIES = 100


def gates(case: Case, angles) -> list[AbstractOperation]:
    """All gates one by one, with flat angles."""
    return [
        cx(*op.wires)
        if op.name == "cx"
        else BUILDERS[op.name](angles[op.angle], op.wires[0])
        for op in case.operations()
    ]


def circuit(case: Case, angles) -> Circuit:
    """The ansatz as one Repeat, or a random circuit gate by gate."""
    if not case.pairs:
        return hardware_efficient(angles)
    return Circuit(gates(case, angles), case.num_wires)


def noisy_circuit(case: Case, angles) -> Circuit:
    """Depolarizing noise on both wires after each CNOT, as one Repeat."""

    def layer(values):
        operations = []
        for op in layer_ops(case.num_wires):
            if op.name != "cx":
                rotate = BUILDERS[op.name]
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
        return Circuit(gates(case, angles.ravel()), case.num_wires)

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
    z_terms = [pauli("Z", wire) for wire in range(case.num_wires)]

    def model(angles, vector):
        start = StateVector(vector.reshape((2,) * case.num_wires))
        return expectation(run(circuit(case, angles), start), z_terms)

    return batch_case(case, precision, model, "vmap")


def _sampler(case: Case, precision: str) -> Prepared:
    _, dtype = dtypes(precision)
    amplitudes = jnp.asarray(case.amplitudes(), dtype)

    def one(key, vector):
        state = StateVector(vector.reshape((2,) * case.num_wires))
        return sample(key, state, case.shots)

    def draw(key, vectors):
        if case.task == "sample":
            return one(key, vectors)
        return jax.vmap(one)(jax.random.split(key, len(vectors)), vectors)

    def result(bits):
        return {"ones": np.asarray(bits).mean(-2)}

    return compiled(draw, (jax.random.key(1), amplitudes), result, "sample: bits")


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
    count = min(TRAJECTORIES, case.shots) if case.num_wires > 8 else case.shots
    z_terms = [pauli("Z", wire) for wire in range(case.num_wires)]

    def program(key, angles):
        start = StateVector.zeros(case.num_wires, dtype=dtype)
        noisy = noisy_circuit(case, angles)
        return average_trajectories(key, noisy, start, z_terms, count).mean

    return compiled(
        program,
        (jax.random.key(1), jnp.asarray(case.angles(), real)),
        lambda out: {"values": np.asarray(out), "count": np.asarray(count)},
        f"{count} trajectories, scaled",
        scale=case.shots / count,
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


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    if case.task == "gradient":
        return _gradient(case, precision, variant)
    tasks = {
        "state": _state,
        "batch_values": _batch,
        "batch_gradient": _batch,
        "sample": _sampler,
        "batch_sample": _sampler,
        "density": _density,
        "trajectories": _trajectories,
        "metric": _metric,
    }
    if case.task not in tasks:
        raise Unsupported(f"no {case.task}")
    return tasks[case.task](case, precision)
