"""What a vendor measured on a quantum processor: plain numbers, in one unit of time."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from qjax._checks import check_wires, require
from qjax._types import Wires


def check_number(value: float, argument: str, rule: str, fine: bool) -> None:
    """Raise unless a number is fine; NaN stands for a missing one and passes."""
    require(math.isnan(value) or (math.isfinite(value) and fine), argument, rule, value)


@dataclasses.dataclass(frozen=True)
class Qubit:
    """One qubit; NaN where the vendor gives no number.

    Attributes:
        label: The vendor's name for it.
        t1: Relaxation time T1 > 0 in ns.
        t2: Dephasing time T2 > 0 in ns, as given, even beyond 2 T1.
        p01: Probability of reading 1 where 0 is true.
        p10: Probability of reading 0 where 1 is true.
        readout_time: Duration of a reading in ns.

    Raises:
        ValueError: If a number leaves its range.

    Example:
        >>> from qjax.noise import Qubit
        >>> Qubit("Q0", 9e4, 7e4, 0.01, 0.02, 700.0).t1
        90000.0
    """

    label: str
    t1: float
    t2: float
    p01: float
    p10: float
    readout_time: float

    def __post_init__(self):
        for name in ("t1", "t2"):
            value = getattr(self, name)
            argument = f"{name} of qubit {self.label}"
            check_number(value, argument, "be positive", value > 0)
        for name in ("p01", "p10"):
            value = getattr(self, name)
            argument = f"{name} of qubit {self.label}"
            check_number(value, argument, "lie in [0, 1]", 0 <= value <= 1)
        argument, rule = f"readout_time of qubit {self.label}", "be at least 0"
        check_number(self.readout_time, argument, rule, self.readout_time >= 0)


@dataclasses.dataclass(frozen=True)
class NativeGate:
    """A gate of the device on some wires; NaN where the vendor gives no number.

    Attributes:
        error: Average gate infidelity in [0, 1]; 1 is IBM's mark of a gate out of use.
        duration: Duration in ns, at least 0.
    """

    error: float
    duration: float


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A snapshot of a device.

    Attributes:
        name: Name of the device.
        vendor: "IBM" or "Google".
        date: When it was taken, as ISO 8601 says.
        qubits: The qubits; wire w is qubits[w].
        gates: The device's own gates by name and wires.
        coupling: Pairs of wires with a two-qubit gate, smaller wire first, sorted.
        assumptions: What the numbers rest on besides the vendor's, in sentences.

    Raises:
        ValueError: If a number leaves its range, or a gate or pair its wires.

    Example:
        >>> from qjax.noise import Calibration, NativeGate, Qubit
        >>> pair = [Qubit(f"Q{i}", 9e4, 7e4, 0.01, 0.02, 700.0) for i in range(2)]
        >>> gates = {("cx", (1, 0)): NativeGate(0.01, 300.0)}
        >>> device = Calibration("toy", "IBM", "2021-03-15", pair, gates, ((0, 1),))
        >>> device.to_subset([1, 0]).gates
        {('cx', (0, 1)): NativeGate(error=0.01, duration=300.0)}
    """

    name: str
    vendor: str
    date: str
    qubits: Sequence[Qubit]
    gates: Mapping[tuple[str, Wires], NativeGate]
    coupling: tuple[tuple[int, int], ...]
    assumptions: tuple[str, ...] = ()

    def __post_init__(self):
        for (name, wires), gate in self.gates.items():
            argument = f"gates[{name} on {wires}]"
            check_wires(wires, self.num_qubits, argument)
            fine = 0 <= gate.error <= 1
            check_number(gate.error, f"error of {argument}", "lie in [0, 1]", fine)
            fine = gate.duration >= 0
            check_number(
                gate.duration, f"duration of {argument}", "be at least 0", fine
            )
        for pair in self.coupling:
            check_wires(pair, self.num_qubits, "coupling")

    @property
    def num_qubits(self) -> int:
        return len(self.qubits)

    def to_subset(self, wires: Sequence[int]) -> "Calibration":
        """Return some qubits as a device of their own: wires[i] becomes wire i.

        Args:
            wires: Wires to keep, such as a line found by `path_in`.

        Raises:
            ValueError: If a wire repeats or is not on the device.
        """
        kept = check_wires(wires, self.num_qubits)
        place = {wire: index for index, wire in enumerate(kept)}

        def moved(old: Sequence[int]) -> Wires:
            return tuple(place[wire] for wire in old)

        gates = {
            (name, moved(old)): gate
            for (name, old), gate in self.gates.items()
            if place.keys() >= set(old)
        }
        pairs = [moved(pair) for pair in self.coupling if place.keys() >= set(pair)]
        return dataclasses.replace(
            self,
            qubits=tuple(self.qubits[wire] for wire in kept),
            gates=gates,
            coupling=undirected(pairs),
        )


def undirected(pairs: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Sort pairs of wires, each once, smaller wire first."""
    return tuple(sorted({(min(pair), max(pair)) for pair in pairs}))
