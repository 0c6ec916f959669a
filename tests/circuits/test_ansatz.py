"""Circuit families: Fourier transform, encodings, hardware-efficient layers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import (
    amplitude_encoding,
    angle_encoding,
    ghz,
    hardware_efficient,
    qft,
    unroll,
)
from qjax.simulate import run, unitary_matrix
from qjax.states import StateVector
from tests import oracles
from tests.compiling import quick_jit


@pytest.mark.parametrize("num_wires", [1, 2, 3, 4, 5])
def test_qft_is_the_discrete_fourier_matrix(num_wires, x64):
    size = 2**num_wires
    x = np.arange(size)
    expected = np.exp(2j * np.pi * np.outer(x, x) / size) / np.sqrt(size)
    actual = quick_jit(unitary_matrix)(qft(num_wires))
    np.testing.assert_allclose(actual, expected, atol=1e-13)


def test_qft_has_the_gates_of_the_textbook():
    resources = qft(6).resources()
    assert resources.by_name == {"H": 6, "CPHASE": 15, "SWAP": 3}


def encoded(vector: np.ndarray) -> np.ndarray:
    circuit = amplitude_encoding(vector)
    zero = StateVector.zeros(circuit.num_wires)
    return np.asarray(quick_jit(run)(circuit, zero).vector())


def unit(values) -> np.ndarray:
    return np.asarray(values) / np.linalg.norm(values)


SPECIAL = {
    "one wire": unit([0.6, 0.8]),
    "signed": unit([0.5, -0.5, -0.5, 0.5]),
    "all negative": unit([-1.0, -2.0, -3.0, -4.0]),
    "first only": unit([1.0, 0, 0, 0]),
    "last only": unit([0, 0, 0, 0, 0, 0, 0, -1.0]),
    "empty left half": unit([0, 0, 0, 0, 1.0, -1, 0, 2]),
    "holes": unit([1.0, 0, 0, -1, 0, 0, 0, 0, 0, 2, 0, 0, -3, 0, 0, 0]),
    "complex": unit([1, 1j, -1, -1j]),
    "complex holes": unit([0, 1j, 0, 0, 0, -2 + 1j, 0, 0]),
    "global phase": np.exp(0.7j) * unit([1.0, 2, 3, 4]),
    "imaginary one wire": unit([0, 1j]),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_amplitude_encoding_prepares_the_vector(name, x64):
    """With its signs and its global phase, also around empty branches."""
    np.testing.assert_allclose(encoded(SPECIAL[name]), SPECIAL[name], atol=1e-13)


@settings(max_examples=8)
@given(st.integers(0, 2**16), st.integers(1, 4), st.booleans())
def test_amplitude_encoding_of_random_vectors(seed, num_wires, is_complex):
    vector = oracles.random_state(np.random.default_rng(seed), num_wires)
    if not is_complex:
        vector = unit(np.real(vector))
    np.testing.assert_allclose(encoded(vector), vector, atol=2e-5)


def test_amplitude_encoding_of_a_real_vector_uses_the_least_rotations():
    by_name = amplitude_encoding(unit(np.arange(1.0, 17.0))).resources().by_name
    assert by_name == {"RY": 15, "CX": 14}


@pytest.mark.parametrize("name", ["signed", "holes", "complex holes"])
def test_amplitude_encoding_has_finite_gradients(name, x64):
    vector = jnp.asarray(SPECIAL[name])

    def population(scale):
        circuit = amplitude_encoding(vector * scale.astype(vector.dtype))
        state = run(circuit, StateVector.zeros(circuit.num_wires))
        return state.probabilities().reshape(-1)[0]

    assert np.isfinite(quick_jit(jax.grad(population))(jnp.asarray(1.0)))


def test_unnormalised_amplitudes_are_refused_also_under_jit():
    with pytest.raises(ValueError, match="`amplitudes` must have norm 1"):
        amplitude_encoding(np.ones(4))
    with pytest.raises(ValueError, match="`amplitudes` must have norm 1"):
        amplitude_encoding(np.zeros(4))
    with pytest.raises(ValueError, match="`amplitudes` must have shape"):
        amplitude_encoding(np.ones(3) / np.sqrt(3))

    @eqx.filter_jit
    def prepare(vector):
        return run(amplitude_encoding(vector), StateVector.zeros(2)).vector()

    np.testing.assert_allclose(prepare(jnp.full(4, 0.5)), 0.5, atol=1e-6)
    with pytest.raises(RuntimeError, match="`amplitudes` must have norm 1"):
        jax.block_until_ready(prepare(jnp.ones(4)))


@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
def test_angle_encoding_is_a_product_of_rotations(axis, x64):
    features = np.asarray([0.3, -1.2, 2.0])
    rotations = [oracles.gate(f"r{axis.lower()}", x) for x in features]
    actual = unitary_matrix(angle_encoding(features, axis))
    np.testing.assert_allclose(actual, oracles.kron(rotations), atol=1e-14)


RING = [(0, 1), (1, 2), (2, 3), (3, 0)]
CYCLES = {
    "linear": [RING[:3]],
    "circular": [RING],
    "brickwork": [RING[0::2], RING[1::2]],
    "all": [RING, [(0, 2), (1, 3)]],
}


@pytest.mark.parametrize("entangler", ["CX", "CZ"])
@pytest.mark.parametrize("entanglement", sorted(CYCLES))
def test_hardware_efficient_is_the_oracles_layers(entanglement, entangler, x64):
    rng = np.random.default_rng(3)
    params = rng.uniform(-3, 3, (5, 4, 2))
    expected, cycle = np.eye(16, dtype=complex), CYCLES[entanglement]
    for number, layer in enumerate(params):
        for position, name in enumerate(("rx", "rz")):
            gates = [oracles.gate(name, layer[wire, position]) for wire in range(4)]
            expected = oracles.kron(gates) @ expected
        for link in cycle[number % len(cycle)]:
            expected = (
                oracles.embed(oracles.gate(entangler.lower()), link, 4) @ expected
            )
    circuit = hardware_efficient(params, "XZ", entanglement, entangler)
    actual = quick_jit(unitary_matrix)(circuit)
    np.testing.assert_allclose(actual, expected, atol=1e-13)
    assert circuit.resources().num_parameters == params.size


def test_all_pairs_of_an_odd_ring_meet():
    circuit = hardware_efficient(np.zeros((2, 5, 1)), "Y", "all")
    pairs = [set(op.wires) for op in unroll(circuit).operations if len(op.wires) == 2]
    assert len(pairs) == 10 == len({tuple(sorted(pair)) for pair in pairs})


@pytest.mark.parametrize("num_wires", range(2, 8))
def test_ghz_is_the_cat_state_of_neighbours_only_in_the_stated_depth(num_wires):
    circuit = ghz(num_wires)
    expected = np.zeros(2**num_wires)
    expected[[0, -1]] = np.sqrt(0.5)
    final = run(circuit, StateVector.zeros(num_wires))
    np.testing.assert_allclose(final.vector(), expected, atol=1e-6)
    assert circuit.resources().depth == -(-num_wires // 2) + 1
    pairs = [op.wires for op in circuit.operations if len(op.wires) == 2]
    assert all(abs(a - b) == 1 for a, b in pairs)


def test_bad_ansatz_arguments_are_refused():
    with pytest.raises(ValueError, match="`num_wires` must be at least 2"):
        ghz(1)
    with pytest.raises(ValueError, match="`params` must have shape"):
        hardware_efficient(np.zeros((2, 3, 1)))
    with pytest.raises(ValueError, match="`rotations`"):
        hardware_efficient(np.zeros((2, 3, 2)), "YQ")
    with pytest.raises(ValueError, match="ring"):
        hardware_efficient(np.zeros((1, 2, 2)), entanglement="circular")
    with pytest.raises(ValueError, match="be even and at least 4 for brickwork"):
        hardware_efficient(np.zeros((1, 5, 2)), entanglement="brickwork")
    with pytest.raises(Exception, match=r"`entangler` must be CX or CZ|Type-check"):
        hardware_efficient(np.zeros((1, 3, 2)), entangler="CY")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`axis`"):
        angle_encoding(np.zeros(2), "W")
    with pytest.raises(ValueError, match="`num_wires` must be at least 1"):
        qft(0)
