"""From a sympy expression to rigorous enclosures of its values and slopes.

An expression is compiled once to a list of operations on intervals (common parts are
shared), which then runs on many boxes. With slopes it runs in forward mode: each value
carries the ranges of its partial derivatives, which hold by the mean value theorem.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, no_type_check

import flint
import sympy as sp
from flint import arb

from qjax._checks import require
from qjax.bounds.certified import entropy_intervals as entropies
from qjax.bounds.certified import intervals as iv
from qjax.bounds.certified.intervals import Interval
from qjax.bounds.information import d, h

DEFAULT_PRECISION = 96
"""Bits of the working precision: boxes with ends of this many bits stay exact."""

ONE = Interval(iv.ONE, iv.ONE)


@no_type_check
class Jet(NamedTuple):
    """Ranges of a function and of its partial derivatives on one box.

    Attributes:
        value: Enclosure of the values.
        slopes: One enclosure per variable; None where the derivative is zero.
    """

    value: Interval
    slopes: tuple[Interval | None, ...]


class _Operation(NamedTuple):
    kind: str
    inputs: tuple[int, ...]
    exponent: Fraction


@no_type_check
def _add(values: Sequence[Interval]) -> Interval:
    return functools.reduce(iv.add, values)


@no_type_check
def _fractional_power(x: Interval, exponent: Fraction, strict: bool) -> Interval:
    """x^r for rational r: powers of the square root where possible."""
    if exponent.denominator == 1:
        return iv.integer_power(x, exponent.numerator, strict)
    if exponent.denominator == 2:
        return iv.integer_power(iv.square_root(x, strict), exponent.numerator, strict)
    return iv.power(x, iv.interval(exponent), strict)


@no_type_check
def _value(operation: _Operation, x: Sequence[Interval], strict: bool) -> Interval:
    """The range of one operation other than a product (see `_multiply`)."""
    match operation.kind:
        case "add":
            return _add(x)
        case "mul":
            return functools.reduce(iv.multiply, x)
        case "pow":
            return _fractional_power(x[0], operation.exponent, strict)
        case "general_pow":
            return iv.power(x[0], x[1], strict)
        case "log":
            return iv.logarithm(x[0], strict)
        case "exp":
            return iv.exponential(x[0])
        case "sin":
            return iv.sine(x[0])
        case "cos":
            return iv.cosine(x[0])
        case "min":
            return functools.reduce(iv.minimum, x)
        case "max":
            return functools.reduce(iv.maximum, x)
        case "h":
            return entropies.binary_entropy_range(x[0], strict)
        case "d":
            return entropies.relative_entropy_range(x[0], x[1], strict)
    raise AssertionError(operation.kind)


@no_type_check
def _choice_slopes(kind: str, x: Sequence[Interval]) -> list[Interval]:
    """Slopes of Min or Max: 1 for the one that is chosen on the whole box, else [0, 1].

    Where the choice changes inside the box these are Clarke's generalised slopes, for
    which the mean value theorem of Lipschitz functions holds.
    """
    slopes = []
    for i, own in enumerate(x):
        others = [other for j, other in enumerate(x) if j != i]
        if kind == "min":
            always = all(own.high < other.low for other in others)
            never = any(own.low > other.high for other in others)
        else:
            always = all(own.low > other.high for other in others)
            never = any(own.high < other.low for other in others)
        slopes.append(Interval(arb(int(always)), arb(int(not never))))
    return slopes


@no_type_check
def _partial(
    operation: _Operation, x: Sequence[Interval], value: Interval, strict: bool
) -> list[Interval]:
    """Ranges of the derivatives of one operation in each of its inputs."""
    match operation.kind:
        case "add":
            return [ONE] * len(x)
        case "mul":
            return [
                functools.reduce(iv.multiply, [*x[:i], *x[i + 1 :]])
                for i in range(len(x))
            ]
        case "pow":
            power = _fractional_power(x[0], operation.exponent - 1, strict)
            return [iv.multiply(iv.interval(operation.exponent), power)]
        case "general_pow":
            over_base = iv.multiply(x[1], iv.reciprocal(x[0], strict))
            in_base = iv.multiply(value, over_base)
            return [in_base, iv.multiply(value, iv.logarithm(x[0], strict))]
        case "log":
            return [iv.reciprocal(x[0], strict)]
        case "exp":
            return [value]
        case "sin":
            return [iv.cosine(x[0])]
        case "cos":
            return [iv.negative(iv.sine(x[0]))]
        case "min" | "max":
            return _choice_slopes(operation.kind, x)
        case "h":
            return [entropies.binary_entropy_slope(x[0], strict)]
        case "d":
            return list(entropies.relative_entropy_slopes(x[0], x[1], strict))
    raise AssertionError(operation.kind)


_KINDS: dict[Any, str] = {
    sp.Add: "add", sp.Mul: "mul", sp.log: "log", sp.exp: "exp", sp.sin: "sin",
    sp.cos: "cos", sp.Min: "min", sp.Max: "max", h: "h", d: "d",
}  # fmt: skip


class Program:
    """An expression compiled for intervals at one working precision.

    Run it under `flint.ctx.workprec(precision)`; `enclose` and `certify` do.

    Args:
        expression: Sympy expression from + - * / powers, log, exp, sqrt, sin, cos,
            Min, Max, `h` and `d`, with exact numbers only.
        names: Names of its symbols, in the order of the boxes' coordinates.
        precision: Bits.
        strict: Whether a box that leaves the domain of log, sqrt, h, d or / gives NaN;
            otherwise the enclosure is of the values where the expression is defined.

    Raises:
        ValueError: If the expression has another function, a float or another symbol.
    """

    def __init__(
        self,
        expression: sp.Expr,
        names: Sequence[str],
        precision: int = DEFAULT_PRECISION,
        *,
        strict: bool,
    ):
        self.precision, self.strict = precision, strict
        self.arity = len(names)
        self._operations: list[_Operation] = []
        self._constants: dict[int, Interval] = {}
        self._index: dict[sp.Basic, int] = {}
        for position, name in enumerate(names):
            self._operations.append(
                _Operation(f"symbol {name}", (), Fraction(position))
            )
        self._names = {name: i for i, name in enumerate(names)}
        with flint.ctx.workprec(precision):
            self._root = self._compile(sp.sympify(expression))

    def _compile(self, node: sp.Basic) -> int:
        if node not in self._index:
            self._index[node] = self._compile_new(node)
        return self._index[node]

    def _compile_new(self, node: sp.Basic) -> int:
        if isinstance(node, sp.Symbol):
            known = node.name in self._names
            require(known, "names", f"contain every symbol ({node})", list(self._names))
            return self._names[node.name]
        constant = _constant(node)
        if constant is not None:
            return self._emit(_Operation("constant", (), Fraction(0)), constant)
        if isinstance(node, sp.Pow):
            return self._compile_power(node)
        rule = "be built from + - * / powers, log, exp, sqrt, sin, cos, Min, Max, h, d"
        require(node.func in _KINDS, "expression", rule, node)
        inputs = tuple(self._compile(part) for part in node.args)
        return self._emit(_Operation(_KINDS[node.func], inputs, Fraction(0)))

    def _compile_power(self, node: sp.Pow) -> int:
        base, exponent = node.args
        if isinstance(exponent, sp.Rational):
            inputs = (self._compile(base),)
            return self._emit(_Operation("pow", inputs, iv.rational(exponent)))
        inputs = (self._compile(base), self._compile(exponent))
        return self._emit(_Operation("general_pow", inputs, Fraction(0)))

    def _emit(self, operation: _Operation, constant: Interval | None = None) -> int:
        place = len(self._operations)
        known = [self._constants.get(i) for i in operation.inputs]
        if constant is None and all(known):
            # Folded once here instead of once per box.
            constant = _value(operation, [x for x in known if x], self.strict)
        if constant is not None:
            self._constants[place] = constant
        self._operations.append(operation)
        return place

    @no_type_check
    def value(self, box: Sequence[Interval]) -> Interval:
        """Enclosure of the expression's values on a box."""
        values: list[Interval] = list(box)
        for place in range(self.arity, len(self._operations)):
            known = self._constants.get(place)
            if known is None:
                operation = self._operations[place]
                inputs = [values[i] for i in operation.inputs]
                known = _value(operation, inputs, self.strict)
            values.append(known)
        return values[self._root]

    @no_type_check
    def jet(self, box: Sequence[Interval]) -> Jet:
        """Enclosures of the values and of all partial derivatives on a box."""
        empty: tuple[Interval | None, ...] = (None,) * self.arity
        jets = [
            Jet(x, tuple(ONE if i == j else None for j in range(self.arity)))
            for i, x in enumerate(box)
        ]
        for place in range(self.arity, len(self._operations)):
            known = self._constants.get(place)
            if known is not None:
                jets.append(Jet(known, empty))
                continue
            operation = self._operations[place]
            inputs = [jets[i] for i in operation.inputs]
            x = [jet.value for jet in inputs]
            value = _value(operation, x, self.strict)
            partial = _partial(operation, x, value, self.strict)
            jets.append(Jet(value, _chain(inputs, partial, self.arity)))
        return jets[self._root]


