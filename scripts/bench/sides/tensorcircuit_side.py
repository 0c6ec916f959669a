"""TensorCircuit-NG on JAX: whole circuits contracted at once, or a scan over layers."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import jax
import jax.numpy as jnp
import numpy as np
import tensorcircuit as tc
from tensorcircuit import experimental

from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.sides.jax_common import (
    batch_case,
    compiled,
    dtypes,
    gradient_arrays,
    state_arrays,
)
from scripts.bench.workloads import (
    PAULI_ERROR,
    Case,
    Op,
    ising_words,
    layer_ops,
    z_words,
)

CHUNK = 10
TRAJECTORIES = 100


def place(circuit, ops: list[Op], angles) -> None:
    for op in ops:
        if op.angle is None:
            getattr(circuit, op.name)(*op.wires)
        else:
            getattr(circuit, op.name)(op.wires[0], theta=angles[op.angle])


def final_state(case: Case, variant: str):
    """angles, initial vector or None -> final vector.

    Variants: `unrolled`; `scan` over layers; `remat`, a scan whose steps are computed
    again backwards.
    """
    n = case.num_wires

    def circuit(vector):
        return tc.Circuit(n) if vector is None else tc.Circuit(n, inputs=vector)

    def unrolled(angles, vector=None):
        built = circuit(vector)
        place(built, case.operations(), angles.ravel())
        return built.state()

    def layer(state, angles):
        built = circuit(state)
        place(built, layer_ops(n), angles.ravel())
        return built.state()

    step = jax.checkpoint(layer) if variant == "remat" else layer

    def scanned(angles, vector=None):
        start = tc.Circuit(n).state() if vector is None else vector
        return jax.lax.scan(lambda s, a: (step(s, a), None), start, angles)[0]

    if case.pairs and variant != "unrolled":
        raise Unsupported("a random circuit has no layers to scan over")
    return unrolled if variant == "unrolled" else scanned


def expectations(state, num_wires: int, words: list[str]):
    """<P> of each word, each contracted with the ready state."""
    built = tc.Circuit(num_wires, inputs=state)
    values = []
    for word in words:
        letters = {
            p.lower(): [w for w, q in enumerate(word) if q == p]
            for p in "XYZ"
            if p in word
        }
        values.append(tc.backend.real(built.expectation_ps(reuse=True, **letters)))
    return jnp.stack(values)


def _density(case: Case, precision: str) -> Prepared:
    n, (real, complex_dtype) = case.num_wires, dtypes(precision)
    share = PAULI_ERROR / 3

    def layer(rho, angles):
        built = tc.DMCircuit(n, dminputs=rho)
        flat = angles.ravel()
        for op in layer_ops(n):
            place(built, [op], flat)
            if op.name == "cx":
                for wire in op.wires:
                    built.depolarizing(wire, px=share, py=share, pz=share)
        return built.densitymatrix(), None

    def program(angles):
        start = jnp.zeros((2**n, 2**n), complex_dtype).at[0, 0].set(1)
        return jax.lax.scan(layer, start, angles)[0]

    return compiled(
        program,
        (jnp.asarray(case.angles(), real),),
        lambda out: {"state": np.asarray(out)},
        "DMCircuit, scan over layers",
    )


def _trajectories(case: Case, precision: str) -> Prepared:
    n, (real, _) = case.num_wires, dtypes(precision)
    share = PAULI_ERROR / 3
    count = min(TRAJECTORIES, case.shots) if n > 8 else case.shots

    def layer(state, inputs):
        angles, draws = inputs
        built, place_of = tc.Circuit(n, inputs=state), 0
        flat = angles.ravel()
        for op in layer_ops(n):
            place(built, [op], flat)
            if op.name == "cx":
                for wire in op.wires:
                    built.depolarizing(
                        wire, px=share, py=share, pz=share, status=draws[place_of]
                    )
                    place_of += 1
        return built.state(), None

    def program(angles, seed):
        def one(key):
            draws = jax.random.uniform(key, (case.depth, 2 * (n - 1)), real)
            start = tc.Circuit(n).state()
            final = jax.lax.scan(layer, start, (angles, draws))[0]
            return expectations(final, n, z_words(n))

        keys = jax.random.split(jax.random.key(seed), (count // CHUNK, CHUNK))
        return jax.lax.map(jax.vmap(one), keys).mean((0, 1))

    return compiled(
        program,
        (jnp.asarray(case.angles(), real), jnp.uint32(1)),
        lambda out: {"values": np.asarray(out), "count": np.asarray(count)},
        f"{count} trajectories, scaled; scan over layers, vmap of {CHUNK}",
        scale=case.shots / count,
    )


def _chain(case: Case, angles) -> tc.MPSCircuit:
    """A matrix product state after all gates; bonds are cut by SVD."""
    built = tc.MPSCircuit(case.num_wires)
    built.set_split_rules({"max_singular_values": case.bond})
    place(built, case.operations(), angles.ravel())
    return built


def _chain_values(case: Case, dtype: str) -> Prepared:
    # Nothing to compile, and bonds that grow as they must: faster than on JAX.
    tc.set_backend("numpy")
    angles = case.angles()

    def call():
        built = _chain(case, angles)
        weight = float(np.real(built.get_norm())) ** 2
        values = [built.expectation((tc.gates.z(), [s])) for s in case.sites]
        return np.real(np.asarray(values)) / weight, weight

    def result(out):
        return {"values": out[0], "fidelity": np.asarray(out[1])}

    return Prepared(call, result, dtype, "MPSCircuit, NumPy")


def _chain_gradient(case: Case, angles) -> Prepared:
    def energy(values):
        built = _chain(case, values)
        terms = [
            tc.backend.real(built.expectation((tc.gates.z(), [wire])))
            for wire in range(case.num_wires)
        ]
        return sum(terms) / tc.backend.real(built.get_norm()) ** 2

    program = jax.value_and_grad(energy)
    return compiled(program, (angles,), gradient_arrays, "MPSCircuit, JAX")


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    tc.set_backend("jax")
    n, (real, _) = case.num_wires, dtypes(precision)
    dtype = "complex64" if precision == "single" else "complex128"
    tc.set_dtype(dtype)
    angles = jnp.asarray(case.angles(), real)
    if case.task == "chain_values":
        return _chain_values(case, dtype)
    if case.task == "chain_gradient":
        return _chain_gradient(case, angles)
    if case.task == "density" and variant == "scan":
        return _density(case, precision)
    if case.task == "trajectories" and variant == "scan":
        return _trajectories(case, precision)
    run = final_state(case, variant)
    if case.task == "state":
        if variant == "remat":
            raise Unsupported("nothing to compute again")
        return compiled(run, (angles,), state_arrays, variant)
    if case.task == "gradient":

        def energy(values):
            return expectations(run(values), n, ising_words(n)).sum()

        program = jax.value_and_grad(energy)
        return compiled(program, (angles,), gradient_arrays, variant)
    if case.task in ("batch_values", "batch_gradient"):
        return batch_case(
            case,
            precision,
            lambda values, vector: expectations(run(values, vector), n, z_words(n)),
            f"{variant}, vmap",
        )
    if case.task == "metric" and variant != "remat":
        # Without its regularisation, which the others do not have.
        metric = experimental.qng(
            lambda values: run(values.reshape(angles.shape)), postprocess=None
        )
        return compiled(
            metric,
            (angles.ravel(),),
            lambda out: {"metric": np.real(np.asarray(out))},
            f"experimental.qng, {variant}",
        )
    raise Unsupported(f"no {case.task}")
