"""Predicted memory against what XLA reserves, and the buffer that donation reuses."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from qjax._memory import memory_limit
from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    cx,
    cz,
    hardware_efficient,
    ry,
    rz,
    x,
)
from qjax.noise import depolarizing
from qjax.plan import default_cost_model
from qjax.simulate import predict_bytes, run
from qjax.states import MPS, DensityMatrix, PauliDensity, StateBatch, StateVector

FACTOR = 2
"""What `predict_bytes` promises, in either direction."""


def layers(num_wires: int, depth: int):
    shape = (depth, num_wires, 2)
    return hardware_efficient, shape


def noisy_layers(num_wires: int, depth: int):
    def layer(angles: Array) -> Circuit:
        operations = []
        for wire in range(num_wires):
            operations += [ry(angles[wire, 0], wire), rz(angles[wire, 1], wire)]
        for wire in range(num_wires - 1):
            noise = [depolarizing(0.01, wire), depolarizing(0.01, wire + 1)]
            operations += [cx(wire, wire + 1), *noise]
        return Circuit(operations, num_wires)

    def build(angles: Array) -> Circuit:
        return Circuit([Repeat(jax.vmap(layer)(angles), depth)], num_wires)

    return build, (depth, num_wires, 2)


def random_pairs(num_wires: int, num_pairs: int):
    rng = np.random.default_rng(3)
    pairs = [rng.choice(num_wires, 2, replace=False) for _ in range(num_pairs)]

    def build(angles: Array) -> Circuit:
        operations = []
        for (a, b), pair in zip(pairs, angles, strict=True):
            operations += [ry(pair[0], int(a)), rz(pair[1], int(b)), cx(int(a), int(b))]
        return Circuit(operations, num_wires)

    return build, (num_pairs, 2)


def brickwork(num_wires: int, depth: int):
    """Gates on neighbours: pairs of them are done at once."""

    def layer(angles: Array) -> Circuit:
        turns = [ry(angles[wire], wire) for wire in range(num_wires)]
        starts = [*range(0, num_wires - 1, 2), *range(1, num_wires - 1, 2)]
        return Circuit([*turns, *(cz(s, s + 1) for s in starts)], num_wires)

    def build(angles: Array) -> Circuit:
        return Circuit([Repeat(jax.vmap(layer)(angles), depth)], num_wires)

    return build, (depth, num_wires)


def rings(num_wires: int, depth: int):
    """A gate between the ends of a chain, which is done as a layer and cut."""

    def build(angles: Array) -> Circuit:
        operations = []
        for own in angles:
            operations += [ry(own[wire], wire) for wire in range(num_wires)]
            operations += [cx(wire, wire + 1) for wire in range(num_wires - 1)]
            operations.append(cx(num_wires - 1, 0))
        return Circuit(operations, num_wires)

    return build, (depth, num_wires)


def vector(num_wires: int, dtype=None):
    return jax.eval_shape(lambda: StateVector.zeros(num_wires, dtype))


def pauli_density(num_wires: int):
    return jax.eval_shape(lambda: PauliDensity.zeros(num_wires))


def density(num_wires: int):
    return jax.eval_shape(lambda: DensityMatrix.zeros(num_wires))


def chain(num_wires: int, max_bond: int):
    return jax.eval_shape(lambda: MPS.zeros(num_wires, max_bond))


def batch(num_wires: int):
    return jax.eval_shape(lambda: StateBatch.zeros(num_wires, 32))


def reserved(build, shape, state, gradient, method) -> int:
    """What XLA reserves for a compiled run, or for its value and gradient."""
    params = jax.ShapeDtypeStruct(shape, jnp.finfo(state.dtype).dtype)

    def loss(angles: Array, given) -> Array:
        final = run(build(angles), given, method=method, gradient=gradient or "auto")
        # A few entries: a loss over all of them would take memory of its own.
        entries = jax.tree.leaves(final)[0].reshape(-1)[:4]
        return jnp.sum(jnp.abs(entries) ** 2)

    def forward(angles: Array, given):
        return run(build(angles), given, method=method)

    function = forward if gradient is None else jax.value_and_grad(loss)
    used = jax.jit(function).lower(params, state).compile().memory_analysis()
    assert used is not None
    taken = used.argument_size_in_bytes + used.output_size_in_bytes
    return taken + used.temp_size_in_bytes - used.alias_size_in_bytes


def check(case, state, gradient, method) -> None:
    build, shape = case(state.num_wires)
    circuit = jax.eval_shape(build, jax.ShapeDtypeStruct(shape, jnp.float32))
    predicted = predict_bytes(circuit, state, gradient=gradient, method=method)
    actual = reserved(build, shape, state, gradient, method)
    print(f"predicted / reserved: {predicted / actual:.2f}, {actual / 2**20:.2f} MiB")
    assert actual / FACTOR < predicted < actual * FACTOR, predicted / actual


MODES = (None, "reverse", "remat", "adjoint")
DEEP, SHALLOW = (lambda n: layers(n, 16)), (lambda n: layers(n, 2))
NOISY, RANDOM = (lambda n: noisy_layers(n, 8)), (lambda n: random_pairs(n, 30))
BRICKS, RINGS = (lambda n: brickwork(n, 8)), (lambda n: rings(n, 3))


@pytest.mark.parametrize("gradient", MODES)
def test_memory_of_blocks_on_a_vector(gradient):
    check(DEEP, vector(14), gradient, "blocks")


def test_memory_of_gates_on_a_vector():
    check(SHALLOW, vector(12), "remat", "gates")


def test_memory_of_blocks_on_a_batch():
    check(DEEP, batch(10), "adjoint", "blocks")


def test_memory_of_a_chain_that_cuts_its_bonds():
    check(BRICKS, chain(16, 8), "reverse", "auto")


def test_the_gradient_of_a_chain_has_no_adjoint_mode():
    circuit = hardware_efficient(np.zeros((3, 4, 2), np.float32))
    with pytest.raises(ValueError, match="reverse or remat on an MPS, but is 'adj"):
        predict_bytes(circuit, chain(4, 4), gradient="adjoint")


def test_memory_of_noise_in_the_pauli_basis():
    check(NOISY, pauli_density(8), "reverse", "blocks")


def test_memory_of_the_branches_of_a_mixed_state():
    """Every measured bit that a condition may look at doubles the state."""
    measured = [Measure(wire) for wire in range(4)]

    def build(angles: Array) -> Circuit:
        turned = [ry(angles[0], wire) for wire in range(6)]
        return Circuit([*turned, *measured, Conditional(x(5), (-1,), (1,))], 6)

    check(lambda n: (build, (1,)), pauli_density(6), None, "gates")
    plain = Circuit([ry(np.float32(0.1), 0), *measured], 6)
    looked_at = plain + Circuit([Conditional(x(5), (0,), (1,))], 6)
    state = pauli_density(6)
    sizes = [predict_bytes(c, state, method="gates") for c in (plain, looked_at)]
    assert sizes[1] == 16 * sizes[0]


def test_states_larger_than_the_machine_can_be_asked_about():
    circuit = hardware_efficient(np.zeros((3, 40, 2), np.float32))
    with memory_limit(2**100):
        state = vector(40)
    for gradient in MODES:
        assert predict_bytes(circuit, state, gradient=gradient) > 4 * 8 * 2**40


def test_the_state_may_be_given_or_only_its_shape():
    circuit = hardware_efficient(np.zeros((3, 10, 2), np.float32))
    shapes = jax.eval_shape(lambda: circuit)
    for gradient in MODES:
        expected = predict_bytes(circuit, StateVector.zeros(10), gradient=gradient)
        assert predict_bytes(shapes, vector(10), gradient=gradient) == expected


def test_double_precision_doubles_the_prediction(x64):
    circuit = hardware_efficient(np.zeros((3, 10, 2), np.float32))
    model = default_cost_model("cpu", "float32")  # else the plans may differ
    for gradient in MODES:
        single, double = (
            predict_bytes(
                circuit, vector(10, dtype), gradient=gradient, cost_model=model
            )
            for dtype in (np.complex64, np.complex128)
        )
        assert double == 2 * single


def test_gradient_methods_keep_what_they_say():
    def predicted(gradient, depth: int) -> int:
        angles = jax.ShapeDtypeStruct((depth, 16, 2), jnp.float32)
        circuit = jax.eval_shape(lambda a: hardware_efficient(a), angles)
        return predict_bytes(circuit, vector(16), gradient=gradient)

    kept = {}
    for gradient in MODES[1:]:
        growth = predicted(gradient, 20) - predicted(gradient, 10)
        kept[gradient] = growth / 10 / (8 * 2**16)  # states for each layer
    # All keep the matrices of a layer.
    assert kept["adjoint"] < 0.5 < kept["remat"] < 1.5 and kept["reverse"] > 4


MANY = [
    *itertools.product((DEEP,), (vector(12),), ("blocks",), MODES),
    *itertools.product((DEEP, RANDOM), (vector(16),), ("blocks",), MODES),
    *itertools.product((DEEP, RANDOM), (vector(18),), ("blocks",), MODES),
    *itertools.product((SHALLOW, RANDOM), (vector(16),), ("gates",), MODES[:3]),
    *itertools.product((DEEP, RANDOM), (batch(13),), ("blocks",), MODES),
    *itertools.product((SHALLOW,), (batch(11),), ("gates",), MODES[:3]),
    *itertools.product((DEEP, RANDOM), (pauli_density(9),), ("blocks",), MODES),
    *itertools.product((NOISY,), (density(8),), ("gates", "blocks"), MODES[:3]),
    *itertools.product((NOISY,), (pauli_density(8),), ("blocks",), MODES[:3]),
    *itertools.product((SHALLOW,), (pauli_density(7),), ("gates",), MODES[:3]),
    *itertools.product((BRICKS, RINGS, RANDOM), (chain(32, 32),), ("auto",), MODES[:3]),
    # No bond is cut.
    *itertools.product(
        (lambda n: layers(n, 5),), (chain(64, 64),), ("auto",), MODES[:2]
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "state", "method", "gradient"), MANY)
def test_memory_of_many_runs(case, state, method, gradient):
    check(case, state, gradient, method)
