"""Attacks reach what is known to be attainable, refute what is false, and replay."""

import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from qjax.bounds.information import evaluate, h
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.search import (
    ascend,
    attack_contraction,
    attack_interleaved,
    attack_membership,
    attack_shot_law,
    gaussian_start,
    replay_candidate,
)
from qjax.bounds.search.contraction_attack import ContractionObjective
from qjax.bounds.search.layer_maps import layer_map
from qjax.bounds.search.membership_attack import NEEDED_BITS

pytestmark = pytest.mark.x64


def _replays(found):
    """The record survives JSON and gives the same ratio, close to the climbed one."""
    again = replay_candidate(json.loads(json.dumps(found.record)))
    assert again.ratio == found.replayed.ratio
    assert found.climbed == pytest.approx(float(again.ratio), rel=1e-6)
    return float(again.ratio)


def test_a1_attack_rediscovers_the_sic_filter_and_kills_a_capacity_typo(key):
    found = attack_membership(key, 1, 1, 4, {"lam": 0.8}, restarts=8, steps=150)
    assert 0.9999 <= _replays(found) and not found.refutes and found.dropped == 0
    values = found.replayed.values
    assert {"n", "b", "m", "T", "lam", "p", "a", "chi"} <= set(values)
    # chi is squeezed between the two sides.
    assert float(values["chi"]) == pytest.approx(float(evaluate(NEEDED_BITS, values)))
    lam, layers, m = sp.symbols("lam T m", nonnegative=True)
    typo = m * (1 - h((1 + lam ** (2 * layers)) / 2))  # mutant M2
    assert evaluate(NEEDED_BITS / typo, values) > 1.3


@pytest.mark.slow
def test_a1_attack_on_two_blocks_finds_more_than_the_random_access_code(key):
    # One stored bit answers block 1 and accepts all of block 2: p = 1, a = 1/2. That is
    # 2 log2(4/3) bits, above the 0.798 of the 2 -> 1 code.
    clean = attack_membership(key, 1, 2, 2, {"lam": 1.0}, restarts=128, steps=200)
    assert _replays(clean) == pytest.approx(2 * math.log2(4 / 3), abs=1e-6)
    noisy = attack_membership(key, 1, 2, 2, {"lam": 0.7}, restarts=128, steps=200)
    assert _replays(noisy) == pytest.approx(0.9471183, abs=1e-5)
    assert not clean.refutes and not noisy.refutes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "strengths", "noise", "low"),
    [
        ((1, 1, 3), {"lam": 0.8}, "depolarizing", 0.9999),
        ((1, 2, 3), {"lam": 1.0}, "depolarizing", 0.7509),
        ((2, 2, 2), {"lam": 0.7}, "depolarizing", 0.9999),
        ((1, 1, 2), {"lam": 0.3}, "dephasing", 0.9999),
        ((1, 1, 2), {"eta": 0.4}, "damping", 0.3),
        ((1, 1, 3), {"mu": 0.3, "exc": 0.2}, "replacement", 0.3),
    ],
)
def test_a1_attack_reaches_its_known_ratios(sizes, strengths, noise, low, key):
    m, n, b = sizes
    found = attack_membership(key, m, n, b, strengths, noise=noise)
    assert low <= _replays(found) and not found.refutes


def test_contraction_attack_supports_l5_and_l4_and_refutes_the_square_on_pairs(key):
    for survival in (0.1, 0.6):
        single = attack_contraction(key, survival, restarts=8, steps=100)
        assert 0.98 < _replays(single) and not single.refutes
        square = attack_contraction(key, survival, "block", 2, restarts=8, steps=100)
        assert square.refutes and _replays(square) > 1.02
        linear = attack_contraction(key, survival, "block", 1, restarts=8, steps=100)
        assert not linear.refutes
    pure = {"real": np.eye(4, 1).tolist(), "imag": np.zeros((4, 1)).tolist()}
    record = {"kind": "contraction", "lam": 0.1, "noise": "block", "exponent": 2}
    known = replay_candidate(record | {"purification": pure})
    assert float(known.ratio) == pytest.approx(1.0207, abs=1e-4)  # theory, L5


@pytest.mark.slow
def test_contraction_attack_with_the_wrong_sign_refutes_nothing(key):
    layer = layer_map(MEMORY_NOISES["block"], {"lam": 0.1}, 2)
    objective = ContractionObjective(layer, jnp.asarray(0.1**2))

    def downhill(params, progress):
        return -objective(params, progress)

    start = gaussian_start({"state": (2, 4, 4)})
    found = ascend(key, downhill, start, restarts=4, steps=100)
    assert -found.best <= 1


def test_interleaved_attack_meets_storage_and_does_not_pass_it(key):
    found = attack_interleaved(key, 2, 2, 0.6, restarts=8, steps=150)
    assert 0.9999 <= _replays(found) and not found.refutes
    # Against the exponent of a third layer the same circuit is a refutation.
    wrong = dict(found.replayed.values)
    kappa = evaluate(MEMORY_NOISES["depolarizing"].kappa, wrong | {"T": 3})
    assert wrong["D"] / (2 * kappa) > 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wires", "layers", "survival"),
    [(2, 2, 0.9), (2, 2, 0.3), (2, 3, 0.7), (2, 4, 0.5), (3, 2, 0.6), (3, 3, 0.5)],
)
def test_interleaved_attack_finds_ratio_one(wires, layers, survival, key):
    found = attack_interleaved(key, wires, layers, survival)
    assert 0.9999 <= _replays(found) and not found.refutes


@pytest.mark.slow
def test_shot_law_attack_meets_b_and_needs_anticommutation(key):
    found = attack_shot_law(key, ("X", "Z"), restarts=6, steps=150)
    assert 0.9999 <= _replays(found) and not found.refutes
    assert float(found.replayed.values["V"]) == pytest.approx(2, abs=1e-3)
    # Observables that commute share their shots: here one is asked for twice.
    commuting = attack_shot_law(key, ("X", "X"), restarts=6, steps=150)
    assert commuting.refutes and _replays(commuting) == pytest.approx(2, abs=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("X", "Y", "Z"), ("XI", "YI", "ZX", "ZY", "ZZ")])
def test_shot_law_attack_on_more_observables(words, key):
    found = attack_shot_law(key, words)
    assert 0.9999 <= _replays(found) and not found.refutes


def test_attacks_refuse_what_is_out_of_range(key):
    with pytest.raises(ValueError, match="`noise` must be one of"):
        attack_membership(key, 1, 1, 2, {"lam": 0.5}, noise="rain")
    with pytest.raises(ValueError, match="`strengths` must give lam"):
        attack_membership(key, 1, 1, 2, {"eta": 0.5})
    with pytest.raises(ValueError, match="leave some capacity"):
        attack_membership(key, 1, 1, 2, {"lam": 0.0})
    with pytest.raises(ValueError, match="`survival` must lie in"):
        attack_contraction(key, 1.0)
    with pytest.raises(ValueError, match="be Pauli words"):
        attack_shot_law(key, ("X", "II"))
    with pytest.raises(ValueError, match="`record` must be a candidate's"):
        replay_candidate({"kind": "rumour"})
