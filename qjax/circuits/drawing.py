"""Circuits as text."""

from collections.abc import Sequence

from qjax.circuits.operation import (
    AbstractComposite,
    AbstractOperation,
    Channel,
    Conditional,
    Controlled,
    Gate,
)

_CONTROLLED = {
    "CX": ("●", "X"),
    "CY": ("●", "Y"),
    "CZ": ("●", "●"),
    "CCX": ("●", "●", "X"),
    "CCZ": ("●", "●", "●"),
    "CSWAP": ("●", "x", "x"),
    "SWAP": ("x", "x"),
    "CRX": ("●", "RX"),
    "CRY": ("●", "RY"),
    "CRZ": ("●", "RZ"),
    "CPHASE": ("●", "PHASE"),
}


def draw(operations: Sequence[AbstractOperation], num_wires: int) -> str:
    """Return one line for each wire; operations share a column where wires allow."""
    columns: list[list[str]] = []
    free = [0] * num_wires
    for symbols in _cells(operations, num_wires):
        low, high = min(symbols), max(symbols)
        position = max(free[low : high + 1])
        if position == len(columns):
            columns.append([""] * num_wires)
        for wire in range(low, high + 1):
            columns[position][wire] = symbols.get(wire, "│")
            free[wire] = position + 1
    lines = [
        f"{wire}: ─".rjust(len(str(num_wires - 1)) + 3) for wire in range(num_wires)
    ]
    for column in columns:
        width = max(len(symbol) for symbol in column)
        for wire, symbol in enumerate(column):
            lines[wire] += symbol.ljust(width, "─") + "─"
    return "\n".join(lines)


def _cells(operations: Sequence[AbstractOperation], num_wires: int):
    for operation in operations:
        if isinstance(operation, AbstractComposite):
            everywhere = range(num_wires)
            yield dict.fromkeys(everywhere, f"{operation.repetitions}×[")
            yield from _cells(operation.operations, num_wires)
            yield dict.fromkeys(everywhere, "]")
        else:
            yield _symbols(operation)


def _symbols(operation: AbstractOperation) -> dict[int, str]:
    """Symbol on each wire: controls as dots, channels and conditions by name."""
    if isinstance(operation, Controlled):
        dots = ["●" if value else "○" for value in operation.values]
        symbols = dict(zip(operation.controls, dots, strict=True))
        return symbols | _symbols(operation.operation)
    if isinstance(operation, Gate) and operation.name in _CONTROLLED:
        return dict(zip(operation.wires, _CONTROLLED[operation.name], strict=True))
    name = operation.name
    if isinstance(operation, Channel):
        name = f"~{name}"
    if isinstance(operation, Conditional):
        name = name.replace(" ", "")
    return dict.fromkeys(operation.wires, name)
