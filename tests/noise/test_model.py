"""Noise models: where channels go, through Repeat, feed-forward and transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    ccx,
    cx,
    h,
    hardware_efficient,
    pauli,
    ry,
    unroll,
    x,
    z,
)
from qjax.noise import (
    NoiseModel,
    amplitude_damping,
    bit_flip,
    depolarizing,
    two_qubit_depolarizing,
)
from qjax.simulate import expectation, run
from qjax.states import DensityMatrix
from tests import oracle_channels, oracles


def names(circuit: Circuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(operation.name, operation.wires) for operation in circuit.operations]


def test_channels_follow_gates_and_precede_measurements():
    model = NoiseModel(
        one_qubit=(depolarizing(0.1, 5), amplitude_damping(0.1, 0)),
        many_qubit=(two_qubit_depolarizing(0.1, (3, 1)), bit_flip(0.1, 0)),
        measurement=(bit_flip(0.2, 0),),
    )
    noisy = model(Circuit([h(1), cx(2, 0), Measure((0, 2))], 3))
    assert names(noisy) == [
        ("H", (1,)),
        ("Depolarizing", (1,)),
        ("AmplitudeDamping", (1,)),
        ("CX", (2, 0)),
        ("Depolarizing2", (2, 0)),
        ("BitFlip", (2,)),
        ("BitFlip", (0,)),
        ("BitFlip", (0,)),
        ("BitFlip", (2,)),
        ("M", (0, 2)),
    ]


@pytest.mark.x64
def test_noisy_circuit_is_the_oracles_state():
    model = NoiseModel(
        (amplitude_damping(0.2, 0),), (two_qubit_depolarizing(0.3, (0, 1)),)
    )
    final = run(
        model(Circuit([ry(0.7, 1), cx(1, 0)], 2)),
        DensityMatrix.zeros(2, jnp.complex128),
    )
    rho = oracles.density(oracles.zero_state(2))
    for matrix, channel, wires in (
        (oracles.gate("ry", 0.7), oracle_channels.amplitude_damping(0.2), (1,)),
        (oracles.gate("cx"), oracle_channels.depolarizing(0.3), (1, 0)),
    ):
        full = oracles.embed(matrix, wires, 2)
        rho = oracle_channels.on_register(channel, full @ rho @ full.conj().T, wires)
    np.testing.assert_allclose(final.matrix(), rho, atol=1e-13)


def test_repeat_stays_one_layer_and_equals_the_unrolled_circuit():
    angles = jax.random.normal(jax.random.key(1), (3, 2, 2))
    circuit = hardware_efficient(angles)
    model = NoiseModel((depolarizing(0.1, 0),), (bit_flip(0.05, 0),))
    noisy = model(circuit)
    assert [type(operation) for operation in noisy.operations] == [Repeat]
    rolled = run(noisy, DensityMatrix.zeros(2)).matrix()
    unrolled = run(model(unroll(circuit)), DensityMatrix.zeros(2)).matrix()
    np.testing.assert_allclose(rolled, unrolled, atol=1e-6)


def test_nested_repeat():
    def layer(angle):
        return Circuit([ry(angle, 0)], 1)

    def block(angles):
        return Circuit([Repeat(jax.vmap(layer)(angles), 2)], 1)

    angles = jnp.arange(6.0).reshape(3, 2)
    circuit = Circuit([Repeat(jax.vmap(block)(angles), 3)], 1)
    model = NoiseModel((amplitude_damping(0.1, 0),))
    rolled = run(model(circuit), DensityMatrix.zeros(1)).matrix()
    unrolled = run(model(unroll(circuit)), DensityMatrix.zeros(1)).matrix()
    np.testing.assert_allclose(rolled, unrolled, atol=1e-6)


def test_a_gate_that_is_not_done_makes_no_noise():
    model = NoiseModel((bit_flip(1.0, 0),))
    feedback = Circuit([Measure((0,)), Conditional(x(1), (-1,), (1,))], 2)
    final = run(model(feedback), DensityMatrix.zeros(2))
    np.testing.assert_allclose(final.probabilities((1,)), [1, 0], atol=1e-6)
    # Where it is done, X and the certain bit flip cancel.
    noisy = Circuit([x(0)], 2) + model(feedback)
    final = run(noisy, DensityMatrix.zeros(2))
    np.testing.assert_allclose(final.probabilities((1,)), [1, 0], atol=1e-6)


def test_strength_of_a_model_is_batched_and_differentiated_under_one_jit():
    circuit = hardware_efficient(jnp.full((3, 2, 2), 0.3))

    @jax.jit
    @jax.vmap
    @jax.value_and_grad
    def energy(strength):
        noisy = NoiseModel((depolarizing(strength, 0),))(circuit)
        return expectation(run(noisy, DensityMatrix.zeros(2)), pauli("Z", 0))

    strengths = jnp.asarray([0.0, 0.1, 0.2])
    values, slopes = energy(strengths)
    assert slopes[0] < 0 and np.all(np.diff(values) < 0)
    step = 1e-2
    central = (energy(strengths[1:] + step)[0] - energy(strengths[1:] - step)[0]) / (
        2 * step
    )
    np.testing.assert_allclose(slopes[1:], central, rtol=2e-3)


def test_channels_too_wide_for_a_rule_or_gate_are_refused():
    pair = two_qubit_depolarizing(0.1, (0, 1))
    with pytest.raises(ValueError, match="`one_qubit` must act on at most 1"):
        NoiseModel((pair,))
    with pytest.raises(ValueError, match="`measurement` must act on at most 1"):
        NoiseModel(measurement=(pair,))
    with pytest.raises(ValueError, match="`many_qubit` must hold channels on one wire"):
        NoiseModel(many_qubit=(pair,))(Circuit([ccx(0, 1, 2)], 3))


def test_no_rules_change_nothing():
    circuit = Circuit([h(0), z(0)], 1)
    assert names(NoiseModel()(circuit)) == names(circuit)
