"""Google's snapshots: metrics of Willow, Weber and Rainbow, read as plain JSON."""

import dataclasses
import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from qjax._checks import require
from qjax._types import Wires
from qjax.data import fetch_calibrations
from qjax.noise.devices.calibration import Calibration, NativeGate, Qubit, undirected

#: Two-qubit gates: their names in metrics, and in specifications of a device.
GOOGLE_PAIRS = {"cz": "cz", "sqrt_iswap": "sqrt_iswap", "sycamore": "syc"}


class _Files(NamedTuple):
    metrics: str
    specification: str
    date: str
    readout_time: float | None = None


# The specifications of the two older devices say 4 ms for a reading, a thousand times
# the 4 us of cirq-google's own table of durations (calibration_to_noise_properties).
GOOGLE_FILES = {
    "willow": _Files(
        "willow_pink_d7v1-2024_08_16", "willow_pink_d7v1-2024_08_16", "2024-08-16"
    ),
    "weber": _Files("weber_2021_11_03", "weber_2021_12_10", "2021-11-03", 4000.0),
    "rainbow": _Files("rainbow_2021_11_16", "rainbow_2021_12_10", "2021-11-16", 4000.0),
}

# What T2 rests on.
_ASSUMED = {
    "incoherent": "T2 is not given: T_phi follows from the incoherent error of "
    "one-qubit gates, r_i = t / 3 T1 + t / 3 T_phi.",
    "none": "T2 is not given: there is no pure dephasing, T2 = 2 T1.",
}


def infidelity_of_pauli_error(pauli_error: float, num_wires: int) -> float:
    """Average gate infidelity r = r_P d / (d + 1) of a Pauli error r_P, d = 2^n.

    r_P = 1 - F_pro is the probability of some Pauli error of the twirled channel.

    Source: Arute et al., Nature 574, 505 (2019), supplementary table II.

    Example:
        >>> from qjax.noise.devices import infidelity_of_pauli_error
        >>> round(infidelity_of_pauli_error(0.01, 2), 6)
        0.008
    """
    size = 2**num_wires
    return pauli_error * size / (size + 1)


def parse_specification(text: str) -> dict[str, float]:
    """Read the durations in ns, by gate, from a device specification in text form."""
    blocks = re.findall(r"gate_duration_picos: (\d+)\s+(\w+) \{", text)
    return {gate: int(picoseconds) / 1e3 for picoseconds, gate in blocks}


