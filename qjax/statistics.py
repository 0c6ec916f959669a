"""Estimates with error bars, confidence intervals, and unbiased gradients of means."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
from jaxtyping import Array, Float, Int

from qjax._checks import require


class Estimate(eqx.Module):
    """A sampled number with its error bar.

    Attributes:
        mean: Estimated value.
        stderr: Standard error of `mean`.
        shots: Number of measurements spent. Static.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.statistics import Estimate
        >>> Estimate(jnp.asarray(0.5), jnp.asarray(0.1), 25).shots
        25
    """

    mean: Float[Array, "*batch"]
    stderr: Float[Array, "*batch"]
    shots: int = eqx.field(static=True)


class Moments(eqx.Module):
    """Count, mean and spread of samples, merged batch by batch without a long sum.

    Attributes:
        count: Number of samples S.
        mean: Their mean m.
        squares: sum_s (x_s - m)^2.

    Source: Chan, Golub and LeVeque, Am. Stat. 37, 242 (1983), eq. 2.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.statistics import Moments
        >>> parts = Moments.of(jnp.asarray([0.0])), Moments.of(jnp.asarray([1.0, 2.0]))
        >>> both = parts[0].merge(parts[1])
        >>> float(both.mean), round(float(both.stderr()), 4)
        (1.0, 0.5774)
    """

    count: Int[Array, ""]
    mean: Float[Array, "*batch"]
    squares: Float[Array, "*batch"]

    @classmethod
    def of(cls, samples: Float[Array, "s *batch"]):
        """Return the moments of samples along the first axis."""
        mean = jnp.mean(samples, axis=0)
        squares = jnp.sum((samples - mean[None]) ** 2, axis=0)
        return cls(jnp.asarray(samples.shape[0], jnp.int32), mean, squares)

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets of samples together; one may be empty."""
        count = self.count + other.count
        share = (other.count / jnp.maximum(count, 1)).astype(self.mean.dtype)
        gap = other.mean - self.mean
        between = gap**2 * share * self.count.astype(share.dtype)
        squares = self.squares + other.squares + between
        return Moments(count, self.mean + gap * share, squares)

    def stderr(self) -> Float[Array, "*batch"]:
        """Return s / sqrt(S) with the unbiased s; NaN for fewer than two samples."""
        count = self.count.astype(self.mean.dtype)
        return jnp.sqrt(self.squares / (count - 1) / count)


def mean_and_stderr(samples: Float[Array, "s *batch"]) -> Estimate:
    """Average independent samples: mean, and s / sqrt(S) with the unbiased s.

    Args:
        samples: Shape (S, ...), S >= 1. With S = 1 the error is NaN: it is unknown.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.statistics import mean_and_stderr
        >>> round(float(mean_and_stderr(jnp.asarray([0.0, 1.0, 2.0])).stderr), 4)
        0.5774
    """
    moments = Moments.of(samples)
    return Estimate(moments.mean, moments.stderr(), samples.shape[0])


def score_function_mean(
    values: Float[Array, "s *batch"], log_probs: Float[Array, " s"]
) -> Float[Array, "*batch"]:
    """Average samples so that the gradient of the average is unbiased.

    d/dt E_p[f] = E_p[df/dt + f d(ln p)/dt]: differentiating sampled values alone loses
    the second term. Here it is restored with a leave-one-out baseline, which lowers the
    variance and keeps the estimator unbiased because the baseline of sample i does not
    contain sample i. The value is the plain mean.

    Args:
        values: Sampled f, shape (S, ...), one row per independent draw.
        log_probs: Natural log-probability of each draw, shape (S,), differentiable.

    Returns:
        Mean over the draws, shape (...).

    Source: Williams, Machine Learning 8, 229 (1992); baseline: Kool et al., 2019.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.statistics import score_function_mean
        >>> bits = jnp.asarray([1.0, 0.0, 1.0, 1.0])
        >>> def mean(p):
        ...     log_probs = jnp.where(bits == 1, jnp.log(p), jnp.log1p(-p))
        ...     return score_function_mean(bits, log_probs)
        >>> round(float(jax.grad(mean)(0.75)), 3)  # one draw; its expectation is 1
        1.333
    """
    count = values.shape[0]
    baseline = 0.0
    if count > 1:
        baseline = (jnp.sum(values, axis=0)[None] - values) / (count - 1)
    weight = jax.lax.stop_gradient(values - baseline)
    score = log_probs - jax.lax.stop_gradient(log_probs)
    score = score.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    return jnp.mean(values + weight * score, axis=0)


