"""Cases of `tests.lowering`: shots, groups of words, classical shadows."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import circuits, simulate
from qjax.states import StateBatch, StateVector

KEY = jax.random.key(7)
VECTOR = np.full((2, 2), 0.5, np.complex64)


def samples(key: Any, vector: Any) -> Any:
    batch = StateBatch(vector[..., None])
    return [
        function(key, state, 200, (1, 0))
        for function in (simulate.sample, simulate.sample_indices, simulate.counts)
        for state in (StateVector(vector), batch)
    ]


def two_level_samples(key: Any, vector: Any) -> Any:
    wide = jax.numpy.kron(vector, jax.numpy.full((64, 64), 2.0**-6 + 0j))
    state = StateVector(wide.reshape((2,) * 14))
    return simulate.counts(key, state, 20_000)


def grouped_estimate(key: Any, vector: Any) -> Any:
    observable = circuits.heisenberg(2)
    groups = circuits.commuting_groups(observable.words, "general")
    shots = circuits.allocate_shots(observable, 100, grouping="general")
    assert len(shots) == len(groups)

    def mean(tensor: Any) -> Any:
        state = StateVector(tensor)
        return simulate.estimate(key, state, observable, shots, grouping="general").mean

    return jax.value_and_grad(mean)(vector)


def classical_shadow(key: Any, vector: Any) -> Any:
    shadow = simulate.classical_shadow(key, StateVector(vector), 20)
    observables = [
        circuits.heisenberg(2),
        circuits.Projector((1,), (0,)),
        circuits.Hermitian(np.eye(2, dtype=complex), (1,)),
    ]
    return shadow.expectation(observables, 4)


_FUNCTIONS = (samples, two_level_samples, grouped_estimate, classical_shadow)

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    function.__name__: (function, (KEY, VECTOR)) for function in _FUNCTIONS
}
