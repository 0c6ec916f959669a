"""The product of two tensors of named axes."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax.network.network import Indices

# Contracted lengths up to which a batch of products is written out as sums of
# elementwise ones, which compilers fuse.
_SHORT = 4


def multiply(left: Array, right: Array, a: Indices, b: Indices, kept: Indices) -> Array:
    """Contract two tensors to the indices `kept`: shared, the left's, the right's.

    One product of matrices for each value of the shared indices. Axes that stay side by
    side are merged before any are moved, so that the rank, and with it the time to
    compile and to transpose, stays low.
    """
    left, a = _sum_alone(left, a, {*b, *kept})
    right, b = _sum_alone(right, b, {*a, *kept})
    lengths = dict(zip(a, left.shape, strict=True))
    lengths |= dict(zip(b, right.shape, strict=True))
    batch = [i for i in kept if i in a and i in b]
    # In the order of the larger operand, which then has less to move.
    longer = a if left.size >= right.size else b
    summed = [i for i in longer if i in a and i in b and i not in kept]
    rows = [i for i in kept if i not in b]
    columns = [i for i in kept if i not in a]
    many, long, high, wide = (
        int(np.prod([lengths[i] for i in group], initial=1))
        for group in (batch, summed, rows, columns)
    )
    matrix = _moved(left, a, [*batch, *rows, *summed]).reshape(many, high, long)
    other = _moved(right, b, [*batch, *summed, *columns]).reshape(many, long, wide)
    if long == 1 or (many > 1 and long <= _SHORT):
        product = sum(matrix[:, :, k, None] * other[:, None, k, :] for k in range(long))
    else:
        product = jnp.matmul(matrix, other, precision=jax.lax.Precision.HIGHEST)
    return jnp.asarray(product).reshape([lengths[i] for i in kept])


def _sum_alone(
    tensor: Array, names: Indices, needed: set[int]
) -> tuple[Array, Indices]:
    """Sum over indices that nobody else has."""
    gone = tuple(place for place, name in enumerate(names) if name not in needed)
    if not gone:
        return tensor, names
    return tensor.sum(axis=gone), tuple(name for name in names if name in needed)


def _moved(tensor: Array, names: Indices, order: Sequence[int]) -> Array:
    """Transpose, runs of axes that stay together as one."""
    place = {name: at for at, name in enumerate(names)}
    wanted = [place[name] for name in order]
    runs: list[list[int]] = []
    for at in wanted:
        if runs and runs[-1][-1] + 1 == at:
            runs[-1].append(at)
        else:
            runs.append([at])
    if len(runs) <= 1:
        return tensor
    ranked = sorted(runs)
    shape = [int(np.prod([tensor.shape[at] for at in run])) for run in ranked]
    return tensor.reshape(shape).transpose([ranked.index(run) for run in runs])
