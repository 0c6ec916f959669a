"""Readout errors estimated from shots of prepared basis states."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax._types import ArrayLike
from qjax.noise import ReadoutConfusion
from qjax.statistics import clopper_pearson, wilson
from qjax.tomography.experiments import Counts, check_bits

_METHODS: dict[str, Callable[[int, int, float], tuple[float, float]]] = {
    "clopper_pearson": clopper_pearson,
    "wilson": wilson,
}


def _intervals(
    successes: ArrayLike, trials: ArrayLike, confidence: float, method: str
) -> Float[np.ndarray, "*shape 2"]:
    known = sorted(_METHODS)
    require(method in _METHODS, "method", f"be one of {known}", repr(method))
    pairs = np.broadcast_arrays(np.asarray(successes), np.asarray(trials))
    rows = [
        _METHODS[method](int(k), int(n), confidence)
        for k, n in zip(*(array.ravel() for array in pairs), strict=True)
    ]
    return np.asarray(rows).reshape(*pairs[0].shape, 2)


class ReadoutEstimate(eqx.Module):
    """Readout errors of each wire by itself, with their error bars.

    Attributes:
        misread: How often a bit was misread, shape (n, 2): true 0, true 1.
        trials: How often it could have been, of the same shape.
    """

    misread: Int[Array, "n 2"]
    trials: Int[Array, "n 2"]

    @property
    def confusion(self) -> ReadoutConfusion:
        """The estimated p01 and p10 of each wire."""
        rates = self._rates()
        return ReadoutConfusion(rates[:, 0], rates[:, 1])

    def stderr(self) -> Float[Array, "n 2"]:
        """Return standard errors of p01 and p10, never 0: see `smoothed`."""
        trials = self.trials.astype(float)
        smooth = smoothed(self.misread, self.trials, 2)
        return jnp.sqrt(smooth * (1 - smooth) / trials)

    def matrix(self) -> Float[Array, "d d"]:
        """Return the register's matrix, rows observed."""
        return self.confusion.matrix()

    def matrix_covariance(self) -> Float[Array, "d d d d"]:
        """Return Cov(A_ij, A_kl) to first order in the errors of the rates."""

        def matrix(rates: Float[Array, "n 2"]) -> Float[Array, "d d"]:
            return ReadoutConfusion(rates[:, 0], rates[:, 1]).matrix()

        slopes = jax.jacfwd(matrix)(self._rates())
        return jnp.einsum("ijnb,klnb,nb->ijkl", slopes, slopes, self.stderr() ** 2)

    def intervals(
        self, confidence: float = 0.95, method: str = "clopper_pearson"
    ) -> Float[np.ndarray, "n 2 2"]:
        """Return lower and upper ends for p01 and p10 of each wire, on the host.

        Args:
            confidence: Coverage of each interval by itself, in (0, 1).
            method: "clopper_pearson" (never covers less) or "wilson" (shorter).

        Raises:
            ValueError: If the confidence or method is unknown.
        """
        return _intervals(self.misread, self.trials, confidence, method)

    def _rates(self) -> Float[Array, "n 2"]:
        return self.misread.astype(float) / self.trials.astype(float)


class ReadoutMatrixEstimate(eqx.Module):
    """The full matrix of readout errors, correlations included, with error bars.

    Attributes:
        counts: Counts of the prepared states, shape (2^n, 2^n): row j holds the
            outcomes of basis state j.
    """

    counts: Int[Array, "d d"]

    def matrix(self) -> Float[Array, "d d"]:
        """Return A_ij = P(i is read where j is true): columns sum to 1."""
        counts = self.counts.astype(float)
        return (counts / jnp.sum(counts, axis=1)[:, None]).T

    def matrix_covariance(self) -> Float[Array, "d d d d"]:
        """Return Cov(A_ij, A_kl): columns are independent multinomials."""
        columns = multinomial_covariance(self.counts)
        eye = jnp.eye(columns.shape[0], dtype=columns.dtype)
        return jnp.einsum("jik,jl->ijkl", columns, eye)

    def stderr(self) -> Float[Array, "d d"]:
        """Return the standard error of each entry."""
        return jnp.sqrt(jnp.einsum("ijij->ij", self.matrix_covariance()))

    def intervals(
        self, confidence: float = 0.95, method: str = "clopper_pearson"
    ) -> Float[np.ndarray, "d d 2"]:
        """Return lower and upper ends for every A_ij, as `ReadoutEstimate` does."""
        counts = np.asarray(self.counts).T
        return _intervals(counts, counts.sum(axis=0)[None], confidence, method)


