"""The dual certificate beta = 1 + max(eta, c) for thermal relaxation, checked exactly.

For a channel with Choi matrix J (basis |in, out>, Gamma the partial transpose on the
output), matrices R and Sigma with

    -R <= J^Gamma <= R   and   -I x Sigma <= R^Gamma <= I x Sigma

prove that a code of M words is decoded with probability at most Tr Sigma / M, and for m
uses (Tr Sigma)^m / M (lemma L6(b)). Relaxation with survival eta, coherence c <= sqrt
eta and excited population e has the explicit solution `damping_dual`.
"""

import dataclasses
from fractions import Fraction
from typing import Any

import sympy as sp

from qjax._checks import require
from qjax.bounds.certified.intervals import rational
from qjax.bounds.certified.psd import RationalMatrix, is_positive_semidefinite
from qjax.bounds.certified.psd_identities import block_minors, is_sum_of_products

ETA, COHERENCE, EXCITED = sp.symbols("eta c e", nonnegative=True)


def relaxation_choi(eta: Any, coherence: Any, excited: Any) -> sp.MatrixBase:
    """Choi matrix sum_ij |i><j| x N(|i><j|) of thermal relaxation, basis |in, out>.

    N(|0><0|) = diag(1 - g e, g e), N(|1><1|) = diag(g (1-e), 1 - g (1-e)) with
    g = 1 - eta, and N(|0><1|) = c |0><1|.

    Args:
        eta: Survival of the excited population's deviation, 1 - gamma.
        coherence: c, the factor of the off-diagonal element.
        excited: e, excited population in equilibrium.
    """
    decay = 1 - eta
    up, down = decay * excited, decay * (1 - excited)
    return sp.Matrix(
        [
            [1 - up, 0, 0, coherence],
            [0, up, 0, 0],
            [0, 0, down, 0],
            [coherence, 0, 0, 1 - down],
        ]
    )


