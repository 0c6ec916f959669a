"""Cheaper metrics of pure states: in blocks, diagonal, and of low rank."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Complex, Float, Int, PyTree

from qjax._checks import require
from qjax._linalg import product
from qjax._types import Key
from qjax.geometry.metrics import BlockMetric, DiagonalMetric, LowRankMetric
from qjax.geometry.states import StateFn, amplitudes_of, gram, metric_vp, pushforward

_FLOOR = 10
"""Eigenvalues of a sketch below this many roundings of the largest are none."""


def block_metric(
    state_fn: StateFn, params: PyTree, *, split: bool = True
) -> BlockMetric:
    """Return the blocks of the Fubini-Study metric on its diagonal.

    One block for each index of the first axis of every array of parameters (a layer of
    an ansatz), or for each array as a whole; entries between blocks are left out. On
    hardware a block of commuting generators is measured by one circuit.

    Args:
        state_fn: As for `metric_tensor`.
        params: Pytree of p real numbers in all, floating.
        split: Whether arrays of two axes or more are split along the first. Static.

    Returns:
        The metric. Memory: the derivatives of one block at a time, k 2^n numbers.

    Raises:
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Stokes et al., Quantum 4, 269 (2020), section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.geometry import block_metric
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angles):
        ...     return run(hardware_efficient(angles), StateVector.zeros(2))
        >>> block_metric(state, jnp.ones((3, 2, 2))).blocks[0].shape
        (3, 4, 4)
    """
    flat, unravel = ravel_pytree(params)
    amplitudes = amplitudes_of(state_fn, unravel)
    psi, push = amplitudes(flat), pushforward(amplitudes, flat)
    one_hot = _one_hot(flat)

    def block(places: Int[Array, " k"]) -> Float[Array, "k k"]:
        return gram(jax.vmap(lambda i: push(one_hot(i)))(places), psi, flat.dtype)

    stacks, start = [], 0
    for leaf in jax.tree.leaves(params):
        count = np.shape(leaf)[0] if split and np.ndim(leaf) > 1 else 1
        places = np.arange(start, start + np.size(leaf)).reshape(count, -1)
        stacks.append(jax.lax.map(block, jnp.asarray(places)))
        start += np.size(leaf)
    return BlockMetric(tuple(stacks))


def diagonal_metric(
    state_fn: StateFn, params: PyTree, *, batch_size: int | None = None
) -> DiagonalMetric:
    """Return the diagonal of the Fubini-Study metric.

    G_ii = <d_i psi|d_i psi> - |<psi|d_i psi>|^2: for a rotation, a quarter of the
    variance of its generator at its place.

    Args:
        state_fn: As for `metric_tensor`.
        params: Pytree of p real numbers in all, floating.
        batch_size: Derivatives done at the same time; None does all.

    Returns:
        The metric.

    Raises:
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Stokes et al., Quantum 4, 269 (2020), section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import diagonal_metric
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angle):
        ...     return run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        >>> diagonal_metric(state, jnp.asarray(0.3)).diagonal.round(4).tolist()
        [0.25]
    """
    flat, unravel = ravel_pytree(params)
    amplitudes = amplitudes_of(state_fn, unravel)
    psi, push = amplitudes(flat), pushforward(amplitudes, flat)
    one_hot = _one_hot(flat)

    def entry(place: Int[Array, ""]) -> Float[Array, ""]:
        tangent = push(one_hot(place))
        # The part along psi is taken off first: no small difference of large numbers.
        return _squared_norm(tangent - psi * jnp.vdot(psi, tangent))

    size = flat.size if batch_size is None else batch_size
    entries = jax.lax.map(entry, jnp.arange(flat.size), batch_size=size)
    return DiagonalMetric(entries.astype(flat.dtype))


def low_rank_metric(
    key: Key, state_fn: StateFn, params: PyTree, rank: int
) -> LowRankMetric:
    """Return an approximation of the metric of rank r from r random products.

    With Gaussian Omega, shape (p, r), and Y = G Omega the Nystroem approximation
    Y (Omega^T Y)^+ Y^T: at most G, and equal to it once r reaches its rank (which is
    at most 2^{n+1} - 2).

    Args:
        key: JAX random key.
        state_fn: As for `metric_tensor`.
        params: Pytree of p real numbers in all, floating.
        rank: r, in [1, p]. Static.

    Returns:
        The metric. Cost: r products of `metric_vp`, in one batch.

    Raises:
        TypeError: If `state_fn` returns something else than a `StateVector`.
        ValueError: If the rank is out of range.

    Source: Tropp, Yurtsever, Udell and Cevher, NeurIPS 2017 (algorithm 3).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.geometry import low_rank_metric
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angles):
        ...     return run(hardware_efficient(angles), StateVector.zeros(2))
        >>> angles = jnp.ones((3, 2, 2))
        >>> low_rank_metric(jax.random.key(1), state, angles, 6).factor.shape
        (12, 6)
    """
    flat, unravel = ravel_pytree(params)
    require(1 <= rank <= flat.size, "rank", f"lie in [1, {flat.size}]", rank)
    draws = jax.random.normal(key, (flat.size, rank), flat.dtype)
    # Orthonormal columns keep the small matrix well conditioned.
    sketch = jnp.linalg.qr(draws)[0]

    def image(vector: Float[Array, " p"]) -> Float[Array, " p"]:
        return ravel_pytree(metric_vp(state_fn, params, unravel(vector)))[0]

    images = jax.vmap(image, in_axes=1, out_axes=1)(sketch)
    core = product(sketch.T, images)
    values, vectors = jnp.linalg.eigh((core + core.T) / 2)
    floor = _FLOOR * rank * jnp.finfo(flat.dtype).eps * values[-1]
    kept = values > floor
    scales = jnp.where(kept, 1 / jnp.sqrt(jnp.where(kept, values, 1)), 0)
    return LowRankMetric(product(images, vectors * scales[None]))


def _one_hot(
    flat: Float[Array, " p"],
) -> Callable[[Int[Array, ""]], Float[Array, " p"]]:
    return lambda place: jnp.zeros_like(flat).at[place].set(1)


def _squared_norm(vector: Complex[Array, " d"]) -> Float[Array, ""]:
    return jnp.sum(vector.real**2 + vector.imag**2)
