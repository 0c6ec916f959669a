"""qujax: the circuit written out gate by gate, compiled whole."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

import jax
import jax.numpy as jnp
import numpy as np
import qujax

from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.sides.jax_common import (
    batch_case,
    compiled,
    dtypes,
    gradient_arrays,
    state_arrays,
)
from scripts.bench.workloads import PAULI_ERROR, Case, ising_words


def listed(case: Case, noise: list | None = None) -> tuple[list, list, list]:
    """Gates, wires and indices of angles, with `noise` on both wires of each CNOT."""
    gates: list = []
    wires, indices = [], []
    for op in case.operations():
        gates.append("CX" if op.name == "cx" else "R" + op.name[1])
        wires.append(list(op.wires))
        indices.append([] if op.angle is None else [op.angle])
        if noise is not None and op.name == "cx":
            gates += [noise, noise]
            wires += [[wire] for wire in op.wires]
            indices += [None, None]
    return gates, wires, indices


def _density(case: Case, precision: str) -> Prepared:
    real, _ = dtypes(precision)
    paulis = [jnp.eye(2), qujax.gates.X, qujax.gates.Y, qujax.gates.Z]
    weights = [1 - PAULI_ERROR] + [PAULI_ERROR / 3] * 3
    kraus = [np.sqrt(p) * np.asarray(m) for p, m in zip(weights, paulis, strict=True)]
    program = qujax.get_params_to_densitytensor_func(
        *listed(case, kraus), case.num_wires
    )
    side = 2**case.num_wires
    return compiled(
        program,
        (jnp.asarray(case.angles().ravel() / np.pi, real),),
        lambda out: {"state": np.asarray(out).reshape(side, side)},
        "density tensor",
    )


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    n = case.num_wires
    real, _ = dtypes(precision)
    if case.task == "density":
        return _density(case, precision)
    # Angles are in units of pi.
    program = qujax.get_params_to_statetensor_func(*listed(case), n)
    angles = jnp.asarray(case.angles().ravel(), real)
    note = "unrolled, jit"
    if case.task == "state":
        return compiled(lambda a: program(a / np.pi), (angles,), state_arrays, note)
    if case.task == "gradient":
        words = [
            [(w, p) for w, p in enumerate(word) if p != "I"] for word in ising_words(n)
        ]
        measure = qujax.get_statetensor_to_expectation_func(
            [[p for _, p in word] for word in words],
            [[w for w, _ in word] for word in words],
            np.ones(len(words)),
        )

        def energy(values):
            return measure(program(values / np.pi))

        return compiled(jax.value_and_grad(energy), (angles,), gradient_arrays, note)
    if case.task in ("batch_values", "batch_gradient"):

        def model(values, vector):
            tensor = vector.reshape((2,) * n)
            final = program(values.ravel() / np.pi, tensor)
            probabilities = jnp.abs(final) ** 2
            rest = [tuple(x for x in range(n) if x != w) for w in range(n)]
            marginals = jnp.stack([probabilities.sum(axes) for axes in rest])
            return marginals[:, 0] - marginals[:, 1]

        return batch_case(case, precision, model, f"{note}, vmap")
    raise Unsupported(f"no {case.task}")
