"""Cases of `tests.lowering`: matrix product states."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, noise, simulate
from qjax.circuits import Circuit, Measure, Repeat, Reset
from qjax.states import MPS, StateVector, fidelity


def brickwork(angles: Any) -> Circuit:
    """Growing layers, cutting pairs, a distant gate and a wide one."""

    def layer(own):
        turns = [circuits.ry(own[wire], wire) for wire in range(6)]
        links = [circuits.cz(wire, wire + 1) for wire in range(5)]
        far = [circuits.cx(0, 5), circuits.ccx(0, 2, 4)]
        return Circuit([*turns, *links, *far], 6)

    return Circuit([Repeat(jax.vmap(layer)(angles), angles.shape[0])], 6)


def chain(angles: Any) -> Any:
    def energy(own):
        state = simulate.run(brickwork(own), MPS.zeros(6, 4))
        return simulate.expectation(state, circuits.ising(6))

    return jax.value_and_grad(energy)(angles)


def readings(key: Any, vector: Any) -> Any:
    state = MPS.from_vector(StateVector(jnp.reshape(vector, (2,) * 4)), 2)
    other = state.apply_matrix(np.eye(4), (0, 2)).with_max_bond(1).canonical()
    bits = state.sample(key, 4)
    return (
        state.within(1.0).norm(), other.normalized().tensors, state.reduced((1, 3)),
        state.probabilities(), state.probabilities((2,)), state.to_vector(),
        state.expect_paulis((1, 2), (3, 0)), state.log_probabilities(bits),
        fidelity(state, other), state.overlap(MPS.zeros(4, 1)),
        simulate.estimate(key, state, circuits.ising(4), 8),
    )  # fmt: skip


def histories(key: Any, angles: Any) -> Any:
    noisy = Circuit([noise.amplitude_damping(0.1, 3), Measure((0, 2)), Reset(1)], 6)
    return simulate.trajectory(key, brickwork(angles) + noisy, MPS.zeros(6, 4))


ANGLES = np.full((3, 6), 0.3, np.float32)
VECTOR = np.full(16, 0.25, np.complex64)
KEY = jax.random.key(7)

CASES = {
    "chain": (chain, (ANGLES,)),
    "readings of a chain": (readings, (KEY, VECTOR)),
    "histories of a chain": (histories, (KEY, ANGLES)),
}

EXCLUDED = {
    "auto": "chooses on the host; what it chooses among are cases",
    "recommend": "predicts, on the host",
    "run_to_error": "looks at the error of one run before the next, on the host",
}
