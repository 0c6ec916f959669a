"""Enclosed roots and thresholds: they contain the root, and nothing false closes."""

import itertools
from fractions import Fraction

import flint
import mpmath
import pytest
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds.certified import (
    certify,
    certify_log_bound,
    certify_threshold,
    certify_threshold_table,
    enclose,
    enclose_explained_variance,
    enclose_root,
    excess_is_concave,
    near_zero_inequality,
    state_claim,
)
from qjax.bounds.certified.noise_thresholds import MARGIN, SLOPES, X, excess
from qjax.bounds.certified.roots import INFORMATION_OF_ACCURACY, U

Z = sp.Symbol("z", real=True)


@given(
    root=st.fractions(-3, 3, max_denominator=997),
    reach=st.tuples(*[st.fractions(Fraction(1, 8), 2, max_denominator=64)] * 2),
)
def test_the_root_of_a_cubic_is_enclosed(root, reach):
    exact = sp.Rational(root)
    bracket = (root - reach[0], root + reach[1])
    found = enclose_root(sp.expand((Z - exact) * (1 + (Z - exact) ** 2)), bracket)
    assert bracket[0] <= found.low <= root <= found.high <= bracket[1]
    assert found.high - found.low <= Fraction(1, 2**60)


def test_irrational_roots_are_enclosed_to_the_tolerance():
    found = enclose_root(sp.exp(Z) - 5, (0, 3), tolerance=Fraction(1, 10**25))
    with mpmath.workdps(60):
        exact = Fraction(mpmath.nstr(mpmath.log(5), 50))
    assert found.low < exact < found.high and found.monotone
    assert found.high - found.low <= Fraction(1, 10**25)


def test_a_root_of_a_plain_function_is_enclosed_by_bisection():
    found = enclose_root(lambda z: z[0] * z[0] - 2, (1, 2))
    assert found.low**2 < 2 < found.high**2 and not found.monotone


def test_monotone_is_only_claimed_if_the_slope_keeps_its_sign():
    wave = sp.sin(3 * Z)
    assert not enclose_root(wave, (Fraction(-1, 2), Fraction(9, 10))).monotone
    assert enclose_root(wave, (Fraction(-1, 4), Fraction(1, 8))).monotone


@pytest.mark.parametrize("bracket", [(2, 3), (1, 0), (0, 2), (-2, 2)])
def test_a_bracket_without_certified_sign_change_is_refused(bracket):
    # x (x - 2): no change on [2, 3] or [-2, 2], a zero at the end of [0, 2].
    with pytest.raises(ValueError, match="opposite signs"):
        enclose_root(Z * (Z - 2) * (Z**2 + 1), bracket)


def test_too_little_precision_gives_a_wider_enclosure_that_is_still_right():
    before = flint.ctx.prec
    wide = enclose_root(Z**2 - 2, (1, 2), precision=20)
    assert flint.ctx.prec == before
    assert wide.low**2 < 2 < wide.high**2
    assert wide.high - wide.low > Fraction(1, 2**40)


def _phi(u):
    p = (1 + mpmath.sqrt(u)) / 2
    return 1 + mpmath.fsum(x * mpmath.log(x, 2) for x in (p, 1 - p) if x > 0)


@given(y=st.fractions(0, 1, max_denominator=10**6))
def test_inverse_information_inverts_phi(y):
    ball = enclose_explained_variance(y)
    with mpmath.workdps(40):
        low, high = (
            mpmath.mpf(int(man)) * mpmath.mpf(2) ** int(exp)
            for man, exp in (ball.lower().man_exp(), ball.upper().man_exp())
        )
        exact = mpmath.mpf(y.numerator) / y.denominator
        error = mpmath.mpf(10) ** -30
        assert _phi(low) <= exact + error and _phi(min(high, 1)) >= exact - error
    assert float(ball.rad()) <= 1e-15 * max(float(y), 1e-300)


def test_inverse_information_of_the_access_codes():
    # Theory of bounds, section 4.2: m = 1, B = 3 and 2.
    assert round(float(enclose_explained_variance(Fraction(1, 3)).mid()), 4) == 0.4252
    assert round(float(enclose_explained_variance(Fraction(1, 2)).mid()), 4) == 0.6083
    assert enclose_explained_variance(0) == 0 and enclose_explained_variance(1) == 1
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        enclose_explained_variance(Fraction(11, 10))


