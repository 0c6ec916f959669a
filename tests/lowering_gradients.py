"""Cases of `tests.lowering`: gradients beside reverse mode."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import circuits, gradients, noise, simulate
from qjax.circuits import Circuit
from qjax.states import StateVector

KEY = jax.random.key(7)
ANGLES = np.asarray([0.3, 0.5], np.float32)
OBSERVABLE = circuits.pauli("ZX", (0, 1))


def _build(angles: Any) -> Circuit:
    turns = [circuits.ry(angles[0], 0), circuits.crx(angles[1], 0, 1)]
    return Circuit([*turns, circuits.ry(angles[0] * angles[1], 1)], 2)


def _value(circuit: Circuit) -> Any:
    final = simulate.run(circuit, StateVector.zeros(2))
    return simulate.expectation(final, OBSERVABLE)


def _shots(key: Any, circuit: Circuit) -> Any:
    final = simulate.run(circuit, StateVector.zeros(2))
    return simulate.estimate(key, final, OBSERVABLE, 4)


def parameter_shift(angles: Any) -> Any:
    def affine(x: Any) -> Circuit:
        return Circuit([circuits.ry(x[0], 0), circuits.crx(x[1], 0, 1)], 2)

    spectra = gradients.frequencies(affine, angles)
    rule = gradients.shift_rule((1.0,))
    by_entry = gradients.parameter_shift(
        lambda x: _value(affine(x)), angles, spectra=spectra
    )
    by_gate = gradients.parameter_shift(_value, angles, circuit_fn=_build)
    return by_entry, by_gate, rule.shifts


def sampled_gradients(key: Any, angles: Any) -> Any:
    shifted = gradients.sampled_parameter_shift(key, _shots, angles, circuit_fn=_build)
    perturbed = gradients.spsa(
        key, lambda k, x: _shots(k, _build(x)).mean, angles, radius=0.1, num_samples=4
    )
    return shifted, perturbed


def forward_gradient(angles: Any) -> Any:
    return gradients.forward_gradient(lambda x: _value(_build(x)), angles)


def _noisy(angles: Any) -> Circuit:
    channels = [noise.depolarizing(0.1, 0), noise.amplitude_damping(angles[1], 0)]
    return Circuit([circuits.ry(angles[0], 0), *channels], 2)


def _path(key: Any, circuit: Circuit, state: Any) -> Any:
    final, record = simulate.trajectory(key, circuit, state)
    return simulate.expectation(final, OBSERVABLE), record.log_prob


def trajectory_gradients(key: Any, angles: Any) -> Any:
    zero = StateVector.zeros(2)
    plain = gradients.score_gradient(
        key, lambda k, x: _path(k, _noisy(x), zero), angles, 4, batch_size=2
    )
    apart = gradients.trajectory_gradient(key, _path, _noisy, angles, zero, 4)
    return plain, apart


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "parameter_shift": (parameter_shift, (ANGLES,)),
    "sampled_gradients": (sampled_gradients, (KEY, ANGLES)),
    "forward_gradient": (forward_gradient, (ANGLES,)),
    "trajectory_gradients": (trajectory_gradients, (KEY, ANGLES)),
}
