"""Circuits for the blocks, each with the steps that the oracles read instead."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import jax
import numpy as np

from qjax.circuits import Circuit, Measure, Repeat, Reset
from tests import oracle_channels, oracles, strategies
from tests.strategies import Step


@dataclasses.dataclass(frozen=True)
class Case:
    """A circuit, and what it does in time order, every repetition written out."""

    circuit: Circuit
    steps: list[Step]

    @property
    def num_wires(self) -> int:
        return self.circuit.num_wires

    def density(self, rho: np.ndarray) -> np.ndarray:
        """The oracle on a density matrix."""
        return strategies.oracle_density(self.steps, rho)


def from_steps(steps: Sequence[Step], num_wires: int) -> Case:
    return Case(strategies.build(steps, num_wires), list(steps))


def repeat(cases: Sequence[Case]) -> Case:
    """Cases of one structure as the repetitions of a Repeat."""
    bodies = [case.circuit for case in cases]
    body = jax.tree.map(lambda *leaves: np.stack(leaves), *bodies)
    circuit = Circuit([Repeat(body, len(cases))], cases[0].num_wires)
    return Case(circuit, [step for case in cases for step in case.steps])


def together(*cases: Case) -> Case:
    """One case after the other."""
    operations = [op for case in cases for op in case.circuit.operations]
    circuit = Circuit(operations, cases[0].num_wires)
    return Case(circuit, [step for case in cases for step in case.steps])


def gate(name: str, *wires: int, params: Iterable[float] = ()) -> Step:
    return Step("gate", name, wires, tuple(map(float, params)))


def su4(rng: np.random.Generator, *wires: int) -> Step:
    return Step("unitary", "unitary", wires, array=oracles.random_unitary(rng, 4))


def layer(rng: np.random.Generator, num_wires: int) -> Case:
    """Rotations on every wire, then a chain of CNOTs."""
    steps = []
    for wire in range(num_wires):
        for name in ("ry", "rz"):
            steps.append(gate(name, wire, params=rng.uniform(-3, 3, 1)))
    steps += [gate("cx", wire, wire + 1) for wire in range(num_wires - 1)]
    return from_steps(steps, num_wires)


# --- the cases ------------------------------------------------------------------------


def ansatz() -> Case:
    rng = np.random.default_rng(1)
    return repeat([layer(rng, 7) for _ in range(3)])


def nested_repeats() -> Case:
    """Loops in a loop, with operations around each of them."""
    rng = np.random.default_rng(2)

    def outer() -> Case:
        inner = repeat([layer(rng, 4) for _ in range(2)])
        before = from_steps([su4(rng, 3, 0), gate("iswap", 1, 2)], 4)
        return together(before, inner, from_steps([gate("ccx", 2, 0, 3)], 4))

    head = from_steps([gate("h", 2), su4(rng, 1, 3)], 4)
    return together(head, repeat([outer() for _ in range(3)]), layer(rng, 4))


def without_numbers() -> Case:
    """Bodies and stages that have no parameter, one of them without any operation."""
    clifford = [gate("h", 0), gate("cx", 0, 3), gate("s", 3), gate("swap", 3, 1)]
    idle = repeat([from_steps([], 4)] * 2)
    body = from_steps(clifford, 4)
    return together(repeat([body] * 3), idle, from_steps([gate("ccz", 0, 2, 3)], 4))


def all_to_all() -> Case:
    """Two-wire gates on random pairs, with random one-wire gates between."""
    rng = np.random.default_rng(3)
    steps = []
    for _ in range(25):
        a, b = (int(wire) for wire in rng.permutation(7)[:2])
        names = rng.choice(["cx", "cz", "iswap", "cy"], 1)
        turn = rng.uniform(-3, 3, 3)
        steps += [gate("u3", a, params=turn), gate("ry", b, params=turn[:1])]
        steps.append(gate(str(names[0]), a, b))
    return from_steps(steps, 7)


def brickwork() -> Case:
    rng = np.random.default_rng(4)
    steps = [su4(rng, w, w + 1) for depth in range(4) for w in range(depth % 2, 6, 2)]
    return from_steps(steps, 7)


def idle_wires() -> Case:
    rng = np.random.default_rng(5)
    steps = [su4(rng, 7, 2), gate("rx", 5, params=(0.4,)), gate("cx", 2, 5)]
    return from_steps([*steps, gate("cphase", 7, 5, params=(1.3,)), su4(rng, 5, 2)], 9)


def many_controls() -> Case:
    """Controls beyond a window are `Single` steps that only touch where they hold."""
    steps = [gate("h", wire) for wire in range(8)]
    chosen = [
        ("ry", (7, 1, 4, 0, 2, 6, 3), (0.7,), (1, 1, 0, 1, 1, 0)),
        ("iswap", (6, 0, 2, 3, 4, 5, 1, 7), (), (1, 0, 1, 1, 0, 1)),
        ("rz", (5, 2), (1.1,), (0,)),
    ]
    for name, wires, params, values in chosen:
        steps.append(Step("controlled", name, wires, params, None, values))
    return from_steps([*steps, *[gate("t", wire) for wire in range(8)]], 8)


def wide_unitaries() -> Case:
    """Wider than any window, and of every width that still fits one."""
    rng = np.random.default_rng(6)
    steps = []
    for size in (3, 4, 3):
        wires = tuple(int(wire) for wire in rng.permutation(8)[:size])
        array = oracles.random_unitary(rng, 2**size)
        steps.append(Step("unitary", "unitary", wires, array=array))
        steps.append(gate("ry", wires[0], params=(0.3,)))
    word = Step("rotation", "XYZZYXZ", (6, 0, 3, 2, 7, 1, 5), (0.9,))
    return from_steps([*steps, word], 8)


def one_wire() -> Case:
    rng = np.random.default_rng(7)
    return from_steps(strategies.random_steps(rng, 1, 12, strategies.UNITARY_NAMES), 1)


def two_wires() -> Case:
    rng = np.random.default_rng(8)
    tail = from_steps(strategies.random_steps(rng, 2, 20, strategies.UNITARY_NAMES), 2)
    return together(repeat([layer(rng, 2) for _ in range(2)]), tail)


def empty() -> Case:
    return from_steps([], 3)


CASES: dict[str, Callable[[], Case]] = {
    function.__name__: function
    for function in (
        ansatz, nested_repeats, without_numbers, all_to_all, brickwork, idle_wires,
        many_controls, wide_unitaries, one_wire, two_wires, empty,
    )
}  # fmt: skip


# --- noise ----------------------------------------------------------------------------


def noisy(
    seed: int, count: int, length: int, max_wires: int
) -> list[tuple[int, list[Step]]]:
    """Random circuits of gates and channels on at most three wires each."""
    names = strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES
    circuits = strategies.covering_circuits(seed, count, length, names, max_wires)
    return [
        (num_wires, [step for step in steps if len(step.wires) <= 3])
        for num_wires, steps in circuits
    ]


def noisy_layers() -> Case:
    """Layers with damping and correlated noise, repeated."""
    rng = np.random.default_rng(9)

    def one() -> Case:
        noise = [
            Step("channel", "two_qubit_depolarizing", (w, w + 1), (float(p),))
            for w, p in enumerate(rng.uniform(0, 0.2, 3))
        ]
        noise += [Step("channel", "amplitude_damping", (3,), (0.2,))]
        return together(layer(rng, 4), from_steps(noise, 4))

    return repeat([one() for _ in range(3)])


def oracle_measured(rho: np.ndarray, wires: Sequence[int], reset: bool) -> np.ndarray:
    """Read the wires and forget what was read, or put them to zero."""
    for wire in wires:
        kraus = [oracles.ZERO, oracles.X @ oracles.ONE if reset else oracles.ONE]
        rho = oracle_channels.on_register(
            oracle_channels.from_kraus(np.stack(kraus)), rho, (wire,)
        )
    return rho


def with_measurements(case: Case) -> tuple[Circuit, Callable]:
    """A case between a measurement and a reset of several wires, and its oracle."""
    ends = [Measure((2, 0)), *case.circuit.operations, Reset((1, 3)), Measure((3,))]

    def oracle(rho: np.ndarray) -> np.ndarray:
        rho = case.density(oracle_measured(rho, (2, 0), False))
        return oracle_measured(rho, (1, 3), True)

    return Circuit(ends, case.num_wires), oracle
