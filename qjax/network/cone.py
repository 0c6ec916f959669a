"""Light cones: the operations that an observable on few wires can see."""

from collections.abc import Mapping, Sequence

from qjax._checks import check_wires, require
from qjax.circuits import GATES, Circuit, Gate, Measure, Reset, unroll
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
)
from qjax.plan.wiring import diagonal_wires


def light_cone(
    circuit: Circuit, wires: int | Sequence[int], *, diagonal: Sequence[int] = ()
) -> Circuit:
    """Keep the operations that the reduced state of some wires depends on.

    Going back in time, U^dagger O U = O for an operation outside the support of O, and
    for one that is diagonal wherever it meets O if O is diagonal there too. A channel
    outside the support leaves O alone because it keeps the trace.

    Args:
        circuit: Circuit of n wires; a `Repeat` is written out.
        wires: The wires that O acts on.
        diagonal: Those of them in whose basis O is diagonal, such as all of a projector
            on bits.

    Returns:
        Circuit of n wires with a part of the operations, in their order.

    Raises:
        ValueError: If a wire is unknown, or `diagonal` is not among the wires.
        TypeError: If the circuit measures, or acts on a condition.

    Source: Lieb and Robinson, Commun. Math. Phys. 28, 251 (1972), in its strict form
    for circuits.

    Example:
        >>> from qjax.circuits import Circuit, cx, cz, h
        >>> from qjax.network import light_cone
        >>> circuit = Circuit([h(0), h(1), cx(0, 1), h(2), cz(0, 1)], 3)
        >>> print(light_cone(circuit, 1, diagonal=(1,)).draw())
        0: ─H─●─
        1: ─H─X─
        2: ─────
    """
    wires = check_wires(wires, circuit.num_wires)
    kept_bits = set(check_wires(diagonal, circuit.num_wires, "diagonal"))
    among = kept_bits <= set(wires)
    require(among, "diagonal", f"be among the wires {wires}", tuple(diagonal))
    support = {wire: wire in kept_bits for wire in wires}
    operations = plain_operations(circuit)
    kept = cone_rows(operations, support)
    return Circuit([operations[row] for row in kept], circuit.num_wires)


def plain_operations(circuit: Circuit) -> tuple[AbstractOperation, ...]:
    """Write out a circuit, or say that it has classical bits, which no network has."""
    operations = unroll(circuit).operations
    for operation in operations:
        if isinstance(operation, Measure | Conditional):
            raise TypeError(
                "Argument `circuit` must have no measurements and conditions for a "
                f"tensor network, but has {operation.name}; use `trajectory`, or `run` "
                "on a mixed state."
            )
        if not isinstance(operation, AbstractUnitary | Channel | Reset):
            raise TypeError(
                "Argument `circuit` must hold unitaries, channels and resets for a "
                f"tensor network, but has {type(operation).__name__}."
            )
    return operations


def cone_rows(
    operations: Sequence[AbstractOperation], support: Mapping[int, bool]
) -> list[int]:
    """Positions of the operations that O sees, in time order.

    Args:
        operations: Unitaries, channels and resets, in time order.
        support: For each wire that O acts on, whether O is diagonal there.
    """
    # Wire -> whether the operator, taken back to this time, keeps its basis states.
    seen = dict(support)
    kept = []
    for row in range(len(operations) - 1, -1, -1):
        operation = operations[row]
        met = [wire for wire in operation.wires if wire in seen]
        if not met:
            continue
        if is_swap(operation):
            kept.append(row)
            a, b = operation.wires
            swapped = {a: b, b: a}
            seen = {swapped.get(wire, wire): flag for wire, flag in seen.items()}
            continue
        keeps = set(diagonal_wires(operation))
        if all(seen[wire] and wire in keeps for wire in met):
            continue
        kept.append(row)
        for wire in operation.wires:
            seen[wire] = seen.get(wire, True) and wire in keeps
        if isinstance(operation, Reset):
            for wire in operation.wires:  # what was there before is forgotten
                del seen[wire]
    return kept[::-1]


def is_swap(operation: AbstractOperation) -> bool:
    """Say whether an operation only exchanges two wires."""
    return isinstance(operation, Gate) and operation.spec is GATES["SWAP"]
