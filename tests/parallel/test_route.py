"""Routes, followed on the host: right, and shorter than exchanging wire by wire."""

import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import Circuit, Gate, Repeat, hardware_efficient, qft
from qjax.parallel import plan_route
from qjax.parallel.route import Arrange, Exchange, Loop, Route, Segment, group_layers
from qjax.plan.wiring import wirings


def changed(operation) -> set[int]:
    (wiring,) = wirings([operation])
    return set(wiring.wires) - set(wiring.diagonal)


def follow(route: Route, circuit: Circuit, order: tuple[int, ...], outer: int):
    """Follow a route step by step; yields the operations in the order they are done."""
    now = list(order)
    for part in route.parts:
        if isinstance(part, Exchange):
            a, b = part.outer, outer + part.inner
            now[a], now[b] = now[b], now[a]
        elif isinstance(part, Arrange):
            ranks = sorted(now[outer:])
            assert [ranks.index(w) for w in now[outer:]] == list(part.old)
            now[outer:] = [ranks[rank] for rank in part.new]
        elif isinstance(part, Segment):
            assert tuple(now) == part.order
            for position in part.operations:
                operation = circuit.operations[position]
                assert changed(operation) <= set(now[outer:])
                yield operation
        else:
            assert isinstance(part, Loop)
            repeat = circuit.operations[part.position]
            assert isinstance(repeat, Repeat)
            for _ in range(part.depth):
                yield from follow(part.body, repeat.body, tuple(now), outer)
            assert part.body.end == tuple(now)
    assert tuple(now) == route.end


def on_each_wire(operations, num_wires: int):
    """Names of the operations on every wire, in time order."""
    return [
        [(o.name, o.wires) for o in operations if wire in o.wires]
        for wire in range(num_wires)
    ]


@st.composite
def circuits_and_outer(draw):
    num_wires = draw(st.integers(6, 9))
    outer = draw(st.integers(0, 3))

    def layer():
        operations = []
        for _ in range(draw(st.integers(1, 12))):
            wires = draw(st.permutations(range(num_wires)))[:3]
            kind = draw(st.sampled_from(["ry", "rz", "cx", "swap", "rzz", "ccx"]))
            count = circuits.GATES[kind.upper()].num_wires
            angles = [0.1] * circuits.GATES[kind.upper()].num_params
            operations.append(getattr(circuits, kind)(*angles, *wires[:count]))
        return Circuit(operations, num_wires)

    def stacked(body):
        return [
            circuits.gate(o.name, o.wires, *np.asarray(o.params))
            for o in body.operations
        ]

    first, body = layer(), layer()
    depth = draw(st.integers(1, 3))
    operations = [*stacked(first)]
    if draw(st.booleans()):
        deep = Repeat(_repeat(body, depth), depth)
        operations = [*stacked(first), deep, *stacked(layer())]
    return Circuit(operations, num_wires), outer


def _repeat(body: Circuit, depth: int) -> Circuit:
    return jax.tree.map(lambda x: np.stack([np.asarray(x)] * depth), body)


@hypothesis.given(circuits_and_outer())
def test_a_route_does_every_operation_on_inner_wires_and_in_order(given):
    circuit, outer = given
    order = tuple(range(circuit.num_wires))
    route = plan_route(circuit, order, outer)
    done = list(follow(route, circuit, order, outer))
    plain = list(circuits.unroll(circuit).operations)
    width = circuit.num_wires
    assert on_each_wire(done, width) == on_each_wire(plain, width)


def naive(circuit: Circuit, outer: int) -> int:
    """Exchanges that bring every outer wire in for its operation, and back."""
    operations = circuits.unroll(circuit).operations
    return sum(2 * len(changed(o) & set(range(outer))) for o in operations)


@pytest.mark.parametrize(("outer", "layers", "planned"), [
    (1, 1, 24), (1, 4, 6), (3, 1, 72), (3, 2, 38), (3, 4, 18),
])  # fmt: skip
def test_planned_exchanges_are_counted_and_fewer_than_naive(outer, layers, planned):
    circuit = hardware_efficient(np.zeros((12, 12, 2), np.float32))
    order = tuple(range(12))
    together = group_layers(circuit, order, outer, layers)
    assert plan_route(together, order, outer).num_exchanges == planned
    assert planned * layers <= naive(circuit, outer)


def test_the_fourier_transform_moves_every_outer_wire_once_and_its_swaps():
    route = plan_route(qft(12), tuple(range(12)), 3)
    assert route.num_exchanges == 6 < naive(qft(12), 3) == 12


def test_diagonal_gates_and_controls_never_move_a_wire():
    free = [circuits.rz(0.1, 0), circuits.cz(0, 1), circuits.rzz(0.2, 0, 5)]
    free += [circuits.cx(0, 5), circuits.ccx(0, 1, 4), circuits.crz(0.1, 5, 0)]
    assert plan_route(Circuit(free, 6), tuple(range(6)), 2).num_exchanges == 0


def test_grouped_layers_are_the_same_operations():
    circuit = hardware_efficient(np.arange(7 * 6 * 2.0).reshape(7, 6, 2))
    together = group_layers(circuit, tuple(range(6)), 2, 2)
    assert [o.depth for o in together.operations if isinstance(o, Repeat)] == [3, 1]
    plain, grouped = (circuits.unroll(c).operations for c in (circuit, together))
    angles = [
        [float(o.params[0]) for o in ops if isinstance(o, Gate) and o.spec.num_params]
        for ops in (plain, grouped)
    ]
    assert angles[0] == angles[1]
