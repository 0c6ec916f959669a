"""Node graphs of `tensornetwork`: what comes in, what goes out, who contracts."""

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, h, ry
from qjax.network import Network, amplitude_network, contract, plan_contraction
from qjax.network.nodes import contract_nodes, from_nodes, to_nodes
from qjax.simulate import run
from qjax.states import StateVector
from tests import oracles
from tests.network.circuits import brickwork
from tests.network.test_plans import SHAPES, einsum

tensornetwork = pytest.importorskip("tensornetwork")


def random_network(indices, output) -> Network:
    rng = np.random.default_rng(0)
    tensors = [rng.normal(size=tuple(2 + i for i in own)) for own in indices]
    return Network([t.astype(np.float32) for t in tensors], indices, output)


@pytest.mark.parametrize(("indices", "output"), SHAPES)
def test_a_node_graph_and_back_is_the_same_contraction(indices, output):
    network = random_network(indices, output)
    nodes, edges = to_nodes(network)
    assert [edge.dimension for edge in edges] == [2 + i for i in output]
    again = from_nodes(nodes, edges)
    np.testing.assert_allclose(contract(again), einsum(network), rtol=1e-5)
    found = contract_nodes(nodes, edges)
    np.testing.assert_allclose(found.tensor, einsum(network), rtol=1e-5)
    assert found.edges == edges


def test_contractors_of_tensornetwork_take_a_circuit():
    values = np.random.default_rng(2).uniform(-3, 3, (2, 4, 2)).astype(np.float32)
    circuit = brickwork(jnp.asarray(values))
    expected = run(circuit, StateVector.zeros(4)).amplitudes
    nodes, edges = to_nodes(circuit)
    final = tensornetwork.contractors.greedy(nodes, output_edge_order=edges)
    np.testing.assert_allclose(final.tensor, expected, atol=1e-6)


def plain_graph():
    """A ring of four matrices with two open legs, one of them to a node outside."""
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=(3, 3, 3)).astype(np.float32) for _ in range(3)]
    nodes = [tensornetwork.Node(array, backend="jax") for array in arrays]
    for i in range(3):
        tensornetwork.connect(nodes[i][1], nodes[(i + 1) % 3][0])
    outside = tensornetwork.Node(np.ones(3, np.float32), backend="jax")
    tensornetwork.connect(nodes[0][2], outside[0])
    edges = [nodes[2][2], nodes[0][2], nodes[1][2]]
    return nodes, edges, outside, np.einsum("abx,bcy,caz->zxy", *arrays)


@pytest.mark.parametrize("sliced", [False, True])
def test_a_part_of_a_graph_is_contracted_and_its_edges_stay(sliced):
    nodes, edges, outside, expected = plain_graph()
    few = None
    if sliced:
        whole = plan_contraction(from_nodes(nodes, edges))
        few = whole.peak_bytes - 1
        assert plan_contraction(from_nodes(nodes, edges), max_bytes=few).sliced
    final = contract_nodes(nodes, edges, max_bytes=few)
    np.testing.assert_allclose(final.tensor, expected, rtol=1e-5)
    assert final.edges == edges
    last = tensornetwork.contract_between(
        final, outside, output_edge_order=[edges[0], edges[2]]
    )
    np.testing.assert_allclose(last.tensor, expected.sum(axis=1), rtol=1e-5)


def test_plain_nodes_are_contracted_by_the_package_itself(monkeypatch):
    nodes, edges, _, _ = plain_graph()
    calls = []
    own = tensornetwork.contractors.custom

    def custom(*arguments, **options):
        calls.append(options["optimizer"])
        return own(*arguments, **options)

    monkeypatch.setattr(tensornetwork.contractors, "custom", custom)
    contract_nodes(nodes, edges)
    assert len(calls) == 1


def test_a_copy_node_is_a_hyperedge_and_two_of_its_edges_may_dangle():
    copy = tensornetwork.CopyNode(3, 2, backend="jax", dtype=np.float32)
    node = tensornetwork.Node(np.asarray([2.0, 3.0], np.float32), backend="jax")
    edge = copy[2]
    tensornetwork.connect(edge, node[0])
    network = from_nodes([copy, node], [copy[1], copy[0]])
    np.testing.assert_allclose(contract(network), np.diag([2.0, 3.0]))
    hyper, edges = to_nodes(amplitude_network(Circuit([h(0)] + [cx(0, 1)] * 3, 2)))
    assert any(isinstance(n, tensornetwork.CopyNode) for n in hyper)
    assert max(n.get_rank() for n in hyper) == 3  # whatever the hyperedge's degree
    assert len({i for own in from_nodes(hyper, edges).indices for i in own}) < len(
        tensornetwork.get_all_edges(hyper)
    )


def test_the_packages_matrix_product_state_gives_the_same_amplitudes():
    """RY and CX on a line of 6 wires, by `FiniteMPS` without truncation."""
    turns = np.random.default_rng(6).uniform(-3, 3, (2, 6))
    zero = np.zeros((1, 2, 1), complex)
    zero[0, 0, 0] = 1
    state = tensornetwork.FiniteMPS([zero] * 6, canonicalize=False, backend="numpy")
    state.center_position = 0
    operations = []
    # Axes of a two-site gate: both outputs, then both inputs.
    jump = oracles.gate("cx").reshape(2, 2, 2, 2)
    for row in turns:
        for wire in range(6):
            state.apply_one_site_gate(oracles.gate("ry", row[wire]), wire)
            operations.append(ry(np.float32(row[wire]), wire))
        for wire in range(5):
            state.position(wire)
            state.apply_two_site_gate(jump, wire, wire + 1, center_position=wire)
            operations.append(cx(wire, wire + 1))
    vector = np.ones((1, 1))
    for tensor in state.tensors:
        vector = np.tensordot(vector, tensor, axes=1)
    nodes, edges = to_nodes(Circuit(operations, 6))
    found = contract_nodes(nodes, edges).tensor
    np.testing.assert_allclose(found, vector.reshape((2,) * 6), atol=2e-6)


def test_bad_graphs_are_one_sentence():
    nodes, edges, _, _ = plain_graph()
    with pytest.raises(ValueError, match="`nodes` must hold at least one node"):
        from_nodes([])
    with pytest.raises(ValueError, match="`output_edge_order` must be given where"):
        from_nodes(nodes)
    with pytest.raises(ValueError, match="must hold the 3 dangling edges, each once"):
        contract_nodes(nodes, edges[:2])
    other = tensornetwork.Node(np.ones(2), backend="numpy")
    with pytest.raises(ValueError, match="switch_backend"):
        contract_nodes([other], [other[0]])
