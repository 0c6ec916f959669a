"""Which parameters change nothing that others do not change already."""

import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax._checks import require


def parameter_names(params: PyTree) -> list[str]:
    """Name each entry of a pytree by its path and index, in the order of its ravel.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import parameter_names
        >>> parameter_names({"angles": jnp.zeros((1, 2)), "scale": jnp.zeros(())})
        ['angles[0, 0]', 'angles[0, 1]', 'scale']
    """
    names = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        stem = jax.tree_util.keystr(path, simple=True, separator=".")
        for index in np.ndindex(np.shape(leaf)):
            entry = "[" + ", ".join(map(str, index)) + "]" if index else ""
            names.append((stem or "params") + entry)
    return names


def redundant_parameters(
    metric: Float[Array, "p p"] | np.ndarray,
    params: PyTree,
    *,
    tolerance: float = 1e-5,
) -> tuple[str, ...]:
    """Name the parameters that a metric shows to be redundant.

    Parameters are taken in order; one is redundant if its derivative is a combination
    of those of parameters before it that are kept: what they leave of G_ii, by the
    Cholesky decomposition, is below `tolerance` of the largest entry.

    Args:
        metric: G, shape (p, p), concrete.
        params: Pytree of p numbers; gives the names.
        tolerance: Relative, in (0, 1).

    Returns:
        Names such as "angles[0, 2, 1]"; without these parameters the metric has full
        rank, and reaches the same states to first order.

    Raises:
        ValueError: If the metric does not have the size of the parameters.

    Source: Haug, Bharti and Kim, PRX Quantum 2, 040309 (2021), section III.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.geometry import redundant_parameters
        >>> twice = jnp.asarray([[1.0, 1.0], [1.0, 1.0]])
        >>> redundant_parameters(twice, {"a": jnp.zeros(1), "b": jnp.zeros(1)})
        ('b[0]',)
    """
    names = parameter_names(params)
    matrix = np.asarray(metric, np.float64)
    fits = matrix.shape == (len(names), len(names))
    require(fits, "metric", f"have shape {(len(names),) * 2}", matrix.shape)
    require(0 < tolerance < 1, "tolerance", "lie in (0, 1)", tolerance)
    floor = tolerance * max(float(np.max(np.diag(matrix))), np.finfo(float).tiny)
    left = matrix.copy()
    found = []
    for i, name in enumerate(names):
        if left[i, i] <= floor:
            found.append(name)
            continue
        left -= np.outer(left[:, i], left[i]) / left[i, i]
    return tuple(found)
