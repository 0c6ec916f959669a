"""Lines of coupled qubits on a device."""

import math

from qjax._checks import require
from qjax._types import Wires
from qjax.noise.devices.basis import BASIS, first_way
from qjax.noise.devices.calibration import Calibration
from qjax.noise.devices.strength import is_usable


def path_in(calibration: Calibration, num_qubits: int) -> Wires:
    """Find the line of coupled qubits with the least sum of two-qubit errors.

    The line visits no qubit twice; the error of a pair is that of a CX on it, in its
    better direction. The search is exact, by branch and bound: the rest of a line costs
    at least what the best walk costs that never turns straight back. Its time grows
    exponentially with `num_qubits`.

    Args:
        calibration: The device.
        num_qubits: Number of qubits on the line, at least 2.

    Returns:
        The wires in their order along the line, smaller end first.

    Raises:
        ValueError: If no such line has two-qubit gates in use on all its pairs.

    Example:
        >>> from qjax.noise import Calibration, NativeGate, Qubit, path_in
        >>> qubits = [Qubit(f"Q{i}", 9e4, 7e4, 0.01, 0.02, 700.0) for i in range(4)]
        >>> errors = {(0, 1): 0.01, (1, 2): 0.02, (2, 3): 0.01, (0, 3): 0.02}
        >>> gates = {("cx", on): NativeGate(r, 300.0) for on, r in errors.items()}
        >>> ring = Calibration("ring", "IBM", "2021-03-15", qubits, gates, (*errors,))
        >>> path_in(ring, 3)
        (0, 1, 2)
    """
    require(num_qubits >= 2, "num_qubits", "be at least 2", num_qubits)
    costs = _pair_errors(calibration)
    search = _Search(costs, num_qubits)
    for start in sorted(search.neighbours):
        search.extend((start,), 0.0)
    rule = "be the length of a line of pairs in use"
    require(bool(search.best), "num_qubits", rule, num_qubits)
    return search.best


def _pair_errors(calibration: Calibration) -> dict[tuple[int, int], float]:
    """Error of a CX on each pair in use, in both orders."""
    usable = {key for key in calibration.gates if is_usable(calibration, *key)}
    found: dict[tuple[int, int], float] = {}
    for first, second in calibration.coupling:
        for wires in ((first, second), (second, first)):
            way = first_way(BASIS["CX"], wires, usable)
            if way is not None:
                gate, at, times = way
                error = times * calibration.gates[gate, at].error
                for order in ((first, second), (second, first)):
                    found[order] = min(error, found.get(order, math.inf))
    return found


class _Search:
    """Depth-first search for the cheapest simple path, with a bound on what is left."""

    def __init__(self, costs: dict[tuple[int, int], float], num_qubits: int):
        self.costs, self.num_qubits = costs, num_qubits
        self.neighbours: dict[int, list[int]] = {}
        for wire, other in sorted(costs, key=lambda pair: (costs[pair], pair)):
            self.neighbours.setdefault(wire, []).append(other)
        self.best: Wires = ()
        self.least = math.inf
        # rest[k][u, v]: least cost of k more steps after the step from u to v, if a
        # walk may come back but not turn on the spot.
        self.rest = [dict.fromkeys(costs, 0.0)]
        for _ in range(num_qubits - 2):
            last = self.rest[-1]
            self.rest.append(
                {
                    (wire, other): min(
                        (
                            costs[other, after] + last[other, after]
                            for after in self.neighbours[other]
                            if after != wire
                        ),
                        default=math.inf,
                    )
                    for wire, other in costs
                }
            )

    def extend(self, path: Wires, cost: float) -> None:
        """Try all ways on from a path."""
        if len(path) == self.num_qubits:
            if cost < self.least:
                self.best, self.least = min(path, path[::-1]), cost
            return
        left = self.num_qubits - len(path) - 1
        for after in self.neighbours[path[-1]]:
            step = path[-1], after
            total = cost + self.costs[step]
            if after not in path and total + self.rest[left][step] < self.least:
                self.extend((*path, after), total)
