"""Unconstrained real arrays as states, effects, POVMs and channels: smooth and onto.

An optimiser moves freely in R^k; each function here maps its point to an object that
satisfies every constraint by construction. A leading axis of length 2 holds the real
and the imaginary part.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax._linalg import dagger, real_to_complex


def kets(array: Float[Array, "2 *batch d"]) -> Complex[Array, "*batch d"]:
    """Normalised kets, |psi> = z / |z| with z = x + i y.

    Args:
        array: Real and imaginary parts, not all zero.

    Returns:
        Kets of unit norm; a whole ensemble has one batch axis per label.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import kets
        >>> [float(x) for x in abs(kets(jnp.asarray([[3.0, 0.0], [0.0, 4.0]])))]
        [0.6..., 0.8...]
    """
    raw = jax.lax.complex(array[0], array[1])
    norm = jnp.sqrt(jnp.sum(array**2, axis=(0, -1)))
    return raw / real_to_complex(norm)[..., None]


def mixed_states(array: Float[Array, "2 *batch d r"]) -> Complex[Array, "*batch d d"]:
    """Density matrices of rank at most r by purification, rho = G G^dag / Tr(G G^dag).

    Args:
        array: G, the purification's amplitudes: r is the size of the environment.

    Returns:
        States; every state of rank <= r is reached.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import mixed_states
        >>> G = jnp.stack([jnp.eye(2), jnp.zeros((2, 2))])
        >>> float(mixed_states(G)[0, 0].real)
        0.5
    """
    raw = jax.lax.complex(array[0], array[1])
    norm = jnp.sum(array**2, axis=(0, -2, -1))
    return raw @ dagger(raw) / real_to_complex(norm)[..., None, None]


def isometries(
    array: Float[Array, "2 *batch rows columns"],
) -> Complex[Array, "*batch rows columns"]:
    """Isometries V with V^dag V = I: the Q of G = Q R with a positive diagonal of R.

    An isometry is mapped to itself, so a known circuit can be a starting point. Square
    ones are the unitaries.

    Args:
        array: G, of full column rank, rows >= columns.

    Raises:
        ValueError: If rows < columns.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import isometries
        >>> G = jnp.stack([2 * jnp.eye(3, 2), jnp.zeros((3, 2))])
        >>> bool(jnp.allclose(isometries(G).real, jnp.eye(3, 2)))
        True
    """
    rows, columns = array.shape[-2:]
    require(rows >= columns, "array", f"have at least {columns} rows", rows)
    orthonormal, triangle = jnp.linalg.qr(jax.lax.complex(array[0], array[1]))
    diagonal = jnp.diagonal(triangle, axis1=-2, axis2=-1)
    phase = diagonal / real_to_complex(jnp.abs(diagonal))
    return orthonormal * phase[..., None, :]


def kraus_operators(
    array: Float[Array, "2 *batch k out d"],
) -> Complex[Array, "*batch k out d"]:
    """Kraus operators of a channel, the blocks of a Stiefel isometry.

    sum_k K_k^dag K_k = I.

    Args:
        array: k blocks of shape (out, d), with k * out >= d.

    Raises:
        ValueError: If k * out < d.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import kraus_operators
        >>> K = kraus_operators(jnp.stack([jnp.ones((3, 1, 1)), jnp.ones((3, 1, 1))]))
        >>> round(float(jnp.sum(abs(K) ** 2)), 5)
        1.0
    """
    count, out, size = array.shape[-3:]
    tall = array.reshape(*array.shape[:-3], count * out, size)
    return isometries(tall).reshape(*array.shape[1:-2], out, size)


def povms(
    array: Float[Array, "2 *batch outcomes rank d"],
) -> Complex[Array, "*batch outcomes d d"]:
    """POVMs M_i = S^{-1/2} G_i^dag G_i S^{-1/2} up to a unitary, S = sum G_i^dag G_i.

    Computed as V_i^dag V_i from the blocks of an isometry, which avoids the square
    root of S and its derivative at equal eigenvalues.

    Args:
        array: G_i, one (rank, d) block per outcome, outcomes * rank >= d.

    Returns:
        Positive matrices of rank <= `rank` that sum to the identity.

    Raises:
        ValueError: If outcomes * rank < d.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import povms
        >>> G = jnp.stack([jnp.eye(3, 2)[:, None], jnp.ones((3, 1, 2))])
        >>> bool(jnp.allclose(povms(G).sum(axis=0).real, jnp.eye(2), atol=1e-6))
        True
    """
    blocks = kraus_operators(array)
    return dagger(blocks) @ blocks


def effects(
    array: Float[Array, "*batch rows d"], sharpness: Float[Array, ""]
) -> Complex[Array, "*batch d d"]:
    """Accepting elements of two-outcome tests, M = V sigmoid(s w) V^dag in [0, I].

    Args:
        array: Rows 0..d-1 and d..2d-1 are the real and imaginary part of the matrix
            behind the unitary V, the last row is w: 2 d + 1 rows.
        sharpness: s > 0; annealed upwards, tests become projective.

    Raises:
        ValueError: If the number of rows is not 2 d + 1.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.bounds.search import effects
        >>> array = jnp.concatenate([jnp.eye(2), jnp.zeros((3, 2))])
        >>> effects(array, jnp.asarray(1.0)).real.tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    rows, size = array.shape[-2:]
    require(rows == 2 * size + 1, "array", f"have {2 * size + 1} rows", rows)
    parts = (array[..., :size, :], array[..., size : 2 * size, :])
    basis = isometries(jnp.stack(parts))
    weights = jax.nn.sigmoid(sharpness * array[..., -1, :])
    return (basis * real_to_complex(weights)[..., None, :]) @ dagger(basis)
