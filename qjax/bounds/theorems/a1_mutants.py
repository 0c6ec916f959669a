"""Wrong variants of Theorem A1, one list per noise of the memory."""

from collections.abc import Mapping

import sympy as sp

from qjax.bounds.bound import Mutant
from qjax.bounds.information import d, h
from qjax.bounds.memory.capacities import assisted_damping, depolarizing_bits
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, coh, eta, lam, mu
from qjax.bounds.theorems.a1_attacks import cooled_memory
from qjax.bounds.theorems.membership import NEEDED, a, b, chi, m, n, p

FIVE_PERCENT = sp.Rational(21, 20)
"""A sharp constant that is 5 % too large."""

_SIC = "sic num_blocks=1 lam={} T=1"
_COLD = "tilted_pair angle={} eta={} T=1"


def _needs(kappa: sp.Expr) -> sp.Rel:
    return sp.Le(NEEDED, m * kappa)


def _holds(kappa: sp.Expr) -> sp.Rel:
    """On the Holevo information itself, which one measurement need not reach."""
    return sp.Le(chi, m * kappa)


def _constant(noise: str, killer: str) -> Mutant:
    kappa = MEMORY_NOISES[noise].kappa
    statement = sp.Le(FIVE_PERCENT * NEEDED, m * kappa)
    return Mutant(f"A1-{noise}-constant", "constant 1.05 n d", statement, killer)


_DEPOLARIZING = (
    Mutant("M1", "alpha in place of alpha_b",
           sp.Le(n * d(p, a), m * depolarizing_bits(lam**T)), _SIC.format("1")),
    Mutant("M2", "kappa = 1 - h((1 + lambda^2T)/2)",
           _needs(depolarizing_bits(lam ** (2 * T))), _SIC.format("0.9")),
    Mutant("M3", "constant 1.05 n d",
           sp.Le(FIVE_PERCENT * NEEDED, m * depolarizing_bits(lam**T)),
           _SIC.format("0.9")),
    Mutant("M4", "literal A: log 1/(alpha+beta), no n and no N",
           sp.Le(-sp.log(1 - p + a, 2), m * depolarizing_bits(lam**T)),
           "bit_vector num_blocks=2 block_size=2 lam=1 T=1"),
    Mutant("A1-pauli", "lambda read as 1 - p of the Pauli convention",
           _needs(depolarizing_bits((1 - 4 * (1 - lam) / 3) ** T)),
           _SIC.format("0.9")),
    Mutant("A1-mixture", "1/b dropped: alpha_b = a + (p - a)/(b + 1)",
           sp.Le(n * d(p, a + (p - a) / (b + 1)), m * depolarizing_bits(lam**T)),
           _SIC.format("1")),
)  # fmt: skip

_BIT = "repetition copies=1 lam=0.7 T=2"
_DEPHASING = (
    Mutant("M6", "dephasing with kappa = lambda^T", _needs(lam**T), _BIT),
    Mutant("A1-dephasing-unital", "dephasing taken for depolarizing noise",
           _needs(depolarizing_bits(lam**T)), _BIT),
    _constant("dephasing", _BIT),
)  # fmt: skip

_DAMPING = (
    Mutant("M7", "kappa = eta^T", _holds(eta**T), _COLD.format(1.369, 0.3)),
    Mutant("A1-damping-low", "h(eta^T) for every eta, also above 1/2",
           _holds(h(eta**T)), _COLD.format(1.476, 0.9)),
    Mutant("A1-damping-unital", "the unital formula with sqrt(eta^T)",
           _holds(depolarizing_bits(sp.sqrt(eta**T))), _COLD.format(1.369, 0.3)),
    Mutant("A1-damping-exponent", "2T layers in place of T",
           _holds(assisted_damping(eta ** (2 * T))), _COLD.format(1.44, 0.01)),
    Mutant("M9", "unitaries allowed between the layers of damping",
           _holds(MEMORY_NOISES["damping"].kappa), "refrigerator m=2 gamma=0.5 T=25",
           instances=(cooled_memory(25, 0.5, 2),)),
    _constant("damping", "sic num_blocks=1 eta=1 T=1"),
)  # fmt: skip

