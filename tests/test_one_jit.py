"""Inputs batched, noise sampled, shots taken, gradient unbiased: under one jit.

The circuit encodes an input, turns by trainable angles, and suffers amplitude damping
of trainable strength and depolarizing noise inside a `Repeat`. One compiled program
takes a key, parameters and a batch of inputs and gives, for each input, the energy from
noisy trajectories with shots and its standard error, and the gradient of the batch
mean. It is called with 100 different parameters and its traces are counted. The truth
is the gradient of the density matrix; a mutant that forgets the score term must fail.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qjax.circuits import Circuit, PauliSum, Repeat, cx, ising, pauli, rx, ry, rz
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import (
    average_trajectories,
    estimate,
    expectation,
    run,
    trajectory,
)
from qjax.states import DensityMatrix, StateVector

NUM_WIRES = 2
DEPTH = 2
BINDINGS = 100
TRAJECTORIES = 96
SHOTS = 4
INPUTS = np.asarray([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.9]], np.float32)


def energy() -> PauliSum:
    """Two groups of words that share no basis."""
    return ising(NUM_WIRES, 1.0, 0.7) + 0.5 * pauli("Y", 1)


def circuit(params: dict, features: jax.Array) -> Circuit:
    def layer(angles, strength):
        return Circuit(
            [
                ry(angles[0], 0),
                rz(angles[1], 1),
                cx(0, 1),
                rx(angles[2], 1),
                amplitude_damping(jax.nn.sigmoid(strength), 0),
                depolarizing(0.2, 1),
            ],
            NUM_WIRES,
        )

    encode = [ry(features[wire], wire) for wire in range(NUM_WIRES)]
    body = jax.vmap(layer)(params["angles"], params["strength"])
    return Circuit([*encode, Repeat(body, DEPTH)], NUM_WIRES)


def sampled_energies(key, params, inputs):
    """Mean and standard error for each input, by the public function."""

    def one(path_key, features):
        zero = StateVector.zeros(NUM_WIRES)
        noisy = circuit(params, features)
        return average_trajectories(
            path_key, noisy, zero, energy(), TRAJECTORIES, shots=SHOTS
        )

    return jax.vmap(one)(jax.random.split(key, len(inputs)), inputs)


def without_the_score(key, params, inputs):
    """The mutant: the same sampled mean; its gradient follows the paths taken only."""

    def one(path_key, features):
        first, second = jax.random.split(path_key)
        zero = StateVector.zeros(NUM_WIRES)
        final, _ = trajectory(first, circuit(params, features), zero)
        return estimate(second, final, energy(), SHOTS).mean

    def many(input_key, features):
        keys = jax.random.split(input_key, TRAJECTORIES)
        return jnp.mean(jax.vmap(one, in_axes=(0, None))(keys, features))

    return jax.vmap(many)(jax.random.split(key, len(inputs)), inputs)


def exact_energies(params, inputs):
    def one(features):
        final = run(circuit(params, features), DensityMatrix.zeros(NUM_WIRES))
        return expectation(final, energy())

    return jax.vmap(one)(inputs)


def bindings() -> list[dict]:
    """100 parameter values around one point, so that a bias keeps its sign."""
    rng = np.random.default_rng(3)
    centre = np.asarray([[0.9, 0.4, -0.7], [-0.6, 0.8, 0.5]])
    return [
        {
            "angles": (centre + rng.uniform(-0.2, 0.2, (DEPTH, 3))).astype(np.float32),
            "strength": rng.uniform(-1.2, -0.6, DEPTH).astype(np.float32),
        }
        for _ in range(BINDINGS)
    ]


@pytest.fixture(scope="module")
def outcome() -> dict[str, np.ndarray | int]:
    """Run everything once: flat gradients of shape (bindings, parameters)."""
    traces = 0

    @jax.jit
    def step(key, params, inputs):
        nonlocal traces
        traces += 1

        def loss(p):
            energies = sampled_energies(key, p, inputs)
            return jnp.mean(energies.mean), energies

        (_, energies), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        mutant = jax.grad(lambda p: jnp.mean(without_the_score(key, p, inputs)))(params)
        return energies, ravel_pytree(gradient)[0], ravel_pytree(mutant)[0]

    @jax.jit
    def truth(params, inputs):
        gradient = jax.grad(lambda p: jnp.mean(exact_energies(p, inputs)))(params)
        return exact_energies(params, inputs), ravel_pytree(gradient)[0]

    rows = []
    for number, params in enumerate(bindings()):
        key = jax.random.fold_in(jax.random.key(2026), number)
        energies, gradient, mutant = step(key, params, INPUTS)
        exact, exact_gradient = truth(params, INPUTS)
        z_scores = (energies.mean - exact) / energies.stderr
        rows.append((z_scores, gradient - exact_gradient, mutant - exact_gradient))
    z_scores, errors, mutant_errors = (np.stack(x) for x in zip(*rows, strict=True))
    return {
        "traces": traces,
        "z_scores": z_scores,
        "errors": errors,
        "mutant_errors": mutant_errors,
    }


def standard_errors_off(errors: np.ndarray) -> np.ndarray:
    """For each parameter: |mean error| in units of its standard error."""
    errors = errors.astype(np.float64)
    return np.abs(errors.mean(0)) / (errors.std(0, ddof=1) / np.sqrt(len(errors)))


def test_one_trace_serves_100_parameter_bindings(outcome):
    assert outcome["traces"] == 1
    assert len(outcome["errors"]) == BINDINGS


def test_gradient_agrees_with_the_density_matrix_within_4_standard_errors(outcome):
    """Eight parameters; a correct estimator passes but for 8 * 6e-5 of the keys."""
    off = standard_errors_off(outcome["errors"])
    assert off.shape == (DEPTH * 4,)
    assert np.all(off < 4), off


def test_the_gradient_without_the_score_term_does_not(outcome):
    off = standard_errors_off(outcome["mutant_errors"])
    assert np.max(off) > 8, off  # twice the bar: no accident of the key
    assert np.sum(off > 4) >= 3, off


def test_the_comparison_would_see_a_bias_of_a_twentieth(outcome):
    """Power: the standard error of the mean gradient is small beside a gradient."""
    errors = outcome["errors"]
    stderr = errors.std(0, ddof=1) / np.sqrt(len(errors))
    assert np.all(4 * stderr < 0.05), stderr


def test_energies_agree_within_their_own_standard_errors(outcome):
    """300 z-scores: mean 0, and neither too wide nor too narrow."""
    z_scores = outcome["z_scores"].astype(np.float64)
    assert abs(z_scores.mean()) < 4 / np.sqrt(z_scores.size)
    # The variance of z under Student's t with 95 degrees of freedom is 95 / 93.
    spread = z_scores.var()
    assert abs(spread - 95 / 93) < 4 * np.sqrt(2 / z_scores.size)
