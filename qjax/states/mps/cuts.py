"""What a cut of a bond keeps, what it loses, and whether it has a derivative."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from qjax._decompositions import leading_space

_LIGHTEST_TIE = {"complex64": 0.5, "complex128": 1e-9}
"""Share of the heaviest weight from which on equal weights are no coincidence.

In complex64 rounding makes light weights equal that are not.
"""

_UNDETERMINED = (
    "A gradient through an MPS that cuts its bonds is not determined here: a Schmidt "
    "vector was cut off that weighs as much as one that was kept. Use another "
    "`max_bond`, or angles without this symmetry."
)


class Cut(NamedTuple):
    """Cuts of one or many bonds.

    Attributes:
        basis: Q, the leading eigenvectors of M.
        weights: Q^dagger M Q.
        lost: Sum of the weights cut off.
        tied: Whether a weight cut off equals one that was kept: the choice was free.
    """

    basis: Complex[Array, "*b d k"]
    weights: Complex[Array, "*b k k"]
    lost: Float[Array, "*b"]
    tied: Bool[Array, "*b"]


def cut(gram: Complex[Array, "*b d d"], size: int) -> Cut:
    """Keep the eigenvectors of the `size` largest eigenvalues of M."""
    basis, weights, others = leading_space(gram, size)
    kept = jnp.diagonal(weights, axis1=-2, axis2=-1).real
    kept, others = jax.lax.stop_gradient((kept, jnp.maximum(others, 0)))
    lost = jnp.sum(others, axis=-1)
    if not others.shape[-1]:
        return Cut(basis, weights, lost, jnp.zeros(lost.shape, bool))
    heaviest, last, first = kept[..., -1], kept[..., 0], others[..., -1]
    equal = last - first <= 16 * jnp.finfo(first.dtype).eps * heaviest
    tied = equal & (first > _LIGHTEST_TIE[gram.dtype.name] * heaviest)
    return Cut(basis, weights, lost, tied)


@jax.custom_jvp
def determined(tensors: Array, tied: Bool[Array, ""]) -> Array:
    """Return tensors as they are; their derivative is an error where cuts were tied."""
    del tied
    return tensors


@determined.defjvp
def _determined_derivative(primals, tangents):
    tensors, tied = primals
    return eqx.error_if(tensors, tied, _UNDETERMINED), tangents[0]
