"""A3, A4, A5, A8, A9: verdicts, kills, replays, texts, random instances that bite."""

import dataclasses

import jax
import numpy as np
import pytest

from qjax.bounds import SMOKE, Budget, replay, step_numbers, verify
from qjax.bounds.information import evaluate_batch
from qjax.bounds.lemmas.table import OWNER
from qjax.bounds.proofs import proof_text
from qjax.bounds.stages.comparison import side_ratio
from qjax.bounds.stages.exact import random_violations
from qjax.bounds.stages.sampled import sampled_stage
from qjax.bounds.theorems.a3 import damping_readout_floor, readout_floor
from qjax.bounds.theorems.a4 import block_depth_cap, depth_cap
from qjax.bounds.theorems.a5 import block_update_lifetime, update_lifetime
from qjax.bounds.theorems.a8 import (
    damping_strong_converse,
    relaxation_strong_converse,
    strong_converse,
)
from qjax.bounds.theorems.a9 import classical_fingerprints, no_advantage

BUILDERS = {
    "A3": readout_floor,
    "A3/damping": damping_readout_floor,
    "A4": depth_cap,
    "A4/block": block_depth_cap,
    "A5": update_lifetime,
    "A5/block": block_update_lifetime,
    "A8": strong_converse,
    "A8/damping": damping_strong_converse,
    "A8/relaxation": relaxation_strong_converse,
    "A9": no_advantage,
    "A9/classical": classical_fingerprints,
}
TRUSTED = {
    "A3": set(),
    "A3/damping": set(),
    "A4": {"X2", "X4", "X8"},
    "A4/block": {"X1", "X2", "X8"},
    "A5": {"X1", "X2", "X4"},
    "A5/block": {"X1", "X2"},
    "A8": {"X3"},
    "A8/damping": {"X6"},
    "A8/relaxation": {"X6"},
    "A9": {"X1", "X2", "X9"},
    "A9/classical": set(),
}
"""Axioms in each report. X3, X6 and X9 are cited beside the proof, not in it."""

QUICK = ("A3", "A8", "A9")
"""Bounds whose random instances compile in a second or two; others are slow tests."""

CLOSEST = {
    "A3": 0.99, "A3/damping": 0.99, "A4": 0.6, "A4/block": 0.3, "A5": 0.6,
    "A5/block": 0.5, "A8": 0.999, "A8/damping": 0.99, "A8/relaxation": 0.99,
    "A9": 0.999,
}  # fmt: skip
"""Ratio of the sides that some random instance must reach; the slow test asks more."""

SMALL = Budget(random_instances=50, shots=0, restarts=0.0)
SHOTS = Budget(random_instances=0, shots=400, restarts=0.0)


@pytest.fixture(scope="module")
def reports():
    with jax.enable_x64(True):
        return {
            name: verify(jax.random.key(3), build(), SMALL if name in QUICK else SMOKE)
            for name, build in BUILDERS.items()
        }


@pytest.mark.x64
@pytest.mark.parametrize("name", BUILDERS)
def test_a_corollary_is_proved_with_its_axioms_listed(name, reports):
    report = reports[name]
    assert report.status == "PROVED", report.reasons
    assert report.open_steps == () and report.bound == name
    assert {axiom["number"] for axiom in report.axioms} == TRUSTED[name]
    if report.tight_ratio is None:
        assert "sharper form" in report.not_tight
    else:
        assert abs(report.tight_ratio - 1) < 1e-9


@pytest.mark.x64
@pytest.mark.parametrize("name", BUILDERS)
def test_every_mutant_is_refuted_by_the_instance_it_names(name, reports):
    bound = BUILDERS[name]()
    named = {mutant.id: mutant.killer for mutant in bound.mutants}
    assert len(named) >= 3
    for kill in reports[name].kills:
        assert kill.killed, kill.mutant
        assert kill.killer == f"instance: {named[kill.mutant]}"
        assert replay(kill.witness, bound)


@pytest.mark.x64
@pytest.mark.parametrize("name", BUILDERS)
def test_a_mutant_verified_as_a_bound_is_refuted(name, key):
    bound = BUILDERS[name]()
    for mutant in bound.mutants:
        wrong = bound.with_mutant(mutant)
        killers = [each for each in wrong.instances if each.name == mutant.killer]
        assert len(killers) == 1, mutant.id
        single = dataclasses.replace(wrong, instances=tuple(killers))
        assert verify(key, single, SMOKE).status == "REFUTED", mutant.id


def test_step_numbers_of_code_and_text_agree():
    texts = {build().proof for build in BUILDERS.values()}
    assert texts == {"a3", "a4", "a5", "a8", "a9"}
    for text in texts:
        own = {
            step.number
            for build in BUILDERS.values()
            if build().proof == text
            for step in build().steps
        }
        assert own - set(OWNER) == set(step_numbers(proof_text(text))), text


def _closest(bound, values) -> float:
    """Largest ratio of the statement's sides where it says something."""
    relation = bound.statement
    small, large = (evaluate_batch(x, values) for x in (relation.lts, relation.gts))
    bites = (large > 1e-3) & np.isfinite(small)
    if bound.id.startswith("A4"):
        bites &= large < 1
    return float(np.max(small[bites] / large[bites]))


def _obeyed(name: str, key, count: int, share: float) -> None:
    """No random violation, some instance close, and replays agree with float64."""
    bound = BUILDERS[name]()
    assert bound.random is not None and bound.replay_random is not None
    batch = bound.random(key, count)
    found, _, unresolved = random_violations(bound, batch, Budget(max_replays=200))
    assert found == [] and unresolved == 0
    assert _closest(bound, batch.values) > share * CLOSEST[name]
    for index in (0, 23, count - 1):
        exact = bound.replay_random(batch.serialise(index))
        for symbol, value in batch.values.items():
            assert abs(float(exact[symbol]) - float(value[index])) < 1e-11, symbol
        ratio = side_ratio(bound.statement, exact)
        assert np.isnan(ratio) or ratio <= 1 + 1e-40


@pytest.mark.x64
@pytest.mark.parametrize("name", QUICK)
def test_random_instances_obey_the_bound_and_come_close(name, key):
    _obeyed(name, key, 50, 0.7)


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", CLOSEST)
def test_a_hundred_thousand_random_instances_obey_the_bound(name, key):
    _obeyed(name, key, 100_000, 1.0)


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", ["A3", "A5"])
def test_shots_do_not_refute_the_bound_and_refute_its_mutants(name, key):
    bound = BUILDERS[name]()
    report = verify(key, bound, SHOTS)
    assert report.status == "PROVED"
    assert report.stage("monte carlo").verdict == "passed"
    wrong = dataclasses.replace(
        bound.with_mutant(bound.mutants[0]), instances=bound.instances
    )
    many = dataclasses.replace(SHOTS, shots=20_000)
    assert sampled_stage(key, wrong, many).verdict == "refuted"
