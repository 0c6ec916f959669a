"""Cases of `tests.lowering`: noise models, readout errors."""

from typing import Any

import jax
import jax.numpy as jnp
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


def short_rules(strength: Any) -> Any:
    model = noise.NoiseModel((noise.depolarizing(strength, 0),))
    return simulate.run(model(Circuit([circuits.h(0)], 2)), DensityMatrix.zeros(2))


def readout(key: Any, p01: Any) -> Any:
    confusion = noise.ReadoutConfusion(p01, p01)
    bits = jnp.zeros((4, 2), jnp.uint8)
    return (
        confusion.matrices(), confusion.matrix(),
        confusion.apply(jnp.full((2, 2), 0.25)), confusion.corrupt(key, bits),
        confusion.observed_z(p01, (0, 1)), confusion.corrected_z(p01, (0, 1)),
    )  # fmt: skip


CASES = {
    "rules of a noise model": (rules, (TIMES, STRENGTH)),
    "noise model": (short_rules, (STRENGTH,)),
    "readout": (readout, (jax.random.key(7), np.asarray([0.3, 0.5], np.float32))),
}
