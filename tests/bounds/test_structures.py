"""Structures on the engine against closed forms, counting, and mpmath."""

import itertools
import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from qjax.bounds import (
    STRUCTURES,
    binary_relative_entropy,
    bloom_filter,
    depolarizing_capacity,
    exact_statistics,
    membership_information,
    qrac,
    repetition_code,
    sampled_acceptances,
    sic_filter,
    storage_noise,
)
from qjax.bounds.memory.ensembles import random_structures
from qjax.bounds.memory.precise import precise_noise, precise_statistics
from qjax.bounds.memory.structure import (
    QuantumDataStructure,
    acceptance_intervals,
    membership_table,
)
from qjax.bounds.memory.trivial import repetition_error
from qjax.bounds.strategies import density_matrices, effects, membership_structures

GRID = (0.0, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-9, 1.0)
SHOTS = 4000
ALPHA = 1e-5  # false alarm of one sampling test, for keys drawn at random


@pytest.mark.x64
@pytest.mark.parametrize("num_blocks", [1, 2])
def test_sic_filter_is_an_equality_at_every_survival(num_blocks):
    structure = sic_filter(num_blocks)
    for survival in GRID:
        found = exact_statistics(structure, storage_noise(survival, 1, num_blocks))
        p, a = min(float(found.member), 1.0), float(found.other)
        needed = float(membership_information(num_blocks, 4, p, a))
        available = num_blocks * float(depolarizing_capacity(survival))
        assert abs(needed - available) <= 1e-12, survival
        assert abs(float(found.holevo) - available) <= 1e-12, survival


@pytest.mark.x64
def test_layers_multiply_the_survival():
    structure = sic_filter(1)
    thrice = exact_statistics(structure, storage_noise(0.9, 3, 1))
    once = exact_statistics(structure, storage_noise(0.9**3, 1, 1))
    none = exact_statistics(structure, storage_noise(0.9, 0, 1))
    assert abs(float(thrice.member - once.member)) < 1e-14
    assert abs(float(thrice.holevo - once.holevo)) < 1e-13
    assert abs(float(none.member) - 1) < 1e-14


@pytest.mark.x64
@pytest.mark.parametrize(("bits", "value"), [(2, 2), (3, 3)])
def test_random_access_codes_reach_their_known_success(bits, value):
    found = exact_statistics(qrac(bits), storage_noise(1.0, 1, 1))
    success = (1 + 1 / math.sqrt(value)) / 2
    assert abs(float(found.member) - success) < 1e-14
    assert abs(float(found.other) - (1 - success)) < 1e-14


@pytest.mark.x64
def test_repetition_code_errs_with_the_binomial_tail():
    found = exact_statistics(repetition_code(3), storage_noise(0.6, 1, 3))
    assert abs(1 - float(found.member) - repetition_error(0.2, 3)) < 1e-14
    assert abs(float(found.other) - repetition_error(0.2, 3)) < 1e-14


@pytest.mark.x64
def test_bloom_filter_agrees_with_counting():
    n, b, cells_count, hashes, seed = 2, 4, 5, 2, 3
    found = exact_statistics(
        bloom_filter(n, b, cells_count, hashes, (seed,)), storage_noise(1.0, 1, 5)
    )
    draw = np.random.default_rng(seed)
    cells = [set(draw.choice(cells_count, size=hashes, replace=False).tolist())
             for _ in range(n * b)]  # fmt: skip
    words, accepted, asked = [], 0, 0
    for x, y in itertools.product(range(b), range(b)):
        stored = cells[x] | cells[b + y]
        words.append(frozenset(stored))
        for query in range(n * b):
            if query not in (x, b + y):
                asked += 1
                accepted += cells[query] <= stored
    shares = np.asarray([words.count(w) for w in set(words)]) / len(words)
    assert abs(float(found.member) - 1) < 1e-14
    assert abs(float(found.other) - accepted / asked) < 1e-13
    assert abs(float(found.holevo) + float(shares @ np.log2(shares))) < 1e-12


