"""Coherent errors: the unitaries they say, through Repeat and transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from qjax.circuits import (
    GATES,
    AbstractUnitary,
    Circuit,
    Conditional,
    Gate,
    Measure,
    Repeat,
    controlled,
    cphase,
    cx,
    cz,
    h,
    pauli,
    rx,
    ry,
    rz,
    u3,
    unitary,
    x,
)
from qjax.noise import AxisTilt, NoiseModel, OverRotation, depolarizing
from qjax.simulate import expectation, run, unitary_matrix
from qjax.states import DensityMatrix, StateVector
from tests import oracles
from tests.compiling import quick_jit

FIXED = [name for name, spec in GATES.items() if spec.num_params == 0]
ROTATIONS = [name for name, spec in GATES.items() if spec.generator is not None]


def matrix_of(noise, gate, num_wires) -> np.ndarray:
    (one,) = noise(Circuit([gate], num_wires)).operations
    assert isinstance(one, AbstractUnitary)
    return np.asarray(one.matrix())


@pytest.mark.x64
@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_gate_over_rotates_by_its_principal_logarithm(name):
    """V diag(e^{i (1 + f) phase}) V^dagger with phases in (-pi, pi]."""
    ideal, size = oracles.gate(name.lower()), GATES[name].num_wires
    gate = Gate(np.zeros(0), tuple(range(size)), GATES[name])
    found = matrix_of(OverRotation(0.07), gate, size)
    values, vectors = scipy.linalg.schur(ideal, output="complex")
    phases = np.angle(np.diag(values))
    phases = np.where(phases < -np.pi + 1e-9, np.pi, phases)
    expected = (vectors * np.exp(1.07j * phases)) @ vectors.conj().T
    np.testing.assert_allclose(found, expected, atol=1e-12)
    exact = matrix_of(OverRotation(0.0), gate, size)
    np.testing.assert_allclose(exact, ideal, atol=1e-12)
    inverse = OverRotation(0.07)(Circuit([gate], size)).inverse()
    (undo,) = inverse.operations
    assert isinstance(undo, AbstractUnitary)
    undone = np.asarray(undo.matrix()) @ found
    np.testing.assert_allclose(undone, np.eye(2**size), atol=1e-12)


@pytest.mark.x64
@pytest.mark.parametrize("name", ROTATIONS)
def test_a_rotation_turns_by_a_larger_angle(name):
    size = GATES[name].num_wires
    gate = Gate(np.asarray([0.8]), tuple(range(size)), GATES[name])
    found = matrix_of(OverRotation(-0.1), gate, size)
    np.testing.assert_allclose(found, oracles.gate(name.lower(), 0.72), atol=1e-12)


@pytest.mark.x64
def test_angle_errors_of_cz_u3_and_controlled_gates():
    cz_error = matrix_of(OverRotation(0.02), cz(0, 1), 2)
    expected = np.diag([1, 1, 1, np.exp(1.02j * np.pi)])
    np.testing.assert_allclose(cz_error, expected, atol=1e-12)
    virtual_z = matrix_of(OverRotation(0.1), u3(0.5, 0.6, 0.7, 0), 1)
    np.testing.assert_allclose(
        virtual_z, oracles.gate("u3", 0.55, 0.6, 0.7), atol=1e-12
    )
    wide = matrix_of(OverRotation(0.1), controlled(rx(0.5, 2), (0, 1), (1, 0)), 3)
    expected = oracles.controlled(oracles.gate("rx", 0.55), (1, 0))
    np.testing.assert_allclose(wide, expected, atol=1e-12)


@pytest.mark.x64
@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
def test_a_tilted_gate_is_conjugated_on_every_wire(axis):
    found = matrix_of(AxisTilt(0.3, axis), cphase(0.9, 1, 0), 2)
    frame = oracles.exponential(oracles.PAULIS[axis], 0.15)
    both = np.kron(frame, frame)
    expected = both @ oracles.gate("cphase", 0.9) @ both.conj().T
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_tilt_about_y_turns_x_towards_minus_z():
    found = matrix_of(AxisTilt(0.3, "Y"), x(0), 1)
    expected = np.cos(0.3) * oracles.X - np.sin(0.3) * oracles.Z
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_all_gates_tilted_alike_are_a_change_of_frame():
    circuit = Circuit([rx(0.3, 0), ry(0.8, 1), rz(0.2, 1), h(0)], 2)
    tilted = AxisTilt(0.4, "Y")(circuit)
    frame = Circuit([ry(0.4, 0), ry(0.4, 1)], 2)
    same = frame + tilted + frame.inverse()
    matrix = quick_jit(unitary_matrix)
    np.testing.assert_allclose(matrix(same), matrix(circuit), atol=1e-6)


def test_errors_compose_and_only_named_gates_err():
    feedback = [Measure(0), Conditional(x(1), (-1,), (1,))]
    circuit = Circuit([x(0), h(0), cx(0, 1), *feedback], 2)
    both = OverRotation(0.1, "X")(AxisTilt(0.1, "Y", ("X", "CX"))(circuit))
    names = [one.name for one in both.operations]
    assert names == ["X^t'", "H", "CX'", "M", "if[-1]=1: X^t'"]
    # One gate stays one gate: a noise model may come before or after.
    model = NoiseModel((depolarizing(0.1, 0),))
    error = OverRotation(0.1)
    first, second = model(error(circuit)), error(model(circuit))
    assert [one.name for one in first.operations] == [
        one.name for one in second.operations
    ]
    final = quick_jit(lambda one: run(one, DensityMatrix.zeros(2)).matrix())
    np.testing.assert_allclose(final(first), final(second), atol=1e-6)


def test_repeat_stays_one_layer_and_strengths_are_differentiated_under_one_jit():
    def layer(angle):
        return Circuit([rx(angle, 0), cx(0, 1), ry(angle, 1)], 2)

    body = jax.vmap(layer)(jnp.asarray([0.3, 0.5, 0.7]))
    circuit = Circuit([Repeat(body, 3)], 2)

    def final(strengths):
        noisy = AxisTilt(strengths[1], "Z")(OverRotation(strengths[0])(circuit))
        assert isinstance(noisy.operations[0], Repeat)
        return expectation(run(noisy, StateVector.zeros(2)), pauli("Z", 1))

    def vector(strengths):
        state = oracles.zero_state(2)
        turn = oracles.exponential(oracles.Z, strengths[1] / 2)
        frame = np.kron(turn, turn)
        for angle in (0.3, 0.5, 0.7):
            # X = exp(-i pi (X - 1) / 2)
            power = oracles.exponential(
                oracles.X - np.eye(2), np.pi / 2 * (1 + strengths[0])
            )
            for matrix, wires in (
                (oracles.gate("rx", angle * (1 + strengths[0])), (0,)),
                (oracles.controlled(power), (0, 1)),
                (oracles.gate("ry", angle * (1 + strengths[0])), (1,)),
            ):
                full = oracles.embed(matrix, wires, 2)
                state = frame @ full @ frame.conj().T @ state
        return np.asarray(oracles.expectation(state, oracles.pauli_word("Z", (1,), 2)))

    strengths = np.asarray([0.1, 0.2])
    value, slope = quick_jit(jax.value_and_grad(final))(jnp.asarray(strengths))
    assert abs(float(value) - vector(strengths)) < 1e-5
    expected = oracles.gradient(vector, strengths)
    np.testing.assert_allclose(slope, expected, atol=1e-4)


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="`axis` must be one of X, Y, Z"):
        AxisTilt(0.1, "W")
    with pytest.raises(ValueError, match="`angle` must be a scalar"):
        AxisTilt(np.zeros(2), "X")
    with pytest.raises(ValueError, match="`fraction` must be a scalar"):
        OverRotation(np.zeros(2))
    with pytest.raises(ValueError, match="`gates` must name at least one gate"):
        OverRotation(0.1, ())
    with pytest.raises(ValueError, match="`circuit` must hold gates of the table"):
        OverRotation(0.1)(Circuit([unitary(np.eye(2), 0)], 1))
