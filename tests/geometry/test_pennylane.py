"""The metric against PennyLane's, on random circuits."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest

from qjax.circuits import Circuit, cx, cz, rx, ry, rz, rzz
from qjax.geometry import circuit_metric, metric_tensor
from qjax.simulate import run
from qjax.states import StateVector
from tests.compiling import quick_jit

MAX_WIRES, LENGTH = 4, 14
TURNS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "rx": (rx, qml.RX, 1),
    "ry": (ry, qml.RY, 1),
    "rz": (rz, qml.RZ, 1),
    "rzz": (rzz, qml.IsingZZ, 2),
}
LINKS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "cx": (cx, qml.CNOT, 2),
    "cz": (cz, qml.CZ, 2),
}
Plan = Sequence[tuple[str, tuple[int, ...], int | None]]


def random_plan(rng: np.random.Generator, num_wires: int) -> Plan:
    """Gates, their wires, and which of the parameters turns them."""
    found, used = [], 0
    for _ in range(LENGTH):
        name = str(rng.choice([*TURNS, *LINKS]))
        size = (TURNS | LINKS)[name][2]
        wires = tuple(int(w) for w in rng.permutation(num_wires)[:size])
        found.append((name, wires, used if name in TURNS else None))
        used += name in TURNS
    return found


@pytest.mark.x64
@pytest.mark.parametrize("count", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_dense_metric_is_pennylanes_on_random_circuits(count):
    rng = np.random.default_rng(20261122)
    for _ in range(count):
        num_wires = int(rng.integers(2, MAX_WIRES + 1))
        plan = random_plan(rng, num_wires)
        size = sum(place is not None for *_, place in plan)
        angles = rng.uniform(-np.pi, np.pi, size)

        def builder(values: Any, plan=plan, num_wires=num_wires) -> Circuit:
            gates = [
                LINKS[name][0](*wires)
                if place is None
                else TURNS[name][0](values[place], *wires)
                for name, wires, place in plan
            ]
            return Circuit(gates, num_wires)

        @qml.qnode(qml.device("default.qubit", wires=num_wires))
        def node(values: Any, plan=plan) -> Any:
            for name, wires, place in plan:
                if place is None:
                    LINKS[name][1](wires=wires)
                else:
                    TURNS[name][1](values[place], wires=wires)
            return qml.state()

        values = qml.numpy.array(angles, requires_grad=True)
        expected = np.asarray(qml.adjoint_metric_tensor(node)(values))

        def state(params: Any, builder=builder, num_wires=num_wires) -> StateVector:
            return run(builder(params), StateVector.zeros(num_wires), method="gates")

        for metric in (
            lambda p, state=state: metric_tensor(state, p),
            lambda p, builder=builder: circuit_metric(builder, p),
        ):
            found = quick_jit(metric)(jnp.asarray(angles))
            np.testing.assert_allclose(found, expected, atol=1e-5)
