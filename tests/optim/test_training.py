"""The training loop: what it learns, resumes, refuses, and does at NaN."""

import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qjax.optim import (
    EarlyStopping,
    HybridLoss,
    ParameterShift,
    fit,
    scale_by_metric,
)

KEY = jax.random.key(7)
WEIGHTS = np.array([1.0, -2.0, 0.5], np.float32)


def regression(count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    inputs = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    return inputs, inputs @ WEIGHTS


def loss(params, batch):
    inputs, targets = batch
    return jnp.mean((inputs @ params["w"] - targets) ** 2)


def momentum() -> optax.GradientTransformation:
    """Momentum makes the optimizer's state matter for a resumed run."""
    return optax.chain(optax.trace(0.9), optax.scale(-0.02))


def start() -> dict[str, jax.Array]:
    return {"w": jnp.zeros(3)}


class Interrupted(Exception):
    pass


def test_the_loop_finds_the_minimum_and_records_every_step():
    params, history = fit(
        KEY, loss, start(), momentum(), regression(), epochs=60, batch_size=16
    )
    np.testing.assert_allclose(params["w"], WEIGHTS, atol=1e-3)
    assert history.losses.shape == (60, 4)
    assert history.losses[-1].mean() < 1e-3 * history.losses[0].mean()
    assert history.diverged_at is None
    assert np.isnan(history.metrics).all()


def test_epochs_shuffle_without_replacement_and_differ():
    """Each batch's loss is its only row's number, so the losses are the order."""
    data = jnp.arange(8.0)

    def read(params, batch):
        return jnp.mean(batch) + 0 * params

    _, history = fit(
        KEY, read, jnp.asarray(0.0), optax.sgd(0.0), data, epochs=3, batch_size=1
    )
    for epoch in history.losses:
        assert sorted(epoch) == list(range(8))
    assert not np.array_equal(history.losses[0], history.losses[1])


def test_a_whole_training_is_one_trace():
    traces = []

    def counted(params, batch):
        traces.append(1)
        return loss(params, batch)

    params = {"w": jnp.zeros(3), "unused": jnp.asarray(0.5)}  # the latter is weak
    for begin in (start(), params, jax.tree.map(np.asarray, params)):
        traces.clear()
        _, history = fit(
            KEY, counted, begin, momentum(), regression(), epochs=3, batch_size=16
        )
        assert len(traces) == 1 == history.traces


def test_the_batch_reaches_the_optimizer():
    def covariance(params, batch):
        del params
        return 2 * batch[0].T @ batch[0] / batch[0].shape[0]

    newton = optax.chain(scale_by_metric(covariance, 0.0), optax.scale(-1.0))
    params, _ = fit(KEY, loss, start(), newton, regression(), epochs=1, batch_size=64)
    np.testing.assert_allclose(params["w"], WEIGHTS, atol=1e-5)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_resumed_run_gives_the_same_parameters_bit_for_bit(tmp_path, stop_after):
    sizes: dict[str, Any] = {"epochs": 5, "batch_size": 16}
    whole, expected = fit(
        KEY,
        loss,
        start(),
        momentum(),
        regression(),
        evaluate=lambda p: p["w"][0],
        **sizes,
    )
    path, calls = tmp_path / "run" / "state", []

    def interrupting(params):
        calls.append(1)
        if len(calls) > stop_after:
            raise Interrupted
        return params["w"][0]

    with pytest.raises(Interrupted):
        fit(
            KEY,
            loss,
            start(),
            momentum(),
            regression(),
            evaluate=interrupting,
            checkpoint=path,
            **sizes,
        )
    seen = []
    resumed, history = fit(
        KEY,
        loss,
        start(),
        momentum(),
        regression(),
        evaluate=lambda p: seen.append(1) or p["w"][0],
        checkpoint=path,
        **sizes,
    )
    assert len(seen) == 5 - stop_after  # it did resume
    np.testing.assert_array_equal(resumed["w"], whole["w"])
    np.testing.assert_array_equal(history.losses, expected.losses)
    np.testing.assert_array_equal(history.metrics, expected.metrics)


def test_a_finished_run_is_returned_from_its_checkpoint(tmp_path):
    path = tmp_path / "state"
    arguments = (KEY, loss, start(), momentum(), regression())
    first, _ = fit(*arguments, epochs=2, batch_size=16, checkpoint=path)

    def never(params, batch):
        raise AssertionError("trained again")

    again, history = fit(
        KEY, never, *arguments[2:], epochs=2, batch_size=16, checkpoint=path
    )
    np.testing.assert_array_equal(first["w"], again["w"])
    assert np.isfinite(history.losses).all()


def test_nan_loss_stops_keeps_the_last_good_state_and_says_where(tmp_path):
    """w grows by 0.2 a step, 4 steps an epoch; the loss is NaN above 1.1.

    So the seventh step, which starts at w = 1.2, is step 2 of epoch 1.
    """
    path = tmp_path / "state"

    def rising(params, batch):
        cliff = jnp.where(params > 1.1, jnp.nan, 0.0)
        return -jnp.mean(batch) * params + cliff

    params, history = fit(
        KEY,
        rising,
        jnp.asarray(0.0),
        optax.sgd(0.2),
        jnp.ones(8),
        epochs=5,
        batch_size=2,
        checkpoint=path,
    )
    assert history.diverged_at == (1, 2)
    # Six good steps were done; the seventh was not finite.
    np.testing.assert_allclose(params, 1.2, rtol=1e-5)
    assert np.isfinite(history.losses[0]).all()
    assert np.isnan(history.losses[2:]).all()
    # The file still holds the end of epoch 0.
    kept, _ = fit(
        KEY,
        lambda p, b: 0 * p * jnp.mean(b),
        jnp.asarray(0.0),
        optax.sgd(0.2),
        jnp.ones(8),
        epochs=5,
        batch_size=2,
        checkpoint=path,
    )
    np.testing.assert_allclose(kept, 0.8, rtol=1e-5)


def test_nan_parameters_at_a_finite_loss_stop_too():
    """sqrt at 0 has a finite value and an infinite slope."""

    def kink(params, batch):
        return jnp.sqrt(jnp.abs(params)) + jnp.mean(batch)

    params, history = fit(
        KEY, kink, jnp.asarray(0.0), optax.sgd(0.1), jnp.ones(4), epochs=2, batch_size=2
    )
    assert history.diverged_at == (0, 0)
    assert params == 0.0


def test_a_save_that_was_cut_off_is_passed_over(tmp_path):
    """Orbax writes into a folder of another name and renames it once it is whole."""
    path = tmp_path / "run"
    arguments = (KEY, loss, start(), momentum(), regression())
    whole, _ = fit(*arguments, epochs=3, batch_size=16)
    fit(*arguments, epochs=3, batch_size=16, checkpoint=path)
    (complete,) = [entry for entry in path.iterdir() if entry.name == "2"]
    cut_off = path / "3.orbax-checkpoint-tmp-7"
    shutil.copytree(complete, cut_off)
    for file in cut_off.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:5])
    again, history = fit(*arguments, epochs=3, batch_size=16, checkpoint=path)
    np.testing.assert_array_equal(again["w"], whole["w"])
    assert history.traces == 0  # nothing was trained again


