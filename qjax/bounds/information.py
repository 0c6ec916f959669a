"""Entropies of two outcomes, in bits: exact edges, no cancellation, three arithmetics.

Each function exists as a sympy function (for statements and proofs), in NumPy float64
and in mpmath (for evaluating a statement at an instance). The float64 forms keep their
relative accuracy where the textbook form cancels: d(p||q) near p = q, 1 - h near 1/2.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from qjax._checks import require
from qjax._types import ArrayLike

# Below this |u| the series of u - ln(1 + u) is used; 24 terms leave 0.1^26 / 26.
_SERIES_RADIUS = 0.1
_SERIES_TERMS = 24


_ROUNDING = 1e-12
"""What a probability computed in float64 may leave [0, 1] by."""


def _log_gap(ratio: Any, u: Any) -> NDArray[np.float64]:
    """u - ln(ratio) for ratio = 1 + u >= 0, infinite at 0.

    Both are given, each without rounding of the other: near 1 the digits are in u, near
    0 in the ratio.
    """
    with np.errstate(divide="ignore"):
        plain = u - np.log(ratio)
    small = np.where(np.abs(u) < _SERIES_RADIUS, u, 0.0)
    series = np.zeros_like(small)
    for order in range(_SERIES_TERMS + 1, 1, -1):  # Horner, highest power first
        series = series * small + (-1.0) ** order / order
    return np.where(np.abs(u) < _SERIES_RADIUS, series * small**2, plain)


def _divergence_term(p: Any, q: Any) -> NDArray[np.float64]:
    """p ln(p/q) + q - p >= 0: both halves of d(p||q), whose linear parts cancel."""
    p, q = np.broadcast_arrays(p, q)
    safe_p = np.where(p > 0, p, 1.0)
    ratio_gap = safe_p * _log_gap(q / safe_p, (q - safe_p) / safe_p)
    return np.where(p > 0, np.where(q > 0, ratio_gap, np.inf), q)


def binary_relative_entropy(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Relative entropy of two coins, d(p||q), in bits.

    d(p||q) = p log2(p/q) + (1-p) log2((1-p)/(1-q)), with 0 log 0 = 0 and +inf where
    q excludes an outcome that p allows. Each half is summed as p ln(p/q) + q - p, which
    is non-negative, so that nothing cancels when p is close to q.

    Args:
        p: Probabilities in [0, 1], any shape.
        q: Probabilities in [0, 1], a shape that broadcasts against `p`.

    Returns:
        Float64 array of the broadcast shape, entries in [0, inf].

    Raises:
        ValueError: If an entry lies outside [0, 1].

    Source: theory of bounds, section 0; Cover and Thomas, Elements, eq. (2.26).

    Example:
        >>> from qjax.bounds import binary_relative_entropy
        >>> float(binary_relative_entropy(1.0, 0.25))
        2.0
    """
    first, second = np.broadcast_arrays(
        np.asarray(p, np.float64), np.asarray(q, np.float64)
    )
    for name, value in (("p", first), ("q", second)):
        inside = bool(np.all((value >= 0) & (value <= 1)))
        require(inside, name, "lie in [0, 1]", value)
    nats = _divergence_term(first, second)
    nats = nats + _divergence_term(1 - first, 1 - second)
    return np.asarray(nats / math.log(2))


def binary_entropy(p: ArrayLike) -> NDArray[np.float64]:
    """Entropy of a coin, h(p) = -p log2 p - (1-p) log2(1-p), with h(0) = h(1) = 0.

    Args:
        p: Probabilities in [0, 1], any shape.

    Returns:
        Float64 array, entries in [0, 1].

    Raises:
        ValueError: If an entry lies outside [0, 1].

    Source: Cover and Thomas, Elements of Information Theory, eq. (2.5).

    Example:
        >>> from qjax.bounds import binary_entropy
        >>> float(binary_entropy(0.5))
        1.0
    """
    p = np.asarray(p, dtype=np.float64)
    require(bool(np.all((p >= 0) & (p <= 1))), "p", "lie in [0, 1]", p)
    safe = np.where((p > 0) & (p < 1), p, 0.5)
    bits = -(safe * np.log(safe) + (1 - safe) * np.log1p(-safe)) / math.log(2)
    return np.where((p > 0) & (p < 1), bits, 0.0)


