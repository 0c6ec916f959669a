"""Compile once, bind many: structures are found, numbers bound, room is bounded."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, cz, pauli, rx, ry
from qjax.simulate import CompiledCache, expectation, run
from qjax.states import StateVector


def energy(circuit):
    state = run(circuit, StateVector.zeros(circuit.num_wires))
    return expectation(state, pauli("Z", 0))


def test_a_thousand_bindings_are_one_trace(key):
    traces = []

    def counted(circuit):
        traces.append(1)
        return energy(circuit)

    cached = CompiledCache(counted)
    angles = np.asarray(jax.random.normal(key, (1000, 2)))

    def circuit(own):
        return Circuit([rx(own[0], 0), cx(0, 1), ry(own[1], 0)], 2)

    values = [cached(circuit(own)) for own in angles]
    assert len(traces) == 1
    assert cached.counts == (1000, 999, 1, 0) and cached.counts.hit_rate == 0.999
    for place in (0, 500, 999):
        expected = energy(circuit(angles[place]))
        np.testing.assert_allclose(values[place], expected, atol=1e-6)


def test_structures_are_told_apart_and_the_oldest_makes_room():
    cached = CompiledCache(energy, max_size=2)
    first = [rx(0.1, 0), cx(0, 1)]
    for operations, counts in (
        (first, (1, 0, 1, 0)),
        ([ry(0.1, 0), cx(0, 1)], (2, 0, 2, 0)),  # another gate
        (first, (3, 1, 2, 0)),
        ([rx(0.1, 0), cz(0, 1)], (4, 1, 3, 1)),  # throws out the second
        (first, (5, 2, 3, 1)),
        ([rx(0.1, 0), cx(1, 0)], (6, 2, 4, 2)),  # other wires
        ([rx(0.1, 0), cz(0, 1)], (7, 2, 5, 3)),
    ):
        circuit = Circuit(operations, 2)
        np.testing.assert_allclose(cached(circuit), energy(circuit), atol=1e-6)
        assert cached.counts == counts
    assert len(cached) == 2
    cached.clear()
    assert len(cached) == 0 and cached.counts.traces == 5


def test_numbers_of_every_kind_share_a_program():
    cached = CompiledCache(energy)
    for angle in (jnp.asarray(0.3), 0.3, np.float32(0.3), jnp.float32(0.3)):
        cached(Circuit([rx(angle, 0)], 1))
    assert cached.counts.traces == 1


def test_warming_compiles_and_counts_no_call():
    cached = CompiledCache(energy)
    cached.warm(Circuit([rx(0.1, 0)], 1))
    assert cached.counts == (0, 0, 1, 0) and np.isnan(cached.counts.hit_rate)
    cached(Circuit([rx(0.2, 0)], 1))
    assert cached.counts == (1, 1, 1, 0)


def test_it_composes_with_transformations():
    cached = CompiledCache(energy)

    def value(angle):
        return cached(Circuit([rx(angle, 0)], 1))

    np.testing.assert_allclose(jax.grad(value)(0.3), -np.sin(0.3), atol=1e-6)
    batch = jnp.asarray([0.1, 0.2])
    np.testing.assert_allclose(jax.vmap(value)(batch), np.cos(batch), atol=1e-6)
    assert cached.counts.binds == 0  # other programs, which hold this one


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`max_size` must be at least 1, but is 0"):
        CompiledCache(energy, max_size=0)
