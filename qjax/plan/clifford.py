"""Clifford circuits: found by the matrices of their gates, and turned into arrays."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import require
from qjax._types import Wires, is_traced
from qjax.circuits.circuit import Circuit, unroll
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Conditional,
    Controlled,
    Gate,
    GateSpec,
    Measure,
    Reset,
)
from qjax.states.clifford import (
    CliffordAction,
    clifford_action,
    identity_action,
    pack_actions,
    with_controls,
    word_action,
)

GATE, MEASURE, RESET = 0, 1, 2
"""Kinds of an instruction."""

_WIDEST = 8
"""Matrices on more wires are not looked at."""

_FEWEST = 16
"""Programs are filled up to a power of two, so that few lengths are compiled."""


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Channels that draw one of k actions each.

    Attributes:
        places: Instructions whose action is drawn, shape (rows,).
        actions: The actions to draw from, shape (rows, k).
        weights: Their probabilities, k numbers for each row; they may be traced.
    """

    places: np.ndarray
    actions: np.ndarray
    weights: list[Float[Array, " k"] | Float[np.ndarray, " k"]]


@dataclasses.dataclass(frozen=True)
class CliffordProgram:
    """A circuit as arrays with a row for each instruction.

    Attributes:
        length: Number of instructions; further rows fill up.
        kinds: GATE, MEASURE or RESET, shape (l,).
        wires: Wires acted on, shape (l, k); one wire counts unless it is a gate.
        actions: Row of `masks` for a gate, shape (l,); 0 is the identity.
        masks: What gates do, as `pack_actions` gives it.
        slots: Position of a measured bit; `num_outcomes` for what records none.
        conditions: Positions and values of the bits that must have been measured before
            an instruction is done; shape (2, l, c), a value of -1 means none.
        num_outcomes: Number of measured bits.
        mixtures: Random gates.
    """

    length: int
    kinds: np.ndarray
    wires: np.ndarray
    actions: np.ndarray
    masks: np.ndarray
    slots: np.ndarray
    conditions: np.ndarray
    num_outcomes: int
    mixtures: tuple[Mixture, ...]


def is_clifford(circuit: Circuit) -> bool:
    """Say whether every operation is a gate that takes Pauli words to Pauli words.

    Fixed gates are known by their names; angles and matrices have to be concrete, since
    a traced angle may become anything.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Circuit, cx, rx, t
        >>> from qjax.plan import is_clifford
        >>> is_clifford(Circuit([rx(np.pi / 2, 0), cx(0, 1)], 2))
        True
        >>> is_clifford(Circuit([t(0)], 1))
        False
    """
    steps = written_out(circuit)
    return all(operation_action(operation) is not None for operation in steps)


def clifford_prefix(circuit: Circuit) -> tuple[Circuit, Circuit]:
    """Split a circuit: all Clifford gates that can be done first, and the rest.

    A gate is left in the rest only if it is not (known to be) Clifford, or an operation
    before it on one of its wires is in the rest. The first part then the second do what
    the circuit does; repetitions are written out.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, t
        >>> from qjax.plan import clifford_prefix
        >>> first, rest = clifford_prefix(Circuit([t(0), h(0), h(1), cx(1, 2)], 3))
        >>> [o.name for o in first.operations], [o.name for o in rest.operations]
        (['H', 'CX'], ['T', 'H'])
    """
    first: list[AbstractOperation] = []
    rest: list[AbstractOperation] = []
    blocked: set[int] = set()
    for operation in written_out(circuit):
        free = blocked.isdisjoint(operation.wires)
        if free and operation_action(operation) is not None:
            first.append(operation)
        else:
            rest.append(operation)
            blocked.update(operation.wires)
    return Circuit(first, circuit.num_wires), Circuit(rest, circuit.num_wires)


def operation_action(operation: AbstractOperation) -> CliffordAction | None:
    """Return what an operation makes of Pauli words; None if it is not Clifford."""
    if isinstance(operation, Gate):
        spec = operation.spec
        if spec.num_params == 0:
            return _spec_action(spec, (), "")
        if is_traced(operation.params):
            return None
        params = np.asarray(operation.params)
        precision = jax.dtypes.canonicalize_dtype(params.dtype).name
        return _spec_action(spec, tuple(params.tolist()), precision)
    if not isinstance(operation, AbstractUnitary):
        return None
    matrix = known_matrix(operation)
    return None if matrix is None else clifford_action(matrix)


def known_matrix(operation: AbstractUnitary) -> np.ndarray | None:
    """Return the matrix of a unitary; None if it is traced or on more than 8 wires."""
    if len(operation.wires) > _WIDEST:
        return None
    if isinstance(operation, Controlled):
        block = known_matrix(operation.operation)
        return None if block is None else with_controls(block, operation.values)
    if isinstance(operation, Gate) and operation.spec.num_params == 0:
        return np.asarray(operation.spec.matrix())
    if any(is_traced(leaf) for leaf in jax.tree.leaves(operation)):
        return None
    with jax.ensure_compile_time_eval():
        return np.asarray(operation.matrix())


@functools.lru_cache(maxsize=4096)
def _spec_action(
    spec: GateSpec, params: tuple[float, ...], precision: str
) -> CliffordAction | None:
    gate = Gate(np.asarray(params, precision or float), (*range(spec.num_wires),), spec)
    matrix = known_matrix(gate)
    return None if matrix is None else clifford_action(matrix)


# --- circuit to arrays ----------------------------------------------------------------


