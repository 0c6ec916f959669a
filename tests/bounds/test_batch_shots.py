"""Shot laws: unbiased estimators, anticommuting observables, exchangeable shots."""

import itertools
import json

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from qjax.bounds.batches.exchangeable import (
    entangled_probes,
    exchangeable_values,
    outcome_moments,
    random_outcomes,
    replay_outcomes,
)
from qjax.bounds.batches.shot_ensembles import (
    GAMMAS,
    random_anticommuting,
    random_shots,
)
from qjax.bounds.batches.shot_estimators import least_variances, replay_shots, whiten
from qjax.bounds.batches.shot_instances import (
    SIGNS,
    commuting_values,
    corner_values,
    gammas,
    mixed_state,
    one_at_a_time,
    paired_values,
    paulis,
    tilted_state,
)
from qjax.bounds.theorems.literal_b import batch_variances

pytestmark = pytest.mark.x64


def _state(draw, size):
    raw = draw.normal(size=(size, size)) + 1j * draw.normal(size=(size, size))
    rho = raw @ raw.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize("size", [2, 4])
def test_best_estimators_against_a_general_optimiser(size):
    draw = np.random.default_rng(size)
    count = size**2 + 3
    raw = draw.normal(size=(count, size)) + 1j * draw.normal(size=(count, size))
    kets = whiten(raw)
    np.testing.assert_allclose(
        np.einsum("ki,kj->ij", kets, kets.conj()), np.eye(size), atol=1e-12
    )
    rho = _state(draw, size)
    observable = _state(draw, size)
    found = least_variances(kets, rho, observable[None])[0]
    effects = np.einsum("ki,kj->kij", kets, kets.conj())
    chances = np.einsum("kij,ji->k", effects, rho).real
    rows = effects.reshape(count, -1).T
    constraints = np.concatenate([rows.real, rows.imag])
    target = np.concatenate([observable.reshape(-1).real, observable.reshape(-1).imag])
    # Every solution is a particular one plus the kernel; minimise over the kernel.
    start = np.linalg.lstsq(constraints, target, rcond=None)[0]
    _, values, right = np.linalg.svd(constraints)
    kernel = right[np.sum(values > 1e-10) :]
    assert len(kernel) == 3
    best = scipy.optimize.minimize(
        lambda z: chances @ (start + z @ kernel) ** 2, np.zeros(3), tol=1e-14
    )
    mean = np.trace(rho @ observable).real
    assert found == pytest.approx(best.fun - mean**2, rel=1e-7)
    own = np.trace(rho @ observable @ observable).real - mean**2
    assert found >= own


def test_the_eigenbasis_estimates_with_the_variance_of_the_state():
    draw = np.random.default_rng(1)
    rho, observable = _state(draw, 2), _state(draw, 2)
    basis = np.linalg.eigh(observable)[1].T
    spread = draw.normal(size=(6, 2)) + 1j * draw.normal(size=(6, 2))
    own = np.trace(rho @ observable @ observable) - np.trace(rho @ observable) ** 2
    for blur in (1e-3, 1e-6):
        kets = np.concatenate(
            [np.sqrt(1 - blur) * basis, np.sqrt(blur) * whiten(spread)]
        )
        found = least_variances(whiten(kets), rho, observable[None])[0]
        assert own.real <= found <= own.real * (1 + 100 * blur)


@pytest.mark.parametrize("draw", [random_shots, random_anticommuting])
def test_shots_replay_at_fifty_digits(draw, key):
    batch = draw(key, 6)
    for index in range(6):
        exact = replay_shots(json.loads(json.dumps(batch.serialise(index))))
        for name in batch.values:
            fast = float(batch.values[name][index])
            assert fast == pytest.approx(float(exact[name]), rel=1e-8), (index, name)


def test_random_shots_come_close_and_never_gain_more_than_b(key):
    values = random_shots(key, 3000).values
    ratio = values["u"] / (values["B"] * values["w"])
    assert 0.999 < ratio.max() < 1 and np.mean(ratio > 1 / 1.05) > 0.1
    values = random_anticommuting(key, 3000).values
    ratio = values["B"] / (values["c"] * values["w"])
    assert 0.9999 < ratio.max() < 1 and np.mean(ratio > 1 / 1.05) > 0.1


def test_gammas_anticommute():
    for size, table in GAMMAS.items():
        for first, second in itertools.combinations(table, 2):
            assert np.allclose(first @ second + second @ first, 0)
        assert all(np.allclose(one @ one, np.eye(size)) for one in table)


