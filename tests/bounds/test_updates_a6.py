"""Corollary A6: verdicts, mutants, and its instances against plain NumPy."""

import dataclasses
import functools
import itertools
import math

import jax
import numpy as np
import pytest

from qjax.bounds import (
    SMOKE,
    Budget,
    binary_relative_entropy,
    evaluate,
    proof_text,
    replay,
    step_numbers,
    verify,
)
from qjax.bounds.lemmas.table import OWNER
from qjax.bounds.memory.structure import entropy_bits
from qjax.bounds.theorems.a6 import (
    LEVELS,
    assisted,
    corollary_a6,
    corollary_a6_any_set,
    corollary_a6_delete,
    corollary_a6_noiseless,
    lam,
)
from qjax.bounds.updates.local_updates import (
    PAULIS,
    LocalUpdates,
    apply_updates,
    ket_update_values,
    update_test,
    update_values,
    updated_kets,
    updated_states,
)
from qjax.bounds.updates.update_ensembles import random_updates
from qjax.bounds.updates.update_structures import (
    bell_inserts,
    forgetting_bell_deletes,
    history_left,
    reset_inserts,
    tombstone_deletes,
    wandering_inserts,
)

BOUNDS = {
    "A6": corollary_a6,
    "A6/noiseless": corollary_a6_noiseless,
    "A6/any-set": corollary_a6_any_set,
    "A6/delete": corollary_a6_delete,
}
KINDS = ({}, {"noisy": False}, {"moving": True}, {"reversible": True})
MUTANTS = [(name, m.id) for name, build in BOUNDS.items() for m in build().mutants]


def assisted_bits(survival):
    """2 + sum w log w over the spectrum of a depolarized Bell pair, 0 log 0 = 0."""
    weights = [(1 + 3 * survival) / 4] + [(1 - survival) / 4] * 3
    return 2 + sum(w * math.log2(w) for w in weights if w > 0)


def needed_bits(values):
    p, a, size = values["p"], values["a"], values["N"]
    return binary_relative_entropy(p, p / size + (1 - 1 / size) * a)


def on_wires(operator, wires, count):
    """The operator on some wires of `count`, entry by entry."""
    full = np.zeros((2**count, 2**count), complex)
    for row, column in itertools.product(range(2**count), repeat=2):
        bits = [[(index >> (count - 1 - w)) & 1 for w in range(count)]
                for index in (row, column)]  # fmt: skip
        others = [w for w in range(count) if w not in wires]
        if all(bits[0][w] == bits[1][w] for w in others):
            place = [int("".join(str(b[w]) for w in wires), 2) for b in bits]
            full[row, column] = operator[place[0], place[1]]
    return full


def depolarize(rho, survival, wire):
    count = rho.shape[0].bit_length() - 1
    full = [on_wires(pauli, (wire,), count) for pauli in PAULIS]
    mixed = sum(p @ rho @ p.conj().T for p in full) / 4
    return survival * rho + (1 - survival) * mixed


@pytest.fixture(scope="module")
def reports():
    with jax.enable_x64(True):
        budget = Budget(random_instances=50, shots=1000, restarts=0.0)
        key = jax.random.key(6)
        return {name: verify(key, build(), budget) for name, build in BOUNDS.items()}


@pytest.mark.parametrize("name", BOUNDS)
def test_a6_is_proved_from_strong_subadditivity_and_data_processing(name, reports):
    report = reports[name]
    assert report.status == "PROVED", report.reasons
    assert {axiom["number"] for axiom in report.axioms} == {"X1", "X2"}
    assert report.tight_ratio > 1 - 1e-10


@pytest.mark.x64
@pytest.mark.parametrize("name", BOUNDS)
def test_every_mutant_is_refuted_by_the_instance_it_names(name, reports):
    named = {mutant.id: mutant.killer for mutant in BOUNDS[name]().mutants}
    assert len(named) >= 3
    for kill in reports[name].kills:
        assert kill.killer == f"instance: {named[kill.mutant]}"
        assert replay(kill.witness, BOUNDS[name]())


