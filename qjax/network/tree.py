"""Contraction trees: which pairs, in which order, and what that takes."""

import dataclasses
import functools
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from qjax.network.network import Indices


@dataclasses.dataclass(frozen=True)
class Step:
    """One contraction of two tensors.

    Tensors are numbered: first those of the network, then the results of the steps.

    Attributes:
        left: One tensor.
        right: The other.
        kept: Indices of the result, in order: shared ones, the left's, the right's.
    """

    left: int
    right: int
    kept: Indices


@dataclasses.dataclass(frozen=True)
class Tree:
    """Steps from a network's tensors to its output.

    Attributes:
        inputs: Indices of the network's tensors, each once.
        output: Indices of the contracted tensor.
        steps: Contractions; each tensor is used once.
    """

    inputs: tuple[Indices, ...]
    output: Indices
    steps: tuple[Step, ...]

    @functools.cached_property
    def indices(self) -> tuple[Indices, ...]:
        """Indices of every numbered tensor."""
        return (*self.inputs, *(step.kept for step in self.steps))

    @functools.cached_property
    def depends(self) -> tuple[frozenset[int], ...]:
        """For every numbered tensor, the indices of the network's tensors in it."""
        found = [frozenset(own) for own in self.inputs]
        for step in self.steps:
            found.append(found[step.left] | found[step.right])
        return tuple(found)

    def outer(self, step: Step) -> frozenset[int]:
        """All indices that a step runs over."""
        return frozenset((*self.indices[step.left], *self.indices[step.right]))


def make_tree(
    inputs: Sequence[Indices], output: Indices, path: Sequence[Sequence[int]]
) -> Tree:
    """Make a tree of a path as `opt_einsum` gives it: pairs of positions in a list.

    What is contracted is removed from the list, and the result put at its end.
    """
    own = [tuple(dict.fromkeys(names)) for names in inputs]
    uses = Counter(itertools.chain(*own, output))
    alive = list(range(len(own)))
    every, steps = list(own), []
    for positions in path:
        taken = [alive.pop(place) for place in sorted(positions, reverse=True)]
        # opt_einsum ends some paths with one tensor, or with many at once.
        taken.reverse()
        result = taken[0]
        for other in taken[1:]:
            left, right = every[result], every[other]
            uses.subtract((*left, *right))
            shared = [i for i in left if i in right and uses[i] > 0]
            kept = shared + [i for i in left if i not in right and uses[i] > 0]
            kept += [i for i in right if i not in left and uses[i] > 0]
            uses.update(kept)
            steps.append(Step(result, other, tuple(kept)))
            every.append(tuple(kept))
            result = len(every) - 1
        alive.append(result)
    return Tree(tuple(own), output, tuple(steps))


def in_frugal_order(tree: Tree, sizes: Mapping[int, int]) -> Tree:
    """Reorder the steps so that few tensors wait: the harder branch goes first.

    Source: Sethi and Ullman, J. ACM 17, 715 (1970), with sizes in place of registers.
    """
    count = len(tree.inputs)
    if not tree.steps:
        return tree
    size = [entries(names, sizes) for names in tree.indices]
    # Leaves are there anyway: only results wait and take room.
    held = [0] * count + size[count:]
    peak = [0] * len(size)
    first: dict[int, tuple[int, int]] = {}
    for result, step in enumerate(tree.steps, count):
        pair = sorted(
            (step.left, step.right), key=lambda t: peak[t] - held[t], reverse=True
        )
        a, b = pair
        first[result] = a, b
        peak[result] = max(peak[a], held[a] + peak[b], held[a] + held[b] + held[result])
    order, stack = [], [(len(size) - 1, False)]
    while stack:
        node, ready = stack.pop()
        if node < count:
            continue
        if ready:
            order.append(node)
            continue
        a, b = first[node]
        stack += [(node, True), (b, False), (a, False)]
    number = {old: new for new, old in enumerate(order, count)}
    number |= {leaf: leaf for leaf in range(count)}
    steps = (tree.steps[old - count] for old in order)
    moved = (Step(number[s.left], number[s.right], s.kept) for s in steps)
    return Tree(tree.inputs, tree.output, tuple(moved))


def entries(names: Sequence[int] | frozenset[int], sizes: Mapping[int, int]) -> int:
    """Numbers in a tensor."""
    return math.prod(sizes[name] for name in names)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a tree takes, in numbers and products of numbers.

    Attributes:
        products: Multiply-adds.
        peak: Most numbers held at a time, copies in another order included.
        largest: Most numbers in one result.
        written: Numbers in all results together.
    """

    products: int
    peak: int
    largest: int
    written: int


def cost_of(tree: Tree, sizes: Mapping[int, int], sliced: Sequence[int] = ()) -> Cost:
    """Predict the cost of a tree whose `sliced` indices are fixed in turn.

    What depends on no sliced index is contracted once, before the loop over slices.
    """
    cut = dict(sizes) | dict.fromkeys(sliced, 1)
    slices = entries(tuple(sliced), sizes)
    inside = [bool(own & set(sliced)) for own in tree.depends]
    size = [entries(names, cut) for names in tree.indices]
    count = len(tree.inputs)
    products = 0
    for result, step in enumerate(tree.steps, count):
        often = slices if inside[result] else 1
        products += often * entries(tree.outer(step), cut)
    results = size[count:]
    return Cost(
        products=products,
        peak=_peak(tree, size, inside) + sum(entries(i, sizes) for i in tree.inputs),
        largest=max(results, default=size[0]),
        written=sum(results),
    )


def _peak(tree: Tree, size: Sequence[int], inside: Sequence[bool]) -> int:
    """Most numbers in results, with an operand's copy in the order of its product."""
    count = len(tree.inputs)
    alive = most = 0
    for looped in (False, True):
        for result, step in enumerate(tree.steps, count):
            if inside[result] != looped:
                continue
            pair = step.left, step.right
            alive += size[result]
            most = max(most, alive + sum(size[part] for part in pair))
            for part in pair:
                # A result from before the loop is there for all of its turns.
                if part >= count and inside[part] == looped:
                    alive -= size[part]
    return most
