"""Readout errors against full matrices; sampled bits against exact distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.noise import ReadoutConfusion
from tests import stats

P01, P10 = [0.02, 0.1, 0.0], [0.05, 0.2, 0.3]


@pytest.fixture
def confusion() -> ReadoutConfusion:
    return ReadoutConfusion(jnp.asarray(P01), jnp.asarray(P10))


def reference() -> np.ndarray:
    total = np.eye(1)
    for a, b in zip(P01, P10, strict=True):
        total = np.kron(total, np.array([[1 - a, b], [a, 1 - b]]))
    return total


def true_distribution() -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.ones(8))


def signs(wire: int) -> np.ndarray:
    return 1 - 2 * ((np.arange(8) >> (2 - wire)) & 1)


def test_matrix_and_apply_are_the_kronecker_product(confusion):
    np.testing.assert_allclose(confusion.matrix(), reference(), atol=1e-6)
    truth = true_distribution()
    observed = confusion.apply(jnp.asarray(truth, jnp.float32).reshape(2, 2, 2))
    np.testing.assert_allclose(observed.reshape(-1), reference() @ truth, atol=1e-6)


def test_corrupted_bits_follow_the_observed_distribution_and_the_test_can_tell(
    confusion,
):
    truth = true_distribution()
    rows = np.random.default_rng(2).choice(8, size=20000, p=truth)
    bits = (rows[:, None] >> np.array([2, 1, 0])) & 1
    read = confusion.corrupt(jax.random.key(3), jnp.asarray(bits, jnp.uint8))
    assert read.dtype == jnp.uint8
    assert stats.born_rule_p_value(read, reference() @ truth) > stats.ALPHA
    # The two kinds of error exchanged must be noticed.
    mutant = ReadoutConfusion(jnp.asarray(P10), jnp.asarray(P01))
    read = mutant.corrupt(jax.random.key(3), jnp.asarray(bits, jnp.uint8))
    assert stats.born_rule_p_value(read, reference() @ truth) < stats.ALPHA


def test_observed_z_is_the_mean_under_the_observed_distribution_and_is_undone(
    confusion,
):
    truth = true_distribution()
    wires = (2, 0)
    true_means = jnp.asarray([truth @ signs(wire) for wire in wires], jnp.float32)
    expected = [(reference() @ truth) @ signs(wire) for wire in wires]
    observed = confusion.observed_z(true_means, wires)
    np.testing.assert_allclose(observed, expected, atol=1e-6)
    corrected = confusion.corrected_z(observed, wires)
    np.testing.assert_allclose(corrected, true_means, atol=1e-5)


def test_strengths_are_differentiated_under_jit(confusion):
    start = jnp.zeros((2, 2, 2)).at[0, 0, 0].set(1)

    @jax.jit
    @jax.grad
    def slope(p01):
        return ReadoutConfusion(p01, confusion.p10).apply(start)[1, 0, 0]

    # P(100) = p01_0 (1 - p01_1) (1 - p01_2)
    expected = [0.9, -0.02, -0.02 * 0.9]
    np.testing.assert_allclose(slope(confusion.p01), expected, atol=1e-6)


def test_bad_input_is_named(confusion):
    with pytest.raises(ValueError, match="`p01` must lie in"):
        ReadoutConfusion(jnp.asarray([1.1]), jnp.asarray([0.1]))
    with pytest.raises(ValueError, match="`p10` must have the shape"):
        ReadoutConfusion(jnp.asarray([0.1]), jnp.asarray([0.1, 0.2]))
    with pytest.raises(Exception, match="`p10` must lie in"):
        traced = jax.jit(lambda p: ReadoutConfusion(jnp.asarray([0.1]), p).p10)
        jax.block_until_ready(traced(jnp.asarray([-0.1])))
    with pytest.raises(ValueError, match="`probabilities` must have shape"):
        confusion.apply(jnp.ones((2, 2)))
    with pytest.raises(ValueError, match="`bits` must have shape"):
        confusion.corrupt(jax.random.key(0), jnp.zeros((4, 2), jnp.uint8))
    blind = ReadoutConfusion(jnp.asarray([0.5]), jnp.asarray([0.5]))
    with pytest.raises(ValueError, match="`p01, p10` must differ from 1"):
        blind.corrected_z(jnp.asarray([0.0]), (0,))
    with pytest.raises(ValueError, match="`wires` must lie in"):
        confusion.observed_z(jnp.asarray([0.0]), (3,))
