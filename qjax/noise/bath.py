"""Errors correlated in time: wires that remember, added to the circuit."""

from collections.abc import Iterator
from typing import TypeVar, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from qjax._checks import require
from qjax._linalg import contract
from qjax._types import Wires
from qjax.circuits import Channel, Circuit, Gate
from qjax.circuits.operation import AbstractUnitary, Unitary
from qjax.noise._rewrite import (
    Inserted,
    Names,
    as_names,
    is_gate,
    marked,
    rewrite_gates,
)
from qjax.states import AbstractState, DensityMatrix, StateVector

State = TypeVar("State", bound=AbstractState)


class Bath(eqx.Module):
    """Couple wires to bath qubits that keep what they learn: Circuit -> wider Circuit.

    After every gate each of its wires w meets its bath qubit: the unitaries of
    `interaction` are done on (w, b(w)), then the channels of `relaxation` on b(w). What
    the bath does not forget before it meets the system again comes back: the noise is
    not Markovian. An `interaction` of angle 0 does nothing; with a relaxation that
    resets the bath the noise is the channel `memoryless()` after every gate.

    The circuit's n wires keep their numbers; bath qubit j is wire n + j, b(w) =
    n + assignment[w]. Observables and measured wires stay as they are. A run starts
    from `extend(state)`: the bath in |0>. The interaction comes as `CoherentError`s,
    which other errors do not take for gates.

    Attributes:
        interaction: Unitaries on two wires, 0 for the system and 1 for the bath, in
            time order; leaves.
        assignment: Number of the bath qubit of each of the n wires, or None for a wire
            that has none; `range(n)` gives each its own, `(0,) * n` one to all.
            Static.
        relaxation: Channels on one wire, in time order; leaves.
        gates: Names of the gates that are followed by it, None for all. Static.

    Raises:
        ValueError: If there is no bath qubit or interaction, the numbers of bath qubits
            have gaps, an operation has the wrong wires, or the assignment's length is
            not the circuit's number of wires.
        TypeError: If the interaction is not unitary or the relaxation no channel.

    Source: Ciccarello et al., Phys. Rep. 954, 1 (2022) (collision models with memory).

    Example:
        >>> from qjax.circuits import Circuit, rxx, ryy, x
        >>> from qjax.noise import Bath, amplitude_damping
        >>> exchange = (rxx(0.3, 0, 1), ryy(0.3, 0, 1))
        >>> bath = Bath(exchange, (0, 1), (amplitude_damping(0.2, 0),))
        >>> noisy = bath(Circuit([x(1)], num_wires=2))
        >>> noisy.num_wires, [one.wires for one in noisy.operations]
        (4, [(1,), (1, 3), (1, 3), (3,)])
    """

    interaction: tuple[AbstractUnitary, ...] = eqx.field(converter=tuple)
    assignment: tuple[int | None, ...] = eqx.field(static=True, converter=tuple)
    relaxation: tuple[Channel, ...] = eqx.field(converter=tuple, default=())
    gates: Names = eqx.field(static=True, converter=as_names, default=None)

    def __check_init__(self):
        used = {number for number in self.assignment if number is not None}
        rule = "number the bath qubits 0, 1, ... without gaps, at least one of them"
        fits = len(used) > 0 and used == set(range(len(used)))
        require(fits, "assignment", rule, self.assignment)
        rule = "hold at least one unitary"
        require(len(self.interaction) > 0, "interaction", rule, self.interaction)
        for one in self.interaction:
            if not isinstance(one, AbstractUnitary):
                raise TypeError(
                    "Argument `interaction` must hold unitaries, "
                    f"but has {type(one).__name__}."
                )
            rule = "act on wires 0 (system) and 1 (bath)"
            require(set(one.wires) == {0, 1}, "interaction", rule, one.wires)
        for one in self.relaxation:
            if not isinstance(one, Channel):
                raise TypeError(
                    "Argument `relaxation` must hold channels, "
                    f"but has {type(one).__name__}."
                )
            rule = "act on one wire each"
            require(len(one.wires) == 1, "relaxation", rule, one.wires)

    @property
    def num_baths(self) -> int:
        """Number of bath qubits."""
        return len({number for number in self.assignment if number is not None})

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with the bath's wires behind its own."""
        rule = f"have {len(self.assignment)} wires, as `assignment` has entries"
        fits = circuit.num_wires == len(self.assignment)
        require(fits, "circuit", rule, circuit.num_wires)
        width = circuit.num_wires + self.num_baths

        def rule_of(gate: AbstractUnitary) -> list[Inserted]:
            result: list[Inserted] = [gate]
            if is_gate(gate, self.gates):
                for wire in gate.wires:
                    result += self._meeting(wire, circuit.num_wires)
            return result

        return rewrite_gates(circuit, rule_of, width)

    def _meeting(self, wire: int, num_wires: int) -> Iterator[Inserted]:
        number = self.assignment[wire]
        if number is None:
            return
        pair = wire, num_wires + number
        for one in self.interaction:
            yield marked(_moved(one, pair))
        for channel in self.relaxation:
            yield channel.on(pair[1:])

    def extend(self, state: State) -> State:
        """Return the state of the circuit's wires with the bath's in |0> behind them.

        Raises:
            ValueError: If the state has not the number of wires of `assignment`.
            TypeError: If it is neither a StateVector nor a DensityMatrix.
        """
        rule = f"have {len(self.assignment)} wires"
        fits = state.num_wires == len(self.assignment)
        require(fits, "state", rule, state.num_wires)
        if isinstance(state, StateVector):
            zero = StateVector.zeros(self.num_baths, state.dtype)
            joint = jnp.multiply.outer(state.amplitudes, zero.amplitudes)
            return cast(State, StateVector(joint))
        if not isinstance(state, DensityMatrix):
            raise TypeError(
                "Argument `state` must be a StateVector or a DensityMatrix, "
                f"but is {type(state).__name__}."
            )
        zero = DensityMatrix.zeros(self.num_baths, state.dtype)
        joint = jnp.kron(state.matrix(), zero.matrix())
        shape = (2,) * 2 * (state.num_wires + self.num_baths)
        return cast(State, DensityMatrix(joint.reshape(shape)))

    def memoryless(self) -> Channel:
        """Return the channel of one meeting with a bath in |0>: K_j = <j| U |0>.

        rho -> Tr_b[U (rho (x) |0><0|) U^dagger], on wire 0.
        """
        dtypes = [one.matrix().dtype for one in self.interaction]
        eye = jnp.eye(4, dtype=np.result_type(*dtypes))
        # Axes: system out, bath out, system in; the bath comes in as |0>.
        total = eye[:, ::2].reshape(2, 2, 2)
        for one in self.interaction:
            total = contract(total, one.matrix(), one.wires)
        return Channel(total.transpose(1, 0, 2), (0,), "Memoryless")


def _moved(operation: AbstractUnitary, pair: Wires) -> AbstractUnitary:
    """Put a unitary on wires 0 and 1 onto a pair."""
    wires = tuple(pair[wire] for wire in operation.wires)
    if isinstance(operation, Gate):
        return Gate(operation.params, wires, operation.spec)
    return Unitary(operation.matrix(), wires)
