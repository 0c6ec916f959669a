"""Models and their training step lower for every platform through `jax.export`."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

from qjax.models import (
    DenseNetwork,
    QuantumClassifier,
    angle_metric,
    classifier_optimizer,
    hybrid_loss,
)

PLATFORMS = ("cpu", "cuda", "tpu")
INPUTS = np.full((8, 4), 0.5, np.float32)
LABELS = np.arange(8, dtype=np.int32) % 2


def quantum(**options) -> QuantumClassifier:
    rngs = nnx.Rngs(params=jax.random.key(0))
    return QuantumClassifier(rngs, num_wires=2, depth=2, num_classes=2, **options)


def dense() -> DenseNetwork:
    return DenseNetwork(nnx.Rngs(params=jax.random.key(0)), (4, 3, 2))


def platforms(function, *arguments) -> tuple[str, ...]:
    exported = export.export(jax.jit(function), platforms=PLATFORMS)
    return tuple(exported(*arguments).platforms)


@pytest.mark.parametrize("build", [quantum, dense])
def test_logits_loss_and_gradient_lower_for_cpu_cuda_and_tpu(build):
    graph, state = nnx.split(build())
    leaves, structure = jax.tree.flatten(state)

    def loss(params, inputs):
        model = nnx.merge(graph, jax.tree.unflatten(structure, params))
        return jnp.sum(model(inputs)[np.arange(8), LABELS] ** 2)

    assert platforms(jax.value_and_grad(loss), leaves, INPUTS) == PLATFORMS


@pytest.mark.parametrize("readout", ["linear", "probabilities"])
def test_the_hybrid_loss_lowers_for_cpu_cuda_and_tpu(readout):
    loss, params, _ = hybrid_loss(quantum(readout=readout))

    def mean(own, inputs):
        return jnp.mean(loss(own, (inputs, jnp.asarray(LABELS))))

    assert platforms(jax.value_and_grad(mean), params, INPUTS) == PLATFORMS


@pytest.mark.parametrize("name", ["adam", "qng"])
def test_the_training_step_lowers_for_cpu_cuda_and_tpu(name: str):
    optimizer = classifier_optimizer(
        quantum(), name, 10, angle_rate=0.1, readout_rate=0.1, metric_inputs=2
    )
    params = {"angles": np.ones((2, 2, 3), np.float32), "scale": np.ones(3, "f4")}

    def step(params, inputs, labels):
        extended = optax.with_extra_args_support(optimizer)
        updates, _ = extended.update(
            params, extended.init(params), params, batch=(inputs, labels)
        )
        return optax.apply_updates(params, updates)

    with jax.numpy_dtype_promotion("standard"):
        assert platforms(step, params, INPUTS, LABELS) == PLATFORMS


def test_the_metric_of_the_angles_lowers_for_cpu_cuda_and_tpu():
    angles = np.ones((1, 2, 2), np.float32)

    def metric(values, inputs):
        return angle_metric(quantum(rotations="YZ"), values, inputs)

    assert platforms(metric, angles, INPUTS) == PLATFORMS
