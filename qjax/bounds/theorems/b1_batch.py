"""Corollary B1': how many fair bits a noisy memory answers, each or all at once."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.batches.batch_ensembles import random_batches
from qjax.bounds.batches.batch_instances import (
    access_code,
    named_corner,
    named_word,
    superdense_values,
)
from qjax.bounds.batches.batch_memories import batch_values, wrong_guesses
from qjax.bounds.batches.batch_replay import replay_batch
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, RandomBatch, Variable
from qjax.bounds.information import h
from qjax.bounds.memory.instances import TETRAHEDRON
from qjax.bounds.model import STORED
from qjax.bounds.sampling import BernoulliTest, Counts
from qjax.bounds.theorems.b1 import KAPPA, STORAGE, B, T, batch_instance, bits, lam, m
from qjax.bounds.theorems.b1_alphabet import delta, noisy_bits, voting_values
from qjax.bounds.theorems.b1_batch_steps import STEPS, STEPS_FOR_WORDS

p = sp.Symbol("p", real=True, nonnegative=True)

ONE_BIT = 1 - h(delta)
BETA = 1 + lam**T

MODEL = dataclasses.replace(STORED, batch="collective")
BATCH = Variable(B, 1, sp.oo, "fair bits that are asked for", "batch")


def _codes() -> tuple[Instance, ...]:
    return tuple(
        batch_instance(
            f"access code B={count}", functools.partial(access_code, count), level
        )
        for count in (2, 3) for level in (0.7, 1.0)
    )  # fmt: skip


def _random(key: Key, count: int) -> RandomBatch:
    return random_batches(key, count, "signs", noisy=True)


def _mutants() -> tuple[Mutant, ...]:
    squared = 1 - h((1 + lam ** (2 * T)) / 2)
    vote = Instance("majority of 21 copies, m of one",
                    functools.partial(voting_values, 0.5, 21))  # fmt: skip
    return (
        Mutant("B1m", "kappa at lambda^2T", sp.Le(B * ONE_BIT, m * squared),
               "stored bits B=2 lam=0.9 T=1"),
        Mutant("B1n", "constant 1.05",
               sp.Le(sp.Rational(21, 20) * B * ONE_BIT, m * KAPPA),
               "stored bits B=2 lam=0.9 T=1"),
        Mutant("B1o", "1 - delta in place of 1 - h(delta)",
               sp.Le(B * (1 - delta), m * KAPPA), "access code B=3 lam=1 T=1"),
        Mutant("B1p", "m per copy with c copies: majority votes",
               sp.Le(B * ONE_BIT, m * KAPPA), vote.name, (vote,)),
    )  # fmt: skip


def batch_size() -> Bound:
    """Corollary B1', batch size: B (1 - h(delta)) <= m kappa.

    B fair bits, each answered with mean error delta from one copy of m qubits under T
    layers of depolarizing noise; kappa = 1 - h((1 + lambda^T)/2).

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1_batch.md; for lambda = 1, A. Nayak, Proc. FOCS 1999, 369.

    Example:
        >>> from qjax.bounds.theorems.b1_batch import batch_size
        >>> batch_size().id
        "B1'"
    """
    tight = tuple(
        noisy_bits(count, level) for count in (1, 2) for level in (0.2, 0.9, 1.0)
    )
    return Bound(
        id="B1'",
        title="Size of a batch: B (1 - h(delta)) <= m kappa",
        statement=sp.Le(B * ONE_BIT, m * KAPPA),
        variables=(BATCH, *STORAGE, Variable(delta, 0, 1, "mean error of the bits")),
        model=MODEL,
        hypotheses=(
            "the B bits are independent and fair",
            "each is guessed from one copy of m qubits; several copies count in m",
            "storage noise: T depolarizing layers on every qubit, nothing between them",
        ),
        vacuous_when=sp.Ge(m * KAPPA, B),
        constants=(
            Constant("1", sp.S.One, "B1b.4; attained by a noisy bit per qubit (B1b.5)"),
            Constant("kappa", KAPPA, "step L6a.5: King's additivity at lambda^T"),
        ),
        steps=STEPS,
        instances=(*tight, bits(2, 0.9, 3, tight=True), *_codes()),
        mutants=_mutants(),
        proof="b1_batch",
        random=_random,
        replay_random=replay_batch,
    )  # fmt: skip


def _word_test(count: int, survival: float) -> BernoulliTest:
    """The Monte-Carlo test of a word: the success at its lower limit."""
    build = functools.partial(named_word, count)
    exact = functools.cache(lambda: dict(batch_values(build(), survival)))

    def right(key: Key, shots: int) -> Counts:
        memory = build()
        # One query about the word as a single symbol of 2^B.
        symbols = np.arange(2**count)[:, None]
        whole = dataclasses.replace(
            memory, digits=symbols, values=symbols.T.astype(float),
            effects=np.asarray(memory.effects)[:1],
        )  # fmt: skip
        return (shots - wrong_guesses(key, whole, survival, 1, shots),)

    def values(limits: Sequence[Any]) -> Mapping[str, Any]:
        return {**exact(), "p": limits[0]}

    return BernoulliTest(lambda: (exact()["p"],), right, ("lower",), values)


def _words() -> tuple[Instance, ...]:
    found = [
        batch_instance(
            f"named word B={count}", functools.partial(named_word, count), level,
            layers, tight=True,
            sampled=_word_test(count, level) if layers == 1 else None,
        )
        for count, level, layers in (
            (1, 0.5, 1), (2, 0.9, 1), (2, 0.3, 1), (2, 1.0, 1), (2, 0.9, 3)
        )
    ]  # fmt: skip
    corner = functools.partial(named_corner, np.asarray(TETRAHEDRON))
    found += [
        batch_instance("two bits at a corner", corner, level, tight=True)
        for level in (0.0, 0.6, 1.0)
    ]
    return tuple(found)


def _word_mutants() -> tuple[Mutant, ...]:
    law = (1 + lam**T) ** m / 2**B
    dense = Instance("superdense coding", superdense_values)
    return (
        Mutant("B1q", "beta = 1 + lambda^2T",
               sp.Le(p, (1 + lam ** (2 * T)) ** m / 2**B),
               "named word B=2 lam=0.9 T=1"),
        Mutant("B1r", "bound times 0.95", sp.Le(p, sp.Rational(19, 20) * law),
               "two bits at a corner lam=0.6 T=1"),
        Mutant("B1s", "pre-shared entanglement, not counted", sp.Le(p, law),
               dense.name, (dense,)),
        Mutant("B1t", "weak converse as a strong one: 2^(m kappa)/2^B",
               sp.Le(p, 2 ** (m * KAPPA) / 2**B), "named word B=2 lam=0.3 T=1"),
    )  # fmt: skip


def batch_success() -> Bound:
    """Corollary B1' for all bits at once: p <= (1 + lambda^T)^m / 2^B.

    B fair bits, all answered correctly with probability p by one measurement of m
    qubits under T layers of depolarizing noise. Noiseless: p <= 2^m/2^B.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b1_batch.md.

    Example:
        >>> from qjax.bounds.theorems.b1_batch import batch_success
        >>> batch_success().id
        "B1'/joint"
    """
    return Bound(
        id="B1'/joint",
        title="All bits of a batch at once: p <= (1 + lambda^T)^m / 2^B",
        statement=sp.Le(p, BETA**m / 2**B),
        variables=(
            BATCH, *STORAGE, Variable(p, 0, 1, "probability that all bits are right")
        ),
        model=MODEL,
        hypotheses=(
            "the B bits are independent and fair",
            "one measurement of m qubits answers all of them",
            "storage noise: T depolarizing layers on every qubit, nothing between them",
            "no entanglement with the querier: superdense coding would double m",
        ),
        vacuous_when=sp.Ge(BETA**m, 2**B),
        constants=(
            Constant("beta", BETA, "B1b.7: twice the largest eigenvalue of a "
                     "depolarized qubit; attained by one bit per qubit (B1b.9)"),
        ),
        steps=STEPS_FOR_WORDS,
        instances=_words(),
        mutants=_word_mutants(),
        proof="b1_batch",
        random=_random,
        replay_random=replay_batch,
    )  # fmt: skip
