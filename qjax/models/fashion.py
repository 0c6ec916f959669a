"""Fashion-MNIST as the models see it: splits, principal components, amplitudes."""

import functools
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from qjax._checks import require
from qjax.data import fashion_mnist
from qjax.models.pca import PCA, fit_pca

Split = Literal["train", "fit", "validation", "test"]


class Labelled(NamedTuple):
    """Images as rows with entries in [0, 1], shape (n, 784), and labels, shape (n,)."""

    images: np.ndarray
    labels: np.ndarray


@functools.cache
def fashion_split(split: Split, size: int) -> Labelled:
    """Return the first `size` images of a split of Fashion-MNIST.

    "train" and "test" are the official splits; "fit" and "validation" are the first
    50 000 and the last 10 000 training images, on which choices are made so that the
    test images are looked at only once.

    Args:
        split: Name of the split.
        size: Number of images, at least 1; more than there are gives all.

    Raises:
        ValueError: If `size` < 1.
        qjax.data.DataError: If the data cannot be had.

    Source: Xiao, Rasul and Vollgraf 2017.
    """
    require(size >= 1, "size", "be at least 1", size)
    data = fashion_mnist()
    images, labels = {
        "train": (data.train_images, data.train_labels),
        "fit": (data.train_images[:50_000], data.train_labels[:50_000]),
        "validation": (data.train_images[50_000:], data.train_labels[50_000:]),
        "test": (data.test_images, data.test_labels),
    }[split]
    flat = images[:size].reshape(len(images[:size]), -1)
    return Labelled(flat.astype(np.float32) / 255, labels[:size].astype(np.int32))


@functools.cache
def fashion_pca(
    split: Literal["train", "fit"], size: int, num_components: int, centre: bool
) -> PCA:
    """Fit components to the images that a model is trained on, and to no others.

    Args:
        split: "train", or "fit" where choices are made on the validation split.
        size: Number of images, as for `fashion_split`.
        num_components: k, in [1, 784].
        centre: Remove the mean; see `fit_pca`.

    Returns:
        The fitted map from rows of 784 numbers to k.

    Raises:
        ValueError: If a number is out of range.

    Source: `fit_pca`.
    """
    images = fashion_split(split, size).images
    return fit_pca(images, num_components, centre=centre)


def unit_norm(features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Divide each row by its norm; a row of zeros becomes the first basis vector.

    Args:
        features: Shape (n, d).

    Returns:
        Shape (n, d), rows of Euclidean norm 1, same dtype.

    Example:
        >>> import numpy as np
        >>> from qjax.models import unit_norm
        >>> unit_norm(np.asarray([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [1.0, 0.0]]
    """
    filled = features.copy()
    filled[np.all(features == 0, axis=1), 0] = 1
    return filled / np.linalg.norm(filled, axis=1, keepdims=True)
