"""A circuit on a chain of tensors: layers that grow its bonds, then steps that cut.

As long as the bonds stay within their limit, gates are collected into *layers*:
operator chains whose bond of r multiplies those of the state, each link used once. What
comes later is done in *steps* that cut the bonds back: many gates on neighbours at
once, or a layer followed by a sweep. A gate on distant wires is brought together by
swaps, or done as a layer, whichever costs less.
"""

import dataclasses
from collections.abc import Sequence

from qjax._types import Wires
from qjax.plan.strings import Piece, Split

SWAP = -1
"""Row of the matrix of a swap, put in by the schedule."""

_SWEEP_COST = 1.8
"""Cost of a sweep for each site, with that of a gate on neighbours as the unit.

A sweep decomposes as large a matrix for each site as a gate does, and a QR
decomposition of one twice as large before it.
"""


@dataclasses.dataclass(frozen=True)
class Placed:
    """An operation on two or more sites, and the one-wire operations just before it.

    Attributes:
        piece: The operation.
        before: For each of its wires, rows of `singles` in time order.
    """

    piece: Piece
    before: tuple[tuple[int, ...], ...]


@dataclasses.dataclass(frozen=True)
class Layer:
    """Operations in time order, no link used twice.

    Attributes:
        placed: The operations.
        rank: Operator bond r.
    """

    placed: tuple[Placed, ...]
    rank: int


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Operations on disjoint pairs of neighbours."""

    placed: tuple[Placed, ...]


@dataclasses.dataclass(frozen=True)
class Draws:
    """Random operations, at most one on each site."""

    placed: tuple[Placed, ...]


Step = Layer | Pairs | Draws


@dataclasses.dataclass(frozen=True)
class ChainPlan:
    """What is static about running a circuit on a chain.

    Attributes:
        layers: Done first, exactly; the bonds grow by the product of their ranks.
        steps: Done then, each of them cutting the bonds.
        after: For each wire, rows of `singles` that come last.
    """

    layers: tuple[Layer, ...]
    steps: tuple[Step, ...]
    after: tuple[tuple[int, ...], ...]

    @property
    def growth(self) -> int:
        """Factor by which the layers enlarge the bonds."""
        factor = 1
        for layer in self.layers:
            factor *= layer.rank
        return factor


def plan_chain(
    pieces: Sequence[Piece], num_wires: int, bond: int, max_bond: int
) -> ChainPlan:
    """Plan the pieces of a circuit for a chain with bonds of `bond`."""
    pending: list[list[int]] = [[] for _ in range(num_wires)]
    placed = []
    for piece in pieces:
        if len(piece.wires) == 1 and not piece.outcomes:
            pending[piece.wires[0]].append(piece.row)
            continue
        before = tuple(tuple(pending[wire]) for wire in piece.wires)
        for wire in piece.wires:
            pending[wire] = []
        placed.append(Placed(piece, before))
    layers, rest = _growing(placed, num_wires, max_bond // bond)
    after = tuple(tuple(rows) for rows in pending)
    return ChainPlan(layers, _cutting(rest, num_wires), after)


class _Board:
    """Layers in the making: which links they use, and when each site is free."""

    def __init__(self, num_wires: int):
        self.members: list[list[Placed]] = []
        self._used: list[set[int]] = []
        self._ready = [0] * num_wires

    def earliest(self, wires: Wires) -> int:
        """Return the first layer that can take a gate on `wires`."""
        links = set(range(min(wires), max(wires)))
        level = max(self._ready[wire] for wire in wires)
        while level < len(self._used) and self._used[level] & links:
            level += 1
        return level

    def put(self, item: Placed, level: int) -> None:
        """Add a gate to a layer, a new one if it is the next."""
        wires = item.piece.wires
        while level >= len(self.members):
            self.members.append([])
            self._used.append(set())
        self.members[level].append(item)
        self._used[level] |= set(range(min(wires), max(wires)))
        for wire in wires:
            self._ready[wire] = level


def _growing(
    placed: Sequence[Placed], num_wires: int, room: int
) -> tuple[tuple[Layer, ...], list[Placed]]:
    """Collect what can be done without cutting; return it and the rest.

    Random operations need the canonical form that cutting steps keep.
    """
    if any(item.piece.outcomes for item in placed):
        return (), list(placed)
    board = _Board(num_wires)
    levels = []
    for item in placed:
        levels.append(board.earliest(item.piece.wires))
        board.put(item, levels[-1])
    layers: list[Layer] = []
    for members in board.members:
        rank = max(item.piece.rank for item in members)
        if rank > room:
            break
        room //= rank
        layers.append(Layer(tuple(members), rank))
    later = zip(placed, levels, strict=True)
    return tuple(layers), [item for item, level in later if level >= len(layers)]


# --- cutting steps --------------------------------------------------------------------


class _Steps:
    """Steps in the making, and the last one that acts on each site."""

    def __init__(self, num_wires: int):
        self.steps: list[list[Placed]] = []
        self._kinds: list[type] = []
        self._used: list[set[int]] = []
        self._last = [-1] * num_wires

    def add(self, item: Placed, kind: type) -> None:
        """Put an operation into the first step of its kind after the last on its wires.

        Steps after that one do not act on them.
        """
        level = max(self._last[wire] for wire in item.piece.wires) + 1
        while level < len(self.steps) and self._kinds[level] is not kind:
            level += 1
        self._put(item, level, kind)

    def layer_for(self, wires: Wires) -> int | None:
        """Return the first layer that can still take a gate on `wires`."""
        links = set(range(min(wires), max(wires)))
        for level in range(max(self._last[wire] for wire in wires), len(self.steps)):
            free = level >= 0 and not self._used[level] & links
            if free and self._kinds[level] is Layer:
                return level
        return None

    def add_to_layer(self, item: Placed) -> None:
        """Put a gate into a layer, a new one at the end if none can take it."""
        level = self.layer_for(item.piece.wires)
        self._put(item, len(self.steps) if level is None else level, Layer)

    def _put(self, item: Placed, level: int, kind: type) -> None:
        if level == len(self.steps):
            self.steps.append([])
            self._kinds.append(kind)
            self._used.append(set())
        wires = item.piece.wires
        self.steps[level].append(item)
        self._used[level] |= set(range(min(wires), max(wires)))
        for wire in wires:
            self._last[wire] = level

    def finish(self) -> tuple[Step, ...]:
        """Return the steps as they stand."""
        found = []
        for members, kind in zip(self.steps, self._kinds, strict=True):
            rank = max(item.piece.rank for item in members)
            own = tuple(members)
            found.append(Layer(own, rank) if kind is Layer else kind(own))
        return tuple(found)


def _cutting(placed: Sequence[Placed], num_wires: int) -> tuple[Step, ...]:
    steps = _Steps(num_wires)
    for item in placed:
        wires = item.piece.wires
        reach = max(wires) - min(wires)
        if reach <= 1:
            steps.add(item, Pairs if reach else Draws)
            continue
        swaps = 2 * reach - 1
        sweep = 0.0 if steps.layer_for(wires) is not None else _SWEEP_COST * num_wires
        # A layer of rank 4 works on matrices twice as large: eight times the cost.
        sweep *= 8 if item.piece.rank == 4 else 1
        if len(wires) > 2 or (item.piece.rank == 2 and sweep < swaps):
            steps.add_to_layer(item)
        else:
            for part in _with_swaps(item):
                steps.add(part, Pairs)
    return steps.finish()


def _with_swaps(item: Placed) -> list[Placed]:
    """Bring the first wire of a gate next to the second one, and back afterwards."""
    start, target = item.piece.wires
    step = 1 if target > start else -1
    path = range(start, target - step, step)
    swaps = [
        Piece((min(s, s + step), max(s, s + step)), SWAP, Split("any")) for s in path
    ]
    first, second = item.before
    there = [Placed(swap, ((), ())) for swap in swaps]
    # What came before the gate is done where the wires are then.
    gate = Piece((target - step, target), item.piece.row, item.piece.split)
    return [*there, Placed(gate, (first, second)), *reversed(there)]
