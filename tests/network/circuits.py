"""Circuits for the tests of networks."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax.circuits import Circuit, cz, ry, rz


def angles(*shape: int, seed: int = 0) -> Array:
    """Random angles, two for each entry of a shape (layers, wires)."""
    values = np.random.default_rng(seed).uniform(-np.pi, np.pi, (*shape, 2))
    return jnp.asarray(values, jnp.float32)


def brickwork(angles: Array | Any) -> Circuit:
    """Random RY and RZ on every wire, then CZ on alternating links, layer by layer."""
    operations = []
    for layer, row in enumerate(angles):
        for wire in range(row.shape[0]):
            operations += [ry(row[wire, 0], wire), rz(row[wire, 1], wire)]
        links = range(layer % 2, row.shape[0] - 1, 2)
        operations += [cz(wire, wire + 1) for wire in links]
    return Circuit(operations, angles.shape[1])


def grid(angles: Array | Any, side: int) -> Circuit:
    """The same on a square grid: horizontal and vertical links in turn."""
    operations = []
    for layer, row in enumerate(angles):
        for wire in range(side**2):
            operations += [ry(row[wire, 0], wire), rz(row[wire, 1], wire)]
        down, first = layer % 2, layer // 2 % 2
        for wire in range(side**2):
            place = (wire % side, wire // side)[down]
            if place % 2 == first and place + 1 < side:
                operations.append(cz(wire, wire + (side if down else 1)))
    return Circuit(operations, side**2)
