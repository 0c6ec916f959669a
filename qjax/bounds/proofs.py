"""Where the proof texts are, and the numbers of their steps."""

import importlib.resources
import pathlib
import re
from importlib.resources.abc import Traversable

from qjax._checks import require

_STEP = re.compile(r"^#+ Step ([A-Z][A-Za-z0-9]*(?:\.[0-9]+)?)\b", re.MULTILINE)


def proof_text(name: str) -> str:
    """The readable proof of a bound, as Markdown.

    Installed packages carry the texts as `qjax/_proofs`; a source tree has them in
    `proofs/` beside the package.

    Args:
        name: File name without suffix, for example "a1" or "lemmas/axioms".

    Raises:
        ValueError: If there is no such text in either place.

    Example:
        >>> from qjax.bounds import proof_text
        >>> proof_text("a1").startswith("# Theorem A1")
        True
    """
    text = proofs_folder() / f"{name}.md"
    require(text.is_file(), "name", "be a text in proofs/", repr(name))
    return text.read_text(encoding="utf-8")


def proofs_folder() -> Traversable:
    """The folder of the proofs: in an installed package, or beside a source tree."""
    package = importlib.resources.files("qjax")
    installed = package / "_proofs"
    beside = pathlib.Path(str(package)).parent / "proofs"
    return installed if installed.is_dir() else beside


def step_numbers(text: str) -> tuple[str, ...]:
    """Numbers of the headings "Step X1", "Step L1.2", ... of a proof text, in order.

    Example:
        >>> from qjax.bounds import step_numbers
        >>> step_numbers("## Step L1.2. Superadditivity")
        ('L1.2',)
    """
    return tuple(_STEP.findall(text))
