"""Random batches of shots: states, observables and measurements that come close.

Every batch comes with its best unbiased estimators, so that slack is never due to a bad
choice of these; most measurements are sharp but for a small random part.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.batches.batch_ensembles import complex_normals
from qjax.bounds.batches.batch_instances import IDENTITY, PAULI_X, PAULI_Y, PAULI_Z
from qjax.bounds.batches.batch_memories import generator
from qjax.bounds.batches.shot_estimators import least_variances, replay_shots, whiten
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record

CHUNK = 5000

GAMMAS = {
    2: np.stack([PAULI_X, PAULI_Y, PAULI_Z]),
    4: np.stack([
        np.kron(PAULI_X, IDENTITY), np.kron(PAULI_Y, IDENTITY),
        np.kron(PAULI_Z, PAULI_X), np.kron(PAULI_Z, PAULI_Y),
        np.kron(PAULI_Z, PAULI_Z),
    ]),
}  # fmt: skip
"""Pairwise anticommuting observables with square 1, by dimension: 3 and 5 of them."""

SPREAD = {2: 6, 4: 20}
"""Random effects beside the projective ones: enough to determine every state."""


def _mixed_kets(
    bases: NDArray, shares: NDArray, spread: NDArray, noise: NDArray
) -> NDArray[np.complex128]:
    """Each basis with its share, but with probability `noise` a random measurement.

    Args:
        bases: Columns are basis vectors, shape (N, bases, d, d).
        shares: Probability of each basis, shape (N, bases).
        spread: Random kets, shape (N, K, d).
        noise: Shape (N,).
    """
    count, _, size, _ = bases.shape
    rows = bases.swapaxes(-1, -2) * np.sqrt(shares)[..., None, None]
    sharp = np.sqrt(1 - noise)[:, None, None] * rows.reshape(count, -1, size)
    blurred = np.sqrt(noise)[:, None, None] * whiten(spread)
    return np.concatenate([sharp, blurred], axis=1)


def _noise(uniform: NDArray, value: NDArray) -> NDArray[np.float64]:
    """How blurred a measurement is: 10^-1 .. 10^-3 or anything."""
    return np.where(uniform < 0.6, 10.0 ** -(1 + 2 * value), 0.05 + 0.9 * value)


def _draw_qubits(draw: np.random.Generator, count: int) -> dict[str, NDArray]:
    """A qubit state, up to three observables, and a measurement near one of them."""
    uniform = draw.random((count, 6))
    raw = complex_normals(draw, count, 2, 2)
    mixed = raw @ raw.conj().swapaxes(-1, -2)
    mixed /= np.trace(mixed, axis1=-2, axis2=-1)[:, None, None]
    floor = (10.0 ** -(3 * uniform[:, 0]))[:, None, None]
    state = (1 - floor) * mixed + floor * np.eye(2) / 2
    tables = complex_normals(draw, count, 3, 2, 2)
    tables = tables + tables.conj().swapaxes(-1, -2)
    values, vectors = np.linalg.eigh(tables)
    # Functions of the first observable commute with it.
    shared = np.broadcast_to(vectors[:, :1], vectors.shape)
    common = (shared * values[:, :, None, :]) @ shared.conj().swapaxes(-1, -2)
    commuting = uniform[:, 1] < 0.5
    observables = np.where(commuting[:, None, None, None], common, tables)
    counts = 1 + (3 * uniform[:, 2]).astype(int)
    spread = complex_normals(draw, count, SPREAD[2], 2)
    noise = _noise(uniform[:, 3], uniform[:, 4])
    kets = whiten(_mixed_kets(vectors[:, :1], np.ones((count, 1)), spread, noise))
    copies = counts * (1 + (50 * uniform[:, 5]).astype(int))
    wanted = np.arange(3) < counts[:, None]
    least = least_variances(kets, state, observables)
    mean = np.einsum("nbij,nji->nb", observables, state).real
    square = np.einsum("nbij,nbjk,nki->nb", observables, observables, state).real
    own = np.sum(np.where(wanted, square - mean**2, 0), axis=1) / counts
    batch = np.sum(np.where(wanted, least, 0), axis=1) / counts
    return {
        "B": counts, "c": copies, "v": own, "u": counts * own / copies,
        "w": batch / copies, "kets": kets, "state": state, "observables": observables,
    }  # fmt: skip


def _draw_gammas(
    draw: np.random.Generator, count: int, size: int
) -> dict[str, NDArray]:
    """Anticommuting observables at I/d, each measured with a share of the copies."""
    gammas = GAMMAS[size]
    uniform = draw.random((count, 5 + len(gammas)))
    spread = complex_normals(draw, count, SPREAD[size], size)
    counts = 2 + ((len(gammas) - 1) * uniform[:, 0]).astype(int)
    wanted = np.arange(len(gammas)) < counts[:, None]
    tilt = np.where(uniform[:, 1] < 0.5, 1e-2, 1.0)[:, None]
    shares = np.where(wanted, 1 + tilt * uniform[:, 5:], 0)
    shares = shares / shares.sum(axis=1, keepdims=True)
    bases = np.broadcast_to(np.linalg.eigh(gammas)[1], (count, *gammas.shape))
    noise = _noise(uniform[:, 2], uniform[:, 3])
    kets = _mixed_kets(bases, shares, spread, noise)
    # A basis that nothing is measured in keeps a place of negligible weight.
    kets = np.where(np.abs(kets).max(axis=2, keepdims=True) > 0, kets, 1e-9)
    kets = whiten(kets)
    mixed = (np.eye(size) / size).astype(complex)
    state = np.broadcast_to(mixed, (count, size, size))
    observables = np.broadcast_to(gammas, (count, *gammas.shape))
    least = least_variances(kets, state, observables)
    copies = 1 + (50 * uniform[:, 4]).astype(int)
    batch = np.sum(np.where(wanted, least, 0), axis=1) / counts
    return {
        "B": counts, "c": copies, "w": batch / copies, "kets": kets, "state": state,
        "observables": observables,
    }  # fmt: skip


def _as_batch(parts: list[dict[str, NDArray]], names: tuple[str, ...]) -> RandomBatch:
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    sizes = np.cumsum([len(part["B"]) for part in parts])

    def serialise(index: int) -> Mapping[str, Any]:
        place = int(np.searchsorted(sizes, index, side="right"))
        part, row = parts[place], index - int(sizes[place]) + len(parts[place]["B"])
        queries = int(part["B"][row])
        record: dict[str, Any] = {"B": queries, "c": int(part["c"][row])}
        arrays = {name: part[name][row] for name in ("kets", "state")}
        arrays["observables"] = part["observables"][row, :queries]
        for name, array in arrays.items():
            record[name] = array_record(array)
        return record

    return RandomBatch(values, lambda index: replay_shots(serialise(index)), serialise)


def random_shots(key: Key, count: int) -> RandomBatch:
    """Random qubits, observables and measurements with their best estimators.

    Args:
        key: JAX random key.
        count: At least 1.

    Returns:
        B, c and the mean variances v = Var_rho(O_j), u = B v/c and w of the batch.

    Raises:
        ValueError: If `count` < 1.
    """
    require(count >= 1, "count", "be at least 1", count)
    draw = generator(key)
    parts = [_draw_qubits(draw, size) for size in _chunks(count)]
    return _as_batch(parts, ("B", "c", "v", "u", "w"))


def random_anticommuting(key: Key, count: int) -> RandomBatch:
    """Random measurements of anticommuting observables on I/2 and I/4, half of each.

    Args:
        key: JAX random key.
        count: At least 2.

    Returns:
        B, c and the mean variance w of the best unbiased estimators.

    Raises:
        ValueError: If `count` < 2.
    """
    require(count >= 2, "count", "be at least 2", count)
    draw = generator(key)
    parts = [
        _draw_gammas(draw, chunk, size)
        for size, half in ((2, count // 2), (4, count - count // 2))
        for chunk in _chunks(half)
    ]
    return _as_batch(parts, ("B", "c", "w"))


def _chunks(count: int) -> list[int]:
    return [CHUNK] * (count // CHUNK) + [count % CHUNK] * (count % CHUNK > 0)
