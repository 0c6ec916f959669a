"""Noise models: rules that put channels into a circuit, and noise of waiting wires."""

from collections.abc import Iterator, Sequence

import equinox as eqx
import jax
from jaxtyping import Array, Float

from qjax._checks import as_float, checked, require
from qjax._types import ArrayLike, Wires
from qjax.circuits import Channel, Circuit, Conditional, Measure, Repeat, Reset
from qjax.circuits.operation import AbstractOperation, AbstractUnitary
from qjax.noise._rewrite import CoherentError
from qjax.noise.damping import thermal_relaxation
from qjax.noise.rules import Rule, RuleTable

# Waits shorter than this fraction of the time so far are rounding of sums.
_ROUNDING = 1e-9


def _positive(times: ArrayLike, name: str) -> Array:
    return as_float(checked(times, lambda t: t > 0, name, "be positive"), name)


class Idling(eqx.Module):
    """Thermal relaxation of wires that wait: T1 and T2 of each, in one unit of time.

    Attributes:
        t1: T1 > 0 of each wire, shape (n,).
        t2: T2 in (0, 2 T1] of each wire, shape (n,).

    Raises:
        ValueError: If the shapes differ, or a time leaves its range (traced: when a
            wire waits).

    Source: `thermal_relaxation`, towards |0>.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Circuit, cx, x
        >>> from qjax.noise import Idling, NoiseModel, Rule
        >>> idling = Idling(np.asarray([9e4, 8e4]), np.asarray([7e4, 6e4]))
        >>> rules = [Rule([], "X", duration=30), Rule([], "CX", duration=300)]
        >>> model = NoiseModel(rules=rules, idling=idling)
        >>> noisy = model(Circuit([x(1), x(1), cx(0, 1)], num_wires=2))
        >>> [(operation.name, operation.wires) for operation in noisy.operations][2:]
        [('ThermalRelaxation', (0,)), ('CX', (0, 1))]
    """

    t1: Float[Array, " n"]
    t2: Float[Array, " n"]

    def __init__(self, t1: ArrayLike, t2: ArrayLike):
        self.t1 = _positive(t1, "t1")
        self.t2 = _positive(t2, "t2")
        fits = self.t1.ndim == 1 and self.t2.shape == self.t1.shape
        rule = "have the shape (num_wires,) of `t1`"
        require(fits, "t2", rule, f"of shape {self.t2.shape}")

    def wait(self, wire: int, time: float) -> Channel:
        """Return what happens to a wire that waits."""
        known = wire < self.t1.size
        require(known, "wire", f"lie in [0, {self.t1.size}) to wait", wire)
        return thermal_relaxation(self.t1[wire], self.t2[wire], time, 0.0, wire)


