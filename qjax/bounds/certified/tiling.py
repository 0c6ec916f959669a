"""Do these boxes tile that box: exact arithmetic on their corners, no tolerance."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod
from typing import no_type_check

from qjax.bounds.certified.claims import Box


def volume(box: Box) -> Fraction:
    """Product of the side lengths.

    Example:
        >>> volume(((Fraction(0), Fraction(1, 2)), (Fraction(1), Fraction(3))))
        Fraction(1, 1)
    """
    return prod((high - low for low, high in box), start=Fraction(1))


@no_type_check
def bisect(box: Box, axis: int) -> tuple[Box, Box]:
    """The two halves of a box along one axis."""
    low, high = box[axis]
    middle = (low + high) / 2
    return (
        (*box[:axis], (low, middle), *box[axis + 1 :]),
        (*box[:axis], (middle, high), *box[axis + 1 :]),
    )


def tiles_exactly(root: Box, boxes: Sequence[Box]) -> bool:
    """Whether the boxes cover the root without gap and without overlap.

    Each box has positive volume and lies in the root; no two share an inner point;
    the volumes add up to the root's. Then a missing point would leave an open set of
    positive volume uncovered, against the sum.

    Args:
        root: The box to be covered.
        boxes: Boxes with exact rational ends.

    Example:
        >>> root = ((Fraction(0), Fraction(1)),)
        >>> left, right = bisect(root, 0)
        >>> tiles_exactly(root, [left, right]), tiles_exactly(root, [left])
        (True, False)
    """
    # Integers on a common grid: comparing fractions would dominate.
    sides = [end for box in (root, *boxes) for side in box for end in side]
    scale = lcm(*{Fraction(end).denominator for end in sides})
    integral = [
        tuple((int(low * scale), int(high * scale)) for low, high in box)
        for box in (root, *boxes)
    ]
    whole, parts = integral[0], sorted(integral[1:])
    inside = all(
        first <= low < high <= last
        for box in parts
        for (low, high), (first, last) in zip(box, whole, strict=True)
    )
    covered = sum(_integral_volume(box) for box in parts)
    return inside and covered == _integral_volume(whole) and not _overlap(parts)


@no_type_check
def _integral_volume(box: tuple[tuple[int, int], ...]) -> int:
    return prod(high - low for low, high in box)


@no_type_check
def _overlap(parts: list[tuple[tuple[int, int], ...]]) -> bool:
    """Whether two boxes, sorted by their first low end, share an inner point."""
    active: list[tuple[tuple[int, int], ...]] = []
    for box in parts:
        start = box[0][0]
        active = [other for other in active if other[0][1] > start]
        for other in active:
            if all(
                a < d and c < b
                for (a, b), (c, d) in zip(box[1:], other[1:], strict=True)
            ):
                return True
        active.append(box)
    return False
