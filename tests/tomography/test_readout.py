"""Readout tomography: rates, intervals that cover, correlations; bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from qjax.noise import ReadoutConfusion
from qjax.statistics import clopper_pearson
from qjax.tomography import (
    fit_readout,
    fit_readout_matrix,
    readout_circuits,
    sample_counts,
)
from tests import stats
from tests.compiling import quick_jit

CONFUSION = ReadoutConfusion(np.asarray([0.02, 0.1]), np.asarray([0.05, 0.3]))
ENDS = np.asarray([[0, 0], [1, 1]])


def correlated_matrix() -> np.ndarray:
    """Errors of two wires that happen together: no product of two matrices."""
    rates = np.asarray(CONFUSION.matrix(), float)
    both = np.eye(4)[::-1]  # both bits flipped
    return 0.9 * rates + 0.1 * both


def repeated(key, states, readout, shots, number):
    stack = readout_circuits(2, states)
    many = jax.vmap(lambda own: sample_counts(own, stack, (0, 1), shots, readout))
    return np.asarray(quick_jit(many)(jax.random.split(key, number)))


def test_rates_of_each_wire_are_recovered_within_error_bars(key):
    """Chi-squared of 400 experiments; error bars a factor 2 too small are rejected."""
    counts = repeated(key, ENDS, CONFUSION, 1000, 400)

    @quick_jit
    @jax.vmap
    def fitted(one):
        found = fit_readout(one, ENDS)
        rates = jnp.stack([found.confusion.p01, found.confusion.p10], axis=1)
        return rates, found.stderr()

    rates, errors = (np.asarray(values, float) for values in fitted(counts))
    truth = np.stack([CONFUSION.p01, CONFUSION.p10], axis=1)
    chi2 = ((rates - truth) / errors) ** 2

    def p_value(sums: np.ndarray) -> float:
        law = scipy.stats.chi2(sums.size)
        return float(2 * min(law.sf(sums.sum()), law.cdf(sums.sum())))

    assert p_value(chi2) > stats.ALPHA
    assert p_value(4 * chi2) < stats.ALPHA
    assert p_value(chi2 / 4) < stats.ALPHA


def test_intervals_cover_the_rates(key):
    """Of 200 exact intervals at least 95 % must; those of half the width do not."""
    truth = np.stack([CONFUSION.p01, CONFUSION.p10], axis=1)
    covered, covered_half = [], []
    for one in repeated(key, ENDS, CONFUSION, 300, 50):
        ends = fit_readout(one, ENDS).intervals(0.95)
        middle, radius = ends.mean(axis=-1), np.diff(ends, axis=-1)[..., 0] / 2
        covered.append(abs(middle - truth) <= radius)
        covered_half.append(abs(middle - truth) <= radius / 2)

    def enough(hits: list) -> bool:
        total = np.size(hits)
        law = scipy.stats.binom(total, 0.95)
        return bool(law.cdf(np.sum(hits)) > stats.ALPHA)

    assert enough(covered) and not enough(covered_half)


def test_wires_are_not_exchanged(key):
    found = fit_readout(jnp.asarray(repeated(key, ENDS, CONFUSION, 20000, 1)[0]), ENDS)
    np.testing.assert_allclose(found.confusion.p01, CONFUSION.p01, atol=0.01)
    np.testing.assert_allclose(found.confusion.p10, CONFUSION.p10, atol=0.02)
    np.testing.assert_allclose(found.matrix(), CONFUSION.matrix(), atol=0.02)


@pytest.mark.parametrize("states", [ENDS, np.asarray([[0, 1], [1, 0], [0, 0]])])
def test_trials_and_misreadings_are_those_of_the_counts(states, key):
    counts = repeated(key, states, CONFUSION, 50, 1)[0]
    found = fit_readout(jnp.asarray(counts), states)
    for wire in (0, 1):
        for value in (0, 1):
            rows = [i for i, bits in enumerate(states) if bits[wire] == value]
            wrong = sum(
                counts[i][outcome]
                for i in rows
                for outcome in range(4)
                if (outcome >> (1 - wire)) & 1 != value
            )
            assert int(found.misread[wire, value]) == wrong
            assert int(found.trials[wire, value]) == 50 * len(rows)
    interval = found.intervals(0.9)[0, 1]
    expected = clopper_pearson(int(found.misread[0, 1]), int(found.trials[0, 1]), 0.9)
    np.testing.assert_allclose(interval, expected)


def test_correlated_readout_is_seen_by_the_full_matrix_only(key):
    """z-scores of all 16 entries; the product of the wires' matrices is rejected."""
    exact = correlated_matrix()
    counts = repeated(key, None, jnp.asarray(exact), 2000, 1)[0]
    full = fit_readout_matrix(jnp.asarray(counts))
    scores = (np.asarray(full.matrix()) - exact) / np.asarray(full.stderr())
    level = stats.corrected(16)
    assert min(stats.z_p_value(z, 0, 1) for z in scores.ravel()) > level
    bits = np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]])
    product = np.asarray(fit_readout(jnp.asarray(counts), bits).matrix())
    gaps = (np.asarray(full.matrix()) - product) / np.asarray(full.stderr())
    assert min(stats.z_p_value(z, 0, 1) for z in gaps.ravel()) < level
    ends = full.intervals(1 - level)
    assert np.all((ends[..., 0] <= exact) & (exact <= ends[..., 1]))
    wilson = full.intervals(0.95, "wilson")
    assert np.all(np.diff(wilson) <= np.diff(full.intervals(0.95)))


