"""Sampled sketches: interval tests at a declared error level, and rejected mutants.

An equation is tested by an interval that covers the true mean with probability at least
1 - LEVEL: the law must lie inside, the mutant outside. All hyperplanes, noise
trajectories and shots are drawn.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.bounds.sketches.sign_sketches import SketchNoise
from qjax.bounds.sketches.sketch_laws import (
    local_swap_mean,
    overlap_mean,
    quadrature_mean,
    sign_disagreement,
)
from qjax.bounds.sketches.sketch_sampling import (
    hyperplane_signs,
    measured_outcomes,
    vector_pair,
)
from qjax.bounds.sketches.sketch_variances import (
    conditional_variance,
    quadrature_variance,
    swap_variance,
)
from qjax.statistics import empirical_bernstein_radius, hoeffding_radius

LEVEL = 1e-6
THETA = 1.2


def _draw(key, s, samples, m, g, **options):
    plane_key, shot_key = jax.random.split(key)
    vectors = jnp.asarray(vector_pair(s, 6))
    signs = hyperplane_signs(plane_key, vectors, samples, m * g)
    return np.asarray(measured_outcomes(shot_key, signs, THETA, m, **options))


def _mean_interval(samples: np.ndarray, width: float) -> tuple[float, float]:
    """The shorter of two intervals that hold together with 1 - LEVEL."""
    each = 1 - LEVEL / 2
    radius = min(
        hoeffding_radius(len(samples), each, width),
        empirical_bernstein_radius(samples, each, width),
    )
    mean = float(np.mean(samples))
    return mean - radius, mean + radius


def test_the_mean_fidelity_is_not_that_of_the_mean_distance_nor_linear(key):
    s, m = 0.0, 2
    outcomes = _draw(key, s, 6000, m, 1, readout="swap")[:, 0]
    low, high = _mean_interval(outcomes, 2.0)
    assert low < float(overlap_mean(s, THETA, m, 1)) < high
    delta = float(sign_disagreement(s))
    jensen = (math.cos(THETA) ** 2) ** (m * delta)  # M20
    assert not low < jensen < high
    literal = m * math.sin(THETA) * s  # M17
    assert not low < literal < high


def test_the_total_variance_is_not_the_conditional_one(key):
    s, m, c = 0.5, 2, 8
    means = _draw(key, s, 3000, m, 1, readout="swap", shots=c).mean(axis=1)
    # Half the squared difference of two independent values: unbiased, in [0, 2].
    halves = (means[::2] - means[1::2]) ** 2 / 2
    low, high = _mean_interval(halves, 2.0)
    assert low < float(swap_variance(s, THETA, m, 1, c)) < high
    mean = float(overlap_mean(s, THETA, m, 1))
    conditional = float(conditional_variance(mean, c))  # M18
    assert not low < conditional < high


@pytest.mark.slow
@pytest.mark.parametrize("s", [0.9, -0.6])
def test_the_quadrature_readout_follows_the_arcsine_under_noise(s, key):
    m, g = 2, 2
    noise = SketchNoise(survival=0.9, layers=1)
    outcomes = _draw(key, s, 6000, m, g, readout="quadrature", noise=noise)[:, 0]
    low, high = _mean_interval(outcomes, 2.0 * m * g)
    assert low < float(quadrature_mean(s, THETA, m, g, noise)) < high
    crowded = float(quadrature_mean(s, THETA, m, 1, noise)) * g  # no cos^(g-1)
    assert not low < crowded < high
    spread = _mean_interval(
        (outcomes[::2] - outcomes[1::2]) ** 2 / 2, 2.0 * (m * g) ** 2
    )
    assert spread[0] < float(quadrature_variance(s, THETA, m, g, noise)) < spread[1]


@pytest.mark.slow
def test_the_local_swap_sum_is_measured_by_bell_measurements(key):
    s, m, g = 0.3, 2, 1
    outcomes = _draw(key, s, 4000, m, g, readout="local swap")[:, 0]
    low, high = _mean_interval(outcomes, 2.0 * m)
    assert low < float(local_swap_mean(s, THETA, m, g)) < high
    product = m * float(overlap_mean(s, THETA, m, g))
    assert not low < product < high


def test_an_unknown_readout_is_named(key):
    a = jnp.asarray([[1, 1]])
    with pytest.raises(ValueError, match="`readout` must be one of"):
        measured_outcomes(key, (a, a), 0.3, 2, readout="parity")
