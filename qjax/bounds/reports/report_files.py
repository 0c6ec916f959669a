"""The files of a run: an index, and for each bound its pages and its witnesses."""

import json
import os
import pathlib
from collections.abc import Sequence

from qjax._checks import require
from qjax.bounds.reports.report import REPORT_FORMAT, Report
from qjax.bounds.reports.report_pages import (
    html_page,
    index_pages,
    markdown_page,
    shared_folders,
    summary,
    witness_files,
)


def write_report(folder: str | pathlib.Path, reports: Sequence[Report]) -> pathlib.Path:
    """Write the reports of a run as HTML, Markdown and JSON, with their witnesses.

    `index.html|md|json`, and per bound `BOUND/report.html|md|json` and one
    `BOUND/witness-….json` for each witness, which `replay` reads. The HTML needs no
    network and no script. Every file is written beside its place, then renamed.

    Args:
        folder: Where to write; made if absent. Witness files of an earlier run of the
            same bounds are removed, other files are left alone.
        reports: What `verify` returned; `describe` them first for formulas and steps.

    Returns:
        The path of `index.html`.

    Raises:
        ValueError: If there is no report, or two would share a folder.
        OSError: If the folder or the disk refuses.

    Example:
        >>> import pathlib, tempfile
        >>> import jax
        >>> from qjax.bounds import SMOKE, literal_b, verify
        >>> from qjax.bounds.reports.report_files import write_report
        >>> with jax.enable_x64(True):
        ...     report = verify(jax.random.key(0), literal_b("ratio"), SMOKE)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = write_report(folder, [report])
        ...     sorted(path.name for path in page.parent.glob("literal-B-ratio/*"))
        ['report.html', 'report.json', 'report.md', 'witness-1.json']
    """
    require(len(reports) > 0, "reports", "hold at least one report", "empty")
    records = [report.to_dict() for report in reports]
    shared = shared_folders([report.bound for report in reports])
    require(not shared, "reports", "have ids that differ as folder names", shared)
    root = pathlib.Path(folder)
    rows = [summary(record) for record in records]
    for report, record, row in zip(reports, records, rows, strict=True):
        place = root / row["folder"]
        witnesses = witness_files(record)
        for name, witness in witnesses.items():
            _write(place / name, json.dumps(witness, indent=2, default=str) + "\n")
        _write(place / "report.json", report.to_json() + "\n")
        _write(place / "report.md", markdown_page(record, linked=True))
        _write(place / "report.html", html_page(record))
        for stale in place.glob("witness-*.json"):
            if stale.name not in witnesses:
                stale.unlink()
    run = {"budget": records[0]["budget"], "versions": records[0]["versions"]}
    page, text = index_pages(rows, run)
    index = {"format": REPORT_FORMAT, "bounds": rows, **run}
    _write(root / "index.json", json.dumps(index, indent=2, default=str) + "\n")
    _write(root / "index.md", text)
    _write(root / "index.html", page)
    return root / "index.html"


def _write(path: pathlib.Path, text: str) -> None:
    """Write a file in one step: a temporary in the same folder, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
