"""Write the measured groups as tables into docs/benchmarks.md, between its markers.

    python scripts/bench/report.py

Every number of that part of the page comes from the file of results.
"""

import argparse
import pathlib
import sys

import pandas as pd

from qjax.experiments.files import write_bytes
from scripts.bench import store
from scripts.bench.bars import limit_table, number, ours, ratio_table, work
from scripts.bench.run import RESULTS
from scripts.bench.sides import SIDES
from scripts.bench.workloads import CASES

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
MIB = 2**20


def frame(groups: dict[store.Key, dict]) -> pd.DataFrame:
    """All rows of all groups, times in milliseconds, in the order of the cases."""
    lines = []
    for group in groups.values():
        for row in group["rows"]:
            cpu, wall = row.get("cpu", {}), row.get("wall", {})
            first = row.get("first_cpu_spread", {})
            case, side = CASES.get(group["case"]), SIDES.get(row["side"])
            gives = side.gives(case) if case and side else ""
            lines.append(
                {
                    "case": group["case"],
                    "gives": gives,
                    "work": work(group["case"], gives),
                    "precision": group["precision"],
                    "side": row["side"],
                    "family": row["side"].split(":")[0],
                    "status": row["status"],
                    "reason": row.get("reason", ""),
                    "dtype": row.get("dtype", ""),
                    "cpu_ms": scaled(cpu.get("median"), 1e3),
                    "cpu_min": scaled(cpu.get("min"), 1e3),
                    "cpu_max": scaled(cpu.get("max"), 1e3),
                    "cpu_rounds": cpu.get("rounds", []),
                    "wall_ms": scaled(wall.get("median"), 1e3),
                    "first_s": first.get("median", row.get("first_cpu")),
                    "prepare_s": row.get("prepare_cpu_spread", {}).get("median"),
                    "first_min": first.get("min"),
                    "first_max": first.get("max"),
                    "rss_mib": scaled(row.get("rss_added"), 1 / MIB),
                    "temporaries_mib": scaled(row.get("temporaries"), 1 / MIB),
                    "fidelity": row.get("fidelity"),
                    "distance": (row.get("check") or {}).get("distance"),
                    "note": configuration(row),
                }
            )
    rows = pd.DataFrame(lines)
    order = {name: place for place, name in enumerate(CASES)}
    return rows.sort_values("case", key=lambda c: c.map(order), kind="stable")


def configuration(row: dict) -> str:
    """What a side says of itself, with how much of the state was kept, if it cuts."""
    if "fidelity" not in row:
        return row.get("note", "")
    return f"{row['note']}; squared norm {row['fidelity']:.5f}"


def scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def digits(value: float | None) -> str:
    """Three significant digits, without an exponent."""
    if value is None or pd.isna(value):
        return ""
    if value == 0:
        return "0"
    return f"{float(f'{value:.3g}'):.10g}"


def spread(middle: float, low: float, high: float) -> str:
    if pd.isna(middle):
        return ""
    return f"{digits(middle)} ({digits(low)}–{digits(high)})"


