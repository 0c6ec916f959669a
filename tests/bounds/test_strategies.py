"""Every drawn object is valid, edges are drawn, and examples shrink to simple ones."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from qjax.bounds import binary_relative_entropy
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.strategies import (
    STORAGE_NOISES,
    any_states,
    channels,
    classical_states,
    clifford_unitaries,
    commuting_ensembles,
    density_matrices,
    ensembles,
    haar_states,
    helstrom_povm,
    informed_povms,
    noisy_membership_structures,
    povms,
    pretty_good_povm,
    probability_pairs,
    probability_vectors,
    product_states,
    pure_states,
    stabilizer_states,
    storage_noises,
    strengths,
    unitaries,
)

QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
SEARCH = settings(QUICK, max_examples=2000, database=None)

STATES = {
    "pure": pure_states, "stabilizer": stabilizer_states, "Haar": haar_states,
    "product": product_states, "classical": classical_states,
    "density": density_matrices, "any": any_states,
}  # fmt: skip
ZERO = np.diag([1.0, 0.0])


def assert_states(states):
    values = np.linalg.eigvalsh(states)
    assert np.allclose(states, states.conj().swapaxes(-1, -2), atol=1e-12)
    assert values.min() > -1e-12
    assert np.allclose(values.sum(axis=-1), 1, atol=1e-12)


def assert_povm(povm):
    assert np.linalg.eigvalsh(povm).min() > -1e-9
    assert np.allclose(povm.sum(axis=0), np.eye(povm.shape[1]), atol=1e-9)


def assert_channel(kraus):
    total = np.einsum("kji,kjl->il", kraus.conj(), kraus)
    assert np.allclose(total, np.eye(kraus.shape[1]), atol=1e-12)


def purity(rho):
    return np.trace(rho @ rho).real


@pytest.mark.parametrize("name", STATES)
def test_states_are_positive_with_trace_one(name):
    @QUICK
    @given(st.integers(1, 3).flatmap(STATES[name]))
    def check(rho):
        assert_states(rho)
        if name in ("pure", "stabilizer", "Haar"):
            assert purity(rho) == pytest.approx(1, abs=1e-12)

    check()


@pytest.mark.parametrize("name", STATES)
def test_states_shrink_to_the_ground_state(name):
    shrunk = find(STATES[name](1), lambda rho: True, settings=SEARCH)
    assert np.allclose(shrunk, ZERO)


@QUICK
@given(stabilizer_states(2))
def test_stabilizer_states_have_flat_pauli_spectra(rho):
    paulis = [np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], np.diag([1, -1])]
    means = [np.trace(np.kron(a, b) @ rho).real for a in paulis for b in paulis]
    assert sorted(np.round(np.abs(means), 9)) == [0] * 12 + [1] * 4


def test_stabilizer_states_reach_entanglement_in_few_gates():
    def entangled(rho):
        reduced = np.einsum("iaja->ij", rho.reshape(2, 2, 2, 2))
        return purity(reduced) < 0.51

    assert entangled(find(stabilizer_states(2), entangled, settings=SEARCH))


@QUICK
@given(clifford_unitaries(2), unitaries(2), st.integers(1, 4).flatmap(
    lambda k: channels(2, k)))  # fmt: skip
def test_unitaries_and_channels_keep_the_trace(clifford, unitary, kraus):
    assert_channel(clifford[None])
    assert_channel(unitary[None])
    assert_channel(kraus)


@QUICK
@given(st.integers(1, 2).flatmap(lambda n: ensembles(n, 3)))
def test_ensembles_have_states_and_weights(ensemble):
    assert_states(ensemble.states)
    assert ensemble.weights.sum() == pytest.approx(1) and ensemble.weights.min() >= 0
    assert_states(ensemble.average)


@QUICK
@given(commuting_ensembles(2, 3))
def test_classical_ensembles_commute(ensemble):
    assert_states(ensemble.states)
    products = np.einsum("xij,yjk->xyik", ensemble.states, ensemble.states)
    assert np.allclose(products, products.swapaxes(0, 1), atol=1e-12)


@QUICK
@given(st.tuples(st.integers(1, 2), st.integers(1, 4)).flatmap(lambda s: povms(*s)))
def test_povms_are_complete(povm):
    assert_povm(povm)


@QUICK
@given(ensembles(2, 3).flatmap(lambda e: st.tuples(st.just(e), informed_povms(e))))
def test_measurements_made_for_an_ensemble_are_complete(pair):
    ensemble, povm = pair
    assert len(povm) == len(ensemble.states)
    assert_povm(povm)
    assert_povm(pretty_good_povm(ensemble))


@QUICK
@given(ensembles(1, 2), povms(1, 2))
def test_no_measurement_beats_that_of_helstrom(ensemble, povm):
    def success(effects):
        weights, states = ensemble.weights, ensemble.states
        return np.einsum("x,xij,xji->", weights, states, effects).real

    best = success(helstrom_povm(ensemble))
    weighted = ensemble.weights[:, None, None] * ensemble.states
    norm = np.abs(np.linalg.eigvalsh(weighted[0] - weighted[1])).sum()
    assert best == pytest.approx((1 + norm) / 2, abs=1e-12)
    assert success(povm) <= best + 1e-9
    # Barnum and Knill: the pretty good measurement errs at most twice as often.
    assert 1 - success(pretty_good_povm(ensemble)) <= 2 * (1 - best) + 1e-5


@QUICK
@given(storage_noises())
def test_noises_are_channels_in_their_own_convention(noise):
    assert_channel(noise.kraus)
    values = noise.values
    out = [noise.on_every_wire(np.diag(row).astype(complex)) for row in np.eye(2)]
    plus = noise.on_every_wire(np.full((2, 2), 0.5, dtype=complex))
    excited, kept = out[1][1, 1].real, 2 * abs(plus[0, 1])
    coherence = {"lam": values.get("lam"), "eta": values.get("eta", 0) ** 0.5}
    if noise.name == "depolarizing":
        assert excited == pytest.approx((1 + values["lam"]) / 2)
        assert kept == pytest.approx(coherence["lam"], abs=1e-12)
    elif noise.name == "dephasing":
        assert excited == pytest.approx(1) and kept == pytest.approx(values["lam"])
    elif noise.name == "damping":
        assert excited == pytest.approx(values["eta"])
        assert kept == pytest.approx(coherence["eta"], abs=1e-12)
    elif noise.name in ("generalized-damping", "relaxation"):
        difference = excited - out[0][1, 1].real
        assert difference == pytest.approx(values["eta"], abs=1e-12)
        expected = values.get("coh", coherence["eta"])
        assert kept == pytest.approx(expected, abs=1e-12)
    else:
        assert kept == pytest.approx(1 - values["mu"], abs=1e-12)


@pytest.mark.parametrize("name", STORAGE_NOISES)
def test_every_noise_is_drawn_with_every_strength_at_both_edges(name):
    for parameter in MEMORY_NOISES[name].names:
        for edge in (0.0, 1.0):

            def at_edge(noise, parameter=parameter, edge=edge):
                return noise.values[parameter] == edge

            found = find(storage_noises((name,)), at_edge, settings=SEARCH)
            assert_channel(found.kraus)


@pytest.mark.parametrize(
    "wanted",
    [lambda s: s == 0, lambda s: s == 1, lambda s: 0 < s < 1e-6,
     lambda s: 1 - 1e-6 < s < 1, lambda s: 0.2 < s < 0.8],
)  # fmt: skip
def test_strengths_reach_edges_and_their_neighbourhoods(wanted):
    assert wanted(find(strengths(), wanted, settings=SEARCH))


def test_pairs_reach_what_is_hard_for_the_divergence():
    cases = (
        lambda p: p[0] == p[1] and 0 < p[0] < 1,
        lambda p: 0 < abs(p[0] - p[1]) < 1e-9,
        lambda p: p[0] > 0 and p[1] == 0,
        lambda p: p[0] == 0 and p[1] == 1,
    )
    for case in cases:
        p, q = find(probability_pairs(), case, settings=SEARCH)
        assert case((p, q)) and binary_relative_entropy(p, q) >= 0


@QUICK
@given(probability_pairs(), st.integers(1, 5).flatmap(probability_vectors))
def test_numbers_are_probabilities(pair, weights):
    assert all(0 <= each <= 1 for each in pair)
    assert weights.min() >= 0 and weights.sum() == pytest.approx(1)


@QUICK
@given(noisy_membership_structures())
def test_noisy_structures_hold_states_after_every_noise(sample):
    noisy = sample.noisy_states()
    assert noisy.shape == sample.structure.states.shape
    assert_states(noisy)
    if sample.layers == 0:
        assert np.allclose(noisy, sample.structure.states)


def test_a_broken_bound_is_found_and_shrunk_to_a_readable_state():
    # "Coherence of a qubit is at most 0.45" is false; the witness is |+><+| or alike.
    witness = find(stabilizer_states(1), lambda r: abs(r[0, 1]) > 0.45, settings=SEARCH)
    assert np.allclose(np.abs(witness), 0.5)


# --- a bound by user code: Corollary A7 with the public strategies ---


@QUICK
@given(any_states(2), st.lists(st.tuples(st.floats(-2, 2), st.integers(0, 1)),
                               max_size=4), storage_noises())  # fmt: skip
def test_rotations_insert_at_most_the_sine_of_half_their_angles(rho, turns, noise):
    after = rho
    for angle, wire in turns:
        phases = np.exp([-0.5j * angle, 0.5j * angle])
        full = np.kron(phases, [1, 1]) if wire == 0 else np.kron([1, 1], phases)
        after = full[:, None] * after * full.conj()
    gap = noise.on_every_wire(after) - noise.on_every_wire(rho)
    distance = np.abs(np.linalg.eigvalsh(gap)).sum() / 2
    total = sum(abs(angle) for angle, _ in turns)
    assert distance <= math.sin(min(total / 2, math.pi / 2)) + 1e-9


def test_the_same_code_finds_states_beyond_the_product_bound():
    def beyond(rho):
        phases = np.exp(-0.5j * 0.5 * np.asarray([2, 0, 0, -2]))
        after = phases[:, None] * rho * phases.conj()
        distance = np.abs(np.linalg.eigvalsh(after - rho)).sum() / 2
        return distance > math.sqrt(1 - math.cos(0.25) ** 4) + 1e-6

    witness = find(any_states(2), beyond, settings=SEARCH)
    assert beyond(witness)
