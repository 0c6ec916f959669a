"""What is to be certified: f > 0 or f >= 0 on a rational box cut by half-spaces.

Everything here is exact rational arithmetic, so that the certified domain is a plain
statement: which points are meant, which boxes cover them, which boxes lie outside.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, no_type_check

import sympy as sp
from flint import arb

from qjax._checks import require
from qjax.bounds.certified.intervals import rational

Side: TypeAlias = tuple[Fraction, Fraction]
Box: TypeAlias = tuple[Side, ...]
"""One (low, high) pair of exact rationals per variable."""


@dataclasses.dataclass(frozen=True)
class HalfSpace:
    """{x : sum_i weights[i] x_i <= bound}, with exact rational weights.

    Attributes:
        weights: One per variable.
        bound: Right side.
    """

    weights: tuple[Fraction, ...]
    bound: Fraction

    @no_type_check
    def misses(self, box: Box) -> bool:
        """Whether no point of the box satisfies the inequality."""
        smallest = sum(
            (w * (low if w > 0 else high))
            for w, (low, high) in zip(self.weights, box, strict=True)
        )
        return smallest > self.bound

    def holds(self, point: Sequence[Fraction]) -> bool:
        """Whether a point satisfies the inequality."""
        total = sum(w * x for w, x in zip(self.weights, point, strict=True))
        return total <= self.bound


@dataclasses.dataclass(frozen=True)
class Claim:
    """f(x) > 0 or f(x) >= 0 for every x of a rational polytope.

    Attributes:
        function: Sympy expression, or a function of a list of `arb` (see
            `FunctionProgram`).
        names: Variables in the order of the coordinates.
        domain: Exact ends per variable.
        constraints: Half-spaces that cut the box.
        relation: ">" or ">=".
        label: Statement of f in words; the expression's text if empty.
    """

    function: sp.Expr | Callable[[list[arb]], arb]
    names: tuple[str, ...]
    domain: Box
    constraints: tuple[HalfSpace, ...]
    relation: str
    label: str = ""

    def __post_init__(self):
        known = self.relation in (">", ">=")
        require(known, "relation", "be '>' or '>='", self.relation)
        # A stored tree writes an axis as one digit.
        few = 1 <= len(self.names) == len(set(self.names)) <= 10
        require(few, "domain", "name 1 to 10 different variables", self.names)
        for name, (low, high) in zip(self.names, self.domain, strict=True):
            require(low < high, f"domain of {name}", "have low < high", (low, high))
        named = bool(self.label) or isinstance(self.function, sp.Expr)
        require(named, "label", "state what a plain function computes", self.label)

    def statement(self) -> str:
        """The claim as one exact sentence; certificates are matched by it."""
        sides = [
            f"{low} <= {name} <= {high}"
            for name, (low, high) in zip(self.names, self.domain, strict=True)
        ]
        sides += [self._linear(half_space) for half_space in self.constraints]
        what = self.label or str(self.function)
        return f"{what} {self.relation} 0 for all {', '.join(sides)}"

    def _linear(self, half_space: HalfSpace) -> str:
        terms = [
            f"{weight}*{name}"
            for weight, name in zip(half_space.weights, self.names, strict=True)
            if weight
        ]
        return f"{' + '.join(terms)} <= {half_space.bound}"

    def covering_box(self, bits: int) -> Box:
        """Smallest box with ends on the grid 2^-bits that contains the domain."""
        scale = 2**bits
        return tuple(
            (Fraction(low * scale // 1, scale), Fraction(-(-high * scale // 1), scale))
            for low, high in self.domain
        )

    @no_type_check
    def is_outside(self, box: Box) -> bool:
        """Whether the box is proved to have no point of the domain.

        A box that only touches the domain at its boundary is not outside.
        """
        beside = any(
            high < first or low > last
            for (low, high), (first, last) in zip(box, self.domain, strict=True)
        )
        return beside or any(half.misses(box) for half in self.constraints)

    def contains(self, point: Sequence[Fraction]) -> bool:
        """Whether the point lies in the certified domain."""
        inside = all(
            low <= x <= high for x, (low, high) in zip(point, self.domain, strict=True)
        )
        return inside and all(half.holds(point) for half in self.constraints)


def _half_space(constraint: Any, symbols: Sequence[sp.Symbol]) -> HalfSpace:
    relational = isinstance(constraint, sp.LessThan | sp.GreaterThan)
    require(relational, "constraints", "be linear <= or >= relations", constraint)
    difference = sp.expand(constraint.lts - constraint.gts)
    weights = [difference.coeff(symbol) for symbol in symbols]
    rest = sp.expand(
        difference - sum(w * s for w, s in zip(weights, symbols, strict=True))
    )
    exact = all(value.is_Rational for value in (*weights, rest))
    require(exact, "constraints", "be linear with rational coefficients", constraint)
    return HalfSpace(tuple(rational(w) for w in weights), -rational(rest))


def state_claim(
    function: sp.Expr | Callable[[list[arb]], arb],
    domain: Mapping[str, tuple[Any, Any]],
    constraints: Sequence[Any] = (),
    *,
    relation: str = ">",
    label: str = "",
) -> Claim:
    """A claim f > 0 (or >= 0) on a rational box cut by linear constraints.

    Args:
        function: Sympy expression, or a function of a list of balls with a `label`.
        domain: By name, the two ends: int, Fraction, sympy Rational or float (the
            binary fraction that it is).
        constraints: Sympy relations `linear <= linear` in the named symbols, with
            rational coefficients.
        relation: ">" or ">=".
        label: Statement of f in words.

    Raises:
        ValueError: If a constraint is not linear and rational, an end is not rational,
            or an interval is empty.

    Example:
        >>> x = sp.Symbol("x")
        >>> state_claim(x**2 + 1, {"x": (0, Fraction(1, 3))}).statement()
        'x**2 + 1 > 0 for all 0 <= x <= 1/3'
    """
    names = tuple(domain)
    box = tuple((rational(low), rational(high)) for low, high in domain.values())
    half_spaces = []
    for constraint in constraints:
        by_name = {symbol.name: symbol for symbol in constraint.free_symbols}
        symbols = [by_name.get(name, sp.Symbol(name)) for name in names]
        half_spaces.append(_half_space(constraint, symbols))
    return Claim(function, names, box, tuple(half_spaces), relation, label)
