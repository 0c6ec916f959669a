"""Tensor networks as data: arrays, and the names of their axes."""

from collections.abc import Iterator

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from qjax._checks import require

Indices = tuple[int, ...]
"""Names of a tensor's axes, one integer for each."""


class Network(eqx.Module):
    """Tensors whose axes of one name are summed together: an einsum.

    T[output] = sum over all other indices of prod_j tensors[j][indices[j]]. An index on
    more than two tensors is a hyperedge: a gate that is diagonal on a wire has that
    wire's index once, not twice.

    Attributes:
        tensors: Arrays or NumPy arrays. Leaves.
        indices: Names of each tensor's axes. Static.
        output: Names of the axes of the contracted tensor, in order. Static.

    Raises:
        ValueError: If names and axes differ in number, an index has two lengths, or
            `output` repeats an index or has an unknown one.

    Example:
        >>> import numpy as np
        >>> from qjax.network import Network, contract
        >>> pair = (np.eye(2), np.asarray([[0.0, 1.0], [1.0, 0.0]]))
        >>> contract(Network(pair, ((0, 1), (1, 2)), (0, 2))).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    tensors: tuple[Array | np.ndarray, ...] = eqx.field(converter=tuple)
    indices: tuple[Indices, ...] = eqx.field(static=True, converter=tuple)
    output: Indices = eqx.field(static=True, default=())

    def __check_init__(self):
        count = len(self.tensors)
        require(count > 0, "tensors", "hold at least one tensor", "empty")
        rule = f"name the axes of {count} tensors"
        require(len(self.indices) == count, "indices", rule, len(self.indices))
        sizes: dict[int, int] = {}
        for tensor, names in zip(self.tensors, self.indices, strict=True):
            shape = np.shape(tensor)
            rule = f"name each axis of a tensor of shape {shape}"
            require(len(names) == len(shape), "indices", rule, names)
            for name, size in zip(names, shape, strict=True):
                same = sizes.setdefault(name, size) == size
                rule = f"have length {sizes[name]} wherever it stands"
                require(same, f"indices {name}", rule, size)
        known = set(self.output) <= set(sizes)
        distinct = len(set(self.output)) == len(self.output)
        rule = "hold indices of the tensors, each once"
        require(known and distinct, "output", rule, self.output)

    @property
    def sizes(self) -> dict[int, int]:
        """Length of each index, in order of first appearance."""
        return dict(self._axes())

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the contracted tensor."""
        common = np.result_type(*(tensor.dtype for tensor in self.tensors))
        return np.dtype(jax.dtypes.canonicalize_dtype(common))

    def _axes(self) -> Iterator[tuple[int, int]]:
        for tensor, names in zip(self.tensors, self.indices, strict=True):
            yield from zip(names, np.shape(tensor), strict=True)
