"""Pruned circuits: what matters least goes first, and what it costs is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cz, hardware_efficient, ising, rx, ry, unroll
from qjax.optim import entangler_importance, prune_entanglers
from qjax.simulate import expectation, run
from qjax.states import StateVector

WIRES = 3
ENERGY = ising(WIRES)


def value(circuit: Circuit) -> jax.Array:
    return expectation(run(circuit, StateVector.zeros(WIRES)), ENERGY)


def without(circuit: Circuit, places: set[int]) -> Circuit:
    kept = [op for i, op in enumerate(circuit.operations) if i not in places]
    return Circuit(kept, circuit.num_wires)


def test_importance_is_the_value_of_the_circuit_without_the_gate(key):
    circuit = hardware_efficient(jax.random.normal(key, (2, WIRES, 2)))
    flat = unroll(circuit)
    places, rise = entangler_importance(value, circuit)
    pairs = [i for i, op in enumerate(flat.operations) if len(op.wires) == 2]
    assert list(places) == pairs and len(places) == 4
    for place, found in zip(places, rise, strict=True):
        expected = value(without(flat, {place})) - value(flat)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pruning_is_greedy_and_stops_where_it_is_told(key):
    circuit = unroll(hardware_efficient(jax.random.normal(key, (2, WIRES, 2))))
    traces = []

    def counted(own: Circuit) -> jax.Array:
        traces.append(1)
        return value(own)

    pruned = prune_entanglers(counted, circuit, keep=1)
    assert len(pruned.removed) == 3 and len(traces) == 2
    gone: set[int] = set()
    for place, after in zip(pruned.removed, pruned.values[1:], strict=True):
        left = [
            i
            for i, op in enumerate(circuit.operations)
            if len(op.wires) == 2 and i not in gone
        ]
        costs = {i: float(value(without(circuit, gone | {i}))) for i in left}
        np.testing.assert_allclose(after, min(costs.values()), atol=1e-5)
        np.testing.assert_allclose(costs[place], min(costs.values()), atol=1e-5)
        gone.add(place)
    np.testing.assert_allclose(value(pruned.circuit), pruned.values[-1], atol=1e-5)


def test_no_more_is_given_up_than_allowed(key):
    circuit = hardware_efficient(jax.random.normal(key, (2, WIRES, 2)))
    for rise in (0.0, 0.2, 1.0):
        pruned = prune_entanglers(value, circuit, max_rise=rise)
        assert pruned.values[-1] <= pruned.values[0] + rise + 1e-6


def test_gates_without_effect_go_first():
    useless = [cz(1, 2), rx(0.3, 2)]
    circuit = Circuit([ry(0.4, 0), ry(0.3, 1), cz(0, 1), ry(0.7, 1), *useless], WIRES)

    def first_two(own: Circuit) -> jax.Array:
        state = run(own, StateVector.zeros(WIRES))
        return jnp.sum((state.probabilities((0, 1)) - target) ** 2)

    target = run(circuit, StateVector.zeros(WIRES)).probabilities((0, 1))
    pruned = prune_entanglers(first_two, circuit, max_rise=1e-6)
    # The other wire starts in |0>, where a controlled Z does nothing.
    assert pruned.removed == (4,)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`circuit` must have gates on two wires"):
        entangler_importance(value, Circuit([rx(0.1, 0)], WIRES))
    with pytest.raises(ValueError, match="`keep` must be at least 0"):
        prune_entanglers(value, Circuit([cz(0, 1)], WIRES), keep=-1)
