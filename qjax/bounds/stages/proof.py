"""The stages that close proof steps: algebra, entropies, certified numbers, Coq."""

import functools
import time
from typing import Any

from qjax.bounds.bound import Bound, Checked, Step
from qjax.bounds.reports.report import StageResult

STAGE_KINDS = {
    "symbolic": ("symbolic", "exact"),
    "entropic": ("entropic",),
    "certified": ("certified",),
    "machine-checked": ("machine-checked",),
}
"""The kinds of step that each stage closes."""


def proof_stages(bound: Bound) -> list[StageResult]:
    """Close every proof step that a machine can check, one stage per kind of check."""
    return [_stage(bound, name, kinds) for name, kinds in STAGE_KINDS.items()]


def _stage(bound: Bound, name: str, kinds: tuple[str, ...]) -> StageResult:
    start = time.perf_counter()
    details: list[dict[str, Any]] = []
    for step in bound.steps:
        if step.kind in kinds:
            closed, note = _closed(step)
            details.append(
                {"step": step.number, "kind": step.kind, "claim": step.claim,
                 "closed": closed, "note": note}
            )  # fmt: skip
    seconds = time.perf_counter() - start
    if not details:
        return StageResult(name, "skipped", "no such step", (), seconds)
    still_open = [detail["step"] for detail in details if detail["closed"] is False]
    elsewhere = [detail["step"] for detail in details if detail["closed"] is None]
    text = f"{len(details) - len(still_open) - len(elsewhere)} steps closed"
    if elsewhere:
        text += f"; not checked here: {', '.join(elsewhere)}"
    if still_open:
        text = f"open steps: {', '.join(still_open)}"
    verdict = "failed" if still_open else "passed"
    if len(elsewhere) == len(details):
        verdict = "skipped"
    return StageResult(name, verdict, text, tuple(details), seconds)


@functools.lru_cache(maxsize=1024)
def _closed(step: Step) -> Checked:
    """The result of a step's check; a crash leaves the step open, and says so.

    Remembered, because bounds share lemmas: a check takes no arguments, so it cannot
    have two results.
    """
    assert step.check is not None  # every kind that has a stage needs one
    try:
        found = step.check()
    except Exception as error:
        return Checked(False, f"{type(error).__name__}: {error}")
    result = found if isinstance(found, Checked) else Checked(bool(found))
    note = "; ".join(part for part in (step.domain, result.note) if part)
    return Checked(result.closed, note)
