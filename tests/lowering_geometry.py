"""Cases of `tests.lowering`: the metric of a circuit."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, geometry
from qjax.circuits import Circuit
from qjax.states import StateVector

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


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "circuit_metric": (_layers, (ANGLES,)),
    "circuit_metric, general": (_general, (ANGLES[0, 0, [0, 1, 0]],)),
}
