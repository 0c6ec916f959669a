"""T2: Fashion-MNIST, the variational classifier beside classical models of its size."""

import dataclasses
import time
from typing import Any, Literal

import flax.nnx as nnx
import jax
import numpy as np
import pandas as pd

from qjax.experiments import Column, Experiment, Frames, Table
from qjax.models import (
    QuantumClassifier,
    accuracy,
    classifier_optimizer,
    count_parameters,
    fashion_pca,
    fashion_split,
    train,
    unit_norm,
)

NUM_WIRES = 6
CHUNKS = 10
"""Points of the training curve in each epoch."""


# --- the quantum model ----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class ClassifierConfig:
    """Grid of the variational classifier; `seed` is the root seed."""

    seed: int = 0
    repetitions: int = 3
    epochs: int = 8
    batch_size: int = 250
    depth: int = 4
    reach: int = 2
    adam_rate: float = 0.1
    qng_rate: float = 0.15
    readout_rate: float = 0.3
    metric_inputs: int = 4
    train_size: int = 60_000
    test_size: int = 10_000


def classifier_grid(config: ClassifierConfig) -> list[dict[str, Any]]:
    """Both optimizers, every repetition."""
    rates = {"qng": config.qng_rate, "adam": config.adam_rate}
    return [
        {
            "optimizer": optimizer,
            "repetition": repetition,
            "angle_rate": rate,
            "readout_rate": config.readout_rate,
            "epochs": config.epochs,
            "batch_size": config.batch_size,
            "depth": config.depth,
            "reach": config.reach,
            "metric_inputs": config.metric_inputs,
            "train_size": config.train_size,
            "test_size": config.test_size,
            "split": "train",
        }
        for optimizer, rate in rates.items()
        for repetition in range(config.repetitions)
    ]


