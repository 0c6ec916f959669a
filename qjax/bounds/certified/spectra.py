"""Rigorous entropies of exactly given density matrices.

The characteristic polynomial is computed in rational arithmetic and split into
square-free factors, so multiplicities are exact and an eigenvalue 0 is exactly 0. The
roots of each factor are enclosed by balls.
"""

from collections.abc import Sequence
from typing import Any

import flint
from flint import arb, fmpq_mat, fmpq_poly

from qjax._checks import require
from qjax.bounds.certified.enclose import DEFAULT_PRECISION
from qjax.bounds.certified.entropy_intervals import plogp
from qjax.bounds.certified.intervals import as_ball, interval, rational
from qjax.bounds.certified.psd import RationalMatrix, is_positive_semidefinite


def characteristic_factors(matrix: RationalMatrix) -> list[tuple[fmpq_poly, int]]:
    """Square-free factors of the characteristic polynomial with their multiplicities.

    A complex matrix goes through its real form, whose multiplicities are twice its own.

    Args:
        matrix: Exact Hermitian matrix.

    Returns:
        Pairs (factor, multiplicity of each of its roots as eigenvalue).

    Example:
        >>> factors = characteristic_factors(RationalMatrix([[1, 0], [0, 1]]))
        >>> [(str(factor), count) for factor, count in factors]
        [('x + (-1)', 2)]
    """
    rows = matrix.real_form()
    size = len(rows)
    polynomial = fmpq_mat(size, size, [x for row in rows for x in row]).charpoly()
    copies = size // matrix.size
    return [
        (factor, count // copies) for factor, count in polynomial.factor_squarefree()[1]
    ]


def enclose_eigenvalues(
    matrix: RationalMatrix, *, precision: int = DEFAULT_PRECISION
) -> list[tuple[arb, int]]:
    """Balls around the different eigenvalues, with exact multiplicities.

    Args:
        matrix: Exact Hermitian matrix.
        precision: Bits of the working precision; restored on return.

    Returns:
        Pairs (ball, multiplicity), in no particular order; disjoint balls.

    Example:
        >>> pairs = enclose_eigenvalues(RationalMatrix([[0, -1j], [1j, 0]]))
        >>> sorted(float(ball.mid()) for ball, _ in pairs)
        [-1.0, 1.0]
    """
    found = []
    with flint.ctx.workprec(precision):
        for factor, count in characteristic_factors(matrix):
            roots: list[Any] = factor.complex_roots()
            # The roots of a Hermitian matrix are real.
            found += [(arb(root.real), count) for root, _ in roots]
    return found


def require_density(matrix: RationalMatrix) -> None:
    """Raise ValueError unless the matrix is a density matrix, exactly."""
    require(matrix.trace == 1, "matrix", "have trace 1 exactly", matrix.trace)
    positive = is_positive_semidefinite(matrix)
    require(positive, "matrix", "be positive semidefinite", "not")


def enclose_entropy(matrix: Any, *, precision: int = DEFAULT_PRECISION) -> arb:
    """Ball around the von Neumann entropy of an exact density matrix, in bits.

    S(rho) = -sum_k lambda_k log2 lambda_k.

    Args:
        matrix: `RationalMatrix`, or what its constructor takes (for example rows of
            fractions).
        precision: Bits of the working precision; restored on return.

    Returns:
        The ball; exactly 0 for a pure state.

    Raises:
        ValueError: If it is not exactly Hermitian, positive and of trace 1.

    Example:
        >>> enclose_entropy([[0.5, 0], [0, 0.5]]).contains(1)
        True
    """
    exact = matrix if isinstance(matrix, RationalMatrix) else RationalMatrix(matrix)
    require_density(exact)
    with flint.ctx.workprec(precision):
        total = arb(0)
        for ball, count in enclose_eigenvalues(exact, precision=precision):
            total += count * plogp(ball)
        return -total / arb.const_log2()


def enclose_relative_entropy_to_mixed(
    matrix: Any, *, precision: int = DEFAULT_PRECISION
) -> arb:
    """Ball around D(rho || I/2^m) = m - S(rho), in bits.

    Args:
        matrix: Exact density matrix of m qubits; see `enclose_entropy`.
        precision: Bits of the working precision; restored on return.

    Raises:
        ValueError: If it is no density matrix or its size is no power of two.

    Example:
        >>> enclose_relative_entropy_to_mixed([[1, 0], [0, 0]]).contains(1)
        True
    """
    exact = matrix if isinstance(matrix, RationalMatrix) else RationalMatrix(matrix)
    num_wires = exact.size.bit_length() - 1
    power = exact.size == 2**num_wires
    require(power, "matrix", "have a size that is a power of two", exact.size)
    entropy = enclose_entropy(exact, precision=precision)
    with flint.ctx.workprec(precision):
        return num_wires - entropy


def enclose_shannon_entropy(
    probabilities: Sequence[Any], *, precision: int = DEFAULT_PRECISION
) -> arb:
    """Ball around -sum p_j log2 p_j for exact probabilities, in bits.

    Args:
        probabilities: Rational numbers >= 0 that sum to 1.
        precision: Bits of the working precision; restored on return.

    Raises:
        ValueError: If they are no distribution.

    Example:
        >>> enclose_shannon_entropy([0.25] * 4).contains(2)
        True
    """
    exact = [rational(p) for p in probabilities]
    distribution = all(p >= 0 for p in exact) and sum(exact) == 1
    require(distribution, "probabilities", "be >= 0 and sum to 1", probabilities)
    with flint.ctx.workprec(precision):
        total = sum((plogp(as_ball(interval(p))) for p in exact), arb(0))
        return -total / arb.const_log2()
