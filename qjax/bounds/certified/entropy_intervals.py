"""Exact ranges of binary entropy and relative entropy, and of their slopes, in bits.

Every range is attained at ends: h is concave with its maximum at 1/2, d is jointly
convex and grows away from p = q, and each slope is monotone in each argument. The
values at the ends are balls, so the enclosures are as tight as the precision allows.
"""

from typing import no_type_check

from flint import arb

from qjax.bounds.certified.intervals import (
    INFINITY,
    MINUS_INFINITY,
    ONE,
    UNKNOWN,
    ZERO,
    Interval,
    decreasing,
    hull,
    is_unknown,
    subtract,
    within,
)

HALF = arb((1, -1))


@no_type_check
def plogp(p: arb) -> arb:
    """p ln p for a ball that is exactly 0 or positive; NaN if it only touches 0."""
    return ZERO if p == 0 else p * p.log()


@no_type_check
def entropy_value(p: arb) -> arb:
    """h(p) = -p log2 p - (1-p) log2(1-p) at an exact p in [0, 1], as a ball."""
    return -(plogp(p) + plogp(ONE - p)) / arb.const_log2()


@no_type_check
def relative_entropy_value(p: arb, q: arb) -> arb:
    """d(p||q) in bits at exact p, q in [0, 1], as a ball; +inf if q excludes p."""
    total = ZERO
    for left, right in ((p, q), (ONE - p, ONE - q)):
        if not left == 0:
            if right == 0:
                return INFINITY
            total = total + left * (left / right).log()
    return total / arb.const_log2()


@no_type_check
def _probability(x: Interval, strict: bool) -> Interval:
    return within(x, ZERO, ONE, strict)


@no_type_check
def binary_entropy_range(x: Interval, strict: bool) -> Interval:
    """{h(p) : p in x, 0 <= p <= 1}."""
    p = _probability(x, strict)
    if is_unknown(p):
        return UNKNOWN
    ends = hull(entropy_value(end) for end in p)
    # h <= 1 everywhere; 1 is attained if 1/2 is inside.
    high = ONE if p.low <= HALF and p.high >= HALF else min(ends.high, ONE)
    return Interval(max(ends.low, ZERO), high)


@no_type_check
def relative_entropy_range(x: Interval, y: Interval, strict: bool) -> Interval:
    """{d(p||q) : p in x, q in y, both in [0, 1]}."""
    p, q = _probability(x, strict), _probability(y, strict)
    if is_unknown(p) or is_unknown(q):
        return UNKNOWN
    # Convex, hence largest at a corner; smallest where p and q are closest.
    high = max(relative_entropy_value(a, b).upper() for a in p for b in q)
    if p.low > q.high:
        low = relative_entropy_value(p.low, q.high).lower()
    elif p.high < q.low:
        low = relative_entropy_value(p.high, q.low).lower()
    else:
        low = ZERO
    return Interval(max(low, ZERO), high)


@no_type_check
def _log_odds(p: arb) -> arb:
    """log2((1-p)/p), decreasing, with its infinite limits at 0 and 1."""
    if p == 0:
        return INFINITY
    if p == 1:
        return MINUS_INFINITY
    return ((ONE - p) / p).log() / arb.const_log2()


@no_type_check
def binary_entropy_slope(x: Interval, strict: bool) -> Interval:
    """{h'(p) = log2((1-p)/p) : p in x}."""
    p = _probability(x, strict)
    return UNKNOWN if is_unknown(p) else decreasing(_log_odds, p)


@no_type_check
def _slope_in_reference(p: arb, q: arb) -> arb:
    """(1-p)/(1-q) - p/q in nats, from -inf at q = 0 to +inf at q = 1.

    At a corner such as p = 0, q = 0 the value depends on the way there; the term
    0/0 then stands for the whole of [0, inf).
    """
    above = _ratio(ONE - p, ONE - q)
    return (above - _ratio(p, q)) / arb.const_log2()


@no_type_check
def _ratio(a: arb, b: arb) -> arb:
    if b == 0:
        return arb.nan() if a == 0 else INFINITY
    return a / b


@no_type_check
def relative_entropy_slopes(
    x: Interval, y: Interval, strict: bool
) -> tuple[Interval, Interval]:
    """Ranges of the partial derivatives of d(p||q) in p and in q, in bits.

    d/dp = log2((1-q)/q) - log2((1-p)/p); d/dq = ((1-p)/(1-q) - p/q)/ln 2, which grows
    with q and falls with p.
    """
    p, q = _probability(x, strict), _probability(y, strict)
    if is_unknown(p) or is_unknown(q):
        return UNKNOWN, UNKNOWN
    in_p = subtract(decreasing(_log_odds, q), decreasing(_log_odds, p))
    low = _slope_in_reference(p.high, q.low).lower()
    high = _slope_in_reference(p.low, q.high).upper()
    return in_p, Interval(low, high)
