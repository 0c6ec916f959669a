"""Cases of `tests.lowering`: mixtures of unitaries, averages over trajectories."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import circuits, noise, simulate
from qjax.circuits import Circuit
from qjax.states import StateVector

KEY = jax.random.key(7)


def _noisy(strength: Any) -> Circuit:
    unitaries = np.stack([np.eye(2), np.asarray([[0, 1], [1, 0]])])
    mixtures = [
        noise.depolarizing(strength, 0),
        noise.mixed_unitary(jax.numpy.stack([1 - strength, strength]), unitaries, 1),
    ]
    return Circuit([circuits.h(0), *mixtures], 2)


def draw_unitaries(key: Any, strength: Any) -> Any:
    return noise.draw_unitaries(key, _noisy(strength))


def average_in_batches(key: Any, strength: Any) -> Any:
    def mean(p: Any) -> Any:
        words = [circuits.pauli("Z", 0), circuits.pauli("X", 1)]
        zero = StateVector.zeros(2)
        found = simulate.average_trajectories(
            key, _noisy(p), zero, words, 8, batch_size=3
        )
        return found.mean

    return mean(strength), jax.jacrev(mean)(strength)


def average_until(key: Any, strength: Any) -> Any:
    return simulate.average_until(
        key,
        _noisy(strength),
        StateVector.zeros(2),
        circuits.pauli("Z", 0),
        target_stderr=strength,
        max_trajectories=100,
    )


def average_shared(key: Any, strength: Any) -> Any:
    """Wide enough for trajectories to share a noiseless run; words between layers."""

    def layer(angle: Any) -> Circuit:
        turns = [circuits.ry(angle, wire) for wire in range(8)]
        chain = [circuits.cx(wire, wire + 1) for wire in range(7)]
        errors = [noise.depolarizing(0.1, wire) for wire in range(8)]
        return Circuit([*turns, *chain, *errors], 8)

    layers = jax.vmap(layer)(strength * np.ones(2, np.float32))
    noisy, zero = Circuit([circuits.Repeat(layers, 2)], 8), StateVector.zeros(8)
    z = circuits.pauli("Z", 0)
    return simulate.average_trajectories(key, noisy, zero, z, 4, batch_size=1).mean


_FUNCTIONS = (draw_unitaries, average_in_batches, average_until, average_shared)

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    function.__name__: (function, (KEY, np.float32(0.2))) for function in _FUNCTIONS
}
