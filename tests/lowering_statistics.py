"""Lowering cases of the statistics of samples."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from qjax import statistics

SAMPLES = np.asarray([0.3, 0.5], np.float32)


def mean_and_stderr(samples):
    return statistics.mean_and_stderr(samples)


def score_function_mean(samples):
    return jax.value_and_grad(statistics.score_function_mean)(samples, samples)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "mean_and_stderr": (mean_and_stderr, (SAMPLES,)),
    "score_function_mean": (score_function_mean, (SAMPLES,)),
}
