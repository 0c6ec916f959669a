"""Routes: when which wires of a sharded state are local, planned before it runs.

With 2^g devices, a device holds the amplitudes in which g *outer* wires spell its
number; the other wires are *inner*, axes of its shard. An operation that keeps the
basis states of an outer wire (a control, a diagonal gate) needs no communication: every
device knows its own bits. Any other must have its wires inner, which an exchange does:
an outer and an inner wire change places, and half of every shard moves.

Wires are never brought back for their own sake: `order` says where each one is. Which
inner wire to send out is Belady's rule for caches, the one whose next use is farthest,
among those that the operations at hand do not need. The body of a loop has to end in
the order in which it begins, so there other orders and a second rule are tried too.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import jax

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits.circuit import Circuit, Repeat
from qjax.plan.wiring import wirings

_MOST_STARTS = 4
"""Orders tried for a loop: the one it finds, and those that its body leads to."""

_WORTHWHILE = 0.75
"""Plan twice as many layers together if this leaves so few exchanges, or fewer."""


@dataclasses.dataclass(frozen=True)
class Exchange:
    """The wires at an outer and at an inner place change places."""

    outer: int
    inner: int


@dataclasses.dataclass(frozen=True)
class Arrange:
    """Inner wires change places among each other, on every device for itself."""

    old: Wires
    new: Wires


@dataclasses.dataclass(frozen=True)
class Segment:
    """Operations of a circuit, by position, done while wires are in this order."""

    operations: tuple[int, ...]
    order: Wires


@dataclasses.dataclass(frozen=True)
class Loop:
    """The Repeat at a position of a circuit; its body ends in the order it begins."""

    position: int
    depth: int
    body: "Route"


@dataclasses.dataclass(frozen=True)
class Route:
    """The parts of a circuit in the order they are done.

    Attributes:
        parts: Segments, exchanges and loops.
        end: Order of the wires after the last part, the outer ones first.
    """

    parts: tuple[Segment | Exchange | Arrange | Loop, ...]
    end: Wires

    @property
    def num_exchanges(self) -> int:
        """Exchanges in all repetitions: each one moves half of every shard."""
        own = sum(isinstance(part, Exchange) for part in self.parts)
        loops = [part for part in self.parts if isinstance(part, Loop)]
        return own + sum(part.depth * part.body.num_exchanges for part in loops)


def plan_route(
    circuit: Circuit, order: Wires, num_outer: int, *, spare_done: bool = False
) -> Route:
    """Plan a unitary circuit for a state whose wires are in `order`.

    Args:
        circuit: Circuit of n wires, of unitary operations and Repeats.
        order: The wires by place, the first `num_outer` of them outer.
        num_outer: g.
        spare_done: Send out wires that are still used before those that are done with:
            a loop then more often ends as it began.

    Returns:
        The route; it begins in `order`.

    Raises:
        ValueError: If an operation changes more wires than a shard has.

    Example:
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.parallel import plan_route
        >>> plan_route(Circuit([h(0), h(1), h(2)], 3), (0, 1, 2), 1).num_exchanges
        1
    """
    changed = [_changed(operation) for operation in circuit.operations]
    parts: list[Segment | Exchange | Arrange | Loop] = []
    first = 0
    for position, operation in enumerate((*circuit.operations, None)):
        if operation is not None and not isinstance(operation, Repeat):
            continue
        if position > first:
            stage = _Stage(circuit, range(first, position), changed, order, num_outer)
            parts += stage.plan(spare_done)
            order = tuple(stage.order)
        if isinstance(operation, Repeat):
            entry, body = _plan_loop(operation.body, operation.depth, order, num_outer)
            parts += [*entry, Loop(position, operation.depth, body)]
            order = body.end
        first = position + 1
    return Route(tuple(parts), order)


def _plan_loop(
    layer: Circuit, depth: int, order: Wires, num_outer: int
) -> tuple[list[Exchange | Arrange], Route]:
    """Choose an order that the layer begins and ends in: how to reach it, the layer."""
    options = []
    for spare_done in (False, True):
        start = order
        for _ in range(_MOST_STARTS):
            body = plan_route(layer, start, num_outer, spare_done=spare_done)
            back = tuple(restore(body.end, start, num_outer))
            closed = Route(body.parts + back, start)
            entry = list(restore(order, start, num_outer))
            total = Route((*entry, *closed.parts * depth), start).num_exchanges
            options.append((total, entry, closed))
            start = body.end
    _, entry, closed = min(options, key=lambda option: option[0])
    return entry, closed


def restore(old: Wires, new: Wires, num_outer: int) -> Iterator[Exchange | Arrange]:
    """Yield what brings the wires from one order to another."""
    order = list(old)
    for place in range(num_outer):
        if order[place] == new[place]:
            continue
        here = order.index(new[place])
        if here < num_outer:  # by way of the last inner place
            yield _exchange(order, here, len(order) - 1, num_outer)
            here = len(order) - 1
        yield _exchange(order, place, here, num_outer)
    if order != list(new):
        yield Arrange(_inner(order, num_outer), _inner(new, num_outer))


def group_layers(circuit: Circuit, order: Wires, num_outer: int, most: int) -> Circuit:
    """Let a `Repeat` do up to `most` layers at a time where that saves exchanges.

    While some wires are outer, the others can go on to the next layer as far as a
    chain of gates has left them free.
    """
    if not num_outer or most == 1:
        return circuit
    operations = []
    for operation in circuit.operations:
        if isinstance(operation, Repeat):
            count = _layers_together(operation, order, num_outer, most)
            operations += _grouped(operation, count) if count > 1 else [operation]
        else:
            operations.append(operation)
    return Circuit(operations, circuit.num_wires)


def _layers_together(repeat: Repeat, order: Wires, num_outer: int, most: int) -> int:
    if any(isinstance(operation, Repeat) for operation in repeat.operations):
        return 1

    def exchanges(count: int) -> float:
        body = Circuit(repeat.operations * count, len(order))
        depth = repeat.depth // count
        _, route = _plan_loop(body, depth, order, num_outer)
        return route.num_exchanges / count

    count, best = 1, exchanges(1)
    while 2 * count <= min(most, repeat.depth):
        each = exchanges(2 * count)
        if each > _WORTHWHILE * best:
            break
        count, best = 2 * count, each
    return count


def _grouped(repeat: Repeat, count: int) -> list[Repeat]:
    stop = repeat.depth // count * count
    layers = [
        jax.tree.map(lambda leaf, f=first: leaf[f:stop:count], repeat.body)
        for first in range(count)
    ]
    together = Circuit(
        [o for layer in layers for o in layer.operations], _width(repeat)
    )
    grouped = [Repeat(together, stop // count)]
    if stop < repeat.depth:
        rest = jax.tree.map(lambda leaf: leaf[stop:], repeat.body)
        grouped.append(Repeat(rest, repeat.depth - stop))
    return grouped


def _width(repeat: Repeat) -> int:
    return repeat.body.num_wires


def _changed(operation) -> Wires:
    """List the wires that have to be inner; for a Repeat, in the order of their use."""
    if isinstance(operation, Repeat):
        inside = [wire for own in operation.operations for wire in _changed(own)]
        return tuple(dict.fromkeys(inside))
    (wiring,) = wirings([operation])
    return tuple(wire for wire in wiring.wires if wire not in wiring.diagonal)


def _exchange(order: list[int], outer: int, place: int, num_outer: int) -> Exchange:
    """Let two places of an order change, and return the step that does it."""
    order[outer], order[place] = order[place], order[outer]
    return Exchange(outer, place - num_outer)


def _inner(order: Sequence[int], num_outer: int) -> Wires:
    """Write the inner wires as numbers 0, 1, ... by their rank."""
    inner = order[num_outer:]
    return tuple(sorted(inner).index(wire) for wire in inner)


class _Stage:
    """Operations between two Repeats: queues of them on every wire."""

    def __init__(
        self,
        circuit: Circuit,
        positions: range,
        changed: Sequence[Wires],
        order: Wires,
        num_outer: int,
    ):
        self.order, self.num_outer = list(order), num_outer
        self.changed, self.start = changed, order
        self.left = list(positions)
        self.wires = [operation.wires for operation in circuit.operations]
        # What follows decides which wires to keep: after the end, the beginning again.
        self.after = (*range(positions.stop, len(changed)), *range(positions.start))

    def plan(self, spare_done: bool) -> list[Segment | Exchange]:
        """Do what can be done, bring in what the next operation needs, and so on."""
        parts: list[Segment | Exchange] = []
        while self.left:
            if done := self._absorb():
                parts.append(Segment(done, tuple(self.order)))
            if self.left:
                parts += self._bring(self.changed[self.left[0]], spare_done)
        return parts

    def _absorb(self) -> tuple[int, ...]:
        """Take every operation whose wires are free and, where it must be, inner."""
        inner = set(self.order[self.num_outer :])
        waiting: set[int] = set()
        done, left = [], []
        for position in self.left:
            free = waiting.isdisjoint(self.wires[position])
            if free and inner.issuperset(self.changed[position]):
                done.append(position)
            else:
                waiting.update(self.wires[position])
                left.append(position)
        self.left = left
        return tuple(done)

    def _bring(self, wanted: Wires, spare_done: bool) -> Iterator[Exchange]:
        """Exchange what is wanted, but outer, for what is used last."""
        size = len(self.order) - self.num_outer
        rule = f"change at most {size} wires at a time, which a shard has"
        require(len(wanted) <= size, "circuit", rule, f"one that changes {wanted}")
        for wire in wanted:
            outer = self.order.index(wire)
            if outer >= self.num_outer:
                continue
            uses = self._next_uses()
            never = -1 if spare_done else max(uses.values()) + 1
            inner = [w for w in self.order[self.num_outer :] if w not in wanted]
            # Of equals, the one that was at this place first: a loop ends as it began.
            home = self.start[outer]
            chosen = max(inner, key=lambda w: (uses.get(w, never), w == home, w))
            yield _exchange(self.order, outer, self.order.index(chosen), self.num_outer)

    def _next_uses(self) -> dict[int, int]:
        """Give, for every wire, the depth of the next operation that changes it.

        Depth, and not time: what is independent of the wires sent out goes on.
        """
        uses: dict[int, int] = {}
        depths = dict.fromkeys(self.order, 0)
        for position in (*self.left, *self.after):
            wires = self.wires[position]
            depth = 1 + max(depths[wire] for wire in wires)
            depths.update(dict.fromkeys(wires, depth))
            for wire in self.changed[position]:
                uses.setdefault(wire, depth)
        return uses
