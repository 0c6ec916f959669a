"""Two facts on depolarizing noise, certified: block noise and assisted capacity."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
from flint import arb

from qjax._checks import require
from qjax.bounds.certified.enclose import DEFAULT_PRECISION
from qjax.bounds.certified.intervals import as_ball, interval, rational
from qjax.bounds.certified.psd import RationalMatrix, identity
from qjax.bounds.certified.spectra import (
    enclose_relative_entropy_to_mixed,
    enclose_shannon_entropy,
)
from qjax.bounds.information import d

BELL_STATE = RationalMatrix(
    [[Fraction(int({i, j} <= {0, 3}), 2) for j in range(4)] for i in range(4)]
)
"""|Phi><Phi| with |Phi> = (|00> + |11>)/sqrt 2; any pure state gives the same."""


@dataclasses.dataclass(frozen=True)
class BlockContraction:
    """D_out/D_in for a state through block depolarizing noise.

    Attributes:
        survival: lambda; the whole block is replaced with probability 1 - lambda.
        ratio: Ball around D(Phi(rho)||pi)/D(rho||pi).
        exceeds_square: Whether the ratio is certified to exceed lambda^2.
        within_first_power: Whether it is certified not to exceed lambda (lemma L4).
    """

    survival: Fraction
    ratio: arb
    exceeds_square: bool
    within_first_power: bool


def block_contraction(
    survival: Any,
    state: RationalMatrix = BELL_STATE,
    *,
    precision: int = DEFAULT_PRECISION,
) -> BlockContraction:
    """Certify how much one depolarized block of qubits contracts relative entropy.

    rho -> lambda rho + (1 - lambda) I/2^m. At lambda = 1/10 a pure two-qubit state has
    D_out/D_in = 0.010207... > lambda^2: the factor lambda^2 of one-qubit noise does not
    hold for blocks.

    Args:
        survival: lambda, exact, in (0, 1].
        state: Exact density matrix of the block, not maximally mixed.
        precision: Bits of the working precision; restored on return.

    Raises:
        ValueError: If lambda is out of range or the state is no density matrix.

    Source: mutant M8 and lemmas L4 and L5, theory of bounds, section 2.

    Example:
        >>> block_contraction(Fraction(1, 10)).exceeds_square
        True
    """
    level = rational(survival)
    require(0 < level <= 1, "survival", "lie in (0, 1]", survival)
    after = state.combined((level, (1 - level) / state.size), identity(state.size))
    before = enclose_relative_entropy_to_mixed(state, precision=precision)
    require(bool(before > 0), "state", "differ from the maximally mixed one", before)
    left = enclose_relative_entropy_to_mixed(after, precision=precision)
    with flint.ctx.workprec(precision):
        ratio, ball = left / before, as_ball(interval(level))
        return BlockContraction(level, ratio, bool(ratio > ball**2), bool(ratio < ball))


def assisted_weights(survival: Any) -> tuple[Any, Any, Any, Any]:
    """w = ((1 + 3 lambda)/4, (1 - lambda)/4 three times): the Pauli distribution."""
    rare = (1 - survival) / 4
    return (1 + 3 * survival) / 4, rare, rare, rare


def enclose_assisted_capacity(
    survival: Any, *, precision: int = DEFAULT_PRECISION
) -> arb:
    """Ball around the entanglement-assisted capacity of one depolarized qubit, in bits.

    C_EA(lambda) = 2 + sum_j w_j log2 w_j.

    Args:
        survival: lambda, exact, in [0, 1].
        precision: Bits of the working precision; restored on return.

    Raises:
        ValueError: If lambda is not in [0, 1].

    Source: Bennett, Shor, Smolin, Thapliyal, IEEE Trans. Inf. Theory 48, 2637 (2002).

    Example:
        >>> round(float(enclose_assisted_capacity(Fraction(9, 10)).mid()), 5)
        1.49682
    """
    level = rational(survival)
    require(0 <= level <= 1, "survival", "lie in [0, 1]", survival)
    entropy = enclose_shannon_entropy(assisted_weights(level), precision=precision)
    with flint.ctx.workprec(precision):
        return 2 - entropy


def assisted_insert_is_tight(reference: Any = Fraction(1, 4)) -> bool:
    """Whether d((1 + 3 lambda)/4 || 1/4) = C_EA(lambda) for all lambda in (0, 1).

    Both sides are written with the logarithms of four positive atoms, 2, 3,
    P = 1 + 3 lambda and Q = 1 - lambda; they agree if the coefficients do, as
    polynomials in lambda. At lambda = 0 and 1 both sides are continuous.

    Args:
        reference: 1/4 for corollary A6; another one makes the identity false.

    Source: corollary A6, theory of bounds, section 3.4.

    Example:
        >>> assisted_insert_is_tight(), assisted_insert_is_tight(sp.Rational(1, 3))
        (True, False)
    """
    level = sp.Symbol("lambda", positive=True)
    weights = assisted_weights(level)
    capacity = 2 + sum(w * sp.log(w) for w in weights) / sp.log(2)
    needed = d(weights[0], sp.Rational(reference)).rewrite(sp.log)
    difference = sp.expand(sp.log(2) * (needed - capacity))
    return sp.expand(difference.replace(sp.log, _split_logarithm(level))) == 0


def _split_logarithm(level: sp.Symbol) -> Callable[[sp.Expr], sp.Expr]:
    """log(c P) -> log c + log P for P = 1 + 3 lambda or 1 - lambda and rational c > 0.

    log P becomes a free symbol, so nothing about logarithms is left to simplify.
    """
    known = {1 + 3 * level: sp.Symbol("log_P"), 1 - level: sp.Symbol("log_Q")}

    def split(argument: sp.Expr) -> sp.Expr:
        for factor, symbol in known.items():
            constant = sp.cancel(argument / factor)
            if constant.is_Rational and constant > 0:
                return symbol + sp.expand_log(sp.log(constant), factor=True)
        return sp.expand_log(sp.log(argument), factor=True)

    return split
