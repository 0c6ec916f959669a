"""Rigorous entropies, and the facts on depolarizing noise that rest on them."""

from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds.certified import (
    RationalMatrix,
    assisted_insert_is_tight,
    block_contraction,
    enclose,
    enclose_assisted_capacity,
    enclose_eigenvalues,
    enclose_entropy,
    enclose_relative_entropy_to_mixed,
    enclose_shannon_entropy,
)
from qjax.bounds.information import d

small = st.integers(-3, 3)


@st.composite
def rational_states(draw, size=4):
    """G G^dagger / trace with small Gaussian integers; any rank, exact."""
    count = size * draw(st.integers(1, size))
    parts = draw(st.lists(st.tuples(small, small), min_size=count, max_size=count))
    factor = np.array([a + 1j * b for a, b in parts], complex).reshape(size, -1)
    gram = factor @ factor.conj().T
    trace = round(np.trace(gram).real) or 1
    if trace == 1:
        gram[0, 0] += 1 - np.trace(gram).real
    exact = [
        [(Fraction(int(x.real), trace), Fraction(int(x.imag), trace)) for x in row]
        for row in gram
    ]
    return RationalMatrix(exact), gram / trace


@given(pair=rational_states())
def test_entropy_agrees_with_floating_point(pair):
    exact, floating = pair
    values = np.linalg.eigvalsh(floating)
    values = values[values > 1e-12]
    expected = float(-np.sum(values * np.log2(values)))
    ball = enclose_entropy(exact)
    assert float(ball.mid()) == pytest.approx(expected, abs=1e-9)
    assert float(ball.rad()) < 1e-15
    gap = enclose_relative_entropy_to_mixed(exact)
    assert float(gap.mid()) == pytest.approx(2 - expected, abs=1e-9)


@given(pair=rational_states())
def test_eigenvalues_and_multiplicities_are_those_of_the_matrix(pair):
    exact, floating = pair
    pairs = enclose_eigenvalues(exact)
    listed = sorted(float(ball.mid()) for ball, count in pairs for _ in range(count))
    assert np.allclose(listed, np.linalg.eigvalsh(floating), atol=1e-9)


def test_the_enclosure_contains_the_entropy_known_to_many_digits():
    # Eigenvalues (1 +- sqrt(1/2))/2: irrational, so nothing can be exact.
    half = Fraction(1, 2)
    state = [[half + Fraction(1, 4), Fraction(1, 4)], [Fraction(1, 4), Fraction(1, 4)]]
    before = flint.ctx.prec
    ball = enclose_entropy(state, precision=256)
    assert flint.ctx.prec == before
    with mpmath.workdps(80):
        p = (1 + mpmath.sqrt(mpmath.mpf(1) / 2)) / 2
        expected = -p * mpmath.log(p, 2) - (1 - p) * mpmath.log(1 - p, 2)
        digits = mpmath.nstr(expected, 70)
    with flint.ctx.workprec(256):
        assert abs(ball - flint.arb(digits)) < flint.arb("1e-65")
    assert float(ball.rad()) < 1e-70


def test_pure_and_maximally_mixed_states_are_exact():
    bell = [[Fraction(int({i, j} <= {0, 3}), 2) for j in range(4)] for i in range(4)]
    assert enclose_entropy(bell) == 0
    assert enclose_relative_entropy_to_mixed(bell) == 2
    mixed = [[Fraction(int(i == j), 4) for j in range(4)] for i in range(4)]
    assert enclose_relative_entropy_to_mixed(mixed).contains(0)


def test_tiny_eigenvalues_do_not_cancel():
    tiny = Fraction(1, 10**40)
    state = [[1 - tiny, 0], [0, tiny]]
    coarse, fine = (enclose_entropy(state, precision=bits) for bits in (64, 300))
    expected = (40 * mpmath.log(10, 2) + 1 / mpmath.log(2)) * mpmath.mpf(10) ** -40
    assert float(fine.mid()) == pytest.approx(float(expected), rel=1e-12)
    assert fine > 0 and coarse.overlaps(fine) and coarse.contains(0)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([[1, 0], [0, Fraction(1, 10**12)]], "trace 1"),
        ([[1 + Fraction(1, 10**12), 0], [0, -Fraction(1, 10**12)]], "semidefinite"),
        ([[Fraction(1, 2), 1], [0, Fraction(1, 2)]], "Hermitian"),
    ],
)
def test_matrices_that_are_no_states_are_refused(state, message):
    with pytest.raises(ValueError, match=message):
        enclose_entropy(state)


