"""The verifier: verdicts, kills, replays, known answers that a broken one misses."""

import dataclasses
import json
import pathlib
from fractions import Fraction

import jax
import pytest
import sympy as sp

from qjax.bounds import (
    BOUNDS,
    SMOKE,
    Budget,
    Checked,
    Instance,
    Mutant,
    Step,
    Witness,
    literal_a,
    literal_b,
    proof_text,
    replay,
    step_numbers,
    theorem_a1,
    verify,
)
from qjax.bounds.lemmas import LEMMAS
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.table import OWNER
from qjax.bounds.machine import machine_theorems
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.reports.report import WITNESS_FORMAT
from qjax.bounds.stages.comparison import violated_sides
from qjax.bounds.stages.sampled import bonferroni, sampled_stage
from qjax.bounds.theorems.literal_a import C_GRID, C_POLE_GRID, pole_instance
from qjax.bounds.theorems.membership import NEEDED, m, membership_instance, n, p

KAPPA = MEMORY_NOISES["depolarizing"].kappa
SIC = membership_instance("sic", {"num_blocks": 1}, 0.9, tight=True)


@pytest.fixture(scope="module")
def a1_report():
    with jax.enable_x64(True):
        budget = Budget(random_instances=200, shots=2000, restarts=0.0)
        return verify(jax.random.key(1), theorem_a1(), budget)


def _small_a1(**changes):
    """A1 with one instance and no random structures: seconds, not tens of them."""
    base = dataclasses.replace(theorem_a1(), instances=(SIC,), random=None)
    return dataclasses.replace(base, **changes)


def test_a1_is_proved_with_its_axioms_listed(a1_report):
    assert a1_report.status == "PROVED", a1_report.reasons
    assert a1_report.open_steps == ()
    assert {axiom["number"] for axiom in a1_report.axioms} == {"X1", "X2", "X3"}
    assert all(axiom["source"] for axiom in a1_report.axioms)
    assert a1_report.tight_ratio > 1 - 1e-12


@pytest.mark.x64
def test_every_mutant_of_a1_is_refuted_by_the_instance_it_names(a1_report):
    named = {mutant.id: mutant.killer for mutant in theorem_a1().mutants}
    assert {"M1", "M2", "M3", "M4"} <= set(named)
    for kill in a1_report.kills:
        assert kill.killed
        assert kill.killer == f"instance: {named[kill.mutant]}"
        assert replay(kill.witness)


@pytest.mark.x64
@pytest.mark.parametrize("mutant", theorem_a1().mutants, ids=lambda each: each.id)
def test_a_mutant_verified_as_a_bound_is_refuted(mutant, key):
    wrong = _small_a1().with_mutant(mutant)
    assert verify(key, wrong, SMOKE).status == "REFUTED"


@pytest.mark.x64
def test_literal_a_is_refuted_for_every_choice_of_its_constants(key):
    report = verify(key, literal_a(), SMOKE)
    assert report.status == "REFUTED" and report.open_steps == ()
    family = [w for w in report.witnesses if w.kind == "family"]
    assert len(family) == len(C_GRID) * len(C_POLE_GRID)
    poles = [witness for witness in family if "at the pole" in witness.name]
    assert len(poles) == len(C_GRID) * (len(C_POLE_GRID) - 1)
    for witness in (poles[0], family[0], report.witnesses[0]):
        stored = json.dumps(witness.to_dict())
        assert replay(stored)


@pytest.mark.x64
def test_the_pole_instance_claims_at_least_twice_its_memory():
    for c in (Fraction(1, 7), Fraction(3)):
        instance = pole_instance(c, Fraction(1))
        sides = violated_sides(
            literal_a().statement, {**instance.values(), "c": c, "C": 1}, 1e-9
        )
        assert sides is not None and sides[1] >= 2 * sides[0] * (1 - 1e-9)


@pytest.mark.x64
@pytest.mark.parametrize("reading", ["ratio", "fraction", "absolute"])
def test_literal_b_is_refuted_in_each_reading(reading, key):
    report = verify(key, literal_b(reading), SMOKE)
    assert report.status == "REFUTED" and report.open_steps == ()
    assert replay(report.witnesses[0].to_dict())


@pytest.mark.x64
def test_a_bound_without_mutants_is_unfalsifiable_not_proved(key):
    assert verify(key, _small_a1(mutants=()), SMOKE).status == "UNFALSIFIABLE"
    harmless = Mutant("weak", "half", sp.Le(NEEDED / 2, m * KAPPA))
    report = verify(key, _small_a1(mutants=(harmless,)), SMOKE)
    assert report.status == "UNFALSIFIABLE"
    assert "none of its mutants" in report.reasons[0]


