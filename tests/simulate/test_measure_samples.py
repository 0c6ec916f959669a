"""Samples, indices and counts: any wires, any state, one or a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.simulate import counts, sample, sample_indices
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector
from tests import oracles, stats

NUM_WIRES = 3
RNG = np.random.default_rng(23)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
RHO = oracles.random_density(RNG, NUM_WIRES)
SHOTS = 20_000
WIRES = [None, (0,), (2, 0), (1, 2, 0)]
STATES = {
    "vector": (lambda: StateVector.from_amplitudes(VECTOR), VECTOR),
    "density": (lambda: DensityMatrix.from_matrix(RHO), RHO),
    "pauli": (lambda: PauliDensity.from_matrix(RHO), RHO),
}


@pytest.mark.parametrize("wires", WIRES, ids=str)
@pytest.mark.parametrize("name", STATES)
def test_marginals_follow_the_born_rule_in_the_order_of_the_wires(name, wires, key):
    build, reference = STATES[name]
    bits = sample(key, build(), SHOTS, wires)
    measured = range(NUM_WIRES) if wires is None else wires
    assert bits.shape == (SHOTS, len(measured)) and bits.dtype == jnp.uint8
    level = stats.corrected(len(STATES) * len(WIRES))
    probs = oracles.probabilities(reference, measured)
    assert stats.born_rule_p_value(bits, probs) > level
    if len(measured) > 1:  # the mutant: wires in the wrong order
        assert stats.born_rule_p_value(bits[:, ::-1], probs) < level
    else:  # the mutant: another wire
        assert stats.born_rule_p_value(bits, oracles.probabilities(reference, (1,))) < (
            level
        )


@pytest.mark.parametrize("wires", WIRES, ids=str)
@pytest.mark.parametrize("name", STATES)
def test_indices_and_counts_are_those_of_the_bits(name, wires, key):
    state = STATES[name][0]()
    index = stats.indices(sample(key, state, 500, wires))
    np.testing.assert_array_equal(sample_indices(key, state, 500, wires), index)
    size = 2 ** (NUM_WIRES if wires is None else len(wires))
    found = counts(key, state, 500, wires)
    assert found.shape == (size,) and found.dtype == jnp.int32
    np.testing.assert_array_equal(found, np.bincount(index, minlength=size))


def test_a_batch_samples_each_of_its_states(key):
    rows = np.stack([oracles.random_state(RNG, 2) for _ in range(3)])
    batch = StateBatch.from_amplitudes(rows.astype(np.complex64))
    bits = sample(key, batch, SHOTS, (1, 0))
    assert bits.shape == (3, SHOTS, 2)
    level = stats.corrected(3)
    for own, row in zip(bits, rows, strict=True):
        probs = oracles.probabilities(row, (1, 0))
        assert stats.born_rule_p_value(own, probs) > level
    swapped = oracles.probabilities(rows[1], (1, 0))  # the mutant: another's samples
    assert stats.born_rule_p_value(bits[0], swapped) < level
    index = sample_indices(key, batch, 50, (1, 0))
    assert index.shape == (3, 50)
    found = counts(key, batch, 50, (1, 0))
    each = [np.bincount(row, minlength=4) for row in np.asarray(index)]
    np.testing.assert_array_equal(found, np.stack(each))


def test_states_of_a_batch_do_not_share_their_shots(key):
    equal = StateBatch.from_amplitudes(np.full((2, 16), 0.25, np.complex64))
    first, second = sample_indices(key, equal, 100)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("function", [sample, sample_indices, counts])
def test_wires_and_shots_out_of_range_are_refused(function, key):
    zero = StateVector.zeros(2)
    with pytest.raises(ValueError, match=r"`wires` must lie in \[0, 2\), but is"):
        function(key, zero, 5, (2,))
    with pytest.raises(ValueError, match=r"`shots` must be at least 1, but is 0"):
        function(key, zero, 0)


def test_jit_and_vmap_give_the_shots_of_a_loop(getkey):
    keys = jax.random.split(getkey(), 3)
    rows = np.stack([oracles.random_state(RNG, 3) for _ in range(3)])
    amplitudes = jnp.asarray(rows.reshape(3, 2, 2, 2), jnp.complex64)

    def one(key, tensor):
        state = StateVector(tensor)
        return sample(key, state, 200, (2, 0)), counts(key, state, 200)

    together = jax.jit(jax.vmap(one))(keys, amplitudes)
    each = [one(k, a) for k, a in zip(keys, amplitudes, strict=True)]
    for all_at_once, parts in zip(together, zip(*each, strict=True), strict=True):
        np.testing.assert_array_equal(all_at_once, jnp.stack(parts))
