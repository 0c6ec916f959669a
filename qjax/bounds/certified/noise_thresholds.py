"""How far a denominator 1 - c T epsilon is sound, with certified thresholds.

With storage noise, x = T epsilon and lambda^T = e^-x, theorem A1 gives m >= X/kappa(x),
kappa(x) = 1 - h((1 + e^-x)/2). It implies m >= X/(1 - c x) for every X > 0 exactly if
1 - c x >= kappa(x), that is if the excess

    g(x) = h((1 + e^-x)/2) - c x

is not negative. g is strictly concave with g(0) = 0, so it is positive on (0, x*) and
negative after its one positive root x*.
"""

import dataclasses
from fractions import Fraction

import sympy as sp
from flint import arb

from qjax._checks import require
from qjax.bounds.certified.box_certificate import BoxCertificate
from qjax.bounds.certified.boxes import certify
from qjax.bounds.certified.claims import state_claim
from qjax.bounds.certified.enclose import enclose
from qjax.bounds.certified.intervals import fraction_of_end
from qjax.bounds.certified.roots import RootEnclosure, enclose_root
from qjax.bounds.information import h

X = sp.Symbol("x", positive=True)
Y = sp.Symbol("y", real=True)

SLOPES = (
    sp.Rational(1, 2), 1 / (2 * sp.log(2)), sp.S.One, 1 / sp.log(2), sp.S(2), sp.S(4),
)  # fmt: skip
"""The constants c of corollary A2's table."""

LOG_FACTOR = 2 * sp.log(2)
"""The factor of -ln(1-y) <= 2 ln 2 y."""

MARGIN = Fraction(1, 2**20)
"""Distance from the threshold at which soundness and its failure are certified."""


def excess(slope: sp.Expr) -> sp.Expr:
    """g(x) = h((1 + e^-x)/2) - c x, which is >= 0 exactly where 1 - c x is sound."""
    return h((1 + sp.exp(-X)) / 2) - slope * X


@dataclasses.dataclass(frozen=True)
class Threshold:
    """What was certified about one constant c.

    Attributes:
        slope: c.
        pole: Ball around 1/c, where the denominator vanishes.
        root: Enclosure of x*, the largest T epsilon for which 1 - c T epsilon is sound.
        near_zero: An explicit inequality covers (0, near_zero].
        near_zero_holds: Whether that inequality was certified.
        below: Certificate of g > 0 on [near_zero, x* - MARGIN].
        above: Certificate of -g > 0 on [x* + MARGIN, 1/c rounded up].
    """

    slope: sp.Expr
    pole: arb
    root: RootEnclosure
    near_zero: Fraction
    near_zero_holds: bool
    below: BoxCertificate
    above: BoxCertificate

    @property
    def holds(self) -> bool:
        """Whether soundness below x* and failure above it were both certified."""
        boxes = (self.below.verdict, self.above.verdict)
        return self.near_zero_holds and boxes == ("certified", "certified")


def excess_is_concave() -> bool:
    """Whether g'' < 0 for all x > 0, by an exact identity; hence one positive root.

    With y = e^-x in (0, 1) and H(x) = h((1+y)/2): H' = y atanh(y)/ln 2 and
    H'' = -y (atanh(y) + y/(1-y^2))/ln 2. Both terms in the bracket are positive. The
    linear term of g does not matter.

    Source: corollary A2, theory of bounds, section 3.3.
    """
    y = sp.Symbol("y", positive=True)
    p = (1 + y) / 2
    # h'(p) = log2((1-p)/p), and (1-p)/p = (1-y)/(1+y) = exp(-2 atanh y).
    odds = h(p).fdiff() * sp.log(2)
    ratio = sp.exp(odds) * (1 + y) / (1 - y)
    first = sp.cancel(sp.together(ratio)) == 1
    # d/dx = -y d/dy and dp/dy = 1/2 give H' = y atanh(y)/ln 2.
    atanh = sp.log((1 + y) / (1 - y)) / 2
    bracket = atanh + y / (1 - y**2)
    second = sp.diff(y * atanh, y) - bracket
    return bool(first) and sp.cancel(sp.together(second)) == 0


