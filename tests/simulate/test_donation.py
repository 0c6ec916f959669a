"""A donated state's buffer takes the result: one state less in memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, hardware_efficient, ry
from qjax.simulate import run
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector

LAYERS = hardware_efficient(np.full((3, 8, 2), 0.3, np.float32))
PAIRS = [(0, 5), (3, 1), (7, 2), (6, 4), (1, 7), (2, 0)]
SCATTERED = Circuit(
    [op for a, b in PAIRS for op in (ry(np.float32(0.4), a), cx(a, b))], 8
)
NARROW = hardware_efficient(np.full((3, 5, 2), 0.3, np.float32))

CASES = {
    "vector": (LAYERS, lambda: StateVector.zeros(8)),
    "vector, no loop": (SCATTERED, lambda: StateVector.zeros(8)),
    "batch": (LAYERS, lambda: StateBatch.zeros(8, 3)),
    "pauli": (NARROW, lambda: PauliDensity.zeros(5)),
    "density": (NARROW, lambda: DensityMatrix.zeros(5)),
}


@pytest.mark.parametrize("method", ["gates", "blocks"])
@pytest.mark.parametrize("name", CASES)
def test_the_result_takes_the_buffer_of_a_donated_state(name, method):
    circuit, make = CASES[name]
    (given,) = jax.tree.leaves(make())
    state = jax.tree.map(jnp.copy, make())

    def evolve(state):
        return run(circuit, state, method=method)

    donating = jax.jit(evolve, donate_argnums=0)
    used = donating.lower(state).compile().memory_analysis()
    assert used is not None
    assert used.alias_size_in_bytes == given.nbytes
    expected = jax.jit(evolve)(make())

    (before,) = jax.tree.leaves(state)
    address = before.unsafe_buffer_pointer()
    final = donating(state)
    (after,) = jax.tree.leaves(final)
    assert before.is_deleted()
    assert after.unsafe_buffer_pointer() == address
    np.testing.assert_array_equal(after, jax.tree.leaves(expected)[0])


def test_without_donation_the_state_stays():
    state = StateVector.zeros(8)
    function = jax.jit(lambda state: run(LAYERS, state))
    used = function.lower(state).compile().memory_analysis()
    assert used is not None and used.alias_size_in_bytes == 0
    function(state)
    assert not state.amplitudes.is_deleted()


def test_a_loop_of_donating_steps_computes_what_one_circuit_does():
    step = jax.jit(lambda state: run(LAYERS, state), donate_argnums=0)
    state = StateVector.zeros(8)
    for _ in range(3):
        state = step(state)
    whole = run(LAYERS + LAYERS + LAYERS, StateVector.zeros(8))
    np.testing.assert_allclose(state.amplitudes, whole.amplitudes, atol=2e-6)