def _constant(node: sp.Basic) -> Interval | None:
    if isinstance(node, sp.Rational):
        return iv.interval(node)
    if node is sp.pi:
        return iv.interval(arb.pi())
    if node is sp.E:
        return iv.interval(arb.const_e())
    exact = not isinstance(node, sp.Float)
    require(exact, "expression", "hold exact numbers, not floats", node)
    return None


@no_type_check
def _chain(
    inputs: Sequence[Jet], partial: Sequence[Interval], arity: int
) -> tuple[Interval | None, ...]:
    """Chain rule: sum over the inputs of partial times slope."""
    slopes: list[Interval | None] = []
    for variable in range(arity):
        terms = [
            iv.multiply(factor, slope)
            for jet, factor in zip(inputs, partial, strict=True)
            if (slope := jet.slopes[variable]) is not None
        ]
        slopes.append(_add(terms) if terms else None)
    return tuple(slopes)


def enclose(
    expression: sp.Expr,
    values: Mapping[str, Any],
    precision: int = DEFAULT_PRECISION,
) -> arb:
    """A ball that contains every value of an expression on a box.

    contains f(x) for all x_i in values[i] where f is defined (0 log 0 = 0).

    Args:
        expression: Sympy expression; see `Program` for the functions that it may hold.
        values: By symbol name: an exact number (int, Fraction, sympy Rational, float
            as the binary fraction it is), a pair (low, high) of these, or an `arb`.
        precision: Bits of the working precision; restored on return.

    Returns:
        `arb` ball; of infinite radius if the values are unbounded, NaN if the
        expression is undefined on the whole box.

    Raises:
        ValueError: If a symbol has no value, or the expression cannot be compiled.

    Source: Moore, Interval Analysis (1966); Johansson, IEEE Trans. Comput. 66 (2017).

    Example:
        >>> import sympy as sp
        >>> from fractions import Fraction
        >>> from qjax.bounds import h
        >>> x = sp.Symbol("x")
        >>> enclose(h(x), {"x": (0, Fraction(1, 2))}).contains(1)
        True
    """
    names = sorted(symbol.name for symbol in expression.free_symbols)
    missing = [name for name in names if name not in values]
    require(not missing, "values", f"name all of {names}", f"without {missing}")
    with flint.ctx.workprec(precision):
        program = Program(expression, names, precision, strict=False)
        return iv.as_ball(program.value([_box_side(values[name]) for name in names]))


def _box_side(value: Any) -> Interval:
    if isinstance(value, tuple):
        low, high = value
        side = iv.interval(low, high)
        require(bool(side.low <= side.high), "values", "have ends in order", value)
        return side
    return iv.interval(value)


class FunctionProgram:
    """A user's function of balls behind the interface of `Program`, without slopes.

    Args:
        function: Takes a list of `arb` (one per variable) and returns an `arb` that
            contains the function's values there; NaN where it cannot tell.
        arity: Number of variables.
        precision: Bits.
    """

    def __init__(
        self, function: Callable[[list[arb]], arb], arity: int, precision: int
    ):
        self.arity, self.precision = arity, precision
        self._function = function

    def value(self, box: Sequence[Interval]) -> Interval:
        """Enclosure of the function's values on a box."""
        return iv.interval(self._function([iv.as_ball(x) for x in box]))

    def jet(self, box: Sequence[Interval]) -> Jet:
        """Enclosure of the values; nothing is known about the slopes."""
        return Jet(self.value(box), (iv.UNKNOWN,) * self.arity)