class NoiseModel(eqx.Module):
    """Channels around operations, by rules: Circuit -> Circuit.

    Every rule that an operation matches adds its channels, in the order of the rules:
    after gates and resets, before mid-circuit measurements. Errors of the final readout
    are `ReadoutConfusion`'s. Kraus operators are leaves, so a model may be batched and
    differentiated.

    With `idling`, operations start as soon as their wires are free (each takes the
    longest duration among its rules, a conditional one starts when all readings so far
    are done), and a wire relaxes while it waits for its next operation. All wires start
    together and wait for the last one at the end; so they do around a `Repeat` and in
    each of its repetitions. The slot of a gate that is not done passes without noise.

    Args:
        one_qubit: Channels after every gate on one wire; short for a rule.
        many_qubit: Channels after every gate on two or more; short for a rule.
        measurement: Channels before every measurement; short for a rule.
        rules: Further rules.
        idling: What waiting does, or None for nothing.
        complete: Whether an operation that no rule is for is an error; otherwise it is
            noiseless.

    Attributes:
        rules: All the rules.
        idling: What waiting does, or None.
        complete: Whether rules must cover every operation. Static.

    Raises:
        ValueError: If a channel fits neither one wire nor all wires of its operation;
            if `complete` and no rule is for an operation.

    Source: Gate-based noise with the channel after the ideal gate, as in Preskill,
    Quantum 2, 79 (2018), section 4.

    Example:
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.noise import NoiseModel, bit_flip, depolarizing
        >>> model = NoiseModel((depolarizing(0.01, 0),), (bit_flip(0.02, 0),))
        >>> noisy = model(Circuit([h(0), cx(0, 1)], num_wires=2))
        >>> [operation.name for operation in noisy.operations]
        ['H', 'Depolarizing', 'CX', 'BitFlip', 'BitFlip']
    """

    rules: tuple[Rule, ...]
    idling: Idling | None
    complete: bool = eqx.field(static=True)

    def __init__(
        self,
        one_qubit: Sequence[Channel] = (),
        many_qubit: Sequence[Channel] = (),
        measurement: Sequence[Channel] = (),
        *,
        rules: Sequence[Rule] = (),
        idling: Idling | None = None,
        complete: bool = False,
    ):
        short = (
            Rule(one_qubit, max_wires=1),
            Rule(many_qubit, min_wires=2),
            Rule(measurement, moment="measurement"),
        )
        self.rules = (*(rule for rule in short if rule.channels), *rules)
        self.idling = idling
        self.complete = complete

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with noise; `Repeat` stays one repeated layer."""
        placing = _Placing(self, circuit.num_wires)
        noisy = [new for old in circuit.operations for new in placing.around(old)]
        return Circuit((*noisy, *placing.wait_for_all()), circuit.num_wires)


class _Placing:
    """One pass over a circuit: what is put where, and when each wire is free."""

    def __init__(self, model: NoiseModel, num_wires: int):
        self.model = model
        self.table = RuleTable(model.rules)
        self.free = [0.0] * num_wires
        self.last_reading = 0.0

    def around(self, operation: AbstractOperation) -> Iterator[AbstractOperation]:
        """Yield an operation with the waits before it and the channels around it."""
        if isinstance(operation, Repeat):
            yield from self.wait_for_all()
            # In a layer all wires of the circuit wait, also those that it leaves alone.
            body = Circuit(operation.body.operations, len(self.free))
            # vmap gives the channels the depth axis that a repeated layer needs.
            add_noise = jax.vmap(self.model.__call__, axis_size=operation.depth)
            yield Repeat(add_noise(body), operation.depth)
            return
        found, duration = self.found(operation)
        channels: list[AbstractOperation] = [*found]
        start = max((self.free[wire] for wire in operation.wires), default=0.0)
        if isinstance(operation, Conditional):
            start = max(start, self.last_reading)
            channels = [
                Conditional(channel, operation.outcomes, operation.values)
                for channel in found
            ]
        yield from self.wait(operation.wires, start)
        for wire in operation.wires:
            self.free[wire] = start + duration
        if isinstance(operation, Measure):
            self.last_reading = max(self.last_reading, start + duration)
            yield from channels
            yield operation
        else:
            yield operation
            yield from channels

    def found(self, operation: AbstractOperation) -> tuple[list[Channel], float]:
        """Channels and duration of the rules that an operation matches."""
        # A gate that was not done makes no noise.
        done = operation.operation if isinstance(operation, Conditional) else operation
        if isinstance(done, CoherentError):
            return [], 0.0  # no gate, but what went wrong with one
        if isinstance(done, AbstractUnitary):
            moment, parts = "gate", [done.wires]
        elif isinstance(done, Measure | Reset):
            moment = "measurement" if isinstance(done, Measure) else "reset"
            parts = [(wire,) for wire in done.wires]
        else:
            return [], 0.0
        channels, durations = [], [0.0]
        for wires in parts:
            rules = self.table.matching(moment, done.name, wires)
            if self.model.complete and not rules:
                self.table.refuse(moment, done.name, wires)
            for rule in rules:
                channels += rule.placed(done.name, wires)
                durations.append(rule.duration)
        return channels, max(durations)

    def wait(self, wires: Wires | range, until: float) -> Iterator[AbstractOperation]:
        """Yield the relaxation of wires up to a time."""
        if self.model.idling is None:
            return
        for wire in wires:
            time = until - self.free[wire]
            if time > _ROUNDING * until:
                yield self.model.idling.wait(wire, time)

    def wait_for_all(self) -> Iterator[AbstractOperation]:
        """Yield what brings all wires to the same time, which is the new time 0."""
        yield from self.wait(range(len(self.free)), max(self.free))
        self.free = [0.0] * len(self.free)
        self.last_reading = 0.0
