"""Cases of `tests.lowering`: contractions of tensor networks."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import circuits, network, noise
from qjax.circuits import Circuit

MODULES = (network,)
BITS = np.asarray([[0, 1, 1], [0, 0, 0]])


def _circuit(angle: Any) -> Circuit:
    turns = [circuits.ry(angle, wire) for wire in range(3)]
    return Circuit([*turns, circuits.cz(0, 1), circuits.cx(1, 2)], 3)


def _values(angle: Any) -> Any:
    circuit = _circuit(angle)
    noisy = circuit + Circuit([noise.depolarizing(0.1, 1)], 3)

    def value(turn: Any) -> Any:
        terms = circuits.ising(3, turn, 0.5)
        return network.expectation(_circuit(turn) + noisy, terms)

    return (
        network.amplitude(circuit, (0, 1, 1)), network.amplitudes(circuit, BITS),
        network.marginal(noisy, 1), network.reduced(noisy, (0, 1)),
        jax.value_and_grad(value)(angle),
        network.expectation(network.light_cone(noisy, 2), circuits.pauli("X", 2)),
    )  # fmt: skip


def _slices(angle: Any) -> Any:
    """A ring, one index fixed at a time."""
    tensor = angle * np.ones((4, 4), np.float32)
    ring = network.Network([tensor] * 3, ((0, 1), (1, 2), (2, 0)))
    plan = network.plan_contraction(ring, max_bytes=320)
    assert plan.num_slices == 4
    average = network.average_network(_circuit(angle), circuits.pauli("Z", 0))
    open_vector = network.amplitude_network(_circuit(angle))
    whole = network.contract(average), network.contract(open_vector)
    return network.contract(ring, plan), whole


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "network values": (_values, (np.float32(0.3),)),
    "network slices": (_slices, (np.float32(0.3),)),
}
