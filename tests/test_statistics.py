"""Intervals and unbiased gradients, by enumeration of all outcomes."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from qjax.statistics import (
    clopper_pearson,
    empirical_bernstein_radius,
    hoeffding_radius,
    mean_and_stderr,
    score_function_mean,
    wilson,
)

RATES = (0.02, 0.3, 0.5, 0.9)


def coverage(trials: int, rate: float, interval) -> float:
    """Exact probability that the interval of a binomial count holds the rate."""
    counts = np.arange(trials + 1)
    ends = [interval(int(count)) for count in counts]
    inside = [low <= rate <= high for low, high in ends]
    return float(scipy.stats.binom.pmf(counts, trials, rate)[inside].sum())


def around_the_mean(trials: int, radius):
    """The interval mean +- radius(sample) of a sample of zeros and ones."""

    def interval(count: int) -> tuple[float, float]:
        sample = np.arange(trials) < count
        width = radius(sample.astype(float))
        return count / trials - width, count / trials + width

    return interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 10), (10, 10)])
def test_clopper_pearson_ends_have_half_the_error_in_each_tail(successes, trials):
    low, high = clopper_pearson(successes, trials, 0.9)
    binom = scipy.stats.binom
    if successes > 0:
        assert binom.sf(successes - 1, trials, low) == pytest.approx(0.05)
    else:
        assert low == 0
    if successes < trials:
        assert binom.cdf(successes, trials, high) == pytest.approx(0.05)
    else:
        assert high == 1


@pytest.mark.parametrize("rate", RATES)
def test_clopper_pearson_never_undershoots_its_coverage(rate):
    assert coverage(40, rate, lambda k: clopper_pearson(k, 40, 0.9)) >= 0.9


def test_a_clopper_pearson_mutant_with_doubled_error_undershoots():
    mutant = [coverage(40, p, lambda k: clopper_pearson(k, 40, 0.8)) for p in RATES]
    assert min(mutant) < 0.9


@pytest.mark.parametrize(("successes", "trials"), [(0, 12), (5, 12), (12, 12)])
def test_wilson_inverts_the_score_test(successes, trials):
    z = scipy.stats.norm.ppf(0.975)
    for end in wilson(successes, trials, 0.95):
        if 1e-12 < end < 1 - 1e-12:
            distance = abs(successes / trials - end)
            error = math.sqrt(end * (1 - end) / trials)
            assert distance / error == pytest.approx(z)


@pytest.mark.parametrize("rate", RATES)
def test_hoeffding_and_empirical_bernstein_cover_and_their_mutants_do_not(rate):
    trials, confidence = 60, 0.9
    radii = {
        "hoeffding": lambda sample: hoeffding_radius(trials, confidence),
        "bernstein": lambda sample: empirical_bernstein_radius(sample, confidence),
    }
    for radius in radii.values():
        assert coverage(trials, rate, around_the_mean(trials, radius)) >= confidence
    if rate == 0.5:
        for radius in radii.values():
            short = around_the_mean(trials, lambda sample, r=radius: r(sample) / 4)
            assert coverage(trials, rate, short) < confidence


def test_radii_scale_with_the_width_of_the_range():
    sample = np.asarray([0.0, 1.0, 1.0, 0.0])
    assert hoeffding_radius(4, 0.9, 3.0) == pytest.approx(3 * hoeffding_radius(4, 0.9))
    wide = empirical_bernstein_radius(3 * sample, 0.9, 3.0)
    assert wide == pytest.approx(3 * empirical_bernstein_radius(sample, 0.9))


def test_mean_and_stderr_are_the_textbook_ones():
    sample = np.asarray([0.3, -1.2, 2.5, 0.7], np.float32)
    result = mean_and_stderr(jnp.asarray(sample))
    assert float(result.mean) == pytest.approx(sample.mean(), rel=1e-6)
    expected = scipy.stats.sem(sample)
    assert float(result.stderr) == pytest.approx(expected, rel=1e-6)
    assert result.shots == 4
    assert np.isnan(mean_and_stderr(jnp.ones(1)).stderr)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_score_function_mean_is_unbiased_over_all_outcomes(count):
    """E over all bit strings of the gradient of the mean of f = t x is d(t p)/dt."""
    rate, strings = 0.3, np.asarray(list(itertools.product((0.0, 1.0), repeat=count)))
    bits = jnp.asarray(strings, jnp.float32)

    def log_probs(p, x):
        return jnp.where(x == 1, jnp.log(p), jnp.log1p(-p))

    def ours(p, x):
        return score_function_mean(p * x, log_probs(p, x))

    def own_sample_in_the_baseline(p, x):
        values = p * x
        weight = jax.lax.stop_gradient(values - jnp.mean(values))
        return jnp.mean(values + weight * log_probs(p, x))

    def expected_gradient(estimator):
        slopes = jax.vmap(jax.grad(estimator), in_axes=(None, 0))(rate, bits)
        weights = np.prod(np.where(strings == 1, rate, 1 - rate), axis=1)
        return float(weights @ np.asarray(slopes, np.float64))

    # d(p * p)/dp = 2 p: half through the values, half through the probabilities.
    assert expected_gradient(ours) == pytest.approx(2 * rate, abs=1e-5)
    assert expected_gradient(own_sample_in_the_baseline) < 2 * rate - 0.05


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: clopper_pearson(1, 0), "trials"),
        (lambda: clopper_pearson(3, 2), "successes"),
        (lambda: wilson(1, 2, 1.0), "confidence"),
        (lambda: hoeffding_radius(1, 0.9, 0.0), "width"),
        (lambda: empirical_bernstein_radius(np.ones(1), 0.9), "samples"),
    ],
)
def test_arguments_out_of_range_are_named(call, argument):
    with pytest.raises(ValueError, match=f"`{argument}` must"):
        call()
