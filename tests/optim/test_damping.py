"""Dampings: what each solves, how the adaptive one moves, and singular metrics."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qjax.circuits import hardware_efficient, ising
from qjax.geometry import (
    BlockMetric,
    DiagonalMetric,
    block_metric,
    diagonal_metric,
    low_rank_metric,
    metric_tensor,
    random_metric,
)
from qjax.optim import (
    Fixed,
    LevenbergMarquardt,
    Spectral,
    qng,
    scale_by_metric,
    scale_by_metric_product,
    scale_by_sampled_metric,
)
from qjax.simulate import expectation, run
from qjax.states import StateVector

G = jnp.asarray([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1e-6]])
SLOPE = jnp.asarray([1.0, -2.0, 3.0])
POINT = jnp.zeros(3)


def one_step(damping, metric=G, **extra):
    transform = scale_by_metric(lambda p: metric, damping)
    return transform.update(SLOPE, transform.init(POINT), POINT, **extra)[0]


def halving(count):
    """1, 1/2, ... without the implicit promotion that optax's own schedules need."""
    return 1 / (count.astype(jnp.float32) + 1)


def test_a_schedule_damps_by_the_step():
    transform = scale_by_metric(lambda p: G, halving)
    state = transform.init(POINT)
    for strength in (1.0, 0.5):
        step, state = transform.update(SLOPE, state, POINT)
        expected = np.linalg.solve(G + strength * np.eye(3), SLOPE)
        np.testing.assert_allclose(step, expected, rtol=1e-5)
    free = scale_by_metric_product(lambda p, v: G @ v, halving, tolerance=1e-7)
    state = free.init(POINT)
    for strength in (1.0, 0.5):
        step, state = free.update(SLOPE, state, POINT)
        expected = np.linalg.solve(G + strength * np.eye(3), SLOPE)
        np.testing.assert_allclose(step, expected, rtol=1e-4)


def test_spectral_leaves_small_eigenvalues_out():
    pseudo = np.linalg.pinv(np.asarray(G), rcond=1e-3, hermitian=True)
    np.testing.assert_allclose(one_step(Spectral(1e-3)), pseudo @ SLOPE, rtol=1e-5)
    # A metric that is not positive is used by its absolute value.
    turned = one_step(Spectral(0.0, strength=0.5), -G)
    expected = np.linalg.solve(G + 0.5 * np.eye(3), SLOPE)
    np.testing.assert_allclose(turned, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "metric",
    [DiagonalMetric(jnp.asarray([1.0, 2.0, 1e-6])), BlockMetric((G[None],))],
    ids=["diagonal", "blocks"],
)
def test_every_kind_of_metric_takes_every_damping(metric):
    dense = np.asarray(metric.dense())
    for damping in (0.1, Fixed(0.1), Spectral(1e-3), LevenbergMarquardt(0.1)):
        found = one_step(damping, metric, value=jnp.asarray(1.0))
        expected = one_step(damping, jnp.asarray(dense), value=jnp.asarray(1.0))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def strengths(loss, rate, count=6):
    """What Levenberg-Marquardt does to its damping along a descent."""
    transform = scale_by_metric(lambda p: jnp.eye(3), LevenbergMarquardt(0.1))
    params, state, found = POINT + 1, transform.init(POINT), []
    for _ in range(count):
        value, slope = jax.value_and_grad(loss)(params)
        step, state = transform.update(slope, state, params, value=value)
        params = params - rate * step
        found.append(float(state.damping.damping))
    return found


def test_levenberg_marquardt_trusts_a_good_model_and_mistrusts_a_bad_one():
    def curved(scale):
        return lambda p: scale * jnp.sum(p**2) / 2

    # Short steps: the loss falls as promised, and more.
    good = strengths(curved(0.1), 1.0)
    assert good[0] == pytest.approx(0.1)
    np.testing.assert_allclose(good, 0.1 * 0.7 ** np.arange(6), rtol=1e-5)
    # Steps far too long: the loss rises.
    bad = strengths(curved(5.0), 1.0)
    np.testing.assert_allclose(bad[:3], [0.1, 0.2, 0.4], rtol=1e-5)
    assert max(bad) <= LevenbergMarquardt().highest


def test_levenberg_marquardt_needs_the_loss():
    with pytest.raises(ValueError, match="`value` must be passed to `update` with L"):
        one_step(LevenbergMarquardt())


