"""Complex arrays as JSON: what a random instance is stored as, exactly."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def array_record(array: Any) -> dict[str, Any]:
    """Real and imaginary parts of an array as nested lists of floats.

    Example:
        >>> from qjax.bounds.memory.array_records import array_record
        >>> array_record([1 + 2j])
        {'real': [1.0], 'imag': [2.0]}
    """
    values = np.asarray(array, dtype=complex)
    return {"real": np.real(values).tolist(), "imag": np.imag(values).tolist()}


def recorded_array(record: Mapping[str, Any]) -> np.ndarray:
    """The array of an `array_record`, bit for bit.

    Example:
        >>> from qjax.bounds.memory.array_records import recorded_array
        >>> recorded_array({"real": [1.0], "imag": [2.0]})
        array([1.+2.j])
    """
    return np.asarray(record["real"]) + 1j * np.asarray(record["imag"])
