"""F8: the fidelities are those of the noise model's Kraus operators."""

import numpy as np
import pytest

from qjax.circuits import Channel, Gate, ghz
from qjax.noise import device_noise, path_in
from scripts.artefacts import f8_devices
from tests import oracles


def by_numpy(device: str, num_qubits: int, idle: bool) -> float:
    """<GHZ|rho|GHZ> with every operation as full matrices."""
    snapshot = f8_devices.read(device)
    part = snapshot.to_subset(path_in(snapshot, num_qubits))
    circuit = device_noise(part, idle=idle).model(ghz(num_qubits))
    rho = np.diag([1.0, *[0.0] * (2**num_qubits - 1)]).astype(complex)
    for op in circuit.operations:
        assert isinstance(op, (Gate, Channel))
        kraus = op.kraus if isinstance(op, Channel) else [op.matrix()]
        full = [oracles.embed(np.asarray(k), op.wires, num_qubits) for k in kraus]
        rho = np.sum([k @ rho @ k.conj().T for k in full], axis=0)
    return float(np.real(rho[0, 0] + rho[0, -1] + rho[-1, 0] + rho[-1, -1])) / 2


def test_a_cell_is_the_fidelity_by_plain_kraus_sums():
    point = {"device": "lima", "num_qubits": 3}
    found = [f8_devices.run(None, **point, idle=idle) for idle in (True, False)]
    right = [by_numpy(**point, idle=idle) for idle in (True, False)]
    assert [row["fidelity"] for row in found] == pytest.approx(right, abs=2e-6)
    # Waiting qubits lose some of it, by far more than the tolerance.
    assert right[0] < right[1] - 1e-4 and right[1] < 1 - 1e-3
    assert found[0]["line"] == found[1]["line"]


def test_devices_that_are_not_real_are_refused():
    with pytest.raises(ValueError, match="must hold real devices"):
        f8_devices.read("nowhere")
