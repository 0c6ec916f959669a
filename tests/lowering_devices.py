"""Cases of `tests.lowering`: rules, waiting wires, and the noise of a device."""

from typing import Any

import jax
import numpy as np

from qjax import circuits, noise, simulate
from qjax.circuits import Circuit, Measure
from qjax.noise import Calibration, NativeGate, Qubit
from qjax.states import DensityMatrix

_PAIR = [Qubit(str(wire), 9e4, 7e4, 0.01, 0.02, 700.0) for wire in range(2)]
_GATES = {
    ("cx", (0, 1)): NativeGate(0.01, 300.0),
    ("sx", (0,)): NativeGate(3e-4, 35.0),
    ("sx", (1,)): NativeGate(4e-4, 35.0),
}
DEVICE = Calibration("two", "IBM", "", _PAIR, _GATES, ((0, 1),))
ANGLE = np.float32(0.3)
TIMES = np.asarray([9e4, 8e4], np.float32)


def device(angle: Any) -> Any:
    model, readout, *_ = noise.device_noise(DEVICE)
    circuit = circuits.ghz(2) + Circuit([Measure(1), circuits.rx(angle, 0)], 2)
    state = simulate.run(model(circuit), DensityMatrix.zeros(2))
    return simulate.run(Circuit([readout.channel(0)], 2), state)


def waiting(times: Any, strength: Any) -> Any:
    rules = [noise.Rule([noise.bit_flip(strength, 0)], "H", duration=30)]
    model = noise.NoiseModel(rules=rules, idling=noise.Idling(times, times))
    return simulate.run(model(Circuit([circuits.h(0)], 2)), DensityMatrix.zeros(2))


def infidelity(strength: Any) -> Any:
    def of(p: Any) -> Any:
        pair = [noise.depolarizing(p, 0), noise.two_qubit_depolarizing(p, (0, 1))]
        return noise.average_infidelity(pair)

    return jax.value_and_grad(of)(strength)


CASES = {
    "device noise": (device, (ANGLE,)),
    "waiting wires": (waiting, (TIMES, np.float32(0.1))),
    "average infidelity": (infidelity, (np.float32(0.1),)),
}
