"""Channels of a calibrated gate: relaxation for its time, then depolarizing."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from qjax._types import Wires
from qjax.circuits import Channel
from qjax.noise.damping import thermal_relaxation
from qjax.noise.devices.calibration import Calibration
from qjax.noise.pauli import depolarizing, two_qubit_depolarizing

_SHORTEST = 64  # rows of a compiled batch


class RelaxationWarning(UserWarning):
    """A T2 beyond 2 T1, which no channel has, was lowered to 2 T1."""


class GateNoise(NamedTuple):
    """What became of a calibrated gate.

    Attributes:
        gate: Name of the device's gate.
        wires: Its wires.
        quoted: Average infidelity that the vendor gives.
        relaxation: Average infidelity of the thermal relaxation alone.
        depolarizing: Probability of the depolarizing channel after it.
        excess: Average infidelity of the result minus the quoted one: 0, or what
            relaxation alone has too much.
    """

    gate: str
    wires: Wires
    quoted: float
    relaxation: float
    depolarizing: float
    excess: float


class Times(NamedTuple):
    """T1 and T2 of every qubit in ns, shape (n,)."""

    t1: np.ndarray
    t2: np.ndarray


def physical_times(calibration: Calibration) -> Times:
    """T1 and T2 of every qubit, with T2 <= 2 T1."""
    t1 = np.asarray([qubit.t1 for qubit in calibration.qubits])
    t2 = np.asarray([qubit.t2 for qubit in calibration.qubits])
    over = np.flatnonzero(t2 > 2 * t1)
    if over.size:
        labels = ", ".join(calibration.qubits[wire].label for wire in over.tolist())
        warnings.warn(
            f"T2 exceeds 2 T1 on qubit {labels} of {calibration.name}; 2 T1 is used.",
            RelaxationWarning,
            stacklevel=4,
        )
    return Times(t1, np.where(t2 > 2 * t1, 2 * t1, t2))


def gate_noise(
    calibration: Calibration, times: Times, gate: str, wires: Wires
) -> GateNoise:
    """Solve for the strength p that makes the average infidelity the quoted one.

    Relaxation for t has the process fidelity F_0 = prod_w (1 + exp(-t / T1_w) + 2
    exp(-t / T2_w)) / 4. Depolarizing scales everything but the trace by 1 - p, so
    d^2 F - 1 = (1 - p) (d^2 F_0 - 1), with F = 1 - r (d + 1) / d for the quoted r.
    """
    quoted, at = calibration.gates[gate, wires], list(wires)
    population = np.exp(-quoted.duration / times.t1[at])
    coherence = np.exp(-quoted.duration / times.t2[at])
    start = float(np.prod((1 + population + 2 * coherence) / 4))
    size = 2 ** len(wires)
    wanted = 1 - quoted.error * (size + 1) / size
    strength = 1 - (size**2 * wanted - 1) / (size**2 * start - 1)
    relaxation = (1 - start) * size / (size + 1)
    if relaxation >= quoted.error:
        strength = 0.0
    excess = max(relaxation - quoted.error, 0.0)
    return GateNoise(gate, wires, quoted.error, relaxation, strength, excess)


def is_usable(calibration: Calibration, gate: str, wires: Wires) -> bool:
    """Whether all numbers are there and no larger than complete depolarizing gives."""
    quoted = calibration.gates[gate, wires]
    qubits = [calibration.qubits[wire] for wire in wires]
    numbers = [quoted.error, quoted.duration]
    numbers += [time for qubit in qubits for time in (qubit.t1, qubit.t2)]
    largest = 1 - 0.5 ** len(wires)
    return not any(map(math.isnan, numbers)) and quoted.error <= largest


def build_channels(
    calibration: Calibration, times: Times, gates: Sequence[GateNoise]
) -> dict[tuple[str, Wires], list[Channel]]:
    """Channels of every gate, built together: one by one takes a thousand times."""
    t1, t2, durations, owners = [], [], [], []
    for noise in gates:
        duration = calibration.gates[noise.gate, noise.wires].duration
        for wire in noise.wires if duration > 0 else ():
            t1.append(times.t1[wire])
            t2.append(times.t2[wire])
            durations.append(duration)
            owners.append((noise.gate, noise.wires, wire))
    found: dict[tuple[str, Wires], list[Channel]] = {
        (noise.gate, noise.wires): [] for noise in gates
    }
    relaxations = _batch(_relaxing, t1, t2, durations)
    for (gate, wires, wire), channel in zip(owners, relaxations, strict=True):
        found[gate, wires].append(channel.on((wire,)))
    for size, builder in ((1, _one), (2, _two)):
        noisy = [one for one in gates if len(one.wires) == size and one.depolarizing]
        rest = _batch(builder, [one.depolarizing for one in noisy])
        for noise, channel in zip(noisy, rest, strict=True):
            found[noise.gate, noise.wires].append(channel.on(noise.wires))
    return found


@jax.jit
@jax.vmap
def _relaxing(t1: Array, t2: Array, time: Array) -> Channel:
    return thermal_relaxation(t1, t2, time, 0.0, 0)


@jax.jit
@jax.vmap
def _one(probability: Array) -> Channel:
    return depolarizing(probability, 0)


@jax.jit
@jax.vmap
def _two(probability: Array) -> Channel:
    return two_qubit_depolarizing(probability, (0, 1))


def _batch(builder: Callable[..., Channel], *columns: list[float]) -> Iterator[Channel]:
    """Build a channel for every row of numbers; compiled for a few lengths only."""
    rows = len(columns[0])
    if rows == 0:
        return
    length = max(2 ** (rows - 1).bit_length(), _SHORTEST)
    arrays = [
        np.resize(np.asarray(column, jax.dtypes.canonicalize_dtype(float)), length)
        for column in columns
    ]
    stack = jax.tree.map(np.asarray, builder(*arrays))
    for row in range(rows):
        yield jax.tree.map(lambda leaf, row=row: leaf[row], stack)
