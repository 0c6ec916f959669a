"""The axioms of entropic proofs hold for real states, and for few others."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from entropy_oracle import (
    BELL,
    all_entropies,
    classical_rays,
    quantum_rays,
    random_state,
    value,
)
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds.entropic import (
    Axiom,
    Certificate,
    EntropyExpression,
    NotDerivable,
    System,
    derivation,
    derive,
    elementary_axioms,
    entropy,
    general_axioms,
    parse,
)

SEEDS = st.integers(0, 2**32 - 1)
A, B, C, NONE = frozenset("A"), frozenset("B"), frozenset("C"), frozenset()


def combination(numbers, forms):
    return sum(
        (c * f for c, f in zip(numbers, forms, strict=True)), EntropyExpression()
    )


@given(seed=SEEDS)
def test_every_axiom_holds_for_random_states_of_three_qubits(seed):
    rho = random_state(np.random.default_rng(seed), 8)
    entropies = all_entropies(rho, (2, 2, 2), "ABC")
    for axiom in general_axioms(System("ABC")):
        assert value(axiom.form, entropies) > -1e-9, axiom


@given(seed=SEEDS, num_classical=st.integers(1, 2))
def test_every_axiom_holds_for_random_mixed_classical_states(seed, num_classical):
    rng = np.random.default_rng(seed)
    labels, size = 2**num_classical, 2 ** (4 - num_classical)
    weights = rng.dirichlet(np.ones(labels))
    blocks = [w * random_state(rng, size) for w in weights]
    rho = sum(np.kron(np.diag(np.eye(labels)[i]), b) for i, b in enumerate(blocks))
    names = ["X", "Y", "A", "B"] if num_classical == 2 else ["X", "A", "B", "C"]
    entropies = all_entropies(rho, (2,) * 4, names)
    system = System(names, classical=names[:num_classical])
    for axiom in general_axioms(system):
        assert value(axiom.form, entropies) > -1e-9, axiom


@given(seed=SEEDS)
def test_every_axiom_holds_for_random_distributions(seed):
    rng = np.random.default_rng(seed)
    rho = np.diag(rng.dirichlet(np.full(8, 0.3))).astype(complex)
    entropies = all_entropies(rho, (2, 2, 2), "ABC")
    for axiom in general_axioms(System("ABC", classical="ABC")):
        assert value(axiom.form, entropies) > -1e-9, axiom


def test_the_oracle_notices_an_axiom_that_is_false():
    entropies = all_entropies(BELL, (2, 2), "AB")
    assert value(Axiom("classicality", (A, B)).form, entropies) < -0.9
    entropies = all_entropies(np.kron(BELL, np.eye(2) / 2), (2, 2, 2), "ABC")
    assert value(Axiom("weak monotonicity", (A, B, B)).form, entropies) < -1.9


@pytest.mark.parametrize(
    "system",
    [System("ABC", classical=classical) for classical in ("", "A", "AB", "ABC")]
    + [System("ABCD", classical="A")],
    ids=lambda system: f"{system.names}, {sorted(system.classical)}",
)
def test_the_elementary_axioms_generate_the_general_ones(system):
    elementary = elementary_axioms(system)
    for axiom in general_axioms(system):
        assert axiom.fault(system) is None
        found = derivation.search(axiom.form >= 0, system, elementary)
        assert isinstance(found, Certificate) and found.check(), axiom


@pytest.mark.parametrize("classical", ["", "A", "AB", "ABC"])
def test_no_elementary_axiom_follows_from_the_others(classical):
    system = System("ABC", classical=classical)
    axioms = elementary_axioms(system)
    for axiom in axioms:
        others = [each for each in axioms if each != axiom]
        found = derivation.search(axiom.form >= 0, system, others)
        assert isinstance(found, NotDerivable), axiom
        # So no axiom can be missing from the check of a ray without being noticed.
        assert found.faults() == (f"the ray breaks {axiom}",)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_number_of_elementary_axioms(count):
    names = "ABCDE"[:count]
    quantum, pairs = elementary_axioms(System(names)), count * (count - 1) // 2
    halves = max(2 ** (count - 2), 1) if count > 1 else 1
    assert len(quantum) == pairs * 2**count // 4 + count * halves
    classical = elementary_axioms(System(names, classical=names))
    assert len(classical) == pairs * 2**count // 4 + count  # Yeung


RAYS = {"": quantum_rays(), "ABC": classical_rays()}


@given(
    classical=st.sampled_from(["", "ABC"]),
    numbers=st.lists(st.integers(-2, 2), min_size=7, max_size=7),
    axioms=st.lists(st.integers(0, 8), max_size=3),
)
def test_three_registers_are_decided_by_eight_states(classical, numbers, axioms):
    """For three registers derivable = true for the states on the cone's edges."""
    system = System("ABC", classical=classical)
    sets = [s for size in (1, 2, 3) for s in itertools.combinations("ABC", size)]
    form = combination(numbers, [entropy(s) for s in sets])
    elementary = elementary_axioms(system)
    if axioms:  # otherwise hardly any random claim is derivable
        ones = [1] * len(axioms)
        form = form / 3 + combination(ones, [elementary[i].form for i in axioms])
    found = derive(form >= 0, system)
    least = min(value(form, ray) for ray in RAYS[classical])
    assert found.check()
    assert isinstance(found, Certificate) == (least > -1e-9)


@given(seed=SEEDS, picks=st.lists(st.integers(0, 30), min_size=2, max_size=4))
def test_what_is_derived_holds_for_random_states(seed, picks):
    axioms = general_axioms(System("ABC"))
    factors = [Fraction(-1, 2), *[1] * (len(picks) - 1)]
    form = combination(factors, [axioms[i].form for i in picks])
    found = derive(form >= 0, System("ABC"))
    assert found.check()
    if isinstance(found, Certificate):
        rng = np.random.default_rng(seed)
        for _ in range(3):
            entropies = all_entropies(random_state(rng, 8), (2, 2, 2), "ABC")
            assert value(form, entropies) > -1e-9


def test_the_states_of_three_registers_tell_a_weaker_prover():
    """Without weak monotonicity some inequality of all eight states is missed."""
    system = System("ABC")
    kept = [a for a in general_axioms(system) if a.kind == "strong subadditivity"]
    claim = parse("S(A|B) + S(A|C) >= 0")
    assert min(value(claim.form, ray) for ray in RAYS[""]) > -1e-9
    assert isinstance(derivation.search(claim, system, kept), NotDerivable)


@given(
    numbers=st.lists(st.integers(-2, 2), min_size=7, max_size=7), pick=st.integers(0, 8)
)
def test_qitip_agrees(numbers, pick):
    """Runs where the package qitip is installed; it knows no classical registers."""
    qitip = pytest.importorskip("qitip")
    sets = [s for size in (1, 2, 3) for s in itertools.combinations((1, 2, 3), size)]
    letters = {s: "".join("ABC"[i - 1] for i in s) for s in sets}
    axiom = elementary_axioms(System("ABC"))[pick].form
    form = 4 * axiom + combination(numbers, [entropy(letters[s]) for s in sets])
    coefficients = form.coefficients
    vector = {s: float(coefficients.get(frozenset(letters[s]), 0)) for s in sets}
    space = qitip.init(3)
    theirs = space.is_vn_type(space.inequality.from_coefficients(vector)).status
    assert isinstance(derive(form >= 0, System("ABC")), Certificate) == theirs
