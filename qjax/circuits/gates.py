"""The gate table: what is known about each gate, in one row.

Conventions: angles in radians; rotations are exp(-i angle P / 2); the first wire of a
gate is the leading bit of its matrix, and the control of a controlled gate.
"""

import functools
import operator
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import require
from qjax._linalg import real_to_complex
from qjax._types import ArrayLike
from qjax.circuits.operation import GateSpec

PAULIS = {
    "I": np.eye(2, dtype=complex),
    "X": np.asarray([[0, 1], [1, 0]], dtype=complex),
    "Y": np.asarray([[0, -1j], [1j, 0]]),
    "Z": np.asarray([[1, 0], [0, -1]], dtype=complex),
}
_ONE = np.diag([0, 1]).astype(complex)
_HADAMARD = np.asarray([[1, 1], [1, -1]], dtype=complex) / np.sqrt(2)
_SQRT_X = np.asarray([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
_SWAP = np.eye(4, dtype=complex)[[0, 2, 1, 3]]
_ISWAP = _SWAP * np.asarray([1, 1j, 1j, 1])


def pauli_matrix(word: str) -> np.ndarray:
    """Return the Kronecker product of a word such as "XZ", leading wire first."""
    require(len(word) > 0 and set(word) <= set("IXYZ"), "word", "use I, X, Y, Z", word)
    return functools.reduce(np.kron, (PAULIS[letter] for letter in word))


def _with_control(matrix: np.ndarray) -> np.ndarray:
    size = matrix.shape[0]
    out = np.eye(2 * size, dtype=complex)
    out[size:, size:] = matrix
    return out


def _add_control(matrix: Array) -> Array:
    zero = jnp.zeros_like(matrix)
    eye = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    return jnp.block([[eye, zero], [zero, matrix]])


def _rotation(generator: np.ndarray) -> Callable[[ArrayLike], Array]:
    """exp(-i t G) for G = P / 2 with P^2 = I: cos(t/2) I - i sin(t/2) P."""
    involution = 2 * generator

    def matrix(theta: ArrayLike) -> Array:
        half = jnp.asarray(theta) / 2
        cos = real_to_complex(jnp.cos(half))
        minus_i_sin = jax.lax.complex(jnp.zeros_like(half), -jnp.sin(half))
        identity = jnp.eye(involution.shape[0], dtype=cos.dtype)
        return cos * identity + minus_i_sin * jnp.asarray(involution, cos.dtype)

    return matrix


def _cis(angle: ArrayLike) -> Array:
    return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))


def _phase(phi: ArrayLike) -> Array:
    phase = _cis(jnp.asarray(phi))
    return jnp.diag(jnp.stack([jnp.ones_like(phase), phase]))


def _controlled_phase(phi: ArrayLike) -> Array:
    return _add_control(_phase(phi))


def _controlled_rotation(generator: np.ndarray) -> Callable[[ArrayLike], Array]:
    rotation = _rotation(generator)
    return lambda theta: _add_control(rotation(theta))


def _u3(theta: ArrayLike, phi: ArrayLike, lam: ArrayLike) -> Array:
    """[[cos, -e^{i lam} sin], [e^{i phi} sin, e^{i (phi + lam)} cos]] of theta / 2."""
    half = jnp.asarray(theta) / 2
    cos, sin = real_to_complex(jnp.cos(half)), real_to_complex(jnp.sin(half))
    left, right = _cis(jnp.asarray(phi)), _cis(jnp.asarray(lam))
    entries = [cos, -right * sin, left * sin, left * right * cos]
    return jnp.stack(entries).reshape(2, 2)


def _constant(matrix: np.ndarray) -> Callable[[], np.ndarray]:
    # A fresh array each time: JAX remembers the conversion of a captured one by its
    # identity, so a complex64 program would leave its rounding to a complex128 one.
    return lambda: matrix.copy()


GATES: dict[str, GateSpec] = {}
"""The gate table by name; a row is the source of builder, tests and documentation."""


def _fixed(name: str, matrix: np.ndarray, inverse: str | None = None) -> None:
    """Add a row without parameters; `inverse` names another row, or itself."""
    other = name if inverse is None else inverse
    num_wires = matrix.shape[0].bit_length() - 1
    GATES[name] = GateSpec(
        name, num_wires, 0, _constant(matrix), lambda params: (GATES[other], params)
    )


def _one_parameter(
    name: str, generator: np.ndarray, matrix: Callable[[ArrayLike], Array]
) -> None:
    """Add a row U(t) = exp(-i t G), whose inverse is U(-t)."""
    num_wires = generator.shape[0].bit_length() - 1
    GATES[name] = GateSpec(
        name,
        num_wires,
        1,
        matrix,
        lambda params: (GATES[name], operator.neg(params)),
        generator,
    )


_fixed("I", PAULIS["I"])
_fixed("X", PAULIS["X"])
_fixed("Y", PAULIS["Y"])
_fixed("Z", PAULIS["Z"])
_fixed("H", _HADAMARD)
_fixed("S", np.diag([1, 1j]), "SDG")
_fixed("SDG", np.diag([1, -1j]), "S")
_fixed("T", np.diag([1, np.exp(0.25j * np.pi)]), "TDG")
_fixed("TDG", np.diag([1, np.exp(-0.25j * np.pi)]), "T")
_fixed("SX", _SQRT_X, "SXDG")
_fixed("SXDG", _SQRT_X.conj().T, "SX")
_fixed("CX", _with_control(PAULIS["X"]))
_fixed("CY", _with_control(PAULIS["Y"]))
_fixed("CZ", _with_control(PAULIS["Z"]))
_fixed("SWAP", _SWAP)
_fixed("ISWAP", _ISWAP, "ISWAPDG")
_fixed("ISWAPDG", _ISWAP.conj(), "ISWAP")
_fixed("CCX", _with_control(_with_control(PAULIS["X"])))
_fixed("CCZ", _with_control(_with_control(PAULIS["Z"])))
_fixed("CSWAP", _with_control(_SWAP))
_one_parameter("PHASE", -1 * _ONE, _phase)
_one_parameter("CPHASE", -1 * np.kron(_ONE, _ONE), _controlled_phase)
for _word in ("X", "Y", "Z", "XX", "YY", "ZZ"):
    _generator = pauli_matrix(_word) / 2
    _one_parameter(f"R{_word}", _generator, _rotation(_generator))
for _word in ("X", "Y", "Z"):
    _generator = PAULIS[_word] / 2
    _one_parameter(
        f"CR{_word}", np.kron(_ONE, _generator), _controlled_rotation(_generator)
    )
GATES["U3"] = GateSpec(
    # U3(t, p, l)^-1 = U3(-t, -l, -p).
    "U3",
    1,
    3,
    _u3,
    lambda params: (GATES["U3"], -params[np.asarray([0, 2, 1])]),
)


@functools.cache
def pauli_rotation_spec(word: str) -> GateSpec:
    """One spec for each word, so that equal circuits compare equal."""
    generator = pauli_matrix(word) / 2
    spec = GateSpec(
        f"R{word}",
        len(word),
        1,
        _rotation(generator),
        lambda params: (pauli_rotation_spec(word), operator.neg(params)),
        generator,
    )
    return spec
