"""Cases of `tests.lowering`: sharded states, on the one device that there is."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import parallel, simulate
from qjax.circuits import Circuit, hardware_efficient, ising, pauli, ry
from qjax.states import StateVector

ANGLES = np.full((3, 4, 2), 0.3, np.float32)
KEY = jax.random.key(7)


def _gradient(angles: Any) -> Any:
    mesh = parallel.device_mesh(1)

    def energy(angles: Any, scale: Any) -> Any:
        zeros = parallel.ShardedState.zeros(4, mesh)
        final = parallel.run(hardware_efficient(angles), zeros)
        return parallel.expectation(final, ising(4, scale, 0.5))

    return jax.value_and_grad(energy, argnums=(0, 1))(angles, angles[0, 0, 0])


def _sample(key: Any) -> Any:
    zeros = StateVector.zeros(4)
    state = parallel.ShardedState.scatter(zeros, parallel.device_mesh(1))
    return parallel.sample(key, state, 8), state.norm(), state.gather()


def _side_by_side(key: Any, angles: Any) -> Any:
    mesh, zero = parallel.device_mesh(1), StateVector.zeros(1)

    def one(angle: Any) -> Any:
        return simulate.run(Circuit([ry(angle, 0)], 1), zero).probabilities()

    circuit = Circuit([ry(angles[0, 0, 0], 0)], 1)
    mean = parallel.average_trajectories(key, circuit, zero, pauli("Z", 0), 4, mesh)
    return parallel.map_batch(one, mesh)(jnp.ravel(angles)), mean


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sharded gradient": (_gradient, (ANGLES,)),
    "sharded samples": (_sample, (KEY,)),
    "batches and trajectories on devices": (_side_by_side, (KEY, ANGLES)),
}

MODULES = (parallel,)

EXCLUDED = {
    "join_cluster": "connects processes, before any array",
    "process_pool": "starts processes",
}
