"""A million trajectories on 20 random noisy circuits against the density matrix.

Three estimators: trajectories with the likeliest one apart, the reverse-mode gradient
of `average_trajectories`, and shots. Each must be within four standard errors in every
entry, and the mutant without the score term must not.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.gradients import trajectory_gradient
from qjax.simulate import average_trajectories, estimate, expectation, run, trajectory
from qjax.states import DensityMatrix, StateVector
from tests.gradients.noisy import noisy_circuit, path_of

MILLION = 1_000_000
#: Without 13 and 15, whose gradient is 0: no mutant would show.
SEEDS = sorted({*range(22)} - {13, 15})
#: Entries may be exactly 0 without spread; what float32 sums leave there.
ROUNDING = 2e-5


def sigmas(mean, stderr, exact):
    """Largest distance in standard errors."""
    gap = np.abs(np.asarray(mean, float) - np.asarray(exact, float))
    return float(np.max(gap / (np.asarray(stderr, float) + ROUNDING)))


def replicate_sigmas(gradients, exact):
    """The same from independent replicates, added in double precision."""
    rows = np.asarray(gradients, float)
    return sigmas(rows.mean(0), rows.std(0, ddof=1) / np.sqrt(len(rows)), exact)


@pytest.fixture(params=SEEDS)
def case(request):
    """A random circuit, its parameters, initial state and exact gradient."""
    found = noisy_circuit(request.param)
    with jax.enable_x64(True):
        exact = np.asarray(jax.jit(jax.grad(found.exact))(jnp.asarray(found.params)))
    params = jnp.asarray(found.params, jnp.float32)
    return found, params, StateVector.zeros(found.num_wires), exact


@pytest.mark.slow
def test_trajectories_are_unbiased(case, getkey):
    circuit, params, zero, exact = case

    @jax.jit
    def go(key, keep):
        def path(*arguments):
            value, log_prob = path_of(circuit.observable)(*arguments)
            return value, jnp.where(keep, log_prob, jax.lax.stop_gradient(log_prob))

        return trajectory_gradient(
            key, path, circuit.build, params, zero, MILLION // 10, batch_size=500
        )[1]

    parts = [go(getkey(), True) for _ in range(10)]
    mean = np.mean([np.asarray(part.mean, float) for part in parts], 0)
    square = np.mean([np.asarray(part.stderr, float) ** 2 for part in parts], 0)
    mutant = go(getkey(), False)
    assert sigmas(mean, np.sqrt(square / 10), exact) < 4
    assert sigmas(mutant.mean, mutant.stderr, exact) > 4


@pytest.mark.slow
def test_reverse_mode_through_average_trajectories_is_unbiased(case, key):
    circuit, params, zero, exact = case
    number, replicates = 1000, MILLION // 1000

    def honest(p, k):
        noisy = circuit.build(p)
        return average_trajectories(k, noisy, zero, circuit.observable, number).mean

    def without(p, k):
        def one(path_key):
            final, _ = trajectory(path_key, circuit.build(p), zero)
            return expectation(final, circuit.observable)

        return jnp.mean(jax.vmap(one)(jax.random.split(k, number)))

    def go(value, count):
        keys = jax.random.split(key, count)
        return jax.jit(
            lambda: jax.lax.map(lambda k: jax.grad(value)(params, k), keys)
        )()

    assert replicate_sigmas(go(honest, replicates), exact) < 4
    assert replicate_sigmas(go(without, replicates // 10), exact) > 4


@pytest.mark.slow
def test_shots_are_unbiased(case, key):
    circuit, params, _, exact = case
    shots, replicates = 1000, MILLION // 1000

    def value(p, k):
        rho = run(circuit.build(p), DensityMatrix.zeros(circuit.num_wires))
        return estimate(k, rho, circuit.observable, shots).mean

    gradient = jax.jit(
        lambda k: jax.lax.map(lambda one: jax.grad(value)(params, one), k)
    )
    rows = gradient(jax.random.split(key, replicates))
    assert replicate_sigmas(rows, exact) < 4
    # Outcomes are discrete: without the score term the gradient is 0.
    assert replicate_sigmas(0 * rows, exact) > 4
