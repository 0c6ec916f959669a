"""Which steps a proof assistant has checked, read from the record of its last run.

Coq itself is not needed: `scripts/compile_proofs.py` compiles the files of `proofs/coq`
and records, for each file, the hash of the source that was compiled. A theorem counts
as checked only while the sources are still those.
"""

import dataclasses
import hashlib
import json
from importlib.resources.abc import Traversable
from typing import Any

from qjax._checks import require
from qjax.bounds.proofs import proofs_folder


@dataclasses.dataclass(frozen=True)
class MachineCheck:
    """Whether a theorem is machine-checked.

    Attributes:
        closed: True if a record vouches for the present sources.
        note: One line for a report.
        claim: What the theorem says, in words; empty if it is not listed.
        statement: What the theorem says, as Coq printed it; empty unless closed.
        assumptions: Axioms of Coq's library that the proof rests on.
    """

    closed: bool
    note: str
    claim: str = ""
    statement: str = ""
    assumptions: tuple[str, ...] = ()


def machine_checked(theorem: str, *, folder: Traversable | None = None) -> MachineCheck:
    """Whether Coq has accepted a theorem, with its sources as they are now.

    Closed if and only if the record lists the theorem, the source of its file and of
    every file that it requires has the recorded SHA-256, and its assumptions are among
    those of `theorems.json`.

    Args:
        theorem: Name in `proofs/coq/theorems.json`, for example "core_inequality".
        folder: Folder with sources and record; the shipped one if left out.

    Raises:
        ValueError: If `theorem` is not a name of Coq.

    Source: theory of bounds, section 6 (steps checked by a proof assistant).

    Example:
        >>> from qjax.bounds.machine import machine_checked
        >>> machine_checked("core_inequality").note.startswith("machine-checked (Coq")
        True
        >>> machine_checked("moonshine").note
        'not checked here'
    """
    is_name = theorem.replace("'", "").isidentifier()
    require(is_name, "theorem", "be the name of a theorem", repr(theorem))
    place = proofs_folder() / "coq" if folder is None else folder
    listed = _read(place / "theorems.json")
    record = _read(place / "record.json")
    claim = listed.get("theorems", {}).get(theorem, {})
    proved = record.get("theorems", {}).get(theorem, {})
    allowed = set(listed.get("assumptions", {}))
    closed = (
        bool(claim)
        and proved.get("file") == claim.get("file")
        and set(proved.get("assumptions", ["unknown"])) <= allowed
        and _sources_match(place, proved["file"], record.get("files", {}))
    )
    if not closed:
        return MachineCheck(False, "not checked here", claim.get("claim", ""))
    note = f"machine-checked (Coq {record['coq']}, record of {record['date']})"
    return MachineCheck(
        True, note, claim["claim"], proved["statement"], tuple(proved["assumptions"])
    )


def machine_theorems(*, folder: Traversable | None = None) -> dict[str, str]:
    """Every listed theorem with the numbered step that it checks, in reading order.

    Args:
        folder: Folder with `theorems.json`; the shipped one if left out.

    Example:
        >>> from qjax.bounds.machine import machine_theorems
        >>> machine_theorems()["supermodular_contraction"]
        'L4.11'
    """
    place = proofs_folder() / "coq" if folder is None else folder
    theorems = _read(place / "theorems.json").get("theorems", {})
    return {name: entry["step"] for name, entry in theorems.items()}


def _read(path: Traversable) -> dict[str, Any]:
    """A JSON object, or an empty one if there is none: then nothing is checked."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sources_match(place: Traversable, file: str, files: dict[str, Any]) -> bool:
    """Whether a file and all that it requires are what was compiled."""
    for name in (file, *files.get(file, {}).get("requires", ())):
        source = place / name
        recorded = files.get(name, {}).get("sha256")
        if not source.is_file():
            return False
        if hashlib.sha256(source.read_bytes()).hexdigest() != recorded:
            return False
    return True
