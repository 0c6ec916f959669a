"""Pauli transfer matrices of every gate and channel against their definition."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax._linalg import pauli_transfer
from qjax.circuits import AbstractUnitary, Channel
from qjax.noise import amplitude_damping
from tests import oracle_channels, oracles, strategies


def words(num_wires: int) -> list[np.ndarray]:
    """The 4^k Pauli words, I, X, Y, Z on each wire."""
    letters = itertools.product(oracles.PAULIS.values(), repeat=num_wires)
    return [oracles.kron(word) for word in letters]


def definition(image: oracle_channels.Map, num_wires: int) -> np.ndarray:
    """R_ij = Tr(P_i E(P_j)) / d."""
    images = [image(word) for word in words(num_wires)]
    rows = [[np.trace(p @ q).real for q in images] for p in words(num_wires)]
    return np.asarray(rows) / 2**num_wires


@pytest.mark.parametrize("name", sorted(oracle_channels.CHANNELS))
def test_the_transfer_matrix_of_every_channel(name, x64):
    step = strategies.random_step(np.random.default_rng(7), name, 2)
    channel = strategies.build_step(step)
    assert isinstance(channel, Channel)
    actual = pauli_transfer(channel.kraus)
    assert actual.dtype == jnp.float64
    expected = definition(strategies.channel(step), len(step.wires))
    np.testing.assert_allclose(actual, expected, atol=1e-14)
    # A channel keeps the trace: the row of I takes the coefficient of I alone.
    np.testing.assert_allclose(actual[0], np.eye(len(actual))[0], atol=1e-14)


@pytest.mark.parametrize("name", sorted(oracles.GATES))
def test_the_transfer_matrix_of_every_gate(name, x64):
    step = strategies.random_step(np.random.default_rng(8), name, 3)
    unitary = strategies.build_step(step)
    assert isinstance(unitary, AbstractUnitary)
    matrix = jnp.asarray(unitary.matrix()).astype(complex)
    actual = pauli_transfer(matrix[None])
    expected = definition(
        oracle_channels.from_kraus(strategies.matrix(step)[None]), len(step.wires)
    )
    np.testing.assert_allclose(actual, expected, atol=1e-14)
    # A rotation of Bloch vectors.
    np.testing.assert_allclose(actual @ actual.T, np.eye(len(actual)), atol=1e-13)


def test_transfer_matrices_batch_compose_and_differentiate(x64):
    rng = np.random.default_rng(10)
    stacks = jnp.asarray([oracles.random_kraus(rng, 3, 4) for _ in range(4)])
    together = jax.vmap(pauli_transfer)(stacks)
    loop = [pauli_transfer(stack) for stack in stacks]
    np.testing.assert_allclose(together, loop, atol=1e-14)
    products = jnp.einsum("kab,jbc->kjac", stacks[0], stacks[1]).reshape(-1, 4, 4)
    np.testing.assert_allclose(
        pauli_transfer(products), together[0] @ together[1], atol=1e-13
    )

    def entries(strength):
        return pauli_transfer(amplitude_damping(strength[0], 0).kraus)

    slopes = jax.jacfwd(entries)(np.asarray([0.3]))[..., 0]
    expected = oracles.gradient(lambda s: np.asarray(entries(s)), np.asarray([0.3]))
    np.testing.assert_allclose(slopes, expected[0], atol=1e-11)
