"""What a circuit costs."""

import collections
import dataclasses
from collections.abc import Callable, Mapping, Sequence

from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
    Controlled,
    Gate,
    count_outcomes,
    walk,
)

Times = Mapping[int, float] | Callable[[AbstractOperation], float]


@dataclasses.dataclass(frozen=True)
class Resources:
    """Counts of one execution of a circuit, repetitions included.

    Attributes:
        num_wires: Number of wires.
        num_operations: Number of elementary operations.
        depth: Longest chain of operations that share wires.
        by_name: Count of each operation name.
        by_size: Count of unitaries by number of wires.
        num_parameters: Number of gate angles.
        num_channels: Number of noise channels.
        num_outcomes: Number of measured bits.
    """

    num_wires: int
    num_operations: int
    depth: int
    by_name: dict[str, int]
    by_size: dict[int, int]
    num_parameters: int
    num_channels: int
    num_outcomes: int


def count_resources(
    operations: Sequence[AbstractOperation], num_wires: int
) -> Resources:
    """Count what one execution of the operations uses."""
    by_name: collections.Counter[str] = collections.Counter()
    by_size: collections.Counter[int] = collections.Counter()
    level = [0] * num_wires
    num_parameters = num_channels = 0
    for operation in walk(operations):
        by_name[operation.name] += 1
        if isinstance(operation, AbstractUnitary):
            by_size[len(operation.wires)] += 1
        num_parameters += _count_parameters(operation)
        num_channels += isinstance(operation, Channel)
        reached = 1 + max(level[wire] for wire in operation.wires)
        for wire in operation.wires:
            level[wire] = reached
    return Resources(
        num_wires=num_wires,
        num_operations=sum(by_name.values()),
        depth=max(level),
        by_name=dict(by_name),
        by_size=dict(by_size),
        num_parameters=num_parameters,
        num_channels=num_channels,
        num_outcomes=count_outcomes(operations),
    )


def critical_path(
    operations: Sequence[AbstractOperation], num_wires: int, times: Times
) -> float:
    """Return when the last operation ends if each starts as soon as its wires are free.

    Operations of no entry take no time.
    """
    ends = [0.0] * num_wires
    for operation in walk(operations):
        if isinstance(times, Mapping):
            length = times.get(len(operation.wires), 0.0)
        else:
            length = times(operation)
        end = max(ends[wire] for wire in operation.wires) + length
        for wire in operation.wires:
            ends[wire] = end
    return max(ends)


def _count_parameters(operation: AbstractOperation) -> int:
    while isinstance(operation, Controlled | Conditional):
        operation = operation.operation
    return operation.spec.num_params if isinstance(operation, Gate) else 0
