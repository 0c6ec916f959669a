"""quimb: CircuitMPS gate by gate, and on JAX for gradients."""

# The peers are installed for benchmarks only.
# pyright: reportMissingImports=false

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import quimb.tensor as qtn

from scripts.bench.sides.base import Prepared
from scripts.bench.sides.jax_common import compiled, dtypes, gradient_arrays
from scripts.bench.workloads import Case

# cotengra 0.8 takes NumPy's functions for JAX's arrays unless it is told which to take.
ON_JAX: dict[str, Any] = {"implementation": (jnp.einsum, jnp.tensordot)}


def place(circuit: qtn.Circuit, case: Case, angles) -> None:
    for op in case.operations():
        if op.angle is None:
            getattr(circuit, op.name)(*op.wires)
        else:
            getattr(circuit, op.name)(angles[op.angle], op.wires[0])


def _values(case: Case, dtype: str) -> Prepared:
    angles, z = case.angles().ravel(), np.diag([1, -1]).astype(dtype)

    def call():
        circuit = qtn.CircuitMPS(case.num_wires, max_bond=case.bond, dtype=dtype)
        place(circuit, case, angles)
        values = [
            circuit.local_expectation(z, site, normalized=True) for site in case.sites
        ]
        return np.real(np.asarray(values)), circuit

    def result(out):
        values, circuit = out
        return {"values": values, "fidelity": np.asarray(circuit.fidelity_estimate())}

    return Prepared(call, result, dtype, "CircuitMPS")


def exact_chain(case: Case, angles, dtype: str) -> qtn.MatrixProductState:
    """All gates as pairs of tensors, contracted site by site: nothing is cut."""
    n = case.num_wires
    circuit = qtn.Circuit(n, gate_opts={"contract": "split-gate"}, dtype=dtype)
    place(circuit, case, angles)
    state = circuit.psi
    # Added to, constants are traced like the rest.
    state.apply_to_arrays(lambda array: jnp.asarray(array) + 0)
    for site in range(n):
        state.contract_tags_(state.site_tag(site), **ON_JAX)
    state.fuse_multibonds_()
    return state.view_as_(
        qtn.MatrixProductState, cyclic=False, L=n, site_tag_id="I{}", site_ind_id="k{}"
    )


def sum_of_z(num_wires: int, dtype: str) -> qtn.MatrixProductOperator:
    inner = np.zeros((2, 2, 2, 2), dtype)
    inner[0, 0] = inner[1, 1] = np.eye(2)
    inner[0, 1] = np.diag([1, -1])
    arrays = [inner[0], *[inner] * (num_wires - 2), inner[:, 1]]
    operator = qtn.MatrixProductOperator(arrays, shape="lrud")
    operator.apply_to_arrays(lambda array: jnp.asarray(array) + 0)
    return operator


def _gradient(case: Case, precision: str, dtype: str, variant: str) -> Prepared:
    real, _ = dtypes(precision)

    def total(angles):
        flat = angles.ravel()
        if variant == "exact":
            ket = exact_chain(case, flat, dtype)
        else:
            # Shapes must not depend on numbers, so nothing is cut by weight.
            options = {"max_bond": case.bond, "cutoff": 0.0, "dtype": dtype}
            circuit = qtn.CircuitMPS(case.num_wires, **options)
            place(circuit, case, flat)
            ket = circuit.psi
        norm = (ket.H & ket).contract(all, optimize="greedy", **ON_JAX)
        parts = qtn.tensor_network_align(
            ket, sum_of_z(case.num_wires, dtype), ket.H.copy()
        )
        network = qtn.TensorNetwork(parts)
        value = network.contract(all, optimize="greedy", **ON_JAX)
        return jnp.real(value) / jnp.real(norm)

    note = "Circuit, gates split" if variant == "exact" else "CircuitMPS"
    arguments = (jnp.asarray(case.angles(), real),)
    program = jax.value_and_grad(total)
    return compiled(program, arguments, gradient_arrays, f"{note}, JAX")


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    dtype = "complex64" if precision == "single" else "complex128"
    if case.task == "chain_values":
        return _values(case, dtype)
    return _gradient(case, precision, dtype, variant)
