"""F8: fidelity of simulated GHZ states with the calibrations of five real devices."""

import dataclasses
import warnings
from itertools import cycle, pairwise

import jax
import matplotlib.axes
import matplotlib.figure

from qjax.circuits import ghz
from qjax.experiments import Column, Experiment, Figure, Frames, Row
from qjax.noise import (
    Calibration,
    RelaxationWarning,
    device_noise,
    list_devices,
    path_in,
    read_google,
    read_ibm,
)
from qjax.simulate import run as simulate
from qjax.states import DensityMatrix, StateVector, fidelity
from scripts.artefacts._palette import BLUE, GREEN, GREY, ORANGE, RED

READERS = {"IBM": read_ibm, "Google": read_google}
COLOURS, MARKERS = (GREY, ORANGE, GREEN, BLUE, RED), "osv^D"


@dataclasses.dataclass(frozen=True)
class DevicesConfig:
    """Devices and lengths of the line; `seed` is the root seed."""

    seed: int = 0
    devices: tuple[str, ...] = ("montreal", "sherbrooke", "fez", "boston", "willow")
    lengths: tuple[int, ...] = (2, 4, 6, 8)


def grid(config: DevicesConfig) -> list[dict]:
    """Every line on every device, with and without relaxation of waiting qubits."""
    return [
        {"device": device, "num_qubits": length, "idle": idle}
        for device in config.devices
        for length in config.lengths
        for idle in (True, False)
    ]


def read(name: str) -> Calibration:
    """The snapshot of a real device."""
    real = {device.name: device.vendor for device in list_devices() if device.real}
    if name not in real:
        raise ValueError(
            f"Field `devices` must hold real devices ({', '.join(sorted(real))}), "
            f"but has {name!r}."
        )
    return READERS[real[name]](name)


def run(key, *, device: str, num_qubits: int, idle: bool) -> Row:
    """Fidelity on the line with the least two-qubit errors, by its density matrix."""
    del key  # nothing is random
    snapshot = read(device)
    line = path_in(snapshot, num_qubits)
    with warnings.catch_warnings():
        # The models of such qubits are in the rows; the figure's caption says so.
        warnings.simplefilter("ignore", RelaxationWarning)
        noise = device_noise(snapshot.to_subset(line), idle=idle)
    circuit = ghz(num_qubits)

    @jax.jit
    def overlap(model):
        state = simulate(model(circuit), DensityMatrix.zeros(num_qubits))
        return fidelity(simulate(circuit, StateVector.zeros(num_qubits)), state)

    links = [tuple(sorted(pair)) for pair in pairwise(range(num_qubits))]
    used = [gate for gate in noise.gates if tuple(sorted(gate.wires)) in links]
    return {
        "fidelity": float(overlap(noise.model)),
        "worst_pair": max(gate.quoted for gate in used),
        "excess": max(gate.excess for gate in used),
        "line": "-".join(snapshot.qubits[wire].label for wire in line),
        "date": snapshot.date[:10],
    }


DEVICES = Experiment(
    name="devices",
    version=1,
    config=DevicesConfig,
    grid=grid,
    run=run,
    source="qjax.noise.device_noise",
    dtypes=("complex64",),
    columns=(
        Column("fidelity", "exact", description="<GHZ|rho|GHZ>, no readout errors"),
        Column("worst_pair", "exact", description="largest quoted two-qubit error"),
        Column("excess", "exact", description="largest excess of relaxation alone "
               "over the quoted error of a pair on the line"),
        Column("line", "label", description="the vendor's names of the qubits"),
        Column("date", "label", description="day of the calibration"),
    ),
)  # fmt: skip


# --- the figure -----------------------------------------------------------------------


def draw(figure: matplotlib.figure.Figure, frames: Frames) -> None:
    """Infidelity against length; open markers without waiting qubits' relaxation."""
    rows = frames["devices"]
    axes: matplotlib.axes.Axes = figure.subplots()
    for (name, group), colour, marker in zip(
        rows.groupby("device", sort=False), cycle(COLOURS), cycle(MARKERS), strict=False
    ):
        for idle, part in group.groupby("idle"):
            ordered = part.sort_values("num_qubits")
            axes.plot(
                ordered["num_qubits"].astype(float),
                1 - ordered["fidelity"].astype(float),
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.2,
                linestyle="-" if idle else ":",
                markerfacecolor=colour if idle else "none",
                label=f"{name}, {ordered['date'].iloc[0]}" if idle else None,
            )
    axes.set_yscale("log")
    axes.set_xlabel("qubits on the line", fontsize=8.5)
    axes.set_ylabel("1 - fidelity of the GHZ state", fontsize=8.5)
    axes.tick_params(labelsize=7.5)
    axes.legend(fontsize=7.5)


EXPERIMENTS = (DEVICES,)
ARTEFACTS = (
    Figure(
        name="f8_devices",
        title="F8. Simulated GHZ states with the calibrations of real devices",
        experiments=("devices",),
        draw=draw,
        caption=(
            "Simulated with each device's published calibration, not run on it. "
            "Exact density matrices of GHZ states on the line of coupled qubits with "
            "the least sum of two-qubit errors. After every gate its wires relax by "
            "their T1 and T2 for its duration (T2 at most 2 T1) and are depolarized to "
            "the quoted average infidelity; solid: waiting qubits relax too, dotted: "
            "they do not. One-qubit gates around the device's own two-qubit gate are "
            "not counted; no readout errors. Where relaxation alone exceeds a quoted "
            "error, the rows give the excess."
        ),
        width=4.2,
        height=3.2,
    ),
)
