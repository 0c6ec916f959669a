"""Executing a plan: products of pairs of tensors, and a loop over slices."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import require
from qjax.network.multiply import multiply
from qjax.network.network import Indices, Network
from qjax.network.plan import (
    ContractionPlan,
    plan_contraction,
    require_contraction_fits,
)
from qjax.network.tree import Step


def contract(network: Network, plan: ContractionPlan | None = None) -> Array:
    """Contract a network to one tensor, exactly up to rounding.

    Slices are summed in a loop that is compiled once, however many there are; what
    depends on no sliced index is computed before it. Under reverse mode a slice is
    computed again rather than kept.

    Args:
        network: The tensors.
        plan: From `plan_contraction` of a network of the same structure; by default
            found here, without slices.

    Returns:
        Array with the axes `network.output`, in the tensors' common dtype.

    Raises:
        ValueError: If the plan is of another structure, or does not fit into memory.

    Example:
        >>> import numpy as np
        >>> from qjax.network import Network, contract, plan_contraction
        >>> ring = Network([np.eye(2)] * 3, ((0, 1), (1, 2), (2, 0)))
        >>> float(contract(ring))
        2.0
        >>> sliced = plan_contraction(ring, max_bytes=200)
        >>> float(contract(ring, sliced))
        2.0
    """
    if plan is None:
        plan = plan_contraction(network)
    tree = plan.tree
    own = tuple(tuple(dict.fromkeys(names)) for names in network.indices)
    same = (own, network.output) == (tree.inputs, tree.output)
    require(same, "plan", "be of the network's structure", "of another one")
    require_contraction_fits(plan)
    leaves = [
        _trace(jnp.asarray(tensor).astype(network.dtype), names)
        for tensor, names in zip(network.tensors, network.indices, strict=True)
    ]
    tensors: dict[int, Array] = dict(enumerate(leaves))
    inside = [bool(names & set(plan.sliced)) for names in tree.depends]
    numbered = list(enumerate(tree.steps, len(leaves)))
    before = [(n, step) for n, step in numbered if not inside[n]]
    looped = [(n, step) for n, step in numbered if inside[n]]
    _run(before, tensors, tree.indices)
    if plan.sliced:
        result = _sum_slices(plan, network.sizes, looped, tensors)
    else:
        result = tensors[len(tree.indices) - 1]
    return _arranged(result, tree.indices[-1], tree.output)


def _run(
    steps: Sequence[tuple[int, Step]],
    tensors: dict[int, Array],
    indices: Sequence[Indices],
) -> None:
    """Do steps, replacing operands by results."""
    for number, step in steps:
        pair = tensors.pop(step.left), tensors.pop(step.right)
        names = indices[step.left], indices[step.right]
        tensors[number] = multiply(*pair, *names, step.kept)


def _sum_slices(
    plan: ContractionPlan,
    sizes: dict[int, int],
    steps: Sequence[tuple[int, Step]],
    tensors: dict[int, Array],
) -> Array:
    indices, last = plan.tree.indices, len(plan.tree.indices) - 1
    lengths = [sizes[name] for name in plan.sliced]
    strides = np.cumprod([1, *lengths])  # slices are numbered in mixed radix
    cut = [tuple(i for i in names if i not in plan.sliced) for names in indices]

    def one(number: Array, fixed: dict[int, Array]) -> Array:
        digits = zip(plan.sliced, strides, lengths, strict=False)
        values = {i: number // int(s) % length for i, s, length in digits}
        parts = {}
        for name, tensor in fixed.items():
            place = tuple(values.get(i, slice(None)) for i in indices[name])
            parts[name] = tensor[place] if cut[name] != indices[name] else tensor
        _run([(n, _without(step, plan.sliced)) for n, step in steps], parts, cut)
        return parts[last]

    def add(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        total, number = carry
        return (total + jax.checkpoint(one)(number, tensors), number + 1), None

    shape = jax.eval_shape(one, jnp.int32(0), tensors)
    start = jnp.zeros(shape.shape, shape.dtype), jnp.int32(0)
    (total, _), _ = jax.lax.scan(add, start, length=plan.num_slices)
    return total


def _without(step: Step, sliced: Indices) -> Step:
    return Step(step.left, step.right, tuple(i for i in step.kept if i not in sliced))


def _trace(tensor: Array, names: Indices) -> Array:
    """Take the diagonal where a tensor has an index twice."""
    if len(set(names)) == len(names):
        return tensor
    own = {name: place for place, name in enumerate(dict.fromkeys(names))}
    places = [own[name] for name in names]
    return jnp.einsum(tensor, places, list(own.values()))


def _arranged(tensor: Array, names: Indices, output: Indices) -> Array:
    """Sum what is not in the output, and put the axes in its order."""
    gone = tuple(place for place, name in enumerate(names) if name not in output)
    left = [name for name in names if name in output]
    return tensor.sum(axis=gone).transpose([left.index(name) for name in output])
