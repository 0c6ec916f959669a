"""Random local updates by the thousand: entangled memories, channels, noise and tests.

Three memory qubits, N' in {2, 3, 4}, or up to 8 if each element touches a qubit of its
own. A structure is kept as the numbers it was drawn
from, by blocks, and drawn again when one is to be replayed: a hundred thousand of them
would fill a gigabyte.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import mpmath
import numpy as np

from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.ensembles import helstrom_effect
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.precise import precise_effect, product_trace
from qjax.bounds.memory.structure import entropy_bits
from qjax.bounds.updates.blocks import batch_in_blocks
from qjax.bounds.updates.local_updates import PAULIS, apply_updates

MEMORY_KINDS = ("pure", "Bell", "GHZ", "mixed", "product", "noisy Bell")
CHANNEL_KINDS = ("unitary", "Pauli", "isometry", "replace")
TEST_KINDS = ("Helstrom", "threshold", "pretty good", "unsharp")
WIRES, BLOCK = 3, 1000
_SIZE = 2**WIRES
_WIDEST = 4  # operators per channel, and their dimension for two touched qubits
_MEMORY = _TEST = 2 * _SIZE * _SIZE
_CHANNEL = 2 * _WIDEST**3

MOVING_PLACES = (0, 0, 0, 0, 1, 1, 2, 2)
MOVING_WORDS = (0, 3, 1, 2, 1, 2, 1, 2)
"""Eight Paulis, each on one of three qubits, that take a GHZ state to eight orthogonal
states."""


def _complex(normal: np.ndarray, *shape: int) -> np.ndarray:
    """Complex Gaussians from the leading numbers of each row."""
    size = int(np.prod(shape))
    parts = normal[:, : 2 * size].reshape(-1, 2, *shape)
    return parts[:, 0] + 1j * parts[:, 1]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def memory_factors(
    normal: np.ndarray, kind: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """G with memory state G G^dagger: exactly positive at any precision.

    Args:
        normal: Gaussians, shape (k, 128) at least.
        kind: Index into `MEMORY_KINDS`, shape (k,).
        share: Uniform in [0, 1): weight of the noise of noisy Bell pairs, times 0.1.

    Returns:
        Shape (k, 8, 8).
    """
    raw = _complex(normal, _SIZE, _SIZE)
    factors = np.zeros_like(raw)
    pure = _unit(raw[:, 0])
    single = _unit(raw[:, :WIRES, :2])
    product = np.einsum("ka,kb,kc->kabc", *single.swapaxes(0, 1)).reshape(-1, _SIZE)
    turn = np.linalg.qr(raw[:, :2, :2])[0]
    # Wires 0 and 2 share a Bell pair, or all three a GHZ state, in a random basis.
    bell = np.einsum("kac,kb->kabc", turn / np.sqrt(2), single[:, 1])
    ghz = np.einsum("kaj,jb,jc->kabc", turn / np.sqrt(2), np.eye(2), np.eye(2))
    kets = [pure, bell.reshape(-1, _SIZE), ghz.reshape(-1, _SIZE), pure, product,
            bell.reshape(-1, _SIZE)]  # fmt: skip
    factors[:, :, 0] = np.stack(kets)[kind, np.arange(len(kind))]
    mixed = raw / np.linalg.norm(raw, axis=(1, 2), keepdims=True)
    weight = np.where(kind == 3, 1.0, np.where(kind == 5, 0.1 * share, 0.0))
    # Columns add up: G G^dagger of [sqrt(1-w) ket, sqrt(w) G'] in eight columns.
    small = np.sqrt(weight)[:, None, None] * mixed
    small[:, :, 0] *= kind[:, None] == 3
    factors = np.sqrt(1 - weight)[:, None, None] * factors + small
    return factors / np.linalg.norm(factors, axis=(1, 2), keepdims=True)


def _pauli_operators(normal: np.ndarray, width: int, elements: int) -> np.ndarray:
    """One Pauli word for each element: distinct ones if all act on the same qubits."""
    if elements == len(MOVING_WORDS):
        return np.tile(PAULIS[list(MOVING_WORDS)], (len(normal), 1, 1, 1))
    # Distinct words in a random order: the ranks of Gaussians.
    words = np.argsort(normal[:, : 4**width], axis=1)[:, :elements]
    first = PAULIS[words % 4]
    if width == 1:
        return first
    both = np.einsum("kxab,kxcd->kxacbd", first, PAULIS[words // 4])
    return both.reshape(*words.shape, 2**width, 2**width)


def _channel_operators(
    normal: np.ndarray, kind: np.ndarray, width: int, elements: int
) -> np.ndarray:
    """Kraus operators on t qubits, shape (k, elements, 4, 2^t, 2^t)."""
    size, rows = 2**width, len(kind)
    raw = _complex(normal, elements, _WIDEST * size, size)
    isometry = np.linalg.qr(raw)[0].reshape(rows, elements, _WIDEST, size, size)
    unitary, pauli, replace = (np.zeros_like(isometry) for _ in range(3))
    unitary[:, :, 0] = np.linalg.qr(raw[:, :, :size])[0]
    pauli[:, :, 0] = _pauli_operators(normal, width, elements)
    ket = _unit(raw[:, :, 0])
    for level in range(size):
        replace[:, :, level, :, level] = ket
    options = np.stack([unitary, pauli, isometry, replace])
    return options[kind, np.arange(rows)]


def _tests(
    states: np.ndarray, used: np.ndarray, normal: np.ndarray, uniform: np.ndarray
) -> np.ndarray:
    """Accepting POVM elements, shape (k, elements, 8, 8)."""
    weights = used / used.sum(axis=1, keepdims=True)
    average = np.einsum("kx,kxij->kij", weights, states)
    raw = _complex(normal, states.shape[1], _SIZE, _SIZE)
    values, vectors = np.linalg.eigh(raw + raw.conj().swapaxes(-1, -2))
    spectrum = 1 / (1 + np.exp(-values))
    unsharp = (vectors * spectrum[..., None, :]) @ vectors.conj().swapaxes(-1, -2)
    values, vectors = np.linalg.eigh(average)
    root = np.where(values > 1e-9, np.maximum(values, 1e-9) ** -0.5, 0)
    inverse = (vectors * root[:, None, :]) @ vectors.conj().swapaxes(-1, -2)
    pretty = inverse[:, None] @ states @ inverse[:, None] * weights[..., None, None]
    kind = np.minimum((uniform[:, 0] * len(TEST_KINDS)).astype(int), 3)
    level = np.where(kind == 1, 0.5 + 1.5 * uniform[:, 1], 1)[:, None, None, None]
    sharp = helstrom_effect(states - level * average[:, None])
    options = np.stack([sharp, sharp, pretty, unsharp])
    return options[kind, np.arange(len(kind))]


def _survivals(uniform: np.ndarray) -> np.ndarray:
    """lambda: at an edge or within 1e-6 .. 1e-2 of one, else uniform.

    Exactly 0 is rare: both sides of every bound vanish there, and each such equality is
    replayed at 50 digits.
    """
    small = 10.0 ** -(2 + 4 * uniform[:, 1])
    kind = uniform[:, 0]
    levels = np.where(kind < 0.1, 1.0, uniform[:, 1])
    levels = np.where(kind > 0.997, 0.0, levels)
    levels = np.where((kind > 0.1) & (kind < 0.2), small, levels)
    return np.where((kind > 0.2) & (kind < 0.3), 1 - small, levels)


def _draw_block(
    key: Key, rows: int, noisy: bool, moving: bool, reversible: bool
) -> dict[str, np.ndarray]:
    """Random updates with their values; every array has a leading axis of rows."""
    keys = jax.random.split(key, 2)
    elements = len(MOVING_PLACES) if moving else 4
    total = _MEMORY + elements * (_CHANNEL + _TEST)
    normal = np.asarray(jax.random.normal(keys[0], (rows, total)), np.float64)
    uniform = np.asarray(jax.random.uniform(keys[1], (rows, 10)), np.float64)
    pick = uniform[:, :3] * [len(MEMORY_KINDS), len(CHANNEL_KINDS), 4 if moving else 3]
    memory, channel, number = np.minimum(pick, [5.5, 3.5, 3.5]).astype(int).T
    channel = channel % 2 if reversible else channel
    factors = memory_factors(normal[:, :_MEMORY], memory, uniform[:, 3])
    used = np.arange(elements) < np.asarray([2, 3, 4, 8])[number][:, None]
    # The second qubit is touched by three structures in ten.
    two = (uniform[:, 4] < 0.3) & (not moving)
    survival = _survivals(uniform[:, 5:7]) if noisy else np.ones(rows)
    before = factors @ factors.conj().swapaxes(-1, -2)
    states = np.empty((rows, elements, _SIZE, _SIZE), complex)
    drawn: dict[str, Any] = {}
    for width in (1,) if moving else (1, 2):
        mine = np.flatnonzero(two == (width == 2))
        numbers = normal[mine, _MEMORY:]
        kraus = _channel_operators(numbers, channel[mine], width, elements)
        places = np.asarray(MOVING_PLACES)[:, None] if moving else np.arange(width)
        touched = np.broadcast_to(places, (len(mine), elements, width))
        if len(mine):
            states[mine] = _after(before[mine], kraus, touched, survival[mine])
        drawn[f"rows{width}"] = mine
        drawn[f"kraus{width}"], drawn[f"touched{width}"] = kraus, touched
    rest = normal[:, _MEMORY + elements * _CHANNEL :]
    tests = _tests(states, used, rest, uniform[:, 7:9])
    drawn.update(factors=factors, effects=tests, **_block_values(states, tests, used))
    drawn.update(t=1 + two, lam=survival, T=np.ones(rows, int))
    drawn["m"] = np.full(rows, WIRES) if moving else drawn["t"]
    drawn["K"] = np.full(rows, WIRES if moving else 1)
    return drawn


def _after(
    before: np.ndarray, kraus: np.ndarray, touched: np.ndarray, survival: np.ndarray
) -> np.ndarray:
    """Noisy states after every element's update, run on the engine."""
    rows, elements, width = touched.shape
    flat = np.repeat(before, elements, axis=0)
    operators = kraus.reshape(rows * elements, *kraus.shape[2:])
    levels = np.repeat(survival, elements)
    after = apply_updates(flat, operators, touched.reshape(-1, width), levels)
    return after.reshape(rows, elements, _SIZE, _SIZE)


