"""Reading the vendors' snapshots: made-up ones to the digit, and the real ones."""

import copy
import json
import math
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest

from qjax.circuits import unitary
from qjax.data import fetch_calibrations
from qjax.noise import (
    Calibration,
    NativeGate,
    Qubit,
    average_gate_fidelity,
    list_devices,
    parse_google,
    parse_ibm,
    path_in,
    read_google,
    read_ibm,
    thermal_relaxation,
)
from qjax.noise.devices import (
    NOT_REAL,
    infidelity_of_pauli_error,
    parse_specification,
)
from tests.snapshots import (
    CONFIGURATION,
    METRICS,
    PROPERTIES,
    SPECIFICATION,
    properties,
)

# --- IBM ------------------------------------------------------------------------------


def line() -> Calibration:
    return parse_ibm(PROPERTIES, CONFIGURATION, "line")


def test_ibms_numbers_are_read_in_nanoseconds():
    found = line()
    assert (found.name, found.vendor, found.num_qubits) == ("line", "IBM", 3)
    assert found.date == "2021-03-15T00:36:03-04:00"
    assert found.qubits[0] == Qubit("0", 90e3, 70e3, 0.01, 0.03, 700.0)
    assert found.gates["cx", (1, 0)] == NativeGate(0.013, 435.0)
    assert math.isnan(found.gates["reset", (2,)].error)
    assert found.coupling == ((0, 1), (1, 2))


def without(*path: Any) -> dict[str, Any]:
    """The properties without one entry."""
    found = copy.deepcopy(PROPERTIES)
    owner = found
    for step in path[:-1]:
        owner = owner[step]
    del owner[path[-1]]
    return found


def with_gate(**changes: Any) -> dict[str, Any]:
    found = copy.deepcopy(PROPERTIES)
    found["gates"][0] |= changes
    return found


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (without("gates"), "`properties` must have 'gates'"),
        (without("qubits"), "`properties` must have 'qubits'"),
        (without("qubits", 1), "list the 3 qubits of the configuration"),
        (properties(T1=-1.0), "`t1 of qubit 0` must be positive, but is -1000.0"),
        (properties(T2=0.0), "`t2 of qubit 0` must be positive"),
        (properties(T1=math.inf), "`t1 of qubit 0` must be positive, but is inf"),
        (properties(prob_meas0_prep1=1.1), r"`p10 of qubit 0` must lie in \[0, 1\]"),
        (properties(readout_length=-1.0), "`readout_time of qubit 0` must be at least"),
        (properties(gate_error=-0.1), r"`error of gates\[id on \(0,\)\]` must lie in"),
        (properties(gate_length=-1.0), r"`duration of gates\[id on \(0,\)\]` must be"),
        (
            with_gate(gate="cphase"),
            "among id, rz, .*measure_2, but is holding 'cphase'",
        ),
        (with_gate(qubits=[3]), r"`gates\[id on \(3,\)\]` must lie in \[0, 3\)"),
    ],
)
def test_a_broken_snapshot_is_refused_by_what_is_wrong(broken: dict, message: str):
    with pytest.raises(ValueError, match=message):
        parse_ibm(broken, CONFIGURATION, "line")


def test_an_unknown_unit_and_a_pair_off_the_device_are_refused():
    broken = copy.deepcopy(PROPERTIES)
    broken["qubits"][2][0]["unit"] = "fortnight"
    with pytest.raises(ValueError, match="`unit of qubit 2` must be one of"):
        parse_ibm(broken, CONFIGURATION, "line")
    wide = CONFIGURATION | {"coupling_map": [[0, 3]]}
    with pytest.raises(ValueError, match=r"`coupling` must lie in \[0, 3\)"):
        parse_ibm(PROPERTIES, wide, "line")


def test_a_missing_number_is_nan():
    found = parse_ibm(without("qubits", 0, 0), CONFIGURATION, "line")
    assert math.isnan(found.qubits[0].t1)
    assert found.qubits[0].t2 == 70e3


def test_a_subset_is_relabelled_and_keeps_what_lies_inside():
    part = line().to_subset([2, 1])
    assert [qubit.label for qubit in part.qubits] == ["2", "1"]
    assert part.gates["ecr", (0, 1)] == NativeGate(0.02, 500.0)
    assert part.gates["sx", (0,)].error == line().gates["sx", (2,)].error
    assert {name for name, wires in part.gates if len(wires) == 2} == {"ecr"}
    assert part.coupling == ((0, 1),)
    for wires in ([0, 0], [3]):
        with pytest.raises(ValueError, match="`wires` must"):
            line().to_subset(wires)


# --- Google ---------------------------------------------------------------------------


def grid(**options: Any) -> Calibration:
    durations = parse_specification(SPECIFICATION)
    return parse_google(METRICS, durations, "grid", "2024-08-16", **options)


