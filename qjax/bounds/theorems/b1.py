"""Theorem B1: the answers of a batch share the information that the memory holds.

The sum over the batch of explained variance, in units of the squared ranges, is at most
(ln2/2) c chi. For fair signs an exact form is tight for one noisy bit per qubit.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from qjax._types import Key
from qjax.bounds.batches.batch_ensembles import random_batches
from qjax.bounds.batches.batch_instances import (
    access_code,
    copied_bit,
    repeated_answer,
    stored_bits,
    untouched_coins,
    voting_filter,
)
from qjax.bounds.batches.batch_memories import BatchMemory, batch_values
from qjax.bounds.batches.batch_replay import replay_batch
from qjax.bounds.bound import (
    Bound,
    Constant,
    Instance,
    Mutant,
    RandomBatch,
    Variable,
)
from qjax.bounds.information import d, h
from qjax.bounds.model import STORED
from qjax.bounds.theorems.b1_steps import STEPS, STEPS_FOR_SIGNS

B, c, m = sp.symbols("B c m", integer=True, positive=True)
T = sp.Symbol("T", integer=True, nonnegative=True)
chi, lam, S, V, info = sp.symbols("chi lam S V I", real=True, nonnegative=True)
r = sp.Symbol("r", real=True, positive=True)
Phi, Delta = sp.symbols("Phi Delta", real=True, nonnegative=True)

KAPPA = 1 - h((1 + lam**T) / 2)
HALF_LN2 = sp.log(2) / 2

MODEL = dataclasses.replace(
    STORED, copies="shared", memory_counts="one copy", batch="collective"
)
"""Any collective measurement of c copies; the proof allows own copies as well."""

COMMON = (
    Variable(B, 1, sp.oo, "queries in the batch", "batch"),
    Variable(c, 1, sp.oo, "copies that a query uses, its own or shared"),
    Variable(chi, 0, sp.oo, "Holevo information of one copy, bits", "holevo"),
)
STORAGE = (
    Variable(m, 1, sp.oo, "qubits of one copy"),
    Variable(lam, 0, 1, "survival per layer", "survival"),
    Variable(T, 0, sp.oo, "noise layers on every memory qubit", "layers"),
)
HYPOTHESES = (
    "the answers X_1, ..., X_B are independent",
    "answer j is estimated from any measurement of c copies of the memory",
    "chi is computed from density matrices: entropies of samples are biased",
)

Builder = Callable[[], BatchMemory]


def batch_instance(
    name: str, build: Builder, survival: float = 1.0, layers: int = 1, *,
    tight: bool = False,
    sampled: Callable[[Key, int, float], Mapping[str, Any]] | None = None,
) -> Instance:  # fmt: skip
    """An instance of the B1 family, simulated when it is asked for.

    Args:
        name: What it is, without its noise.
        build: Builder of the memory.
        survival: lambda per layer.
        layers: T.
        tight: Whether the bound is claimed to be an equality here.
        sampled: Pessimistic values from shots, or None.
    """

    def values() -> Mapping[str, Any]:
        return batch_values(build(), survival, layers)

    label = f"{name} lam={survival:g} T={layers}"
    return Instance(label, values, tight, 1e-11, sampled)


def bits(count: int, survival: float, layers: int = 1, **options: Any) -> Instance:
    """One bit per qubit, B = m."""
    build = functools.partial(stored_bits, count)
    return batch_instance(f"stored bits B={count}", build, survival, layers, **options)


def answers_of_codes() -> tuple[Instance, ...]:
    """Access codes, copies, and a memory that knows nothing: nothing is tight here."""
    found = []
    for level in (1.0, 0.7):
        for count in (2, 3):
            build = functools.partial(access_code, count)
            found.append(batch_instance(f"access code B={count}", build, level))
    both = functools.partial(access_code, 2, 2)
    coins = functools.partial(untouched_coins, 2)
    found += [
        batch_instance("access code B=2, two shared copies", both, 0.7),
        batch_instance("two copies of a bit", copied_bit, 0.3),
        batch_instance("independent coins, empty memory", coins),
    ]
    return tuple(found)


def _random(law: str) -> Callable[[Key, int], RandomBatch]:
    return lambda key, count: random_batches(key, count, law)


def _mutants() -> tuple[Mutant, ...]:
    wide = functools.partial(stored_bits, 1, 0.0, 10.0)
    p, alpha = sp.symbols("p alpha", real=True, nonnegative=True)
    votes = (
        Variable(p, 0, 1, "acceptance of members by vote"),
        Variable(alpha, 0, 1, "acceptance of non-members by vote"),
    )
    vote = Instance("14 votes of 21 copies of the SIC filter",
                    functools.partial(voting_filter, 0.8, 21, 14))  # fmt: skip
    law = sp.Le(S, HALF_LN2 * c * chi)
    return (
        Mutant("M14", "constant times 0.9",
               sp.Le(S, sp.Rational(9, 10) * HALF_LN2 * c * chi),
               "stored bits B=1 lam=0.3 T=1"),
        Mutant("M15", "the constant of signs, without the range r^2",
               sp.Le(V, 2 * sp.log(2) * c * chi / B), "a bit worth 0 or 10 lam=1 T=1",
               (batch_instance("a bit worth 0 or 10", wide),)),
        Mutant("M19", "filter of one element in four: m per copy, vote over copies",
               sp.Le(d(p, p / 4 + 3 * alpha / 4), chi), vote.name, (vote,),
               votes),
        Mutant("B1a", "chi of one copy whatever c", sp.Le(S, HALF_LN2 * chi),
               "two copies of a bit lam=0.3 T=1"),
        Mutant("B1b", "dependent answers", law, "one bit asked twice lam=1 T=1",
               (batch_instance("one bit asked twice", repeated_answer),)),
    )  # fmt: skip


def theorem_b1() -> Bound:
    """Theorem B1, information law for batches: sum_j V_j/r_j^2 <= (ln2/2) c chi.

    V_j = Var X_j - MMSE_j is the explained variance, r_j the length of an interval that
    contains X_j. For r_j <= r: mean V_j <= (ln2/2) r^2 c chi/B.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1.md.

    Example:
        >>> from qjax.bounds.theorems.b1 import theorem_b1
        >>> [mutant.id for mutant in theorem_b1().mutants]
        ['M14', 'M15', 'M19', 'B1a', 'B1b']
    """
    wide = functools.partial(stored_bits, 1, 0.0, 10.0)
    instances = (
        bits(1, 1e-3, tight=True), bits(2, 1e-3, tight=True),
        *(bits(2, level) for level in (0.1, 0.6, 1.0)),
        *(bits(1, level) for level in (0.3, 0.9)), bits(1, 0.7, 3),
        batch_instance("a bit worth 0 or 10", wide, 0.2),
        *answers_of_codes(),
    )  # fmt: skip
    return Bound(
        id="B1",
        title="Batches share information: sum V_j/r_j^2 <= (ln2/2) c chi",
        statement=sp.Le(S, HALF_LN2 * c * chi),
        variables=(
            *COMMON, *STORAGE,
            Variable(S, 0, sp.oo, "sum of explained variance over squared range"),
            Variable(V, 0, sp.oo, "mean explained variance"),
            Variable(r, 0, sp.oo, "largest range"),
            Variable(info, 0, sp.oo, "sum of I(X_j;Y_j), bits"),
        ),
        model=MODEL,
        hypotheses=(*HYPOTHESES, "X_j lies in an interval of length r_j"),
        # No answer explains more than r^2/4 of its variance.
        vacuous_when=sp.Ge(HALF_LN2 * c * chi, B / 4),
        constants=(
            Constant("ln2/2", HALF_LN2, "Pinsker's inequality (B1.7); optimal as "
                     "lambda -> 0 for one noisy bit per qubit (B1.10)"),
        ),
        steps=STEPS,
        instances=instances,
        mutants=_mutants(),
        proof="b1",
        also=(
            sp.Le(S, HALF_LN2 * info),
            sp.Le(info, c * chi),
            sp.Le(V, HALF_LN2 * r**2 * c * chi / B),
            sp.Le(S, HALF_LN2 * c * m * KAPPA),
        ),
        random=_random("real"),
        replay_random=replay_batch,
    )  # fmt: skip


def _sign_mutants() -> tuple[Mutant, ...]:
    share = c * chi / B
    linear = 1 / (2 * sp.log(2))
    return (
        Mutant("M13", "literal B: reduction <= min(1/B, chi/(B H)), H = 1",
               sp.Le(Delta, sp.Min(1 / B, chi / B)), "stored bits B=2 lam=1 T=1"),
        Mutant("B1c", "constant 1.05",
               sp.Le(sp.Rational(21, 20) * Phi, share), "stored bits B=1 lam=0.9 T=1"),
        Mutant("B1d", "phi(Delta) replaced by Delta", sp.Le(Delta, share),
               "stored bits B=2 lam=0.3 T=1"),
        Mutant("B1e", "slope of phi at 0 times 1.05",
               sp.Le(sp.Rational(21, 20) * linear * Delta, share),
               "stored bits B=1 lam=0.1 T=1"),
    )  # fmt: skip


def theorem_b1_signs() -> Bound:
    """B1 for fair signs: (1/B) sum_j phi(Delta_j) <= c chi/B, with equality.

    phi(u) = 1 - h((1 + sqrt u)/2) and Delta_j = V_j, for X_j = +-1 uniform. Since phi
    is convex and at least u/(2 ln2): mean Delta_j <= 2 ln2 c chi/B.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1.md.

    Example:
        >>> from qjax.bounds.theorems.b1 import theorem_b1_signs
        >>> theorem_b1_signs().statement
        Phi <= c*chi/B
    """
    tight = tuple(
        bits(count, level, tight=True)
        for count in (1, 2) for level in (0.1, 0.3, 0.9, 1.0)
    )  # fmt: skip
    share = c * chi / B
    return Bound(
        id="B1/signs",
        title="Batches of fair signs: mean phi(Delta_j) <= c chi/B",
        statement=sp.Le(Phi, share),
        variables=(
            *COMMON, *STORAGE,
            Variable(Phi, 0, 1, "mean of phi(Delta_j)"),
            Variable(Delta, 0, 1, "mean explained variance of the signs"),
        ),
        model=MODEL,
        hypotheses=(*HYPOTHESES, "X_j = +-1 with equal probability"),
        vacuous_when=sp.Ge(share, 1),
        constants=(
            Constant("1", sp.S.One, "B1.15; attained by a noisy bit per qubit (B1.16)"),
        ),
        steps=STEPS_FOR_SIGNS,
        instances=(*tight, bits(1, 0.7, 3, tight=True), *answers_of_codes()),
        mutants=_sign_mutants(),
        proof="b1",
        also=(
            sp.Le(1 - h((1 + sp.sqrt(Delta)) / 2), share),
            sp.Le(Delta, 2 * sp.log(2) * share),
            sp.Le(Phi, c * m * KAPPA / B),
        ),
        random=_random("signs"),
        replay_random=replay_batch,
    )  # fmt: skip
