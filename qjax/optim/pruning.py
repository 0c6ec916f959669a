"""Fewer entangling gates: those whose absence changes a value least go first."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from qjax._checks import require
from qjax.circuits import AbstractUnitary, Circuit, Unitary, unroll

ValueFn = Callable[[Circuit], Float[Array, ""]]


class Pruned(NamedTuple):
    """What is left of a circuit.

    Attributes:
        circuit: The circuit without the gates that were removed, unrolled.
        removed: Places of those gates in the unrolled circuit, in order of removal.
        values: The value before, and after each removal, shape (1 + removed,).
    """

    circuit: Circuit
    removed: tuple[int, ...]
    values: np.ndarray


def entangler_importance(
    value_fn: ValueFn, circuit: Circuit
) -> tuple[tuple[int, ...], Float[Array, " g"]]:
    """Return by how much a value grows if a gate on two wires is left out.

    Args:
        value_fn: Maps a unitary circuit to a real scalar that should stay small: a
            loss, or the infidelity with the state of the whole circuit.
        circuit: Unitary circuit; repeated layers are written out.

    Returns:
        Places of the gates on two wires in `unroll(circuit)`, and
        value(without the gate) - value(circuit) for each, all in one batch: one
        compiled program.

    Raises:
        ValueError: If no gate acts on two wires.

    Source: Sim et al., Quantum Sci. Technol. 6, 025019 (2021), for pruning by effect.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, pauli
        >>> from qjax.optim import entangler_importance
        >>> from qjax.simulate import expectation, run
        >>> from qjax.states import StateVector
        >>> def value(circuit):
        ...     final = run(circuit, StateVector.zeros(3))
        ...     return -expectation(final, pauli("ZZ", (0, 1)))
        >>> circuit = Circuit([h(0), cx(0, 1), cx(1, 2)], 3)
        >>> places, rise = entangler_importance(value, circuit)
        >>> places, rise.round(4).tolist()
        ((1, 2), [1.0, 0.0])
    """
    masked = _Masked(value_fn, circuit)
    count = len(masked.places)
    base = masked.value(jnp.ones(count, bool))
    return masked.places, masked.without_each(jnp.ones(count, bool)) - base


def prune_entanglers(
    value_fn: ValueFn,
    circuit: Circuit,
    *,
    max_rise: float = np.inf,
    keep: int = 0,
) -> Pruned:
    """Remove gates on two wires, one at a time, the one that costs least first.

    Args:
        value_fn: As for `entangler_importance`; it must run under `jit`.
        circuit: Unitary circuit with concrete numbers.
        max_rise: Stop before the value exceeds that of the circuit by more than this.
        keep: Stop when this many gates on two wires are left, at least 0.

    Returns:
        The pruned circuit, what was removed and what it cost. The importance of all
        that is left is found anew after each removal, by the same compiled program.

    Raises:
        ValueError: If `keep` < 0, or no gate acts on two wires.

    Source: `entangler_importance`.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, pauli
        >>> from qjax.optim import prune_entanglers
        >>> from qjax.simulate import expectation, run
        >>> from qjax.states import StateVector
        >>> def value(circuit):
        ...     final = run(circuit, StateVector.zeros(3))
        ...     return -expectation(final, pauli("ZZ", (0, 1)))
        >>> circuit = Circuit([h(0), cx(0, 1), cx(1, 2)], 3)
        >>> pruned = prune_entanglers(value, circuit, max_rise=0.1)
        >>> pruned.removed, len(pruned.circuit.operations)
        ((2,), 2)
    """
    require(keep >= 0, "keep", "be at least 0", keep)
    masked = _Masked(value_fn, circuit)
    kept = np.ones(len(masked.places), bool)
    without_each = jax.jit(masked.without_each)
    values = [float(jax.jit(masked.value)(jnp.asarray(kept)))]
    removed: list[int] = []
    while kept.sum() > keep:
        after = np.array(without_each(jnp.asarray(kept)))
        after[~kept] = np.inf
        cheapest = int(np.argmin(after))
        if not after[cheapest] <= values[0] + max_rise:
            break
        kept[cheapest] = False
        removed.append(masked.places[cheapest])
        values.append(float(after[cheapest]))
    left = [op for i, op in enumerate(masked.operations) if i not in set(removed)]
    return Pruned(Circuit(left, circuit.num_wires), tuple(removed), np.asarray(values))


class _Masked:
    """A circuit whose gates on two wires can be switched off without a new trace."""

    def __init__(self, value_fn: ValueFn, circuit: Circuit):
        self.value_fn, self.num_wires = value_fn, circuit.num_wires
        self.operations = unroll(circuit).operations
        self.places = tuple(
            i
            for i, operation in enumerate(self.operations)
            if isinstance(operation, AbstractUnitary) and len(operation.wires) == 2
        )
        rule = "have gates on two wires"
        require(len(self.places) > 0, "circuit", rule, "one without")

    def value(self, kept: Bool[Array, " g"]) -> Float[Array, ""]:
        """Return the value of the circuit with the gates that are kept."""
        operations = list(self.operations)
        for number, place in enumerate(self.places):
            operation = self.operations[place]
            assert isinstance(operation, AbstractUnitary)
            matrix = jnp.asarray(operation.matrix())
            identity = jnp.eye(4, dtype=matrix.dtype)
            chosen = jnp.where(kept[number], matrix, identity)
            operations[place] = Unitary(chosen, operation.wires)
        return self.value_fn(Circuit(operations, self.num_wires))

    def without_each(self, kept: Bool[Array, " g"]) -> Float[Array, " g"]:
        """Return the values with one more gate switched off, each in turn."""
        others = ~jnp.eye(len(self.places), dtype=bool) & kept[None]
        return jax.vmap(self.value)(others)
