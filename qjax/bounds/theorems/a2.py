"""Corollary A2: the original's shape with explicit constants, on an explicit domain."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant
from qjax.bounds.memory.ensembles import random_structures, replay_structure
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, lam
from qjax.bounds.memory.trivial import repetition_error
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a2_steps import CONSTANTS, steps_for
from qjax.bounds.theorems.literal_a import noisy_bit_error
from qjax.bounds.theorems.membership import (
    ALPHA_B,
    BLOCK_SETS,
    STRUCTURE_VARIABLES,
    a,
    m,
    n,
    noisy_instance,
    p,
)

ERRORS = ALPHA_B + 1 - p
"""s = alpha_b + beta."""


def _claim(c: sp.Expr, factor: sp.Expr | int = 1) -> sp.Rel:
    """m >= f n (1 - s) log2(1/s) / (1 - c T eps), as a lower bound on m."""
    needed = factor * n * (1 - ERRORS) * sp.log(1 / ERRORS, 2)
    return sp.Ge(m, needed / (1 - c * T * (1 - lam)))


def exact_list(num_bits: int) -> Instance:
    """One element of 2^k in k bits, without noise: no errors, s = 2^-k.

    The ratio of the sides is 1 - 2^-k: the bound becomes sharp as s -> 0.
    """
    values = {"n": 1, "b": 2**num_bits, "m": num_bits, "lam": 1, "T": 0, "p": 1, "a": 0}
    return Instance(f"list of one element in {num_bits} bits", lambda: values,
                    tight=num_bits >= 10, error=0.0, note="exact")  # fmt: skip


def majority_code(num_bits: int) -> Instance:
    """n bits in one classical bit, their majority: p = 1/2 + C(n-1, (n-1)/2)/2^n.

    With shared randomness every bit is answered with this probability.
    """

    def values() -> Mapping[str, Any]:
        middle = math.comb(num_bits - 1, (num_bits - 1) // 2)
        right = Fraction(1, 2) + Fraction(middle, 2**num_bits)
        return {"n": num_bits, "b": 2, "m": 1, "lam": 1, "T": 0, "p": right,
                "a": 1 - right}  # fmt: skip

    name = f"majority of {num_bits} bits in one bit"
    return Instance(name, values, error=0.0, note="binomial, exact")


def repetition_code(copies: int, layers: int, noise: Fraction) -> Instance:
    """One bit in r noisy bits read by majority; each bit is simulated on the engine."""

    def values() -> Mapping[str, Any]:
        flip = noisy_bit_error(float(noise), layers)
        wrong = repetition_error(flip, copies)
        return {"n": 1, "b": 2, "m": copies, "lam": 1 - noise, "T": layers,
                "p": 1 - wrong, "a": wrong}  # fmt: skip

    name = f"repetition code: m={copies}, T={layers}, eps={noise}"
    return Instance(name, values, error=1e-9, note="binomial tail of a simulated flip")


def _mutants(noise: str) -> tuple[Mutant, ...]:
    c = CONSTANTS[noise]
    sharp = "list of one element in 10 bits"
    found = (
        Mutant(f"A2-{noise}-constant", "constant 1.05",
               _claim(c, sp.Rational(21, 20)), sharp),
        Mutant(f"A2-{noise}-twice", "2 n in place of n", _claim(c, 2), sharp),
        Mutant(f"A2-{noise}-half", "n log2(1/s): the factor 1 - s dropped",
               sp.Ge(m, n * sp.log(1 / ERRORS, 2) / (1 - c * T * (1 - lam)) + n),
               sharp),
    )  # fmt: skip
    if noise == "block":
        return found
    own = (
        Mutant("M5", "denominator 1 - cT eps beyond c T eps = 1/2", _claim(c),
               "repetition code: m=19, T=69, eps=1/100", everywhere=True),
        Mutant("M5b", "the same with c = 1", _claim(sp.S.One),
               "repetition code: m=19, T=100, eps=1/100", everywhere=True),
        Mutant("M12", "n log2(1/(alpha+beta)), without N",
               sp.Ge(m, -n * sp.log(1 - p + a, 2)), "majority of 101 bits in one bit",
               everywhere=True),
    )  # fmt: skip
    return own + found


def corollary_a2(noise: str = "interleaved") -> Bound:
    """Corollary A2: m >= n (1-s) log2(1/s)/(1 - c T eps), c T eps and s at most 1/2.

    s = alpha_b + beta and eps = 1 - lambda; c = 1/ln 2 for one-qubit depolarizing
    noise, 1/(2 ln 2) for two-qubit blocks. As 1 - s >= 1/2 the shape
    (n/2) log2(1/s)/(1 - c T eps) follows.

    Args:
        noise: "interleaved" (one-qubit noise) or "block".

    Returns:
        The bound, with the literal statement's pole among its mutants.

    Source: proofs/a2.md.

    Example:
        >>> from qjax.bounds import corollary_a2
        >>> [str(relation) for relation in corollary_a2("block").where][1]
        'T*(1 - lam)/(2*log(2)) <= 1/2'
    """
    row = MEMORY_NOISES[noise]
    c = CONSTANTS[noise]
    make = functools.partial(noisy_instance, "basis", noise=noise)
    pair = {"num_wires": 2}
    instances = [exact_list(2), exact_list(10)]
    instances += [
        make(pair, strengths={"lam": level}, layers=layers, sampled=layers == 2)
        for level, layers in ((0.95, 2), (0.9, 1))
    ]
    if noise == "interleaved":
        instances += [
            repetition_code(19, 69, Fraction(1, 100)),
            repetition_code(19, 100, Fraction(1, 100)),
            majority_code(101),
        ]
    half = sp.Rational(1, 2)
    return Bound(
        id="A2" if noise == "interleaved" else "A2/block",
        title=f"The original's shape under {row.title}",
        statement=_claim(c),
        variables=(
            *(v for v in STRUCTURE_VARIABLES if v.role != "holevo"),
            *row.variables,
        ),
        model=dataclasses.replace(
            STORED, noise_parameter=row.parameter, noise_place=row.place
        ),
        hypotheses=(*BLOCK_SETS, "at least T layers on every memory qubit"),
        vacuous_when=sp.Ge(ERRORS, 1),
        constants=(
            Constant("c", c, "steps A2.2 and A2.3: e^(2 T eps) >= 1/(1 - c T eps)"),
        ),
        steps=steps_for(noise),
        instances=tuple(instances),
        mutants=_mutants(noise),
        proof="a2",
        also=(sp.Ge(m, half * n * sp.log(1 / ERRORS, 2) / (1 - c * T * (1 - lam))),),
        random=functools.partial(random_structures, noise=noise),
        replay_random=replay_structure,
        where=(sp.Le(ERRORS, half), sp.Le(c * T * (1 - lam), half)),
    )
