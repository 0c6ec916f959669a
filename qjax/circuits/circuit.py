"""Circuits: operations in time order, and the repeated layer as one operation."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits.drawing import draw
from qjax.circuits.operation import (
    AbstractComposite,
    AbstractOperation,
    AbstractUnitary,
)
from qjax.circuits.resources import (
    Resources,
    Times,
    count_resources,
    critical_path,
)


class Circuit(eqx.Module):
    """Operations in time order on `num_wires` wires.

    Attributes:
        operations: The operations; their numbers are the circuit's leaves.
        num_wires: Number of wires. Static.

    Raises:
        ValueError: If an operation acts outside the wires.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> bell = Circuit([h(0), cx(0, 1)], num_wires=2)
        >>> print(bell.draw())
        0: ─H─●─
        1: ───X─
        >>> len((bell + bell.inverse()).operations)
        4
    """

    operations: tuple[AbstractOperation, ...] = eqx.field(converter=tuple)
    num_wires: int = eqx.field(static=True)

    def __check_init__(self):
        require(self.num_wires >= 1, "num_wires", "be at least 1", self.num_wires)
        for operation in self.operations:
            if not isinstance(operation, AbstractOperation):
                raise TypeError(
                    "Argument `operations` must hold operations, "
                    f"but has {type(operation).__name__}."
                )
            if max(operation.wires, default=0) >= self.num_wires:
                rule = f"lie in [0, {self.num_wires}) for {operation.name}"
                require(False, "wires", rule, operation.wires)

    def __add__(self, other: "Circuit") -> "Circuit":
        """Return the circuit that does this one, then the other."""
        fits = self.num_wires == other.num_wires
        require(fits, "other", f"have {self.num_wires} wires", other.num_wires)
        return Circuit(self.operations + other.operations, self.num_wires)

    def inverse(self) -> "Circuit":
        """Return U^-1: the inverses in reverse order.

        Raises:
            TypeError: If an operation (channel, measurement, reset) has no inverse.
        """
        reverse = [_inverse(operation) for operation in reversed(self.operations)]
        return Circuit(reverse, self.num_wires)

    def draw(self) -> str:
        """Return a picture in text, one line for each wire, time to the right."""
        return draw(self.operations, self.num_wires)

    def resources(self) -> Resources:
        """Return counts of operations by name and size, and the depth."""
        return count_resources(self.operations, self.num_wires)

    def duration(self, times: Times) -> float:
        """Return the time of one execution, each operation as early as its wires allow.

        Args:
            times: Time of an operation: by its number of wires, such as
                {1: 35.0, 2: 300.0} in ns, or a function of the operation, such as one
                that looks it up in a calibration. A number of wires that is missing
                counts as 0.
        """
        return critical_path(self.operations, self.num_wires, times)


class Repeat(AbstractComposite):
    """A layer done `depth` times: compiled once, whatever the depth.

    Attributes:
        body: The layer, each leaf with a leading axis of length `depth`; `jax.vmap` of
            a builder `params -> Circuit` makes it.
        depth: Number of repetitions. Static.

    Raises:
        ValueError: If a leaf lacks the leading axis, or `depth` < 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, Repeat, rx
        >>> layer = lambda angle: Circuit([rx(angle, 0)], 1)
        >>> repeat = Repeat(jax.vmap(layer)(jnp.zeros(5)), depth=5)
        >>> Circuit([repeat], 1).resources().num_operations
        5
    """

    body: Circuit
    depth: int = eqx.field(static=True)

    def __check_init__(self):
        require(self.depth >= 1, "depth", "be at least 1", self.depth)
        for leaf in jax.tree.leaves(self.body):
            if np.shape(leaf)[:1] != (self.depth,):
                rule = f"have leaves with a leading axis of length {self.depth}"
                require(False, "body", rule, f"one with a leaf of {np.shape(leaf)}")

    @property
    def wires(self) -> Wires:
        used = {wire for op in self.body.operations for wire in op.wires}
        return tuple(sorted(used))

    @property
    def name(self) -> str:
        return f"Repeat{self.depth}"

    @property
    def repetitions(self) -> int:
        return self.depth

    @property
    def operations(self) -> tuple[AbstractOperation, ...]:
        return self.body.operations

    def layer(self, index: int) -> Circuit:
        """Return one repetition as a circuit of its own."""
        return jax.tree.map(lambda leaf: leaf[index], self.body)


def unroll(circuit: Circuit) -> Circuit:
    """Return the same circuit without `Repeat`: each repetition written out.

    Args:
        circuit: Circuit of any depth of nesting.

    Returns:
        Circuit of as many operations as are done; its trace grows with depth.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, Repeat, rx, unroll
        >>> body = jax.vmap(lambda angle: Circuit([rx(angle, 0)], 1))(jnp.zeros(3))
        >>> len(unroll(Circuit([Repeat(body, 3)], 1)).operations)
        3
    """
    operations: list[AbstractOperation] = []
    for operation in circuit.operations:
        if isinstance(operation, Repeat):
            for index in range(operation.depth):
                operations += unroll(operation.layer(index)).operations
        else:
            operations.append(operation)
    return Circuit(operations, circuit.num_wires)


def _inverse(operation: AbstractOperation) -> AbstractOperation:
    if isinstance(operation, AbstractUnitary):
        return operation.inverse()
    if isinstance(operation, Repeat):
        # Inverting under vmap keeps matrices' own axes apart from the depth axis.
        body = jax.vmap(Circuit.inverse)(jax.tree.map(jnp.asarray, operation.body))
        flipped = jax.tree.map(lambda leaf: leaf[::-1], body)
        return Repeat(flipped, operation.depth)
    raise TypeError(f"Operation {operation.name} must be unitary to have an inverse.")
