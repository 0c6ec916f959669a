"""Noise models: rules that put channels into a circuit."""

from collections.abc import Iterator, Sequence

import equinox as eqx
import jax

from qjax._checks import require
from qjax._types import Wires
from qjax.circuits import Channel, Circuit, Conditional, Measure, Repeat
from qjax.circuits.operation import AbstractOperation, AbstractUnitary


class NoiseModel(eqx.Module):
    """Channels after every gate and before every measurement: Circuit -> Circuit.

    A channel on one wire is put on each wire of the gate in turn; a channel on two
    wires on the pair. The wires that a rule's channel was built with do not matter.
    Kraus operators are leaves, so a model may be batched and differentiated.

    Attributes:
        one_qubit: Channels after gates on one wire, each on one wire.
        many_qubit: Channels after gates on two or more wires, on one or two wires.
        measurement: Channels before mid-circuit measurements, on one wire. Errors of
            the final readout are `ReadoutConfusion`'s.

    Raises:
        ValueError: If a channel has more wires than its rule allows, or one on two
            wires meets a gate on three or more (write that gate in smaller ones).

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

    one_qubit: tuple[Channel, ...] = eqx.field(converter=tuple, default=())
    many_qubit: tuple[Channel, ...] = eqx.field(converter=tuple, default=())
    measurement: tuple[Channel, ...] = eqx.field(converter=tuple, default=())

    def __check_init__(self):
        allowed = {"one_qubit": 1, "many_qubit": 2, "measurement": 1}
        for argument, most in allowed.items():
            for channel in getattr(self, argument):
                size = len(channel.wires)
                require(size <= most, argument, f"act on at most {most} wires", size)

    def __call__(self, circuit: Circuit) -> Circuit:
        """Return the circuit with noise; `Repeat` stays one repeated layer."""
        noisy = [new for old in circuit.operations for new in self._with_noise(old)]
        return Circuit(noisy, circuit.num_wires)

    def _with_noise(self, operation: AbstractOperation) -> Iterator[AbstractOperation]:
        if isinstance(operation, Repeat):
            # vmap gives the channels the depth axis that a repeated layer needs.
            add_noise = jax.vmap(self.__call__, axis_size=operation.depth)
            yield Repeat(add_noise(operation.body), operation.depth)
        elif isinstance(operation, Measure):
            yield from _placed(self.measurement, operation.wires)
            yield operation
        elif isinstance(operation, AbstractUnitary):
            yield operation
            yield from self._after(operation.wires)
        elif isinstance(operation, Conditional):
            yield operation
            if isinstance(operation.operation, AbstractUnitary):
                # A gate that was not done makes no noise.
                for channel in self._after(operation.wires):
                    yield Conditional(channel, operation.outcomes, operation.values)
        else:
            yield operation

    def _after(self, wires: Wires) -> Iterator[Channel]:
        return _placed(self.one_qubit if len(wires) == 1 else self.many_qubit, wires)


def _placed(channels: Sequence[Channel], wires: Wires) -> Iterator[Channel]:
    for channel in channels:
        if len(channel.wires) == 1:
            for wire in wires:
                yield channel.on((wire,))
        else:
            rule = "hold channels on one wire for gates on three or more wires"
            require(len(wires) == 2, "many_qubit", rule, f"{channel.name} on two")
            yield channel.on(wires)
