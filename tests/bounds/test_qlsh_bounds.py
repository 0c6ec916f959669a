"""The Q-LSH bounds: verdicts, mutants, replays, refuting families."""

import dataclasses

import pytest
import sympy as sp

from qjax.bounds import SMOKE, Budget, proof_text, replay, step_numbers, verify
from qjax.bounds.stages.comparison import violated_sides
from qjax.bounds.theorems.qlsh_dominance import qlsh_dominance, random_tests
from qjax.bounds.theorems.qlsh_expectation import (
    qlsh_aliasing,
    qlsh_amplitude,
    qlsh_fidelity,
    qlsh_noise,
    qlsh_second_moment,
    qlsh_slope,
)
from qjax.bounds.theorems.qlsh_literal import (
    qlsh_literal,
    qlsh_literal_growth,
    qlsh_literal_noise,
    qlsh_literal_variance,
)
from qjax.bounds.theorems.qlsh_readout import (
    qlsh_local_swap,
    qlsh_quadrature,
    qlsh_variance,
)
from qjax.bounds.theorems.qlsh_readout_steps import STEPS
from qjax.bounds.theorems.qlsh_simulation import random_sketches
from qjax.bounds.theorems.qlsh_steps import delta, is_trigonometric_zero, x

TRUE = {
    build().id: build
    for build in (
        qlsh_amplitude, qlsh_fidelity, qlsh_second_moment, qlsh_slope, qlsh_noise,
        qlsh_aliasing, qlsh_quadrature, qlsh_local_swap, qlsh_variance, qlsh_dominance,
    )
}  # fmt: skip
LITERAL = {
    build().id: build
    for build in (
        qlsh_literal, qlsh_literal_growth, qlsh_literal_variance, qlsh_literal_noise
    )
}  # fmt: skip
SMALL = Budget(random_instances=64, shots=0, restarts=0.0)


@pytest.mark.x64
@pytest.mark.parametrize("name", TRUE)
def test_each_law_is_proved_and_its_mutants_are_refuted_where_they_say(name, key):
    bound = TRUE[name]()
    report = verify(key, bound, SMALL)
    assert report.status == "PROVED", report.reasons
    assert report.open_steps == () and (report.tight_ratio or 0) > 1 - 1e-6
    named = {mutant.id: mutant.killer for mutant in bound.mutants}
    assert len(named) >= 3
    for kill in report.kills:
        assert kill.killer == f"instance: {named[kill.mutant]}", kill
        assert kill.witness is not None and replay(kill.witness, bound)


@pytest.mark.x64
@pytest.mark.parametrize("name", TRUE)
def test_each_mutant_verified_as_a_bound_is_refuted(name, key):
    bound = TRUE[name]()
    cheap = dataclasses.replace(bound, random=None)
    for mutant in bound.mutants:
        names = {symbol.name for symbol in mutant.statement.free_symbols}
        killers = [i for i in (*bound.instances, *mutant.instances)
                   if i.name == mutant.killer]  # fmt: skip
        assert names <= set(killers[0].values())
        wrong = dataclasses.replace(
            cheap.with_mutant(mutant), instances=tuple(killers[:1])
        )
        assert verify(key, wrong, SMOKE).status == "REFUTED", mutant.id


@pytest.mark.x64
@pytest.mark.parametrize("name", LITERAL)
def test_each_literal_claim_is_refuted_for_every_constant(name, key):
    bound = LITERAL[name]()
    report = verify(key, bound, SMOKE)
    assert report.status == "REFUTED" and report.open_steps == ()
    grid = bound.constants[0].grid
    family = [w for w in report.witnesses if w.kind == "family"]
    assert len(family) == len(grid)
    assert all(replay(witness, bound) for witness in family)


@pytest.mark.x64
def test_the_originals_own_numbers_are_off_by_a_factor_of_nine():
    values = qlsh_literal_variance().instances[0].values()
    assert values["V"] == pytest.approx(0.01696, abs=5e-6)
    assert (1 - values["E"] ** 2) / 400 == pytest.approx(0.00180, abs=5e-6)


@pytest.mark.x64
def test_true_laws_hold_where_the_literal_ones_fail():
    # The family's own points satisfy the exact laws: the refutation is not a defect.
    bound = qlsh_fidelity()
    for instance in bound.instances:
        assert violated_sides(bound.statement, instance.values(), 1e-9) is None


def test_steps_of_code_and_text_agree():
    headings = sorted(step_numbers(proof_text("qlsh")))
    assert headings == sorted(step.number for step in STEPS)
    used = {s.number for b in (*TRUE.values(), *LITERAL.values()) for s in b().steps}
    assert sorted(used) == headings
    for build in TRUE.values():
        assert [step.concludes for step in build().steps].count(True) == 1
    for build in LITERAL.values():
        assert not any(step.concludes for step in build().steps)


def test_the_trigonometric_check_rejects_wrong_identities():
    assert is_trigonometric_zero(sp.cos(x) ** 2 - (1 + sp.cos(2 * x)) / 2)
    assert not is_trigonometric_zero(sp.cos(x) ** 2 - (1 + sp.cos(x)) / 2)
    assert not is_trigonometric_zero(sp.cos(x) ** 4 - sp.cos(2 * x) / 2 - delta)


@pytest.mark.x64
@pytest.mark.parametrize(("draw", "exact"), [(random_sketches, 1e-12),
                                              (random_tests, 1e-12)])  # fmt: skip
def test_random_instances_replay_from_their_records(draw, exact, key):
    batch = draw(key, 20)
    for index in (0, 3, 11, 19):
        values = batch.replay(index)
        for name, column in batch.values.items():
            if name in values:
                assert column[index] == pytest.approx(float(values[name]), abs=exact)


@pytest.mark.x64
def test_random_tests_come_close_to_the_classical_curve(key):
    values = random_tests(key, 400).values
    inside = (values["fpr"] > 0.01) & (values["fpr"] < 0.99)
    ratio = values["tpr"][inside] / values["power"][inside]
    assert ratio.max() > 0.99 and ratio.max() <= 1 + 1e-12


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", TRUE)
def test_no_false_refutation_in_a_hundred_thousand_random_sketches(name, key):
    bound = dataclasses.replace(TRUE[name](), instances=TRUE[name]().instances[:2])
    budget = Budget(random_instances=100_000, shots=0, restarts=0.0, max_replays=200)
    report = verify(key, dataclasses.replace(bound, mutants=()), budget)
    assert report.stage("exact").verdict == "passed", report.stage("exact")
    assert not report.witnesses


@pytest.mark.slow
@pytest.mark.x64
def test_the_sampled_dominance_stage_never_refutes_the_truth(key):
    report = verify(key, qlsh_dominance(), Budget(random_instances=0, shots=20_000))
    stage = report.stage("monte carlo")
    assert stage.verdict == "passed"
    ratios = [row["pessimistic ratio"] for row in stage.details]
    assert all(0.9 < ratio < 1 for ratio in ratios)
