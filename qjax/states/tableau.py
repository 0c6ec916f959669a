"""Tableaus of stabilizer states: Pauli words as bits, 32 of them in an integer.

A tableau of n wires has n *stabilizers*, which generate the words that leave the state
as it is, and n *destabilizers*: the i-th anticommutes with the i-th stabilizer only.
Words are i^k X^x Z^z (see `qjax.states.clifford`), the numbers of one wire, x or z, for
all words side by side:

* bits: shape (n, 2, 2, w) for (wire, x or z, destabilizer or stabilizer, 32 words);
* phases: shape (2, 2, w) for (low or high bit of k, destabilizer or stabilizer, ...).

Whatever acts on all words at once is a few bitwise operations on rows.

Source: Aaronson and Gottesman, arXiv:quant-ph/0406196.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt8, UInt32

Bits = UInt32[Array, "n 2 2 w"]
Phases = UInt32[Array, "2 2 w"]
Word = UInt32[Array, "n 2"]
"""A Hermitian word without sign: x and z of each wire, as masks of all or no bits."""

ALL = np.uint32(0xFFFFFFFF)


def basis_tableau(bits: UInt32[Array, " n"]) -> tuple[Bits, Phases]:
    """Return the tableau of |bits>: stabilizers (-1)^b Z, destabilizers X."""
    one_hot = pack(np.eye(bits.shape[0], dtype=np.uint32))
    zero = np.zeros_like(one_hot)
    x, z = np.stack([one_hot, zero], 1), np.stack([zero, one_hot], 1)
    signs = pack(bits)
    blank = jnp.zeros_like(signs)
    phases = jnp.stack([jnp.stack([blank, blank]), jnp.stack([blank, signs])])
    return jnp.asarray(np.stack([x, z], 1)), phases


def conjugate(
    bits: Bits,
    phases: Phases,
    wires: Int[Array, " k"],
    action: UInt32[Array, "2*k 4*k+2"],
) -> tuple[Bits, Phases]:
    """Replace every word P by U P U^dagger, U given by `clifford.pack_actions`."""
    size = 2 * wires.shape[0]
    rows = [bits[wires[place // 2], place % 2] for place in range(size)]
    low, high = phases[0], phases[1]
    made = [jnp.zeros_like(low)] * size
    for i, row in enumerate(rows):
        added = action[i, size] & row
        high = high ^ (action[i, size + 1] & row) ^ (low & added)
        low = low ^ added
        for j in range(i + 1, size):
            high = high ^ (action[i, size + 2 + j] & row & rows[j])
        made = [m ^ (action[i, j] & row) for j, m in enumerate(made)]
    for place in range(size // 2):
        pair = jnp.stack(made[2 * place : 2 * place + 2])
        bits = jax.lax.dynamic_update_index_in_dim(bits, pair, wires[place], 0)
    return bits, jnp.stack([low, high])


def flip(
    bits: Bits, phases: Phases, wire: Int[Array, ""], bit: UInt8[Array, ""]
) -> tuple[Bits, Phases]:
    """Apply X on a wire if `bit` is set: a sign for every word with a Z there."""
    return bits, phases.at[1].set(phases[1] ^ (bits[wire, 1] & _mask(bit)))


def word_value(bits: Bits, phases: Phases, word: Word) -> Int[Array, ""]:
    """Return the expectation of a word: 1, -1, or 0 if no stabilizer has its bits."""
    flipped, chosen = _anticommuting(bits, word)[::-1]
    sign = 1 - 2 * _known_outcome(bits, phases, word, chosen)
    return jnp.where(jnp.any(flipped != 0), 0, sign)


def measure(
    bits: Bits, phases: Phases, word: Word, coin: UInt8[Array, ""]
) -> tuple[Bits, Phases, UInt8[Array, ""], Bool[Array, ""]]:
    """Measure a word: the outcome b is `coin` if both can occur, else the known one.

    Returns:
        The state after the outcome (-1)^b, b, and whether it was random.
    """
    chosen, flipped = _anticommuting(bits, word)
    pivot = _first(flipped)
    random = jnp.any(flipped != 0)
    # No branch but this one, so that no copy of the tableau is made.
    known = functools.partial(_known_outcome, bits, phases, word, chosen)
    outcome = jax.lax.cond(random, lambda: coin.astype(jnp.int32), known)
    # The row that goes is multiplied into all others that anticommute with the word...
    moved = jnp.where(random, jnp.stack([chosen, flipped ^ pivot]), np.uint32(0))
    row, row_phase = _row(bits, phases, pivot)
    bits, phases = _multiply(bits, phases, moved, row, row_phase)
    # ... and becomes the destabilizer of the word, which takes its place.
    new_phase = _own_phase(word) + 2 * outcome
    new_phase = jnp.stack([_mask(new_phase & 1), _mask(new_phase >> 1 & 1)])
    words = jnp.stack([row, word], axis=2)[..., None]
    here = pivot[None, None, None]
    bits = bits & ~here | words & here
    both = jnp.stack([row_phase, new_phase], axis=1)[..., None]
    phases = phases & ~here[0] | both & here[0]
    return bits, phases, outcome.astype(jnp.uint8), random


def affine_form(
    bits: Bits, phases: Phases
) -> tuple[UInt8[Array, "n n"], UInt8[Array, " n"]]:
    """Return A and b: the bit strings A r + b (mod 2), for all bits r, occur equally.

    Stabilizers are multiplied until each wire is the first flipped by at most one of
    them; what is left flips nothing, and its signs tell the bits of b.

    Returns:
        A, shape (n wires, n), with zero columns for what flips nothing; and b.

    Source: Dehaene and De Moor, Phys. Rev. A 68, 042318 (2003).
    """
    num_wires = bits.shape[0]
    own = bits[:, :, 1:], phases[:, 1:]
    every = pack(np.ones(num_wires, np.uint32))
    own, free, _ = _eliminate(*own, jnp.asarray(every), 0)
    own, _, pivots = _eliminate(*own, free, 1)
    flips = unpack(own[0][:, 0, 0] & ~free[None], num_wires)
    signs = jax.lax.population_count(own[1][1, 0, None] & pivots)
    return flips, (jnp.sum(signs, axis=1, dtype=jnp.uint32) & np.uint32(1)).astype(
        jnp.uint8
    )


def stabilizer_masks(
    bits: Bits, phases: Phases
) -> tuple[UInt8[Array, "n 2 n"], UInt8[Array, "2 n"]]:
    """Return the stabilizers: bits (wire, x or z, word), phases (bit, word)."""
    num_wires = bits.shape[0]
    return unpack(bits[:, :, 1], num_wires), unpack(phases[:, 1], num_wires)


# --- bits in words --------------------------------------------------------------------


def pack(bits):
    """Pack bits of the last axis into uint32, bit i of word j for number 32 j + i."""
    array = np if isinstance(bits, np.ndarray) else jnp
    missing = -bits.shape[-1] % 32
    padded = array.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, missing)])
    groups = padded.reshape(*bits.shape[:-1], -1, 32).astype(np.uint32)
    places = np.arange(32, dtype=np.uint32).reshape((1,) * bits.ndim + (32,))
    return (groups << places).sum(axis=-1, dtype=np.uint32)


def unpack(words: UInt32[Array, "*a w"], number: int) -> UInt8[Array, "*a b"]:
    """Undo `pack`."""
    places = np.arange(32, dtype=np.uint32).reshape((1,) * words.ndim + (32,))
    bits = (words[..., None] >> places & np.uint32(1)).astype(jnp.uint8)
    return bits.reshape(*words.shape[:-1], -1)[..., :number]


def _mask(bit: Array) -> UInt32[Array, "*a"]:
    """Spread bits over whole words."""
    return np.uint32(0) - bit.astype(jnp.uint32)


def _xor(words: UInt32[Array, "..."], axis: int) -> UInt32[Array, "..."]:
    return jax.lax.reduce(words, np.uint32(0), jax.lax.bitwise_xor, (axis,))


def _first(words: UInt32[Array, " w"]) -> UInt32[Array, " w"]:
    """Keep the first bit that is set."""
    lowest = words & (~words + np.uint32(1))
    here = jnp.arange(words.shape[0]) == jnp.argmax(words != 0)
    return jnp.where(here, lowest, np.uint32(0))


# --- words of a tableau ---------------------------------------------------------------


def _anticommuting(bits: Bits, word: Word) -> UInt32[Array, "2 w"]:
    """Mark the rows that anticommute with a word: destabilizers, stabilizers."""
    x, z = (word[:, part, None, None] for part in (0, 1))
    return _xor(bits[:, 0] & z ^ bits[:, 1] & x, 0)


def _own_phase(word: Word) -> Int[Array, ""]:
    """Count the Ys modulo 4: k of the Hermitian word."""
    num_y = jnp.sum(word[:, 0] & word[:, 1] & np.uint32(1), dtype=jnp.uint32)
    return num_y.astype(jnp.int32) & 3


def _known_outcome(
    bits: Bits, phases: Phases, word: Word, chosen: UInt32[Array, " w"]
) -> Int[Array, ""]:
    """Return b if the product of the chosen stabilizers is (-1)^b times the word."""
    x, z = (bits[:, part, 1] & chosen[None] for part in (0, 1))
    crossings = _xor(_xor(x & _parity_before(z), 0), 0)[None]
    parts = [phases[0, 1] & chosen, phases[1, 1] & chosen, crossings]
    counts = [jax.lax.population_count(part).astype(jnp.int32) for part in parts]
    low, high, swaps = (jnp.sum(count, dtype=jnp.int32) for count in counts)
    phase = low + 2 * (high + swaps)
    return (phase - _own_phase(word) & 3) >> 1


def _parity_before(words: UInt32[Array, "n w"]) -> UInt32[Array, "n w"]:
    """Replace each bit by the parity of all bits before it in its row."""
    inside = words
    for shift in (1, 2, 4, 8, 16):
        inside = inside ^ (inside << np.uint32(shift))
    parity = inside >> np.uint32(31)
    carried = jnp.cumsum(parity, axis=1, dtype=jnp.uint32) - parity
    return (inside << np.uint32(1)) ^ _mask(carried & np.uint32(1))


def _row(bits: Array, phases: Array, pivot: UInt32[Array, " w"]) -> tuple[Array, Array]:
    """Return the stabilizer at a bit, as masks; the identity if there is no bit."""
    row = jnp.any(bits[:, :, -1] & pivot[None, None] != 0, axis=-1)
    return _mask(row), _mask(jnp.any(phases[:, -1] & pivot[None] != 0, axis=-1))


def _multiply(
    bits: UInt32[Array, "n 2 h w"],
    phases: UInt32[Array, "2 h w"],
    moved: UInt32[Array, "h w"],
    row: Word,
    row_phase: UInt32[Array, " 2"],
) -> tuple[Array, Array]:
    """Multiply the rows marked by `moved` by a row, from the right."""
    crossings = _xor(bits[:, 1] & row[:, 0, None, None], 0)
    added = row_phase[0] & moved
    high = phases[1] ^ ((row_phase[1] ^ crossings) & moved) ^ (phases[0] & added)
    return bits ^ (row[..., None, None] & moved[None, None]), jnp.stack(
        [phases[0] ^ added, high]
    )


def _eliminate(
    bits: UInt32[Array, "n 2 1 w"],
    phases: UInt32[Array, "2 1 w"],
    free: UInt32[Array, " w"],
    part: int,
) -> tuple[tuple[Array, Array], UInt32[Array, " w"], UInt32[Array, "n w"]]:
    """Leave each wire's x (or z) bit to one of the rows that were free, if any has it.

    Returns:
        The rows, those that no wire took, and for each wire the one that it took.
    """
    rows = free

    def step(carry: tuple[Array, Array, Array], wire: Array):
        now, now_phases, left = carry
        column = now[wire, part, 0]
        pivot = _first(column & left)
        moved = jnp.where(jnp.any(pivot != 0), column & rows & ~pivot, np.uint32(0))
        row, row_phase = _row(now, now_phases, pivot)
        now, now_phases = _multiply(now, now_phases, moved[None], row, row_phase)
        return (now, now_phases, left & ~pivot), pivot

    wires = jnp.arange(bits.shape[0])
    (bits, phases, free), pivots = jax.lax.scan(step, (bits, phases, free), wires)
    return (bits, phases), free, pivots
