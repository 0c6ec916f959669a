"""Random batches by the thousand: laws of answers, encodings, measurements, copies.

Everything is padded to a two-qubit register, eight messages, three queries and four
values. Half of the measurements are those that explain most variance, and a third of
the encodings are those that come close to the bounds: random ones alone have slack.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.batches.batch_instances import PAULI_X, PAULI_Y, PAULI_Z, normal_bins
from qjax.bounds.batches.batch_memories import (
    best_bases,
    copy_states,
    generator,
    law_statistics,
    projective,
)
from qjax.bounds.batches.batch_replay import replay_batch
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.memory.structure import entropy_bits

LAWS = ("real", "signs", "uniform", "normal")
"""Random priors and values; fair +-1; uniform symbols; bins of a normal variable."""

SHAPES = ((1, 2), (2, 2), (3, 2), (1, 3), (1, 4))
"""(B, a) with a^B <= 8 messages; fair +-1 answers use the first three."""

MEMORIES = ((1, 1), (1, 2), (2, 1))
"""(m, c) with m c <= 2."""

STATE_KINDS = ("mixed", "pure", "near mixed", "classical", "coded", "coded")
QUERIES, VALUES, MESSAGES, WIDTH = 3, 4, 8, 4
PAULIS = np.stack([PAULI_X, PAULI_Y, PAULI_Z])
CHUNK = 5000


def _choose(uniform: NDArray, count: int) -> NDArray[np.int64]:
    return np.minimum((uniform * count).astype(int), count - 1)


def complex_normals(draw: np.random.Generator, *shape: int) -> NDArray[np.complex128]:
    """Independent complex Gaussians of a shape."""
    parts = draw.standard_normal((2, *shape))
    return parts[0] + 1j * parts[1]


def digits_of(shape: NDArray[np.int64]) -> NDArray[np.int64]:
    """x_j of every padded message for indices into `SHAPES`: (..., messages, B)."""
    table = np.zeros((len(SHAPES), MESSAGES, QUERIES), dtype=int)
    for row, (count, size) in enumerate(SHAPES):
        for message in range(size**count):
            for j in range(count):
                table[row, message, j] = message // size ** (count - 1 - j) % size
    return table[shape]


def _real_messages(shape: NDArray[np.int64]) -> NDArray[np.bool_]:
    sizes = np.array([size**count for count, size in SHAPES])
    return np.arange(MESSAGES) < sizes[shape][:, None]


def _random_laws(
    draw: np.random.Generator, uniform: NDArray, shape: NDArray, law: str
) -> tuple[NDArray, NDArray, NDArray]:
    """Marginals and values of every answer, shape (N, 3, 4), and thresholds."""
    sizes = np.array([size for _, size in SHAPES])[shape]
    counts = np.array([count for count, _ in SHAPES])[shape]
    inside = np.arange(VALUES) < sizes[:, None]
    inside = np.broadcast_to(inside[:, None], (len(shape), QUERIES, VALUES))
    weights = np.where(inside, 1.0, 0.0)
    full = (len(shape), QUERIES, VALUES)
    thresholds = np.sort(draw.standard_normal((*full[:2], VALUES - 1)), axis=-1)
    beyond = np.arange(VALUES - 1) >= sizes[:, None] - 1
    thresholds = np.where(beyond[:, None], np.inf, thresholds)
    values = np.broadcast_to(np.arange(VALUES, dtype=float), inside.shape)
    if law == "real":
        skew = draw.standard_normal(full) ** 2 * weights
        weights = np.where(uniform[:, None, None] < 0.5, skew, weights)
        values = draw.standard_normal(full)
    elif law == "signs":
        values = 1 - 2 * values
    elif law == "normal":
        weights, values = normal_bins(thresholds)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    used = np.arange(QUERIES) < counts[:, None]
    # Absent queries have one certain value, so that the prior is still a product.
    certain = np.arange(VALUES) == 0
    return np.where(used[..., None], weights, certain), np.array(values), thresholds


def product_prior(
    marginals: NDArray[np.float64], digits: NDArray[np.int64], real: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """P(message) = prod_j P(X_j = x_j), shape (N, messages)."""
    picked = np.take_along_axis(
        marginals.swapaxes(-1, -2), digits, axis=-2
    )  # (N, messages, B): axis -2 of the marginals is the value
    return np.where(real, picked.prod(axis=-1), 0.0)


def _normalised(matrices: NDArray) -> NDArray:
    trace = np.trace(matrices, axis1=-2, axis2=-1)
    return matrices / trace[..., None, None]


def _coded(
    draw: np.random.Generator,
    lean: NDArray[np.float64],
    depth: NDArray[np.float64],
    wires: NDArray[np.int64],
    turned: NDArray[np.bool_],
) -> NDArray[np.complex128]:
    """Two qubits whose Bloch vectors are linear in the answers, with length <= depth.

    Answer j moves qubit j mod m along axis j div m; `lean` (N, messages, B) is in
    [-1, 1] and 0 for absent queries.
    """
    count = len(lean)
    frames = np.linalg.qr(draw.standard_normal((count, 2, 3, 3)))[0]
    frames = np.where(turned[:, None, None, None], frames, np.eye(3)[[2, 0, 1]])
    vectors = np.zeros((count, 2, MESSAGES, 3))
    load = np.zeros((count, 2))
    present = np.abs(lean).max(axis=1) > 0
    for j in range(QUERIES):
        wire, axis = j % wires, j // wires
        moved = lean[:, :, j, None] * frames[np.arange(count), wire, axis][:, None]
        vectors[np.arange(count), wire] += moved
        load[np.arange(count), wire] += present[:, j]
    scale = depth[:, None] / np.sqrt(np.maximum(load, 1))
    bloch = np.einsum("nwxk,kij->nwxij", vectors * scale[..., None, None], PAULIS)
    qubits = (np.eye(2) + bloch) / 2
    return _tensor(qubits[:, 0], qubits[:, 1])


def _tensor(first: NDArray, second: NDArray) -> NDArray:
    both = np.einsum("...ij,...kl->...ikjl", first, second)
    return both.reshape(*first.shape[:-2], WIDTH, WIDTH)


def _depth(uniform: NDArray, value: NDArray) -> NDArray[np.float64]:
    """Length of coded Bloch vectors: near 1, anything, small; 1 and 0 are rare edges,
    because there the float64 sides agree and each needs a replay.
    """
    near = 1 - 10.0 ** -(1 + 3 * value)
    small = 10.0 ** -(0.5 + 2.5 * value)
    kinds = [uniform < 0.35, uniform < 0.65, uniform < 0.97, uniform < 0.99]
    return np.select(kinds, [near, value, small, np.ones_like(value)], 0.0)


def _random_states(
    draw: np.random.Generator, uniform: NDArray, lean: NDArray, wires: NDArray
) -> NDArray[np.complex128]:
    """Two-qubit states of one of `STATE_KINDS`, shape (N, messages, 4, 4)."""
    raw = complex_normals(draw, len(uniform), MESSAGES, WIDTH, WIDTH)
    mixed = _normalised(raw @ raw.conj().swapaxes(-1, -2))
    kets = raw[..., 0] / np.linalg.norm(raw[..., 0], axis=-1, keepdims=True)
    pure = kets[..., :, None] * kets[..., None, :].conj()
    small = (10.0 ** -(0.5 + 2.5 * uniform[:, 1]))[:, None, None, None]
    near = small * pure + (1 - small) * np.eye(WIDTH) / WIDTH
    diagonal = np.abs(raw[..., 1]) ** 2
    classical = _normalised(diagonal[..., None] * np.eye(WIDTH))
    depth = _depth(uniform[:, 2], uniform[:, 3])
    coded = _coded(draw, lean, depth, wires, uniform[:, 4] < 0.5)
    kind = _choose(uniform[:, 0], len(STATE_KINDS))
    options = np.stack([mixed, pure, near, classical, coded, coded])
    return options[kind, np.arange(len(kind))]


def _lean(values: NDArray, marginals: NDArray, digits: NDArray) -> NDArray:
    """Each answer moved into [-1, 1] by its range, shape (N, messages, B)."""
    real = marginals > 0
    high = np.where(real, values, -np.inf).max(axis=-1, keepdims=True)
    low = np.where(real, values, np.inf).min(axis=-1, keepdims=True)
    reach = np.where(high > low, high - low, 1)
    moved = np.where(high > low, 2 * (values - low) / reach - 1, 0)
    moved = np.where(real, moved, 0)
    return np.take_along_axis(moved.swapaxes(-1, -2), digits, axis=-2)


def depolarize(states: NDArray, survival: NDArray, wires: int) -> NDArray:
    """One-qubit depolarizing noise on each of the first m qubits, m = 1 or 2."""
    level = survival.reshape(-1, *[1] * (states.ndim - 1))
    for wire in range(wires):
        parts = states.reshape(*states.shape[:-2], 2, 2, 2, 2)
        rest = "...iaib->...ab" if wire == 0 else "...aibi->...ab"
        kept = np.einsum(rest, parts)
        half = np.broadcast_to(np.eye(2) / 2, kept.shape)
        pair = (half, kept) if wire == 0 else (kept, half)
        states = level * states + (1 - level) * _tensor(*pair)
    return states


def _draw(
    draw: np.random.Generator, count: int, law: str, noisy: bool
) -> dict[str, NDArray]:
    """One chunk of random batches with their statistics."""
    uniform = draw.random((count, 12))
    shapes = 3 if law in ("signs", "normal") else len(SHAPES)
    shape = _choose(uniform[:, 0], shapes)
    memory = _choose(uniform[:, 1], len(MEMORIES)) if not noisy else np.where(
        uniform[:, 1] < 0.5, 0, 2
    )  # fmt: skip
    wires, copies = np.array(MEMORIES)[memory].T
    digits, real = digits_of(shape), _real_messages(shape)
    laws = _random_laws(draw, uniform[:, 2], shape, law)
    marginals, values, thresholds = laws
    prior = product_prior(marginals, digits, real)
    lean = _lean(values, marginals, digits)
    states = _random_states(draw, uniform[:, 3:8], lean, wires)
    one = (wires == 1)[:, None, None, None]
    half = np.broadcast_to(np.eye(2) / 2, (count, MESSAGES, 2, 2))
    states = np.where(one, _tensor(copy_states(states, 1), half), states)
    levels = np.where(uniform[:, 8] < 0.1, 1.0, 0.05 + 0.95 * uniform[:, 9])
    survival = levels if noisy else np.ones(count)
    part = {
        "shape": shape, "m": wires, "c": copies, "lam": survival, "states": states,
        "marginals": marginals, "values": values, "thresholds": thresholds,
    }  # fmt: skip
    noisy_states = states
    if noisy:
        once, twice = (depolarize(states, survival, wire) for wire in (1, 2))
        noisy_states = np.where(one, once, twice)
    return {
        **part,
        **_measure(part, noisy_states, prior, digits, draw, uniform, law),
    }


def _measure(
    part: dict[str, NDArray], states: NDArray, prior: NDArray, digits: NDArray,
    draw: np.random.Generator, uniform: NDArray, law: str,
) -> dict[str, NDArray]:  # fmt: skip
    """Bases of the queries and of the reading of whole words, and the statistics."""
    count = len(states)
    single = copy_states(states, 1)
    twice = (part["c"] == 2)[:, None, None, None]
    register = np.where(twice, _tensor(single, single), states)
    answers = np.take_along_axis(part["values"].swapaxes(-1, -2), digits, axis=-2)
    best = best_bases(register, prior, answers.swapaxes(-1, -2))
    turned = np.linalg.qr(complex_normals(draw, count, QUERIES, WIDTH, WIDTH))[0]
    fixed = np.broadcast_to(np.eye(WIDTH, dtype=complex), best.shape)
    kind = np.select([uniform[:, 10] < 0.7, uniform[:, 10] < 0.85], [0, 1], 2)
    bases = np.stack([best, turned, fixed])[kind, np.arange(count)]
    table = _born(bases, register)
    is_value = digits.swapaxes(-1, -2)[..., None] == np.arange(VALUES)
    joint = np.einsum("nx,nbxv,nbyx->nbvy", prior, is_value.astype(float), table)
    counts = np.array([queries for queries, _ in SHAPES])[part["shape"]]
    used = np.arange(QUERIES) < counts[:, None]
    variances = np.ones(used.shape) if law == "normal" else None
    found = law_statistics(joint, part["values"], used, variances)
    mean = np.einsum("nx,nxij->nij", prior, states)
    gap = entropy_bits(mean) - np.sum(prior * entropy_bits(states), axis=1)
    found["chi"] = np.maximum(gap, 0)
    word = _word_basis(states, uniform[:, 11], turned[:, 0])
    named = _born(word[:, None], states)[:, 0]
    found["p"] = np.max(prior[:, None] * named, axis=2).sum(axis=1)
    return {**found, "bases": bases, "word_basis": word, "B": counts}


def _born(bases: NDArray, states: NDArray) -> NDArray[np.float64]:
    """<u_y|rho_x|u_y>, shape (N, B, outcomes, messages)."""
    effects = projective(bases)
    table = np.einsum("nbyij,nxji->nbyx", effects, states, optimize=True).real
    return np.clip(table, 0, 1)


def _word_basis(states: NDArray, uniform: NDArray, turned: NDArray) -> NDArray:
    """The orthonormal basis nearest to the main eigenvectors of four messages."""
    mains = np.linalg.eigh(states[:, :WIDTH])[1][..., -1]
    left, _, right = np.linalg.svd(mains.swapaxes(-1, -2))
    choice = (uniform < 0.8)[:, None, None]
    return np.where(choice, left @ right, turned)


NAMES = ("S", "V", "r", "I", "Phi", "Delta", "delta", "g", "chi", "p",
         "B", "m", "c", "lam")  # fmt: skip


def random_batches(
    key: Key,
    count: int,
    law: str,
    noisy: bool = False,
) -> RandomBatch:
    """Random batch memories with m c <= 2 and B <= 3, with a replay of each.

    Args:
        key: JAX random key.
        count: At least 1.
        law: One of `LAWS`.
        noisy: Whether one layer of depolarizing noise acts; then c = 1.

    Returns:
        Values of every symbol of the B1 family; T = 1.

    Raises:
        ValueError: If `law` is unknown or `count` < 1.
    """
    require(law in LAWS, "law", f"be one of {LAWS}", law)
    require(count >= 1, "count", "be at least 1", count)
    sizes = [CHUNK] * (count // CHUNK) + [count % CHUNK] * (count % CHUNK > 0)
    draw = generator(key)
    parts = [_draw(draw, size, law, noisy) for size in sizes]
    values = {name: np.concatenate([part[name] for part in parts]) for name in NAMES}
    values["a"] = np.array([size for _, size in SHAPES])[
        np.concatenate([part["shape"] for part in parts])
    ]
    values["T"] = np.ones(count)

    def serialise(index: int) -> Mapping[str, Any]:
        part, row = parts[index // CHUNK], index % CHUNK
        queries, size = SHAPES[int(part["shape"][row])]
        messages = size**queries
        record: dict[str, Any] = {
            "law": law, "B": queries, "a": size, "lam": float(part["lam"][row]),
            "m": int(part["m"][row]), "c": int(part["c"][row]),
        }  # fmt: skip
        for name in ("marginals", "values"):
            record[name] = part[name][row, :queries, :size].tolist()
        record["thresholds"] = part["thresholds"][row, :queries, : size - 1].tolist()
        states = copy_states(part["states"][row, :messages], record["m"])
        bases, word = part["bases"][row, :queries], part["word_basis"][row, None]
        arrays = {"states": states, "bases": bases, "word_basis": word}
        for name, array in arrays.items():
            record[name] = array_record(array)
        return record

    return RandomBatch(values, lambda index: replay_batch(serialise(index)), serialise)