def lower_clifford(circuit: Circuit) -> CliffordProgram:
    """Turn a circuit of Clifford gates, their mixtures and measurements into arrays.

    Raises:
        ValueError: If an operation is something else; the sentence names the first.
    """
    lowering = _Lowering(circuit)
    for number, operation in enumerate(written_out(circuit)):
        lowering.add(operation, (), number)
    return lowering.finished()


class _Lowering:
    """A program in the making."""

    def __init__(self, circuit: Circuit) -> None:
        self.num_wires = circuit.num_wires
        self.rows: list[tuple[int, Wires, int, int]] = []
        self.conditions: list[tuple[tuple[int, int], ...]] = []
        self.num_outcomes = 0
        self.table: list[CliffordAction] = [identity_action(1)]
        self.places: dict[int, int] = {}
        self.mixtures: dict[int, list[tuple[int, list[int], Array | np.ndarray]]] = {}

    def add(
        self,
        operation: AbstractOperation,
        condition: tuple[tuple[int, int], ...],
        number: int,
    ) -> None:
        if isinstance(operation, Conditional):
            positions = [self._position(p) for p in operation.outcomes]
            pairs = tuple(zip(positions, operation.values, strict=True))
            if not isinstance(operation.operation, Channel):
                self.add(operation.operation, pairs, number)
                return
        elif isinstance(operation, Measure | Reset):
            for wire in operation.wires:
                measures = isinstance(operation, Measure)
                slot = self.num_outcomes if measures else -1
                self.num_outcomes += measures
                self._append(MEASURE if measures else RESET, (wire,), slot, condition)
            return
        elif isinstance(operation, Channel):
            actions = _mixed_actions(operation)
            if actions is not None:
                assert operation.weights is not None
                ids = [self._place(action) for action in actions]
                row = (len(self.rows), ids, operation.weights)
                self.mixtures.setdefault(len(ids), []).append(row)
                self._append(GATE, operation.wires, 0, condition)
                return
        else:
            action = operation_action(operation)
            if action is not None:
                place = self._place(action)
                self._append(GATE, operation.wires, place, condition)
                return
        raise ValueError(
            "Argument `circuit` must hold only Clifford gates with concrete angles, "
            "their mixtures, measurements and resets on a StabilizerState, "
            f"but its operation {number} is {operation.name} on wires "
            f"{operation.wires}."
        )

    def finished(self) -> CliffordProgram:
        widest = max((len(wires) for _, wires, _, _ in self.rows), default=1)
        width = max(widest, min(2, self.num_wires))
        length = len(self.rows)
        size = _filled_up(length)
        kinds, actions, slots = np.zeros((3, size), np.int32)
        wires = np.tile(np.arange(width, dtype=np.int32), (size, 1))
        most = max((len(own) for own in self.conditions), default=0)
        conditions = np.zeros((2, size, most), np.int32)
        conditions[1] = -1
        for row, (kind, own, action, slot) in enumerate(self.rows):
            kinds[row], actions[row] = kind, action
            slots[row] = self.num_outcomes if slot < 0 else slot
            wires[row] = _filled(own, width)
            for place, pair in enumerate(self.conditions[row]):
                conditions[:, row, place] = pair
        mixtures = [
            Mixture(
                np.asarray([place for place, _, _ in rows]),
                np.asarray([ids for _, ids, _ in rows], np.int32),
                [weights for _, _, weights in rows],
            )
            for rows in self.mixtures.values()
        ]
        unused = _filled_up(len(self.table)) - len(self.table)
        masks = pack_actions(self.table + [self.table[0]] * unused, width)
        return CliffordProgram(
            length, kinds, wires, actions, masks, slots, conditions,
            self.num_outcomes, tuple(mixtures),
        )  # fmt: skip

    def _append(self, kind: int, wires: Wires, number: int, condition: tuple) -> None:
        action, slot = (number, -1) if kind == GATE else (0, number)
        self.rows.append((kind, wires, action, slot))
        self.conditions.append(condition)

    def _place(self, action: CliffordAction) -> int:
        """Return the action's row of the table."""
        if id(action) not in self.places:
            self.places[id(action)] = len(self.table)
            self.table.append(action)
        return self.places[id(action)]

    def _position(self, outcome: int) -> int:
        recorded = self.num_outcomes
        rule = f"point into the {recorded} bits recorded before"
        require(-recorded <= outcome < recorded, "outcomes", rule, outcome)
        return outcome % recorded


def _mixed_actions(channel: Channel) -> list[CliffordAction] | None:
    """Return the actions that a channel mixes; None if it does something else."""
    if channel.weights is None:
        return None
    if channel.paulis is not None:
        return [_pauli_action(word) for word in channel.paulis]
    if is_traced(channel.operators) or len(channel.wires) > _WIDEST:
        return None
    found = [clifford_action(matrix) for matrix in np.asarray(channel.operators)]
    actions = [action for action in found if action is not None]
    return actions if len(actions) == len(found) else None


@functools.cache
def _pauli_action(letters: str) -> CliffordAction:
    bits = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
    return word_action(np.asarray([bits[letter] for letter in letters]).reshape(-1))


def _filled_up(number: int) -> int:
    return max(_FEWEST, 1 << max(number - 1, 0).bit_length())


def _filled(wires: Wires, width: int) -> list[int]:
    """Add wires that nothing happens to: the smallest that are not there."""
    others = (wire for wire in range(width) if wire not in wires)
    return [*wires, *(next(others) for _ in range(width - len(wires)))]


def written_out(circuit: Circuit) -> Sequence[AbstractOperation]:
    """Write out repetitions; concrete leaves become NumPy arrays, fast to read."""
    on_host = jax.tree.map(lambda x: x if is_traced(x) else np.asarray(x), circuit)
    return unroll(on_host).operations
