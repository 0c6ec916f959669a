"""Random data structures by the thousand: states, tests and noise that come close.

Shapes are padded to 16 sets and 8 queries so that one compilation per memory size
serves every (n, b); unused entries have weight zero.
"""

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, MemoryNoise
from qjax.bounds.memory.precise import precise_noise, precise_statistics
from qjax.bounds.memory.structure import (
    entropy_bits,
    membership_table,
    noisy_states,
)

STATE_KINDS = ("mixed", "pure", "product", "near pure", "near mixed", "classical")
EFFECT_KINDS = ("random", "Helstrom", "threshold", "projective")
SHAPES = tuple((n, b) for n in (1, 2) for b in (2, 3, 4))
MAX_SETS, MAX_QUERIES = 16, 8


class Draws(eqx.Module):
    """Random numbers of one structure; drawn in bulk, because tracing a generator once
    per number costs seconds of compilation.

    Attributes:
        normal: Standard Gaussians, shape (k,), consumed in order by `_take`.
        uniform: Uniform in [0, 1), shape (4,): kinds of state and effect, depth of the
            near-pure and near-mixed states, threshold.
        strength: Uniform in [0, 1): what the noise draws its parameters from.
        spectrum: Uniform in [0, 1), shape (8, 2^m): eigenvalues of unsharp effects.
    """

    normal: Float[Array, "*batch k"]
    uniform: Float[Array, "*batch 4"]
    strength: Float[Array, "*batch k2"]
    spectrum: Float[Array, "*batch queries d"]


def _normals_needed(num_wires: int) -> int:
    size = 2**num_wires
    states = 2 * size**2 + 2 * size + 4 * num_wires + size
    return MAX_SETS * states + MAX_QUERIES * 2 * size**2


def draw_numbers(key: Key, count: int, num_wires: int, strengths: int) -> Draws:
    """Random numbers of `count` structures of m qubits, with a leading axis."""
    keys = jax.random.split(key, 4)
    normal = jax.random.normal(keys[0], (count, _normals_needed(num_wires)))
    uniform = jax.random.uniform(keys[1], (count, 4))
    spectrum = jax.random.uniform(keys[2], (count, MAX_QUERIES, 2**num_wires))
    strength = jax.random.uniform(keys[3], (count, strengths))
    return Draws(normal, uniform, strength, spectrum)


def _take(
    normal: Float[Array, " k"], shape: tuple[int, ...]
) -> tuple[Complex[Array, "..."], Float[Array, " rest"]]:
    """Complex Gaussians of a shape, and the numbers that are left."""
    size = 2 * math.prod(shape)
    parts = normal[:size].reshape(2, *shape)
    return jax.lax.complex(parts[0], parts[1]), normal[size:]


def _choose(uniform: Float[Array, ""], count: int) -> Int[Array, ""]:
    return jnp.minimum((uniform * count).astype(jnp.int32), count - 1)


def _normalised(matrices: Complex[Array, "*b d d"]) -> Complex[Array, "*b d d"]:
    trace = jnp.trace(matrices, axis1=-2, axis2=-1)
    return matrices / trace[..., None, None]


def projectors(kets: Complex[Array, "*b d"]) -> Complex[Array, "*b d d"]:
    """|psi><psi|/<psi|psi> of every ket."""
    norm = jnp.linalg.norm(kets, axis=-1, keepdims=True)
    kets = kets / norm.astype(kets.dtype)
    return kets[..., :, None] * kets[..., None, :].conj()


def random_states(
    normal: Float[Array, " k"],
    depth: Float[Array, ""],
    kind: Int[Array, ""],
    num_wires: int,
) -> tuple[Complex[Array, "sets d d"], Float[Array, " rest"]]:
    """Sixteen density matrices of one of `STATE_KINDS`, chosen by a traced index.

    Args:
        normal: Gaussians; those that are left are returned.
        depth: Uniform in [0, 1): near-pure and near-mixed states mix with weight
            10^-2 .. 10^-8.
        kind: Index into `STATE_KINDS`.
        num_wires: m. Static.
    """
    size = 2**num_wires
    raw, normal = _take(normal, (MAX_SETS, size, size))
    mixed = _normalised(raw @ jnp.swapaxes(raw, -1, -2).conj())
    kets, normal = _take(normal, (MAX_SETS, size))
    pure = projectors(kets)
    product = jnp.ones((MAX_SETS, 1, 1), mixed.dtype)
    for _ in range(num_wires):
        kets, normal = _take(normal, (MAX_SETS, 2))
        width = product.shape[-1] * 2
        product = jnp.einsum("sij,skl->sikjl", product, projectors(kets))
        product = product.reshape(MAX_SETS, width, width)
    small = (10.0 ** -(2 + 6 * depth)).astype(mixed.dtype)
    identity = jnp.eye(size, dtype=mixed.dtype)[None]
    near_pure = (1 - small) * pure + small * mixed
    near_mixed = small * pure + (1 - small) * identity / size
    # Squares of Gaussians are Gamma(1/2): normalised, a Dirichlet distribution.
    squares = normal[: MAX_SETS * size].reshape(MAX_SETS, size) ** 2
    classical = _normalised(squares[..., None].astype(mixed.dtype) * identity)
    options = [mixed, pure, product, near_pure, near_mixed, classical]
    return jnp.stack(options)[kind], normal[MAX_SETS * size :]