@pytest.mark.slow
@pytest.mark.x64
def test_what_is_missing_from_a_proof_lowers_the_verdict(key):
    unproved = verify(key, _small_a1(steps=()), SMOKE)
    assert unproved.status == "SUPPORTED"
    wrong = Step("Z1", "symbolic", "wrong", lambda: False)
    crash = Step("Z2", "symbolic", "crash", lambda: 1 / 0 > 0)
    base = theorem_a1().steps
    failed = verify(key, _small_a1(steps=(*base, wrong, crash)), SMOKE)
    assert failed.status == "SUPPORTED" and failed.open_steps == ("Z1", "Z2")
    box = Step("Z3", "certified", "on a box", lambda: True, domain="[.1, .2]")
    aside = verify(key, _small_a1(steps=(*base, box)), SMOKE)
    assert aside.status == "PROVED"  # the conclusion does not rest on it
    rests = Step("Z4", "symbolic", "the end", lambda: True, ("Z3",), concludes=True)
    certified = verify(key, _small_a1(steps=(*base, box, rests)), SMOKE)
    assert certified.status == "CERTIFIED-ON-DOMAIN"
    absent = Step("Z3", "machine-checked", "no Coq", lambda: Checked(None))
    unchecked = verify(key, _small_a1(steps=(*base, absent, rests)), SMOKE)
    assert unchecked.status == "SUPPORTED" and "Z3" in unchecked.reasons[0]
    assert verify(key, _small_a1(steps=(*base, absent)), SMOKE).status == "PROVED"
    survivor = Mutant("weak", "half", sp.Le(NEEDED / 2, m * KAPPA))
    mutants = (*theorem_a1().mutants, survivor)
    weak = verify(key, _small_a1(mutants=mutants), SMOKE)
    assert weak.status == "SUPPORTED" and "weak" in weak.reasons[0]
    loose = membership_instance("qrac", {"num_bits": 2}, 1.0, tight=True)
    claimed = verify(key, _small_a1(instances=(SIC, loose)), SMOKE)
    assert claimed.status == "SUPPORTED" and (claimed.tight_ratio or 1.0) < 0.8


@pytest.mark.x64
def test_a_statement_that_never_bites_is_vacuous(key):
    silent = membership_instance("sic", {"num_blocks": 1}, 0.0)
    assert verify(key, _small_a1(instances=(silent,)), SMOKE).status == "VACUOUS"


@pytest.mark.x64
def test_five_per_cent_on_a_sharp_constant_is_refuted_and_replayed_by_its_bound(key):
    wrong = _small_a1(id="mine", statement=sp.Le(NEEDED * 1.05, m * KAPPA), also=())
    report = verify(key, wrong, SMOKE)
    assert report.status == "REFUTED"
    assert replay(report.witnesses[0].to_dict(), wrong)


def test_verify_says_that_double_precision_is_needed(key):
    with pytest.raises(ValueError, match="jax_enable_x64"):
        verify(key, literal_b("ratio"), SMOKE)


def _witness(**changes) -> dict:
    claim = str(theorem_a1().statement)
    base = Witness(WITNESS_FORMAT, "A1", claim, "instance", "none", {}, {},
                   "0", "1", "1", {})  # fmt: skip
    return {**base.to_dict(), **changes}


@pytest.mark.parametrize(
    ("changes", "text"),
    [({"format": 99}, "another version"), ({"bound": "A99"}, "name one of"),
     ({"statement": "x <= y"}, "speak of a statement"),
     ({"name": "missing"}, "name an instance"),
     ({"bound": "A1/M99"}, "belong to A1 or one of its mutants")],
)  # fmt: skip
def test_witnesses_that_do_not_fit_are_refused(changes, text):
    with pytest.raises(ValueError, match=text):
        replay(_witness(**changes))


@pytest.mark.x64
def test_a_forged_witness_does_not_replay():
    forged = _witness(name="sic num_blocks=1 lam=0.9 T=1")
    assert replay(forged) is False


# --- mutants of the verifier: each answer turns red if the named part is broken ---


def test_equality_is_not_a_violation():
    exact = {"n": 1, "b": 4, "m": 2, "lam": 1, "T": 1, "p": 1, "a": 0, "chi": 2}
    for relation in (theorem_a1().statement, *theorem_a1().also):
        assert violated_sides(relation, exact) is None  # red if <= is read as <
    above = {**exact, "m": sp.Rational(1999999, 1000000)}
    assert violated_sides(theorem_a1().statement, above) is not None


@pytest.mark.x64
def test_nats_on_one_side_lose_the_tight_ratio(key):
    nats = sp.Le(NEEDED * sp.log(2), m * KAPPA)
    report = verify(key, _small_a1(statement=nats, also=()), SMOKE)
    assert report.status != "PROVED" and (report.tight_ratio or 1.0) < 0.7
    other = sp.Le(NEEDED, m * KAPPA * sp.log(2))
    assert verify(key, _small_a1(statement=other, also=()), SMOKE).status == "REFUTED"


