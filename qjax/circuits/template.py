"""Templates: the structure of a loop-built circuit, found once and then only bound.

A Python loop over layers gives a circuit whose trace grows with depth. `template`
calls the builder a few times on plain numbers, finds the longest repeated stretch of
operations and rolls it into `Repeat`, and finds for every angle which parameter it is.
Binding new parameters inside jit is then a few gathers, however deep the circuit.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat

Builder = Callable[[Any], Circuit]


@dataclasses.dataclass(frozen=True)
class _Affine:
    """A leaf as scale * parameters[index] + offset, entry by entry, on the host."""

    index: np.ndarray
    scale: np.ndarray
    offset: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Stretch:
    """Operations first .. first + length, done `depth` times in a row."""

    first: int
    length: int
    depth: int

    def copies(self, first: int) -> range:
        """Places of an operation of the first repetition and of its copies."""
        return range(first, first + self.length * self.depth, self.length)


@dataclasses.dataclass(frozen=True, eq=False)
class Template:
    """A circuit's structure; calling it with parameters, also inside jit, binds them.

    Attributes:
        num_wires: Number of wires.
        linear: Whether every angle is a scaled and shifted parameter, so that binding
            only gathers. Otherwise binding runs the builder again (its arithmetic is
            then traced for every gate), and the gates are rolled all the same.
    """

    num_wires: int
    linear: bool
    _builder: Builder
    _layout: Any
    _structures: tuple[Any, ...]
    _names: tuple[str, ...]
    _leaves: tuple[tuple[_Affine, ...], ...]
    _stretches: tuple[_Stretch, ...]

    def __call__(self, params: PyTree) -> Circuit:
        """Return the circuit of `params`, with the repeated stretch as a `Repeat`.

        Raises:
            ValueError: If structure or shapes differ from the example's.
        """
        layout = _layout(params)
        rule = f"have the structure and shapes of the template, {self._layout}"
        require(layout == self._layout, "params", rule, layout)
        bound = self._gather(_flatten(params)) if self.linear else None
        source = None if self.linear else _leaves(self._builder(params))
        operations = []
        for stretch in self._stretches:
            stack = []
            for first in range(stretch.first, stretch.first + stretch.length):
                if bound is not None:
                    leaves = bound[first]
                else:
                    leaves = self._stack(source, stretch.copies(first))
                stack.append(jax.tree.unflatten(self._structures[first], leaves))
            if stretch.depth == 1:
                operations += [jax.tree.map(lambda leaf: leaf[0], op) for op in stack]
            else:
                body = Circuit(stack, self.num_wires)
                operations.append(Repeat(body, stretch.depth))
        return Circuit(operations, self.num_wires)

    def _gather(self, flat: Array) -> dict[int, list[Array | np.ndarray]]:
        """Bind all leaves by one gather; those of like operations lie side by side.

        Whoever stacks the angles of like operations then gets one slice of the result.
        """
        wanted, bound = [], {}
        for stretch in self._stretches:
            for first in range(stretch.first, stretch.first + stretch.length):
                bound[first] = [None] * len(self._leaves[first])
                for position in range(len(self._leaves[first])):
                    parts = [self._leaves[c][position] for c in stretch.copies(first)]
                    leaf = _Affine(
                        *(
                            np.stack([getattr(part, field.name) for part in parts])
                            for field in dataclasses.fields(_Affine)
                        )
                    )
                    if not np.any(leaf.scale):
                        bound[first][position] = leaf.offset
                    elif np.iscomplexobj(leaf.offset):
                        bound[first][position] = _evaluate(flat, leaf)
                    else:
                        wanted.append((self._names[first], position, first, leaf))
        wanted.sort(key=lambda request: request[:3])
        if wanted:
            fields = [f.name for f in dataclasses.fields(_Affine)]
            columns = [
                np.concatenate([np.ravel(getattr(leaf, name)) for *_, leaf in wanted])
                for name in fields
            ]
            values, start = _evaluate(flat, _Affine(*columns)), 0
            for _, position, first, leaf in wanted:
                stop = start + leaf.index.size
                bound[first][position] = values[start:stop].reshape(leaf.index.shape)
                start = stop
        return bound

    def _stack(self, source: Any, copies: Sequence[int]) -> list[Array]:
        """Stack the leaves of an operation over its repetitions."""
        count = len(self._leaves[copies[0]])
        return [
            jnp.stack([jnp.asarray(source[copy][position]) for copy in copies])
            for position in range(count)
        ]


def template(builder: Builder, params: PyTree) -> Template:
    """Find the structure of `builder(params)`: repetition rolled, angles by index.

    Call it once, outside jit. The builder runs up to four times on NumPy numbers, so it
    may be any Python code whose operations do not depend on the values.

    Args:
        builder: Maps a pytree of parameters to a `Circuit`.
        params: Example parameters; only structure and shapes are used.

    Returns:
        A `Template`; `template(builder, params)(params)` equals `builder(params)` with
        its longest repeated stretch as a `Repeat`.

    Raises:
        ValueError: If the operations differ between two values of the parameters.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Circuit, cx, ry, template
        >>> def build(angles):  # a plain Python loop
        ...     layers = [[ry(a[0], 0), ry(a[1], 1), cx(0, 1)] for a in angles]
        ...     return Circuit([op for layer in layers for op in layer], 2)
        >>> bound = template(build, np.zeros((50, 2)))(np.ones((50, 2)))
        >>> len(bound.operations), bound.resources().num_operations
        (1, 150)
    """
    points = _probe_points(params)
    probes = [_probe(builder, params, point) for point in points[:2]]
    index, scale, offset = _match_copies(points, probes)
    if not _agrees(points, probes, index, scale, offset):
        # Not plain copies: two more points tell scaled and shifted parameters.
        probes += [_probe(builder, params, point) for point in points[2:]]
        index, scale, offset = _match_affine(points, probes)
    linear = _agrees(points, probes, index, scale, offset)
    same = all(probe.structures == probes[0].structures for probe in probes[1:])
    rule = "give the same operations for all values of its parameters"
    require(same, "builder", rule, "one whose operations change with them")
    shapes = [tuple(map(np.shape, leaves)) for leaves in probes[0].leaves]
    signatures = list(zip(probes[0].structures, shapes, strict=True))
    return Template(
        num_wires=probes[0].num_wires,
        linear=linear,
        _builder=builder,
        _layout=_layout(params),
        _structures=probes[0].structures,
        _names=probes[0].names,
        _leaves=_split(probes[0].leaves, index, scale, offset),
        _stretches=tuple(_roll(signatures)),
    )


# --- parameters and leaves ------------------------------------------------------------


def _layout(params: PyTree) -> tuple[Any, tuple[tuple[int, ...], ...]]:
    leaves, structure = jax.tree.flatten(params)
    return structure, tuple(np.shape(leaf) for leaf in leaves)


def _flatten(params: PyTree) -> Array:
    leaves = [jnp.ravel(jnp.asarray(leaf)) for leaf in jax.tree.leaves(params)]
    return jnp.concatenate(leaves) if leaves else jnp.zeros((0,))


def _leaves(circuit: Circuit) -> list[list[Any]]:
    return [jax.tree.leaves(operation) for operation in circuit.operations]


def _evaluate(flat: Array, leaf: _Affine) -> Array:
    chosen = flat[leaf.index]
    if np.all(leaf.scale == 1) and not np.any(leaf.offset):
        return chosen
    scale, offset = (jnp.asarray(x, flat.dtype) for x in (leaf.scale, leaf.offset))
    return chosen * scale + offset


# --- which parameter is which angle ---------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Probe:
    """What the builder gives at one point: static parts, leaves, and their entries."""

    num_wires: int
    structures: tuple[Any, ...]
    names: tuple[str, ...]
    leaves: list[list[Any]]
    entries: np.ndarray


def _probe_points(params: PyTree) -> list[np.ndarray]:
    """Four generic points; float32 holds their entries exactly, whatever code does."""
    size = sum(int(np.prod(shape)) for shape in _layout(params)[1])
    generator = np.random.default_rng(20261121)
    values = generator.uniform(0.1, 0.9, (4, size)).astype(np.float32)
    return list(values.astype(np.float64))


def _probe(builder: Builder, params: PyTree, point: np.ndarray) -> _Probe:
    structure, shapes = _layout(params)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    pieces = np.split(point, ends[:-1]) if shapes else []
    arrays = [p.reshape(s) for p, s in zip(pieces, shapes, strict=True)]
    circuit = builder(jax.tree.unflatten(structure, arrays))
    if not isinstance(circuit, Circuit):
        raise TypeError(
            "Argument `builder` must return a Circuit, "
            f"but returns {type(circuit).__name__}."
        )
    flat = [jax.tree.flatten(operation) for operation in circuit.operations]
    leaves = [operation_leaves for operation_leaves, _ in flat]
    entries = [np.ravel(leaf) for group in leaves for leaf in group]
    return _Probe(
        num_wires=circuit.num_wires,
        structures=tuple(operation_structure for _, operation_structure in flat),
        names=tuple(operation.name for operation in circuit.operations),
        leaves=leaves,
        entries=np.concatenate(entries) if entries else np.zeros(0),
    )


def _agrees(
    points: list[np.ndarray],
    probes: list[_Probe],
    index: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
) -> bool:
    """Say whether entries = scale * parameters[index] + offset at every probe."""
    for point, probe in zip(points, probes, strict=False):
        if probe.entries.shape != offset.shape:
            return False
        moving = scale * point[index] if point.size else 0
        if not np.allclose(moving + offset, probe.entries, rtol=1e-12, atol=1e-12):
            return False
    return True


def _match_copies(
    points: list[np.ndarray], probes: list[_Probe]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find entries that are parameters as they stand; the others count as constants."""
    point, entries = points[0], probes[0].entries
    index = np.zeros(entries.shape, int)
    if not point.size:
        return index, np.zeros(entries.shape), entries
    order = np.argsort(point)
    place = np.searchsorted(point[order], np.real(entries)).clip(0, point.size - 1)
    index = order[place]
    copied = point[index] == entries
    return index, copied.astype(float), np.where(copied, 0, entries)