def test_covariance_of_the_matrix_is_that_of_many_estimates(key):
    counts = repeated(key, np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]]), CONFUSION, 400,
                      1500)  # fmt: skip
    bits = np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]])
    fits = (
        lambda one: fit_readout(one, bits),
        lambda one: fit_readout_matrix(one),
    )
    for fit in fits:
        matrices = quick_jit(jax.vmap(lambda one, f=fit: f(one).matrix()))(counts)
        sampled = np.cov(np.asarray(matrices, float).reshape(len(counts), 16).T)
        predicted = np.asarray(fit(counts[0]).matrix_covariance()).reshape(16, 16)
        scale = np.sqrt(np.outer(np.diag(sampled), np.diag(sampled)))
        assert abs(predicted - sampled).max() < 0.2 * scale.max()
        assert abs(predicted / 2 - sampled).max() > 0.2 * scale.max()  # the mutant


def test_an_outcome_never_seen_keeps_an_error_bar():
    found = fit_readout(jnp.asarray([[100, 0], [0, 100]]), np.asarray([[0], [1]]))
    assert np.all(np.asarray(found.stderr()) > 0.004)
    assert found.intervals()[0, 0, 1] > 0.03


def test_readout_arguments_that_do_not_fit_are_refused():
    counts = jnp.ones((2, 4), int)
    with pytest.raises(ValueError, match="`states` must prepare every wire as 0 and"):
        fit_readout(counts, np.asarray([[0, 0], [1, 0]]))
    with pytest.raises(ValueError, match="`states` must hold bits"):
        fit_readout(counts, np.asarray([[0, 0], [2, 1]]))
    with pytest.raises(ValueError, match=r"`counts` must have shape \(2, 2\)"):
        fit_readout(counts, np.asarray([[0], [1]]))
    with pytest.raises(ValueError, match=r"`counts` must have shape \(2\^n, 2\^n\)"):
        fit_readout_matrix(counts)
    with pytest.raises(ValueError, match="`method` must be one of"):
        fit_readout(counts, ENDS).intervals(method="wald")
    with pytest.raises(ValueError, match="`confidence` must lie in"):
        fit_readout(counts, ENDS).intervals(1.5)
    with pytest.raises(ValueError, match="`num_wires` must be at least 1"):
        readout_circuits(0)
    with pytest.raises(ValueError, match="`states` must have 3 columns"):
        readout_circuits(3, ENDS)
