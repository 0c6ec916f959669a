"""Histories as tables, pictures and logs; needs the extra `training`."""

import pathlib

import matplotlib.figure
import numpy as np
import pandas as pd
import tensorboardX

from qjax._checks import require
from qjax.optim.history import EpochRecord, History


def history_table(history: History) -> pd.DataFrame:
    """Return one row for each step that was done.

    Args:
        history: As `qjax.optim.fit` returns it.

    Returns:
        Columns epoch, step (both from 0), loss, circuits, passes, shots, and metric: on
        the last step of an epoch what `evaluate` gave, NaN elsewhere.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qjax.optim import fit
        >>> from qjax.optim.reports import history_table
        >>> _, history = fit(jax.random.key(1), lambda w, b: (w - b) ** 2,
        ...     jnp.asarray(0.0), optax.sgd(0.1), jnp.ones(4), epochs=2, batch_size=2)
        >>> history_table(history).shape
        (4, 7)
    """
    epochs, steps = history.losses.shape
    last = np.tile(np.arange(steps) == steps - 1, epochs)
    table = pd.DataFrame(
        {
            "epoch": np.repeat(np.arange(epochs), steps),
            "step": np.tile(np.arange(steps), epochs),
            "loss": history.losses.reshape(-1),
            "circuits": history.costs[..., 0].reshape(-1),
            "passes": history.costs[..., 1].reshape(-1),
            "shots": history.costs[..., 2].reshape(-1),
            "metric": np.where(last, np.repeat(history.metrics, steps), np.nan),
        }
    )
    return table[~np.isnan(history.costs[..., 0].reshape(-1))].reset_index(drop=True)


def save_history(history: History, path: pathlib.Path) -> None:
    """Write `history_table` as CSV or Parquet, by the suffix; whole or not at all.

    Raises:
        ValueError: If the suffix is neither .csv nor .parquet.
    """
    known = path.suffix in (".csv", ".parquet")
    require(known, "path", "end in .csv or .parquet", path)
    table = history_table(history)
    unfinished = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".csv":
            table.to_csv(unfinished, index=False)
        else:
            table.to_parquet(unfinished, index=False)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def plot_history(history: History) -> matplotlib.figure.Figure:
    """Draw the loss against steps, circuits and, if any were taken, shots.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qjax.optim import fit
        >>> from qjax.optim.reports import plot_history
        >>> _, history = fit(jax.random.key(1), lambda w, b: (w - b) ** 2,
        ...     jnp.asarray(0.0), optax.sgd(0.1), jnp.ones(4), epochs=2, batch_size=2)
        >>> len(plot_history(history).axes)
        2
    """
    table = history_table(history)
    columns = {"steps": np.arange(1, len(table) + 1)}
    columns["circuits"] = table["circuits"].cumsum().to_numpy()
    if table["shots"].sum() > 0:
        columns["shots"] = table["shots"].cumsum().to_numpy()
    figure = matplotlib.figure.Figure(figsize=(3.2 * len(columns), 2.8))
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axis, (name, values) in zip(axes, columns.items(), strict=True):
        axis.plot(values, table["loss"], linewidth=0.8)
        axis.set(xlabel=name)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.5)
    axes[0].set(ylabel="loss")
    figure.tight_layout()
    return figure


class TensorBoardLog:
    """A callback of `fit` that writes what TensorBoard shows, while the run goes on.

    Args:
        folder: For the event file; `tensorboard --logdir` reads it.

    Example:
        >>> import pathlib, tempfile
        >>> import jax, jax.numpy as jnp, optax
        >>> from qjax.optim import fit
        >>> from qjax.optim.reports import TensorBoardLog
        >>> with tempfile.TemporaryDirectory() as name:
        ...     with TensorBoardLog(pathlib.Path(name)) as log:
        ...         _ = fit(jax.random.key(1), lambda w, b: (w - b) ** 2,
        ...                 jnp.asarray(0.0), optax.sgd(0.1), jnp.ones(4), epochs=2,
        ...                 batch_size=2, callbacks=[log])
        ...     len(list(pathlib.Path(name).iterdir()))
        1
    """

    def __init__(self, folder: pathlib.Path):
        self._writer = tensorboardX.SummaryWriter(str(folder))
        self._spent = np.zeros(3)

    def __enter__(self) -> "TensorBoardLog":
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()

    def __call__(self, record: EpochRecord) -> None:
        """Write the losses of an epoch's steps, and its totals."""
        steps = len(record.losses)
        for step, loss in enumerate(record.losses):
            number = record.epoch * steps + step
            self._writer.add_scalar("loss", float(loss), number)
        self._spent += record.costs.astype(np.float64).sum(axis=0)
        names = ("circuits", "passes", "shots")
        for name, total in zip(names, self._spent, strict=True):
            self._writer.add_scalar(f"spent/{name}", total, record.epoch)
        if not np.isnan(record.metric):
            self._writer.add_scalar("metric", record.metric, record.epoch)
        self._writer.add_scalar("seconds", record.seconds, record.epoch)
        self._writer.flush()
