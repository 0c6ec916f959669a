"""Terms of a sparse state, index by index: sorting, looking up, reading.

An index is that of a basis state in binary, as several uint32, for more wires than an
integer has bits; wire 0 is the most significant. There is one bit more than there are
wires, so that no index of a term is all ones.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int, UInt8, UInt32

EMPTY = np.uint32(0xFFFFFFFF)
"""Every word of the index of a free slot; the first word of a term has bit 31 clear."""


def wire_masks(wires: Sequence[int] | np.ndarray, num_wires: int) -> np.ndarray:
    """Return the bit of each wire as an index, shape (k, w)."""
    width = num_wires // 32 + 1
    masks = np.zeros((len(wires), width), np.uint32)
    for row, wire in zip(masks, wires, strict=True):
        word, bit = divmod(num_wires - 1 - int(wire), 32)
        row[width - 1 - word] = np.uint32(1) << np.uint32(bit)
    return masks


def split(numbers: Sequence[int], width: int) -> UInt32[Array, "t w"]:
    """Write Python integers as indices."""
    raw = b"".join(number.to_bytes(4 * width, "big") for number in numbers)
    return jnp.asarray(np.frombuffer(raw, ">u4").astype(np.uint32).reshape(-1, width))


def bits_of(
    indices: UInt32[Array, "t w"], masks: UInt32[Array, "k w"] | np.ndarray
) -> UInt8[Array, "t k"]:
    """Read the bits of some wires."""
    marked = indices[:, None] & jnp.asarray(masks)[None] != 0
    return jnp.any(marked, axis=2).astype(jnp.uint8)


def codes_of(
    indices: UInt32[Array, "t w"], masks: UInt32[Array, "k w"] | np.ndarray
) -> Int[Array, " t"]:
    """Read the bits of some wires as one number."""
    weights = 2 ** np.arange(masks.shape[0], dtype=np.int32)[::-1]
    bits = bits_of(indices, masks).astype(jnp.int32)
    return jnp.sum(bits * weights[None], axis=1, dtype=jnp.int32)


def spread(
    codes: Int[Array, " t"], masks: UInt32[Array, "k w"]
) -> UInt32[Array, "t w"]:
    """Undo `codes_of`."""
    number = masks.shape[0]
    index = jnp.zeros((codes.shape[0], masks.shape[1]), jnp.uint32)
    for place in range(number):
        bit = (codes >> (number - 1 - place) & 1) == 1
        index = index | jnp.where(bit[:, None], masks[place][None], np.uint32(0))
    return index


def union(masks: UInt32[Array, "k w"]) -> UInt32[Array, " w"]:
    return jax.lax.reduce(masks, np.uint32(0), jax.lax.bitwise_or, (0,))


def sorting_order(indices: UInt32[Array, "t w"]) -> Int[Array, " t"]:
    """Sort by words, the last one first: stable, and compiled for one word only."""

    def sort_by(step: Array, order: Array) -> Array:
        word = indices[:, indices.shape[1] - 1 - step]
        return order[jnp.argsort(word[order], stable=True)]

    start = jnp.arange(indices.shape[0])
    return jax.lax.fori_loop(0, indices.shape[1], sort_by, start)


def groups(indices: UInt32[Array, "t w"]) -> Int[Array, " t"]:
    """Number the different indices of a sorted list."""
    new = jnp.any(indices[1:] != indices[:-1], axis=1)
    return jnp.concatenate(
        [jnp.zeros((1,), jnp.int32), jnp.cumsum(new, dtype=jnp.int32)]
    )


def values_at(
    indices: UInt32[Array, "t w"],
    values: Complex[Array, " t"],
    wanted: UInt32[Array, "s w"],
) -> Complex[Array, " s"]:
    """Look up values by index in a sorted list; 0 where there is none."""
    size = indices.shape[0]

    def halve(_: Array, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = (low + high) // 2
        less = _is_less(indices[jnp.minimum(middle, size - 1)], wanted) & (low < high)
        return jnp.where(less, middle + 1, low), jnp.where(less, high, middle)

    zeros = jnp.zeros((wanted.shape[0],), jnp.int32)
    steps = math.ceil(math.log2(size + 1)) + 1
    place, _ = jax.lax.fori_loop(0, steps, halve, (zeros, zeros + size))
    place = jnp.minimum(place, size - 1)
    found = jnp.all(indices[place] == wanted, axis=1)
    return jnp.where(found, values[place], 0)


def _is_less(
    first: UInt32[Array, "s w"], second: UInt32[Array, "s w"]
) -> Bool[Array, " s"]:
    """Compare by the first word that differs."""
    word = jnp.argmax(first != second, axis=1)[:, None]
    pair = [jnp.take_along_axis(one, word, axis=1)[:, 0] for one in (first, second)]
    return pair[0] < pair[1]


# --- readings -------------------------------------------------------------------------


@jax.jit
def marginal(
    indices: UInt32[Array, "t w"],
    values: Complex[Array, " t"],
    masks: UInt32[Array, "k w"],
) -> Float[Array, "*k"]:
    """Return the probabilities of k wires, shape (2,) * k."""
    weights = values.real**2 + values.imag**2
    size = 2 ** masks.shape[0]
    codes = codes_of(indices, masks)
    summed = jax.ops.segment_sum(weights, codes, num_segments=size)
    return summed.reshape((2,) * masks.shape[0])


@jax.jit
def reduced_matrix(
    indices: UInt32[Array, "t w"],
    values: Complex[Array, " t"],
    masks: UInt32[Array, "k w"],
) -> Complex[Array, "d d"]:
    """Return the reduced density matrix: pairs of terms that agree elsewhere."""
    rest = indices & ~union(masks)[None]
    order = sorting_order(rest)
    group, codes = groups(rest[order]), codes_of(indices, masks)[order]
    factor = jnp.zeros((values.shape[0], 2 ** masks.shape[0]), values.dtype)
    factor = factor.at[group, codes].add(values[order])
    return jnp.matmul(factor.T, factor.conj(), precision=jax.lax.Precision.HIGHEST)


@jax.jit
def looked_up(
    indices: UInt32[Array, "t w"],
    values: Complex[Array, " t"],
    wanted: UInt32[Array, "s w"],
) -> Complex[Array, " s"]:
    """Look up values by index; 0 where there is none."""
    order = sorting_order(indices)
    return values_at(indices[order], values[order], wanted)


@jax.jit
def word_sums(
    indices: UInt32[Array, "t w"],
    values: Complex[Array, " t"],
    x_words: UInt32[Array, "p w"],
    z_words: UInt32[Array, "p w"],
    units: Complex[Array, " p"],
) -> Float[Array, " p"]:
    """Sum conj(v(j ^ x)) i^|x & z| (-1)^(z.j) v(j) for words (x, z)."""
    order = sorting_order(indices)
    indices, values = indices[order], values[order]

    def one(word: tuple[Array, Array, Array]) -> Array:
        x, z, unit = word
        ones = jax.lax.population_count(indices & z[None])
        odd = jnp.sum(ones, axis=1, dtype=jnp.uint32) & np.uint32(1)
        signed = jnp.where(odd == 1, -values, values)
        partner = values_at(indices, values, indices ^ x[None])
        return (unit * jnp.vdot(partner, signed)).real

    return jax.lax.map(one, (x_words, z_words, units))
