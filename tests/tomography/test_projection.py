"""Nearest states and channels: in the set, optimal, fixed points."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.noise import choi_from_kraus
from qjax.tomography import nearest_channel, nearest_state
from tests import oracles

seeds = st.integers(0, 2**16)


def random_hermitian(rng: np.random.Generator, size: int) -> np.ndarray:
    raw = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return (raw + raw.conj().T) / 2


nearest = {size: jax.jit(nearest_channel) for size in (2, 4)}
state_of = jax.jit(nearest_state)


@pytest.mark.x64
@hypothesis.given(seeds)
def test_nearest_state_is_optimal(seed):
    """(M - X) . (Y - X) <= 0 for every state Y: the condition of a projection."""
    rng = np.random.default_rng(seed)
    matrix = random_hermitian(rng, 4)
    matrix += np.eye(4) * (1 - np.trace(matrix).real) / 4
    found = np.asarray(state_of(matrix))
    assert abs(np.trace(found) - 1) < 1e-12
    assert np.linalg.eigvalsh(found).min() > -1e-12
    for rank in (1, 1, 2, 4):
        other = oracles.random_density(rng, 2, rank)
        assert np.trace((matrix - found) @ (other - found)).real < 1e-10
    np.testing.assert_allclose(state_of(found), found, atol=1e-12)


@pytest.mark.x64
@hypothesis.settings(max_examples=15)
@hypothesis.given(seeds)
def test_nearest_channel_is_optimal(seed):
    """The same condition against random channels; the mutant is one in both sets.

    Plain alternating projections also end in a channel, but not in the nearest.
    """
    rng = np.random.default_rng(seed)
    near = choi_from_kraus(oracles.random_kraus(rng, 2, 2))
    matrix = np.asarray(near) + 0.3 * random_hermitian(rng, 4)
    found, info = nearest[2](matrix)
    found = np.asarray(found)
    assert info.converged
    trace = np.einsum("aibi->ab", found.reshape(2, 2, 2, 2))
    np.testing.assert_allclose(trace, np.eye(2), atol=1e-13)
    assert np.linalg.eigvalsh(found).min() > -1e-13
    for count in (1, 1, 2, 4, 4):
        other = np.asarray(choi_from_kraus(oracles.random_kraus(rng, count, 2)))
        assert np.trace((matrix - found) @ (other - found)).real < 1e-6


@pytest.mark.x64
def test_plain_alternation_is_not_the_nearest_channel():
    rng = np.random.default_rng(2)
    matrix = np.eye(4) / 2 + random_hermitian(rng, 4)
    found = np.asarray(nearest[2](matrix)[0])
    other = matrix
    for _ in range(500):
        values, vectors = np.linalg.eigh(other)
        other = (vectors * np.maximum(values, 0)) @ vectors.conj().T
        excess = np.einsum("aibi->ab", other.reshape(2, 2, 2, 2)) - np.eye(2)
        other = other - np.kron(excess, np.eye(2)) / 2
    assert np.linalg.eigvalsh(other).min() > -1e-9  # a channel
    gap, gap_other = (np.linalg.norm(matrix - one) for one in (found, other))
    assert gap < gap_other - 1e-3


@pytest.mark.parametrize("size", [2, 4])
def test_a_channel_is_its_own_nearest_channel(size):
    kraus = oracles.random_kraus(np.random.default_rng(size), 3, size)
    choi = choi_from_kraus(kraus.astype(np.complex64))
    found, info = nearest[size](choi)
    np.testing.assert_allclose(found, choi, atol=2e-6 * size)
    assert info.converged


def test_a_projection_cut_short_says_so_and_is_a_channel_still():
    matrix = np.eye(4) / 2 + random_hermitian(np.random.default_rng(0), 4)
    found, info = nearest_channel(jnp.asarray(matrix), max_iterations=1)
    assert not info.converged and int(info.iterations) == 1
    trace = np.einsum("aibi->ab", np.asarray(found).reshape(2, 2, 2, 2))
    np.testing.assert_allclose(trace, np.eye(2), atol=1e-5)
    assert np.linalg.eigvalsh(np.asarray(found)).min() > -1e-6


def test_matrices_of_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="`choi` must have shape"):
        nearest_channel(jnp.eye(9, dtype=complex))
    with pytest.raises(ValueError, match="`matrix` must be square"):
        nearest_state(jnp.ones((2, 3), complex))
    with pytest.raises(ValueError, match="`max_iterations` must be at least 1"):
        nearest_channel(jnp.eye(4, dtype=complex), max_iterations=0)
