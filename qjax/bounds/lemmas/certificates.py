"""Checks of proof steps that replay a certificate or read the record of Coq."""

import functools
from collections.abc import Callable

from qjax.bounds.bound import Checked
from qjax.bounds.entropic import replay_certificate, stored_certificate
from qjax.bounds.machine import machine_checked


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


def compiled_by_coq(*theorems: str) -> Callable[[], Checked]:
    """A check that the record of the last compilation vouches for Coq theorems.

    Args:
        theorems: Names in proofs/coq/theorems.json.

    Returns:
        A function without arguments for the field `check` of a step. Where no record
        fits the present sources the step is neither closed nor open: not checked here.

    Example:
        >>> from qjax.bounds.lemmas.certificates import compiled_by_coq
        >>> compiled_by_coq("core_inequality")().closed
        True
        >>> compiled_by_coq("moonshine")()
        Checked(closed=None, note='not checked here')
    """
    return functools.partial(_recorded, theorems)


def _recorded(theorems: tuple[str, ...]) -> Checked:
    found = [machine_checked(theorem) for theorem in theorems]
    closed = True if all(check.closed for check in found) else None
    notes = dict.fromkeys(check.note for check in found)
    named = f" ({', '.join(theorems)})" if closed else ""
    return Checked(closed, "; ".join(notes) + named)
