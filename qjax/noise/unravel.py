"""Mixtures of unitaries unravelled: one unitary circuit drawn from a noisy one."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from qjax._types import Key, Wires
from qjax.circuits import Channel, Circuit, Conditional, Unitary


def draw_unitaries(key: Key, circuit: Circuit) -> tuple[Circuit, Float[Array, ""]]:
    """Replace every mixture of unitaries by one of its unitaries, drawn up front.

    rho -> sum_k w_k U_k rho U_k^dagger becomes U_k with probability w_k, whatever the
    state. Channels of one shape are drawn together, those in a `Repeat` for each
    repetition, so a batch over keys costs little more than its random numbers.

    Args:
        key: JAX random key; `jax.vmap` over keys gives a batch of circuits.
        circuit: Circuit of n wires. Other channels stay, and so do conditional ones,
            for whether a choice is made there is known only during the run.

    Returns:
        A circuit of the same structure, unitary if all channels were unconditional
        mixtures and nothing measures; and ln of the probability of the draw,
        differentiable in the weights. An outcome of probability 0 is never drawn; in
        float32 each probability is met to 2^-23.

    Source: Dalibard, Castin and Molmer, Phys. Rev. Lett. 68, 580 (1992), for jumps that
    are unitary.

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.noise import bit_flip, draw_unitaries
        >>> noisy = Circuit([h(0), bit_flip(0.5, 0)], 1)
        >>> drawn, log_prob = draw_unitaries(jax.random.key(1), noisy)
        >>> [operation.name for operation in drawn.operations]
        ['H', 'U']
        >>> round(float(log_prob), 4)
        -0.6931
    """
    nodes, structure = jax.tree.flatten(circuit, is_leaf=_is_whole)
    places = [place for place, node in enumerate(nodes) if _is_mixture(node)]
    channels = [nodes[place] for place in places]
    groups, log_prob = draw_choices(key, channels)
    for members, index in groups:
        unitaries = _chosen([channels[number] for number in members], index)
        for number, unitary in zip(members, unitaries, strict=True):
            nodes[places[number]] = unitary
    return jax.tree.unflatten(structure, nodes), log_prob


def draw_choices(
    key: Key, channels: Sequence[Channel]
) -> tuple[list[tuple[list[int], Int[Array, " rows"]]], Float[Array, ""]]:
    """Draw which of its unitaries each mixture applies, in each of its repetitions.

    Args:
        key: JAX random key.
        channels: Mixtures of unitaries; leaves may have depth axes in front.

    Returns:
        For each group of channels of one shape, their positions among `channels` and
        their choices, row by row; and ln of the probability of them all.
    """
    groups: dict[object, list[int]] = {}
    for number, channel in enumerate(channels):
        dtypes = channel.operators.dtype, _weights(channel).dtype
        signature = channel.operators.shape[-3:], dtypes
        groups.setdefault(signature, []).append(number)
    real = np.result_type(*{_weights(channel).dtype for channel in channels} or {float})
    log_prob = jnp.zeros((), jax.dtypes.canonicalize_dtype(real))
    drawn = []
    for group, members in enumerate(groups.values()):
        own = jax.random.fold_in(key, group)
        index, logs = _draw(own, [channels[number] for number in members])
        drawn.append((members, index))
        log_prob = log_prob + logs.astype(log_prob.dtype)
    return drawn, log_prob


def draw_unitary(key: Key, channel: Channel) -> tuple[Unitary, Float[Array, ""]]:
    """Draw one unitary of a mixture, and ln of its probability."""
    index, log_prob = _draw(key, [channel])
    return _chosen([channel], index)[0], log_prob


def _is_whole(node: object) -> bool:
    """Say where to stop in a circuit's tree: a conditional channel stays as it is."""
    return isinstance(node, Channel | Conditional)


def _is_mixture(node: object) -> bool:
    return isinstance(node, Channel) and node.weights is not None


def _draw(
    key: Key, channels: Sequence[Channel]
) -> tuple[Int[Array, " rows"], Float[Array, ""]]:
    """Draw for channels of one shape, and for each of their repetitions, at once."""
    return draw_rows(key, jnp.concatenate([_rows(_weights(c), 1) for c in channels]))


def draw_rows(
    key: Key, weights: Float[Array, "rows k"]
) -> tuple[Int[Array, " rows"], Float[Array, ""]]:
    """Draw one of k outcomes for each row of weights, and ln of the probability."""
    cumulative = jnp.cumsum(jax.lax.stop_gradient(weights), axis=1)
    # A point in [0, total) falls on no interval of width zero.
    point = jax.random.uniform(key, (len(weights), 1), weights.dtype)
    point = point * cumulative[:, -1:]
    index = jnp.sum(point >= cumulative[:, :-1], axis=1)
    # Under vmap over keys the logarithms are those of the weights, not of each draw.
    logs = jnp.log(jnp.where(weights > 0, weights, 1))[np.arange(len(weights)), index]
    return index, jnp.sum(logs)


def _chosen(channels: Sequence[Channel], index: Int[Array, " rows"]) -> list[Unitary]:
    """Build the drawn unitaries of channels of one shape."""
    matrices = jnp.concatenate([_rows(c.operators, 3) for c in channels])
    chosen = matrices[np.arange(len(matrices)), index]
    unitaries, start = [], 0
    for channel in channels:
        depths = channel.operators.shape[:-3]
        stop = start + int(np.prod(depths))
        stack = chosen[start:stop].reshape(*depths, *channel.operators.shape[-2:])
        unitaries.append(_unitary(stack, channel.wires))
        start = stop
    return unitaries


def _weights(channel: Channel) -> Array:
    assert channel.weights is not None
    return jnp.asarray(channel.weights)


def _rows(leaf: Array | np.ndarray, rank: int) -> Array:
    """Flatten the depth axes, which come before the leaf's own `rank` axes."""
    return jnp.reshape(jnp.asarray(leaf), (-1, *leaf.shape[leaf.ndim - rank :]))


def _unitary(stack: Complex[Array, "*depth d d"], wires: Wires) -> Unitary:
    """Build the operation leaf by leaf: its constructor takes no depth axes."""
    blank = Unitary(np.eye(stack.shape[-1], dtype=complex), wires)
    return jax.tree.unflatten(jax.tree.structure(blank), [stack])