def clopper_pearson(
    successes: int, trials: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound a binomial rate by the exact two-sided Clopper-Pearson interval.

    Args:
        successes: Count in [0, trials].
        trials: At least 1.
        confidence: Coverage in (0, 1), never undershot.

    Returns:
        Lower and upper end of the interval.

    Raises:
        ValueError: If a count or the confidence is out of range.

    Source: Clopper and Pearson, Biometrika 26, 404 (1934).

    Example:
        >>> from qjax.statistics import clopper_pearson
        >>> [round(end, 4) for end in clopper_pearson(0, 10)]
        [0.0, 0.3085]
    """
    return _binomial_interval(successes, trials, confidence, "exact")


def wilson(
    successes: int, trials: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Approximate a binomial rate's interval by inverting the score test (Wilson).

    Args:
        successes: Count in [0, trials].
        trials: At least 1.
        confidence: Nominal coverage in (0, 1).

    Returns:
        Lower and upper end of the interval.

    Raises:
        ValueError: If a count or the confidence is out of range.

    Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927).

    Example:
        >>> from qjax.statistics import wilson
        >>> [round(end, 4) for end in wilson(5, 10)]
        [0.2366, 0.7634]
    """
    return _binomial_interval(successes, trials, confidence, "wilson")


def _binomial_interval(
    successes: int, trials: int, confidence: float, method: str
) -> tuple[float, float]:
    require(trials >= 1, "trials", "be at least 1", trials)
    require(0 <= successes <= trials, "successes", f"lie in [0, {trials}]", successes)
    require(0 < confidence < 1, "confidence", "lie in (0, 1)", confidence)
    test = scipy.stats.binomtest(int(successes), int(trials))
    interval = test.proportion_ci(confidence_level=confidence, method=method)
    return float(interval.low), float(interval.high)


def hoeffding_radius(trials: int, confidence: float, width: float = 1.0) -> float:
    """Bound |mean - E| for independent samples in an interval of length `width`.

    r = width sqrt(ln(2 / (1 - confidence)) / (2 trials)).

    Raises:
        ValueError: If an argument is out of range.

    Source: Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963).

    Example:
        >>> from qjax.statistics import hoeffding_radius
        >>> round(hoeffding_radius(1000, 0.95), 4)
        0.0429
    """
    require(trials >= 1, "trials", "be at least 1", trials)
    require(0 < confidence < 1, "confidence", "lie in (0, 1)", confidence)
    require(width > 0, "width", "be positive", width)
    return float(width * np.sqrt(np.log(2 / (1 - confidence)) / (2 * trials)))


def empirical_bernstein_radius(
    samples: np.ndarray, confidence: float, width: float = 1.0
) -> float:
    """Bound |mean - E| by the sample variance v: sqrt(2 v L / S) + 7 w L / (3 (S - 1)).

    Here L = ln(4 / (1 - confidence)), S the number of samples, w their range.

    Raises:
        ValueError: If an argument is out of range.

    Source: Maurer and Pontil, COLT 2009, Theorem 4 (two-sided by a union bound).

    Example:
        >>> import numpy as np
        >>> from qjax.statistics import empirical_bernstein_radius
        >>> round(empirical_bernstein_radius(np.zeros(1001), 0.95), 4)
        0.0102
    """
    count = len(samples)
    require(count >= 2, "samples", "have at least 2 entries", count)
    require(0 < confidence < 1, "confidence", "lie in (0, 1)", confidence)
    require(width > 0, "width", "be positive", width)
    log_term = np.log(4 / (1 - confidence))
    variance = np.var(samples, ddof=1)
    spread = np.sqrt(2 * variance * log_term / count)
    return float(spread + 7 * width * log_term / (3 * (count - 1)))
