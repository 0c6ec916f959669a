"""Drift: statistics of the draws, where strengths go, dephasing in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from qjax.circuits import Circuit, Repeat, h, i, pauli, rx, rz, rzz
from qjax.noise import (
    Background,
    Bath,
    NoiseModel,
    depolarizing,
    drift,
    num_steps,
    one_over_f,
    ornstein_uhlenbeck,
    phase_flip,
    random_telegraph,
)
from qjax.simulate import expectation, run, trajectory
from qjax.states import DensityMatrix, StateVector
from tests import oracles, stats
from tests.compiling import quick_jit

RUNS, STEPS = 20000, 6


def drawn(key, draw) -> np.ndarray:
    keys = jax.random.split(key, RUNS)
    return np.asarray(jax.jit(jax.vmap(draw))(keys), float)


def covariance_p_values(samples: np.ndarray, expected: np.ndarray) -> list[float]:
    """z-tests of the mean of x_s x_t, and of x_t, for all s <= t."""
    found = [stats.mean_p_value(samples[:, t], 0) for t in range(STEPS)]
    for s in range(STEPS):
        for t in range(s, STEPS):
            values = samples[:, s] * samples[:, t]
            if np.ptp(values) < 1e-6:
                np.testing.assert_allclose(values, expected[t - s], rtol=1e-5)
            else:
                found.append(stats.mean_p_value(values, expected[t - s]))
    return found


RATES = np.geomspace(0.1, 3.0, 5)
LAWS = {
    "Ornstein-Uhlenbeck": (
        lambda key: ornstein_uhlenbeck(key, STEPS, 0.3, 0.8),
        0.09 * 0.8 ** np.arange(STEPS),
        0.09 * 0.7 ** np.arange(STEPS),
    ),
    "quasi-static": (
        lambda key: ornstein_uhlenbeck(key, STEPS, 0.3, 1.0),
        np.full(STEPS, 0.09),
        0.09 * 0.95 ** np.arange(STEPS),
    ),
    "white": (
        lambda key: ornstein_uhlenbeck(key, STEPS, 0.3, 0.0),
        0.09 * (np.arange(STEPS) == 0),
        0.09 * 0.1 ** np.arange(STEPS),
    ),
    "telegraph": (
        lambda key: random_telegraph(key, STEPS, 0.3, 0.2),
        0.09 * 0.6 ** np.arange(STEPS),
        0.09 * 0.8 ** np.arange(STEPS),  # (1 - p)^t, without the factor 2
    ),
    "1/f": (
        lambda key: one_over_f(key, STEPS, 0.3, 0.1, 3.0, 5),
        0.09 * np.exp(-RATES[:, None] * np.arange(STEPS)).mean(axis=0),
        0.09 * np.exp(-2 * RATES[:, None] * np.arange(STEPS)).mean(axis=0),
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_draws_have_the_covariance_that_is_said(name, key):
    draw, expected, mutant = LAWS[name]
    samples = drawn(key, draw)
    level = stats.corrected(STEPS * (STEPS + 3) // 2)
    assert min(covariance_p_values(samples, expected)) > level
    assert min(covariance_p_values(samples, mutant)) < level


def test_the_drift_is_gaussian_and_the_telegraph_two_valued(key):
    gaussian = drawn(key, LAWS["Ornstein-Uhlenbeck"][0])[:, -1]
    telegraph = drawn(key, LAWS["telegraph"][0])[:, -1]
    assert scipy.stats.kstest(gaussian, "norm", (0, 0.3)).pvalue > stats.ALPHA
    assert scipy.stats.kstest(telegraph, "norm", (0, 0.3)).pvalue < stats.ALPHA
    np.testing.assert_allclose(abs(telegraph), 0.3, rtol=1e-6)


def test_1_over_f_noise_has_a_spectrum_that_falls_as_one_over_frequency(key):
    """Slope of ln S against ln f between the rates: -1, not 0 or -2."""
    keys = jax.random.split(key, 128)
    draw = jax.vmap(lambda own: one_over_f(own, 1024, 1.0, 1e-3, 1.0, 16))
    samples = np.asarray(jax.jit(draw)(keys), float)
    power = np.mean(abs(np.fft.rfft(samples)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(1024)
    chosen = (frequency > 3e-3) & (frequency < 3e-2)
    fit = np.polyfit(np.log(frequency[chosen]), np.log(power[chosen]), 1)
    assert abs(fit[0] + 1) < 0.15


# --- where strengths go ---------------------------------------------------------------


def layers(depth: int) -> Repeat:
    body = jax.vmap(lambda angle: Circuit([rx(angle, 0)], 1))(
        jnp.linspace(0.1, 0.5, depth)
    )
    return Repeat(body, depth)


def noise(p):
    return NoiseModel((phase_flip(p, 0),))


@pytest.mark.x64
def test_each_repetition_has_its_own_strength():
    circuit = Circuit([h(0), layers(3), h(0), layers(2), h(0)], 1)
    assert num_steps(circuit) == 5
    strengths = np.asarray([0.05, 0.1, 0.2, 0.15, 0.3])
    noisy = drift(noise, jnp.asarray(strengths), circuit)
    repeats = [one for one in noisy.operations if isinstance(one, Repeat)]
    assert [one.depth for one in repeats] == [3, 2]
    rho = np.diag([1, 0]).astype(complex)
    angles = np.linspace(0.1, 0.5, 3), np.linspace(0.1, 0.5, 2)
    steps = [("h", (), 0.05)]
    steps += [("rx", (a,), p) for a, p in zip(angles[0], strengths[:3], strict=True)]
    steps += [("h", (), 0.15)]
    steps += [("rx", (a,), p) for a, p in zip(angles[1], strengths[3:], strict=True)]
    steps += [("h", (), 0.3)]
    for name, params, p in steps:
        gate = oracles.gate(name, *params)
        rho = gate @ rho @ gate.conj().T
        rho = (1 - p) * rho + p * oracles.Z @ rho @ oracles.Z
    found = quick_jit(lambda: run(noisy, DensityMatrix.zeros(1)).matrix())()
    np.testing.assert_allclose(found, rho, atol=1e-12)


def test_constant_strengths_are_the_noise_itself():
    circuit = Circuit([layers(3), h(0)], 1)
    final = quick_jit(lambda one: run(one, DensityMatrix.zeros(1)).matrix())
    drifting, steady = drift(noise, jnp.full(3, 0.1), circuit), noise(0.1)(circuit)
    np.testing.assert_allclose(final(drifting), final(steady), atol=1e-6)


def test_a_bath_may_drift_as_well():
    noisy = drift(
        lambda angle: Bath((rzz(angle, 0, 1),), (0,)),
        jnp.asarray([0.1, 0.2, 0.3]),
        Circuit([layers(3), h(0)], 1),
    )
    assert noisy.num_wires == 2
    repeat, _, last = noisy.operations
    assert isinstance(repeat, Repeat) and last.wires == (0, 1)


def test_strengths_that_do_not_fit_are_refused(key):
    circuit = Circuit([layers(3)], 1)
    with pytest.raises(ValueError, match="`strengths` must have leaves with 3 rows"):
        drift(noise, jnp.zeros(2), circuit)
    with pytest.raises(ValueError, match="`strengths` must have leaves with 1 rows"):
        drift(noise, jnp.asarray(0.1), Circuit([h(0)], 1))
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        ornstein_uhlenbeck(key, 0, 0.1, 0.5)
    with pytest.raises(ValueError, match="`spread` must be at least 0"):
        ornstein_uhlenbeck(key, 3, -0.1, 0.5)
    with pytest.raises(ValueError, match=r"`correlation` must lie in \[0, 1\]"):
        ornstein_uhlenbeck(key, 3, 0.1, 1.5)
    with pytest.raises(ValueError, match=r"`switching` must lie in \[0, 1\]"):
        random_telegraph(key, 3, 0.1, -0.5)
    with pytest.raises(ValueError, match="`slowest, fastest` must satisfy"):
        one_over_f(key, 3, 0.1, 2.0, 1.0, 3)
    with pytest.raises(ValueError, match="`fluctuators` must be at least 1"):
        one_over_f(key, 3, 0.1, 0.1, 1.0, 0)


# --- dephasing in closed form ---------------------------------------------------------


def ramsey(steps: int) -> Circuit:
    body = jax.vmap(lambda _: Circuit([i(0)], 1))(jnp.arange(steps))
    return Circuit([h(0), Repeat(body, steps)], 1)


def detuned(angle):
    return Background((rz(angle, 0),))


def mean_x(key, draw, kept: bool) -> np.ndarray:
    """<X> after a Ramsey sequence of drawn detunings, one for each run."""
    zero = StateVector.zeros(1)
    repeat = ramsey(STEPS).operations[1]
    start = Circuit([h(0)], 1)

    def one(own):
        strengths = draw(own)
        if not kept:  # the mutant: every step has a detuning of a run of its own
            others = jax.random.split(jax.random.fold_in(own, 1), STEPS)
            strengths = jax.vmap(draw)(others)[:, 0]
        noisy = start + drift(detuned, strengths, Circuit([repeat], 1))
        return expectation(run(noisy, zero), pauli("X", 0))

    return np.asarray(jax.jit(jax.vmap(one))(jax.random.split(key, 4000)), float)


@pytest.mark.parametrize("correlation", [1.0, 0.7])
def test_gaussian_detuning_dephases_as_its_variance_says(correlation, key):
    """<X> = exp(-Var(sum_t x_t) / 2); quasi-static: exp(-(T sigma)^2 / 2).

    The exact state of the average is the dephased density matrix with this coherence;
    without the correlation in time Var is T sigma^2 only.
    """
    sigma = 0.2
    values = mean_x(
        key, lambda own: ornstein_uhlenbeck(own, STEPS, sigma, correlation), True
    )
    lags = abs(np.subtract.outer(np.arange(STEPS), np.arange(STEPS)))
    variance = sigma**2 * np.sum(correlation**lags)
    if correlation == 1:
        assert np.isclose(variance, (STEPS * sigma) ** 2)
    assert stats.mean_p_value(values, np.exp(-variance / 2)) > stats.ALPHA
    white = np.exp(-STEPS * sigma**2 / 2)
    assert stats.mean_p_value(values, white) < stats.ALPHA
    uncorrelated = mean_x(
        key, lambda own: ornstein_uhlenbeck(own, STEPS, sigma, correlation), False
    )
    assert stats.mean_p_value(uncorrelated, white) > stats.ALPHA


def test_telegraph_detuning_dephases_as_its_transfer_matrix_says(key):
    """E exp(i sum_t x_t) = 1/2 (1 1) D (W D)^(T-1) (1 1)^T, D = diag(e^{+-i a})."""
    amplitude, switching = 0.5, 0.15
    values = mean_x(
        key, lambda own: random_telegraph(own, STEPS, amplitude, switching), True
    )
    turn = np.diag(np.exp(1j * amplitude * np.asarray([1, -1])))

    def coherence(p: float) -> float:
        walk = np.asarray([[1 - p, p], [p, 1 - p]])
        start = turn @ np.full(2, 0.5)
        later = np.linalg.matrix_power(turn @ walk, STEPS - 1)
        return float(np.sum(later @ start).real)

    assert stats.mean_p_value(values, coherence(switching)) > stats.ALPHA
    assert stats.mean_p_value(values, coherence(2 * switching)) < stats.ALPHA


def test_trajectories_with_drawn_strengths_agree_with_the_average_channel(key):
    """A strength that is +-a about its mean for a whole run: the density matrix is the
    mean of two, not that of the mean strength."""
    circuit, low, high = Circuit([h(0), layers(4)], 1), 0.02, 0.3
    zero = StateVector.zeros(1)

    def one(own):
        first, second = jax.random.split(own)
        offset = random_telegraph(first, 4, (high - low) / 2, 0.0)
        noisy = drift(noise, (high + low) / 2 + offset, circuit)
        state, _ = trajectory(second, noisy, zero)
        return expectation(state, pauli("X", 0))

    values = jax.jit(jax.vmap(one))(jax.random.split(key, 6000))

    @quick_jit
    def exact(p):
        state = run(noise(p)(circuit), DensityMatrix.zeros(1))
        return expectation(state, pauli("X", 0))

    mean = (float(exact(low)) + float(exact(high))) / 2
    assert stats.mean_p_value(values, mean) > stats.ALPHA
    wrong = float(exact((low + high) / 2))
    assert stats.mean_p_value(values, wrong) < stats.ALPHA


def test_drifting_strengths_are_differentiated():
    circuit = Circuit([h(0), layers(3)], 1)

    @quick_jit
    @jax.grad
    def slope(strengths):
        noisy = drift(lambda p: NoiseModel((depolarizing(p, 0),)), strengths, circuit)
        state = run(noisy, DensityMatrix.zeros(1))
        return expectation(state, pauli("X", 0))

    # <X> = prod (1 - p_t), and the first factor twice, for H and the first RX.
    p = np.asarray([0.1, 0.2, 0.3])
    value = (1 - p[0]) ** 2 * (1 - p[1]) * (1 - p[2])
    expected = -value / (1 - p) * np.asarray([2, 1, 1])
    np.testing.assert_allclose(slope(jnp.asarray(p)), expected, rtol=1e-4)