_COLD_GAD = "tilted_pair angle=1.369 eta=0.3 exc=0 T=1"
_GENERALIZED = (
    Mutant("A1-generalized-linear", "kappa = eta^T", _holds(eta**T), _COLD_GAD),
    Mutant("A1-generalized-unital", "the unital formula at every temperature",
           _holds(depolarizing_bits(sp.sqrt(eta**T))), _COLD_GAD),
    Mutant("A1-generalized-root", "log(1 + eta^T), the square root forgotten",
           _holds(sp.log(1 + eta**T, 2)),
           "tilted_pair angle=1.44 eta=0.01 exc=0 T=1"),
    _constant("generalized-damping", "sic num_blocks=1 eta=1 exc=0.3 T=1"),
)  # fmt: skip

_LOSSLESS = "repetition copies=1 eta=1 coh=0.1 exc=0 T=1"
_RELAXATION = (
    Mutant("A1-relaxation-coherence", "log(1 + c) in place of log(1 + max(c, eta))",
           _needs(sp.log(1 + coh**T, 2)), _LOSSLESS),
    Mutant("A1-relaxation-population", "log(1 + eta) in place of log(1 + max(c, eta))",
           _holds(sp.log(1 + eta**T, 2)),
           "tilted_pair angle=1.44 eta=0.01 coh=0.1 exc=0 T=1"),
    Mutant("A1-relaxation-unital", "the unital formula with c",
           _needs(depolarizing_bits(coh**T)), _LOSSLESS),
    _constant("relaxation", "sic num_blocks=1 eta=1 coh=1 exc=0 T=1"),
)  # fmt: skip

_HALF = "repetition copies=1 mu=0.5 exc=0 T=1"
_REPLACEMENT = (
    Mutant("A1-replacement-square", "kappa = (1 - mu)^2T", _holds((1 - mu) ** (2 * T)),
           _HALF),
    Mutant("A1-replacement-unital", "the depolarizing formula for every fixed state",
           _holds(depolarizing_bits((1 - mu) ** T)), _HALF),
    _constant("replacement", "sic num_blocks=1 mu=0 exc=0.5 T=1"),
)  # fmt: skip

_INTERLEAVED = (
    Mutant("A1-interleaved-fourth", "lambda^4T", _needs(lam ** (4 * T)),
           _SIC.format("0.9")),
    Mutant("A1-interleaved-capacity", "1 - h((1 + lambda^2T)/2)",
           _needs(depolarizing_bits(lam ** (2 * T))), _SIC.format("0.9")),
    _constant("interleaved", "sic num_blocks=1 lam=1 T=3 with unitaries between"),
)  # fmt: skip

_WEAK_BLOCK = "basis num_wires=2 lam=0.1 T=1"
_STRONG_BLOCK = "basis num_wires=2 lam=0.9 T=1"
_BLOCK = (
    Mutant("M8", "lambda^2T, as for one-qubit noise", _needs(lam ** (2 * T)),
           _WEAK_BLOCK),
    Mutant("A1-block-capacity", "1 - h((1 + lambda^T)/2), as for one-qubit noise",
           _needs(depolarizing_bits(lam**T)), _STRONG_BLOCK),
    Mutant("A1-block-cubic", "lambda^3T", _needs(lam ** (3 * T)), _STRONG_BLOCK),
    _constant("block", "basis num_wires=2 lam=1 T=1"),
)  # fmt: skip

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "depolarizing": _DEPOLARIZING,
    "dephasing": _DEPHASING,
    "damping": _DAMPING,
    "generalized-damping": _GENERALIZED,
    "relaxation": _RELAXATION,
    "replacement": _REPLACEMENT,
    "interleaved": _INTERLEAVED,
    "block": _BLOCK,
}
"""Mutants by noise."""
