"""Gradients through blocks: three kinds of reverse mode, forward mode, transforms."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    PauliSum,
    Repeat,
    controlled,
    cphase,
    crz,
    cx,
    hardware_efficient,
    heisenberg,
    pauli,
    pauli_rotation,
    rx,
    rxx,
    ry,
    rz,
    u3,
    unitary,
)
from qjax.noise import amplitude_damping, depolarizing
from qjax.plan import executor
from qjax.simulate import expectation, run
from qjax.simulate.fused import Gradient, Method
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector
from tests import oracles
from tests.compiling import quick_jit

METHODS = ("reverse", "remat", "adjoint")
by_method = pytest.mark.parametrize("gradient", METHODS)
# "remat" differs from "reverse" by one `jax.checkpoint`: where compiling is the cost,
# the two that do not share their arithmetic are enough.
by_two = pytest.mark.parametrize("gradient", ["reverse", "adjoint"])

# --- a rich circuit, whose gradient finite differences give ---------------------------

RICH_WIRES = 7
RICH = np.random.default_rng(0).uniform(-3, 3, 9)


def rich_energy(params, gradient: Gradient = "reverse", method: Method = "blocks"):
    """Angles in and out of a Repeat, in windows and in a gate that no window holds."""

    def layer(angles):
        turns = [ry(angles[wire % 3], wire) for wire in range(RICH_WIRES)]
        chain = [cx(wire, wire + 1) for wire in range(RICH_WIRES - 1)]
        last = [u3(angles[0], angles[1], angles[2], 3), crz(angles[2], 6, 0)]
        return Circuit(turns + chain + last, RICH_WIRES)

    operations = [
        rxx(params[6], 0, 5),
        controlled(rx(params[7], 4), (0, 1, 2, 3, 5, 6), (0, 0, 1, 1, 0, 1)),
        pauli_rotation(params[8], "XYZZX", (0, 4, 2, 3, 1)),
        Repeat(jax.vmap(layer)(params[:6].reshape(2, 3)), 2),
        cphase(params[0], 1, 4),
        cx(0, 3),
        rz(params[1], 2),
    ]
    rng = np.random.default_rng(1)
    start = oracles.random_state(rng, RICH_WIRES).reshape((2,) * RICH_WIRES)
    words = heisenberg(RICH_WIRES, field=0.3).words + pauli("XYZ", (0, 2, 4)).words
    observable = PauliSum(rng.normal(size=len(words)), words)
    circuit = Circuit(operations, RICH_WIRES)
    final = run(
        circuit, StateVector(jnp.asarray(start)), method=method, gradient=gradient
    )
    return expectation(final, observable)


@functools.cache
def rich_differences() -> tuple[np.ndarray, np.ndarray]:
    """The value by gates, and its finite differences."""
    value = quick_jit(lambda params: rich_energy(params, "auto", "gates"))
    slopes = oracles.gradient(lambda params: np.asarray(value(params)), RICH)
    return np.asarray(value(RICH)), slopes


@by_two
def test_every_kind_of_reverse_mode_is_the_finite_difference(gradient, x64):
    go = jax.value_and_grad(lambda params: rich_energy(params, gradient))
    value, slopes = quick_jit(go)(RICH)
    expected, differences = rich_differences()
    np.testing.assert_allclose(value, expected, atol=1e-13)
    np.testing.assert_allclose(slopes, differences, atol=1e-11)


def test_the_gates_have_the_same_gradient(x64):
    slopes = quick_jit(jax.grad(lambda p: rich_energy(p, "remat", "gates")))(RICH)
    np.testing.assert_allclose(slopes, rich_differences()[1], atol=1e-11)


# --- a lean circuit, cheap to compile, for everything else ----------------------------

NUM_WIRES, NUM_PARAMS = 3, 5
PARAMS = np.random.default_rng(2).uniform(-3, 3, NUM_PARAMS)
START = oracles.random_state(np.random.default_rng(3), NUM_WIRES).reshape(2, 2, 2)
WEIGHTS = np.random.default_rng(4).normal(size=(2, 2, 2, 2))


def layer(angles) -> list:
    return [ry(angles[0], 0), rx(angles[1], 2), cx(0, 1), cx(1, 2)]


def lean_circuit(params) -> Circuit:
    body = jax.vmap(lambda angles: Circuit(layer(angles), NUM_WIRES))
    operations = [rxx(params[4], 0, 2), Repeat(body(params[:4].reshape(2, 2)), 2)]
    return Circuit([*operations, cphase(params[0], 2, 1)], NUM_WIRES)


def lean(params, start=START, gradient: Gradient = "auto", method: Method = "gates"):
    """A real number that depends on every amplitude, quadratically."""
    state = StateVector(jnp.asarray(start))
    final = run(lean_circuit(params), state, method=method, gradient=gradient)
    weights = jnp.asarray(WEIGHTS, final.amplitudes.real.dtype)
    parts = jnp.stack([final.amplitudes.real, final.amplitudes.imag])
    return jnp.sum(weights * (parts + parts**2))


def blocks(gradient):
    return functools.partial(lean, gradient=gradient, method="blocks")


@functools.cache
def exact(shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Value and gradient by gates, at shifted parameters."""
    found = quick_jit(jax.value_and_grad(lean))(PARAMS + shift)
    return np.asarray(found[0]), np.asarray(found[1])


