"""Cost models: sane predictions, plain data, and measured anew by `calibrate`."""

import dataclasses
import importlib
import json

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import hardware_efficient
from qjax.plan import Layout, calibrate, default_cost_model
from qjax.plan.calibrate import to_json
from qjax.plan.cost import CostModel, from_json
from qjax.plan.sweeps import Sweep, plan_steps
from qjax.simulate import run
from qjax.states import StateVector
from tests.plan import problems

MODELS = [default_cost_model("cpu", "float32"), default_cost_model("cpu", "float64")]
by_model = pytest.mark.parametrize("model", MODELS, ids=["float32", "float64"])


@by_model
def test_seconds_grow_with_the_state(model):
    sizes = range(10, 30)
    for predict in (
        lambda size: model.window_seconds(size, 5, 6),
        lambda size: model.closing_seconds(size, 5),
        lambda size: model.relayout_seconds(size, 2),
    ):
        seconds = [predict(size) for size in sizes]
        # Rates are measured at a few sizes only, and a cache makes steps between them;
        # over two sizes the numbers quadruple, which no step outweighs.
        assert all(np.diff(seconds[::2]) > 0), seconds
        assert seconds[0] > 0


@by_model
def test_seconds_grow_with_matrices_beyond_those_measured(model):
    largest = model.log_rows[-1]
    for size in (14, 22):
        for predict in (
            lambda rows, size=size: model.window_seconds(size, rows, 6),
            lambda rows, size=size: model.closing_seconds(size, rows),
        ):
            rates = [predict(largest + k) - model.step for k in range(4)]
            np.testing.assert_allclose(rates, rates[0] * 2.0 ** np.arange(4))
    builds = [model.build_seconds(rows) for rows in range(1, 8)]
    assert all(np.diff(builds) > 0)


@by_model
def test_longer_runs_make_a_relayout_cheaper(model):
    for size in model.log_sizes[2:]:  # a small state is in the cache anyway
        assert model.relayout_seconds(size, 8) < model.relayout_seconds(size, 0)


@by_model
def test_predictions_are_the_table_where_it_was_measured(model):
    for s, size in enumerate(model.log_sizes):
        for x, rows in enumerate(model.log_rows):
            for r, right in enumerate(model.log_rights):
                expected = model.step + 1e-9 * model.window[s][x][r] * 2**size
                assert model.window_seconds(size, rows, right) == pytest.approx(
                    expected
                )
            expected = model.step + 1e-9 * model.closing[s][x] * 2**size
            assert model.closing_seconds(size, rows) == pytest.approx(expected)


@by_model
def test_tables_have_the_shapes_of_their_axes(model):
    sizes, rows = len(model.log_sizes), len(model.log_rows)
    assert np.shape(model.window) == (sizes, rows, len(model.log_rights))
    assert np.shape(model.closing) == (sizes, rows)
    assert np.shape(model.relayout) == (sizes, len(model.log_runs))
    for table in (model.window, model.closing, model.relayout, model.build, model.step):
        assert np.all(np.asarray(table) > 0) and np.all(np.isfinite(np.asarray(table)))


@by_model
def test_a_model_is_data_that_goes_through_json_and_back(model):
    again = from_json(json.loads(json.dumps(to_json(model))))
    assert again == model and hash(again) == hash(model)
    assert json.loads(json.dumps(dataclasses.asdict(model))) == json.loads(
        json.dumps(to_json(model))
    )


def test_an_unmeasured_device_gets_the_model_of_the_cpu():
    for dtype in ("float32", "float64"):
        fallback = default_cost_model("abacus", dtype)
        measured = default_cost_model("cpu", dtype)
        assert fallback == dataclasses.replace(measured, device="abacus")
        assert fallback.dtype == dtype
    assert default_cost_model() is default_cost_model()


def test_a_piece_is_the_largest_size_at_which_windows_are_fast():
    model = default_cost_model()
    assert model.log_sizes == (9, 13, 17, 21, 23)

    def piece(*rates, device="cpu"):
        window = tuple(((float(rate),) * 7,) * 6 for rate in rates)
        return dataclasses.replace(model, window=window, device=device).log_piece

    assert piece(3, 1, 1.1, 1.3, 2) == 17
    assert piece(3, 1, 1.3, 2, 2) == 13
    assert piece(3, 1, 1, 1, 1.1) is None  # as fast however large
    assert piece(3, 1, 1.1, 1.3, 2, device="gpu") is None
    assert model.log_piece == 17 == default_cost_model("cpu", "float64").log_piece


def test_the_cost_model_decides_the_plan():
    """Else it would be ornament: dear large matrices must give small windows."""
    model = default_cost_model()
    dear = tuple(
        tuple(tuple(10.0**rows for _ in model.log_rights) for rows in model.log_rows)
        for _ in model.log_sizes
    )
    closing = tuple(
        tuple(10.0**rows for rows in model.log_rows) for _ in model.log_sizes
    )
    small = dataclasses.replace(model, window=dear, closing=closing)
    flat = tuple(
        tuple(tuple(0.1 for _ in model.log_rights) for _ in model.log_rows)
        for _ in model.log_sizes
    )
    large = dataclasses.replace(model, window=flat, step=1.0, build=1e-9)

    def widest(cost: CostModel) -> int:
        wirings = tuple(problems.chain(12))
        steps = plan_steps(wirings, Layout(12), cost)
        sweeps = [step for step in steps if isinstance(step, Sweep)]
        return max(w.stop - w.start for sweep in sweeps for w in sweep.windows)

    assert widest(small) == 2 and widest(large) == 6


# --- calibrate ------------------------------------------------------------------------


def test_calibrate_measures_a_usable_model(monkeypatch):
    """Few sizes of matrices: the point is that the result works, not its numbers."""
    module = importlib.import_module("qjax.plan.calibrate")
    monkeypatch.setattr(module, "_LOG_ROWS", (2, 4))
    monkeypatch.setattr(module, "_LOG_RIGHTS", (1, 4))
    monkeypatch.setattr(module, "_LOG_RUNS", (0, 4))
    model = calibrate(log_sizes=(9,), rounds=1)
    assert (model.device, model.dtype) == ("cpu", "float32")
    assert model.log_sizes == (9,) and model.log_rows == (2, 4)
    assert np.shape(model.window) == (1, 2, 2) and np.shape(model.relayout) == (1, 2)
    assert np.all(np.asarray(model.window) > 0) and model.build > 0 and model.step > 0
    assert from_json(json.loads(json.dumps(to_json(model)))) == model
    circuit = hardware_efficient(jnp.full((2, 4, 2), 0.3))
    zeros = StateVector.zeros(4)
    done = run(circuit, zeros, method="blocks", cost_model=model).vector()
    expected = run(circuit, zeros, method="gates").vector()
    np.testing.assert_allclose(done, expected, atol=1e-6)


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"rounds": 0}, "Argument `rounds` must be at least 1, but is 0"),
        (
            {"log_sizes": (8, 13)},
            "Argument `log_sizes` must hold numbers of at least 9",
        ),
    ],
)
def test_calibrate_refuses_what_it_cannot_measure(arguments, message):
    with pytest.raises(ValueError, match=message):
        calibrate(**arguments)
