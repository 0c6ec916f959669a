"""T3 shows what was recorded and nothing else; F3 times right results only."""

import dataclasses
import importlib.util
import json
import pathlib
from types import ModuleType

import jax
import matplotlib.figure
import pandas as pd
import pytest

from qjax.experiments import HarnessError
from qjax.experiments.artefacts import built_frame
from scripts.bench import sides, store
from scripts.bench.sides.base import Prepared

ARTEFACTS = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "artefacts"
MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "memory_gib": 8,
    "system": "Linux",
    "python": "3",
    "commit": "0123456789abcdef",
    "dirty": True,
}


def load(name: str) -> ModuleType:
    """An artefact's module, a fresh copy."""
    spec = importlib.util.spec_from_file_location(name, ARTEFACTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recorded(case: str, rounds: dict[str, list[float]]) -> dict:
    """A group whose sides took these CPU milliseconds in each round."""
    rows = [
        {
            "side": side,
            "status": "ready",
            "version": "1.2",
            "first_cpu": 1.5,
            "temporaries": 2**21,
            "cpu": {"median": sorted(t)[1] / 1e3, "rounds": [x / 1e3 for x in t]},
        }
        for side, t in rounds.items()
    ]
    group = {"case": case, "precision": "single", "date": "2026-01-02T00:00:00"}
    return group | {"seed": 1, "machine": MACHINE, "rows": rows}


@pytest.fixture
def engine(tmp_path: pathlib.Path, monkeypatch) -> ModuleType:
    """T3's module, reading a record of this test."""
    module = load("t3_engine")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results.jsonl")
    return module


def table(module: ModuleType) -> pd.DataFrame:
    """What the table shows for the record as it is."""
    points = module.grid(module.EngineConfig())
    rows = [point | row for point in points for row in module.run(None, **point)]
    shown = module.ARTEFACTS[0]
    frame = built_frame(shown, {"engine": pd.DataFrame(rows)})
    return frame.set_index("workload")


def test_without_a_record_the_table_is_empty_and_says_so(engine: ModuleType):
    assert table(engine).empty
    assert engine.notes({}) == ("No benchmark is recorded: `make bench` measures one.",)


def test_a_row_holds_the_strongest_peer_and_the_ratios_of_the_rounds(engine):
    times = {"qjax": [2.0, 2.0, 4.0], "qulacs:plain": [9.0, 9.0, 9.0]}
    times |= {"qsim:f2": [6.0, 5.0, 6.0], "qsim:f3": [7.0, 7.0, 7.0]}
    store.put(engine.RESULTS, recorded("W1-n10", times))
    row = table(engine).loc["W1-n10"]
    assert row["peer"] == "qsim:f2" and row["computes"] == "state, n = 10, depth 10"
    assert row["ours_ms"] == 2 and row["peer_ms"] == 6 and row["ratio"] == 3
    # Of the same round: 6/2, 5/2, 6/4; not 5/4, the quickest against the slowest.
    assert (row["lowest"], row["highest"]) == (1.5, 3.0)
    assert row["first_s"] == 1.5 and row["temporaries"] == 2


def test_what_the_record_lacks_is_said_and_never_made_up(engine: ModuleType):
    store.put(engine.RESULTS, recorded("W1-n10", {"qsim:f2": [5.0, 6.0, 6.0]}))
    store.put(engine.RESULTS, recorded("W2-n10", {"qjax": [2.0, 2.0, 2.0]}))
    rows = table(engine)
    assert rows.loc["W1-n16", "peer"] == "not recorded"
    assert rows.loc["W2-n10", "peer"] == "none" and rows.loc["W2-n10", "ours_ms"] == 2
    assert pd.isna(rows.loc["W1-n10", "ours_ms"])
    assert rows["ratio"].isna().all() and rows["lowest"].isna().all()


def test_samplers_stand_beside_those_that_hand_out_the_same(engine: ModuleType):
    times = {"qjax:counts": [2.0] * 3, "qjax:indices": [1.0] * 3}
    times |= {"numpy:multinomial": [3.0] * 3, "qulacs:plain": [9.0] * 3}
    store.put(engine.RESULTS, recorded("W4-big", times))
    rows = table(engine)
    assert rows.loc["W4-big, counts", "ratio"] == 1.5
    assert rows.loc["W4-big, indices", "peer"] == "qulacs:plain"
    assert rows.loc["W4-big, indices", "ratio"] == 9
    assert rows.loc["W4-big, bits", "peer"] == "none"


def test_chains_are_shown_with_their_bond_what_was_cut_off_and_the_peers_dtype(engine):
    group = recorded("W6", {"qjax": [2.0] * 3, "quimb:mps": [5.0] * 3})
    for row, norm in zip(group["rows"], (0.98981, 0.98979), strict=True):
        row |= {"fidelity": norm, "dtype": "complex64", "note": "MPS"}
    store.put(engine.RESULTS, group)
    store.put(engine.RESULTS, recorded("W6G-n64", {"qjax": [2.0] * 3}))
    rows = table(engine)
    assert rows.loc["W6", "computes"] == (
        "chain values, n = 64, depth 20, bond 64, squared norm 0.98981, "
        "squared norm of the peer 0.98979"
    )
    assert (
        rows.loc["W6", "peer_dtype"] == "complex64" and rows.loc["W6", "ratio"] == 2.5
    )
    said = rows.loc["W6G-n64", "computes"]
    assert said == "chain gradient, n = 64, depth 10, bond 32, nothing cut off"
    assert rows.loc["W6-s1", "peer"] == "not recorded"
    assert rows.loc["W6-s1", "computes"].endswith("bond 64")
    # First calls are of another kind, and have a table of their own.
    assert not rows.index.str.startswith(("W6C", "FC")).any()


def test_the_notes_say_where_when_and_with_which_versions(engine: ModuleType):
    group = recorded("W1-n10", {"qjax": [2.0] * 3, "qsim:f2": [3.0] * 3})
    text = " ".join(engine.notes({store.key_of(group): group}))
    assert "a processor" in text and "2026-01-02" in text and "qsim 1.2" in text
    assert "0123456789ab with changes" in text


def test_another_record_gives_other_cells(engine: ModuleType):
    store.put(engine.RESULTS, recorded("W1-n10", {"qjax": [2.0] * 3}))
    before = engine.grid(engine.EngineConfig())[0]
    store.put(engine.RESULTS, recorded("W1-n10", {"qjax": [3.0] * 3}))
    assert engine.grid(engine.EngineConfig())[0] != before
    with pytest.raises(HarnessError, match="has been replaced"):
        engine.run(None, **before)


# --- F3 -------------------------------------------------------------------------------

POINT = {"num_wires": 2, "depth": 1, "starts": 1, "rounds": 2, "seconds": 0.0}


def test_sweeps_share_the_size_that_both_hold():
    scaling = load("f3_scaling")
    config = scaling.ScalingConfig(
        sides=("qjax",), widths=(4, 10), depths=(10, 50), width=10, depth=10
    )
    sizes = [(point["num_wires"], point["depth"]) for point in scaling.grid(config)]
    assert sizes == [(4, 10), (10, 10), (10, 50)]
    with pytest.raises(ValueError, match="`sides` must hold names"):
        scaling.ScalingConfig(sides=("nobody",))


def test_a_wrong_gradient_is_refused_and_not_timed(monkeypatch):
    scaling = load("f3_scaling")
    module = sides.SIDES["qjax"].load()
    right = module.prepare

    def wrong(case, precision, variant) -> Prepared:
        prepared = right(case, precision, variant)

        def result(out):
            arrays = prepared.result(out)
            return arrays | {"gradient": arrays["gradient"] + 1e-2}

        return dataclasses.replace(prepared, result=result)

    with jax.numpy_dtype_promotion("standard"):
        row = scaling.run(None, side="qjax", **POINT)
        assert 0 < row["call_ms_low"] <= row["call_ms"] <= row["call_ms_high"]
        assert row["first_s"] > 1e-3 * row["call_ms"] and row["memory_mib"] >= 0
        monkeypatch.setattr(module, "prepare", wrong)
        with pytest.raises(ArithmeticError, match="wrong by"):
            scaling.run(None, side="qjax", **POINT)


def test_a_side_that_is_not_installed_leaves_its_cells_and_lines_empty(monkeypatch):
    scaling = load("f3_scaling")
    monkeypatch.setattr(sides.Side, "installed", lambda self: False)
    row = scaling.run(None, side="lightning", **POINT)
    assert set(row.values()) == {None}
    assert json.dumps(row)
    figure = matplotlib.figure.Figure()
    frame = pd.DataFrame([POINT | {"side": "lightning"} | row])
    scaling.draw(figure, {"scaling": frame})
    assert len(figure.axes) == 6
    assert not any(axes.lines for axes in figure.axes)
