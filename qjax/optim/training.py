"""A training loop: epochs under one jit, checkpoints, and a stop at divergence."""

import os
import pathlib
import tempfile
import zlib
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import rich.progress
from jaxtyping import Array, Float, PyTree

from qjax._checks import require
from qjax._types import Key

LossFn = Callable[[Any, Any], Float[Array, ""]]


class History(eqx.Module):
    """What a training run wrote down.

    Attributes:
        losses: Loss of each step, shape (epochs, steps); NaN where not reached.
        metrics: What `evaluate` gave after each epoch, shape (epochs,), or NaN.
        diverged_at: (epoch, step) of the first loss or parameter that was not finite,
            both from 0, or None. The parameters returned are those before that step.
    """

    losses: np.ndarray
    metrics: np.ndarray
    diverged_at: tuple[int, int] | None


class _Snapshot(eqx.Module):
    """All that a resumed run needs; its leaves are what a checkpoint holds."""

    params: PyTree
    opt_state: PyTree
    epoch: np.ndarray
    losses: np.ndarray
    metrics: np.ndarray
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
    evaluate: Callable[[Any], float] | None = None,
    checkpoint: pathlib.Path | None = None,
    progress: bool = False,
) -> tuple[PyTree, History]:
    """Minimise a mean loss over mini-batches, every epoch as one compiled scan.

    The whole step (batch, gradient, update, check that all stays finite) is inside one
    jit. The optimizer gets the batch as the optax extra argument `batch`. Each epoch
    shuffles with a key of its own, so a resumed run repeats the uninterrupted one.

    Args:
        key: JAX random key for the shuffles.
        loss_fn: Maps (params, batch) to a scalar.
        params: Pytree of floating arrays.
        optimizer: optax transformation.
        data: Pytree of arrays with one leading axis of N examples.
        epochs: Number of passes, at least 1.
        batch_size: In [1, N]; the remainder of an epoch is left out.
        evaluate: Maps params to a number after each epoch.
        checkpoint: File to write after each epoch and to resume from if it exists.
        progress: Show a progress bar.

    Returns:
        The last finite parameters and the history.

    Raises:
        ValueError: If a size is out of range, or the checkpoint belongs to another run
            (other shapes, key, data or batch size; another loss is not noticed).

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qjax.optim import fit
        >>> loss = lambda w, batch: jnp.mean((w - batch) ** 2)
        >>> data, zero = jnp.ones(8), jnp.asarray(0.0)
        >>> w, history = fit(jax.random.key(1), loss, zero, optax.sgd(0.3), data,
        ...                  epochs=20, batch_size=4)
        >>> round(float(w), 3), history.diverged_at
        (1.0, None)
    """
    count = jax.tree.leaves(data)[0].shape[0]
    require(epochs >= 1, "epochs", "be at least 1", epochs)
    fits = 1 <= batch_size <= count
    require(fits, "batch_size", f"lie in [1, {count}]", batch_size)
    optimizer = optax.with_extra_args_support(optimizer)
    dtype = np.asarray(jax.tree.leaves(params)[0]).dtype
    losses = np.full((epochs, count // batch_size), np.nan, dtype)
    now = _Snapshot(
        params,
        optimizer.init(params),
        np.asarray(0),
        losses,
        np.full(epochs, np.nan),
        _identity(key, data, batch_size),
    )
    if checkpoint is not None and checkpoint.exists():
        now = _load(checkpoint, now)
    run_epoch = _epoch_function(loss_fn, optimizer, batch_size)
    diverged_at = None
    with rich.progress.Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("training", total=epochs, completed=int(now.epoch))
        for epoch in range(int(now.epoch), epochs):
            now, bad_step = _advance(key, epoch, now, data, run_epoch, evaluate)
            if bad_step is not None:
                diverged_at = (epoch, bad_step)
                break
            if checkpoint is not None:
                _save(checkpoint, now)
            bar.advance(task)
    return now.params, History(now.losses, now.metrics, diverged_at)


def _advance(
    key: Key,
    epoch: int,
    now: _Snapshot,
    data: PyTree,
    run_epoch: Callable[..., Any],
    evaluate: Callable[[Any], float] | None,
) -> tuple[_Snapshot, int | None]:
    """Run one epoch; return the new snapshot and the first step that was not finite."""
    epoch_key = jax.random.fold_in(key, epoch)
    params, opt_state, losses, good = run_epoch(
        epoch_key, now.params, now.opt_state, data
    )
    good, losses = np.asarray(good), np.asarray(losses)
    bad_step = None if good.all() else int(np.argmin(good))
    history, metrics = now.losses.copy(), now.metrics.copy()
    if bad_step is None:
        history[epoch] = losses
        metrics[epoch] = np.nan if evaluate is None else float(evaluate(params))
    done = np.asarray(epoch + (bad_step is None))
    return _Snapshot(params, opt_state, done, history, metrics, now.identity), bad_step


def _epoch_function(
    loss_fn: LossFn, optimizer: optax.GradientTransformationExtraArgs, batch_size: int
) -> Callable[..., Any]:
    @jax.jit
    def run_epoch(key: Key, params: PyTree, opt_state: PyTree, data: PyTree) -> Any:
        count = jax.tree.leaves(data)[0].shape[0]
        steps = count // batch_size
        order = jax.random.permutation(key, count)[: steps * batch_size]
        batches = order.reshape(steps, batch_size)

        def step(carry: Any, rows: Array) -> tuple[Any, Any]:
            params, opt_state, good = carry
            batch = jax.tree.map(lambda leaf: leaf[rows], data)
            loss, gradient = jax.value_and_grad(loss_fn)(params, batch)
            updates, new_opt_state = optimizer.update(
                gradient, opt_state, params, batch=batch
            )
            new_params = optax.apply_updates(params, updates)
            good = good & jnp.isfinite(loss) & _all_finite(new_params)
            # After the first bad step nothing moves: what stays is the last good state.
            params, opt_state = jax.tree.map(
                lambda new, old: jnp.where(good, new, old),
                (new_params, new_opt_state),
                (params, opt_state),
            )
            return (params, opt_state, good), (loss, good)

        start = (params, opt_state, jnp.asarray(True))
        (params, opt_state, _), (losses, good) = jax.lax.scan(step, start, batches)
        return params, opt_state, losses, good

    return run_epoch


def _all_finite(tree: PyTree) -> Array:
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(leaves))


def _identity(key: Key, data: PyTree, batch_size: int) -> np.ndarray:
    """Return what tells runs of equal shapes apart, as far as numbers can."""
    checksum = zlib.crc32(str(batch_size).encode())
    for leaf in jax.tree.leaves((jax.random.key_data(key), data)):
        checksum = zlib.crc32(np.asarray(leaf).tobytes(), checksum)
    return np.asarray(checksum, np.uint32)


def _save(path: pathlib.Path, snapshot: _Snapshot) -> None:
    """Write to a temporary file, then rename: a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            eqx.tree_serialise_leaves(file, snapshot)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def _load(path: pathlib.Path, like: _Snapshot) -> _Snapshot:
    try:
        # Given a path, equinox would add a suffix to one that has none.
        with path.open("rb") as file:
            found = eqx.tree_deserialise_leaves(file, like)
    except Exception as error:
        raise ValueError(
            f"Argument `checkpoint` must hold a run of the same shapes, but {path} "
            "does not; remove it to start anew."
        ) from error
    same = np.array_equal(found.identity, like.identity)
    rule = "hold a run with this key, data and batch size; remove it to start anew"
    require(same, "checkpoint", rule, path)
    return found
