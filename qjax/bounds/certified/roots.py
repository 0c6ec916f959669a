"""Rigorous enclosures of roots: exact bisection, then the interval Newton operator."""

import dataclasses
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
from flint import arb

from qjax._checks import require
from qjax.bounds.certified import intervals as iv
from qjax.bounds.certified.enclose import DEFAULT_PRECISION, FunctionProgram, Program
from qjax.bounds.information import h

_SPLITS = (Fraction(1, 2), Fraction(7, 16), Fraction(9, 16))
# Pieces of the bracket on which the sign of the slope is examined.
_PIECES = 16


@dataclasses.dataclass(frozen=True)
class RootEnclosure:
    """An interval that provably contains a root.

    Attributes:
        low: Exact lower end; the function has a certified sign there.
        high: Exact upper end; the function has the other sign there, or low == high
            and it is a root exactly.
        monotone: Whether the slope was shown to have one sign on the whole starting
            bracket, so that the root is the only one in that bracket.
    """

    low: Fraction
    high: Fraction
    monotone: bool

    @property
    def ball(self) -> arb:
        """The root as a ball."""
        return iv.as_ball(iv.interval(self.low, self.high))


class _Function:
    """A function of one variable: its sign at points and its slope on intervals."""

    def __init__(self, program: Program | FunctionProgram):
        self._program = program

    def at(self, point: Fraction) -> iv.Interval:
        return self._program.value([iv.interval(point)])

    def sign(self, point: Fraction) -> int:
        """1, -1, or 0 where the working precision cannot tell."""
        value = self.at(point)
        return int(value.low > 0) - int(value.high < 0)

    def slope(self, low: Fraction, high: Fraction) -> iv.Interval:
        slope = self._program.jet([iv.interval(low, high)]).slopes[0]
        return iv.UNKNOWN if slope is None else slope

    def monotone(self, low: Fraction, high: Fraction) -> bool:
        """Whether the slope has one sign on all pieces of [low, high]."""
        ends = [low + (high - low) * Fraction(i, _PIECES) for i in range(_PIECES + 1)]
        slopes = [self.slope(a, b) for a, b in itertools.pairwise(ends)]
        rises = all(slope.low > 0 for slope in slopes)
        return rises or all(slope.high < 0 for slope in slopes)


def _newton(
    function: _Function, low: Fraction, high: Fraction, sign_low: int
) -> tuple[Fraction, Fraction] | None:
    """One interval Newton step N = c - f(c)/f'([low, high]), cut with [low, high].

    Every root of the interval lies in N. Ends are widened until the function has the
    two signs there, because `RootEnclosure` promises them. None if that fails or if the
    step does not at least halve the interval.
    """
    slope = function.slope(low, high)
    if not (slope.low > 0 or slope.high < 0) or not iv.is_bounded(slope):
        return None
    centre = (low + high) / 2
    step = iv.multiply(function.at(centre), iv.reciprocal(slope, strict=True))
    if not iv.is_bounded(step):
        return None
    first = centre - iv.fraction_of_end(step.high)
    last = centre - iv.fraction_of_end(step.low)
    room = (last - first) / 8 + (high - low) / 2**40
    first, last = max(low, first - room), min(high, last + room)
    shrinks = last - first <= (high - low) / 2
    signs = function.sign(first) == sign_low and function.sign(last) == -sign_low
    return (first, last) if shrinks and signs else None


