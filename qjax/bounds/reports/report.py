"""What a verification found, as data: verdict, axioms, kill table, witnesses."""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from qjax._checks import require
from qjax.bounds.bound import Bound
from qjax.bounds.reports.report_math import statement_latex
from qjax.bounds.reports.report_pages import markdown_page
from qjax.bounds.reports.report_verdicts import STATUSES as STATUSES

WITNESS_FORMAT = 2
"""Version of the witness record; `replay` refuses any other."""

REPORT_FORMAT = 1
"""Version of the report's JSON; `Report.from_json` refuses any other."""


@dataclasses.dataclass(frozen=True)
class Witness:
    """A replayable violation of a statement.

    Attributes:
        format: `WITNESS_FORMAT` of the writer.
        bound: Id of the bound, or "id/mutant".
        statement: The inequality, as text.
        kind: "instance", "trivial structure", "random", "family", "monte carlo" or
            "attack".
        name: Which one.
        constants: Values of existential constants, as exact text.
        values: Values of the symbols, as exact text (rational, or a float's repr).
        left, right: Both sides, 17 digits.
        excess: How far the wrong side is ahead, in the statement's units.
        data: What a random instance or a search's best candidate is rebuilt from, or
            the key and the shots of a Monte-Carlo run; else empty.
    """

    format: int
    bound: str
    statement: str
    kind: str
    name: str
    constants: Mapping[str, str]
    values: Mapping[str, str]
    left: str
    right: str
    excess: str
    data: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The witness as JSON-able data."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class StageResult:
    """Outcome of one stage.

    Attributes:
        name: For example "statement lint", "symbolic" or "adversarial".
        verdict: "passed", "failed" (not closed), "refuted" or "skipped".
        summary: One line.
        details: One mapping per check.
        seconds: Wall time; a measurement, not part of the result.
    """

    name: str
    verdict: str
    summary: str
    details: tuple[Mapping[str, Any], ...]
    seconds: float = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class Kill:
    """Whether, and by what, a mutant was refuted; or why none is known to do it."""

    mutant: str
    change: str
    killed: bool
    killer: str
    witness: Witness | None
    still_open: str


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of `verify`.

    Attributes:
        bound: Id.
        title: One line.
        statement: The inequality, as text.
        status: A key of `STATUSES`.
        reasons: Why not a better status; empty if PROVED.
        hypotheses: As declared.
        model: The choices of the cell-probe model, one sentence each.
        axioms: Trusted steps: number, claim, source.
        open_steps: Numbers of the steps that were not closed.
        stages: In order.
        tight_ratio: Smallest (smaller side)/(larger side) over the tight instances;
            None if there are none.
        not_tight: Why no instance reaches equality, where there is none.
        kills: One per mutant.
        witnesses: Violations of the statement itself.
        seeds: Key data by purpose.
        versions: Software versions.
        budget: As given.
        proof: Name of the text.
        latex: The statement, typeset; empty if the report was not `described`.
        variables: Symbols: name, meaning and range, as text.
        constants: Constants: name, value and where it comes from, as text.
        steps: Every proof step: number, kind, claim, cites, source, concludes, domain.
        format: `REPORT_FORMAT` of the writer.
    """

    bound: str
    title: str
    statement: str
    status: str
    reasons: tuple[str, ...]
    hypotheses: tuple[str, ...]
    model: tuple[str, ...]
    axioms: tuple[Mapping[str, str], ...]
    open_steps: tuple[str, ...]
    stages: tuple[StageResult, ...]
    tight_ratio: float | None
    not_tight: str
    kills: tuple[Kill, ...]
    witnesses: tuple[Witness, ...]
    seeds: Mapping[str, Any]
    versions: Mapping[str, str]
    budget: Mapping[str, Any]
    proof: str
    latex: str = ""
    variables: tuple[Mapping[str, str], ...] = ()
    constants: tuple[Mapping[str, str], ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    format: int = REPORT_FORMAT

    def stage(self, name: str) -> StageResult:
        """The result of the stage called `name`."""
        return next(stage for stage in self.stages if stage.name == name)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        return dataclasses.asdict(self)

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON text; numbers that JSON lacks are text ("inf", "nan").

        Args:
            indent: Spaces per level; None for a single line.
        """
        record = _finite(self.to_dict())
        return json.dumps(
            record, indent=indent, sort_keys=True, default=str, allow_nan=False
        )

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that `to_json` wrote.

        Args:
            text: JSON of one report.

        Returns:
            A report whose `to_json` is the same text.

        Raises:
            ValueError: If it is no JSON of a report, or of another format version.

        Example:
            >>> from qjax.bounds import Report
            >>> Report.from_json('{"format": 99}')
            Traceback (most recent call last):
                ...
            ValueError: Argument `text` must have report format 1; ..., but is 99.
        """
        record = _mapping(text)
        version = record.get("format")
        rule = f"have report format {REPORT_FORMAT}; another qjax wrote it"
        require(version == REPORT_FORMAT, "text", rule, version)
        names = {field.name for field in dataclasses.fields(cls)}
        missing = sorted(names ^ set(record))
        require(not missing, "text", "have exactly the fields of a report", missing)
        ratio = record["tight_ratio"]
        read = {
            "stages": tuple(StageResult(**_tuples(s)) for s in record["stages"]),
            "witnesses": tuple(Witness(**each) for each in record["witnesses"]),
            "kills": tuple(_kill(each) for each in record["kills"]),
            "tight_ratio": None if ratio is None else float(ratio),
        }
        return cls(**{**_tuples(record), **read})

    def to_markdown(self) -> str:
        """The report as Markdown: verdict first, then what it rests on."""
        return markdown_page(self.to_dict())


def describe(report: Report, bound: Bound) -> Report:
    """The report with what a reader needs of its bound: formula, symbols, steps.

    Args:
        report: What `verify` returned for the bound.
        bound: The bound that was verified.

    Returns:
        The same verdict and evidence; `latex`, `variables`, `constants` and `steps` are
        filled.

    Raises:
        ValueError: If the report is about another bound.
    """
    require(report.bound == bound.id, "report", f"be about {bound.id}", report.bound)
    return dataclasses.replace(
        report,
        latex=statement_latex(bound.statement),
        variables=tuple(
            {"name": v.symbol.name, "meaning": v.meaning, "low": str(v.low),
             "high": str(v.high)}
            for v in bound.variables
        ),
        constants=tuple(
            {"name": c.name, "provenance": c.provenance,
             "value": "exists" if c.value is None else str(c.value)}
            for c in bound.constants
        ),
        steps=tuple(
            {"number": s.number, "kind": s.kind, "claim": s.claim,
             "cites": list(s.cites), "source": s.source, "concludes": s.concludes,
             "domain": s.domain}
            for s in bound.steps
        ),
    )  # fmt: skip


def _mapping(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        require(False, "text", "be the JSON of one report", repr(text[:40]))
        return {}
    return record


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """JSON lists at the top level of a record back to tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}


def _kill(record: Mapping[str, Any]) -> Kill:
    witness = record["witness"]
    found = None if witness is None else Witness(**witness)
    return Kill(**{**record, "witness": found})


def _finite(value: Any) -> Any:
    """A record in which infinities and nan are text, as JSON needs it."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(float(value))
    return value