def test_durations_are_read_in_nanoseconds():
    found = parse_specification(SPECIFICATION)
    assert found == {"cz": 42.0, "phased_xz": 25.0, "meas": 600.0}


def test_pauli_errors_become_average_infidelities_and_parallel_ones_are_preferred():
    found = grid()
    assert [qubit.label for qubit in found.qubits] == ["9_2", "10_2"]
    assert found.gates["phased_xz", (0,)].error == pytest.approx(1.5e-3 * 2 / 3)
    assert found.gates["cz", (1, 0)].error == pytest.approx(0.01 * 4 / 5)
    assert found.gates["cz", (1, 0)].duration == 42.0
    assert [(q.p01, q.p10) for q in found.qubits] == [(0.01, 0.06), (0.01, 0.04)]
    assert found.qubits[0].readout_time == 600.0
    assert found.coupling == ((0, 1),)


@pytest.mark.x64
def test_t_phi_follows_from_the_incoherent_error():
    first, second = grid().qubits
    idle = thermal_relaxation(first.t1, first.t2, 25.0, 0.0, 0)
    # First order in t / T: the next one is of the square of 6e-4.
    nothing = unitary(np.eye(2), idle.wires)
    infidelity = 1 - float(average_gate_fidelity(idle, nothing))
    assert infidelity == pytest.approx(6e-4, rel=2e-3)
    # T1 alone exceeds 1e-4 there.
    assert second.t2 == 2 * second.t1
    assert all(q.t2 == 2 * q.t1 for q in grid(dephasing="none").qubits)
    assert "T_phi follows" in grid().assumptions[0]
    assert "T2 = 2 T1" in grid(dephasing="none").assumptions[0]
    with pytest.raises(ValueError, match="`dephasing` must be one of incoherent, none"):
        grid(dephasing="white")


def test_broken_metrics_are_refused():
    for broken, message in (
        ({}, "`metrics` must have a list `metrics`"),
        ({"metrics": {"metrics": []}}, "must have the metric single_qubit_idle_t1"),
    ):
        with pytest.raises(ValueError, match=message):
            parse_google(broken, {}, "grid", "")
    for targets, message in (
        (["9_2", "1_1"], "name qubits that have a T1"),
        (["9_2", "9_2"], "must not repeat"),
    ):
        broken = copy.deepcopy(METRICS)
        broken["metrics"]["metrics"][-1]["targets"] = targets
        with pytest.raises(ValueError, match=message):
            parse_google(broken, {}, "grid", "")


# --- the real ones --------------------------------------------------------------------


def test_69_snapshots_are_of_real_devices_and_three_of_ibms_are_not():
    found = list_devices(offline=True)
    assert len(found) == 72
    assert sum(device.real for device in found) == 69
    assert {device.name for device in found if not device.real} == set(NOT_REAL)
    sizes = {device.name: device.num_qubits for device in found}
    assert (sizes["armonk"], sizes["boston"], sizes["willow"]) == (1, 156, 105)
    dates = sorted(device.date for device in found if device.vendor == "IBM")
    assert (dates[0], dates[-1]) == ("2020-02-29", "2026-04-17")


def test_the_copies_are_copies():
    one, two = (read_ibm(name, offline=True) for name in ("cambridge", "cambridge_alt"))
    assert one.qubits == two.qubits
    renamed = {"u1": "p", "u3": "u"}
    assert {(renamed.get(g, g), w): v for (g, w), v in one.gates.items()} == two.gates
    lima, made_up = (read_ibm(name, offline=True) for name in ("lima", "fractional"))
    assert lima.qubits == made_up.qubits
    assert {gate for gate, _ in made_up.gates} - {gate for gate, _ in lima.gates} == {
        "rx",
        "rzz",
    }


def test_known_numbers_of_lima():
    lima = read_ibm("lima", offline=True)
    assert lima.coupling == ((0, 1), (1, 2), (1, 3), (3, 4))
    assert lima.gates["sx", (0,)].error == pytest.approx(0.00019195510390342677)
    assert lima.gates["sx", (0,)].duration == pytest.approx(35.55555555555556)


@pytest.mark.parametrize("name", ["weber", "rainbow"])
def test_googles_own_average_errors_are_those_that_follow_from_its_pauli_errors(name):
    found = read_google(name, offline=True)
    wire_of = {qubit.label: wire for wire, qubit in enumerate(found.qubits)}
    averages = google_metrics(name)
    pairs = {
        "single_qubit_rb_average_error_per_gate": "phased_xz",
        "two_qubit_parallel_sqrt_iswap_gate_xeb_average_error_per_cycle": "sqrt_iswap",
        "two_qubit_parallel_sycamore_gate_xeb_average_error_per_cycle": "sycamore",
    }
    compared = 0
    for metric, gate in pairs.items():
        for targets, value in averages[metric].items():
            wires = tuple(wire_of[label] for label in targets)
            assert found.gates[gate, wires].error == pytest.approx(value, rel=1e-9)
            compared += 1
    assert compared > 80
    assert found.qubits[0].readout_time == 4000.0
    assert found.assumptions[1].startswith("A reading takes 4000 ns")


