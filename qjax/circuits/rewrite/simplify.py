"""Simplifications of circuits; what they do is unchanged up to a global phase."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from qjax._checks import require
from qjax._types import is_traced
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.gates import GATES, PAULIS
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Controlled,
    Gate,
)
from qjax.circuits.rewrite.commutation import (
    commute,
    kind_of,
    product_row,
    same_inverse,
    same_turn,
)

_SAME_AXIS = 1e-6
"""Components of an axis that are rounding in single precision."""


def fold_gates(circuit: Circuit) -> Circuit:
    """Join gates that meet once others are moved out of their way.

    Rotations about one axis become one with the sum of their angles, gates that undo
    each other vanish, and two gates without angles become one of the table (S S = Z). A
    gate moves past those it commutes with, whatever their angles, so that the result
    holds for all angles and this runs under `jit`. The body of a `Repeat` is folded by
    itself.

    Args:
        circuit: Any circuit.

    Returns:
        Circuit that does the same, exactly.

    Source: Maslov et al., IEEE Trans. CAD 27, 436 (2008); Nam et al., npj Quantum Inf.
        4, 23 (2018), section "Preprocessing".

    Example:
        >>> from qjax.circuits import Circuit, cx, fold_gates, rz, x
        >>> long = [cx(0, 1), rz(0.1, 0), x(1), cx(0, 1), rz(0.2, 0)]
        >>> print(fold_gates(Circuit(long, 2)).draw())
        0: ─RZ─
        1: ─X──
    """
    operations = [_inside(operation, fold_gates) for operation in circuit.operations]
    while True:
        folded = _fold_once(operations)
        if len(folded) == len(operations):
            return Circuit(folded, circuit.num_wires)
        operations = folded


def _fold_once(operations: Sequence[AbstractOperation]) -> list[AbstractOperation]:
    kept: list[AbstractOperation] = []
    for operation in operations:
        for place in reversed(range(len(kept))):
            joined = _join(kept[place], operation)
            if joined is not None:
                kept[place : place + 1] = joined
                break
            if not commute(kept[place], operation):
                kept.append(operation)
                break
        else:
            kept.append(operation)
    return kept


def _join(
    first: AbstractOperation, second: AbstractOperation
) -> list[AbstractOperation] | None:
    """Return what two neighbours are together, if it is less than two gates."""
    one, other = kind_of(first), kind_of(second)
    if one is None or other is None:
        return None
    if same_turn(*one, *other):
        return [_added(first, second)]
    if same_inverse(*one, *other):
        return []
    row = product_row(*one, *other)
    if row is None:
        return None
    assert isinstance(first, Gate)
    return [Gate(first.params, first.wires, row)]


def _added(first: AbstractOperation, second: AbstractOperation) -> AbstractOperation:
    """Return a rotation with the angles of both, under the controls of the first."""
    if isinstance(first, Controlled):
        inner = _added(first.operation, second)
        assert isinstance(inner, AbstractUnitary)
        return Controlled(inner, first.controls, first.values)
    while isinstance(second, Controlled):
        second = second.operation
    assert isinstance(first, Gate) and isinstance(second, Gate)
    return Gate(first.params + second.params, first.wires, first.spec)


def drop_identities(circuit: Circuit, tolerance: float = 1e-6) -> Circuit:
    """Leave out gates that do nothing: ||U - e^{i phi} I|| <= tolerance.

    Args:
        circuit: Circuit with concrete numbers: what is left out depends on them.
        tolerance: In the largest singular value, at least 0; for a rotation by t it is
            2 |sin(t / 4)|, about |t| / 2.

    Returns:
        Circuit whose unitary is off by at most `tolerance` for each gate left out, up
        to a global phase. Gates in a `Repeat` go if they do nothing in all repetitions.

    Raises:
        ValueError: If `tolerance` < 0.
        TypeError: If the circuit's numbers are traced.

    Example:
        >>> from qjax.circuits import Circuit, drop_identities, h, rx
        >>> drop_identities(Circuit([h(0), rx(1e-8, 0)], 1)).resources().num_operations
        1
    """
    require(tolerance >= 0, "tolerance", "be at least 0", tolerance)
    _require_concrete(circuit)
    operations: list[AbstractOperation] = []
    for operation in circuit.operations:
        if isinstance(operation, Repeat):
            kept = _body_without_identities(operation, tolerance)
            if kept:
                body = Circuit(kept, circuit.num_wires)
                operations.append(Repeat(body, operation.depth))
        elif not _does_nothing(operation, tolerance):
            operations.append(operation)
    return Circuit(operations, circuit.num_wires)


def _body_without_identities(
    repeat: Repeat, tolerance: float
) -> list[AbstractOperation]:
    layers = [repeat.layer(index).operations for index in range(repeat.depth)]
    return [
        operation
        for place, operation in enumerate(repeat.operations)
        if not all(_does_nothing(layer[place], tolerance) for layer in layers)
    ]


def _does_nothing(operation: AbstractOperation, tolerance: float) -> bool:
    if not isinstance(operation, AbstractUnitary):
        return False
    matrix = np.asarray(operation.matrix(), complex)
    # Of a normal matrix, the singular values of U - z are |eigenvalue - z|.
    trace = np.trace(matrix)
    phase = trace / abs(trace) if abs(trace) > 0 else 1.0
    gap = np.linalg.norm(matrix - phase * np.eye(len(matrix)), 2)
    return bool(gap <= tolerance)


def merge_one_wire(circuit: Circuit) -> Circuit:
    """Write every run of gates on one wire as a single U3, up to a global phase.

    Args:
        circuit: Any circuit. A run ends where its wire meets another operation; the
            body of a `Repeat` is merged by itself.

    Returns:
        Circuit whose runs of two gates or more are U3 gates. Angles are computed in
        JAX; at theta = 0 and pi, where phi and lambda are not unique, they have no
        derivative.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, merge_one_wire, rz, t
        >>> merged = merge_one_wire(Circuit([h(0), t(0), rz(0.2, 0), cx(0, 1)], 2))
        >>> [operation.name for operation in merged.operations]
        ['U3', 'CX']
    """
    done: list[AbstractOperation] = []
    runs: dict[int, list[AbstractUnitary]] = {}

    def close(wire: int) -> None:
        run = runs.pop(wire, [])
        done.extend(run if len(run) < 2 else [_as_u3(run)])

    for operation in circuit.operations:
        if isinstance(operation, AbstractUnitary) and len(operation.wires) == 1:
            runs.setdefault(operation.wires[0], []).append(operation)
            continue
        for wire in operation.wires:
            close(wire)
        done.append(_inside(operation, merge_one_wire))
    for wire in sorted(runs):
        close(wire)
    return Circuit(done, circuit.num_wires)


def _as_u3(run: Sequence[AbstractUnitary]) -> Gate:
    matrix = jnp.asarray(run[0].matrix())
    for operation in run[1:]:
        after = jnp.asarray(operation.matrix())
        dtype = jnp.result_type(matrix.dtype, after.dtype)
        matrix = jnp.matmul(
            after.astype(dtype),
            matrix.astype(dtype),
            precision=jax.lax.Precision.HIGHEST,
        )
    # Up to a phase [[cos, -e^{il} sin], [e^{ip} sin, e^{i(p + l)} cos]] of theta / 2.
    cos, sin = jnp.abs(matrix[0, 0]), jnp.abs(matrix[1, 0])
    total = jnp.angle(matrix[1, 1] * matrix[0, 0].conj())
    gap = jnp.angle(-matrix[1, 0] * matrix[0, 1].conj())
    # Of total = p + l and gap = p - l, the one that is read off the larger entries.
    if_cos = jnp.angle(-matrix[0, 1] * matrix[0, 0].conj())
    if_sin = jnp.angle(matrix[1, 0] * matrix[0, 0].conj()) - gap
    last = jnp.where(cos >= sin, if_cos, if_sin)
    phi = last + jnp.where(cos >= sin, total - 2 * last, gap)
    params = jnp.stack([2 * jnp.arctan2(sin, cos), phi, last])
    return Gate(params, run[0].wires, GATES["U3"])


def simplify(circuit: Circuit, tolerance: float = 1e-6) -> Circuit:
    """Fold gates, leave out those that do nothing, and merge runs on one wire.

    Args:
        circuit: Circuit with concrete numbers.
        tolerance: As for `drop_identities`.

    Returns:
        Circuit that does the same up to a global phase and `tolerance` for each gate
        left out; `qjax.simulate.circuit_infidelity` checks it.

    Raises:
        ValueError: If `tolerance` < 0.
        TypeError: If the circuit's numbers are traced.

    Source: `fold_gates`.

    Example:
        >>> from qjax.circuits import Circuit, cx, rz, ry, simplify
        >>> gates = [ry(0.1, 0), rz(0.2, 0), cx(0, 1), rz(0.0, 1), cx(0, 1)]
        >>> [operation.name for operation in simplify(Circuit(gates, 2)).operations]
        ['U3']
    """
    while True:
        before = len(circuit.operations)
        shorter = fold_gates(drop_identities(circuit, tolerance))
        if len(shorter.operations) == before:
            # Merged last: a turn about one axis moves past more than a general one.
            merged = drop_identities(merge_one_wire(shorter), tolerance)
            named = [_named(operation) for operation in merged.operations]
            shorter = Circuit(named, circuit.num_wires)
        if len(shorter.operations) == before:
            return shorter
        circuit = shorter


def _named(operation: AbstractOperation) -> AbstractOperation:
    """Write a U3 that turns about X, Y or Z as that rotation, up to a phase."""
    if not isinstance(operation, Gate) or operation.spec != GATES["U3"]:
        return operation
    matrix = np.asarray(operation.matrix(), complex)
    turn = matrix / np.sqrt(np.linalg.det(matrix))
    # exp(-i t n.P / 2) = cos(t / 2) - i sin(t / 2) n.P.
    along = [(1j * np.trace(PAULIS[axis] @ turn) / 2).real for axis in "XYZ"]
    axis = int(np.argmax(np.abs(along)))
    if np.abs(np.delete(along, axis)).max() > _SAME_AXIS:
        return operation
    angle = 2 * np.arctan2(along[axis], (np.trace(turn) / 2).real)
    params = np.asarray([angle], np.asarray(operation.params).dtype)
    return Gate(params, operation.wires, GATES[f"R{'XYZ'[axis]}"])


def _inside(
    operation: AbstractOperation, rewrite: Callable[[Circuit], Circuit]
) -> AbstractOperation:
    """Rewrite the body of a repeated layer."""
    if not isinstance(operation, Repeat):
        return operation
    stacked = jax.tree.map(jnp.asarray, operation.body)
    return Repeat(jax.vmap(rewrite)(stacked), operation.depth)


def _require_concrete(circuit: Circuit) -> None:
    if any(is_traced(leaf) for leaf in jax.tree.leaves(circuit)):
        raise TypeError(
            "Argument `circuit` must hold concrete numbers, but is traced; "
            "`fold_gates` and `merge_one_wire` run under jit."
        )
