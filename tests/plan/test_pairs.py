"""Two layers at a time: the same circuit, and only where it is predicted to gain."""

import equinox as eqx
import jax
import numpy as np
import pytest

from qjax.circuits import (
    AbstractUnitary,
    Circuit,
    Repeat,
    cx,
    hardware_efficient,
    ry,
    unroll,
)
from qjax.plan import Layout, default_cost_model, pair_layers, pairs
from tests import oracles

COST = default_cost_model()
NUM_WIRES = 13


def ansatz(depth, num_wires=NUM_WIRES):
    angles = np.random.default_rng(depth).uniform(-3, 3, (depth, num_wires, 2))
    return hardware_efficient(angles)


def unitary(circuit):
    """The matrix of a small circuit by Kronecker products."""
    total = np.eye(2**circuit.num_wires)
    for operation in unroll(circuit).operations:
        assert isinstance(operation, AbstractUnitary)
        matrix = np.asarray(operation.matrix())
        total = oracles.embed(matrix, operation.wires, circuit.num_wires) @ total
    return total


def always(monkeypatch):
    monkeypatch.setattr(pairs, "_SMALLEST_LOG_SIZE", 0)
    monkeypatch.setattr(pairs, "_WORTHWHILE", 1e9)


def first_depth(circuit):
    first = pair_layers(circuit, Layout(circuit.num_wires), COST).operations[0]
    assert isinstance(first, Repeat)
    return first.depth


def swapped(repeat, right=pairs._paired):
    flipped = jax.tree.map(lambda leaf: leaf[::-1], repeat.body)
    return right(Repeat(flipped, repeat.depth))


@pytest.mark.parametrize("depth,kept", [(2, 0), (4, 0), (5, 1), (7, 1)])
def test_pairs_are_the_same_circuit(depth, kept, monkeypatch, x64):
    always(monkeypatch)
    circuit = ansatz(depth, 3)
    paired = pair_layers(circuit, Layout(3), COST)
    repeat, *rest = paired.operations
    assert isinstance(repeat, Repeat)
    assert repeat.depth == depth // 2
    assert len(rest) == kept * (2 * 3 + 2)
    np.testing.assert_allclose(unitary(paired), unitary(circuit), atol=1e-13)
    # The comparison sees the order of layers.
    monkeypatch.setattr(pairs, "_paired", swapped)
    wrong = pair_layers(circuit, Layout(3), COST)
    assert np.max(np.abs(unitary(wrong) - unitary(circuit))) > 1e-2


def test_what_cannot_be_paired_stays(monkeypatch):
    always(monkeypatch)
    once = ansatz(1, 3)
    inner = jax.vmap(lambda a: Circuit([ry(a, 0), cx(0, 1)], 2))
    outer = jax.vmap(lambda a: Circuit([Repeat(inner(a), 2)], 2))(np.zeros((4, 2)))
    nested = Circuit([Repeat(outer, 4)], 2)
    flat = Circuit([ry(0.1, 0), cx(0, 1)], 2)
    for circuit in (once, nested, flat):
        same = pair_layers(circuit, Layout(circuit.num_wires), COST)
        assert eqx.tree_equal(same, circuit)


def test_layers_are_paired_where_the_model_predicts_a_gain():
    circuit = ansatz(6)
    assert first_depth(circuit) == 3
    # Small states and layers without a chain gain nothing.
    small = ansatz(6, 8)
    assert eqx.tree_equal(pair_layers(small, Layout(8), COST), small)
    rotations = jax.vmap(lambda a: Circuit([ry(a[w], w) for w in range(13)], 13))
    apart = Circuit([Repeat(rotations(np.zeros((6, 13))), 6)], 13)
    assert first_depth(apart) == 3  # two rotations on a wire are one matrix