def markdown(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.columns:
        if pd.api.types.is_numeric_dtype(shown[name]):
            shown[name] = shown[name].map(digits)
    shown = shown.fillna("")
    return shown.to_markdown(index=False, disable_numparse=True)


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Work by family: the fastest configuration of each, CPU milliseconds."""
    timed = rows.dropna(subset=["cpu_ms"])
    best = timed.loc[timed.groupby(["work", "family"], sort=False)["cpu_ms"].idxmin()]
    table = best.pivot(index="work", columns="family", values="cpu_ms")
    table = table.loc[list(dict.fromkeys(timed["work"]))]
    names = ["qjax"] * ("qjax" in table) + sorted(set(table.columns) - {"qjax"})
    return table[names].reset_index(names="case")


def first_calls(rows: pd.DataFrame, workload: str = "FC") -> pd.DataFrame:
    """Side by depth: CPU seconds of the first call, and their growth."""
    cases = [c for c in CASES.values() if c.workload == workload]
    growth = f"depth {cases[-1].depth} / depth {cases[0].depth}"
    rows = rows[rows["case"].isin([c.name for c in cases])]
    lines = []
    for side, theirs in rows.groupby("side", sort=False):
        line: dict[str, str | float] = {"side": str(side)}
        medians = theirs.groupby("case")["first_s"].first()
        for case in cases:
            row = theirs[theirs["case"] == case.name]
            head = f"depth {case.depth}, s"
            if row.empty:
                line[head] = ""
            elif row.iloc[0]["status"] == "ready":
                found = row.iloc[0]
                line[head] = spread(
                    found["first_s"], found["first_min"], found["first_max"]
                )
            else:
                line[head] = row.iloc[0]["reason"] or row.iloc[0]["status"]
        first, last = (float(medians.get(cases[end].name, "nan")) for end in (0, -1))
        line[growth] = last / first
        lines.append(line)
    return pd.DataFrame(lines)


def details(rows: pd.DataFrame) -> pd.DataFrame:
    """Every configuration that ran."""
    timed = rows.dropna(subset=["cpu_ms"])
    own = {
        name: number(ours(same), "cpu_ms")
        for name, same in timed.groupby("work", sort=False)
    }
    return pd.DataFrame(
        {
            "case": timed["work"],
            "side": timed["side"],
            "dtype": timed["dtype"],
            "CPU, ms": [
                spread(*x)
                for x in timed[["cpu_ms", "cpu_min", "cpu_max"]].to_numpy(float)
            ],
            "wall, ms": timed["wall_ms"],
            "ratio": timed["cpu_ms"] / timed["work"].map(own),
            "first call, CPU s": timed["first_s"],
            "memory added, MiB": timed["rss_mib"],
            "temporaries, MiB": timed["temporaries_mib"],
            "configuration": timed["note"],
        }
    )


def machines(groups: dict[store.Key, dict]) -> str:
    """Machines, dates and versions behind the numbers, each said once."""
    lines = []
    for text in sorted({machine_line(group) for group in groups.values()}):
        lines.append(f"- {text}")
    versions = sorted(
        {
            f"{row['side'].split(':')[0]} {row['version']}"
            for group in groups.values()
            for row in group["rows"]
            if row.get("version")
        }
    )
    dates = sorted(group["date"][:10] for group in groups.values())
    seeds = sorted({str(group["seed"]) for group in groups.values()})
    commits = sorted({commit_of(group["machine"]) for group in groups.values()})
    lines.append(f"- Dates {dates[0]} to {dates[-1]}; seed {', '.join(seeds)}.")
    lines.append(f"- Commits of this project: {', '.join(commits)}.")
    lines.append(f"- Versions: {', '.join(versions)}.")
    return "\n".join(lines)


def commit_of(machine: dict) -> str:
    changed = " with changes" if machine["dirty"] else ""
    return f"{machine['commit'][:12] or 'none'}{changed}"


def machine_line(group: dict) -> str:
    m = group["machine"]
    return (
        f"{m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, "
        f"Python {m['python']}."
    )


def refused(rows: pd.DataFrame) -> str:
    """Sides that ran and gave no number, with the reason."""
    bad = rows[rows["status"].isin(["failed", "wrong"])]
    if bad.empty:
        return ""
    table = bad[["case", "precision", "side", "status", "reason"]].copy()
    table["reason"] = table["reason"].str.replace(r"[|\n]+", " ", regex=True).str[:120]
    return f"### Without a number\n\n{markdown(table)}\n"


def render(groups: dict[store.Key, dict]) -> str:
    """The part of the page between the markers."""
    if not groups:
        return "No results were recorded yet.\n"
    rows = frame(groups)
    single, double = (rows[rows["precision"] == p] for p in ("single", "double"))
    calls, chains = first_calls(single), first_calls(single, "W6C")
    parts = [
        "### Machine\n\n" + machines(groups),
        "### Bars\n\nRatio: CPU time of the peer over ours.\n\n"
        + markdown(ratio_table(single)),
        markdown(limit_table(single)),
        "### complex64 against each peer's best precision\n\nCPU milliseconds of the "
        "fastest configuration of each.\n\n" + markdown(wide(single)),
    ]
    if not double.dropna(subset=["cpu_ms"]).empty:
        parts.append(
            "### complex128 side by side\n\nCPU milliseconds.\n\n"
            + markdown(wide(double))
        )
    if not calls.empty:
        parts.append(
            "### First call of a gradient, n = 10\n\nCPU seconds from building the "
            "circuit to the first value and gradient, each in a fresh process without "
            "a compilation cache: median (range).\n\n" + markdown(calls)
        )
    if not chains.empty:
        parts.append(
            "### First call on a matrix product state, n = 64, bonds of 32\n\n"
            "Likewise, from building the circuit to three <Z>. Nothing is cut at "
            "depth 10; beyond, the time of the cuts is part of it (the bars above are "
            "about tracing and compiling alone).\n\n" + markdown(chains)
        )
    parts.append("### Every configuration\n\n" + markdown(details(single)))
    parts.append(refused(rows))
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def between(page: str, content: str, begin: str = BEGIN, end: str = END) -> str:
    """The page with what stands between the markers replaced."""
    head, first, rest = page.partition(begin)
    _, last, tail = rest.partition(end)
    if not first or not last:
        raise SystemExit(f"{PAGE} must hold the lines {begin} and {end}.")
    return f"{head}{begin}\n\n{content}\n{end}{tail}"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the results into the docs.")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    parser.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args(words)
    page = arguments.page.read_text()
    wanted = between(page, render(store.read(arguments.results)))
    if arguments.check:
        return int(page != wanted)
    write_bytes(arguments.page, wanted.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