def transposed_output(matrix: sp.MatrixBase) -> sp.MatrixBase:
    """Partial transpose on the second of two qubits: (ia, jb) -> (ib, ja)."""
    return sp.Matrix(
        4, 4, lambda x, y: matrix[2 * (x // 2) + y % 2, 2 * (y // 2) + x % 2]
    )


@dataclasses.dataclass(frozen=True)
class DualPoint:
    """Candidate for the dual: R on input x output, Sigma on the output.

    Attributes:
        choi: J.
        upper: R.
        sigma: Sigma.
    """

    choi: sp.MatrixBase
    upper: sp.MatrixBase
    sigma: sp.MatrixBase

    def slacks(self) -> tuple[sp.MatrixBase, ...]:
        """R - J^G, R + J^G, I x Sigma - R^G, I x Sigma + R^G: all must be >= 0."""
        turned = transposed_output(self.choi)
        other = transposed_output(self.upper)
        cover = sp.kronecker_product(sp.eye(2), self.sigma)
        return (
            self.upper - turned, self.upper + turned, cover - other, cover + other
        )  # fmt: skip


def damping_dual(eta: Any, coherence: Any, excited: Any, surplus: Any) -> DualPoint:
    """The explicit point, with r = surplus = max(0, (c - eta)/2).

    Sigma = diag(1 - g e + r, 1 - g (1-e) + r); R has the diagonal
    (1 - g e, Sigma_1, Sigma_0, 1 - g (1-e)) and R_{01,10} = r.
    """
    choi = relaxation_choi(eta, coherence, excited)
    first, second = choi[0, 0] + surplus, choi[3, 3] + surplus
    upper = sp.diag(choi[0, 0], second, first, choi[3, 3])
    upper[1, 2] = upper[2, 1] = surplus
    return DualPoint(choi, upper, sp.diag(first, second))


@dataclasses.dataclass(frozen=True)
class DampingCertificate:
    """Outcome of the exact check at one rational point.

    Attributes:
        beta: Tr Sigma; a code of M words on m uses succeeds with at most beta^m / M.
        feasible: Whether the four matrices are positive semidefinite, exactly.
        slacks: The four matrices, for another checker.
    """

    beta: Fraction
    feasible: bool
    slacks: tuple[RationalMatrix, ...]


def check_dual(point: DualPoint) -> DampingCertificate:
    """Check the four matrix inequalities of a rational dual point in exact arithmetic.

    Example:
        >>> noiseless = damping_dual(1, 1, 0, 0)
        >>> check_dual(noiseless).beta
        Fraction(2, 1)
    """
    slacks = tuple(RationalMatrix(slack) for slack in point.slacks())
    feasible = all(is_positive_semidefinite(slack) for slack in slacks)
    return DampingCertificate(rational(sp.trace(point.sigma)), feasible, slacks)


def damping_dual_certificate(
    eta: Any, coherence: Any, excited: Any
) -> DampingCertificate:
    """Certify beta = 1 + max(eta, c) for thermal relaxation at one rational point.

    chi(N^(x m)) <= m log2 beta. For amplitude damping c = sqrt(eta): give eta = x^2.

    Args:
        eta: 1 - gamma in [0, 1], exact.
        coherence: c >= 0 with c^2 <= eta (T2 <= 2 T1), exact.
        excited: e in [0, 1], exact.

    Returns:
        The certificate; `feasible` is True.

    Raises:
        ValueError: If the parameters are no channel.

    Source: lemma L6(b), theory of bounds, section 2; Wang, Xie, Duan, IEEE Trans. Inf.
        Theory 64 (2018), for the dual.

    Example:
        >>> found = damping_dual_certificate(Fraction(1, 4), Fraction(1, 2), 0)
        >>> found.feasible, found.beta
        (True, Fraction(3, 2))
    """
    exact = [rational(x) for x in (eta, coherence, excited)]
    population, factor, thermal = exact
    require(0 <= population <= 1, "eta", "lie in [0, 1]", eta)
    require(0 <= thermal <= 1, "excited", "lie in [0, 1]", excited)
    physical = factor >= 0 and factor**2 <= population
    require(physical, "coherence", "satisfy 0 <= c and c^2 <= eta", coherence)
    surplus = max(Fraction(0), (factor - population) / 2)
    numbers = [sp.Rational(x.numerator, x.denominator) for x in (*exact, surplus)]
    return check_dual(damping_dual(*numbers))


def damping_dual_identities(share: Any = sp.S.Half) -> bool:
    """Whether the dual point is feasible for every eta, c <= sqrt eta and e.

    Each slack matrix is one 2x2 block plus a diagonal, so it is positive semidefinite
    if its diagonal and one determinant are not negative. Each of these is written as a
    sum of products, with positive coefficients, of quantities that are not negative:
    g = 1 - eta, eta, e, f = 1 - e, c, k = 1 - c, w = eta - c^2, and v = |c - eta|.
    The two cases c >= eta (r = (c - eta)/2) and c <= eta (r = 0) are checked apart.

    Args:
        share: r = share (c - eta) in the first case; 1/2 for the lemma.

    Returns:
        True only if every identity expands to 0, every coefficient is positive and
        Tr Sigma = 1 + max(eta, c).

    Source: lemma L6(b), items (i) to (iv), theory of bounds, section 2.

    Example:
        >>> damping_dual_identities(), damping_dual_identities(sp.Rational(1, 3))
        (True, False)
    """
    return _case(share * (COHERENCE - ETA), high=True) and _case(sp.S.Zero, high=False)


def _case(surplus: sp.Expr, high: bool) -> bool:
    """One of the two cases; `high` is c >= eta."""
    g, n, e, f, c, k, w, v = sp.symbols("g n e_ f c_ k w v", nonnegative=True)
    gap = COHERENCE - ETA if high else ETA - COHERENCE
    factors = {
        g: 1 - ETA, n: ETA, e: EXCITED, f: 1 - EXCITED, c: COHERENCE, k: 1 - COHERENCE,
        w: ETA - COHERENCE**2, v: gap,
    }  # fmt: skip
    r = v / 2 if high else sp.S.Zero
    point = damping_dual(ETA, COHERENCE, EXCITED, surplus)
    # 1 - g e = eta + g f and 1 - g (1-e) = eta + g e.
    low, up = n + g * f, n + g * e
    over_c = 0 if high else (n + c) * v
    expected = (
        # R - J^G: zero, the block (eta + r, r - c), zero.
        ((1, 2), (0, n + r, n + r, 0, over_c)),
        # R + J^G: determinant (i) at a = eta plus 4 g^2 e (1-e).
        ((1, 2), (2 * low, n + r + 2 * g * e, n + r + 2 * g * f, 2 * up,
                  4 * g**2 * e * f + w + (c * k + n * v if high else n * g))),
        # I x Sigma - R^G: r times a projector.
        ((0, 3), (r, 0, 0, r, 0)),
        ((0, 3), (2 * low + r, 2 * (up + r), 2 * (low + r), 2 * up + r,
                  4 * low * up + 2 * r * (low + up))),
    )  # fmt: skip
    for slack, (pair, sums) in zip(point.slacks(), expected, strict=True):
        minors = block_minors(slack, pair)
        if minors is None:
            return False
        for minor, sum_ in zip(minors, sums, strict=True):
            if not is_sum_of_products(minor, factors, sum_):
                return False
    largest = COHERENCE if high else ETA
    return sp.expand(sp.trace(point.sigma) - 1 - largest) == 0
