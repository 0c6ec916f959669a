"""Training of flax.nnx classifiers: optimizers, the loop, accuracy."""

import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from qjax._types import Key
from qjax.models.classifier import angle_metric
from qjax.optim import History, fit, qng

Model = TypeVar("Model", bound=nnx.Module)


def cross_entropy(
    logits: Float[Array, "batch c"], labels: Int[Array, " batch"]
) -> Float[Array, ""]:
    """Return the mean negative log-likelihood of integer labels, in nats."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return jnp.mean(losses)


def train(
    key: Key,
    model: Model,
    optimizer: optax.GradientTransformation,
    inputs: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    epochs: int,
    batch_size: int,
    evaluate: Callable[[Model], float] | None = None,
    checkpoint: pathlib.Path | None = None,
) -> tuple[Model, History]:
    """Train an nnx classifier by cross-entropy on mini-batches; see `qjax.optim.fit`.

    The optimizer sees the parameters as nested dicts of arrays, named as in the module,
    and the batch as the extra argument `batch`, a pair (inputs, labels).

    Args:
        key: JAX random key for the shuffles.
        model: Maps inputs to logits; it is not changed.
        optimizer: optax transformation.
        inputs: Training inputs.
        labels: Training labels.
        epochs: Number of passes.
        batch_size: Examples per step.
        evaluate: Maps the model to a number after each epoch.
        checkpoint: File to resume from and to write after each epoch.

    Returns:
        The trained model and the history.

    Raises:
        ValueError: As `qjax.optim.fit`.

    Example:
        >>> import flax.nnx as nnx, jax, numpy as np, optax
        >>> from qjax.models import DenseNetwork, accuracy, train
        >>> inputs, labels = np.eye(2, dtype=np.float32), np.arange(2)
        >>> model = DenseNetwork(nnx.Rngs(0), (2, 2))
        >>> model, _ = train(jax.random.key(0), model, optax.sgd(0.5), inputs, labels,
        ...                  epochs=50, batch_size=2)
        >>> accuracy(model, inputs, labels)
        1.0
    """
    graph, state, rest = nnx.split(model, nnx.Param, ...)
    names = jax.tree.structure(nnx.to_pure_dict(state))
    leaves = jax.tree.structure(state)

    def rebuild(params: Any) -> Model:
        state = jax.tree.unflatten(leaves, jax.tree.leaves(params))
        return nnx.merge(graph, state, rest)

    def loss(params: Any, batch: tuple[Array, Array]) -> Float[Array, ""]:
        return cross_entropy(rebuild(params)(batch[0]), batch[1])

    params, history = fit(
        key,
        loss,
        jax.tree.unflatten(names, jax.tree.leaves(state)),
        optimizer,
        (inputs, labels),
        epochs=epochs,
        batch_size=batch_size,
        evaluate=None if evaluate is None else lambda p: evaluate(rebuild(p)),
        checkpoint=checkpoint,
    )
    return rebuild(params), history


def accuracy(
    model: nnx.Module, inputs: Float[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]
) -> float:
    """Return the share of inputs whose largest logit is the label's."""
    correct = jnp.argmax(nnx.jit(lambda m, x: m(x))(model, inputs), axis=1) == labels
    return float(jnp.mean(correct))


def count_parameters(model: nnx.Module) -> int:
    """Return how many numbers training changes."""
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))


def classifier_optimizer(
    name: str,
    steps: int,
    *,
    angle_rate: float,
    readout_rate: float,
    rotations: str = "YZY",
    damping: float = 0.01,
    metric_inputs: int = 4,
) -> optax.GradientTransformation:
    """Build the optimizer of a `QuantumClassifier`, rates falling to 0 by a cosine.

    Args:
        name: "adam" for all parameters, or "qng": quantum natural gradient for the
            angles, with the metric averaged over the first `metric_inputs` of each
            mini-batch, and Adam for the linear readout, which has no quantum metric.
        steps: Number of steps of the whole run.
        angle_rate: Initial learning rate of the angles.
        readout_rate: Initial learning rate of the readout.
        rotations: Rotations of the model's layers.
        damping: Added to the metric's diagonal.
        metric_inputs: Inputs that the metric is averaged over.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> from qjax.models import classifier_optimizer
        >>> len(classifier_optimizer("adam", 10, angle_rate=0.1, readout_rate=0.1))
        2
    """
    angle_schedule = optax.cosine_decay_schedule(angle_rate, steps)
    readout_schedule = optax.cosine_decay_schedule(readout_rate, steps)

    def metric(params: Any, batch: tuple[Array, Array]) -> Float[Array, "p p"]:
        return angle_metric(params["angles"], batch[0][:metric_inputs], rotations)

    if name == "adam":
        angles = optax.adam(angle_schedule)
    elif name == "qng":
        angles = qng(angle_schedule, metric, damping=damping)
    else:
        raise ValueError(f"Argument `name` must be 'adam' or 'qng', but is {name!r}.")
    return optax.partition(
        {"angles": angles, "readout": optax.adam(readout_schedule)},
        {"angles": "angles", "readout": "readout"},
    )
