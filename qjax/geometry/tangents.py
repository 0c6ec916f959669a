"""All derivatives of a state, carried through a circuit as columns of one matrix."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from qjax.circuits.circuit import Circuit
from qjax.geometry.parts import Columns, Jacobian, Part, columns_of
from qjax.geometry.stages import Staging, split
from qjax.geometry.words import real_words
from qjax.plan import CostModel, Layout, Program, execute, plan, program_matrices
from qjax.plan.arrays import apply_window, relayout
from qjax.plan.program import Stage
from qjax.plan.sweeps import Sweep, axes_after

Numbers = Float[Array, " size"]
States = Float[Array, "_depth _boundaries size"]
Tangents = Float[Array, "size _columns"]

MAX_PIECES = 4
"""A part is done in so many pieces: a piece carries the columns of the pieces before it
but not of those behind it. One of several layers is a loop."""


def carry_forwards(
    parts: Sequence[Part], numbers: Numbers, cost: CostModel
) -> tuple[Numbers, Tangents, list[Jacobian]]:
    """Differentiate a state by every angle of a site, at the end of the parts.

    Returns:
        The final state; its derivatives as columns; for each part the derivatives of
        the columns' angles by the parameters, shape (columns of the part, p).
    """
    columns = jnp.zeros((numbers.shape[0], 0), numbers.dtype)
    jacobians = []
    for part in parts:
        walk = _Walk.of(part, columns.shape[1], cost, backwards=False)
        matrices = walk.matrices(part, numbers)
        numbers, states = walk.states(matrices, numbers)
        columns = walk.columns_behind(matrices, states, columns)
        jacobians.append(walk.jacobian())
    return numbers, columns, jacobians


def carry_backwards(
    parts: Sequence[Part], numbers: Numbers, cost: CostModel
) -> tuple[Tangents, list[Jacobian]]:
    """Do the same with derivatives of the final state, taken back to the beginning."""
    behind = sum(part.depth * len(part.sites) for part in parts)
    walked = []
    for part in parts:
        behind -= part.depth * len(part.sites)
        walk = _Walk.of(part, behind, cost, backwards=True)
        matrices = walk.matrices(part, numbers)
        numbers, states = walk.states(matrices, numbers)
        walked.append((walk, matrices, states))
    columns = jnp.zeros((numbers.shape[0], 0), numbers.dtype)
    jacobians = []
    for walk, matrices, states in reversed(walked):
        columns = walk.columns_behind(matrices, states, columns)
        jacobians.append(walk.jacobian())
    return columns, jacobians


@dataclasses.dataclass(frozen=True)
class _Insertion:
    """Words for columns first .. last of a layer, at one boundary between stages.

    The words are padded to one length with weights 0: arrays of shape (columns, words).
    """

    first: int
    last: int
    flips: np.ndarray
    signs: np.ndarray
    weights: np.ndarray

    def columns(self, numbers: Numbers) -> Tangents:
        """Return sum_w weight_w Z^z X^x |numbers> for each column."""
        basis = jnp.arange(numbers.shape[0], dtype=np.int32)[:, None, None]
        odd = jax.lax.population_count(basis & self.signs[None]) & 1
        weights = jnp.asarray(self.weights, numbers.dtype)[None]
        taken = numbers[basis ^ self.flips[None]]
        return jnp.sum(jnp.where(odd == 1, -weights, weights) * taken, axis=2)


@dataclasses.dataclass(frozen=True)
class _Walk:
    """How to go through the layers of a part, forwards or backwards."""

    depth: int
    backwards: bool
    staging: Staging
    columns: Columns
    insertions: tuple[tuple[_Insertion, ...], ...]
    programs: tuple[Program, ...]

    @classmethod
    def of(
        cls, part: Part, before: int, cost: CostModel, *, backwards: bool
    ) -> "_Walk":
        operations, num_wires = part.body.operations, part.body.num_wires
        staging = split(operations, frozenset(part.sites), num_wires, backwards)
        columns = columns_of(part, staging.sites(backwards))
        middle = before + part.depth * len(columns.groups) // 2
        layout = Layout(num_wires, log_batch=max(1, middle.bit_length() - 1))
        programs = tuple(
            plan(_stage_circuit(part.body, stage), layout, cost)
            for stage in staging.stages
        )
        insertions = _insertions(staging, columns, num_wires, backwards)
        return cls(part.depth, backwards, staging, columns, insertions, programs)

    def jacobian(self) -> Jacobian:
        """Derivatives of the columns' angles, in the order in which columns come."""
        found = self.columns.jacobian
        ordered = found[::-1] if self.backwards else found
        return ordered.reshape(found.shape[0] * found.shape[1], found.shape[2])

    def matrices(self, part: Part, numbers: Numbers) -> PyTree:
        """Matrices of every stage, with a leading depth axis."""
        dtype = np.dtype(numbers.dtype)

        def build(body: Circuit) -> PyTree:
            pairs = zip(self.programs, self.staging.stages, strict=True)
            return [
                program_matrices(p, _stage_circuit(body, s), dtype) for p, s in pairs
            ]

        return jax.vmap(build, axis_size=part.depth)(part.body)

    def states(self, matrices: PyTree, numbers: Numbers) -> tuple[Numbers, States]:
        """Run the part; return the state behind it and those at all boundaries."""

        def step(numbers: Numbers, layer: PyTree) -> tuple[Numbers, Array]:
            found = [numbers]
            for program, own in zip(self.programs, layer, strict=True):
                found.append(execute(program, own, found[-1], "adjoint"))
            return found[-1], jnp.stack(found)

        return jax.lax.scan(step, numbers, matrices, length=self.depth)

    def columns_behind(
        self, matrices: PyTree, states: States, columns: Tangents
    ) -> Tangents:
        """Carry columns through the part, the derivatives by its own sites added."""
        order = np.arange(self.depth)
        order = order[::-1] if self.backwards else order
        for piece in np.array_split(order, min(self.depth, MAX_PIECES)):
            first, last = int(piece.min()), int(piece.max()) + 1
            if len(piece) == 1:
                layer = jax.tree.map(lambda x, i=first: x[i], matrices)
                columns = self._layer(layer, states[first], columns)
            else:
                inside = slice(first, last)
                layers = jax.tree.map(lambda x, i=inside: x[i], matrices)
                columns = self._loop(layers, states[inside], columns)
        return columns

    def _layer(self, matrices: PyTree, states: Array, columns: Tangents) -> Tangents:
        """One layer: columns join where they are first inserted."""
        start = columns.shape[1]
        for boundary in self._boundaries():
            for insertion in self.insertions[boundary]:
                new = insertion.columns(states[boundary])
                begin, end = start + insertion.first, start + insertion.last
                if begin == columns.shape[1]:
                    columns = jnp.concatenate([columns, new], axis=1)
                else:
                    columns = columns.at[:, begin:end].add(new)
            columns = self._cross(boundary, matrices, columns)
        return columns

    def _loop(self, matrices: PyTree, states: States, columns: Tangents) -> Tangents:
        """Several layers: their columns are there from the beginning, and zero."""
        depth, start, width = len(states), columns.shape[1], len(self.columns.groups)
        columns = jnp.pad(columns, ((0, 0), (0, depth * width)))

        def step(columns: Tangents, layer: tuple[Array, PyTree, Array]):
            index, matrices, states = layer
            for boundary in self._boundaries():
                for insertion in self.insertions[boundary]:
                    new = insertion.columns(states[boundary])
                    place, count = start + index * width + insertion.first, new.shape[1]
                    old = jax.lax.dynamic_slice_in_dim(columns, place, count, axis=1)
                    columns = jax.lax.dynamic_update_slice_in_dim(
                        columns, old + new, place, axis=1
                    )
                columns = self._cross(boundary, matrices, columns)
            return columns, None

        index = np.arange(depth, dtype=np.int32)
        index = jnp.asarray(index[::-1] if self.backwards else index)
        layers = (index, matrices, states)
        return jax.lax.scan(step, columns, layers, reverse=self.backwards)[0]

    def _boundaries(self) -> range:
        count = len(self.programs)
        return range(count, -1, -1) if self.backwards else range(count + 1)

    def _cross(self, boundary: int, matrices: PyTree, columns: Tangents) -> Tangents:
        """Carry columns through the stage that follows a boundary on the way."""
        stage = boundary - 1 if self.backwards else boundary
        if not columns.shape[1] or not 0 <= stage < len(self.programs):
            return columns
        program, own = self.programs[stage], matrices[stage]

        go = _undo if self.backwards else _do
        return go(program, own, columns.reshape(-1)).reshape(columns.shape)


