"""Theorem B1 for answers from an alphabet (Fano) and for normal answers.

Both say how many bits a batch of answers costs: by its error, or by the geometric mean
of what remains of the variance.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.batches.batch_ensembles import random_batches
from qjax.bounds.batches.batch_instances import (
    quantised_values,
    stored_bits,
    stored_symbol,
    tilted_values,
)
from qjax.bounds.batches.batch_memories import batch_values, wrong_guesses
from qjax.bounds.batches.batch_replay import replay_batch
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, RandomBatch, Variable
from qjax.bounds.information import d, h
from qjax.bounds.memory.trivial import repetition_error
from qjax.bounds.sampling import BernoulliTest, Counts
from qjax.bounds.theorems.b1 import (
    COMMON,
    HYPOTHESES,
    MODEL,
    B,
    Builder,
    answers_of_codes,
    batch_instance,
    bits,
    c,
    chi,
)
from qjax.bounds.theorems.b1_alphabet_steps import STEPS_FOR_NORMAL, STEPS_FOR_SYMBOLS

a = sp.Symbol("a", integer=True, positive=True)
delta, g = sp.symbols("delta g", real=True, nonnegative=True)

FANO_BITS = sp.log(a, 2) - h(delta) - delta * sp.log(a - 1, 2)
LOST_BITS = -B * sp.log(g, 2) / 2
TILT = 0.1


def error_test(build: Builder, survival: float) -> BernoulliTest:
    """The Monte-Carlo test of a batch: the mean error at its upper limit; chi is exact.

    Beyond 1 - 1/a the bound would grow again with the error, so the limit stops there.

    Args:
        build: Builder of a memory with explicit effects.
        survival: lambda of one layer.
    """
    exact = functools.cache(lambda: dict(batch_values(build(), survival)))

    def count(key: Key, shots: int) -> Counts:
        return (wrong_guesses(key, build(), survival, 1, shots),)

    def values(limits: Sequence[Any]) -> Mapping[str, Any]:
        blind = 1 - 1 / exact()["a"]
        return {**exact(), "delta": np.minimum(limits[0], blind)}

    return BernoulliTest(lambda: (exact()["delta"],), count, ("upper",), values)


def noisy_bits(count: int, survival: float) -> Instance:
    """One bit per qubit, with shots: tight for Fano and for the size of a batch."""
    build = functools.partial(stored_bits, count)
    shots = error_test(build, survival) if survival == 0.9 else None
    return bits(count, survival, tight=True, sampled=shots)


def _symbol(size: int, error: float, survival: float = 1.0) -> Instance:
    """Tight without further noise; depolarized qubits make some errors likelier."""
    build = functools.partial(stored_symbol, size, error)
    name = f"stored symbol a={size} error={error:g}"
    tight = survival == 1.0
    shots = error_test(build, survival) if tight and error == 0.1 else None
    return batch_instance(name, build, survival, tight=tight, sampled=shots)


def voting_values(survival: float, copies: int) -> Mapping[str, Any]:
    """One noisy bit, guessed by the majority of c copies.

    One copy is simulated; votes are independent, so that their tail is binomial.

    Args:
        survival: lambda of one layer.
        copies: c, odd.

    Returns:
        Values of the B1 family, with the error of the vote and chi of one copy.
    """
    one = batch_values(stored_bits(1), survival)
    return {**one, "c": copies, "delta": repetition_error(one["delta"], copies)}


VOTE = Instance(
    "majority of 21 copies of a bit", functools.partial(voting_values, 0.5, 21)
)


def _random(law: str) -> Callable[[Key, int], RandomBatch]:
    return lambda key, count: random_batches(key, count, law)


def _fano_mutants() -> tuple[Mutant, ...]:
    symbol = "stored symbol a=4 error=0.1 lam=1 T=1"
    return (
        Mutant("B1f", "constant 1.05",
               sp.Ge(c * chi, sp.Rational(21, 20) * B * FANO_BITS), symbol),
        Mutant("B1g", "h(delta) dropped",
               sp.Ge(c * chi, B * (sp.log(a, 2) - delta * sp.log(a - 1, 2))), symbol),
        Mutant("B1h", "delta log(a-1) dropped",
               sp.Ge(c * chi, B * (sp.log(a, 2) - h(delta))), symbol),
        Mutant("B1i", "chi of one copy whatever c", sp.Ge(chi, B * FANO_BITS),
               VOTE.name),
    )  # fmt: skip


def theorem_b1_fano() -> Bound:
    """B1 for symbols: c chi >= B [log a - h(delta) - delta log(a-1)].

    X_j is uniform over a symbols and delta is the mean error of the guesses; the
    bracket is d(1-delta || 1/a).

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1.md; R. M. Fano, Transmission of Information (1961).

    Example:
        >>> from qjax.bounds.theorems.b1_alphabet import theorem_b1_fano
        >>> theorem_b1_fano().id
        'B1/fano'
    """
    return Bound(
        id="B1/fano",
        title="Batches of symbols: c chi >= B [log a - h(delta) - delta log(a-1)]",
        statement=sp.Ge(c * chi, B * FANO_BITS),
        variables=(
            *COMMON,
            Variable(a, 2, sp.oo, "symbols of the alphabet"),
            Variable(delta, 0, 1, "mean error of the guesses"),
        ),
        model=MODEL,
        hypotheses=(*HYPOTHESES, "X_j is uniform over a symbols"),
        vacuous_when=sp.Ge(c * chi, B * sp.log(a, 2)),
        constants=(
            Constant("1", sp.S.One, "B1.20; attained by symbols that another replaces "
                     "at random (B1.21)"),
        ),
        steps=STEPS_FOR_SYMBOLS,
        instances=(
            *(noisy_bits(count, level) for count in (1, 2) for level in (0.5, 0.9)),
            *(_symbol(size, error) for size in (3, 4) for error in (0.0, 0.1, 0.6)),
            _symbol(4, 0.0, 0.8), *answers_of_codes(), VOTE,
        ),
        mutants=_fano_mutants(),
        proof="b1",
        also=(sp.Ge(c * chi, B * d(1 - delta, 1 / a)),),
        random=_random("uniform"),
        replay_random=replay_batch,
    )  # fmt: skip


def _normal_instances() -> tuple[Instance, ...]:
    def quantised(name: str, thresholds: tuple[float, ...], count: int, level: float):
        values = functools.partial(quantised_values, thresholds, count, level)
        return Instance(f"{name} lam={level:g}", values)

    quarters = (-0.9816, 0.0, 0.9816)  # close to the best four bins (Max 1960)
    return (
        Instance(
            f"tilted bit e={TILT:g}", functools.partial(tilted_values, TILT), True
        ),
        *(quantised("sign", (0.0,), 1, level) for level in (0.2, 0.9, 1.0)),
        quantised("two signs", (0.0,), 2, 0.9),
        *(quantised("four bins", quarters, 1, level) for level in (0.8, 1.0)),
    )


def _normal_mutants() -> tuple[Mutant, ...]:
    tilted = f"tilted bit e={TILT:g}"
    exponent = sp.Ge(g, 2 ** (-c * chi / B))
    return (
        Mutant("B1j", "constant 1.05", sp.Le(sp.Rational(21, 20) * LOST_BITS, c * chi),
               tilted),
        Mutant("B1k", "exponent c chi/B in place of 2 c chi/B", exponent, tilted),
        Mutant("B1l", "answers that are not normal: fair signs",
               sp.Le(LOST_BITS, c * chi), "stored bits B=1 lam=0.9 T=1",
               (bits(1, 0.9),)),
    )  # fmt: skip


def theorem_b1_entropy_power() -> Bound:
    """B1 for normal answers: geometric mean of MMSE_j/Var X_j >= 2^(-2 c chi/B).

    Stated as (1/2) sum_j log(Var X_j/MMSE_j) <= c chi, where the sides can be compared
    when both are small.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1.md; C. E. Shannon, Bell Syst. Tech. J. 27, 623 (1948), section 20
        (entropy power).

    Example:
        >>> from qjax.bounds.theorems.b1_alphabet import theorem_b1_entropy_power
        >>> theorem_b1_entropy_power().id
        'B1/entropy-power'
    """
    return Bound(
        id="B1/entropy-power",
        title="Batches of normal answers: geometric mean of MMSE/Var >= 2^(-2 c chi/B)",
        statement=sp.Le(LOST_BITS, c * chi),
        variables=(
            *COMMON,
            Variable(g, 0, 1, "geometric mean over the batch of MMSE_j/Var X_j"),
        ),
        model=MODEL,
        hypotheses=(*HYPOTHESES, "X_j is normal; Var X_j and MMSE_j are those of X_j "
                    "itself, also where the memory holds a bin of it"),
        vacuous_when=None,
        constants=(
            Constant("2", sp.Integer(2), "B1.24; optimal as c chi/B -> 0 for a tilted "
                     "bit (B1.26). For c chi/B of order one no equality is known: one "
                     "noiseless sign bit leaves 1 - 2/pi = .363, the bound says 1/4"),
        ),
        steps=STEPS_FOR_NORMAL,
        instances=_normal_instances(),
        mutants=_normal_mutants(),
        proof="b1",
        also=(sp.Ge(g, 2 ** (-2 * c * chi / B)),),
        random=_random("normal"),
        replay_random=replay_batch,
    )  # fmt: skip
