"""F3b to F3d: errors are those of plain NumPy, and nothing wrong is timed or kept."""

import dataclasses

import jax
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

from scripts.artefacts import f3_sharding, f3_truncation, f3_widths
from scripts.bench.sides.numpy_side import evolve, z_values, zeros
from scripts.bench.workloads import CASES, Case

SIZE = {"num_wires": 4, "depth": 2}


def small(**changes) -> Case:
    return dataclasses.replace(CASES["W6"], **SIZE, **changes)


def exact_state(case: Case) -> np.ndarray:
    angles = case.angles().ravel()
    return evolve(case.operations(), angles, zeros(case.num_wires)).ravel()


@pytest.fixture(autouse=True)
def as_the_command_runs_them():
    with jax.numpy_dtype_promotion("standard"):
        yield


# --- F3b ------------------------------------------------------------------------------


def test_errors_are_distances_of_the_state_as_it_is_and_infidelities_of_its_ray():
    case = small(bond=2)
    exact = exact_state(case)
    beside = np.roll(exact, 1)
    beside -= exact * np.vdot(exact, beside)
    beside /= np.linalg.norm(beside)
    values = z_values(np.abs(exact) ** 2, 4)
    values[2] += 0.25
    found = f3_truncation.errors(case, 0.6 * exact + 0.3 * beside, values, np.ones(()))
    assert found["distance"] == pytest.approx(0.5)
    assert found["infidelity"] == pytest.approx(0.2)
    assert found["lost"] == pytest.approx(0.55)
    assert found["value_error"] == pytest.approx(0.25)
    # Far below what 1 - fidelity could resolve.
    near = f3_truncation.errors(case, exact + 1e-10 * beside, values, np.ones(()))
    assert near["infidelity"] == pytest.approx(1e-20, rel=1e-3)


def test_every_draw_has_other_angles_and_an_error_within_its_bound():
    point = {"num_wires": 6, "depth": 6, "bond": 2, "draws": 2, "dtype": "complex64"}
    rows = f3_truncation.run(None, **point)
    assert [row["draw"] for row in rows] == [0, 1]
    for row in rows:
        assert 0.01 < row["distance"] <= row["bound"]
        assert 0 < row["value_error"] <= 2 * row["bound"]
        assert row["infidelity"] == pytest.approx(row["lost"], rel=0.3)
    assert rows[0]["distance"] != rows[1]["distance"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"dtypes": ("complex32",)}, "`dtypes` must hold names"),
        ({"num_wires": 6}, "`bonds` must be below 8"),
    ],
)
def test_circuits_that_nothing_is_cut_off_are_refused(changes, rule):
    with pytest.raises(ValueError, match=rule):
        f3_truncation.TruncationConfig(**changes)


# --- F3c ------------------------------------------------------------------------------

OFTEN = {"starts": 1, "rounds": 2, "seconds": 0.0, "vector": True}


def test_every_representation_gives_the_value_of_plain_numpy():
    rows = f3_widths.run(None, **SIZE, bond=4, **OFTEN)
    assert [row["representation"] for row in rows] == ["vector", "mps", "network"]
    right = z_values(np.abs(exact_state(small())) ** 2, 4)[2]
    for row in rows:
        assert row["value"] == pytest.approx(right, abs=1e-5)
        assert 0 < row["call_ms_low"] <= row["call_ms"] <= row["call_ms_high"]
        assert row["first_s"] > 1e-3 * row["call_ms"]


@pytest.mark.parametrize("wrong", ["vector", "mps", "network"])
def test_values_that_differ_are_refused_and_not_timed(monkeypatch, wrong):
    def timed(*_):
        raise AssertionError("timed")

    ways = dict.fromkeys(f3_widths.WAYS, lambda case, angles: angles.sum())
    monkeypatch.setattr(f3_widths, "later_calls", timed)
    monkeypatch.setattr(f3_widths, "WAYS", ways)
    with pytest.raises(AssertionError, match="timed"):
        f3_widths.run(None, **SIZE, bond=4, **OFTEN)
    ways[wrong] = lambda case, angles: angles.sum() + 1e-2
    with pytest.raises(ArithmeticError, match="4 wires: the values are"):
        f3_widths.run(None, **SIZE, bond=4, **OFTEN)


# --- F3d ------------------------------------------------------------------------------


def test_strong_and_weak_scaling_share_the_size_they_start_from():
    config = f3_sharding.ShardingConfig(num_wires=10, devices=(2, 4, 8))
    sizes = [
        (point["num_wires"], point["devices"]) for point in f3_sharding.grid(config)
    ]
    assert sizes == [(10, 2), (10, 4), (10, 8), (11, 4), (12, 8)]


def test_another_value_or_gradient_than_without_sharding_is_refused(monkeypatch):
    point = {"num_wires": 3, "devices": 2, "depth": 1, "rounds": 3}
    right = f3_sharding.unsharded(3, 1)
    times = {"median": 2e-3, "fastest": 1e-3, "slowest": 4e-3, "compile": 1.0}
    found = {f"{name}_seconds": value for name, value in times.items()}
    found |= {"temporaries_in_shards": 5.0, "exchanges_layer_by_layer": 1}
    found |= {"devices": 2}
    monkeypatch.setattr(f3_sharding, "elsewhere", lambda *_: found | right)
    row = f3_sharding.run(None, **point)
    assert (row["call_ms_low"], row["call_ms"], row["call_ms_high"]) == (1, 2, 4)
    for name in ("energy", "slope"):
        other = found | right | {name: right[name] + 1e-2}
        monkeypatch.setattr(f3_sharding, "elsewhere", lambda *_, own=other: own)
        with pytest.raises(ArithmeticError, match=f"3 wires on 2 devices: {name}"):
            f3_sharding.run(None, **point)


def test_each_curve_holds_its_own_sizes_beside_the_same_work_without_sharding():
    config = f3_sharding.ShardingConfig(num_wires=10, devices=(1, 2))
    points = list(f3_sharding.grid(config))
    rows = pd.DataFrame(points)
    rows["call_ms"] = [1.0, 3.0, 5.0]
    rows["call_ms_low"], rows["call_ms_high"] = rows["call_ms"], rows["call_ms"]
    rows["shards"] = 4.0
    figure = matplotlib.figure.Figure()
    f3_sharding.draw(figure, {"sharding": rows})
    drawn = [np.asarray(line.get_ydata(), float) for line in figure.axes[0].lines]
    curves = [curve for curve in drawn if len(curve) == 2]
    for wanted in ([1.0, 3.0], [1.0, 1.0], [1.0, 5.0], [1.0, 2.2]):
        assert any(np.allclose(curve, wanted) for curve in curves), wanted
