"""Exact ROC curves of phase sketches and of classical SimHash; no Monte-Carlo.

With one sign per qubit the overlap depends on the Hamming distance of the two patterns
only, which is binomial, so that acceptance is a mixture of binomial tails. Classical
SimHash sees the Hamming distance itself, and no test of the quantum sketch beats it.
"""

import dataclasses
import math

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from qjax._checks import check_shots, require
from qjax._types import ArrayLike


@dataclasses.dataclass(frozen=True)
class Roc:
    """Points of a receiver operating characteristic, from never to always accepting.

    Attributes:
        false_positive: Acceptance at the lower cosine, non-decreasing, shape (points,).
        true_positive: Acceptance at the higher cosine, shape (points,).
    """

    false_positive: NDArray[np.float64]
    true_positive: NDArray[np.float64]

    def auc(self) -> float:
        """Area under the curve: P(score higher) + P(scores equal)/2."""
        width = np.diff(self.false_positive)
        height = (self.true_positive[1:] + self.true_positive[:-1]) / 2
        return float(np.sum(width * height))

    def power(self, false_positive: ArrayLike) -> NDArray[np.float64]:
        """True-positive rate at a false-positive rate, tests mixed where needed."""
        wanted = np.asarray(false_positive, dtype=np.float64)
        return np.asarray(np.interp(wanted, self.false_positive, self.true_positive))


def disagreement(cosine: float) -> float:
    """arccos(s)/pi in float64, for a cosine s in [-1, 1]."""
    require(-1 <= cosine <= 1, "cosine", "lie in [-1, 1]", cosine)
    return math.acos(cosine) / math.pi


def _roc(weights: NDArray[np.float64], others: NDArray[np.float64]) -> Roc:
    """ROC of a score: probabilities of its values, best value first, at both cosines.

    Args:
        weights: At the lower cosine.
        others: At the higher cosine.
    """
    points = []
    for part in (weights, others):
        sums = np.concatenate([[0.0], np.cumsum(part)])
        points.append(np.minimum(sums / sums[-1], 1.0))
    return Roc(points[0], points[1])


def simhash_roc(num_signs: int, low: float, high: float) -> Roc:
    """ROC of classical SimHash with k signs: accept if d_H <= h, for h = -1 ... k.

    d_H is Bin(k, arccos(s)/pi). Its likelihood ratio is monotone, so by Neyman and
    Pearson no test of two patterns of k signs has a higher curve.

    Args:
        num_signs: k >= 1.
        low: Cosine of pairs that should be rejected.
        high: Cosine of pairs that should be accepted, above `low`.

    Returns:
        k + 2 points.

    Raises:
        ValueError: If low >= high or a cosine lies outside [-1, 1].

    Source: Charikar, STOC 2002; proofs/qlsh.md, steps Q5.2 and Q5.3.

    Example:
        >>> from qjax.bounds.sketches.sketch_roc import simhash_roc
        >>> [round(simhash_roc(k, 0.5, 0.8).auc(), 4) for k in (16, 64, 256)]
        [0.7928, 0.9503, 0.9995]
    """
    require(num_signs >= 1, "num_signs", "be at least 1", num_signs)
    require(low < high, "low", "lie below high", (low, high))
    h = np.arange(num_signs + 1)
    pair = [scipy.stats.binom.pmf(h, num_signs, disagreement(s)) for s in (low, high)]
    return _roc(pair[0], pair[1])


def swap_test_roc(
    num_signs: int, theta: float, low: float, high: float, shots: int
) -> Roc:
    """Exact ROC of c SWAP trials of a noiseless sketch with one sign per qubit.

    P(accept | s) = sum_h Bin(h; k, delta) P[Bin(c, (1 + cos^2h(theta))/2) >= t].

    Args:
        num_signs: k >= 1, one sign per qubit.
        theta: Phase per sign, in radians.
        low: Cosine of pairs that should be rejected.
        high: Cosine of pairs that should be accepted, above `low`.
        shots: c >= 1.

    Returns:
        c + 2 points, one per threshold t = c + 1 ... 0.

    Raises:
        ValueError: If an argument is out of range.

    Source: proofs/qlsh.md, step Q5.1.

    Example:
        >>> from qjax.bounds.sketches.sketch_roc import swap_test_roc
        >>> round(swap_test_roc(16, 0.35, 0.5, 0.8, 100).auc(), 4)
        0.7588
    """
    check_shots(shots)
    return mixture_roc(math.cos(theta) ** 2, num_signs, low, high, shots)


