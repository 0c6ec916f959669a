"""Training of nnx classifiers, and the splits of the real data."""

import pathlib
from typing import Any

import flax.nnx as nnx
import jax
import numpy as np
import optax
import pytest

from qjax.models import (
    DenseNetwork,
    QuantumClassifier,
    accuracy,
    classifier_optimizer,
    count_parameters,
    fashion_pca,
    fashion_split,
    train,
    unit_norm,
)
from qjax.optim import ParameterShift

COUNT = 200


@pytest.fixture(autouse=True)
def promotion_that_optax_needs():
    """optax's Adam raises a float to an integer power, which strict mode refuses."""
    with jax.numpy_dtype_promotion("standard"):
        yield


def task() -> tuple[np.ndarray, np.ndarray]:
    """Two classes of unit vectors that a plane through 0 does not separate."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, COUNT).astype(np.int32)
    x = rng.normal(0, 0.3, (COUNT, 4))
    x[np.arange(COUNT), labels] += rng.choice([-1, 1], COUNT)
    return unit_norm(x).astype(np.float32), labels


def fresh(seed: int = 0) -> QuantumClassifier:
    rngs = nnx.Rngs(params=jax.random.key(seed))
    return QuantumClassifier(rngs, num_wires=2, depth=2, num_classes=2)


def fitted(name: str, epochs: int = 6, rate: float = 0.1):
    steps = epochs * COUNT // 20
    rates: dict[str, Any] = {"angle_rate": rate, "readout_rate": rate}
    optimizer = classifier_optimizer(fresh(), name, steps, **rates)
    key = jax.random.key(1)
    sizes: dict[str, Any] = {"epochs": epochs, "batch_size": 20}
    return train(key, fresh(), optimizer, *task(), num_classes=2, **sizes)


@pytest.mark.parametrize("name", ["adam", "qng"])
def test_training_learns_what_no_linear_model_can(name: str):
    network, history = fitted(name)
    assert history.losses.shape == (6, 10)
    assert history.diverged_at is None
    assert accuracy(network, *task()) > 0.85
    assert _learned(history.losses)
    # The mutant: a run that never moves must not pass for learning.
    _, still = fitted(name, rate=0.0)
    assert not _learned(still.losses)


def _learned(losses: np.ndarray) -> bool:
    return bool(losses[-1].mean() < 0.8 * losses[0].mean())


def test_training_leaves_the_given_model_alone_and_repeats_bit_for_bit():
    first, _ = fitted("qng", epochs=2)
    second, _ = fitted("qng", epochs=2)
    for a, b in zip(_leaves(first), _leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(_leaves(fresh()), _leaves(first), strict=True):
        assert np.any(a != b)


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: pathlib.Path):
    path = tmp_path / "run.eqx"
    whole, history = fitted("qng", epochs=2)

    class Interrupted(Exception):
        pass

    rates: dict[str, Any] = {"angle_rate": 0.1, "readout_rate": 0.1}
    optimizer = classifier_optimizer(fresh(), "qng", 20, **rates)
    calls = []

    def stop_in_the_second_epoch(model: nnx.Module) -> float:
        calls.append(model)
        if len(calls) == 2:
            raise Interrupted
        return 0.0

    key = jax.random.key(1)
    with pytest.raises(Interrupted):
        train(
            key,
            fresh(),
            optimizer,
            *task(),
            evaluate=stop_in_the_second_epoch,
            num_classes=2,
            checkpoint=path,
            epochs=2,
            batch_size=20,
        )
    resumed, again = train(
        key,
        fresh(),
        optimizer,
        *task(),
        num_classes=2,
        checkpoint=path,
        epochs=2,
        batch_size=20,
    )
    for a, b in zip(_leaves(whole), _leaves(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(history.losses, again.losses)


def test_a_loss_that_is_not_finite_stops_training_and_says_where():
    inputs, labels = task()
    inputs = inputs.copy()
    inputs[17] = np.nan
    network, history = train(
        jax.random.key(1),
        fresh(),
        optax.adam(0.1),
        inputs,
        labels,
        num_classes=2,
        epochs=3,
        batch_size=20,
    )
    assert history.diverged_at is not None
    epoch, step = history.diverged_at
    assert epoch == 0 and 0 <= step < 10
    assert all(np.all(np.isfinite(leaf)) for leaf in _leaves(network))


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match=r"`name` must be 'adam' or 'qng'"):
        classifier_optimizer(fresh(), "sgd", 1, angle_rate=0.1, readout_rate=0.1)


def test_labels_out_of_range_are_refused():
    inputs, labels = task()
    wrong = np.where(np.arange(COUNT) == 7, 2, labels)
    sizes: dict[str, Any] = {"epochs": 1, "batch_size": 20}
    with pytest.raises(
        ValueError, match=r"`labels` must lie in \[0, 2\), but is \[2\]"
    ):
        train(
            jax.random.key(1), fresh(), optax.adam(0.1), inputs, wrong, num_classes=2,
            **sizes,
        )  # fmt: skip


@pytest.mark.parametrize("readout", ["linear", "probabilities"])
def test_shots_train_the_model_too(readout):
    rngs = nnx.Rngs(params=jax.random.key(0))
    model = QuantumClassifier(
        rngs, num_wires=2, depth=2, rotations="Y", readout=readout, num_classes=2
    )
    rates: dict[str, Any] = {"angle_rate": 0.2, "readout_rate": 0.2}
    network, history = train(
        jax.random.key(1),
        model,
        classifier_optimizer(model, "adam", 60, **rates),
        *task(),
        num_classes=2,
        epochs=6,
        batch_size=20,
        estimator=ParameterShift(shots=50),
    )
    # Four angles, two terms each, and the values themselves: of 20 images, 50 shots.
    assert np.all(history.costs == np.asarray([9 * 20, 9 * 20, 9 * 20 * 50]))
    assert _learned(history.losses) and accuracy(network, *task()) > 0.8


def test_the_dense_reference_has_the_parameters_of_the_original_design():
    network = DenseNetwork(nnx.Rngs(0), (784, 128, 10))
    assert count_parameters(network) == 784 * 128 + 128 + 128 * 10 + 10
    with pytest.raises(ValueError, match="`sizes` must hold at least two"):
        DenseNetwork(nnx.Rngs(0), (784,))


def test_validation_images_are_not_among_those_fitted_and_test_images_are_apart():
    fit, validation = fashion_split("fit", 60_000), fashion_split("validation", 60_000)
    whole, test = fashion_split("train", 60_000), fashion_split("test", 60_000)
    assert len(fit.labels) == 50_000 and len(validation.labels) == 10_000
    both = np.concatenate([fit.images, validation.images])
    np.testing.assert_array_equal(both, whole.images)
    assert len(test.labels) == 10_000
    assert whole.images.min() == 0 and whole.images.max() == 1
    with pytest.raises(ValueError, match="`size` must be at least 1"):
        fashion_split("train", 0)


def test_components_are_fitted_to_the_images_asked_for_only():
    few, more = (fashion_pca("train", n, 3, False).components for n in (300, 400))
    assert np.any(few != more)
    images = fashion_split("train", 300).images.astype(np.float64)
    _, _, vectors = np.linalg.svd(images, full_matrices=False)
    cosines = np.abs(np.sum(few * vectors[:3], axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adam", "qng"])
def test_two_epochs_on_real_images_reach_the_bar_on_held_out_ones(name: str):
    fit, held_out = fashion_split("fit", 50_000), fashion_split("validation", 10_000)
    pca = fashion_pca("fit", 50_000, 64, False)
    model = QuantumClassifier(nnx.Rngs(params=jax.random.key(3)), reach=2)
    rate = {"adam": 0.1, "qng": 0.15}[name]
    network, _ = train(
        jax.random.key(5),
        model,
        classifier_optimizer(model, name, 400, angle_rate=rate, readout_rate=0.3),
        unit_norm(pca(fit.images)),
        fit.labels,
        epochs=2,
        batch_size=250,
    )
    assert count_parameters(network) <= 256
    score = accuracy(network, unit_norm(pca(held_out.images)), held_out.labels)
    assert score >= 0.75


def _leaves(network: nnx.Module) -> list[np.ndarray]:
    return [np.asarray(x) for x in jax.tree.leaves(nnx.state(network, nnx.Param))]
