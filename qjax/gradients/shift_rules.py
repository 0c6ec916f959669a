"""Shift rules: the derivative of a trigonometric polynomial from a few of its values.

An expectation value is, as a function of one angle, a sum of cosines and sines whose
frequencies are differences of eigenvalues of the gate's generator.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import scipy.optimize

from qjax._checks import require
from qjax.circuits.operation import GateSpec

_TOLERANCE = 1e-9
"""Relative distance below which two frequencies are one."""

#: Eigenvalues of the generators of gates with several parameters. U3(t, p, l) is
#: diag(1, e^{ip}) RY(t) diag(1, e^{il}).
_EIGENVALUES = {"U3": ((-0.5, 0.5), (0.0, 1.0), (0.0, 1.0))}


@dataclasses.dataclass(frozen=True)
class ShiftRule:
    """f'(x) = sum_m coefficients[m] f(x + shifts[m]).

    Attributes:
        shifts: Shape (m,), in pairs +s, -s.
        coefficients: Shape (m,).
    """

    shifts: np.ndarray
    coefficients: np.ndarray


def shift_rule(frequencies: Sequence[float]) -> ShiftRule:
    """Return the rule for f(x) = a + sum_k (b_k cos(w_k x) + c_k sin(w_k x)).

    R frequencies w, 2 w, ..., R w take 2 R values at the odd multiples of
    pi / (2 R w); one frequency is the two-term rule, {1/2, 1} the four-term rule of
    controlled rotations. Any other set takes the shifts with the least sum of
    |coefficients|, which is what shots cost, found by linear programming.

    Args:
        frequencies: Positive w_k, in any order; equal ones count once.

    Returns:
        Rule of at most 2 R terms; of none if there is no frequency.

    Raises:
        ValueError: If a frequency is not positive, or two are too close to tell apart.

    Source: Wierichs et al., Quantum 6, 677 (2022); two terms: Mitarai et al. 2018;
    four: Crooks 2019, Anselmetti et al. 2021.

    Example:
        >>> from qjax.gradients import shift_rule
        >>> shift_rule((1.0,)).coefficients.round(9).tolist()
        [0.5, -0.5]
        >>> len(shift_rule((0.5, 1.0)).shifts)
        4
    """
    values = np.asarray(sorted(frequencies), float)
    fits = values.ndim == 1 and bool(np.all(values > 0) and np.all(np.isfinite(values)))
    require(fits, "frequencies", "be positive numbers", tuple(frequencies))
    return _rule(tuple(merge(values)))


@functools.cache
def _rule(frequencies: tuple[float, ...]) -> ShiftRule:
    omega = np.asarray(frequencies)
    count = omega.size
    if np.allclose(omega, omega[:1] * np.arange(1, count + 1), rtol=_TOLERANCE):
        points = (2 * np.arange(1, count + 1) - 1) * np.pi / (2 * max(count, 1))
        signs = (-1.0) ** np.arange(count)
        base = omega[0] if count else 1.0
        half = base * signs / (4 * max(count, 1) * np.sin(points / 2) ** 2)
        points = points / base
    else:
        points, weights = _cheapest(omega)
        half = weights / 2
    return ShiftRule(np.concatenate([points, -points]), np.concatenate([half, -half]))


def _cheapest(omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimise sum |y| subject to sum_m y_m sin(w_k s_m) = w_k for every k."""
    gap = min(omega[0], np.diff(omega).min())
    step = np.pi / (16 * omega[-1])
    grid = step * np.arange(1, min(int(2 * np.pi / (gap * step)) + 2, 20000))
    rows = np.sin(omega[:, None] * grid[None])
    found = scipy.optimize.linprog(
        np.ones(2 * grid.size),
        A_eq=np.hstack([rows, -rows]),
        b_eq=omega,
        method="highs",
    )
    rule = "be far enough apart for a shift rule"
    require(found.success, "frequencies", rule, tuple(omega))
    weights = found.x[: grid.size] - found.x[grid.size :]
    kept = np.abs(weights) > 1e-7 * np.abs(weights).max()
    # The solver is right to about 1e-9; on its support the equations are solved anew.
    exact, *_ = np.linalg.lstsq(rows[:, kept], omega, rcond=None)
    solved = np.allclose(rows[:, kept] @ exact, omega, rtol=1e-8)
    require(solved, "frequencies", rule, tuple(omega))
    return grid[kept], exact


def merge(values: np.ndarray, tolerance: float = _TOLERANCE) -> np.ndarray:
    """Sort, and keep the first of those that differ by rounding only."""
    values = np.sort(values)
    if not values.size:
        return values
    gap = tolerance * np.abs(values).max()
    return values[np.concatenate([[True], np.diff(values) > gap])]


def gate_frequencies(
    spec: GateSpec, *, controlled: bool = False
) -> tuple[tuple[float, ...], ...] | None:
    """Return the frequencies of each parameter of a gate, or None if it has no rule.

    Where the controls of a gate do not hold, its generator is 0: a control adds the
    eigenvalue 0.
    """
    if spec.num_params == 0:
        return ()
    if spec.generator is not None:
        spectra = (np.linalg.eigvalsh(spec.generator).tolist(),)
    elif spec.name in _EIGENVALUES:
        spectra = _EIGENVALUES[spec.name]
    else:
        return None
    extra = [0.0] if controlled else []
    return tuple(_differences([*values, *extra]) for values in spectra)


def _differences(values: Sequence[float]) -> tuple[float, ...]:
    """Return the distinct positive differences of numbers."""
    gaps = merge(np.abs(np.subtract.outer(values, values)).reshape(-1))
    return tuple(float(gap) for gap in gaps if gap > _TOLERANCE)