def _do(program: Program, matrices: PyTree, numbers: Numbers) -> Numbers:
    return execute(program, matrices, numbers, "adjoint")


def _undo(program: Program, matrices: PyTree, numbers: Numbers) -> Numbers:
    """Apply the inverse of a program of one stage."""
    (stage,), (own,), layout = program.parts, matrices, program.layout
    assert isinstance(stage, Stage)
    sweeps = [step for step in stage.steps if isinstance(step, Sweep)]
    if len(sweeps) < len(stage.steps):
        # The inverse is the transpose. What else vjp computes is not used.
        through = functools.partial(_do, program, matrices)
        return jax.vjp(through, numbers)[1](numbers)[0]

    def reach(old: tuple[int, ...], new: tuple[int, ...], numbers: Numbers) -> Numbers:
        return numbers if old == new else relayout(old, new, layout.bits, True, numbers)

    # The transpose of a product is much slower than the product with the transpose.
    transposed = [jnp.swapaxes(matrix, -1, -2) for matrix in own]
    found = layout.start()
    before = []
    for step in sweeps:
        before.append((step, found))
        found = axes_after(step, layout)
    numbers = reach(layout.start(), found, numbers)
    for step, axes in reversed(before):
        for window in reversed(step.windows):
            matrix = transposed.pop()
            numbers = apply_window(window, step.order, layout, matrix, numbers)
        numbers = reach(layout.axes(step.order), axes, numbers)
    return numbers


