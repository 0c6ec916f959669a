"""Inserts by rotations: GHZ, product and other memories, and random entangled ones.

Element x is inserted by Rz(theta_j) on chosen qubits; the best test of the two states
tells how well the memory knows. Rotations and noise run on the engine.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.ensembles import helstrom_effect
from qjax.bounds.memory.precise import precise_effect, product_trace
from qjax.bounds.sampling import BernoulliTest, Counts
from qjax.bounds.updates.blocks import batch_in_blocks
from qjax.bounds.updates.local_updates import apply_updates
from qjax.bounds.updates.update_ensembles import (
    BLOCK,
    MEMORY_KINDS,
    memory_factors,
    mp_noise,
)
from qjax.circuits import Circuit, rz
from qjax.simulate import run
from qjax.states import StateVector

KET_WIRES = 8
"""Qubits of the memories given as kets; smaller ones leave the last wires in |0>."""


@dataclasses.dataclass(frozen=True)
class RotationInsert:
    """A memory and the rotations that insert one element.

    Attributes:
        memory: Ket of eight qubits, shape (256,).
        angles: theta in radians, shape (layers, 8), one column per wire: a wire that is
            rotated twice has two layers. Zeros are no rotations.
        name: For reports.
    """

    memory: np.ndarray
    angles: np.ndarray
    name: str

    def __post_init__(self):
        fits = self.memory.shape == (2**KET_WIRES,)
        fits = fits and self.angles.shape[1:] == (KET_WIRES,)
        shapes = (self.memory.shape, self.angles.shape)
        rule = "have shape (256,), with angles of shape (layers, 8)"
        require(fits, "memory", rule, f"of shapes {shapes}")


@eqx.filter_jit
def _rotated(
    ket: Complex[Array, " d"], angles: Float[Array, " w"]
) -> Complex[Array, " d"]:
    gates = tuple(rz(angles[wire], wire) for wire in range(KET_WIRES))
    state = StateVector(ket.reshape((2,) * KET_WIRES))
    return run(Circuit(gates, KET_WIRES), state).vector()


def inserted_ket(insert: RotationInsert) -> np.ndarray:
    """The memory's ket after the rotations, shape (256,)."""
    ket = jnp.asarray(insert.memory)
    for row in insert.angles:
        ket = _rotated(ket, jnp.asarray(row))
    return np.asarray(ket)