def test_a_size_that_is_no_power_of_two_is_refused():
    third = Fraction(1, 3)
    state = [[third * (i == j) for j in range(3)] for i in range(3)]
    with pytest.raises(ValueError, match="power of two"):
        enclose_relative_entropy_to_mixed(state)


def test_shannon_entropy_with_zeros_and_bad_input():
    assert enclose_shannon_entropy([0, 1, 0]) == 0
    assert enclose_shannon_entropy([Fraction(1, 8)] * 8).contains(3)
    with pytest.raises(ValueError, match="sum to 1"):
        enclose_shannon_entropy([Fraction(1, 2)])
    with pytest.raises(ValueError, match=">= 0"):
        enclose_shannon_entropy([Fraction(3, 2), Fraction(-1, 2)])


# -- mutant M8 and corollary A6 --------------------------------------------------------


def test_block_noise_contracts_less_than_the_square_of_its_survival():
    found = block_contraction(Fraction(1, 10))
    assert found.exceeds_square and found.within_first_power
    assert round(float(found.ratio.mid()), 6) == 0.010207
    assert float(found.ratio.rad()) < 1e-20
    # Closed form: eigenvalues (1+3 lambda)/4 and three times (1-lambda)/4.
    weights = [Fraction(13, 40)] + [Fraction(9, 40)] * 3
    closed = (2 - enclose_shannon_entropy(weights)) / 2
    assert closed.overlaps(found.ratio)


def test_any_pure_state_gives_the_same_contraction():
    product = RationalMatrix([[int(i == j == 0) for j in range(4)] for i in range(4)])
    other = block_contraction(Fraction(1, 10), product)
    assert other.ratio.overlaps(block_contraction(Fraction(1, 10)).ratio)


@pytest.mark.parametrize(
    "survival", [Fraction(1, 100), Fraction(1, 2), Fraction(9, 10)]
)
def test_one_qubit_noise_does_contract_by_the_square(survival):
    # The same claim with one-qubit blocks must not be reported as violated.
    pure = RationalMatrix([[1, 0], [0, 0]])
    found = block_contraction(survival, pure)
    assert not found.exceeds_square and found.within_first_power


def test_block_contraction_refuses_bad_input():
    mixed = RationalMatrix([[Fraction(1, 2), 0], [0, Fraction(1, 2)]])
    with pytest.raises(ValueError, match="maximally mixed"):
        block_contraction(Fraction(1, 2), mixed)
    with pytest.raises(ValueError, match="survival"):
        block_contraction(0)


@given(level=st.fractions(0, 1, max_denominator=1000))
def test_assisted_capacity_equals_the_insert_bound(level):
    needed = d(sp.Rational((1 + 3 * level) / 4), sp.Rational(1, 4))
    assert enclose(needed, {}).overlaps(enclose_assisted_capacity(level))


def test_assisted_capacity_has_the_printed_values_and_exact_edges():
    for level, printed in ((Fraction(9, 10), 1.49682), (Fraction(1, 2), 0.45121)):
        value = float(enclose_assisted_capacity(level).mid())
        assert round(value, 5) == printed
    assert enclose_assisted_capacity(0).contains(0)
    assert enclose_assisted_capacity(1) == 2
    with pytest.raises(ValueError, match="survival"):
        enclose_assisted_capacity(2)


def test_the_insert_bound_is_an_equality_only_against_one_in_four():
    assert assisted_insert_is_tight()
    for other in (Fraction(1, 3), Fraction(1, 2), Fraction(2501, 10000)):
        assert not assisted_insert_is_tight(other)
