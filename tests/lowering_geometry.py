"""Cases of `tests.lowering`: the metric of a circuit."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, geometry, noise, simulate
from qjax.circuits import Circuit
from qjax.states import DensityMatrix, StateVector

KEY = jax.random.key(7)
ANGLES = np.full((12, 2, 2), 0.3, np.float32)


def _layers(angles: Any) -> Any:
    """Loops of several layers, and the gradient of a metric."""

    def trace(values: Any) -> Any:
        return jnp.trace(geometry.circuit_metric(circuits.hardware_efficient, values))

    return jax.value_and_grad(trace)(angles)


def _general(angles: Any) -> Any:
    """A moving matrix, which takes the general way."""

    def builder(values: Any) -> Circuit:
        turn = circuits.controlled(circuits.u3(values[0], values[1], values[2], 0), 1)
        return Circuit([circuits.h(1), turn], 2)

    return geometry.circuit_metric(builder, angles, StateVector.zeros(2))


def _structured(key: Any, angles: Any) -> Any:
    def state(values: Any) -> StateVector:
        return simulate.run(circuits.hardware_efficient(values), StateVector.zeros(2))

    vector = jnp.ravel(angles)
    damping = jnp.asarray(0.1, angles.dtype)
    metrics = (
        geometry.block_metric(state, angles),
        geometry.diagonal_metric(state, angles),
        geometry.low_rank_metric(key, state, angles, 3),
        geometry.DenseMetric(geometry.metric_tensor(state, angles)),
    )
    return [
        (
            metric.product(vector),
            metric.solve(vector, damping),
            metric.apply(jnp.exp, vector),
            metric.largest(),
            metric.dense(),
        )
        for metric in metrics
    ]


def _fisher(key: Any, angles: Any) -> Any:
    def mixed(values: Any) -> DensityMatrix:
        clean = circuits.hardware_efficient(values)
        noisy = Circuit([*clean.operations, noise.depolarizing(0.1, 0)], 2)
        return simulate.run(noisy, DensityMatrix.zeros(2))

    def outcomes(values: Any) -> Any:
        return mixed(values).probabilities()

    return (
        geometry.quantum_fisher(mixed, angles),
        geometry.classical_fisher(outcomes, angles),
        geometry.sampled_classical_fisher(key, outcomes, angles, 5),
    )


def _sampled(key: Any, angles: Any) -> Any:
    def state(values: Any) -> StateVector:
        return simulate.run(circuits.hardware_efficient(values), StateVector.zeros(2))

    return (
        geometry.sampled_metric(key, state, angles, 5),
        geometry.random_metric(key, state, angles, radius=0.1, num_samples=2, shots=5),
    )


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "circuit_metric": (_layers, (ANGLES,)),
    "circuit_metric, general": (_general, (ANGLES[0, 0, [0, 1, 0]],)),
    "structured metrics": (_structured, (KEY, ANGLES[:2])),
    "fisher": (_fisher, (KEY, ANGLES[:1])),
    "sampled metrics": (_sampled, (KEY, ANGLES[:1])),
}
EXCLUDED = {
    "redundant_parameters": "NumPy, on the host",
}
