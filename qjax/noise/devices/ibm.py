"""IBM's snapshots: `props_<name>.json` and `conf_<name>.json`, read as plain JSON."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from qjax._checks import require
from qjax.data import fetch_calibrations
from qjax.noise.devices.calibration import Calibration, NativeGate, Qubit, undirected

_NS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "": 1.0}

#: Every gate in the 69 snapshots.
IBM_GATES = (
    *("id", "rz", "sx", "x", "rx", "u1", "u2", "u3", "p", "u"),
    *("cx", "ecr", "cz", "rzz"),
    *("reset", "reset_2", "measure", "measure_2"),
)

# The configuration that a snapshot without one of its own belongs to.
_CONFIGURATION = {"cambridge_alt": "cambridge"}


def _numbers(parameters: Sequence[Mapping[str, Any]], owner: str) -> dict[str, float]:
    """Values by name, times in ns."""
    found = {}
    for entry in parameters:
        unit = entry.get("unit", "")
        if unit == "GHz":
            continue
        require(unit in _NS, f"unit of {owner}", f"be one of {sorted(_NS)}", repr(unit))
        found[entry["name"]] = float(entry["value"]) * _NS[unit]
    return found


def parse_ibm(
    properties: Mapping[str, Any], configuration: Mapping[str, Any], name: str
) -> Calibration:
    """Read the properties and the configuration of an IBM device.

    Args:
        properties: What `backend.properties().to_dict()` gives, as JSON.
        configuration: What `backend.configuration().to_dict()` gives, as JSON.
        name: Name of the device.

    Returns:
        The snapshot. IBM's gate error is the average gate infidelity, found by
        randomised benchmarking.

    Raises:
        ValueError: If a part is missing, a number leaves its range, a gate is not in
            `IBM_GATES`, or the qubits are not as many as the configuration says.

    Source: the properties of a backend in the IBM Quantum API.
    """
    for part, owner in (("qubits", properties), ("gates", properties)):
        require(part in owner, "properties", f"have {part!r}", sorted(owner))
    count = configuration.get("n_qubits")
    rule = f"list the {count} qubits of the configuration"
    fits = len(properties["qubits"]) == count
    require(fits, "properties", rule, f"a list of {len(properties['qubits'])}")
    missing = math.nan
    qubits = []
    for wire, parameters in enumerate(properties["qubits"]):
        values = _numbers(parameters, f"qubit {wire}")
        qubits.append(
            Qubit(
                str(wire),
                values.get("T1", missing),
                values.get("T2", missing),
                values.get("prob_meas1_prep0", missing),
                values.get("prob_meas0_prep1", missing),
                values.get("readout_length", missing),
            )
        )
    gates = {}
    for entry in properties["gates"]:
        gate, wires = entry["gate"], tuple(entry["qubits"])
        rule = f"hold gates among {', '.join(IBM_GATES)}"
        require(gate in IBM_GATES, "properties", rule, f"holding {gate!r}")
        values = _numbers(entry["parameters"], f"{gate} on {wires}")
        gates[gate, wires] = NativeGate(
            values.get("gate_error", missing), values.get("gate_length", missing)
        )
    return Calibration(
        name,
        "IBM",
        str(properties.get("last_update_date", "")),
        tuple(qubits),
        gates,
        undirected(configuration.get("coupling_map") or []),
    )


def read_ibm(
    name: str, root: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> Calibration:
    """Read one of the 69 snapshots of IBM devices, fetched first if need be.

    Args:
        name: Name as `list_devices` gives it, such as "lima" or "brisbane".
        root: Data folder, as for `qjax.data.fetch_calibrations`.
        offline: Never touch the network.

    Raises:
        ValueError: If there is no snapshot of that name.
        DataError: If the snapshots are absent and cannot be fetched.

    Source: `qiskit-ibm-runtime` 0.51.0 (Apache-2.0).
    """
    folder = fetch_calibrations(root, offline=offline) / "ibm"
    known = [path.stem.removeprefix("props_") for path in folder.glob("props_*.json")]
    require(name in known, "name", f"be one of {', '.join(sorted(known))}", repr(name))
    configuration = _CONFIGURATION.get(name, name)
    parts = [f"props_{name}.json", f"conf_{configuration}.json"]
    properties, settings = [json.loads((folder / part).read_bytes()) for part in parts]
    return parse_ibm(properties, settings, name)
