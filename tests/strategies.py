"""Random circuits, as descriptions that the engine and each oracle read on their own.

A `Step` says in words and numbers what happens. `build` turns steps into a qjax
circuit; `oracle_states` and `tests/pennylane_oracle.py` read the same steps and never
look at the circuit, so a mistake in a builder or in the circuit's data is seen too.
"""

import dataclasses
from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np

from qjax import circuits, noise
from qjax.circuits import AbstractOperation, Circuit
from tests import oracle_channels, oracles


@dataclasses.dataclass(frozen=True)
class Step:
    """One operation.

    Attributes:
        kind: "gate", "unitary", "controlled", "rotation", "channel" or "kraus".
        name: Row of the gate or channel table, or the Pauli word of a rotation.
        wires: All wires, controls first.
        params: Angles or channel parameters.
        array: Matrix of a unitary, or Kraus operators.
        values: Values of the controls of a controlled gate.
    """

    kind: str
    name: str
    wires: tuple[int, ...]
    params: tuple[float, ...] = ()
    array: np.ndarray | None = None
    values: tuple[int, ...] = ()

    @property
    def is_noise(self) -> bool:
        return self.kind in ("channel", "kraus")


UNITARY_NAMES = (*oracles.GATES, "unitary", "controlled", "rotation")
CHANNEL_NAMES = (*oracle_channels.CHANNELS, "kraus")


def build_step(step: Step) -> AbstractOperation:
    """The qjax operation of a step, by the public builder of its name."""
    if step.kind == "gate":
        return getattr(circuits, step.name)(*step.params, *step.wires)
    if step.kind == "unitary":
        assert step.array is not None
        return circuits.unitary(step.array, step.wires)
    if step.kind == "controlled":
        num_controls = len(step.values)
        controls, targets = step.wires[:num_controls], step.wires[num_controls:]
        target = getattr(circuits, step.name)(*step.params, *targets)
        return circuits.controlled(target, controls, step.values)
    if step.kind == "rotation":
        (angle,) = step.params
        return circuits.pauli_rotation(angle, step.name, step.wires)
    if step.kind == "kraus":
        assert step.array is not None
        return circuits.kraus_channel(step.array, step.wires)
    wires = step.wires[0] if len(step.wires) == 1 else step.wires
    return getattr(noise, step.name)(*step.params, wires)


def build(steps: Sequence[Step], num_wires: int) -> Circuit:
    return Circuit([build_step(step) for step in steps], num_wires)


def matrix(step: Step) -> np.ndarray:
    """The oracle's matrix of a unitary step, on the step's own wires."""
    if step.kind == "gate":
        return oracles.gate(step.name, *step.params)
    if step.kind == "unitary":
        assert step.array is not None
        return step.array
    if step.kind == "controlled":
        return oracles.controlled(oracles.gate(step.name, *step.params), step.values)
    word = oracles.kron([oracles.PAULIS[letter] for letter in step.name])
    return oracles.exponential(word, step.params[0] / 2)


def channel(step: Step) -> oracle_channels.Map:
    """The oracle's map of a noisy step, on the step's own wires."""
    if step.kind == "kraus":
        assert step.array is not None
        return oracle_channels.from_kraus(step.array)
    return oracle_channels.CHANNELS[step.name][2](*step.params)


def oracle_vector(steps: Sequence[Step], vector: np.ndarray) -> np.ndarray:
    """Apply unitary steps to a state vector."""
    num_wires = int(np.log2(len(vector)))
    for step in steps:
        vector = oracles.embed(matrix(step), step.wires, num_wires) @ vector
    return vector


def oracle_density(steps: Sequence[Step], rho: np.ndarray) -> np.ndarray:
    """Apply steps to a density matrix."""
    num_wires = int(np.log2(len(rho)))
    for step in steps:
        if step.is_noise:
            rho = oracle_channels.on_register(channel(step), rho, step.wires)
        else:
            full = oracles.embed(matrix(step), step.wires, num_wires)
            rho = oracle_channels.sandwich(full, rho, full.conj().T)
    return rho


# --- random steps ---------------------------------------------------------------------


