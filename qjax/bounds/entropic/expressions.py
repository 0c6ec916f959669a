"""Linear expressions in the entropies of named registers, with exact coefficients.

A register name is an upper-case letter followed by lower-case letters, digits, `_` or
`'`. Names can therefore be written without separators: "AB" is two registers, "X1X2"
and "X1 X2" are the same two, "A'R" is A' and R. A lower-case name is a parameter: a
real number about which nothing is known, such as m (qubits) or chi (a capacity).
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Union

from qjax._checks import require

_NAME = re.compile(r"[A-Z][a-z0-9_']*")
_NAMES = re.compile(r"(?:[A-Z][a-z0-9_']*[\s,]*)*")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")

Registers = str | Iterable[str]
"""Register names: one string such as "X1 X2" or "AB", or an iterable of names."""

Term = frozenset[str] | str
"""What a coefficient multiplies: S of a set of registers, or a parameter's name."""

Rational = int | Fraction

# A class body cannot name its own class in a union that is evaluated at once.
Operand = Union["EntropyExpression", int, Fraction]


def register_names(registers: Registers) -> tuple[str, ...]:
    """Names of registers in the order given.

    Args:
        registers: A string such as "X1 X2", "AB" or "A'R", or an iterable of names.

    Returns:
        The names; empty for an empty string.

    Raises:
        ValueError: If something is not a name, or a name comes twice.

    Example:
        >>> register_names("AB"), register_names("X1 X2"), register_names(("Q", "R"))
        (('A', 'B'), ('X1', 'X2'), ('Q', 'R'))
    """
    rule = "be names that start with an upper-case letter, such as 'AB' or 'X1 X2'"
    if isinstance(registers, str):
        text = registers.strip()
        require(_NAMES.fullmatch(text) is not None, "registers", rule, repr(registers))
        names = tuple(_NAME.findall(text))
    else:
        names = tuple(registers)
        for name in names:
            require(_NAME.fullmatch(name) is not None, "registers", rule, repr(name))
    distinct = len(set(names)) == len(names)
    require(distinct, "registers", "not repeat a name", " ".join(names))
    return names


def format_registers(names: Iterable[str]) -> str:
    """Sorted names as one string, spaced unless all of them are single letters.

    Example:
        >>> format_registers({"B", "A"}), format_registers({"X2", "X1"})
        ('AB', 'X1 X2')
    """
    ordered = sorted(names)
    return ("" if all(len(name) == 1 for name in ordered) else " ").join(ordered)


def term_key(term: Term) -> tuple[bool, int, tuple[str, ...]]:
    """Order of terms: entropies by size and name, then parameters."""
    if isinstance(term, str):
        return (True, 0, (term,))
    return (False, len(term), tuple(sorted(term)))


def format_term(term: Term) -> str:
    """ "S(AB)" for registers A and B, "m" for a parameter m."""
    return term if isinstance(term, str) else f"S({format_registers(term)})"


@dataclasses.dataclass(frozen=True, repr=False)
class EntropyExpression:
    """A linear form in entropies and parameters: sum_K c_K S(K) + sum_p c_p p.

    It supports +, -, * and / by rational numbers; >= and <= build an `EntropyRelation`.

    Attributes:
        terms: Pairs (term, coefficient not 0) in a fixed order; S(empty) = 0 is
            left out.

    Example:
        >>> from qjax.bounds.entropic import entropy
        >>> 2 * entropy("A") - entropy("AB") / 2
        2 S(A) - 1/2 S(AB)
    """

    terms: tuple[tuple[Term, Fraction], ...] = ()

    @classmethod
    def of(cls, coefficients: Mapping[Term, Rational]) -> "EntropyExpression":
        """The form with these coefficients; zeros and S(empty) are dropped."""
        kept = {
            term: Fraction(value)
            for term, value in coefficients.items()
            if value != 0 and term != frozenset()
        }
        return cls(tuple((term, kept[term]) for term in sorted(kept, key=term_key)))

    @property
    def coefficients(self) -> dict[Term, Fraction]:
        """The coefficient of every term."""
        return dict(self.terms)

    @property
    def registers(self) -> frozenset[str]:
        """Every register that the form speaks of."""
        sets = [term for term, _ in self.terms if not isinstance(term, str)]
        return frozenset().union(*sets)

    @property
    def parameters(self) -> frozenset[str]:
        """Every parameter that the form speaks of."""
        return frozenset(term for term, _ in self.terms if isinstance(term, str))

    def evaluate(self, values: Mapping[Term, Fraction]) -> Fraction:
        """Value of the form where S(K) = values[K] and p = values[p]."""
        return sum((c * values[term] for term, c in self.terms), Fraction(0))

    def __add__(self, other: Operand) -> "EntropyExpression":
        total = self.coefficients
        for term, value in _expression(other).terms:
            total[term] = total.get(term, Fraction(0)) + value
        return EntropyExpression.of(total)

    __radd__ = __add__

    def __neg__(self) -> "EntropyExpression":
        return self * -1

    def __sub__(self, other: Operand) -> "EntropyExpression":
        return self + _expression(other) * -1

    def __mul__(self, factor: Rational) -> "EntropyExpression":
        return EntropyExpression.of({term: c * factor for term, c in self.terms})

    __rmul__ = __mul__

    def __truediv__(self, divisor: Rational) -> "EntropyExpression":
        require(divisor != 0, "divisor", "not be zero", divisor)
        return self * (1 / Fraction(divisor))

    def __ge__(self, other: Operand) -> "EntropyRelation":
        text = f"{self} >= {_expression(other)}"
        return EntropyRelation(self - other, False, text)

    def __le__(self, other: Operand) -> "EntropyRelation":
        text = f"{self} <= {_expression(other)}"
        return EntropyRelation(_expression(other) - self, False, text)

    def equals(self, other: Operand) -> "EntropyRelation":
        """The equation self = other (`==` compares two expressions in Python)."""
        return EntropyRelation(self - other, True, f"{self} = {_expression(other)}")

    def __repr__(self) -> str:
        text = ""
        for term, value in self.terms:
            sign = (" - " if text else "-") if value < 0 else (" + " if text else "")
            size = "" if abs(value) == 1 else f"{abs(value)} "
            text += f"{sign}{size}{format_term(term)}"
        return text or "0"