def enclose_root(
    function: sp.Expr | Callable[[list[arb]], arb],
    bracket: tuple[Any, Any],
    *,
    tolerance: Fraction = Fraction(1, 2**60),
    precision: int = DEFAULT_PRECISION,
) -> RootEnclosure:
    """An interval around a root of a function of one variable.

    The signs at the two ends are certified, so a continuous function has a root between
    them. Bisection needs signs only; where the slope has one sign on the interval, the
    Newton operator N = c - f(c)/f'(X) converges quadratically.

    Args:
        function: Sympy expression in one symbol, or a continuous function of a list of
            one ball (then bisection only).
        bracket: Two exact numbers where the function has opposite signs.
        tolerance: Width to reach; the result is wider only if the precision ends.
        precision: Bits of the working precision; restored on return.

    Returns:
        The enclosure.

    Raises:
        ValueError: If the signs at the ends of the bracket are not certified opposite.

    Source: Tucker, Validated Numerics (2011), section 5.1.

    Example:
        >>> x = sp.Symbol("x")
        >>> root = enclose_root(x**2 - 2, (1, 2))
        >>> root.low**2 < 2 < root.high**2, root.monotone
        (True, True)
    """
    low, high = (iv.rational(end) for end in bracket)
    with flint.ctx.workprec(precision):
        studied = _Function(_one_variable(function, precision))
        sign_low = studied.sign(low)
        opposite = low < high and sign_low * studied.sign(high) == -1
        require(opposite, "bracket", "have certified opposite signs", bracket)
        monotone = studied.monotone(low, high)
        while high - low > tolerance:
            found = _newton(studied, low, high, sign_low)
            found = found or _halve(studied, low, high, sign_low)
            if found is None:  # the precision cannot tell the sign near the root
                break
            low, high = found
    return RootEnclosure(low, high, monotone)


def _one_variable(
    function: sp.Expr | Callable[[list[arb]], arb], precision: int
) -> Program | FunctionProgram:
    if not isinstance(function, sp.Expr):
        return FunctionProgram(function, 1, precision)
    names = [symbol.name for symbol in function.free_symbols]
    require(len(names) == 1, "function", "have one symbol", names)
    return Program(function, names, precision, strict=True)


def _halve(
    function: _Function, low: Fraction, high: Fraction, sign_low: int
) -> tuple[Fraction, Fraction] | None:
    """Bisection; beside the middle if the root is there to within the precision."""
    first, last = low, high
    for split in _SPLITS:
        point = low + (high - low) * split
        sign = function.sign(point)
        if sign == sign_low:
            first = max(first, point)
        elif sign == -sign_low:
            last = min(last, point)
        if sign and split == _SPLITS[0]:
            break
    return (first, last) if last - first < high - low else None


U = sp.Symbol("u", nonnegative=True)

INFORMATION_OF_ACCURACY = 1 - h((1 + sp.sqrt(U)) / 2)
"""phi(u) = 1 - h((1 + sqrt u)/2): bits that explain a fraction u of a uniform sign.

phi(u) = (1/ln 2) sum_k u^k/(2k(2k-1)) is increasing and convex, phi(0) = 0, phi(1) = 1.
"""


def enclose_explained_variance(
    information: Any, *, precision: int = DEFAULT_PRECISION
) -> arb:
    """phi^{-1}(y): the largest explained variance of a uniform +-1 answer from y bits.

    u with 1 - h((1 + sqrt u)/2) = y.

    Args:
        information: y, an exact number in [0, 1].
        precision: Bits of the working precision.

    Returns:
        Ball around phi^{-1}(y); exactly 0 at y = 0 and 1 at y = 1.

    Raises:
        ValueError: If y is not in [0, 1], or is so close to an end that the precision
            cannot separate it from the end.

    Source: Theorem B1, theory of bounds, section 4.2.

    Example:
        >>> float(enclose_explained_variance(Fraction(1, 3)).mid())
        0.4252...
    """
    y = iv.rational(information)
    require(0 <= y <= 1, "information", "lie in [0, 1]", information)
    if y in (0, 1):
        return arb(int(y))
    excess = INFORMATION_OF_ACCURACY - sp.Rational(y.numerator, y.denominator)
    # phi(u) <= u gives the lower end, phi(u) >= u/(2 ln 2) > u/2 the upper one.
    bracket = (y * Fraction(63, 64), min(Fraction(1), 2 * y))
    small = y / 2**60
    return enclose_root(excess, bracket, tolerance=small, precision=precision).ball
