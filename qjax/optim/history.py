"""What a training run writes down."""

from collections.abc import Callable

import equinox as eqx
import numpy as np

from qjax._checks import require


class History(eqx.Module):
    """Numbers of a training run.

    Attributes:
        losses: Loss of each step, shape (epochs, steps); NaN where not reached.
        costs: Circuits, passes and shots of each step, shape (epochs, steps, 3); NaN
            where not reached. See `Cost`.
        metrics: What `evaluate` gave after each epoch, shape (epochs,), or NaN.
        seconds: Time of each epoch, shape (epochs,); the first includes compilation.
        traces: How often the step was traced: 1, or 0 if nothing was left to do.
        stopped: Why the run ended: "finished", "diverged", "no better" or "shots
            spent".
        diverged_at: (epoch, step) of the first loss or parameter that was not finite,
            both from 0, or None. The parameters returned are those before that step.
        best_epoch: With early stopping the epoch, from 0, whose parameters were
            returned; else None.
    """

    losses: np.ndarray
    costs: np.ndarray
    metrics: np.ndarray
    seconds: np.ndarray
    traces: int
    stopped: str
    diverged_at: tuple[int, int] | None = None
    best_epoch: int | None = None

    @property
    def total_cost(self) -> np.ndarray:
        """Circuits, passes and shots of the whole run, shape (3,), float64."""
        return np.nansum(self.costs.astype(np.float64), axis=(0, 1))


class EarlyStopping(eqx.Module):
    """Stop when `evaluate` has not improved for some epochs; keep the best parameters.

    Attributes:
        patience: Epochs without improvement after which to stop, at least 1.
        mode: "max" if a larger number is better, "min" if a smaller one is.
        min_change: What counts as an improvement, at least 0.

    Raises:
        ValueError: If a value is out of range.

    Example:
        >>> from qjax.optim import EarlyStopping
        >>> EarlyStopping(patience=3, mode="min").better(0.2, 0.3)
        True
    """

    patience: int
    mode: str = "max"
    min_change: float = 0.0

    def __check_init__(self):
        require(self.patience >= 1, "patience", "be at least 1", self.patience)
        known = self.mode in ("max", "min")
        require(known, "mode", "be 'max' or 'min'", repr(self.mode))
        fine = self.min_change >= 0
        require(fine, "min_change", "be at least 0", self.min_change)

    def better(self, new: float, old: float) -> bool:
        """Say whether a number improves on an earlier one; NaN is worse than any."""
        if np.isnan(old):
            return not np.isnan(new)
        gain = new - old if self.mode == "max" else old - new
        return bool(gain > self.min_change)


class EpochRecord(eqx.Module):
    """What a callback is told after each epoch.

    Attributes:
        epoch: From 0.
        losses: Of each step, shape (steps,).
        costs: Of each step, shape (steps, 3).
        metric: What `evaluate` gave, or NaN.
        seconds: Time of the epoch.
    """

    epoch: int
    losses: np.ndarray
    costs: np.ndarray
    metric: float
    seconds: float


Callback = Callable[[EpochRecord], None]
