"""The metric of a circuit: all derivatives at once, in the middle of it."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from qjax._checks import require
from qjax.circuits.circuit import Circuit
from qjax.geometry.dependence import constant_jacobian, depends
from qjax.geometry.parts import Jacobian, Part, halves, leaves_of, parts_of, with_sites
from qjax.geometry.states import metric_tensor
from qjax.geometry.tangents import carry_backwards, carry_forwards
from qjax.plan import (
    CostModel,
    Layout,
    default_cost_model,
    execute,
    plan,
    program_matrices,
)
from qjax.states.vector import StateVector

Builder = Callable[[Any], Circuit]


def circuit_metric(
    builder: Builder,
    params: PyTree,
    state: StateVector | None = None,
    *,
    cost_model: CostModel | None = None,
) -> Float[Array, "p p"]:
    """Return the Fubini-Study metric of a circuit's final state, fast.

    The same numbers as `metric_tensor` of `run(builder(params), state)`. The circuit is
    cut in the middle: U = B A. Derivatives by angles of A are carried forwards to the
    cut and those by angles of B back to it, since B^-1 changes no inner product: half
    the way. All of them are columns of one matrix, a block of gates is one product, and
    a derivative starts as a Pauli word on the state, not as a gate of its own.

    Args:
        builder: Maps parameters to a unitary `Circuit` of n wires, in JAX operations;
            also a `Template`. With layers in a `Repeat` (or rolled by `template`)
            compile time does not grow with depth.
        params: Pytree of p real numbers in all, floating. One number may turn several
            gates.
        state: Normalised initial state of n wires, which does not depend on the
            parameters; |0...0> in the precision of the parameters by default. Its dtype
            is the dtype of the computation.
        cost_model: What blocks are chosen by, as for `run`.

    Returns:
        Matrix as `metric_tensor` returns it. Memory: (p + 1) 2^n complex numbers.
        Differentiable in reverse mode.

    Raises:
        TypeError: If the builder returns something else than a unitary circuit.
        ValueError: If the widths of circuit and state differ.

    Source: Stokes et al., Quantum 4, 269 (2020).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.geometry import circuit_metric
        >>> angles = jnp.ones((5, 3, 2))
        >>> metric = jax.jit(lambda p: circuit_metric(hardware_efficient, p))(angles)
        >>> metric.shape, round(float(metric[0, 0]), 6)
        ((30, 30), 0.25)
    """
    flat, unravel = ravel_pytree(params)
    circuit = builder(unravel(flat))
    if not isinstance(circuit, Circuit):
        raise TypeError(
            "Argument `builder` must return a Circuit, "
            f"but returns {type(circuit).__name__}."
        )
    num_wires = circuit.num_wires
    if state is None:
        dtype = np.result_type(flat.dtype, np.complex64)
        state = StateVector.zeros(num_wires, dtype)
    fits = state.num_wires == num_wires
    require(fits, "state", f"have {num_wires} wires", state.num_wires)
    vector = state.vector()
    numbers = jnp.concatenate([vector.real, vector.imag])
    if cost_model is None:
        device, real = jax.default_backend(), np.dtype(numbers.dtype)
        cost_model = default_cost_model(device, real.name)
    parts = _parts_with_sites(lambda x: builder(unravel(x)), circuit, flat)
    if parts is None:
        final = _by_blocks(builder, numbers, cost_model)
        return metric_tensor(lambda x: final(unravel(x)), flat)
    return _metric(parts, numbers, flat, cost_model)


def _parts_with_sites(
    builder: Builder, circuit: Circuit, flat: Float[Array, " p"]
) -> list[Part] | None:
    """Find which angles move and how; None if something else than angles does."""
    parts = parts_of(circuit)
    num_angles = len(leaves_of(parts)[0])

    def leaves(x: Array) -> list[Array]:
        angles, others = leaves_of(parts_of(builder(x)))
        return [jnp.asarray(leaf) for leaf in (*angles, *others)]

    flags = depends(leaves, flat)
    moving = flags[:num_angles]
    if any(flags[num_angles:]):
        return None

    def angles(x: Array) -> Float[Array, " m"]:
        found = zip(leaves(x)[:num_angles], moving, strict=True)
        return jnp.concatenate([jnp.zeros(0, x.dtype), *[a for a, m in found if m]])

    constant = constant_jacobian(angles, flat)
    jacobian = jax.jacfwd(angles)(flat) if constant is None else constant
    return with_sites(parts, moving, jacobian)


def _metric(
    parts: Sequence[Part],
    numbers: Float[Array, " size"],
    flat: Float[Array, " p"],
    cost: CostModel,
) -> Float[Array, "p p"]:
    first, second = halves(parts)
    middle, before, rows = carry_forwards(first, numbers, cost)
    behind, more = carry_backwards(second, middle, cost)
    columns = jnp.concatenate([before, behind], axis=1)
    return _gram(columns, [*rows, *more], middle, flat)


def _gram(
    columns: Float[Array, "size m"],
    jacobians: Sequence[Jacobian],
    numbers: Float[Array, " size"],
    flat: Float[Array, " p"],
) -> Float[Array, "p p"]:
    """Return Re <d_i|d_j> - <d_i|psi><psi|d_j>, for the parameters."""
    size = flat.size
    chosen = _places(jacobians, size)
    if chosen is None:
        joined = jnp.concatenate([jnp.asarray(j, columns.dtype) for j in jacobians])
        columns = _product(columns, joined)
    real, imag = jnp.split(numbers, 2)
    # <psi|d_j psi> is imaginary, since the norm is kept.
    along = _product(jnp.concatenate([-imag, real]), columns)
    metric = _product(columns.T, columns) - along[:, None] * along[None, :]
    if chosen is not None:
        places, scales = chosen
        if np.any(scales != 1):
            factors = jnp.asarray(scales, metric.dtype)
            metric = factors[:, None] * metric * factors[None, :]
        metric = _placed(metric, places, size)
    return metric.astype(flat.dtype)


def _places(
    jacobians: Sequence[Jacobian], size: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Give the parameter and factor of each column, if it has one for itself."""
    if not all(isinstance(jacobian, np.ndarray) for jacobian in jacobians):
        return None
    joined = np.concatenate([np.zeros((0, size)), *map(np.asarray, jacobians)])
    used = joined != 0
    if np.any(used.sum(0) > 1) or np.any(used.sum(1) != 1):
        return None
    places = used.argmax(1)
    return places, joined[np.arange(len(joined)), places]


def _placed(metric: Array, places: np.ndarray, size: int) -> Array:
    if len(places) < size:
        missing = np.setdiff1d(np.arange(size), places)
        places = np.concatenate([places, missing])
        metric = jnp.pad(metric, (0, len(missing)))
    order = np.argsort(places)
    return metric[order[:, None], order[None, :]]


def _by_blocks(
    builder: Builder, numbers: Float[Array, " size"], cost: CostModel
) -> Callable[[Any], StateVector]:
    """Return params -> final state, differentiable forwards."""

    def final(params: Any) -> StateVector:
        circuit = builder(params)
        program = plan(circuit, Layout(circuit.num_wires), cost)
        matrices = program_matrices(program, circuit, np.dtype(numbers.dtype))
        real, imag = jnp.split(execute(program, matrices, numbers, "reverse"), 2)
        shape = (2,) * circuit.num_wires
        return StateVector(jax.lax.complex(real, imag).reshape(shape))

    return final


def _product(left: Array, right: Array) -> Array:
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)
