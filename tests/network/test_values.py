"""Amplitudes, expectations, marginals and reduced states against other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits, noise
from qjax.circuits import Circuit, Projector, Repeat, Reset, hermitian, pauli
from qjax.network import (
    amplitude,
    amplitude_network,
    amplitudes,
    average_network,
    contract,
    expectation,
    light_cone,
    marginal,
    reduced,
)
from qjax.simulate import expectation as state_expectation
from qjax.simulate import run
from qjax.states import StateVector
from tests import oracles
from tests.compiling import quick_jit
from tests.network.circuits import angles, brickwork
from tests.strategies import (
    CHANNEL_NAMES,
    UNITARY_NAMES,
    build,
    oracle_density,
    oracle_vector,
    random_step,
)

WIRES = 5


def dealt(names, seed: int, count: int):
    """Every name once, in circuits of `count` steps, between layers that entangle."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(names)
    for first in range(0, len(order), count):
        chosen = ["ry", "cx", *order[first : first + count], "cx"]
        yield [random_step(rng, str(name), WIRES) for name in chosen]


def vector_of(circuit: Circuit) -> np.ndarray:
    find = quick_jit(lambda c: contract(amplitude_network(c)))
    return np.asarray(find(circuit)).ravel()


@pytest.mark.parametrize("steps", list(dealt(UNITARY_NAMES * 2, 1, 12)))
def test_every_unitary_operation_gives_the_oracles_amplitudes(steps):
    expected = oracle_vector(steps, oracles.zero_state(WIRES))
    np.testing.assert_allclose(vector_of(build(steps, WIRES)), expected, atol=2e-6)


@pytest.mark.parametrize("steps", list(dealt(CHANNEL_NAMES, 2, 4)))
def test_noisy_expectations_marginals_and_reduced_states_are_the_oracles(steps):
    circuit = build(steps, WIRES)
    rho = oracle_density(steps, oracles.density(oracles.zero_state(WIRES)))
    word = quick_jit(lambda c: expectation(c, pauli("XYZ", (3, 0, 1))))(circuit)
    expected = oracles.expectation(rho, oracles.pauli_word("XYZ", (3, 0, 1), WIRES))
    np.testing.assert_allclose(word, expected, atol=2e-6)
    found = quick_jit(lambda c: marginal(c, (4, 1)))(circuit)
    probabilities = oracles.probabilities(rho, (4, 1)).reshape(2, 2)
    np.testing.assert_allclose(found, probabilities, atol=2e-6)
    matrix = quick_jit(lambda c: reduced(c, (2, 0)))(circuit)
    np.testing.assert_allclose(matrix, oracles.partial_trace(rho, (2, 0)), atol=2e-6)


def test_a_reset_forgets_its_wires_and_leaves_zeros():
    before = [circuits.h(0), circuits.cx(0, 1), circuits.cx(1, 2)]
    after = [Reset((0, 1)), circuits.ry(0.7, 0), circuits.cx(0, 2)]
    circuit = Circuit([*before, *after], 3)
    zero, one = np.cos(0.35) ** 2, np.sin(0.35) ** 2
    # Wires 0 and 1 start afresh; wire 2 was a fair coin, and stays one.
    found = quick_jit(lambda c: marginal(c, (0, 1, 2)))(circuit)
    expected = np.zeros((2, 2, 2))
    expected[0, 0], expected[1, 0] = zero / 2, one / 2
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(light_cone(circuit, 1).operations) == 1


@pytest.fixture(scope="module")
def chain():
    """A circuit of 6 wires and its exact state."""
    circuit = brickwork(angles(3, 6))
    return circuit, run(circuit, StateVector.zeros(6))


OBSERVABLES = (
    pauli("III", (0, 1, 2)) * 0.5 + pauli("Z", 0),
    pauli("XY", (4, 1)) * 0.7 - pauli("Z", 3),
    Projector((1, 0), (0, 5)),
    hermitian(np.asarray([[0, 1j], [-1j, 2]]), 2),
    hermitian(oracles.random_density(np.random.default_rng(5), 1), 4),
    hermitian(np.kron(oracles.X, oracles.Y + oracles.Z), (5, 1)),
)


@pytest.mark.slow
def test_a_sequence_of_observables_is_measured_like_on_a_state(chain):
    circuit, state = chain
    found = quick_jit(lambda c: expectation(c, OBSERVABLES))(circuit)
    np.testing.assert_allclose(
        found, state_expectation(state, OBSERVABLES), rtol=1e-5, atol=2e-6
    )


def test_a_batch_of_amplitudes_is_the_states_and_each_alone(chain):
    circuit, state = chain
    strings = np.random.default_rng(1).integers(0, 2, (7, 6))
    expected = np.asarray(state.amplitudes)[tuple(strings.T)]
    together = quick_jit(amplitudes)(circuit, strings)
    np.testing.assert_allclose(together, expected, atol=1e-6)
    alone = quick_jit(amplitude)
    each = [alone(circuit, string) for string in strings[:3]]
    np.testing.assert_allclose(each, expected[:3], atol=1e-6)


