"""Training of flax.nnx classifiers: optimizers, the loop, accuracy."""

from collections.abc import Callable
from typing import Any

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax._types import Key
from qjax.models.classifier import (
    Model,
    QuantumClassifier,
    angle_metric,
    hybrid_loss,
    split_model,
)
from qjax.optim import History, fit, qng


def train(
    key: Key,
    model: Model,
    optimizer: optax.GradientTransformation,
    inputs: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    num_classes: int = 10,
    evaluate: Callable[[Model], float] | None = None,
    **options: Any,
) -> tuple[Model, History]:
    """Train an nnx classifier by cross-entropy on mini-batches; see `qjax.optim.fit`.

    The optimizer sees the parameters as nested dicts of arrays, named as in the module,
    and the batch as the extra argument `batch`, a pair (inputs, labels).

    Args:
        key: JAX random key for the shuffles and the gradient's estimator.
        model: Maps inputs to logits; it is not changed. The loss of a
            `QuantumClassifier` is a `HybridLoss`, so that every estimator works.
        optimizer: optax transformation.
        inputs: Training inputs.
        labels: Training labels, in [0, num_classes).
        num_classes: Number of logits.
        evaluate: Maps the model to a number after each epoch.
        options: As for `qjax.optim.fit`: `epochs` and `batch_size`, and what else is
            wanted.

    Returns:
        The trained model and the history.

    Raises:
        ValueError: If a label is out of range, or as `qjax.optim.fit`.

    Example:
        >>> import flax.nnx as nnx, jax, numpy as np, optax
        >>> from qjax.models import DenseNetwork, accuracy, train
        >>> inputs, labels = np.eye(2, dtype=np.float32), np.arange(2)
        >>> model = DenseNetwork(nnx.Rngs(0), (2, 2))
        >>> model, _ = train(jax.random.key(0), model, optax.sgd(0.5), inputs, labels,
        ...                  num_classes=2, epochs=50, batch_size=2)
        >>> accuracy(model, inputs, labels)
        1.0
    """
    outside = labels[(labels < 0) | (labels >= num_classes)]
    rule = f"lie in [0, {num_classes})"
    require(outside.size == 0, "labels", rule, outside[:1])
    loss, params, rebuild = _loss_of(model)
    watch = None if evaluate is None else lambda p: evaluate(rebuild(p))
    params, history = fit(
        key, loss, params, optimizer, (inputs, labels), evaluate=watch, **options
    )
    return rebuild(params), history


def _loss_of(model: nnx.Module) -> tuple[Any, Any, Callable[[Any], Any]]:
    if isinstance(model, QuantumClassifier):
        return hybrid_loss(model)
    params, rebuild = split_model(model)

    def loss(own: Any, batch: tuple[Array, Array]) -> Float[Array, " b"]:
        logits = rebuild(own)(batch[0])
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch[1])

    return loss, params, rebuild


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
    model: QuantumClassifier,
    name: str,
    steps: int,
    *,
    angle_rate: float,
    readout_rate: float,
    damping: float = 0.01,
    metric_inputs: int = 4,
) -> optax.GradientTransformation:
    """Build the optimizer of a `QuantumClassifier`, rates falling to 0 by a cosine.

    Args:
        model: The model to train; only its structure is used.
        name: "adam" for all parameters, or "qng": quantum natural gradient for the
            angles, with the metric averaged over the first `metric_inputs` of each
            mini-batch, and Adam for the readout, which has no quantum metric.
        steps: Number of steps of the whole run.
        angle_rate: Initial learning rate of the angles.
        readout_rate: Initial learning rate of the readout.
        damping: Added to the metric's diagonal.
        metric_inputs: Inputs that the metric is averaged over.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> import flax.nnx as nnx
        >>> from qjax.models import QuantumClassifier, classifier_optimizer
        >>> model = QuantumClassifier(nnx.Rngs(0))
        >>> rates = {"angle_rate": 0.1, "readout_rate": 0.1}
        >>> len(classifier_optimizer(model, "adam", 10, **rates))
        2
    """
    angle_schedule = optax.cosine_decay_schedule(angle_rate, steps)
    readout_schedule = optax.cosine_decay_schedule(readout_rate, steps)

    def metric(params: Any, batch: tuple[Array, Array]) -> Float[Array, "p p"]:
        return angle_metric(model, params["angles"], batch[0][:metric_inputs])

    if name == "adam":
        angles = optax.adam(angle_schedule)
    elif name == "qng":
        angles = qng(angle_schedule, metric, damping=damping)
    else:
        raise ValueError(f"Argument `name` must be 'adam' or 'qng', but is {name!r}.")

    def label(params: Any) -> dict[str, str]:
        return {key: "angles" if key == "angles" else "readout" for key in params}

    parts = {"angles": angles, "readout": optax.adam(readout_schedule)}
    return optax.partition(parts, label)
