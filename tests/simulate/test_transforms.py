"""The engine under JAX's transformations: jit, vmap, grad, scan, keys, traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Repeat,
    controlled,
    cx,
    hardware_efficient,
    ising,
    pauli_rotation,
    rx,
    ry,
    rz,
    rzz,
    u3,
    unroll,
)
from qjax.geometry import metric_tensor
from qjax.noise import amplitude_damping, depolarizing, thermal_relaxation
from qjax.simulate import estimate, expectation, run, sample, trajectory
from qjax.states import DensityMatrix, StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit

PARAMS = np.asarray([0.3, -0.7, 1.1, 0.4, 2.0])
NUM_WIRES = 3


def parametrised(params) -> Circuit:
    return Circuit(
        [
            ry(params[0], 0),
            rzz(params[1], 0, 2),
            u3(params[2], 0.2, params[0], 1),
            cx(0, 1),
            pauli_rotation(params[3], "YX", (2, 1)),
            controlled(rx(params[4], 2), (0,), (1,)),
            rz(params[1], 2),
        ],
        NUM_WIRES,
    )


def energy(params, kind=StateVector):
    final = run(parametrised(params), kind.zeros(NUM_WIRES))
    return expectation(final, ising(NUM_WIRES, 1.0, 0.6))


@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
def test_jit_is_eager(kind, x64):
    eager = energy(PARAMS, kind)
    jitted = jax.jit(energy, static_argnums=1)(PARAMS, kind)
    np.testing.assert_allclose(jitted, eager, atol=1e-14)


@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
def test_vmap_is_a_loop(kind, x64):
    batch = np.stack([PARAMS, PARAMS + 0.5, -PARAMS])

    def vector(params):
        return jax.tree.leaves(run(parametrised(params), kind.zeros(NUM_WIRES)))[0]

    single = quick_jit(vector)
    loop = np.stack([single(params) for params in batch])
    together = quick_jit(jax.vmap(vector))(batch)
    np.testing.assert_allclose(together, loop, atol=1e-14)


@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
def test_grad_is_the_finite_difference(kind, x64):
    value = quick_jit(lambda params: energy(params, kind))
    slopes = quick_jit(jax.grad(lambda params: energy(params, kind)))(PARAMS)
    expected = oracles.gradient(lambda p: np.asarray(value(p)), PARAMS)
    np.testing.assert_allclose(slopes, expected, atol=1e-11)


def test_grad_is_the_parameter_shift_rule(x64):
    """f' = (f(t + pi/2) - f(t - pi/2)) / 2 for each angle of exp(-i t P / 2)."""

    def value(params):
        circuit = hardware_efficient(params.reshape(2, NUM_WIRES, 2))
        final = run(circuit, StateVector.zeros(NUM_WIRES))
        return expectation(final, ising(NUM_WIRES))

    params = np.random.default_rng(4).uniform(-3, 3, 12)
    shifts = np.eye(12) * np.pi / 2
    values = quick_jit(jax.vmap(value))
    expected = (values(params + shifts) - values(params - shifts)) / 2
    np.testing.assert_allclose(quick_jit(jax.grad(value))(params), expected, atol=1e-13)


def test_reverse_and_forward_mode_agree(x64):
    forward = quick_jit(jax.jacfwd(energy))(PARAMS)
    reverse = quick_jit(jax.jacrev(energy))(PARAMS)
    np.testing.assert_allclose(forward, reverse, atol=1e-14)
    hessian = quick_jit(jax.hessian(energy))(PARAMS)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)


def test_noise_strengths_are_differentiable(x64):
    def value(strengths):
        circuit = Circuit(
            [
                ry(1.1, 0),
                cx(0, 1),
                amplitude_damping(strengths[0], 0),
                depolarizing(strengths[1], 1),
                thermal_relaxation(50.0, 70.0, strengths[2], 0.1, 0),
            ],
            2,
        )
        return expectation(run(circuit, DensityMatrix.zeros(2)), ising(2))

    strengths = np.asarray([0.3, 0.2, 10.0])
    jitted = quick_jit(value)
    expected = oracles.gradient(lambda s: np.asarray(jitted(s)), strengths)
    slopes = quick_jit(jax.grad(value))(strengths)
    np.testing.assert_allclose(slopes, expected, atol=1e-11)


