"""Exact checks that proof steps are made of.

An inequality is never "proved" by simplifying something to zero: each check is an
identity between rational functions or linear forms whose terms carry a known sign.
"""

from collections.abc import Sequence

import sympy as sp


def is_zero(rational: sp.Expr) -> bool:
    """Whether a rational function is identically zero (its canonical form is 0)."""
    return sp.cancel(sp.together(rational)) == 0


def is_combination(
    premises: Sequence[sp.Expr],
    weights: Sequence[sp.Expr | int],
    conclusion: sp.Expr,
) -> bool:
    """Whether conclusion = sum_i w_i premise_i with every w_i >= 0, identically.

    If each premise is non-negative then so is the conclusion.
    """
    signs = all(sp.sympify(weight).is_nonnegative for weight in weights)
    total = sum(w * e for w, e in zip(weights, premises, strict=True))
    return bool(signs) and sp.expand(conclusion - total) == 0


def divergence_in_nats(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """d in nats with its logarithms written apart, for positive arguments."""
    return first * (sp.log(first) - sp.log(second)) + (1 - first) * (
        sp.log(1 - first) - sp.log(1 - second)
    )
