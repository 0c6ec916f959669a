"""The training loop: what it learns, resumes, refuses, and does at NaN."""

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qjax.optim import fit, scale_by_metric

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

    fit(KEY, counted, start(), momentum(), regression(), epochs=5, batch_size=16)
    assert len(traces) == 1


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
    path, calls = tmp_path / "run" / "state.eqx", []

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
    path = tmp_path / "state.eqx"
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
    path = tmp_path / "state.eqx"

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


def test_checkpoints_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "state.eqx"
    arguments = (KEY, loss, start(), momentum(), regression())
    fit(*arguments, epochs=2, batch_size=16, checkpoint=path)
    before = path.read_bytes()
    path_of_three = tmp_path / "three.eqx"

    def full_disk(source, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        fit(*arguments, epochs=3, batch_size=16, checkpoint=path_of_three)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["state.eqx"]


def test_foreign_checkpoints_are_refused(tmp_path):
    path = tmp_path / "state.eqx"
    sizes: dict[str, Any] = {"epochs": 2, "batch_size": 16, "checkpoint": path}
    fit(KEY, loss, start(), momentum(), regression(), **sizes)
    with pytest.raises(ValueError, match="with this key, data and batch size"):
        fit(jax.random.key(8), loss, start(), momentum(), regression(), **sizes)
    shifted = jax.tree.map(lambda leaf: leaf + 1, regression())
    with pytest.raises(ValueError, match="with this key, data and batch size"):
        fit(KEY, loss, start(), momentum(), shifted, **sizes)
    wider = {"w": jnp.zeros(4)}
    with pytest.raises(ValueError, match="`checkpoint` must hold a run of the same"):
        fit(KEY, loss, wider, momentum(), regression(), **sizes)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match="`checkpoint` must hold a run of the same"):
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


def test_a_checkpoint_may_have_a_name_without_a_suffix(tmp_path):
    path = tmp_path / "checkpoint"
    arguments = (KEY, loss, start(), momentum(), regression())
    first, _ = fit(*arguments, epochs=1, batch_size=16, checkpoint=path)
    again, _ = fit(*arguments, epochs=1, batch_size=16, checkpoint=path)
    np.testing.assert_array_equal(first["w"], again["w"])