def test_bonferroni_divides_the_error_among_all_comparisons(key):
    seen = []

    def sampled(_key, shots, confidence):
        seen.append((shots, confidence))
        return {"n": 1, "b": 4, "m": 1, "lam": 1, "T": 1, "p": 0.5, "a": 0.5}

    fakes = tuple(
        Instance(f"fake {i}", dict, sampled=sampled, error=0.0) for i in range(4)
    )
    sampled_stage(key, _small_a1(instances=fakes), Budget(delta=1e-3, shots=7))
    assert [shots for shots, _ in seen] == [7] * 4
    assert sum(1 - confidence for _, confidence in seen) <= 1e-3 * (1 + 1e-9)
    assert bonferroni(1e-6, 10) == pytest.approx(1e-7)


def test_a_certificate_with_a_negative_weight_or_a_wrong_sum_is_rejected():
    first, second = sp.symbols("u v", real=True)
    assert is_combination([first, second], [1, 2], first + 2 * second)
    assert not is_combination([first, second], [1, -1], first - second)
    assert not is_combination([first, second], [1, 1], first + 2 * second)
    assert is_zero((p**2 - 1) / (p - 1) - p - 1) and not is_zero(p - n)


def test_a_step_that_is_not_closed_by_a_check_must_say_why():
    with pytest.raises(ValueError, match="cite a publication"):
        Step("X", "axiom", "trust me")
    with pytest.raises(ValueError, match="`check of step S` must exist"):
        Step("S", "symbolic", "no check")
    with pytest.raises(ValueError, match="cite earlier steps only"):
        _small_a1(steps=(Step("X", "axiom", "a", source="b", cites=("Y",)),))


# --- reports and proof texts ---


def test_a_report_is_data(a1_report):
    record = json.loads(a1_report.to_json())
    assert record["status"] == "PROVED" and record["versions"]["jax"]
    assert [stage["name"] for stage in record["stages"]] == [
        "statement lint", "symbolic", "entropic", "certified", "machine-checked",
        "exact", "monte carlo", "adversarial", "semidefinite", "mutants",
    ]  # fmt: skip
    text = a1_report.to_markdown()
    assert text.startswith("# A1: PROVED") and "M3" in text and "Lindblad" in text


@pytest.mark.slow
@pytest.mark.x64
def test_a_verification_repeats_bit_for_bit(key):
    budget = Budget(random_instances=20, shots=100)
    search = theorem_a1().attacks[:1]
    bound = _small_a1(random=theorem_a1().random, attacks=search, programs=())
    first, second = (verify(key, bound, budget) for _ in range(2))
    assert first == second


def test_step_numbers_of_code_and_text_agree():
    folder = pathlib.Path(__file__).resolve().parents[2] / "proofs"
    bounds = [build() for build in BOUNDS.values()]
    texts = {path.stem for path in folder.glob("*.md")} - {"README"}
    assert texts == {bound.proof for bound in bounds}
    headings = {name: step_numbers(proof_text(name)) for name in texts}
    every = [number for numbers in headings.values() for number in numbers]
    assert len(every) == len(set(every))
    coded = {step.number for bound in bounds for step in bound.steps} - set(OWNER)
    assert coded == set(every)
    for bound in bounds:
        # What a bound concludes is a step of its own text.
        ends = {step.number for step in bound.steps if step.concludes}
        assert ends <= set(headings[bound.proof]), bound.id


def test_step_numbers_of_lemmas_and_their_texts_agree():
    folder = pathlib.Path(__file__).resolve().parents[2] / "proofs" / "lemmas"
    assert {path.stem for path in folder.glob("*.md")} == set(LEMMAS)
    for name, steps in LEMMAS.items():
        numbers = tuple(step.number for step in steps)
        assert numbers == step_numbers(proof_text(f"lemmas/{name}")), name


def test_every_lemma_is_cited_by_some_bound():
    used = {step.number for build in BOUNDS.values() for step in build().steps}
    assert set(OWNER) <= used, sorted(set(OWNER) - used)


def test_machine_checked_steps_are_those_that_the_coq_table_names():
    steps = {step.number: step for build in BOUNDS.values() for step in build().steps}
    coded = {n for n, step in steps.items() if step.kind == "machine-checked"}
    assert coded == set(machine_theorems().values())


def test_an_unknown_proof_is_named():
    with pytest.raises(ValueError, match=r"be a text in proofs/, but is 'nothing'"):
        proof_text("nothing")


@pytest.mark.slow
@pytest.mark.x64
def test_no_false_refutation_in_ten_thousand_random_structures(key):
    budget = Budget(random_instances=10_000, shots=0, max_replays=2000)
    report = verify(key, _small_a1(random=theorem_a1().random), budget)
    assert report.status == "PROVED", report.reasons
