"""Equal circuits are told from different ones."""

import jax
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, cz, h, rx, rz, simplify, z
from qjax.simulate import circuit_infidelity
from tests import oracles


def test_phases_do_not_count_and_differences_do(key):
    first = Circuit([cx(0, 1), rz(0.3, 1)], 2)
    same = Circuit([h(1), cz(0, 1), h(1), rz(0.3 + 2 * np.pi, 1)], 2)
    assert circuit_infidelity(key, first, same) < 1e-5
    for other in (first + Circuit([z(0)], 2), Circuit([cx(1, 0), rz(0.3, 1)], 2)):
        assert circuit_infidelity(key, first, other) > 0.05
    long = first + Circuit([h(0), h(0)], 2)
    assert circuit_infidelity(key, long, simplify(long)) < 1e-5


@pytest.mark.x64
def test_its_mean_over_states_is_the_formula(key):
    first, second = Circuit([rx(0.8, 0)], 1), Circuit([rz(0.5, 0)], 1)
    many = jax.vmap(lambda k: circuit_infidelity(k, first, second, num_states=1))
    found = np.asarray(many(jax.random.split(key, 20_000)))
    overlap = np.trace(oracles.gate("rx", 0.8).conj().T @ oracles.gate("rz", 0.5))
    expected = (1 - abs(overlap) ** 2 / 4) * 2 / 3
    assert abs(found.mean() - expected) < 4.5 * found.std() / found.size**0.5
    # A mutant that forgets the factor d / (d + 1) is told apart.
    assert abs(found.mean() - 1.5 * expected) > 4.5 * found.std() / found.size**0.5


def test_bad_input_is_named(key):
    with pytest.raises(ValueError, match="`second` must have 2 wires, but is 1"):
        circuit_infidelity(key, Circuit([cx(0, 1)], 2), Circuit([h(0)], 1))
    with pytest.raises(ValueError, match="`num_states` must be at least 1"):
        circuit_infidelity(key, Circuit([h(0)], 1), Circuit([h(0)], 1), num_states=0)
