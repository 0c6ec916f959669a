"""Monte-Carlo sketches: hyperplanes in R^D, noise trajectories, measured shots.

Each shot prepares fresh copies of both sketches, follows one noise trajectory of each
and measures on the engine. The hyperplanes of a sample are shared by all its shots.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.bounds.sketches.sign_sketches import (
    SketchNoise,
    bucket_sums,
    sketch_circuit,
    sketch_noise,
    swap_test_circuit,
)
from qjax.circuits import Circuit, cx, h, rx
from qjax.simulate import run, trajectory
from qjax.states import StateVector

READOUTS = ("swap", "local swap", "quadrature")

_BATCH = 4096

Signs = Int[Array, "samples k"]


def vector_pair(cosine: float, dimension: int) -> Float[np.ndarray, "2 dimension"]:
    """Two unit vectors of R^D with the given cosine, along no axis.

    Args:
        cosine: s in [-1, 1].
        dimension: D >= 2.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from qjax.bounds.sketches.sketch_sampling import vector_pair
        >>> u, v = vector_pair(0.25, 6)
        >>> round(float(u @ v), 6)
        0.25
    """
    require(-1 <= cosine <= 1, "cosine", "lie in [-1, 1]", cosine)
    require(dimension >= 2, "dimension", "be at least 2", dimension)
    slope = np.arange(1, dimension + 1) - (dimension + 1) / 2
    first = np.ones(dimension) / np.sqrt(dimension)
    second = slope / np.linalg.norm(slope)  # orthogonal to constants
    return np.stack([first, cosine * first + np.sqrt(1 - cosine**2) * second])


def hyperplane_signs(
    key: Key, vectors: Float[Array, "2 dimension"], samples: int, num_signs: int
) -> tuple[Signs, Signs]:
    """Signs of both vectors for `samples` draws of k Gaussian hyperplanes.

    Args:
        key: JAX random key.
        vectors: u and v, shape (2, D).
        samples: Independent draws of all hyperplanes. Static.
        num_signs: k. Static.

    Returns:
        a and b, each of shape (samples, k), entries +1 and -1.
    """
    vectors = jnp.asarray(vectors)
    shape = (samples, num_signs, vectors.shape[1])
    normals = jax.random.normal(key, shape, vectors.dtype)
    sides = jnp.einsum("skd,vd->vsk", normals, vectors)
    signs = jnp.where(sides >= 0, 1, -1)
    return signs[0], signs[1]


def _joint(first: StateVector, second: StateVector) -> StateVector:
    return StateVector(jnp.tensordot(first.amplitudes, second.amplitudes, axes=0))


def _swap_shot(key: Key, first: Any, second: Any, m: int) -> Float[Array, ""]:
    ancilla = StateVector.zeros(1, first.amplitudes.dtype)
    start = _joint(ancilla, _joint(first, second))
    bit = run(swap_test_circuit(m), start).sample(key, 1, (0,))[0, 0]
    return 1 - 2 * bit.astype(first.amplitudes.real.dtype)


def _local_shot(key: Key, first: Any, second: Any, m: int) -> Float[Array, ""]:
    """Bell measurement of every pair of qubits; the singlet (1, 1) counts -1."""
    gates = [gate for q in range(m) for gate in (cx(q, m + q), h(q))]
    state = run(Circuit(tuple(gates), 2 * m), _joint(first, second))
    bits = state.sample(key, 1)[0].astype(first.amplitudes.real.dtype)
    return jnp.sum(1 - 2 * bits[:m] * bits[m:])


def _quadrature_shot(
    key: Key, first: Any, sums: Float[Array, " m"]
) -> Float[Array, ""]:
    """Y of every qubit of the stored sketch, weighted by the query's bucket sums."""
    m = sums.shape[0]
    # Rx(pi/2) turns Y into Z.
    turn = Circuit(tuple(rx(jnp.pi / 2, q) for q in range(m)), m)
    bits = run(turn, first).sample(key, 1)[0].astype(sums.dtype)
    return jnp.sum(sums * (1 - 2 * bits))


@eqx.filter_jit
def _outcomes(
    key: Key,
    signs: tuple[Signs, Signs],
    theta: Float[Array, ""],
    noise: SketchNoise | None,
    setting: tuple[int, int, str],
) -> Float[Array, "samples shots"]:
    num_qubits, shots, readout = setting
    channel = None if noise is None else sketch_noise(noise, num_qubits)

    def noisy(shot_key, row):
        start = StateVector.zeros(num_qubits)
        ket = run(sketch_circuit(row, theta, num_qubits), start)
        return ket if channel is None else trajectory(shot_key, channel, ket)[0]

    def one(args):
        shot_key, a, b = args
        keys = jax.random.split(shot_key, 3)
        first = noisy(keys[0], a)
        if readout == "quadrature":
            sums = bucket_sums(b, num_qubits).astype(theta.dtype)
            return _quadrature_shot(keys[2], first, sums)
        second = noisy(keys[1], b)
        shot = _swap_shot if readout == "swap" else _local_shot
        return shot(keys[2], first, second, num_qubits)

    samples = signs[0].shape[0]
    total = samples * shots
    batch = min(total, _BATCH)
    # Filled up to whole batches: a remainder would be compiled once more.
    filled = -(-total // batch) * batch
    sample = jnp.minimum(jnp.arange(filled), total - 1) // shots
    keys = jax.random.split(key, filled)
    rows = [part[sample] for part in signs]
    flat = jax.lax.map(one, (keys, *rows), batch_size=batch)
    return flat[:total].reshape(samples, shots)


def measured_outcomes(
    key: Key,
    signs: tuple[Signs, Signs],
    theta: float,
    num_qubits: int,
    *,
    readout: str,
    shots: int = 1,
    noise: SketchNoise | None = None,
) -> Float[Array, "samples shots"]:
    """Measure sketches shot by shot on the engine.

    Args:
        key: JAX random key.
        signs: Stored a and query b, each of shape (samples, k).
        theta: Phase per sign, in radians.
        num_qubits: m, a divisor of k. Static.
        readout: Of `READOUTS`: "swap" (+-1 of a SWAP test with an ancilla), "local
            swap" (sum of m values +-1 from Bell measurements) or "quadrature" (sum of
            B_q Y_q). Static.
        shots: c >= 1 shots per sample. Static.
        noise: Storage noise of both sketches; None for none.

    Returns:
        Outcomes, shape (samples, shots); rows share their hyperplanes.

    Raises:
        ValueError: If the readout is unknown or `shots` < 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.bounds.sketches.sketch_sampling import measured_outcomes
        >>> a = jnp.asarray([[1, -1]])
        >>> key = jax.random.key(1)
        >>> measured_outcomes(key, (a, a), 0.3, 2, readout="swap", shots=3).tolist()
        [[1.0, 1.0, 1.0]]
    """
    check_shots(shots)
    require(readout in READOUTS, "readout", f"be one of {READOUTS}", readout)
    setting = (num_qubits, shots, readout)
    strengths = jax.tree.map(jnp.asarray, noise)
    return _outcomes(key, signs, jnp.asarray(theta), strengths, setting)
