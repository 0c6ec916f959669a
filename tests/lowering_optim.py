"""Cases of `tests.lowering`: natural gradients with every damping."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
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


def _rewritten(angles: Any) -> Any:
    (repeat,) = circuits.hardware_efficient(angles).operations
    circuit = circuits.Circuit([repeat], 2)
    short = circuits.merge_one_wire(circuits.fold_gates(circuit))
    infidelity = simulate.circuit_infidelity(KEY, circuit, short)

    def value(own: circuits.Circuit) -> Any:
        final = simulate.run(own, StateVector.zeros(2))
        return simulate.expectation(final, circuits.ising(2))

    return infidelity, optim.entangler_importance(value, circuit)[1]


def _hybrid() -> optim.HybridLoss:
    def outcomes(own: Any, inputs: Any) -> Any:
        chances = _state(own["angles"]).probabilities().reshape(1, 1, 4)
        return jnp.broadcast_to(chances, (inputs.shape[0], 1, 4))

    def head(rest: Any, z: Any, targets: Any) -> Any:
        return (z @ rest["weights"] - targets) ** 2

    readings = np.asarray([[[1], [1], [-1], [-1]]], np.float32)
    return optim.HybridLoss(outcomes, jnp.asarray(readings), head, ("angles",))


def _estimators(angles: Any) -> Any:
    loss, params = _hybrid(), {"angles": angles, "weights": jnp.ones(1)}
    batch, weights = (jnp.zeros(3), jnp.ones(3)), jnp.full(3, 1 / 3)
    found = []
    for estimator in (
        optim.Reused(optim.Autodiff()),
        optim.ParameterShift(optim.GainShots(0.1, 1.0), entries=2),
        optim.ParameterShift(optim.GainShots(0.1, 1.0, kind="individual")),
        optim.ParameterShift(optim.ProgressShots(10)),
        optim.Subsampled(optim.SPSA(0.1, shots=5), 2),
    ):
        state = estimator.init(loss, params)
        found.append(estimator(KEY, loss, params, batch, weights, state))
    return found


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "dampings": (_dampings, (ANGLES,)),
    "metric kept for two steps": (_kept, (ANGLES,)),
    "sampled natural gradient": (_sampled, (ANGLES,)),
    "rewritten circuits": (_rewritten, (ANGLES,)),
    "gradient estimators": (_estimators, (ANGLES,)),
}
EXCLUDED = {
    "drop_identities": "looks at concrete numbers, on the host",
    "simplify": "looks at concrete numbers, on the host",
    "prune_entanglers": "a Python loop around compiled values",
    "depth_schedule": "Python numbers",
}
