"""Certified inequalities on a domain: adaptive bisection into exact boxes.

On each box three lower bounds compete: the natural interval extension; the centered
form f(c) - sum_i sup|df/dx_i| r_i; and the value on the face to which the signs of the
slopes push the minimum. A box that none of them decides is halved along the variable
that matters most. What stays open is reported, never dropped.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, no_type_check

import flint
import sympy as sp

from qjax.bounds.certified import intervals as iv
from qjax.bounds.certified.box_certificate import (
    DECIDED,
    OPEN,
    OUTSIDE,
    BoxCertificate,
)
from qjax.bounds.certified.claims import Box, Claim
from qjax.bounds.certified.enclose import (
    DEFAULT_PRECISION,
    FunctionProgram,
    Jet,
    Program,
)
from qjax.bounds.certified.intervals import Interval
from qjax.bounds.certified.tiling import bisect, tiles_exactly

ROUNDING_BITS = 32
"""Grid of the covering box, 2^-32: how far it may stand out of the stated domain."""


def _program(claim: Claim, precision: int) -> Program | FunctionProgram:
    if isinstance(claim.function, sp.Expr):
        return Program(claim.function, claim.names, precision, strict=True)
    return FunctionProgram(claim.function, len(claim.names), precision)


@no_type_check
def _intervals(box: Box) -> list[Interval]:
    return [iv.interval(low, high) for low, high in box]


@no_type_check
def _point(coordinates: Sequence[Fraction]) -> list[Interval]:
    return [iv.interval(x) for x in coordinates]


@no_type_check
def _centre(box: Box) -> tuple[Fraction, ...]:
    return tuple((low + high) / 2 for low, high in box)


@no_type_check
def _centered(centre: Interval, jet: Jet, box: Box) -> Any:
    """f(c) - sum_i sup|df/dx_i| r_i, a lower bound by the mean value theorem."""
    total = centre.low
    for slope, (low, high) in zip(jet.slopes, box, strict=True):
        if slope is not None:
            steepest = max(abs(slope.low), abs(slope.high))
            total = (total - steepest * iv.interval((high - low) / 2).high).lower()
    return iv.UNKNOWN.low if any(map(_is_open, jet.slopes)) else total


@no_type_check
def _is_open(slope: Interval | None) -> bool:
    return slope is not None and not iv.is_bounded(slope)


@no_type_check
def _face(jet: Jet, box: Box) -> Box:
    """The face that holds the minimum, as far as bounded slopes of one sign tell."""
    sides = []
    for slope, (low, high) in zip(jet.slopes, box, strict=True):
        if slope is None or (iv.is_bounded(slope) and slope.low >= 0):
            sides.append((low, low))
        elif iv.is_bounded(slope) and slope.high <= 0:
            sides.append((high, high))
        else:
            sides.append((low, high))
    return tuple(sides)


@no_type_check
def _lower_bounds(
    program: Program | FunctionProgram, box: Box, jet: Jet, centre: Interval
) -> Iterator[Any]:
    """Lower bounds of f on a box, the cheap ones first; NaN where one tells nothing."""
    yield jet.value.low
    yield _centered(centre, jet, box)
    face = _face(jet, box)
    if face != box:
        shrunk = program.jet(_intervals(face))
        yield shrunk.value.low
        middle = program.value(_point(_centre(face)))
        yield _centered(middle, shrunk, face)


@no_type_check
def _deciding_bound(bounds: Iterator[Any], relation: str) -> Any | None:
    """The first lower bound that decides the claim, or None."""
    for lower in bounds:
        if bool(lower > 0) if relation == ">" else bool(lower >= 0):
            return lower
    return None


@no_type_check
def _weights(jet: Jet, box: Box) -> Iterator[float]:
    """How much each axis can change f over the box; its width where slopes are open."""
    usable = not any(map(_is_open, jet.slopes))
    for slope, (low, high) in zip(jet.slopes, box, strict=True):
        if not usable:
            yield float(high - low)
        elif slope is None:
            yield 0.0
        else:
            steepest = max(abs(slope.low), abs(slope.high))
            yield float(steepest) * float(high - low)


@no_type_check
def _refutes(centre: Interval, relation: str) -> bool:
    return bool(centre.high <= 0) if relation == ">" else bool(centre.high < 0)


def _rounded_down(lower: Any) -> Fraction | None:
    """A fraction slightly below an end, so that it need not be stored in full."""
    if not lower.is_finite():
        return None
    with flint.ctx.workprec(24):
        return iv.fraction_of_end((lower - abs(lower) / 2**16).lower())


def certify(
    claim: Claim,
    *,
    precision: int = DEFAULT_PRECISION,
    max_boxes: int = 20_000,
    min_width: Fraction = Fraction(1, 2**30),
    rounding_bits: int = ROUNDING_BITS,
) -> BoxCertificate:
    """Try to certify a claim on its whole domain by bisection.

    It stops at the first rigorous counterexample. Boxes that are narrower than
    `min_width` on every axis, or that are left when `max_boxes` were studied, are
    reported as open.

    Args:
        claim: What to certify; see `state_claim`.
        precision: Bits of the working precision; restored on return.
        max_boxes: Boxes to study at most.
        min_width: Width below which an axis is not halved any more.
        rounding_bits: Ends of the domain are rounded outward to multiples of
            2^-rounding_bits; boxes have binary ends and tile that larger box.

    Returns:
        The certificate; its `verdict` says whether the claim was certified.

    Raises:
        ValueError: If the claim's expression cannot be compiled.

    Source: Moore, Interval Analysis (1966); Tucker, Validated Numerics (2011).

    Example:
        >>> import sympy as sp
        >>> from qjax.bounds.certified import state_claim
        >>> x = sp.Symbol("x")
        >>> claim = state_claim(x**2 - 2 * x + sp.Rational(101, 100), {"x": (0, 3)})
        >>> certify(claim).verdict
        'certified'
    """
    with flint.ctx.workprec(precision):
        program = _program(claim, precision)
        covering = claim.covering_box(rounding_bits)
        waiting, marks = [covering], []
        best, point, studied = None, None, 0
        while waiting:
            box = waiting.pop()
            if claim.is_outside(box):
                marks.append(OUTSIDE)
                continue
            if point is not None or studied >= max_boxes:
                marks.append(OPEN)
                continue
            studied += 1
            jet = program.jet(_intervals(box))
            centre = program.value(_point(_centre(box)))
            bounds = _lower_bounds(program, box, jet, centre)
            lower = _deciding_bound(bounds, claim.relation)
            if lower is not None:
                best = lower if best is None else min(best, lower)
                marks.append(DECIDED)
                continue
            if _refutes(centre, claim.relation) and claim.contains(_centre(box)):
                point = _centre(box)
            axis = _axis(tuple(_weights(jet, box)), box, min_width)
            if axis is None or point is not None:
                marks.append(OPEN)
                continue
            marks.append(str(axis))
            waiting += reversed(bisect(box, axis))
        bound = None if best is None else _rounded_down(best)
    tree = "".join(marks)
    return BoxCertificate(claim.statement(), covering, precision, tree, bound, point)


@no_type_check
def _axis(weights: Sequence[float], box: Box, min_width: Fraction) -> int | None:
    """The axis to halve: the weightiest that is still wide enough."""
    wide = [i for i, (low, high) in enumerate(box) if high - low > min_width]
    return max(wide, key=lambda i: (weights[i], box[i][1] - box[i][0]), default=None)


def replay(certificate: BoxCertificate, claim: Claim) -> bool:
    """Check a certificate again: statement, cover, tiling, and every box by itself.

    Nothing in the certificate is trusted: the covering box must contain the claim's
    domain, the leaves must tile it exactly, a leaf marked as outside must have no point
    of the domain, and on each other leaf the inequality is evaluated anew.

    Args:
        certificate: As read from a file.
        claim: What the certificate should prove.

    Returns:
        Whether it proves the claim on the whole domain, with at least its lower bound.

    Raises:
        ValueError: If its tree is malformed.

    Example:
        >>> import sympy as sp
        >>> from qjax.bounds.certified import certify, state_claim
        >>> claim = state_claim(sp.exp(sp.Symbol("x")), {"x": (0, 1)})
        >>> replay(certify(claim), claim)
        True
    """
    if certificate.statement != claim.statement() or certificate.verdict != "certified":
        return False
    leaves = list(certificate.leaves())
    return (
        _covers(certificate.covering, claim.domain)
        and tiles_exactly(certificate.covering, [box for _, box in leaves])
        and _leaves_hold(certificate, claim, leaves)
    )


def _covers(covering: Box, domain: Box) -> bool:
    return len(covering) == len(domain) and all(
        low <= first and last <= high
        for (low, high), (first, last) in zip(covering, domain, strict=True)
    )


def _leaves_hold(
    certificate: BoxCertificate, claim: Claim, leaves: Sequence[tuple[str, Box]]
) -> bool:
    with flint.ctx.workprec(certificate.precision):
        program = _program(claim, certificate.precision)
        for mark, box in leaves:
            if mark == OUTSIDE:
                if not claim.is_outside(box):
                    return False
                continue
            jet = program.jet(_intervals(box))
            centre = program.value(_point(_centre(box)))
            bounds = _lower_bounds(program, box, jet, centre)
            lower = _deciding_bound(bounds, claim.relation)
            stored = certificate.lower_bound
            if lower is None:
                return False
            if stored is not None and not lower >= iv.interval(stored).high:
                return False
    return True