def test_foreign_checkpoints_are_refused(tmp_path):
    path = tmp_path / "run"
    sizes: dict[str, Any] = {"epochs": 2, "batch_size": 16, "checkpoint": path}
    fit(KEY, loss, start(), momentum(), regression(), **sizes)
    with pytest.raises(ValueError, match="with this key, data and batch size"):
        fit(jax.random.key(8), loss, start(), momentum(), regression(), **sizes)
    shifted = jax.tree.map(lambda leaf: leaf + 1, regression())
    with pytest.raises(ValueError, match="with this key, data and batch size"):
        fit(KEY, loss, start(), momentum(), shifted, **sizes)
    wider = {"w": jnp.zeros(4)}
    with pytest.raises(ValueError, match=r"has .*w of shape \(3,\) for \(4,\)"):
        fit(KEY, loss, wider, momentum(), regression(), **sizes)
    with pytest.raises(
        ValueError, match=r"`checkpoint` must hold .* lacks params.bias"
    ):
        both = {**start(), "bias": jnp.zeros(1)}
        fit(KEY, loss, both, momentum(), regression(), **sizes)
    for file in path.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:5])
    with pytest.raises(ValueError, match=r"`checkpoint` must hold .* cannot be read"):
        fit(KEY, loss, start(), momentum(), regression(), **sizes)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("epochs", {"epochs": 0, "batch_size": 16}),
        ("batch_size", {"epochs": 1, "batch_size": 0}),
        ("batch_size", {"epochs": 1, "batch_size": 65}),
    ],
)
def test_sizes_out_of_range_are_named(name, sizes):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        fit(KEY, loss, start(), momentum(), regression(), **sizes)