@pytest.mark.x64
@given(sample=membership_structures())
@settings(max_examples=25)
def test_a1_holds_for_drawn_structures_and_the_engine_agrees_with_mpmath(sample):
    structure = QuantumDataStructure(
        jnp.asarray(sample.states)[None] + 0j, jnp.asarray(sample.effects)[None] + 0j,
        sample.num_blocks, sample.block_size, "drawn",
    )  # fmt: skip
    noise = storage_noise(sample.survival, 1, structure.num_wires)
    found = exact_statistics(structure, noise)
    exact = precise_statistics(
        sample.states, sample.effects, sample.num_blocks, sample.block_size,
        precise_noise("depolarizing", {"lam": sample.survival}), digits=30,
    )  # fmt: skip
    assert abs(float(found.member) - float(exact["p"])) < 1e-12
    assert abs(float(found.other) - float(exact["a"])) < 1e-12
    assert abs(float(found.holevo) - float(exact["chi"])) < 1e-11
    p, a = (min(max(float(exact[name]), 0.0), 1.0) for name in ("p", "a"))
    needed = float(membership_information(sample.num_blocks, sample.block_size, p, a))
    kappa = float(depolarizing_capacity(sample.survival))
    assert needed <= float(exact["chi"]) + 1e-12
    assert float(exact["chi"]) <= structure.num_wires * kappa + 1e-12


def _matrix_log(rho: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(rho)
    return (vectors * np.log2(values)) @ vectors.conj().T


@given(data=density_matrices(2), other=density_matrices(2), effect=effects(2))
def test_data_processing_l2_for_drawn_states_and_effects(data, other, effect):
    # Full rank, so that both logarithms exist.
    rho, sigma = (0.99 * x + 0.01 * np.eye(4) / 4 for x in (data, other))
    divergence = np.trace(rho @ (_matrix_log(rho) - _matrix_log(sigma))).real
    # A certain outcome must not become an uncertain one by rounding.
    seen = [round(float(np.trace(effect @ x).real), 12) for x in (rho, sigma)]
    assert float(binary_relative_entropy(*seen)) <= divergence + 1e-9


@pytest.mark.x64
def test_a1_holds_in_a_thousand_random_structures(key):
    values = random_structures(key, 1000).values
    needed = membership_information(values["n"], values["b"], values["p"], values["a"])
    kappa = values["m"] * depolarizing_capacity(values["lam"])
    assert np.all(needed <= values["chi"] + 1e-11)
    assert np.all(values["chi"] <= kappa + 1e-11)
    # The instances come close: a test with large slack everywhere would prove nothing.
    assert np.max(needed / np.maximum(kappa, 1e-3)) > 0.6
    # And a bound that is a tenth too strong is violated by some of them.
    assert np.any(values["chi"] > 0.9 * kappa + 1e-9)


@pytest.mark.x64
@pytest.mark.parametrize("name", ["sic", "qrac"])
def test_sampled_acceptances_agree_with_exact_ones_and_a_mutant_does_not(name, key):
    structure = STRUCTURES[name](*((1,) if name == "sic" else (2,)))
    noise = storage_noise(0.8, 1, 1)
    exact = exact_statistics(structure, noise)
    counts = sampled_acceptances(key, structure, noise, SHOTS)
    member, other = acceptance_intervals(counts, SHOTS, 1 - ALPHA / 2)
    assert member[0] <= float(exact.member) <= member[1]
    assert other[0] <= float(exact.other) <= other[1]
    quiet = sampled_acceptances(key, structure, storage_noise(1.0, 1, 1), SHOTS)
    mutant, _ = acceptance_intervals(quiet, SHOTS, 1 - ALPHA / 2)
    assert not mutant[0] <= float(exact.member) <= mutant[1]


def test_membership_table_asks_each_block_once():
    table = membership_table(2, 3)
    assert table.shape == (6, 9)
    assert np.all(table[:3].sum(axis=0) == 1) and np.all(table[3:].sum(axis=0) == 1)
    assert table[0].tolist() == [True] * 3 + [False] * 6  # block 0 is the high digit


def test_structures_refuse_what_does_not_fit(key):
    with pytest.raises(ValueError, match="`num_bits` must be 2 or 3"):
        qrac(4)
    with pytest.raises(ValueError, match="`copies` must be odd"):
        repetition_code(2)
    with pytest.raises(ValueError, match="hold 4 sets and 4 queries"):
        one = jnp.ones((1, 3, 2, 2), complex)
        QuantumDataStructure(one, one, 2, 2, "wrong")
    with pytest.raises(ValueError, match="`shots` must be at least 1"):
        sampled_acceptances(key, sic_filter(1), storage_noise(1.0, 1, 1), 0)