def test_a_start_of_product_bits_is_flipped_zeros(chain):
    circuit, _ = chain
    bits = (1, 0, 1, 1, 0, 1)
    flips = Circuit([circuits.x(w) for w, bit in enumerate(bits) if bit], 6)
    state = run(flips + circuit, StateVector.zeros(6))
    observable = pauli("XZ", (2, 3))
    found = quick_jit(lambda c: expectation(c, observable, start=bits))(circuit)
    np.testing.assert_allclose(found, state_expectation(state, observable), atol=1e-6)
    top = quick_jit(lambda c: amplitude(c, bits, start=bits))(circuit)
    np.testing.assert_allclose(top, state.amplitudes[bits], atol=1e-6)


def test_a_repeat_is_written_out():
    values = angles(3, 4)
    body = jax.vmap(lambda row: brickwork(row[None]))(values)
    circuit = Circuit([Repeat(body, 3)], 4)
    state = run(circuit, StateVector.zeros(4))
    np.testing.assert_allclose(
        vector_of(circuit), np.ravel(state.amplitudes), atol=1e-6
    )


def test_alike_cones_are_one_contraction_and_give_each_its_own_value():
    """Sixteen terms of a chain, of which the inner ones share two structures."""
    values = angles(2, 16)
    terms = [pauli("Z", wire) for wire in range(16)]
    found = quick_jit(lambda a: expectation(brickwork(a), terms))(values)
    state = run(brickwork(values), StateVector.zeros(16))
    np.testing.assert_allclose(found, state_expectation(state, terms), atol=2e-6)


def test_jit_is_eager_and_vmap_is_a_loop():
    def value(a):
        return expectation(brickwork(a), pauli("ZX", (1, 2)))

    stack = jnp.stack([angles(2, 3, seed=seed) for seed in range(3)])
    loop = [value(one) for one in stack]
    np.testing.assert_allclose(quick_jit(value)(stack[0]), loop[0], atol=1e-6)
    np.testing.assert_allclose(quick_jit(jax.vmap(value))(stack), loop, atol=1e-6)


@pytest.mark.x64
def test_the_gradient_is_the_parameter_shift_and_the_finite_difference():
    """Of a noisy value, too."""
    observable = pauli("XZ", (1, 2))

    def noisy(a):
        circuit = brickwork(a)
        return circuit + Circuit(
            [noise.amplitude_damping(0.3, 1), circuits.cx(1, 0)], 4
        )

    values = jnp.asarray(angles(2, 4), jnp.float64)

    def value(a):
        return expectation(noisy(a), observable)

    gradient = quick_jit(jax.grad(value))(values)
    flat = quick_jit(jax.vmap(lambda row: value(row.reshape(values.shape))))
    units = np.eye(values.size) * np.pi / 2
    plus, minus = (flat(values.ravel()[None] + sign * units) for sign in (1, -1))
    np.testing.assert_allclose(gradient.ravel(), (plus - minus) / 2, atol=1e-12)
    step = 1e-4 * np.eye(values.size)
    plus, minus = (flat(values.ravel()[None] + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(gradient.ravel(), (plus - minus) / 2e-4, atol=1e-7)


@pytest.mark.x64
def test_the_dtype_is_jaxs_or_the_callers(chain):
    circuit = Circuit([circuits.h(0), circuits.cx(0, 1)], 2)
    assert amplitude(circuit, (0, 0)).dtype == np.complex128
    assert amplitude(circuit, (0, 0), dtype=np.complex64).dtype == np.complex64
    np.testing.assert_allclose(
        amplitude(circuit, (1, 1)), np.sqrt(0.5), atol=1e-15, rtol=0
    )


@pytest.mark.parametrize(
    ("layers", "wires"), [(4, 60), pytest.param(8, 100, marks=pytest.mark.slow)]
)
def test_one_z_of_many_wires_is_that_of_its_cone_and_of_the_mirror(layers, wires):
    values, middle = angles(layers, wires), wires // 2
    cone = light_cone(brickwork(values), middle, diagonal=(middle,))
    used = sorted({wire for op in cone.operations for wire in op.wires})
    assert len(used) <= 2 * layers
    # The whole circuit on the cone's wires, with no gate left out.
    first, last = used[0] - used[0] % 2, used[-1]  # links alternate as before
    part = brickwork(values[:, first : last + 1])
    state = run(part, StateVector.zeros(part.num_wires))
    expected = state_expectation(state, pauli("Z", middle - first))

    @quick_jit
    def value(a):
        # Links (0, 1), (2, 3), ... of an even number of wires mirror each other.
        mirror = expectation(brickwork(a[:, ::-1]), pauli("Z", wires - 1 - middle))
        return expectation(brickwork(a), pauli("Z", middle)), mirror

    np.testing.assert_allclose(value(values), [expected, expected], atol=2e-6)


@pytest.mark.slow
def test_a_circuit_and_its_inverse_return_a_hundred_wires_to_zero():
    """U^-1 U |0> = |0>: a value that no light cone knows beforehand."""
    circuit = brickwork(angles(2, 100))
    both = circuit + circuit.inverse()
    found = quick_jit(lambda c: expectation(c, pauli("ZZ", (50, 51))))(both)
    np.testing.assert_allclose(found, 1, atol=2e-6)


def test_the_average_network_is_the_value():
    circuit = brickwork(angles(3, 6))
    network = average_network(circuit, pauli("Z", 2))
    expected = expectation(circuit, pauli("Z", 2))
    np.testing.assert_allclose(quick_jit(contract)(network), expected, atol=1e-6)
