"""Points of a search made exact: normalised at the working precision of mpmath."""

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np

from qjax.bounds.memory.precise import precise_entropy


def precise_ket(amplitudes: np.ndarray) -> mpmath.matrix:
    """The normalised column vector of amplitudes, at the working precision."""
    column = mpmath.matrix([mpmath.mpmathify(complex(z)) for z in amplitudes])
    return column / mpmath.norm(column)


def precise_isometry(array: np.ndarray) -> mpmath.matrix:
    """The nearest columns that are orthonormal at the working precision.

    Gram-Schmidt, twice: the float64 array is orthonormal to 1e-15 only, and fifty
    layers of a matrix that is not quite unitary would not keep the trace.
    """
    matrix = mpmath.matrix(array.tolist())
    columns: list[mpmath.matrix] = []
    for index in range(matrix.cols):
        column = matrix[:, index]
        for _ in range(2):
            for other in columns:
                column -= other * (other.H * column)[0]
        columns.append(column / mpmath.norm(column))
    result = mpmath.matrix(matrix.rows, matrix.cols)
    for index, column in enumerate(columns):
        result[:, index] = column
    return result


def precise_weights(weights: Any) -> list[mpmath.mpf]:
    """Probabilities that sum to one at the working precision."""
    numbers = [mpmath.mpf(float(weight)) for weight in weights]
    total = mpmath.fsum(numbers)
    return [number / total for number in numbers]


def precise_divergence(rho: mpmath.matrix) -> mpmath.mpf:
    """D(rho || I/d) in bits."""
    return mpmath.log(rho.rows, 2) - precise_entropy(rho)


def precise_holevo(
    states: Sequence[mpmath.matrix], weights: Sequence[mpmath.mpf]
) -> mpmath.mpf:
    """chi of an ensemble, in bits."""
    parts = [rho * weight for rho, weight in zip(states, weights, strict=True)]
    average = sum(parts[1:], parts[0])
    pairs = zip(states, weights, strict=True)
    return precise_entropy(average) - mpmath.fsum(
        weight * precise_entropy(rho) for rho, weight in pairs
    )