def depolarizing_capacity(survival: ArrayLike) -> NDArray[np.float64]:
    """Classical capacity of one depolarized qubit, 1 - h((1 + lambda)/2), in bits.

    Equal to d((1 + lambda)/2 || 1/2), which is how it is computed: near lambda = 0 it
    is lambda^2 / (2 ln 2) and the textbook form would lose every digit.

    Args:
        survival: lambda in [0, 1]: rho -> lambda rho + (1 - lambda) I/2. For T layers
            of storage noise pass lambda**T.

    Returns:
        Float64 array, entries in [0, 1]; 0 at lambda = 0 and 1 at lambda = 1.

    Raises:
        ValueError: If an entry lies outside [0, 1].

    Source: King, IEEE Trans. Inf. Theory 49, 221 (2003), for the additivity.

    Example:
        >>> from qjax.bounds import depolarizing_capacity
        >>> round(float(depolarizing_capacity(0.9)), 4)
        0.7136
    """
    survival = np.asarray(survival, dtype=np.float64)
    inside = bool(np.all((survival >= 0) & (survival <= 1)))
    require(inside, "survival", "lie in [0, 1]", survival)
    # d(1/2 + x/2 || 1/2) by its halves, with (q - p)/p written without rounding p.
    above = 1 + survival
    upper = 0.5 * above * _log_gap(1 / above, -survival / above)
    lower = 0.5 * (1 - survival)
    safe = np.where(lower > 0, 2 * lower, 1.0)
    lower = np.where(lower > 0, lower * _log_gap(1 / safe, survival / safe), 0.5)
    return np.asarray((upper + lower) / math.log(2))


def membership_information(
    num_blocks: ArrayLike, block_size: ArrayLike, member: ArrayLike, other: ArrayLike
) -> NDArray[np.float64]:
    """Bits that a noisy membership structure must hold: n d(p || p/b + (1-1/b) a).

    Args:
        num_blocks: n >= 1, the number of stored elements, one per block.
        block_size: b = N/n >= 2.
        member: p in [0, 1], average acceptance 1 - beta of members.
        other: a in [0, 1], average acceptance alpha of non-members of the same blocks.

    Returns:
        Float64 array of bits, in [0, n log2 b]; 0 if p = a.

    Raises:
        ValueError: If an argument is out of range.

    Source: Theorem A1, proofs/a1.md.

    Example:
        >>> from qjax.bounds import membership_information
        >>> float(membership_information(1, 4, 1.0, 1 / 3))
        1.0
    """
    n, b = np.asarray(num_blocks), np.asarray(block_size)
    require(bool(np.all(n >= 1)), "num_blocks", "be at least 1", n)
    require(bool(np.all(b >= 2)), "block_size", "be at least 2", b)
    p, a = np.asarray(member, np.float64), np.asarray(other, np.float64)
    for name, value in (("member", p), ("other", a)):
        inside = bool(np.all((value >= 0) & (value <= 1)))
        require(inside, name, "lie in [0, 1]", value)
    # 1 - q from its own parts: rounded from q it would be 0 when p and a are near 1.
    accepted = p / b + (1 - 1 / b) * a
    rejected = (1 - p) / b + (1 - 1 / b) * (1 - a)
    nats = _divergence_term(p, accepted) + _divergence_term(1 - p, rejected)
    return np.asarray(n * nats / math.log(2))


def _precise_d(p: Any, q: Any) -> mpmath.mpf:
    total = mpmath.mpf(0)
    for left, right in ((p, q), (1 - p, 1 - q)):
        if left > 0:
            if right <= 0:
                return mpmath.inf
            total += left * mpmath.log(left / right, 2)
    return total


def _precise_h(p: Any) -> mpmath.mpf:
    parts = [x for x in (p, 1 - p) if x > 0]
    return -mpmath.fsum(x * mpmath.log(x, 2) for x in parts)


def _within_rounding(value: Any) -> NDArray[np.float64]:
    """Clip what leaves [0, 1] by rounding only, such as a mixture of ones."""
    array = np.asarray(value, np.float64)
    inside = np.clip(array, 0, 1)
    return np.where(np.abs(array - inside) < _ROUNDING, inside, array)


def _fast_d(p: Any, q: Any) -> NDArray[np.float64]:
    return binary_relative_entropy(_within_rounding(p), _within_rounding(q))


def _fast_h(p: Any) -> NDArray[np.float64]:
    return binary_entropy(_within_rounding(p))


class BitsFunction(sp.Function):
    """A sympy function that says how to evaluate itself.

    Subclasses set `precise` (mpmath numbers at the working precision) and `fast`
    (float64 arrays), both exact at the edges of the domain.
    """

    precise: Callable[..., Any]
    fast: Callable[..., Any]
    is_real = True

    def _eval_evalf(self, prec):
        if not all(argument.is_number for argument in self.args):
            return None
        with mpmath.workprec(prec):
            numbers = [mpmath.mpmathify(x.evalf(mpmath.mp.dps)) for x in self.args]
            return sp.Float(str(self.precise(*numbers)), mpmath.mp.dps)


