"""Cases of `tests.lowering`: correlated and coherent noise, fidelities, tomography."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, noise, simulate, tomography
from qjax.circuits import Circuit, Repeat
from qjax.states import DensityMatrix, StateVector

MODULES = (tomography,)
KEY = jax.random.key(7)
STRENGTH = np.float32(0.1)


def _circuit() -> Circuit:
    def layer(angle: Any) -> Circuit:
        return Circuit([circuits.rx(angle, 0), circuits.cx(0, 1)], 2)

    return Circuit([Repeat(jax.vmap(layer)(jnp.ones(3)), 3), circuits.x(1)], 2)


def correlated_noise(key: Any, strength: Any) -> Any:
    noisy = noise.OverRotation(strength)(_circuit())
    noisy = noise.AxisTilt(strength, "Y", "X")(noisy)
    noisy = noise.zz_crosstalk(strength, [(0, 1)], strength)(noisy)
    error = noise.correlated_pauli([strength], ["XX"], (0, 1))
    noisy = noise.Crosstalk((error,), "simultaneous")(noise.Background((error,))(noisy))
    final, _ = simulate.trajectory(key, noisy, StateVector.zeros(2))
    return final, simulate.run(noisy, DensityMatrix.zeros(2))


def bath(key: Any, strength: Any) -> Any:
    del key
    pair = circuits.rxx(strength, 0, 1), circuits.ryy(strength, 0, 1)
    damped = noise.Bath(pair, (0, 0), (noise.amplitude_damping(strength, 0),))
    starts = StateVector.zeros(2), DensityMatrix.zeros(2)
    pure, mixed = (damped.extend(start) for start in starts)
    return pure, simulate.run(damped(_circuit()), mixed), damped.memoryless().kraus


def drifting_noise(key: Any, strength: Any) -> Any:
    steps = noise.num_steps(_circuit())
    angles = (
        noise.ornstein_uhlenbeck(key, steps, strength, 0.5)
        + noise.random_telegraph(key, steps, strength, 0.5)
        + noise.one_over_f(key, steps, strength, 0.1, 1.0, 3)
    )
    noisy = noise.drift(
        lambda angle: noise.Background((circuits.rz(angle, 0),)), angles, _circuit()
    )
    return simulate.run(noisy, StateVector.zeros(2))


def fidelities(key: Any, strength: Any) -> Any:
    del key
    gate, channel = circuits.h(0), noise.amplitude_damping(strength, 0)
    transfer = noise.transfer_matrix([gate, channel])
    choi = noise.choi_from_kraus(channel.kraus)
    return (
        noise.average_gate_fidelity(transfer, gate),
        noise.process_fidelity([gate, channel], gate),
        noise.unitarity(channel),
        noise.pauli_twirl(channel).weights,
        noise.transfer_from_choi(noise.choi_from_transfer(transfer)),
        noise.kraus_from_choi(choi),
    )


def process_tomography(key: Any, strength: Any) -> Any:
    process = Circuit([circuits.h(0), noise.depolarizing(strength, 0)], 1)
    states = np.asarray([[0], [1]])
    stack = tomography.process_circuits(process, (0,))
    prepared = tomography.readout_circuits(1, states)
    seen = tomography.sample_counts(key, prepared, (0,), 50)
    readout = tomography.fit_readout(seen, states)
    counts = tomography.sample_counts(key, stack, (0,), 50, readout.matrix())
    found = tomography.fit_process(counts, readout=readout)
    full = tomography.fit_process(counts, readout=tomography.fit_readout_matrix(seen))
    return (
        found.stderr(), found.average_gate_fidelity(circuits.h(0)),
        found.nearest((0,))[0].kraus, full.covariance,
        tomography.fit_readout_matrix(seen).stderr(),
        tomography.exact_transfer(process, (0,)),
    )  # fmt: skip


def state_tomography(key: Any, strength: Any) -> Any:
    stack = tomography.state_circuits(Circuit([circuits.rx(strength, 0)], 1), (0,))
    found = tomography.fit_state(tomography.sample_counts(key, stack, (0,), 50))
    return found.stderr(), found.nearest()


_FUNCTIONS = (
    correlated_noise,
    bath,
    drifting_noise,
    fidelities,
    process_tomography,
    state_tomography,
)

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    function.__name__: (function, (KEY, STRENGTH)) for function in _FUNCTIONS
}
