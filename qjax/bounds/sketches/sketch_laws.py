"""Closed forms for phase-encoded sign sketches: means, slopes, noise, variances.

k = m g signs, g on each of m qubits; theta is the phase per sign and s the cosine of
the two vectors. Expectations are over Gaussian hyperplanes, variances over hyperplanes
and shots. Everything may be jitted, batched and differentiated; use 64-bit types for
float64. Proofs: proofs/qlsh.md; `sketch_profiles` simulates the same numbers.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._checks import as_float, checked, require
from qjax._types import ArrayLike
from qjax.bounds.sketches.sign_sketches import SketchNoise, bucket_sums

Number = Float[Array, "*batch"]


class NoiseFactors(eqx.Module):
    """What storage noise does to the overlap of two sketches, qubit by qubit.

    Tr rho_a rho_b = prod_q (1 + v cos(2 theta D_q) + w)/2.

    Attributes:
        transverse: v = r^2, with r the factor that shrinks coherences.
        offset: w = z^2, with z the common Bloch component along Z.
    """

    transverse: Number
    offset: Number


def _power(base: Float[Array, "..."], exponent: ArrayLike) -> Float[Array, "..."]:
    """base^exponent with an integer exponent, also of a negative base."""
    base, exponent = jnp.broadcast_arrays(base, jnp.asarray(exponent))
    return jax.lax.pow(base, exponent)


def sign_disagreement(cosine: ArrayLike) -> Number:
    """Probability that a Gaussian hyperplane separates two vectors: arccos(s)/pi.

    Args:
        cosine: s in [-1, 1], any shape.

    Returns:
        delta in [0, 1].

    Raises:
        ValueError: If s lies outside [-1, 1] (traced values: at run time).

    Source: Goemans and Williamson, J. ACM 42, 1115 (1995), lemma 3.2; Charikar, STOC
    2002. Proof: proofs/qlsh.md, step Q1.2.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import sign_disagreement
        >>> float(sign_disagreement(0.0))
        0.5
    """
    inside = checked(cosine, lambda s: (s >= -1) & (s <= 1), "cosine", "lie in [-1, 1]")
    return jnp.arccos(as_float(inside, "cosine")) / jnp.pi


def pattern_overlap(
    first: Array, second: Array, theta: ArrayLike, num_qubits: int
) -> Number:
    """Exact overlap of two sketches: <psi_a|psi_b> = prod_q cos(theta D_q).

    D_q = sum over the bucket of (a_j - b_j)/2. Real; negative if an odd number of
    |theta D_q| lies in (pi/2, 3 pi/2).

    Args:
        first: Signs a, shape (..., k), entries +1 and -1; sign j is in bucket j mod m.
        second: Signs b, same shape.
        theta: Phase per sign, in radians, a scalar.
        num_qubits: m, a divisor of k. Static.

    Returns:
        Shape (...).

    Raises:
        ValueError: If m does not divide k.

    Source: proofs/qlsh.md, step Q1.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.sketches.sketch_laws import pattern_overlap
        >>> a, b = jnp.asarray([1, 1]), jnp.asarray([1, -1])
        >>> round(float(pattern_overlap(a, b, 0.3, 2)), 4)  # cos(0.3)
        0.9553
    """
    num_signs = first.shape[-1]
    fits = num_qubits >= 1 and num_signs % num_qubits == 0
    require(fits, "num_qubits", f"divide the {num_signs} signs", num_qubits)
    phase = as_float(theta, "theta")
    sums = bucket_sums(first, num_qubits) - bucket_sums(second, num_qubits)
    return jnp.prod(jnp.cos(phase * sums.astype(phase.dtype) / 2), axis=-1)


def noise_factors(noise: SketchNoise) -> NoiseFactors:
    """v and w of T layers: v = (lambda nu)^2T eta^T, w = ((1 - eta^T)(1 - 2e))^2.

    Depolarizing noise is not mixed with damping: one of lambda and eta is 1.

    Args:
        noise: Strengths per layer and T, scalars or arrays of one shape.

    Returns:
        `NoiseFactors`.

    Raises:
        ValueError: If both lambda and eta are below 1, where w has another form.

    Source: proofs/qlsh.md, step Q2.1.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import noise_factors
        >>> from qjax.bounds.sketches.sign_sketches import SketchNoise
        >>> factors = noise_factors(SketchNoise(survival=0.9, layers=1))
        >>> round(float(factors.transverse), 4)
        0.81
    """
    survival = as_float(noise.survival, "survival")
    rule = "be 1 where the population factor is below 1"
    population = as_float(noise.population, "population")
    survival = checked(
        survival, lambda x: (x == 1) | (population == 1), "survival", rule
    )
    coherent = _power(survival * as_float(noise.coherence, "coherence"), noise.layers)
    left = _power(population, noise.layers)
    bias = 1 - 2 * as_float(noise.excited, "excited")
    return NoiseFactors(coherent**2 * left, ((1 - left) * bias) ** 2)


def _mean_cosines(
    cosine: ArrayLike, theta: ArrayLike, per_qubit: ArrayLike
) -> tuple[Number, Number]:
    """E cos(2 theta D_q) = c2^g and E cos(4 theta D_q) = c4^g."""
    delta, angle = sign_disagreement(cosine), as_float(theta, "theta")
    second = 1 - 2 * delta * jnp.sin(angle) ** 2
    fourth = 1 - 2 * delta * jnp.sin(2 * angle) ** 2
    return _power(second, per_qubit), _power(fourth, per_qubit)


def amplitude_mean(cosine: ArrayLike, theta: ArrayLike, num_signs: ArrayLike) -> Number:
    """Mean of a Hadamard test: E = (1 - 2 delta sin^2(theta/2))^k.

    It does not depend on how signs are put into buckets.

    Args:
        cosine: s in [-1, 1].
        theta: Phase per sign, in radians.
        num_signs: k >= 1, an integer.

    Returns:
        E <psi_a|psi_b> over hyperplanes.

    Source: proofs/qlsh.md, step Q1.6.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import amplitude_mean
        >>> float(amplitude_mean(1.0, 0.3, 16))
        1.0
    """
    delta, angle = sign_disagreement(cosine), as_float(theta, "theta")
    return _power(1 - 2 * delta * jnp.sin(angle / 2) ** 2, num_signs)


def overlap_mean(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Mean of a SWAP test: E Tr rho_a rho_b = [(1 + v c2^g + w)/2]^m.

    c2 = 1 - 2 delta sin^2(theta); without noise v = 1, w = 0 and it is E F.

    Args:
        cosine: s in [-1, 1].
        theta: Phase per sign, in radians.
        num_qubits: m >= 1, an integer.
        per_qubit: g >= 1, an integer; k = m g.
        noise: Storage noise of both sketches; None for none.

    Returns:
        Mean over hyperplanes.

    Source: proofs/qlsh.md, steps Q1.7 and Q2.2.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import overlap_mean
        >>> round(float(overlap_mean(0.5, 0.35, 16, 1)), 4)
        0.5274
    """
    factors = noise_factors(SketchNoise() if noise is None else noise)
    second, _ = _mean_cosines(cosine, theta, per_qubit)
    level = (1 + factors.transverse * second + factors.offset) / 2
    return _power(level, num_qubits)


