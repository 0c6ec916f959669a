"""Intervals with exact ends: rigorous arithmetic that touches 0 and 1 without leaving.

A ball of `flint.arb` cannot be the set [0, 1/2]: its radius is rounded up, so it leaks
below 0, where square roots and entropies are undefined. An `Interval` keeps its two
ends as exact binary numbers; each operation evaluates the ends in ball arithmetic and
rounds the low end down and the high end up.

An end may be infinite. NaN ends mean "nothing is known"; no comparison with them holds.

`no_type_check` here and in the modules that use intervals: the run-time type checks of
the tests would cost ten times the arithmetic.
"""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple, no_type_check

import sympy as sp
from flint import arb, fmpq

from qjax._checks import require

ZERO, ONE = arb(0), arb(1)
INFINITY, MINUS_INFINITY = arb.pos_inf(), arb.neg_inf()


@no_type_check
class Interval(NamedTuple):
    """The set {x : low <= x <= high}; both ends are exact binary numbers or infinite.

    Attributes:
        low: Exact `arb` (zero radius), or -inf, or NaN.
        high: Exact `arb` (zero radius), or +inf, or NaN.
    """

    low: arb
    high: arb


UNKNOWN = Interval(arb.nan(), arb.nan())


@no_type_check
def is_unknown(x: Interval) -> bool:
    """Whether an end is NaN, so that the interval says nothing."""
    return x.low.is_nan() or x.high.is_nan()


@no_type_check
def is_bounded(x: Interval) -> bool:
    """Whether both ends are finite numbers."""
    return x.low.is_finite() and x.high.is_finite()


