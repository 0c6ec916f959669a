"""Linear equations and linear feasibility in exact rational arithmetic."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

Vector = Mapping[Any, Fraction]
"""A sparse vector: entries by index, zeros left out."""


def solve(
    equations: Sequence[tuple[Vector, Fraction]],
) -> dict[Any, Fraction] | None:
    """A solution of sum_j a_ij x_j = b_i by Gaussian elimination, if any.

    Args:
        equations: Pairs (row a_i, right side b_i).

    Returns:
        Values of the pivots, unknowns that are left out being 0; or None if the
        equations contradict each other.

    Example:
        >>> from fractions import Fraction
        >>> one = Fraction(1)
        >>> solve([({"x": one, "y": one}, 3 * one), ({"y": 2 * one}, one)])
        {'y': Fraction(1, 2), 'x': Fraction(5, 2)}
    """
    pivots: dict[Any, tuple[dict[Any, Fraction], Fraction]] = {}
    for vector, right in equations:
        row, value = dict(vector), right
        for unknown in [each for each in row if each in pivots]:
            # Earlier pivot rows are fully reduced, so no new pivot unknown appears.
            factor = row[unknown]
            row = _minus(row, pivots[unknown][0], factor)
            value -= factor * pivots[unknown][1]
        if not row:
            if value != 0:
                return None
            continue
        chosen = next(iter(row))
        scale = row[chosen]
        row = {unknown: entry / scale for unknown, entry in row.items()}
        value /= scale
        for unknown, (other, right_side) in pivots.items():
            factor = other.get(chosen, Fraction(0))
            if factor:
                pivots[unknown] = (
                    _minus(other, row, factor),
                    right_side - factor * value,
                )
        pivots[chosen] = row, value
    return {unknown: value for unknown, (_, value) in reversed(pivots.items())}


def _minus(
    row: Mapping[Any, Fraction], other: Mapping[Any, Fraction], factor
) -> dict[Any, Fraction]:
    """row - factor * other without zeros."""
    result = dict(row)
    for unknown, entry in other.items():
        left = result.get(unknown, Fraction(0)) - factor * entry
        if left:
            result[unknown] = left
        else:
            result.pop(unknown, None)
    return result


def nonnegative_solution(
    columns: Sequence[Vector], right: Vector
) -> tuple[dict[int, Fraction] | None, dict[Any, Fraction]]:
    """x >= 0 with sum_j x_j column_j = right, or a proof that there is none.

    The first phase of the simplex method on rational numbers; Bland's rule keeps it
    from running in circles. It needs no floating point and is slow: it stands in when
    a float solution cannot be made exact.

    Args:
        columns: The vectors to combine.
        right: What they should add up to.

    Returns:
        (x without zeros, {}) or (None, y) with y . column_j >= 0 for every j and
        y . right < 0 (Farkas).

    Example:
        >>> from fractions import Fraction
        >>> nonnegative_solution([{"a": Fraction(2)}], {"a": Fraction(1)})
        ({0: Fraction(1, 2)}, {})
        >>> nonnegative_solution([{"a": Fraction(2)}], {"a": Fraction(-1)})
        (None, {'a': Fraction(1, 1)})
    """
    indices = list(dict.fromkeys([*right, *(i for c in columns for i in c)]))
    signs = {i: -1 if right.get(i, 0) < 0 else 1 for i in indices}
    rows = [_tableau_row(i, signs[i], columns, right) for i in indices]
    # Reduced costs of the objective "sum of the artificial variables".
    cost: dict[Any, Fraction] = {}
    for row in rows:
        cost = _minus(cost, row, Fraction(1))
    basis: list[Any] = [("artificial", i) for i in indices]
    for artificial in basis:
        cost.pop(artificial, None)
    cost = _minimise(rows, cost, basis, len(columns))
    if cost.get("right", 0) == 0:
        x = {
            b: row.get("right", Fraction(0)) for b, row in zip(basis, rows, strict=True)
        }
        return {j: v for j, v in x.items() if isinstance(j, int) and v}, {}
    dual = {i: 1 - cost.get(("artificial", i), Fraction(0)) for i in indices}
    return None, {i: -signs[i] * value for i, value in dual.items() if value}


def _tableau_row(
    index: Any, sign: int, columns: Sequence[Vector], right: Vector
) -> dict[Any, Fraction]:
    """One equation with its artificial variable, the right side made nonnegative."""
    row: dict[Any, Fraction] = {
        j: sign * column[index] for j, column in enumerate(columns) if index in column
    }
    row["right"] = sign * right.get(index, Fraction(0))
    row["artificial", index] = Fraction(1)
    return {j: entry for j, entry in row.items() if entry}


def _minimise(
    rows: list[dict[Any, Fraction]],
    cost: dict[Any, Fraction],
    basis: list[Any],
    num_columns: int,
) -> dict[Any, Fraction]:
    """Pivot `rows` and `basis` in place to the least cost, and return its row."""
    while True:
        improving = (j for j in range(num_columns) if cost.get(j, 0) < 0)
        entering = min(improving, default=None)
        if entering is None:
            return cost
        # Among equal ratios artificial variables leave first; they never come back.
        ratios = [
            (
                row.get("right", Fraction(0)) / row[entering],
                basis[r] if isinstance(basis[r], int) else -1,
                r,
            )
            for r, row in enumerate(rows)
            if row.get(entering, 0) > 0
        ]
        leaving = min(ratios)[2]
        pivot = rows[leaving][entering]
        rows[leaving] = {j: entry / pivot for j, entry in rows[leaving].items()}
        for r, row in enumerate(rows):
            if r != leaving and entering in row:
                rows[r] = _minus(row, rows[leaving], row[entering])
        cost = _minus(cost, rows[leaving], cost[entering])
        basis[leaving] = entering
