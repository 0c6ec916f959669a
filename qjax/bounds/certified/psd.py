"""Exact positive semidefiniteness of rational and Gaussian-rational matrices.

A Hermitian matrix is reduced to diagonal form by symmetric elimination in exact
fractions: M = L D L^dagger. It is positive semidefinite exactly if no pivot is negative
and each zero pivot has a zero row. Singular matrices are therefore decided too, which
no floating-point test can do. A failure comes with a vector v such that v^dagger M v<0.
"""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from flint import fmpq

from qjax._checks import require
from qjax.bounds.certified.intervals import rational

Gaussian: TypeAlias = tuple[Fraction, Fraction]
"""A complex number with rational real and imaginary part."""


def gaussian(value: Any) -> Gaussian:
    """The exact real and imaginary part of a number.

    Args:
        value: Rational (int, Fraction, fmpq, sympy Rational), float or complex (the
            binary fractions that they are), sympy a + b I with rational a and b, or a
            pair (real, imaginary).

    Raises:
        ValueError: If a part is not rational.

    Example:
        >>> gaussian(0.5 - 2j)
        (Fraction(1, 2), Fraction(-2, 1))
    """
    if isinstance(value, tuple):
        return rational(value[0]), rational(value[1])
    if isinstance(value, sp.Expr):
        real, imaginary = sp.expand(value).as_real_imag()
        return rational(real), rational(imaginary)
    if isinstance(value, complex | np.complexfloating):
        return rational(float(value.real)), rational(float(value.imag))
    if isinstance(value, np.floating | np.integer):
        value = value.item()
    return rational(value), Fraction(0)


class RationalMatrix:
    """A square Hermitian matrix with Gaussian-rational entries, exactly as given.

    Args:
        rows: Nested sequences, a NumPy array or a sympy Matrix; entries as `gaussian`
            takes them.

    Raises:
        ValueError: If the matrix is not square, not exactly Hermitian, or an entry is
            not exact.

    Example:
        >>> RationalMatrix([[1, -1j], [1j, 1]]).size
        2
    """

    def __init__(self, rows: Any):
        listed = rows.tolist() if hasattr(rows, "tolist") else rows
        self.entries = tuple(tuple(gaussian(x) for x in row) for row in listed)
        self.size = len(self.entries)
        square = all(len(row) == self.size for row in self.entries)
        require(square and self.size > 0, "rows", "form a square matrix", self.size)
        hermitian = all(
            self.entries[i][j] == (self.entries[j][i][0], -self.entries[j][i][1])
            for i in range(self.size)
            for j in range(i + 1)
        )
        require(hermitian, "rows", "form an exactly Hermitian matrix", "not Hermitian")

    @property
    def is_real(self) -> bool:
        """Whether every imaginary part is zero."""
        return all(x[1] == 0 for row in self.entries for x in row)

    @property
    def trace(self) -> Fraction:
        """Sum of the diagonal."""
        return sum((self.entries[i][i][0] for i in range(self.size)), Fraction(0))

    def real_form(self) -> list[list[fmpq]]:
        """Rows of a real symmetric matrix with the same signs of eigenvalues.

        M itself if real, otherwise [[Re M, -Im M], [Im M, Re M]], whose eigenvalues are
        those of M, each twice.
        """
        real = [[_flint(x[0]) for x in row] for row in self.entries]
        if self.is_real:
            return real
        imaginary = [[_flint(x[1]) for x in row] for row in self.entries]
        upper = [a + [-x for x in b] for a, b in zip(real, imaginary, strict=True)]
        lower = [b + a for a, b in zip(real, imaginary, strict=True)]
        return upper + lower

    def combined(self, weights: tuple[Any, Any], other: "RationalMatrix") -> Any:
        """weights[0] self + weights[1] other, exactly, for real rational weights."""
        require(other.size == self.size, "other", "have the same size", other.size)
        a, b = map(rational, weights)
        return RationalMatrix(
            [
                [
                    (a * x[0] + b * y[0], a * x[1] + b * y[1])
                    for x, y in zip(p, q, strict=True)
                ]
                for p, q in zip(self.entries, other.entries, strict=True)
            ]
        )

    def plus(self, other: "RationalMatrix") -> "RationalMatrix":
        """self + other."""
        return self.combined((1, 1), other)

    def minus(self, other: "RationalMatrix") -> "RationalMatrix":
        """self - other."""
        return self.combined((1, -1), other)

    def shifted(self, shift: Any) -> "RationalMatrix":
        """self + shift times the identity."""
        return self.combined((1, shift), identity(self.size))


def identity(size: int) -> RationalMatrix:
    """The exact identity matrix."""
    return RationalMatrix([[int(i == j) for j in range(size)] for i in range(size)])


