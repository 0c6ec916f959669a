"""Gradient estimators: right on average, with the variances and costs they report."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, crx, cx, h, ry, rz
from qjax.optim import (
    SPSA,
    Autodiff,
    FixedShots,
    GainShots,
    HybridLoss,
    ParameterShift,
    Reused,
    Subsampled,
)
from qjax.simulate import run
from qjax.states import StateVector
from tests import stats

POINTS, SIZE = 6, 4
SPECTRA = ((1.0,), (1.0,), (0.5, 1.0), (1.0,))
PARAMS = {
    "angles": np.asarray([0.4, -1.1, 0.8, 0.3], np.float32),
    "weights": np.asarray([0.7, -0.4, 0.5], np.float32),
}
BATCH = (
    np.linspace(-1, 1, POINTS, dtype=np.float32),
    (0.5 + np.cos(np.arange(POINTS)) / 2).astype(np.float32),
)
EVEN = np.full(POINTS, 1 / POINTS, np.float32)


def outcomes(own, inputs):
    """Two settings: both wires in the Z basis, or the first one in the X basis."""
    angles = own["angles"]

    def one(value):
        first = [ry(value, 0), ry(angles[0], 0), ry(0.9, 1)]
        turns = [*first, rz(angles[1], 1), cx(1, 0), cx(0, 1)]
        rest = [crx(angles[2], 1, 0), ry(angles[3], 1)]
        state = run(Circuit([*turns, *rest], 2), StateVector.zeros(2, jnp.complex64))
        turned = state.apply_matrix(h(0).matrix(), (0,))
        chances = [s.probabilities((0, 1)).reshape(-1) for s in (state, turned)]
        return jnp.stack(chances)

    return jax.vmap(one)(inputs)


READINGS = np.zeros((2, 4, 3), np.float32)
READINGS[0, :, 0] = [1, 1, -1, -1]
READINGS[0, :, 1] = [1, -1, -1, 1]
READINGS[1, :, 2] = [1, 1, -1, -1]


def linear(rest, z, targets):
    return z @ rest["weights"] * targets


def curved(rest, z, targets):
    return (jnp.tanh(z @ rest["weights"]) - targets) ** 2


def loss_of(head) -> HybridLoss:
    return HybridLoss(outcomes, jnp.asarray(READINGS), head, ("angles",))


def params():
    return jax.tree.map(jnp.asarray, PARAMS)


def call(estimator, head=curved, weights=EVEN, batch=BATCH):
    loss, start = loss_of(head), params()
    state = estimator.init(loss, start)

    def once(key):
        own = jax.tree.map(jnp.asarray, batch)
        return estimator(key, loss, start, own, jnp.asarray(weights), state)[0]

    return once


def exact(head=curved, weights=EVEN):
    def mean(own):
        return jnp.sum(jnp.asarray(weights) * loss_of(head)(own, BATCH))

    return jax.value_and_grad(mean)(params())


def test_exact_shifts_are_autodiff_for_every_part(key):
    value, gradient = exact()
    for estimator in (Autodiff(), ParameterShift(spectra=SPECTRA)):
        report = jax.jit(call(estimator))(key)
        np.testing.assert_allclose(report.value, value, atol=1e-6)
        for name in PARAMS:
            found = report.gradient[name]
            np.testing.assert_allclose(found, gradient[name], atol=1e-5)


def test_padding_counts_neither_in_gradients_nor_in_costs(key):
    weights = np.where(np.arange(POINTS) < 4, 0.25, 0).astype(np.float32)
    few = tuple(part[:4] for part in BATCH)
    for estimator in (Autodiff(), ParameterShift(spectra=SPECTRA), SPSA(0.1)):
        padded = jax.jit(call(estimator, weights=weights))(key)
        short = jax.jit(call(estimator, weights=weights[:4], batch=few))(key)
        for one, other in zip(
            jax.tree.leaves(padded), jax.tree.leaves(short), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)


@functools.cache
def entries(estimator, number, head):
    """The circuit's part of many gradients, and their reports."""
    once = call(estimator, head)
    keys = jax.random.split(jax.random.key(number), number)
    reports = jax.jit(jax.vmap(once))(keys)
    return np.asarray(reports.gradient["angles"], np.float64), reports


ROWS = {
    # name: (estimator, bias as a share of the gradient, number of gradients)
    "shots": (ParameterShift(20, spectra=SPECTRA), 0.0, 600),
    "some parameters": (ParameterShift(entries=2, spectra=SPECTRA), 0.0, 4000),
    "both": (ParameterShift(50, entries=1, spectra=SPECTRA), 0.0, 2000),
    "SPSA": (SPSA(0.01), 0.01, 8000),
    "SPSA, four at once, shots": (SPSA(0.2, num_samples=4, shots=100), 0.05, 1000),
    "some examples": (Subsampled(Autodiff(), 2), 0.0, 4000),
}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_estimates_are_right_on_average_and_a_wrong_scale_is_noticed(name):
    estimator, bias, number = ROWS[name]
    _, gradient = exact(linear)
    found, _ = entries(estimator, number, linear)
    level, size = stats.corrected(SIZE), np.abs(gradient["angles"]).max()

    def worst(samples):
        p_values = []
        for column, truth in zip(samples.T, gradient["angles"], strict=True):
            stderr = column.std(ddof=1) / number**0.5
            gap = max(abs(column.mean() - float(truth)) - bias * size, 0)
            p_values.append(stats.z_p_value(gap, 0.0, stderr))
        return min(p_values)

    assert worst(found) > level
    # A mutant: a factor that is off by a third.
    assert worst(found * 4 / 3) < level


