"""What an attack found, as data that can be stored, and its replay at 50 digits."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

REPLAY_ERROR = 1e-30
"""Above the rounding of a replay at 50 digits: many optima are equalities, ratio 1."""


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A candidate recomputed in mpmath from its record; only this counts.

    Attributes:
        ratio: (What was attained)/(what the claim allows); above 1 refutes the claim.
        values: Numbers by symbol name.
    """

    ratio: Any
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Candidate:
    """The best point of one attack.

    Attributes:
        claim: What was attacked, in words.
        record: JSON-able data from which the point is rebuilt; "kind" names its replay.
        climbed: Ratio in float64, as the search saw it.
        replayed: The same point in mpmath.
        all_ratios: Float64 ratio of every restart; NaN where dropped.
        dropped: Number of restarts that were not finite.
    """

    claim: str
    record: Mapping[str, Any]
    climbed: float
    replayed: Evaluation
    all_ratios: np.ndarray
    dropped: int

    @property
    def refutes(self) -> bool:
        """Whether the replayed point violates the claim by more than its rounding."""
        return bool(self.replayed.ratio > 1 + REPLAY_ERROR)
