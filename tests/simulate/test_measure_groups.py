"""Words measured together: groups, their circuits, their shots, their errors."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import (
    Circuit,
    PauliSum,
    allocate_shots,
    commuting_groups,
    measurement_settings,
    pauli,
    rx,
)
from qjax.simulate import estimate, expectation, run, unitary_matrix
from qjax.states import DensityMatrix, StateVector
from tests import oracles, stats
from tests.compiling import quick_jit

NUM_WIRES = 4
GROUPINGS = ("qubit-wise", "general")
RNG = np.random.default_rng(5)


def dense(word) -> np.ndarray:
    wires, letters = zip(*word, strict=True) if word else ((0,), "I")
    return oracles.pauli_word("".join(letters), wires, NUM_WIRES)


def random_sum(seed: int, num_terms: int) -> PauliSum:
    rng = np.random.default_rng(seed)
    rows = ["".join(rng.choice(list("IXYZ"), NUM_WIRES)) for _ in range(num_terms)]
    words = tuple(pauli(row, range(NUM_WIRES)).words[0] for row in rows)
    return PauliSum(rng.normal(size=num_terms), words)


# --- groups ---------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from(GROUPINGS))
def test_groups_are_a_partition_into_words_that_commute(seed, num_terms, grouping):
    words = random_sum(seed, num_terms).words
    groups = commuting_groups(words, grouping)
    assert sorted(itertools.chain(*groups)) == list(range(num_terms))
    for members in groups:
        for i, j in itertools.combinations(members, 2):
            first, second = dense(words[i]), dense(words[j])
            assert np.allclose(first @ second, second @ first)
            if grouping == "qubit-wise":
                both = dict(words[i]).keys() & dict(words[j]).keys()
                assert all(dict(words[i])[w] == dict(words[j])[w] for w in both)


def test_general_groups_are_fewer():
    """The heart of a Heisenberg bond, and the Bell measurement of two bonds."""
    bond = pauli("XX", (0, 1)) + pauli("YY", (0, 1)) + pauli("ZZ", (0, 1))
    assert len(commuting_groups(bond.words)) == 3
    assert len(commuting_groups(bond.words, "general")) == 1
    words = [w for j in range(30) for w in random_sum(j, 4).words]
    general = commuting_groups(words, "general")
    assert len(general) < len(commuting_groups(words)) / 2


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from(GROUPINGS))
def test_settings_turn_every_word_into_a_signed_product_of_z(seed, number, grouping):
    words = random_sum(seed, number).words
    seen = []
    for setting in measurement_settings(words, grouping):
        unitary = oracles_unitary(setting.operations)
        if grouping == "qubit-wise":
            assert all(len(operation.wires) == 1 for operation in setting.operations)
        for j, mask, sign in zip(
            setting.members, setting.masks, setting.signs, strict=True
        ):
            bits = [mask >> k & 1 for k in range(len(setting.wires))][::-1]
            letters = "".join("Z" if bit else "I" for bit in bits)
            wires, letters = setting.wires or (0,), letters or "I"
            expected = sign * oracles.pauli_word(letters, wires, NUM_WIRES)
            turned = unitary @ dense(words[j]) @ unitary.conj().T
            np.testing.assert_allclose(turned, expected, atol=1e-12)
            seen.append(j)
    assert sorted(seen) == list(range(number))


def oracles_unitary(operations) -> np.ndarray:
    full = np.eye(2**NUM_WIRES, dtype=complex)
    for operation in operations:
        matrix = oracles.gate(operation.name.lower())
        full = oracles.embed(matrix, operation.wires, NUM_WIRES) @ full
    return full


def test_the_gates_of_a_setting_are_operations_of_a_circuit(x64):
    bond = pauli("XX", (0, 3)) + pauli("YY", (0, 3)) + pauli("ZXZ", (0, 1, 3))
    (setting,) = measurement_settings(bond.words, "general")
    found = unitary_matrix(Circuit(setting.operations, NUM_WIRES))
    np.testing.assert_allclose(found, oracles_unitary(setting.operations), atol=1e-12)


def test_an_unknown_grouping_is_refused(key):
    zero = StateVector.zeros(1)
    with pytest.raises(ValueError, match=r"`grouping` must be one of \('qubit-wise'"):
        estimate(key, zero, pauli("Z", 0), 5, grouping="best")


# --- shots ----------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.integers(0, 300))
def test_allocated_shots_sum_to_the_total_and_follow_the_weights(seed, number, more):
    observable = random_sum(seed, number)
    groups = commuting_groups(observable.words)
    total = 2 * len(groups) + more
    shots = allocate_shots(observable, total)
    assert sum(shots) == total and min(shots) >= 2
    sizes = np.abs(observable.coefficients) * [bool(w) for w in observable.words]
    weights = np.asarray([sizes[members].sum() for members in groups])
    if weights.any():
        ideal = more * weights / weights.sum()
        assert np.all(np.abs(np.asarray(shots) - 2 - ideal) < 1)


def test_too_few_shots_to_share_are_refused():
    observable = pauli("X", 0) + pauli("Z", 0)
    with pytest.raises(ValueError, match=r"`total` must be at least 4, two for each"):
        allocate_shots(observable, 3)


def test_shots_for_each_group_are_counted_and_checked(key):
    zero = StateVector.zeros(2)
    observable = 3.0 * pauli("Z", 0) + pauli("X", 1) + pauli("Y", 1)
    result = estimate(key, zero, observable, (70, 20))
    assert result.shots == 90
    with pytest.raises(ValueError, match=r"`shots` must be one number, or 2, one for"):
        estimate(key, zero, observable, (10,))
    with pytest.raises(ValueError, match=r"`shots` must be at least 1, but is 0"):
        estimate(key, zero, observable, (10, 0))


# --- estimates ------------------------------------------------------------------------

OBSERVABLE = 0.5 * random_sum(3, 5) + 4.0 * pauli("XX", (0, 1)) + pauli("I", 0)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
RHO = oracles.random_density(RNG, NUM_WIRES)
RUNS = 2000
SHOTS = 600


def exact(reference) -> float:
    words = np.stack([dense(word) for word in OBSERVABLE.words])
    full = np.tensordot(np.asarray(OBSERVABLE.coefficients), words, 1)
    return oracles.expectation(reference, full)


@functools.cache
def estimates(mixed, grouping, shots):
    state = StateVector.from_amplitudes(VECTOR)
    if mixed:
        state = DensityMatrix.from_matrix(RHO)
    keys = jax.random.split(jax.random.key(7), RUNS)
    one = jax.vmap(lambda k: estimate(k, state, OBSERVABLE, shots, grouping=grouping))
    return jax.jit(one)(keys)


@pytest.mark.parametrize(
    "grouping, mixed", [("qubit-wise", False), ("general", False), ("general", True)]
)
def test_interval_covers_the_truth_95_percent_of_the_time(grouping, mixed):
    """Within 4 standard deviations of the coverage; shots shared out by weight."""
    reference = RHO if mixed else VECTOR
    shots = allocate_shots(OBSERVABLE, SHOTS, grouping=grouping)
    result = estimates(mixed, grouping, shots)
    errors = np.abs(np.asarray(result.mean, np.float64) - exact(reference))
    covered = np.mean(errors < 1.96 * result.stderr)
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / RUNS)
    # The mutant, a standard error that is too small by a fifth, is noticed.
    short = np.mean(errors < 0.8 * 1.96 * result.stderr)
    assert abs(short - 0.95) > 4 * np.sqrt(0.95 * 0.05 / RUNS)
    assert stats.mean_p_value(result.mean, exact(reference)) > stats.corrected(3)


def test_covariances_in_a_group_are_part_of_the_error(key):
    """Z_0 and Z_0 Z_1 of |+>|0> are equal: the error is that of 2 Z_0, not sqrt(2)."""
    state = StateVector.from_amplitudes(np.asarray([1, 0, 1, 0]) / np.sqrt(2))
    result = estimate(key, state, pauli("Z", 0) + pauli("ZZ", (0, 1)), 10_000)
    np.testing.assert_allclose(result.stderr, 2 / 100, rtol=0.01)
    independent = np.sqrt(2) / 100  # the mutant adds up variances
    assert not np.isclose(result.stderr, independent, rtol=0.1)


def test_weighted_shots_lower_the_error_at_the_same_cost():
    groups = len(commuting_groups(OBSERVABLE.words))
    equal = estimates(False, "qubit-wise", SHOTS // groups)
    assert equal.shots == SHOTS
    weighted = estimates(False, "qubit-wise", allocate_shots(OBSERVABLE, SHOTS))
    spread = np.std(np.asarray(weighted.mean))
    assert spread < 0.95 * np.std(np.asarray(equal.mean))


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_gradient_is_unbiased_in_every_grouping(grouping, key, x64):
    observable = pauli("XX", (0, 1)) + 0.7 * pauli("YY", (0, 1)) + pauli("Z", 1)

    def state(angle):
        turn = Circuit([rx(angle, 0), rx(2 * angle, 1)], 2)
        start = StateVector.from_amplitudes(jnp.asarray([0.6, 0.0, 0.0, 0.8j]))
        return run(turn, start)

    def sampled(angle, k):
        return estimate(k, state(angle), observable, 20, grouping=grouping).mean

    keys = jax.random.split(key, 4000)
    slopes = jax.jit(jax.vmap(jax.grad(sampled), in_axes=(None, 0)))(0.4, keys)
    wanted = float(jax.grad(lambda a: expectation(state(a), observable))(0.4))
    assert stats.mean_p_value(slopes, wanted) > stats.corrected(2)
    assert stats.mean_p_value(slopes, 1.1 * wanted) < stats.corrected(2)  # power


def test_gradient_with_respect_to_coefficients_is_the_words_means(key):
    state = StateVector.from_amplitudes(VECTOR)

    def mean(coefficients):
        observable = PauliSum(coefficients, OBSERVABLE.words)
        return estimate(key, state, observable, 50, grouping="general").mean

    coefficients = jnp.asarray(OBSERVABLE.coefficients, jnp.float32)
    value, slope = quick_jit(jax.value_and_grad(mean))(coefficients)
    np.testing.assert_allclose(jnp.sum(slope * coefficients), value, rtol=1e-5)
