"""Codes: M sets stored in m noisy qubits, and measurements that tell them all apart.

A measurement is any list of positive E_k divided by the largest eigenvalue of their
sum; what is missing from the identity is the outcome "no answer". So rounding in E_k
never makes it better than a measurement can be.
"""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from qjax._types import Key
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.memory.ensembles import projectors, random_unitaries
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.precise import precise_noise
from qjax.bounds.memory.structure import noisy_states

ROUNDS = 30
_KERNEL = 1e-10  # of the largest eigenvalue: below it S is not inverted

KINDS = ("Haar", "product", "equatorial", "basis")
RANDOM_QUBITS = 2
SIZES = (2, 3, 4, 6)
"""Numbers of messages of the random codes, in two qubits."""


def _balanced(
    positive: Complex[np.ndarray, "*b k d d"],
) -> Complex[np.ndarray, "*b k d d"]:
    """S^(-1/2) G_k S^(-1/2) with S = sum_k G_k on its support."""
    values, vectors = np.linalg.eigh(positive.sum(axis=-3))
    inside = values > _KERNEL * values[..., -1:]
    inverse = np.where(inside, 1 / np.sqrt(np.where(inside, values, 1)), 0)
    root = (vectors * inverse[..., None, :]) @ vectors.conj().mT
    return root[..., None, :, :] @ positive @ root[..., None, :, :]


def good_measurement(
    states: Complex[np.ndarray, "*b k d d"],
) -> Complex[np.ndarray, "*b k d d"]:
    """Effects E_k that tell the states apart well, optimally for two of them.

    Starts at the pretty-good measurement of G_k = rho_k and repeats G_k <- rho_k E_k
    rho_k: at a fixed point that satisfies Helstrom's conditions E is optimal.

    Source: Jezek, Rehacek and Fiurasek, Phys. Rev. A 65, 060301 (2002).
    """
    effects = _balanced(states)
    for _ in range(ROUNDS):
        effects = _balanced(states @ effects @ states)
    # Rounding leaves eigenvalues of -1e-9 where S was nearly singular.
    values, vectors = np.linalg.eigh(effects)
    effects = (vectors * values.clip(0)[..., None, :]) @ vectors.conj().mT
    largest = np.linalg.eigvalsh(effects.sum(axis=-3))[..., -1]
    return np.asarray(effects / largest[..., None, None, None])


def success(
    states: Complex[np.ndarray, "*b k d d"], effects: Complex[np.ndarray, "*b k d d"]
) -> Float[np.ndarray, "*b"]:
    """Mean probability of the right message, (1/M) sum_k Tr E_k rho_k."""
    right = np.einsum("...kij,...kji->...k", effects, states).real
    return np.asarray(right.mean(axis=-1))


@eqx.filter_jit
def _noisy(
    states: Complex[Array, "k d d"],
    noise: str,
    strengths: Mapping[str, Array],
    layers: int,
) -> Complex[Array, "k d d"]:
    num_wires = states.shape[-1].bit_length() - 1
    return noisy_states(
        states, MEMORY_NOISES[noise].circuit(strengths, layers, num_wires)
    )


def code_success(
    kets: Num[np.ndarray, "k d"],
    noise: str,
    strengths: Mapping[str, float],
    layers: int = 1,
) -> float:
    """Success of a code of pure states after T layers of storage noise, simulated.

    Args:
        kets: One per message.
        noise: Key of `MEMORY_NOISES`, storage noise.
        strengths: Parameters of one layer.
        layers: T.

    Example:
        >>> import jax, numpy as np
        >>> from qjax.bounds.memory.stored_codes import code_success
        >>> with jax.enable_x64(True):
        ...     p = code_success(np.eye(2), "depolarizing", {"lam": 0.5})
        >>> round(p, 9)
        0.75
    """
    # Padded to one length, so that codes of all sizes share one compilation.
    padded = np.resize(np.asarray(kets, dtype=complex), (max(SIZES), kets.shape[1]))
    traced = {name: jnp.asarray(value, float) for name, value in strengths.items()}
    found_states = _noisy(projectors(jnp.asarray(padded)), noise, traced, layers)
    noisy = np.asarray(found_states)[: len(kets)]
    found = float(success(noisy, good_measurement(noisy)))
    return min(max(found, 0.0), 1.0)


