"""State vectors spread over devices."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from qjax._checks import require
from qjax._memory import require_state_fits
from qjax._types import Wires
from qjax.parallel.mesh import STATE, count_devices
from qjax.states.vector import StateVector


class ShardedState(eqx.Module):
    """A pure state of n wires over the 2^g devices of a mesh's axis "state".

    Device d holds the 2^(n - g) amplitudes in which the first g wires of `order` spell
    d, so that no device ever sees the whole state.

    Attributes:
        numbers: Real parts, then imaginary parts of every shard, shape
            (2^g, 2^(n - g + 1)), real; sharded along the first axis. Leaf.
        order: The wires, outer ones first: row and column index in binary. Static.
        mesh: The devices. Static.

    Raises:
        ValueError: If the shape does not fit the mesh, or g > n - g.

    Example:
        >>> from qjax.parallel import ShardedState, device_mesh
        >>> state = ShardedState.zeros(3, device_mesh(1))
        >>> state.num_wires, state.gather().probabilities().shape
        (3, (2, 2, 2))
    """

    numbers: Float[Array, "devices size"]
    order: Wires = eqx.field(static=True, converter=tuple)
    mesh: Mesh = eqx.field(static=True)

    def __check_init__(self):
        outer = check_outer(len(self.order), self.mesh)
        shape = (2**outer, 2 ** (len(self.order) - outer + 1))
        found = self.numbers.shape
        require(found == shape, "numbers", f"have shape {shape}", f"of shape {found}")

    @classmethod
    def zeros(cls, num_wires: int, mesh: Mesh, dtype: np.dtype | type | None = None):
        """Return |0...0>, by default in JAX's complex dtype at the time of the call.

        Raises:
            ValueError: If a shard does not fit into a device's memory, or there are
                more outer wires than inner ones.
        """
        outer = check_outer(num_wires, mesh)
        dtype = complex if dtype is None else dtype
        size = 2 ** (num_wires - outer)
        require_state_fits("A shard of a state", num_wires - outer, size, dtype)
        real = jnp.finfo(jax.dtypes.canonicalize_dtype(dtype)).dtype
        return cls(_zeros(mesh, 2 * size, np.dtype(real)), range(num_wires), mesh)

    @classmethod
    def scatter(cls, state: StateVector, mesh: Mesh):
        """Spread a state vector over the devices."""
        outer = check_outer(state.num_wires, mesh)
        rows = state.amplitudes.reshape(2**outer, -1)
        numbers = jnp.concatenate([rows.real, rows.imag], axis=1)
        spread = jax.lax.with_sharding_constraint(numbers, sharding(mesh))
        return cls(spread, range(state.num_wires), mesh)

    @property
    def num_wires(self) -> int:
        return len(self.order)

    @property
    def num_outer(self) -> int:
        """Number g of wires that are spelled by the number of the device."""
        return check_outer(self.num_wires, self.mesh)

    @property
    def dtype(self) -> np.dtype:
        return np.result_type(self.numbers.dtype, np.complex64)

    def gather(self) -> StateVector:
        """Return the whole state on every device: for states that one device holds."""
        return StateVector(_gathered(self.mesh, self.order, self.numbers))

    def norm(self) -> Float[Array, ""]:
        """Return the Euclidean norm."""
        return jnp.sqrt(jnp.sum(self.numbers**2))


def check_outer(num_wires: int, mesh: Mesh) -> int:
    """Return the number of outer wires, or raise if they outnumber the inner ones."""
    outer = count_devices(mesh, STATE).bit_length() - 1
    rule = f"be at least {2 * outer}, twice the outer wires of {2**outer} devices"
    require(num_wires >= max(2 * outer, 1), "num_wires", rule, num_wires)
    return outer


def sharding(mesh: Mesh) -> NamedSharding:
    """Return the sharding of a state's numbers."""
    return NamedSharding(mesh, PartitionSpec(STATE))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _zeros(mesh: Mesh, size: int, dtype: np.dtype) -> Array:
    def shard() -> Array:
        first = jax.lax.axis_index(STATE) == 0
        place = jax.lax.iota(np.int32, size) == 0
        return (first & place).astype(dtype)[None]

    spec = PartitionSpec(STATE)
    return jax.shard_map(
        shard, mesh=mesh, in_specs=(), out_specs=spec, check_vma=False
    )()


@functools.partial(jax.jit, static_argnums=(0, 1))
def _gathered(mesh: Mesh, order: Wires, numbers: Array) -> Array:
    whole = NamedSharding(mesh, PartitionSpec())
    numbers = jax.lax.with_sharding_constraint(numbers, whole)
    amplitudes = jax.lax.complex(*jnp.split(numbers, 2, axis=1))
    places = [order.index(wire) for wire in range(len(order))]
    return amplitudes.reshape((2,) * len(order)).transpose(places)
