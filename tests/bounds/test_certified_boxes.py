"""Certification by boxes: true claims close, false ones never do, gaps are noticed."""

import dataclasses
import json
from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds import binary_relative_entropy
from qjax.bounds.certified import (
    certify,
    certify_scalar_core,
    read_certificate,
    replay,
    replay_scalar_core,
    scalar_core_claim,
    state_claim,
    stored_scalar_core,
    tiles_exactly,
)

X, Y = sp.symbols("x y", real=True)
BOX = {"x": (-1, 1), "y": (Fraction(-1, 3), 1)}
# Its minimum is 0, at x = y = 1/3; expanded, so that its terms hide the sign.
BOWL = sp.expand((X - sp.Rational(1, 3)) ** 2 + (X - Y) ** 2)


def _bowl(offset: sp.Rational):
    return state_claim(BOWL + offset, BOX)


@pytest.mark.parametrize("exponent", [2, 4, 6])
def test_a_slightly_positive_function_is_certified(exponent):
    certificate = certify(_bowl(sp.Rational(1, 10**exponent)))
    assert certificate.verdict == "certified"
    bound = certificate.lower_bound
    assert bound is not None and 0 < bound <= Fraction(1, 10**exponent)
    assert certificate.count("+") < 2000


@pytest.mark.parametrize("exponent", [1, 4, 8])
def test_a_slightly_negative_function_is_never_certified(exponent):
    offset = Fraction(-1, 10**exponent)
    certificate = certify(_bowl(sp.Rational(offset)), max_boxes=3000)
    assert certificate.verdict != "certified"
    if certificate.counterexample is not None:
        x, y = certificate.counterexample
        assert (x - Fraction(1, 3)) ** 2 + (x - y) ** 2 + offset <= 0


def test_a_strict_claim_with_a_zero_stays_open_or_is_refuted_at_the_zero():
    touching = state_claim((X - sp.Rational(1, 3)) ** 2, {"x": (0, 1)})
    certificate = certify(touching)
    assert certificate.verdict == "undecided"
    ((side,),) = certificate.open_boxes() or (((0, 0),),)
    assert side[0] <= Fraction(1, 3) <= side[1]
    dyadic = certify(state_claim((X - sp.Rational(1, 2)) ** 2, {"x": (0, 1)}))
    assert dyadic.counterexample == (Fraction(1, 2),)


def test_relations_differ_exactly_where_the_function_vanishes():
    weak, strict = (
        state_claim(X**2, {"x": (0, 1)}, relation=relation) for relation in (">=", ">")
    )
    assert certify(weak).verdict == "certified"
    assert certify(strict).verdict != "certified"


def test_open_boxes_are_reported_when_the_budget_ends():
    certificate = certify(_bowl(sp.Rational(1, 10**6)), max_boxes=10)
    boxes = certificate.open_boxes()
    assert certificate.verdict == "undecided" and len(boxes) == certificate.count("?")
    assert tiles_exactly(certificate.covering, [box for _, box in certificate.leaves()])
    assert "open)" in certificate.domain_statement()


def test_the_domain_is_covered_although_its_ends_are_not_binary():
    certificate = certify(state_claim(X, {"x": (Fraction(1, 100), Fraction(99, 100))}))
    ((low, high),) = certificate.covering
    assert low < Fraction(1, 100) and high > Fraction(99, 100)
    assert certificate.verdict == "certified"
    for end in (low, high):
        assert end.denominator & (end.denominator - 1) == 0
    assert "1/100 <= x <= 99/100" in certificate.domain_statement()


def test_constraints_cut_exactly_the_points_that_violate_them():
    # x + y > 0 is false for x + y <= 0: true only thanks to the constraint.
    claim = state_claim(X + Y, {"x": (-1, 1), "y": (-1, 1)}, [sp.Ge(X + Y, 1)])
    certificate = certify(claim)
    assert certificate.verdict == "certified" and certificate.count("x") > 0
    below = sp.Ge(X + Y, sp.Rational(-1, 100))
    wider = state_claim(X + Y, {"x": (-1, 1), "y": (-1, 1)}, [below])
    assert certify(wider).verdict != "certified"
    touching = claim.constraints[0]
    half = Fraction(1, 2)
    assert not touching.misses(((Fraction(0), half), (Fraction(0), half)))
    # Nor does a box that shares only the corner (-1, 1) with the domain miss it.
    corner = ((Fraction(-2), Fraction(-1)), (Fraction(1), Fraction(2)))
    assert not wider.is_outside(corner)
    assert wider.is_outside(((Fraction(-2), Fraction(-3, 2)), corner[1]))


