"""Random data structures by the thousand: states, tests and noise that come close.

Shapes are padded to 16 sets and 8 queries so that one compilation per memory size
serves every (n, b); unused entries have weight zero.
"""

import functools
import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.precise import precise_statistics
from qjax.bounds.structure import (
    acceptances,
    block_average,
    holevo_information,
    membership_table,
    noisy_states,
    storage_noise,
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
        uniform: Uniform in [0, 1), shape (6,): kinds of state and effect, depth of the
            near-pure and near-mixed states, kind and value of lambda, threshold.
        spectrum: Uniform in [0, 1), shape (8, 2^m): eigenvalues of unsharp effects.
    """

    normal: Float[Array, "*batch k"]
    uniform: Float[Array, "*batch 6"]
    spectrum: Float[Array, "*batch queries d"]


def _normals_needed(num_wires: int) -> int:
    size = 2**num_wires
    states = 2 * size**2 + 2 * size + 4 * num_wires + size
    return MAX_SETS * states + MAX_QUERIES * 2 * size**2


def draw_numbers(key: Key, count: int, num_wires: int) -> Draws:
    """Random numbers of `count` structures of m qubits, with a leading axis."""
    keys = jax.random.split(key, 3)
    normal = jax.random.normal(keys[0], (count, _normals_needed(num_wires)))
    uniform = jax.random.uniform(keys[1], (count, 6))
    spectrum = jax.random.uniform(keys[2], (count, MAX_QUERIES, 2**num_wires))
    return Draws(normal, uniform, spectrum)


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
    difference: Complex[Array, "*b d d"],
) -> Complex[Array, "*b d d"]:
    """Projector on the positive part of a Hermitian matrix: the best two-outcome test.

    Source: Helstrom, J. Stat. Phys. 1, 231 (1969).
    """
    values, vectors = jnp.linalg.eigh(difference)
    keep = (values > 0).astype(vectors.dtype)
    return jnp.einsum("...ik,...k,...jk->...ij", vectors, keep, vectors.conj())


def random_effects(
    draws: Draws,
    normal: Float[Array, " k"],
    conditional: Complex[Array, "queries d d"],
    average: Complex[Array, "d d"],
) -> Complex[Array, "queries d d"]:
    """Accepting POVM elements of one of `EFFECT_KINDS`.

    Args:
        draws: Uniform numbers: kind, threshold and spectrum.
        normal: Gaussians.
        conditional: Mean noisy state given that the query's element is stored.
        average: Mean noisy state.
    """
    raw, _ = _take(normal, conditional.shape)
    hermitian = raw + jnp.swapaxes(raw, -1, -2).conj()
    _, vectors = jnp.linalg.eigh(hermitian)
    spectrum = draws.spectrum.astype(vectors.dtype)
    unsharp = jnp.einsum("qik,qk,qjk->qij", vectors, spectrum, vectors.conj())
    threshold = (0.5 + 1.5 * draws.uniform[5]).astype(average.dtype)
    kind = _choose(draws.uniform[1], len(EFFECT_KINDS))
    # One eigendecomposition serves the three kinds of projector.
    mean = average[None]
    differences = [conditional - mean, conditional - threshold * mean, hermitian]
    sharp = helstrom_effect(jnp.stack(differences)[jnp.maximum(kind - 1, 0)])
    return jnp.where(kind == 0, unsharp, sharp)


def random_survival(
    kind: Float[Array, ""], value: Float[Array, ""]
) -> Float[Array, ""]:
    """lambda in [0, 1], half of the time at or within 1e-6 .. 1e-2 of an edge."""
    small = 10.0 ** -(2 + 4 * value)
    options = [jnp.zeros_like(small), jnp.ones_like(small), small, 1 - small]
    options += [value] * 4
    return jnp.stack(options)[_choose(kind, len(options))]


def _padded_table(num_blocks: int, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Membership padded to (8, 16), and which entries are real."""
    member = np.zeros((MAX_QUERIES, MAX_SETS), dtype=bool)
    used = np.zeros_like(member)
    table = membership_table(num_blocks, block_size)
    member[: table.shape[0], : table.shape[1]] = table
    used[: table.shape[0], : table.shape[1]] = True
    return member, used


def _draw(
    draws: Draws,
    member: Bool[Array, "queries sets"],
    used: Bool[Array, "queries sets"],
    num_wires: int,
) -> dict[str, Array]:
    """One random structure under random noise, and its exact statistics."""
    kind = _choose(draws.uniform[0], len(STATE_KINDS))
    states, normal = random_states(
        draws.normal, draws.uniform[2], kind, num_wires
    )
    survival = random_survival(draws.uniform[3], draws.uniform[4])
    noisy = noisy_states(states, storage_noise(survival, 1, num_wires))
    weights = used[0].astype(survival.dtype)
    weights = weights / jnp.sum(weights)
    average = jnp.einsum("s,sij->ij", weights.astype(noisy.dtype), noisy)
    share = member.astype(noisy.dtype)
    count = jnp.maximum(jnp.sum(member, axis=1, keepdims=True), 1)
    given = share / count.astype(noisy.dtype)
    conditional = jnp.einsum("qs,sij->qij", given, noisy)
    effects = random_effects(draws, normal, conditional, average)
    table = acceptances(noisy, effects)
    inside, outside = block_average(table, member, used.astype(table.dtype))
    return {
        "p": jnp.clip(inside, 0, 1),
        "a": jnp.clip(outside, 0, 1),
        "chi": holevo_information(noisy, weights),
        "lam": survival,
        "states": states,
        "effects": effects,
    }


@eqx.filter_jit
def _draw_many(
    draws: Draws,
    member: Bool[Array, "count queries sets"],
    used: Bool[Array, "count queries sets"],
    num_wires: int,
) -> dict[str, Array]:
    draw = functools.partial(_draw, num_wires=num_wires)
    return jax.lax.map(lambda args: draw(*args), (draws, member, used), batch_size=512)


def random_structures(key: Key, count: int) -> RandomBatch:
    """Random structures with m in {1, 2}, n in {1, 2}, b in {2, 3, 4} under noise.

    Half of the structures have one memory qubit, half have two.

    Args:
        key: JAX random key.
        count: At least 2.

    Returns:
        Values n, b, m, lam, T = 1, p, a, chi, with a replay of each in mpmath.

    Raises:
        ValueError: If `count` < 2.
    """
    require(count >= 2, "count", "be at least 2", count)
    tables = [_padded_table(n, b) for n, b in SHAPES]
    parts = []
    for num_wires, part_key in zip((1, 2), jax.random.split(key), strict=True):
        size = count // 2 if num_wires == 1 else count - count // 2
        shape = np.arange(size) % len(SHAPES)
        member = np.stack([table[0] for table in tables])[shape]
        used = np.stack([table[1] for table in tables])[shape]
        draws = draw_numbers(part_key, size, num_wires)
        drawn = _draw_many(draws, jnp.asarray(member), jnp.asarray(used), num_wires)
        part = {name: np.asarray(value) for name, value in drawn.items()}
        part["n"] = np.asarray([SHAPES[s][0] for s in shape])
        part["b"] = np.asarray([SHAPES[s][1] for s in shape])
        part["m"] = np.full(size, num_wires)
        part["T"] = np.ones(size, dtype=int)
        parts.append(part)
    return _as_batch(parts)


def _as_batch(parts: list[dict[str, np.ndarray]]) -> RandomBatch:
    names = ("n", "b", "m", "lam", "T", "p", "a", "chi")
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    first = len(parts[0]["n"])

    def serialise(index: int) -> Mapping[str, Any]:
        part = parts[0] if index < first else parts[1]
        row = index if index < first else index - first
        n, b = int(part["n"][row]), int(part["b"][row])
        record = {"n": n, "b": b, "m": int(part["m"][row])}
        record["lam"] = float(part["lam"][row])
        for name, size in (("states", b**n), ("effects", n * b)):
            array = part[name][row][:size]
            record[name] = {"real": array.real.tolist(), "imag": array.imag.tolist()}
        return record

    return RandomBatch(values, lambda i: replay_structure(serialise(i)), serialise)


def replay_structure(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values at 50 digits of a structure serialised by `random_structures`."""
    arrays = {
        name: np.asarray(record[name]["real"]) + 1j * np.asarray(record[name]["imag"])
        for name in ("states", "effects")
    }
    n, b, survival = record["n"], record["b"], record["lam"]
    values = dict(
        precise_statistics(arrays["states"], arrays["effects"], n, b, survival)
    )
    values.update(n=n, b=b, m=record["m"], lam=survival, T=1)
    return values
