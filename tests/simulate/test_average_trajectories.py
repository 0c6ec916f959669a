"""Averages over histories: equal to the density matrix, unbiased in the gradient."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    cx,
    cz,
    h,
    kraus_channel,
    pauli,
    rx,
    ry,
)
from qjax.noise import amplitude_damping, bit_flip, depolarizing
from qjax.simulate import average_trajectories, expectation, run, trajectory
from qjax.states import DensityMatrix, StateVector
from tests import oracles, stats, strategies
from tests.histories import many_trajectories

# --- mean of trajectories = density matrix --------------------------------------------


def noisy_circuits() -> list:
    """One circuit for each channel, between random unitaries on two wires."""
    cases = []
    for number, name in enumerate(strategies.CHANNEL_NAMES):
        rng = np.random.default_rng([31, number])
        steps = [
            strategies.Step("unitary", "unitary", (0, 1), (), oracles.random_unitary(
                rng, 4)),
            strategies.random_step(rng, name, 2),
            strategies.Step("unitary", "unitary", (1, 0), (), oracles.random_unitary(
                rng, 4)),
            strategies.random_step(rng, name, 2),
        ]  # fmt: skip
        cases.append((name, steps))
    return cases


@pytest.mark.parametrize("name, steps", noisy_circuits(), ids=strategies.CHANNEL_NAMES)
def test_mean_of_trajectories_is_the_density_matrix(name, steps, key):
    """All 15 Pauli words; joint level ALPHA over words and channels."""
    circuit = strategies.build(steps, 2)
    states, records = many_trajectories(key, circuit, StateVector.zeros(2))
    vectors = np.asarray(jax.vmap(lambda state: state.vector())(states), complex)
    norms = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-4)
    exact = strategies.oracle_density(steps, oracles.density(oracles.zero_state(2)))
    # The mutant swaps the wires of the final state.
    mutant = oracles.gate("swap") @ exact @ oracles.gate("swap")
    p_values, mutant_p_values = [], []
    for letters in itertools.product("IXYZ", repeat=2):
        word = oracles.pauli_word("".join(letters), (0, 1), 2)
        if letters == ("I", "I"):
            continue
        values = np.einsum("na,ab,nb->n", vectors.conj(), word, vectors).real
        p_values.append(close_p_value(values, oracles.expectation(exact, word)))
        mutant_p_values.append(close_p_value(values, oracles.expectation(mutant, word)))
    level = stats.corrected(15 * len(strategies.CHANNEL_NAMES))
    assert min(p_values) > level
    if not np.allclose(mutant, exact, atol=0.05):
        assert min(mutant_p_values) < level
    assert np.all(np.asarray(records.log_prob) < 1e-5)


def close_p_value(values: np.ndarray, expected: float) -> float:
    """`mean_p_value`, but rounding in a constant sample is no evidence."""
    if abs(values.mean() - expected) < 1e-5:
        return 1.0
    return stats.mean_p_value(values, expected)


def test_no_trajectory_goes_where_the_probability_is_zero(key):
    """A draw must never take an operator that annihilates the state."""
    never = kraus_channel(np.asarray([[[1, 0], [0, 0]], [[0, 0], [0, 1]]]), 0)
    circuit = Circuit([never, amplitude_damping(1.0, 0), Measure(0)], 1)
    states, records = many_trajectories(key, circuit, StateVector.zeros(1))
    assert np.all(np.asarray(records.outcomes) == 0)
    assert np.all(np.isfinite(np.asarray(records.log_prob)))
    assert np.all(np.isfinite(np.asarray(states.norm())))


# --- averages and their gradients -----------------------------------------------------


def damped(angle, strength) -> Circuit:
    return Circuit(
        [ry(angle, 0), amplitude_damping(strength, 0), rx(angle, 0), cz(0, 1)], 2
    )


def test_average_of_trajectories_is_unbiased_also_in_its_gradient(key, x64):
    """The case on which a known simulator is wrong by 150 standard errors."""
    observable = pauli("X", 0) + 0.5 * pauli("Z", 0)

    def sampled(params, k):
        circuit = Circuit([ry(params[0], 0), amplitude_damping(params[1], 0)], 1)
        zero = StateVector.zeros(1)
        return average_trajectories(k, circuit, zero, observable, 20).mean

    def exact(params):
        circuit = Circuit([ry(params[0], 0), amplitude_damping(params[1], 0)], 1)
        return expectation(run(circuit, DensityMatrix.zeros(1)), observable)

    params = jnp.asarray([1.0, 0.5])
    keys = jax.random.split(key, 2000)
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(sampled), in_axes=(None, 0)))(
        params, keys
    )
    assert stats.mean_p_value(values, float(exact(params))) > stats.corrected(3)
    wanted = jax.grad(exact)(params)
    for parameter in (0, 1):
        p_value = stats.mean_p_value(slopes[:, parameter], float(wanted[parameter]))
        assert p_value > stats.corrected(3)

    def mutant(params, k):
        circuit = Circuit([ry(params[0], 0), amplitude_damping(params[1], 0)], 1)
        final, _ = trajectory(k, circuit, StateVector.zeros(1))
        return expectation(final, observable)

    wrong = jax.jit(jax.vmap(jax.grad(mutant), in_axes=(None, 0)))(params, keys)
    assert stats.mean_p_value(wrong[:, 0], float(wanted[0])) < stats.corrected(3)


def depolarized(params) -> Circuit:
    """Mixtures only: drawn up front, also in the repetitions."""

    def layer(angle):
        return Circuit(
            [
                ry(angle, 0),
                depolarizing(params[0], 0),
                cx(0, 1),
                bit_flip(params[1], 1),
            ],
            2,
        )

    return Circuit([Repeat(jax.vmap(layer)(params[2:]), 2)], 2)


def test_strengths_of_mixtures_have_unbiased_gradients_too(key, x64):
    """All of their slope is score; the mutant leaves it out and finds zero."""
    observable = pauli("Z", 0) + 0.5 * pauli("X", 0) + pauli("ZZ", (0, 1))
    params = jnp.asarray([0.3, 0.2, 0.7, 1.1])

    def sampled(p, k):
        zero = StateVector.zeros(2)
        return average_trajectories(k, depolarized(p), zero, observable, 20).mean

    def exact(p):
        return expectation(run(depolarized(p), DensityMatrix.zeros(2)), observable)

    keys = jax.random.split(key, 2000)
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(sampled), in_axes=(None, 0)))(
        params, keys
    )
    level = stats.corrected(5)
    assert stats.mean_p_value(values, float(exact(params))) > level
    for place, wanted in enumerate(jax.grad(exact)(params)):
        assert stats.mean_p_value(slopes[:, place], float(wanted)) > level
    assert abs(float(jax.grad(exact)(params)[0])) > 0.1

    def mutant(p, k):
        final, _ = trajectory(k, depolarized(p), StateVector.zeros(2))
        return expectation(final, observable)

    wrong = jax.jit(jax.vmap(jax.grad(mutant), in_axes=(None, 0)))(params, keys)
    np.testing.assert_array_equal(wrong[:, :2], 0)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_gradients_are_finite_where_noise_is_absent_or_certain(end, key):
    def mean(p):
        circuit = depolarized(jnp.stack([p, p, jnp.ones_like(p), jnp.ones_like(p)]))
        zero = StateVector.zeros(2)
        return average_trajectories(key, circuit, zero, pauli("Z", 0), 50).mean

    assert np.isfinite(jax.jit(jax.grad(mean))(jnp.float32(end)))


# --- batches --------------------------------------------------------------------------


def mixed_noise(params) -> Circuit:
    """Mixtures, damping, measurement and feed-forward, inside and outside `Repeat`."""

    def layer(angle):
        return Circuit(
            [
                ry(angle, 0),
                depolarizing(0.2, 0),
                amplitude_damping(params[0], 1),
                cx(0, 1),
                Measure(0),
                Conditional(bit_flip(0.4, 1), (-1,), (1,)),
                Conditional(rx(angle, 1), (-1,), (0,)),
            ],
            2,
        )

    head = [h(1), bit_flip(0.1, 1), Repeat(jax.vmap(layer)(params[1:]), 2)]
    tail = [Reset(0), ry(0.3, 0), depolarizing(0.1, 0), cx(1, 0), rx(0.5, 0)]
    return Circuit(head + tail, 2)


MIXED = np.asarray([0.3, 0.7, 1.1])
WORDS = [pauli("Z", 0), pauli("X", 1), pauli("ZZ", (0, 1)), pauli("Y", 1)]


def test_mixtures_measurements_resets_and_conditions_together(key):
    """Four z-tests at joint level ALPHA; the mutant has other strengths."""
    mean = average_trajectories(
        key, mixed_noise(MIXED), StateVector.zeros(2), WORDS, 20_000, batch_size=5_000
    )
    p_values = {}
    for name, params in (("right", MIXED), ("mutant", MIXED + 0.1)):
        final = run(mixed_noise(params), DensityMatrix.zeros(2))
        gaps = zip(mean.mean, expectation(final, WORDS), mean.stderr, strict=True)
        p_values[name] = [stats.z_p_value(*map(float, gap)) for gap in gaps]
    assert min(p_values["right"]) > stats.corrected(4)
    assert min(p_values["mutant"]) < stats.corrected(4)


@pytest.mark.slow
def test_the_size_of_the_batches_changes_neither_values_nor_gradients(key, x64):
    def mean(params, batch_size):
        return average_trajectories(
            key,
            mixed_noise(params),
            StateVector.zeros(2),
            WORDS,
            10,
            batch_size=batch_size,
        )

    def both(params, batch_size):
        found = mean(params, batch_size)
        slopes = jax.jacrev(lambda p: mean(p, batch_size).mean)(params)
        return found.mean, found.stderr, slopes

    whole = jax.jit(both, static_argnums=1)(MIXED, 10)
    assert whole[2].shape == (4, 3) and np.all(np.abs(whole[2]).max(0) > 1e-3)
    for batch_size in (1, 4):
        parts = jax.jit(both, static_argnums=1)(MIXED, batch_size)
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_allclose(other, one, atol=1e-12)


def test_memory_is_that_of_a_batch_also_for_the_gradient(key):
    """Eight times the trajectories: a few numbers more for each, and no more states."""

    def mean(params, number):
        zero = StateVector.zeros(8)
        circuit = Circuit([ry(a, w) for w, a in enumerate(params)], 8)
        circuit += Circuit([depolarizing(0.1, w) for w in range(8)], 8)
        return average_trajectories(
            key, circuit, zero, pauli("Z", 0), number, batch_size=8
        ).mean

    def temporaries(number):
        slope = jax.jit(jax.value_and_grad(mean), static_argnums=1)
        analysis = slope.lower(jnp.ones(8), number).compile().memory_analysis()
        assert analysis is not None
        return analysis.temp_size_in_bytes

    few, many = temporaries(64), temporaries(512)
    assert many - few < 100 * (512 - 64)  # a state has 2048 bytes
    assert few > 8 * 2048


def test_a_sequence_gives_what_its_members_give(key):
    @functools.partial(jax.jit, static_argnums=1)
    def averages(one_key, shots):
        go = functools.partial(
            average_trajectories, one_key, mixed_noise(MIXED), StateVector.zeros(2)
        )
        return go(WORDS, 50, shots=shots), [go(word, 50) for word in WORDS]

    together, alone = averages(key, None)
    for place, one in enumerate(alone):
        np.testing.assert_allclose(together.mean[place], one.mean, atol=1e-6)
        np.testing.assert_allclose(together.stderr[place], one.stderr, atol=1e-6)
    measured, _ = averages(key, 3)
    assert measured.mean.shape == measured.stderr.shape == (4,)
    errors = np.hypot(measured.stderr, together.stderr)
    assert np.all(np.abs(measured.mean - together.mean) < 5 * errors)
    assert np.all(measured.stderr > together.stderr)


# --- error bars and bad input ---------------------------------------------------------


def test_stderr_of_an_average_covers_trajectories_and_shots(key):
    """The interval of 1.96 stderr holds the truth for 93 to 97 % of 2000 keys."""
    circuit = damped(0.9, 0.4)
    observable = pauli("X", 0) + 0.5 * pauli("Z", 0)
    exact = float(expectation(run(circuit, DensityMatrix.zeros(2)), observable))

    def one(k):
        zero = StateVector.zeros(2)
        return average_trajectories(k, circuit, zero, observable, 100, shots=2)

    estimates = jax.jit(jax.vmap(one))(jax.random.split(key, 2000))
    inside = np.abs(np.asarray(estimates.mean) - exact) < 1.96 * estimates.stderr
    assert 0.93 < np.mean(inside) < 0.97
    halved = np.abs(np.asarray(estimates.mean) - exact) < 0.98 * estimates.stderr
    assert not 0.93 < np.mean(halved) < 0.97  # a stderr of half the size is noticed
    assert estimates.shots == 200


def test_numbers_of_trajectories_and_shots_below_one_are_refused(key):
    zero, circuit, observable = StateVector.zeros(1), Circuit([h(0)], 1), pauli("Z", 0)
    with pytest.raises(ValueError, match="`num_trajectories` must be at least 1"):
        average_trajectories(key, circuit, zero, observable, 0)
    with pytest.raises(ValueError, match="`shots` must be at least 1"):
        average_trajectories(key, circuit, zero, observable, 3, shots=0)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        average_trajectories(key, circuit, zero, observable, 3, batch_size=0)
    single = average_trajectories(key, circuit, zero, observable, 1)
    assert np.isnan(single.stderr)  # one sample says nothing about its spread
