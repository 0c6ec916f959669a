"""Batch memories against plain NumPy, mpmath and closed forms that they do not use."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from qjax.bounds.batches.batch_instances import (
    access_code,
    copied_bit,
    named_corner,
    named_word,
    normal_bins,
    quantised_values,
    stored_bits,
    stored_symbol,
    superdense_values,
    tilted_values,
    untouched_coins,
    voting_filter,
)
from qjax.bounds.batches.batch_memories import (
    BatchMemory,
    batch_values,
    best_bases,
    law_statistics,
    noisy_register,
    outcome_table,
    projective,
    wrong_guesses,
)
from qjax.bounds.information import depolarizing_capacity
from qjax.bounds.memory.instances import TETRAHEDRON

pytestmark = pytest.mark.x64


def _coin(p):
    return -sum(x * math.log2(x) for x in (p, 1 - p) if x > 0)


def _noise_by_kraus(rho, level, wires=(0, 1)):
    """Depolarizing noise as a sum over Paulis, in NumPy."""
    paulis = [np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    weights = [(1 + 3 * level) / 4] + [(1 - level) / 4] * 3
    for wire in wires:
        total = np.zeros_like(rho)
        for weight, pauli in zip(weights, paulis, strict=True):
            pair = (pauli, np.eye(2)) if wire == 0 else (np.eye(2), pauli)
            full = np.kron(*pair)
            total = total + weight * full @ rho @ full.conj().T
        rho = total
    return rho


@pytest.mark.parametrize("level", [0.0, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("count", [1, 2])
def test_stored_bits_meet_their_closed_forms(count, level):
    found = batch_values(stored_bits(count), level)
    flip = (1 - level) / 2
    assert found["Delta"] == pytest.approx(level**2, abs=1e-12)
    assert found["chi"] == pytest.approx(count * (1 - _coin(flip)), abs=1e-12)
    assert found["I"] == pytest.approx(count * (1 - _coin(flip)), abs=1e-12)
    assert found["S"] == pytest.approx(count * level**2 / 4, abs=1e-12)
    assert found["delta"] == pytest.approx(flip, abs=1e-12)
    assert found["r"] == 2 and found["B"] == found["m"] == count


def test_layers_multiply():
    three, once = (
        batch_values(stored_bits(2), 0.7, 3),
        batch_values(stored_bits(2), 0.343),
    )
    for name in ("chi", "Delta", "Phi", "delta"):
        assert three[name] == pytest.approx(once[name], abs=1e-12)


@pytest.mark.parametrize(("count", "delta"), [(2, 1 / 2), (3, 1 / 3)])
def test_access_codes_explain_one_part_in_b(count, delta):
    for level in (1.0, 0.7):
        found = batch_values(access_code(count), level)
        assert found["Delta"] == pytest.approx(delta * level**2, abs=1e-12)
        assert found["chi"] == pytest.approx(1 - _coin((1 + level) / 2), abs=1e-12)
    # The figures of the text: the bound on the mean of Delta at chi = 1.
    limit = scipy.optimize.brentq(
        lambda u: depolarizing_capacity(math.sqrt(u)) - 1 / count, 0, 1
    )
    assert limit == pytest.approx({2: 0.6083, 3: 0.4252}[count], abs=5e-5)
    assert delta < limit


def test_two_copies_of_a_bit_against_bayes():
    level = 0.3
    found = batch_values(copied_bit(), level)
    right = (1 + level) / 2
    delta = 0.0
    for votes in itertools.product((0, 1), repeat=2):
        chances = [math.prod(right if v == x else 1 - right for v in votes)
                   for x in (0, 1)]  # fmt: skip
        total = sum(chances) / 2
        delta += total * ((chances[0] - chances[1]) / sum(chances)) ** 2
    assert found["Delta"] == pytest.approx(delta, abs=1e-12)
    assert found["c"] == 2
    assert found["chi"] == pytest.approx(1 - _coin(right), abs=1e-12)
    assert found["S"] > math.log(2) / 2 * found["chi"]  # the factor c is needed


def test_a_memory_that_knows_nothing_explains_nothing():
    found = batch_values(untouched_coins(2), 0.9)
    assert found["chi"] == found["S"] == found["I"] == 0.0
    assert found["delta"] == pytest.approx(0.5) and found["g"] == 1.0


def test_noise_on_the_engine_is_a_pauli_mixture():
    memory = access_code(3)
    noisy = noisy_register(memory.register, 0.37, 2)
    for before, after in zip(memory.register, noisy, strict=True):
        expected = _noise_by_kraus(_noise_by_kraus(before, 0.37), 0.37)
        np.testing.assert_allclose(after, expected, atol=1e-13)


def test_born_probabilities_on_the_engine(key):
    states = noisy_register(access_code(2).register, 0.8, 1)
    effects = np.asarray(access_code(2).effects)
    expected = np.einsum("byij,xji->byx", effects, states).real
    np.testing.assert_allclose(outcome_table(states, effects), expected, atol=1e-13)


def test_no_measurement_explains_more_than_personicks():
    draw = np.random.default_rng(5)
    raw = draw.normal(size=(6, 4, 4)) + 1j * draw.normal(size=(6, 4, 4))
    states = raw @ raw.conj().swapaxes(-1, -2)
    states /= np.trace(states, axis1=1, axis2=2)[:, None, None]
    prior, answers = draw.dirichlet(np.ones(6)), draw.normal(size=(1, 6))
    mean = np.einsum("x,xij->ij", prior, states)

    def explained(basis):
        chances = np.einsum("yij,xji->yx", projective(basis), states).real * prior
        total = chances.sum(axis=1)
        means = chances @ answers[0] / total
        return total @ (means - prior @ answers[0]) ** 2

    best = best_bases(states, prior, answers)[0]
    moved = np.einsum("x,xij->ij", prior * (answers[0] - prior @ answers[0]), states)
    # (s L + L s)/2 = D as a linear system, solved by brute force.
    one = np.eye(4)
    lyapunov = (np.kron(mean, one) + np.kron(one, mean.T)) / 2
    slope = np.linalg.solve(lyapunov, moved.reshape(-1)).reshape(4, 4)
    limit = np.trace(mean @ slope @ slope).real
    assert explained(best) == pytest.approx(limit, rel=1e-10)
    for _ in range(300):
        other = draw.normal(size=(4, 4)) + 1j * draw.normal(size=(4, 4))
        assert explained(np.linalg.qr(other)[0]) <= limit + 1e-12


def test_law_statistics_against_a_loop():
    draw = np.random.default_rng(8)
    joint = draw.dirichlet(np.ones(12), size=2).reshape(2, 3, 4)
    values = draw.normal(size=(2, 3))
    found = law_statistics(joint, values, np.array([True, True]))
    total = {"S": 0.0, "I": 0.0, "delta": 0.0, "Delta": 0.0, "g": 1.0}
    for law, x in zip(joint, values, strict=True):
        p, q = law.sum(axis=1), law.sum(axis=0)
        mean = p @ x
        variance = p @ (x - mean) ** 2
        left = sum(
            law[v, y] * (x[v] - law[:, y] @ x / q[y]) ** 2
            for v in range(3) for y in range(4)
        )  # fmt: skip
        total["S"] += (variance - left) / (x.max() - x.min()) ** 2
        total["I"] += sum(
            law[v, y] * math.log2(law[v, y] / (p[v] * q[y]))
            for v in range(3) for y in range(4)
        )  # fmt: skip
        total["delta"] += (1 - law.max(axis=0).sum()) / 2
        total["Delta"] += (1 - left / variance) / 2
        total["g"] *= math.sqrt(left / variance)
    for name, value in total.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("size", [2, 3, 4])
def test_symbols_replaced_at_random_attain_fano(size):
    error = 0.2
    found = batch_values(stored_symbol(size, error))
    fano = math.log2(size) - _coin(error) - error * math.log2(size - 1)
    assert found["delta"] == pytest.approx(error, abs=1e-12)
    assert found["chi"] == pytest.approx(fano, abs=1e-12)


def test_bins_of_a_normal_variable_against_quadrature():
    thresholds = np.array([-0.9816, 0.0, 0.9816])
    weights, means = normal_bins(thresholds)
    ends = [-mpmath.inf, *thresholds, mpmath.inf]
    for k in range(4):
        mass = mpmath.quad(mpmath.npdf, [ends[k], ends[k + 1]])
        first = mpmath.quad(lambda x: x * mpmath.npdf(x), [ends[k], ends[k + 1]])
        assert weights[k] == pytest.approx(float(mass), rel=1e-10)
        assert means[k] == pytest.approx(float(first / mass), rel=1e-9)
    four = quantised_values(tuple(thresholds), 1, 1.0)
    assert four["g"] == pytest.approx(0.1175, abs=1e-4)  # Max 1960, four levels
    one = quantised_values((0.0,), 1, 0.6)
    assert one["g"] == pytest.approx(1 - 0.36 * 2 / math.pi, abs=1e-12)


def test_a_tilted_bit_meets_its_series():
    tilt = 0.1
    found = tilted_values(tilt)
    assert found["g"] == pytest.approx(1 - tilt**2, abs=1e-12)
    chi = mpmath.quad(
        lambda x: mpmath.npdf(x) * (1 - _coin_mp((1 + tilt * x) / 2)), [-9.9, 0, 9.9]
    )
    assert found["chi"] == pytest.approx(float(chi), rel=1e-9)
    series = (tilt**2 / 2 + tilt**4 / 4 + tilt**6 / 2) / math.log(2)
    assert found["chi"] == pytest.approx(series, rel=1e-5)


def _coin_mp(p):
    return -p * mpmath.log(p, 2) - (1 - p) * mpmath.log(1 - p, 2)


@pytest.mark.parametrize("level", [0.0, 0.6, 1.0])
def test_words_are_named_as_well_as_the_bound_allows(level):
    corner = batch_values(named_corner(np.asarray(TETRAHEDRON)), level)
    assert corner["p"] == pytest.approx((1 + level) / 4, abs=1e-12)
    word = batch_values(named_word(2), level)
    assert word["p"] == pytest.approx(((1 + level) / 2) ** 2, abs=1e-12)


def test_superdense_coding_names_two_bits():
    assert superdense_values()["p"] == pytest.approx(1.0, abs=1e-12)


def test_votes_of_filters_against_the_binomial_law():
    found = voting_filter(0.8, 21, 14)
    for name, rate in (("p", 0.9), ("alpha", (3 - 0.8) / 6)):
        assert found[name] == pytest.approx(
            scipy.stats.binom.sf(13, 21, rate), rel=1e-9
        )


def test_wrong_guesses_follow_the_simulated_error(key):
    memory, shots = access_code(3), 20_000
    error = batch_values(memory, 0.7)["delta"]
    wrong = wrong_guesses(key, memory, 0.7, 1, shots)
    assert scipy.stats.binomtest(wrong, shots, error).pvalue > 1e-6
    assert scipy.stats.binomtest(wrong, shots, error * 0.9).pvalue < 1e-6


def test_copies_that_do_not_fit_are_refused(key):
    bits = stored_bits(1)
    with pytest.raises(ValueError, match="fill at most 2 qubits"):
        BatchMemory(bits.register, bits.prior, bits.digits, bits.values, 2, 2)
    with pytest.raises(ValueError, match="explicit effects"):
        wrong_guesses(key, copied_bit(), 0.5, 1, 10)
    with pytest.raises(ValueError, match="be 2 or 3"):
        access_code(4)
