"""Which snapshots there are, and which of them are no device of their own."""

import json
import os
from typing import NamedTuple

from qjax.data import fetch_calibrations
from qjax.noise.devices.google import GOOGLE_FILES, read_google

#: Snapshots that no table of real devices should list, and why.
NOT_REAL = {
    "cambridge_alt": "the numbers of cambridge with two gates renamed",
    "fractional": "the qubits of lima with made-up fractional gates",
    "nighthawk": "made up: not typical of the processor, says its package",
}


class Device(NamedTuple):
    """A snapshot in the list.

    Attributes:
        name: What `read_ibm` or `read_google` calls it.
        vendor: "IBM" or "Google".
        num_qubits: Number of qubits.
        date: Day of the snapshot, YYYY-MM-DD.
        real: Whether it is a device of its own.
        remark: Why it is not, or nothing.
    """

    name: str
    vendor: str
    num_qubits: int
    date: str
    real: bool
    remark: str


def list_devices(
    root: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> tuple[Device, ...]:
    """List the 72 snapshots by vendor and name: 69 by IBM, three by Google.

    Three of IBM's are no devices of their own (see `NOT_REAL`) and have `real` False.

    Args:
        root: Data folder, as for `qjax.data.fetch_calibrations`.
        offline: Never touch the network.

    Raises:
        DataError: If the snapshots are absent and cannot be fetched.

    Source: `qiskit-ibm-runtime` 0.51.0 and `cirq-google` 1.7.0.
    """
    folder = fetch_calibrations(root, offline=offline) / "ibm"
    found = []
    for path in sorted(folder.glob("props_*.json")):
        name = path.stem.removeprefix("props_")
        properties = json.loads(path.read_bytes())
        date = properties["last_update_date"][:10]
        real, remark = name not in NOT_REAL, NOT_REAL.get(name, "")
        size = len(properties["qubits"])
        found.append(Device(name, "IBM", size, date, real, remark))
    for name in sorted(GOOGLE_FILES):
        one = read_google(name, root, offline=offline)
        found.append(Device(name, "Google", one.num_qubits, one.date, True, ""))
    return tuple(found)