def test_the_lean_gradient_by_gates_is_the_finite_difference(x64):
    value = quick_jit(lean)
    differences = oracles.gradient(lambda params: np.asarray(value(params)), PARAMS)
    np.testing.assert_allclose(exact()[1], differences, atol=1e-11)
    assert np.min(np.abs(differences)) > 1e-3


@by_two
def test_vmap_is_a_loop_also_of_the_gradient(gradient, x64):
    shifts = (0.0, 0.5, -1.0)
    many = np.stack([PARAMS + shift for shift in shifts])
    together = quick_jit(jax.vmap(jax.value_and_grad(blocks(gradient))))(many)
    np.testing.assert_allclose(together[0], [exact(s)[0] for s in shifts], atol=1e-13)
    np.testing.assert_allclose(together[1], [exact(s)[1] for s in shifts], atol=1e-12)


@by_two
def test_the_gradient_of_a_vmapped_sum_is_the_sum_of_gradients(gradient, x64):
    shifts = (0.0, 0.5, -1.0)

    def total(params):
        moved = jax.vmap(lambda s: blocks(gradient)(params + s))
        return jnp.sum(moved(jnp.asarray(shifts)))

    expected = sum(exact(shift)[1] for shift in shifts)
    np.testing.assert_allclose(quick_jit(jax.grad(total))(PARAMS), expected, atol=1e-12)


STATES = np.stack(
    [oracles.random_state(np.random.default_rng(seed), 3) for seed in range(3)]
)


def by_parts(function):
    """The same function of the real and imaginary parts of the start."""
    return lambda parts: function(PARAMS, jax.lax.complex(parts[0], parts[1]))


@functools.cache
def exact_by_state() -> list:
    single = quick_jit(jax.value_and_grad(by_parts(lean)))
    parts = np.stack([np.real(STATES), np.imag(STATES)], 1).reshape(3, 2, 2, 2, 2)
    return [single(numbers) for numbers in parts]


@by_two
def test_vmap_over_states_and_the_gradient_by_them(gradient, x64):
    """The cotangent that reaches the start; the parameters are shared."""
    parts = np.stack([np.real(STATES), np.imag(STATES)], 1).reshape(3, 2, 2, 2, 2)
    go = quick_jit(jax.vmap(jax.value_and_grad(by_parts(blocks(gradient)))))
    values, slopes = go(parts)
    for index, (value, slope) in enumerate(exact_by_state()):
        np.testing.assert_allclose(values[index], value, atol=1e-13)
        np.testing.assert_allclose(slopes[index], slope, atol=1e-13)


MATRIX = oracles.random_unitary(np.random.default_rng(5), 4)
PHASES = np.asarray([0.3, -1.0, 0.2, 0.7])