def best_test_of_kets(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Acceptance of two kets by the projector on the positive part of their difference.

    Both lie in the plane of the kets, where the difference is a 2 x 2 matrix.
    """
    plane, _ = np.linalg.qr(np.stack([first, second], axis=1))
    inside = plane.conj().T @ np.stack([first, second], axis=1)
    states = inside.T[:, :, None] * inside.T[:, None, :].conj()
    effect = helstrom_effect(states[0] - states[1])
    accepted = np.einsum("xij,ji->x", states, effect).real
    return float(np.clip(accepted[0], 0, 1)), float(np.clip(accepted[1], 0, 1))


def rotation_values(insert: RotationInsert) -> Mapping[str, Any]:
    """Values of A7's symbols: total, k, theta (the mean), largest, signed, p, a.

    Example:
        >>> import jax
        >>> import numpy as np
        >>> from qjax.bounds.updates.rotations import ghz_insert, rotation_values
        >>> with jax.enable_x64(True):
        ...     values = rotation_values(ghz_insert(np.full(8, 0.3)))
        >>> round(values["p"] - values["a"], 5)
        0.93204
    """
    member, other = best_test_of_kets(inserted_ket(insert), insert.memory)
    used = insert.angles[insert.angles != 0]
    total = math.fsum(abs(used))
    return {
        "total": total, "k": len(used), "theta": total / len(used),
        "largest": max(abs(used)), "signed": abs(math.fsum(used)), "p": member,
        "a": other,
    }  # fmt: skip


def rotation_test(build: Callable[[], RotationInsert]) -> BernoulliTest:
    """The Monte-Carlo test of an insert: p at its lower limit, a at its upper one."""
    exact = functools.cache(lambda: dict(rotation_values(build())))

    def rates() -> Sequence[float]:
        return exact()["p"], exact()["a"]

    def count(key: Key, shots: int) -> Counts:
        outcomes = np.asarray(jax.random.uniform(key, (2, shots)))
        accepted = np.sum(outcomes < np.asarray(rates())[:, None], axis=1)
        return int(accepted[0]), int(accepted[1])

    def values(limits: Sequence[Any]) -> Mapping[str, Any]:
        return {**exact(), "p": limits[0], "a": limits[1]}

    return BernoulliTest(rates, count, ("lower", "upper"), values)


def _row(angles: np.ndarray) -> np.ndarray:
    """One layer: the angles on the first wires."""
    row = np.zeros((1, KET_WIRES))
    row[0, : len(angles)] = angles
    return row


def ghz_insert(angles: np.ndarray) -> RotationInsert:
    """Rotate every qubit of a GHZ state whose branches differ where signs ask for it.

    The branches are |b> and its complement, b_j = 1 where theta_j < 0, so that every
    rotation turns the relative phase by |theta_j|.

    Args:
        angles: theta_j, shape (k,), k = 1..8; k = 1 is one qubit in |+>.
    """
    bits = np.zeros((2, KET_WIRES), dtype=int)
    bits[0, : len(angles)] = angles < 0
    bits[1, : len(angles)] = angles >= 0
    places = 2 ** np.arange(KET_WIRES)[::-1]
    memory = np.zeros(2**KET_WIRES, dtype=complex)
    memory[bits @ places] = 0.5**0.5
    return RotationInsert(memory, _row(angles), f"GHZ of {len(angles)}")


def product_insert(angles: np.ndarray) -> RotationInsert:
    """Rotate qubits that are each in |+>: no entanglement."""
    ket = np.ones(1)
    for wire in range(KET_WIRES):
        ket = np.kron(ket, [0.5**0.5] * 2 if wire < len(angles) else [1, 0])
    return RotationInsert(ket.astype(complex), _row(angles), f"product {len(angles)}")


def repeated_insert(theta: float, times: int) -> RotationInsert:
    """Rotate one and the same qubit in |+> several times."""
    memory = product_insert(np.full(1, theta)).memory
    angles = np.tile(_row(np.full(1, theta)), (times, 1))
    return RotationInsert(memory, angles, "one qubit")


def w_insert(angles: np.ndarray) -> RotationInsert:
    """Rotate every qubit of a W state: entangled, but its phases hardly add up."""
    memory = np.zeros(2**KET_WIRES, dtype=complex)
    memory[2 ** (KET_WIRES - 1 - np.arange(len(angles)))] = len(angles) ** -0.5
    return RotationInsert(memory, _row(angles), f"W of {len(angles)}")


def _rotation_matrices(angles: np.ndarray) -> np.ndarray:
    """Rz of each angle as one Kraus operator, shape (k, 1, 2, 2)."""
    phases = np.exp(np.multiply.outer(angles, [-0.5j, 0.5j]))
    return (phases[:, :, None] * np.eye(2))[:, None]


def noisy_pair(
    memories: np.ndarray, angles: np.ndarray, survival: np.ndarray
) -> np.ndarray:
    """Memories with and without the rotations, both after depolarizing noise.

    Args:
        memories: Density matrices of three qubits, shape (k, 8, 8).
        angles: Sum of the rotation angles of each wire, shape (k, 3).
        survival: lambda on every qubit, shape (k,).

    Returns:
        Shape (k, 2, 8, 8): inserted first.
    """
    rows = len(memories)
    states = np.concatenate([memories, memories])
    levels = np.concatenate([survival, survival])
    for wire in range(3):
        both = np.concatenate([angles[:, wire], np.zeros(rows)])
        touched = np.full((2 * rows, 1), wire)
        states = apply_updates(states, _rotation_matrices(both), touched, levels)
    return states.reshape(2, rows, 8, 8).swapaxes(0, 1)


_MOST = 6  # rotations of a random insert


def _draw_block(key: Key, rows: int) -> dict[str, np.ndarray]:
    """Random rotation inserts with the best test of each, and their values."""
    keys = jax.random.split(key, 2)
    normal = np.asarray(jax.random.normal(keys[0], (rows, 128 + _MOST)), np.float64)
    uniform = np.asarray(jax.random.uniform(keys[1], (rows, 8 + _MOST)), np.float64)
    kinds = len(MEMORY_KINDS)
    kind = np.minimum((uniform[:, 0] * kinds).astype(int), kinds - 1)
    factors = memory_factors(normal, kind, uniform[:, 1])
    scale = 10.0 ** (0.3 - 2.5 * uniform[:, 2])
    angles = normal[:, 128:] * scale[:, None]
    # Half of them turn one way, as GHZ states like it; some on two qubits only.
    angles = np.where(uniform[:, 3, None] < 0.5, np.abs(angles), angles)
    number = 1 + (uniform[:, 4] * _MOST).astype(int)
    angles = angles * (np.arange(_MOST) < number[:, None])
    spread = np.where(uniform[:, 5] < 0.5, 2, 3)[:, None]
    wires = 2 - np.minimum((uniform[:, 8:] * spread).astype(int), 2)
    by_wire = np.stack([np.sum(angles * (wires == w), axis=1) for w in range(3)], 1)
    # Without noise many are equalities, which would all be replayed at 50 digits.
    weak = 1 - 10.0 ** -(2 + 4 * uniform[:, 7])
    survival = np.where(uniform[:, 6] < 0.6, weak, uniform[:, 7])
    survival = np.where(uniform[:, 6] < 0.1, 1.0, survival)
    memories = factors @ factors.conj().swapaxes(-1, -2)
    pairs = noisy_pair(memories, by_wire, survival)
    effects = helstrom_effect(pairs[:, 0] - pairs[:, 1])
    accepted = np.clip(np.einsum("kxij,kji->kx", pairs, effects).real, 0, 1)
    return {
        "factors": factors, "angles": angles, "wires": wires, "effects": effects,
        "survival": survival, "total": np.abs(angles).sum(axis=1), "k": number,
        "theta": np.abs(angles).sum(axis=1) / number,
        "largest": np.abs(angles).max(axis=1), "p": accepted[:, 0],
        "a": accepted[:, 1], "signed": np.abs(angles.sum(axis=1)),
    }  # fmt: skip


def random_rotations(key: Key, count: int) -> RandomBatch:
    """Random memories of three qubits, rotated up to six times, with their best test.

    States are those of `update_ensembles`: pure, Bell, GHZ, mixed, product. One in ten
    is kept noiseless; half of them suffer weak depolarizing noise on every qubit before
    the query, the others any.

    Args:
        key: JAX random key.
        count: At least 1.

    Returns:
        Values total, k, theta, largest, signed, p, a, with a replay of each in mpmath.

    Raises:
        ValueError: If `count` < 1.
    """
    names = ("total", "k", "theta", "largest", "signed", "p", "a")
    return batch_in_blocks(
        key, count, BLOCK, names, _draw_block, _record, replay_rotations
    )


def _record(block: Mapping[str, np.ndarray], row: int) -> Mapping[str, Any]:
    used = block["angles"][row] != 0
    record: dict[str, Any] = {
        "angles": block["angles"][row][used].tolist(),
        "wires": block["wires"][row][used].tolist(),
        "lam": float(block["survival"][row]),
    }
    for name in ("factors", "effects"):
        array = block[name][row]
        record[name] = array_record(array)
    return record


def replay_rotations(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values at 50 digits of an insert serialised by `random_rotations`.

    The state is G G^dagger/Tr, the test is clipped, and each rotation multiplies entry
    (i, j) by a phase, all at 50 digits; no code is shared with the engine.
    """
    arrays = {name: recorded_array(record[name]) for name in ("factors", "effects")}
    with mpmath.workdps(50):
        factor = mpmath.matrix(arrays["factors"].tolist())
        memory = factor * factor.H
        memory /= mpmath.re(product_trace(memory, mpmath.eye(memory.rows)))
        angles = [mpmath.mpf(angle) for angle in record["angles"]]
        rotated = memory.copy()
        for angle, wire in zip(angles, record["wires"], strict=True):
            rotated = _mp_rotated(rotated, angle, wire)
        effect = precise_effect(arrays["effects"])
        accepted = []
        for rho in (rotated, memory):
            if record["lam"] < 1:
                for wire in range(3):
                    rho = mp_noise(rho, record["lam"], wire)
            accepted.append(mpmath.re(product_trace(effect, rho)))
        sizes = [abs(angle) for angle in angles]
        return {
            "total": mpmath.fsum(sizes), "k": len(angles),
            "theta": mpmath.fsum(sizes) / len(sizes), "largest": max(sizes),
            "signed": abs(mpmath.fsum(angles)), "p": accepted[0], "a": accepted[1],
        }  # fmt: skip


def _mp_rotated(rho: mpmath.matrix, angle: mpmath.mpf, wire: int) -> mpmath.matrix:
    """Rz(theta) rho Rz(theta)^dagger: entry (i, j) by exp(i theta (b_i - b_j))."""
    bit = rho.rows.bit_length() - 2 - wire
    after = rho.copy()
    for row in range(rho.rows):
        for column in range(rho.rows):
            turn = ((row >> bit) & 1) - ((column >> bit) & 1)
            after[row, column] *= mpmath.expj(turn * angle)
    return after