def helstrom_effect(
    difference: Complex[np.ndarray, "*b d d"],
) -> Complex[np.ndarray, "*b d d"]:
    """Projector on the positive part of a Hermitian matrix: the best two-outcome test.

    Source: Helstrom, J. Stat. Phys. 1, 231 (1969).
    """
    values, vectors = np.linalg.eigh(difference)
    return np.asarray((vectors * (values > 0)[..., None, :]) @ vectors.conj().mT)


def random_effects(
    draws: Draws,
    hermitian: Complex[np.ndarray, "count queries d d"],
    conditional: Complex[np.ndarray, "count queries d d"],
    average: Complex[np.ndarray, "count d d"],
) -> Complex[np.ndarray, "count queries d d"]:
    """Accepting POVM elements, for each structure of one of `EFFECT_KINDS`.

    Args:
        draws: Uniform numbers: kind, threshold and spectrum.
        hermitian: Random Hermitian matrices.
        conditional: Mean noisy state given that the query's element is stored.
        average: Mean noisy state.
    """
    uniform = np.asarray(draws.uniform)
    kind = np.minimum((uniform[:, 1] * len(EFFECT_KINDS)).astype(int), 3)
    kind = kind[:, None, None, None]
    _, vectors = np.linalg.eigh(hermitian)
    spectrum = np.asarray(draws.spectrum)[..., None, :]
    unsharp = (vectors * spectrum) @ vectors.conj().mT
    threshold = np.where(kind == 2, (0.5 + 1.5 * uniform[:, 3])[:, None, None, None], 1)
    tested = np.where(kind == 3, hermitian, conditional - threshold * average[:, None])
    return np.where(kind == 0, unsharp, helstrom_effect(tested))