@functools.cache
def by_phases(method, gradient) -> np.ndarray:
    """The gradient by phases of a dense matrix's columns, which keep it unitary."""

    def value(phases):
        turned = jax.lax.complex(jnp.cos(phases), jnp.sin(phases))[None]
        mixed = unitary(jnp.asarray(MATRIX) * turned, (2, 0))
        operations = [mixed, *lean_circuit(PARAMS).operations, mixed]
        circuit = Circuit(operations, NUM_WIRES)
        state = StateVector(jnp.asarray(START))
        final = run(circuit, state, method=method, gradient=gradient)
        return jnp.sum(jnp.asarray(WEIGHTS[0]) * final.probabilities())

    return np.asarray(quick_jit(jax.grad(value))(PHASES))


@by_two
def test_gradients_by_the_matrix_of_an_operation(gradient, x64):
    expected = by_phases("gates", "auto")
    np.testing.assert_allclose(by_phases("blocks", gradient), expected, atol=1e-13)
    assert np.min(np.abs(expected)) > 1e-3


@functools.cache
def of_a_batch(gradient) -> tuple[np.ndarray, np.ndarray]:
    """Value and gradient of a weighted sum over a batch; by gates for None."""
    weights = np.asarray([0.5, -1.0, 2.0])

    def one(row, circuit):
        state = StateVector(row.reshape(2, 2, 2))
        return run(circuit, state, method="gates").probabilities((0,))[0]

    def value(params):
        circuit = lean_circuit(params)
        if gradient is None:
            chances = jax.vmap(lambda row: one(row, circuit))(jnp.asarray(STATES))
        else:
            states = StateBatch(jnp.asarray(STATES.T.reshape(2, 2, 2, 3)))
            final = run(circuit, states, method="blocks", gradient=gradient)
            chances = final.probabilities((0,))[:, 0]
        return jnp.sum(jnp.asarray(weights) * chances)

    found = quick_jit(jax.value_and_grad(value))(PARAMS)
    return np.asarray(found[0]), np.asarray(found[1])


@by_two
def test_gradients_of_a_batch_are_those_of_its_states(gradient, x64):
    found, expected = of_a_batch(gradient), of_a_batch(None)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)


@by_method
def test_gradients_in_single_precision(gradient, x64):
    """Computing back loses no more digits than keeping what was."""
    start = START.astype(np.complex64)
    go = quick_jit(jax.grad(lambda params: blocks(gradient)(params, start)))
    slopes = go(jnp.asarray(PARAMS, jnp.float32))
    assert slopes.dtype == jnp.float32
    np.testing.assert_allclose(slopes, exact()[1], atol=2e-5)


def test_jit_is_eager(x64):
    eager = jax.value_and_grad(blocks("adjoint"))(PARAMS)
    np.testing.assert_allclose(eager[0], exact()[0], atol=1e-13)
    np.testing.assert_allclose(eager[1], exact()[1], atol=1e-12)


# --- forward mode and second derivatives ----------------------------------------------


@pytest.mark.parametrize("gradient", ["reverse", "remat"])
def test_forward_mode(gradient, x64):
    columns = quick_jit(jax.jacfwd(blocks(gradient)))(PARAMS)
    np.testing.assert_allclose(columns, exact()[1], atol=1e-12)


def test_forward_mode_does_not_pass_the_adjoint(x64):
    """As documented: it computes back, which has no forward rule."""
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(blocks("adjoint"), (PARAMS,), (PARAMS,))


