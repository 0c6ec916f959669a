"""Theorem B2, shot laws: what a batch of estimators can gain from shared copies.

Shot noise and uncertainty about the data are different variances: B1 speaks of the
second, B2 of the first.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import sympy as sp

from qjax._types import Key
from qjax.bounds.batches.exchangeable import (
    exchangeable_values,
    random_outcomes,
    replay_outcomes,
)
from qjax.bounds.batches.shot_ensembles import random_anticommuting, random_shots
from qjax.bounds.batches.shot_estimators import replay_shots
from qjax.bounds.batches.shot_instances import (
    commuting_values,
    corner_values,
    gammas,
    ignoring_values,
    mixed_state,
    one_at_a_time,
    paired_values,
    paulis,
    tilted_state,
)
from qjax.bounds.bound import Attack, Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.model import STORED
from qjax.bounds.search import attack_shot_law, replay_candidate
from qjax.bounds.theorems.b2_steps import (
    STEPS,
    STEPS_FOR_ANTICOMMUTING,
    STEPS_FOR_DESIGN,
)

B, c = sp.symbols("B c", integer=True, positive=True)
u, v, w, s2 = sp.symbols("u v w s2", real=True, nonnegative=True)
r = sp.Symbol("r", real=True)

MODEL = dataclasses.replace(
    STORED, noise_parameter="none", noise_place="none", layers="none", copies="shared",
    memory_counts="one copy", choice="none", batch="collective", randomness="none",
)  # fmt: skip
"""One unknown state, c copies of it, and a batch of observables to estimate."""

COPIES = Variable(c, 1, sp.oo, "copies that the whole batch shares")
BATCH = Variable(B, 1, sp.oo, "observables in the batch", "batch")
MEAN = Variable(w, 0, sp.oo, "mean variance of the batch's estimators")


def _at_random(names: str, survival: float, copies: int) -> Instance:
    """Paulis of one qubit, one at a time, in a tilted state."""

    def values() -> Mapping[str, Any]:
        return one_at_a_time(tilted_state(survival), paulis(names), copies)

    tight = len(names) == 1
    label = f"{names}, one at a time, lam={survival:g} c={copies}"
    return Instance(label, values, tight)


def _commuting(survival: float, copies: int) -> Instance:
    values = functools.partial(commuting_values, survival, copies)
    return Instance(f"ZI, IZ, ZZ together, lam={survival:g} c={copies}", values, True)


def _shot_mutants() -> tuple[Mutant, ...]:
    pair, together = (
        "XZ, one at a time, lam=0.5 c=12",
        "ZI, IZ, ZZ together, lam=0.8 c=12",
    )
    biased = Instance("always 0", functools.partial(ignoring_values, 12))
    return (
        Mutant("M16", "gain = B always", sp.Eq(B * w, u), pair),
        Mutant("B2a", "constant 1.05", sp.Ge(B * w, sp.Rational(21, 20) * u), together),
        Mutant("B2b", "no gain at all", sp.Ge(w, u), together),
        Mutant("B2c", "biased estimators", sp.Ge(B * w, u), biased.name, (biased,)),
    )  # fmt: skip


def theorem_b2() -> Bound:
    """Theorem B2, shot law: Var_batch/Var_separate >= 1/B.

    From c shared copies any unbiased estimator of O_j has variance at least
    v_j/c, v_j = Var_rho(O_j); separate use of c/B copies each gives u = B v/c.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b2.md.

    Example:
        >>> from qjax.bounds.theorems.b2 import theorem_b2
        >>> [mutant.id for mutant in theorem_b2().mutants]
        ['M16', 'B2a', 'B2b', 'B2c']
    """
    return Bound(
        id="B2",
        title="Shot law: Var_batch/Var_separate >= 1/B, a batch gains B at most",
        statement=sp.Ge(B * w, u),
        variables=(
            BATCH, COPIES, MEAN,
            Variable(u, 0, sp.oo, "mean variance with c/B copies for each observable"),
            Variable(v, 0, sp.oo, "mean variance of the observables in the state"),
        ),
        model=MODEL,
        hypotheses=(
            "the estimators are unbiased for every state near rho",
            "any measurement of the c copies, collective and adaptive",
        ),
        vacuous_when=sp.Le(u, 0),
        constants=(Constant("1/B", 1 / B, "B2.5; attained by commuting observables"),),
        steps=STEPS,
        instances=(
            *(_commuting(level, copies) for level, copies in ((0.8, 12), (1.0, 3))),
            *(_at_random("XZ", level, 12) for level in (0.5, 1.0)),
            _at_random("XYZ", 0.7, 30), _at_random("Y", 0.7, 5),
        ),
        mutants=_shot_mutants(),
        proof="b2",
        also=(sp.Ge(c * w, v),),
        random=random_shots,
        replay_random=replay_shots,
    )  # fmt: skip


def _mixed(name: str, observables: Any, copies: int) -> Instance:
    """Observables of a maximally mixed register, one at a time."""

    def values() -> Mapping[str, Any]:
        return one_at_a_time(mixed_state(), observables, copies)

    return Instance(f"{name}, one at a time, c={copies}", values, True)


def _anticommuting_mutants() -> tuple[Mutant, ...]:
    law = sp.Ge(c * w, B)
    paired = Instance("XYZ from two copies together", paired_values)
    together = Instance(
        "ZI, IZ, ZZ together", functools.partial(commuting_values, 0.0, 12)
    )

    def pure() -> Mapping[str, Any]:
        return one_at_a_time(tilted_state(1.0, 0.0), paulis("XZ"), 12)

    eigenstate = Instance("XZ in an eigenstate of Z", pure)
    return (
        Mutant("B2d", "collective measurements of copies", law, paired.name, (paired,)),
        Mutant("B2e", "commuting observables", law, together.name, (together,)),
        Mutant("B2f", "any state in place of I/D", law, eigenstate.name, (eigenstate,)),
        Mutant("B2g", "constant 1.05", sp.Ge(c * w, sp.Rational(21, 20) * B),
               "XZ, one at a time, c=12"),
    )  # fmt: skip


def _povm_attack(names: str) -> Attack:
    """Search over POVMs on one copy of I/D that serve all observables."""

    def run(key: Key, restarts: int, steps: int) -> Mapping[str, Any]:
        return attack_shot_law(key, names, restarts=restarts, steps=steps).record

    def replay(record: Mapping[str, Any]) -> Mapping[str, Any]:
        found = replay_candidate(record).values
        return {"B": found["B"], "c": found["c"], "w": found["V"]}

    return Attack(f"POVM for {names}", run, replay, reaches=0.9999)


def shots_anticommuting() -> Bound:
    """B2 for anticommuting observables: mean Var_j >= B/c, no gain at all.

    At rho = I/D, for B >= 2 observables with O_j O_k = -O_k O_j and O_j^2 = I, copies
    measured one at a time. Separate shots have B/c as well.

    Returns:
        The bound, with its proof steps, instances, random batches and mutants.

    Source: proofs/b2.md.

    Example:
        >>> from qjax.bounds.theorems.b2 import shots_anticommuting
        >>> shots_anticommuting().id
        'B2/anticommuting'
    """
    corners = Instance("XYZ from tetrahedral effects",
                       functools.partial(corner_values, 12), True)  # fmt: skip
    return Bound(
        id="B2/anticommuting",
        title="Anticommuting observables gain nothing: mean Var_j >= B/c",
        statement=sp.Ge(c * w, B),
        variables=(Variable(B, 2, sp.oo, "observables in the batch", "batch"),
                   COPIES, MEAN),
        model=dataclasses.replace(MODEL, batch="single-copy"),
        hypotheses=(
            "O_j^2 = I and O_j O_k = -O_k O_j",
            "the state is I/D; the estimators are unbiased near it",
            "copies are measured one at a time; later measurements may depend on "
            "earlier outcomes",
        ),
        vacuous_when=None,
        constants=(
            Constant("1", sp.S.One, "B2.13; attained by one random O_j a copy (B2.14)"),
        ),
        steps=STEPS_FOR_ANTICOMMUTING,
        instances=(
            _mixed("XZ", paulis("XZ"), 12), _mixed("XYZ", paulis("XYZ"), 30),
            *(_mixed(f"{count} of two qubits", gammas(count), 7) for count in (4, 5)),
            corners,
        ),
        mutants=_anticommuting_mutants(),
        proof="b2",
        random=random_anticommuting,
        attacks=(_povm_attack("XZ"), _povm_attack("XYZ")),
        replay_random=replay_shots,
    )  # fmt: skip


def _design_mutants() -> tuple[Mutant, ...]:
    cat = "cat B=4 lam=1"
    return (
        Mutant("B2h", "r = 0 assumed", sp.Eq(w, s2 / B), cat),
        Mutant("B2i", "B r in place of (B-1) r", sp.Eq(w, s2 * (1 + B * r) / B), cat),
        Mutant("B2j", "never better than 1/B", sp.Ge(w, s2 / B), "half B=4 lam=1"),
        Mutant("B2k", "literal B: ratio at most 1/B", sp.Le(w, s2 / B), cat),
    )  # fmt: skip


PROBES = (
    ("product", 4, 0.9), ("cat", 4, 1.0), ("cat", 4, 0.8), ("half", 4, 1.0),
    ("half", 4, 0.6), ("half", 2, 1.0), ("singlet", 2, 0.9),
)  # fmt: skip
"""Kind, number of probes and lambda of the declared exchangeable outcomes."""


def design_effect() -> Bound:
    """B2 for exchangeable shots: Var(mean) = sigma^2 (1 + (B-1) r)/B exactly.

    The design effect 1 + (B-1) r is B for one qubit read B times, 1 for independent
    shots and 0 for outcomes that always balance.

    Returns:
        The bound (an equation), with steps, instances, random laws and mutants.

    Source: proofs/b2.md; L. Kish, Survey Sampling (1965), for the name.

    Example:
        >>> from qjax.bounds.theorems.b2 import design_effect
        >>> design_effect().statement.rhs
        s2*(r*(B - 1) + 1)/B
    """
    instances = tuple(
        Instance(
            f"{kind} B={count} lam={level:g}",
            functools.partial(exchangeable_values, kind, count, level),
            kind != "half",
        )
        for kind, count, level in PROBES
    )
    return Bound(
        id="B2/design-effect",
        title="Exchangeable shots: Var(mean) = sigma^2 (1 + (B-1) r)/B",
        statement=sp.Eq(w, s2 * (1 + (B - 1) * r) / B),
        variables=(
            BATCH, Variable(w, 0, sp.oo, "variance of the mean of the batch"),
            Variable(s2, 0, sp.oo, "variance of one outcome"),
            Variable(r, -1, 1, "correlation of two outcomes"),
        ),
        model=MODEL,
        hypotheses=("the outcomes have one variance and every pair one correlation",),
        vacuous_when=None,
        constants=(),
        steps=STEPS_FOR_DESIGN,
        instances=instances,
        mutants=_design_mutants(),
        proof="b2",
        also=(sp.Ge(B * r, r - 1),),
        random=random_outcomes,
        replay_random=replay_outcomes,
    )  # fmt: skip
