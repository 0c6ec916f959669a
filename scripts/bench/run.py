"""Measure this project and its peers on the same work, in turns, on one core.

    python scripts/bench/run.py --workloads W1 W2 --sides qjax qulacs --rounds 5

Results go to a file of JSON lines, one for each case and precision; what is there
already from the same sources is not measured again, so a killed run goes on where it
stopped. Run it in an environment with the extra `bench` (`make bench`).
"""

import argparse
import pathlib
import sys

from scripts.bench import sides, store, workloads
from scripts.bench.harness import Settings, group
from scripts.bench.machine import describe

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / "results.jsonl"


def line(row: dict) -> str:
    """One row for people."""
    name = f"    {row['side']:24s}"
    if row["status"] != "ready":
        return f"{name} {row['status']}: {row.get('reason', row.get('check', ''))}"
    if "cpu" in row:
        cpu, wall = row["cpu"], row["wall"]
        return (
            f"{name} CPU {1e3 * cpu['median']:10.3f} ms "
            f"({1e3 * cpu['min']:.3f}..{1e3 * cpu['max']:.3f}), "
            f"wall {1e3 * wall['median']:.3f} ms, "
            f"first call {row['first_wall']:.2f} s, {row['dtype']}, {row['note']}"
        )
    first = row.get("first_cpu_spread")
    return f"{name} first call {first['median']:.2f} CPU s" if first else name


def parse(words: list[str] | None) -> argparse.Namespace:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        description="Measure this project and its peers on the same work."
    )
    parser.add_argument("--workloads", nargs="*", default=[], metavar="W1|W1-n10")
    parser.add_argument("--sides", nargs="*", default=[], metavar="qsim|qsim:f3")
    parser.add_argument("--precisions", nargs="*", default=["single"])
    parser.add_argument("--rounds", type=int, default=defaults.rounds)
    parser.add_argument("--budget", type=float, default=defaults.budget)
    parser.add_argument("--starts", type=int, default=defaults.starts)
    parser.add_argument("--patience", type=float, default=defaults.patience)
    parser.add_argument("--core", type=int, default=defaults.core)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--again", action="store_true", help="measure what is there")
    parser.add_argument("--list", action="store_true", help="name cases and sides")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    arguments = parse(words)
    cases = workloads.select(arguments.workloads)
    chosen = sides.select(arguments.sides)
    if arguments.list:
        print("cases:", *(case.name for case in cases))
        print("sides:", *(side.name for side in chosen))
        return 0
    settings = Settings(
        arguments.rounds,
        arguments.budget,
        arguments.starts,
        arguments.patience,
        arguments.core,
    )
    machine = describe()
    present = [side for side in chosen if side.installed()]
    for side in chosen:
        if side not in present:
            print(f"{side.name} is not installed: left out")
    for precision in arguments.precisions:
        for case in cases:
            stored = store.read(arguments.results).get((case.name, precision))
            names = [s.name for s in present if s.takes(case)]
            if precision == "double":
                names = [n for n in names if "double" in sides.SIDES[n].precisions]
            done = store.is_done(stored, names, settings.rounds, machine["sources"])
            if not names or (done and not arguments.again):
                continue
            print(f"{case.name}, {precision}:", flush=True)
            measured = group(case, precision, present, settings, machine)
            store.put(arguments.results, measured)
            for row in measured["rows"]:
                print(line(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