def test_the_reported_spread_is_the_variance():
    estimator, _, number = ROWS["shots"]
    found, reports = entries(estimator, number, linear)
    assert reports.spread.shape == (number, SIZE, 2)
    predicted = np.mean(np.sum(reports.spread, axis=2) / 20, axis=0)
    np.testing.assert_allclose(predicted, found.var(axis=0), rtol=0.25)


def test_more_perturbations_and_common_shots_lower_the_variance():
    alone, four, common = (
        entries(estimator, 500, curved)[0].var(axis=0).sum()
        for estimator in (
            SPSA(0.05, shots=50, common=False),
            SPSA(0.05, num_samples=4, shots=50, common=False),
            SPSA(0.05, shots=50),
        )
    )
    assert four < alone / 3 and common < 0.7 * alone


def test_costs_are_those_of_the_model(key):
    terms, simulated = 2 + 2 + 4 + 2, SIZE * 4  # shorter rules are filled up
    for estimator, circuits, passes, shots in (
        (Autodiff(), POINTS * 2 * (2 * SIZE + 1), 2 * POINTS, 0),
        (Autodiff(passes=3), POINTS * 2 * (2 * SIZE + 1), 3 * POINTS, 0),
        (
            ParameterShift(10, spectra=SPECTRA),
            POINTS * 2 * (terms + 1),
            POINTS * (simulated + 1),
            POINTS * 2 * 10 * (terms + 1),
        ),
        (
            ParameterShift(entries=1),
            POINTS * 2 * 3,
            POINTS * 3,
            0,
        ),
        (SPSA(0.1, num_samples=3, shots=7), POINTS * 12, POINTS * 12, POINTS * 84),
        (Subsampled(Autodiff(), 2), 2 * 2 * (2 * SIZE + 1), 4, 0),
    ):
        cost = jax.jit(call(estimator))(key).cost
        assert (cost.circuits, cost.passes, cost.shots) == (circuits, passes, shots)


def test_a_gradient_is_used_again_while_the_loss_follows_it(key):
    loss, start = loss_of(curved), params()
    estimator = Reused(Autodiff(), tolerance=0.3, radius=0.01, longest=3)
    batch = jax.tree.map(jnp.asarray, BATCH)
    weights = jnp.asarray(EVEN)

    @jax.jit
    def step(own, state):
        return estimator(key, loss, own, batch, weights, state)

    state = estimator.init(loss, start)
    fresh = Autodiff()(key, loss, start, batch, weights, ())[0]
    ages, costs = [], []
    for _ in range(6):  # the parameters stay, so the old gradient stays right
        report, state = step(start, state)
        ages.append(int(state.age))
        costs.append(float(report.cost.circuits))
        np.testing.assert_allclose(
            report.gradient["angles"], fresh.gradient["angles"], atol=1e-6
        )
        np.testing.assert_allclose(report.value, fresh.value, atol=1e-3)
    assert ages == [0, 1, 2, 3, 0, 1]
    full, test = POINTS * 2 * (2 * SIZE + 1), POINTS * 2 * 2
    assert costs == [full, test, test, test, full, test]
    # Far away it no longer fits: the test is paid for, and a new one too.
    moved = jax.tree.map(lambda leaf: leaf + 2.0, start)
    report, state = step(moved, state)
    assert int(state.age) == 0 and float(report.cost.circuits) == full + test


def test_a_plain_loss_has_derivatives_and_perturbations_only(key):
    def plain(own, batch):
        return (own["angles"][0] - batch) ** 2

    batch, weights = jnp.arange(3.0), jnp.full(3, 1 / 3)
    for estimator in (Autodiff(), SPSA(0.1)):
        report, _ = estimator(key, plain, params(), batch, weights, ())
        assert jax.tree.structure(report.gradient) == jax.tree.structure(params())
    with pytest.raises(TypeError, match="`loss` must be a HybridLoss"):
        ParameterShift().init(plain, params())


def test_a_rule_hands_out_shots_inside_one_trace(key):
    rule = GainShots(rate=0.1, lipschitz=15.0, lowest=10, highest=500)
    estimator = ParameterShift(rule, spectra=SPECTRA)
    loss, start, traces = loss_of(curved), params(), []

    @jax.jit
    def step(own_key, state):
        traces.append(1)
        batch = jax.tree.map(jnp.asarray, BATCH)
        return estimator(own_key, loss, start, batch, jnp.asarray(EVEN), state)

    state = estimator.init(loss, start)
    spent = []
    for i in range(3):
        report, state = step(jax.random.fold_in(key, i), state)
        spent.append(float(report.cost.shots))
    assert len(traces) == 1
    first = POINTS * 2 * 10 * (2 + 2 + 4 + 2 + 1)
    assert spent[0] == first and spent[2] > spent[0]


def test_bad_input_is_named(key):
    for make, message in (
        (lambda: SPSA(0.0), "`radius` must be positive"),
        (lambda: SPSA(0.1, num_samples=0), "`num_samples` must be at least 1"),
        (lambda: ParameterShift(0), "`shots` must be at least 1"),
        (
            lambda: ParameterShift(entries=9).init(loss_of(linear), params()),
            r"`entries` must lie in \[1, 4\], but is 9",
        ),
        (lambda: Reused(Autodiff(), tolerance=0.0), "`tolerance` must be positive"),
        (lambda: Subsampled(Autodiff(), 0), "`examples` must be at least 1"),
        (
            lambda: call(Subsampled(Autodiff(), 9))(key),
            r"`examples` must lie in \[1, 6\]",
        ),
        (lambda: FixedShots(0), "`shots` must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
