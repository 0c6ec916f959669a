"""Entropic statements as text and objects, and the exact algebra under them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds.entropic import (
    DERIVATIONS,
    NOT_DERIVABLE,
    Axiom,
    Certificate,
    NotDerivable,
    System,
    conditional_entropy,
    derivation,
    derive,
    entropy,
    exact_linear,
    mutual_information,
    parameter,
    parse,
    stored_certificate,
)

SEEDS = st.integers(0, 2**32 - 1)
A, B, C, NONE = frozenset("A"), frozenset("B"), frozenset("C"), frozenset()


@pytest.mark.parametrize("table", [DERIVATIONS, NOT_DERIVABLE], ids=["true", "not"])
def test_the_exact_simplex_reaches_the_same_verdicts(table, monkeypatch):
    """It stands in where no float solution becomes exact."""
    monkeypatch.setattr(derivation, "_float_weights", lambda *args: None)
    monkeypatch.setattr(derivation, "_float_ray", lambda *args: None)
    monkeypatch.setattr(derivation, "LARGEST_GENERAL", 0)  # fewer columns, same cone
    expected = Certificate if table is DERIVATIONS else NotDerivable
    for entry in table.values():
        found = derive(entry.claim, entry.system)
        assert isinstance(found, expected) and found.check()


@given(seed=SEEDS, feasible=st.booleans())
def test_the_exact_simplex_on_random_cones(seed, feasible):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-2, 3, size=(4, 6))
    right = rng.integers(-3, 4, size=4)
    if feasible:
        right = matrix @ rng.integers(0, 3, size=6)
    columns = [{i: Fraction(int(v)) for i, v in enumerate(c) if v} for c in matrix.T]
    goal = {i: Fraction(int(v)) for i, v in enumerate(right) if v}
    x, y = exact_linear.nonnegative_solution(columns, goal)
    if x is not None:
        assert min(x.values(), default=Fraction(0)) >= 0
        total = [sum(x.get(j, 0) * int(v) for j, v in enumerate(row)) for row in matrix]
        assert total == [int(v) for v in right]
        return
    assert not feasible
    assert all(sum(y.get(i, 0) * v for i, v in c.items()) >= 0 for c in columns)
    assert sum(y.get(i, 0) * v for i, v in goal.items()) < 0


def test_solve_says_when_equations_contradict_each_other():
    one = Fraction(1)
    assert exact_linear.solve([({"x": one}, one), ({"x": 2 * one}, one)]) is None
    assert exact_linear.solve([({}, Fraction(0))]) == {}


def test_text_and_builders_agree():
    x, y = "X1 X2", ("Q", "R'")
    built = mutual_information(x, y, given="C") >= conditional_entropy("X1", "Q") / 2
    assert built == parse("I(X1 X2;Q R'|C) >= 1/2 S(X1|Q)")
    assert built == parse(built.text)
    assert parse("I(X1X2;QR') ≥ 2*H(A) - m") == (
        mutual_information(x, y) >= 2 * entropy("A") - parameter("m")
    )
    assert parse("S(A) = S(B)") == entropy("A").equals(entropy("B"))
    assert parse("S(A) <= 0") == (entropy("A") <= 0) != (entropy("A") >= 0)
    assert 3 * entropy("A") - entropy("A") * 3 == 0 * entropy("B")


def test_relations_are_values():
    relation = parse("S(AB) <= S(A) + m")
    numbers = {A: Fraction(1), A | B: Fraction(3), "m": Fraction(2)}
    assert relation.holds(numbers)
    assert not relation.holds({**numbers, "m": Fraction(1)})
    assert not parse("S(A) = m").holds(numbers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S(A)",
        "S(A) >= ",
        "S(A) >= 0 >= S(B)",
        "S(A) >= 1",
        "S(A) S(B) >= 0",
        "S(A) + >= 0",
        "S() >= 0",
        "S(A|) >= 0",
        "S(A;B) >= 0",
        "I(A) >= 0",
        "I(A;B;C) >= 0",
        "I(A;AB) >= 0",
        "S(a) >= 0",
        "S(AA) >= 0",
        "T(A) >= 0",
        "2 * >= 0",
        "S(A) > 0",
        "S(S(A)) >= 0",
    ],
)
def test_bad_text_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match=r"^Argument `.*` must .*, but is .*\.$"):
        parse(text)


@pytest.mark.parametrize(
    "build",
    [
        lambda: System(""),
        lambda: System("AA"),
        lambda: System("AB", classical="C"),
        lambda: System("AB", independent=["A"]),
        lambda: System("AB", independent=["A; C"]),
        lambda: System("AB", independent=["A; A"]),
        lambda: System("AB", conditions=["S(C) = 0"]),
        lambda: System("AB", conditions=["S(A) = 0", "S(A) = 0"]),
        lambda: System(("A", "b")),
        lambda: derive("S(A) = S(B)", System("AB")),
        lambda: derive("S(C) >= 0", System("AB")),
        lambda: derive("S(A) >= 0", System("ABCDEFGHIJ")),
        lambda: Axiom("magic", (A, B)),
        lambda: Axiom("classicality", (A, B, C)),
        lambda: parameter("M"),
        lambda: entropy("A") / 0,
        lambda: stored_certificate("nothing"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(build):
    with pytest.raises(ValueError, match=r"^Argument `.*` must .*, but is .*\.$"):
        build()


def test_equal_systems_may_be_written_differently():
    first = System("X1 X2 Q", "X1", ["X1;X2 | Q"])
    second = System(("X1", "X2", "Q"), ["X1"], ["X1 ; X2|Q"])
    assert first == second == System.from_dict(first.to_dict())
    assert System("AB", independent=[("A", "B")]) == System("AB", independent=["A;B"])
