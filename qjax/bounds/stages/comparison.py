"""When a statement counts as violated, and how far from equality its sides are."""

from collections.abc import Mapping
from typing import Any

import mpmath
import sympy as sp

from qjax.bounds.information import evaluate

Number = mpmath.mpf


def relation_sides(
    relation: sp.Rel, values: Mapping[str, Any], digits: int = 50
) -> tuple[Number, Number]:
    """Left and right side of a relation at named values."""
    left = evaluate(relation.lhs, values, digits)
    return left, evaluate(relation.rhs, values, digits)


def violated_sides(
    relation: sp.Rel, values: Mapping[str, Any], error: float = 0.0, digits: int = 50
) -> tuple[Number, Number] | None:
    """Both sides if the relation fails by more than `error` (relative), else None.

    An equation fails on either side; an inequality on one.
    """
    left, right = relation_sides(relation, values, digits)
    # The working precision itself: nothing closer than this is called a violation.
    floor = max(mpmath.mpf(error), mpmath.mpf(10) ** (8 - digits))
    slack = floor * max(1, min(abs(left), abs(right)))
    excess = left - right
    if isinstance(relation, sp.GreaterThan):
        excess = -excess
    if isinstance(relation, sp.Equality):
        excess = abs(excess)
    return (left, right) if excess > slack else None


def side_ratio(relation: sp.Rel, values: Mapping[str, Any], digits: int = 50) -> float:
    """(Smaller side)/(larger side), as claimed; nan for 0/0.

    Above 1 the inequality is violated. For an equation, the side of smaller modulus
    over the other.
    """
    smaller, greater = relation_sides(relation, values, digits)
    if isinstance(relation, sp.GreaterThan):
        smaller, greater = greater, smaller
    if isinstance(relation, sp.Equality) and abs(smaller) > abs(greater):
        smaller, greater = greater, smaller
    return float(smaller / greater) if greater != 0 else float("nan")
