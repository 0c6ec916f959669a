"""Phase sketches: simulations and closed forms against NumPy and convolutions."""

import itertools
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.bounds.sketches.sign_sketches import (
    SketchNoise,
    overlap_table,
    sign_patterns,
    sketch_states,
    swap_test_circuit,
)
from qjax.bounds.sketches.sketch_laws import (
    amplitude_mean,
    local_swap_mean,
    local_swap_slope,
    noise_factors,
    overlap_mean,
    overlap_slope,
    overlap_square_mean,
    pattern_overlap,
    quadrature_mean,
    sign_disagreement,
)
from qjax.bounds.sketches.sketch_profiles import (
    hyperplane_mean,
    hyperplane_slope,
    noiseless,
    sketch_profiles,
)
from qjax.bounds.sketches.sketch_sampling import hyperplane_signs, vector_pair
from qjax.bounds.sketches.sketch_variances import (
    conditional_variance,
    local_swap_variance,
    quadrature_total_variance,
    quadrature_variance,
    squared_amplitude_variance,
    swap_variance,
)
from qjax.bounds.theorems.qlsh_precise import replay_sketch
from qjax.bounds.theorems.qlsh_simulation import Point, product_sketch, simulated
from qjax.circuits import Circuit, cx, h
from qjax.simulate import run
from qjax.states import StateVector

NOISY = Point(2, 2, 0.8, 0.6, c=3, nu=0.9, eta=0.7, e=0.2, T=2)
DEPOLARIZED = Point(2, 2, -0.8, 0.3, c=5, lam=0.85, T=3)
CLEAN = Point(1, 3, 1.1, -0.35, c=2)


def _noise(point: Point) -> SketchNoise:
    return SketchNoise(point.lam, point.nu, point.eta, point.e, point.T)