def _by_name(metrics: Mapping[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by name and targets, out of a list of records."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    inner = metrics.get("metrics")
    fits = isinstance(inner, Mapping) and "metrics" in inner
    require(fits, "metrics", "have a list `metrics` in `metrics`", sorted(metrics))
    assert isinstance(inner, Mapping)
    for record in inner["metrics"]:
        (value,) = record["values"][0].values()
        found.setdefault(record["name"], {})[tuple(record["targets"])] = float(value)
    return found


def _time_t2(t1: float, incoherent: float, duration: float, dephasing: str) -> float:
    """T2 from r = t / 3 T1 + t / 3 Tphi, 1 / T2 = 1 / 2 T1 + 1 / Tphi; or 2 T1."""
    if dephasing == "none" or math.isnan(incoherent):
        return 2 * t1
    rate = 3 * incoherent / duration - 1 / t1
    return 1 / (1 / (2 * t1) + rate) if rate > 0 else 2 * t1


def parse_google(
    metrics: Mapping[str, Any],
    durations: Mapping[str, float],
    name: str,
    date: str,
    *,
    dephasing: str = "incoherent",
) -> Calibration:
    """Read the metrics of a Google device.

    Pauli errors r_P of randomised benchmarking (one qubit) and cross-entropy
    benchmarking (two; the error of a cycle is taken as the gate's, as cirq-google does)
    become average gate infidelities r_P d / (d + 1), d = 2 or 4. Numbers taken while
    all qubits are at work are preferred to those of isolated ones.

    T2 is not among the metrics. With `dephasing` "incoherent", T_phi follows from the
    incoherent error r_i of a one-qubit gate of duration t, r_i = t / 3 T1 + t / 3
    T_phi (no dephasing where T1 alone exceeds r_i); with "none", T2 = 2 T1.

    Args:
        metrics: A calibration as JSON.
        durations: Duration of gates in ns, by their names in the specification:
            "phased_xz", "meas", "reset" and those of `GOOGLE_PAIRS`.
        name: Name of the device.
        date: When the metrics were taken.
        dephasing: "incoherent" or "none".

    Returns:
        The snapshot; wires follow rows, then columns of the grid.

    Raises:
        ValueError: If a part is missing or a number leaves its range.

    Source: `calibration_to_noise_properties` in cirq-google 1.7.0, for T_phi.
    """
    rule = f"be one of {', '.join(_ASSUMED)}"
    require(dephasing in _ASSUMED, "dephasing", rule, repr(dephasing))
    found, missing = _by_name(metrics), math.nan
    times = found.get("single_qubit_idle_t1_micros", {})
    rule = "have the metric single_qubit_idle_t1_micros"
    require(bool(times), "metrics", rule, f"with {', '.join(found) or 'none'}")

    def metric(name: str, targets: tuple[str, ...]) -> float:
        return found.get(name, {}).get(targets, missing)

    def parallel(name: str, targets: tuple[str, ...]) -> float:
        together = metric(f"parallel_{name}", targets)
        alone = metric(f"single_qubit_{name}", targets)
        return alone if math.isnan(together) else together

    labels = sorted((label for (label,) in times), key=_place)
    wire_of = {label: wire for wire, label in enumerate(labels)}
    pulse, qubits = durations.get("phased_xz", missing), []
    gates: dict[tuple[str, Wires], NativeGate] = {}
    for wire, label in enumerate(labels):
        at, t1 = (label,), times[label,] * 1e3
        incoherent = metric("single_qubit_rb_incoherent_error_per_gate", at)
        t2 = _time_t2(t1, incoherent, pulse, dephasing)
        p01, p10 = parallel("p00_error", at), parallel("p11_error", at)
        reading = durations.get("meas", missing)
        qubits.append(Qubit(label, t1, t2, p01, p10, reading))
        error = metric("single_qubit_rb_pauli_error_per_gate", at)
        error = infidelity_of_pauli_error(error, 1)
        gates["phased_xz", (wire,)] = NativeGate(error, pulse)
        if "reset" in durations:
            gates["reset", (wire,)] = NativeGate(missing, durations["reset"])
    for gate, short in GOOGLE_PAIRS.items():
        alone = found.get(f"two_qubit_{gate}_gate_xeb_pauli_error_per_cycle", {})
        together = f"two_qubit_parallel_{gate}_gate_xeb_pauli_error_per_cycle"
        for pair, value in {**alone, **found.get(together, {})}.items():
            known = wire_of.keys() >= set(pair)
            require(known, "metrics", "name qubits that have a T1", f"naming {pair}")
            wires = tuple(wire_of[label] for label in pair)
            error = infidelity_of_pauli_error(value, 2)
            gates[gate, wires] = NativeGate(error, durations.get(short, missing))
    pairs = [wires for _, wires in gates if len(wires) == 2]
    coupling, told = undirected(pairs), (_ASSUMED[dephasing],)
    return Calibration(name, "Google", date, tuple(qubits), gates, coupling, told)


def _place(label: str) -> tuple[int, ...]:
    return tuple(map(int, label.split("_")))


def read_google(
    name: str,
    root: str | os.PathLike[str] | None = None,
    *,
    dephasing: str = "incoherent",
    offline: bool = False,
) -> Calibration:
    """Read the snapshot of a Google device, fetched first if need be.

    Args:
        name: "willow", "weber" or "rainbow".
        root: Data folder, as for `qjax.data.fetch_calibrations`.
        dephasing: What T2 is taken from, as for `parse_google`.
        offline: Never touch the network.

    Raises:
        ValueError: If there is no such snapshot.
        DataError: If the snapshots are absent and cannot be fetched.

    Source: `cirq-google` 1.7.0 (Apache-2.0).
    """
    known = name in GOOGLE_FILES
    require(known, "name", f"be one of {', '.join(GOOGLE_FILES)}", repr(name))
    files = GOOGLE_FILES[name]
    folder = fetch_calibrations(root, offline=offline) / "google"
    specification = f"{files.specification}_device_spec_for_grid_device.proto.txt"
    durations = parse_specification((folder / specification).read_text())
    if files.readout_time is not None:
        durations["meas"] = files.readout_time
    metrics = json.loads((folder / f"{files.metrics}_calibration.json").read_bytes())
    found = parse_google(metrics, durations, name, files.date, dephasing=dephasing)
    if files.readout_time is None:
        return found
    told = f"A reading takes {files.readout_time:g} ns, not the specification's 4 ms."
    return dataclasses.replace(found, assumptions=(*found.assumptions, told))
