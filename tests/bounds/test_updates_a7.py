"""Corollary A7: verdict, mutants, and its instances against plain NumPy."""

import dataclasses
import math

import jax
import numpy as np
import pytest

from qjax.bounds import SMOKE, Budget, proof_text, replay, step_numbers, verify
from qjax.bounds.lemmas.table import OWNER
from qjax.bounds.theorems.a7 import corollary_a7
from qjax.bounds.updates.rotations import (
    RotationInsert,
    best_test_of_kets,
    ghz_insert,
    inserted_ket,
    noisy_pair,
    product_insert,
    random_rotations,
    repeated_insert,
    rotation_test,
    rotation_values,
)


def rz_on(angle, wire, count):
    rotation = np.diag(np.exp([-0.5j * angle, 0.5j * angle]))
    return np.kron(np.kron(np.eye(2**wire), rotation), np.eye(2 ** (count - wire - 1)))


def trace_distance(first, second):
    return np.abs(np.linalg.eigvalsh(first - second)).sum(axis=-1) / 2


@pytest.fixture(scope="module")
def report():
    with jax.enable_x64(True):
        budget = Budget(random_instances=50, shots=1000, restarts=0.0)
        return verify(jax.random.key(7), corollary_a7(), budget)


def test_a7_is_proved_and_trusts_no_theorem(report):
    assert report.status == "PROVED", report.reasons
    assert report.axioms == ()
    assert report.tight_ratio > 1 - 1e-10


@pytest.mark.x64
def test_every_mutant_is_refuted_by_the_instance_it_names(report):
    named = {mutant.id: mutant.killer for mutant in corollary_a7().mutants}
    assert "M11" in named
    for kill in report.kills:
        assert kill.killer == f"instance: {named[kill.mutant]}"
        assert replay(kill.witness, corollary_a7())


@pytest.mark.x64
@pytest.mark.parametrize("mutant", corollary_a7().mutants, ids=lambda each: each.id)
def test_a_mutant_verified_as_a_bound_is_refuted(mutant, key):
    wrong = corollary_a7().with_mutant(mutant)
    assert verify(key, wrong, SMOKE).status == "REFUTED"


def test_the_text_has_the_steps_of_the_bound():
    own = {step.number for step in corollary_a7().steps} - set(OWNER)
    assert own == set(step_numbers(proof_text("a7")))


@pytest.mark.x64
@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_ghz_states_reach_equality_for_any_number_of_rotations(count):
    for angle in (1e-3, 0.3, math.pi / count):
        values = rotation_values(ghz_insert(np.full(count, angle)))
        gap = values["p"] - values["a"]
        assert gap == pytest.approx(math.sin(count * angle / 2), abs=1e-12)
    again = rotation_values(repeated_insert(0.3, count))
    assert again["p"] - again["a"] == pytest.approx(math.sin(0.15 * count), abs=1e-12)


@pytest.mark.x64
def test_product_states_reach_the_root_only():
    values = rotation_values(product_insert(np.full(8, 0.3)))
    gap = values["p"] - values["a"]
    assert gap == pytest.approx(math.sqrt(1 - math.cos(0.15) ** 16), abs=1e-13)
    assert gap == pytest.approx(0.40657, abs=5e-6)
    assert math.sin(8 * 0.15) == pytest.approx(0.93204, abs=5e-6)


@pytest.mark.x64
def test_rotations_on_the_engine_agree_with_kron_products():
    draw = np.random.default_rng(2)
    ket = draw.normal(size=256) + 1j * draw.normal(size=256)
    ket = ket / np.linalg.norm(ket)
    angles = draw.normal(size=(2, 8))
    found = inserted_ket(RotationInsert(ket, angles, "random"))
    expected = ket
    for row in angles:
        for wire in range(8):
            expected = rz_on(row[wire], wire, 8) @ expected
    assert np.max(np.abs(found - expected)) < 1e-14


