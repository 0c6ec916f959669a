"""Theorem A1: a noisy memory for approximate membership needs n d(p||alpha_b) bits.

One bound per noise of the memory. The tight instance for depolarizing noise is the SIC
filter; Bloom filters, QRACs and repetition codes are others. Every instance is
simulated; the closed forms appear in proofs/a1.md only.
"""

import dataclasses
import functools

import sympy as sp

from qjax._checks import require
from qjax.bounds.bound import Bound, Constant
from qjax.bounds.memory.ensembles import random_structures, replay_structure
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a1_attacks import ATTACKS, PROGRAMS
from qjax.bounds.theorems.a1_instances import INSTANCES
from qjax.bounds.theorems.a1_mutants import MUTANTS
from qjax.bounds.theorems.a1_steps import steps_for
from qjax.bounds.theorems.membership import (
    BLOCK_SETS,
    NEEDED,
    STRUCTURE_VARIABLES,
    a,
    chi,
    m,
    p,
)

_STORAGE = "storage noise: T layers on every memory qubit, nothing between them"
_INTERLEAVED = "T layers on every memory qubit, any unitaries on the memory between"


def theorem_a1(noise: str = "depolarizing") -> Bound:
    """Theorem A1 for one noise of the memory: m kappa >= n d(p || alpha_b).

    m kappa >= chi >= n d(p || p/b + (1 - 1/b) a), kappa the noise's bits per qubit:
    1 - h((1 + lambda^T)/2) for depolarizing storage noise.

    Args:
        noise: Key of `MEMORY_NOISES`.

    Returns:
        The bound, with its proof steps, instances, random instances and mutants.

    Raises:
        ValueError: If the noise is unknown.

    Source: proofs/a1.md.

    Example:
        >>> from qjax.bounds import theorem_a1
        >>> [mutant.id for mutant in theorem_a1().mutants][:4]
        ['M1', 'M2', 'M3', 'M4']
        >>> theorem_a1("dephasing").statement.rhs
        m
    """
    require(noise in MEMORY_NOISES, "noise", f"be one of {list(MEMORY_NOISES)}", noise)
    row = MEMORY_NOISES[noise]
    steps = steps_for(noise)
    capacity = next(step for step in steps if step.concludes).cites[-1]
    return Bound(
        id="A1" if noise == "depolarizing" else f"A1/{noise}",
        title=f"Approximate membership under {row.title}",
        statement=sp.Le(NEEDED, m * row.kappa),
        variables=(*STRUCTURE_VARIABLES, *row.variables),
        model=dataclasses.replace(
            STORED, noise_parameter=row.parameter, noise_place=row.place
        ),
        hypotheses=(
            *BLOCK_SETS,
            _STORAGE if row.place == "storage" else _INTERLEAVED,
        ),
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("1", sp.S.One, "step A1.6: superadditivity, data processing, "
                     "convexity; attained by the SIC filter (A1.9)"),
            Constant("kappa", row.kappa, f"step {capacity}"),
        ),
        steps=steps,
        instances=INSTANCES[noise](),
        mutants=MUTANTS[noise],
        proof="a1",
        also=(sp.Le(NEEDED, chi), sp.Le(chi, m * row.kappa)),
        random=functools.partial(random_structures, noise=noise),
        replay_random=replay_structure,
        attacks=ATTACKS.get(noise, ()),
        programs=PROGRAMS.get(noise, ()),
    )  # fmt: skip
