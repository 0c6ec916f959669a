"""Made-up snapshots in the vendors' formats, a few qubits each."""

import copy
from typing import Any


def _value(name: str, value: float, unit: str = "") -> dict[str, Any]:
    return {"date": "2021-03-15T00:00:00-04:00", "name": name, "unit": unit} | {
        "value": value
    }


def _gate(name: str, wires: list[int], error: float | None, length: float) -> dict:
    parameters = [_value("gate_length", length, "ns")]
    if error is not None:
        parameters.append(_value("gate_error", error))
    return {"gate": name, "qubits": wires, "parameters": parameters}


def _qubit(t1: float, t2: float, p10: float, p01: float) -> list[dict[str, Any]]:
    return [
        _value("T1", t1, "us"),
        _value("T2", t2, "µs"),
        _value("frequency", 5.0, "GHz"),
        _value("prob_meas0_prep1", p10),
        _value("prob_meas1_prep0", p01),
        _value("readout_length", 700.0, "ns"),
    ]


_QUBITS = [(90, 70, 0.03, 0.01), (80, 100, 0.04, 0.02), (60, 50, 0.05, 0.015)]

# A line 0 - 1 - 2: cx both ways on the first pair, ecr one way on the second.
PROPERTIES: dict[str, Any] = {
    "backend_name": "fake_line",
    "last_update_date": "2021-03-15T00:36:03-04:00",
    "qubits": [_qubit(*numbers) for numbers in _QUBITS],
    "gates": [
        *(_gate("id", [w], 4e-4, 35) for w in range(3)),
        *(_gate("rz", [w], 0, 0) for w in range(3)),
        *(_gate("sx", [w], 4e-4 + 1e-4 * w, 35) for w in range(3)),
        *(_gate("x", [w], 5e-4, 35) for w in range(3)),
        _gate("cx", [0, 1], 0.012, 400),
        _gate("cx", [1, 0], 0.013, 435),
        _gate("ecr", [2, 1], 0.02, 500),
        *(_gate("reset", [w], None, 900) for w in range(3)),
    ],
}
CONFIGURATION = {"n_qubits": 3, "coupling_map": [[0, 1], [1, 0], [2, 1]]}


def properties(**changes: float | str) -> dict[str, Any]:
    """`PROPERTIES` with some values replaced: T1=-1.0 is that of qubit 0."""
    changed = copy.deepcopy(PROPERTIES)
    owners = [changed["qubits"][0]]
    owners += [entry["parameters"] for entry in changed["gates"]]
    for name, value in changes.items():
        entry = next(e for owner in owners for e in owner if e["name"] == name)
        entry["value"] = value
    return changed


def _metric(name: str, targets: list[str], value: float) -> dict[str, Any]:
    return {"name": name, "targets": targets, "values": [{"doubleVal": value}]}


_PAIR = ["10_2", "9_2"]
METRICS: dict[str, Any] = {
    "cirq_type": "Calibration",
    "metrics": {
        "metrics": [
            *(_metric("single_qubit_idle_t1_micros", [q], 20.0) for q in _PAIR),
            *(_metric("single_qubit_p00_error", [q], 0.01) for q in _PAIR),
            *(_metric("single_qubit_p11_error", [q], 0.04) for q in _PAIR),
            _metric("parallel_p11_error", ["9_2"], 0.06),
            _metric("single_qubit_rb_incoherent_error_per_gate", ["9_2"], 6e-4),
            _metric("single_qubit_rb_incoherent_error_per_gate", ["10_2"], 1e-4),
            *(
                _metric("single_qubit_rb_pauli_error_per_gate", [q], 1.5e-3)
                for q in _PAIR
            ),
            _metric("two_qubit_cz_gate_xeb_pauli_error_per_cycle", _PAIR, 0.005),
            _metric(
                "two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle", _PAIR, 0.01
            ),
        ]
    },
}
SPECIFICATION = """
valid_gates {
  gate_duration_picos: 42000
  cz {
  }
}
valid_gates {
  gate_duration_picos: 25000
  phased_xz {
  }
}
valid_gates {
  gate_duration_picos: 600000
  meas {
  }
}
valid_gates {
  virtual_zpow {
  }
}
"""
