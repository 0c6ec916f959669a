"""Entropic relations from text, as one writes them on paper."""

import re
from fractions import Fraction

from qjax._checks import require
from qjax.bounds.entropic.expressions import (
    EntropyExpression,
    EntropyRelation,
    conditional_entropy,
    entropy,
    mutual_information,
    parameter,
)

_SUMMAND = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<number>\d+(?:/[1-9]\d*)?)?\s*\*?\s*"
    r"(?:(?P<name>[SHI])\((?P<inside>[^()]*)\)|(?P<parameter>[a-z][a-z0-9_]*))?\s*"
)
_COMPARISON = re.compile(r">=|<=|=|≥|≤")


def parse(text: str) -> EntropyRelation:
    """An inequality or equation between entropies, read from text.

    Each side is a sum of terms S(A), S(A|B), I(A;B), I(A;B|C) and lower-case
    parameters, with rational coefficients; H means the same as S. The sides are
    compared by >=, <= or =.

    Args:
        text: For example "I(X1 X2;Q) >= I(X1;Q) + I(X2;Q)" or "S(Q) <= 1/2 m".

    Raises:
        ValueError: If the text is not of this form.

    Example:
        >>> from qjax.bounds.entropic import parse
        >>> parse("S(A|B) + 2 S(B) >= 0").form
        S(B) + S(AB)
    """
    signs = _COMPARISON.findall(text)
    require(len(signs) == 1, "text", "compare two sides by >=, <= or =", repr(text))
    left, right = (_side(part, text) for part in _COMPARISON.split(text))
    form = right - left if signs[0] in ("<=", "≤") else left - right
    return EntropyRelation(form, signs[0] == "=", " ".join(text.split()))


def _side(part: str, text: str) -> EntropyExpression:
    total, position = EntropyExpression(), 0
    while position < len(part) or position == 0:
        match = _SUMMAND.match(part, position)
        found = match is not None and match.end() > position
        rest = repr(part[position:].strip() or text)
        rule = "have terms such as 2 S(A|B), I(A;B|C) or m joined by + and -"
        require(found, "text", rule, rest)
        assert match is not None
        fields = match.groupdict()
        has_term = fields["name"] is not None or fields["parameter"] is not None
        # A lone number can only be 0: all relations are homogeneous.
        is_term = has_term or (fields["number"] is not None and "*" not in match[0])
        is_joined = position == 0 or fields["sign"] != ""
        require(is_term and is_joined, "text", rule, rest)
        size = Fraction(fields["number"] or 1)
        if has_term:
            total += _term(fields) * (-size if fields["sign"] == "-" else size)
        else:
            rule = "be homogeneous: 0 is the only number that may stand alone"
            require(size == 0, "text", rule, rest)
        position = match.end()
    return total


def _term(fields: dict[str, str | None]) -> EntropyExpression:
    if fields["parameter"] is not None:
        return parameter(fields["parameter"])
    inside = fields["inside"] or ""
    before, bar, given = inside.partition("|")
    parts = before.split(";")
    shown = f"{fields['name']}({inside})"
    written = [part.strip() for part in (*parts, *([given] if bar else []))]
    require(all(written), "text", "have registers in every place", shown)
    if fields["name"] == "I":
        require(len(parts) == 2, "text", "have two parts in I(A;B)", shown)
        return mutual_information(parts[0], parts[1], given)
    require(len(parts) == 1, "text", "have no semicolon in S(A|B)", shown)
    return conditional_entropy(before, given) if bar else entropy(before)
