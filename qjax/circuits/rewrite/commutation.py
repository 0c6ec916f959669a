"""Which operations may change places, and which pairs are one gate, read off matrices.

Nothing here looks at an angle: a rotation exp(-i t G) commutes if G does. So what is
found holds for every angle, and under `jit`.
"""

import dataclasses
import functools
import itertools

import numpy as np

from qjax._types import Wires
from qjax.circuits.gates import GATES
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Controlled,
    Gate,
    GateSpec,
)

_MAX_WIRES = 8
"""Wires of two operations together up to which their matrices are multiplied."""
_TOLERANCE = 1e-12


@dataclasses.dataclass(frozen=True)
class Kind:
    """A gate of the table under controls, without angles or wires.

    Attributes:
        spec: Row of the gate table.
        values: Bit of each control.
    """

    spec: GateSpec
    values: tuple[int, ...]

    @property
    def turns(self) -> bool:
        """Whether it is a rotation, whose angles add."""
        return self.spec.generator is not None


def kind_of(operation: AbstractOperation) -> tuple[Kind, Wires] | None:
    """Return kind and wires, controls first; None if it is no gate of the table."""
    values: tuple[int, ...] = ()
    wires: Wires = ()
    while isinstance(operation, Controlled):
        values, wires = values + operation.values, wires + operation.controls
        operation = operation.operation
    if not isinstance(operation, Gate):
        return None
    return Kind(operation.spec, values), wires + operation.wires


def commute(first: AbstractOperation, second: AbstractOperation) -> bool:
    """Say whether two operations may change places, whatever their angles.

    Operations on different wires do. Gates of the table, also under controls, are
    compared by their matrices, rotations by their generators. Arbitrary matrices,
    channels, measurements and repeated layers count as not commuting with what they
    share a wire with; what depends on measured bits, with nothing that measures.

    Args:
        first: Any operation.
        second: Any operation.

    Returns:
        False also where it is not known.

    Example:
        >>> from qjax.circuits import commute, cx, rx, rz
        >>> commute(cx(0, 1), rz(0.3, 0)), commute(cx(0, 1), rx(0.3, 0))
        (True, False)
    """
    unitary = (isinstance(op, AbstractUnitary) for op in (first, second))
    disjoint = not set(first.wires) & set(second.wires)
    if not all(unitary):
        # Measured bits are counted in time order: only unitaries move past the rest.
        return disjoint and any(isinstance(o, AbstractUnitary) for o in (first, second))
    if disjoint:
        return True
    one, other = kind_of(first), kind_of(second)
    joint = sorted(set(first.wires) | set(second.wires))
    if one is None or other is None or len(joint) > _MAX_WIRES:
        return False
    return _kinds_commute(
        one[0], _places(one[1], joint), other[0], _places(other[1], joint)
    )


def product_row(
    first: Kind, first_wires: Wires, second: Kind, second_wires: Wires
) -> GateSpec | None:
    """Return the row of the table that second after first is, if there is one.

    Of gates without angles and without controls, on the same wires in any order; the
    row acts on them in the order of `first_wires`.
    """
    plain = not (first.values or second.values or first.spec.num_params)
    if not plain or second.spec.num_params or set(first_wires) != set(second_wires):
        return None
    order = _places(second_wires, list(first_wires))
    return _row(first.spec, second.spec, order)


def same_turn(
    first: Kind, first_wires: Wires, second: Kind, second_wires: Wires
) -> bool:
    """Say whether two rotations are one, with the sum of their angles."""
    if first != second or not first.turns or set(first_wires) != set(second_wires):
        return False
    joint = list(first_wires)
    places = _places(first_wires, joint), _places(second_wires, joint)
    ones, others = (_elements(first, p, len(joint)) for p in places)
    return all(_equal(a, b) for a, b in zip(ones, others, strict=True))


def same_inverse(
    first: Kind, first_wires: Wires, second: Kind, second_wires: Wires
) -> bool:
    """Say whether two gates without angles undo each other."""
    if first.spec.num_params or second.spec.num_params:
        return False
    if set(first_wires) != set(second_wires) or len(first_wires) > _MAX_WIRES:
        return False
    joint = list(first_wires)
    (one,) = _elements(first, _places(first_wires, joint), len(joint))
    (other,) = _elements(second, _places(second_wires, joint), len(joint))
    return _equal(other @ one, np.eye(len(one)))


def _places(wires: Wires, joint: list[int]) -> Wires:
    return tuple(joint.index(wire) for wire in wires)


@functools.lru_cache(maxsize=4096)
def _kinds_commute(
    first: Kind, first_places: Wires, second: Kind, second_places: Wires
) -> bool:
    count = 1 + max(first_places + second_places)
    pairs = itertools.product(
        _elements(first, first_places, count), _elements(second, second_places, count)
    )
    return all(_equal(a @ b, b @ a) for a, b in pairs)


@functools.lru_cache(maxsize=4096)
def _row(first: GateSpec, second: GateSpec, order: Wires) -> GateSpec | None:
    one = np.asarray(first.matrix())
    other = _embed(np.asarray(second.matrix()), order, first.num_wires)
    for spec in GATES.values():
        if spec.num_params == 0 and spec.num_wires == first.num_wires:
            if _equal(other @ one, np.asarray(spec.matrix())):
                return spec
    return None


def _elements(kind: Kind, places: Wires, count: int) -> list[np.ndarray]:
    """Return matrices that something commutes with if and only if it does with all."""
    spec, controls = kind.spec, len(kind.values)
    if spec.num_params == 0:
        inner, rest = [np.asarray(spec.matrix())], np.eye(2**spec.num_wires)
    elif spec.generator is not None:
        inner, rest = [spec.generator], np.zeros((2**spec.num_wires,) * 2)
    else:
        # Of several angles: all matrices on its wires, which these generate.
        inner = _all_matrices(spec.num_wires)
        rest = np.zeros((2**spec.num_wires,) * 2)
    found = []
    for matrix in inner:
        blocks = [rest] * 2**controls
        active = int("".join(map(str, kind.values)), 2) if controls else 0
        blocks[active] = matrix
        size = matrix.shape[0]
        whole = np.zeros((size * 2**controls,) * 2, complex)
        for i, block in enumerate(blocks):
            whole[i * size : (i + 1) * size, i * size : (i + 1) * size] = block
        found.append(_embed(whole, places, count))
    return found


def _all_matrices(num_wires: int) -> list[np.ndarray]:
    size = 2**num_wires
    found = []
    for row, column in itertools.product(range(size), repeat=2):
        unit = np.zeros((size, size), complex)
        unit[row, column] = 1
        found.append(unit)
    return found


def _embed(matrix: np.ndarray, places: Wires, count: int) -> np.ndarray:
    """Return a matrix on `places` of `count` wires, times the identity elsewhere."""
    others = [wire for wire in range(count) if wire not in places]
    whole = np.kron(matrix, np.eye(2 ** len(others)))
    tensor = whole.reshape((2,) * (2 * count))
    order = np.argsort([*places, *others])
    axes = [*order, *(order + count)]
    return tensor.transpose(axes).reshape((2**count,) * 2)


def _equal(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.abs(first - second).max() < _TOLERANCE)
