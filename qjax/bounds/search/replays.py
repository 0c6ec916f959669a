"""The replay of every attack's record, by its kind."""

from collections.abc import Callable, Mapping
from typing import Any

from qjax._checks import require
from qjax.bounds.search.candidates import Evaluation
from qjax.bounds.search.contraction_attack import replay_contraction
from qjax.bounds.search.interleaved_attack import replay_damping, replay_interleaved
from qjax.bounds.search.membership_attack import replay_membership
from qjax.bounds.search.shot_law_attack import replay_shot_law

REPLAYS: dict[str, Callable[[Mapping[str, Any]], Evaluation]] = {
    "membership": replay_membership,
    "contraction": replay_contraction,
    "interleaved": replay_interleaved,
    "damping": replay_damping,
    "shot law": replay_shot_law,
}
"""Kind of a record -> what recomputes it at 50 digits."""


def replay_candidate(record: Mapping[str, Any]) -> Evaluation:
    """Recompute the ratio of a stored candidate at 50 digits.

    Args:
        record: `Candidate.record`, also after a round trip through JSON.

    Returns:
        The ratio, above 1 if the claim is violated, and the numbers behind it.

    Raises:
        ValueError: If the record is of an unknown kind.

    Example:
        >>> from qjax.bounds.search import refrigerator, replay_candidate
        >>> found = refrigerator(0.5, 25, 2)
        >>> replay_candidate(found.record).ratio == found.replayed.ratio
        True
    """
    kind = record.get("kind")
    rule = f"be a candidate's, with a kind in {sorted(REPLAYS)}"
    require(kind in REPLAYS, "record", rule, f"of kind {kind!r}")
    return REPLAYS[str(kind)](record)