def _stage_circuit(body: Circuit, stage: tuple[int, ...]) -> Circuit:
    return Circuit([body.operations[i] for i in stage], body.num_wires)


def _insertions(
    staging: Staging, columns: Columns, num_wires: int, backwards: bool
) -> tuple[tuple[_Insertion, ...], ...]:
    """Collect the words of each boundary, columns seen before apart from new ones."""
    result: list[tuple[_Insertion, ...]] = []
    seen = 0
    step = -1 if backwards else 1
    for words in staging.insertions[::step]:
        table = [
            [
                (x, z, weight * c)
                for site, weight in group
                for x, z, c in real_words(words.get(site, {}), num_wires)
            ]
            for group in columns.groups
        ]
        filled = [i for i, row in enumerate(table) if row]
        old = [i for i in filled if i < seen]
        new = max([seen, *(i + 1 for i in filled)])
        ranges = [(old[0], old[-1] + 1)] if old else []
        ranges += [(seen, new)] if new > seen else []
        result.append(tuple(_insertion(table, *each) for each in ranges))
        seen = new
    return tuple(result[::step])


def _insertion(
    table: Sequence[Sequence[tuple[int, int, float]]], first: int, last: int
) -> _Insertion:
    rows = table[first:last]
    longest = max(len(row) for row in rows)
    padded = np.asarray([[*row, *[(0, 0, 0.0)] * (longest - len(row))] for row in rows])
    flips, signs = padded[..., 0].astype(np.int32), padded[..., 1].astype(np.int32)
    return _Insertion(first, last, flips, signs, padded[..., 2])