@pytest.mark.parametrize("batch_size", [16, 10, 7])
def test_padding_changes_no_mean(batch_size):
    """Every example counts once in an epoch, and padding not at all."""
    count = 23

    def read(params, batch):
        return batch + 0 * params

    _, history = fit(
        KEY, read, jnp.asarray(0.0), optax.sgd(0.0), jnp.arange(float(count)),
        epochs=1, batch_size=batch_size,
    )  # fmt: skip
    sizes = [batch_size] * (count // batch_size) + [count % batch_size]
    total = np.sum(history.losses[0] * sizes)
    np.testing.assert_allclose(total, count * (count - 1) / 2, rtol=1e-6)


def test_a_mean_is_refused_where_padding_is_needed():
    with pytest.raises(ValueError, match="`loss_fn` must return the loss of each exam"):
        fit(KEY, loss, start(), momentum(), regression(), epochs=1, batch_size=10)


def test_early_stopping_returns_the_best_parameters(tmp_path):
    """The number after epoch k is that of a list; w counts the steps."""
    numbers = [0.1, 0.5, 0.4, 0.45, 0.2, 0.9]

    def count_steps(params, batch):
        return -params + 0 * batch

    def run(**more):
        seen = iter(numbers[more.pop("skip", 0) :])
        return fit(
            KEY, count_steps, jnp.asarray(0.0), optax.sgd(1.0), jnp.ones(4), epochs=6,
            batch_size=2, evaluate=lambda p: next(seen), **more,
        )  # fmt: skip

    params, history = run(early_stopping=EarlyStopping(patience=3))
    assert (history.stopped, history.best_epoch, float(params)) == ("no better", 1, 4.0)
    assert np.isnan(history.metrics[5]) and np.isfinite(history.metrics[4])
    params, history = run(early_stopping=EarlyStopping(patience=4))
    assert (history.stopped, history.best_epoch, float(params)) == ("finished", 5, 12.0)
    # A run that is resumed knows what was best before.
    path = tmp_path / "run"
    first = EarlyStopping(patience=1)
    run(early_stopping=first, checkpoint=path)
    params, history = run(early_stopping=EarlyStopping(2), checkpoint=path, skip=3)
    assert (history.stopped, history.best_epoch, float(params)) == ("no better", 1, 4.0)
    lowest = EarlyStopping(patience=1, mode="min")
    assert run(early_stopping=lowest)[1].best_epoch == 0


def hybrid() -> HybridLoss:
    def outcomes(own, inputs):
        up = jnp.cos(own["angle"] / 2) ** 2
        both = jnp.stack([up, 1 - up])
        return jnp.broadcast_to(both, (inputs.shape[0], 1, 2))

    def head(rest, z, targets):
        return (z[:, 0] * rest["scale"] - targets) ** 2

    readings = jnp.asarray([[[1.0], [-1.0]]])
    return HybridLoss(outcomes, readings, head, ("angle",))


def test_costs_are_written_down_and_a_budget_ends_the_run():
    params = {"angle": jnp.asarray(0.3), "scale": jnp.asarray(0.9)}
    data = jnp.zeros(8), -jnp.ones(8)
    estimator = ParameterShift(shots=10)

    def run(**more):
        return fit(
            KEY, hybrid(), params, optax.sgd(0.1), data, epochs=4, batch_size=4,
            estimator=estimator, **more,
        )  # fmt: skip

    whole, history = run()
    # Three circuits for each of four examples, ten shots each.
    assert np.all(history.costs == np.asarray([12.0, 12.0, 120.0]))
    np.testing.assert_allclose(history.total_cost, np.asarray([96, 96, 960]))
    assert history.losses[-1].mean() < history.losses[0].mean()
    part, cut = run(shot_budget=500)
    assert cut.stopped == "shots spent" and cut.total_cost[2] == 480
    np.testing.assert_array_equal(cut.losses[:2], history.losses[:2])
    assert np.all(np.isnan(cut.losses[2:]))
    assert not np.array_equal(part["angle"], whole["angle"])
    with pytest.raises(ValueError, match="`shot_budget` must suffice for the first"):
        run(shot_budget=119)
    with pytest.raises(ValueError, match="`shot_budget` must be positive"):
        run(shot_budget=0)


def test_callbacks_are_told_each_epoch():
    told = []
    fit(
        KEY, loss, start(), momentum(), regression(), epochs=3, batch_size=16,
        evaluate=lambda p: 0.5, callbacks=[told.append],
    )  # fmt: skip
    assert [record.epoch for record in told] == [0, 1, 2]
    assert told[0].losses.shape == (4,) and told[0].costs.shape == (4, 3)
    assert told[0].metric == 0.5 and told[0].seconds > 0


def test_bad_rules_of_stopping_are_named():
    for make, message in (
        (lambda: EarlyStopping(0), "`patience` must be at least 1"),
        (lambda: EarlyStopping(1, mode="up"), "`mode` must be 'max' or 'min'"),
        (lambda: EarlyStopping(1, min_change=-1.0), "`min_change` must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(ValueError, match="`evaluate` must be given with"):
        fit(
            KEY, loss, start(), momentum(), regression(), epochs=1, batch_size=16,
            early_stopping=EarlyStopping(1),
        )  # fmt: skip
