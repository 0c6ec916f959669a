"""Classical models beside the variational classifier of T2, on the same images."""

import dataclasses
import time
from typing import Any

import flax.nnx as nnx
import jax
import numpy as np
import optax
from sklearn.linear_model import LogisticRegression

from qjax.experiments import Column, Experiment
from qjax.models import (
    PCA,
    DenseNetwork,
    accuracy,
    count_parameters,
    fashion_pca,
    fashion_split,
    train,
)


@dataclasses.dataclass(frozen=True)
class BaselineConfig:
    """Classical models; `seed` is the root seed."""

    seed: int = 0
    repetitions: int = 3
    logistic_components: int = 22
    small_sizes: tuple[int, ...] = (13, 9, 10)
    small_epochs: int = 8
    dense_sizes: tuple[int, ...] = (784, 128, 10)
    dense_epochs: int = 10
    train_size: int = 60_000
    test_size: int = 10_000


def baseline_grid(config: BaselineConfig) -> list[dict[str, Any]]:
    """Logistic regression once (it has one optimum), networks with every repetition."""
    sizes = {"train_size": config.train_size, "test_size": config.test_size}
    logistic = f"{config.logistic_components}-{10}"
    networks = [
        ("small network", config.small_sizes, config.small_epochs, 0.01),
        ("dense reference", config.dense_sizes, config.dense_epochs, 0.001),
    ]
    return [
        {"model": "logistic regression", "shape": logistic, "repetition": 0}
        | {"epochs": 0, "rate": 0.0}
        | sizes
    ] + [
        {"model": name, "shape": "-".join(map(str, shape)), "repetition": repetition}
        | {"epochs": epochs, "rate": rate}
        | sizes
        for name, shape, epochs, rate in networks
        for repetition in range(config.repetitions)
    ]


def run_baseline(
    key: jax.Array,
    *,
    model: str,
    shape: str,
    repetition: int,
    epochs: int,
    rate: float,
    train_size: int,
    test_size: int,
) -> dict[str, Any]:
    """Train one classical model; small ones see the leading standardised components."""
    del repetition
    learn = fashion_split("train", train_size)
    judge = fashion_split("test", test_size)
    sizes = tuple(int(size) for size in shape.split("-"))
    inputs, judged, fitted = learn.images, judge.images, 0
    if sizes[0] != inputs.shape[1]:
        pca = fashion_pca("train", train_size, sizes[0], centre=True)
        inputs, judged = (_standardised(pca, x) for x in (inputs, judged))
        fitted = pca.num_fitted + pca.scales.size
    start = time.perf_counter()
    if model == "logistic regression":
        fit = LogisticRegression(C=np.inf, max_iter=500).fit(inputs, learn.labels)
        seconds = time.perf_counter() - start
        score = float(fit.score(judged, judge.labels))
        trained = fit.coef_.size + fit.intercept_.size
    else:
        model_key, shuffle_key = jax.random.split(key)
        network = DenseNetwork(nnx.Rngs(params=model_key), sizes)
        steps = epochs * (train_size // 100)
        network, history = train(
            shuffle_key,
            network,
            optax.adam(optax.cosine_decay_schedule(rate, steps)),
            inputs,
            learn.labels,
            epochs=epochs,
            batch_size=100,
        )
        seconds = time.perf_counter() - start
        if history.diverged_at is not None:
            raise FloatingPointError(f"training diverged at {history.diverged_at}")
        score = accuracy(network, judged, judge.labels)
        trained = count_parameters(network)
    return {
        "accuracy": score,
        "accuracy_stderr": (score * (1 - score) / len(judge.labels)) ** 0.5,
        "trained": trained,
        "fitted": fitted,
        "seconds": seconds,
    }


def _standardised(pca: PCA, images: np.ndarray) -> np.ndarray:
    return pca(images) / pca.scales.astype(np.float32)[None, :]


BASELINES = Experiment(
    name="classifier_baselines",
    version=2,
    config=BaselineConfig,
    grid=baseline_grid,
    run=run_baseline,
    source="logistic regression: scikit-learn; dense reference: the original design",
    dtypes=("float32",),
    columns=(
        Column("accuracy", "estimated", stderr="accuracy_stderr"),
        Column("trained", "exact", description="trained parameters"),
        Column("fitted", "exact", description="numbers fitted by PCA and scaling"),
        Column("seconds", "measured", unit="s", description="training time"),
    ),
)

EXPERIMENTS = (BASELINES,)
ARTEFACTS = ()
