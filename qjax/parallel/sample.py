"""Measuring sharded states: first the device, then the outcome on its shard."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, UInt8

from qjax._checks import check_shots
from qjax._types import Key, Wires
from qjax.parallel.mesh import STATE
from qjax.parallel.path import device_index
from qjax.parallel.state import ShardedState
from qjax.states.base import resolve_wires
from qjax.states.sampling import draw, index_to_bits


def sample(
    key: Key, state: ShardedState, shots: int, wires: Wires | None = None
) -> UInt8[Array, "shots k"]:
    """Measure wires of a sharded state in the computational basis.

    For every shot the outer bits are drawn by the weights of the shards, then the inner
    ones on the shard that was drawn: p(d, x) = p(d) p(x | d). Only weights and outcomes
    pass between devices.

    Args:
        key: JAX random key; the same key and order of wires give the same shots.
        state: Normalised state of n wires.
        shots: Number of measurements, at least 1. Static.
        wires: k wires to measure; None for all. Static.

    Returns:
        Bits of shape (shots, k), the same on all devices; column j is wires[j].

    Raises:
        ValueError: If `shots` < 1 or a wire is out of range.

    Source: Born rule.

    Example:
        >>> import jax
        >>> from qjax import parallel
        >>> state = parallel.ShardedState.zeros(2, parallel.device_mesh(1))
        >>> parallel.sample(jax.random.key(1), state, 2).tolist()
        [[0, 0], [0, 0]]
    """
    check_shots(shots)
    columns = [state.order.index(w) for w in resolve_wires(wires, state.num_wires)]
    bits = _bits(state.mesh, state.num_outer, shots, key, state.numbers)
    return bits[:, np.asarray(columns)]


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _bits(mesh: Mesh, num_outer: int, shots: int, key: Key, numbers: Array) -> Array:
    """Return bits in the order of the state's places."""

    def shard(key: Key, numbers: Array) -> Array:
        outer_key, inner_key = jax.random.split(key)
        real, imag = jnp.split(numbers[0], 2)
        weights = real**2 + imag**2
        # Every device adds its weight to a table of zeros: no gather.
        device = device_index(STATE)
        own = jnp.arange(2**num_outer) == device
        table = jax.lax.psum(jnp.where(own, jnp.sum(weights), 0), STATE)
        chosen = draw(outer_key, table, shots)
        found = draw(jax.random.fold_in(inner_key, device), weights, shots)
        inner = jax.lax.psum(jnp.where(chosen == device, found, 0), STATE)
        num_inner = weights.shape[0].bit_length() - 1
        each = index_to_bits(chosen, num_outer), index_to_bits(inner, num_inner)
        return jnp.concatenate(each, axis=1)

    return jax.shard_map(
        shard,
        mesh=mesh,
        in_specs=(PartitionSpec(), PartitionSpec(STATE)),
        out_specs=PartitionSpec(),
        check_vma=False,
    )(key, numbers)
