"""A training loop: epochs under one jit, checkpoints, and a stop at divergence."""

import pathlib
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import rich.progress
from jaxtyping import Array, Float, Int8, PyTree

from qjax._checks import require
from qjax._types import Key
from qjax.optim.checkpoint import Checkpoints
from qjax.optim.estimators import AbstractEstimator, Autodiff, HybridLoss
from qjax.optim.history import Callback, EarlyStopping, EpochRecord, History

LossFn = Callable[[Any, Any], Float[Array, "*b"]]

_FINE, _BAD, _SPENT = np.int8(0), np.int8(1), np.int8(2)
_REASONS = {int(_BAD): "diverged", int(_SPENT): "shots spent"}


class _Snapshot(eqx.Module):
    """All that a resumed run needs; its leaves are what a checkpoint holds."""

    params: PyTree
    opt_state: PyTree
    estimator: PyTree
    epoch: np.ndarray
    losses: np.ndarray
    costs: np.ndarray
    metrics: np.ndarray
    seconds: np.ndarray
    best: PyTree
    best_epoch: np.ndarray
    identity: np.ndarray


def fit(
    key: Key,
    loss_fn: LossFn,
    params: PyTree,
    optimizer: optax.GradientTransformation,
    data: PyTree,
    *,
    epochs: int,
    batch_size: int,
    estimator: AbstractEstimator | None = None,
    evaluate: Callable[[Any], float] | None = None,
    early_stopping: EarlyStopping | None = None,
    shot_budget: int | None = None,
    checkpoint: pathlib.Path | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> tuple[PyTree, History]:
    """Minimise a mean loss over mini-batches, every epoch as one compiled scan.

    The whole step (batch, gradient, update, check that all stays finite) is inside one
    jit. The optimizer gets the batch and the loss as the optax extra arguments `batch`
    and `value`. Each epoch shuffles with a key of its own, so a resumed run repeats the
    uninterrupted one.

    Args:
        key: JAX random key for the shuffles and the estimator.
        loss_fn: Maps (params, batch) to the losses of the examples, shape (b,), or to
            their mean where `batch_size` divides N; or a `HybridLoss`.
        params: Pytree of floating arrays.
        optimizer: optax transformation.
        data: Pytree of arrays with one leading axis of N examples.
        epochs: Number of passes, at least 1.
        batch_size: In [1, N]. Where it does not divide N, the last batch of an epoch is
            padded with examples of weight 0.
        estimator: How gradients are found; `Autodiff()` by default.
        evaluate: Maps params to a number after each epoch.
        early_stopping: When to stop by that number, and return the best parameters.
        shot_budget: Stop before the step that would need more shots in all than this.
        checkpoint: Folder to write after each epoch and to resume from if it holds a
            checkpoint.
        callbacks: Called with an `EpochRecord` after each epoch.
        progress: Show a progress bar.

    Returns:
        The last finite parameters, or the best ones with early stopping, and the
        history.

    Raises:
        ValueError: If a size is out of range, the loss is a mean where padding is
            needed, the shots of one step exceed the budget, or the checkpoint belongs
            to another run (other shapes, key, data or batch size; another loss is not
            noticed).

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qjax.optim import fit
        >>> loss = lambda w, batch: (w - batch) ** 2
        >>> data, zero = jnp.ones(7), jnp.asarray(0.0)
        >>> w, history = fit(jax.random.key(1), loss, zero, optax.sgd(0.3), data,
        ...                  epochs=20, batch_size=4)
        >>> round(float(w), 3), history.stopped
        (1.0, 'finished')
    """
    _check_sizes(data, epochs, batch_size, evaluate, early_stopping)
    if shot_budget is not None:
        require(shot_budget > 0, "shot_budget", "be positive", shot_budget)
    run = _Run(
        key,
        loss_fn,
        optax.with_extra_args_support(optimizer),
        Autodiff() if estimator is None else estimator,
        data,
        batch_size,
    )
    options = _Options(
        epochs, evaluate, early_stopping, shot_budget, tuple(callbacks), progress
    )
    now = run.start(params, epochs)
    if checkpoint is None:
        return _train(run, now, None, options)
    with Checkpoints(checkpoint, now) as stored:
        found = stored.newest()
        if found is not None:
            same = np.array_equal(found.identity, now.identity)
            rule = "hold a run with this key, data and batch size; remove it to start"
            require(same, "checkpoint", f"{rule} anew", checkpoint)
            now = found
        return _train(run, now, stored, options)


class _Options(NamedTuple):
    """When to stop, and who is told."""

    epochs: int
    evaluate: Callable[[Any], float] | None
    early_stopping: EarlyStopping | None
    shot_budget: int | None
    callbacks: tuple[Callback, ...]
    progress: bool


class _Run:
    """What stays the same from epoch to epoch."""

    def __init__(
        self,
        key: Key,
        loss_fn: LossFn,
        optimizer: optax.GradientTransformationExtraArgs,
        estimator: AbstractEstimator,
        data: PyTree,
        batch_size: int,
    ):
        self.key, self.optimizer, self.estimator = key, optimizer, estimator
        self.data, self.batch_size = data, batch_size
        self.count = jax.tree.leaves(data)[0].shape[0]
        self.steps = -(-self.count // batch_size)
        self.loss = self._each(loss_fn)
        self.traces = 0
        self.epoch = jax.jit(self._epoch)

    def _each(self, loss_fn: LossFn) -> LossFn:
        """Return the loss of each example of a batch."""
        if isinstance(loss_fn, HybridLoss):
            return loss_fn
        padded = self.count % self.batch_size != 0

        def losses(params: Any, batch: Any) -> Float[Array, " b"]:
            found = loss_fn(params, batch)
            if found.ndim == 0:
                rule = "return the loss of each example where `batch_size` does not "
                rule += "divide the number of examples"
                require(not padded, "loss_fn", rule, "one number for all")
                found = jnp.broadcast_to(found, (self.batch_size,))
            return found

        return losses

    def start(self, params: PyTree, epochs: int) -> _Snapshot:
        """Return the snapshot before the first epoch."""
        # Weak types of Python numbers would be gone after the first epoch: two traces.
        params = jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), params)
        dtype = np.asarray(jax.tree.leaves(params)[0]).dtype
        blank = np.full((epochs, self.steps), np.nan, dtype)
        return _Snapshot(
            params,
            self.optimizer.init(params),
            self.estimator.init(self.loss, params),
            np.asarray(0),
            blank,
            np.full((epochs, self.steps, 3), np.nan, np.float32),
            np.full(epochs, np.nan),
            np.full(epochs, np.nan),
            params,
            np.asarray(-1),
            _identity(self.key, self.data, self.batch_size),
        )

    def _epoch(self, key: Key, carry: Any, left: Array, data: PyTree) -> Any:
        self.traces += 1
        order_key, step_key = jax.random.split(key)
        order = jax.random.permutation(order_key, self.count)
        padding = self.steps * self.batch_size - self.count
        order = jnp.concatenate([order, jnp.zeros(padding, order.dtype)])
        batches = order.reshape(self.steps, self.batch_size)
        real = np.arange(order.size).reshape(batches.shape) < self.count
        weights = jnp.asarray(real / real.sum(axis=1, keepdims=True), jnp.float32)
        keys = jax.random.split(step_key, self.steps)

        def step(carry: Any, own: Any) -> tuple[Any, Any]:
            batch_key, rows, shares = own
            batch = jax.tree.map(lambda leaf: leaf[rows], data)
            return self._step(carry, batch_key, batch, shares)

        start = (carry, left, jnp.asarray(_FINE))
        (carry, *_), steps = jax.lax.scan(step, start, (keys, batches, weights))
        return carry, steps

    def _step(
        self, carry: Any, key: Key, batch: Any, weights: Float[Array, " b"]
    ) -> tuple[Any, Any]:
        (params, opt_state, state), left, status = carry
        report, new_state = self.estimator(
            key, self.loss, params, batch, weights, state
        )
        updates, new_opt_state = self.optimizer.update(
            report.gradient, opt_state, params, batch=batch, value=report.value
        )
        new_params = optax.apply_updates(params, updates)
        finite = jnp.isfinite(report.value) & _all_finite(new_params)
        now = jnp.where(
            finite, jnp.where(report.cost.shots > left, _SPENT, _FINE), _BAD
        )
        status = jnp.where(status == _FINE, now, status)
        # After the first bad step nothing moves: what stays is the last good state.
        kept = jax.tree.map(
            lambda new, old: jnp.where(status == _FINE, new, old),
            (new_params, new_opt_state, new_state),
            (params, opt_state, state),
        )
        cost = jnp.stack(jax.tree.leaves(report.cost))
        return (kept, left - report.cost.shots, status), (report.value, cost, status)


