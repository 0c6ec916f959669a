"""Enclosures of expressions: they contain every point value, also at the edges."""

import operator
from fractions import Fraction

import flint
import mpmath
import pytest
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds import d, h
from qjax.bounds.certified import Interval, enclose, interval
from qjax.bounds.certified import intervals as iv
from qjax.bounds.certified.enclose import Program

X, Y = sp.symbols("x y", positive=True)

EXPRESSIONS = (
    h(X),
    d(X, Y),
    d(1 - Y, X) - (1 - X) * sp.log(1 / X, 2),
    1 - h((1 + sp.sqrt(X)) / 2),
    h((1 + sp.exp(-3 * X)) / 2) - X / (2 * sp.log(2)),
    sp.sin(3 * X) * sp.cos(Y) - sp.pi * X**2,
    sp.Min(X, Y**2, sp.Rational(1, 3)) + sp.Max(X * Y, X - Y),
    X**Y + Y ** sp.Rational(2, 3) + (X + Y) ** -3,
    X * sp.log(X) + sp.E**Y,
    (X - Y) ** 4 - (X - Y) ** 3,
)


def _entropy(p):
    return -mpmath.fsum(x * mpmath.log(x, 2) for x in (p, 1 - p) if x > 0)


def _relative(p, q):
    pairs = ((p, q), (1 - p, 1 - q))
    if any(x > 0 and y == 0 for x, y in pairs):
        return mpmath.inf
    return mpmath.fsum(x * mpmath.log(x / y, 2) for x, y in pairs if x > 0)


def _log(x):
    return mpmath.log(x) if x > 0 else mpmath.mpf(-(10**30))  # times 0 it is 0


ORACLE = {
    expression: sp.lambdify(
        (X, Y), expression, [{"h": _entropy, "d": _relative, "log": _log}, "mpmath"]
    )
    for expression in EXPRESSIONS
}


def _oracle(expression, x: Fraction, y: Fraction):
    with mpmath.workdps(40):
        numbers = [mpmath.mpf(z.numerator) / z.denominator for z in (x, y)]
        try:
            value = ORACLE[expression](*numbers)
        except ZeroDivisionError:
            return None
        return Fraction(str(mpmath.nstr(value, 35))) if mpmath.isfinite(value) else None


# Relative to 1 + |value|: the oracle's digits, not the enclosure's.
ORACLE_ERROR = Fraction(1, 10**30)


def _contains(ball: arb, value: Fraction) -> bool:
    low, high = (iv.fraction_of_end(end) for end in (ball.lower(), ball.upper()))
    slack = ORACLE_ERROR * (1 + abs(value))
    return low - slack <= value <= high + slack


units = st.fractions(0, 1, max_denominator=2**12)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(x=units, y=units)
def test_enclosure_of_a_point_agrees_with_mpmath(expression, x, y):
    expected = _oracle(expression, x, y) if (x, y) != (0, 0) else None
    if expected is None:
        return
    ball = enclose(expression, {"x": x, "y": y})
    assert _contains(ball, expected)
    assert float(ball.rad()) < 1e-20 * (1 + abs(float(expected)))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(ends=st.tuples(units, units, units, units), where=st.tuples(units, units))
def test_enclosure_of_a_box_contains_its_point_values(expression, ends, where):
    sides = [tuple(sorted(ends[:2])), tuple(sorted(ends[2:]))]
    x, y = (low + t * (high - low) for t, (low, high) in zip(where, sides, strict=True))
    expected = _oracle(expression, x, y) if (x, y) != (0, 0) else None
    ball = enclose(expression, {"x": sides[0], "y": sides[1]})
    unbounded = not ball.is_finite()
    if expected is not None and not unbounded:
        assert _contains(ball, expected)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(corner=st.tuples(units, units), where=st.tuples(units, units))
def test_slopes_satisfy_the_mean_value_theorem(expression, corner, where):
    # A wrong derivative rule would let the centered form certify false claims.
    low = [Fraction(1, 8) + z * Fraction(3, 4) for z in corner]
    width = Fraction(1, 16)
    first = [z + t * width for z, t in zip(low, where, strict=True)]
    with flint.ctx.workprec(96):
        box = [interval(z, z + width) for z in low]
        jet = Program(expression, ["x", "y"], strict=True).jet(box)
    after, before = _oracle(expression, *first), _oracle(expression, *low)
    assert after is not None and before is not None
    change = after - before
    reach = [slope or interval(0) for slope in jet.slopes]
    steps = [a - b for a, b in zip(first, low, strict=True)]
    bounds = [
        sum(
            step * iv.fraction_of_end(end)
            for step, end in zip(steps, ends, strict=True)
        )
        for ends in ([s.low for s in reach], [s.high for s in reach])
    ]
    slack = ORACLE_ERROR * (1 + abs(after) + abs(before))
    assert bounds[0] - slack <= change <= bounds[1] + slack