def run_classifier(
    key: jax.Array,
    *,
    optimizer: str,
    repetition: int,
    angle_rate: float,
    readout_rate: float,
    epochs: int,
    batch_size: int,
    depth: int,
    reach: int,
    metric_inputs: int,
    train_size: int,
    test_size: int,
    split: Literal["train", "fit"],
) -> dict[str, Any]:
    """Train once and judge: on the test images, or for "fit" on validation ones."""
    del repetition  # it only gives the cell its own key
    learn = fashion_split(split, train_size)
    judge = fashion_split("test" if split == "train" else "validation", test_size)
    pca = fashion_pca(split, train_size, 2**NUM_WIRES, centre=False)
    model_key, shuffle_key = jax.random.split(key)
    model = QuantumClassifier(
        nnx.Rngs(params=model_key), num_wires=NUM_WIRES, depth=depth, reach=reach
    )
    steps = epochs * (len(learn.labels) // batch_size)
    start = time.perf_counter()
    model, history = train(
        shuffle_key,
        model,
        classifier_optimizer(
            model,
            optimizer,
            steps,
            angle_rate=angle_rate,
            readout_rate=readout_rate,
            metric_inputs=metric_inputs,
        ),
        unit_norm(pca(learn.images)),
        learn.labels,
        epochs=epochs,
        batch_size=batch_size,
    )
    seconds = time.perf_counter() - start
    if history.diverged_at is not None:
        raise FloatingPointError(f"training diverged at {history.diverged_at}")
    score = accuracy(model, unit_norm(pca(judge.images)), judge.labels)
    return _scored(score, len(judge.labels)) | {
        "trained": count_parameters(model),
        "fitted": pca.num_fitted,
        "curve": _chunked(history.losses),
        "seconds": seconds,
    }


def _scored(score: float, count: int) -> dict[str, float]:
    return {"accuracy": score, "accuracy_stderr": (score * (1 - score) / count) ** 0.5}


def _chunked(losses: np.ndarray) -> np.ndarray:
    """Average the losses of the steps in CHUNKS pieces of each epoch."""
    chunks = min(CHUNKS, losses.shape[1])
    pieces = [np.array_split(epoch, chunks) for epoch in losses]
    return np.asarray([part.mean() for epoch in pieces for part in epoch])


_ACCURACY = Column(
    "accuracy",
    "estimated",
    stderr="accuracy_stderr",
    description="share of right answers, binomial error",
)
_TRAINED = Column("trained", "exact", description="trained parameters")
_FITTED = Column("fitted", "exact", description="numbers fitted by PCA")
_SECONDS = Column("seconds", "measured", unit="s", description="training time")
_CURVE = Column("curve", "exact", unit="nats", description="training loss, averaged")

CLASSIFIER = Experiment(
    name="classifier",
    version=2,
    config=ClassifierConfig,
    grid=classifier_grid,
    run=run_classifier,
    source="Farhi and Neven 2018; Stokes et al., Quantum 4, 269 (2020)",
    dtypes=("float32", "complex64"),
    columns=(_ACCURACY, _TRAINED, _FITTED, _CURVE, _SECONDS),
)


# --- how the learning rates were chosen -----------------------------------------------


@dataclasses.dataclass(frozen=True)
class TuningConfig:
    """Learning rates tried on the validation split; `seed` is the root seed."""

    seed: int = 0
    epochs: int = 2
    adam_rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    qng_rates: tuple[float, ...] = (0.02, 0.05, 0.15)
    readout_rate: float = 0.3
    batch_size: int = 250
    train_size: int = 50_000
    validation_size: int = 10_000


def tuning_grid(config: TuningConfig) -> list[dict[str, Any]]:
    """Every rate of both optimizers, once."""
    rates = [("qng", rate) for rate in config.qng_rates]
    rates += [("adam", rate) for rate in config.adam_rates]
    defaults = ClassifierConfig()
    return [
        {
            "optimizer": optimizer,
            "repetition": 0,
            "angle_rate": rate,
            "readout_rate": config.readout_rate,
            "epochs": config.epochs,
            "batch_size": config.batch_size,
            "depth": defaults.depth,
            "reach": defaults.reach,
            "metric_inputs": defaults.metric_inputs,
            "train_size": config.train_size,
            "test_size": config.validation_size,
            "split": "fit",
        }
        for optimizer, rate in rates
    ]


TUNING = dataclasses.replace(
    CLASSIFIER, name="classifier_tuning", config=TuningConfig, grid=tuning_grid
)


# --- the tables -----------------------------------------------------------------------


def _summary(group: pd.DataFrame) -> dict[str, Any]:
    """Mean over seeds; the error joins the spread of seeds and that of test images."""
    scores = group["accuracy"].to_numpy()
    spread = scores.std(ddof=1) / len(scores) ** 0.5 if len(scores) > 1 else 0.0
    sampling = group["accuracy_stderr"].max()
    return {
        "seeds": len(scores),
        "accuracy": 100 * scores.mean(),
        "accuracy_stderr": 100 * float(np.hypot(spread, sampling)),
        "trained": int(group["trained"].iloc[0]),
        "fitted": int(group["fitted"].iloc[0]),
        "seconds": group["seconds"].mean(),
    }


def build(frames: Frames) -> pd.DataFrame:
    """One line for each model and optimizer."""
    quantum = frames["classifier"].groupby("optimizer", sort=False)
    classical = frames["classifier_baselines"].groupby("model", sort=False)
    rows = [
        {"model": f"variational circuit, {name}", "epochs": g["epochs"].iloc[0]}
        | _summary(g)
        for name, g in quantum
    ] + [
        {"model": f"{name} {g['shape'].iloc[0]}", "epochs": g["epochs"].iloc[0]}
        | _summary(g)
        for name, g in classical
    ]
    return pd.DataFrame(rows)


def build_tuning(frames: Frames) -> pd.DataFrame:
    """One line for each learning rate tried."""
    frame = frames["classifier_tuning"].copy()
    frame[["accuracy", "accuracy_stderr"]] *= 100
    return frame[["optimizer", "angle_rate", "epochs", "accuracy", "accuracy_stderr"]]


_PERCENT = dataclasses.replace(_ACCURACY, unit="%", digits=2)

EXPERIMENTS = (CLASSIFIER, TUNING)
ARTEFACTS = (
    Table(
        name="t2_classifier",
        title="T2. Fashion-MNIST: accuracy on the test images",
        experiments=("classifier", "classifier_baselines"),
        build=build,
        columns=(
            Column("model", "label"),
            Column("epochs", "label"),
            Column("seeds", "label"),
            dataclasses.replace(_PERCENT, heading="test accuracy"),
            dataclasses.replace(_TRAINED, heading="trained"),
            dataclasses.replace(_FITTED, heading="PCA numbers"),
            dataclasses.replace(_SECONDS, heading="training", digits=2),
        ),
        notes=(
            "The error joins the standard error over seeds and the binomial one of "
            "the test images.",
            "qng: natural gradient for the angles (Fubini-Study metric averaged over "
            "4 inputs of each batch), Adam for the readout; adam: Adam for both.",
            "The small network and the logistic regression see the leading "
            "standardised components; their trained parameters match the circuit's.",
        ),
    ),
    Table(
        name="t2_tuning",
        title="T2a. Learning rates tried on held-out training images",
        experiments=("classifier_tuning",),
        build=build_tuning,
        columns=(
            Column("optimizer", "label"),
            Column("angle_rate", "label", heading="rate of the angles"),
            Column("epochs", "label"),
            dataclasses.replace(_PERCENT, heading="validation accuracy"),
        ),
        notes=("One seed each; the test images were not looked at.",),
    ),
)