def near_zero_inequality(slope: sp.Expr, point: Fraction) -> bool:
    """Whether g > 0 on all of (0, point], by (1 - x/2) log2(2/x) > 2c at x = point.

    With u = (1 - e^-x)/2, x/2 - x^2/4 <= u <= x/2 (Taylor with alternating signs) and
    h(u) >= u log2(1/u), so h(u) >= (x/2)(1 - x/2) log2(2/x) for 0 < x < 2. Both factors
    fall with x there, so one point decides the interval.

    Args:
        slope: c > 0.
        point: Exact, in (0, 2).

    Raises:
        ValueError: If the point is not in (0, 2).
    """
    require(0 < point < 2, "point", "lie in (0, 2)", point)
    left = (1 - X / 2) * sp.log(2 / X) / sp.log(2) - 2 * slope
    return bool(enclose(left, {"x": point}) > 0)


def certify_threshold(slope: sp.Expr) -> Threshold:
    """Enclose the largest T epsilon for which 1 - c T epsilon is a sound denominator.

    x* with h((1 + e^-x*)/2) = c x*.

    Args:
        slope: c in [1/4, 8], an exact sympy number.

    Returns:
        The enclosure with its certificates.

    Source: corollary A2, theory of bounds, section 3.3.

    Example:
        >>> found = certify_threshold(sp.S.One)
        >>> found.holds, round(float(found.root.low), 6)
        (True, 0.869175)
    """
    pole = enclose(1 / slope, {})
    # Outside, the root is too close to the pole or to 0 for the margin.
    supported = bool(8 * pole >= 1) and bool(pole <= 4)
    require(supported, "slope", "lie in [1/4, 8]", slope)
    near_zero = Fraction(1, 2)
    while not near_zero_inequality(slope, near_zero):
        near_zero /= 2
    last = fraction_of_end(pole.upper())  # g(1/c) = -kappa(1/c) < 0
    root = enclose_root(excess(slope), (near_zero, last))
    below = state_claim(excess(slope), {"x": (near_zero, root.low - MARGIN)})
    above = state_claim(-excess(slope), {"x": (root.high + MARGIN, last)})
    return Threshold(
        slope=slope,
        pole=pole,
        root=root,
        near_zero=near_zero,
        near_zero_holds=near_zero_inequality(slope, near_zero),
        below=certify(below),
        above=certify(above),
    )


def certify_threshold_table() -> tuple[Threshold, ...]:
    """The thresholds of corollary A2's table, one per constant of `SLOPES`."""
    return tuple(certify_threshold(slope) for slope in SLOPES)


@dataclasses.dataclass(frozen=True)
class LogBound:
    """Certificates of -ln(1-y) <= 2 ln 2 y on [0, 1/2], f(y) = 2 ln 2 y + ln(1-y).

    Attributes:
        ends: Whether f(0) = f(1/2) = 0, exactly.
        rises: Certificate of f' > 0 next to 0, so that f >= f(0) = 0 there.
        middle: Certificate of f > 0 away from the ends.
        falls: Certificate of f' < 0 next to 1/2, so that f >= f(1/2) = 0 there.
    """

    ends: bool
    rises: BoxCertificate
    middle: BoxCertificate
    falls: BoxCertificate

    @property
    def holds(self) -> bool:
        """Whether the four parts together cover [0, 1/2]."""
        parts = (self.rises, self.middle, self.falls)
        return self.ends and all(part.verdict == "certified" for part in parts)


def certify_log_bound(factor: sp.Expr = LOG_FACTOR) -> LogBound:
    """Certify -ln(1-y) <= 2 ln 2 y on the whole of [0, 1/2], ends included.

    There is equality at both ends, where no box can decide; there the sign of the slope
    does (the difference is concave).

    Args:
        factor: 2 ln 2 for the lemma; a smaller one makes the claim false.

    Source: corollary A2, theory of bounds, section 3.3.

    Example:
        >>> certify_log_bound().holds
        True
    """
    f = factor * Y + sp.log(1 - Y)
    first, last = Fraction(1, 16), Fraction(7, 16)
    ends = [sp.expand_log(f.subs(Y, end)) for end in (sp.S.Zero, sp.S.Half)]
    slope = sp.diff(f, Y)
    return LogBound(
        ends=all(sp.expand(value) == 0 for value in ends),
        rises=certify(state_claim(slope, {"y": (0, first)})),
        middle=certify(state_claim(f, {"y": (first, last)})),
        falls=certify(state_claim(-slope, {"y": (last, Fraction(1, 2))})),
    )
