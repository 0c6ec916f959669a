"""Chi-squared tests of many experiments with a covariance each."""

import numpy as np
import scipy.stats


def chi_squared(found, covariance, truth) -> np.ndarray:
    """(x - truth)^T C^-1 (x - truth) of each experiment; rows of the identity left."""
    gap = np.asarray(found, float) - truth
    gap = gap.reshape(len(gap), -1)
    size = gap.shape[1]
    covariance = np.asarray(covariance, float).reshape(len(gap), size, size)
    return np.asarray(
        [g @ np.linalg.solve(c, g) for g, c in zip(gap, covariance, strict=True)]
    )


def p_value(chi2: np.ndarray, degrees: int) -> float:
    """Two-sided: error bars too large are wrong as well."""
    law = scipy.stats.chi2(degrees * len(chi2))
    return float(2 * min(law.sf(chi2.sum()), law.cdf(chi2.sum())))
