"""Metrics from shots: unbiased, with right errors, for shared parameters too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, crx, cx, ry, rz
from qjax.geometry import metric_tensor, random_metric, sampled_metric
from qjax.geometry.sampled import _terms
from qjax.gradients import frequencies
from qjax.simulate import run
from qjax.states import StateVector
from tests import stats

ANGLES = np.asarray([0.4, -1.1, 0.8])


def circuit(x) -> Circuit:
    """The first parameter turns two gates, the last one a controlled gate."""
    turns = [ry(x[0], 0), ry(x[0], 1), rz(x[1], 1), cx(0, 1)]
    return Circuit([*turns, ry(0.3, 0), crx(x[2], 0, 1)], 2)


def plain(x) -> Circuit:
    """Rotations with their own parameters: two terms each."""
    return Circuit([ry(x[0], 0), ry(x[1], 1), cx(0, 1), rz(x[2], 1), ry(0.3, 1)], 2)


def state_of(builder):
    return lambda x: run(builder(x), StateVector.zeros(2))


def spectra(builder):
    return frequencies(builder, np.zeros(3))


@pytest.mark.x64
@pytest.mark.parametrize("builder", [circuit, plain])
def test_the_rule_is_exact_on_exact_fidelities(builder):
    state, angles = state_of(builder), ANGLES
    fidelity = jax.jit(
        lambda x: jnp.abs(jnp.vdot(state(angles).vector(), state(x).vector())) ** 2
    )
    pairs, shifts, factors, known = _terms(spectra(builder))
    found = np.diag(known)
    for (i, j), (s, t), factor in zip(pairs.T, shifts, factors, strict=True):
        moved = angles.copy()
        moved[i] += s
        moved[j] += t
        found[i, j] += factor * fidelity(moved)
    found = np.triu(found) + np.triu(found, 1).T
    expected = metric_tensor(state, jnp.asarray(ANGLES))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def p_values(samples: np.ndarray, exact: np.ndarray) -> list[float]:
    upper = np.argwhere(np.triu(np.ones_like(exact)) > 0)
    return [stats.mean_p_value(samples[:, i, j], float(exact[i, j])) for i, j in upper]


@pytest.mark.parametrize("builder", [circuit, plain])
def test_sampled_metric_is_unbiased_and_a_wrong_rule_is_noticed(builder, getkey):
    state = state_of(builder)
    exact = np.asarray(metric_tensor(state, ANGLES))

    def draw(rules):
        def one(key):
            return sampled_metric(key, state, ANGLES, 40, spectra=rules)

        return jax.jit(jax.vmap(one))(jax.random.split(getkey(), 1000))

    rules, level = spectra(builder), stats.corrected(6)
    found = draw(rules)
    assert min(p_values(np.asarray(found.mean), exact)) > level
    # The errors are those of the spread.
    spread = np.asarray(found.mean).std(axis=0)
    typical = np.sqrt(np.mean(np.asarray(found.stderr) ** 2, axis=0))
    np.testing.assert_allclose(typical, spread, rtol=0.12, atol=1e-4)
    # A mutant: the fidelity with a shift too short by a tenth.
    wrong = tuple(tuple(1.1 * f for f in entry) for entry in rules)
    assert min(p_values(np.asarray(draw(wrong).mean), exact)) < level


def test_two_term_rules_take_2_p_squared_circuits(key):
    found = sampled_metric(key, state_of(plain), ANGLES, 10)
    assert found.shots == 10 * 2 * 3**2
    np.testing.assert_array_equal(found.mean, found.mean.T)
    few = sampled_metric(key, state_of(plain), ANGLES, 10, batch_size=4)
    np.testing.assert_allclose(few.mean, found.mean, atol=1e-6)


@pytest.mark.parametrize("shots", [None, 200])
def test_random_directions_are_unbiased_and_a_wrong_sign_is_noticed(shots, getkey):
    state = state_of(circuit)
    exact = np.asarray(metric_tensor(state, ANGLES))
    radius, number = (0.02 if shots is None else 0.2), 4000

    def one(key):
        found = random_metric(
            key, state, ANGLES, radius=radius, num_samples=1, shots=shots
        )
        return found.mean

    samples = np.asarray(jax.jit(jax.vmap(one))(jax.random.split(getkey(), number)))
    level = stats.corrected(6)
    bias = 0.03 if shots else 2e-3  # of second order in the radius
    upper = np.argwhere(np.triu(np.ones((3, 3))) > 0)

    def worst(values: np.ndarray) -> float:
        found = []
        for i, j in upper:
            column = values[:, i, j]
            stderr = column.std(ddof=1) / number**0.5
            gap = max(abs(column.mean() - exact[i, j]) - bias, 0)
            found.append(stats.z_p_value(gap, 0.0, stderr))
        return min(found)

    assert worst(samples) > level
    # A mutant: twice the radius in the denominator.
    assert worst(samples / 2) < level


def test_cost_and_errors_of_random_directions(key):
    state = state_of(plain)
    found = random_metric(
        key, state, ANGLES, radius=0.1, num_samples=5, shots=10, batch_size=2
    )
    assert found.shots == 4 * 5 * 10
    assert np.all(np.isfinite(found.stderr))
    exact = random_metric(key, state, ANGLES, radius=0.1, num_samples=1)
    assert exact.shots == 0 and np.all(np.isnan(exact.stderr))


def test_bad_input_is_named(key):
    state = state_of(plain)
    with pytest.raises(ValueError, match="`shots` must be at least 2, but is 1"):
        sampled_metric(key, state, ANGLES, 1)
    with pytest.raises(ValueError, match="`spectra` must hold numbers, or 3 seq"):
        sampled_metric(key, state, ANGLES, 10, spectra=((1.0,),))
    with pytest.raises(ValueError, match="`radius` must be positive"):
        random_metric(key, state, ANGLES, radius=0.0, num_samples=1)
    with pytest.raises(ValueError, match="`num_samples` must be at least 1"):
        random_metric(key, state, ANGLES, radius=0.1, num_samples=0)
    with pytest.raises(ValueError, match="`shots` must be at least 1"):
        random_metric(key, state, ANGLES, radius=0.1, num_samples=1, shots=0)