@pytest.mark.x64
@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_mutant_verified_as_a_bound_is_refuted(name, mutant, key):
    bound = BOUNDS[name]()
    wrong = next(each for each in bound.mutants if each.id == mutant)
    report = verify(key, bound.with_mutant(wrong), SMOKE)
    assert report.status == "REFUTED"


def test_the_text_has_the_steps_of_the_four_bounds():
    own = {step.number for build in BOUNDS.values() for step in build().steps}
    assert own - set(OWNER) == set(step_numbers(proof_text("a6")))


def test_the_closed_form_is_the_assisted_capacity_with_exact_edges():
    for survival in LEVELS:
        found = float(evaluate(assisted(lam), {"lam": survival}))
        assert found == pytest.approx(assisted_bits(survival), abs=1e-13)
    assert evaluate(assisted(lam), {"lam": 1}) == 2
    assert evaluate(assisted(lam), {"lam": 0}) == 0


def test_no_input_of_two_depolarized_qubits_beats_two_bell_pairs():
    draw = np.random.default_rng(0)
    for trial in range(40):
        survival = draw.uniform()
        rho = np.zeros((16, 16), complex)
        ket = draw.normal(size=(16, 2)) @ [1, 1j]
        if trial % 2:  # near the best input
            ket = np.eye(4).reshape(-1) + 0.1 * ket
        ket = ket / np.linalg.norm(ket)
        rho = np.outer(ket, ket.conj())  # wires 0, 1 are sent; 2, 3 purify them
        for wire in (0, 1):
            rho = depolarize(rho, survival, wire)
        pairs = rho.reshape(4, 4, 4, 4)
        sent, kept = np.einsum("abcb->ac", pairs), np.einsum("abac->bc", pairs)
        mutual = entropy_bits(sent) + entropy_bits(kept) - entropy_bits(rho)
        assert mutual <= 2 * assisted_bits(survival) + 1e-9


@pytest.mark.x64
def test_bell_inserts_reach_equality_at_every_survival():
    for survival in (*LEVELS, 1e-6, 1 - 1e-9):
        values = update_values(bell_inserts(1), survival)
        assert values["p"] == pytest.approx((1 + 3 * survival) / 4, abs=1e-14)
        assert values["a"] == pytest.approx((1 - survival) / 4, abs=1e-14)
        available = assisted_bits(survival)
        assert needed_bits(values) == pytest.approx(available, abs=1e-12)
        assert values["chi"] == pytest.approx(available, abs=1e-10)


@pytest.mark.x64
def test_updates_on_the_engine_agree_with_kron_products():
    draw = np.random.default_rng(1)
    raw = draw.normal(size=(2, 8, 8)) + 1j * draw.normal(size=(2, 8, 8))
    memory = raw[0] @ raw[0].conj().T
    memory = memory / np.trace(memory)
    isometries = draw.normal(size=(5, 16, 4)) + 1j * draw.normal(size=(5, 16, 4))
    kraus = np.linalg.qr(isometries)[0].reshape(5, 4, 4, 4)
    touched = np.asarray([[0, 1], [2, 0], [1, 2], [2, 1], [0, 2]])
    found = apply_updates(np.tile(memory, (5, 1, 1)), kraus, touched, 0.7, 2)
    for x, wires in enumerate(touched):
        full = [on_wires(k, wires, 3) for k in kraus[x]]
        rho = sum(k @ memory @ k.conj().T for k in full)
        for wire in wires:
            rho = depolarize(depolarize(rho, 0.7, wire), 0.7, wire)
        assert np.max(np.abs(found[x] - rho)) < 1e-14


@pytest.mark.x64
def test_kets_and_density_matrices_agree():
    updates = wandering_inserts(2)
    kets = updated_kets(updates)
    states = updated_states(updates)
    assert np.max(np.abs(kets[:, :, None] * kets[:, None].conj() - states)) < 1e-14
    first, second = ket_update_values(updates), update_values(updates)
    assert first == pytest.approx(second, abs=1e-12)