def _train(
    run: _Run, now: _Snapshot, stored: Checkpoints | None, options: _Options
) -> tuple[PyTree, History]:
    stopped, diverged_at = "finished", None
    with rich.progress.Progress(disable=not options.progress, transient=True) as bar:
        task = bar.add_task("training", total=options.epochs, completed=int(now.epoch))
        while int(now.epoch) < options.epochs:
            if _waits_too_long(now, options.early_stopping):
                stopped = "no better"
                break
            epoch = int(now.epoch)
            now, status = _advance(run, now, options)
            if np.any(status != _FINE):
                step = int(np.argmax(status != _FINE))
                stopped = _REASONS[int(status[step])]
                if stopped == "diverged":
                    diverged_at = (epoch, step)
                elif epoch == step == 0:
                    rule = "suffice for the first step"
                    require(False, "shot_budget", rule, options.shot_budget)
                break
            if stored is not None:
                stored.save(epoch, now)
            numbers = float(now.metrics[epoch]), float(now.seconds[epoch])
            for callback in options.callbacks:
                callback(
                    EpochRecord(epoch, now.losses[epoch], now.costs[epoch], *numbers)
                )
            bar.advance(task)
    best = None if options.early_stopping is None else int(now.best_epoch)
    found = now.params if best is None else now.best
    return found, History(
        now.losses, now.costs, now.metrics, now.seconds, run.traces, stopped,
        diverged_at, best,
    )  # fmt: skip


