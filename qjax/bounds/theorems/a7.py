"""Corollary A7: how well a memory knows of an insert by k small rotations.

GHZ states reach equality for every k; product states only the square root of it.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.memory.ensembles import helstrom_effect
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a7_steps import STEPS
from qjax.bounds.updates.local_updates import acceptance_table
from qjax.bounds.updates.rotations import (
    RotationInsert,
    ghz_insert,
    noisy_pair,
    product_insert,
    random_rotations,
    repeated_insert,
    replay_rotations,
    rotation_test,
    rotation_values,
    w_insert,
)

total, largest, signed, theta = sp.symbols(
    "total largest signed theta", real=True, nonnegative=True
)
k = sp.Symbol("k", integer=True, positive=True)
p, a = sp.symbols("p a", real=True, nonnegative=True)


def reach(half_angle: sp.Expr) -> sp.Expr:
    """sin(min(angle, pi/2)): sine of the largest angle that the rotations allow."""
    return sp.sin(sp.Min(half_angle, sp.pi / 2))


VARIABLES = (
    Variable(total, 0, sp.oo, "sum of |theta_j| over the rotations, in radians"),
    Variable(p, 0, 1, "acceptance after the insert, 1 - beta", "member_acceptance"),
    Variable(a, 0, 1, "acceptance without the insert, alpha", "other_acceptance"),
)

ROTATED = dataclasses.replace(
    STORED,
    noise_parameter="any",
    layers="none",
    choice="worst case",
    updates="unital",
    entanglement="within the memory",
    entropy_sink="allowed",
)
"""Any noise after the rotations; one stored set and one element are enough."""


def _instance(
    build: Callable[[], RotationInsert],
    name: str,
    *,
    tight: bool = False,
    sampled: bool = False,
) -> Instance:
    def values() -> Mapping[str, Any]:
        return rotation_values(build())

    test = rotation_test(build) if sampled else None
    return Instance(name, values, tight, 1e-11, test)


def _equal(
    build: Callable[[np.ndarray], RotationInsert], count: int, angle: float
) -> Callable[[], RotationInsert]:
    return functools.partial(build, np.full(count, angle))


def _forth_and_back() -> RotationInsert:
    """One qubit in |+> by 3 pi/2 and back by pi/2: net pi, in all 2 pi."""
    insert = repeated_insert(1.5 * math.pi, 2)
    insert.angles[1] /= -3
    return insert


def _noisy_ghz() -> Mapping[str, Any]:
    """GHZ of three qubits, rotated by 0.5 each, then depolarized with lambda = 0.9."""
    memory = np.zeros((1, 8, 8), dtype=complex)
    memory[0][np.ix_([0, 7], [0, 7])] = 0.5
    pair = noisy_pair(memory, np.full((1, 3), 0.5), np.full(1, 0.9))[0]
    table = acceptance_table(pair, helstrom_effect(pair[0] - pair[1])[None])
    return {"total": 1.5, "k": 3, "largest": 0.5, "signed": 1.5, "theta": 0.5,
            "p": float(table[0, 0]), "a": float(table[1, 0])}  # fmt: skip


_ALTERNATING = 0.3 * (-1.0) ** np.arange(8)
_UNEQUAL = np.linspace(0.05, 0.5, 8)


def _instances() -> tuple[Instance, ...]:
    ghz, flat = ghz_insert, product_insert
    return (
        _instance(_equal(ghz, 8, 0.3), "GHZ k=8 theta=0.3", tight=True, sampled=True),
        _instance(_equal(ghz, 8, 0.01), "GHZ k=8 theta=0.01", tight=True),
        _instance(_equal(ghz, 3, 0.5), "GHZ k=3 theta=0.5", tight=True),
        _instance(_equal(ghz, 1, 2.0), "one qubit theta=2", tight=True),
        _instance(_equal(ghz, 8, math.pi / 8), "GHZ k=8 theta=pi/8", tight=True),
        _instance(functools.partial(ghz, _ALTERNATING), "GHZ of alternating signs",
                  tight=True),
        _instance(functools.partial(ghz, _UNEQUAL), "GHZ of unequal angles",
                  tight=True),
        _instance(functools.partial(repeated_insert, 0.3, 8),
                  "one qubit, 8 times 0.3", tight=True, sampled=True),
        _instance(_equal(ghz, 8, 0.6), "GHZ turned too far"),
        _instance(_equal(flat, 8, 0.3), "product k=8 theta=0.3", sampled=True),
        _instance(functools.partial(w_insert, _UNEQUAL), "W state of unequal angles"),
        Instance("noisy GHZ k=3 theta=0.5", _noisy_ghz),
    )  # fmt: skip


def _mutants() -> tuple[Mutant, ...]:
    gap = p - a
    one = Variable(theta, 0, sp.oo, "mean of |theta_j|")
    count = Variable(k, 1, sp.oo, "number of rotations")
    most = Variable(largest, 0, sp.oo, "largest |theta_j|")
    plain = Variable(signed, 0, sp.oo, "|sum theta_j|, signs kept")
    ghz = "GHZ k=8 theta=0.3"
    flat = sp.sqrt(1 - sp.cos(theta / 2) ** (2 * k))
    return (
        Mutant("M11", "the bound of product states, for all states", sp.Le(gap, flat),
               ghz, variables=(one, count)),
        Mutant("A7a", "theta/4 in place of theta/2", sp.Le(gap, reach(total / 4)), ghz),
        Mutant("A7b", "the largest angle in place of the sum",
               sp.Le(gap, reach(largest / 2)), ghz, variables=(most,)),
        Mutant("A7c", "sqrt(k) in place of k",
               sp.Le(gap, reach(total / (2 * sp.sqrt(k)))), ghz, variables=(count,)),
        Mutant("A7d", "constant 1.05", sp.Le(sp.Rational(21, 20) * gap,
               reach(total / 2)), ghz),
        Mutant("A7e", "|sum theta_j| in place of sum |theta_j|",
               sp.Le(gap, reach(signed / 2)), "GHZ of alternating signs",
               variables=(plain,)),
        Mutant("A7f", "no cut at pi/2: sin(sum |theta_j|/2)",
               sp.Le(gap, sp.sin(total / 2)), "forth and back",
               (_instance(_forth_and_back,
                          "forth and back"),)),
    )  # fmt: skip


def corollary_a7() -> Bound:
    """Corollary A7: 1 - alpha - beta <= sin(min(sum_j |theta_j|/2, pi/2)).

    For k equal angles: k >= (2/theta) arcsin(1 - alpha - beta). GHZ states give
    equality for every k; product states only reach sqrt(1 - cos^2k(theta/2)).

    Returns:
        The bound for inserts by rotations Rz(theta_j) on any qubits of any state.

    Source: proofs/a7.md.

    Example:
        >>> from qjax.bounds.theorems.a7 import corollary_a7
        >>> corollary_a7().mutants[0].id
        'M11'
    """
    return Bound(
        id="A7",
        title="Rotations by small angles insert little: the angle adds up, not more",
        statement=sp.Le(p - a, reach(total / 2)),
        variables=VARIABLES,
        model=ROTATED,
        hypotheses=(
            "the insert is a product of rotations Rz(theta_j), each on any qubit",
            "the state before may be mixed and entangled in any way",
            "any noise may follow, or act between the rotations, insert or not",
            "p and a are acceptances of one test with and without the insert",
        ),
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("1/2", sp.S.Half, "step A7.2: Rz(theta) turns by theta/2; "
                     "attained by GHZ states (A7.9)"),
        ),
        steps=STEPS,
        instances=_instances(),
        mutants=_mutants(),
        proof="a7",
        random=random_rotations,
        replay_random=replay_rotations,
    )  # fmt: skip
