"""Plans of contractions: order and slices, with time and memory known beforehand."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from qjax._checks import require
from qjax._memory import require_fits
from qjax.network.network import Indices, Network
from qjax.network.order import Optimizer, find_paths
from qjax.network.tree import Cost, Tree, cost_of, entries, in_frugal_order, make_tree

_MOST_SLICES = 2**31 - 1  # their number counts in 32 bits

# Reading and writing a number takes about as long as this many multiply-adds.
_WRITE = 16


@dataclasses.dataclass(frozen=True)
class ContractionPlan:
    """How a network is contracted, and what that takes; hashable, without numbers.

    Attributes:
        tree: The pairwise contractions, in order.
        sliced: Indices that are fixed to each of their values in turn, the results
            summed: a smaller contraction done `num_slices` times.
        num_slices: Product of their lengths.
        flops: Real floating-point operations, 8 for a complex multiply-add.
        peak_bytes: Predicted memory: tensors, intermediates, and the copies of a
            step's operands. One contraction; a batch takes it for each member.
        largest: Numbers in the largest intermediate tensor.
        gradient_bytes: Predicted memory with reverse mode, which keeps every
            intermediate of one slice.
        overhead: Operations over those of the same order without slices.
    """

    tree: Tree
    sliced: Indices
    num_slices: int
    flops: int
    peak_bytes: int
    largest: int
    gradient_bytes: int
    overhead: float


def plan_contraction(
    network: Network,
    *,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
) -> ContractionPlan:
    """Find the order of a contraction and predict time and memory, computing nothing.

    The order depends on the structure alone: for the same structure it is searched once
    and remembered. Without `max_bytes`, nothing is sliced, and nothing refused: it is
    `contract` that looks whether a plan fits.

    Args:
        network: The tensors; `jax.ShapeDtypeStruct`s will do.
        max_bytes: Memory to stay within. Indices are sliced until the predicted peak
            does, each time the one that costs the fewest operations.
        optimizer: "greedy"; "random-greedy", the best of 32 perturbed greedy orders;
            "optimal" by dynamic programming, exponential in the number of tensors;
            "auto", optimal up to 12 tensors and else random-greedy; or a callable in
            the form of opt_einsum, such as `cotengra.HyperOptimizer()`.

    Returns:
        A `ContractionPlan`.

    Raises:
        ValueError: If the optimizer is unknown, or no slices fit into `max_bytes`.

    Source: opt_einsum: Smith and Gray, JOSS 3, 753 (2018); slicing: Chen et al.,
    arXiv:1805.01450.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import hardware_efficient
        >>> from qjax.network import amplitude_network, plan_contraction
        >>> circuit = hardware_efficient(jnp.zeros((2, 20, 2)))
        >>> plan = plan_contraction(amplitude_network(circuit, (0,) * 20))
        >>> plan.largest <= 16, plan.num_slices
        (True, 1)
    """
    names = ("auto", "greedy", "random-greedy", "optimal")
    rule = f"be one of {', '.join(names)}, or a callable"
    known = callable(optimizer) or optimizer in names
    require(known, "optimizer", rule, repr(optimizer))
    if max_bytes is not None:
        require(max_bytes >= 1, "max_bytes", "be at least 1", max_bytes)
    sizes = tuple(network.sizes.items())
    item = network.dtype.itemsize
    return _plan(network.indices, network.output, sizes, item, max_bytes, optimizer)


def require_contraction_fits(plan: ContractionPlan, batch: int = 1) -> None:
    """Raise ValueError if a plan cannot fit; slices are advised."""
    count = len(plan.tree.inputs)
    what = f"Contraction of {count} tensors"
    if batch > 1:
        what += f" for a batch of {batch}"
    advice = "slice it by `max_bytes`, or let `optimizer` search longer"
    require_fits(batch * plan.peak_bytes, what, [(0, advice)])


@functools.lru_cache(maxsize=256)
def _plan(
    indices: tuple[Indices, ...],
    output: Indices,
    lengths: tuple[tuple[int, int], ...],
    item: int,
    max_bytes: int | None,
    optimizer: Optimizer,
) -> ContractionPlan:
    sizes = dict(lengths)
    trees = []
    for path in find_paths(indices, output, sizes, optimizer):
        tree = in_frugal_order(make_tree(indices, output, path), sizes)
        trees.append((tree, cost_of(tree, sizes)))
    trees.sort(key=lambda pair: _work(pair[1]))
    if max_bytes is None:
        return _finished(trees[0][0], sizes, (), item)
    room = max_bytes // item
    # Slicing makes some orders much worse than others: the best few are all tried.
    found = [
        _finished(tree, sizes, _slices(tree, sizes, room, operands), item)
        for tree, _ in trees[:4]
        for operands in (False, True)
    ]
    fitting = [plan for plan in found if plan.peak_bytes <= max_bytes]
    best = min(fitting or found, key=lambda plan: plan.flops)
    least = min(plan.peak_bytes for plan in found)
    rule = f"be at least {least}, to which slices bring this contraction"
    require(len(fitting) > 0, "max_bytes", rule, max_bytes)
    return best


def _work(cost: Cost) -> int:
    return cost.products + _WRITE * cost.written


def _finished(
    tree: Tree, sizes: Mapping[int, int], sliced: Indices, item: int
) -> ContractionPlan:
    whole, cost = cost_of(tree, sizes), cost_of(tree, sizes, sliced)
    given = sum(entries(names, sizes) for names in tree.inputs)
    return ContractionPlan(
        tree=tree,
        sliced=sliced,
        num_slices=entries(sliced, sizes),
        flops=8 * cost.products,
        peak_bytes=item * cost.peak,
        largest=cost.largest,
        gradient_bytes=item * (2 * given + 2 * cost.written + cost.peak),
        overhead=cost.products / max(whole.products, 1),
    )


def _slices(tree: Tree, sizes: Mapping[int, int], room: int, operands: bool) -> Indices:
    """Choose indices greedily until the peak fits; as far as it goes if it never does.

    A candidate stands in the largest result, or in the step that holds most: sometimes
    the one and sometimes the other ends with less work.
    """
    sliced: Indices = ()
    table = _Table(tree, sizes)
    while tree.steps and cost_of(tree, sizes, sliced).peak > room:
        names = table.heaviest(sliced, operands)
        candidates = sorted(names - set(tree.output) - set(sliced))
        slices = entries(sliced, sizes) * 2
        if not candidates or slices > _MOST_SLICES:
            break
        sliced = (*sliced, min(candidates, key=lambda i: table.products(sliced, i)))
    return sliced


class _Table:
    """Which step runs over which index, as arrays: slices are tried by the thousand."""

    def __init__(self, tree: Tree, sizes: Mapping[int, int]):
        self._names = list(sizes)
        column = {name: place for place, name in enumerate(sizes)}
        self._logs = np.log2(np.asarray([float(sizes[i]) for i in self._names]))
        shape = len(tree.steps), len(sizes)
        self._runs, self._depends = np.zeros(shape, bool), np.zeros(shape, bool)
        self._tensors = np.zeros((3, *shape), bool)  # of left, right and result
        for row, step in enumerate(tree.steps):
            result = len(tree.inputs) + row
            self._runs[row, [column[i] for i in tree.outer(step)]] = True
            self._depends[row, [column[i] for i in tree.depends[result]]] = True
            for part, number in enumerate((step.left, step.right, result)):
                places = [column[i] for i in tree.indices[number]]
                self._tensors[part, row, places] = True

    def heaviest(self, sliced: Indices, operands: bool) -> set[int]:
        """Indices of the largest result, or of the step with most numbers in all."""
        logs = np.where(np.isin(self._names, sliced), 0, self._logs)
        held = 2.0 ** (self._tensors @ logs)
        row = np.argmax(held.sum(axis=0) if operands else held[2])
        chosen = self._runs[row] if operands else self._tensors[2, row]
        return {self._names[place] for place in np.flatnonzero(chosen)}

    def products(self, sliced: Indices, also: int) -> float:
        """Multiply-adds if one more index is sliced."""
        fixed = np.isin(self._names, [*sliced, also])
        each = 2.0 ** (self._runs @ np.where(fixed, 0, self._logs))
        inside = self._depends[:, fixed].any(axis=1)
        slices = 2.0 ** self._logs[fixed].sum()
        return float(each[~inside].sum() + slices * each[inside].sum())