class h(BitsFunction):
    """Sympy form of `binary_entropy`; `rewrite(sp.log)` writes it out, in bits."""

    nargs = 1
    precise = staticmethod(_precise_h)
    fast = staticmethod(_fast_h)

    @classmethod
    def eval(cls, p):
        if p in (sp.S.Zero, sp.S.One):
            return sp.S.Zero
        if p == sp.S.Half:
            return sp.S.One
        return None

    def _eval_rewrite_as_log(self, p, **hints):
        return -(p * sp.log(p) + (1 - p) * sp.log(1 - p)) / sp.log(2)

    def fdiff(self, argindex=1):
        (p,) = self.args
        return sp.log((1 - p) / p) / sp.log(2)


class d(BitsFunction):
    """Sympy form of `binary_relative_entropy`; `rewrite(sp.log)` writes it out."""

    nargs = 2
    precise = staticmethod(_precise_d)
    fast = staticmethod(_fast_d)

    @classmethod
    def eval(cls, p, q):
        if p == q:
            return sp.S.Zero
        if p is sp.S.One:
            return -sp.log(q) / sp.log(2)
        if p is sp.S.Zero:
            return -sp.log(1 - q) / sp.log(2)
        return None

    def _eval_rewrite_as_log(self, p, q, **hints):
        halves = p * sp.log(p / q) + (1 - p) * sp.log((1 - p) / (1 - q))
        return halves / sp.log(2)

    def fdiff(self, argindex=1):
        p, q = self.args
        if argindex == 1:
            return sp.log(p * (1 - q) / (q * (1 - p))) / sp.log(2)
        return (q - p) / (q * (1 - q)) / sp.log(2)


def evaluate(expression: sp.Expr, values: Mapping[str, Any], digits: int = 50) -> Any:
    """Evaluate a sympy expression at named values in mpmath.

    Args:
        expression: Built from the symbols named in `values`, and from `d`, `h` and
            other `BitsFunction`s.
        values: Numbers by symbol name: int, Fraction, sympy Rational, mpf or float (a
            float stands for the exact binary fraction it is).
        digits: Decimal digits of the working precision.

    Returns:
        mpmath number; +inf or -inf at a pole of the expression.

    Raises:
        ValueError: If a symbol has no value.

    Example:
        >>> import sympy as sp
        >>> from qjax.bounds import d, evaluate
        >>> p = sp.Symbol("p", nonnegative=True)
        >>> float(evaluate(d(p, sp.Rational(1, 4)), {"p": 1}))
        2.0
    """
    names, function = _compiled(expression, fast=False)
    _require_values(expression, names, values)
    with mpmath.workdps(digits):
        numbers = [precise(values[name]) for name in names]
        try:
            return +mpmath.mpf(function(*numbers))
        except ZeroDivisionError:
            # It diverges with the sign of its numerator at the pole.
            top, _ = sp.fraction(sp.together(expression))
            sign = _compiled(top, fast=False)[1](
                *(precise(values[name]) for name in _names(top))
            )
            return mpmath.inf if sign > 0 else -mpmath.inf


def evaluate_batch(
    expression: sp.Expr, values: Mapping[str, NDArray]
) -> NDArray[np.float64]:
    """Evaluate a sympy expression on float64 arrays, without cancellation in `d`."""
    names, function = _compiled(expression, fast=True)
    _require_values(expression, names, values)
    with np.errstate(divide="ignore", invalid="ignore"):  # poles are values, not errors
        return np.asarray(function(*(np.float64(values[name]) for name in names)))


def _names(expression: sp.Expr) -> tuple[str, ...]:
    return tuple(sorted(symbol.name for symbol in expression.free_symbols))


@functools.lru_cache(maxsize=256)
def _compiled(
    expression: sp.Expr, fast: bool
) -> tuple[tuple[str, ...], Callable[..., Any]]:
    names = _names(expression)
    by_name = {symbol.name: symbol for symbol in expression.free_symbols}
    known = {type(atom) for atom in expression.atoms(BitsFunction)}
    own = {kind.__name__: kind.fast if fast else kind.precise for kind in known}
    modules = [own, "numpy" if fast else "mpmath"]
    arguments = [by_name[name] for name in names]
    return names, sp.lambdify(arguments, expression, modules=modules)


def _require_values(
    expression: sp.Expr, names: tuple[str, ...], values: Mapping[str, Any]
) -> None:
    missing = [name for name in names if name not in values]
    rule = f"give a number to every symbol of {expression}"
    require(not missing, "values", rule, f"without {missing}")


def precise(value: Any) -> mpmath.mpf:
    """Convert an exact or floating number to mpmath at the working precision."""
    if isinstance(value, mpmath.mpf):
        return value
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if isinstance(value, int | float):
        return mpmath.mpf(value)
    numerator, denominator = sp.Rational(value).as_numer_denom()
    return mpmath.mpf(int(numerator)) / mpmath.mpf(int(denominator))
