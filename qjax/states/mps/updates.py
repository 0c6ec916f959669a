"""What gates do to a chain of tensors: exact growth of the bonds, or truncation."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int

from qjax._linalg import dagger, product, real_to_complex
from qjax._types import Key
from qjax.states.mps.cuts import cut
from qjax.states.mps.sweeps import (
    Chain,
    Gauged,
    Loss,
    edge,
    gauged,
    push_left,
    right_canonical,
    right_environments,
    truncated,
)
from qjax.states.sampling import draw

_FAINT = {"complex64": 1e-6, "complex128": 1e-12}
"""Strength of a depolarization that is above rounding, and below what matters."""


def grow(
    tensors: Chain, layer: Complex[Array, "n r r 2 2"]
) -> Complex[Array, "n y 2 y"]:
    """Apply a layer of gates, written as an operator chain; every bond grows r times.

    Exact, without any decomposition: its derivative is plain at any spectrum.

    Args:
        tensors: Shape (n, x, 2, x).
        layer: W[k, l] on each site, a matrix for each left and right operator bond.

    Returns:
        Shape (n, r x, 2, r x).
    """
    sites, size = tensors.shape[:2]
    rank = layer.shape[1]
    grown = jnp.einsum(
        "nklst,natb->nkaslb", layer, tensors, precision=jax.lax.Precision.HIGHEST
    )
    return grown.reshape(sites, rank * size, 2, rank * size)


def apply_layer(
    chain: Gauged, layer: Complex[Array, "n r r 2 2"]
) -> tuple[Gauged, Loss]:
    """Apply a layer as `grow` does, then cut the bonds back to what they were.

    Returns:
        The chain, and what the cut cost.
    """
    wide = right_canonical(grow(chain.tensors, layer))
    return truncated(wide, chain.tensors.shape[1])


def apply_sites(
    tensors: Chain, matrices: Complex[Array, "n 2 2"]
) -> Complex[Array, "n x 2 x"]:
    """Apply one matrix to each wire."""
    return jnp.einsum(
        "nst,natb->nasb", matrices, tensors, precision=jax.lax.Precision.HIGHEST
    )


def apply_pairs(
    chain: Gauged, matrices: Complex[Array, "g 4 4"], sites: Int[Array, " g"]
) -> tuple[Gauged, Loss]:
    """Apply unitaries to disjoint pairs of neighbours, all at once, and cut their bond.

    With C the tensor of a pair after its gate and rho the left environment, the leading
    eigenvectors Q of M = C^dagger (rho x 1) C give the new tensors C Q and Q^dagger and
    the new environment Q^dagger M Q: nothing is divided by small numbers. Tensors only
    shrink (C Q Q^dagger C^dagger <= C C^dagger) and environments that are not updated
    are too large, so the weight cut off in a pair bounds the squared error made there.

    Args:
        chain: Chain with bonds of x, and its left environments.
        matrices: Unitaries; the left site is the leading bit.
        sites: Left site of each pair; pairs do not overlap, but may be equal.

    Returns:
        The chain, and what the cuts cost: the sum of the errors of the pairs.

    Source: Hastings, J. Math. Phys. 50, 095207 (2009), for an update without division.
    """
    tensors, environments = chain
    size = tensors.shape[1]
    left, right = tensors[sites], tensors[sites + 1]
    weight = environments[sites]
    many = sites.shape[0]
    pair = product(
        left.reshape(many, 2 * size, size), right.reshape(many, size, 2 * size)
    ).reshape(many, size, 4, size)
    # Entry by entry: faster than many products with a small matrix.
    pair = jnp.sum(matrices[:, None, :, :, None] * pair[:, :, None], axis=3)
    weighted = product(weight, pair.reshape(many, size, -1))
    pair = pair.reshape(many, 2 * size, 2 * size)
    gram = product(dagger(pair), weighted.reshape(pair.shape))
    kept = cut(_within_reach(gram), size)
    new_left = product(pair, kept.basis).reshape(many, size, 2, size)
    new_right = dagger(kept.basis).reshape(many, size, 2, size)
    tensors = tensors.at[sites].set(new_left)
    tensors = tensors.at[sites + 1].set(new_right)
    environments = environments.at[sites + 1].set(kept.weights)
    loss = Loss(jnp.sum(jnp.sqrt(kept.lost)), jnp.any(kept.tied))
    return Gauged(tensors, environments), loss


def _within_reach(gram: Complex[Array, "g d d"]) -> Complex[Array, "g d d"]:
    """Add what a faint depolarization of the right wire would do to M.

    Where the state has fewer Schmidt vectors than the bond has room for, this decides
    which others are kept: those that a small change of some gate would bring in, in
    whose direction a derivative may point.
    """
    half = gram.shape[-1] // 2
    blocks = gram.reshape(-1, 2, half, 2, half)
    traced = blocks[:, 0, :, 0] + blocks[:, 1, :, 1]
    faint = _FAINT[gram.dtype.name]
    both = jnp.zeros_like(blocks)
    both = both.at[:, 0, :, 0].set(traced).at[:, 1, :, 1].set(traced)
    return gram + faint * both.reshape(gram.shape)


def draw_kraus(
    key: Key, chain: Gauged, operators: Complex[Array, "n k 2 2"]
) -> tuple[Gauged, Int[Array, " n"], Float[Array, ""]]:
    """Draw one Kraus operator for each site, from the left, and apply it.

    Each is drawn given those before it: p_k = Tr(K_k rho K_k^dagger) / Tr rho with the
    reduced state rho of its site; the norm of the state is kept.

    Args:
        key: JAX random key.
        chain: Chain of n sites.
        operators: K_k of every site; those of zeros are never drawn.

    Returns:
        The chain, the indices drawn, and ln of their probability together.
    """
    size = chain.tensors.shape[1]
    right = right_environments(chain.tensors)[1:]
    high = jax.lax.Precision.HIGHEST

    def step(environment: Array, own: tuple[Array, Array, Array, Key]):
        tensor, kraus, after, site_key = own
        weighted = product(environment, tensor.reshape(size, -1)).reshape(-1, size)
        weighted = product(weighted, after).reshape(size, 2, size)
        rho = jnp.einsum("asb,atb->st", weighted, tensor.conj(), precision=high)
        both = jnp.einsum("kst,tu->ksu", kraus, rho, precision=high)
        weights = jnp.einsum("ksu,ksu->k", both, kraus.conj(), precision=high).real
        weights = weights / jnp.trace(rho).real
        index = draw(site_key, weights, 1)[0]
        log_prob = jnp.log(weights[index])
        chosen = kraus[index] * real_to_complex(jnp.exp(-log_prob / 2))
        tensor = jnp.einsum("st,atb->asb", chosen, tensor, precision=high)
        return push_left(environment, tensor), (tensor, index, log_prob)

    keys = jax.random.split(key, chain.tensors.shape[0])
    start = jnp.asarray(edge(size, chain.tensors.dtype))
    sites = (chain.tensors, operators, right, keys)
    _, (tensors, drawn, logs) = jax.lax.scan(step, start, sites)
    return gauged(tensors), drawn, jnp.sum(logs)