def step_size(name: str) -> int:
    """Smallest number of wires a step of this name needs."""
    if name in oracles.GATES:
        return oracles.GATES[name][0]
    if name in oracle_channels.CHANNELS:
        return oracle_channels.CHANNELS[name][0]
    return {"unitary": 1, "controlled": 2, "rotation": 1, "kraus": 1}[name]


def random_step(rng: np.random.Generator, name: str, num_wires: int) -> Step:
    """A step of the given name with random wires and numbers."""
    order = tuple(int(wire) for wire in rng.permutation(num_wires))
    size = step_size(name)
    if name in oracles.GATES:
        params = rng.uniform(-2 * np.pi, 2 * np.pi, oracles.GATES[name][1])
        return Step("gate", name, order[:size], tuple(map(float, params)))
    if name in oracle_channels.CHANNELS:
        params = oracle_channels.random_params(rng, name)
        return Step("channel", name, order[:size], params)
    if name == "unitary":
        size = int(rng.integers(1, min(num_wires, 3) + 1))
        array = oracles.random_unitary(rng, 2**size)
        return Step("unitary", name, order[:size], array=array)
    if name == "kraus":
        size = int(rng.integers(1, min(num_wires, 2) + 1))
        array = oracles.random_kraus(rng, int(rng.integers(1, 5)), 2**size)
        return Step("kraus", name, order[:size], array=array)
    if name == "rotation":
        size = int(rng.integers(1, min(num_wires, 4) + 1))
        word = "".join(rng.choice(list("IXYZ"), size))
        angle = float(rng.uniform(-2 * np.pi, 2 * np.pi))
        return Step("rotation", word, order[:size], (angle,))
    return _random_controlled(rng, order)


def _random_controlled(rng: np.random.Generator, order: tuple[int, ...]) -> Step:
    fitting = [gate for gate in oracles.GATES if oracles.GATES[gate][0] < len(order)]
    target = str(rng.choice(fitting))
    size, num_params, _ = oracles.GATES[target]
    num_controls = int(rng.integers(1, min(len(order) - size, 3) + 1))
    params = rng.uniform(-2 * np.pi, 2 * np.pi, num_params)
    values = tuple(int(bit) for bit in rng.integers(0, 2, num_controls))
    wires = order[: num_controls + size]
    return Step("controlled", target, wires, tuple(map(float, params)), None, values)


def random_steps(
    rng: np.random.Generator, num_wires: int, length: int, names: Sequence[str]
) -> list[Step]:
    """`length` steps with names drawn from those that fit the wires."""
    fitting = [name for name in names if step_size(name) <= num_wires]
    drawn = rng.choice(fitting, length)
    return [random_step(rng, str(name), num_wires) for name in drawn]


def covering_circuits(
    seed: int, count: int, length: int, names: Sequence[str], max_wires: int = 6
) -> list[tuple[int, list[Step]]]:
    """`count` random circuits on 1 to `max_wires` wires; every name occurs often.

    The names are dealt like cards, in turn, so that coverage does not hang on luck.
    """
    rng = np.random.default_rng(seed)
    result = []
    for number in range(count):
        num_wires = 1 + number % max_wires
        steps = random_steps(rng, num_wires, length - 2, names)
        dealt = [names[(2 * number + i) % len(names)] for i in range(2)]
        for name in dealt:
            if step_size(name) <= num_wires:
                place = int(rng.integers(0, len(steps) + 1))
                steps.insert(place, random_step(rng, name, num_wires))
        result.append((num_wires, steps))
    return result


# --- hypothesis -----------------------------------------------------------------------


@st.composite
def steps(
    draw: st.DrawFn, num_wires: int, names: Sequence[str], max_length: int = 6
) -> list[Step]:
    """Lists of steps that shrink: fewer steps first, then simpler names."""
    fitting = [name for name in names if step_size(name) <= num_wires]
    chosen = draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=max_length))
    seed = draw(st.integers(0, 2**16))
    return [
        random_step(np.random.default_rng([seed, position]), name, num_wires)
        for position, name in enumerate(chosen)
    ]


@st.composite
def wired_steps(
    draw: st.DrawFn, names: Sequence[str], max_wires: int = 4, max_length: int = 6
) -> tuple[int, list[Step]]:
    """A number of wires and steps on them."""
    num_wires = draw(st.integers(1, max_wires))
    return num_wires, draw(steps(num_wires, names, max_length))
