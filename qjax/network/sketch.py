"""Circuits as networks whose tensors are still only places in stacks."""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._types import Wires
from qjax.circuits.operation import AbstractOperation
from qjax.network.cone import is_swap
from qjax.network.network import Indices
from qjax.network.tensors import Part, Stacks

Steps = Sequence[tuple[AbstractOperation, tuple[Part, ...]]]
"""Operations in time order, with their tensors."""


@dataclasses.dataclass(frozen=True)
class Leaf:
    """Where a tensor comes from: stack, place in it, and whether it is conjugated."""

    stack: Hashable
    row: int
    conjugate: bool = False


@dataclasses.dataclass(frozen=True)
class Insertion:
    """A part of an observable: axes (bra, ket) of its wires, or once where diagonal."""

    leaf: Leaf
    wires: Wires
    diagonal: bool


@dataclasses.dataclass(frozen=True)
class Sketch:
    """A network without numbers."""

    leaves: tuple[Leaf, ...]
    indices: tuple[Indices, ...]
    output: Indices

    @property
    def structure(self) -> Hashable:
        """What two sketches must share to be contracted as one batch."""
        names = tuple((leaf.stack, leaf.conjugate) for leaf in self.leaves)
        return names, self.indices, self.output


class _Assembly:
    """Leaves and indices so far, and the index that each wire has at present."""

    def __init__(self):
        self.leaves: list[Leaf] = []
        self.indices: list[Indices] = []
        self._count = 0

    def fresh(self) -> int:
        self._count += 1
        return self._count - 1

    def add(self, leaf: Leaf, indices: Sequence[int]) -> None:
        self.leaves.append(leaf)
        self.indices.append(tuple(indices))

    def evolve(
        self, steps: Steps, wires: Sequence[int], bonds: dict, conjugate: bool
    ) -> dict[int, int]:
        """Add start and operations; return the index of each wire at the end.

        `bonds` holds the joint bonds of one copy for its conjugate.
        """
        current = {}
        for wire in wires:
            current[wire] = self.fresh()
            self.add(Leaf("start", wire), (current[wire],))
        for time, (operation, parts) in enumerate(steps):
            if is_swap(operation):
                a, b = operation.wires
                current[a], current[b] = current[b], current[a]
            own: dict[int, int] = {}
            for part in parts:
                names = [
                    bonds.setdefault((time, bond), self.fresh())
                    if part.joint
                    else own.setdefault(bond, self.fresh())
                    for bond in part.bonds
                ]
                names += [current[wire] for wire in part.kept]
                before = [current[wire] for wire in part.moved]
                current |= {wire: self.fresh() for wire in part.moved}
                names += [current[wire] for wire in part.moved] + before
                self.add(Leaf(part.stack, part.row, conjugate), names)
        return current

    def rename(self, names: Mapping[int, int]) -> None:
        self.indices = [tuple(names.get(i, i) for i in own) for own in self.indices]

    def sketch(self, output: Sequence[int]) -> Sketch:
        return Sketch(tuple(self.leaves), tuple(self.indices), tuple(output))


def sketch_vector(steps: Steps, num_wires: int, closed: bool) -> Sketch:
    """U |start>: one output index for each wire, or <bits| U |start> where closed."""
    assembly = _Assembly()
    final = assembly.evolve(steps, range(num_wires), {}, conjugate=False)
    if not closed:
        return assembly.sketch([final[wire] for wire in range(num_wires)])
    for wire in range(num_wires):
        assembly.add(Leaf("bits", wire), (final[wire],))
    return assembly.sketch(())


def sketch_average(
    steps: Steps,
    insertions: Sequence[Insertion],
    probabilities_of: Wires = (),
    reduced_to: Wires = (),
) -> Sketch:
    """Tr(O rho) for O a product of insertions, with the axes of some wires left open.

    Args:
        steps: What the insertions and open wires see, in time order.
        insertions: Parts of O on different wires.
        probabilities_of: Wires open once: the diagonal of their reduced matrix.
        reduced_to: Wires open twice: output axes of all rows, then of all columns.
    """
    wires = {wire for operation, _ in steps for wire in operation.wires}
    wires |= {wire for part in insertions for wire in part.wires}
    wires |= {*probabilities_of, *reduced_to}
    assembly, bonds = _Assembly(), {}
    ket = assembly.evolve(steps, sorted(wires), bonds, conjugate=False)
    bra = assembly.evolve(steps, sorted(wires), bonds, conjugate=True)
    apart = {wire for part in insertions if not part.diagonal for wire in part.wires}
    apart |= set(reduced_to)
    for part in insertions:
        names = [ket[wire] for wire in part.wires]
        if not part.diagonal:
            names = [bra[wire] for wire in part.wires] + names
        assembly.add(part.leaf, names)
    assembly.rename({bra[wire]: ket[wire] for wire in wires - apart})
    if not assembly.leaves:  # the identity, which sees nothing
        assembly.add(Leaf("one", 0), ())
    output = [ket[wire] for wire in (*probabilities_of, *reduced_to)]
    return assembly.sketch(output + [bra[wire] for wire in reduced_to])


def bind(
    sketches: Sequence[Sketch], stacks: Stacks
) -> tuple[list[Array], list[int | None]]:
    """Fetch the tensors of sketches of one structure.

    Returns:
        Each tensor, with a leading axis of one entry for each sketch where they differ,
        and the axis to map over: 0 there, else None.
    """
    first = sketches[0]
    conjugated = {
        leaf.stack: jnp.conj(stacks[leaf.stack])
        for leaf in first.leaves
        if leaf.conjugate
    }
    tensors: list[Array] = []
    mapped: list[int | None] = []
    for position, leaf in enumerate(first.leaves):
        stack = (conjugated if leaf.conjugate else stacks)[leaf.stack]
        rows = [sketch.leaves[position].row for sketch in sketches]
        differ = len(set(rows)) > 1
        tensor = stack[np.asarray(rows)] if differ else stack[leaf.row]
        tensors.append(jnp.asarray(tensor))
        mapped.append(0 if differ else None)
    return tensors, mapped
