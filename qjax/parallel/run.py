"""Running unitary circuits on sharded states, with the adjoint rule for gradients."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits.circuit import Circuit
from qjax.circuits.operation import AbstractUnitary, walk
from qjax.parallel.local import local_circuits
from qjax.parallel.mesh import STATE
from qjax.parallel.path import (
    Path,
    apply_path,
    device_index,
    path_matrices,
    plan_path,
    pull_back_path,
)
from qjax.parallel.route import Route, group_layers, plan_route
from qjax.parallel.state import ShardedState
from qjax.plan import CostModel, Layout, default_cost_model
from qjax.simulate.gates import check_fit

Numbers = Float[Array, "devices size"]


@dataclasses.dataclass(frozen=True)
class _Setting:
    """What is static about a run."""

    route: Route
    order: Wires
    mesh: Mesh
    num_outer: int
    cost: CostModel


_LARGEST_SMALL_SHARD = 15
"""Inner wires up to which layers go one by one: more take longer to compile than an
exchange of so little takes."""

_LAYERS = 4


def run(
    circuit: Circuit,
    state: ShardedState,
    *,
    layers: int | None = None,
    cost_model: CostModel | None = None,
) -> ShardedState:
    """Apply a circuit to a state that is spread over devices: |psi> -> U |psi>.

    Gates on inner wires act on each shard as `qjax.simulate.run` does by blocks; for
    others, an outer wire changes places with an inner one and half of every shard goes
    to one other device (`plan_route`). Controls and diagonal gates never communicate.
    Wires stay where they are at the end: `ShardedState.order` says where.

    Reverse-mode differentiation computes the states back from the last one and keeps
    none: what grows with depth are the matrices of the blocks, whatever the number of
    wires of a shard. There is no forward mode.

    Args:
        circuit: Circuit of n wires, of unitary operations. Angles may be traced; they
            are the same on all devices.
        state: State of n wires; its dtype is the dtype of the computation.
        layers: Layers of a `Repeat` that may be planned together, at least 1: the more,
            the fewer exchanges, and the longer it takes to compile. By default 4, or 1
            on shards of up to 15 wires.
        cost_model: What the blocks are chosen by, as in `qjax.simulate.run`.

    Returns:
        State on the same devices.

    Raises:
        ValueError: If the widths differ or an operation is wider than a shard.
        TypeError: If an operation is not unitary.

    Source: De Raedt et al., Comput. Phys. Commun. 176, 121 (2007), section 5.

    Example:
        >>> from qjax import parallel
        >>> from qjax.circuits import Circuit, cx, h
        >>> state = parallel.ShardedState.zeros(2, parallel.device_mesh(1))
        >>> bell = parallel.run(Circuit([h(0), cx(0, 1)], 2), state)
        >>> [round(float(p), 3) for p in bell.gather().probabilities().ravel()]
        [0.5, 0.0, 0.0, 0.5]
    """
    check_fit(circuit, state)
    for operation in walk(circuit.operations):
        if not isinstance(operation, AbstractUnitary):
            raise TypeError(
                "Argument `circuit` must be unitary on a ShardedState, "
                f"but has {operation.name}; use `parallel.average_trajectories`."
            )
    if cost_model is None:
        name = state.numbers.dtype.name
        cost_model = default_cost_model(jax.default_backend(), name)
    outer = state.num_outer
    if layers is None:
        small = state.num_wires - outer <= _LARGEST_SMALL_SHARD
        layers = 1 if small else _LAYERS
    require(layers >= 1, "layers", "be at least 1", layers)
    circuit = group_layers(circuit, state.order, outer, layers)
    route = plan_route(circuit, state.order, outer)
    setting = _Setting(route, state.order, state.mesh, outer, cost_model)
    numbers = _run(setting, jax.tree.map(jnp.asarray, circuit), state.numbers)
    return ShardedState(numbers, route.end, state.mesh)


@functools.partial(jax.jit, static_argnums=0)
def _run(setting: _Setting, circuit: Circuit, numbers: Numbers) -> Numbers:
    return _undoable(setting, circuit, numbers)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _undoable(setting: _Setting, circuit: Circuit, numbers: Numbers) -> Numbers:
    return _on_shards(setting, circuit, numbers)


def _on_shards(setting: _Setting, circuit: Circuit, numbers: Numbers) -> Numbers:
    def shard(circuit: Circuit, numbers: Numbers) -> Numbers:
        path, matrices = _prepare(setting, circuit, numbers.dtype)
        return apply_path(path, matrices, numbers[0])[None]

    spec = PartitionSpec(STATE)
    return jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(PartitionSpec(), spec),
        out_specs=spec,
        check_vma=False,
    )(circuit, numbers)


def _undoable_forward(
    setting: _Setting, circuit: Circuit, numbers: Numbers
) -> tuple[Numbers, tuple[Circuit, Numbers]]:
    final: Numbers = _on_shards(setting, circuit, numbers)
    return final, (circuit, final)


def _undoable_backward(
    setting: _Setting, residuals: tuple[Circuit, Numbers], cotangent: Numbers
) -> tuple[Circuit, Numbers]:
    def shard(
        circuit: Circuit, numbers: Numbers, cotangent: Numbers
    ) -> tuple[Circuit, Numbers]:
        real = numbers.dtype
        path, _ = _prepare(setting, circuit, real)
        matrices, pull = jax.vjp(lambda c: _prepare(setting, c, real)[1], circuit)
        _, pulled, gradients = pull_back_path(path, matrices, numbers[0], cotangent[0])
        (gradient,) = pull(gradients)
        return _sum(gradient), pulled[None]

    spec = PartitionSpec(STATE)
    return jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(PartitionSpec(), spec, spec),
        out_specs=(PartitionSpec(), spec),
        check_vma=False,
    )(*residuals, cotangent)


_undoable.defvjp(_undoable_forward, _undoable_backward)


def _prepare(
    setting: _Setting, circuit: Circuit, dtype: np.dtype
) -> tuple[Path, PyTree]:
    """Plan the shard's programs and build their matrices, on each device its own."""
    index: Int[Array, ""] = device_index(STATE)
    outer = setting.num_outer
    circuits = local_circuits(setting.route, circuit, outer, index)
    layout = Layout(circuit.num_wires - outer)
    path = plan_path(setting.route, circuits, layout, setting.cost, outer, STATE)
    return path, path_matrices(path, circuits, dtype)


def _sum(tree: PyTree) -> PyTree:
    """Sum over the devices, all leaves of a dtype in one message."""
    leaves, structure = jax.tree.flatten(tree)
    for dtype in {leaf.dtype for leaf in leaves}:
        own = [i for i, leaf in enumerate(leaves) if leaf.dtype == dtype]
        flat, unravel = ravel_pytree([leaves[i] for i in own])
        if flat.size:
            summed = unravel(jax.lax.psum(flat, STATE))
            for i, leaf in zip(own, summed, strict=True):
                leaves[i] = leaf
    return jax.tree.unflatten(structure, leaves)
