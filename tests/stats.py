"""Statistical tests with a declared false-alarm rate.

Every statistical test fixes its key, so it cannot fail at random; ALPHA is the rate at
which a correct program would fail if the key were drawn afresh. A test that uses one of
these must also show a mutant that it rejects: otherwise it may have no power.
"""

from typing import Any

import numpy as np
import scipy.stats

ALPHA = 1e-4


def corrected(tests: int, alpha: float = ALPHA) -> float:
    """Bonferroni: the level of each of `tests` tests for a joint level `alpha`."""
    return alpha / tests


def indices(bits: Any) -> np.ndarray:
    """Rows of bits, wire 0 first and most significant, as integers."""
    bits = np.asarray(bits).astype(np.int64)
    return bits @ (2 ** np.arange(bits.shape[1])[::-1])


def counts_p_value(counts: np.ndarray, probs: np.ndarray) -> float:
    """Pearson's chi-squared test of counts against exact probabilities.

    Cells with fewer than five expected counts are merged, as the approximation needs;
    an outcome of probability zero that occurs is an error whatever the others say.
    """
    counts = np.asarray(counts, dtype=np.float64).reshape(-1)
    probs = np.asarray(probs, dtype=np.float64).reshape(-1)
    if np.any(counts[probs < 1e-12] > 0):
        return 0.0
    expected = probs / probs.sum() * counts.sum()
    rare = expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    if expected[-1] < 5:  # the merged rest is still too small: add it to the largest
        largest = np.argmax(expected[:-1])
        observed[largest] += observed[-1]
        expected[largest] += expected[-1]
        observed, expected = observed[:-1], expected[:-1]
    if len(expected) == 1:
        return 1.0
    return float(scipy.stats.chisquare(observed, expected, sum_check=False).pvalue)


def born_rule_p_value(bits: Any, probs: np.ndarray) -> float:
    """`counts_p_value` of sampled bits against the probability of each bit string."""
    probs = np.asarray(probs).reshape(-1)
    return counts_p_value(np.bincount(indices(bits), minlength=probs.size), probs)


def mean_p_value(values: Any, expected: float) -> float:
    """Two-sided z-test of the mean of many independent values against `expected`."""
    values = np.asarray(values, dtype=np.float64).reshape(-1)
    stderr = values.std(ddof=1) / np.sqrt(values.size)
    return z_p_value(values.mean(), expected, stderr)


def z_p_value(estimate: float, expected: float, stderr: float) -> float:
    """Two-sided p-value of (estimate - expected) / stderr under a normal law."""
    if stderr == 0:
        return float(np.isclose(estimate, expected))
    return float(2 * scipy.stats.norm.sf(abs(estimate - expected) / stderr))


def binomial_p_value(successes: int, trials: int, probability: float) -> float:
    """Exact two-sided binomial test."""
    return float(scipy.stats.binomtest(successes, trials, probability).pvalue)
