"""Show in docs/benchmarks.md where the time of our compiled programs goes.

    python scripts/bench/kernels.py [CASE ...] [--rounds N] [--core C]

Needs the environment of `make bench`. Times are those of kernels under the profiler,
on one core.
"""

import argparse
import collections
import dataclasses
import gzip
import json
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable

import jax
import pandas as pd

from qjax.experiments.files import write_bytes
from scripts.bench.report import PAGE, between, markdown
from scripts.bench.sides import qjax_side
from scripts.bench.workloads import CASES

BEGIN, END = "<!-- kernels: begin -->", "<!-- kernels: end -->"
DEFAULT = ("W1-n16", "W1-n20", "W2-n16", "W5b", "WR-n16")
MOST = 5
"""Kernels shown of each case."""

KINDS = {
    "matrix products": r"ynn_fusion|dot|dot_general|custom-call",
    "permutations": r".*gather.*|.*scatter.*",
    "spreading and filling": r".*broadcast.*",
    "copies, slices and joins": r".*(copy|concatenate|slice|bitcast|pad|transpose).*",
}
"""Names of kernels by what they do; the first pattern that fits counts."""


def durations(call: Callable[[], object], rounds: int) -> pd.DataFrame:
    """Run `call` under the profiler: ms and number of runs of each kernel, per call."""
    for _ in range(rounds):
        call()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, create_perfetto_trace=True):
            for _ in range(rounds):
                call()
        (path,) = pathlib.Path(folder).rglob("*.trace.json.gz")
        events = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    spent: dict[str, float] = collections.defaultdict(float)
    count: dict[str, float] = collections.defaultdict(float)
    for event in events:
        # Kernels are named as dot.3 is; loops and conditions hold others, the rest is
        # Python and the runtime.
        name = event.get("name", "")
        if event.get("ph") != "X" or not re.fullmatch(r"[a-z_-]+[\w.-]*", name):
            continue
        if not re.match(r"while|cond|call|conditional", name):
            spent[name] += event["dur"] / 1e3 / rounds
            count[name] += 1 / rounds
    rows = [(name, ms, count[name], kind(name)) for name, ms in spent.items()]
    found = pd.DataFrame(rows, columns=["kernel", "ms", "runs", "kind"])
    return found.sort_values("ms", ascending=False)


def kind(name: str) -> str:
    """Say what a kernel of this name does."""
    plain = re.sub(r"\.[\w.]+$", "", name)
    found = (kind for kind, names in KINDS.items() if re.fullmatch(names, plain))
    return next(found, "everything else")


def shapes(text: str) -> dict[str, str]:
    """Read the shape that each instruction of a compiled program gives."""
    lines = re.finditer(r"^\s*(?:ROOT )?%(\S+) = (\w+\[[\d,]*\])", text, re.MULTILINE)
    return {line[1]: line[2] for line in lines}


def section(name: str, rounds: int) -> tuple[dict[str, str], str]:
    """Profile one case: a line of the table of shares, and a table of kernels."""
    case = CASES[name]
    if case.workload == "W5":  # the profiler keeps no more events
        case = dataclasses.replace(case, shots=100)
    prepared = qjax_side.prepare(case, "single", "")
    assert prepared.program is not None
    rows = durations(prepared.call, rounds)
    total = rows["ms"].sum()
    shares = rows.groupby("kind")["ms"].sum() / total
    line = {"case": name, "kernels, ms": f"{total:.3g}"}
    for each in (*KINDS, "everything else"):
        line[each] = f"{shares.get(each, 0.0):.0%}"
    top = rows.head(MOST)
    given = shapes(prepared.program.as_text())
    table = pd.DataFrame(
        {
            "kernel": top["kernel"],
            "gives": [given.get(kernel, "") for kernel in top["kernel"]],
            "runs": top["runs"].map("{:.3g}".format),
            "us each": (1e3 * top["ms"] / top["runs"]).map("{:.3g}".format),
            "share": (top["ms"] / total).map("{:.0%}".format),
        }
    )
    return line, f"{name}:\n\n{markdown(table)}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Profile compiled programs.")
    parser.add_argument(
        "cases",
        nargs="*",
        default=DEFAULT,
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"`cases` must be among {', '.join(CASES)}, but has {unknown}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    found = [section(name, arguments.rounds) for name in arguments.cases]
    summary = markdown(pd.DataFrame([line for line, _ in found]))
    content = "\n\n".join([summary, *(table for _, table in found)]) + "\n"
    page = arguments.page.read_text()
    write_bytes(arguments.page, between(page, content, BEGIN, END).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
