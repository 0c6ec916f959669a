"""Fisher information: definitions solved another way, orders, and samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, hardware_efficient, ry, rz
from qjax.geometry import (
    classical_fisher,
    metric_tensor,
    quantum_fisher,
    sampled_classical_fisher,
)
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import run
from qjax.states import MPS, DensityMatrix, StateVector
from tests import stats
from tests.compiling import quick_jit

SHAPE = (2, 2, 2)


def noisy(angles) -> DensityMatrix:
    clean = hardware_efficient(angles)
    noise = [amplitude_damping(0.1, 0), depolarizing(0.05, 1)]
    return run(Circuit([*clean.operations, *noise], 2), DensityMatrix.zeros(2))


def pure(angles) -> StateVector:
    return run(hardware_efficient(angles), StateVector.zeros(2))


def differences(function, angles: np.ndarray, step: float = 1e-6) -> np.ndarray:
    flat = angles.reshape(-1)
    found = []
    for i in range(flat.size):
        ends = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[i] += sign * step
            ends.append(np.asarray(function(moved.reshape(angles.shape))))
        found.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(found)


def logarithmic(rho: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Solve (L rho + rho L) / 2 = d rho as one linear system."""
    eye = np.eye(len(rho))
    system = (np.kron(eye, rho.T) + np.kron(rho, eye)) / 2
    return np.linalg.solve(system, change.reshape(-1)).reshape(rho.shape)


@pytest.mark.x64
def test_quantum_fisher_is_that_of_the_symmetric_logarithmic_derivatives(key):
    angles = np.asarray(jax.random.normal(key, SHAPE))
    final = quick_jit(lambda a: noisy(a).matrix())
    rho, changes = np.asarray(final(angles)), differences(final, angles)
    inverses = [logarithmic(rho, change) for change in changes]
    expected = [[np.trace(c @ left).real for left in inverses] for c in changes]
    found = quick_jit(lambda a: quantum_fisher(noisy, a))(jnp.asarray(angles))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert np.linalg.eigvalsh(found).min() > -1e-10


@pytest.mark.x64
def test_of_a_pure_state_it_is_four_times_the_metric_either_way(key):
    angles = jax.random.normal(key, SHAPE)
    metric = 4 * metric_tensor(pure, angles)
    np.testing.assert_allclose(quantum_fisher(pure, angles), metric, atol=1e-12)
    mixed = quantum_fisher(lambda a: DensityMatrix.from_state(pure(a)), angles)
    np.testing.assert_allclose(mixed, metric, atol=1e-7)


@pytest.mark.x64
def test_measuring_never_gives_more_than_the_state_holds(getkey):
    def outcomes(angles):
        return noisy(angles).probabilities()

    both = quick_jit(
        lambda a: (classical_fisher(outcomes, a), quantum_fisher(noisy, a))
    )
    for _ in range(5):
        seen, held = both(jax.random.normal(getkey(), SHAPE))
        assert np.linalg.eigvalsh(np.asarray(held - seen)).min() > -1e-9
        assert np.linalg.eigvalsh(np.asarray(seen)).min() > -1e-9


def one_wire(angles) -> StateVector:
    return run(Circuit([ry(angles[0], 0), rz(angles[1], 0)], 1), StateVector.zeros(1))


def test_known_values():
    angles = jnp.asarray([0.7, 0.2])
    found = classical_fisher(lambda a: one_wire(a).probabilities(), angles)
    # p = cos^2(t / 2): one full unit about t, and nothing about the phase.
    np.testing.assert_allclose(found, [[1, 0], [0, 0]], atol=1e-5)
    certain = classical_fisher(lambda a: one_wire(a).probabilities(), jnp.zeros(2))
    np.testing.assert_allclose(certain, 0, atol=1e-6)


def test_sampled_fisher_is_unbiased_and_a_wrong_score_is_noticed(getkey):
    angles = jax.random.normal(getkey(), SHAPE)

    def outcomes(values):
        return pure(values).probabilities()

    exact = np.asarray(classical_fisher(outcomes, angles))
    sample = jax.jit(
        jax.vmap(lambda k: sampled_classical_fisher(k, outcomes, angles, 50).mean)
    )
    found = np.asarray(sample(jax.random.split(getkey(), 400)))
    seen = np.abs(exact) > 0.05
    level = stats.corrected(int(seen.sum()))
    p_values = [
        stats.mean_p_value(found[:, i, j], float(exact[i, j]))
        for i, j in np.argwhere(seen)
    ]
    assert min(p_values) > level
    # A mutant that divides by p once too often.
    mutant = [
        stats.mean_p_value(1.1 * found[:, i, j], float(exact[i, j]))
        for i, j in np.argwhere(seen)
    ]
    assert min(mutant) < level
    one = sampled_classical_fisher(getkey(), outcomes, angles, 400)
    assert one.shots == 400 and one.mean.shape == one.stderr.shape == (8, 8)


def test_bad_input_is_named(key):
    def chain(angles):
        return run(hardware_efficient(angles), MPS.zeros(2, 2))

    with pytest.raises(Exception, match=r"must return a StateVector or|type"):
        quantum_fisher(chain, jnp.zeros(SHAPE))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="`shots` must be at least 1"):
        sampled_classical_fisher(
            key, lambda a: pure(a).probabilities(), jnp.zeros(SHAPE), 0
        )
