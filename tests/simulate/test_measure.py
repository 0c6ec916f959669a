"""Reading a state: expectations, samples and estimates with honest error bars."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import (
    Circuit,
    Hermitian,
    PauliSum,
    Projector,
    cx,
    hermitian,
    ising,
    pauli,
    rx,
    ry,
    u3,
)
from qjax.simulate import estimate, expectation, run, sample
from qjax.states import DensityMatrix, StateVector
from tests import oracles, stats
from tests.compiling import quick_jit

NUM_WIRES = 3
RNG = np.random.default_rng(17)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
RHO = oracles.random_density(RNG, NUM_WIRES)
MATRIX = oracles.random_unitary(RNG, 4)
BLOCK = MATRIX + MATRIX.conj().T


def states():
    """A pure and a mixed state with their oracle forms; built under the precision."""
    vector = StateVector(jnp.asarray(VECTOR.reshape((2,) * NUM_WIRES)))
    matrix = DensityMatrix(jnp.asarray(RHO.reshape((2,) * (2 * NUM_WIRES))))
    return [(vector, VECTOR), (matrix, RHO)]


OBSERVABLES = {
    "word": (pauli("XYZ", (2, 0, 1)), oracles.pauli_word("XYZ", (2, 0, 1), 3)),
    "two y": (pauli("YY", (0, 2)), oracles.pauli_word("YY", (0, 2), 3)),
    "three y": (pauli("YYY", (0, 1, 2)), oracles.pauli_word("YYY", (0, 1, 2), 3)),
    "identity": (pauli("I", 0), np.eye(8)),
    "sum": (
        0.5 * pauli("XX", (0, 1)) + -1.5 * pauli("Z", 2) + pauli("I", 1),
        0.5 * oracles.pauli_word("XX", (0, 1), 3)
        - 1.5 * oracles.pauli_word("Z", (2,), 3)
        + np.eye(8),
    ),
    "projector": (
        Projector((1, 0), (2, 0)),
        oracles.kron([oracles.ZERO, oracles.I2, oracles.ONE]),
    ),
    "hermitian": (Hermitian(BLOCK, (2, 0)), oracles.embed(BLOCK, (2, 0), 3)),
}


@pytest.mark.parametrize("name", OBSERVABLES)
def test_expectation_is_the_oracles(name, x64):
    observable, full = OBSERVABLES[name]
    for state, reference in states():
        actual = expectation(state, observable)
        assert actual.dtype == jnp.float64 and actual.shape == ()
        expected = oracles.expectation(reference, full)
        np.testing.assert_allclose(actual, expected, atol=1e-14)


def test_expectation_of_a_sequence_is_a_vector(x64):
    observables = [observable for observable, _ in OBSERVABLES.values()]
    for state, _ in states():
        values = expectation(state, observables)
        each = [expectation(state, observable) for observable in observables]
        np.testing.assert_array_equal(values, jnp.stack(each))


def test_observables_outside_the_wires_are_refused(key):
    zero = StateVector.zeros(2)
    for observable in (pauli("Z", 2), Projector((1,), (5,)), ising(3)):
        with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
            expectation(zero, observable)
        with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
            estimate(key, zero, observable, 10)


# --- samples --------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1], ids=["vector", "density"])
def test_samples_follow_the_born_rule_and_the_test_can_tell(index, key):
    state, reference = states()[index]
    bits = jax.jit(sample, static_argnums=2)(key, state, 20_000)
    assert bits.shape == (20_000, NUM_WIRES) and bits.dtype == jnp.uint8
    probs = oracles.probabilities(reference, range(NUM_WIRES))
    assert stats.born_rule_p_value(bits, probs) > stats.ALPHA
    assert stats.born_rule_p_value(bits[:, ::-1], probs) < stats.ALPHA  # wires reversed
    bits = np.array(bits)
    bits[: len(bits) // 20, 1] = 0  # a bias on one wire in 5 % of the shots
    assert stats.born_rule_p_value(bits, probs) < stats.ALPHA


def test_shots_are_independent_of_each_other(key):
    """Pairs of neighbouring shots follow the product law."""
    state, reference = states()[0]
    index = stats.indices(sample(key, state, 20_000)).reshape(-1, 2)
    probs = oracles.probabilities(reference, range(NUM_WIRES))
    counts = np.bincount(index[:, 0] * 8 + index[:, 1], minlength=64)
    assert stats.counts_p_value(counts, np.outer(probs, probs)) > stats.ALPHA
    doubled = np.bincount(index[:, 0] * 9, minlength=64)  # the mutant: shots repeated
    assert stats.counts_p_value(doubled, np.outer(probs, probs)) < stats.ALPHA


def test_an_impossible_outcome_is_never_sampled(getkey):
    vector = np.zeros(16)
    vector[[3, 5, 12]] = np.sqrt([0.5, 0.25, 0.25])
    state = StateVector.from_amplitudes(vector)
    seen = set()
    for _ in range(5):
        seen |= set(stats.indices(sample(getkey(), state, 20_000)).tolist())
    assert seen == {3, 5, 12}


def test_rare_outcomes_of_many_wires_are_sampled_as_often_as_they_should(key):
    """A float32 cumulative sum over 2^16 outcomes must not lose the tail."""
    probs = np.full(2**16, 0.5 / (2**16 - 1))
    probs[0] = 0.5
    state = StateVector.from_amplitudes(np.sqrt(probs), normalize=True)
    index = stats.indices(sample(key, state, 200_000))
    quarters = np.bincount(index[index > 0] // 2**14, minlength=4)
    assert stats.counts_p_value(quarters, np.full(4, 0.25)) > stats.ALPHA
    zeros = int(np.sum(index == 0))
    assert stats.binomial_p_value(zeros, 200_000, 0.5) > stats.ALPHA


def test_the_same_key_repeats_the_shots_and_another_does_not(getkey):
    state, _ = states()[0]
    first, second = getkey(), getkey()
    np.testing.assert_array_equal(sample(first, state, 50), sample(first, state, 50))
    assert not np.array_equal(sample(first, state, 50), sample(second, state, 50))


@pytest.mark.parametrize("shots", [0, -3])
def test_fewer_than_one_shot_is_refused(shots, key):
    zero = StateVector.zeros(1)
    with pytest.raises(ValueError, match=r"`shots` must be at least 1, but is"):
        sample(key, zero, shots)
    with pytest.raises(ValueError, match=r"`shots` must be at least 1, but is"):
        estimate(key, zero, pauli("Z", 0), shots)


# --- estimates ------------------------------------------------------------------------


@functools.cache
def estimates(name: str, index: int, shots: int = 200, runs: int = 2000):
    observable, _ = OBSERVABLES[name]
    state, _ = states()[index]
    keys = jax.random.split(jax.random.key(99), runs)
    return jax.jit(jax.vmap(lambda k: estimate(k, state, observable, shots)))(keys)


ESTIMATED = [name for name in OBSERVABLES if name != "identity"]


@pytest.mark.parametrize("name", ESTIMATED)
@pytest.mark.parametrize("index", [0, 1], ids=["vector", "density"])
def test_interval_of_an_estimate_covers_the_truth_95_percent_of_the_time(name, index):
    """2000 keys; 93 to 97 % is 4 standard deviations of the coverage itself."""
    result = estimates(name, index)
    exact = oracles.expectation(states()[index][1], OBSERVABLES[name][1])
    errors = np.abs(np.asarray(result.mean, np.float64) - exact)
    assert 0.93 < np.mean(errors < 1.96 * result.stderr) < 0.97
    # The mutant, a standard error that is too small by a fifth, is noticed.
    assert not 0.93 < np.mean(errors < 0.8 * 1.96 * result.stderr) < 0.97
    level = stats.corrected(2 * len(ESTIMATED))
    assert stats.mean_p_value(result.mean, exact) > level
    off = exact + 0.01
    assert stats.mean_p_value(result.mean, off) < 0.05


def test_estimate_of_an_eigenstate_has_no_error(key):
    state = run(Circuit([rx(np.pi / 2, 0), cx(0, 1)], 2), StateVector.zeros(2))
    # rx(pi/2)|0> = (|0> - i|1>) / sqrt(2): a Bell pair stabilised by -YX and ZZ.
    for observable in (pauli("ZZ", (0, 1)), pauli("YX", (0, 1))):
        exact = float(expectation(state, observable))
        assert abs(abs(exact) - 1) < 1e-6
        result = estimate(key, state, observable, 100)
        np.testing.assert_allclose(result.mean, exact, atol=1e-5)
        np.testing.assert_allclose(result.stderr, 0, atol=1e-5)


def test_shots_of_an_estimate_are_counted_over_groups(key):
    zero = StateVector.zeros(3)
    assert estimate(key, zero, pauli("ZZ", (0, 1)), 10).shots == 10
    # X words and Z words share no basis; Z0, Z1 Z2 do.
    assert estimate(key, zero, ising(3), 10).shots == 20
    commuting = pauli("Z", 0) + pauli("ZZ", (1, 2))
    assert estimate(key, zero, commuting, 10).shots == 10


def test_one_shot_has_an_unknown_error(key):
    assert np.isnan(estimate(key, StateVector.zeros(1), pauli("X", 0), 1).stderr)


@pytest.mark.parametrize("name", ["word", "sum", "projector", "hermitian"])
def test_gradient_of_an_estimate_is_unbiased(name, key, x64):
    """2000 keys against the exact gradient; the mutant keeps the samples fixed."""
    observable, _ = OBSERVABLES[name]

    def state(params):
        turns = [ry(params[0], 0), rx(params[1], 1), cx(0, 2), ry(params[2], 2)]
        mix = [u3(0.9, 0.4, -0.6, wire) for wire in range(NUM_WIRES)]
        circuit = Circuit([*turns, *mix, cx(1, 0)], NUM_WIRES)
        return run(circuit, StateVector.zeros(NUM_WIRES))

    def sampled(params, k):
        return estimate(k, state(params), observable, 30).mean

    params = jnp.asarray([0.7, -0.5, 1.3])
    keys = jax.random.split(key, 2000)
    slopes = jax.jit(jax.vmap(jax.grad(sampled), in_axes=(None, 0)))(params, keys)
    exact = jax.grad(lambda p: expectation(state(p), observable))(params)
    level = stats.corrected(4 * 3)
    for parameter in range(3):
        values, wanted = slopes[:, parameter], float(exact[parameter])
        if np.ptp(values) > 1e-9 or abs(wanted) > 1e-9:
            assert stats.mean_p_value(values, wanted) > level
    # A gradient that is a tenth off, or zero, would be rejected.
    strongest = int(np.argmax(np.abs(exact)))
    wanted = float(exact[strongest])
    assert abs(wanted) > 0.05
    assert stats.mean_p_value(slopes[:, strongest], 0.0) < level


def test_estimate_of_a_matrix_uses_its_eigenvalues(key, x64):
    """Values of a degenerate matrix with known spectrum, state in an eigenspace."""
    basis = oracles.random_unitary(RNG, 4)
    matrix = basis @ np.diag([2.0, 2.0, -1.0, 5.0]) @ basis.conj().T
    vector = (basis[:, 0] + 1j * basis[:, 1]) / np.sqrt(2)
    state = StateVector.from_amplitudes(vector)
    result = estimate(key, state, hermitian(matrix, (0, 1)), 500)
    np.testing.assert_allclose(result.mean, 2, atol=1e-12)


# --- properties -----------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(0, 2**16), st.integers(1, 4))
def test_random_pauli_sums_on_random_states(seed, num_terms):
    rng = np.random.default_rng(seed)
    total, full = None, np.zeros((8, 8), complex)
    for _ in range(num_terms):
        letters = "".join(rng.choice(list("IXYZ"), 3))
        weight = float(rng.normal())
        term = weight * pauli(letters, (0, 1, 2))
        total = term if total is None else total + term
        full += weight * oracles.pauli_word(letters, (0, 1, 2), 3)
    assert isinstance(total, PauliSum)
    vector = oracles.random_state(rng, 3)
    state = StateVector.from_amplitudes(vector.astype(np.complex64))
    actual = quick_jit(expectation)(state, total)
    expected = oracles.expectation(vector, full)
    np.testing.assert_allclose(actual, expected, atol=1e-5)
