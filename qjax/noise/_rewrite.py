"""Rewriting a circuit gate by gate or moment by moment; a `Repeat` stays one layer."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeGuard

import jax

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits import Circuit, Conditional, Repeat
from qjax.circuits.operation import AbstractOperation, AbstractUnitary, Channel

Names = tuple[str, ...] | None
"""Names of gates that an error belongs to; None for all gates."""

Inserted = AbstractUnitary | Channel

Rule = Callable[[AbstractUnitary], Sequence[Inserted]]


class CoherentError(AbstractUnitary):
    """A unitary that is an error and no gate of the circuit: other errors skip it.

    Attributes:
        operation: The unitary that is done.

    Example:
        >>> from qjax.circuits import rzz
        >>> from qjax.noise import CoherentError
        >>> CoherentError(rzz(0.1, 0, 1)).name
        'error RZZ'
    """

    operation: AbstractUnitary

    @property
    def wires(self) -> Wires:
        return self.operation.wires

    @property
    def name(self) -> str:
        return f"error {self.operation.name}"

    def matrix(self):
        return self.operation.matrix()

    def inverse(self) -> "CoherentError":
        return CoherentError(self.operation.inverse())


def as_names(names: str | Sequence[str] | None) -> Names:
    """Return names of gates as a tuple of at least one, or None."""
    if names is None:
        return None
    names = (names,) if isinstance(names, str) else tuple(names)
    require(len(names) > 0, "gates", "name at least one gate or be None", names)
    return names


def is_gate(
    operation: AbstractOperation, names: Names = None
) -> TypeGuard[AbstractUnitary]:
    """Say whether an operation is a gate, of one of the names if there are any.

    An altered gate X^t or X' goes by the name of the gate that it was made of.
    """
    if not isinstance(operation, AbstractUnitary) or isinstance(
        operation, CoherentError
    ):
        return False
    return names is None or operation.name.rstrip("'").removesuffix("^t") in names


def marked(operation: Inserted) -> Inserted:
    """Return an inserted operation, a unitary one marked as an error."""
    if isinstance(operation, AbstractUnitary) and not isinstance(
        operation, CoherentError
    ):
        return CoherentError(operation)
    return operation


def rewrite_gates(
    circuit: Circuit, rule: Rule, num_wires: int | None = None
) -> Circuit:
    """Put `rule(gate)` in the place of every gate; a condition holds for all of it."""
    width = circuit.num_wires if num_wires is None else num_wires

    def new(operations: Sequence[AbstractOperation]) -> Iterator[AbstractOperation]:
        for old in operations:
            if isinstance(old, Repeat):
                yield map_body(old, lambda body: Circuit(list(new(body)), width))
            elif isinstance(old, Conditional) and is_gate(old.operation):
                for one in rule(old.operation):
                    yield Conditional(one, old.outcomes, old.values)
            elif is_gate(old):
                yield from rule(old)
            else:
                yield old

    return Circuit(list(new(circuit.operations)), width)


def map_body(
    repeat: Repeat, function: Callable[[Sequence[AbstractOperation]], Circuit]
) -> Repeat:
    """Rewrite a repeated layer; vmap gives what is added the depth axis it needs."""
    rewrite = jax.vmap(lambda body: function(body.operations), axis_size=repeat.depth)
    return Repeat(rewrite(repeat.body), repeat.depth)


def rewrite_moments(
    circuit: Circuit,
    after: Callable[[Sequence[AbstractOperation]], Sequence[AbstractOperation]],
) -> Circuit:
    """Put `after(moment)` behind every moment: what is done at the same time.

    Gates are done as early as their wires allow; channels and errors take no time and
    go with the gate before them. Measurements, resets, conditional and repeated
    operations wait for all wires and are moments of their own, so that bits are
    recorded in the same order as before; a repeated layer has moments of its own.
    """

    def new(operations: Sequence[AbstractOperation]) -> Circuit:
        result: list[AbstractOperation] = []
        for moment in _moments(operations, circuit.num_wires):
            for old in moment:
                result.append(map_body(old, new) if isinstance(old, Repeat) else old)
            result += after(moment)
        return Circuit(result, circuit.num_wires)

    return new(circuit.operations)


def _moments(
    operations: Sequence[AbstractOperation], num_wires: int
) -> list[list[AbstractOperation]]:
    # The first moment holds only what takes no time and comes before every gate.
    moments: list[list[AbstractOperation]] = [[]]
    free = [1] * num_wires  # the first moment that each wire is free in
    for operation in operations:
        instant = isinstance(operation, Channel | CoherentError)
        wires: Sequence[int] = operation.wires
        if not instant and not isinstance(operation, AbstractUnitary):
            wires = range(num_wires)
            place = len(moments)
        else:
            place = max((free[wire] for wire in wires), default=1) - instant
        if place == len(moments):
            moments.append([])
        moments[place].append(operation)
        for wire in wires:
            free[wire] = place + 1
    return moments
