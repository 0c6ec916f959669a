"""Theorem A1 under every noise of the memory, and Corollary A2."""

import dataclasses

import mpmath
import numpy as np
import pytest
import sympy as sp

from qjax.bounds import (
    BOUNDS,
    SMOKE,
    STRUCTURES,
    Budget,
    damping_assisted_capacity,
    evaluate,
    replay,
    verify,
)
from qjax.bounds.memory.capacities import (
    assisted_damping,
    damping_bits,
    replaced_by_damping,
)
from qjax.bounds.memory.ensembles import random_structures
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T, eta, exc
from qjax.bounds.memory.precise import precise_noise, precise_statistics
from qjax.bounds.memory.structure import exact_statistics

FAMILY = [name for name in BOUNDS if name.split("/")[0] in ("A1", "A2")]
STRENGTHS = {
    "depolarizing": {"lam": 0.7}, "dephasing": {"lam": 0.4}, "damping": {"eta": 0.6},
    "generalized-damping": {"eta": 0.6, "exc": 0.2},
    "relaxation": {"eta": 0.6, "coh": 0.5, "exc": 0.2},
    "replacement": {"mu": 0.3, "exc": 0.2}, "interleaved": {"lam": 0.7},
    "block": {"lam": 0.7},
}  # fmt: skip


@pytest.mark.x64
@pytest.mark.parametrize("name", FAMILY)
def test_every_bound_of_the_family_is_proved_and_kills_its_mutants(name, key):
    bound = BOUNDS[name]()
    report = verify(key, bound, SMOKE)
    assert report.status == "PROVED", report.reasons
    assert len(bound.mutants) >= 3 and any(i.tight for i in bound.instances)
    for kill, mutant in zip(report.kills, bound.mutants, strict=True):
        assert kill.killed and kill.killer == f"instance: {mutant.killer}", kill
        assert kill.witness is not None and replay(kill.witness, bound)


@pytest.mark.x64
@pytest.mark.parametrize("name", MEMORY_NOISES)
def test_engine_channels_and_kraus_sums_in_mpmath_agree(name):
    structure = STRUCTURES["sic"](2)
    row, strengths = MEMORY_NOISES[name], STRENGTHS[name]
    turn = np.linalg.qr(np.arange(16).reshape(4, 4) % 7 + 1j * np.eye(4))[0]
    between = (turn,) if row.place == "interleaved" else ()
    found = exact_statistics(structure, row.circuit(strengths, 2, 2, between))
    exact = precise_statistics(
        np.asarray(structure.states[0]), np.asarray(structure.effects[0]), 2, 4,
        precise_noise(name, strengths, 2, between), digits=30,
    )  # fmt: skip
    assert abs(found.member - float(exact["p"])) < 1e-13
    assert abs(found.other - float(exact["a"])) < 1e-13
    assert abs(found.holevo - float(exact["chi"])) < 1e-12


@pytest.mark.x64
@pytest.mark.parametrize("name", MEMORY_NOISES)
def test_random_structures_respect_a1_and_come_close(name, key):
    row = MEMORY_NOISES[name]
    values = random_structures(key, 300, name).values
    kappa = np.asarray([
        float(evaluate(row.kappa, {k: values[k][i] for k in (*row.names, "T")}, 30))
        for i in range(300)
    ])  # fmt: skip
    room = values["m"] * kappa
    assert np.all(values["chi"] <= room + 1e-10)
    assert np.max(values["chi"] / np.maximum(room, 1e-3)) > 0.6


def _choi_minus_replacement(population: float, excited: float, mu: float) -> float:
    """Largest over sigma of the smallest eigenvalue of J - mu I (x) sigma."""
    gamma, best = 1 - population, -1.0
    low, high = 1 - gamma * excited, 1 - gamma * (1 - excited)
    choi = np.diag([low, gamma * excited, gamma * (1 - excited), high])
    choi[0, 3] = choi[3, 0] = np.sqrt(population)
    for share in np.linspace(0, 1, 2001):
        sigma = np.kron(np.eye(2), np.diag([1 - share, share]))
        best = max(best, np.linalg.eigvalsh(choi - mu * sigma)[0])
    return best


@pytest.mark.parametrize(
    ("population", "excited"), [(0.3, 0.5), (0.3, 0.05), (0.7, 0.1), (0.1, 0.8)]
)
def test_the_replaced_part_of_damping_is_the_largest_possible(population, excited):
    mu = float(evaluate(replaced_by_damping(eta, exc), {"eta": population,
                                                        "exc": excited}))  # fmt: skip
    assert _choi_minus_replacement(population, excited, 0.999 * mu) > -1e-6
    assert _choi_minus_replacement(population, excited, 1.02 * mu) < -1e-5


@pytest.mark.parametrize(
    ("population", "bits"), [(0.9, 1.708), (0.5, 1.0), (0.3, 0.6779), (0.01, 0.0521)]
)
def test_assisted_capacity_of_damping_is_the_maximum_over_inputs(population, bits):
    def entropy(p):
        return -p * np.log2(p) - (1 - p) * np.log2(1 - p)

    p = np.linspace(1e-6, 1 - 1e-6, 200_001)
    information = entropy(p) + entropy(population * p) - entropy((1 - population) * p)
    fast = float(damping_assisted_capacity(population))
    assert abs(fast - information.max()) < 1e-8 and abs(fast - bits) < 6e-4
    with mpmath.workdps(30):
        slow = assisted_damping.precise(mpmath.mpf(population))
    assert abs(fast - float(slow)) < 1e-12


def test_capacity_of_cold_damping_is_one_at_rest_and_zero_when_all_decayed():
    for population, bits in ((0, 0), (1, 1)):
        assert evaluate(damping_bits(eta**T), {"eta": population, "T": 1}) == bits


@pytest.mark.x64
def test_a2_is_not_claimed_near_its_pole_and_false_there(key):
    bound = BOUNDS["A2"]()
    wide = dataclasses.replace(bound, where=(), mutants=(), random=None)
    report = verify(key, wide, SMOKE)
    assert report.status == "REFUTED"
    names = {witness.name for witness in report.witnesses}
    assert "repetition code: m=19, T=69, eps=1/100" in names
    assert verify(key, bound, SMOKE).status == "PROVED"


def test_domain_relations_are_inequalities_of_the_bounds_symbols():
    bound = BOUNDS["A2"]()
    inside = {"n": 1, "b": 4, "m": 2, "p": 1, "a": 0, "T": 1, "lam": 1}
    assert bound.claimed_at(inside)
    assert not bound.claimed_at({**inside, "T": 50, "lam": sp.Rational(98, 100)})
    assert not bound.claimed_at({**inside, "p": sp.Rational(1, 2)})


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("name", FAMILY)
def test_no_false_refutation_in_a_hundred_thousand_random_structures(name, key):
    # Nothing but the random structures: a mutant would replay its violations too.
    alone = {"steps": (), "instances": (), "mutants": (), "attacks": ()}
    bound = dataclasses.replace(BOUNDS[name](), **alone)
    # Some five hundred must be replayed; the others are near-equalities.
    budget = Budget(100_000, shots=0, restarts=0.0, programs=False, max_replays=1000)
    report = verify(key, bound, budget)
    assert report.stage("exact").verdict == "passed", report.stage("exact").summary
