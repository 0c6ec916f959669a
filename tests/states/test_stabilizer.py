"""Stabilizer states against plain matrices, stim, and exact distributions."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import Circuit, cx, h, pauli
from qjax.plan import lower_clifford
from qjax.simulate import expectation, run, sample
from qjax.states import StabilizerState, StateVector, fidelity
from tests import cliffords, oracles, stats, strategies

# Few widths, so that few programs are compiled.
WIDTHS = (1, 4)
STATES = cliffords.wired_steps(WIDTHS)


FEWER = hypothesis.settings(max_examples=12)


@functools.cache
def zeros(num_wires: int) -> StabilizerState:
    return StabilizerState.zeros(num_wires)


def prepared(steps, num_wires: int) -> tuple[StabilizerState, np.ndarray]:
    """A stabilizer state, and its amplitudes by the oracle."""
    state = run(strategies.build(steps, num_wires), zeros(num_wires))
    return state, strategies.oracle_vector(steps, oracles.zero_state(num_wires))


@FEWER
@hypothesis.given(STATES)
def test_amplitudes_are_those_of_matrices_up_to_a_phase(case):
    num_wires, steps = case
    state, vector = prepared(steps, num_wires)
    overlap = np.vdot(np.asarray(state.to_vector().vector()), vector)
    np.testing.assert_allclose(abs(overlap), 1, atol=1e-4)


@pytest.mark.slow
@hypothesis.given(cliffords.wired_steps((2, 5, 8), 40))
def test_amplitudes_of_up_to_eight_wires_are_those_of_a_state_vector(case):
    num_wires, steps = case
    circuit = strategies.build(steps, num_wires)
    exact = run(circuit, StateVector.zeros(num_wires))
    overlap = run(circuit, zeros(num_wires)).to_vector().overlap(exact)
    np.testing.assert_allclose(abs(overlap), 1, atol=1e-4)


@FEWER
@hypothesis.given(STATES, st.integers(0, 2**16))
def test_what_is_read_is_what_matrices_give(case, seed):
    num_wires, steps = case
    state, vector = prepared(steps, num_wires)
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("IXYZ"), num_wires)) for _ in range(8)]
    every = tuple(range(num_wires))
    sums = [pauli(word, every).masks(num_wires) for word in words]
    x_masks, z_masks = ([one[part][0] for one in sums] for part in (0, 1))
    exact = [oracles.pauli_word(word, every, num_wires) for word in words]
    np.testing.assert_allclose(
        state.expect_paulis(tuple(x_masks), tuple(z_masks)),
        [oracles.expectation(vector, word) for word in exact],
        atol=1e-4,
    )
    wires = tuple(map(int, rng.permutation(num_wires)[: (num_wires + 1) // 2]))
    found = np.asarray(state.probabilities(wires)).reshape(-1)
    expected = np.asarray(oracles.probabilities(vector, wires)).reshape(-1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    rho = oracles.partial_trace(vector, wires)
    np.testing.assert_allclose(state.reduced(wires), rho, atol=1e-4)


@FEWER
@hypothesis.given(STATES, st.integers(0, 2**16))
def test_measuring_gives_an_outcome_its_probability_and_the_projected_state(case, seed):
    num_wires, steps = case
    state, vector = prepared(steps, num_wires)
    after, bits, log_prob = state.measure(jax.random.key(seed), range(num_wires))
    place = stats.indices(bits[None])[0]
    np.testing.assert_allclose(np.exp(log_prob), abs(vector[place]) ** 2, rtol=1e-3)
    np.testing.assert_allclose(state.overlap(after), np.exp(log_prob), rtol=1e-3)
    assert abs(after.to_vector().vector()[place]) == 1


@FEWER
@hypothesis.given(st.integers(0, 2**16))
def test_the_overlap_is_the_squared_one_of_vectors(seed):
    rng, pair = np.random.default_rng(seed), []
    for _ in range(2):
        pair.append(prepared(cliffords.random_steps(rng, 4, 6), 4))
    (first, a), (second, b) = pair
    expected = abs(np.vdot(a, b)) ** 2
    np.testing.assert_allclose(first.overlap(second), expected, atol=1e-5)
    assert float(fidelity(first, second)) == float(first.overlap(second))


def random_state(seed: int, num_wires: int, length: int):
    steps = cliffords.random_steps(np.random.default_rng(seed), num_wires, length)
    return prepared(steps, num_wires)


def test_one_matrix_at_a_time_gives_the_same_tableau():
    rng = np.random.default_rng(5)
    steps = cliffords.random_steps(rng, 4, 12)
    whole, _ = prepared(steps, 4)
    state = zeros(4)
    for step in steps:
        state = state.apply_matrix(strategies.matrix(step), step.wires)
    np.testing.assert_array_equal(state.bits, whole.bits)
    np.testing.assert_array_equal(state.phases, whole.phases)


# --- stim -----------------------------------------------------------------------------


def stim_tableau(stim, steps, num_wires: int):
    simulator = stim.TableauSimulator()
    simulator.set_num_qubits(num_wires)
    for step in steps:
        name = cliffords.STIM.get(step.name, step.name.upper())
        simulator.do(stim.CircuitInstruction(name, step.wires))
    return simulator


def total(words) -> circuits.PauliSum:
    """The sum of stim's words, signs included."""
    letters = {
        tuple((w, "IXYZ"[p]) for w, p in enumerate(word) if p): float(word.sign.real)
        for word in words
    }
    return circuits.pauli_sum(letters)