@pytest.mark.x64
@pytest.mark.parametrize(("pairs", "width"), [(2, 1), (3, 1), (4, 2)])
def test_wandering_paulis_store_more_than_two_bits_a_qubit(pairs, width):
    values = ket_update_values(wandering_inserts(pairs, width))
    count = sum(math.comb(pairs, j) * 3**j for j in range(width + 1))
    assert values["N"] == count and values["K"] == math.comb(pairs, width)
    bits = float(needed_bits(values))
    assert bits == pytest.approx(math.log2(count), abs=1e-9)
    assert 2 * width < bits < 2 * width + math.log2(values["K"])


@pytest.mark.x64
def test_only_deletes_that_forget_are_bound():
    assert history_left(forgetting_bell_deletes()) < 1e-14
    assert history_left(tombstone_deletes(2)) > 0.9


@pytest.mark.x64
def test_a_reset_after_the_noise_does_not_feel_it():
    before = update_values(reset_inserts(), 0.3)
    assert before["p"] == pytest.approx(0.65, abs=1e-14)  # noise after the reset


@pytest.mark.x64
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_random_updates_replay_to_the_same_values(options, key):
    batch = random_updates(key, 100, **options)
    for index in (0, 51):
        values = batch.replay(index)
        for name, value in values.items():
            assert float(value) == pytest.approx(batch.values[name][index], abs=3e-14)


@pytest.mark.x64
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_information_lies_between_what_is_needed_and_what_is_written(options, key):
    values = random_updates(key, 500, **options).values
    most = np.asarray([assisted_bits(level) for level in values["lam"]])
    most = values["t"] * most + np.log2(values["K"])
    assert np.all(needed_bits(values) <= values["chi"] + 1e-9)
    assert np.all(values["chi"] <= most + 1e-9)
    # Not a bound that nothing comes near to.
    reached = (needed_bits(values) / np.maximum(most, 1e-12)).max()
    assert reached > (0.75 if options.get("moving") else 0.99)


@pytest.mark.x64
def test_pessimistic_values_enclose_the_exact_ones(key):
    exact = update_values(bell_inserts(1), 0.9)
    test = update_test(lambda: bell_inserts(1), 0.9)
    assert test.rates() == pytest.approx((exact["p"], exact["a"]))
    found = test(key, 20_000, 1 - 1e-6)
    assert found["p"] < exact["p"] < found["p"] + 0.03
    assert exact["a"] < found["a"] < exact["a"] + 0.03


def test_updates_of_the_wrong_shape_are_refused():
    good = bell_inserts(1)
    with pytest.raises(ValueError, match="kraus"):
        dataclasses.replace(good, kraus=good.kraus[:3])
    with pytest.raises(ValueError, match="be unitary updates of a ket"):
        updated_kets(reset_inserts())
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        random_updates(jax.random.key(0), 0)
    with pytest.raises(ValueError, match="kraus"):
        wide = np.eye(8)[None, None]
        LocalUpdates(np.eye(8)[0], wide, np.asarray([[0, 1, 2]]), None, 3, "wide")


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", BOUNDS)
def test_no_violation_in_a_hundred_thousand_random_updates(name, key):
    bound = BOUNDS[name]()
    one = dataclasses.replace(bound, instances=bound.instances[-1:], mutants=())
    budget = Budget(random_instances=100_000, shots=0, restarts=0.0)
    report = verify(key, one, budget)
    exact = next(stage for stage in report.stages if stage.name == "exact")
    assert exact.verdict == "passed", exact.summary


@pytest.mark.x64
def test_a_batch_is_drawn_anew_from_its_key(key):
    draw = functools.partial(random_updates, key, 100)
    first, second = draw(), draw()
    assert first.serialise(5) == second.serialise(5)
