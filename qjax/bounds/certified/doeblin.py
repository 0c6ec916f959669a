"""Doeblin minorization of generalized amplitude damping, checked exactly.

If N - mu Tr(.) sigma is completely positive for a state sigma, then N is a degraded
erasure channel and chi(N^(x m)) <= m (1 - mu) (lemma L6(c)). With r = sqrt(1 - gamma),
excited population e and e* = min(e, 1 - e), the largest such mu is

    (1 - r)^2                                  if e* >= r/(1 + r),
    gamma^2 e* (1 - e*)/(1 - gamma + gamma e*)  otherwise.
"""

import dataclasses
from fractions import Fraction
from typing import Any

import sympy as sp

from qjax._checks import require
from qjax.bounds.certified.damping_duals import relaxation_choi
from qjax.bounds.certified.intervals import rational
from qjax.bounds.certified.psd import RationalMatrix, is_positive_semidefinite
from qjax.bounds.certified.psd_identities import block_minors, is_sum_of_products


def doeblin_weights(root: Any, excited: Any) -> tuple[Any, Any]:
    """mu sigma = diag(A, B) of the closed form, for exact numbers.

    Args:
        root: r = sqrt(1 - gamma) in [0, 1], rational.
        excited: e in [0, 1], rational.

    Returns:
        (A, B), with mu = A + B.

    Raises:
        ValueError: If an argument is not in [0, 1].

    Example:
        >>> doeblin_weights(Fraction(1, 2), Fraction(1, 2))
        (Fraction(1, 8), Fraction(1, 8))
    """
    r, e = rational(root), rational(excited)
    require(0 <= r <= 1, "root", "lie in [0, 1]", root)
    require(0 <= e <= 1, "excited", "lie in [0, 1]", excited)
    decay = 1 - r**2
    if min(e, 1 - e) * (1 + r) >= r:
        return (1 - r) * ((1 + r) * (1 - e) - r), (1 - r) * ((1 + r) * e - r)
    rare = min(e, 1 - e)
    mass = decay**2 * rare * (1 - rare) / (1 - decay + decay * rare)
    return (mass, Fraction(0)) if e <= 1 - e else (Fraction(0), mass)


@dataclasses.dataclass(frozen=True)
class DoeblinCertificate:
    """Outcome of the exact check.

    Attributes:
        mu: Erasure probability; chi(N^(x m)) <= m (1 - mu).
        sigma: Diagonal of the state; (1, 0) where mu = 0.
        holds: Whether J - mu I x sigma is positive semidefinite and sigma is a state.
    """

    mu: Fraction
    sigma: tuple[Fraction, Fraction]
    holds: bool


def check_minorization(
    root: Any, excited: Any, weights: tuple[Any, Any]
) -> DoeblinCertificate:
    """Check N - Tr(.) diag(weights) for complete positivity, exactly.

    Args:
        root: r = sqrt(1 - gamma), rational; the coherence factor of N.
        excited: e, rational.
        weights: (A, B) = mu sigma.
    """
    r, e = rational(root), rational(excited)
    first, second = (rational(x) for x in weights)
    survival, coherence, thermal, *both = (
        sp.Rational(x.numerator, x.denominator) for x in (r**2, r, e, first, second)
    )
    slack = relaxation_choi(survival, coherence, thermal)
    slack -= sp.kronecker_product(sp.eye(2), sp.diag(*both))
    mu = first + second
    sigma = (first / mu, second / mu) if mu else (Fraction(1), Fraction(0))
    state = first >= 0 and second >= 0
    holds = state and is_positive_semidefinite(RationalMatrix(slack))
    return DoeblinCertificate(mu, sigma, holds)


def doeblin_certificate(root: Any, excited: Any) -> DoeblinCertificate:
    """Certify the closed form of mu at one rational point.

    Args:
        root: r = sqrt(1 - gamma) in [0, 1], rational.
        excited: e in [0, 1], rational.

    Returns:
        The certificate; `holds` is True.

    Raises:
        ValueError: If an argument is not in [0, 1].

    Source: lemma L6(c), theory of bounds, section 2.

    Example:
        >>> found = doeblin_certificate(Fraction(1, 2), Fraction(1, 2))
        >>> found.holds, found.mu
        (True, Fraction(1, 4))
    """
    return check_minorization(root, excited, doeblin_weights(root, excited))


def doeblin_identities() -> bool:
    """Whether the closed form is a minorization for every r and e, symbolically.

    The slack of the Choi matrix is one 2x2 block plus a diagonal. In the first branch
    its entries are r, r(1-r), r(1-r), r and the determinant is 0 (the Schur complement
    vanishes: mu cannot grow without changing sigma). In the second, times
    Q = 1 - gamma + gamma e > 0 where it helps, they are products of non-negative
    numbers and the determinant is 0 again. The case e > 1/2 is the mirror image.

    Source: lemma L6(c), theory of bounds, section 2.

    Example:
        >>> doeblin_identities()
        True
    """
    r, e = sp.symbols("r e", nonnegative=True)
    k, f, y, z, g, q = sp.symbols("k f y z g q", nonnegative=True)
    decay = 1 - r**2
    factors = {
        r: r, e: e, k: 1 - r, f: 1 - e, g: decay, q: 1 - decay + decay * e,
        y: (1 + r) * (1 - e) - r, z: (1 + r) * e - r,
    }  # fmt: skip
    big = factors[q]
    inner = (factors[k] * factors[y], factors[k] * factors[z])
    edge = (decay**2 * e * (1 - e) / big, sp.S.Zero)
    # (weights, scale, diagonal and determinant, the two weights) as sums of products.
    cases = (
        (inner, sp.S.One, (r, r * k, r * k, r, 0), (k * y, k * z), (1 - r) ** 2),
        (edge, big, (r**2, g * e * q, g * f * r**2, q**2, 0), (g**2 * e * f, 0), None),
    )
    for weights, scale, minors, states, total in cases:
        slack = relaxation_choi(r**2, r, e)
        slack -= sp.kronecker_product(sp.eye(2), sp.diag(*weights))
        found = block_minors(slack.applyfunc(sp.cancel), (0, 3))
        if found is None:
            return False
        pairs = [*zip(found, minors, strict=True), *zip(weights, states, strict=True)]
        for target, products in pairs:
            if not is_sum_of_products(sp.cancel(scale * target), factors, products):
                return False
        if total is not None and sp.expand(sum(weights) - total) != 0:
            return False
    return True
