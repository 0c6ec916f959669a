"""Corollary A6: what an insert or a delete of t qubits can change, even if entangled.

Four forms: with noise on the touched qubits, without noise, with a touched set that
depends on the element, and for deletes that forget. Bell pairs reach equality.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.information import d, h
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a6_steps import (
    ANY_SET_STEPS,
    DELETE_STEPS,
    NOISELESS_STEPS,
    STEPS,
)
from qjax.bounds.updates.local_updates import (
    LocalUpdates,
    ket_update_values,
    update_test,
    update_values,
)
from qjax.bounds.updates.update_ensembles import random_updates, replay_updates
from qjax.bounds.updates.update_structures import (
    bell_inserts,
    delete_values,
    forgetting_bell_deletes,
    ghz_inserts,
    noise_first_values,
    one_hot_inserts,
    partly_entangled_inserts,
    reset_inserts,
    tombstone_deletes,
    wandering_inserts,
)

t, N, K = sp.symbols("t N K", integer=True, positive=True)
m = sp.Symbol("m", integer=True, positive=True)
T = sp.Symbol("T", integer=True, nonnegative=True)
lam, p, a = sp.symbols("lam p a", real=True, nonnegative=True)


def assisted(survival: sp.Expr) -> sp.Expr:
    """C_EA of depolarizing noise, 2 - H(w) = d((1+3 lambda)/4 || 1/4): step L9.7."""
    return d((1 + 3 * survival) / 4, sp.Rational(1, 4))


NEEDED = d(p, p / N + (1 - 1 / N) * a)
WRITTEN = t * assisted(lam**T)

_TOUCHED = Variable(t, 1, sp.oo, "qubits that an update touches")
_COMMON = (
    Variable(N, 2, sp.oo, "N', absent elements, one of which is inserted"),
    Variable(p, 0, 1, "mean acceptance of the inserted element", "member_acceptance"),
    Variable(a, 0, 1, "mean acceptance of the other absent ones", "other_acceptance"),
)
_NOISE = (
    Variable(lam, 0, 1, "survival per layer on the touched qubits", "survival"),
    Variable(T, 0, sp.oo, "noise layers after the update", "layers"),
)
_PLACES = Variable(K, 1, sp.oo, "sets of qubits that the touched one is chosen from, "
                   "C(m,t) for any t of m")  # fmt: skip

UPDATED = dataclasses.replace(
    STORED,
    noise_place="update",
    updates="local",
    entanglement="within the memory",
    entropy_sink="allowed",
)
"""Any channel on the touched qubits, then depolarizing noise on them."""

NOISELESS = dataclasses.replace(
    UPDATED, noise_parameter="none", noise_place="none", layers="none"
)

_UNIFORM = "the element is uniform over N' absent ones, or p and a hold for each"
_QUERY = "a query measures one fresh copy of the whole memory, touched or not"
_BEFORE = "the state before the insert does not depend on the element"
_FIXED = "the insert is any channel on t qubits that are the same for every element"
_AFTER = "T depolarizing layers then act on the touched qubits; any noise on the others"

LEVELS = (0.0, 0.05, 0.2, 0.5, 0.9, 0.99, 1.0)
"""lambda of the Bell pair in the exact stage, both edges included."""


def _instance(
    build: Callable[[], LocalUpdates],
    name: str,
    survival: float = 1.0,
    layers: int = 1,
    *,
    tight: bool = False,
    sampled: bool = False,
) -> Instance:
    def values() -> Mapping[str, Any]:
        return update_values(build(), survival, layers)

    label = f"{name} lam={survival:g} T={layers}"
    test = update_test(build, survival) if sampled else None
    return Instance(label, values, tight, 1e-11, test)


def _kets(build: Callable[[], LocalUpdates], name: str, **options: Any) -> Instance:
    return Instance(name, lambda: ket_update_values(build()), error=1e-11, **options)


_BELL_2 = functools.partial(bell_inserts, 2)
_PARTLY = functools.partial(partly_entangled_inserts, 1.0)
_WANDER_2 = functools.partial(wandering_inserts, 2)


def _insert_instances() -> tuple[Instance, ...]:
    found = [
        _instance(bell_inserts, "Bell", level, tight=level > 0,
                  sampled=level in (0.5, 0.9, 1.0))
        for level in LEVELS
    ]  # fmt: skip
    return (
        *found,
        _instance(bell_inserts, "Bell", 0.9, 3, tight=True),
        _instance(bell_inserts, "Bell", 0.3, 0, tight=True),
        _instance(ghz_inserts, "GHZ", 0.7, tight=True),
        _instance(_BELL_2, "two Bell", 1.0, tight=True),
        _instance(_BELL_2, "two Bell", 0.9),
        _instance(_PARTLY, "partly entangled", 0.9),
        _instance(reset_inserts, "reset", 0.9),
    )


def _insert_mutants() -> tuple[Mutant, ...]:
    wandering = _instance(_WANDER_2, "wandering m=2")
    early = Instance("reset after the noise, lam=0.2",
                     lambda: noise_first_values(reset_inserts(), 0.2))  # fmt: skip
    unassisted = t * (1 - h((1 + lam**T) / 2))
    twice = t * assisted(lam ** (2 * T))
    return (
        Mutant("M10", "half of what entanglement allows: t C_EA/2 >= d",
               sp.Ge(WRITTEN / 2, NEEDED), "Bell lam=1 T=1"),
        Mutant("A6a", "unassisted capacity in place of C_EA",
               sp.Ge(unassisted, NEEDED), "Bell lam=0.9 T=1"),
        Mutant("A6b", "constant 1.05 d",
               sp.Ge(WRITTEN, sp.Rational(21, 20) * NEEDED), "Bell lam=0.9 T=1"),
        Mutant("A6c", "lambda^2T in place of lambda^T", sp.Ge(twice, NEEDED),
               "Bell lam=0.9 T=1"),
        Mutant("A6d", "alpha in place of alpha + (1-beta-alpha)/N'",
               sp.Ge(WRITTEN, d(p, a)), "Bell lam=0.9 T=1"),
        Mutant("A6e", "the touched set may depend on the element",
               sp.Ge(WRITTEN, NEEDED), wandering.name, (wandering,)),
        Mutant("A6f", "the noise may come before the insert", sp.Ge(WRITTEN, NEEDED),
               early.name, (early,)),
    )  # fmt: skip


def corollary_a6() -> Bound:
    """Corollary A6: t C_EA(lambda^T) >= d(p || p/N' + (1-1/N') a).

    C_EA(lambda) = 2 + sum_j w_j log w_j = d((1+3 lambda)/4 || 1/4) with
    w = ((1+3 lambda)/4, (1-lambda)/4 three times). A Bell pair gives equality at every
    lambda.

    Returns:
        The bound for inserts on a fixed set of t qubits, noisy afterwards.

    Source: proofs/a6.md.

    Example:
        >>> from qjax.bounds.theorems.a6 import corollary_a6
        >>> [mutant.id for mutant in corollary_a6().mutants][:3]
        ['M10', 'A6a', 'A6b']
    """
    return Bound(
        id="A6",
        title="An insert of t qubits writes at most t C_EA bits",
        statement=sp.Ge(WRITTEN, NEEDED),
        variables=(_TOUCHED, *_COMMON, *_NOISE),
        model=UPDATED,
        hypotheses=(_UNIFORM, _QUERY, _BEFORE, _FIXED, _AFTER),
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("C_EA", assisted(lam**T), "steps L9.5 to L9.7: the best input is "
                     "maximally mixed; attained by Bell pairs (A6.9)"),
        ),
        steps=STEPS,
        instances=_insert_instances(),
        mutants=_insert_mutants(),
        proof="a6",
        random=random_updates,
        replay_random=replay_updates,
    )  # fmt: skip


def corollary_a6_noiseless() -> Bound:
    """Corollary A6 without noise: 2t >= d(p || p/N' + (1-1/N') a), so t >= d/2.

    The factor 2 is superdense coding: one touched qubit of a Bell pair stores two bits.

    Returns:
        The bound for inserts on a fixed set of t qubits.

    Source: proofs/a6.md.
    """
    mutants = (
        Mutant("M10", "t >= d: the factor 1/2 dropped", sp.Ge(t, NEEDED),
               "Bell lam=1 T=1"),
        Mutant("A6a", "constant 1.05 d", sp.Ge(2 * t, sp.Rational(21, 20) * NEEDED),
               "Bell lam=1 T=1"),
        Mutant("A6b", "2t - 1 in place of 2t", sp.Ge(2 * t - 1, NEEDED),
               "two Bell lam=1 T=1"),
        Mutant("A6c", "alpha in place of alpha + (1-beta-alpha)/N'",
               sp.Ge(2 * t, d(p, a)), "Bell lam=1 T=1"),
    )  # fmt: skip
    return Bound(
        id="A6/noiseless",
        title="An insert of t qubits writes at most 2t bits",
        statement=sp.Ge(2 * t, NEEDED),
        variables=(_TOUCHED, *_COMMON),
        model=NOISELESS,
        hypotheses=(_UNIFORM, _QUERY, _BEFORE, _FIXED),
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("2", sp.Integer(2), "step L9.2; attained by Bell pairs (A6.9)"),
        ),
        steps=NOISELESS_STEPS,
        instances=(
            _instance(bell_inserts, "Bell", tight=True, sampled=True),
            _instance(_BELL_2, "two Bell", tight=True),
            _instance(ghz_inserts, "GHZ", tight=True),
            _instance(_PARTLY, "partly entangled", sampled=True),
            _instance(reset_inserts, "reset"),
        ),
        mutants=mutants,
        proof="a6",
        random=functools.partial(random_updates, noisy=False),
        replay_random=replay_updates,
    )


def _any_set_mutants() -> tuple[Mutant, ...]:
    touchable = Variable(m, 1, sp.oo, "qubits that updates may touch")
    three, four = "wandering m=3 t=1", "wandering m=4 t=2"
    return (
        Mutant("A6a", "log C(m,t) forgotten", sp.Ge(WRITTEN, NEEDED), three),
        Mutant("A6b", "log m in place of log C(m,t)",
               sp.Ge(WRITTEN + sp.log(m, 2), NEEDED), four, variables=(touchable,)),
        Mutant("A6c", "t + log C(m,t): the factor 2 dropped",
               sp.Ge(t * assisted(lam**T) / 2 + sp.log(K, 2), NEEDED), three),
        Mutant("A6d", "the place counted at half: t C_EA + (log C)/2",
               sp.Ge(WRITTEN + sp.log(K, 2) / 2, NEEDED), three),
        Mutant("A6e", "constant 1.05 d",
               sp.Ge(WRITTEN + sp.log(K, 2), sp.Rational(21, 20) * NEEDED),
               "Bell lam=0.9 T=1"),
    )  # fmt: skip


def corollary_a6_any_set() -> Bound:
    """Corollary A6 for touched sets that depend on the element.

    t C_EA(lambda^T) + log K >= d(p || p/N' + (1-1/N') a), K = C(m,t) if any t of m
    qubits may be touched. Without noise: 2t + log C(m,t) >= d.

    Returns:
        The bound; equality is known for K = 1 only.

    Source: proofs/a6.md.
    """
    return Bound(
        id="A6/any-set",
        title="An insert of any t of m qubits writes at most t C_EA + log C(m,t) bits",
        statement=sp.Ge(WRITTEN + sp.log(K, 2), NEEDED),
        variables=(_TOUCHED, _PLACES, *_COMMON, *_NOISE),
        model=UPDATED,
        hypotheses=(
            _UNIFORM, _QUERY, _BEFORE,
            "the insert is any channel on t qubits; x may choose them from K sets",
            _AFTER,
        ),
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("C_EA", assisted(lam**T), "steps L9.5 to L9.7"),
            Constant("1", sp.S.One, "before log K: step A6.12, entropy of the place"),
        ),
        steps=ANY_SET_STEPS,
        instances=(
            _instance(bell_inserts, "Bell", 0.9, tight=True, sampled=True),
            _instance(bell_inserts, "Bell", 1.0, tight=True),
            _instance(_WANDER_2, "wandering m=2"),
            _instance(_WANDER_2, "wandering m=2", 0.9, sampled=True),
            _kets(functools.partial(wandering_inserts, 3), "wandering m=3 t=1"),
            _kets(functools.partial(wandering_inserts, 4, 2), "wandering m=4 t=2"),
            _kets(functools.partial(one_hot_inserts, 8), "one-hot m=8"),
        ),
        mutants=_any_set_mutants(),
        proof="a6",
        random=functools.partial(random_updates, moving=True),
        replay_random=replay_updates,
    )  # fmt: skip


def _delete_instance(survival: float, layers: int = 1) -> Instance:
    def values() -> Mapping[str, Any]:
        return delete_values(forgetting_bell_deletes(), survival, layers)

    name = f"rewritten Bell lam={survival:g} T={layers}"
    return Instance(name, values, survival > 0, 1e-11)


def corollary_a6_delete() -> Bound:
    """Corollary A6 for deletes that return exactly to a history-independent state.

    t C_EA(lambda^T) >= d(p || p/N' + (1-1/N') a), t the qubits that a *delete* touches;
    inserts may touch every qubit. Then Tr_A of the state with x is the same for all x.

    Returns:
        The bound.

    Source: proofs/a6.md.
    """
    lazy = Instance("tombstone 3 bits", lambda: delete_values(tombstone_deletes(3)))
    mutants = (
        Mutant("M10", "half of what entanglement allows: t C_EA/2 >= d",
               sp.Ge(WRITTEN / 2, NEEDED), "rewritten Bell lam=1 T=1"),
        Mutant("A6a", "constant 1.05 d",
               sp.Ge(WRITTEN, sp.Rational(21, 20) * NEEDED),
               "rewritten Bell lam=0.9 T=1"),
        Mutant("A6b", "deletes may leave a state that depends on the history",
               sp.Ge(WRITTEN, NEEDED), lazy.name, (lazy,)),
    )  # fmt: skip
    return Bound(
        id="A6/delete",
        title="Deletes that forget and touch t qubits erase at most t C_EA bits",
        statement=sp.Ge(WRITTEN, NEEDED),
        variables=(_TOUCHED, *_COMMON, *_NOISE),
        model=UPDATED,
        hypotheses=(
            _UNIFORM, _QUERY,
            "delete(x) is a channel on t qubits that are the same for every element",
            "insert(x) then delete(x) leaves exactly one state, the same for every x",
            "T depolarizing layers act on those t qubits between insert and query",
        ),
        vacuous_when=sp.Le(p, a),
        constants=(Constant("C_EA", assisted(lam**T), "steps L9.5 to L9.7"),),
        steps=DELETE_STEPS,
        instances=(
            *(_delete_instance(level) for level in LEVELS),
            _delete_instance(0.9, 3),
        ),
        mutants=mutants,
        proof="a6",
        random=functools.partial(random_updates, reversible=True),
        replay_random=replay_updates,
    )  # fmt: skip
