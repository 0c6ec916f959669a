"""Predicted seconds of the steps a program is made of, from measured tables."""

import dataclasses
import functools
import importlib.resources
import json
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class CostModel:
    """Measured nanoseconds for each number of the state, by step and by size.

    A window step multiplies a matrix of `2^x` rows with the state seen as a tensor of
    shape (left, 2^x, right); a relayout permutes the state's axes and keeps runs of
    `2^r` numbers together. Tables are tuples of rows, so that the model is hashable.

    Attributes:
        device: Kind of device it is for.
        dtype: Real dtype of the state's numbers.
        log_sizes: log2 of the state sizes measured.
        log_rows: log2 of the matrix sizes x.
        log_rights: log2 of the sizes of the axes to the right.
        window: ns per number, [size][x][right]; the state is not at its right end.
        closing: ns per number, [size][x], of a window at the right end.
        log_runs: log2 of the run lengths r.
        relayout: ns per number, [size][r].
        step: Seconds that any step takes in addition.
        build: ns per entry of a window's matrix and per level of its product.
    """

    device: str
    dtype: str
    log_sizes: tuple[int, ...]
    log_rows: tuple[int, ...]
    log_rights: tuple[int, ...]
    window: tuple[tuple[tuple[float, ...], ...], ...]
    closing: tuple[tuple[float, ...], ...]
    log_runs: tuple[int, ...]
    relayout: tuple[tuple[float, ...], ...]
    step: float
    build: float

    @functools.cached_property
    def log_piece(self) -> int | None:
        """log2 of the numbers that a CPU's cache holds; None where size costs nothing.

        It is the largest size measured at which windows take no more than a fifth
        longer for each number than at the best size.
        """
        if self.device != "cpu":
            return None
        rates = np.exp(np.mean(np.log(np.asarray(self.window)[:, :, -1]), axis=1))
        largest = max(np.flatnonzero(rates <= 1.2 * min(rates)))
        return None if largest == len(rates) - 1 else self.log_sizes[largest]

    def window_seconds(self, log_size: int, log_rows: int, log_right: int) -> float:
        """Predict a window of 2^log_rows rows with 2^log_right numbers to its right."""
        row = _nearest(self.log_rows, log_rows)
        rates = [
            float(np.interp(log_right, self.log_rights, t[row])) for t in self.window
        ]
        return self._seconds(rates, log_size, self._growth(log_rows))

    def closing_seconds(self, log_size: int, log_rows: int) -> float:
        """Predict a window at the right end of a sweep."""
        row = _nearest(self.log_rows, log_rows)
        rates = [table[row] for table in self.closing]
        return self._seconds(rates, log_size, self._growth(log_rows))

    def relayout_seconds(self, log_size: int, log_run: int) -> float:
        """Predict a permutation of axes that keeps runs of 2^log_run numbers."""
        rates = [float(np.interp(log_run, self.log_runs, t)) for t in self.relayout]
        return self._seconds(rates, log_size)

    def build_seconds(self, log_rows: int) -> float:
        """Predict building a window's matrices on 2^log_rows basis states."""
        return 1e-9 * self.build * log_rows * 4.0**log_rows

    def _growth(self, log_rows: int) -> float:
        """Beyond the largest matrix measured, time grows with the multiplications."""
        return 2.0 ** max(0, log_rows - self.log_rows[-1])

    def _seconds(
        self, rates: Sequence[float], log_size: int, growth: float = 1.0
    ) -> float:
        """Predict a step from its rates at all sizes measured."""
        rate = float(np.interp(log_size, self.log_sizes, rates))
        return self.step + 1e-9 * rate * growth * 2.0**log_size


def _nearest(grid: tuple[int, ...], value: int) -> int:
    return int(np.argmin(np.abs(np.asarray(grid) - value)))


@functools.cache
def default_cost_model(device: str = "cpu", dtype: str = "float32") -> CostModel:
    """Return the cost model shipped for a kind of device and a real dtype.

    Args:
        device: Platform as JAX names it. One that was not measured gets the CPU's
            tables.
        dtype: "float32" or "float64".

    Example:
        >>> from qjax.plan import default_cost_model
        >>> model = default_cost_model()
        >>> model.window_seconds(21, 5, 10) > model.window_seconds(17, 5, 10)
        True
    """
    text = importlib.resources.files("qjax.plan").joinpath("cost_models.json")
    models = json.loads(text.read_text())
    known = {(entry["device"], entry["dtype"]): entry for entry in models}
    entry = known.get((device, dtype), known["cpu", dtype])
    return from_json({**entry, "device": device})


def from_json(entry: dict[str, Any]) -> CostModel:
    """Build a model from plain lists and numbers."""
    return CostModel(**{name: _freeze(value) for name, value in entry.items()})


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list) else value
