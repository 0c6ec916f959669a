"""Exact upper bounds on random access codes for given measurements.

n bits x are stored in a state rho_x; bit i is read by the observable A_i with
-I <= A_i <= I (result (-1)^{x_i} wanted). The average success is at most

    2^-n sum_x y_x   if   y_x I >= I/2 + (1/2n) sum_i (-1)^{x_i} A_i   for every x,

because it is 2^-n sum_x Tr rho_x (right side). Both matrix inequalities are checked in
exact arithmetic.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from qjax._checks import require
from qjax.bounds.certified.intervals import rational
from qjax.bounds.certified.psd import (
    RationalMatrix,
    identity,
    is_positive_semidefinite,
    rounded_hermitian,
    smallest_shift,
)

Bits = tuple[int, ...]


def _words(num_bits: int) -> Iterator[Bits]:
    return itertools.product((0, 1), repeat=num_bits)


def word_operator(observables: Sequence[RationalMatrix], word: Bits) -> RationalMatrix:
    """I/2 + (1/2n) sum_i (-1)^{x_i} A_i: its mean in rho_x is the success at x."""
    weight = Fraction(1, 2 * len(observables))
    total = identity(observables[0].size).combined((Fraction(1, 2), 0), observables[0])
    for bit, observable in zip(word, observables, strict=True):
        total = total.combined((1, -weight if bit else weight), observable)
    return total


@dataclasses.dataclass(frozen=True)
class QracDual:
    """An upper bound on the average success, with everything needed to check it.

    Attributes:
        observables: The exact A_i that the bound is about.
        values: y_x by word.
        holds: Whether -I <= A_i <= I and every y_x inequality hold exactly.
        bound: 2^-n sum_x y_x.
        rounding: Bound on the change of any success probability by rounding the given
            observables to exact ones; 0 if they were exact.
    """

    observables: tuple[RationalMatrix, ...]
    values: dict[Bits, Fraction]
    holds: bool
    bound: Fraction
    rounding: Fraction

    @property
    def bound_as_given(self) -> Fraction:
        """Upper bound for the observables before rounding, `bound + rounding`."""
        return self.bound + self.rounding


def check_qrac_dual(
    observables: Sequence[RationalMatrix], values: dict[Bits, Any]
) -> QracDual:
    """Check a dual solution exactly.

    Args:
        observables: A_1..A_n, exact, of one size.
        values: y_x, rational, for each of the 2^n words.

    Raises:
        ValueError: If a word has no value.
    """
    num_bits = len(observables)
    exact = {word: rational(value) for word, value in values.items()}
    complete = set(exact) == set(_words(num_bits))
    require(complete, "values", f"name all {2**num_bits} words once", len(exact))
    unit = identity(observables[0].size)
    holds = all(
        is_positive_semidefinite(slack)
        for a in observables
        for slack in (unit.minus(a), unit.plus(a))
    ) and all(
        is_positive_semidefinite(
            unit.combined((exact[word], -1), word_operator(observables, word))
        )
        for word in _words(num_bits)
    )
    bound = sum(exact.values(), Fraction(0)) / 2**num_bits
    return QracDual(tuple(observables), exact, holds, bound, Fraction(0))


def _square_root_above(value: Fraction) -> Fraction:
    """A fraction >= sqrt(value), tight to about 2^-64 relative to 1."""
    scale = 2**128
    return Fraction(math.isqrt(math.ceil(value * scale)) + 1, 2**64)


def _distance(given: Any, exact: RationalMatrix) -> Fraction:
    """Upper bound on the operator norm of the change, by the Frobenius norm."""
    array = np.asarray(given).astype(np.complex128)
    total = Fraction(0)
    for i, row in enumerate(exact.entries):
        for j, (real, imaginary) in enumerate(row):
            number = complex(array[i, j])
            total += (Fraction(number.real) - real) ** 2
            total += (Fraction(number.imag) - imaginary) ** 2
    return _square_root_above(total) if total else Fraction(0)


def _contraction(matrix: RationalMatrix) -> RationalMatrix:
    """The matrix scaled down until -I <= A <= I holds exactly."""
    unit = identity(matrix.size)
    above = smallest_shift(unit.minus(matrix))
    below = smallest_shift(unit.plus(matrix))
    return matrix.combined((1 / (1 + max(above, below)), 0), unit)


def certify_qrac_dual(
    observables: Sequence[Any],
    values: dict[Bits, Any] | None = None,
    *,
    bits: int = 40,
) -> QracDual:
    """Certify an upper bound on the average success of fixed measurements.

    Floating observables are rounded to multiples of 2^-bits and scaled down until they
    are effects exactly; `rounding` bounds what that changes. Values that are not given
    are largest eigenvalues from floating point, raised until they hold exactly.

    Args:
        observables: A_1..A_n: `RationalMatrix`, or floating Hermitian arrays.
        values: y_x by word; floats are taken as the exact fractions they are, and are
            not raised.
        bits: Binary digits kept of floating observables and of values.

    Returns:
        The checked dual solution.

    Raises:
        ValueError: If the sizes differ or a word has no value.

    Source: theory of bounds, section 8, item 6.

    Example:
        >>> x, z = [[0, 1], [1, 0]], [[1, 0], [0, -1]]
        >>> dual = certify_qrac_dual([RationalMatrix(x), RationalMatrix(z)])
        >>> dual.holds, round(float(dual.bound), 9)  # (1 + 1/sqrt 2)/2
        (True, 0.853553391)
    """
    require(len(observables) > 0, "observables", "not be empty", "empty")
    exact, rounding = [], Fraction(0)
    for given in observables:
        if isinstance(given, RationalMatrix):
            exact.append(given)
            continue
        exact.append(_contraction(rounded_hermitian(given, bits)))
        rounding += _distance(given, exact[-1]) / (2 * len(observables))
    sizes = {matrix.size for matrix in exact}
    require(len(sizes) == 1, "observables", "have one size", sorted(sizes))
    if values is None:
        values = {word: _value(exact, word, bits) for word in _words(len(exact))}
    return dataclasses.replace(check_qrac_dual(exact, values), rounding=rounding)


def _value(observables: Sequence[RationalMatrix], word: Bits, bits: int) -> Fraction:
    """A value that exceeds the largest eigenvalue by a rounding error only."""
    operator = word_operator(observables, word)
    array = np.array(
        [[float(x[0]) + 1j * float(x[1]) for x in row] for row in operator.entries]
    )
    guess = Fraction(math.ceil(np.linalg.eigvalsh(array)[-1] * 2**bits), 2**bits)
    slack = identity(operator.size).combined((guess, -1), operator)
    return guess + smallest_shift(slack)