def fit_readout(counts: Counts, states: ArrayLike) -> ReadoutEstimate:
    """Estimate each wire's readout errors from counts of prepared basis states.

    Args:
        counts: Counts of each prepared state, shape (s, 2^n), the first wire leading.
        states: Bits prepared, shape (s, n); every wire as 0 and as 1. All zeros and all
            ones are enough.

    Raises:
        ValueError: If the shapes do not fit, or a wire was not prepared both ways.

    Source: Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> from qjax.tomography import fit_readout
        >>> counts = jnp.asarray([[90, 10], [30, 70]])
        >>> found = fit_readout(counts, np.asarray([[0], [1]]))
        >>> found.confusion.p01.round(3).tolist(), found.confusion.p10.round(3).tolist()
        ([0.10000000149011612], [0.30000001192092896])
        >>> found.intervals()[0, 0].round(3).tolist()
        [0.049, 0.176]
    """
    bits = check_bits(states)
    shape = (len(bits), 2 ** bits.shape[1])
    fits, rule = np.shape(counts) == shape, f"have shape {shape}"
    require(fits, "counts", rule, f"of shape {np.shape(counts)}")
    both = bool(np.all(bits.any(axis=0) & ~bits.all(axis=0)))
    require(both, "states", "prepare every wire as 0 and as 1", bits.tolist())
    tensor = jnp.asarray(counts).reshape(len(bits), *(2,) * bits.shape[1])
    misread, trials = [], []
    for wire in range(bits.shape[1]):
        others = tuple(1 + w for w in range(bits.shape[1]) if w != wire)
        marginal = jnp.sum(tensor, axis=others)
        for value in (0, 1):
            of_value = marginal[bits[:, wire] == value]
            misread.append(jnp.sum(of_value[:, 1 - value]))
            trials.append(jnp.sum(of_value))
    return ReadoutEstimate(
        jnp.stack(misread).reshape(-1, 2), jnp.stack(trials).reshape(-1, 2)
    )


def fit_readout_matrix(counts: Counts) -> ReadoutMatrixEstimate:
    """Estimate the full matrix of readout errors from counts of all basis states.

    Args:
        counts: Counts of basis states 0, ..., 2^n - 1, shape (2^n, 2^n).

    Raises:
        ValueError: If the shape is not (2^n, 2^n).

    Source: Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.tomography import fit_readout_matrix
        >>> fit_readout_matrix(jnp.asarray([[3, 1], [2, 2]])).matrix().tolist()
        [[0.75, 0.5], [0.25, 0.5]]
    """
    shape = np.shape(counts)
    size = shape[0] if shape else 0
    fits = shape == (size, size) and size >= 2 and not size & (size - 1)
    require(fits, "counts", "have shape (2^n, 2^n) with n >= 1", f"of shape {shape}")
    return ReadoutMatrixEstimate(jnp.asarray(counts))


def smoothed(
    counts: Int[Array, "*shape"], trials: Int[Array, "*#shape"], outcomes: int
) -> Float[Array, "*shape"]:
    """Return rates with half a count added to each outcome.

    For error bars only: an outcome that was never seen has not probability 0 for
    certain, and its error bar must not vanish (Jeffreys' prior).
    """
    added = counts.astype(float) + 0.5
    return added / (trials.astype(float) + 0.5 * outcomes)


def multinomial_covariance(counts: Int[Array, "*rows d"]) -> Float[Array, "*rows d d"]:
    """Return the covariance of the frequencies of each row of counts."""
    trials = jnp.sum(counts, axis=-1, keepdims=True)
    law = smoothed(counts, trials, counts.shape[-1])
    eye = jnp.eye(counts.shape[-1], dtype=law.dtype)
    diagonal = law[..., None] * jnp.broadcast_to(eye, (*law.shape, law.shape[-1]))
    spread = diagonal - law[..., :, None] * law[..., None, :]
    return spread / trials.astype(law.dtype)[..., None]