def _padded_table(num_blocks: int, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Membership padded to (8, 16), and which entries are real."""
    member = np.zeros((MAX_QUERIES, MAX_SETS), dtype=bool)
    used = np.zeros_like(member)
    table = membership_table(num_blocks, block_size)
    member[: table.shape[0], : table.shape[1]] = table
    used[: table.shape[0], : table.shape[1]] = True
    return member, used


@eqx.filter_jit
def _draw_states(
    draws: Draws, between: Array, noise: MemoryNoise, num_wires: int
) -> tuple[Array, dict[str, Array], Array, Array]:
    """Encoded states, strengths, noisy states and random Hermitian matrices."""

    def one(args):
        each, turns = args
        kind = _choose(each.uniform[0], len(STATE_KINDS))
        states, normal = random_states(each.normal, each.uniform[2], kind, num_wires)
        strengths = noise.draw(each.strength)
        circuit = noise.circuit(strengths, len(turns) + 1, num_wires, tuple(turns))
        noisy = noisy_states(states, circuit)
        raw, _ = _take(normal, (MAX_QUERIES, 2**num_wires, 2**num_wires))
        return states, strengths, noisy, raw + jnp.swapaxes(raw, -1, -2).conj()

    return jax.lax.map(one, (draws, between), batch_size=512)


def random_unitaries(
    normal: Float[np.ndarray, "2 *b d d"],
) -> Complex[np.ndarray, "*b d d"]:
    """Haar-random unitaries from Gaussians: QR with the phases of R's diagonal."""
    q, r = np.linalg.qr(normal[0] + 1j * normal[1])
    phases = np.diagonal(r, axis1=-2, axis2=-1)
    return np.asarray(q * (phases / np.abs(phases))[..., None, :])


def _draw_part(
    key: Key, member: np.ndarray, used: np.ndarray, num_wires: int, noise: MemoryNoise
) -> dict[str, np.ndarray]:
    """Random structures of one memory size, under noise, with their statistics."""
    keys = jax.random.split(key)
    draws = draw_numbers(keys[0], len(member), num_wires, 2 * len(noise.variables))
    # One unitary between two layers, or a single layer of storage noise.
    turns = int(noise.place == "interleaved")
    shape = (2, len(member), turns, 2**num_wires, 2**num_wires)
    between = random_unitaries(np.asarray(jax.random.normal(keys[1], shape)))
    drawn = _draw_states(draws, jnp.asarray(between), noise, num_wires)
    states, strengths, noisy, hermitian = jax.tree.map(np.asarray, drawn)
    weights = used[:, 0] / used[:, 0].sum(axis=1, keepdims=True)
    average = np.einsum("ks,ksij->kij", weights, noisy)
    given = member / np.maximum(member.sum(axis=2, keepdims=True), 1)
    conditional = np.einsum("kqs,ksij->kqij", given, noisy)
    effects = random_effects(draws, hermitian, conditional, average)
    table = np.einsum("kqij,ksji->kqs", effects, noisy).real  # Born's rule
    inside, outside = (
        np.sum(table * chosen, axis=(1, 2)) / np.sum(chosen, axis=(1, 2))
        for chosen in (member & used, ~member & used)
    )
    chi = entropy_bits(average) - np.sum(weights * entropy_bits(noisy), axis=1)
    return {
        "p": np.clip(inside, 0, 1), "a": np.clip(outside, 0, 1),
        "chi": chi, "states": states, "effects": effects, "between": between,
        "T": np.full(len(chi), turns + 1), **strengths,
    }  # fmt: skip


def random_structures(key: Key, count: int, noise: str = "depolarizing") -> RandomBatch:
    """Random structures with m in {1, 2}, n in {1, 2}, b in {2, 3, 4} under noise.

    Half of the structures have one memory qubit, half have two. Storage noise has one
    layer; interleaved noise has two, with a Haar-random unitary between them.

    Args:
        key: JAX random key.
        count: At least 2.
        noise: Key of `MEMORY_NOISES`.

    Returns:
        Values n, b, m, T, the noise's parameters, p, a and chi, with a replay of each
        in mpmath.

    Raises:
        ValueError: If `count` < 2.
    """
    require(count >= 2, "count", "be at least 2", count)
    tables = [_padded_table(n, b) for n, b in SHAPES]
    parts = []
    for num_wires, part_key in zip((1, 2), jax.random.split(key), strict=True):
        size = count // 2 if num_wires == 1 else count - count // 2
        # A power of two, so that batches of many sizes share compilations.
        padded = max(256, 1 << (size - 1).bit_length())
        shape = np.arange(padded) % len(SHAPES)
        member = np.stack([table[0] for table in tables])[shape]
        used = np.stack([table[1] for table in tables])[shape]
        part = _draw_part(part_key, member, used, num_wires, MEMORY_NOISES[noise])
        part["n"] = np.asarray([SHAPES[s][0] for s in shape])
        part["b"] = np.asarray([SHAPES[s][1] for s in shape])
        part["m"] = np.full(padded, num_wires)
        parts.append({name: values[:size] for name, values in part.items()})
    return _as_batch(parts, MEMORY_NOISES[noise])


def _as_batch(parts: list[dict[str, np.ndarray]], noise: MemoryNoise) -> RandomBatch:
    names = ("n", "b", "m", "T", "p", "a", "chi", *noise.names)
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    first = len(parts[0]["n"])

    def serialise(index: int) -> Mapping[str, Any]:
        part = parts[0] if index < first else parts[1]
        row = index if index < first else index - first
        n, b = int(part["n"][row]), int(part["b"][row])
        record: dict[str, Any] = {"noise": noise.name, "n": n, "b": b}
        record |= {name: int(part[name][row]) for name in ("m", "T")}
        record |= {name: float(part[name][row]) for name in noise.names}
        turns = int(part["T"][row]) - 1
        for name, size in (("states", b**n), ("effects", n * b), ("between", turns)):
            array = part[name][row][:size]
            record[name] = array_record(array)
        return record

    return RandomBatch(values, lambda i: replay_structure(serialise(i)), serialise)


def replay_structure(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values at 50 digits of a structure serialised by `random_structures`.

    The record names its noise, that noise's parameters, n, b, m and T, and holds
    states, effects and the unitaries between the layers as real and imaginary parts.
    """
    arrays = {
        name: recorded_array(record[name]) for name in ("states", "effects", "between")
    }
    row = MEMORY_NOISES[record["noise"]]
    strengths = {name: record[name] for name in row.names}
    n, b, layers = record["n"], record["b"], record["T"]
    channel = precise_noise(row.name, strengths, layers, tuple(arrays["between"]))
    values = dict(
        precise_statistics(arrays["states"], arrays["effects"], n, b, channel)
    )
    values.update(n=n, b=b, m=record["m"], T=layers, **strengths)
    return values
