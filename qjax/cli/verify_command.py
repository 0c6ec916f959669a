"""`qjax verify`: try to refute bounds, on all cores, and write what was found."""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Annotated, Literal

import rich.box
import rich.console
import rich.progress
import rich.table
import tyro

from qjax._checks import require
from qjax.bounds import BOUNDS
from qjax.bounds.reports.report_files import write_report
from qjax.bounds.reports.report_pages import shared_folders, summary
from qjax.bounds.reports.report_verdicts import as_expected, expected_verdict
from qjax.bounds.stages.budget import BUDGETS
from qjax.cli.bound_names import find_bound, matching_bounds
from qjax.cli.exit_status import DONE, FAILED, complain
from qjax.cli.workers import Task, Verified, usable_cores, verify_tasks

Names = tyro.conf.Positional[tuple[str, ...]]
Off = tyro.conf.FlagCreatePairsOff
Own = tyro.conf.UseAppendAction[tuple[str, ...]]

WIDE = 200
"""Columns of a table that goes to a file or a pipe."""


def verify(
    names: Names = (),
    /,
    bound: Own = (),
    everything: Annotated[Off[bool], tyro.conf.arg(name="all")] = False,
    size: Literal["smoke", "default", "full"] = "default",
    seed: int = 0,
    random_instances: int | None = None,
    shots: int | None = None,
    delta: float | None = None,
    restarts: float | None = None,
    report: pathlib.Path | None = None,
    json: Off[bool] = False,
    workers: int | None = None,
    listing: Annotated[Off[bool], tyro.conf.arg(name="list")] = False,
) -> int:
    """Try to refute bounds, and say what their proofs rest on.

    One bound prints its report, several print a table. Exit status: 0 if every verdict
    is as expected (the literal statements are there to be refuted), 1 if one is not, 2
    for bad input, 130 if interrupted.

    Args:
        names: Bounds, or patterns such as 'A1/*'; all if none is named.
        bound: A bound of your own, path/to/file.py:name or package.module:name, a Bound
            or a function that returns one; may be repeated.
        everything: All bounds that ship with qjax, as when none is named.
        size: How hard to try: seconds, minutes or hours for all bounds.
        seed: Seed of the random instances, shots and searches.
        random_instances: Random structures in the exact stage; 0 for none.
        shots: Runs per kind of query in the Monte-Carlo stage; 0 for none.
        delta: Probability of any false alarm of the Monte-Carlo stage.
        restarts: Restarts of each search, relative to what it declares; 0 for none.
        report: Folder for the full reports in HTML, Markdown and JSON, and for the
            witnesses.
        json: Print JSON, one report a line, and nothing else.
        workers: Processes; by default one per usable core. Does not change a result.
        listing: List the bounds and their expected verdicts, and verify nothing.
    """
    if workers is not None and workers < 1:
        return complain(f"Argument `workers` must be at least 1, but is {workers}.")
    if not 0 <= seed < 2**63:
        return complain(f"Argument `seed` must be at least 0, but is {seed}.")
    given = {"random_instances": random_instances, "shots": shots, "delta": delta,
             "restarts": restarts}  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        chosen = _chosen(names, bound, everything)
        budget = dataclasses.replace(BUDGETS[size], **changes)
        ids = [find_bound(own).id for own in bound]
        shared = shared_folders([*(set(chosen) - set(bound)), *ids])
        require(not shared, "bound", "have an id of its own", ", ".join(shared))
    except ValueError as error:
        return complain(str(error))
    if listing:
        return _list(chosen)
    # Not after minutes of work.
    try:
        if report is not None:
            report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return complain(f"Cannot write to {report}: {error.strerror}.")
    tasks = [Task(name, seed, budget) for name in chosen]
    try:
        results = _run(tasks, workers or usable_cores(), json)
    except BrokenProcessPool:
        complain("A worker process was killed, perhaps for memory: try `--workers 1`.")
        return FAILED
    return _conclude(results, report, json)


def _chosen(
    names: Sequence[str], own: Sequence[str], everything: bool
) -> tuple[str, ...]:
    if everything and names:
        raise ValueError("Name bounds or give `--all`, not both.")
    if names or (own and not everything):
        return (*matching_bounds(names, BOUNDS), *dict.fromkeys(own))
    return (*BOUNDS, *dict.fromkeys(own))


def _list(chosen: Sequence[str]) -> int:
    for name in chosen:
        found = find_bound(name)
        print(f"{found.id:<24} {expected_verdict(found.id):<12} {found.title}")
    return DONE


def _run(tasks: Sequence[Task], workers: int, json: bool) -> list[Verified]:
    """Verify, with a progress bar for people only, and print JSON as it comes."""
    bar = rich.progress.Progress(
        rich.progress.TextColumn("verifying"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        console=rich.console.Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    results = []
    with bar:
        task = bar.add_task("", total=len(tasks))
        for result in verify_tasks(tasks, workers, lambda: bar.advance(task)):
            results.append(result)
            if json and result.report is not None:
                print(result.report.to_json(indent=None), flush=True)
    return results


def _conclude(
    results: Sequence[Verified], folder: pathlib.Path | None, json: bool
) -> int:
    """Write the reports, print the table, and decide the exit status."""
    reports = [each.report for each in results if each.report is not None]
    if not json:
        if len(results) == 1 and reports:
            print(f"{reports[0].to_markdown().rstrip()}\n")
        _print_table(results)
    for each in results:
        if each.failure:
            print(each.failure.rstrip(), file=sys.stderr)
            last = each.failure.rstrip().rpartition("\n")[2]
            complain(f"The verification of {each.name} stopped: {last}")
    if folder is not None and reports:
        try:
            page = write_report(folder, reports)
        except OSError as error:
            return complain(f"Cannot write the reports to {folder}: {error}")
        print(f"reports: {page}", file=sys.stderr)
    good = all(
        each.report is not None and as_expected(each.report.bound, each.report.status)
        for each in results
    )
    return DONE if good else FAILED


def _print_table(results: Sequence[Verified]) -> None:
    table = rich.table.Table(box=rich.box.SIMPLE)
    for name in ("bound", "verdict", "expected"):
        table.add_column(name, no_wrap=True)
    for name in ("tight ratio", "mutants", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in results:
        seconds = f"{each.seconds:.1f}"
        if each.report is None:
            table.add_row(each.name, "[red]stopped", "", "", "", seconds)
            continue
        line = summary(each.report.to_dict())
        ratio = line["tight_ratio"]
        color = "green" if line["as_expected"] else "red"
        table.add_row(
            line["bound"],
            f"[{color}]{line['status']}",
            line["expected"],
            "" if ratio is None else f"{ratio:.9f}",
            f"{line['killed']}/{line['mutants']}",
            seconds,
        )
    wide = None if sys.stdout.isatty() else WIDE
    rich.console.Console(width=wide).print(table)
