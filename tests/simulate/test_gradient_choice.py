"""What "auto" keeps for reverse mode: by size, operations and kind."""

import jax
import numpy as np
import pytest

from qjax.circuits import Circuit, Repeat, hardware_efficient, ry
from qjax.noise import amplitude_damping
from qjax.simulate.fused import choose_gradient
from qjax.states import PauliDensity, StateVector


def noisy(num_wires: int) -> Circuit:
    operations = [ry(0.1, 0), amplitude_damping(0.1, 0)]
    return Circuit(operations, num_wires)


@pytest.mark.parametrize(
    "depth,num_wires,expected",
    [
        (10, 8, "reverse"),
        (10, 10, "reverse"),
        (200, 10, "adjoint"),
        (10, 11, "adjoint"),
    ],
)
def test_unitary_circuits_go_by_numbers_times_operations(depth, num_wires, expected):
    circuit = hardware_efficient(np.zeros((depth, num_wires, 2)))
    assert isinstance(circuit.operations[0], Repeat)
    state = jax.eval_shape(lambda: StateVector.zeros(num_wires))
    assert choose_gradient(circuit, state, "auto") == expected
    assert choose_gradient(circuit, state, "remat") == "remat"


@pytest.mark.parametrize("num_wires,expected", [(6, "reverse"), (7, "remat")])
def test_noisy_circuits_go_by_numbers_alone(num_wires, expected):
    state = jax.eval_shape(lambda: PauliDensity.zeros(num_wires))
    assert choose_gradient(noisy(num_wires), state, "auto") == expected
