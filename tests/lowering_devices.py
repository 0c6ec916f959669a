"""Cases of `tests.lowering`: rules, waiting wires, misread bits, infidelity."""

from typing import Any

import jax
import numpy as np

from qjax import circuits, noise, simulate
from qjax.circuits import Circuit, Measure
from qjax.states import DensityMatrix

TIMES = np.asarray([9e4, 8e4], np.float32)
STRENGTH = np.float32(0.1)


def rules(times: Any, strength: Any) -> Any:
    readout = noise.ReadoutConfusion(strength * times / 9e4, strength * times / 8e4)
    pair = noise.two_qubit_depolarizing(strength, (1, 0))
    relaxing = noise.thermal_relaxation(times[0], times[1], 300.0, 0.0, 0)
    model = noise.NoiseModel(
        rules=[
            noise.Rule([], "H", duration=30),
            noise.Rule([relaxing, pair], "CX", [(0, 1)], named_wires=True),
            noise.Rule([readout.channel(1)], wires=[1], moment="measurement"),
        ],
        idling=noise.Idling(times, times),
        complete=True,
    )
    circuit = circuits.ghz(2) + Circuit([Measure(1), circuits.h(0)], 2)
    return simulate.run(model(circuit), DensityMatrix.zeros(2))


def infidelity(strength: Any) -> Any:
    def of(p: Any) -> Any:
        pair = [noise.depolarizing(p, 0), noise.two_qubit_depolarizing(p, (0, 1))]
        return noise.average_infidelity(pair)

    return jax.value_and_grad(of)(strength)


CASES = {
    "rules of a noise model": (rules, (TIMES, STRENGTH)),
    "average infidelity": (infidelity, (STRENGTH,)),
}
