"""Batches of pure states: shapes, readings, and what they refuse."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import ising, ry
from qjax.simulate import expectation
from qjax.states import StateBatch, StateVector
from tests import oracles

NUM_WIRES, BATCH = 3, 5
VECTORS = np.stack(
    [
        oracles.random_state(np.random.default_rng(seed), NUM_WIRES)
        for seed in range(BATCH)
    ]
)
SUBSETS = [w for k in (1, 2, 3) for w in itertools.permutations(range(3), k)]


def batch(dtype: str = "complex64") -> StateBatch:
    return StateBatch.from_amplitudes(jnp.asarray(VECTORS.astype(dtype)))


def rows(states: StateBatch) -> np.ndarray:
    return np.asarray(states.unstack().amplitudes).reshape(states.batch, -1)


# --- making batches -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_rows_become_states_with_the_batch_last(dtype, x64):
    states = batch(dtype)
    assert (states.num_wires, states.batch) == (NUM_WIRES, BATCH)
    assert states.amplitudes.shape == (2, 2, 2, BATCH)
    assert states.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(rows(states), VECTORS.astype(dtype))
    np.testing.assert_array_equal(
        states.amplitudes[1, 0, 1], VECTORS[:, 0b101].astype(dtype)
    )


def test_real_numbers_are_amplitudes_too():
    for dtype in (np.float32, np.float64):
        states = StateBatch.from_amplitudes(np.asarray([[1, 0], [0.6, 0.8]], dtype))
        assert states.dtype == np.complex64
        np.testing.assert_allclose(rows(states), [[1, 0], [0.6, 0.8]], atol=1e-7)
    whole = StateBatch.from_amplitudes(np.eye(2, dtype=int))
    np.testing.assert_array_equal(rows(whole), np.eye(2))


def test_every_row_is_normalised_by_its_own_norm():
    scales = np.asarray([0.5, 1, 2, 3, 1e-3])
    scaled = (VECTORS * scales[:, None]).astype(np.complex64)
    states = StateBatch.from_amplitudes(jnp.asarray(scaled), normalize=True)
    np.testing.assert_allclose(rows(states), VECTORS, atol=1e-6)


def test_normalising_is_differentiable_and_jits(x64):
    def first(amplitudes):
        return StateBatch.from_amplitudes(amplitudes, normalize=True).amplitudes[0].real

    given = np.asarray([[3.0, 4.0], [1.0, 0.0]])
    np.testing.assert_allclose(jax.jit(first)(given), [0.6, 1.0], atol=1e-14)
    slopes = jax.jit(jax.jacobian(first))(given)
    # d (a / r) = (b^2, -a b) / r^3
    np.testing.assert_allclose(slopes[0, 0], [16 / 125, -12 / 125], atol=1e-14)
    np.testing.assert_allclose(slopes[0, 1], 0, atol=1e-14)


@pytest.mark.parametrize("dtype", [None, "complex64", "complex128"])
def test_zeros_are_copies_of_the_first_basis_state(dtype, x64):
    states = StateBatch.zeros(3, 4, None if dtype is None else np.dtype(dtype))
    assert states.dtype == np.dtype(dtype or "complex128")
    np.testing.assert_array_equal(rows(states), np.eye(8)[[0] * 4])


def test_stack_and_unstack_are_inverse_and_vmap_between_them():
    def rotated(angle):
        return StateVector.zeros(2).apply_matrix(ry(angle, 0).matrix(), (0,))

    angles = jnp.asarray([0.1, 0.7, 2.0])
    states = StateBatch.stack(jax.vmap(rotated)(angles))
    assert (states.num_wires, states.batch) == (2, 3)
    for index, angle in enumerate(angles):
        np.testing.assert_allclose(
            rows(states)[index], rotated(angle).vector(), atol=1e-7
        )
    again = StateBatch.stack(states.unstack())
    np.testing.assert_array_equal(again.amplitudes, states.amplitudes)
    norms = jax.vmap(StateVector.norm)(states.unstack())
    np.testing.assert_allclose(norms, np.ones(3), atol=1e-6)


# --- readings -------------------------------------------------------------------------


@pytest.mark.parametrize("wires", SUBSETS)
def test_probabilities_are_those_of_every_state(wires, x64):
    found = batch("complex128").probabilities(wires)
    assert found.shape == (BATCH, *(2,) * len(wires)) and found.dtype == np.float64
    expected = [oracles.probabilities(vector, wires) for vector in VECTORS]
    np.testing.assert_allclose(found.reshape(BATCH, -1), expected, atol=1e-14)


def test_probabilities_of_all_wires_are_the_default():
    states = batch()
    np.testing.assert_array_equal(
        states.probabilities(), states.probabilities((0, 1, 2))
    )


def test_expectations_are_those_of_every_state(x64):
    observables = [ising(NUM_WIRES, 0.7, 0.3), ising(NUM_WIRES, -1.0, 0.2)]
    states = batch("complex128")
    singles = [StateVector.from_amplitudes(jnp.asarray(v)) for v in VECTORS]
    for observable in observables:
        found = expectation(states, observable)
        expected = [expectation(single, observable) for single in singles]
        np.testing.assert_allclose(found, expected, atol=1e-14)


# --- transforms -----------------------------------------------------------------------


def test_a_batch_passes_jit_and_vmap_as_a_pytree():
    states = batch()
    passed = jax.jit(lambda s: s)(states)
    assert isinstance(passed, StateBatch)
    np.testing.assert_array_equal(passed.amplitudes, states.amplitudes)
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, -leaf]), states)
    found = jax.vmap(lambda s: s.probabilities((1,)))(stacked)
    np.testing.assert_allclose(found[0], states.probabilities((1,)), atol=1e-7)
    np.testing.assert_allclose(found[1], found[0], atol=1e-7)


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amplitudes,message",
    [
        (np.ones((2, 4)), "`amplitudes` must have rows of norm 1"),
        (np.asarray([[1.0, 0.0], [1.0, 1.0]]), "`amplitudes` must have rows of norm 1"),
        (
            np.asarray([[1.0, 0.0], [np.nan, 0.0]]),
            "`amplitudes` must have rows of norm 1",
        ),
        (np.ones((2, 3)), r"`amplitudes` must have shape \(batch, 2\^n\).*\(2, 3\)"),
        (np.ones((2, 1)), r"`amplitudes` must have shape \(batch, 2\^n\).*\(2, 1\)"),
        (np.ones(4) / 2, r"`amplitudes` must have shape \(batch, 2\^n\).*\(4,\)"),
        (np.ones((0, 4)), r"`amplitudes` must have shape \(batch, 2\^n\).*\(0, 4\)"),
    ],
)
def test_rows_that_are_no_states_are_refused(amplitudes, message):
    with pytest.raises(ValueError, match=message):
        StateBatch.from_amplitudes(amplitudes)


def test_a_row_without_a_norm_cannot_be_normalised():
    given = np.asarray([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(
        ValueError, match="`amplitudes` must have rows of positive norm"
    ):
        StateBatch.from_amplitudes(given, normalize=True)


def test_a_traced_row_is_reported_at_run_time():
    go = jax.jit(lambda a: StateBatch.from_amplitudes(a).amplitudes)
    with pytest.raises(Exception, match="rows of norm 1"):
        jax.block_until_ready(go(np.ones((2, 4), np.float32)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 2), (2, 2, 0), (4, 2)])
def test_amplitudes_of_another_shape_are_refused(shape):
    rule = r"`amplitudes` must have shape \(2,\) \* n"
    with pytest.raises(Exception, match=rule + "|Type-check error"):
        StateBatch(jnp.ones(shape, jnp.complex64))


def test_wires_beyond_the_states_are_refused():
    with pytest.raises(ValueError, match="wires"):
        batch().probabilities((0, 3))
