"""Unbiased gradients of sampled means: shots, trajectories, the likeliest one apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Reset,
    cx,
    h,
    pauli,
    rx,
    ry,
)
from qjax.gradients import score_gradient, trajectory_gradient
from qjax.gradients.guided import GuidedState
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import expectation, run, trajectory
from qjax.states import StateVector
from qjax.states.sampling import draw_index
from tests import stats
from tests.gradients.noisy import NoisyCircuit, noisy_circuit, path_of, without_score

ONE = StateVector.zeros(1)


def damped(x):
    return Circuit([ry(x, 0), amplitude_damping(0.5, 0)], 1)


def assert_unbiased(found, exact, mutant):
    """Every entry of the gradient agrees with the truth, some entry of the mutant not.

    Rounding of float32 is allowed for by 1e-5: entries may be 0 without any spread.
    """
    gaps = np.abs(np.asarray(found.mean - exact)).ravel()
    level = stats.corrected(gaps.size)
    errors = np.asarray(found.stderr).ravel() + 1e-5
    pairs = zip(gaps, errors, strict=True)
    assert min(stats.z_p_value(gap, 0, error) for gap, error in pairs) > level
    wrong = np.abs(np.asarray(mutant.mean - exact)).ravel()
    pairs = zip(wrong, np.asarray(mutant.stderr).ravel() + 1e-5, strict=True)
    assert min(stats.z_p_value(gap, 0, error) for gap, error in pairs) < level


# --- where a peer is wrong ------------------------------------------------------------


@pytest.mark.parametrize("letter, exact", [("X", 0.3820514), ("Z", -0.4207355)])
def test_damping_after_a_rotation_has_the_slope_of_the_density_matrix(
    letter, exact, key
):
    """RY(1), amplitude damping 1/2: a peer gives 0.524 and -0.476."""
    observable = pauli(letter, 0)

    def go(path):
        return jax.jit(
            lambda k: trajectory_gradient(k, path, damped, jnp.float32(1.0), ONE, 8000)
        )(key)

    path = path_of(observable)
    value, slope = go(path)
    assert_unbiased(slope, exact, go(without_score(path))[1])
    truth = np.sqrt(0.5) * np.sin(1) if letter == "X" else 0.5 + 0.5 * np.cos(1)
    p_value = stats.z_p_value(float(value.mean), truth, float(value.stderr) + 1e-6)
    assert p_value > stats.ALPHA and value.shots == slope.samples == 8000


def feedback(params):
    """Measurement, feed-forward and reset, with an angle and a noise strength."""
    first = [ry(params[0], 0), ry(0.4, 1), Measure(0)]
    second = [
        Conditional(rx(params[0], 1), (0,), (1,)),
        amplitude_damping(params[1], 1),
    ]
    return Circuit([*first, *second, Reset(0), cx(1, 0)], 2)


@pytest.mark.parametrize("which", ["feedback", "thermal"])
def test_trajectories_agree_with_the_density_matrix(which, key):
    """Two circuits; the slow tests have 20."""
    case = noisy_circuit(1)
    if which == "feedback":
        observable = pauli("XY", (0, 1)) + pauli("Z", 0)
        case = NoisyCircuit(feedback, np.asarray([0.9, 0.3]), observable, 2)
    params = jnp.asarray(case.params, jnp.float32)
    zero = StateVector.zeros(case.num_wires)
    exact = jax.jit(jax.grad(case.exact))(params)

    @jax.jit
    def go(k, keep):
        def path(*arguments):
            value, log_prob = path_of(case.observable)(*arguments)
            return value, jnp.where(keep, log_prob, jax.lax.stop_gradient(log_prob))

        return trajectory_gradient(
            k, path, case.build, params, zero, 20_000, batch_size=1000
        )[1]

    assert_unbiased(go(key, True), exact, go(key, False))


# --- the likeliest history apart ------------------------------------------------------


def test_without_randomness_the_gradient_is_exact(key):
    def build(x):
        return Circuit([ry(x[0], 0), cx(0, 1), rx(x[1], 1), depolarizing(0.0, 0)], 2)

    params = jnp.asarray([0.4, 1.1])
    observable = pauli("ZZ", (0, 1))
    zero = StateVector.zeros(2)
    value, slope = jax.jit(
        lambda p: trajectory_gradient(key, path_of(observable), build, p, zero, 4)
    )(params)

    def direct(x):
        return expectation(run(Circuit(build(x).operations[:-1], 2), zero), observable)

    expected, exact = jax.value_and_grad(direct)(params)
    np.testing.assert_allclose(slope.mean, exact, atol=1e-6)
    np.testing.assert_allclose(slope.stderr, 0, atol=1e-6)
    np.testing.assert_allclose(value.mean, expected, atol=1e-6)


def test_weak_noise_leaves_little_variance(key):
    """P = 0.96: the likeliest history apart leaves at most 1 - P of the variance."""

    def build(x):
        noisy = [amplitude_damping(0.02, 0), rx(x[1], 0), amplitude_damping(0.02, 0)]
        return Circuit([ry(x[0], 0), *noisy], 1)

    params, path = jnp.asarray([2.0, 1.0]), path_of(pauli("Z", 0))

    def plain(k, p):
        return path(k, build(p), ONE)

    apart, together = jax.jit(
        lambda k: (
            trajectory_gradient(k, path, build, params, ONE, 4000)[1].stderr,
            score_gradient(k, plain, params, 4000)[1].stderr,
        )
    )(key)
    assert np.all(np.asarray(apart) < 0.4 * np.asarray(together))


def guided(key, level, circuit):
    start = GuidedState.start(StateVector.zeros(circuit.num_wires), level)
    return trajectory(key, circuit, start)


COINS = Circuit([ry(1.0, 0), Measure(0), ry(1.9, 1), Measure(1)], 2)


def test_level_zero_is_the_likeliest_history(key):
    final, record = jax.jit(guided, static_argnums=())(key, jnp.float32(0), COINS)
    assert record.outcomes.tolist() == [0, 1]
    chance = np.cos(0.5) ** 2 * np.sin(0.95) ** 2
    np.testing.assert_allclose(np.exp(record.log_prob), chance, rtol=1e-5)
    np.testing.assert_allclose(final.followed, chance, rtol=1e-5)
    assert bool(final.following)


def test_uniform_levels_are_ordinary_or_conditional_trajectories(getkey):
    first, second = np.sin(0.5) ** 2, np.sin(0.95) ** 2
    exact = np.outer([1 - first, first], [1 - second, second]).reshape(-1)
    for chance in (0.0, exact[1]):
        keys = jax.random.split(getkey(), 4000)
        spread = jax.random.uniform(getkey(), (4000,))
        levels = 1 - jnp.float32(1 - chance) * spread
        go = jax.jit(jax.vmap(guided, in_axes=(0, 0, None)))
        _, records = go(keys, levels, COINS)
        expected = exact.copy()
        expected[1] = exact[1] if chance == 0 else 0
        bits = np.asarray(records.outcomes)
        assert stats.born_rule_p_value(bits, expected / expected.sum()) > stats.ALPHA
        mutant = exact if chance else np.full(4, 0.25)
        assert stats.born_rule_p_value(bits, mutant) < stats.ALPHA


def test_ties_are_broken_the_same_way_whatever_the_rounding(getkey):
    """h, then measure: 1/2 up to rounding; the first outcome is taken as likeliest."""
    for angle in (np.pi / 2 - 1e-6, np.pi / 2, np.pi / 2 + 1e-6):
        circuit = Circuit([ry(angle, 0), Measure(0), h(0), Measure(0)], 1)
        _, record = guided(getkey(), jnp.float32(0), circuit)
        assert record.outcomes.tolist() == [0, 0]


# --- samples in general, and shots ----------------------------------------------------


def one_shot(key, x):
    """The outcome of Z on one shot, and ln of its probability."""
    weights = run(Circuit([ry(x, 0)], 1), ONE).probabilities()
    index, log_prob = draw_index(key, weights, 1)
    return jnp.where(index[0] == 0, 1.0, -1.0), log_prob[0]


def test_shots_have_an_unbiased_slope_and_an_honest_error(key):
    x = jnp.float32(0.8)

    def mutant(k, p):
        value, log_prob = one_shot(k, p)
        return value, jax.lax.stop_gradient(log_prob)

    go = jax.jit(lambda k: score_gradient(k, one_shot, x, 4000, batch_size=100))
    value, slope = go(key)
    _, wrong = jax.jit(lambda k: score_gradient(k, mutant, x, 4000))(key)
    assert_unbiased(slope, -np.sin(0.8), wrong)
    p_value = stats.z_p_value(float(value.mean), np.cos(0.8), float(value.stderr))
    assert p_value > stats.ALPHA
    many = jax.jit(jax.vmap(lambda k: score_gradient(k, one_shot, x, 50)[1]))(
        jax.random.split(key, 1000)
    )
    ratio = float(jnp.sqrt(jnp.mean(many.stderr**2)) / jnp.std(many.mean))
    assert 0.85 < ratio < 1.15


def test_estimators_map_over_keys_and_parameters(getkey):
    path, keys = path_of(pauli("Z", 0)), jax.random.split(getkey(), 2)
    params = {"x": jnp.asarray([0.3, 2.0])}

    def go(key, p):
        return trajectory_gradient(
            key, path, lambda q: damped(q["x"]), p, ONE, 20, batch_size=10
        )

    mapped = jax.jit(jax.vmap(go))(keys, params)
    jitted = jax.jit(go)
    for i in range(2):
        one = jitted(keys[i], {"x": params["x"][i]})
        for a, b in zip(jax.tree.leaves(mapped), jax.tree.leaves(one), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=1e-5)


def test_batches_that_do_not_fit_are_refused(key):
    x = jnp.float32(0.3)
    for size in (1, 3):
        with pytest.raises(ValueError, match="at least 2 and divide the number"):
            score_gradient(key, one_shot, x, 10, batch_size=size)
    with pytest.raises(ValueError, match="at least 2 and divide the number"):
        score_gradient(key, one_shot, x, 1)