# Probabilities are rounded to multiples of this: 1 - 1e-16 in place of 1 would make
# d(p||q) infinite where q rounds to 1.
_GRID = 2.0**-46


def _block_values(
    states: np.ndarray, tests: np.ndarray, used: np.ndarray
) -> dict[str, np.ndarray]:
    """N, p, a, chi of each row."""
    table = np.clip(np.einsum("kxij,kyji->kxy", states, tests).real, 0, 1)
    both = used[:, :, None] & used[:, None, :]
    own = both & np.eye(used.shape[1], dtype=bool)
    values = {"N": used.sum(axis=1)}
    for name, which in (("p", own), ("a", both & ~own)):
        mean = np.sum(table * which, axis=(1, 2)) / which.sum(axis=(1, 2))
        values[name] = np.minimum(np.round(mean / _GRID) * _GRID, 1)
    weights = used / used.sum(axis=1, keepdims=True)
    average = np.einsum("kx,kxij->kij", weights, states)
    chi = entropy_bits(average) - np.sum(weights * entropy_bits(states), axis=1)
    return {**values, "chi": chi}


def random_updates(
    key: Key,
    count: int,
    *,
    noisy: bool = True,
    moving: bool = False,
    reversible: bool = False,
) -> RandomBatch:
    """Random local updates of three entangled qubits, one or two of them touched.

    Args:
        key: JAX random key.
        count: At least 1.
        noisy: Whether depolarizing noise follows on the touched qubits.
        moving: Whether each element touches a qubit of its own, of m = 3.
        reversible: Whether every update is unitary, so that a delete can undo it.

    Returns:
        Values t, m, K, N, lam, T = 1, p, a and chi, with a replay of each but chi in
        mpmath: entropies of 8 x 8 matrices at 50 digits take a second.

    Raises:
        ValueError: If `count` < 1.
    """
    draw = functools.partial(
        _draw_block, noisy=noisy, moving=moving, reversible=reversible
    )
    names = ("t", "m", "K", "N", "lam", "T", "p", "a", "chi")
    return batch_in_blocks(key, count, BLOCK, names, draw, _record, replay_updates)