@pytest.mark.x64
def test_the_best_test_attains_the_trace_distance():
    draw = np.random.default_rng(3)
    for _ in range(20):
        kets = draw.normal(size=(2, 16)) + 1j * draw.normal(size=(2, 16))
        first, second = kets / np.linalg.norm(kets, axis=1, keepdims=True)
        p, a = best_test_of_kets(first, second)
        states = [np.outer(ket, ket.conj()) for ket in (first, second)]
        assert p - a == pytest.approx(trace_distance(*states), abs=1e-13)


@pytest.mark.x64
def test_random_batches_hold_the_trace_distance_and_come_close(key):
    batch = random_rotations(key, 400)
    values = batch.values
    gap = values["p"] - values["a"]
    limit = np.sin(np.minimum(values["total"] / 2, math.pi / 2))
    assert np.all(gap <= limit + 1e-12)
    assert (gap / limit).max() > 1 - 1e-9
    assert np.quantile(gap / limit, 0.75) > 0.6
    for index in range(0, 400, 100):
        record = batch.serialise(index)
        factor = np.asarray(record["factors"]["real"]) + 1j * np.asarray(
            record["factors"]["imag"]
        )
        memory = factor @ factor.conj().T
        turn = np.eye(8)
        for angle, wire in zip(record["angles"], record["wires"], strict=True):
            turn = rz_on(angle, wire, 3) @ turn
        pair = [turn @ memory @ turn.conj().T, memory]
        for wire in range(3):
            pair = [depolarize(rho, record["lam"], wire) for rho in pair]
        assert gap[index] == pytest.approx(trace_distance(*pair), abs=1e-12)


def depolarize(rho, survival, wire):
    """lambda rho + (1-lambda) Tr_wire(rho) (x) I/2, by a partial trace."""
    left, right = 2**wire, 2 ** (2 - wire)
    tensor = rho.reshape(left, 2, right, left, 2, right)
    rest = np.einsum("aibcid->abcd", tensor)
    mixed = np.einsum("abcd,ij->aibcjd", rest, np.eye(2) / 2).reshape(8, 8)
    return survival * rho + (1 - survival) * mixed


@pytest.mark.x64
def test_later_noise_only_brings_the_states_closer():
    memory = np.zeros((3, 8, 8), complex)
    memory[:, 0, 0] = memory[:, 7, 7] = memory[:, 0, 7] = memory[:, 7, 0] = 0.5
    pairs = noisy_pair(memory, np.full((3, 3), 0.5), np.asarray([1.0, 0.9, 0.0]))
    gaps = trace_distance(pairs[:, 0], pairs[:, 1])
    assert gaps == pytest.approx(math.sin(0.75) * np.asarray([1, 0.729, 0]), abs=1e-14)


@pytest.mark.x64
def test_random_rotations_replay_to_the_same_values(key):
    batch = random_rotations(key, 100)
    for index in (0, 51):
        for name, value in batch.replay(index).items():
            assert float(value) == pytest.approx(batch.values[name][index], abs=3e-14)


@pytest.mark.x64
def test_pessimistic_values_enclose_the_exact_ones(key):
    insert = ghz_insert(np.full(8, 0.3))
    exact = rotation_values(insert)
    found = rotation_test(lambda: insert)(key, 20_000, 1 - 1e-6)
    assert found["p"] < exact["p"] and exact["a"] < found["a"]


def test_memories_of_the_wrong_size_are_refused():
    with pytest.raises(ValueError, match="`memory` must have shape"):
        RotationInsert(np.eye(4)[0], np.zeros((1, 8)), "two qubits")
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        random_rotations(jax.random.key(0), 0)


@pytest.mark.slow
@pytest.mark.x64
def test_no_violation_in_a_hundred_thousand_random_rotations(key):
    bound = corollary_a7()
    one = dataclasses.replace(bound, instances=bound.instances[:1], mutants=())
    budget = Budget(random_instances=100_000, shots=0, restarts=0.0)
    report = verify(key, one, budget)
    exact = next(stage for stage in report.stages if stage.name == "exact")
    assert exact.verdict == "passed", exact.summary
