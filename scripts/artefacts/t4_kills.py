"""T4: the kill matrix: every wrong variant of a bound, and what refutes it.

Built from the rows of T1's experiment, which verifies every bound once.
"""

import re

import pandas as pd

from qjax.bounds.power import MONTE_CARLO_MUTANTS, POWER
from qjax.experiments import Column, Frames, Table

SHOWN = ("mutant", "bound", "change", "kind", "killer", "left", "relation", "right",
         "shots", "still_open")  # fmt: skip
INFINITE = {"oo": "∞", "inf": "∞", "-oo": "-∞", "-inf": "-∞"}
"""How sympy writes infinite sides, and how they are shown."""


def side(text: str | None) -> str | None:
    """One side of a relation, stored at 17 digits, as it is shown.

    >>> side("0.53100440641072188"), side("oo"), side(None)
    ('0.531004', '∞', None)
    """
    if text is None or pd.isna(text):
        return None
    return INFINITE.get(text) or f"{float(text):.6g}"


def numbered(mutant: str) -> tuple[int, str]:
    """Sort key: M1 to M20 by number, then the others in the order they come.

    >>> sorted(["A1-pauli", "M10", "M5b", "M5"], key=numbered)
    ['M5', 'M5b', 'M10', 'A1-pauli']
    """
    found = re.fullmatch(r"M(\d+)(.*)", mutant)
    return (int(found[1]), found[2]) if found else (10**6, "")


def declared_shots(bound: str, mutant: str) -> str | None:
    """Shots that refute a mutant with declared power, or None.

    >>> declared_shots("A1", "M3"), declared_shots("A1/damping", "M7")
    ('200000', None)
    """
    test = MONTE_CARLO_MUTANTS.get(bound, {}).get(mutant)
    return None if test is None else str(test.shots)


def build(frames: Frames) -> pd.DataFrame:
    """One line per mutant: the numbered ones first, then the others in grid order."""
    rows = frames["verification"]
    rows = rows[rows["record"] == "mutant"].copy()
    # Sorting is stable, so that the others stay in the order of their bounds.
    order = sorted(range(len(rows)), key=lambda i: numbered(rows["entry"].iloc[i]))
    rows = rows.iloc[order]
    rows["left"], rows["right"] = rows["left"].map(side), rows["right"].map(side)
    names = {"entry": "mutant", "statement": "change", "stage": "kind",
             "witness": "killer", "reasons": "still_open"}  # fmt: skip
    rows = rows.rename(columns=names)
    rows["still_open"] = rows["still_open"].replace("", None)
    pairs = zip(rows["bound"], rows["mutant"], strict=True)
    rows["shots"] = [declared_shots(*pair) for pair in pairs]
    return rows[list(SHOWN)]


EXPERIMENTS = ()
ARTEFACTS = (
    Table(
        name="t4_kills",
        title="T4. Wrong variants of the bounds, and what refutes them",
        experiments=("verification",),
        build=build,
        columns=(
            Column("mutant", "label"),
            Column("bound", "label", heading="of bound"),
            Column("change", "label"),
            Column("kind", "label", heading="refuted by"),
            Column("killer", "label", heading="at"),
            Column("left", "label", heading="left side"),
            Column("relation", "label", heading="claimed"),
            Column("right", "label", heading="right side"),
            Column("shots", "label", heading="shots that suffice"),
            Column("still_open", "label", heading="open because"),
        ),
        notes=(
            "Each mutant claims that left and right side stand in the relation shown; "
            "at the witness they do not. Sides are evaluated at 50 digits and "
            "shown with six.",
            "Refuted by: a simulated instance, a trivial structure of the statement "
            "lint, or a random structure, whichever comes first in this order. "
            "A mutant faces what its bound faces and has no proof of its own.",
            f"Shots that suffice: for each kind of query, to refute the mutant by "
            f"counting alone with probability {POWER:g} or more, at the error level of "
            f"the Monte-Carlo stage; summed exactly by the tests. Without an entry "
            f"exact numbers are needed.",
        ),
    ),
)
