"""Drawing outcomes in proportion to weights: exact integer tables, two levels, no bias.

A cumulative sum in float32 cannot resolve 2^22 outcomes: near its end it moves in steps
of 2^-24, so it loses rarer outcomes, and a float32 uniform number has 2^23 values only.
Here the weights are cut into about sqrt(N) blocks. A first random word of 32 bits picks
a block, a second one an outcome of the block, both by search in tables of integers:
weights normalised to 2^30, rounded, and then summed without error. Few outcomes (up to
2^11) are one block.

Error: an outcome of probability p in a block of probability P is drawn with probability
p (1 + d) + e P + f p / P, where |e|, |f| < 2^-29 come from rounding to integers within
the block and among blocks, and d is a few units of the weights' own rounding, from
sums in floating point. A rare outcome is lost only below 2^-30 of its block, or with
its block. At N = 2^22 the distance in total variation is below 2^-20 (a test measures
it), less than the rounding of such a state in float32. Whatever d, e and f are, the
draws of one key are independent of each other, and a weight of zero is never drawn.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8, UInt32

from qjax._types import Key

_TOTAL = 2**30
"""What a table sums to but for rounding: sums stay below 2^31 and fit in 32 bits."""

_LARGEST_BLOCK = 2**11
"""More outcomes than this take two levels."""

_FIRST_PIVOTS = 16
"""Entries of the first table that each point is compared with all at once."""

_PIVOT_EVERY = 16
"""Distance of the entries of a block that are searched first, in a smaller table."""

_CHUNK = 2**14
"""Shots at a time: their numbers then stay in a cache through all steps of a search."""

_FEW_SHOTS = 128
"""Below this, JAX's own random bits compile faster and cost nothing."""


def draw_index(
    key: Key, weights: Float[Array, " outcomes"], shots: int
) -> tuple[Int[Array, " shots"], Float[Array, " shots"]]:
    """Draw indices in proportion to `weights`, which need not sum to 1.

    Args:
        key: JAX random key.
        weights: Shape (N,), N >= 1, non-negative, with a sum of at least 1e-28.
        shots: Number of independent draws, at least 1. Static.

    Returns:
        The indices, shape (shots,), and ln of their probabilities, differentiable in
        `weights` (the draw itself is not).
    """
    index = draw(key, weights, shots)
    drawn = weights.at[index].get(mode="promise_in_bounds")
    total = jnp.sum(jnp.sum(_blocks(weights), axis=1))
    return index, jnp.log(drawn) - jnp.log(total)


@functools.partial(jax.jit, static_argnames="shots")
def draw(
    key: Key, weights: Float[Array, " outcomes"], shots: int
) -> Int[Array, " shots"]:
    """Draw indices as `draw_index` does, without their probabilities."""
    find = _finder(key, weights, shots)
    starts, shot = _chunks(shots)
    if len(starts) == 1:
        return find(jnp.asarray(shot))
    return jax.lax.map(lambda start: find(start + shot), starts).reshape(-1)[:shots]


@functools.partial(jax.jit, static_argnames="shots")
def draw_counts(
    key: Key, weights: Float[Array, " outcomes"], shots: int
) -> Int[Array, " outcomes"]:
    """Count how often `draw` with the same key gives each index."""
    find = _finder(key, weights, shots)
    starts, shot = _chunks(shots)
    exact = len(starts) * len(shot) == shots

    def add(total: Int[Array, " n"], start: UInt32[Array, ""]):
        number = start + shot
        # Shots beyond the last one, where chunks are not exact, count as nothing.
        one = 1 if exact else (number < shots).astype(jnp.int32)
        return total.at[find(number)].add(one, mode="promise_in_bounds"), None

    zeros = jnp.zeros(weights.shape, jnp.int32)
    if len(starts) == 1:
        return add(zeros, jnp.uint32(0))[0]
    return jax.lax.scan(add, zeros, jnp.asarray(starts))[0]


def _finder(
    key: Key, weights: Float[Array, " outcomes"], shots: int
) -> Callable[[UInt32[Array, " s"]], Int[Array, " s"]]:
    """Return the map from numbers of shots to their outcomes, its tables made once."""
    # Rounding may have made a probability negative; it is impossible then.
    blocks = _blocks(jnp.maximum(jax.lax.stop_gradient(weights), 0))
    cells = _cumulate(blocks)
    two_levels = blocks.shape[0] > 1
    first_table = _cumulate(jnp.sum(blocks, axis=1)) if two_levels else cells[0]
    pivots = _pivots(cells)
    num_words = 2 if two_levels else 1
    few = shots < _FEW_SHOTS
    seed = jax.random.bits(key, (num_words, shots) if few else (2,), jnp.uint32)

    def find(shot: UInt32[Array, " s"]) -> Int[Array, " s"]:
        words = tuple(seed) if few else _words(seed, shot, num_words)
        index = _search_first(first_table, words[0])
        if two_levels:
            index = _search_block(cells, pivots, index, words[1])
        # Padding is never drawn unless the weights are all zero or not numbers.
        return jnp.minimum(index, weights.shape[0] - 1)

    return find


def index_to_bits(index: Int[Array, " s"], num_bits: int) -> UInt8[Array, "s bits"]:
    """Write indices in binary, the most significant bit first."""
    shifts = np.arange(num_bits - 1, -1, -1, dtype=np.int32)
    bits = (index[:, None].astype(jnp.int32) >> shifts[None, :]) & 1
    return bits.astype(jnp.uint8)


# --- tables ---------------------------------------------------------------------------