def test_every_stabilizer_of_stim_stabilizes_200_wires():
    stim = pytest.importorskip("stim")
    rng = np.random.default_rng(11)
    steps = cliffords.random_steps(rng, 200, 3000, cliffords.FIXED)
    state = run(strategies.build(steps, 200), StabilizerState.zeros(200))
    words = stim_tableau(stim, steps, 200).canonical_stabilizers()
    assert float(expectation(state, total(words))) == 200
    # The mutant: one sign wrong.
    wrong = state.apply_matrix(oracles.PAULIS["X"], (7,))
    assert float(expectation(wrong, total(words))) < 200


# --- shots ----------------------------------------------------------------------------

SHOTS = 4096


@pytest.fixture(scope="module")
def tangled() -> tuple[StabilizerState, np.ndarray]:
    """Four wires whose bits are random, partly fixed and correlated with signs."""
    rng = np.random.default_rng(3)
    while True:
        state, vector = prepared(cliffords.random_steps(rng, 4, 16), 4)
        probs = abs(vector) ** 2
        alone = oracles.kron([oracles.probabilities(vector, (w,)) for w in range(4)])
        if abs(alone - probs).max() > 0.1:
            return state, probs


def test_shots_follow_the_born_rule(tangled, key):
    state, probs = tangled
    bits = sample(key, state, SHOTS)
    assert stats.born_rule_p_value(bits, probs) > stats.ALPHA


def test_shots_of_some_wires_follow_their_marginal(tangled, key):
    state, probs = tangled
    marginal = np.einsum("abcd->db", probs.reshape((2,) * 4))
    bits = sample(key, state, SHOTS, (3, 1))
    assert stats.born_rule_p_value(bits, marginal) > stats.ALPHA


def test_measured_bits_follow_the_born_rule(tangled, key):
    state, probs = tangled
    keys = jax.random.split(key, SHOTS)
    bits = jax.vmap(lambda k: state.measure(k, range(4))[1])(keys)
    assert stats.born_rule_p_value(bits, probs) > stats.ALPHA


