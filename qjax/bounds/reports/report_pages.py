"""The pages of a report, in HTML and Markdown, from its dictionary.

Everything here reads plain data, so that a page can be made again from a stored
`report.json`. HTML pages stand alone: no script, no network, no fonts.
"""

import functools
import importlib.resources
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from qjax.bounds.reports.report_math import formula_svg
from qjax.bounds.reports.report_plot import as_number, ratios, tightness
from qjax.bounds.reports.report_verdicts import STATUSES, as_expected, expected_verdict

Record = Mapping[str, Any]

RESULTS = {True: "closed", False: "OPEN", None: "not checked here"}
"""What a step's check found."""

UNCHECKED = {"axiom": "trusted", "hypothesis": "assumed", "definition": "by definition"}
"""What stands in place of a check."""


def folder_name(bound: str) -> str:
    """A bound's id as the name of a folder or file: letters, digits, `.`, `_`, `-`.

    An id with other characters than these, `/` and `'` gets a hash of it appended.

    Example:
        >>> from qjax.bounds.reports.report_pages import folder_name
        >>> folder_name("A1/damping"), folder_name("B1'")
        ('A1-damping', 'B1prime')
    """
    plain = bound.replace("/", "-").replace("'", "prime")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")
    if name and name == plain:
        return name
    return f"{name or 'bound'}-{zlib.crc32(bound.encode()):08x}"


def shared_folders(bounds: Sequence[str]) -> list[str]:
    """Names that two bounds would have to share, on a file system without case too."""
    names = [folder_name(bound).lower() for bound in bounds]
    return sorted({name for name in names if names.count(name) > 1})


def witness_files(record: Record) -> dict[str, Record]:
    """The witnesses of a report by file name, those of its mutants included."""
    own = enumerate(record["witnesses"], 1)
    files = {f"witness-{number}.json": witness for number, witness in own}
    for index, kill in enumerate(record["kills"], 1):
        if kill["witness"] is not None:
            name = f"witness-mutant-{index}-{folder_name(kill['mutant'])}.json"
            files[name] = kill["witness"]
    return files


def proof_rows(record: Record) -> list[dict[str, Any]]:
    """Every proof step with what was found: closed, open, trusted, or not checked."""
    checks = {
        detail["step"]: detail
        for stage in record["stages"]
        for detail in stage["details"]
        if "step" in detail
    }
    # A report that was not described knows its checked and its trusted steps only.
    axioms = [{**axiom, "kind": "axiom"} for axiom in record["axioms"]]
    checked = [{**each, "number": number} for number, each in checks.items()]
    rows = []
    for step in record["steps"] or [*axioms, *checked]:
        check = checks.get(step["number"])
        result = UNCHECKED.get(step["kind"], "not checked here")
        if check is not None:
            result = RESULTS[check["closed"]]
        domain = step.get("domain", "")
        note = check["note"] if check is not None else ""
        rows.append(
            {"number": step["number"], "kind": step["kind"], "claim": step["claim"],
             "source": step.get("source", ""), "cites": step.get("cites", []),
             "concludes": step.get("concludes", False), "result": result,
             "domain": domain, "note": note.removeprefix(domain).removeprefix("; ")}
        )  # fmt: skip
    return rows


def summary(record: Record) -> dict[str, Any]:
    """One line of the table of a run."""
    kills = record["kills"]
    found = [row["ratio"] for row in ratios(record) if row["ratio"] == row["ratio"]]
    return {
        "bound": record["bound"],
        "title": record["title"],
        "status": record["status"],
        "expected": expected_verdict(record["bound"]),
        "as_expected": as_expected(record["bound"], record["status"]),
        "folder": folder_name(record["bound"]),
        "tight_ratio": as_number(record["tight_ratio"]),
        "best_ratio": max(found, default=None),
        "mutants": len(kills),
        "killed": sum(kill["killed"] for kill in kills),
        "witnesses": len(record["witnesses"]),
        "seconds": sum(stage["seconds"] for stage in record["stages"]),
    }


def markdown_page(record: Record, linked: bool = False) -> str:
    """A report as Markdown: verdict first, then what it rests on.

    Args:
        record: A report's dictionary.
        linked: Whether the witness files and the index lie beside the page.
    """
    return _render("report.md", {**_context(record), "linked": linked})


def html_page(record: Record) -> str:
    """A report as an HTML page that lies beside its witness files."""
    latex = record["latex"]
    drawn = formula_svg(latex, record["statement"]) if latex else None
    plot = tightness(record)
    return _render("report.html", {**_context(record), "formula": drawn, "plot": plot})


def index_pages(summaries: Sequence[Record], run: Record) -> tuple[str, str]:
    """HTML and Markdown of the table of a run.

    Args:
        summaries: One `summary` per bound.
        run: Budget and versions of the run.
    """
    rows = {"rows": summaries, "statuses": STATUSES, **run}
    return _render("index.html", rows), _render("index.md", rows)


def _context(record: Record) -> dict[str, Any]:
    files = {id(witness): name for name, witness in witness_files(record).items()}
    kills = [
        {**kill, "file": files.get(id(kill["witness"]), "")} for kill in record["kills"]
    ]
    witnesses = [
        {**witness, "file": files[id(witness)]} for witness in record["witnesses"]
    ]
    details = [detail for stage in record["stages"] for detail in stage["details"]]
    broken = [row for row in details if "rule" in row and not row.get("passed", True)]
    return {
        "report": {**record, "kills": kills, "witnesses": witnesses},
        "line": summary(record),
        "rule": STATUSES[record["status"]],
        "steps": proof_rows(record),
        "ratios": ratios(record),
        "broken_rules": list(
            {(row["rule"], row["text"]): row for row in broken}.values()
        ),
        "random": [row for row in details if "float64 violations" in row],
        "programs": [row for row in details if "program" in row],
    }


def _render(name: str, context: Mapping[str, Any]) -> str:
    return _environment().get_template(name).render(**context)


@functools.cache
def _environment() -> jinja2.Environment:
    folder = importlib.resources.files("qjax.bounds.reports") / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(
            lambda name: (folder / name).read_text(encoding="utf-8")
        ),
        autoescape=jinja2.select_autoescape(["html", "svg"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(cell=_cell, ratio=_ratio, gap=_gap)
    return environment


def _cell(value: object) -> str:
    """Text as a cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", r"\|")


def _ratio(value: object) -> str:
    number = as_number(value)
    return "–" if number is None else f"{number:.12f}"


def _gap(value: float) -> str:
    return f"{1 - value:.1e}"
