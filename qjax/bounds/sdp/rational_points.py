"""Solutions of a solver, rounded to rationals and repaired until they are feasible.

What comes out is checked in exact arithmetic, for the channel whose Choi matrix has
exactly the binary fractions that floating point holds.
"""

from fractions import Fraction

import numpy as np
from jaxtyping import Complex

from qjax.bounds.certified.psd import (
    RationalMatrix,
    is_positive_semidefinite,
    rounded_hermitian,
    smallest_shift,
)
from qjax.bounds.sdp.channel_programs import (
    ChannelBeta,
    Doeblin,
    choi_matrix,
    partial_transpose,
)

_BITS = 40


def proved_beta(kraus: Complex[np.ndarray, "k out d"], found: ChannelBeta) -> Fraction:
    """Tr Sigma of a rational feasible point near a solver's: beta is at most this.

    R is shifted until -R <= J^Gamma <= R, then Sigma until
    -I (x) Sigma <= R^Gamma <= I (x) Sigma; shifts by the identity commute with Gamma.

    Args:
        kraus: Kraus operators of the channel.
        found: What `channel_beta` returned for it.

    Returns:
        An exact upper bound of beta.

    Source: Wang, Xie and Duan, IEEE Trans. Inf. Theory 64, 640 (2018).
    """
    out, size = kraus.shape[1:]
    turned = _exact(partial_transpose(choi_matrix(kraus), size, out))
    remainder = _covering(rounded_hermitian(found.remainder, _BITS), turned)
    rows = np.empty((size * out, size * out), object)
    for i, row in enumerate(remainder.entries):
        for j, entry in enumerate(row):
            rows[i, j] = entry
    flipped = RationalMatrix(partial_transpose(rows, size, out).tolist())
    sigma = rounded_hermitian(found.sigma, _BITS)
    local = _covering(_local(sigma, size), flipped)
    shift = local.entries[0][0][0] - sigma.entries[0][0][0]
    return sigma.shifted(shift).trace


def proved_doeblin(kraus: Complex[np.ndarray, "k out d"], found: Doeblin) -> Fraction:
    """Tr S of a rational S >= 0 with J - I (x) S >= 0: mu is at least this.

    Args:
        kraus: Kraus operators of the channel.
        found: What `doeblin` returned for it.

    Returns:
        An exact lower bound of mu; 0 (for S = 0) where the point cannot be mended.

    Source: theory of bounds, section 2 (L6(c)).
    """
    size = kraus.shape[2]
    choi = _exact(choi_matrix(kraus))
    sigma = rounded_hermitian(found.sigma, _BITS)
    sigma = sigma.shifted(smallest_shift(sigma))
    # A little less of S leaves room for its rounding where J is singular too.
    for halvings in range(_BITS, 0, -1):
        less = sigma.combined((1 - Fraction(1, 2**halvings), 0), sigma)
        if is_positive_semidefinite(choi.minus(_local(less, size))):
            return less.trace
    return Fraction(0)


def _exact(matrix: np.ndarray) -> RationalMatrix:
    return rounded_hermitian(matrix, 60)


def _covering(matrix: RationalMatrix, other: RationalMatrix) -> RationalMatrix:
    """The matrix plus the least multiple of I that makes it >= other and >= -other."""
    needed = [smallest_shift(matrix.minus(other)), smallest_shift(matrix.plus(other))]
    return matrix.shifted(max(needed))


def _local(sigma: RationalMatrix, size: int) -> RationalMatrix:
    """I (x) Sigma."""
    out = sigma.size
    zero = (Fraction(0), Fraction(0))
    return RationalMatrix(
        [
            [sigma.entries[i % out][j % out] if i // out == j // out else zero
             for j in range(size * out)]
            for i in range(size * out)
        ]
    )  # fmt: skip
