"""Entropic proofs: known answers, false claims, broken proofs, broken provers."""

import dataclasses
import importlib.resources
import json
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
from entropy_oracle import (
    BELL,
    BITS,
    all_entropies,
    distribution,
    superdense_state,
    value,
)

from qjax.bounds.entropic import (
    DERIVATIONS,
    NOT_DERIVABLE,
    Axiom,
    Certificate,
    EntropyRelation,
    NotDerivable,
    System,
    derivation,
    derive,
    entropy,
    general_axioms,
    parse,
    replay_certificate,
    stored_certificate,
    write_certificates,
)

A, B, C, NONE = frozenset("A"), frozenset("B"), frozenset("C"), frozenset()
TRUE_ALL_THE_SAME = ("zhang_yeung", "linden_winter")

# Assumptions that the proofs of these entries do not need.
UNUSED = {
    ("b1_own_copies", "independent: Q1; Q2 | X1 X2"),
    ("b1_own_copies", "S(X1 Q1) = S(X1 Q2)"),
}

# States that break the claim, with the dimensions of their registers.
COUNTEREXAMPLES = {
    "l1_without_independence": (distribution([(0, 0, 0), (1, 1, 1)], 3), (2,) * 3),
    "l8_without_conditional_independence": (
        distribution([(a ^ b, a, b) for a, b in BITS], 3),
        (2,) * 3,
    ),
    "l9_without_independence": (distribution([(0, 0, 0), (1, 0, 1)], 3), (2,) * 3),
    "negative_conditional_entropy": (BELL, (2, 2)),
    "monotonicity": (BELL, (2, 2)),
    "entangled_source": (BELL, (2, 2)),
    "shannon_for_quantum": (np.kron(BELL, np.diag([1, 0])), (2, 2, 2)),
    "superdense_half": (superdense_state(), (4, 2, 2)),
    "ingleton": (distribution([(c & d, c | d, c, d) for c, d in BITS], 4), (2,) * 4),
}


@pytest.mark.parametrize("name", DERIVATIONS)
def test_each_derivation_is_found_again_and_its_stored_proof_replays(name):
    entry = DERIVATIONS[name]
    found = derive(entry.claim, entry.system)
    assert isinstance(found, Certificate) and found.check()
    stored = stored_certificate(name)
    assert replay_certificate(name)
    # HiGHS may choose another proof, but the least sum of weights is unique.
    assert stored.weight == found.weight
    assert Certificate.from_json(found.to_json()) == found