def _match_affine(
    points: list[np.ndarray], probes: list[_Probe]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the parameter x by a ratio of differences, which no a x + b changes."""
    index, scale, offset = _match_copies(points, probes)
    (x0, x1, x2), (y0, y1, y2) = points[:3], [p.entries for p in probes[:3]]
    if not x0.size or not (y0.shape == y1.shape == y2.shape):
        return index, scale, offset
    moving = (scale == 0) & ((y0 != y1) | (y1 != y2))
    ratios = (x0 - x1) / (x1 - x2)
    order = np.argsort(ratios)
    with np.errstate(all="ignore"):
        wanted = np.nan_to_num(np.real((y0 - y1) / (y1 - y2))[moving])
    above = np.searchsorted(ratios[order], wanted).clip(0, x0.size - 1)
    below = np.maximum(above - 1, 0)
    nearer = np.abs(ratios[order[below]] - wanted) < np.abs(
        ratios[order[above]] - wanted
    )
    found = order[np.where(nearer, below, above)]
    slope = ((y0 - y1)[moving] / (x0 - x1)[found]).real
    index[moving], scale[moving] = found, slope
    offset[moving] = y0[moving] - slope * x0[found]
    return index, scale, offset


def _split(
    leaves: list[list[Any]], index: np.ndarray, scale: np.ndarray, offset: np.ndarray
) -> tuple[tuple[_Affine, ...], ...]:
    """Cut the entry vectors back into leaves; a real leaf has a real offset."""
    groups, start = [], 0
    for group in leaves:
        parts = []
        for leaf in group:
            shape = np.shape(leaf)
            cut = slice(start, start + int(np.prod(shape)))
            shift = offset[cut] if np.iscomplexobj(leaf) else np.real(offset[cut])
            vectors = (index[cut], scale[cut], shift)
            parts.append(_Affine(*(vector.reshape(shape) for vector in vectors)))
            start = cut.stop
        groups.append(tuple(parts))
    return tuple(groups)


# --- repetition -----------------------------------------------------------------------


def _roll(signatures: list[Any]) -> list[_Stretch]:
    """Split a sequence into stretches, the most repeated ones first."""
    codes: dict[Any, int] = {}
    sequence = np.asarray([codes.setdefault(s, len(codes)) for s in signatures], int)
    return _roll_range(sequence, 0, len(sequence))


def _roll_range(sequence: np.ndarray, start: int, stop: int) -> list[_Stretch]:
    part = sequence[start:stop]
    best = _longest_repetition(part)
    if best is None:
        return [_Stretch(start, stop - start, 1)] if stop > start else []
    first, period, depth = best
    begin, end = start + first, start + first + period * depth
    middle = [_Stretch(begin, period, depth)]
    before = _roll_range(sequence, start, begin)
    return before + middle + _roll_range(sequence, end, stop)


def _longest_repetition(part: np.ndarray) -> tuple[int, int, int] | None:
    """Return (first, period, depth) that saves most operations; None if none does.

    A run of r places with part[i] == part[i + p] is r // p + 1 copies of p operations.
    """
    best, saved = None, 0
    for period in range(1, len(part) // 2 + 1):
        if len(part) - period <= saved:
            break
        equal = np.concatenate([[False], part[period:] == part[:-period], [False]])
        edges = np.flatnonzero(equal[1:] != equal[:-1])
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        gains = lengths // period * period
        if gains.size and gains.max() > saved:
            run = int(np.argmax(gains))
            saved = int(gains[run])
            best = int(starts[run]), period, saved // period + 1
    return best