def _expression(value: Operand) -> EntropyExpression:
    """A form as it is; the number 0 as the zero form; other numbers are refused."""
    if isinstance(value, EntropyExpression):
        return value
    rule = "be 0 or a parameter, because entropic relations are homogeneous"
    require(value == 0, "number", rule, value)
    return EntropyExpression()


@dataclasses.dataclass(frozen=True, repr=False)
class EntropyRelation:
    """form >= 0, or form = 0.

    Attributes:
        form: The linear form.
        is_equality: Whether the relation is form = 0.
        text: How it was written; equal relations may be written differently.
    """

    form: EntropyExpression
    is_equality: bool
    text: str = dataclasses.field(compare=False)

    def __repr__(self) -> str:
        return self.text

    def holds(self, values: Mapping[Term, Fraction]) -> bool:
        """Whether the relation is true where S(K) = values[K]."""
        value = self.form.evaluate(values)
        return value == 0 if self.is_equality else value >= 0


def parameter(name: str) -> EntropyExpression:
    """An unknown real number, such as m or chi, as an expression.

    Args:
        name: A lower-case name.

    Raises:
        ValueError: If the name is not lower-case.

    Example:
        >>> from qjax.bounds.entropic import entropy, parameter
        >>> entropy("Q") <= 2 * parameter("m")
        S(Q) <= 2 m
    """
    rule = "be a lower-case name such as 'm'"
    require(_PARAMETER.fullmatch(name) is not None, "name", rule, repr(name))
    return EntropyExpression.of({name: 1})


def entropy(registers: Registers) -> EntropyExpression:
    """Von Neumann entropy S(A) of the joint state of some registers.

    Args:
        registers: The registers A; none gives 0.

    Example:
        >>> from qjax.bounds.entropic import entropy
        >>> entropy("AB") + entropy(("X1", "X2"))
        S(AB) + S(X1 X2)
    """
    return EntropyExpression.of({frozenset(register_names(registers)): 1})


def conditional_entropy(registers: Registers, given: Registers) -> EntropyExpression:
    """S(A|B) = S(AB) − S(B).

    Args:
        registers: The registers A.
        given: The registers B, none of them in A.

    Raises:
        ValueError: If the two overlap.

    Example:
        >>> from qjax.bounds.entropic import conditional_entropy
        >>> conditional_entropy("A", "B")
        -S(B) + S(AB)
    """
    first, condition = _disjoint(registers, given)
    return entropy(first | condition) - entropy(condition)


def mutual_information(
    first: Registers, second: Registers, given: Registers = ""
) -> EntropyExpression:
    """I(A;B|C) = S(AC) + S(BC) − S(ABC) − S(C).

    Args:
        first: The registers A.
        second: The registers B.
        given: The registers C; by default none.

    Raises:
        ValueError: If two of them overlap.

    Example:
        >>> from qjax.bounds.entropic import mutual_information
        >>> mutual_information("A", "B", given="C")
        -S(C) + S(AC) + S(BC) - S(ABC)
    """
    a, b, c = _disjoint(first, second, given)
    return entropy(a | c) + entropy(b | c) - entropy(a | b | c) - entropy(c)


def _disjoint(*groups: Registers) -> tuple[frozenset[str], ...]:
    sets = tuple(frozenset(register_names(group)) for group in groups)
    disjoint = sum(map(len, sets)) == len(frozenset().union(*sets))
    shown = "; ".join(format_registers(each) for each in sets)
    require(disjoint, "registers", "be in one group only", shown)
    return sets
