"""Independent work side by side: batches, shots and trajectories over devices."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, PyTree

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.circuits.circuit import Circuit
from qjax.parallel.mesh import DATA, STATE, count_devices
from qjax.simulate.average import Observables, sampled_values
from qjax.states.base import AbstractState
from qjax.statistics import Estimate, mean_and_stderr, score_function_mean


def map_batch(
    function: Callable[[Any], PyTree], mesh: Mesh
) -> Callable[[PyTree], PyTree]:
    """Return `jax.vmap(function)` with an equal share of the batch on every device.

    Devices along both axes of the mesh work independently: none waits for another. What
    the function closes over is copied to all; gradients with respect to it are summed.

    Args:
        function: Maps one example, a pytree, to a pytree. For shots, map keys.
        mesh: D devices.

    Returns:
        A function of a pytree with a leading axis of length B, a multiple of D.

    Raises:
        ValueError: If B is no multiple of D.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax import parallel
        >>> doubled = parallel.map_batch(lambda x: 2 * x, parallel.device_mesh(1))
        >>> doubled(jnp.asarray([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """
    count = count_devices(mesh, DATA) * count_devices(mesh, STATE)
    spec = PartitionSpec((DATA, STATE))

    def mapped(batch: PyTree) -> PyTree:
        size = jax.tree.leaves(batch)[0].shape[0]
        rule = f"have a leading axis of a multiple of {count}, the devices"
        require(size % count == 0, "batch", rule, f"one of {size}")
        return jax.jit(
            jax.shard_map(
                jax.vmap(function),
                mesh=mesh,
                in_specs=spec,
                out_specs=spec,
                check_vma=False,
            )
        )(batch)

    return mapped


def average_trajectories(
    key: Key,
    circuit: Circuit,
    state: AbstractState,
    observable: Observables,
    num_trajectories: int,
    mesh: Mesh,
    *,
    shots: int | None = None,
    batch_size: int | None = None,
) -> Estimate:
    """Estimate Tr(O E(rho)) by trajectories on all devices, with an unbiased gradient.

    Device d of D takes trajectories d N / D .. (d + 1) N / D. What they are does not
    depend on D: mean, error and gradient are those of
    `qjax.simulate.average_trajectories` with the same key, to rounding.

    Args:
        key: JAX random key; trajectory i uses `fold_in(key, i)`.
        circuit: Circuit of n wires, noisy or not.
        state: Initial state of n wires; every device holds whole states.
        observable: O, or a sequence of t of them.
        num_trajectories: N, a multiple of D.
        mesh: D devices, along both axes.
        shots: Measurements of O on each final state; None for its exact expectation.
        batch_size: Trajectories that a device does at the same time.

    Returns:
        Estimate, the same on all devices.

    Raises:
        ValueError: If a number is below 1, N is no multiple of D, or the widths differ.

    Source: as `qjax.simulate.average_trajectories`.

    Example:
        >>> import jax
        >>> from qjax import parallel
        >>> from qjax.circuits import Circuit, h, pauli
        >>> from qjax.states import StateVector
        >>> mesh, circuit = parallel.device_mesh(1), Circuit([h(0)], 1)
        >>> key, zero = jax.random.key(1), StateVector.zeros(1)
        >>> found = parallel.average_trajectories(
        ...     key, circuit, zero, pauli("X", 0), 10, mesh)
        >>> round(float(found.mean), 5)
        1.0
    """
    check_shots(num_trajectories, "num_trajectories")
    count = count_devices(mesh, DATA) * count_devices(mesh, STATE)
    rule = f"be a multiple of {count}, the devices"
    fits = num_trajectories % count == 0
    require(fits, "num_trajectories", rule, num_trajectories)
    share = num_trajectories // count

    def values(first: Array, given: PyTree) -> tuple[Array, Array]:
        key, circuit, state, observable = given
        return sampled_values(
            key,
            circuit,
            state,
            observable,
            first[0],
            shots=shots,
            number=share,
            batch_size=batch_size,
        )

    spec = PartitionSpec((DATA, STATE))
    first = share * jnp.arange(count, dtype=jnp.int32)
    given = jax.tree.map(jnp.asarray, (key, circuit, state, observable))
    # Means over the devices' values are all that passes between them.
    sampled, log_probs = jax.jit(
        jax.shard_map(
            values,
            mesh=mesh,
            in_specs=(spec, PartitionSpec()),
            out_specs=spec,
            check_vma=False,
        )
    )(first, given)
    return _estimate(sampled, log_probs, num_trajectories * (shots or 1))


def _estimate(values: Array, log_probs: Array, shots: int) -> Estimate:
    @jax.jit
    def moments(values: Array, log_probs: Array) -> tuple[Array, Array]:
        spread = mean_and_stderr(jax.lax.stop_gradient(values))
        return score_function_mean(values, log_probs), spread.stderr

    mean, stderr = moments(values, log_probs)
    return Estimate(mean, stderr, shots)
