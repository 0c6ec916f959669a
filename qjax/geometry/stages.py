"""Stages: where in a circuit the derivative of each gate is a Pauli word on the state.

The derivative of exp(-i t G) inserts -i G behind the gate. Moved through its neighbours
while it stays a sum of few Pauli words, it reaches a boundary between stages, where it
acts on the state by signs and bit flips alone: no gate is applied by itself.
"""

import dataclasses
from collections.abc import Sequence

from qjax.circuits.operation import AbstractOperation
from qjax.geometry.words import Words, generator, moved


@dataclasses.dataclass(frozen=True)
class Staging:
    """A sequence of operations cut into stages.

    Attributes:
        stages: Positions of the operations of each stage.
        insertions: For each boundary, the start and the end included, the words to
            insert for a site, by its position.
    """

    stages: tuple[tuple[int, ...], ...]
    insertions: tuple[dict[int, Words], ...]

    def sites(self, backwards: bool) -> list[int]:
        """Every site with words, in the order of the boundaries."""
        step = -1 if backwards else 1
        found = (words.items() for words in self.insertions[::step])
        return [site for sites in found for site, words in sites if words]


def split(
    operations: Sequence[AbstractOperation],
    sites: frozenset[int],
    num_wires: int,
    backwards: bool,
) -> Staging:
    """Cut operations into as few stages as a greedy choice finds.

    Args:
        operations: In time order; they may be reordered where they share no wire.
        sites: Positions of those to differentiate; they need a generator.
        num_wires: Number of wires.
        backwards: Whether the start of a stage is the better place for words, not the
            end: derivatives inserted there need not pass the stage.
    """
    stages: list[tuple[int, ...]] = []
    insertions: list[dict[int, Words]] = [{}]
    left = list(range(len(operations)))
    while left:
        stage, blocked, later = _Stage(num_wires), set[int](), []
        for index in left:
            operation = operations[index]
            free = blocked.isdisjoint(operation.wires)
            if not free or not stage.takes(index, operation, index in sites):
                blocked |= set(operation.wires)
                later.append(index)
        stages.append(tuple(index for index, _ in stage.taken))
        start, end = stage.start, stage.end
        if backwards:
            end = {site: words for site, words in end.items() if site not in start}
        else:
            start = {site: words for site, words in start.items() if site not in end}
        insertions[-1] |= start
        insertions.append(end)
        left = later
    return Staging(tuple(stages), tuple(insertions))


class _Stage:
    """A stage that grows; every site of it keeps its words at one end at least."""

    def __init__(self, num_wires: int):
        self.num_wires = num_wires
        self.taken: list[tuple[int, AbstractOperation]] = []
        self.start: dict[int, Words] = {}
        self.end: dict[int, Words] = {}

    def takes(self, index: int, operation: AbstractOperation, is_site: bool) -> bool:
        """Add an operation behind the others, unless a site would be locked in."""
        end = {}
        for site, words in self.end.items():
            image = moved(words, operation, self.num_wires, forwards=True)
            if image is not None:
                end[site] = image
            elif site not in self.start:
                return False
        self.end = end
        if is_site:
            words = generator(operation, self.num_wires)
            assert words is not None
            self.end[index] = words
            pulled = self._pulled(words)
            if pulled is not None:
                self.start[index] = pulled
        self.taken.append((index, operation))
        return True

    def _pulled(self, words: Words | None) -> Words | None:
        for _, operation in reversed(self.taken):
            if words is not None:
                words = moved(words, operation, self.num_wires, forwards=False)
        return words
