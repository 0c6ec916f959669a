"""Node graphs of the package `tensornetwork`, in and out, and contracted by our plans.

The graph is Google's format: `Node`s with `Edge`s, hyperedges as `CopyNode`s. It needs
the extra `network`; the rest of `qjax.network` does not.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from qjax._checks import require
from qjax.circuits import Circuit
from qjax.network.circuit import amplitude_network
from qjax.network.contract import contract
from qjax.network.network import Indices, Network
from qjax.network.order import Optimizer
from qjax.network.plan import (
    ContractionPlan,
    plan_contraction,
    require_contraction_fits,
)

try:
    import tensornetwork
    from tensornetwork.backends.jax.jax_backend import JaxBackend
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "`qjax.network.nodes` needs the package `tensornetwork`: "
        "install the extra `network` (tensornetwork-ng)."
    ) from error

AbstractNode = tensornetwork.AbstractNode
Edge = tensornetwork.Edge

# Every copy of an index has a name and a place: a node and its axis.
Place = tuple[AbstractNode, int]


def to_nodes(network: Network | Circuit) -> tuple[list[AbstractNode], list[Edge]]:
    """Write a network as a node graph of `tensornetwork`, with the JAX backend.

    An index on two tensors is an edge, an output index on one tensor a dangling edge,
    any other a chain of `CopyNode`s of rank 3 at most, since contractors of that
    package take a copy node for a dense tensor.

    Args:
        network: The tensors; a unitary circuit stands for its open `amplitude_network`.

    Returns:
        All nodes, and the dangling edges of the output in its order: what every
        contractor of `tensornetwork` takes.

    Raises:
        TypeError: If a circuit is not unitary.

    Example:
        >>> import tensornetwork
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network.nodes import to_nodes
        >>> nodes, edges = to_nodes(Circuit([h(0), cx(0, 1)], 2))
        >>> final = tensornetwork.contractors.greedy(nodes, output_edge_order=edges)
        >>> final.tensor.real.ravel().tolist()
        [0.707106..., 0.0, 0.0, 0.707106...]
    """
    if isinstance(network, Circuit):
        network = amplitude_network(network)
    # Some accelerators otherwise multiply float32 at reduced precision.
    backend = JaxBackend(precision=jax.lax.Precision.HIGHEST)
    nodes: list[AbstractNode] = []
    places: dict[int, list[Place]] = {}
    for tensor, names in zip(network.tensors, network.indices, strict=True):
        array = jnp.asarray(tensor).astype(network.dtype)
        node = tensornetwork.Node(array, backend=backend)
        nodes.append(node)
        for axis, name in enumerate(names):
            places.setdefault(name, []).append((node, axis))
    dangling: dict[int, Edge] = {}
    for name, length in network.sizes.items():

        def copy_node(rank: int, length: int = length) -> AbstractNode:
            kind = network.dtype.type
            copy = tensornetwork.CopyNode(rank, length, backend=backend, dtype=kind)
            nodes.append(copy)
            return copy

        free = places[name]
        ends = 1 if name in network.output else 2
        if len(free) < ends:  # summed over alone: joined to a vector of ones
            free.append((copy_node(1), 0))
        while len(free) > ends:
            (first, second), free = free[:2], free[2:]
            copy = copy_node(3)
            tensornetwork.connect(_edge(first), copy[0])
            tensornetwork.connect(_edge(second), copy[1])
            free.append((copy, 2))
        if ends == 1:
            dangling[name] = _edge(free[0])
        else:
            tensornetwork.connect(_edge(free[0]), _edge(free[1]))
    return nodes, [dangling[name] for name in network.output]


def _edge(place: Place) -> Edge:
    node, axis = place
    return node[axis]


def from_nodes(
    nodes: Sequence[AbstractNode], output_edge_order: Sequence[Edge] | None = None
) -> Network:
    """Read a node graph of `tensornetwork`; copy nodes become hyperedges.

    Args:
        nodes: Nodes of any backend whose tensors JAX can take.
        output_edge_order: The dangling edges in the order of the output; may be left
            out if there is one at most. An edge to a node that is not given dangles.

    Returns:
        A `Network` that shares the tensors; the graph stays as it is.

    Raises:
        ValueError: If there are no nodes, or `output_edge_order` is not made of the
            dangling edges.

    Example:
        >>> import numpy as np, tensornetwork
        >>> from qjax.network import contract
        >>> from qjax.network.nodes import from_nodes
        >>> a = tensornetwork.Node(np.eye(2), backend="jax")
        >>> b = tensornetwork.Node(np.ones(2), backend="jax")
        >>> edge = a[1] ^ b[0]
        >>> contract(from_nodes([a, b], [a[0]])).tolist()
        [1.0, 1.0]
    """
    nodes = list(nodes)
    require(len(nodes) > 0, "nodes", "hold at least one node", "empty")
    order = _output_edges(nodes, output_edge_order)
    names = _edge_names(nodes)
    tensors = [jnp.asarray(n.tensor) for n in nodes if not _is_copy(n)]
    indices: list[Indices] = [
        tuple(names[edge] for edge in node.edges)
        for node in nodes
        if not _is_copy(node)
    ]
    known = {name for own in indices for name in own}
    dtype = tensors[0].dtype if tensors else nodes[0].dtype
    output: list[int] = []
    for edge in dict.fromkeys([*order, *names]):
        name, length = names[edge], edge.dimension
        if name not in known:  # on copy nodes only
            known.add(name)
            tensors.append(jnp.ones(length, dtype))
            indices.append((name,))
        if edge in order and name in output:
            # The output of a copy node with two dangling edges is diagonal.
            other = len(names) + len(output)
            tensors.append(jnp.eye(length, dtype=dtype))
            indices.append((name, other))
            name = other
        if edge in order:
            output.append(name)
    return Network(tensors, tuple(indices), tuple(output))


def contract_nodes(
    nodes: Sequence[AbstractNode],
    output_edge_order: Sequence[Edge] | None = None,
    *,
    max_bytes: int | None = None,
    optimizer: Optimizer = "auto",
) -> AbstractNode:
    """Contract a node graph: a contractor of `tensornetwork` with our plans.

    It is called like `tensornetwork.contractors.auto`, and like there the nodes are
    used up and their dangling edges move to the node returned. A graph of plain nodes
    that needs no slices is contracted by that package, pair by pair in the planned
    order; copy nodes and slices are our own `contract`.

    Args:
        nodes: Nodes with the JAX backend.
        output_edge_order: As in `from_nodes`.
        max_bytes: As in `plan_contraction`.
        optimizer: As in `plan_contraction`.

    Returns:
        A node whose edges are `output_edge_order`.

    Raises:
        ValueError: If a node has another backend, the edges are not the dangling ones,
            or the contraction does not fit.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.network.nodes import contract_nodes, to_nodes
        >>> nodes, edges = to_nodes(Circuit([h(0), cx(0, 1)], 2))
        >>> contract_nodes(nodes, edges).tensor.shape
        (2, 2)
    """
    nodes = list(nodes)
    backends = {node.backend.name for node in nodes}
    rule = 'have backend "jax" (`tensornetwork.switch_backend`)'
    require(backends <= {"jax"}, "nodes", rule, sorted(backends))
    network = from_nodes(nodes, output_edge_order)
    plan = plan_contraction(network, max_bytes=max_bytes, optimizer=optimizer)
    order = _output_edges(nodes, output_edge_order)
    plain = not any(_is_copy(node) for node in nodes)
    if plain and not plan.sliced:
        require_contraction_fits(plan)
        path = _Replay(plan, [frozenset(node.edges) for node in nodes])
        return tensornetwork.contractors.custom(
            nodes, optimizer=path, output_edge_order=order
        )
    backend = nodes[0].backend
    result = tensornetwork.Node(contract(network, plan), backend=backend)
    given = set(nodes)
    for axis, edge in enumerate(order):
        inner = edge.node1 if edge.node1 in given else edge.node2
        own = edge.axis1 if edge.node1 in given else edge.axis2
        edge.update_axis(own, inner, axis, result)
        result.add_edge(edge, axis, override=True)
    return result


class _Replay:
    """A path optimizer that repeats a plan for nodes in whatever order they come."""

    def __init__(self, plan: ContractionPlan, edges: Sequence[frozenset[Edge]]):
        self._plan = plan
        self._edges = edges

    def __call__(
        self, inputs: Sequence[set[Edge]], *_: object, memory_limit: object = None
    ) -> list[tuple[int, ...]]:
        # A node's edges to itself were summed before the nodes were listed.
        waiting: dict[frozenset[Edge], list[int]] = {}
        for place, own in enumerate(self._edges):
            left = frozenset(e for e in own if e in set().union(*inputs))
            waiting.setdefault(left, []).append(place)
        alive = [waiting[frozenset(own)].pop() for own in inputs]
        path = []
        for number, step in enumerate(self._plan.tree.steps, len(alive)):
            pair = alive.index(step.left), alive.index(step.right)
            path.append(pair)
            alive.append(number)
            alive = [a for at, a in enumerate(alive) if at not in pair]
        return path


def _is_copy(node: AbstractNode) -> bool:
    return isinstance(node, tensornetwork.CopyNode)


def _output_edges(
    nodes: Sequence[AbstractNode], order: Sequence[Edge] | None
) -> list[Edge]:
    dangling = tensornetwork.get_subgraph_dangling(nodes)
    if order is None:
        rule = "be given where several edges dangle"
        require(len(dangling) <= 1, "output_edge_order", rule, None)
        return list(dangling)
    order = list(order)
    fits = set(order) == dangling and len(order) == len(dangling)
    rule = f"hold the {len(dangling)} dangling edges, each once"
    require(fits, "output_edge_order", rule, f"{len(order)} edges")
    return order


def _edge_names(nodes: Sequence[AbstractNode]) -> dict[Edge, int]:
    """Number the edges in order of appearance; those of a copy node have one number."""
    names: dict[Edge, int] = {}
    for node in nodes:
        for edge in node.edges:
            names.setdefault(edge, len(names))
    for node in nodes:
        if _is_copy(node):
            old = {names[edge] for edge in node.edges}
            least = min(old)
            names = {e: least if n in old else n for e, n in names.items()}
    return names
