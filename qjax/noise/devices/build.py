"""From a calibration to a noise model and readout errors."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qjax._checks import require
from qjax._types import Wires
from qjax.noise.devices.basis import BASIS, Basis, first_way
from qjax.noise.devices.calibration import Calibration
from qjax.noise.devices.strength import (
    GateNoise,
    Times,
    build_channels,
    gate_noise,
    is_usable,
    physical_times,
)
from qjax.noise.model import Idling, NoiseModel
from qjax.noise.readout import ReadoutConfusion
from qjax.noise.rules import Rule


class DeviceNoise(NamedTuple):
    """The noise of a device.

    Attributes:
        model: Noise of its gates, of readings during the circuit, of waiting wires.
        readout: Errors of the final reading.
        gates: How each of the device's gates that are in use is modelled.
        unusable: Gates out of use or without the numbers needed: no rule is for them.
    """

    model: NoiseModel
    readout: ReadoutConfusion
    gates: tuple[GateNoise, ...]
    unusable: tuple[tuple[str, Wires], ...]


def device_noise(
    calibration: Calibration, *, basis: Basis = BASIS, idle: bool = True
) -> DeviceNoise:
    """Model the noise of a device by its calibration.

    A gate of the circuit counts as uses of the device's gates (`basis`). After each of
    them, every wire relaxes by its T1 and T2 for the gate's duration t, and then all
    its wires are depolarized with the strength p at which the average infidelity of
    both together is the quoted r:

    p = 1 - (d^2 F - 1) / (d^2 F_0 - 1),  F = 1 - r (d + 1) / d,
    F_0 = prod_w (1 + exp(-t / T1_w) + 2 exp(-t / T2_w)) / 4.

    Where relaxation alone exceeds r, p = 0 and the excess is reported. It is a model:
    the numbers say neither that errors are incoherent nor that they stay on the gate's
    wires. Wires that wait relax; a reading takes its wires' readout time and is wrong
    as often as quoted; a reset takes its time and is perfect (a time that is not given
    is 0). The model is built on the host, outside jit; it may then enter jitted
    functions as an argument.

    Args:
        calibration: A device, or a part of it (`to_subset`): wire w is its qubit w.
        basis: How often a gate of the circuit uses which gate of the device.
        idle: Whether waiting wires relax.

    Returns:
        The model, which refuses gates and pairs that the device lacks; the readout
        errors; and what became of each gate.

    Raises:
        ValueError: If a qubit has no readout errors.

    Warns:
        RelaxationWarning: If a T2 exceeds 2 T1 and is lowered to it.

    Source: Georgopoulos et al., Phys. Rev. A 104, 062432 (2021), for relaxation before
    depolarizing; the strength is solved for in closed form.

    Example:
        >>> from qjax.circuits import Circuit, cz, h
        >>> from qjax.noise import Calibration, NativeGate, Qubit, device_noise
        >>> pair = [Qubit(f"Q{i}", 9e4, 7e4, 0.01, 0.02, 700.0) for i in range(2)]
        >>> gates = {("cx", (0, 1)): NativeGate(0.01, 300.0)}
        >>> gates |= {("sx", (w,)): NativeGate(3e-4, 35.0) for w in range(2)}
        >>> device = Calibration("toy", "IBM", "2021-03-15", pair, gates, ((0, 1),))
        >>> noise = device_noise(device)
        >>> noisy = noise.model(Circuit([h(1), cz(1, 0)], num_wires=2))
        >>> [operation.name for operation in noisy.operations][:3]
        ['H', 'ThermalRelaxation', 'Depolarizing']
        >>> [f"{gate.gate} {gate.depolarizing:.5f}" for gate in noise.gates]
        ['cx 0.00705', 'sx 0.00014', 'sx 0.00014']
    """
    times = physical_times(calibration)
    known = [key for key in calibration.gates if key[0] in _natives(basis)]
    usable = {key for key in known if is_usable(calibration, *key)}
    gates = [gate_noise(calibration, times, *key) for key in known if key in usable]
    idling = None
    if idle:
        # A qubit whose T1 or T2 is missing has no usable gates: it only waits in |0>.
        idling = Idling(*(np.where(np.isnan(t), np.inf, t) for t in times))
    readout = _readout(calibration)
    rules = [
        *_gate_rules(calibration, times, gates, basis),
        *_other_rules(calibration, readout),
    ]
    model = NoiseModel(rules=rules, idling=idling, complete=True)
    unusable = tuple(key for key in known if key not in usable)
    return DeviceNoise(model, readout, tuple(gates), unusable)


def _natives(basis: Basis) -> set[str]:
    return {use.gate for uses in basis.values() for use in uses}


def _readout(calibration: Calibration) -> ReadoutConfusion:
    for qubit in calibration.qubits:
        given = not (math.isnan(qubit.p01) or math.isnan(qubit.p10))
        rule = f"give the readout errors of qubit {qubit.label}"
        require(given, "calibration", rule, f"that of {calibration.name} without them")
    p01 = np.asarray([qubit.p01 for qubit in calibration.qubits])
    p10 = np.asarray([qubit.p10 for qubit in calibration.qubits])
    return ReadoutConfusion(p01, p10)


def _gate_rules(
    calibration: Calibration, times: Times, gates: list[GateNoise], basis: Basis
) -> Iterator[Rule]:
    """Yield a rule for every use of a device's gate in either direction."""
    channels = build_channels(calibration, times, gates)
    # The wires that gates of the circuit may be on, a pair in both its orders.
    places = dict.fromkeys(order for _, at in channels for order in (at, at[::-1]))
    for wires in places:
        names: dict[tuple[str, Wires, int], list[str]] = {}
        for name, uses in basis.items():
            way = first_way(uses, wires, channels)
            if way is not None:
                names.setdefault(way, []).append(name)
        for (gate, at, repeats), done in names.items():
            duration = repeats * calibration.gates[gate, at].duration
            yield Rule(
                channels[gate, at] * repeats,
                done,
                [wires],
                named_wires=True,
                duration=duration,
            )
    virtual = [name for name, uses in basis.items() if not uses]
    yield Rule([], virtual, range(calibration.num_qubits))


def _other_rules(calibration: Calibration, readout: ReadoutConfusion) -> Iterator[Rule]:
    """Yield the rules for readings and resets, wire by wire."""
    for wire, qubit in enumerate(calibration.qubits):
        reset = calibration.gates.get(("reset", (wire,)))
        yield Rule(
            [readout.channel(wire)],
            wires=[wire],
            moment="measurement",
            duration=_given(qubit.readout_time),
        )
        duration = 0.0 if reset is None else _given(reset.duration)
        yield Rule([], wires=[wire], moment="reset", duration=duration)


def _given(duration: float) -> float:
    return 0.0 if math.isnan(duration) else duration