def mixture_roc(
    overlap: float, num_signs: int, low: float, high: float, shots: int
) -> Roc:
    """ROC of c SWAP trials whose mean is f^h at Hamming distance h.

    Args:
        overlap: f in [0, 1], the overlap of two qubits whose signs differ.
        num_signs, low, high, shots: As in `swap_test_roc`.

    Example:
        >>> from qjax.bounds.sketches.sketch_roc import mixture_roc
        >>> mixture_roc(1.0, 4, 0.0, 0.5, 3).auc()  # sketches that hold nothing
        0.5
    """
    require(0 <= overlap <= 1, "overlap", "lie in [0, 1]", overlap)
    h, n = np.arange(num_signs + 1), np.arange(shots, -1, -1)
    plus = (1 + overlap**h) / 2
    counts = scipy.stats.binom.pmf(n[:, None], shots, plus[None, :])
    pair = [
        counts @ scipy.stats.binom.pmf(h, num_signs, disagreement(s))
        for s in (low, high)
    ]
    return _roc(pair[0], pair[1])


def gaussian_auc(means: tuple[float, float], variances: tuple[float, float]) -> float:
    """AUC of two Gaussian scores: Phi((mu_1 - mu_0)/sqrt(v_0 + v_1)).

    With the total variances it approximates the exact AUC; with (1 - mu^2)/c alone, as
    in the original design, it claims far too much.

    Args:
        means: mu_0 at the lower and mu_1 at the higher cosine.
        variances: v_0 and v_1, not both 0.

    Example:
        >>> from qjax.bounds.sketches.sketch_roc import gaussian_auc
        >>> gaussian_auc((0.0, 0.0), (1.0, 1.0))
        0.5
    """
    total = variances[0] + variances[1]
    require(total > 0, "variances", "not both be 0", variances)
    return float(scipy.stats.norm.cdf((means[1] - means[0]) / math.sqrt(total)))


def best_power(
    false_positive: ArrayLike,
    num_signs: int,
    delta_low: ArrayLike,
    delta_high: ArrayLike,
) -> NDArray[np.float64]:
    """Largest detection probability of any test of k signs at a false-positive rate.

    The Neyman-Pearson test accepts d_H < h, and d_H = h with some probability.

    Args:
        false_positive: Rate at the lower cosine, in [0, 1], shape (...).
        num_signs: k >= 1.
        delta_low: P(signs differ) at the lower cosine, same shape.
        delta_high: P(signs differ) at the higher cosine, at most `delta_low`.

    Returns:
        Shape (...). Vectorised.

    Source: Neyman and Pearson, Phil. Trans. R. Soc. A 231, 289 (1933); proofs/qlsh.md,
    step Q5.4.

    Example:
        >>> from qjax.bounds.sketches.sketch_roc import best_power
        >>> round(float(best_power(0.5, 1, 0.5, 0.25)), 6)
        0.75
    """
    wanted = np.asarray(false_positive, dtype=np.float64)
    total = np.zeros_like(wanted)
    left = wanted.copy()
    for h in range(num_signs + 1):
        size = scipy.stats.binom.pmf(h, num_signs, delta_low)
        gain = scipy.stats.binom.pmf(h, num_signs, delta_high)
        # The last level takes whatever is left, so that rate 1 gives power 1.
        part = np.minimum(left, size)
        safe = np.where(size > 0, size, 1.0)
        total = total + np.where(size > 0, gain * part / safe, gain)
        left = left - part
    return np.asarray(np.minimum(total, 1.0))
