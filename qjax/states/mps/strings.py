"""Gates as sums of products of one-wire matrices, and layers made of them."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax._linalg import pauli_words
from qjax._types import Wires

Factors = tuple[Array, ...]
"""For each wire a stack F[k] of shape (r, 2, 2): the gate is sum_k F_1[k] (x) ..."""


def pauli_factors(
    matrix: Complex[Array, "4 4"], letters: Sequence[int] = (0, 1, 2, 3)
) -> Factors:
    """Return G = sum_k P_k (x) Tr_1(P_k G) / 2 over Pauli matrices, by default all.

    Args:
        matrix: G.
        letters: Places in I, X, Y, Z of the P_k; of others G must have no part.
    """
    paulis = jnp.asarray(pauli_words(1)[np.asarray(letters)]).astype(matrix.dtype)
    blocks = matrix.reshape(2, 2, 2, 2)
    high = jax.lax.Precision.HIGHEST
    second = jnp.einsum("kba,asbt->kst", paulis, blocks, precision=high) / 2
    return paulis, second


def controlled_factors(
    matrix: Complex[Array, "2 2"], control_values: tuple[int, ...]
) -> Factors:
    """Return 1 + P (x) ... (x) P (x) (U - 1), with P the projectors of the controls."""
    identity = jnp.eye(2, dtype=matrix.dtype)
    projectors = [
        jnp.asarray(np.diag([1 - v, v]), matrix.dtype) for v in control_values
    ]
    controls = tuple(jnp.stack([identity, one]) for one in projectors)
    return (*controls, jnp.stack([identity, matrix - identity]))


def layer_of_matrix(
    matrix: Complex[Array, "d d"],
    wires: Wires,
    controls: Wires,
    control_values: tuple[int, ...],
    num_sites: int,
) -> Complex[Array, "n r r 2 2"]:
    """Write one matrix on two wires, or a controlled one on one, as an operator chain.

    Raises:
        ValueError: If it has another number of wires.
    """
    rule = "name one wire for a controlled matrix, or two"
    require(len(wires) == (1 if controls else 2), "wires", rule, wires)
    if controls:
        factors = controlled_factors(matrix, control_values)
    else:
        factors = pauli_factors(matrix)
    sites, rank = (*controls, *wires), factors[0].shape[0]
    first, last = min(sites), max(sites)
    identity = jnp.eye(2, dtype=matrix.dtype)
    layer = jnp.zeros((num_sites, rank, rank, 2, 2), matrix.dtype)
    layer = layer.at[:, 0, 0].set(identity)
    for site in range(first, last + 1):
        own = factors[sites.index(site)] if site in sites else None
        block = jnp.zeros((rank, rank, 2, 2), matrix.dtype)
        for k in range(rank):
            k_left, k_right = (0 if site == first else k), (0 if site == last else k)
            block = block.at[k_left, k_right].add(identity if own is None else own[k])
        layer = layer.at[site].set(block)
    return layer
