"""Fidelity, trace distance, entropy and partial trace against the oracle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.states import (
    DensityMatrix,
    StateVector,
    entropy,
    fidelity,
    partial_trace,
    trace_distance,
)
from tests import oracles

RNG = np.random.default_rng(29)
PURE = [oracles.random_state(RNG, 2) for _ in range(2)]
FULL = [oracles.random_density(RNG, 2) for _ in range(2)]
LOW = [oracles.random_density(RNG, 2, rank=2) for _ in range(2)]
ARRAYS = {"pure": PURE, "full rank": FULL, "rank two": LOW}


def make(array):
    if array.ndim == 1:
        return StateVector.from_amplitudes(array)
    return DensityMatrix.from_matrix(array)


@pytest.mark.parametrize("first", ARRAYS)
@pytest.mark.parametrize("second", ARRAYS)
def test_fidelity_and_trace_distance_of_all_kinds(first, second, x64):
    a, b = ARRAYS[first][0], ARRAYS[second][1]
    expected = oracles.fidelity(a, b)
    np.testing.assert_allclose(fidelity(make(a), make(b)), expected, atol=1e-7)
    expected = oracles.trace_distance(a, b)
    actual = trace_distance(make(a), make(b))
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@pytest.mark.parametrize("kind", ARRAYS)
def test_a_state_is_at_distance_zero_from_itself(kind, x64):
    state = make(ARRAYS[kind][0])
    np.testing.assert_allclose(fidelity(state, state), 1, atol=1e-7)
    np.testing.assert_allclose(trace_distance(state, state), 0, atol=1e-12)


def test_fuchs_van_de_graaf(x64):
    """1 - sqrt(F) <= D <= sqrt(1 - F) for 20 random pairs."""
    for _ in range(20):
        a, b = (make(oracles.random_density(RNG, 2, rank=2)) for _ in range(2))
        f, d = float(fidelity(a, b)), float(trace_distance(a, b))
        assert 1 - np.sqrt(f) - 1e-7 <= d <= np.sqrt(1 - f) + 1e-7


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("base", [2.0, np.e, 10.0])
def test_entropy(kind, base, x64):
    array = ARRAYS[kind][0]
    expected = oracles.entropy(array, base)
    np.testing.assert_allclose(entropy(make(array), base), expected, atol=1e-12)


def test_entropy_of_half_a_bell_pair_is_one_bit(x64):
    bell = StateVector.from_amplitudes(np.asarray([1, 0, 0, 1]) / np.sqrt(2))
    np.testing.assert_allclose(entropy(partial_trace(bell, (0,))), 1, atol=1e-14)
    assert float(entropy(bell)) == 0


@pytest.mark.parametrize("keep", [(0,), (2,), (2, 0), (0, 1), (1, 2, 0)])
def test_partial_trace_of_any_wires_in_any_order(keep, x64):
    for array in (oracles.random_state(RNG, 3), oracles.random_density(RNG, 3)):
        actual = partial_trace(make(array), keep).matrix()
        np.testing.assert_allclose(
            actual, oracles.partial_trace(array, keep), atol=1e-14
        )


def test_gradients_are_finite_and_right(x64):
    """Against central differences, where the functions are smooth."""
    sigma = make(FULL[1])

    def mixed(p):
        weight = jnp.asarray(p).astype(complex)
        rho = (1 - weight) * jnp.asarray(FULL[0]) + weight * jnp.eye(
            4, dtype=complex
        ) / 4
        return DensityMatrix(rho.reshape((2,) * 4))

    for function in (
        lambda p: fidelity(mixed(p), sigma),
        lambda p: trace_distance(mixed(p), sigma),
        lambda p: entropy(mixed(p)),
        lambda p: fidelity(make(PURE[0]), mixed(p)),
    ):
        slope = jax.grad(function)(0.3)
        expected = oracles.gradient(
            lambda p, f=function: np.asarray(f(jnp.asarray(p[0]))), np.asarray([0.3])
        )[0]
        np.testing.assert_allclose(slope, expected, rtol=1e-8)


def test_entropy_gradient_of_a_singular_state_is_finite(x64):
    def pure_then_mixed(p):
        return entropy(DensityMatrix(jnp.diag(jnp.stack([1 - p, p])).astype(complex)))

    assert np.isfinite(jax.grad(pure_then_mixed)(0.25))


def test_bad_arguments_are_refused():
    one, two = StateVector.zeros(1), StateVector.zeros(2)
    for distance in (fidelity, trace_distance):
        with pytest.raises(ValueError, match="`second` must have 1 wires"):
            distance(one, two)
    with pytest.raises(ValueError, match="`base` must be above 1"):
        entropy(one, 1.0)
    with pytest.raises(ValueError, match="`keep` must name at least one wire"):
        partial_trace(two, ())
    with pytest.raises(ValueError, match=r"`keep` must lie in \[0, 2\)"):
        partial_trace(two, (2,))
