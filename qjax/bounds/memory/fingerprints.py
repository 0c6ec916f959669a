"""Structures without false negatives: classical fingerprints, and kets as own tests.

A fingerprint filter stores, for each block, a public random hash of its element in j
bits. If the hash is balanced it needs exactly n log2(1/alpha_b) bits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Complex

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.memory.ensembles import projectors, random_unitaries
from qjax.bounds.memory.instances import classical_structure
from qjax.bounds.memory.structure import QuantumDataStructure, acceptances

RANDOM_QUBITS, RANDOM_BLOCK = 2, 8
"""m and b of the random structures, which have one block."""

KINDS = ("Haar", "hash", "bases")


def fingerprint_filter(
    num_blocks: int, block_size: int, bits: int, seeds: Sequence[int], balanced: bool
) -> QuantumDataStructure:
    """Public random hashes of one element per block, j bits each: m = n j.

    Args:
        num_blocks: n.
        block_size: b.
        bits: j.
        seeds: One table of hashes per seed of NumPy's generator, averaged.
        balanced: Whether every value has b/2^j elements; else values are independent.

    Raises:
        ValueError: If a balanced hash is asked for and 2^j does not divide b.

    Source: Carter, Floyd, Gill, Markowsky and Wegman, Proc. STOC 1978, 59.

    Example:
        >>> from qjax.bounds.memory.fingerprints import fingerprint_filter
        >>> fingerprint_filter(2, 4, 1, (0,), balanced=True).num_wires
        2
    """
    values = 2**bits
    fits = not balanced or block_size % values == 0
    require(fits, "block_size", f"be a multiple of {values}", block_size)
    sets = np.stack(
        np.unravel_index(np.arange(block_size**num_blocks), (block_size,) * num_blocks),
        axis=1,
    )
    words, accepts = [], []
    for seed in seeds:
        draw = np.random.default_rng(seed)
        shape = (num_blocks, block_size)
        table = draw.integers(values, size=shape)
        if balanced:
            whole = np.tile(np.arange(block_size) % values, (num_blocks, 1))
            table = draw.permuted(whole, axis=1)
        stored = np.take_along_axis(table, sets.T, axis=1).T  # (sets, blocks)
        places = np.arange(bits)[::-1]
        words.append(((stored[..., None] >> places) & 1).reshape(len(sets), -1))
        memory = np.arange(values**num_blocks)
        held = np.stack(np.unravel_index(memory, (values,) * num_blocks))
        accepts.append((table[..., None] == held[:, None]).reshape(-1, len(memory)))
    kind = "balanced" if balanced else "independent"
    name = f"{kind} fingerprints n={num_blocks} b={block_size} j={bits}"
    return classical_structure(
        np.asarray(words), np.asarray(accepts), (num_blocks, block_size), name
    )


def _kets(
    generator: np.random.Generator, count: int
) -> Complex[np.ndarray, "count b d"]:
    """Haar kets, random basis states (a hash), or full random bases, in turn."""
    size, block_size = 2**RANDOM_QUBITS, RANDOM_BLOCK
    shape = (2, count, block_size, size)
    normal = generator.normal(size=shape)
    haar = normal[0] + 1j * normal[1]
    hashed = np.eye(size)[generator.integers(size, size=(count, block_size))]
    bases = block_size // size
    turns = random_unitaries(generator.normal(size=(2, count, bases, size, size)))
    union = turns.reshape(count, block_size, size)
    kind = (np.arange(count) % len(KINDS))[:, None, None]
    return np.choose(kind, [haar, hashed.astype(complex), union])


@jax.jit
def _accepted(kets):
    def one(block):
        states = projectors(block)
        return acceptances(states, states)

    return jax.lax.map(one, kets, batch_size=512)


def random_without_negatives(key: Key, count: int) -> RandomBatch:
    """Random pure encodings of one element, each ket tested by its own projector.

    Args:
        key: JAX random key.
        count: Number of structures.

    Returns:
        Values n, b, m, p = 1 and a, with a replay of each in mpmath.
    """
    # NumPy's generator: compiling JAX's normal in float64 takes longer than the rest.
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    kets = _kets(generator, count)
    table = np.asarray(_accepted(jnp.asarray(kets)))
    total = table.sum(axis=(1, 2)) - np.trace(table, axis1=1, axis2=2)
    other = total / (RANDOM_BLOCK * (RANDOM_BLOCK - 1))
    values = {
        "n": np.ones(count, dtype=int), "b": np.full(count, RANDOM_BLOCK),
        "m": np.full(count, RANDOM_QUBITS), "p": np.ones(count),
        "a": np.clip(other, 0, 1),
    }  # fmt: skip

    def serialise(index: int) -> dict[str, Any]:
        return array_record(kets[index])

    def replay(index: int) -> dict[str, Any]:
        return replay_without_negatives(serialise(index))

    return RandomBatch(values, replay, serialise)


def replay_without_negatives(
    record: Mapping[str, Any], digits: int = 50
) -> dict[str, Any]:
    """Values at 50 digits of kets serialised by `random_without_negatives`."""
    with mpmath.workdps(digits):
        kets = [
            [mpmath.mpc(x, y) for x, y in zip(*pair, strict=True)]
            for pair in zip(record["real"], record["imag"], strict=True)
        ]
        norms = [mpmath.fsum(abs(x) ** 2 for x in ket) for ket in kets]
        size = len(kets)
        total = mpmath.mpf(0)
        for i in range(size):
            for j in range(size):
                if i != j:
                    pairs = zip(kets[i], kets[j], strict=True)
                    overlap = mpmath.fsum(mpmath.conj(x) * y for x, y in pairs)
                    total += abs(overlap) ** 2 / (norms[i] * norms[j])
        wires = len(kets[0]).bit_length() - 1
        other = total / (size * (size - 1))
        return {"n": 1, "b": size, "m": wires, "p": mpmath.mpf(1), "a": other}
