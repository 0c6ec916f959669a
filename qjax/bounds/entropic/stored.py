"""The certificates that ship with qjax: writing them, and replaying them."""

import importlib.resources
import pathlib

from qjax._checks import require
from qjax.bounds.entropic.certificate import Certificate, NotDerivable
from qjax.bounds.entropic.derivation import derive
from qjax.bounds.entropic.lemmas import DERIVATIONS
from qjax.bounds.entropic.parsing import parse


def write_certificates(folder: str | pathlib.Path) -> tuple[pathlib.Path, ...]:
    """Derive every entry of `DERIVATIONS` anew and write one JSON file for each.

    Args:
        folder: An existing folder.

    Returns:
        The files written.

    Raises:
        ArithmeticError: If an entry is not derivable; the table is then wrong.
    """
    written = []
    for name, entry in DERIVATIONS.items():
        answer = derive(entry.claim, entry.system)
        if isinstance(answer, NotDerivable):
            raise ArithmeticError(f"{name}: {answer}")
        path = pathlib.Path(folder) / f"{name}.json"
        path.write_text(answer.to_json(), encoding="utf-8")
        written.append(path)
    return tuple(written)


def stored_certificate(name: str) -> Certificate:
    """A certificate that ships with qjax, not yet checked.

    Args:
        name: A key of `DERIVATIONS`.

    Raises:
        ValueError: If there is no such certificate.

    Example:
        >>> from qjax.bounds.entropic import stored_certificate
        >>> print(stored_certificate("l1_two_parts"))
        I(X1 X2;Q) >= I(X1;Q) + I(X2;Q)
        is the sum of
            1 * [I(X1;X2|Q) >= 0]  strong subadditivity
            1 * [S(X1 X2) = S(X1) + S(X2)]  independent: X1; X2
    """
    require(name in DERIVATIONS, "name", f"be one of {sorted(DERIVATIONS)}", name)
    folder = importlib.resources.files("qjax.bounds.entropic") / "certificates"
    text = (folder / f"{name}.json").read_text(encoding="utf-8")
    return Certificate.from_json(text)


def replay_certificate(name: str) -> bool:
    """Whether the stored certificate proves exactly the entry of `DERIVATIONS`.

    Nothing is solved: the stored axioms and assumptions are added up.

    Args:
        name: A key of `DERIVATIONS`.

    Raises:
        ValueError: If there is no such certificate.

    Example:
        >>> from qjax.bounds.entropic import replay_certificate
        >>> replay_certificate("a1_capacity")
        True
    """
    certificate, entry = stored_certificate(name), DERIVATIONS[name]
    same_system = certificate.system == entry.system
    same_claim = certificate.claim == parse(entry.claim)
    return same_system and same_claim and certificate.check()