def _blocks(weights: Float[Array, " outcomes"]) -> Float[Array, "blocks cells"]:
    """Pad with zeros to a power of two and cut into equal blocks."""
    size = weights.shape[0]
    num_bits = max(size - 1, 1).bit_length()
    padded = jnp.pad(weights, (0, 2**num_bits - size))
    cells = 2**num_bits if 2**num_bits <= _LARGEST_BLOCK else 2 ** (num_bits // 2 - 1)
    return padded.reshape(-1, cells)


def _cumulate(weights: Float[Array, "*rows n"]) -> Int[Array, "*rows n"]:
    """Round each row to integers and sum these up without error, to _TOTAL."""
    total = jnp.sum(weights, axis=-1, keepdims=True)
    # A row this light is never drawn from; its scale must not overflow.
    lightest = 2.0**31 * float(jnp.finfo(weights.dtype).tiny)
    scale = _TOTAL / jnp.maximum(total, lightest)
    rounded = jnp.round(weights * scale).astype(jnp.int32)
    table = jnp.cumsum(rounded, axis=-1, dtype=jnp.int32)
    # Rounding moved the sum a little: stretch the table, by at most that in any place.
    missing = _TOTAL - table[..., -1:]
    present = jnp.maximum(table[..., -1:], 1).astype(weights.dtype)
    rate = missing.astype(weights.dtype) / present
    return table + jnp.round(table.astype(weights.dtype) * rate).astype(jnp.int32)


def _pivots(cells: Int[Array, "blocks n"]) -> Int[Array, " p"]:
    """Return every few entries of each block: a table that stays in a cache."""
    return cells[:, _PIVOT_EVERY - 1 :: _PIVOT_EVERY].reshape(-1)


# --- search ---------------------------------------------------------------------------


def _search_first(
    table: Int[Array, " n"], word: UInt32[Array, " s"]
) -> Int[Array, " s"]:
    """Find each word's entry in the table that all shots share."""
    size = table.shape[0]
    point = _point(word)
    stride = max(size // _FIRST_PIVOTS, 1)
    pivots = table[stride - 1 : -1 : stride]
    passed = jnp.sum(pivots[None, :] <= point[:, None], axis=1, dtype=jnp.int32)
    return _halve(table, passed * stride, point, stride)


def _search_block(
    cells: Int[Array, "blocks n"],
    pivots: Int[Array, " p"],
    block: Int[Array, " s"],
    word: UInt32[Array, " s"],
) -> Int[Array, " s"]:
    """Find each word's entry in its own block."""
    point = _point(word)
    num_pivots = cells.shape[1] // _PIVOT_EVERY
    near = _halve(pivots, block * num_pivots, point, num_pivots)
    return _halve(cells.reshape(-1), near * _PIVOT_EVERY, point, _PIVOT_EVERY)


def _halve(
    table: Int[Array, " n"],
    start: Int[Array, " s"],
    point: Int[Array, " s"],
    size: int,
) -> Int[Array, " s"]:
    """Return the first entry in start .. start + size - 1 that exceeds `point`.

    `size` is a power of two, and the last of these entries is taken to exceed it.
    """

    def step(at: Int[Array, " s"], half: Int[Array, ""]):
        here = table.at[at + (half - 1)].get(mode="promise_in_bounds")
        return jnp.where(here <= point, at + half, at), None

    if size == 1:
        return start
    halves = [size >> level for level in range(1, size.bit_length())]
    # A loop keeps XLA from computing all earlier steps again in each later one.
    return jax.lax.scan(step, start, jnp.asarray(halves, jnp.int32))[0]


# --- random words ---------------------------------------------------------------------


def _point(word: UInt32[Array, " s"]) -> Int[Array, " s"]:
    """Return a uniform integer in [0, _TOTAL)."""
    return (word >> 2).astype(jnp.int32)


def _words(
    seed: UInt32[Array, " 2"], shot: UInt32[Array, " s"], number: int
) -> tuple[UInt32[Array, " s"], ...]:
    """Return `number` (1 or 2) independent random words for each shot."""
    if number == 2:
        return threefry(seed, shot)
    # One word each: two shots share a block of two words.
    size = shot.shape[0]
    return (jnp.concatenate(threefry(seed, shot[: -(-size // 2)]))[:size],)


def _chunks(shots: int) -> tuple[UInt32[np.ndarray, " c"], UInt32[np.ndarray, " s"]]:
    """Return the numbers of each chunk's first shot, and those of the first chunk."""
    fewest = -(-shots // _CHUNK)
    # Chunks that fill the result exactly spare a copy of it.
    exact = (n for n in range(fewest, 2 * fewest) if shots % n == 0)
    number = next(exact, fewest)
    size = -(-shots // number)
    shot = np.arange(size, dtype=np.uint32)
    return np.arange(number, dtype=np.uint32) * np.uint32(size), shot


_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(
    seed: UInt32[Array, " 2"], counter: UInt32[Array, " s"]
) -> tuple[UInt32[Array, " s"], UInt32[Array, " s"]]:
    """Encrypt the pairs (counter, 0): Threefry-2x32 with 20 rounds, as JAX's keys do.

    Written out, since JAX's own loop over rounds passes through memory each time and
    keeps one of the two words only.

    Source: Salmon et al., SC 2011, doi:10.1145/2063384.2063405.
    """
    parity = seed[0] ^ seed[1] ^ np.uint32(0x1BD11BDA)
    keys = (seed[0], seed[1], parity)
    left = counter + keys[0]
    right = jnp.broadcast_to(keys[1], counter.shape)
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            left = left + right
            right = left ^ (right << rotation | right >> (32 - rotation))
        left = left + keys[(group + 1) % 3]
        right = right + keys[(group + 2) % 3] + np.uint32(group + 1)
    return left, right
