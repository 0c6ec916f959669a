"""Averages over histories: equal to the density matrix, unbiased in the gradient."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Measure,
    cz,
    h,
    kraus_channel,
    pauli,
    rx,
    ry,
)
from qjax.noise import amplitude_damping
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
    single = average_trajectories(key, circuit, zero, observable, 1)
    assert np.isnan(single.stderr)  # one sample says nothing about its spread