def test_second_derivatives(x64):
    found, expected = (
        quick_jit(jax.hessian(function))(PARAMS)
        for function in (blocks("reverse"), lean)
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.max(np.abs(expected)) > 0.1


# --- mixed states ---------------------------------------------------------------------


STRENGTHS = np.concatenate([PARAMS, [0.1, 0.2]])


def noisy(params, kind, method, gradient):
    def one(angles, p):
        noise = [depolarizing(p, 2), amplitude_damping(p, 0)]
        return Circuit([*layer(angles), *noise], NUM_WIRES)

    body = jax.vmap(one)(params[:4].reshape(2, 2), params[5:7])
    circuit = Circuit([Repeat(body, 2), depolarizing(params[6], 1)], NUM_WIRES)
    final = run(circuit, kind.zeros(NUM_WIRES), method=method, gradient=gradient)
    return jnp.sum(jnp.asarray(WEIGHTS[0]) * final.probabilities())


@functools.cache
def noisy_differences() -> np.ndarray:
    by_gates = quick_jit(lambda p: noisy(p, DensityMatrix, "gates", "auto"))
    return oracles.gradient(lambda p: np.asarray(by_gates(p)), STRENGTHS)


@pytest.mark.parametrize(
    "kind,gradient", [(PauliDensity, "reverse"), (DensityMatrix, "remat")]
)
def test_gradients_through_channels_and_their_strengths(kind, gradient, x64):
    go = quick_jit(jax.grad(lambda p: noisy(p, kind, "blocks", gradient)))
    np.testing.assert_allclose(go(STRENGTHS), noisy_differences(), atol=1e-11)


@by_two
def test_gradients_of_a_unitary_circuit_on_a_mixed_state(gradient, x64):
    def value(params):
        zeros = PauliDensity.zeros(NUM_WIRES)
        circuit = lean_circuit(params)
        final = run(circuit, zeros, method="blocks", gradient=gradient)
        return jnp.sum(jnp.asarray(WEIGHTS[0]) * final.probabilities())

    def pure(params):
        final = run(lean_circuit(params), StateVector.zeros(NUM_WIRES), method="gates")
        return jnp.sum(jnp.asarray(WEIGHTS[0]) * final.probabilities())

    slopes = quick_jit(jax.grad(value))(PARAMS)
    differences = oracles.gradient(quick_jit(pure), PARAMS)
    np.testing.assert_allclose(slopes, differences, atol=1e-11)


# --- memory ---------------------------------------------------------------------------


def temporary_bytes(gradient: Any, depth: int, num_wires: int) -> int:
    def value(params):
        zeros = StateVector.zeros(num_wires)
        final = run(
            hardware_efficient(params), zeros, method="blocks", gradient=gradient
        )
        return final.amplitudes[(0,) * num_wires].real

    params = jnp.zeros((depth, num_wires, 2), jnp.float32)
    memory = quick_jit(jax.grad(value)).lower(params).compile().memory_analysis()
    assert memory is not None
    return memory.temp_size_in_bytes


@pytest.mark.slow
def test_the_memory_of_the_adjoint_does_not_grow_with_depth():
    """But for the matrices, which are made for all layers at once."""
    num_wires, few, many = 16, 8, 64
    state = 8 * 2**num_wires
    shallow, deep = (temporary_bytes("adjoint", d, num_wires) for d in (few, many))
    assert deep - shallow < 0.9 * (many - few) * state
    # Keeping one state for two layers shows: the measure sees what it should.
    assert temporary_bytes("remat", many, num_wires) > deep + 0.45 * many * state


# --- mutants --------------------------------------------------------------------------


def not_undone(self, matrices, before, cotangent, piece, right=executor._Move.gradient):
    """Uses the state after a window where the one before it belongs."""
    return right(self, matrices, self.apply(matrices, before), cotangent, piece)


def not_transposed(self, matrices, numbers, piece):
    """Goes on where it should go back."""
    return self.apply(matrices, numbers, piece)


@pytest.mark.parametrize(
    "name,mutant", [("gradient", not_undone), ("transpose", not_transposed)]
)
def test_the_comparison_rejects_a_wrong_adjoint(name, mutant, monkeypatch, x64):
    monkeypatch.setattr(executor._Move, name, mutant)
    jax.clear_caches()
    slopes = quick_jit(jax.grad(blocks("adjoint")))(PARAMS)
    jax.clear_caches()
    assert np.max(np.abs(slopes - exact()[1])) > 1e-2