def test_replay_needs_no_solver(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("a replay must not solve anything")

    monkeypatch.setattr(scipy.optimize, "linprog", forbidden)
    monkeypatch.setattr(derivation, "solve", forbidden)
    assert all(replay_certificate(name) for name in DERIVATIONS)
    with pytest.raises(AssertionError, match="must not solve"):
        derive("S(A) >= 0", System("A"))


def test_every_derivation_is_stored_and_nothing_else(tmp_path):
    written = {path.stem for path in write_certificates(tmp_path)}
    folder = importlib.resources.files("qjax.bounds.entropic") / "certificates"
    shipped = {path.name.removesuffix(".json") for path in folder.iterdir()}
    assert written == shipped == set(DERIVATIONS)
    for path in tmp_path.iterdir():
        assert Certificate.from_json(path.read_text()).check()


def test_replay_notices_a_certificate_of_something_else(monkeypatch):
    other = stored_certificate("subadditivity")
    monkeypatch.setattr(
        "qjax.bounds.entropic.stored.stored_certificate", lambda name: other
    )
    assert replay_certificate("subadditivity")
    assert not replay_certificate("l1_two_parts")


@pytest.mark.parametrize("name", NOT_DERIVABLE)
def test_claims_that_are_not_derivable_have_an_exact_ray(name):
    entry = NOT_DERIVABLE[name]
    found = derive(entry.claim, entry.system)
    assert isinstance(found, NotDerivable) and found.check()
    assert NotDerivable.from_json(found.to_json()) == found
    assert all(isinstance(entry, Fraction) for entry in found.ray.values())
    first, *others = found.ray
    forged = {
        "negated": {term: -entry for term, entry in found.ray.items()},
        "zero": dict.fromkeys(found.ray, Fraction(0)),
        "incomplete": {term: found.ray[term] for term in others},
        "too much": {**found.ray, "m": Fraction(1)},
        "an entropy below 0": {**found.ray, first: Fraction(-1)},
    }
    for ray in forged.values():
        assert not dataclasses.replace(found, ray=ray).check()


@pytest.mark.parametrize("name", NOT_DERIVABLE)
def test_false_claims_are_broken_by_a_real_state(name):
    if name in TRUE_ALL_THE_SAME:
        assert name not in COUNTEREXAMPLES
        return
    entry = NOT_DERIVABLE[name]
    rho, dims = COUNTEREXAMPLES[name]
    entropies = all_entropies(rho, dims, entry.system.names)
    assert value(parse(entry.claim).form, entropies) < -0.1
    for axiom in general_axioms(entry.system):
        assert value(axiom.form, entropies) > -1e-9
    for relation in entry.system.assumptions.values():
        assert value(relation.form, entropies) == pytest.approx(0, abs=1e-9)


def _without_one_assumption():
    for name, entry in DERIVATIONS.items():
        system = entry.system
        for field in ("independent", "pure"):
            for each in getattr(system, field):
                rest = tuple(x for x in getattr(system, field) if x != each)
                yield name, f"{field}: {each}", {field: rest}
        assert isinstance(system.conditions, Mapping)
        conditions = dict(system.conditions)
        for each in conditions:
            rest = {n: r for n, r in conditions.items() if n != each}
            yield name, each, {"conditions": rest}


@pytest.mark.parametrize(
    ("name", "dropped", "change"),
    [
        pytest.param(*case, id=f"{case[0]}-{case[1]}")
        for case in _without_one_assumption()
    ],
)
def test_each_assumption_is_needed(name, dropped, change):
    entry = DERIVATIONS[name]
    weaker = dataclasses.replace(entry.system, **change)
    expected = Certificate if (name, dropped) in UNUSED else NotDerivable
    assert isinstance(derive(entry.claim, weaker), expected)


def test_where_registers_must_be_classical():
    needed = set()
    for name, entry in DERIVATIONS.items():
        quantum = dataclasses.replace(entry.system, classical="")
        if isinstance(derive(entry.claim, quantum), NotDerivable):
            needed.add(name)
    assert needed == {
        "function",
        "mixing",
        "holevo_memory",
        "holevo_source",
        "a1_memory",
    }


def test_a_claim_that_is_true_classically_only():
    claim = NOT_DERIVABLE["shannon_for_quantum"].claim
    assert isinstance(derive(claim, System("ABC", classical="ABC")), Certificate)
    # It is enough that A is classical, and not enough that B and C are.
    assert isinstance(derive(claim, System("ABC", classical="A")), Certificate)
    assert isinstance(derive("S(A|B) <= 0", System("AB", pure=["AB"])), Certificate)


def test_entropy_given_classical_side_information_is_nonnegative():
    """It takes weak monotonicity that conditions on X twice."""
    system = System("X A B", classical="X")
    assert isinstance(derive("S(A|X) >= 0", system), Certificate)
    assert isinstance(derive("S(A|X B) >= 0", system), NotDerivable)
    plain = [
        axiom
        for axiom in general_axioms(system)
        if axiom.kind != "weak monotonicity" or not axiom.sets[1] & axiom.sets[2]
    ]
    weaker = derivation.search(parse("S(A|X) >= 0"), system, plain)
    assert isinstance(weaker, NotDerivable) and not weaker.check()


def _broken(certificate):
    """The same proof with one thing changed."""
    for field in ("axioms", "assumptions"):
        pairs = getattr(certificate, field)
        for place, (weight, what) in enumerate(pairs):
            for changed in (None, -weight, weight + Fraction(1, 10**12), 2 * weight):
                pair = () if changed is None else ((changed, what),)
                parts = {field: (*pairs[:place], *pair, *pairs[place + 1 :])}
                yield dataclasses.replace(certificate, **parts)
    stronger = certificate.claim.form - Fraction(1, 10**12) * entropy(
        certificate.system.names[0]
    )
    yield dataclasses.replace(certificate, claim=stronger >= 0)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_changed_proof_is_refused(name):
    certificate = stored_certificate(name)
    broken = list(_broken(certificate))
    assert broken and not any(each.check() for each in broken)


FORGED = {
    "negative weight": ("-I(A;B) >= 0", "", (-1, "strong subadditivity", (A, B, NONE))),
    "zero weight": ("0 >= 0", "", (0, "strong subadditivity", (A, B, NONE))),
    "not classical": ("S(A|B) >= 0", "", (1, "classicality", (A, B))),
    "other is classical": ("S(A|B) >= 0", "B", (1, "classicality", (A, B))),
    "partly classical": ("S(AB|C) >= 0", "A", (1, "classicality", (A | B, C))),
    "conditioned twice": ("2 S(A|B) >= 0", "", (1, "weak monotonicity", (A, B, B))),
    "overlap": ("S(B) - S(AB) >= 0", "", (1, "weak monotonicity", (A, A, B))),
    "empty": ("0 >= 0", "", (1, "strong subadditivity", (NONE, B, C))),
    "unknown register": (
        "S(D) >= 0",
        "",
        (Fraction(1, 2), "weak monotonicity", (frozenset("D"), NONE, NONE)),
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_axiom_is_refused(name):
    claim, classical, (weight, kind, sets) = FORGED[name]
    axioms = ((Fraction(weight), Axiom(kind, sets)),)
    forged = Certificate(parse(claim), System("ABC", classical), axioms, ())
    assert len(forged.faults()) >= 1 and not forged.check()


def test_a_forged_assumption_is_refused():
    system = System("AB", conditions={"small": "S(A) <= m"})
    claim = parse("m >= S(A)")
    fine = Certificate(claim, system, (), ((Fraction(1), "small"),))
    assert fine.check()
    renamed = dataclasses.replace(fine, assumptions=((Fraction(1), "tiny"),))
    assert renamed.faults() == ("'tiny' is not assumed",)
    reverse = dataclasses.replace(
        fine, claim=parse("S(A) >= m"), assumptions=((Fraction(-1), "small"),)
    )
    assert not reverse.check()


def test_a_claim_that_reads_otherwise_is_refused():
    certificate = stored_certificate("subadditivity")
    lie = EntropyRelation(certificate.claim.form, False, "S(AB) <= S(A)")
    assert not dataclasses.replace(certificate, claim=lie).check()
    with pytest.raises(ValueError, match="read as it is meant"):
        System("AB", conditions=[lie])


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"kind": "not derivable"},
        {"extra": 1},
        {"axioms": [{"weight": "1", "kind": "magic"}]},
        {"axioms": [{"weight": "1", "kind": "classicality", "X": "A"}]},
        {"assumptions": [{"name": "independent: X1; X2"}]},
        {"claim": "S(A)"},
        {"system": {"registers": "AB"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_stored_text_of_another_form_is_refused(change):
    record = json.loads(stored_certificate("l1_two_parts").to_json())
    with pytest.raises(ValueError, match=r"^Argument `"):
        Certificate.from_json(json.dumps({**record, **change}))


def test_a_prover_that_forgets_weak_monotonicity_is_noticed(monkeypatch):
    """Araki-Lieb does not follow from strong subadditivity without a purifier."""
    claim, system = DERIVATIONS["araki_lieb"].claim, System("AB")
    kept = [a for a in general_axioms(system) if a.kind == "strong subadditivity"]
    forgetful = derivation.search(parse(claim), system, kept)
    assert isinstance(forgetful, NotDerivable)
    assert any("breaks" in fault for fault in forgetful.faults())
    monkeypatch.setattr(derivation, "general_axioms", lambda system: tuple(kept))
    with pytest.raises(ArithmeticError, match="the ray breaks"):
        derive(claim, system)


def test_a_prover_with_a_false_axiom_is_noticed(monkeypatch):
    false = (Axiom("weak monotonicity", (A, B, B)),)
    monkeypatch.setattr(derivation, "general_axioms", lambda system: false)
    with pytest.raises(ArithmeticError, match="conditioned on twice: B"):
        derive("S(A|B) >= 0", System("AB"))


def test_larger_systems_use_elementary_axioms_only():
    parts = [f"X{i}" for i in range(1, 7)]
    assert len(parts) + 1 > derivation.LARGEST_GENERAL
    system = System((*parts, "Q"), independent=["; ".join(parts)])
    each = " + ".join(f"I({part};Q)" for part in parts)
    found = derive(f"I({' '.join(parts)};Q) >= {each}", system)
    assert isinstance(found, Certificate) and found.check()
