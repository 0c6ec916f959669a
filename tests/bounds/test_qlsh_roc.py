"""ROC curves of sketches: brute force, a linear program, and pointwise dominance."""

import itertools
import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from qjax.bounds.sketches.sketch_laws import overlap_mean
from qjax.bounds.sketches.sketch_roc import (
    best_power,
    gaussian_auc,
    mixture_roc,
    simhash_roc,
    swap_test_roc,
)
from qjax.bounds.sketches.sketch_variances import conditional_variance, swap_variance


def test_areas_of_the_theory_of_bounds():
    areas = [simhash_roc(k, 0.5, 0.8).auc() for k in (16, 64, 256)]
    assert areas == pytest.approx([0.7928, 0.9503, 0.9995], abs=5e-5)
    quantum = [swap_test_roc(16, 0.35, 0.5, 0.8, c).auc() for c in (100, 10_000)]
    assert quantum == pytest.approx([0.7588, 0.7928], abs=5e-5)
    blind = swap_test_roc(64, math.pi / 2, 0.5, 0.8, 100).auc()
    assert blind == pytest.approx(0.5, abs=1e-6) and blind > 0.5


@pytest.mark.x64
def test_gaussian_areas_with_and_without_the_hyperplanes():
    for c, exact in ((100, 0.7588), (10_000, 0.7928)):
        means, total, conditional = [], [], []
        for s in (0.5, 0.8):
            means.append(float(overlap_mean(s, 0.35, 16, 1)))
            total.append(float(swap_variance(s, 0.35, 16, 1, c)))
            conditional.append(float(conditional_variance(means[-1], c)))
        honest = gaussian_auc((means[0], means[1]), (total[0], total[1]))
        claimed = gaussian_auc((means[0], means[1]), (conditional[0], conditional[1]))
        assert honest == pytest.approx(exact, abs=0.003)
        assert claimed > exact + 0.14
        if c == 100:
            assert honest == pytest.approx(0.7593, abs=5e-5)
            assert claimed == pytest.approx(0.908, abs=5e-4)


def test_the_curve_agrees_with_a_sum_over_all_patterns_and_outcomes():
    k, theta, c = 3, 0.9, 4
    roc = swap_test_roc(k, theta, 0.2, 0.7, c)
    for point, threshold in enumerate(range(c + 1, -1, -1)):
        for s, curve in ((0.2, roc.false_positive), (0.7, roc.true_positive)):
            delta, total = math.acos(s) / math.pi, 0.0
            for a, b in itertools.product(
                itertools.product((1, -1), repeat=k), repeat=2
            ):
                h = sum(x != y for x, y in zip(a, b, strict=True))
                weight = delta**h * (1 - delta) ** (k - h) / 2**k
                plus = (1 + np.cos(theta) ** (2 * h)) / 2
                total += weight * scipy.stats.binom.sf(threshold - 1, c, plus)
            assert curve[point] == pytest.approx(total, abs=1e-13)


def test_best_power_is_the_optimum_of_the_linear_program():
    k, low, high = 5, 0.4, 0.15
    h = np.arange(k + 1)
    sizes, gains = (scipy.stats.binom.pmf(h, k, d) for d in (low, high))
    for rate in (0.0, 0.01, 0.2, 0.5, 0.9, 1.0):
        program = scipy.optimize.linprog(
            -gains, A_eq=sizes[None], b_eq=[rate], bounds=[(0, 1)] * (k + 1)
        )
        assert float(best_power(rate, k, low, high)) == pytest.approx(-program.fun)
    assert float(best_power(0.0, k, low, 0.0)) == 0.0
    assert float(best_power(low, 1, 1.0, high)) == pytest.approx(1 - high + high * low)


@pytest.mark.parametrize("k", [1, 4, 16])
@pytest.mark.parametrize("theta", [0.1, 0.35, 1.0, math.pi / 2])
@pytest.mark.parametrize("c", [1, 10, 300])
def test_every_point_of_the_quantum_curve_lies_below_the_classical_one(k, theta, c):
    classical = simhash_roc(k, 0.5, 0.8)
    roc = swap_test_roc(k, theta, 0.5, 0.8, c)
    reachable = classical.power(roc.false_positive)
    assert np.all(roc.true_positive <= reachable + 1e-12)
    assert roc.auc() <= classical.auc() + 1e-12
    if k == 1:  # equality, at every number of trials
        np.testing.assert_allclose(roc.true_positive, reachable, atol=1e-12)
    # Fewer classical signs are beaten once the shots reveal more than they do.
    if k == 16 and c == 300 and theta == 0.35:
        fewer = simhash_roc(8, 0.5, 0.8).power(roc.false_positive)
        assert np.any(roc.true_positive > fewer + 0.01)


def test_sketches_without_information_give_the_diagonal():
    roc = mixture_roc(1.0, 6, 0.1, 0.9, 5)
    np.testing.assert_allclose(roc.true_positive, roc.false_positive)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`low` must lie below high"):
        simhash_roc(4, 0.5, 0.5)
    with pytest.raises(ValueError, match="`overlap` must lie in"):
        mixture_roc(1.5, 4, 0.1, 0.5, 3)
    with pytest.raises(ValueError, match="`cosine` must lie in"):
        simhash_roc(4, 0.5, 1.5)
    with pytest.raises(ValueError, match="`variances` must not both be 0"):
        gaussian_auc((0.0, 1.0), (0.0, 0.0))