def test_scan_is_the_unrolled_loop_also_in_its_gradient(x64):
    def layer(angles):
        operations = [ry(angles[0], 0), rx(angles[1], 1), cx(0, 1)]
        return Circuit([*operations, depolarizing(0.1, 0)], 2)

    def value(params, rolled):
        circuit = Circuit([Repeat(jax.vmap(layer)(params), 4)], 2)
        circuit = circuit if rolled else unroll(circuit)
        return expectation(run(circuit, DensityMatrix.zeros(2)), ising(2))

    params = np.random.default_rng(6).uniform(-2, 2, (4, 2))
    scanned, unrolled = (
        quick_jit(jax.value_and_grad(lambda p, r=rolled: value(p, r)))(params)
        for rolled in (True, False)
    )
    np.testing.assert_allclose(scanned[0], unrolled[0], atol=1e-14)
    np.testing.assert_allclose(scanned[1], unrolled[1], atol=1e-14)


def test_metric_tensor_is_the_finite_difference_one(x64):
    def state(params):
        return run(parametrised(params), StateVector.zeros(NUM_WIRES))

    vector = quick_jit(lambda params: state(params).vector())
    expected = oracles.metric_tensor(lambda p: np.asarray(vector(p)), PARAMS)
    actual = quick_jit(lambda p: metric_tensor(state, p))(PARAMS)
    np.testing.assert_allclose(actual, expected, atol=1e-11)


# --- traces --------------------------------------------------------------------------


def count_traces(function):
    """The function with a counter of how often its Python body runs."""
    calls = []

    def counted(*arguments):
        calls.append(None)
        return function(*arguments)

    return jax.jit(counted), calls


def test_one_trace_when_only_leaves_change(getkey):
    """Circuits, states, channels and keys are arguments; each is rebuilt every time."""
    observable = ising(2)

    def everything(key, circuit, state):
        final, record = trajectory(key, circuit, state)
        value = estimate(key, final, observable, 10)
        return value.mean, sample(key, final, 5), record.log_prob

    jitted, calls = count_traces(everything)
    for number in range(10):
        angle = 0.1 * number
        circuit = Circuit([ry(angle, 0), cx(0, 1), depolarizing(0.01 * number, 1)], 2)
        start = StateVector.basis((number % 2, 0))
        jitted(getkey(), circuit, start)
    assert len(calls) == 1
    jitted(getkey(), Circuit([rx(0.1, 0)], 2), StateVector.zeros(2))
    assert len(calls) == 2  # another structure is another program


def test_rebuilt_circuits_have_equal_structure():
    """Every gate and channel, built twice, must hit the same compiled program."""
    for name in strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES:
        steps = [
            strategies.random_step(np.random.default_rng(8), name, 4) for _ in range(2)
        ]
        first, second = (jax.tree.structure(strategies.build([s], 4)) for s in steps)
        assert first == second and hash(first) == hash(second), name


def test_batch_size_does_not_change_the_program():
    """The number of equations is flat in the batch."""

    def count(batch):
        program = jax.make_jaxpr(jax.vmap(energy))(jnp.zeros((batch, 5)))
        return str(program).count(" = ")

    assert count(2) == count(64)


# --- dtypes --------------------------------------------------------------------------


@pytest.mark.parametrize("wide", [False, True], ids=["x32", "x64"])
@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_results_have_the_states_precision(wide, kind, dtype):
    """Strict promotion is on: a hidden mix of widths would raise here."""
    if dtype == "complex128" and not wide:
        pytest.skip("complex128 needs 64-bit types")
    real = {"complex64": jnp.float32, "complex128": jnp.float64}[dtype]
    with jax.enable_x64(wide):
        for params in (PARAMS, PARAMS.astype(np.float32), jnp.asarray(PARAMS)):
            final = run(parametrised(params), kind.zeros(NUM_WIRES, jnp.dtype(dtype)))
            assert final.dtype == jnp.dtype(dtype)
            value = expectation(final, ising(NUM_WIRES))
            assert value.dtype == real
            assert final.probabilities().dtype == real
            result = estimate(jax.random.key(1), final, ising(NUM_WIRES), 4)
            assert result.mean.dtype == real and result.stderr.dtype == real
