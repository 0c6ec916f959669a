"""Variances of the estimators of a phase sketch, with the hyperplanes' share.

Shots average away; the hyperplanes are drawn once and stay. A variance that leaves them
out, such as (1 - mu^2)/c, is conditional on them. Closed forms: proofs/qlsh.md.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._checks import as_float, checked
from qjax._types import ArrayLike
from qjax.bounds.sketches.sign_sketches import SketchNoise
from qjax.bounds.sketches.sketch_laws import (
    noise_factors,
    overlap_mean,
    overlap_square_mean,
    quadrature_mean,
    sign_disagreement,
)

Number = Float[Array, "*batch"]


def _trials(shots: ArrayLike) -> Number:
    positive = checked(shots, lambda c: jnp.asarray(c) >= 1, "shots", "be at least 1")
    return as_float(positive, "shots")


def conditional_variance(mean: ArrayLike, shots: ArrayLike) -> Number:
    """Variance of the mean of c outcomes +-1 with given mean: (1 - mu^2)/c.

    For a SWAP test mu = F, for a Hadamard test mu = <psi_a|psi_b>; both with the
    hyperplanes held fixed.

    Args:
        mean: mu in [-1, 1].
        shots: c >= 1.

    Raises:
        ValueError: If an argument is out of range (traced values: at run time).

    Source: proofs/qlsh.md, step Q4.1.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import conditional_variance
        >>> float(conditional_variance(0.0, 4))
        0.25
    """
    inside = checked(mean, lambda x: (x >= -1) & (x <= 1), "mean", "lie in [-1, 1]")
    return (1 - as_float(inside, "mean") ** 2) / _trials(shots)


def squared_amplitude_variance(amplitude: ArrayLike, shots: ArrayLike) -> Number:
    """Variance of the squared mean of c Hadamard outcomes, as an estimate of F = mu^2.

    4 mu^2 (1 - mu^2)/c to first order in 1/c; below the SWAP test's (1 - mu^4)/c if and
    only if mu^2 < 1/3.

    Args:
        amplitude: mu in [-1, 1].
        shots: c >= 1.

    Source: proofs/qlsh.md, step Q4.4.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import squared_amplitude_variance
        >>> round(float(squared_amplitude_variance(0.5, 100)), 4)
        0.0075
    """
    return (
        4
        * as_float(amplitude, "amplitude") ** 2
        * conditional_variance(amplitude, shots)
    )


def swap_variance(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    shots: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Total variance of a SWAP estimate: E F^2 - (E F)^2 + (1 - E F^2)/c.

    F = Tr rho_a rho_b. The first part belongs to the hyperplanes and does not shrink
    with c.

    Args:
        cosine: s in [-1, 1].
        theta: Phase per sign, in radians.
        num_qubits: m >= 1, an integer.
        per_qubit: g >= 1, an integer.
        shots: c >= 1 trials, each with fresh copies of both sketches.
        noise: Storage noise of both sketches; None for none.

    Source: proofs/qlsh.md, step Q4.3.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import swap_variance
        >>> round(float(swap_variance(0.5, 0.35, 16, 1, 400)), 5)
        0.01696
    """
    mean = overlap_mean(cosine, theta, num_qubits, per_qubit, noise)
    square = overlap_square_mean(cosine, theta, num_qubits, per_qubit, noise)
    return square - mean**2 + (1 - square) / _trials(shots)


def local_swap_variance(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    shots: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Total variance of the sum of m one-qubit SWAP tests, averaged over c trials.

    m [E f^2 - (E f)^2 + (1 - E f^2)/c] with f the overlap of one qubit: buckets are
    independent, so the variance is m times that of one.

    Args:
        cosine, theta, num_qubits, per_qubit, shots, noise: As in `swap_variance`.

    Source: proofs/qlsh.md, step Q4.3 for one qubit.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import local_swap_variance
        >>> float(local_swap_variance(1.0, 0.35, 16, 1, 1))
        0.0
    """
    m = as_float(num_qubits, "num_qubits")
    return m * swap_variance(cosine, theta, 1, per_qubit, shots, noise)


def quadrature_variance(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Single-shot variance of the Y readout: k - (E G)^2/m, hyperplanes included.

    Args:
        cosine, theta, num_qubits, per_qubit, noise: As in `swap_variance`.

    Source: proofs/qlsh.md, step Q3.4.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import quadrature_variance
        >>> float(quadrature_variance(0.0, 0.3, 4, 2))
        8.0
    """
    mean = quadrature_mean(cosine, theta, num_qubits, per_qubit, noise)
    signs = as_float(jnp.asarray(num_qubits) * jnp.asarray(per_qubit), "signs")
    return signs - mean**2 / as_float(num_qubits, "num_qubits")


def quadrature_total_variance(
    cosine: ArrayLike,
    theta: ArrayLike,
    num_qubits: ArrayLike,
    per_qubit: ArrayLike,
    shots: ArrayLike,
    noise: SketchNoise | None = None,
) -> Number:
    """Variance of the Y readout averaged over c shots of one pair of sketches.

    m [V_h + (g - W)/c] with W = r^2 E B^2 sin^2(theta A) for one bucket and V_h = W -
    (E G/m)^2 the hyperplanes' share. With q = (1 - 2 delta)^2 and x = cos(2 theta),
    E B^2 sin^2(theta A) = [g - (1-q) g x^g - q (g x^g - g (g-1) x^(g-2) (1-x^2))]/2.
    At c = 1 it is `quadrature_variance`.

    Args:
        cosine, theta, num_qubits, per_qubit, shots, noise: As in `swap_variance`.

    Source: proofs/qlsh.md, step Q4.5.

    Example:
        >>> from qjax.bounds.sketches.sketch_variances import quadrature_total_variance
        >>> round(float(quadrature_total_variance(0.5, 0.3, 4, 2, 1)), 4)
        7.8583
    """
    factors = noise_factors(SketchNoise() if noise is None else noise)
    m, g = as_float(num_qubits, "num_qubits"), as_float(per_qubit, "per_qubit")
    x = jnp.cos(2 * as_float(theta, "theta"))
    agreement = (1 - 2 * sign_disagreement(cosine)) ** 2
    # x^(g-2) is multiplied by g - 1, which is 0 where the exponent would be negative.
    power = jnp.where(x == 0, (g == 2).astype(x.dtype), jnp.abs(x) ** (g - 2))
    power = power * jnp.where((x < 0) & (g % 2 == 1), -1, 1)
    full = power * x**2
    second = g - (1 - agreement) * g * full
    second -= agreement * (g * full - g * (g - 1) * power * (1 - x**2))
    readout = factors.transverse * second / 2
    mean = quadrature_mean(cosine, theta, num_qubits, per_qubit, noise)
    fixed = readout - (mean / m) ** 2
    return m * (fixed + (g - readout) / _trials(shots))
