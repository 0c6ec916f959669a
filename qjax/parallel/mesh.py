"""Meshes of devices: one axis for the pieces of a state, one for independent work."""

import jax
import numpy as np
from jax.sharding import Mesh

from qjax._checks import require

STATE = "state"
"""Mesh axis along which a state is spread; its length is a power of two."""

DATA = "data"
"""Mesh axis of what is independent: batches, trajectories, shots."""


def device_mesh(state: int | None = None, data: int = 1) -> Mesh:
    """Arrange devices for states in `state` pieces, `data` of them side by side.

    Args:
        state: Devices that share a state, a power of two; by default all there are for
            each of the `data` groups. After `join_cluster`, those of all processes.
        data: Devices, or groups of them, that work independently.

    Returns:
        Mesh with axes "data" and "state". A group is made of neighbours: on a cluster,
        the devices of one process come first.

    Raises:
        ValueError: If a number is no power of two or below 1, or there are not so many
            devices.

    Example:
        >>> from qjax.parallel import device_mesh
        >>> dict(device_mesh(1).shape)
        {'data': 1, 'state': 1}
    """
    devices = jax.devices()
    require(data >= 1, "data", "be at least 1", data)
    if state is None:
        state = len(devices) // data
    power = state >= 1 and state & (state - 1) == 0
    require(power, "state", "be a power of two", state)
    rule = f"take at most the {len(devices)} devices there are"
    fits = data * state <= len(devices)
    require(fits, "state", rule, f"{data * state} in all")
    return Mesh(np.asarray(devices[: data * state]).reshape(data, state), (DATA, STATE))


def count_devices(mesh: Mesh, axis: str) -> int:
    """Return the devices along an axis of a mesh, checked for what a state needs."""
    rule = f'have an axis "{axis}", as from `device_mesh`'
    require(axis in mesh.shape, "mesh", rule, f"one with axes {mesh.axis_names}")
    count = mesh.shape[axis]
    power = axis != STATE or count & (count - 1) == 0
    rule = f'have a power of two of devices along "{axis}"'
    require(power, "mesh", rule, f"one with {count}")
    return count
