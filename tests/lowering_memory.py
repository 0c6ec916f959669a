"""Case of `tests.lowering`: memory predicted while a function is traced."""

from collections.abc import Callable
from typing import Any

import numpy as np

from qjax import circuits, simulate
from qjax.circuits import Circuit
from qjax.states import StateVector


def predicted_memory(angle: Any) -> Any:
    circuit, state = Circuit([circuits.rx(angle, 0)], 1), StateVector.zeros(1)
    assert simulate.predict_bytes(circuit, state) > 0
    return simulate.run(circuit, state)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "predicted memory": (predicted_memory, (np.float32(0.3),)),
}
