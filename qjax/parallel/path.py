"""Paths: a route with a program for every segment, run and undone on each device."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from qjax.circuits.circuit import Circuit
from qjax.parallel.route import Arrange, Exchange, Loop, Route
from qjax.plan import CostModel, Layout, Program, plan, program_matrices
from qjax.plan.alone import by_itself
from qjax.plan.arrays import relayout
from qjax.plan.executor import apply_program, pull_back_program

Numbers = Float[Array, " size"]


@dataclasses.dataclass(frozen=True)
class Turns:
    """A path done `depth` times."""

    depth: int
    body: "Path"


@dataclasses.dataclass(frozen=True)
class Path:
    """What is static about running a circuit on the devices: hashable."""

    num_outer: int
    axis_name: str
    parts: tuple[Program | Exchange | Arrange | Turns, ...]


def plan_path(
    route: Route,
    circuits: PyTree[Circuit],
    layout: Layout,
    cost: CostModel,
    num_outer: int,
    axis_name: str,
) -> Path:
    """Plan every circuit of `local_circuits` for a shard; numbers do not count."""
    parts: list[Program | Exchange | Arrange | Turns] = []
    for part, own in zip(route.parts, circuits, strict=True):
        if isinstance(part, Exchange | Arrange):
            parts.append(part)
        elif isinstance(part, Loop):
            body = plan_path(part.body, own, layout, cost, num_outer, axis_name)
            parts.append(Turns(part.depth, body))
        else:
            parts.append(plan(own, layout, cost))
    return Path(num_outer, axis_name, tuple(parts))


def path_matrices(path: Path, circuits: PyTree[Circuit], dtype: np.dtype) -> PyTree:
    """Build the matrices of every program; those of loops get a leading depth axis."""
    built: list[PyTree] = []
    for part, own in zip(path.parts, circuits, strict=True):
        if isinstance(part, Program):
            built.append(program_matrices(part, own, dtype))
        elif isinstance(part, Turns):
            build = functools.partial(path_matrices, part.body, dtype=dtype)
            built.append(jax.vmap(build, axis_size=part.depth)(own))
        else:
            built.append(())
    return tuple(built)


def apply_path(path: Path, matrices: Sequence[PyTree], numbers: Numbers) -> Numbers:
    """Run a path on the numbers of one shard, inside `jax.shard_map`."""
    for part, own in zip(path.parts, matrices, strict=True):
        if isinstance(part, Program):
            numbers = apply_program(part, own, numbers, alone=always(path.axis_name))
        elif isinstance(part, Turns):
            numbers, _ = jax.lax.scan(
                lambda carry, layer, p=part: (apply_path(p.body, layer, carry), None),
                numbers,
                own,
                length=part.depth,
            )
        else:
            numbers = _move(part, path, numbers)
    return numbers


def pull_back_path(
    path: Path, matrices: Sequence[PyTree], numbers: Numbers, cotangent: Numbers
) -> tuple[Numbers, Numbers, PyTree]:
    """Undo a path: the numbers before it, their cotangent, the matrices' ones.

    No state is kept, however deep the path is.

    Source: Jones and Gacon, arXiv:2009.02823.
    """
    gradients: list[PyTree] = []
    for part, own in zip(reversed(path.parts), reversed(matrices), strict=True):
        found: PyTree = ()
        if isinstance(part, Program):
            numbers, cotangent, found = pull_back_program(
                part, own, numbers, cotangent, alone=always(path.axis_name)
            )
        elif isinstance(part, Turns):

            def back(carry: tuple[Numbers, Numbers], layer: PyTree, p: Turns = part):
                before, pulled, gradient = pull_back_path(p.body, layer, *carry)
                return (before, pulled), gradient

            (numbers, cotangent), found = jax.lax.scan(
                back, (numbers, cotangent), own, length=part.depth, reverse=True
            )
        else:
            numbers, cotangent = (
                _move(part, path, each, back=True) for each in (numbers, cotangent)
            )
        gradients.append(found)
    return numbers, cotangent, tuple(reversed(gradients))


def _move(
    step: Exchange | Arrange, path: Path, numbers: Numbers, back: bool = False
) -> Numbers:
    """Do what is no arithmetic; an exchange is its own inverse and transpose."""
    if isinstance(step, Exchange):
        return exchange(step, path.num_outer, path.axis_name, numbers)
    layout = Layout(len(step.old))
    old, new = (step.new, step.old) if back else (step.old, step.new)
    return relayout(layout.axes(old), layout.axes(new), 1, False, numbers)


def always(axis_name: str) -> Bool[Array, ""]:
    """Return True, which XLA does not know."""
    return device_index(axis_name) >= 0


def exchange(
    step: Exchange, num_outer: int, axis_name: str, numbers: Numbers
) -> Numbers:
    """Swap the places of an outer and an inner wire.

    A device whose outer bit is b keeps the half of its shard in which the inner bit is
    b, and changes the other half with the device whose outer bit is 1 - b.
    """
    shift = num_outer - 1 - step.outer
    bit = device_index(axis_name) >> shift & 1
    view = numbers.reshape(2 ** (1 + step.inner), 2, -1)  # the carry is in front

    def swap(view: Array) -> Array:
        half = jax.lax.dynamic_index_in_dim(view, 1 - bit, 1, keepdims=False)
        return send(half, 1 << shift, num_outer, axis_name)

    half = by_itself(always(axis_name), swap, view)
    return jax.lax.dynamic_update_index_in_dim(view, half, 1 - bit, 1).reshape(-1)


def send(array: Array, flip: int, num_outer: int, axis_name: str) -> Array:
    """Give every device the array of the one whose number differs in bits `flip`."""
    pairs = [(device, device ^ flip) for device in range(2**num_outer)]
    return jax.lax.ppermute(array, axis_name, pairs)


def device_index(axis_name: str) -> Int[Array, ""]:
    """Return the number of this device along the mesh axis."""
    return jax.lax.axis_index(axis_name)
