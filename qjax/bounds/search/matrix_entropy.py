"""Entropies with gradients that exist at equal and at vanishing eigenvalues.

Derivatives of eigenvectors divide by gaps of the spectrum and are infinite where two
eigenvalues meet, as they do at every symmetric optimum. The entropy itself is smooth
there: dS = -Tr[(log rho + 1/ln 2) d rho] needs the eigenvectors, not their derivatives.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

# log rho is cut off here: gradients at pure states are large (100 bits), not infinite.
_FLOOR = 1e-30


def _minus_x_log_x(values: Float[Array, "*b"]) -> Float[Array, "*b"]:
    kept = jnp.maximum(values, 0.0)
    return -kept * jnp.log2(jnp.maximum(kept, _FLOOR))


@jax.custom_jvp
def von_neumann_entropy(rho: Complex[Array, "*batch d d"]) -> Float[Array, "*batch"]:
    """S(rho) = -Tr rho log2 rho in bits, differentiable at every spectrum.

    The derivative is dS = -Tr[(log2 rho + 1/ln 2) d rho], with eigenvalues below 1e-30
    read as 1e-30 in the logarithm: exact at full rank, degenerate or not.

    Args:
        rho: Hermitian positive matrices; the trace need not be one.

    Returns:
        Bits.

    Source: Bhatia, Matrix Analysis, section V.3 (derivative of a trace function).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.bounds.search import von_neumann_entropy
        >>> float(von_neumann_entropy(jnp.eye(4, dtype=complex) / 4))
        2.0
    """
    return jnp.sum(_minus_x_log_x(jnp.linalg.eigvalsh(rho)), axis=-1)


@von_neumann_entropy.defjvp
def _entropy_jvp(primals, tangents):
    (rho,), (change,) = primals, tangents
    values, vectors = jnp.linalg.eigh(rho)
    slope = -jnp.log2(jnp.maximum(values, _FLOOR)) - 1 / math.log(2)
    # Diagonal of V^dag (d rho) V, real for a Hermitian change.
    diagonal = jnp.einsum("...ik,...ij,...jk->...k", vectors.conj(), change, vectors)
    entropy = jnp.sum(_minus_x_log_x(values), axis=-1)
    return entropy, jnp.sum(slope * diagonal.real, axis=-1)


def divergence_from_mixed(rho: Complex[Array, "*batch d d"]) -> Float[Array, "*batch"]:
    """D(rho || I/d) = log2 d - S(rho), in bits."""
    return math.log2(rho.shape[-1]) - von_neumann_entropy(rho)


def holevo(
    states: Complex[Array, "k d d"], weights: Float[Array, " k"]
) -> Float[Array, ""]:
    """chi = S(sum_i w_i rho_i) - sum_i w_i S(rho_i), in bits, differentiable.

    Args:
        states: Density matrices.
        weights: Probabilities.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import holevo
        >>> kets = jnp.eye(2, dtype=complex)
        >>> zero_one = kets[:, :, None] * kets[:, None]
        >>> float(holevo(zero_one, jnp.asarray([0.5, 0.5])))
        1.0
    """
    average = jnp.einsum("k,kij->ij", weights.astype(states.dtype), states)
    return von_neumann_entropy(average) - jnp.sum(weights * von_neumann_entropy(states))


def binary_divergence(
    p: Float[Array, "*b"], q: Float[Array, "*b"]
) -> Float[Array, "*b"]:
    """d(p || q) in bits for an optimiser: finite, with logarithms cut off at 1e-30.

    Values that count are recomputed by `qjax.bounds.binary_relative_entropy` or in
    mpmath; this form is only climbed.
    """
    pairs = ((p, q), (1 - p, 1 - q))
    terms = [
        x * (jnp.log2(jnp.maximum(x, _FLOOR)) - jnp.log2(jnp.maximum(y, _FLOOR)))
        for x, y in pairs
    ]
    return terms[0] + terms[1]
