"""Coherent errors: gates that turn by the wrong angle or about the wrong axis."""

import functools
import operator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from qjax._checks import as_float, require
from qjax._linalg import dagger
from qjax._types import ArrayLike, Wires
from qjax.circuits import Circuit, Gate, rx, ry, rz
from qjax.circuits.gates import GATES
from qjax.circuits.operation import AbstractUnitary, Controlled, GateSpec
from qjax.noise._rewrite import Inserted, Names, as_names, is_gate, rewrite_gates

_ROTATIONS = {"X": rx, "Y": ry, "Z": rz}


def _scalar(value: ArrayLike, name: str) -> Array:
    array = as_float(value, name)
    require(array.ndim == 0, name, "be a scalar", f"of shape {array.shape}")
    return array


class OverRotation(eqx.Module):
    """Turn by too much: each gate exp(-i H) becomes exp(-i (1 + f) H).

    A gate with a generator G gets the angle (1 + f) theta; one without parameters has
    the H with eigenvalues in [-pi, pi) that is 0 on the states that the gate keeps, so
    that CZ becomes diag(1, 1, 1, e^{i pi (1 + f)}) and X turns by pi (1 + f). U3 is
    Rz Ry Rz with exact ("virtual") z rotations: only its theta grows. A controlled gate
    has the error of its target. One gate becomes one gate (named "X^t" where it had no
    parameter), and no gate is added.

    Attributes:
        fraction: f, of either sign. Leaf.
        gates: Names of the gates that err, None for all. Static.

    Raises:
        ValueError: If a gate to be changed is an arbitrary matrix, whose generator is
            not known.

    Source: Barnes et al., Phys. Rev. A 95, 062338 (2017) (over-rotation as coherent
    error); virtual z: McKay et al., Phys. Rev. A 96, 022330 (2017).

    Example:
        >>> from qjax.circuits import Circuit, cz, rx
        >>> from qjax.noise import OverRotation
        >>> noisy = OverRotation(0.01)(Circuit([rx(1.0, 0), cz(0, 1)], 2))
        >>> [(one.name, round(float(one.params[0]), 3)) for one in noisy.operations]
        [('RX', 1.01), ('CZ^t', 1.01)]
    """

    fraction: Float[Array, ""]
    gates: Names = eqx.field(static=True)

    def __init__(self, fraction: ArrayLike, gates: str | tuple[str, ...] | None = None):
        self.fraction = _scalar(fraction, "fraction")
        self.gates = as_names(gates)

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with the error."""
        return rewrite_gates(circuit, self._altered)

    def _altered(self, gate: AbstractUnitary) -> list[Inserted]:
        if not is_gate(gate, self.gates):
            return [gate]
        return [_turned_further(gate, self.fraction)]


def _turned_further(
    gate: AbstractUnitary, fraction: Float[Array, ""]
) -> AbstractUnitary:
    if isinstance(gate, Controlled):
        target = _turned_further(gate.operation, fraction)
        return Controlled(target, gate.controls, gate.values)
    if isinstance(gate, TiltedGate):
        inner = _turned_further(gate.operation, fraction)
        return TiltedGate(inner, gate.angle, gate.axis)
    known = isinstance(gate, Gate) and (
        gate.spec.num_params == 0
        or gate.spec.generator is not None
        or gate.spec == GATES["U3"]
    )
    rule = "hold gates of the table where they over-rotate, controlled or not"
    require(known, "circuit", rule, f"one with {gate.name}")
    assert isinstance(gate, Gate)
    spec = gate.spec
    if spec.num_params == 0:
        return Gate((1 + fraction)[None], gate.wires, _power(spec))
    params = jnp.asarray(gate.params)
    dtype = np.result_type(params.dtype, fraction.dtype)
    # Of U3's parameters theta, phi, lambda only the first is the angle of a pulse.
    first = np.arange(spec.num_params) == 0
    scale = 1 + fraction.astype(dtype) * jnp.asarray(first, dtype)
    return Gate(params.astype(dtype) * scale, gate.wires, spec)


@functools.cache
def _power(spec: GateSpec) -> GateSpec:
    """Return the row of U^t = exp(-i t H) for a gate U without parameters."""
    # Schur vectors of a normal matrix are orthonormal also where eigenvalues meet.
    triangle, vectors = scipy.linalg.schur(np.asarray(spec.matrix()), output="complex")
    phases = -np.angle(np.diag(triangle))
    # At -1 the sign is rounding's: with this one X^t is RX(pi t), CZ^t CPHASE(pi t).
    phases = np.where(phases > np.pi - 1e-6, -np.pi, phases)
    generator = (vectors * phases) @ vectors.conj().T

    def matrix(t: ArrayLike) -> Array:
        time = jnp.asarray(t)
        angles = time * jnp.asarray(phases, time.dtype)
        turn = jax.lax.complex(jnp.cos(angles), -jnp.sin(angles))
        basis = jnp.asarray(vectors, turn.dtype)
        high = jax.lax.Precision.HIGHEST
        return jnp.matmul(basis * turn[None, :], basis.conj().T, precision=high)

    return GateSpec(
        f"{spec.name}^t",
        spec.num_wires,
        1,
        matrix,
        lambda params: (_power(spec), operator.neg(params)),
        generator,
    )


class TiltedGate(AbstractUnitary):
    """A gate in a turned frame, V U V^dagger with V = exp(-i angle P / 2) on each wire.

    Attributes:
        operation: The gate U.
        angle: Angle of the turn in radians, scalar. Leaf.
        axis: Letter P of the axis that it turns about. Static.
    """

    operation: AbstractUnitary
    angle: Float[Array, ""]
    axis: str = eqx.field(static=True)

    @property
    def wires(self) -> Wires:
        return self.operation.wires

    @property
    def name(self) -> str:
        return f"{self.operation.name}'"

    def matrix(self):
        one = _ROTATIONS[self.axis](self.angle, 0).matrix()
        frame = functools.reduce(jnp.kron, [one] * len(self.wires))
        gate = self.operation.matrix().astype(frame.dtype)
        high = jax.lax.Precision.HIGHEST
        turned = jnp.matmul(frame, gate, precision=high)
        return jnp.matmul(turned, dagger(frame), precision=high)

    def inverse(self) -> "TiltedGate":
        return TiltedGate(self.operation.inverse(), self.angle, self.axis)


class AxisTilt(eqx.Module):
    """Turn about a wrong axis: gates U become V U V^dagger, V = exp(-i a P / 2).

    On every wire of the gate the axes are turned about P by an angle a: for P = Y, RX
    turns about cos(a) X - sin(a) Z, as a drive does that is off resonance. All gates
    together tilted alike would be a change of frame, seen only in preparation and
    readout: name the gates that err relative to the others.

    Attributes:
        angle: a in radians. Leaf.
        axis: P, one of "X", "Y", "Z". Static.
        gates: Names of the gates that err, None for all. Static.

    Raises:
        ValueError: If the axis is unknown.

    Source: Merrill and Brown, Adv. Chem. Phys. 154, 241 (2014) (off-resonance
    errors as tilted axes).

    Example:
        >>> from qjax.circuits import Circuit, h, rx
        >>> from qjax.noise import AxisTilt
        >>> noisy = AxisTilt(0.02, "Y", "RX")(Circuit([h(0), rx(1.0, 0)], 1))
        >>> [operation.name for operation in noisy.operations]
        ['H', "RX'"]
    """

    angle: Float[Array, ""]
    axis: str = eqx.field(static=True)
    gates: Names = eqx.field(static=True)

    def __init__(
        self,
        angle: ArrayLike,
        axis: str,
        gates: str | tuple[str, ...] | None = None,
    ):
        require(axis in _ROTATIONS, "axis", "be one of X, Y, Z", repr(axis))
        self.angle = _scalar(angle, "angle")
        self.axis = axis
        self.gates = as_names(gates)

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with the error."""
        return rewrite_gates(circuit, self._tilted)

    def _tilted(self, gate: AbstractUnitary) -> list[Inserted]:
        if not is_gate(gate, self.gates):
            return [gate]
        return [TiltedGate(gate, self.angle, self.axis)]