def _record(block: Mapping[str, np.ndarray], row: int) -> Mapping[str, Any]:
    width, elements = int(block["t"][row]), int(block["N"][row])
    place = int(np.flatnonzero(block[f"rows{width}"] == row)[0])
    record: dict[str, Any] = {
        "lam": float(block["lam"][row]),
        "m": int(block["m"][row]),
        "K": int(block["K"][row]),
        "touched": block[f"touched{width}"][place][:elements].tolist(),
    }
    arrays = {
        "factor": block["factors"][row],
        "kraus": block[f"kraus{width}"][place][:elements],
        "effects": block["effects"][row][:elements],
    }
    for name, array in arrays.items():
        record[name] = array_record(array)
    return record


def _mp_channel(kraus: np.ndarray) -> list[mpmath.matrix]:
    """Kraus operators K G^(-1/2), G = sum K^dagger K: exactly trace preserving."""
    operators = [mpmath.matrix(k.tolist()) for k in kraus if np.any(k)]
    total = mpmath.matrix(operators[0].rows)
    for operator in operators:
        total += operator.H * operator
    values, vectors = mpmath.eighe(total)
    root = mpmath.diag([1 / mpmath.sqrt(value) for value in values])
    return [operator * vectors * root * vectors.H for operator in operators]


def _on_wires(
    operator: mpmath.matrix, wires: list[int], num_wires: int
) -> mpmath.matrix:
    """The operator on some wires, the first one leading, and identity on the others."""
    size = 2**num_wires
    bits = [num_wires - 1 - wire for wire in wires]
    mask = sum(1 << bit for bit in bits)
    full = mpmath.matrix(size)
    for row in range(size):
        for column in range(size):
            if (row ^ column) & ~mask == 0:
                index = [0, 0]
                for bit in bits:
                    index = [2 * index[0] + ((row >> bit) & 1),
                             2 * index[1] + ((column >> bit) & 1)]  # fmt: skip
                full[row, column] = operator[index[0], index[1]]
    return full