def random_kets(
    generator: np.random.Generator, count: int
) -> Complex[np.ndarray, "count messages d"]:
    """Codes of six kets of two qubits, in turn of each of `KINDS`."""
    most, size = max(SIZES), 2**RANDOM_QUBITS
    normal = generator.normal(size=(2, count, most, size))
    haar = normal[0] + 1j * normal[1]
    local = generator.normal(size=(2, 2, count, most, 2))
    local = local[0] + 1j * local[1]
    product = np.einsum("cki,ckj->ckij", *local).reshape(count, most, size)
    # Orthogonal pairs on every equator, shared by the code: what damping spares most.
    angles = generator.uniform(0, 2 * np.pi, size=(count, 2))
    bits = (np.arange(most)[:, None] >> np.arange(2)) & 1
    phases = np.exp(1j * (angles[:, None] + np.pi * bits))
    one = np.stack([np.ones_like(phases), phases], axis=-1)
    equator = np.einsum("cki,ckj->ckij", one[:, :, 0], one[:, :, 1])
    equator = equator.reshape(count, most, size)
    turns = random_unitaries(generator.normal(size=(2, count, size, size)))
    basis = turns[:, np.arange(most) % size]
    kind = (np.arange(count) % len(KINDS))[:, None, None]
    return np.choose(kind, [haar, product, equator, basis])


@eqx.filter_jit
def _noisy_codes(
    kets: Complex[Array, "c k d"], uniform: Float[Array, "c u"], noise: str
) -> tuple[Complex[Array, "c k d d"], dict[str, Array]]:
    row = MEMORY_NOISES[noise]

    def one(args):
        code, numbers = args
        strengths = row.draw(numbers)
        circuit = row.circuit(strengths, 1, RANDOM_QUBITS)
        return noisy_states(projectors(code), circuit), strengths

    return jax.lax.map(one, (kets, uniform), batch_size=512)


def random_codes(key: Key, count: int, noise: str) -> RandomBatch:
    """Random codes of 2, 3, 4 or 6 messages in two qubits, one layer of noise.

    Args:
        key: JAX random key.
        count: Number of codes.
        noise: Key of `MEMORY_NOISES`, storage noise.

    Returns:
        Values p, m, M, T and the noise's parameters, with a replay in mpmath.
    """
    # NumPy's generator: compiling JAX's normal in float64 takes longer than the rest.
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    row = MEMORY_NOISES[noise]
    kets = random_kets(generator, count)
    uniform = generator.uniform(size=(count, 2 * len(row.variables)))
    noisy, strengths = _noisy_codes(jnp.asarray(kets), jnp.asarray(uniform), noise)
    noisy = np.asarray(noisy)
    strengths = {name: np.asarray(value) for name, value in strengths.items()}
    # Sizes and kinds must not go together: sizes change once per round of kinds.
    sizes = np.asarray(SIZES)[np.arange(count) // len(KINDS) % len(SIZES)]
    shares = np.zeros(count)
    tests: dict[int, Any] = {}
    for size in SIZES:
        chosen = np.flatnonzero(sizes == size)
        found = good_measurement(noisy[chosen, :size])
        shares[chosen] = success(noisy[chosen, :size], found)
        tests |= dict(zip(chosen.tolist(), found, strict=True))

    def serialise(index: int) -> dict[str, Any]:
        size = int(sizes[index])
        return {
            "noise": noise, "kets": array_record(kets[index, :size]),
            "tests": array_record(tests[index]),
            **{name: float(value[index]) for name, value in strengths.items()},
        }  # fmt: skip

    values = {
        "p": np.clip(shares, 0, 1), "m": np.full(count, RANDOM_QUBITS), "M": sizes,
        "T": np.ones(count, dtype=int), **strengths,
    }  # fmt: skip
    return RandomBatch(values, lambda index: replay_code(serialise(index)), serialise)


def _precise_measurement(effects: np.ndarray) -> list[mpmath.matrix]:
    clipped = []
    for matrix in effects:
        values, vectors = mpmath.eighe(mpmath.matrix(matrix.tolist()))
        kept = mpmath.diag([max(value, 0) for value in values])
        clipped.append(vectors * kept * vectors.H)
    largest = max(mpmath.eighe(sum(clipped[1:], clipped[0]), eigvals_only=True))
    return [matrix / largest for matrix in clipped]


def replay_code(record: Mapping[str, Any], digits: int = 50) -> dict[str, Any]:
    """Values at 50 digits of a code serialised by `random_codes`."""
    row = MEMORY_NOISES[record["noise"]]
    strengths = {name: record[name] for name in row.names}
    kets = recorded_array(record["kets"])
    with mpmath.workdps(digits):
        channel = precise_noise(row.name, strengths)
        tests = _precise_measurement(recorded_array(record["tests"]))
        right = mpmath.mpf(0)
        for ket, test in zip(kets, tests, strict=True):
            column = mpmath.matrix(ket.tolist())
            norm = mpmath.fsum(abs(entry) ** 2 for entry in column)
            noisy = channel(column * column.H / norm)
            right += mpmath.re(mpmath.fsum(
                test[i, j] * noisy[j, i] for i in range(4) for j in range(4)
            ))  # fmt: skip
        return {
            "p": right / len(kets), "m": RANDOM_QUBITS, "M": len(kets), "T": 1,
            **strengths,
        }  # fmt: skip
