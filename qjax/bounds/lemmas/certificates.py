"""Proof steps that replay a stored entropic certificate."""

import functools
from collections.abc import Callable

from qjax.bounds.bound import Checked
from qjax.bounds.entropic import replay_certificate, stored_certificate


def derived_from_entropies(*names: str) -> Callable[[], Checked]:
    """A check that replays certificates of `qjax.bounds.entropic` by name.

    Args:
        names: Keys of `DERIVATIONS`; all must replay.

    Returns:
        A function without arguments for the field `check` of a step; its note shows
        each claim and from how many axioms it is the sum.

    Example:
        >>> from qjax.bounds.lemmas.certificates import derived_from_entropies
        >>> derived_from_entropies("l1_two_parts")().closed
        True
    """
    return functools.partial(_replay, names)


def _replay(names: tuple[str, ...]) -> Checked:
    notes = []
    for name in names:
        certificate = stored_certificate(name)
        claim = str(certificate).splitlines()[0]
        notes.append(f"{claim} (certificate {name}, {len(certificate.axioms)} axioms)")
    return Checked(all(map(replay_certificate, names)), "; ".join(notes))
