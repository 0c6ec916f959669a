"""Cases of `tests.lowering`: circuits as blocks, batches of states, energies."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax import circuits, noise, simulate
from qjax.circuits import Circuit, Measure, Repeat, Reset
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector

ANGLES = np.asarray([0.3, 0.5, 0.7, 0.9], np.float32)
ROWS = np.eye(8, dtype=np.complex64)[:3]
STRENGTH = np.float32(0.2)


def _circuit(angles: Any) -> Circuit:
    """What makes every kind of step: windows that choose, relayouts, and one alone."""

    def layer(angle: Any) -> Circuit:
        turned = [circuits.ry(angle, wire) for wire in range(8)]
        return Circuit(turned + [circuits.cx(w, w + 1) for w in range(7)], 8)

    far = [circuits.rzz(angles[0], wire, 7 - wire) for wire in (0, 2, 1, 3)]
    mixed = [
        gate for one in far for gate in (one, circuits.rx(angles[1], one.wires[0]))
    ]
    alone = circuits.controlled(circuits.rx(angles[2], 7), tuple(range(7)))
    return Circuit([*mixed, alone, Repeat(jax.vmap(layer)(angles), 4)], 8)


def _gradient(kind: Any) -> Callable[[Any], Any]:
    def energy(angles: Any) -> Any:
        zeros = StateVector.zeros(8)
        final = simulate.run(_circuit(angles), zeros, method="blocks", gradient=kind)
        return simulate.expectation(final, circuits.ising(8))

    return jax.value_and_grad(energy)


def _batch(rows: Any, angles: Any) -> Any:
    body = jax.vmap(lambda a: Circuit([circuits.rx(a, 0), circuits.cx(0, 2)], 3))
    circuit = Circuit([Repeat(body(angles), 4)], 3)

    def loss(given: Any, kind: Any) -> Any:
        states = StateBatch.from_amplitudes(given, normalize=True)
        final = simulate.run(circuit, states, method="blocks", gradient=kind)
        return jnp.sum(simulate.expectation(final, circuits.heisenberg(3)))

    zeros = StateBatch.zeros(3, 3)
    again = StateBatch.stack(simulate.run(circuit, zeros).unstack())
    slopes = [jax.grad(loss)(rows.real, kind) for kind in ("reverse", "adjoint")]
    return slopes, again.probabilities((2, 0))


def _noise(strength: Any) -> Any:
    def energy(p: Any, kind: type) -> Any:
        noisy = [noise.two_qubit_depolarizing(p, (0, 2)), noise.amplitude_damping(p, 1)]
        ends = [Measure((0, 1)), Reset((2,))]
        circuit = Circuit([circuits.h(0), circuits.cx(0, 1), *noisy, *ends], 3)
        final = simulate.run(circuit, kind.zeros(3), method="blocks", gradient="remat")
        return simulate.expectation(final, circuits.ising(3))

    kinds = (PauliDensity, DensityMatrix)
    return [jax.value_and_grad(energy)(strength, kind) for kind in kinds]


def _each(angles: Any) -> Any:
    turns = jax.vmap(lambda a: Circuit([circuits.rx(a, 0), circuits.cx(0, 1)], 2))
    pairs = jax.vmap(lambda a: Circuit([circuits.rxx(a, 0, 1)], 2))
    once = simulate.run_each(turns(angles), StateBatch.zeros(2, 4))
    return simulate.run_each(pairs(angles), once)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    **{
        f"blocks {k}": (_gradient(k), (ANGLES,))
        for k in ("reverse", "remat", "adjoint")
    },
    "blocks on a batch": (_batch, (ROWS, ANGLES)),
    "blocks with noise": (_noise, (STRENGTH,)),
    "circuit for each state": (_each, (ANGLES,)),
}
