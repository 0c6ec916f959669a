"""Layers done two at a time: the second begins before the first has ended."""

import jax

from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation
from qjax.plan.cost import CostModel
from qjax.plan.program import plan, predict_seconds
from qjax.plan.sweeps import Layout

_SMALLEST_LOG_SIZE = 14
"""On smaller states the matrices of larger bodies take longer than they save."""

_WORTHWHILE = 0.95
"""Pair for at least this gain: two layers take longer to compile than one."""


def pair_layers(circuit: Circuit, layout: Layout, cost: CostModel) -> Circuit:
    """Let a `Repeat` do two layers at a time where that is predicted to be faster.

    A chain of gates leaves the first wires free before the last ones are reached, so
    windows that overlap can take gates of two layers. An odd layer comes at the end.
    """
    if layout.log_size < _SMALLEST_LOG_SIZE:
        return circuit
    operations: list[AbstractOperation] = []
    for operation in circuit.operations:
        if isinstance(operation, Repeat) and _gains(operation, layout, cost):
            operations += _paired(operation)
        else:
            operations.append(operation)
    return Circuit(operations, circuit.num_wires)


def _gains(repeat: Repeat, layout: Layout, cost: CostModel) -> bool:
    if repeat.depth < 2 or any(isinstance(o, Repeat) for o in repeat.operations):
        return False
    once = repeat.body
    seconds = [
        predict_seconds(plan(body, layout, cost), cost) for body in (once, once + once)
    ]
    return seconds[1] < _WORTHWHILE * 2 * seconds[0]


def _paired(repeat: Repeat) -> list[AbstractOperation]:
    stop = repeat.depth // 2 * 2
    even, odd = (
        jax.tree.map(lambda leaf, f=first: leaf[f:stop:2], repeat.body)
        for first in (0, 1)
    )
    operations: list[AbstractOperation] = [Repeat(even + odd, stop // 2)]
    if stop < repeat.depth:
        operations += repeat.layer(stop).operations
    return operations