def _flint(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


@dataclasses.dataclass(frozen=True)
class Inertia:
    """Outcome of the exact elimination.

    Attributes:
        pivots: Diagonal of D, in the order of elimination, up to a failure.
        negative_direction: None if the matrix is positive semidefinite; otherwise a
            rational vector v with v^T R v < 0, R the real form of the matrix.
    """

    pivots: tuple[Fraction, ...]
    negative_direction: tuple[Fraction, ...] | None

    @property
    def semidefinite(self) -> bool:
        """Whether the matrix is positive semidefinite."""
        return self.negative_direction is None

    @property
    def definite(self) -> bool:
        """Whether the matrix is positive definite."""
        return self.semidefinite and all(pivot > 0 for pivot in self.pivots)


def exact_inertia(matrix: RationalMatrix) -> Inertia:
    """Decide positive semidefiniteness by exact L D L^T elimination.

    It keeps S = T R T^T while S is made diagonal. A negative pivot S_kk shows the
    direction T^T e_k; a zero pivot beside S_kj != 0 shows T^T (t e_k + e_j) for a
    suitable t.

    Args:
        matrix: Hermitian, exact.

    Returns:
        The pivots, and a direction of negative value if there is one.

    Source: Golub and Van Loan, Matrix Computations, section 4.2.

    Example:
        >>> exact_inertia(RationalMatrix([[1, 1], [1, 1]])).pivots
        (Fraction(1, 1), Fraction(0, 1))
    """
    rows = matrix.real_form()
    size = len(rows)
    basis = [[fmpq(int(i == j)) for j in range(size)] for i in range(size)]
    pivots: list[Fraction] = []
    for k in range(size):
        pivot = rows[k][k]
        if pivot < 0:
            return Inertia(tuple(pivots), _fractions(basis[k]))
        pivots.append(rational(pivot))
        beside = next((j for j in range(k + 1, size) if rows[k][j] != 0), None)
        if pivot == 0 and beside is not None:
            # value(t) = 2 t S_kj + S_jj, made equal to -1.
            t = -(rows[beside][beside] + 1) / (2 * rows[k][beside])
            pairs = zip(basis[k], basis[beside], strict=True)
            return Inertia(tuple(pivots), _fractions([t * a + b for a, b in pairs]))
        for i in range(k + 1, size) if pivot != 0 else ():
            factor = rows[i][k] / pivot
            if factor != 0:
                for j in range(k, size):
                    rows[i][j] -= factor * rows[k][j]
                basis[i] = [
                    a - factor * b for a, b in zip(basis[i], basis[k], strict=True)
                ]
    return Inertia(tuple(pivots), None)


def _fractions(vector: Sequence[fmpq]) -> tuple[Fraction, ...]:
    return tuple(rational(x) for x in vector)


def is_positive_semidefinite(matrix: RationalMatrix) -> bool:
    """Whether an exact Hermitian matrix has no negative eigenvalue.

    Example:
        >>> from fractions import Fraction
        >>> tiny = Fraction(1, 10**12)
        >>> is_positive_semidefinite(RationalMatrix([[1, 1], [1, 1 - tiny]]))
        False
    """
    return exact_inertia(matrix).semidefinite


def rounded_hermitian(matrix: Any, bits: int) -> RationalMatrix:
    """The Hermitian part of a floating matrix, rounded to multiples of 2^-bits.

    Args:
        matrix: Square array of floats or complex numbers.
        bits: Binary digits after the point.

    Example:
        >>> rounded_hermitian([[0.1, 0.2], [0.2, 0.3]], 2).entries[1][1][0]
        Fraction(1, 4)
    """
    exact = [[gaussian(x) for x in row] for row in np.asarray(matrix).tolist()]
    size, scale = len(exact), 2**bits

    def rounded(value: Fraction) -> Fraction:
        return Fraction(round(value * scale), scale)

    rows = []
    for i in range(size):
        row = []
        for j in range(size):
            a, b = exact[i][j], exact[j][i]
            imaginary = rounded((a[1] - b[1]) / 2) if i != j else Fraction(0)
            row.append((rounded((a[0] + b[0]) / 2), imaginary))
        rows.append(row)
    # Ties round to even, so that (i, j) and (j, i) stay exact conjugates.
    return RationalMatrix(rows)


def smallest_shift(matrix: RationalMatrix, *, bits: int = 60) -> Fraction:
    """A small epsilon >= 0 such that matrix + epsilon I is positive semidefinite.

    Powers of two are tried upward from 2^-bits, then the gap to the last failure is
    halved a few times; each trial is exact. It repairs a dual solution that floating
    point left infeasible by a rounding error.

    Args:
        matrix: Exact Hermitian matrix.
        bits: The first positive trial is 2^-bits.

    Returns:
        0 if the matrix is positive semidefinite already; otherwise at most 1 + 1/16
        times the smallest possible shift, or 2^-bits.

    Example:
        >>> smallest_shift(RationalMatrix([[1, 0], [0, -0.25]]))
        Fraction(1, 4)
    """
    if is_positive_semidefinite(matrix):
        return Fraction(0)
    failed, shift = Fraction(0), Fraction(1, 2**bits)
    while not is_positive_semidefinite(matrix.shifted(shift)):
        failed, shift = shift, 2 * shift
    for _ in range(4 if failed else 0):
        middle = (failed + shift) / 2
        if is_positive_semidefinite(matrix.shifted(middle)):
            shift = middle
        else:
            failed = middle
    return shift