def test_commuting_paulis_share_every_shot():
    state = tilted_state(0.8)[0]
    found = commuting_values(0.8, 12)
    z = np.diag([1.0, -1.0])
    table = [np.kron(z, np.eye(2)), np.kron(np.eye(2), z), np.kron(z, z)]
    np.testing.assert_array_equal(SIGNS, [np.diag(matrix) for matrix in table])
    own = [1 - np.trace(state @ matrix).real ** 2 for matrix in table]
    assert found["w"] == pytest.approx(np.mean(own) / 12, rel=1e-12)
    assert found["u"] == pytest.approx(3 * np.mean(own) / 12, rel=1e-12)


@pytest.mark.parametrize("count", [2, 4, 5])
def test_one_at_a_time_has_variance_b_in_the_mixed_state(count):
    found = one_at_a_time(mixed_state(), gammas(count), 7)
    assert found["w"] == pytest.approx(count / 7, rel=1e-12)
    assert found["w"] == pytest.approx(found["u"], rel=1e-12)


def test_one_at_a_time_in_an_eigenstate():
    found = one_at_a_time(tilted_state(1.0, 0.0), paulis("XZ"), 1)
    # Z: 2 - 1; X: 2 - <X>^2 with theta = 0.
    assert found["w"] == pytest.approx(1.5, abs=1e-12)


def test_corners_and_pairs_of_copies():
    assert corner_values(1)["w"] == pytest.approx(3.0, rel=1e-12)
    paired = paired_values()
    assert paired["c"] == 2 and paired["w"] == pytest.approx(1.0, rel=1e-12)
    # Unbiased on every state: sum_k f_k Tr(G_k rho x rho) = Bloch vector of rho.
    directions = np.concatenate([np.eye(3), -np.eye(3)])
    for vector in (np.array([0.3, -0.5, 0.2]), np.array([0.0, 0.0, 1.0])):
        chances = (1 + directions @ vector) ** 2 / 8
        assert chances.sum() + (1 - vector @ vector) / 4 == pytest.approx(1.0)
        np.testing.assert_allclose(2 * chances @ directions, vector, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "count", "r"), [("cat", 4, 1.0), ("half", 4, -1 / 3), ("half", 2, -1.0),
                             ("singlet", 2, -1.0), ("product", 4, 0.0)]
)  # fmt: skip
def test_correlations_of_entangled_probes(kind, count, r):
    found = exchangeable_values(kind, count, 1.0)
    assert found["r"] == pytest.approx(r, abs=1e-12)
    sigma = 1 - np.cos(1.0) ** 2 if kind == "product" else 1.0
    assert found["s2"] == pytest.approx(sigma, abs=1e-12)
    # One layer multiplies every correlation by lambda^2.
    noisy = exchangeable_values(kind, count, 0.5)
    if kind != "product":
        assert noisy["r"] == pytest.approx(r / 4, abs=1e-12)


def test_moments_against_the_variances_of_literal_b(key):
    law = np.random.default_rng(2).dirichlet(np.ones(8)).reshape(2, 2, 2)
    turned = [np.transpose(law, p) for p in itertools.permutations(range(3))]
    symmetric = np.mean(turned, axis=0)
    found = outcome_moments(symmetric)
    one, mean = batch_variances(jnp.asarray(symmetric))
    assert found["s2"] == pytest.approx(one, rel=1e-12)
    assert found["w"] == pytest.approx(mean, rel=1e-12)
    assert found["w"] == pytest.approx(one * (1 + 2 * found["r"]) / 3, rel=1e-12)


def test_random_outcomes_replay_from_the_number_of_ones(key):
    batch = random_outcomes(key, 40)
    for index in range(40):
        exact = replay_outcomes(json.loads(json.dumps(batch.serialise(index))))
        for name in ("B", "s2", "r", "w"):
            fast = float(batch.values[name][index])
            assert fast == pytest.approx(float(exact[name]), abs=1e-11)
    assert batch.values["r"].min() < -0.05 and batch.values["r"].max() > 0.3


def test_unknown_probes_are_refused():
    with pytest.raises(ValueError, match="be cat, half, singlet or product"):
        entangled_probes("dog", 4)
    with pytest.raises(ValueError, match="be 2 for a singlet"):
        entangled_probes("singlet", 4)
