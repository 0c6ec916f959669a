"""Cases of the lowering table: mixed states in the Pauli basis."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, noise, simulate, states
from qjax.circuits import Circuit, Conditional, Measure, Reset
from qjax.states import DensityMatrix, PauliDensity, StateVector

KEY = jax.random.key(7)
ANGLE = np.float32(0.3)
RHO = np.eye(4, dtype=np.complex64) / 4
HADAMARD = np.asarray([[1, 1], [1, -1]], np.complex64) / np.sqrt(np.float32(2))


def readings(rho):
    state = PauliDensity.from_matrix(rho)
    state = state.apply_matrix(HADAMARD, (0,), (1,), (1,))
    state = state.apply_kraus(HADAMARD[None], (1,))
    pure = PauliDensity.from_state(StateVector.basis((0, 1)))
    distances = [states.fidelity(state, pure), states.trace_distance(state, pure)]
    return (
        state.probabilities((1, 0)), state.reduced((1,)), state.norm(), state.matrix(),
        state.overlap(PauliDensity.zeros(2)), pure.expect_paulis((1, 2), (3, 0)),
        PauliDensity.from_density(state.density()), PauliDensity.basis((0, 1)),
        PauliDensity.maximally_mixed(2), distances,
    )  # fmt: skip


def execution(key, angle):
    """All kinds of operation, also one on too many wires for a transfer matrix."""
    many = circuits.controlled(circuits.x(0), (1, 2, 3, 4))
    tail = [Measure(1), Conditional(circuits.x(0), (-1,), (1,)), Reset(0)]
    noisy = [circuits.rx(angle, 0), many, noise.amplitude_damping(angle, 0), *tail]
    start = PauliDensity.zeros(5)
    final, record = simulate.trajectory(key, Circuit(noisy, 5), start)
    exact = simulate.run(Circuit(noisy, 5), start)
    sampled = exact.sample(key, 8), exact.sample_kraus(key, HADAMARD[None], (0,))
    return final, record, exact, sampled


def gradient(angle):
    def value(turn):
        circuit = Circuit([circuits.rx(turn, 0), noise.depolarizing(turn, 0)], 2)
        final = simulate.run(circuit, PauliDensity.zeros(2))
        return simulate.expectation(final, circuits.ising(2)) + final.norm()

    return jax.value_and_grad(value)(angle)


def conversion(rho):
    density = DensityMatrix(jnp.reshape(rho, (2,) * 4))
    return simulate.expectation(PauliDensity.from_density(density), circuits.ising(2))


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "pauli density readings": (readings, (RHO,)),
    "pauli density execution": (execution, (KEY, ANGLE)),
    "pauli density gradient": (gradient, (ANGLE,)),
    "pauli density conversion": (conversion, (RHO,)),
}
