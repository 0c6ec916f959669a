"""Histories as tables and logs: what is written is what happened."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from tensorboardX.proto.event_pb2 import Event

from qjax.optim import fit
from qjax.optim.reports import (
    TensorBoardLog,
    history_table,
    plot_history,
    save_history,
)


def train(**more):
    def loss(params, batch):
        cliff = jnp.where(params > 0.7, jnp.nan, 0.0) if more.get("fails") else 0.0
        return (params - batch) ** 2 + cliff

    return fit(
        jax.random.key(1), loss, jnp.asarray(0.0), optax.sgd(0.1), jnp.ones(6),
        epochs=3, batch_size=2, evaluate=lambda p: float(p),
        callbacks=more.get("callbacks", ()),
    )[1]  # fmt: skip


def test_a_table_has_a_row_for_each_step_that_was_done():
    history = train()
    table = history_table(history)
    assert list(table["epoch"]) == [0] * 3 + [1] * 3 + [2] * 3
    np.testing.assert_array_equal(table["loss"], history.losses.reshape(-1))
    np.testing.assert_array_equal(table["metric"].dropna(), history.metrics)
    assert np.all(table["circuits"] == 2 * 3)
    broken = train(fails=True)
    assert broken.stopped == "diverged"
    assert len(history_table(broken)) == np.sum(np.isfinite(broken.losses)) < 9


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_hold_the_table_and_appear_whole(tmp_path, suffix, monkeypatch):
    history = train()
    path = tmp_path / "deep" / f"run{suffix}"
    save_history(history, path)
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    pd.testing.assert_frame_equal(
        read(path), history_table(history), check_dtype=False, rtol=1e-6
    )
    before = path.read_bytes()

    def full_disk(self, target, **options):
        target.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, f"to_{suffix[1:]}", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_history(history, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with pytest.raises(ValueError, match=r"`path` must end in \.csv or \.parquet"):
        save_history(history, tmp_path / "run.xlsx")


def test_pictures_show_what_was_spent():
    figure = plot_history(train())
    assert [axis.get_xlabel() for axis in figure.axes] == ["steps", "circuits"]
    (line,) = figure.axes[1].lines
    assert np.asarray(line.get_xdata())[-1] == 9 * 6


def events(path) -> list[Event]:
    """Records of a TensorBoard file: length, its checksum, data, its checksum."""
    data, found, start = path.read_bytes(), [], 0
    while start < len(data):
        length = int.from_bytes(data[start : start + 8], "little")
        found.append(Event.FromString(data[start + 12 : start + 12 + length]))
        start += 16 + length
    return found


def test_tensorboard_reads_losses_and_totals(tmp_path):
    with TensorBoardLog(tmp_path) as log:
        history = train(callbacks=[log])
    (path,) = tmp_path.iterdir()
    scalars = [
        (value.tag, event.step, value.simple_value)
        for event in events(path)
        for value in event.summary.value
    ]
    losses = [value for tag, _, value in scalars if tag == "loss"]
    np.testing.assert_allclose(losses, history.losses.reshape(-1), rtol=1e-6)
    spent = [value for tag, _, value in scalars if tag == "spent/circuits"]
    assert spent == [18.0, 36.0, 54.0]
    assert {tag for tag, *_ in scalars} >= {"metric", "seconds", "spent/shots"}