def _mp_apply(
    rho: mpmath.matrix, operators: list[mpmath.matrix], wires: list[int]
) -> mpmath.matrix:
    """A channel on some wires of a density matrix."""
    total = mpmath.matrix(rho.rows)
    for local in operators:
        full = _on_wires(local, wires, rho.rows.bit_length() - 1)
        total += full * rho * full.H
    return total


def mp_noise(rho: mpmath.matrix, survival: float, wire: int) -> mpmath.matrix:
    """Depolarizing noise on one qubit, in mpmath."""
    for operators in MEMORY_NOISES["depolarizing"].stages({"lam": survival}):
        rho = _mp_apply(rho, operators, [wire])
    return rho


def replay_updates(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values at 50 digits of updates serialised by `random_updates`.

    The memory is G G^dagger/Tr, the channels are normalised and the tests clipped at 50
    digits; noise is a Kraus sum in mpmath. No code is shared with the engine.
    """
    arrays = {
        name: recorded_array(record[name]) for name in ("factor", "kraus", "effects")
    }
    touched = record["touched"]
    with mpmath.workdps(50):
        factor = mpmath.matrix(arrays["factor"].tolist())
        memory = factor * factor.H
        memory /= mpmath.re(product_trace(memory, mpmath.eye(memory.rows)))
        states = []
        for kraus, wires in zip(arrays["kraus"], touched, strict=True):
            after = _mp_apply(memory, _mp_channel(kraus), wires)
            for wire in wires:
                after = mp_noise(after, record["lam"], wire)
            states.append(after)
        tests = [precise_effect(effect) for effect in arrays["effects"]]
        table = [[mpmath.re(product_trace(m, rho)) for m in tests] for rho in states]
        size = len(states)
        diagonal = mpmath.fsum(table[x][x] for x in range(size))
        rest = mpmath.fsum(mpmath.fsum(row) for row in table) - diagonal
        return {
            "t": len(touched[0]), "m": record["m"], "K": record["K"], "N": size,
            "lam": record["lam"], "T": 1, "p": diagonal / size,
            "a": rest / (size * (size - 1)),
        }  # fmt: skip
