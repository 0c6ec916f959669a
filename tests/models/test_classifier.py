"""The variational classifier: folding, features, metric, sizes."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import hardware_efficient, pauli
from qjax.models import QuantumClassifier, angle_metric, count_parameters
from qjax.simulate import expectation, run
from qjax.states import StateVector


def model(**options) -> QuantumClassifier:
    return QuantumClassifier(nnx.Rngs(params=jax.random.key(4)), **options)


def inputs(count: int, size: int) -> np.ndarray:
    x = np.random.default_rng(2).normal(size=(count, size))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_folded_features_equal_those_of_the_circuit_gate_by_gate(reach: int):
    network = model(num_wires=3, depth=2, reach=reach)
    x = inputs(5, 8)
    circuit = hardware_efficient(network.angles[...], network.rotations)
    pairs = [(i, j) for gap in range(1, reach + 1) for i, j in [(0, gap), (1, 1 + gap)]]
    pairs = [pair for pair in pairs if pair[1] < 3]
    observables = [pauli("Z", wire) for wire in range(3)]
    observables += [pauli("ZZ", pair) for pair in pairs]
    expected = [
        expectation(run(circuit, StateVector.from_amplitudes(row)), observables)
        for row in x
    ]
    actual = network.features(jnp.asarray(x))
    assert actual.shape == (5, len(observables))
    np.testing.assert_allclose(actual, np.stack(expected), atol=2e-6)


def test_features_equal_a_numpy_simulation_of_the_circuit():
    network = model(num_wires=3, depth=2, reach=1)
    angles = np.asarray(network.angles[...], np.float64)
    paulis = {
        "Y": np.asarray([[0, -1j], [1j, 0]]),
        "Z": np.diag([1.0, -1.0]).astype(complex),
    }
    eye, flip = np.eye(2), np.asarray([[0, 1], [1, 0]])

    def kron(*factors):
        out = np.eye(1)
        for factor in factors:
            out = np.kron(out, factor)
        return out

    def on(matrix, wire):
        return kron(*(matrix if w == wire else eye for w in range(3)))

    cnot = [
        kron(*(np.diag([1, 0]) if w == c else eye for w in range(3)))
        + kron(*({c: np.diag([0, 1]), c + 1: flip}.get(w, eye) for w in range(3)))
        for c in range(2)
    ]
    unitary = np.eye(8)
    for layer in angles:
        for position, letter in enumerate("YZY"):
            for wire in range(3):
                half, generator = layer[wire, position] / 2, paulis[letter]
                turn = np.cos(half) * eye - 1j * np.sin(half) * generator
                unitary = on(turn, wire) @ unitary
        unitary = cnot[1] @ cnot[0] @ unitary
    x = inputs(4, 8)
    probabilities = np.abs(x @ unitary.T) ** 2
    z = np.stack([np.diag(on(paulis["Z"], wire)).real for wire in range(3)])
    words = np.concatenate([z, [z[0] * z[1], z[1] * z[2]]])
    expected = probabilities @ words.T
    np.testing.assert_allclose(network.features(jnp.asarray(x)), expected, atol=2e-6)


def test_angle_metric_is_the_mean_of_the_metrics_of_the_inputs():
    angles = jnp.asarray(np.random.default_rng(1).normal(size=(2, 2, 2)), jnp.float32)
    x = inputs(3, 4)
    network = model(num_wires=2, depth=2, rotations="YZ")
    metric = angle_metric(network, angles, jnp.asarray(x))
    step = np.random.default_rng(3).normal(size=8)
    step = 0.02 * step / np.linalg.norm(step)
    moved = angles + step.reshape(angles.shape).astype(np.float32)
    losses = []
    for row in x:
        start = StateVector.from_amplitudes(row)
        there = run(hardware_efficient(moved, "YZ"), start).vector()
        here = run(hardware_efficient(angles - (moved - angles), "YZ"), start).vector()
        overlap = np.vdot(np.asarray(here, complex), np.asarray(there, complex))
        losses.append(1 - np.abs(overlap) ** 2)
    # 1 - F of points 2 d apart is 4 d^T G d to leading order.
    np.testing.assert_allclose(4 * step @ metric @ step, np.mean(losses), rtol=5e-3)


def test_trained_parameters_of_the_headline_model_are_at_most_256():
    assert count_parameters(model(reach=2)) == 72 + 15 * 10 + 10
    assert count_parameters(model(rotations="YZ", reach=0)) == 48 + 6 * 10 + 10


@pytest.mark.parametrize("entanglement", ["brickwork", "all"])
def test_real_circuits_and_probabilities_are_those_of_the_circuit(entanglement):
    network = model(
        num_wires=4, depth=5, rotations="Y", entanglement=entanglement, entangler="CZ",
        readout="probabilities", num_classes=3,
    )  # fmt: skip
    x = inputs(5, 16)
    circuit = network.builder()(network.angles[...])
    for row, logits in zip(x, network(jnp.asarray(x)), strict=True):
        state = run(circuit, StateVector.from_amplitudes(row))
        first_two = state.probabilities((0, 1)).reshape(-1)
        np.testing.assert_allclose(logits, 20 * first_two[:3], atol=2e-5)
    assert count_parameters(network) == 5 * 4 + 1 + 3


def test_the_model_differentiates_inside_jit():
    network = model(num_wires=2, depth=1)
    gradient = nnx.jit(nnx.grad(lambda m, x: jnp.sum(m(x) ** 2)))(
        network, jnp.asarray(inputs(3, 4))
    )
    for leaf in jax.tree.leaves(gradient):
        assert np.all(np.isfinite(leaf)) and np.any(leaf != 0)


@pytest.mark.parametrize(
    "options",
    [
        {"num_wires": 1},
        {"depth": 0},
        {"reach": 6},
        {"reach": -1},
        {"num_classes": 1},
        {"num_classes": 65, "readout": "probabilities"},
    ],
)
def test_sizes_out_of_range_are_refused(options: dict):
    name = next(iter(options))
    with pytest.raises(ValueError, match=f"`{name}` must"):
        model(**options)
