"""The tightness plot of a report: how close to equality each instance came.

Positions only; the template draws them. The axis shows 1 - ratio on a logarithmic
scale, because what matters is the number of nines.
"""

import math
from collections.abc import Mapping
from typing import Any

RATIO_KEYS = {"exact": "ratio", "monte carlo": "pessimistic ratio",
              "adversarial": "ratio"}  # fmt: skip
"""Which entry of a stage's details is a ratio of the two sides."""

DECADES = 16
"""Gaps below 1e-16 are drawn as equal."""

VIOLATED = 1e-9
"""A ratio above 1 by more than this is drawn as a violation."""

MOST_ROWS = 60

LABEL_WIDTH, AXIS_WIDTH, ROW_HEIGHT, TOP = 262, 352, 15, 22


def as_number(value: Any) -> float | None:
    """A number of a record, which JSON may have as text ("inf"); None if it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def ratios(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every ratio of a report: stage, instance, whether claimed tight, ratio.

    Args:
        record: A report's dictionary.

    Returns:
        One row per check, in the order of the stages; nan is a ratio 0/0.
    """
    rows = []
    for stage in record["stages"]:
        key = RATIO_KEYS.get(stage["name"])
        for detail in stage["details"] if key else ():
            ratio = as_number(detail.get(key))
            if ratio is not None:
                name = str(detail.get("instance", ""))
                rows.append(
                    {"stage": stage["name"], "name": name, "ratio": ratio,
                     "tight": bool(detail.get("tight")),
                     "reaches": as_number(detail.get("reaches"))}
                )  # fmt: skip
    return rows


def tightness(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where to draw each ratio of a report; None if it has none.

    Args:
        record: A report's dictionary.

    Returns:
        `rows` with `y`, `x`, `label`, `text` and `mark`; `ticks`; the picture's size;
        and how many ratios were left out, as too many or as 0/0.
    """
    found = ratios(record)
    defined = [row for row in found if not math.isnan(row["ratio"])]
    if not defined:
        return None
    shown = defined
    if len(defined) > MOST_ROWS:
        closest = sorted(defined, key=lambda row: -row["ratio"])[:MOST_ROWS]
        shown = [row for row in defined if any(row is each for each in closest)]
    rows = []
    for index, row in enumerate(shown):
        violated = row["ratio"] > 1 + VIOLATED
        mark = "violated" if violated else "tight" if row["tight"] else row["stage"]
        name = row["name"]
        rows.append(
            {"y": TOP + ROW_HEIGHT * (index + 1), "x": _position(row["ratio"]),
             "label": name if len(name) <= 42 else f"{name[:41]}…",
             "text": f"{row['stage']}, {name}: ratio {row['ratio']!r}",
             "mark": mark.replace(" ", "-")}
        )  # fmt: skip
    ticks = [
        {"x": _at_decade(k), "label": "1" if k == 0 else f"1e-{k}"}
        for k in range(0, DECADES, 2)
    ]
    return {
        "rows": rows, "ticks": ticks, "equal": _at_decade(DECADES),
        "violation": _at_decade(DECADES) + 36, "bottom": rows[-1]["y"] + 8,
        "height": rows[-1]["y"] + 40, "width": LABEL_WIDTH + AXIS_WIDTH + 76,
        "label_end": LABEL_WIDTH - 10, "top": TOP,
        "left_out": len(defined) - len(shown), "undefined": len(found) - len(defined),
    }  # fmt: skip


def _at_decade(decades: int | float) -> float:
    return round(LABEL_WIDTH + AXIS_WIDTH * decades / DECADES, 1)


def _position(ratio: float) -> float:
    if ratio > 1 + VIOLATED:
        return _at_decade(DECADES) + 36
    gap = abs(1 - ratio) if ratio > 0 else 1.0
    if gap < 10.0**-DECADES:
        return _at_decade(DECADES)
    return _at_decade(-math.log10(min(gap, 1.0)))