def test_entropy_is_exact_at_its_edges_and_tight_on_boxes_that_touch_them():
    assert enclose(h(X), {"x": 0}) == 0
    assert enclose(h(X), {"x": 1}) == 0
    touching = enclose(h(X), {"x": (0, Fraction(1, 8))})
    top = enclose(h(X), {"x": Fraction(1, 8)})
    assert touching.contains(0) and touching.contains(top)
    assert touching.upper() < float(top.upper()) + 1e-8  # the hull, nothing wider
    whole = enclose(h(X), {"x": (Fraction(1, 4), 1)})
    assert whole.contains(0) and whole.contains(1) and whole.upper() < 1.0000001


def test_relative_entropy_is_exact_at_its_edges():
    edge = {"x": 0, "y": Fraction(1, 4)}
    assert enclose(d(X, Y), edge).overlaps(enclose(sp.log(sp.Rational(4, 3), 2), {}))
    assert enclose(d(X, Y), {"x": 0, "y": 0}) == 0
    assert not enclose(d(X, Y), {"x": Fraction(1, 2), "y": 0}).is_finite()
    apart = {"x": (0, Fraction(1, 4)), "y": (Fraction(1, 2), Fraction(3, 4))}
    ball = enclose(d(X, Y), apart)
    # d(1/4||1/2) = 1 - h(1/4) and d(0||3/4) = 2 are attained.
    nearest = enclose(1 - h(sp.Rational(1, 4)), {})
    assert abs(float(ball.lower()) - float(nearest.mid())) < 1e-8
    assert abs(float(ball.upper()) - 2) < 1e-8


def test_a_ball_that_leaks_out_of_the_unit_interval_is_cut():
    leaking = arb(Fraction(1, 4).numerator) / 4 + arb(0, 0.2500001)
    assert enclose(h(X), {"x": leaking}).contains(0)
    assert enclose(h(X), {"x": (2, 3)}).is_nan()


def test_strict_programs_refuse_boxes_that_leave_the_domain_of_a_function():
    for expression in (h(X - 1), sp.log(X - 1), sp.sqrt(X - 1), 1 / (X - 1)):
        with flint.ctx.workprec(64):
            box = [interval(Fraction(1, 2), 2)]
            cut = Program(expression, ["x"], 64, strict=False).value(box)
            refused = Program(expression, ["x"], 64, strict=True).value(box)
        assert iv.is_unknown(refused) and not iv.is_unknown(cut)


def test_zero_times_an_infinite_end_is_zero():
    product = iv.multiply(Interval(arb(0), arb(1)), Interval(arb.neg_inf(), arb(2)))
    assert product.low == arb.neg_inf() and product.high == 2
    assert enclose(X * sp.log(X), {"x": 0}) == 0


@given(
    values=st.lists(st.fractions(-3, 3, max_denominator=64), min_size=4, max_size=4),
    where=st.tuples(units, units),
)
def test_interval_operations_contain_exact_results(values, where):
    sides = [sorted(values[:2]), sorted(values[2:])]
    x, y = (interval(*side) for side in sides)
    a, b = (low + t * (high - low) for t, (low, high) in zip(where, sides, strict=True))
    pairs = [
        (iv.add, operator.add), (iv.subtract, operator.sub),
        (iv.multiply, operator.mul), (iv.minimum, min), (iv.maximum, max),
    ]  # fmt: skip
    for enclosing, exact in pairs:
        image, value = enclosing(x, y), exact(a, b)
        low, high = map(iv.fraction_of_end, image)
        assert low <= value <= high
        assert high - low <= 2 * max(abs(z) for z in (*sides[0], *sides[1], 1)) ** 2 + 6
    if sides[0][0] > 0:
        low, high = map(iv.fraction_of_end, iv.reciprocal(x, strict=True))
        assert low <= 1 / a <= high
    for power in (2, 3, 4):
        low, high = map(iv.fraction_of_end, iv.integer_power(x, power, strict=True))
        assert low <= a**power <= high


def test_even_powers_are_not_negative():
    assert iv.integer_power(interval(-1, 2), 2, strict=True) == Interval(arb(0), arb(4))


def test_the_working_precision_is_an_argument_and_is_restored():
    before = flint.ctx.prec
    coarse = enclose(sp.log(X), {"x": 3}, 30)
    fine = enclose(sp.log(X), {"x": 3}, 300)
    assert flint.ctx.prec == before
    assert float(coarse.rad()) > 1e-10 > 1e-80 > float(fine.rad())
    with pytest.raises(ValueError, match="must be built from"):
        enclose(sp.gamma(X), {"x": 3}, 300)
    assert flint.ctx.prec == before


@pytest.mark.parametrize(
    ("expression", "values", "message"),
    [
        (X + Y, {"x": 1}, "name all of"),
        (X + sp.Float("0.1"), {"x": 1}, "exact numbers"),
        (sp.zeta(X), {"x": 1}, "be built from"),
        (X, {"x": (2, 1)}, "ends in order"),
        (X, {"x": sp.sqrt(2)}, "be rational"),
        (X, {"x": float("nan")}, "finite"),
    ],
)
def test_bad_input_is_named(expression, values, message):
    with pytest.raises(ValueError, match=message):
        enclose(expression, values)
