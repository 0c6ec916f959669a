"""Averages that stop by themselves: error bars, rare outcomes, transforms, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, Hermitian, Measure, Projector, cx, h, pauli, rx, ry
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import (
    average_trajectories,
    average_until,
    expectation,
    run,
)
from qjax.states import DensityMatrix, StateVector
from tests import stats

OBSERVABLE = pauli("Z", 0) + 0.5 * pauli("X", 1)
SEEDS = 2000


def noisy(strength=0.1) -> Circuit:
    return Circuit(
        [
            ry(0.9, 0),
            depolarizing(strength, 0),
            cx(0, 1),
            depolarizing(strength / 2, 1),
            rx(0.4, 1),
        ],
        2,
    )


def damped() -> Circuit:
    operations = [ry(0.9, 0), amplitude_damping(0.4, 0), cx(0, 1), Measure(0)]
    return Circuit([*operations, rx(0.4, 1)], 2)


RARE = Circuit([h(0), depolarizing(0.01, 0)], 1)


def exact(circuit: Circuit, observable) -> float:
    mixed = run(circuit, DensityMatrix.zeros(circuit.num_wires))
    return float(expectation(mixed, observable))


def until(key, circuit, observable, target, batch_size=32, **options):
    options = {"max_trajectories": 100_000, "min_batches": 2, **options}
    zero = StateVector.zeros(circuit.num_wires)
    return average_until(
        key,
        circuit,
        zero,
        observable,
        target_stderr=target,
        batch_size=batch_size,
        **options,
    )


def many(key, circuit, observable, target):
    keys = jax.random.split(key, SEEDS)
    return jax.jit(jax.vmap(lambda k: until(k, circuit, observable, target)))(keys)


@pytest.mark.slow
@pytest.mark.parametrize("circuit", [noisy(), damped()], ids=["mixture", "damping"])
def test_the_interval_covers_also_where_the_data_decided_its_size(circuit, key):
    """mean +- 1.96 stderr holds the truth for at least 94 % of 2000 keys."""
    found = many(key, circuit, OBSERVABLE, 0.02)
    assert np.all(found.reached) and np.all(np.asarray(found.stderr) <= 0.02)
    sizes = np.asarray(found.num_trajectories)
    assert np.all(sizes % 32 == 0) and len(np.unique(sizes)) > 3
    gap = np.abs(np.asarray(found.mean, float) - exact(circuit, OBSERVABLE))
    assert np.mean(gap < 1.96 * found.stderr) > 0.94
    # The mutant is an error bar of two thirds the size.
    assert np.mean(gap < 1.31 * found.stderr) < 0.94
    # What was asked for is the error that was made, and not much less.
    assert 0.7 < np.sqrt(np.mean(gap**2)) / 0.02 < 1.05


def test_a_rare_error_that_has_not_happened_yet_is_allowed_for(key):
    """Half of the runs see no error before the first stop: they must not say 0."""
    found = many(key, RARE, pauli("X", 0), 0.02)
    unseen = np.asarray(found.mean) > 1 - 1e-6
    assert 0.2 < np.mean(unseen) < 0.8
    gap = np.abs(np.asarray(found.mean) - exact(RARE, pauli("X", 0)))
    assert np.mean(gap < 1.96 * found.stderr) > 0.94
    # The mutant reports the spread that it saw.
    seen = np.sqrt(found.stderr**2 - (2 / found.num_trajectories) ** 2)
    assert np.mean(gap < 1.96 * seen) < 0.6


def test_the_mean_is_that_of_as_many_trajectories(key):
    found = until(key, noisy(), OBSERVABLE, 0.03)
    count = int(found.num_trajectories)
    zero = StateVector.zeros(2)
    fixed = average_trajectories(key, noisy(), zero, OBSERVABLE, count)
    np.testing.assert_allclose(found.mean, fixed.mean, atol=1e-6)
    spread = np.hypot(fixed.stderr, 2 * 1.5 / count)
    np.testing.assert_allclose(found.stderr, spread, rtol=1e-4)
    assert found.reached and spread <= 0.03 and count >= 64


def test_a_target_out_of_reach_is_said_and_the_maximum_kept(key):
    found = until(key, noisy(), OBSERVABLE, 1e-4, max_trajectories=500)
    assert not found.reached and found.num_trajectories == 480
    assert found.stderr > 1e-4


def test_a_noiseless_circuit_stops_when_an_unlike_trajectory_would_not_matter(key):
    found = until(key, Circuit([h(0)], 1), pauli("X", 0), 0.02, batch_size=10)
    np.testing.assert_allclose(found.mean, 1, atol=1e-5)
    assert found.num_trajectories == 100 and found.reached


def test_jit_and_vmap_change_nothing(key):
    keys = jax.random.split(key, 3)
    targets = jnp.asarray([0.1, 0.05, 0.025])

    def one(k, target):
        return until(k, noisy(), OBSERVABLE, target)

    together = jax.jit(jax.vmap(one))(keys, targets)
    sizes = np.asarray(together.num_trajectories)
    assert sizes[0] < sizes[1] < sizes[2]
    for row in range(3):
        alone = jax.jit(one)(keys[row], targets[row])
        assert int(alone.num_trajectories) == sizes[row]
        np.testing.assert_allclose(together.mean[row], alone.mean, atol=1e-6)
        np.testing.assert_allclose(together.stderr[row], alone.stderr, atol=1e-6)


@pytest.mark.parametrize("shots", [None, 3])
def test_several_observables_share_the_trajectories_and_all_reach(key, shots):
    observables = [
        pauli("Z", 0),
        Projector((1,), (1,)),
        Hermitian(np.asarray([[0, 1], [1, 0]], complex), (1,)),
    ]
    targets = jnp.asarray([0.05, 0.02, 0.05])
    found = until(key, damped(), observables, targets, shots=shots)
    assert found.mean.shape == found.stderr.shape == (3,)
    assert found.reached and np.all(np.asarray(found.stderr) <= targets)
    for place, observable in enumerate(observables):
        truth = exact(damped(), observable)
        mean, error = float(found.mean[place]), float(found.stderr[place])
        assert stats.z_p_value(mean, truth, error) > stats.corrected(3)
        assert stats.z_p_value(mean, truth + 0.5, error) < stats.corrected(3)


def test_double_precision_is_kept(key, x64):
    found = until(key, noisy(), [OBSERVABLE, pauli("Z", 1)], 0.05)
    assert found.mean.dtype == found.stderr.dtype == np.float64


def test_a_gradient_is_refused_in_both_modes(key):
    """The values do not depend on the strength, only how often each one occurs."""

    def by_strength(strength):
        return until(key, noisy(strength), OBSERVABLE, 0.1).mean

    def by_angle(angle):
        return until(key, Circuit([rx(angle, 0)], 2), OBSERVABLE, 0.1).mean

    for mean in (by_strength, by_angle):
        for transform in (jax.grad, jax.jacfwd):
            with pytest.raises(TypeError, match="use `average_trajectories`"):
                transform(mean)(jnp.float32(0.1))


def test_bad_numbers_are_refused(key):
    with pytest.raises(ValueError, match="`target_stderr` must be positive"):
        until(key, noisy(), OBSERVABLE, 0.0)
    with pytest.raises(ValueError, match=r"`target_stderr` must be a scalar or have"):
        until(key, noisy(), [OBSERVABLE], jnp.asarray([0.1, 0.1]))
    with pytest.raises(ValueError, match="must be at least 2 batches of 32"):
        until(key, noisy(), OBSERVABLE, 0.1, max_trajectories=63)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        until(key, noisy(), OBSERVABLE, 0.1, batch_size=0)
    with pytest.raises(ValueError, match="`min_batches` must be at least 1"):
        until(key, noisy(), OBSERVABLE, 0.1, min_batches=0)
    with pytest.raises(Exception, match="`target_stderr` must be positive"):
        target = jnp.float32(-1.0)
        jax.block_until_ready(
            jax.jit(lambda t: until(key, noisy(), OBSERVABLE, t).mean)(target)
        )