def difference_law(delta: float, g: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and probabilities of D: g-fold convolution, no generating function."""
    law = np.asarray([1.0])
    for _ in range(g):
        law = np.convolve(law, [delta / 2, 1 - delta, delta / 2])
    return np.arange(-g, g + 1), law


def numpy_states(point: Point) -> dict[tuple[int, ...], Any]:
    """Density matrix of every sign pattern, by Kraus sums on Kronecker products."""
    paulis = [
        np.array([[0, 1], [1, 0]]),
        np.array([[0, -1j], [1j, 0]]),
        np.diag([1, -1]),
    ]
    lam, nu, eta, e = point.lam, point.nu, point.eta, point.e
    channels = [
        [np.sqrt((1 + 3 * lam) / 4) * np.eye(2)]
        + [np.sqrt((1 - lam) / 4) * p for p in paulis],
        [np.sqrt((1 + nu) / 2) * np.eye(2), np.sqrt((1 - nu) / 2) * paulis[2]],
        [np.sqrt(1 - e) * np.diag([1, np.sqrt(eta)]),
         np.sqrt(e) * np.diag([np.sqrt(eta), 1]),
         np.sqrt((1 - e) * (1 - eta)) * np.array([[0, 1], [0, 0]]),
         np.sqrt(e * (1 - eta)) * np.array([[0, 0], [1, 0]])],
    ]  # fmt: skip
    found = {}
    for signs in itertools.product((1, -1), repeat=point.m * point.g):
        rho = np.ones((1, 1))
        for q in range(point.m):
            angle = point.theta * sum(signs[q :: point.m])
            ket = np.array([np.exp(-0.5j * angle), np.exp(0.5j * angle)]) / np.sqrt(2)
            one = np.outer(ket, ket.conj())
            for kraus in channels * point.T:
                one = sum(k @ one @ k.conj().T for k in kraus)
            rho = np.kron(rho, one)
        found[signs] = rho
    return found


@pytest.mark.x64
@pytest.mark.parametrize("point", [NOISY, DEPOLARIZED, CLEAN], ids=lambda p: p.label())
def test_simulated_means_agree_with_numpy_matrices(point):
    states, k = numpy_states(point), point.m * point.g
    delta = math.acos(point.s) / math.pi
    y = np.array([[0, -1j], [1j, 0]])
    sums = dict.fromkeys(("E", "E2", "G", "G2"), 0.0)
    for (a, rho), (b, sigma) in itertools.product(states.items(), repeat=2):
        distance = sum(x != z for x, z in zip(a, b, strict=True))
        weight = delta**distance * (1 - delta) ** (k - distance) / 2**k
        readout: Any = sum(
            sum(b[q :: point.m])
            * np.kron(np.kron(np.eye(2**q), y), np.eye(2 ** (point.m - q - 1)))
            for q in range(point.m)
        )
        overlap = np.trace(rho @ sigma).real
        sums["E"] += weight * overlap
        sums["E2"] += weight * overlap**2
        sums["G"] += weight * np.trace(readout @ rho).real
        sums["G2"] += weight * np.trace(readout @ readout @ rho).real
    found = simulated(point)
    for name in ("E", "E2", "G"):
        assert found[name] == pytest.approx(sums[name], abs=1e-13)
    assert found["VG"] == pytest.approx(sums["G2"] - sums["G"] ** 2, abs=1e-12)


@pytest.mark.x64
@pytest.mark.parametrize("point", [NOISY, DEPOLARIZED, CLEAN], ids=lambda p: p.label())
def test_closed_forms_agree_with_simulation_and_its_replay(point):
    shape = (point.s, point.theta, point.m, point.g)
    noise, c = _noise(point), point.c
    laws = {
        "A": amplitude_mean(point.s, point.theta, point.m * point.g),
        "E": overlap_mean(*shape, noise),
        "E2": overlap_square_mean(*shape, noise),
        "dE": overlap_slope(*shape, noise),
        "L": local_swap_mean(*shape, noise),
        "dL": local_swap_slope(*shape, noise),
        "VL": local_swap_variance(*shape, 1, noise),
        "G": quadrature_mean(*shape, noise),
        "VG": quadrature_variance(*shape, noise),
        "VGc": quadrature_total_variance(*shape, c, noise),
        "V": swap_variance(*shape, c, noise),
    }
    fields = ("m", "g", "theta", "s", "c", "lam", "nu", "eta", "e", "T")
    record = {name: getattr(point, name) for name in fields}
    direct, precise = simulated(point), replay_sketch(record)
    for name, law in laws.items():
        assert float(law) == pytest.approx(direct[name], abs=1e-12), name
        assert float(law) == pytest.approx(float(precise[name]), abs=1e-12), name


@pytest.mark.x64
@pytest.mark.parametrize(("m", "g"), [(1, 1), (7, 1), (3, 5), (2, 12)])
@pytest.mark.parametrize("theta", [0.3, -1.3, 2.0])
def test_means_agree_with_the_convolved_law_of_differences(m, g, theta):
    s = -0.2
    values, law = difference_law(math.acos(s) / math.pi, g)
    cosines = np.cos(theta * values)
    mean, square = law @ cosines**2, law @ cosines**4
    assert float(amplitude_mean(s, theta, m * g)) == pytest.approx((law @ cosines) ** m)
    assert float(overlap_mean(s, theta, m, g)) == pytest.approx(mean**m)
    assert float(overlap_square_mean(s, theta, m, g)) == pytest.approx(square**m)
    # Wrong variants are told apart: Jensen swapped, buckets ignored.
    delta = float(sign_disagreement(s))
    assert abs(mean**m - (np.cos(theta) ** 2) ** (m * g * delta)) > 1e-9
    if g > 1:
        assert abs(mean**m - (1 - delta * np.sin(theta) ** 2) ** (m * g)) > 1e-9


@pytest.mark.x64
def test_slopes_agree_with_automatic_differentiation_under_jit_and_vmap():
    s = jnp.linspace(-0.9, 0.9, 7)
    noise = SketchNoise(survival=0.9, layers=2)

    def mean(x):
        return overlap_mean(x, 0.7, 3, 2, noise)

    found = jax.jit(jax.vmap(jax.grad(mean)))(s)
    np.testing.assert_allclose(found, overlap_slope(s, 0.7, 3, 2, noise), rtol=1e-12)
    local = jax.vmap(jax.grad(lambda x: local_swap_mean(x, 0.7, 3, 2, noise)))(s)
    claim = local_swap_slope(s, 0.7, 3, 2, noise)
    np.testing.assert_allclose(local, claim, rtol=1e-12)
    assert not np.allclose(found, claim)


@pytest.mark.slow
@pytest.mark.x64
def test_one_sign_per_qubit_multiplies_as_the_joint_simulation_says():
    point = Point(3, 1, 0.9, 0.2, c=4, nu=0.8, eta=0.9, e=0.1, T=2)
    joint, product = simulated(point), product_sketch(point)
    for name in ("A", "E", "E2", "dA", "dE", "V"):
        assert product[name] == pytest.approx(joint[name], abs=1e-12), name


@pytest.mark.x64
def test_circuits_of_both_swap_tests_measure_the_overlaps():
    theta, m = 0.7, 2
    signs = jnp.asarray(sign_patterns(4)[[1, 6]])

    @eqx.filter_jit
    def measure(signs):
        kets, _ = sketch_states(signs, theta, SketchNoise(), m)
        first, second = kets.amplitudes
        both = jnp.tensordot(first, second, 0)
        start = StateVector(jnp.stack([both, jnp.zeros_like(both)]))
        ancilla = run(swap_test_circuit(m), start).probabilities((0,))
        gates = tuple(gate for q in range(m) for gate in (cx(q, m + q), h(q)))
        bell = run(Circuit(gates, 2 * m), StateVector(both)).probabilities()
        return overlap_table(kets)[0, 1], ancilla[0], bell

    amplitude, zero, chances = measure(signs)
    overlap = float(pattern_overlap(signs[0], signs[1], theta, m))
    assert float(amplitude) == pytest.approx(overlap, abs=1e-14)
    assert float(zero) == pytest.approx((1 + overlap**2) / 2, abs=1e-14)
    x = np.indices((2,) * (2 * m))
    local = sum(1 - 2 * x[q] * x[m + q] for q in range(m))
    a, b = np.asarray(signs)
    want = sum(np.cos(theta * (a[q::m] - b[q::m]).sum() / 2) ** 2 for q in range(m))
    assert float(np.sum(np.asarray(chances) * local)) == pytest.approx(want, abs=1e-13)


def test_gaussian_hyperplanes_separate_with_the_angle_over_pi(key):
    signs = hyperplane_signs(key, jnp.asarray(vector_pair(0.5, 8)), 4000, 4)
    rate = float(jnp.mean(signs[0] != signs[1]))
    # 16000 Bernoulli(1/3) trials; error level 1e-6 by Hoeffding.
    radius = math.sqrt(math.log(2e6) / 32000)
    assert abs(rate - 1 / 3) < radius
    assert abs(rate - (1 - 0.5) / 2) > radius  # delta = (1 - s)/2 is rejected


@pytest.mark.x64
def test_squared_hadamard_variance_is_the_leading_term_and_crosses_at_a_third():
    for mu in (0.2, 0.57, 0.58, 0.9):
        c = 20_000
        n = np.arange(c + 1)
        log_law = [math.lgamma(c + 1) - math.lgamma(i + 1) - math.lgamma(c - i + 1)
                   for i in n]  # fmt: skip
        log_law = np.asarray(log_law) + n * np.log((1 + mu) / 2)
        law = np.exp(log_law + (c - n) * np.log((1 - mu) / 2))
        square = (2 * n / c - 1) ** 2
        exact = law @ square**2 - (law @ square) ** 2
        claim = float(squared_amplitude_variance(mu, c))
        assert claim == pytest.approx(exact, rel=0.01)
        better = claim < float(conditional_variance(mu**2, c))
        assert better == (mu**2 < 1 / 3)


@pytest.mark.x64
def test_numbers_of_the_theory_of_bounds():
    slopes = [float(overlap_slope(0.0, 0.3, k, 1)) for k in (1, 16, 23, 64, 256)]
    assert slopes[:4] == pytest.approx([0.028, 0.228, 0.239, 0.107], abs=5e-4)
    assert slopes[4] == pytest.approx(8e-5, abs=5e-6)
    claims = [k * math.sin(0.3) for k in (1, 16, 23, 64, 256)]
    assert claims == pytest.approx([0.30, 4.7, 6.8, 18.9, 75.7], abs=0.05)
    best = float(jnp.max(overlap_slope(0.0, 0.02, jnp.arange(4900, 5100), 1)))
    assert best == pytest.approx(2 / (math.pi * math.e), abs=1e-4)
    assert float(swap_variance(0.5, 0.35, 16, 1, 400)) == pytest.approx(
        0.016955, abs=1e-6
    )
    mean = float(overlap_mean(0.5, 0.35, 16, 1))
    assert float(conditional_variance(mean, 400)) == pytest.approx(0.001804, abs=1e-6)


@pytest.mark.x64
def test_profiles_count_every_pair_and_slopes_use_no_difference_quotient():
    profile = sketch_profiles((2, 2), np.asarray([0.4]), noiseless(1))
    assert np.asarray(profile.weight)[0] == pytest.approx([1, 4, 6, 4, 1])
    s = np.asarray([0.3])
    slope = hyperplane_slope(np.asarray(profile.overlap), s)
    step = 1e-6
    ends = [
        hyperplane_mean(np.asarray(profile.overlap), np.arccos(s + x) / np.pi)
        for x in (step, -step)
    ]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-8)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`cosine` must lie in"):
        sign_disagreement(1.5)
    with pytest.raises(ValueError, match="`num_qubits` must divide the 4 signs"):
        pattern_overlap(jnp.ones(4, int), jnp.ones(4, int), 0.3, 3)
    with pytest.raises(ValueError, match="`survival` must be 1"):
        noise_factors(SketchNoise(survival=0.9, population=0.9, layers=1))
    with pytest.raises(ValueError, match="`shots` must lie in"):
        sketch_profiles((1, 1), np.ones(1), SketchNoise(), np.asarray([9]))
    with pytest.raises(ValueError, match="`dimension` must be at least 2"):
        vector_pair(0.5, 1)