def test_a_singular_metric_without_damping_names_a_redundant_parameter():
    params = {"a": jnp.ones(2), "b": jnp.ones(())}
    metric = jnp.diag(jnp.asarray([1.0, 0.0, 1.0]))
    transform = scale_by_metric(lambda p: metric, 0.0)
    state = transform.init(params)

    @eqx.filter_jit
    def step(slope):
        return transform.update(slope, state, params)[0]

    with pytest.raises(Exception, match=r"parameter a\[1\] is redundant"):
        jax.block_until_ready(step(params))
    regular = scale_by_metric(lambda p: metric + jnp.eye(3), 0.0)
    found = regular.update(params, regular.init(params), params)[0]
    np.testing.assert_allclose(found["a"], [0.5, 1.0])


def test_a_metric_is_used_for_as_many_steps_as_asked():
    def changing(params, batch):
        return (1 + jnp.sum(params)) * jnp.eye(3) * batch

    transform = scale_by_metric(changing, 0.0, every=3, example_batch=jnp.asarray(1.0))
    state = transform.init(POINT)
    found = []
    for count in range(7):
        where = POINT + count
        step, state = transform.update(
            jnp.ones(3), state, where, batch=jnp.asarray(2.0)
        )
        found.append(float(1 / step[0]))
    expected = [2 * (1 + 3 * (count - count % 3)) for count in range(7)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state))


def state_of(angles) -> StateVector:
    return run(hardware_efficient(angles), StateVector.zeros(2))


def loss(angles):
    return expectation(state_of(angles), ising(2))


OPTIMIZERS = {
    "blocks": lambda key: qng(0.1, lambda p: block_metric(state_of, p)),
    # What a metric leaves out, or has of old, takes more damping.
    "diagonal": lambda key: qng(
        0.1, lambda p: diagonal_metric(state_of, p), damping=0.1
    ),
    "low rank": lambda key: qng(0.1, lambda p: low_rank_metric(key, state_of, p, 6)),
    "spectral": lambda key: qng(
        0.1, lambda p: metric_tensor(state_of, p), damping=Spectral(0.02)
    ),
    "adaptive": lambda key: qng(
        0.1, lambda p: metric_tensor(state_of, p), damping=LevenbergMarquardt()
    ),
    "kept": lambda key: qng(
        0.1, lambda p: metric_tensor(state_of, p), damping=0.1, every=5
    ),
    "sampled": lambda key: optax.chain(
        scale_by_sampled_metric(
            key,
            lambda k, p: random_metric(
                k, state_of, p, radius=0.1, num_samples=1, shots=1000
            ),
            0.05,
        ),
        optax.scale_by_learning_rate(0.1),
    ),
}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_natural_gradient_reaches_the_ground_state_in_one_scan(name, key):
    optimizer = OPTIMIZERS[name](key)
    angles = 0.5 * jax.random.normal(jax.random.key(1), (2, 2, 2))

    def step(carry, _):
        params, state = carry
        value, slope = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(slope, state, params, value=value)
        return (optax.apply_updates(params, updates), state), value

    start = (angles, optimizer.init(angles))
    (final, _), _ = jax.jit(lambda c: jax.lax.scan(step, c, None, length=250))(start)
    ground = -(5**0.5)  # of -Z Z - X - X
    assert loss(final) == pytest.approx(ground, rel=0.02)


def test_a_sampled_metric_is_averaged_over_steps_from_the_identity(key):
    def draw(key, params, batch):
        return batch * jax.random.uniform(key) * jnp.eye(3)

    transform = scale_by_sampled_metric(key, draw, 0.1)
    state, drawn = transform.init(POINT), [1.0]
    for count in range(3):
        _, state = transform.update(SLOPE, state, POINT, batch=jnp.asarray(2.0))
        drawn.append(2 * float(jax.random.uniform(jax.random.fold_in(key, count))))
        np.testing.assert_allclose(state.mean, np.mean(drawn) * np.eye(3), rtol=1e-5)


def test_bad_input_is_named(key):
    def metric(params):
        return G

    for call, message in (
        (lambda: scale_by_metric(metric, 0.1, every=0), "`every` must be at least 1"),
        (lambda: Fixed(-1.0), "`damping` must be at least 0, but is -1.0"),
        (lambda: Spectral(1.0), "`cutoff` must lie in"),
        (lambda: Spectral(0.0), "`cutoff` must be positive where `strength` is 0"),
        (lambda: LevenbergMarquardt(up=0.5), "`up` must be above 1"),
        (lambda: LevenbergMarquardt(down=1.5), "`down` must lie in"),
        (lambda: LevenbergMarquardt(initial=0.0), "must be positive and rise"),
        (
            lambda: scale_by_sampled_metric(key, metric, 0.0),
            "`damping` must be positive",
        ),
        (
            lambda: scale_by_sampled_metric(key, metric, 0.1, memory=1.0),
            "`memory` must lie in",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
