"""Drawing in proportion to weights: the exact law, rare outcomes, transforms."""

import inspect

import jax
import jax.extend.random
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.states import sampling
from qjax.states.sampling import draw, draw_counts, draw_index, index_to_bits
from tests import stats

RNG = np.random.default_rng(41)


def law(weights) -> np.ndarray:
    """The probability that the tables of `draw` give to each outcome."""
    blocks = sampling._blocks(jnp.asarray(weights, jnp.float32))
    cells = np.diff(np.asarray(sampling._cumulate(blocks), np.float64), prepend=0)
    cells /= np.maximum(cells.sum(axis=1, keepdims=True), 1)
    sums = sampling._cumulate(jnp.sum(blocks, axis=1))
    rows = np.diff(np.asarray(sums, np.float64), prepend=0) / 2**30
    if len(rows) == 1:
        return cells[0, : len(weights)]
    return (rows[:, None] * cells).reshape(-1)[: len(weights)]


def shapes_of_weights(size: int) -> dict[str, np.ndarray]:
    heavy = np.full(size, 0.5 / (size - 1))
    heavy[size // 3] = 0.5
    return {
        "chaotic": RNG.exponential(size=size),
        "equal": np.ones(size),
        "one heavy": heavy,
        "wide": np.exp(RNG.normal(scale=6, size=size)),
        "half zero": RNG.exponential(size=size) * (RNG.random(size) < 0.5),
    }


@pytest.mark.parametrize("bits", [3, 11, 12, 17, 22])
def test_distance_in_total_variation_is_below_2_to_the_minus_20(bits):
    for name, weights in shapes_of_weights(2**bits).items():
        weights = weights.astype(np.float32)
        exact = weights.astype(np.float64) / weights.sum(dtype=np.float64)
        drawn = law(weights)
        assert np.all(drawn[weights == 0] == 0), name
        assert 0.5 * np.sum(np.abs(drawn - exact)) < 2**-20, name
        # p (1 + d) + e P + f p / P, with P the block's probability.
        block = np.asarray(sampling._blocks(jnp.asarray(weights))).shape[1]
        large = np.repeat(exact.reshape(-1, block).sum(axis=1), block)
        rounding = large + exact / np.maximum(large, 1e-300)
        bound = 2**-20 * exact + 2**-29 * rounding
        assert np.all(np.abs(drawn - exact) <= bound), name


def table_search(table: np.ndarray, words: np.ndarray) -> np.ndarray:
    return np.searchsorted(table, words >> 2, side="right")


@pytest.mark.parametrize("size", [2, 3, 16, 17, 257, 2048])
def test_search_of_the_first_table_is_numpys(size):
    blocks = sampling._blocks(jnp.asarray(RNG.exponential(size=size), jnp.float32))
    table = sampling._cumulate(blocks)[0]
    words = RNG.integers(0, 2**32, 1000, dtype=np.uint32)
    found = sampling._search_first(table, jnp.asarray(words))
    np.testing.assert_array_equal(found, table_search(np.asarray(table), words))


def test_search_of_a_block_is_numpys():
    blocks = sampling._blocks(jnp.asarray(RNG.exponential(size=2**13), jnp.float32))
    cells = sampling._cumulate(blocks)
    pivots = sampling._pivots(cells)
    words = jnp.asarray(RNG.integers(0, 2**32, 500, dtype=np.uint32))
    block = RNG.integers(0, len(cells), 500).astype(np.int32)
    found = sampling._search_block(
        cells, pivots, jnp.asarray(block), jnp.asarray(words)
    )
    rows = zip(np.asarray(cells)[block], np.asarray(words), strict=True)
    inside = np.stack([table_search(row, word) for row, word in rows])
    np.testing.assert_array_equal(found, block * cells.shape[1] + inside)


# --- statistics -----------------------------------------------------------------------


def naive(key, weights, shots):
    """The mutant: a cumulative sum in float32 and a float32 uniform number."""
    cumulative = jnp.cumsum(weights)
    point = jax.random.uniform(key, (shots,), weights.dtype) * cumulative[-1]
    return jnp.searchsorted(cumulative, point, side="right")


def rare_and_frequent(key, sampler, shots: int) -> float:
    """p-value at 2^22 outcomes of 31/2^26 and 1/2^26 in turns, the latter 3 % of all.

    Each rare one ends at a multiple of 2^-21, so numbers in steps of 2^-23 skip it.
    """
    weights = np.tile(np.asarray([31, 1], np.float32) / 2**26, 2**21)
    index = np.asarray(jax.jit(sampler, static_argnums=2)(key, weights, shots))
    cells = np.bincount((index >> 16) * 2 + (index & 1), minlength=128)
    return stats.counts_p_value(cells, np.tile([31 / 32, 1 / 32], 64))


def test_rare_outcomes_among_2_to_the_22_are_drawn_as_often_as_they_should(key):
    assert rare_and_frequent(key, draw, 400_000) > stats.ALPHA
    assert rare_and_frequent(key, naive, 400_000) < stats.ALPHA


def test_chaotic_weights_of_2_to_the_22_outcomes(key):
    """Cells by place and by size of the weight; the mutant draws from sqrt(p)."""
    weights = RNG.exponential(size=2**22).astype(np.float32)
    level = np.searchsorted([1e-3, 1e-2, 0.1, 0.5, 1, 2, 4], weights)
    cell = (np.arange(2**22) >> 18) * 8 + level
    probs = np.bincount(cell, weights, minlength=128)
    for drawn_from, fits in ((weights, True), (np.sqrt(weights), False)):
        index = np.asarray(draw(key, jnp.asarray(drawn_from), 400_000))
        p_value = stats.counts_p_value(np.bincount(cell[index], minlength=128), probs)
        assert (p_value > stats.ALPHA) == fits


@pytest.mark.parametrize("shots", [1, 127, 128, 40_009])
@pytest.mark.parametrize("size", [3, 5000])
def test_every_number_of_shots_follows_the_law(shots, size, key):
    """Many keys together, for each of the ways that words are made in."""
    weights = jnp.asarray(RNG.exponential(size=size), jnp.float32)
    keys = jax.random.split(key, max(1, 40_000 // shots))
    index = jax.jit(jax.vmap(lambda k: draw(k, weights, shots)))(keys)
    assert index.shape == (len(keys), shots) and index.dtype == jnp.int32
    counts = np.bincount(np.asarray(index).reshape(-1), minlength=size)
    level = stats.corrected(8)
    assert stats.counts_p_value(counts, np.asarray(weights)) > level
    shifted = np.roll(np.asarray(weights), 1)
    assert stats.counts_p_value(counts, shifted) < level


def test_draws_of_one_key_are_independent(key):
    """Neighbours, and shots that share a block of random words (half the shots apart).

    The mutant gives the two shots of a block the same word.
    """
    weights = RNG.exponential(size=8).astype(np.float32)
    shots = 16_000
    index = np.asarray(draw(key, jnp.asarray(weights), shots))
    pairs = np.outer(weights, weights)
    half = index.reshape(2, -1)
    for first, second in ((index[::2], index[1::2]), (half[0], half[1])):
        counts = np.bincount(first * 8 + second, minlength=64)
        assert stats.counts_p_value(counts, pairs) > stats.corrected(2)
    doubled = np.bincount(half[0] * 8 + half[0], minlength=64)
    assert stats.counts_p_value(doubled, pairs) < stats.corrected(2)


@pytest.mark.parametrize("word", [0, 2**32 - 1])
@pytest.mark.parametrize("size", [16, 2**13])
def test_no_word_draws_an_outcome_of_probability_zero(word, size, key, monkeypatch):
    """Chance meets the extreme words once in 2^32 draws, a test by sampling never."""
    weights = np.zeros(size, np.float32)
    weights[[3, size - 4]] = [0.3, 0.7]

    def bits(key, shape, dtype):
        del key
        return jnp.full(shape, word, dtype)

    monkeypatch.setattr(jax.random, "bits", bits)
    expected = 3 if word == 0 else size - 4
    found = inspect.unwrap(draw)(key, jnp.asarray(weights), 2)
    assert found.tolist() == [expected, expected]


def test_negative_rounding_counts_as_zero(key):
    weights = jnp.asarray([0.5, -1e-8, 0.5, -1e-8])
    assert set(np.asarray(draw(key, weights, 10_000)).tolist()) == {0, 2}


@pytest.mark.parametrize("size", [3, 5000])
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_weights_without_a_law_stay_in_range(size, value, key):
    index = draw(key, jnp.full((size,), value, jnp.float32), 200)
    assert np.all((index >= 0) & (index < size))


# --- random words ---------------------------------------------------------------------


def test_threefry_gives_the_words_of_its_authors_and_of_jax(getkey):
    seed = jnp.zeros(2, jnp.uint32)
    first = sampling.threefry(seed, jnp.zeros(1, jnp.uint32))
    assert [int(word[0]) for word in first] == [0x6B200159, 0x99BA4EFE]
    seed = jax.random.bits(getkey(), (2,), jnp.uint32)
    counter = jnp.arange(100, dtype=jnp.uint32)
    pairs = jnp.concatenate([counter, jnp.zeros(100, jnp.uint32)])
    expected = jax.extend.random.threefry_2x32(seed, pairs)
    np.testing.assert_array_equal(
        jnp.concatenate(sampling.threefry(seed, counter)), expected
    )


@pytest.mark.parametrize("shots", [1, 1000, 2**14, 2**14 + 1, 100_000, 99_991])
def test_chunks_number_the_shots_one_by_one(shots):
    starts, shot = sampling._chunks(shots)
    numbers = (starts[:, None] + shot).reshape(-1)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert shots <= len(numbers) < shots + len(starts)


# --- transforms, dtypes, other forms --------------------------------------------------


@pytest.mark.parametrize("size, shots", [(6, 9), (5000, 300)])
def test_vmap_is_a_loop_and_jit_is_eager(size, shots, getkey):
    keys = jax.random.split(getkey(), 3)
    weights = jnp.asarray(RNG.exponential(size=(3, size)), jnp.float32)
    together = jax.jit(jax.vmap(draw, in_axes=(0, 0, None)), static_argnums=2)
    each = [draw(k, w, shots) for k, w in zip(keys, weights, strict=True)]
    np.testing.assert_array_equal(together(keys, weights, shots), jnp.stack(each))
    eager = inspect.unwrap(draw)(keys[0], weights[0], shots)
    np.testing.assert_array_equal(eager, each[0])


@pytest.mark.parametrize("size", [5, 5000])
def test_log_probability_has_the_gradient_of_ln_of_the_share(size, key, x64):
    weights = jnp.asarray(RNG.exponential(size=size))

    def last(w):
        index, log_probs = draw_index(key, w, 4)
        return log_probs[-1], index[-1]

    (value, index), slope = jax.value_and_grad(last, has_aux=True)(weights)
    np.testing.assert_allclose(value, np.log(weights[index] / weights.sum()))
    expected = -np.ones(size) / float(weights.sum())
    expected[index] += 1 / float(weights[index])
    np.testing.assert_allclose(slope, expected, rtol=1e-12)


@pytest.mark.parametrize("size", [5, 5000])
def test_double_precision_draws_by_the_same_words(size, key, x64):
    weights = RNG.exponential(size=size)
    index, log_probs = draw_index(key, jnp.asarray(weights), 1000)
    assert index.dtype == jnp.int32 and log_probs.dtype == jnp.float64
    single, _ = draw_index(key, jnp.asarray(weights, jnp.float32), 1000)
    assert np.mean(np.asarray(index) == np.asarray(single)) > 0.99


@pytest.mark.parametrize(
    "size, shots", [(6, 9), (6, 500), (5000, 100_000), (7, 40_009)]
)
def test_counts_are_those_of_the_draws(size, shots, key):
    weights = jnp.asarray(RNG.exponential(size=size), jnp.float32)
    counts = draw_counts(key, weights, shots)
    assert counts.dtype == jnp.int32
    index = np.asarray(draw(key, weights, shots))
    np.testing.assert_array_equal(counts, np.bincount(index, minlength=size))


@settings(max_examples=20)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_bits_of_indices(num_bits, seed):
    index = np.random.default_rng(seed).integers(0, 2**num_bits, 30).astype(np.int32)
    bits = index_to_bits(jnp.asarray(index), num_bits)
    assert bits.dtype == jnp.uint8
    np.testing.assert_array_equal(stats.indices(bits), index)