def test_shots_with_a_wrong_sign_or_a_dropped_correlation_are_rejected(tangled, key):
    state, probs = tangled
    signs = state.phases.at[1, 1].set(state.phases[1, 1] ^ np.uint32(0b1111))
    wrong = StabilizerState(state.bits, signs)
    assert stats.born_rule_p_value(sample(key, wrong, SHOTS), probs) < stats.ALPHA
    bits = np.asarray(sample(key, state, SHOTS))
    alone = np.stack([np.roll(column, 7 * w) for w, column in enumerate(bits.T)], 1)
    assert stats.born_rule_p_value(alone, probs) < stats.ALPHA


@pytest.mark.parametrize("n", [130, pytest.param(1000, marks=pytest.mark.slow)])
def test_hundreds_of_wires_are_sampled_and_read(n):
    ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(n - 1))], n)
    state = run(ghz, StabilizerState.zeros(n))
    bits = np.asarray(sample(jax.random.key(2), state, 1000))
    assert set(bits.sum(axis=1).tolist()) == {0, n}
    assert stats.binomial_p_value(int(bits[:, 0].sum()), 1000, 0.5) > stats.ALPHA
    word = pauli("X" * n, range(n)) + pauli("ZZ", (0, n - 1)) + pauli("Z", 3)
    assert float(expectation(state, word)) == 2
    assert state.probabilities((0, n // 2)).tolist() == [[0.5, 0], [0, 0.5]]


# --- transforms, bad input ------------------------------------------------------------


def test_jit_and_vmap_are_eager_and_a_loop():
    state, _ = random_state(7, 4, 16)
    circuit = Circuit([h(0), cx(0, 3), circuits.s(3)], 4)
    once = run(circuit, state)
    jitted = jax.jit(lambda s: run(circuit, s))(state)
    both = jax.tree.map(lambda a, b: jnp.stack([a, b]), state, zeros(4))
    batch = jax.vmap(lambda s: run(circuit, s))(both)
    for other in (jitted, jax.tree.map(lambda leaf: leaf[0], batch)):
        np.testing.assert_array_equal(other.bits, once.bits)
        np.testing.assert_array_equal(other.phases, once.phases)
    same = jax.tree.map(lambda leaf: leaf[1], batch)
    np.testing.assert_array_equal(same.bits, run(circuit, zeros(4)).bits)


def test_programs_of_up_to_a_power_of_two_gates_share_one_compilation():
    lengths = []
    for length in (20, 32):
        circuit = Circuit([h(0), *(cx(0, 1) for _ in range(length - 1))], 4)
        program = lower_clifford(circuit)
        assert program.length == length
        lengths.append([part.shape for part in (program.wires, program.masks)])
    assert lengths[0] == lengths[1]


@pytest.mark.x64
def test_values_have_the_precision_at_the_time():
    assert zeros(4).norm().dtype == jnp.float64
    assert zeros(4).to_vector().dtype == jnp.complex128


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (lambda: zeros(4).apply_matrix(np.diag([1, np.exp(0.1j)]), (0,)), "Clifford"),
        (lambda: zeros(40).probabilities(), "at most 16 wires"),
        (lambda: zeros(40).reduced(range(7)), "at most 6 wires"),
        (lambda: zeros(4).overlap(zeros(5)), "4 wires"),
        (lambda: StabilizerState.basis(()), "at least one wire"),
        (lambda: StabilizerState.basis((2,)), "0 and 1"),
        (lambda: zeros(4).measure(jax.random.key(0), 4), "lie in"),
        (lambda: StabilizerState(zeros(40).bits[:3], zeros(40).phases), "shape"),
        (lambda: zeros(40).to_vector(), "memory"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(bad, says):
    with pytest.raises(ValueError, match=says):
        bad()


def test_other_states_and_kraus_operators_are_refused():
    with pytest.raises(TypeError, match="StabilizerState"):
        zeros(4).overlap(StateVector.zeros(4))
    with pytest.raises(TypeError, match="measure"):
        zeros(4).sample_kraus(jax.random.key(0), np.eye(2)[None], (0,))
