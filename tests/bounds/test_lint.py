"""The statement linter refutes wrong statements by itself and spares right ones."""

import dataclasses
from fractions import Fraction

import pytest
import sympy as sp

from qjax.bounds import (
    STORED,
    Bound,
    CellProbeModel,
    Variable,
    literal_a,
    theorem_a1,
)
from qjax.bounds.information import d
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, lam
from qjax.bounds.memory.trivial import repetition_error, trivial_structures
from qjax.bounds.stages.lint import lint
from qjax.bounds.theorems.membership import NEEDED, a, b, m, n, p

KAPPA = MEMORY_NOISES["depolarizing"].kappa


def _bound(statement: sp.Rel, layers: str = "at least") -> Bound:
    """A1's frame around another statement."""
    model = dataclasses.replace(theorem_a1().model, layers=layers)
    return dataclasses.replace(
        theorem_a1(), statement=statement, model=model, also=(), steps=(),
        mutants=(), instances=(),
    )  # fmt: skip


def _broken(bound: Bound) -> set[str]:
    return {finding.rule for finding in lint(bound, {}) if not finding.passed}


def test_the_theorem_and_its_weaker_forms_are_not_refuted():
    scaled = sp.Rational(1, 2) * NEEDED
    for statement in (
        sp.Le(NEEDED, m * KAPPA),
        sp.Le(scaled, m * KAPPA),
        sp.Le(NEEDED, m * lam ** (2 * T)),
        sp.Le(NEEDED, m),
    ):
        assert _broken(_bound(statement)) == set()


WRONG = {
    "no n": sp.Le(-sp.log(1 - p + a, 2), m * KAPPA),
    "no n and N, with d": sp.Le(d(p, a), m * KAPPA),
    "twice the constant": sp.Le(2 * NEEDED, m * KAPPA),
    "extra additive term": sp.Le(NEEDED + 1, m * KAPPA),
    "per element, not per set": sp.Le(n * sp.log(n * b, 2), m),
    "squared survival": sp.Le(NEEDED, m * (KAPPA - sp.Rational(1, 10))),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_statements_are_refuted_by_a_trivial_structure(name):
    found = [f for f in lint(_bound(WRONG[name]), {}) if f.structure is not None]
    assert found, name
    assert all(f.sides is not None for f in found)


def test_a_pole_and_its_change_of_sign_are_reported():
    pole = sp.Le(-n * sp.log(1 - p + a, 2) / (1 - 2 * T * (1 - lam)), m)
    assert {"sign", "trivial"} <= _broken(_bound(pole, "at most"))


def test_growth_with_t_is_wrong_for_at_most_and_right_for_at_least():
    statement = sp.Le(NEEDED, m * KAPPA)
    assert "monotonicity" not in _broken(_bound(statement, "at least"))
    assert "monotonicity" in _broken(_bound(statement, "at most"))


@pytest.mark.parametrize("c", [0, Fraction(1, 10), 1, 4])
def test_literal_a_breaks_every_rule_that_was_written_for_it(c):
    found = lint(literal_a(), {"C": Fraction(1), "c": Fraction(c)})
    broken = {finding.rule for finding in found if not finding.passed}
    assert {"dimension", "trivial"} <= broken
    if c:
        assert {"poles", "sign", "monotonicity"} <= broken


def test_trivial_structures_stay_inside_their_domains():
    found = list(trivial_structures((Fraction(0), Fraction(1, 3)), (0, 2), False))
    assert len({structure.name for structure in found}) > 20
    for structure in found:
        roles = structure.roles
        assert 0 <= roles["other_acceptance"] <= roles["member_acceptance"] <= 1
        assert roles["universe"] == roles["items"] * roles["block_size"]


def test_repetition_error_is_the_binomial_tail():
    flip = Fraction(3, 10)
    by_hand = 3 * flip**2 * (1 - flip) + flip**3
    assert repetition_error(flip, 3) == by_hand


def test_a_symbol_without_assumptions_is_refused():
    with pytest.raises(ValueError, match="carry assumptions"):
        Variable(sp.Symbol("z"), 0, 1, "bare")


def test_a_statement_with_an_undeclared_symbol_is_refused():
    with pytest.raises(ValueError, match="only symbols that have a Variable"):
        _bound(sp.Le(sp.Symbol("z", positive=True), m))


def test_natural_logarithms_in_a_statement_in_bits_are_refused():
    with pytest.raises(ValueError, match="base 2"):
        _bound(sp.Le(-sp.log(1 - p + a), m))


@pytest.mark.parametrize("mixed", [
    sp.Le(NEEDED - sp.log(p), m * KAPPA), sp.Le(-sp.log(p, 2), -sp.log(a)),
    sp.Le(n * sp.log(b * n), m),
])  # fmt: skip
def test_mixed_bases_of_logarithms_are_refused(mixed):
    with pytest.raises(ValueError, match="base 2"):
        _bound(mixed)


def test_the_number_ln_2_and_ratios_of_logarithms_are_no_mixed_bases():
    _bound(sp.Le(a * sp.log(2) / 2, m))
    _bound(sp.Le(sp.log(p) / sp.log(a), m))


@pytest.mark.parametrize(
    ("field", "word"),
    [("noise_place", "storage or interleaved"), ("layers", "at most, at least"),
     ("noise_parameter", "which epsilon convention"), ("copies", "how many copies"),
     ("entropy_sink", "whether fresh qubits"), ("choice", "average or worst case")],
)  # fmt: skip
def test_a_missing_hypothesis_is_refused_and_named(field, word):
    given = dataclasses.asdict(STORED)
    for wrong in (None, "", "perhaps"):
        with pytest.raises(ValueError, match=f"`{field}` must say {word}"):
            CellProbeModel(**{**given, field: wrong})
    with pytest.raises(ValueError, match="`log_base` must be 2"):
        CellProbeModel(**{**given, "log_base": 3})


def test_a_bound_without_a_model_is_refused():
    # Under pytest the types of fields are checked before the sentence is reached.
    with pytest.raises((ValueError, TypeError), match="model"):
        dataclasses.replace(theorem_a1(), model=None)
