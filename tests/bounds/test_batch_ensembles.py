"""Random batches: their replay at 50 digits, and that they come close to the bounds."""

import json

import mpmath
import numpy as np
import pytest

from qjax.bounds.batches.batch_ensembles import LAWS, depolarize, random_batches
from qjax.bounds.batches.batch_replay import replay_batch
from qjax.bounds.information import binary_entropy, depolarizing_capacity

pytestmark = pytest.mark.x64


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("noisy", [False, True])
def test_the_replay_agrees_with_float64(law, noisy, key):
    batch = random_batches(key, 12, law, noisy)
    for index in range(12):
        record = json.loads(json.dumps(batch.serialise(index)))
        exact = replay_batch(record)
        for name, value in exact.items():
            fast = float(batch.values[name][index])
            assert fast == pytest.approx(float(value), abs=1e-11), (law, index, name)


def test_replayed_batches_are_exact_to_their_precision(key):
    """chi <= m and p <= 2^m/2^B hold to 45 digits: states and bases are exact there."""
    batch = random_batches(key, 10, "signs", True)
    for index in range(10):
        found = batch.replay(index)
        with mpmath.workdps(50):
            lam = mpmath.mpf(found["lam"])
            most = (1 + lam) ** found["m"] / mpmath.mpf(2) ** found["B"]
            assert found["p"] <= most + mpmath.mpf("1e-45")
            assert found["I"] <= found["chi"] + mpmath.mpf("1e-45")


def test_noise_of_random_batches_against_paulis():
    draw = np.random.default_rng(3)
    raw = draw.normal(size=(2, 1, 4, 4)) + 1j * draw.normal(size=(2, 1, 4, 4))
    states = raw @ raw.conj().swapaxes(-1, -2)
    levels = np.array([0.3, 0.8])
    found = depolarize(states, levels, 2)
    for level, before, after in zip(levels, states[:, 0], found[:, 0], strict=True):
        expected = before
        for wire in (0, 1):
            total = (1 + 3 * level) / 4 * expected
            for pauli in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]):
                pair = (pauli, np.eye(2)) if wire == 0 else (np.eye(2), pauli)
                full = np.kron(*pair)
                total = total + (1 - level) / 4 * full @ expected @ full.conj().T
            expected = total
        np.testing.assert_allclose(after, expected, atol=1e-13)


def _ratios(law, values):
    """Left over right side of the bound that the law is for."""
    budget = values["c"] * values["chi"]
    if law == "real":
        return values["S"] / (np.log(2) / 2 * budget)
    if law == "signs":
        return values["B"] * values["Phi"] / budget
    if law == "normal":
        return -values["B"] * np.log2(values["g"]) / 2 / budget
    error, size = values["delta"], values["a"]
    rest = binary_entropy(error) + error * np.log2(size - 1)
    return values["B"] * (np.log2(size) - rest) / budget


@pytest.mark.parametrize(
    ("law", "close"),
    [("real", 0.9), ("signs", 0.99), ("uniform", 0.99), ("normal", 0.6)],
)
def test_random_batches_come_close_and_never_exceed(law, close, key):
    values = random_batches(key, 2000, law).values
    informed = values["c"] * values["chi"] > 1e-6
    ratios = _ratios(law, {name: x[informed] for name, x in values.items()})
    assert ratios.max() < 1 + 1e-8
    assert np.quantile(ratios, 0.9) > close * 0.9 and ratios.max() > close
    # Red if the measurements were random: a claim 5 % beyond the bound would survive.
    assert law == "normal" or np.mean(ratios > 1 / 1.05) > 0.02


def test_random_memories_come_close_to_the_size_of_a_batch(key):
    values = random_batches(key, 2000, "signs", True).values
    kappa = depolarizing_capacity(values["lam"])
    each = values["B"] * (1 - binary_entropy(values["delta"])) / (values["m"] * kappa)
    whole = values["p"] * 2.0 ** values["B"] / (1 + values["lam"]) ** values["m"]
    for ratio in (each, whole):
        assert 0.99 < ratio.max() < 1 + 1e-9
        assert np.mean(ratio > 1 / 1.05) > 0.02


def test_draws_repeat_and_depend_on_the_key(getkey):
    first, second = getkey(), getkey()
    same = [random_batches(first, 5, "real").values["chi"] for _ in range(2)]
    np.testing.assert_array_equal(*same)
    other = random_batches(second, 5, "real").values["chi"]
    assert not np.array_equal(same[0], other)


def test_unknown_laws_are_refused(key):
    with pytest.raises(ValueError, match="`law` must be one of"):
        random_batches(key, 5, "cauchy")
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        random_batches(key, 0, "real")