def google_metrics(name: str) -> dict[str, dict[tuple[str, ...], float]]:
    """The file read anew, by other code."""
    (path,) = (fetch_calibrations(offline=True) / "google").glob(f"{name}*n.json")
    table: dict[str, dict[tuple[str, ...], float]] = {}
    for record in json.loads(path.read_text())["metrics"]["metrics"]:
        value = record["values"][0]["doubleVal"]
        table.setdefault(record["name"], {})[tuple(record["targets"])] = value
    return table


def test_a_pauli_error_is_what_depolarizing_of_one_and_two_qubits_has():
    # Depolarizing p: r_P = (1 - 1 / d^2) p and r = (1 - 1 / d) p.
    for wires, size in ((1, 2), (2, 4)):
        pauli_error = (1 - 1 / size**2) * 0.1
        average = (1 - 1 / size) * 0.1
        assert infidelity_of_pauli_error(pauli_error, wires) == pytest.approx(average)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"be one of aachen, .* but is 'rigetti'"):
        read_ibm("rigetti", offline=True)
    with pytest.raises(ValueError, match="be one of willow, weber, rainbow, but is"):
        read_google("sycamore", offline=True)


@pytest.mark.slow
def test_every_snapshot_reads_and_has_gates_on_the_pairs_it_couples():
    without_gates = {}
    for device in list_devices(offline=True):
        reader = read_ibm if device.vendor == "IBM" else read_google
        found = reader(device.name, offline=True)
        pairs = {tuple(sorted(wires)) for _, wires in found.gates if len(wires) == 2}
        assert pairs <= set(found.coupling), device.name
        if pairs < set(found.coupling):
            without_gates[device.name] = set(found.coupling) - pairs
    assert without_gates == {"cairo": {(0, 1), (7, 10)}}


# --- lines ----------------------------------------------------------------------------


def random_device(rng: np.random.Generator, size: int, density: float) -> Calibration:
    qubits = [Qubit(str(w), 9e4, 7e4, 0.01, 0.02, 700.0) for w in range(size)]
    pairs = [p for p in combinations(range(size), 2) if rng.random() < density]
    gates = {}
    for pair in pairs:
        # Some pairs are out of use, some have a gate one way only.
        for order in (pair, pair[::-1])[: rng.integers(1, 3)]:
            error = 1.0 if rng.random() < 0.1 else rng.uniform(0.001, 0.1)
            gates["cx", order] = NativeGate(error, 300.0)
    return Calibration("random", "IBM", "", qubits, gates, tuple(pairs))


def best_line(device: Calibration, length: int) -> tuple[int, ...] | None:
    """Every simple path, one after another."""
    error: dict[frozenset[int], float] = {}
    for (_, wires), gate in device.gates.items():
        if gate.error < 1:
            pair = frozenset(wires)
            error[pair] = min(gate.error, error.get(pair, 1.0))
    paths = [(wire,) for wire in range(device.num_qubits)]
    for _ in range(length - 1):
        paths = [
            (*path, after)
            for path in paths
            for after in range(device.num_qubits)
            if after not in path and frozenset((path[-1], after)) in error
        ]
    cost = {
        path: sum(error[frozenset(p)] for p in pairwise(path))
        for path in paths
        if path[0] < path[-1]
    }
    return min(cost, key=lambda path: cost[path]) if cost else None


@pytest.mark.parametrize("seed", range(12))
def test_the_line_is_the_best_of_all_lines(seed: int):
    rng = np.random.default_rng(seed)
    device = random_device(rng, 7, 0.5)
    for length in (2, 4, 6):
        expected = best_line(device, length)
        if expected is None:
            with pytest.raises(ValueError, match="be the length of a line of pairs in"):
                path_in(device, length)
        else:
            assert path_in(device, length) == expected


def test_lines_on_real_devices_avoid_pairs_out_of_use():
    device = read_ibm("sherbrooke", offline=True)
    path = path_in(device, 12)
    assert len(set(path)) == 12 and path[0] < path[-1]
    for pair in pairwise(path):
        errors = [
            device.gates[gate, order].error
            for gate, order in device.gates
            if set(order) == set(pair)
        ]
        assert min(errors) < 0.2
    with pytest.raises(ValueError, match="`num_qubits` must be at least 2"):
        path_in(device, 1)
    # On the day of its snapshot every pair of kyoto was marked as out of use.
    with pytest.raises(ValueError, match="be the length of a line of pairs in use"):
        path_in(read_ibm("kyoto", offline=True), 2)
