"""Exact expectations of simulated sketches: sums over all pairs of sign patterns.

Every number is read from states that the engine prepared; shots are enumerated, not
drawn. A quantity's profile lists its sums by Hamming distance h, because the pair (a,b)
has probability 2^-k delta^h (1 - delta)^(k-h): one simulation serves every cosine.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from qjax._checks import require
from qjax.bounds.sketches.sign_sketches import (
    SketchNoise,
    bucket_sums,
    overlap_table,
    sign_patterns,
    sketch_states,
)
from qjax.circuits import pauli
from qjax.simulate import expectation

MAX_SHOTS = 6
"""Trials per query whose outcomes a profile enumerates."""

# One compiled program per shape (m, g) takes this many pairs of patterns at a time.
_PAIRS_PER_CALL = 2**13


class SketchProfile(eqx.Module):
    """Sums over all pairs of sign patterns at Hamming distance h, times 2^-k.

    The expectation over hyperplanes is sum_h profile[h] delta^h (1 - delta)^(k - h).
    `amplitude` belongs to the kets before the noise, all the others to what is stored.

    Attributes:
        weight: Number of pairs times 2^-k: binomial coefficients.
        amplitude: Re <psi_a|psi_b> without noise, what a Hadamard test estimates.
        overlap: Tr rho_a rho_b, what a SWAP test estimates.
        squared: (Tr rho_a rho_b)^2.
        local: sum_q Tr rho_{a,q} rho_{b,q}, what a local SWAP test estimates.
        local_square: Second moment of one trial of the sum of one-qubit SWAP tests.
        quadrature: sum_q B_q <Y_q>_a with B_q the query's bucket sums.
        quadrature_square: <(sum_q B_q Y_q)^2>_a: second moment of a single shot.
        quadrature_fixed: (sum_q B_q <Y_q>_a)^2: what is left of it without shot noise.
        shot_mean: Mean of the average of c SWAP outcomes +-1, over their distribution.
        shot_square: Its second moment.
        accept: Probability that at least t of c SWAP trials give +1.
    """

    weight: Float[Array, "*batch h"]
    amplitude: Float[Array, "*batch h"]
    overlap: Float[Array, "*batch h"]
    squared: Float[Array, "*batch h"]
    local: Float[Array, "*batch h"]
    local_square: Float[Array, "*batch h"]
    quadrature: Float[Array, "*batch h"]
    quadrature_square: Float[Array, "*batch h"]
    quadrature_fixed: Float[Array, "*batch h"]
    shot_mean: Float[Array, "*batch h"]
    shot_square: Float[Array, "*batch h"]
    accept: Float[Array, "*batch h"]


def _local_overlaps(
    states: Any, num_qubits: int
) -> tuple[Float[Array, "patterns patterns"], Float[Array, "patterns patterns"]]:
    """Mean and second moment of the sum of one-qubit SWAP tests (outcomes +-1).

    The product of two qubits' outcomes has the mean Tr rho_{a,qr} rho_{b,qr}.
    """
    pairs = [(q, r) for q in range(num_qubits) for r in range(q + 1, num_qubits)]

    def total(wires):
        parts = jax.vmap(lambda state: jnp.stack([state.reduced(w) for w in wires]))
        reduced = parts(states)
        return jnp.real(jnp.einsum("aqij,bqji->ab", reduced, reduced))

    mean = total([(q,) for q in range(num_qubits)])
    square = jnp.full_like(mean, num_qubits)
    return mean, square + 2 * total(pairs) if pairs else square


def _quadratures(
    states: Any, sums: Float[Array, "patterns m"]
) -> tuple[Float[Array, "patterns patterns"], Float[Array, "patterns patterns"]]:
    """Mean and second moment of sum_q B_q Y_q for stored a (rows) and query b."""
    num_qubits = sums.shape[1]
    pairs = [(q, r) for q in range(num_qubits) for r in range(q + 1, num_qubits)]
    words = [pauli("Y", q) for q in range(num_qubits)]
    words += [pauli("YY", pair) for pair in pairs]
    values = jax.vmap(lambda state: expectation(state, words))(states)
    mean = values[:, :num_qubits] @ sums.T
    square = jnp.broadcast_to(jnp.sum(sums**2, axis=1)[None], mean.shape)
    for index, (q, r) in enumerate(pairs):
        correlation = values[:, num_qubits + index]
        square = square + 2 * jnp.outer(correlation, sums[:, q] * sums[:, r])
    return mean, square


def _shot_moments(
    overlap: Float[Array, "*pairs"], shots: Int[Array, ""], threshold: Int[Array, ""]
) -> tuple[Float[Array, "*pairs"], Float[Array, "*pairs"], Float[Array, "*pairs"]]:
    """Mean, second moment and P[count >= t] of c SWAP trials, outcome by outcome.

    The moments are those of the average of c outcomes +-1.
    """
    plus = jnp.clip((1 + overlap) / 2, 0, 1)[None]
    log_factorial = [math.lgamma(n + 1) for n in range(MAX_SHOTS + 1)]
    counts = jnp.arange(MAX_SHOTS + 1)
    rest = jnp.maximum(shots - counts, 0)
    table = jnp.asarray(log_factorial, overlap.dtype)
    ways = jnp.round(jnp.exp(table[shots] - table[counts] - table[rest]))
    ways = jnp.where(counts <= shots, ways, 0)
    wins, losses = (part.astype(overlap.dtype) for part in (counts, rest))
    column = (-1,) + (1,) * overlap.ndim
    chance = plus ** wins.reshape(column) * (1 - plus) ** losses.reshape(column)
    chance = chance * ways.reshape(column)
    average = 2 * wins / shots.astype(overlap.dtype) - 1
    accepted = (counts >= threshold).astype(overlap.dtype)
    weights = jnp.stack([average, average**2, accepted])
    mean, square, accept = jnp.tensordot(weights, chance, axes=1)
    return mean, square, accept


def hamming_table(num_signs: int) -> Int[np.ndarray, "patterns patterns"]:
    """Hamming distance of every pair of sign patterns."""
    signs = sign_patterns(num_signs)
    return (signs[:, None, :] != signs[None, :, :]).sum(axis=-1)


@eqx.filter_jit
def _profiles(
    theta: Float[Array, " n"],
    noise: SketchNoise,
    trials: tuple[Int[Array, " n"], Int[Array, " n"]],
    num_qubits: int,
    num_signs: int,
) -> SketchProfile:
    distance = jnp.asarray(hamming_table(num_signs))
    signs = jnp.asarray(sign_patterns(num_signs))
    masks = distance[None] == jnp.arange(num_signs + 1)[:, None, None]
    masks = masks.astype(theta.dtype) / 2**num_signs
    sums = bucket_sums(signs, num_qubits).astype(theta.dtype)

    def one(angle, strengths, shots, threshold):
        kets, states = sketch_states(signs, angle, strengths, num_qubits)
        amplitude, overlap = overlap_table(kets), overlap_table(states)
        moments = _shot_moments(overlap, shots, threshold)
        readout, readout_square = _quadratures(states, sums)
        tables = [
            jnp.ones_like(overlap), amplitude, overlap, overlap**2,
            *_local_overlaps(states, num_qubits), readout, readout_square, readout**2,
            *moments,
        ]  # fmt: skip
        rows = jnp.einsum("hab,tab->th", masks, jnp.stack(tables))
        return SketchProfile(*rows)

    return jax.vmap(one)(theta, noise, *trials)


def sketch_profiles(
    shape: tuple[int, int],
    theta: NDArray[np.float64],
    noise: SketchNoise,
    shots: NDArray[np.int64] | None = None,
    threshold: NDArray[np.int64] | None = None,
) -> SketchProfile:
    """Simulate n sketches with all their sign patterns, noise and shots.

    Args:
        shape: (m, g): qubits, and signs per qubit; k = m g.
        theta: Phase per sign, shape (n,), radians.
        noise: Storage noise, every field of shape (n,).
        shots: c, trials per query, shape (n,), in [1, 6]; default 1.
        threshold: t: accepted if at least t of c trials give +1, shape (n,); default 1.

    Returns:
        Profiles as NumPy arrays of shape (n, k + 1).

    Raises:
        ValueError: If a number of trials lies outside [1, 6].

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sketches.sketch_profiles import noiseless, sketch_profiles
        >>> found = sketch_profiles((1, 1), np.asarray([0.0]), noiseless(1))
        >>> found.overlap.round(4).tolist()
        [[1.0, 1.0]]
    """
    num_qubits, per_qubit = shape
    num_signs = num_qubits * per_qubit
    count = len(theta)
    one = np.ones(count, dtype=np.int64)
    shots = one if shots is None else np.asarray(shots)
    threshold = one if threshold is None else np.asarray(threshold)
    inside = bool(np.all((shots >= 1) & (shots <= MAX_SHOTS)))
    require(inside, "shots", f"lie in [1, {MAX_SHOTS}]", shots)
    size = max(1, _PAIRS_PER_CALL // 4**num_signs)
    arguments = (np.asarray(theta, np.float64), noise, (shots, threshold))
    parts = []
    for start in range(0, count, size):
        # The last part is filled up, so that one compiled program serves all parts.
        rows = np.minimum(np.arange(start, start + size), count - 1)
        chunk = jax.tree.map(lambda leaf, i=rows: jnp.asarray(leaf[i]), arguments)
        angles, strengths, trials = chunk
        part = _profiles(angles, strengths, trials, num_qubits, num_signs)
        parts.append(jax.tree.map(np.asarray, part))
    whole = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
    return whole


def noiseless(count: int) -> SketchNoise:
    """No noise for `count` sketches: every strength trivial, T = 0."""
    one = np.ones(count)
    return SketchNoise(one, one, one, 0 * one, np.zeros(count, dtype=np.int64))


def hyperplane_mean(profile: NDArray[np.float64], delta: NDArray[Any]) -> NDArray[Any]:
    """sum_h profile[h] delta^h (1 - delta)^(k-h): expectation over hyperplanes.

    Args:
        profile: Shape (..., k + 1).
        delta: Probability that two signs differ, shape (...).
    """
    profile, delta = np.asarray(profile), np.asarray(delta)[..., None]
    h = np.arange(profile.shape[-1])
    weights = delta**h * (1 - delta) ** (h[-1] - h)
    return np.asarray(np.sum(profile * weights, axis=-1))


def hyperplane_slope(
    profile: NDArray[np.float64], cosine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """d/ds of the expectation over hyperplanes, by a complex step: no cancellation.

    Args:
        profile: Shape (n, k + 1).
        cosine: s in (-1, 1), shape (n,); the slope is infinite at the ends.

    Source: Squire and Trapp, SIAM Review 40, 110 (1998).

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sketches.sketch_profiles import hyperplane_slope
        >>> agree = np.asarray([[1.0, 0.0]])  # 1 - delta, with slope 1/pi at s = 0
        >>> hyperplane_slope(agree, np.asarray([0.0])).round(6).tolist()
        [0.31831]
    """
    step = 1e-30
    shifted = np.asarray(cosine, dtype=np.complex128) + 1j * step
    mean = hyperplane_mean(profile, np.arccos(shifted) / np.pi)
    return np.asarray(np.imag(mean) / step)
