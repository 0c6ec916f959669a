"""Sweeps: windows of neighbouring axes passed over the state from left to right.

The state is one real tensor: an axis for each wire and, for amplitudes, the *carry*
(real or imaginary part). A window takes neighbouring wires and multiplies them, with
the carry, by one real matrix: a matrix product with the untouched axes as its columns.
The carry goes in at a window's left and comes out at its right, next to the following
window, so that no transpose is needed. Wires to the left of a window, on which its
operations are diagonal, choose between matrices (`mux`): a chain of CNOTs folds into
disjoint windows.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

from qjax._types import Wires
from qjax.plan.cost import CostModel
from qjax.plan.wiring import Wiring

CARRY = -1
"""The axis of the real and imaginary part, in a list of axes."""

MAX_MUX = 1
"""Wires that choose a window's matrix, at most: each doubles the matrices to build."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """The shape of a state's numbers.

    Attributes:
        num_wires: Number of wires.
        bits: log2 of a wire's axis: 1 for amplitudes, 2 for Pauli coefficients.
        carry: Whether there is an axis of real and imaginary parts.
        log_batch: log2 of the trailing batch axis, rounded down.
    """

    num_wires: int
    bits: int = 1
    carry: bool = True
    log_batch: int = 0

    @property
    def log_size(self) -> int:
        """log2 of the number of real numbers."""
        return self.bits * self.num_wires + self.carry + self.log_batch

    def start(self) -> tuple[int, ...]:
        """Axes before the first step and after the last."""
        return self.axes(tuple(range(self.num_wires)))

    def axes(self, order: Wires) -> tuple[int, ...]:
        """Axes of wires in `order`, the carry in front."""
        return ((CARRY,) if self.carry else ()) + order


@dataclasses.dataclass(frozen=True)
class Window:
    """Positions start .. stop of a sweep's order, and what is done there."""

    start: int
    stop: int
    mux: Wires
    operations: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Windows from left to right over the wires in `order`.

    Those from number `whole` on are done piece by piece: the axes to the left of them
    are fixed, and what remains fits a cache.
    """

    order: Wires
    windows: tuple[Window, ...]
    whole: int


@dataclasses.dataclass(frozen=True)
class Single:
    """An operation that no window holds, applied by itself; controls cost nothing."""

    operation: int
    wires: Wires
    controls: Wires = ()
    values: tuple[int, ...] = ()


Step = Sweep | Single
Pattern = tuple[tuple[int, int], ...]


@functools.lru_cache(maxsize=1024)
def plan_steps(
    wirings: tuple[Wiring, ...], layout: Layout, cost: CostModel
) -> tuple[Step, ...]:
    """Cover operations, given in time order, by the cheapest steps found.

    Tries sweeps in the natural order with a few patterns of windows, and regrouping
    the wires before every sweep, and keeps what the cost model predicts to be fastest.
    """
    problem = _Problem(wirings, layout, cost)
    patterns = problem.patterns()
    plans = [problem.plan([pattern], regroup=False) for pattern in patterns]
    found = [plan for plan in plans if plan is not None]
    if not found or len(wirings) > 2 * layout.num_wires:
        regrouped = problem.plan(patterns, regroup=True)
        assert regrouped is not None
        found.append(regrouped)
    return min(found, key=lambda steps: steps_seconds(steps, layout, cost))


def cheapest_cover(
    layout: Layout, cost: CostModel, size: int, overlap: int
) -> Pattern | None:
    """Cover all wires by windows of 2 to `size` wires, by dynamic programming.

    Neighbouring windows share `overlap` wires. None if there is no such cover.
    """
    num_wires = layout.num_wires
    best: dict[int, tuple[float, Pattern]] = {num_wires: (0.0, ())}
    for done in range(num_wires - 1, -1, -1):
        start = max(done - overlap, 0)
        options = []
        for stop in range(max(start + 2, done + 1), start + size + 1):
            if stop in best:
                rest, windows = best[stop]
                seconds = window_seconds(layout, cost, start, stop) + rest
                options.append((seconds, ((start, stop), *windows)))
        if options:
            best[done] = min(options)
    return best[0][1] if 0 in best else None


def window_seconds(layout: Layout, cost: CostModel, start: int, stop: int) -> float:
    """Predict a window over positions start .. stop, its matrix included."""
    rows = layout.bits * (stop - start) + layout.carry
    right = layout.bits * (layout.num_wires - stop) + layout.log_batch
    build = cost.build_seconds(layout.bits * (stop - start))
    size = layout.log_size
    if cost.log_piece is not None and _in_pieces(start, layout, cost):
        size = cost.log_piece
    pieces = 2 ** (layout.log_size - size)
    if right == 0:
        return build + pieces * cost.closing_seconds(size, rows)
    return build + pieces * cost.window_seconds(size, rows, right)


def sweep_seconds(
    sweep: Sweep, axes: tuple[int, ...], layout: Layout, cost: CostModel
) -> float:
    """Predict a sweep that finds the state with `axes`."""
    relayout = _relayout_seconds(axes, layout.axes(sweep.order), layout, cost)
    windows = [window_seconds(layout, cost, w.start, w.stop) for w in sweep.windows]
    return relayout + sum(windows)


def steps_seconds(steps: Sequence[Step], layout: Layout, cost: CostModel) -> float:
    """Predict steps, the return to the natural order included."""
    axes, total = layout.start(), 0.0
    for step in steps:
        if isinstance(step, Single):
            total += 4 * cost.relayout_seconds(layout.log_size, 0)
        else:
            total += sweep_seconds(step, axes, layout, cost)
            axes = axes_after(step, layout)
    return total + _relayout_seconds(axes, layout.start(), layout, cost)


def _relayout_seconds(
    old: tuple[int, ...], new: tuple[int, ...], layout: Layout, cost: CostModel
) -> float:
    if old == new:
        return 0.0
    kept = 0
    while old[-1 - kept] == new[-1 - kept]:
        kept += 1
    run = layout.bits * kept + layout.log_batch
    return cost.relayout_seconds(layout.log_size, run)


class _Problem:
    """One planning problem: queues of operations on every wire."""

    def __init__(self, wirings: Sequence[Wiring], layout: Layout, cost: CostModel):
        self.wirings, self.layout, self.cost = wirings, layout, cost
        self.widest = min(layout.num_wires, 6 // layout.bits)
        self.queues: list[list[int]] = [[] for _ in range(layout.num_wires)]
        for index, wiring in enumerate(wirings):
            for wire in wiring.wires:
                self.queues[wire].append(index)

    # --- windows ----------------------------------------------------------------------

    def patterns(self) -> list[Pattern]:
        """Windows that cover all wires, the cheapest of each size and overlap."""
        sizes = itertools.product(range(2, self.widest + 1), (0, 1))
        covers = [
            cheapest_cover(self.layout, self.cost, size, overlap)
            for size, overlap in sizes
        ]
        return list(dict.fromkeys(cover for cover in covers if cover is not None))

    # --- plans ------------------------------------------------------------------------

    def plan(
        self, patterns: Sequence[Pattern], *, regroup: bool
    ) -> tuple[Step, ...] | None:
        """Sweep until every operation is done; None if the sweeps get stuck."""
        heads = [0] * self.layout.num_wires
        axes, steps = self.layout.start(), []
        while any(head < len(q) for head, q in zip(heads, self.queues, strict=True)):
            options = list(self._options(heads, patterns, axes, regroup))
            done = [sum(len(w.operations) for w in s.windows) for s, _ in options]
            if not any(done):
                if not regroup:
                    return None
                index = self._first_ready(heads)
                wiring = self.wirings[index]
                steps.append(Single(index, wiring.target, *wiring.controls))
                for wire in wiring.wires:
                    heads[wire] += 1
                continue
            rates = [
                count and count / sweep_seconds(sweep, axes, self.layout, self.cost)
                for (sweep, _), count in zip(options, done, strict=True)
            ]
            sweep, heads = options[rates.index(max(rates))]
            steps.append(sweep)
            axes = axes_after(sweep, self.layout)
        return tuple(steps)

    def _options(
        self,
        heads: list[int],
        patterns: Sequence[Pattern],
        axes: tuple[int, ...],
        regroup: bool,
    ) -> Iterator[tuple[Sweep, list[int]]]:
        natural = tuple(range(self.layout.num_wires))
        for pattern in patterns:
            yield self._sweep(natural, pattern, heads)
        if not regroup:
            return
        here = tuple(axis for axis in axes if axis != CARRY)
        sizes = {tuple(b - a for a, b in pattern) for pattern in patterns}
        for kept in (0, 2, 4):
            for pattern in sizes:
                order = self._regrouped(heads, pattern, here, kept)
                if order is not None:
                    cuts = _cuts(pattern, self.layout.num_wires)
                    yield self._sweep(order, cuts, heads)

    def _sweep(
        self, order: Wires, pattern: Pattern, heads: list[int]
    ) -> tuple[Sweep, list[int]]:
        """Fill windows from left to right; those with nothing to do at the end go."""
        windows = []
        for start, stop in pattern:
            inside, left = set(order[start:stop]), set(order[:start])
            taken, mux, heads = self._absorb(heads, inside, left)
            windows.append(Window(start, stop, mux, taken))
        while windows and not windows[-1].operations:
            windows.pop()
        if not self.layout.carry:
            windows = [window for window in windows if window.operations]
        whole = _whole(windows, self.layout, self.cost)
        return Sweep(order, tuple(windows), whole), heads

    def _absorb(
        self, heads: list[int], inside: set[int], left: set[int]
    ) -> tuple[tuple[int, ...], Wires, list[int]]:
        """Take every operation that can be done now on the wires of a window."""
        heads, taken, mux = list(heads), [], []
        progress = True
        while progress:
            progress = False
            for wire in sorted(inside):
                while heads[wire] < len(self.queues[wire]):
                    index = self.queues[wire][heads[wire]]
                    outside = [w for w in self.wirings[index].wires if w not in inside]
                    new = [w for w in outside if w not in mux]
                    if not self._is_ready(index, heads) or any(
                        w not in left or w not in self.wirings[index].diagonal
                        for w in outside
                    ):
                        break
                    if len(mux) + len(new) > MAX_MUX:
                        break
                    mux += new
                    taken.append(index)
                    for w in self.wirings[index].wires:
                        heads[w] += 1
                    progress = True
        return tuple(taken), tuple(mux), heads

    def _is_ready(self, index: int, heads: list[int]) -> bool:
        return all(self.queues[w][heads[w]] == index for w in self.wirings[index].wires)

    def _first_ready(self, heads: list[int]) -> int:
        fronts = [q[h] for q, h in zip(self.queues, heads, strict=True) if h < len(q)]
        return min(index for index in fronts if self._is_ready(index, heads))

    # --- regrouping -------------------------------------------------------------------

    def _regrouped(
        self, heads: list[int], sizes: tuple[int, ...], here: Wires, kept: int
    ) -> Wires | None:
        """Order the wires so that windows of the given sizes hold many operations.

        The last `kept` wires stay where they are, which makes the relayout cheaper.
        """
        tail = here[len(here) - kept :]
        free = [wire for wire in here if wire not in tail]
        order: list[int] = []
        for size in sizes:
            if size > len(free):
                break
            group = self._grow(heads, free, set(order), size)
            _, _, heads = self._absorb(heads, set(group), set(order))
            order += sorted(group, key=here.index)
            free = [wire for wire in free if wire not in group]
        return (*order, *free, *tail) if order else None

    def _grow(
        self, heads: list[int], free: list[int], left: set[int], size: int
    ) -> list[int]:
        """Choose wires one operation at a time, by how much becomes possible."""
        group: list[int] = []
        while len(group) < size:
            options = []
            for wire in free:
                if wire in group or heads[wire] >= len(self.queues[wire]):
                    continue
                # The wire, with the partners that its next operations wait for.
                wanted = [wire]
                for index in self.queues[wire][heads[wire] : heads[wire] + 3]:
                    wanted += [w for w in self.wirings[index].wires if w in free]
                extra = [w for w in dict.fromkeys(wanted) if w not in group]
                extra = extra[: min(2, size - len(group))]
                taken, _, _ = self._absorb(heads, {*group, *extra}, left)
                options.append((len(taken) / (len(group) + len(extra)), extra))
            if not options:
                group += [w for w in free if w not in group][: size - len(group)]
            else:
                group += max(options, key=lambda option: option[0])[1]
        return group


def axes_after(sweep: Sweep, layout: Layout) -> tuple[int, ...]:
    """Axes that a sweep leaves: the carry behind the last window, or in front again."""
    if not layout.carry or not sweep.windows or closes(sweep.windows[-1], layout):
        return layout.axes(sweep.order)
    stop = sweep.windows[-1].stop
    return (*sweep.order[:stop], CARRY, *sweep.order[stop:])


def closes(window: Window, layout: Layout) -> bool:
    """Say whether a window has nothing to its right, so that it can turn the carry."""
    return window.stop == layout.num_wires and layout.log_batch == 0


def _in_pieces(start: int, layout: Layout, cost: CostModel) -> bool:
    """Say whether a cache holds what is to the right of a start, but not the state.

    Pauli coefficients stay whole: their gradient runs again, and is left to JAX.
    """
    if cost.log_piece is None or not layout.carry:
        return False
    return layout.log_size - start <= cost.log_piece < layout.log_size


def _whole(windows: Sequence[Window], layout: Layout, cost: CostModel) -> int:
    """Count the windows that are done on the whole state."""
    pieced = [_in_pieces(window.start, layout, cost) for window in windows]
    return len(windows) - sum(pieced) if sum(pieced) > 1 else len(windows)


def _cuts(sizes: tuple[int, ...], num_wires: int) -> Pattern:
    cuts, start = [], 0
    for size in sizes:
        if start + size <= num_wires:
            cuts.append((start, start + size))
            start += size
    return tuple(cuts)
