"""One builder for each row of the gate table: `rx(0.3, wire)` is a `Gate`.

Every builder takes its angles first (scalars, in radians; Python numbers, NumPy or JAX,
traced or not; `jax.vmap` makes a batch) and then its wires, controls before targets. It
raises ValueError for a wire that is negative or repeated and for an angle that is no
scalar.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import as_float, check_wires, require
from qjax._types import ArrayLike
from qjax.circuits.gates import GATES, pauli_rotation_spec
from qjax.circuits.operation import Gate, GateSpec


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
    require(name in GATES, "name", f"be one of {', '.join(GATES)}", repr(name))
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


def _build(
    spec: GateSpec, wires: int | Sequence[int], params: tuple[ArrayLike, ...]
) -> Gate:
    rule = f"be {spec.num_params} scalars for {spec.name}"
    require(len(params) == spec.num_params, "params", rule, f"{len(params)} of them")
    return Gate(_stack(params, spec.name), check_wires(wires), spec)


def _stack(params: tuple[ArrayLike, ...], name: str) -> Array | np.ndarray:
    """Keep plain numbers in NumPy: building a circuit then runs nothing on a device."""
    for param in params:
        rule = f"be scalars for {name} (use jax.vmap for a batch)"
        shape = np.shape(param)
        require(shape == (), "params", rule, f"of shape {shape}")
    from_jax = [param for param in params if isinstance(param, jax.Array)]
    if not from_jax:
        return np.asarray(params, dtype=float)
    dtype = jnp.result_type(*(as_float(param, "params").dtype for param in from_jax))
    return jnp.stack([as_float(param, "params").astype(dtype) for param in params])
