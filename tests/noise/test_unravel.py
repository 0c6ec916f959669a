"""Mixtures of unitaries: what is drawn, how often, and with which log-probability."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Channel,
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Unitary,
    h,
    kraus_channel,
    rx,
    template,
)
from qjax.noise import (
    CHANNELS,
    amplitude_damping,
    bit_flip,
    build,
    depolarizing,
    draw_unitaries,
    mixed_unitary,
    pauli_channel,
    phase_flip,
    two_qubit_depolarizing,
)
from qjax.simulate import run
from qjax.states import DensityMatrix
from tests import oracles, stats

MANY = 4000
MIXTURES = (
    "bit_flip",
    "bit_phase_flip",
    "depolarizing",
    "pauli_channel",
    "phase_flip",
    "two_qubit_depolarizing",
)


def draws(key, circuit: Circuit, count: int = MANY):
    """`count` drawn circuits, stacked, and their log-probabilities."""
    keys = jax.random.split(key, count)
    return jax.jit(jax.vmap(draw_unitaries, in_axes=(0, None)))(keys, circuit)


def which(arrays, unitaries: np.ndarray) -> np.ndarray:
    """Index of each drawn matrix in the stack it was drawn from."""
    gaps = np.abs(np.asarray(arrays)[..., None, :, :] - unitaries).max((-1, -2))
    assert np.all(gaps.min(-1) < 1e-6)
    return gaps.argmin(-1)


# --- the channel ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_which_channels_are_mixtures_and_that_weights_and_unitaries_are_such(name):
    strengths = (50.0, 60.0, 5.0, 0.1) if name == "thermal_relaxation" else None
    strengths = strengths or (0.2,) * len(CHANNELS[name].parameters)
    channel = build(name, strengths, tuple(range(CHANNELS[name].num_wires)))
    assert (channel.weights is not None) == (name in MIXTURES)
    channel.checked()
    if channel.weights is not None:
        np.testing.assert_allclose(np.sum(channel.weights), 1, atol=1e-6)
        roots = np.sqrt(np.asarray(channel.weights))[:, None, None]
        expected = roots * np.asarray(channel.operators)
        np.testing.assert_allclose(channel.kraus, expected, atol=1e-7)


def test_a_mixture_built_by_hand_is_checked():
    pair = np.stack([np.eye(2), oracles.gate("h")])
    channel = mixed_unitary(np.asarray([0.25, 0.75]), pair, 1, name="Maybe")
    assert channel.name == "Maybe" and channel.wires == (1,)
    moved = channel.on((2,))
    assert moved.wires == (2,) and moved.weights is channel.weights
    with pytest.raises(ValueError, match="`unitaries` must be unitary"):
        mixed_unitary(np.asarray([0.25, 0.75]), 2 * pair, 1)
    for weights in ([0.5, 0.6], [1.1, -0.1], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="`weights` must be at least 0 and 1 in s"):
            mixed_unitary(np.asarray(weights), pair, 1)
    with pytest.raises(ValueError, match=r"`weights` must have shape \(2,\)"):
        mixed_unitary(np.asarray([0.2, 0.2, 0.6]), pair, 1)
    with pytest.raises(ValueError, match="`operators` must end in shape"):
        mixed_unitary(np.asarray([0.25, 0.75]), pair, (0, 1))


def test_a_traced_mixture_is_checked_at_run_time():
    pair = np.stack([np.eye(2), oracles.gate("h")])

    @eqx.filter_jit
    def weights(values):
        return mixed_unitary(values, pair, 0).weights

    np.testing.assert_allclose(np.asarray(weights(jnp.asarray([0.5, 0.5]))), 0.5)
    with pytest.raises(Exception, match="`weights` must be at least 0"):
        jax.block_until_ready(weights(jnp.asarray([0.5, 0.6])))


# --- the drawn circuit ----------------------------------------------------------------


def noisy(strength=0.3) -> Circuit:
    def layer(angle):
        inner = Circuit([rx(angle, 0), depolarizing(strength, 0)], 2)
        twice = Repeat(jax.vmap(lambda _: inner)(jnp.zeros(2)), 2)
        return Circuit([twice, two_qubit_depolarizing(strength, (1, 0))], 2)

    body = jax.vmap(layer)(jnp.arange(3.0))
    return Circuit([h(0), bit_flip(strength, 0), Repeat(body, 3), h(1)], 2)


def test_the_structure_stays_and_is_unitary(key):
    drawn, log_prob = draw_unitaries(key, noisy())
    assert [op.name for op in drawn.operations] == ["H", "U", "Repeat3", "H"]
    repeat = drawn.operations[2]
    assert isinstance(repeat, Repeat)
    inner, pair = repeat.operations
    assert isinstance(inner, Repeat) and isinstance(pair, Unitary)
    single = inner.operations[1]
    assert isinstance(single, Unitary)
    assert pair.array.shape == (3, 4, 4) and single.array.shape == (3, 2, 2, 2)
    assert pair.wires == (1, 0) and log_prob.shape == ()
    assert drawn.resources().num_channels == 0
    run(drawn, DensityMatrix.zeros(2))  # leaves have the axes that a run expects


def test_what_is_no_unconditional_mixture_stays(key):
    kept = [
        amplitude_damping(0.1, 0),
        Measure(0),
        Conditional(bit_flip(0.1, 1), (0,), (1,)),
    ]
    drawn, log_prob = draw_unitaries(key, Circuit([*kept, phase_flip(0.0, 0)], 2))
    assert drawn.operations[0] is kept[0] and drawn.operations[2] is kept[2]
    assert drawn.operations[1] == Measure(0) and isinstance(
        drawn.operations[3], Unitary
    )
    assert log_prob == 0
    unchanged, log_prob = draw_unitaries(key, Circuit(kept, 2))
    assert unchanged.operations[0] is kept[0] and log_prob == 0


def test_each_draw_has_its_frequency_and_log_probability(key):
    """Chi-squared for every place of every repetition, at joint level ALPHA."""
    drawn, log_probs = draws(key, noisy())
    single, pair = depolarizing(0.3, 0), two_qubit_depolarizing(0.3, (0, 1))
    flip = bit_flip(0.3, 0)
    repeat = drawn.operations[2]
    places = [
        (flip, drawn.operations[1].array[:, None]),
        (single, repeat.operations[0].operations[1].array.reshape(MANY, 6, 2, 2)),
        (pair, repeat.operations[1].array),
    ]
    p_values, mutants, total = [], [], np.zeros(MANY)
    for channel, arrays in places:
        index = which(arrays, np.asarray(channel.operators))
        weights = np.asarray(channel.weights, float)
        total += np.log(weights)[index].sum(1)
        for column in index.T:
            counts = np.bincount(column, minlength=len(weights))
            p_values.append(stats.counts_p_value(counts, weights))
            # The mutant takes every outcome for equally likely.
            even = np.full(len(weights), 1 / len(weights))
            mutants.append(stats.counts_p_value(counts, even))
    level = stats.corrected(len(p_values))
    assert len(p_values) == 10 and min(p_values) > level and max(mutants) < level
    np.testing.assert_allclose(log_probs, total, atol=1e-4)


def test_draws_at_different_places_are_independent(key):
    """Pairs of places, chi-squared each; one draw used twice is the mutant."""
    drawn, _ = draws(key, noisy(1.0))
    repeat = drawn.operations[2]
    arrays = repeat.operations[0].operations[1].array.reshape(MANY, 6, 2, 2)
    index = which(arrays, np.asarray(depolarizing(1.0, 0).operators))
    first = drawn.operations[1].array
    flips = which(first, np.asarray(bit_flip(1.0, 0).operators))
    assert np.all(flips == 1)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    for i, j in pairs:
        counts = np.bincount(4 * index[:, i] + index[:, j], minlength=16)
        p_value = stats.counts_p_value(counts, np.full(16, 1 / 16))
        assert p_value > stats.corrected(len(pairs)), (i, j)
    same = np.bincount(5 * index[:, 0], minlength=16)
    assert stats.counts_p_value(same, np.full(16, 1 / 16)) < stats.ALPHA


def test_unequal_channels_of_one_shape_keep_their_own_weights_and_matrices(key):
    channels = [bit_flip(0.1, 0), phase_flip(0.6, 1)]
    drawn, _ = draws(key, Circuit(channels, 2))
    for position, strength in ((0, 0.1), (1, 0.6)):
        unitaries = np.asarray(channels[position].operators)
        index = which(drawn.operations[position].array, unitaries)
        count = int(index.sum())
        assert stats.binomial_p_value(count, MANY, strength) > stats.corrected(2)
        assert stats.binomial_p_value(count, MANY, 0.7 - strength) < stats.ALPHA


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_an_outcome_of_probability_zero_is_never_drawn(key, strength):
    """Both ends of the range, first and last outcomes; finite slopes there too."""

    def channels(p):
        return [bit_flip(p, 0), pauli_channel(0.0, p, 0.0, 1)]

    def log_prob(p, one):
        return draw_unitaries(one, Circuit(channels(p), 2))[1]

    drawn, log_probs = draws(key, Circuit(channels(strength), 2))
    np.testing.assert_array_equal(log_probs, 0)
    taken = [int(strength), 2 * int(strength)]
    for operation, channel, index in zip(
        drawn.operations, channels(strength), taken, strict=True
    ):
        assert np.all(which(operation.array, np.asarray(channel.operators)) == index)
    keys = jax.random.split(key, 8)
    p = jnp.float32(strength)
    slopes = jax.vmap(jax.grad(log_prob), in_axes=(None, 0))(p, keys)
    np.testing.assert_allclose(slopes, 4 * strength - 2, atol=1e-6)


def test_log_probability_has_the_slope_of_the_weights(key, x64):
    """d/dp ln w_k of the same draw, by hand."""
    strengths = jnp.asarray([0.2, 0.5])

    def log_prob(p, one):
        circuit = Circuit([depolarizing(p[0], 0), bit_flip(p[1], 0)], 1)
        drawn, value = draw_unitaries(one, circuit)
        return value, jax.tree.leaves(drawn)

    keys = jax.random.split(key, 200)
    slopes, arrays = jax.jit(
        jax.vmap(jax.grad(log_prob, has_aux=True), in_axes=(None, 0))
    )(strengths, keys)
    error = which(arrays[0], np.asarray(depolarizing(0.2, 0).operators)) > 0
    flip = which(arrays[1], np.asarray(bit_flip(0.5, 0).operators)) > 0
    assert 0 < error.sum() < 200 and 0 < flip.sum() < 200
    np.testing.assert_allclose(slopes[:, 0], np.where(error, 5, -0.75 / 0.85))
    np.testing.assert_allclose(slopes[:, 1], np.where(flip, 2, -2))


@pytest.mark.x64
def test_widths_may_be_mixed(key):
    narrow = bit_flip(np.float32(0.5), 0)
    circuit = Circuit([narrow, bit_flip(np.float64(0.5), 0)], 1)
    drawn, log_prob = draw_unitaries(key, circuit)
    dtypes = [leaf.dtype for leaf in jax.tree.leaves(drawn)]
    assert dtypes == ["complex64", "complex128"]
    np.testing.assert_allclose(log_prob, 2 * np.log(0.5), rtol=1e-6)


# --- where else channels go -----------------------------------------------------------


def test_template_rolls_and_binds_mixtures():
    def loop(params):
        layers = [[rx(a, 0), depolarizing(p, 0), bit_flip(p, 0)] for a, p in params]
        return Circuit([op for layer in layers for op in layer], 1)

    params = np.asarray([[0.3, 0.1], [0.5, 0.2], [0.7, 0.3]])
    bound = template(loop, params)(params)
    assert [type(op) for op in bound.operations] == [Repeat]
    rolled = run(bound, DensityMatrix.zeros(1)).matrix()
    expected = run(loop(params), DensityMatrix.zeros(1)).matrix()
    np.testing.assert_allclose(rolled, expected, atol=1e-6)


def test_a_mixture_is_the_channel_of_its_kraus_operators():
    channel = pauli_channel(0.1, 0.2, 0.3, 0)
    plain = kraus_channel(channel.kraus, 0)
    assert isinstance(plain, Channel) and plain.weights is None
    start = Circuit([rx(0.4, 0)], 1)
    ends = [
        run(start + Circuit([one], 1), DensityMatrix.zeros(1)).matrix()
        for one in (channel, plain)
    ]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
