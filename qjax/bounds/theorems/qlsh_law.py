"""What every exact law of the sketches shares, and a law as a bound."""

import functools

import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Step
from qjax.bounds.theorems.qlsh_precise import replay_sketch
from qjax.bounds.theorems.qlsh_simulation import random_sketches
from qjax.bounds.theorems.qlsh_symbols import (
    HYPOTHESES,
    NOISE_HYPOTHESES,
    NOISELESS_MODEL,
    NOISY_MODEL,
    variables_of,
)


def sketch_law(
    identifier: str, title: str, statement: sp.Rel, *, constants: tuple[Constant, ...],
    steps: tuple[Step, ...], instances: tuple[Instance, ...],
    mutants: tuple[Mutant, ...], also: tuple[sp.Rel, ...] = (), noisy: bool = True,
    given: tuple[str, ...] = (),
) -> Bound:  # fmt: skip
    """An equation between an expectation over hyperplanes and its closed form.

    Args:
        identifier: Key of `BOUNDS`.
        title: One line.
        statement: The equation; it is never vacuous.
        constants: With their provenance.
        steps: Of proofs/qlsh.md.
        instances: Simulated sketches.
        mutants: Wrong variants.
        also: Further relations at the same sketches.
        noisy: Whether it is claimed under storage noise, and tried there.
        given: Hypotheses beyond those of every law.
    """
    relations = (statement, *also, *(mutant.statement for mutant in mutants))
    return Bound(
        id=identifier,
        title=title,
        statement=statement,
        variables=variables_of(*relations),
        model=NOISY_MODEL if noisy else NOISELESS_MODEL,
        hypotheses=(*(NOISE_HYPOTHESES if noisy else HYPOTHESES), *given),
        vacuous_when=None,
        constants=constants,
        steps=steps,
        instances=instances,
        mutants=mutants,
        proof="qlsh",
        also=also,
        random=functools.partial(random_sketches, noisy=noisy),
        replay_random=replay_sketch,
    )
