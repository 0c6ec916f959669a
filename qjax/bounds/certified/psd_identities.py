"""Positive semidefiniteness for all parameters, by exact polynomial identities."""

from collections.abc import Mapping
from typing import Any

import sympy as sp


def is_sum_of_products(
    target: sp.Expr, factors: Mapping[sp.Symbol, sp.Expr], products: Any
) -> bool:
    """Whether target = products identically and no coefficient of it is negative.

    `products` is a polynomial in symbols that stand for non-negative quantities; then
    the target is non-negative wherever these quantities are.

    Args:
        target: Polynomial to be shown non-negative.
        factors: What each symbol of `products` stands for.
        products: Polynomial in these symbols.

    Example:
        >>> x, w = sp.symbols("x w")
        >>> is_sum_of_products(x - x**3, {w: 1 - x**2, x: x}, x * w)
        True
        >>> is_sum_of_products(x - x**3, {w: 1 - x, x: x}, x * w)
        False
    """
    written = sp.sympify(products).subs(dict(factors), simultaneous=True)
    weights = sp.Poly(products, *factors).coeffs()
    signs = all(weight.is_nonnegative for weight in weights)
    return signs and sp.expand(target - written) == 0


def block_minors(
    matrix: sp.MatrixBase, pair: tuple[int, int]
) -> tuple[sp.Expr, ...] | None:
    """Diagonal and determinant of a symmetric matrix that is one 2x2 block + diagonal.

    Such a matrix is positive semidefinite exactly if these are all non-negative. None
    if it has another off-diagonal element or is not symmetric.

    Args:
        matrix: Symbolic, real.
        pair: Row numbers of the 2x2 block.
    """
    i, j = pair
    size = matrix.rows
    for row in range(size):
        for column in range(row):
            inside = {row, column} == {i, j}
            if not inside and sp.expand(matrix[row, column]) != 0:
                return None
            if sp.expand(matrix[row, column] - matrix[column, row]) != 0:
                return None
    determinant = matrix[i, i] * matrix[j, j] - matrix[i, j] * matrix[j, i]
    return (*(matrix[k, k] for k in range(size)), determinant)
