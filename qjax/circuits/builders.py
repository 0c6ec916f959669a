"""Builders of operations: `rx(0.3, wire)` is a `Gate`, and so for every table row.

Every gate builder takes its angles first (scalars in radians: Python numbers, NumPy or
JAX, traced or not; `jax.vmap` makes a batch) and then its wires, controls before
targets. It raises ValueError for a wire that is negative or repeated, and for an angle
that is no scalar.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import as_float, check_wires, checked, require
from qjax._linalg import as_complex, is_unitary
from qjax._types import ArrayLike
from qjax.circuits.gates import GATES, pauli_rotation_spec
from qjax.circuits.operation import (
    AbstractUnitary,
    Channel,
    Controlled,
    Gate,
    GateSpec,
    Unitary,
    check_square,
)


def gate(name: str, wires: int | Sequence[int], *params: ArrayLike) -> Gate:
    """Build the gate of a table row by its name.

    Args:
        name: Key of `GATES`, for example "CRX".
        wires: As many wires as the row says.
        params: As many scalars as the row says, in radians.

    Raises:
        ValueError: If the name is unknown, or the number of wires or parameters is off.

    Example:
        >>> from qjax.circuits import gate
        >>> gate("CRX", (0, 1), 0.3).matrix().shape
        (4, 4)
    """
    if name not in GATES:
        require(False, "name", f"be one of {', '.join(GATES)}", repr(name))
    return _build(GATES[name], wires, params)


def pauli_rotation(theta: ArrayLike, word: str, wires: int | Sequence[int]) -> Gate:
    """Build exp(-i theta P / 2) for a Pauli word P such as "XZY".

    Args:
        theta: Angle in radians, scalar.
        word: Letters I, X, Y, Z, one for each wire.
        wires: Wires, in the order of the letters.

    Raises:
        ValueError: If the word has other letters or does not fit the wires.

    Example:
        >>> from qjax.circuits import pauli_rotation
        >>> pauli_rotation(0.1, "XZ", (0, 2)).name
        'RXZ'
    """
    return _build(pauli_rotation_spec(word), wires, (theta,))


def i(wire: int) -> Gate:
    """The identity."""
    return gate("I", wire)


def x(wire: int) -> Gate:
    """The Pauli X: [[0, 1], [1, 0]]."""
    return gate("X", wire)


def y(wire: int) -> Gate:
    """The Pauli Y: [[0, -i], [i, 0]]."""
    return gate("Y", wire)


def z(wire: int) -> Gate:
    """The Pauli Z: diag(1, -1)."""
    return gate("Z", wire)


def h(wire: int) -> Gate:
    """The Hadamard gate: [[1, 1], [1, -1]] / sqrt(2)."""
    return gate("H", wire)


def s(wire: int) -> Gate:
    """The phase gate diag(1, i)."""
    return gate("S", wire)


def sdg(wire: int) -> Gate:
    """The inverse of S: diag(1, -i)."""
    return gate("SDG", wire)


def t(wire: int) -> Gate:
    """The gate diag(1, e^{i pi / 4})."""
    return gate("T", wire)


def tdg(wire: int) -> Gate:
    """The inverse of T."""
    return gate("TDG", wire)


def sx(wire: int) -> Gate:
    """The square root of X: [[1 + i, 1 - i], [1 - i, 1 + i]] / 2."""
    return gate("SX", wire)


def sxdg(wire: int) -> Gate:
    """The inverse of SX."""
    return gate("SXDG", wire)


def rx(theta: ArrayLike, wire: int) -> Gate:
    """exp(-i theta X / 2)."""
    return gate("RX", wire, theta)


def ry(theta: ArrayLike, wire: int) -> Gate:
    """exp(-i theta Y / 2)."""
    return gate("RY", wire, theta)


def rz(theta: ArrayLike, wire: int) -> Gate:
    """exp(-i theta Z / 2)."""
    return gate("RZ", wire, theta)


def phase(phi: ArrayLike, wire: int) -> Gate:
    """diag(1, e^{i phi})."""
    return gate("PHASE", wire, phi)


def u3(theta: ArrayLike, phi: ArrayLike, lam: ArrayLike, wire: int) -> Gate:
    """[[cos, -e^{i lam} sin], [e^{i phi} sin, e^{i (phi + lam)} cos]] of theta / 2."""
    return gate("U3", wire, theta, phi, lam)


def cx(control: int, target: int) -> Gate:
    """Controlled X (CNOT)."""
    return gate("CX", (control, target))


def cy(control: int, target: int) -> Gate:
    """Controlled Y."""
    return gate("CY", (control, target))


def cz(control: int, target: int) -> Gate:
    """Controlled Z: diag(1, 1, 1, -1)."""
    return gate("CZ", (control, target))


def swap(first: int, second: int) -> Gate:
    """Exchange of two wires."""
    return gate("SWAP", (first, second))


def iswap(first: int, second: int) -> Gate:
    """Exchange with a factor i on |01> and |10>."""
    return gate("ISWAP", (first, second))


def iswapdg(first: int, second: int) -> Gate:
    """The inverse of iSWAP."""
    return gate("ISWAPDG", (first, second))


def crx(theta: ArrayLike, control: int, target: int) -> Gate:
    """Controlled exp(-i theta X / 2)."""
    return gate("CRX", (control, target), theta)


def cry(theta: ArrayLike, control: int, target: int) -> Gate:
    """Controlled exp(-i theta Y / 2)."""
    return gate("CRY", (control, target), theta)


def crz(theta: ArrayLike, control: int, target: int) -> Gate:
    """Controlled exp(-i theta Z / 2)."""
    return gate("CRZ", (control, target), theta)


def cphase(phi: ArrayLike, control: int, target: int) -> Gate:
    """diag(1, 1, 1, e^{i phi})."""
    return gate("CPHASE", (control, target), phi)


def rxx(theta: ArrayLike, first: int, second: int) -> Gate:
    """exp(-i theta X(x)X / 2)."""
    return gate("RXX", (first, second), theta)


def ryy(theta: ArrayLike, first: int, second: int) -> Gate:
    """exp(-i theta Y(x)Y / 2)."""
    return gate("RYY", (first, second), theta)


def rzz(theta: ArrayLike, first: int, second: int) -> Gate:
    """exp(-i theta Z(x)Z / 2)."""
    return gate("RZZ", (first, second), theta)


def ccx(first: int, second: int, target: int) -> Gate:
    """The Toffoli gate: X on the target where both controls are 1."""
    return gate("CCX", (first, second, target))


def ccz(first: int, second: int, third: int) -> Gate:
    """A sign on |111>."""
    return gate("CCZ", (first, second, third))


def cswap(control: int, first: int, second: int) -> Gate:
    """The Fredkin gate: exchange of two wires where the control is 1."""
    return gate("CSWAP", (control, first, second))


def unitary(matrix: ArrayLike, wires: int | Sequence[int]) -> Unitary:
    """Build the operation |psi> -> U |psi> from a matrix U, checked to be unitary.

    Args:
        matrix: U, shape (2^k, 2^k).
        wires: k wires; the first is the leading bit of U's indices.

    Raises:
        ValueError: If the shape does not fit, or a concrete U is not unitary to
            rounding; a traced one is reported at run time.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import unitary
        >>> unitary(np.asarray([[0, 1], [1, 0]]), 3).wires
        (3,)
    """
    wires = check_wires(wires)
    check_square(matrix, wires, "matrix", np.ndim(matrix) == 2)
    return Unitary(
        as_complex(checked(matrix, is_unitary, "matrix", "be unitary")), wires
    )


def controlled(
    operation: AbstractUnitary,
    controls: int | Sequence[int],
    values: Sequence[int] | None = None,
) -> Controlled:
    """Build C(U): U acts where the control wires hold `values` (default: all ones).

    Args:
        operation: The unitary U; controls of a controlled U are merged.
        controls: Control wires, distinct from U's.
        values: One bit for each control.

    Raises:
        ValueError: If wires repeat, or `values` does not fit.
        TypeError: If `operation` is not a unitary.

    Example:
        >>> from qjax.circuits import controlled, x
        >>> toffoli = controlled(x(2), (0, 1))
        >>> toffoli.matrix().shape
        (8, 8)
    """
    if not isinstance(operation, AbstractUnitary):
        raise TypeError(
            "Argument `operation` must be a unitary operation, "
            f"but is {type(operation).__name__}."
        )
    controls = check_wires(controls, argument="controls")
    values = (1,) * len(controls) if values is None else tuple(values)
    if isinstance(operation, Controlled):
        controls += operation.controls
        values += operation.values
        operation = operation.operation
    return Controlled(operation, controls, values)


def kraus_channel(
    kraus: ArrayLike, wires: int | Sequence[int], name: str = "Kraus"
) -> Channel:
    """Build the channel rho -> sum_k K_k rho K_k^dagger, checked to keep the trace.

    Args:
        kraus: Operators, shape (k, 2^w, 2^w).
        wires: w wires.
        name: Name in drawings.

    Raises:
        ValueError: If the shape does not fit, or concrete operators do not satisfy
            sum_k K_k^dagger K_k = I; traced ones are reported at run time.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import kraus_channel
        >>> kraus_channel(np.eye(2)[None], 0).name
        'Kraus'
    """
    return Channel(as_complex(kraus), check_wires(wires), name).checked()


def _build(
    spec: GateSpec, wires: int | Sequence[int], params: tuple[ArrayLike, ...]
) -> Gate:
    if len(params) != spec.num_params:
        rule = f"be {spec.num_params} scalars for {spec.name}"
        require(False, "params", rule, f"{len(params)} of them")
    return Gate(_stack(params, spec.name), check_wires(wires), spec)


def _stack(params: tuple[ArrayLike, ...], name: str) -> Array | np.ndarray:
    """Keep plain numbers in NumPy: building a circuit then runs nothing on a device."""
    for param in params:
        if np.shape(param) != ():
            rule = f"be scalars for {name} (use jax.vmap for a batch)"
            require(False, "params", rule, f"of shape {np.shape(param)}")
    from_jax = [param for param in params if isinstance(param, jax.Array)]
    if not from_jax:
        return np.asarray(params, dtype=float)
    dtype = jnp.result_type(*(as_float(param, "params").dtype for param in from_jax))
    return jnp.stack([as_float(param, "params").astype(dtype) for param in params])