def test_points_where_the_expression_is_undefined_are_not_certified():
    claim = state_claim(sp.exp(sp.sqrt(X)), {"x": (-1, 1)}, relation=">=")
    certificate = certify(claim, max_boxes=200)
    assert certificate.verdict == "undecided"
    assert any(low < 0 for ((low, _),) in certificate.open_boxes())


def test_a_plain_function_of_balls_can_be_certified_and_refuted():
    def quadratic(x: list[arb]) -> arb:
        return x[0] * x[0] - x[0] + arb(3) / 10

    claim = state_claim(quadratic, {"x": (0, 1)}, label="x^2 - x + 3/10")
    assert certify(claim).verdict == "certified"
    assert replay(certify(claim), claim)
    lower = state_claim(
        lambda x: quadratic(x) - arb(1) / 10, {"x": (0, 1)}, label="x^2 - x + 1/5"
    )
    assert certify(lower).verdict == "refuted"


def test_precision_is_restored():
    before = flint.ctx.prec
    certify(_bowl(sp.Rational(1, 100)), precision=200)
    assert flint.ctx.prec == before


# -- replay ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bowl():
    claim = _bowl(sp.Rational(1, 50))
    return claim, certify(claim)


def test_a_stored_certificate_replays(bowl):
    claim, certificate = bowl
    read = read_certificate(certificate.to_json())
    assert read == certificate and replay(read, claim)


def test_a_certificate_proves_no_other_claim(bowl):
    _, certificate = bowl
    for weaker_or_stronger in (49, 51):
        assert not replay(certificate, _bowl(sp.Rational(1, weaker_or_stronger)))
    renamed = dataclasses.replace(
        certificate, statement=_bowl(sp.Rational(-1, 50)).statement()
    )
    assert not replay(renamed, _bowl(sp.Rational(-1, 50)))


def test_a_tree_with_a_missing_leaf_or_an_extra_one_is_rejected(bowl):
    claim, certificate = bowl
    for tree in (certificate.tree[:-1], certificate.tree + "+", "9" + certificate.tree):
        with pytest.raises(ValueError, match="tree"):
            replay(dataclasses.replace(certificate, tree=tree), claim)


@pytest.mark.parametrize("mark", ["x", "?"])
def test_a_leaf_with_a_false_status_is_rejected(bowl, mark):
    claim, certificate = bowl
    tree = certificate.tree
    place = tree.index("+")
    changed = tree[:place] + mark + tree[place + 1 :]
    assert not replay(dataclasses.replace(certificate, tree=changed), claim)


def test_a_cut_tree_whose_boxes_are_too_large_is_rejected(bowl):
    claim, certificate = bowl
    assert len(certificate.tree) > 1
    assert not replay(dataclasses.replace(certificate, tree="+"), claim)


def test_a_covering_box_smaller_than_the_domain_is_rejected():
    claim = state_claim(sp.exp(X), {"x": (0, 1)})
    certificate = certify(claim)
    assert replay(certificate, claim)
    for side in ((Fraction(1, 2**30), Fraction(1)), (Fraction(0), Fraction(3, 4))):
        changed = dataclasses.replace(certificate, covering=(side,), lower_bound=None)
        assert not replay(changed, claim)


def test_an_exaggerated_lower_bound_is_rejected(bowl):
    claim, certificate = bowl
    stronger = certificate.lower_bound + Fraction(1, 1000)
    assert not replay(dataclasses.replace(certificate, lower_bound=stronger), claim)


def test_another_format_is_refused(bowl):
    fields = json.loads(bowl[1].to_json()) | {"format": 0}
    with pytest.raises(ValueError, match="format"):
        read_certificate(json.dumps(fields))


def _box(*sides):
    return tuple((Fraction(a), Fraction(b)) for a, b in sides)


ROOT = _box((0, 3), (0, 2))
# A pinwheel: no straight cut separates it, so it is no bisection tree.
PINWHEEL = [
    _box((0, 2), (0, "1/2")), _box((2, 3), (0, "3/2")), _box((1, 3), ("3/2", 2)),
    _box((0, 1), ("1/2", 2)), _box((1, 2), ("1/2", "3/2")),
]  # fmt: skip


def test_any_exact_tiling_is_accepted():
    assert tiles_exactly(ROOT, PINWHEEL)
    thirds = [_box((Fraction(i, 3), Fraction(i + 1, 3)), (0, 2)) for i in range(9)]
    assert tiles_exactly(ROOT, thirds)