def test_information_is_between_its_two_linear_bounds():
    # u/(2 ln 2) <= phi(u) <= u: the bracket of the inversion rests on it.
    domain = {"u": (Fraction(1, 32), Fraction(31, 32))}
    for difference in (
        U - INFORMATION_OF_ACCURACY,
        INFORMATION_OF_ACCURACY - U / (2 * sp.log(2)),
    ):
        assert certify(state_claim(difference, domain)).verdict == "certified"


# -- corollary A2 ---------------------------------------------------------------------

# Rounded as printed in the theory of bounds, section 3.3.
TABLE = ("1.972", "1.313", "0.869", "0.493", "0.252", "0.0202")


@pytest.fixture(scope="module")
def thresholds():
    return certify_threshold_table()


def test_every_threshold_is_certified(thresholds):
    assert [found.slope for found in thresholds] == list(SLOPES)
    assert all(found.holds for found in thresholds)
    assert all(found.root.high - found.root.low < MARGIN for found in thresholds)


def test_thresholds_agree_with_the_printed_table(thresholds):
    for found, printed in zip(thresholds, TABLE, strict=True):
        digits = len(printed.split(".")[1])
        for end in (found.root.low, found.root.high):
            assert f"{float(end):.{digits}f}" == printed


def test_thresholds_agree_with_an_independent_root_finder(thresholds):
    for found in thresholds:
        with mpmath.workdps(40):
            c = mpmath.mpf(sp.N(found.slope, 40))

            def g(x, c=c):
                p = (1 + mpmath.exp(-x)) / 2
                return -p * mpmath.log(p, 2) - (1 - p) * mpmath.log(1 - p, 2) - c * x

            root = mpmath.findroot(g, float(found.root.low) * 1.01)
            assert abs(root - mpmath.mpf(str(float(found.root.low)))) < 1e-15
            assert found.root.low <= Fraction(mpmath.nstr(root, 35)) <= found.root.high


def test_soundness_fails_just_above_and_holds_just_below(thresholds):
    for found in thresholds:
        below = enclose(excess(found.slope), {"x": found.root.low - MARGIN})
        above = enclose(excess(found.slope), {"x": found.root.high + MARGIN})
        assert below > 0 and above < 0


def test_soundness_is_not_certified_beyond_the_threshold(thresholds):
    for found in thresholds:
        domain = {"x": (found.near_zero, found.root.high + MARGIN)}
        too_far = certify(state_claim(excess(found.slope), domain), max_boxes=500)
        assert too_far.verdict != "certified"


def test_the_argument_near_zero_is_a_true_lower_bound_and_can_fail():
    # (x/2)(1 - x/2) log2(2/x) <= h((1 + e^-x)/2), away from 0 where both vanish.
    lower = X / 2 * (1 - X / 2) * sp.log(2 / X, 2)
    claim = state_claim(excess(sp.S.Zero) - lower, {"x": (Fraction(1, 2**10), 2)})
    assert certify(claim).verdict == "certified"
    assert near_zero_inequality(sp.S.One, Fraction(1, 4))
    assert not near_zero_inequality(sp.S.One, Fraction(1, 2))
    with pytest.raises(ValueError, match=r"lie in \(0, 2\)"):
        near_zero_inequality(sp.S.One, Fraction(2))


def test_the_excess_is_concave_by_identity_and_on_boxes():
    assert excess_is_concave()
    second = sp.diff(excess(sp.S.One).rewrite(sp.log), X, 2)
    claim = state_claim(-second, {"x": (Fraction(1, 16), 3)})
    assert certify(claim).verdict == "certified"


def test_constants_out_of_range_are_refused():
    for slope in (sp.Rational(1, 10), sp.S(10)):
        with pytest.raises(ValueError, match="slope"):
            certify_threshold(slope)


def test_the_log_bound_is_certified_with_its_ends():
    found = certify_log_bound()
    assert found.holds and found.ends
    parts = (found.rises, found.middle, found.falls)
    sides = [part.covering[0] for part in parts]
    assert sides[0][0] <= 0 and sides[-1][1] >= Fraction(1, 2)
    assert all(a[1] >= b[0] for a, b in itertools.pairwise(sides))


@pytest.mark.parametrize("change", [Fraction(-1, 10**6), Fraction(1, 10**6)])
def test_the_log_bound_with_another_factor_is_not_certified(change):
    # Smaller is false at 1/2; larger is true there but no longer an equality.
    assert not certify_log_bound(2 * sp.log(2) + sp.Rational(change)).holds


def test_a_ball_is_returned_around_the_root():
    assert isinstance(certify_threshold(sp.S.One).root.ball, arb)