@no_type_check
def rational(value: Any) -> Fraction:
    """Exact value of an int, Fraction, fmpq, float (binary fraction) or sympy Rational.

    Raises:
        ValueError: If the value is not a finite rational number.

    Example:
        >>> rational(0.5)
        Fraction(1, 2)
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, fmpq):
        return Fraction(int(value.p), int(value.q))
    if isinstance(value, float) and not math.isfinite(value):
        require(False, "value", "be a finite number", value)
    if isinstance(value, sp.Basic):
        exact = isinstance(value, sp.Rational)
        require(exact, "value", "be rational", value)
        return Fraction(int(value.p), int(value.q))
    return Fraction(value)


@no_type_check
def fraction_of_end(end: arb) -> Fraction:
    """An exact finite end as a fraction."""
    mantissa, exponent = end.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@no_type_check
def interval(low: Any, high: Any | None = None) -> Interval:
    """The interval [low, high] of rationals, rounded outward to the working precision.

    Args:
        low: Rational number (or an `arb`, whose lower end counts).
        high: Rational number or `arb`; `low` itself if absent.

    Example:
        >>> 2 * interval(0, Fraction(1, 2)).high == 1
        True
    """
    top = low if high is None else high
    return Interval(_ball(low).lower(), _ball(top).upper())


@no_type_check
def _ball(value: Any) -> arb:
    if isinstance(value, arb):
        return value
    exact = rational(value)
    return arb(fmpq(exact.numerator, exact.denominator))


@no_type_check
def as_ball(x: Interval) -> arb:
    """The smallest ball around an interval; unbounded if an end is infinite."""
    if is_unknown(x):
        return arb.nan()
    if not is_bounded(x):
        return arb(0, math.inf)
    return x.low.union(x.high)


@no_type_check
def hull(parts: Iterable[arb]) -> Interval:
    """Smallest interval around balls (infinite exact values allowed)."""
    parts = list(parts)
    if any(part.is_nan() for part in parts):
        return UNKNOWN
    lows, highs = [p.lower() for p in parts], [p.upper() for p in parts]
    return Interval(min(lows), max(highs))


@no_type_check
def within(x: Interval, low: arb, high: arb, strict: bool) -> Interval:
    """The part of x inside [low, high], where a function is defined.

    If x sticks out: nothing is known when `strict` (a claim must not silently skip the
    points where it is undefined); otherwise the rest is cut off.
    """
    if x.low >= low and x.high <= high:
        return x
    if strict or not (x.high >= low and x.low <= high):
        return UNKNOWN
    return Interval(max(x.low, low), min(x.high, high))


@no_type_check
def increasing(function: Any, x: Interval) -> Interval:
    """Image of x under an increasing function of one ball."""
    return Interval(function(x.low).lower(), function(x.high).upper())


@no_type_check
def decreasing(function: Any, x: Interval) -> Interval:
    """Image of x under a decreasing function of one ball."""
    return Interval(function(x.high).lower(), function(x.low).upper())


@no_type_check
def negative(x: Interval) -> Interval:
    """{-a : a in x}."""
    return Interval(-x.high, -x.low)


@no_type_check
def add(x: Interval, y: Interval) -> Interval:
    """{a + b : a in x, b in y}."""
    return Interval((x.low + y.low).lower(), (x.high + y.high).upper())


@no_type_check
def subtract(x: Interval, y: Interval) -> Interval:
    """{a - b : a in x, b in y}."""
    return Interval((x.low - y.high).lower(), (x.high - y.low).upper())


@no_type_check
def _product(a: arb, b: arb) -> arb:
    """a b of two ends, with 0 times an infinite end = 0 (the end is not attained)."""
    return ZERO if a == 0 or b == 0 else a * b


@no_type_check
def multiply(x: Interval, y: Interval) -> Interval:
    """{a b : a in x, b in y}."""
    if x.low >= 0 and y.low >= 0:
        low, high = _product(x.low, y.low), _product(x.high, y.high)
        return Interval(low.lower(), high.upper())
    if is_unknown(x) or is_unknown(y):
        return UNKNOWN
    return hull(_product(a, b) for a in x for b in y)


@no_type_check
def reciprocal(x: Interval, strict: bool) -> Interval:
    """{1/a : a in x, a != 0}; unknown if strict and 0 is in x."""
    if x.low > 0 or x.high < 0:
        return decreasing(lambda a: ONE / a, x)
    if strict or is_unknown(x) or (x.low == 0 and x.high == 0):
        return UNKNOWN
    if x.low == 0:
        return Interval((ONE / x.high).lower(), INFINITY)
    if x.high == 0:
        return Interval(MINUS_INFINITY, (ONE / x.low).upper())
    return Interval(MINUS_INFINITY, INFINITY)


@no_type_check
def integer_power(x: Interval, exponent: int, strict: bool) -> Interval:
    """{a^n : a in x} for an integer n."""
    if exponent < 0:
        return reciprocal(integer_power(x, -exponent, strict), strict)
    if is_unknown(x):
        return UNKNOWN
    if exponent % 2 or x.low >= 0:
        return increasing(lambda a: a**exponent, x)
    if x.high <= 0:
        return decreasing(lambda a: a**exponent, x)
    return Interval(ZERO, max((x.low**exponent).upper(), (x.high**exponent).upper()))


@no_type_check
def square_root(x: Interval, strict: bool) -> Interval:
    """{sqrt(a) : a in x, a >= 0}."""
    return increasing(lambda a: a.sqrt(), within(x, ZERO, INFINITY, strict))


@no_type_check
def _log_end(a: arb) -> arb:
    return MINUS_INFINITY if a == 0 else a.log()


@no_type_check
def logarithm(x: Interval, strict: bool) -> Interval:
    """{ln(a) : a in x, a >= 0}, with ln 0 = -inf (so that 0 ln 0 = 0)."""
    return increasing(_log_end, within(x, ZERO, INFINITY, strict))


@no_type_check
def exponential(x: Interval) -> Interval:
    """{exp(a) : a in x}."""
    return increasing(lambda a: a.exp(), x)


@no_type_check
def power(x: Interval, y: Interval, strict: bool) -> Interval:
    """{a^b : a in x, b in y, a >= 0}, with 0^b = 0 for b > 0 and 0^0 = 1."""
    base = within(x, ZERO, INFINITY, strict)
    if is_unknown(base) or is_unknown(y):
        return UNKNOWN
    if base.low == 0 and not y.low > 0:
        if y.low == 0 and y.high == 0:
            return Interval(ONE, ONE)
        if strict or y.high < 0 or base.high == 0:
            return UNKNOWN
        return Interval(ZERO, INFINITY)
    # exp(b ln a): monotone in each, so its range is that of b ln a.
    return exponential(multiply(y, logarithm(base, strict)))


@no_type_check
def _circular(x: Interval, name: str) -> Interval:
    if not is_bounded(x):
        return UNKNOWN if is_unknown(x) else Interval(-ONE, ONE)
    ball = getattr(as_ball(x), name)()
    return Interval(max(ball.lower(), -ONE), min(ball.upper(), ONE))


@no_type_check
def sine(x: Interval) -> Interval:
    """An enclosure of {sin(a) : a in x}."""
    return _circular(x, "sin")


@no_type_check
def cosine(x: Interval) -> Interval:
    """An enclosure of {cos(a) : a in x}."""
    return _circular(x, "cos")


@no_type_check
def minimum(x: Interval, y: Interval) -> Interval:
    """{min(a, b) : a in x, b in y}."""
    if is_unknown(x) or is_unknown(y):
        return UNKNOWN
    return Interval(min(x.low, y.low), min(x.high, y.high))


@no_type_check
def maximum(x: Interval, y: Interval) -> Interval:
    """{max(a, b) : a in x, b in y}."""
    if is_unknown(x) or is_unknown(y):
        return UNKNOWN
    return Interval(max(x.low, y.low), max(x.high, y.high))