TINY = Fraction(1, 10**30)
BAD_TILINGS = {
    "gap": PINWHEEL[:-1],
    "tiny gap": [*PINWHEEL[:-1], _box((1, 2 - TINY), ("1/2", "3/2"))],
    "overlap": [*PINWHEEL, _box((0, 1), (0, 1))],
    "twice instead of another": [PINWHEEL[1], *PINWHEEL[1:]],
    "gap hidden by an overlap": [
        *PINWHEEL[:-1], _box((1, 2), ("1/2", 1)), _box((1, 2), ("1/4", "3/4"))
    ],
    "outside": [*PINWHEEL[1:], _box((-1, 1), (0, "1/2"))],
    "flat box": [*PINWHEEL, _box((1, 1), (0, 1))],
    "none": [],
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_TILINGS)
def test_a_wrong_tiling_is_rejected(name):
    assert not tiles_exactly(ROOT, BAD_TILINGS[name])


# -- the scalar core -------------------------------------------------------------------


def test_the_scalar_core_is_certified_on_its_whole_domain_and_stored():
    certificate = certify_scalar_core()
    assert certificate.verdict == "certified" and certificate.count("?") == 0
    assert certificate.lower_bound is not None and certificate.lower_bound > 0
    assert certificate.to_json() == stored_scalar_core().to_json()
    assert "1*alpha + 1*beta <= 99/100" in certificate.statement


def test_the_stored_scalar_core_replays():
    assert replay_scalar_core()


def _smallest_ratio() -> float:
    """min of d(1-beta||alpha) / ((1-s) log2(1/s)) over the domain, on a grid."""
    grid = np.linspace(0.01, 0.98, 1500)
    alpha, beta = np.meshgrid(grid, grid)
    inside = alpha + beta <= 0.99
    alpha, beta = alpha[inside], beta[inside]
    total = alpha + beta
    left = binary_relative_entropy(1 - beta, alpha)
    return float(np.min(left / ((1 - total) * np.log2(1 / total))))


def test_a_scalar_core_with_too_large_a_factor_is_refuted():
    factor = Fraction(_smallest_ratio() * (1 + 1e-4)).limit_denominator(10**6)
    certificate = certify(scalar_core_claim(sp.Rational(factor)))
    assert certificate.verdict != "certified"
    large = certify(scalar_core_claim(sp.Rational(6, 5)))
    assert large.verdict == "refuted" and large.counterexample is not None
    alpha, beta = map(float, large.counterexample)
    left = float(binary_relative_entropy(1 - beta, alpha))
    total = alpha + beta
    assert left < 1.2 * (1 - total) * np.log2(1 / total)


def test_the_stored_certificate_does_not_prove_a_stronger_claim():
    stored = stored_scalar_core()
    claim = scalar_core_claim(sp.Rational(6, 5))
    forged = dataclasses.replace(stored, statement=claim.statement(), lower_bound=None)
    assert not replay(forged, claim)


# -- claims ------------------------------------------------------------------------


@given(point=st.tuples(*[st.fractions(-2, 2, max_denominator=40)] * 2))
def test_outside_boxes_have_no_point_of_the_domain(point):
    claim = state_claim(X, BOX, [sp.Le(2 * X - Y, sp.Rational(1, 3)), sp.Ge(X, -Y)])
    box = tuple((x - Fraction(1, 10), x + Fraction(1, 10)) for x in point)
    if claim.contains(point):
        assert not claim.is_outside(box)
    x, y = point
    inside = -1 <= x <= 1 and Fraction(-1, 3) <= y <= 1
    assert claim.contains(point) == (inside and 6 * x - 3 * y <= 1 and x >= -y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, {"x": (1, 1)}), "low < high"),
        ((X, {}), "1 to 10"),
        ((X, {"x": (0, 1)}, [sp.Le(X**2, 1)]), "linear"),
        ((X, {"x": (0, 1)}, [sp.Le(sp.sqrt(2) * X, 1)]), "rational coefficients"),
        ((X, {"x": (0, 1)}, [sp.Lt(X, 1)]), "<="),
        ((X, {"x": (0, 1)}, [sp.Le(X + Y, 1)]), "linear"),
    ],
)
def test_bad_claims_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        state_claim(*arguments)
    with pytest.raises(ValueError, match="relation"):
        state_claim(X, {"x": (0, 1)}, relation="<")
    with pytest.raises(ValueError, match="label"):
        state_claim(lambda x: x[0], {"x": (0, 1)})
