"""The record of a bisection: a tree of exact boxes that can be stored and rebuilt."""

import dataclasses
import json
from collections.abc import Iterator
from fractions import Fraction

from qjax._checks import require
from qjax.bounds.certified.claims import Box
from qjax.bounds.certified.tiling import bisect

DECIDED, OUTSIDE, OPEN = "+", "x", "?"
"""Leaves of the stored tree; an inner node is the number of the axis that it halves."""

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class BoxCertificate:
    """What was decided where, in a form that can be stored and checked again.

    Attributes:
        statement: The claim as one sentence.
        covering: The box with ends on a binary grid that the leaves tile; it contains
            the stated domain.
        precision: Bits of the working precision.
        tree: The bisection tree in preorder: a digit halves the box along that axis,
            "+" is a decided box, "x" a box without a point of the domain, "?" a box
            that stayed open.
        lower_bound: A number below f on all decided boxes; None if there are none.
        counterexample: A point of the domain where the claim is rigorously false.
    """

    statement: str
    covering: Box
    precision: int
    tree: str
    lower_bound: Fraction | None
    counterexample: tuple[Fraction, ...] | None

    @property
    def verdict(self) -> str:
        """ "certified", "refuted" (a counterexample is known) or "undecided"."""
        if self.counterexample is not None:
            return "refuted"
        return "undecided" if OPEN in self.tree else "certified"

    def count(self, status: str) -> int:
        """Number of leaves with a status: "+", "x" or "?"."""
        return self.tree.count(status)

    def leaves(self) -> Iterator[tuple[str, Box]]:
        """The leaves with their status, rebuilt from the tree.

        Raises:
            ValueError: If the text is not one whole tree.
        """
        waiting = [self.covering]
        for mark in self.tree:
            require(bool(waiting), "tree", "end with its last leaf", "longer")
            box = waiting.pop()
            if mark in (DECIDED, OUTSIDE, OPEN):
                yield mark, box
                continue
            known = mark.isdigit() and int(mark) < len(self.covering)
            require(known, "tree", "halve along a variable of the claim", repr(mark))
            left, right = bisect(box, int(mark))
            waiting += [right, left]
        require(not waiting, "tree", "reach every leaf", f"short of {len(waiting)}")

    def open_boxes(self) -> tuple[Box, ...]:
        """The boxes on which nothing was decided."""
        return tuple(box for mark, box in self.leaves() if mark == OPEN)

    def domain_statement(self) -> str:
        """What exactly was certified, with the boxes that stayed open."""
        sides = "  x  ".join(f"[{low}, {high}]" for low, high in self.covering)
        counts = [
            f"{self.count(mark)} {word}"
            for mark, word in (
                (DECIDED, "decided"),
                (OUTSIDE, "outside"),
                (OPEN, "open"),
            )
        ]
        return (
            f"{self.verdict}: {self.statement}. Boxes with binary ends tile {sides}, "
            f"which contains the domain ({', '.join(counts)})."
        )

    def to_json(self) -> str:
        """The certificate as one JSON object; every number is an exact fraction."""
        fields = {
            "format": FORMAT,
            "statement": self.statement,
            "covering": [[str(low), str(high)] for low, high in self.covering],
            "precision": self.precision,
            "lower_bound": None if self.lower_bound is None else str(self.lower_bound),
            "counterexample": self.counterexample and [*map(str, self.counterexample)],
            "tree": self.tree,
        }
        return json.dumps(fields, indent=1)


def read_certificate(text: str) -> BoxCertificate:
    """The certificate that `BoxCertificate.to_json` wrote; it is not yet checked.

    Raises:
        ValueError: If the text has another format.
    """
    fields = json.loads(text)
    current = fields.get("format") == FORMAT
    require(current, "text", f"have format {FORMAT}", fields.get("format"))
    bound, point = fields["lower_bound"], fields["counterexample"]
    return BoxCertificate(
        statement=fields["statement"],
        covering=tuple((Fraction(a), Fraction(b)) for a, b in fields["covering"]),
        precision=fields["precision"],
        tree=fields["tree"],
        lower_bound=None if bound is None else Fraction(bound),
        counterexample=point and tuple(map(Fraction, point)),
    )
