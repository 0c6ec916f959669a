"""Monte-Carlo tests as counts of Bernoulli trials, with their exact error rates.

A test runs a structure, counts answers, turns the counts into confidence limits and
evaluates the statement at the limits that favour it. Because only counts enter, the
probability that it raises an alarm can be summed exactly, for the true statement (false
alarms) and for a mutant (power), instead of being hoped for.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats
import sympy as sp
from numpy.typing import NDArray

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.information import evaluate_batch

Counts = tuple[int, ...]
Limits = Callable[[Sequence[Any]], Mapping[str, Any]]

NEGLECTED = 1e-13
"""Probability of counts that an enumeration leaves out; it is added to the result."""


@dataclasses.dataclass(frozen=True)
class BernoulliTest:
    """A Monte-Carlo instance: what is counted, and what the counts are worth.

    It is called as (key, shots, confidence) and returns values at which the statement
    holds if every rate lies within its limit, which has that confidence.

    Attributes:
        rates: Returns the true probabilities of the counted answers, simulated.
        count: (key, shots) -> how many of the shots gave each counted answer.
        sides: For each rate "lower" or "upper": the limit that favours the statement.
        values: Limits, as numbers or arrays -> values by symbol name.
    """

    rates: Callable[[], Sequence[float]]
    count: Callable[[Key, int], Counts]
    sides: tuple[str, ...]
    values: Limits

    def __post_init__(self):
        known = bool(self.sides) and all(side in LIMITS for side in self.sides)
        require(known, "sides", f"be one or more of {sorted(LIMITS)}", self.sides)

    def __call__(self, key: Key, shots: int, confidence: float) -> Mapping[str, Any]:
        counts = self.count(key, shots)
        limits = [
            float(clopper_pearson_limit(count, shots, confidence, side))
            for count, side in zip(counts, self.sides, strict=True)
        ]
        return self.values(limits)


def clopper_pearson_limit(
    count: NDArray | int, shots: int, confidence: float, side: str
) -> NDArray[np.float64]:
    """One end of the two-sided Clopper-Pearson interval, for an array of counts.

    Args:
        count: Successes, 0 to `shots`, any shape.
        shots: Trials.
        confidence: Of the two-sided interval.
        side: "lower" or "upper".

    Source: Clopper and Pearson, Biometrika 26, 404 (1934).

    Example:
        >>> from qjax.bounds.sampling import clopper_pearson_limit
        >>> round(float(clopper_pearson_limit(0, 10, 0.95, "upper")), 4)
        0.3085
    """
    return LIMITS[side](np.asarray(count), shots, (1 - confidence) / 2)


def _lower(count: NDArray, shots: int, tail: float) -> NDArray[np.float64]:
    safe = np.maximum(count, 1)
    found = scipy.stats.beta.ppf(tail, safe, shots - safe + 1)
    return np.where(count > 0, found, 0.0)


def _upper(count: NDArray, shots: int, tail: float) -> NDArray[np.float64]:
    safe = np.minimum(count, shots - 1)
    found = scipy.stats.beta.isf(tail, safe + 1, shots - safe)
    return np.where(count < shots, found, 1.0)


LIMITS = {"lower": _lower, "upper": _upper}


def alarm_probability(
    relation: sp.Rel,
    test: BernoulliTest,
    shots: int,
    confidence: float,
    rates: Sequence[float] | None = None,
) -> float:
    """Exact probability that a Monte-Carlo test refutes a statement.

    sum over counts of prod_i Bin(k_i; shots, p_i) [the statement fails at the limits].
    Counts outside of a window of total probability `NEGLECTED` are left out, and that
    number is added, so that the result is an upper bound of a false alarm and at most
    `NEGLECTED` above it.

    Args:
        relation: The bound's statement, or a mutant's.
        test: What is counted.
        shots: Trials of each rate.
        confidence: Of every limit.
        rates: True rates; by default simulated by the test.

    Returns:
        A probability.

    Source: theory of bounds, section 7 (estimator and interval).

    Example:
        >>> import sympy as sp
        >>> from qjax.bounds.sampling import BernoulliTest, alarm_probability
        >>> p = sp.Symbol("p", nonnegative=True)
        >>> coin = BernoulliTest(lambda: (0.5,), lambda key, shots: (0,), ("lower",),
        ...                      lambda limits: {"p": limits[0]})
        >>> at_most_half = sp.Le(p, sp.Rational(1, 2))
        >>> 0 < alarm_probability(at_most_half, coin, 100, 0.9) < 0.05
        True
        >>> alarm_probability(sp.Le(p, sp.Rational(1, 10)), coin, 100, 0.9) > 0.999
        True
    """
    true_rates = tuple(test.rates() if rates is None else rates)
    axes, weights = [], []
    for rate in true_rates:
        counts, mass = _window(rate, shots, NEGLECTED / (2 * len(true_rates)))
        axes.append(counts)
        weights.append(mass)
    limits = [
        clopper_pearson_limit(counts, shots, confidence, side)
        for counts, side in zip(axes, test.sides, strict=True)
    ]
    grid = [axis.ravel() for axis in np.meshgrid(*limits, indexing="ij")]
    mass = functools.reduce(np.multiply.outer, weights).ravel()
    failed = ~(_slack(relation, test.values(grid), len(mass)) >= -1e-12)
    return float(mass[failed].sum()) + NEGLECTED


def _window(rate: float, shots: int, tail: float) -> tuple[NDArray, NDArray]:
    """Counts that carry all but two tails of the binomial, and their probabilities."""
    rate = min(max(rate, 0.0), 1.0)
    law = scipy.stats.binom(shots, rate)
    low, high = (int(law.ppf(tail)), int(law.isf(tail))) if 0 < rate < 1 else (0, 0)
    if rate >= 1:
        low = high = shots
    counts = np.arange(max(low - 1, 0), min(high + 1, shots) + 1)
    return counts, law.pmf(counts)


def _slack(relation: sp.Rel, values: Mapping[str, Any], size: int) -> NDArray:
    arrays = {
        name: np.broadcast_to(np.asarray(value, np.float64), size)
        for name, value in values.items()
    }
    left = np.broadcast_to(evaluate_batch(relation.lhs, arrays), size)
    right = np.broadcast_to(evaluate_batch(relation.rhs, arrays), size)
    return left - right if isinstance(relation, sp.GreaterThan) else right - left
