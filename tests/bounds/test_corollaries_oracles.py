"""A3, A4, A5, A8, A9 and lemmas L4, L5, L7 against plain NumPy and closed forms."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.bounds.lemmas import contraction, distance, one_qubit_contraction
from qjax.bounds.lemmas.table import LEMMAS
from qjax.bounds.memory.fingerprints import fingerprint_filter
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.readout import readout_values
from qjax.bounds.memory.refresh import refreshed_bit, refreshing_circuit
from qjax.bounds.memory.state_pairs import evolved_pair, pair_errors
from qjax.bounds.memory.stored_codes import code_success, good_measurement, success
from qjax.bounds.proofs import proof_text, step_numbers
from qjax.bounds.strategies import density_matrices, effects
from qjax.bounds.theorems.a3 import answers
from qjax.bounds.theorems.a4 import basis_pair, scrambling
from qjax.bounds.theorems.a8 import opposite_pairs
from qjax.bounds.theorems.a9 import filter_values


def entropy(rho: np.ndarray) -> float:
    values = np.linalg.eigvalsh(rho)
    values = values[values > 1e-15]
    return float(-values @ np.log2(values))


def divergence(rho: np.ndarray) -> float:
    """D(rho || I/d) in bits."""
    return math.log2(len(rho)) - entropy(rho)


def replaced(rho: np.ndarray, wires: tuple[int, ...]) -> np.ndarray:
    """The wires made maximally mixed: a twirl over all Paulis, in plain NumPy."""
    paulis = [np.eye(2), np.asarray([[0, 1], [1, 0]]), np.diag([1, -1])]
    paulis.append(paulis[1] @ paulis[2])
    count = len(rho).bit_length() - 1
    total = np.zeros_like(rho, dtype=complex)
    for word in itertools.product(paulis, repeat=len(wires)):
        full = np.ones((1, 1))
        for wire in range(count):
            part = word[wires.index(wire)] if wire in wires else np.eye(2)
            full = np.kron(full, part)
        total += full @ rho @ full.conj().T
    return total / 4 ** len(wires)


def replacing(rho: np.ndarray, level: float, blocks) -> np.ndarray:
    for block in blocks:
        rho = level * rho + (1 - level) * replaced(rho, block)
    return rho


# --- lemmas ---


def test_texts_of_the_lemmas_have_the_steps_of_the_code():
    for module in (contraction, one_qubit_contraction, distance):
        name = module.__name__.rsplit(".", 1)[1]
        numbers = tuple(step.number for step in module.STEPS)
        assert numbers == step_numbers(proof_text(f"lemmas/{name}"))
        assert LEMMAS[name] == module.STEPS


@pytest.mark.parametrize(
    "step",
    [*contraction.STEPS, *one_qubit_contraction.STEPS, *distance.STEPS],
    ids=lambda step: step.number,
)
def test_every_step_of_the_lemmas_closes(step):
    found = step.check()
    assert found is True or found.closed is True


def test_a_set_function_that_is_not_supermodular_breaks_the_mean_bound(monkeypatch):
    """Red if L4.6 did not depend on the gaps of L4.4: a wrong gap must not add up."""
    wrong = lambda count: frozenset(range(2, count + 2))  # noqa: E731
    assert contraction.mean_bound()
    monkeypatch.setattr(contraction, "_first", wrong)
    with pytest.raises(KeyError):
        contraction.mean_bound()
    monkeypatch.undo()
    # sqrt|A| is submodular where |A|^2 is supermodular: only the latter contracts.
    for power, holds in ((2, True), (sp.Rational(1, 2), False)):
        mean = sum(
            math.comb(3, k) * sp.Rational(1, 3) ** k * sp.Rational(2, 3) ** (3 - k)
            * sp.Integer(k) ** power for k in range(4)
        )  # fmt: skip
        assert bool(mean <= sp.Rational(1, 3) * sp.Integer(3) ** power) is holds


@given(rho=density_matrices(3), level=st.floats(0, 1))
@settings(max_examples=40)
def test_block_noise_contracts_by_lambda_and_qubit_noise_by_lambda_squared(rho, level):
    before = divergence(rho)
    blocks = replacing(rho, level, [(0, 1), (2,)])
    assert divergence(blocks) <= level * before + 1e-9
    single = replacing(rho, level, [(0,), (1,), (2,)])
    assert divergence(single) <= level**2 * before + 1e-9


def test_a_pure_pair_refutes_lambda_squared_for_blocks():
    ket = np.zeros(4)
    ket[0] = 1
    noisy = replacing(np.outer(ket, ket), 0.1, [(0, 1)])
    ratio = divergence(noisy) / 2
    assert abs(ratio - 0.010207) < 1e-6 and ratio > 0.1**2


@pytest.mark.x64
@pytest.mark.parametrize("noise", ["interleaved", "block"])
def test_the_engine_replaces_what_numpy_replaces(noise):
    parts = np.random.default_rng(5).normal(size=(2, 2, 8))
    kets = parts[0] + 1j * parts[1]
    kets /= np.linalg.norm(kets, axis=1, keepdims=True)
    circuit = MEMORY_NOISES[noise].circuit({"lam": 0.7}, 1, 3)
    engine = evolved_pair(kets, circuit)
    blocks = [(0,), (1,), (2,)] if noise == "interleaved" else [(0, 1), (2,)]
    for ket, found in zip(kets, engine, strict=True):
        expected = replacing(np.outer(ket, ket.conj()), 0.7, blocks)
        assert np.max(np.abs(found - expected)) < 1e-14


@given(rho=density_matrices(2), sigma=density_matrices(2), effect=effects(2))
@settings(max_examples=40)
def test_no_test_beats_the_trace_distance_and_pinsker_limits_it(rho, sigma, effect):
    limit = np.abs(np.linalg.eigvalsh(rho - sigma)).sum() / 2
    assert np.trace(effect @ (rho - sigma)).real <= limit + 1e-12
    spread = max(divergence(rho), divergence(sigma))
    assert limit <= math.sqrt(2 * math.log(2) * spread) + 1e-9


# --- A3 ---


@pytest.mark.x64
def test_ideal_answers_have_exactly_the_floor():
    kets, answer = answers()["hidden in three"]
    for level in (0.0, 0.1, 0.9, 1.0):
        found = readout_values(kets, answer, "depolarizing", level)
        assert abs(found["alpha"] + found["beta"] - (1 - level)) < 1e-13
        assert abs(found["alpha0"]) + abs(found["beta0"]) < 1e-13
        damped = readout_values(kets, answer, "damping", 1 - level)
        assert abs(damped["beta"] - (1 - level)) < 1e-13
        assert abs(damped["alpha"]) < 1e-13


@pytest.mark.x64
def test_a_damped_qubit_read_along_x_has_the_lower_floor():
    kets = np.asarray([[1, 1], [1, -1]]) / math.sqrt(2)
    found = readout_values(kets, (), "damping", 0.36, np.full((2, 2), 0.5))
    assert abs(found["alpha"] + found["beta"] - (1 - 0.8)) < 1e-14


# --- A4 and A5 ---


@pytest.mark.x64
def test_pairs_have_the_errors_of_the_binomial_majority():
    for level in (0.2, 0.7):
        circuit = MEMORY_NOISES["interleaved"].circuit({"lam": level}, 1, 3)
        found = pair_errors(basis_pair(3), circuit)
        flip = (1 - level) / 2
        wrong = 3 * flip**2 * (1 - flip) + flip**3
        assert abs(found.alpha - wrong) < 1e-13 and abs(found.beta - wrong) < 1e-13


@pytest.mark.x64
def test_refreshing_keeps_a_bit_that_unital_noise_would_lose():
    level, rounds = 0.9, 40
    found = pair_errors(refreshed_bit(), refreshing_circuit(level, rounds))
    flip = (1 - level) / 2
    logical = 3 * flip**2 - 2 * flip**3
    gap = (1 - 2 * logical) ** rounds
    assert abs(1 - found.alpha - found.beta - gap) < 1e-12
    assert gap > 15 * math.sqrt(6 * math.log(2)) * level**rounds


def test_scrambling_is_unitary_and_repeatable():
    first, again = scrambling(2, 3, 4), scrambling(2, 3, 4)
    assert len(first) == 3
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)
        assert np.max(np.abs(one @ one.conj().T - np.eye(4))) < 1e-14


# --- A8 ---


@pytest.mark.x64
@pytest.mark.parametrize("noise", ["damping", "relaxation"])
def test_pairs_succeed_with_half_of_beta(noise):
    eta, coherence = 0.6, 0.65
    kets = opposite_pairs(1, "x")
    strengths = {"eta": eta, "exc": 0.0}
    expected = math.sqrt(eta) ** 2
    name = "generalized-damping"
    if noise == "relaxation":
        strengths["coh"], expected, name = coherence, coherence**2, noise
    found = code_success(kets, name, strengths, 2)
    assert abs(found - (1 + expected) / 2) < 1e-12
    poles = code_success(opposite_pairs(1, "z"), name, strengths, 2)
    assert abs(poles - (1 + eta**2) / 2) < 1e-12


@given(data=st.lists(density_matrices(1), min_size=2, max_size=4))
@settings(max_examples=25)
def test_measurements_are_measurements_and_optimal_for_pairs(data):
    states = np.stack(data)
    found = good_measurement(states)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert np.linalg.eigvalsh(np.eye(2) - found.sum(axis=0)).min() > -1e-12
    best = success(states[:2], good_measurement(states[:2]))
    limit = 0.5 + np.abs(np.linalg.eigvalsh(states[0] - states[1])).sum() / 4
    assert best <= limit + 1e-12


@pytest.mark.x64
def test_the_measurement_of_a_pair_is_nearly_helstroms():
    draw = np.random.default_rng(8)
    kets = draw.normal(size=(30, 2, 2)) + 1j * draw.normal(size=(30, 2, 2))
    kets /= np.linalg.norm(kets, axis=-1, keepdims=True)
    states = 0.9 * kets[..., :, None] * kets[..., None, :].conj() + 0.05 * np.eye(2)
    values = np.linalg.eigvalsh(states[:, 0] - states[:, 1])
    limit = 0.5 + np.abs(values).sum(axis=-1) / 4
    assert np.all(success(states, good_measurement(states)) > limit - 0.02)


# --- A9 ---


@pytest.mark.x64
@pytest.mark.parametrize(("n", "b", "j"), [(1, 4, 1), (2, 4, 1)])
def test_balanced_fingerprints_collide_as_counted(n, b, j):
    found = filter_values(fingerprint_filter(n, b, j, (0, 7), balanced=True))
    collide = (b // 2**j - 1) / (b - 1)
    assert found["p"] == 1 and found["m"] == n * j
    assert abs(found["a"] - collide) < 1e-13
    assert abs(found["chi"] - n * j) < 1e-12


def test_a_balanced_hash_must_divide_the_block():
    with pytest.raises(ValueError, match="`block_size` must be a multiple of 4"):
        fingerprint_filter(1, 6, 2, (0,), balanced=True)
