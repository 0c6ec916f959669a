"""Cases of `tests.lowering`: natural gradients with every damping."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax

from qjax import circuits, geometry, optim, simulate
from qjax.states import StateVector

KEY = jax.random.key(7)
ANGLES = np.full((2, 2, 2), 0.3, np.float32)


def _state(angles: Any) -> StateVector:
    return simulate.run(circuits.hardware_efficient(angles), StateVector.zeros(2))


def _loss(angles: Any) -> Any:
    return simulate.expectation(_state(angles), circuits.ising(2))


def _metric(angles: Any) -> Any:
    return geometry.metric_tensor(_state, angles)


def _steps(transform: optax.GradientTransformationExtraArgs, angles: Any) -> Any:
    """Two steps: what a state keeps is used in the second."""
    state = transform.init(angles)
    for _ in range(2):
        value, gradient = jax.value_and_grad(_loss)(angles)
        step, state = transform.update(gradient, state, angles, value=value)
        angles = angles - 0.1 * step
    return angles, state


def _dampings(angles: Any) -> Any:
    rules = (
        optim.LevenbergMarquardt(),
        optim.Spectral(1e-3),
        optim.Fixed(0.0),
        optax.constant_schedule(0.1),
    )
    return [_steps(optim.scale_by_metric(_metric, rule), angles) for rule in rules]


def _kept(angles: Any) -> Any:
    return _steps(optim.scale_by_metric(_metric, 0.1, every=2), angles)


def _sampled(angles: Any) -> Any:
    def draw(key: Any, values: Any) -> Any:
        return geometry.random_metric(key, _state, values, radius=0.1, num_samples=1)

    return _steps(optim.scale_by_sampled_metric(KEY, draw, 0.1), angles)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "dampings": (_dampings, (ANGLES,)),
    "metric kept for two steps": (_kept, (ANGLES,)),
    "sampled natural gradient": (_sampled, (ANGLES,)),
}
