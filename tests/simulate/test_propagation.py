"""Observables carried backwards, against states carried forwards."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import Circuit, Measure, Reset, cx, h, pauli, rx, rz, t
from qjax.noise import amplitude_damping, depolarizing
from qjax.plan import clifford_prefix, is_clifford
from qjax.simulate import expectation, propagate, run
from qjax.states import StabilizerState, StateVector
from tests import cliffords, oracles, strategies

WIRES = 4
NAMES = tuple(n for n in strategies.UNITARY_NAMES if n != "controlled")
CHANNELS = ("depolarizing", "amplitude_damping", "phase_flip", "kraus")
OBSERVABLE = circuits.heisenberg(WIRES, (1.0, 0.5, 0.3), 0.2) + pauli("XY", (0, 3))
FEWER = hypothesis.settings(max_examples=12)


def exact(steps) -> float:
    """Tr(O rho) by the plain density matrix."""
    zero = oracles.density(oracles.zero_state(WIRES))
    rho = strategies.oracle_density(steps, zero)
    parts = [
        float(c)
        * oracles.pauli_word("".join(x for _, x in w), [v for v, _ in w], WIRES)
        for c, w in zip(OBSERVABLE.coefficients, OBSERVABLE.words, strict=True)
    ]
    return oracles.expectation(rho, np.sum(parts, axis=0))


@FEWER
@hypothesis.given(strategies.steps(WIRES, NAMES + CHANNELS, 6))
def test_expectations_are_those_of_the_density_matrix(steps):
    before = propagate(strategies.build(steps, WIRES), OBSERVABLE)
    # In |0...0> a word is 1 if it has only Zs, else 0.
    only_z = [all(letter == "Z" for _, letter in word) for word in before.words]
    found = np.asarray(before.coefficients)[only_z].sum()
    np.testing.assert_allclose(found, exact(steps), atol=1e-4)


@FEWER
@hypothesis.given(st.integers(0, 2**16))
def test_clifford_gates_keep_the_number_of_words(seed):
    steps = cliffords.random_steps(np.random.default_rng(seed), WIRES, 15)
    before = propagate(strategies.build(steps, WIRES), OBSERVABLE)
    assert len(before.words) == len(OBSERVABLE.words)
    assert set(np.abs(before.coefficients)) == set(np.abs(OBSERVABLE.coefficients))


def test_a_rotation_makes_two_words_of_one_that_anticommutes():
    before = propagate(Circuit([rz(0.3, 0)], 2), pauli("X", 0) + pauli("Z", 0))
    found = dict(zip(before.words, np.asarray(before.coefficients), strict=True))
    expected = {(((0, "X"),)): np.cos(0.3), (((0, "Y"),)): -np.sin(0.3)}
    expected[((0, "Z"),)] = 1
    assert found.keys() == expected.keys()
    for word, value in expected.items():
        np.testing.assert_allclose(found[word], value, atol=1e-6)


def test_derivatives_in_angles_and_strengths_are_those_of_a_density_matrix():
    def circuit(angle, strength):
        gates = [h(0), rx(angle, 1), cx(0, 2), circuits.crx(angle, 2, 3), t(1)]
        noise = [depolarizing(strength, 0), Measure(1), Reset(3), rx(0.2, 3)]
        return Circuit([*gates, *noise, circuits.rxx(angle, 0, 3)], WIRES)

    def backwards(values):
        before = propagate(circuit(values[0], values[1]), OBSERVABLE)
        return expectation(StateVector.zeros(WIRES), before)

    reads = np.stack([oracles.ZERO, oracles.ONE])
    resets = np.stack([oracles.ZERO, np.asarray([[0, 1], [0, 0]])])

    def forwards(values):
        angle, strength = ((float(value),) for value in values)
        rows = [
            ("gate", "h", (0,)), ("gate", "rx", (1,), angle), ("gate", "cx", (0, 2)),
            ("gate", "crx", (2, 3), angle), ("gate", "t", (1,)),
            ("channel", "depolarizing", (0,), strength),
            ("kraus", "kraus", (1,), (), reads), ("kraus", "kraus", (3,), (), resets),
            ("gate", "rx", (3,), (0.2,)), ("gate", "rxx", (0, 3), angle),
        ]  # fmt: skip
        return np.asarray(exact([strategies.Step(*row) for row in rows]))

    point = np.asarray([0.6, 0.2])
    value, slopes = jax.jit(jax.value_and_grad(backwards))(jnp.asarray(point))
    np.testing.assert_allclose(value, forwards(point), atol=1e-5)
    np.testing.assert_allclose(slopes, oracles.gradient(forwards, point), atol=1e-4)


def random_wide(num_wires: int, length: int) -> list:
    rng = np.random.default_rng(8)
    gates = [h(0), *(cx(i, i + 1) for i in range(num_wires - 1))]
    for _ in range(length):
        kind, wire = rng.integers(3), int(rng.integers(num_wires - 1))
        gates.append((h(wire), circuits.s(wire), cx(wire, wire + 1))[kind])
    return gates


def test_hundreds_of_wires_with_a_few_rotations_are_exact():
    """GHZ, turned by a and b: <X...X> = cos(a + b); what is undone changes nothing."""
    wires = 300
    ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(wires - 1))], wires)
    noise_free = Circuit(random_wide(wires, 500), wires)
    undone = noise_free + noise_free.inverse()
    circuit = ghz + undone + Circuit([rz(0.3, 7), rz(0.4, 200)], wires)
    before = propagate(circuit, pauli("X" * wires, range(wires)))
    assert len(before.words) == 4
    value = expectation(StabilizerState.zeros(wires), before)
    np.testing.assert_allclose(value, np.cos(0.7), atol=1e-5)


def test_the_prefix_on_a_tableau_and_the_rest_backwards_give_the_whole():
    rng = np.random.default_rng(1)
    steps = strategies.random_steps(rng, WIRES, 5, ("rx", "t", "crx"))
    pieces = [cliffords.random_steps(rng, WIRES, 8) for _ in range(2)]
    head, tail = (strategies.build(piece, WIRES) for piece in pieces)
    circuit = head + strategies.build(steps, WIRES) + tail
    first, rest = clifford_prefix(circuit)
    assert is_clifford(first) and not is_clifford(rest)
    assert len(first.operations) >= 8
    state = run(first, StabilizerState.zeros(WIRES))
    found = expectation(state, propagate(rest, OBSERVABLE))
    whole = [*pieces[0], *steps, *pieces[1]]
    np.testing.assert_allclose(found, exact(whole), atol=1e-4)


def test_a_word_that_nothing_is_left_of_has_the_expectation_zero():
    before = propagate(Circuit([Measure(0)], 1), pauli("X", 0))
    assert before.words == ((),) and float(before.coefficients[0]) == 0


@pytest.mark.parametrize(
    ("circuit", "terms", "says"),
    [
        (Circuit([rx(0.3, 0), rz(0.2, 0)], 1), 1, "at least 2 for RZ"),
        (Circuit([h(0)], 1), 0, "at least 1"),
        (Circuit([Measure(0), circuits.Conditional(h(0), (0,), (1,))], 1), 9, "gates"),
        (Circuit([circuits.pauli_rotation(0.1, "XXXXX", range(5))], 5), 9, "4 wires"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(circuit, terms, says):
    with pytest.raises(ValueError, match=says):
        propagate(circuit, pauli("X", 0) + pauli("Y", 0) * 0, max_terms=terms)


def test_other_observables_are_refused():
    with pytest.raises(TypeError, match="PauliSum"):
        propagate(Circuit([h(0)], 1), circuits.Projector((0,), (0,)))  # type: ignore


def test_a_damping_of_traced_strength_is_exact():
    def value(strength):
        circuit = Circuit([h(0), amplitude_damping(strength, 0)], 1)
        before = propagate(circuit, pauli("X", 0) + pauli("Z", 0))
        return expectation(StabilizerState.zeros(1), before)

    found, slope = jax.jit(jax.value_and_grad(value))(0.36)
    np.testing.assert_allclose(found, 0.8 + 0.36, atol=1e-6)
    np.testing.assert_allclose(slope, -0.5 / 0.8 + 1, atol=1e-5)
