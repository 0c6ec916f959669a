"""The same steps in PennyLane: a second reference, by other people."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qml

from tests import oracles, strategies
from tests.strategies import Step

GATES: dict[str, Callable[..., Any]] = {
    "i": qml.Identity,
    "x": qml.PauliX,
    "y": qml.PauliY,
    "z": qml.PauliZ,
    "h": qml.Hadamard,
    "s": qml.S,
    "sdg": lambda wires: qml.adjoint(qml.S(wires)),
    "t": qml.T,
    "tdg": lambda wires: qml.adjoint(qml.T(wires)),
    "sx": qml.SX,
    "sxdg": lambda wires: qml.adjoint(qml.SX(wires)),
    "rx": qml.RX,
    "ry": qml.RY,
    "rz": qml.RZ,
    "phase": qml.PhaseShift,
    "u3": qml.U3,
    "cx": qml.CNOT,
    "cy": qml.CY,
    "cz": qml.CZ,
    "swap": qml.SWAP,
    "iswap": qml.ISWAP,
    "iswapdg": lambda wires: qml.adjoint(qml.ISWAP(wires)),
    "crx": qml.CRX,
    "cry": qml.CRY,
    "crz": qml.CRZ,
    "cphase": qml.ControlledPhaseShift,
    "rxx": qml.IsingXX,
    "ryy": qml.IsingYY,
    "rzz": qml.IsingZZ,
    "ccx": qml.Toffoli,
    "ccz": qml.CCZ,
    "cswap": qml.CSWAP,
}


def _two_qubit_depolarizing(p: float, wires: Sequence[int]) -> Any:
    # PennyLane has no such channel: a uniform mixture of the 16 Pauli products, the
    # identity among them, replaces the state by I / 4.
    paulis = [np.kron(a, b) for a in oracles.PAULIS.values() for b in _paulis()]
    weights = np.full(16, p / 16) + np.eye(16)[0] * (1 - p)
    kraus = [np.sqrt(w) * pauli for w, pauli in zip(weights, paulis, strict=True)]
    return qml.QubitChannel(kraus, wires=wires)


def _pauli_channel(px: float, py: float, pz: float, wires: Sequence[int]) -> Any:
    weights = (1 - px - py - pz, px, py, pz)
    kraus = [np.sqrt(w) * p for w, p in zip(weights, _paulis(), strict=True)]
    return qml.QubitChannel(kraus, wires=wires)


def _paulis() -> list[np.ndarray]:
    return list(oracles.PAULIS.values())


CHANNELS: dict[str, Callable[..., Any]] = {
    "bit_flip": qml.BitFlip,
    "phase_flip": qml.PhaseFlip,
    "bit_phase_flip": lambda p, wires: qml.PauliError("Y", p, wires=wires),
    "pauli_channel": _pauli_channel,
    # PennyLane's p is the chance of one of X, Y, Z; ours that of forgetting the state.
    "depolarizing": lambda p, wires: qml.DepolarizingChannel(0.75 * p, wires=wires),
    "two_qubit_depolarizing": _two_qubit_depolarizing,
    "amplitude_damping": qml.AmplitudeDamping,
    "generalized_amplitude_damping": qml.GeneralizedAmplitudeDamping,
    "phase_damping": qml.PhaseDamping,
    "thermal_relaxation": lambda t1, t2, time, excited, wires: (
        qml.ThermalRelaxationError(excited, t1, t2, time, wires=wires)
    ),
    "reset_error": qml.ResetError,
}


def apply_step(step: Step) -> None:
    """Queue the step's PennyLane operation."""
    wires = step.wires
    if step.kind == "gate":
        GATES[step.name](*step.params, wires=wires)
    elif step.kind == "unitary":
        qml.QubitUnitary(step.array, wires=wires)
    elif step.kind == "rotation":
        qml.PauliRot(step.params[0], step.name, wires=wires)
    elif step.kind == "controlled":
        count = len(step.values)
        with qml.QueuingManager.stop_recording():
            target = GATES[step.name](*step.params, wires=wires[count:])
        qml.ctrl(target, control=wires[:count], control_values=step.values)
    elif step.kind == "kraus":
        qml.QubitChannel(list(np.asarray(step.array)), wires=wires)
    else:
        CHANNELS[step.name](*step.params, wires=wires)


def final_state(steps: Sequence[Step], num_wires: int) -> np.ndarray:
    """State vector of unitary steps on |0...0>, density matrix of noisy ones."""
    noisy = any(step.is_noise for step in steps)
    device = qml.device("default.mixed" if noisy else "default.qubit", wires=num_wires)

    @qml.qnode(device)
    def circuit():
        for step in steps:
            apply_step(step)
        return qml.state()

    return np.asarray(circuit())


# A row of the table that PennyLane's side lacks would silently shrink the comparison.
assert set(GATES) == set(oracles.GATES)
assert set(CHANNELS) | {"kraus"} == set(strategies.CHANNEL_NAMES)
