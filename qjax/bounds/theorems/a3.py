"""A3: the readout floor. One noisy answer qubit limits every memory, however large.

alpha + beta >= 1 - lambda for depolarizing noise on the qubit that is measured, and
alpha + beta >= gamma for damping before a readout of |1>. Equality for ideal answers.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.memory.instances import STRUCTURES
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, lam
from qjax.bounds.memory.readout import (
    PARAMETERS,
    random_readouts,
    readout_values,
    replay_readout,
)
from qjax.bounds.memory.structure import exact_statistics
from qjax.bounds.model import STORED
from qjax.bounds.sampling import BernoulliTest
from qjax.bounds.theorems.a3_steps import STEPS
from qjax.bounds.theorems.a4 import basis_pair, cat_pair, scrambling
from qjax.bounds.theorems.membership import acceptance_test
from qjax.circuits import cx, h
from qjax.circuits.operation import AbstractOperation, Unitary

alpha, beta, alpha0, beta0, gamma = sp.symbols(
    "alpha beta alpha0 beta0 gamma", real=True, nonnegative=True
)

ERRORS = (
    Variable(alpha, 0, 1, "acceptance of x for a set without x", "false_positive"),
    Variable(beta, 0, 1, "rejection of x for a set with x", "false_negative"),
    Variable(alpha0, 0, 1, "alpha without the noise of the answer qubit"),
    Variable(beta0, 0, 1, "beta without the noise of the answer qubit"),
)
STRENGTHS = {
    "depolarizing": Variable(lam, 0, 1, "survival of the answer qubit", "survival"),
    "damping": Variable(gamma, 0, 1, "decay probability of the answer qubit"),
}

HYPOTHESES = (
    "a query ends in a two-outcome measurement of one qubit, and nothing else is read",
    "that qubit suffers the noise at least once before it is measured",
    "the memory has any number of qubits, in any states, with any other noise",
)

Answer = tuple[AbstractOperation, ...]


def answers() -> dict[str, tuple[np.ndarray, Answer]]:
    """Kets (accept, reject) and the unitaries that compute their answer into wire 0."""
    turn = scrambling(3, 1, 0)[0]
    hidden = (
        basis_pair(3)[::-1] @ turn.conj()
    )  # rows are U^dagger |1..1>, U^dagger |0..0>
    parity = np.eye(8, dtype=complex)[[0b010, 0b011]]
    return {
        "one qubit": (basis_pair(1)[::-1], ()),
        "parity of three": (parity, (cx(1, 0), cx(2, 0))),
        "phase of a cat": (cat_pair(3)[::-1], (cx(0, 1), cx(0, 2), h(0))),
        "hidden in three": (hidden, (Unitary(turn, (0, 1, 2)),)),
        "overlapping": (np.asarray([[0.6, 0.8], [0.8, 0.6]]), ()),
    }


def _errors_test(survival: float) -> BernoulliTest:
    """The Monte-Carlo test of one noisy bit: both errors at their upper limits."""
    build = functools.partial(STRUCTURES["basis"], num_wires=1)
    accepted = acceptance_test(build, "depolarizing", {"lam": survival})
    return dataclasses.replace(
        accepted,
        values=lambda limits: {
            "alpha": limits[1], "beta": 1 - limits[0], "lam": survival
        },
    )  # fmt: skip


def _instance(noise: str, name: str, strength: float) -> Instance:
    def values() -> Mapping[str, Any]:
        kets, answer = answers()[name]
        return readout_values(kets, answer, noise, strength)

    label = f"{name} {PARAMETERS[noise]}={strength:g}"
    floor = strength if noise == "damping" else 1 - strength
    tight = name != "overlapping" and floor > 0
    # Shots of one noise are enough: a second one only compiles the same code again.
    shots = name == "one qubit" and noise == "depolarizing" and tight
    test = _errors_test(strength) if shots else None
    return Instance(label, values, tight, sampled=test)


def _instances(noise: str) -> tuple[Instance, ...]:
    rows = [("one qubit", level) for level in (0.0, 0.5, 0.9, 1.0)]
    rows += [
        ("parity of three", 0.9),
        ("phase of a cat", 0.7),
        ("hidden in three", 0.8),
    ]
    rows += [("overlapping", 0.9)]
    flipped = noise == "damping"
    return tuple(
        _instance(noise, name, round(1 - level, 2) if flipped else level)
        for name, level in rows
    )


def repetition(noise: str, storage: str, level: float, strength: float) -> Instance:
    """Three noisy qubits and a noiseless majority: more than one qubit is read."""

    def values() -> Mapping[str, Any]:
        structure = STRUCTURES["repetition"](copies=3)
        name = MEMORY_NOISES[storage].names[0]
        found = exact_statistics(
            structure, MEMORY_NOISES[storage].circuit({name: level}, 1, 3)
        )
        errors = {"alpha": found.other, "beta": 1 - found.member}
        return {**errors, PARAMETERS[noise]: strength}

    return Instance(f"majority of three, {storage}", values)


def _dephased() -> Mapping[str, Any]:
    kets, answer = answers()["one qubit"]
    return readout_values(kets, answer, "dephasing", 0.5)


def _read_along_x() -> Mapping[str, Any]:
    kets = np.asarray([[1, 1], [1, -1]]) / np.sqrt(2)
    return readout_values(kets, (), "damping", 0.5, np.full((2, 2), 0.5))


def _depolarizing_mutants() -> tuple[Mutant, ...]:
    total, one = alpha + beta, "one qubit lam=0.9"
    majority = repetition("depolarizing", "depolarizing", 0.9, 0.9)
    dephased = Instance("dephased answer", _dephased)
    return (
        Mutant("A3a", "floor 2(1-lambda)", sp.Ge(total, 2 * (1 - lam)), one),
        Mutant("A3b", "floor 1 - lambda^2", sp.Ge(total, 1 - lam**2), one),
        Mutant("A3c", "lambda read as a Pauli-error survival: floor 4(1-lambda)/3",
               sp.Ge(total, sp.Rational(4, 3) * (1 - lam)), one),
        Mutant("A3d", "several noisy qubits may be read, noiseless majority",
               sp.Ge(total, 1 - lam), majority.name, (majority,)),
        Mutant("A3e", "dephasing in place of depolarizing", sp.Ge(total, 1 - lam),
               dephased.name, (dephased,)),
        Mutant("A3f", "floor 1.05 (1-lambda)",
               sp.Ge(total, sp.Rational(21, 20) * (1 - lam)), one),
    )  # fmt: skip


def _damping_mutants() -> tuple[Mutant, ...]:
    total, one = alpha + beta, "one qubit gamma=0.1"
    majority = repetition("damping", "damping", 0.9, 0.1)
    along = Instance("read along x", _read_along_x)
    return (
        Mutant("A3g", "floor 2 gamma", sp.Ge(total, 2 * gamma), one),
        Mutant("A3h", "floor sqrt(gamma)", sp.Ge(total, sp.sqrt(gamma)), one),
        Mutant("A3i", "any test of the qubit", sp.Ge(total, gamma), along.name,
               (along,)),
        Mutant("A3j", "several noisy qubits may be read, noiseless majority",
               sp.Ge(total, gamma), majority.name, (majority,)),
        Mutant("A3k", "floor 1.05 gamma", sp.Ge(total, sp.Rational(21, 20) * gamma),
               one),
    )  # fmt: skip


def _readout_floor(
    noise: str,
    identifier: str,
    floor: sp.Expr,
    laws: tuple[sp.Rel, ...],
    mutants: tuple[Mutant, ...],
) -> Bound:
    parameter = {"depolarizing": "replacement", "damping": "survival"}[noise]
    test = {
        "depolarizing": "any test of that qubit",
        "damping": "it is accepted if it is found in |1>",
    }[noise]
    return Bound(
        id=identifier,
        title=f"Readout floor, {noise} answer qubit: alpha + beta >= {floor}",
        statement=sp.Ge(alpha + beta, floor),
        variables=(*ERRORS, STRENGTHS[noise]),
        model=dataclasses.replace(
            STORED, noise_parameter=parameter, noise_place="readout", layers="none",
            choice="worst case", entropy_sink="allowed",
        ),
        hypotheses=(*HYPOTHESES, test),
        vacuous_when=sp.Le(floor, 0),
        constants=(Constant("1", sp.S.One, "the noise is affine in the state; attained "
                            "by ideal answers"),),
        steps=STEPS[noise],
        instances=_instances(noise),
        mutants=mutants,
        proof="a3",
        also=laws,
        random=lambda key, count: random_readouts(key, count, noise),
        replay_random=replay_readout,
    )  # fmt: skip


def readout_floor() -> Bound:
    """A3: alpha + beta >= 1 - lambda if the measured qubit is depolarized.

    With the errors alpha_0, beta_0 without that noise, alpha + beta =
    1 - lambda (1 - alpha_0 - beta_0) exactly.

    Returns:
        The bound; it holds for every number of memory qubits.

    Source: proofs/a3.md.

    Example:
        >>> from qjax.bounds.theorems.a3 import readout_floor
        >>> [mutant.id for mutant in readout_floor().mutants]
        ['A3a', 'A3b', 'A3c', 'A3d', 'A3e', 'A3f']
    """
    law = sp.Eq(alpha + beta, 1 - lam * (1 - alpha0 - beta0))
    assert isinstance(law, sp.Equality)
    return _readout_floor(
        "depolarizing", "A3", 1 - lam, (law,), _depolarizing_mutants()
    )


def damping_readout_floor() -> Bound:
    """A3 for damping: alpha + beta >= gamma if |1> is the accepting outcome.

    alpha = (1 - gamma) alpha_0 and beta = gamma + (1 - gamma) beta_0 exactly.

    Returns:
        The bound; it holds for every number of memory qubits.

    Source: proofs/a3.md.

    Example:
        >>> from qjax.bounds.theorems.a3 import damping_readout_floor
        >>> damping_readout_floor().id
        'A3/damping'
    """
    laws = (
        sp.Eq(alpha, (1 - gamma) * alpha0),
        sp.Eq(beta, gamma + (1 - gamma) * beta0),
    )
    return _readout_floor("damping", "A3/damping", gamma, laws, _damping_mutants())