def _advance(
    run: _Run, now: _Snapshot, options: _Options
) -> tuple[_Snapshot, Int8[np.ndarray, " steps"]]:
    """Run one epoch; return the new snapshot and how each step went."""
    epoch, start = int(now.epoch), time.perf_counter()
    left = np.inf
    if options.shot_budget is not None:
        left = options.shot_budget - np.nansum(now.costs[..., 2].astype(np.float64))
    carry = (now.params, now.opt_state, now.estimator)
    epoch_key = jax.random.fold_in(run.key, epoch)
    room = jnp.asarray(left, jnp.float32)
    (params, opt_state, state), steps = run.epoch(epoch_key, carry, room, run.data)
    losses, costs, status = (np.asarray(part) for part in steps)
    fine = status == _FINE
    history, spent = now.losses.copy(), now.costs.copy()
    history[epoch, fine], spent[epoch, fine] = losses[fine], costs[fine]
    metrics, seconds = now.metrics.copy(), now.seconds.copy()
    seconds[epoch] = time.perf_counter() - start
    best, best_epoch = now.best, now.best_epoch
    if fine.all():
        if options.evaluate is not None:
            metrics[epoch] = float(options.evaluate(params))
        if options.early_stopping is not None:
            old = float(metrics[best_epoch]) if best_epoch >= 0 else np.nan
            if options.early_stopping.better(metrics[epoch], old):
                best, best_epoch = params, np.asarray(epoch)
    number = np.asarray(epoch + bool(fine.all()))
    return _Snapshot(
        params, opt_state, state, number, history, spent, metrics, seconds,
        best, best_epoch, now.identity,
    ), status  # fmt: skip


def _waits_too_long(now: _Snapshot, rule: EarlyStopping | None) -> bool:
    """Say whether the last epochs were no better than one before them."""
    if rule is None:
        return False
    return int(now.epoch) - 1 - max(int(now.best_epoch), 0) >= rule.patience


def _check_sizes(
    data: PyTree,
    epochs: int,
    batch_size: int,
    evaluate: Callable[[Any], float] | None,
    early_stopping: EarlyStopping | None,
) -> None:
    count = jax.tree.leaves(data)[0].shape[0]
    require(epochs >= 1, "epochs", "be at least 1", epochs)
    fits = 1 <= batch_size <= count
    require(fits, "batch_size", f"lie in [1, {count}]", batch_size)
    given = early_stopping is None or evaluate is not None
    require(given, "evaluate", "be given with `early_stopping`", None)


def _all_finite(tree: PyTree) -> Array:
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(leaves))


def _identity(key: Key, data: PyTree, batch_size: int) -> np.ndarray:
    """Return what tells runs of equal shapes apart, as far as numbers can."""
    checksum = zlib.crc32(str(batch_size).encode())
    for leaf in jax.tree.leaves((jax.random.key_data(key), data)):
        checksum = zlib.crc32(np.asarray(leaf).tobytes(), checksum)
    return np.asarray(checksum, np.uint32)
