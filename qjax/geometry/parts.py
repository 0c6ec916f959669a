"""Circuits as parts: repeated layers whose rotations are to be differentiated."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax.circuits.circuit import Circuit, Repeat, unroll
from qjax.circuits.gates import GATES
from qjax.circuits.operation import AbstractOperation, AbstractUnitary, Gate
from qjax.geometry.words import generator, is_rotation

Jacobian = Float[np.ndarray, "..."] | Float[Array, "..."]


class Part(eqx.Module):
    """A layer done `depth` times; every leaf has a leading depth axis.

    Attributes:
        body: Unitary operations, no Repeat among them.
        depth: Number of layers. Static.
        sites: Positions of the rotations that depend on the parameters. Static.
        jacobian: Derivatives of their angles, shape (depth, sites, p).
    """

    body: Circuit
    depth: int = eqx.field(static=True)
    sites: tuple[int, ...] = eqx.field(static=True, default=())
    jacobian: Jacobian | None = None

    def cut(self, first: int, last: int) -> "Part":
        """Return the layers first .. last."""
        one = self.jacobian
        body = jax.tree.map(lambda leaf: leaf[first:last], self.body)
        kept = None if one is None else one[first:last]
        return Part(body, last - first, self.sites, kept)

    def cut_body(self, first: int, last: int) -> "Part":
        """Return the operations first .. last of a single layer."""
        inside = [i for i, site in enumerate(self.sites) if first <= site < last]
        body = Circuit(self.body.operations[first:last], self.body.num_wires)
        sites = tuple(self.sites[i] - first for i in inside)
        assert self.jacobian is not None
        return Part(body, self.depth, sites, self.jacobian[:, np.asarray(inside, int)])


def parts_of(circuit: Circuit) -> list[Part]:
    """Write a unitary circuit as parts; a general one-wire gate as three rotations."""
    parts: list[Part] = []
    run: list[AbstractOperation] = []

    def close() -> None:
        if run:
            layer = _elementary(Circuit(tuple(run), circuit.num_wires))
            body = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], layer)
            parts.append(Part(body, 1))
            run.clear()

    for operation in circuit.operations:
        if isinstance(operation, Repeat):
            close()
            stacked = jax.tree.map(jnp.asarray, operation.body)
            body = jax.vmap(_elementary, axis_size=operation.depth)(stacked)
            parts.append(Part(body, operation.depth))
        elif isinstance(operation, AbstractUnitary):
            run.append(operation)
        else:
            raise TypeError(
                "Argument `builder` must return a unitary circuit, "
                f"but its circuit has {operation.name}."
            )
    close()
    return parts


def _elementary(layer: Circuit) -> Circuit:
    operations: list[AbstractOperation] = []
    for operation in unroll(layer).operations:
        if not isinstance(operation, AbstractUnitary):
            raise TypeError(
                "Argument `builder` must return a unitary circuit, "
                f"but its circuit has {operation.name}."
            )
        if isinstance(operation, Gate) and operation.spec == GATES["U3"]:
            # U3(t, p, l) = RZ(p) RY(t) RZ(l) up to a phase, which no metric sees.
            turns = (("RZ", 2), ("RY", 0), ("RZ", 1))
            params = jnp.asarray(operation.params)
            operations += [
                Gate(params[i : i + 1], operation.wires, GATES[name])
                for name, i in turns
            ]
        else:
            operations.append(operation)
    return Circuit(operations, layer.num_wires)


def leaves_of(parts: Sequence[Part]) -> tuple[list[Any], list[Any]]:
    """Return the angles of all rotations, each of shape (depth,), and other leaves."""
    angles, others = [], []
    for part in parts:
        for operation in part.body.operations:
            leaves = jax.tree.leaves(operation)
            if _has_words(operation, part.body.num_wires):
                angles.append(leaves[0][:, 0])
            else:
                others += leaves
    return angles, others


def with_sites(
    parts: Sequence[Part], moving: Sequence[bool], jacobian: Jacobian
) -> list[Part]:
    """Mark the rotations that move, in the order of `leaves_of`.

    Args:
        parts: Parts of a circuit.
        moving: Whether an angle depends on the parameters, for each rotation.
        jacobian: Derivatives of those that do, one after the other: (m, p).
    """
    result, flags, row = [], iter(moving), 0
    for part in parts:
        sites = tuple(
            position
            for position, operation in enumerate(part.body.operations)
            if _has_words(operation, part.body.num_wires) and next(flags)
        )
        stop = row + part.depth * len(sites)
        own = jacobian[row:stop].reshape(len(sites), part.depth, jacobian.shape[1])
        result.append(Part(part.body, part.depth, sites, own.swapaxes(0, 1)))
        row = stop
    return result


def _has_words(operation: AbstractOperation, num_wires: int) -> bool:
    return is_rotation(operation) and generator(operation, num_wires) is not None


def halves(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Cut a circuit in time, so that both halves have about as many derivatives."""
    wanted = sum(part.depth * len(part.sites) for part in parts) / 2
    first: list[Part] = []
    for position, part in enumerate(parts):
        size = part.depth * len(part.sites)
        if size < wanted:
            wanted -= size
            first.append(part)
            continue
        second = list(parts[position + 1 :])
        if part.depth > 1:
            cut = round(wanted / len(part.sites)) if part.sites else part.depth
            pieces = (part.cut(0, cut), part.cut(cut, part.depth))
        else:
            ends = (*part.sites, len(part.body.operations))
            cut = ends[round(wanted)]
            pieces = (part.cut_body(0, cut), part.cut_body(cut, ends[-1]))
        first += [pieces[0]] if pieces[0].depth else []
        return first, ([pieces[1]] if pieces[1].depth else []) + second
    return first, []


@dataclasses.dataclass(frozen=True)
class Columns:
    """The derivatives of one layer that are worth computing.

    Attributes:
        groups: For each column, sites and weights of those that move as one.
        jacobian: Derivatives of the columns' angles, shape (depth, columns, p).
    """

    groups: tuple[tuple[tuple[int, float], ...], ...]
    jacobian: Jacobian


def columns_of(part: Part, order: Sequence[int]) -> Columns:
    """Join sites whose angles are the same parameters in every layer, up to a factor.

    Args:
        part: Part with sites.
        order: Its sites in the order wanted for the columns.
    """
    assert part.jacobian is not None
    rows = [part.sites.index(site) for site in order]
    jacobian = part.jacobian[:, np.asarray(rows, int)]
    if not isinstance(jacobian, np.ndarray):
        return Columns(tuple(((site, 1.0),) for site in order), jacobian)
    groups: dict[bytes, list[tuple[int, float]]] = {}
    kept: list[np.ndarray] = []
    for i, site in enumerate(order):
        moves = jacobian[:, i]
        weight = moves.flat[np.argmax(moves != 0)]
        if weight == 0:
            continue
        unit = np.round(moves / weight, 12) + 0.0
        if unit.tobytes() not in groups:
            kept.append(unit)
        groups.setdefault(unit.tobytes(), []).append((site, float(weight)))
    shape = (part.depth, len(kept), jacobian.shape[-1])
    stacked = np.stack(kept, axis=1) if kept else np.zeros(shape)
    return Columns(tuple(tuple(group) for group in groups.values()), stacked)
