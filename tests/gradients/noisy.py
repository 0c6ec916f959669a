"""Random noisy circuits whose exact gradient a density matrix gives."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    PauliSum,
    Repeat,
    Reset,
    crx,
    cx,
    rx,
    ry,
    rz,
    rzz,
    x,
)
from qjax.circuits.operation import AbstractOperation
from qjax.noise import (
    amplitude_damping,
    depolarizing,
    generalized_amplitude_damping,
    phase_damping,
    reset_error,
    thermal_relaxation,
    two_qubit_depolarizing,
)
from qjax.simulate import expectation, run, trajectory
from qjax.states import DensityMatrix

KINDS = ("damping", "thermal", "reset", "measured", "unital")


@dataclasses.dataclass(frozen=True)
class NoisyCircuit:
    """A builder with parameters, of which the last is a noise strength."""

    build: Callable[[Any], Circuit]
    params: np.ndarray
    observable: PauliSum
    num_wires: int

    def exact(self, params: Any):
        """The expectation by the density matrix: differentiate it for the truth."""
        zero = DensityMatrix.zeros(self.num_wires)
        return expectation(run(self.build(params), zero), self.observable)


def noisy_circuit(seed: int) -> NoisyCircuit:
    """Two or three wires, two layers in a `Repeat` or unrolled, one kind of noise."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    num_wires = int(rng.integers(2, 4))
    turns = [(rx, ry, rz)[i] for i in rng.integers(3, size=num_wires)]
    links: list[Any] = [(cx, rzz, crx)[i] for i in rng.integers(3, size=num_wires - 1)]
    strength = rng.uniform(0.05, 0.3)

    def layer(turn: Any, noise: Any) -> Circuit:
        operations: list[AbstractOperation] = []
        for q in range(num_wires):
            operations += [turns[q](turn[q], q), *channels(kind, noise, q)]
        for q, link in enumerate(links):
            angle = () if link is cx else (turn[q],)
            operations.append(link(*angle, q, q + 1))
        if kind == "unital":
            operations.append(two_qubit_depolarizing(noise, (0, 1)))
        return Circuit(operations, num_wires)

    def build(params: Any) -> Circuit:
        turn, noise = params[:-1].reshape(2, num_wires), params[-1]
        first, second = layer(turn[0], noise), layer(turn[1], noise)
        if kind == "measured":
            feedback = [Measure(0), Conditional(x(1), (-1,), (1,)), Reset(0)]
            middle = Circuit(feedback, num_wires)
            return first + middle + second
        body = jax.tree.map(lambda *leaves: jnp.stack(leaves), first, second)
        return Circuit([Repeat(body, 2)], num_wires)

    words: list[Any] = [((q, str(rng.choice(list("XYZ")))),) for q in range(num_wires)]
    words.append(((0, "Z"), (1, "Z")))
    observable = PauliSum(rng.uniform(-1, 1, len(words)), tuple(words))
    params = np.append(rng.uniform(-np.pi, np.pi, 2 * num_wires), strength)
    return NoisyCircuit(build, params, observable, num_wires)


def channels(kind: str, strength: Any, wire: int) -> list[AbstractOperation]:
    """Noise of one kind on a wire; `strength` may be traced."""
    if kind == "damping":
        damping = amplitude_damping(strength, wire)
        return [damping, phase_damping(0.1, wire)] if wire else [damping]
    if kind == "thermal":
        if wire:
            return [generalized_amplitude_damping(0.1, strength, wire)]
        return [thermal_relaxation(1.0, 0.7, strength, 0.1, wire)]
    if kind == "reset":
        return [reset_error(strength, 0.05, wire)]
    if kind == "measured":
        return [amplitude_damping(strength, wire)]
    return [depolarizing(strength, wire)]


def path_of(observable: PauliSum) -> Callable[..., tuple[Any, Any]]:
    """Run one trajectory and read its exact expectation and ln probability."""

    def path(key: Any, circuit: Circuit, state: Any) -> tuple[Any, Any]:
        final, record = trajectory(key, circuit, state)
        return expectation(final, observable), record.log_prob

    return path


def without_score(path: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    """The mutant: draws count as if their probabilities did not change."""

    def mutant(*arguments: Any) -> tuple[Any, Any]:
        value, log_prob = path(*arguments)
        return value, jax.lax.stop_gradient(log_prob)

    return mutant