def overlap_square_mean(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Second moment E (Tr rho_a rho_b)^2 = [(u^2 + 2 u v c2^g + v^2 (1 + c4^g)/2)/4]^m.

    u = 1 + w, c4 = 1 - 2 delta sin^2(2 theta). Without noise [3/8 + c2^g/2 + c4^g/8]^m.

    Args:
        cosine, theta, num_qubits, per_qubit, noise: As in `overlap_mean`.

    Source: proofs/qlsh.md, steps Q1.8 and Q2.3.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import overlap_square_mean
        >>> float(overlap_square_mean(1.0, 0.35, 16, 1))
        1.0
    """
    factors = noise_factors(SketchNoise() if noise is None else noise)
    second, fourth = _mean_cosines(cosine, theta, per_qubit)
    base, v = 1 + factors.offset, factors.transverse
    level = base**2 + 2 * base * v * second + v**2 * (1 + fourth) / 2
    return _power(level / 4, num_qubits)


def overlap_slope(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """dE/ds = m [(1 + v c2^g + w)/2]^(m-1) v g c2^(g-1) sin^2(theta)/(pi sqrt(1-s^2)).

    Args:
        cosine: s in (-1, 1); infinite at the ends.
        theta, num_qubits, per_qubit, noise: As in `overlap_mean`.

    Source: proofs/qlsh.md, step Q1.9.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import overlap_slope
        >>> [round(float(overlap_slope(0.0, 0.3, k, 1)), 3) for k in (1, 23, 256)]
        [0.028, 0.239, 0.0]
    """
    rest = overlap_mean(cosine, theta, jnp.asarray(num_qubits) - 1, per_qubit, noise)
    return rest * local_swap_slope(cosine, theta, num_qubits, per_qubit, noise)


def local_swap_mean(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Mean of the sum of m one-qubit SWAP tests: E L = m (1 + v c2^g + w)/2.

    Args:
        cosine, theta, num_qubits, per_qubit, noise: As in `overlap_mean`.

    Source: proofs/qlsh.md, step Q3.5.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import local_swap_mean
        >>> float(local_swap_mean(1.0, 0.3, 16, 1))
        16.0
    """
    m = as_float(num_qubits, "num_qubits")
    return m * overlap_mean(cosine, theta, 1, per_qubit, noise)


def local_swap_slope(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """dE L/ds = k v sin^2(theta) c2^(g-1) / (pi sqrt(1 - s^2)): no decay in m.

    Args:
        cosine: s in (-1, 1); infinite at the ends.
        theta, num_qubits, per_qubit, noise: As in `overlap_mean`.

    Source: proofs/qlsh.md, step Q3.6.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import local_swap_slope
        >>> round(float(local_swap_slope(0.0, 0.3, 256, 1)), 2)
        7.12
    """
    factors = noise_factors(SketchNoise() if noise is None else noise)
    s, angle = as_float(cosine, "cosine"), as_float(theta, "theta")
    signs = as_float(jnp.asarray(num_qubits) * jnp.asarray(per_qubit), "signs")
    others, _ = _mean_cosines(cosine, theta, jnp.asarray(per_qubit) - 1)
    rate = signs * factors.transverse * jnp.sin(angle) ** 2 * others
    return rate / (jnp.pi * jnp.sqrt(1 - s**2))


def quadrature_mean(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Mean of the Y readout: E G = (2/pi) arcsin(s) k sin(theta) cos^(g-1)(theta) r.

    G = sum_q B_q Y_q on the stored sketch, B_q the query's bucket sums, r = sqrt(v) =
    lambda^T for depolarizing noise. This is the estimator that is linear in k sin
    theta.

    Args:
        cosine, theta, num_qubits, per_qubit, noise: As in `overlap_mean`.

    Source: proofs/qlsh.md, step Q3.3.

    Example:
        >>> from qjax.bounds.sketches.sketch_laws import quadrature_mean
        >>> round(float(quadrature_mean(1.0, 0.3, 16, 1)), 3)  # 16 sin(0.3)
        4.728
    """
    factors = noise_factors(SketchNoise() if noise is None else noise)
    angle = as_float(theta, "theta")
    signs = as_float(jnp.asarray(num_qubits) * jnp.asarray(per_qubit), "signs")
    agreement = 1 - 2 * sign_disagreement(cosine)
    readout = jnp.sin(angle) * _power(jnp.cos(angle), jnp.asarray(per_qubit) - 1)
    return agreement * signs * readout * jnp.sqrt(factors.transverse)
