"""Binary entropies: exact edges, mpmath as the oracle, no cancellation."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds import (
    binary_entropy,
    binary_relative_entropy,
    d,
    depolarizing_capacity,
    evaluate,
    h,
    membership_information,
)
from qjax.bounds.strategies import probabilities


def _oracle(p: float, q: float) -> float:
    """The textbook formula at 60 digits, on the exact values of the floats."""
    with mpmath.workdps(60):
        total = mpmath.mpf(0)
        for x, y in (
            (mpmath.mpf(p), mpmath.mpf(q)),
            (1 - mpmath.mpf(p), 1 - mpmath.mpf(q)),
        ):
            if x > 0:
                total += mpmath.inf if y == 0 else x * mpmath.log(x / y, 2)
        return float(total)


@given(p=probabilities(), q=probabilities())
def test_relative_entropy_agrees_with_the_textbook_formula(p, q):
    expected, actual = _oracle(p, q), float(binary_relative_entropy(p, q))
    assert actual == pytest.approx(expected, rel=1e-13, abs=1e-300)


@given(q=st.floats(0.01, 0.99), gap=st.integers(3, 14))
def test_relative_entropy_keeps_its_digits_where_p_is_close_to_q(q, gap):
    p = q * (1 - 10.0**-gap)
    assert float(binary_relative_entropy(p, q)) == pytest.approx(
        _oracle(p, q), rel=1e-13
    )


def test_capacity_keeps_its_digits_at_weak_survival_and_is_exact_at_the_edges():
    assert float(depolarizing_capacity(0.0)) == 0.0
    assert float(depolarizing_capacity(1.0)) == 1.0
    for survival in (1e-8, 1e-3, 0.05, 0.3, 0.9, 1 - 1e-9):
        with mpmath.workdps(60):
            x = mpmath.mpf(survival)
            halves = ((1 + x) / 2, (1 - x) / 2)
            exact = float(1 + sum(y * mpmath.log(y, 2) for y in halves))
        assert float(depolarizing_capacity(survival)) == pytest.approx(exact, rel=1e-13)


@given(alpha=probabilities(), beta=probabilities())
def test_scalar_inequality_l3(alpha, beta):
    total = alpha + beta
    if 0 < total <= 1:
        left = float(binary_relative_entropy(1 - beta, alpha))
        assert left >= (1 - total) * math.log2(1 / total) - 1e-12


def test_scalar_inequality_l3_would_fail_with_a_larger_constant():
    alpha = 1e-9  # beta = 0: the ratio of the two sides tends to 1
    left = float(binary_relative_entropy(1.0, alpha))
    assert left < 1.0001 * (1 - alpha) * math.log2(1 / alpha) * 1.0001


@given(p=probabilities(), q=probabilities())
def test_sympy_forms_evaluate_like_the_float_forms(p, q):
    first, second = sp.symbols("p q", nonnegative=True)
    values = {"p": p, "q": q}
    exact = float(evaluate(d(first, second), values))
    assert float(binary_relative_entropy(p, q)) == pytest.approx(exact, rel=1e-12)
    assert float(binary_entropy(p)) == pytest.approx(
        float(evaluate(h(first), values)), abs=1e-13
    )


def test_membership_information_contains_the_classical_special_cases():
    delta, n = 0.1, 7
    nayak = n * (1 - float(binary_entropy(delta)))
    assert float(membership_information(n, 2, 1 - delta, delta)) == pytest.approx(nayak)
    assert float(membership_information(n, 4, 1.0, 0.0)) == pytest.approx(n * 2)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: binary_entropy(1.5), "p"),
        (lambda: binary_relative_entropy(0.5, -0.1), "q"),
        (lambda: depolarizing_capacity(2.0), "survival"),
        (lambda: membership_information(1, 1, 0.5, 0.5), "block_size"),
        (lambda: membership_information(0, 2, 0.5, 0.5), "num_blocks"),
    ],
)
def test_numbers_out_of_range_are_named(call, argument):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must"):
        call()


def test_relative_entropy_is_infinite_where_q_excludes_an_outcome():
    values = binary_relative_entropy(np.asarray([0.5, 1.0]), np.asarray([0.0, 0.0]))
    assert np.all(np.isinf(values))
