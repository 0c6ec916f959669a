"""The harness measures in fresh processes, stores whole groups and resumes."""

import dataclasses
import json
import os
import pathlib
import time

import pytest

from scripts.bench import gpu, harness, run, sides, store, worker, workloads
from scripts.bench.sides.base import Prepared


@pytest.fixture(scope="module")
def settings() -> harness.Settings:
    core = min(os.sched_getaffinity(0))
    return harness.Settings(rounds=2, budget=0.0, starts=2, patience=120.0, core=core)


@pytest.fixture(scope="module")
def measured(settings: harness.Settings) -> dict:
    """One small group with this project, a side that is absent and one that fails."""
    absent = dataclasses.replace(sides.SIDES["qulacs:plain"], imports="no_such_package")
    chosen = [sides.SIDES["qjax"], absent]
    return harness.group(
        workloads.find("W1-n10-small"), "single", chosen, settings, {"sources": "s"}
    )


def test_a_side_is_checked_then_timed_in_a_process_of_its_own(measured: dict):
    rows = {row["side"]: row for row in measured["rows"]}
    row = rows["qjax"]
    assert row["status"] == "ready", row
    assert row["check"]["right"] and row["check"]["agrees_with"] == ["oracle"]
    assert len(row["cpu"]["rounds"]) == len(row["wall"]["rounds"]) == 2
    assert 0 < row["cpu"]["min"] <= row["cpu"]["median"] <= row["cpu"]["max"]
    assert row["first_wall"] > row["wall"]["median"]
    assert row["dtype"] == "complex64" and row["rss_added"] >= 0
    assert rows["qulacs:plain"] == {"side": "qulacs:plain", "status": "not installed"}
    assert "oracle" not in rows


def test_what_a_chain_kept_is_noted_in_its_row(settings: harness.Settings):
    rows = harness.measure(
        workloads.find("W6-small"), "single", [sides.SIDES["qjax"]], settings
    )
    assert rows[0]["status"] == "ready" and rows[0]["check"]["right"], rows
    assert rows[0]["fidelity"] == pytest.approx(1, abs=1e-5)


def test_first_calls_are_those_of_fresh_processes(settings: harness.Settings):
    case = dataclasses.replace(workloads.CASES["FC-d10"], num_wires=2, depth=2)
    # The worker finds its case by name.
    case = dataclasses.replace(case, name="FC-d10-small")
    rows = harness.measure_first_calls(
        workloads.find(case.name), "single", [sides.SIDES["qjax"]], settings
    )
    assert rows[0]["status"] == "ready", rows
    assert len(rows[0]["first_cpu_spread"]["rounds"]) == 2
    assert rows[0]["first_cpu_spread"]["min"] > 0.01
    # What comes before the first run is a part of the first call.
    whole, before = (rows[0][f"{c}_cpu_spread"]["rounds"] for c in ("first", "prepare"))
    assert all(0 < part < total for part, total in zip(before, whole, strict=True))


def test_times_are_per_call_and_scaled_to_the_whole_work():
    calls = []
    prepared = Prepared(lambda: calls.append(time.sleep(0.03)), dict, "x", scale=5.0)
    found = worker.measure_time(prepared, budget=0.1, once=2.0)
    assert found["inner"] == 1 and len(calls) == len(found["wall"]) >= 3
    assert all(0.15 <= wall < 1.0 for wall in found["wall"])
    assert max(found["cpu"]) < min(found["wall"])
    quick = Prepared(lambda: calls.append(None), dict, "x")
    found = worker.measure_time(quick, budget=0.0, once=0.0)
    # A sample is long against the clock, however short the call.
    assert found["inner"] > 1000 and found["wall"][0] < 1e-4


def test_a_group_is_stored_whole_replaced_and_not_measured_again(tmp_path, measured):
    path = tmp_path / "results.jsonl"
    store.put(path, measured)
    store.put(path, measured | {"case": "W1-n16"})
    store.put(path, measured | {"date": "later"})
    groups = store.read(path)
    assert len(path.read_text().splitlines()) == 2
    group = groups[measured["case"], "single"]
    assert group["date"] == "later"
    assert store.is_done(group, ["qjax"], 2, "s")
    assert not store.is_done(group, ["qjax"], 3, "s")
    assert not store.is_done(group, ["qjax"], 2, "other sources")
    assert not store.is_done(group, ["qjax", "qsim:f2"], 2, "s")
    assert not store.is_done(None, ["qjax"], 2, "s")


def test_without_a_gpu_the_script_says_so_and_stops(capsys):
    assert gpu.main([]) == 1
    assert "No GPU that JAX can use was found" in capsys.readouterr().out


def test_gpu_cases_reach_28_qubits_and_stop_where_told():
    names = [case.name for case in gpu.cases(28)]
    assert {"W1-n28", "W2-n28", "W3G-n6", "W5a", "W5b"} <= set(names)
    assert len(names) == len(set(names))
    assert max(case.num_wires for case in gpu.cases(20)) == 20
    assert gpu.layer_bytes(workloads.CASES["W1-n20"], 8) == 2 * 10 * 8 * 2**20


def test_gpu_rows_are_checked_before_they_are_timed(monkeypatch):
    case = workloads.find("W1-n10-small")
    row = gpu.measure(case, "single", 2, copied=1e9)
    assert row["status"] == "ready" and row["bandwidth_share"] > 0
    monkeypatch.setattr(gpu, "agree", lambda *_: (False, 1.0))
    assert "wall" not in gpu.measure(case, "single", 2, copied=1e9)


def test_run_lists_cases_and_leaves_out_what_is_not_installed(capsys, monkeypatch):
    assert run.main(["--list", "--workloads", "W5"]) == 0
    assert "W5a W5b" in capsys.readouterr().out
    calls = []
    monkeypatch.setattr(run, "group", lambda *a: calls.append(a))
    monkeypatch.setattr(sides.Side, "installed", lambda self: False)
    assert run.main(["--workloads", "W5"]) == 0
    assert not calls and "is not installed: left out" in capsys.readouterr().out


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: pathlib.Path, monkeypatch):
    path, measured_cases = tmp_path / "r.jsonl", []

    def fake(case, precision, chosen, settings, machine):
        if len(measured_cases) == 1 and case.name == "W7-d8" and not path.exists():
            raise AssertionError("the first group was not stored")
        if case.name == "W7-d8" and "W7-d8" not in measured_cases:
            measured_cases.append(case.name)
            raise KeyboardInterrupt
        measured_cases.append(case.name)
        rows = [{"side": s.name, "status": "ready"} for s in chosen if s.takes(case)]
        group = {"case": case.name, "precision": precision, "rounds": settings.rounds}
        return json.loads(json.dumps(group | {"machine": machine, "rows": rows}))

    monkeypatch.setattr(run, "group", fake)
    words = ["--workloads", "W7", "--sides", "qjax", "--results", str(path)]
    with pytest.raises(KeyboardInterrupt):
        run.main(words)
    assert run.main(words) == 0
    assert run.main(words) == 0
    assert measured_cases == ["W7-d4", "W7-d8", "W7-d8"]
