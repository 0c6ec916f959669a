"""Theorems B1, B1' and B2: verdicts, kills, limits of their hypotheses, proof texts."""

import dataclasses

import jax
import numpy as np
import pytest
import sympy as sp

from qjax.bounds import SMOKE, Budget, evaluate, proof_text, step_numbers, verify
from qjax.bounds.lemmas.algebra import is_combination
from qjax.bounds.lemmas.table import LEMMAS, OWNER
from qjax.bounds.replay import replay
from qjax.bounds.stages.comparison import side_ratio, violated_sides
from qjax.bounds.theorems.b1 import HALF_LN2, S, c, chi, theorem_b1, theorem_b1_signs
from qjax.bounds.theorems.b1_alphabet import theorem_b1_entropy_power, theorem_b1_fano
from qjax.bounds.theorems.b1_batch import batch_size, batch_success
from qjax.bounds.theorems.b1_steps import binary_pinsker, shared_out, variance_law
from qjax.bounds.theorems.b2 import design_effect, shots_anticommuting, theorem_b2

BUILDERS = (
    theorem_b1, theorem_b1_signs, theorem_b1_fano, theorem_b1_entropy_power,
    batch_size, batch_success, theorem_b2, shots_anticommuting, design_effect,
)  # fmt: skip
BOUNDS = {bound.id: bound for bound in (build() for build in BUILDERS)}
MUTANTS = [(name, m.id) for name, bound in BOUNDS.items() for m in bound.mutants]
AXIOMS = {
    "B1": {"X1", "X2", "X3"}, "B1/signs": {"X1", "X2", "X3"}, "B1/fano": {"X1", "X2"},
    "B1/entropy-power": {"X1"}, "B1'": {"X1", "X2", "X3"}, "B1'/joint": {"X3"},
    "B2": {"X7"}, "B2/anticommuting": set(), "B2/design-effect": set(),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports():
    budget = Budget(random_instances=60, shots=500)
    with jax.enable_x64(True):
        return {n: verify(jax.random.key(4), b, budget) for n, b in BOUNDS.items()}


@pytest.mark.parametrize("name", list(BOUNDS))
def test_each_bound_is_proved_from_the_axioms_it_lists(reports, name):
    report = reports[name]
    assert report.status == "PROVED", (report.reasons, report.open_steps)
    assert {axiom["number"] for axiom in report.axioms} == AXIOMS[name]
    assert report.tight_ratio is None or report.tight_ratio > 0.9999


def test_only_king_is_left_out_where_no_capacity_is_needed():
    # X3 comes with the lemma on storage noise; B1'/joint does not rest on it.
    closure = {step.number for step in BOUNDS["B1'/joint"].proof_closure()}
    assert "X3" not in closure and "L6a.1" in closure


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_each_mutant_is_refuted_by_the_instance_it_names(reports, name, mutant):
    named = {m.id: m.killer for m in BOUNDS[name].mutants}
    kill = next(k for k in reports[name].kills if k.mutant == mutant)
    assert kill.killed and kill.killer == f"instance: {named[mutant]}"


@pytest.mark.x64
@pytest.mark.parametrize("name", list(BOUNDS))
def test_witnesses_of_mutants_replay(reports, name):
    for kill in reports[name].kills:
        assert replay(kill.witness, BOUNDS[name])


@pytest.mark.x64
@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_mutant_verified_as_a_bound_is_refuted(name, mutant, key):
    bound = BOUNDS[name]
    wrong = next(m for m in bound.mutants if m.id == mutant)
    killer = [i for i in (*bound.instances, *wrong.instances) if i.name == wrong.killer]
    alone = dataclasses.replace(
        bound.with_mutant(wrong), instances=tuple(killer), random=None
    )
    assert verify(key, alone, SMOKE).status == "REFUTED"


@pytest.mark.x64
@pytest.mark.parametrize("name", [n for n in BOUNDS if n != "B1"])
def test_five_per_cent_more_is_refuted_at_a_tight_instance(name):
    """Every tight instance bites: a claim 5 % beyond the bound fails there."""
    bound = BOUNDS[name]
    relation = bound.statement
    for instance in (i for i in bound.instances if i.tight):
        values = instance.values()
        if isinstance(relation, sp.Equality):
            scaled = sp.Eq(relation.lhs, relation.rhs * sp.Rational(21, 20))
        elif isinstance(relation, sp.GreaterThan):
            scaled = sp.Ge(relation.lhs, relation.rhs * sp.Rational(21, 20))
        else:
            scaled = sp.Le(relation.lhs * sp.Rational(21, 20), relation.rhs)
        assert violated_sides(scaled, values, 1e-6) is not None, instance.name


@pytest.mark.x64
def test_the_constant_of_b1_is_optimal_only_in_the_limit():
    by_name = {i.name: i for i in BOUNDS["B1"].instances}
    ratios = [
        side_ratio(BOUNDS["B1"].statement, by_name[name].values())
        for name in ("stored bits B=2 lam=0.001 T=1", "stored bits B=1 lam=0.3 T=1",
                     "stored bits B=2 lam=1 T=1")
    ]  # fmt: skip
    assert ratios[0] == pytest.approx(1 - 1e-6 / 6, abs=1e-8)
    assert 0.97 < ratios[1] < 0.99
    assert ratios[2] == pytest.approx(1 / (2 * np.log(2)), abs=1e-9)


@pytest.mark.x64
def test_a_vote_of_21_filters_beats_one_memory_but_not_21():
    mutant = next(m for m in BOUNDS["B1"].mutants if m.id == "M19")
    values = mutant.instances[0].values()
    needed = float(evaluate(mutant.statement.lts, values))
    assert needed == pytest.approx(1.9708, abs=5e-5)
    assert values["chi"] == pytest.approx(0.531, abs=5e-4)
    assert needed < values["c"] * values["chi"] == pytest.approx(11.15, abs=5e-3)


def test_the_chain_of_b1_does_not_close_with_a_smaller_constant():
    assert binary_pinsker() and shared_out() and variance_law()
    total = sp.Symbol("I", real=True)
    premises = [HALF_LN2 * total - S, c * chi - total]
    for factor in (sp.S.One, sp.Rational(9, 10)):
        weights = [1, factor * HALF_LN2]
        closed = is_combination(premises, weights, factor * HALF_LN2 * c * chi - S)
        assert closed is (factor == 1)


def test_texts_hold_exactly_the_steps_of_their_bounds():
    for text in ("b1", "b1_batch", "b2"):
        own = {
            step.number
            for bound in BOUNDS.values() if bound.proof == text
            for step in bound.steps if step.number not in OWNER
        }  # fmt: skip
        headings = step_numbers(proof_text(text))
        assert own == set(headings) and len(own) == len(headings)
    copies = tuple(step.number for step in LEMMAS["copies"])
    assert copies == step_numbers(proof_text("lemmas/copies"))


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", list(BOUNDS))
def test_no_false_refutation_in_a_hundred_thousand_random_batches(name, key):
    budget = Budget(random_instances=100_000, shots=0, max_replays=100)
    bound = dataclasses.replace(BOUNDS[name], instances=BOUNDS[name].instances[:1])
    report = verify(key, bound, budget)
    exact = next(stage for stage in report.stages if stage.name == "exact")
    assert exact.verdict == "passed", exact.summary
