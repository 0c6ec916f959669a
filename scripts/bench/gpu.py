"""Measure this project on a GPU: W1-W3 and W5 up to 28 qubits, and the bandwidth.

    python scripts/bench/gpu.py --results gpu.jsonl

Every result is checked before it is timed: against the NumPy oracle where that is
affordable, by the norm of the state where not. The share of the device's bandwidth on
W1 is the fewest bytes a simulator without fusion across layers has to move (each layer
reads and writes the state once) over what a measured copy on the device moves in the
same time. CPU times come from the recorded results of scripts/bench/run.py.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from scripts.bench import store
from scripts.bench.check import agree
from scripts.bench.machine import describe
from scripts.bench.report import digits
from scripts.bench.run import RESULTS
from scripts.bench.sides import ORACLE, qjax_side
from scripts.bench.sides.base import Prepared
from scripts.bench.workloads import CASES, Case

SIZES = (16, 20, 24, 26, 28)
COPY_BYTES = 2**30
# Of W1 from 26 qubits on, and of our own CPU time on W2 n = 20 and W5 b.
BANDWIDTH_BAR, SPEEDUP_BAR = 0.7, 10.0


def cases(largest: int) -> list[Case]:
    """The cases of the CPU, and W1 and W2 at sizes that a GPU is for."""
    named = [c for c in CASES.values() if c.workload in ("W1", "W2", "W3", "W5", "WR")]
    large = [
        dataclasses.replace(CASES[f"{w}-n20"], name=f"{w}-n{n}", num_wires=n)
        for w in ("W1", "W2")
        for n in SIZES
        if f"{w}-n{n}" not in CASES
    ]
    return [case for case in [*named, *large] if case.num_wires <= largest]


def seconds(call, rounds: int) -> dict:
    """Median and range of wall seconds; the device is waited for."""
    call()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    middle = statistics.median(found)
    return {"median": middle, "min": min(found), "max": max(found)}


def copy_bandwidth(rounds: int) -> float:
    """Bytes read and written per second by a copy on the device."""
    source = jnp.zeros(COPY_BYTES // 4, jnp.float32)
    # Adding a number read at run time keeps the copy from being optimised away.
    copy = jax.jit(lambda x, one: x + one).lower(source, source[0]).compile()
    took = seconds(lambda: jax.block_until_ready(copy(source, source[0])), rounds)
    return 2 * COPY_BYTES / took["median"]


def layer_bytes(case: Case, itemsize: int) -> int:
    """Bytes that one reading and one writing of the state per layer moves."""
    return 2 * case.depth * 2**case.num_wires * itemsize


def right(case: Case, prepared: Prepared) -> tuple[bool, str]:
    """Whether the result is right, and how that was found out."""
    arrays = prepared.result(prepared.call())
    if ORACLE.takes(case):
        oracle = ORACLE.load()
        exact = oracle.prepare(case, "double", "")
        theirs = exact.result(exact.call())
        same, found = agree(case, arrays, theirs, (prepared.dtype, "complex128"))
        return same, f"oracle, distance {found:.1e}"
    if case.task == "state":
        norm = float(np.linalg.norm(arrays["state"]))
        return abs(norm - 1) < 1e-4, f"norm {norm:.6f}"
    finite = all(np.isfinite(values).all() for values in arrays.values())
    return finite, "finite"


def measure(case: Case, precision: str, rounds: int, copied: float) -> dict:
    begin = time.perf_counter()
    try:
        prepared = qjax_side.prepare(case, precision, "")
        prepared.call()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return {"side": "qjax", "status": "failed", "reason": reason[:300]}
    first = time.perf_counter() - begin
    same, how = right(case, prepared)
    row = {
        "side": "qjax",
        "status": "ready" if same else "wrong",
        "check": {"right": same, "how": how},
        "dtype": prepared.dtype,
        "note": prepared.note,
        "first_wall": first,
        "temporaries": prepared.temporaries,
    }
    if not same:
        return row
    took = seconds(prepared.call, rounds)
    row["wall"] = {key: value * prepared.scale for key, value in took.items()}
    if case.task == "state" and not case.pairs:
        itemsize = np.dtype(prepared.dtype).itemsize
        moved = layer_bytes(case, itemsize) / took["median"]
        row["bandwidth_share"] = moved / copied
    return row


def cpu_seconds(results: pathlib.Path, case: Case, precision: str) -> float | None:
    """Our own recorded CPU time of the same case."""
    group = store.read(results).get((case.name, precision), {"rows": []})
    for row in group["rows"]:
        if row["side"] == "qjax" and "cpu" in row:
            return row["cpu"]["median"]
    return None


def line(case: Case, row: dict) -> str:
    if "wall" not in row:
        return f"{case.name:9s} {row['status']}: {row.get('reason', row.get('check'))}"
    parts = [f"{case.name:9s} {digits(1e3 * row['wall']['median'])} ms"]
    parts.append(f"first call {digits(row['first_wall'])} s")
    if "bandwidth_share" in row:
        parts.append(f"{row['bandwidth_share']:.0%} of the copy's bandwidth")
    if row.get("speedup"):
        parts.append(f"{digits(row['speedup'])} times the recorded CPU speed")
    return ", ".join([*parts, row["check"]["how"]])


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure this project on a GPU.")
    parser.add_argument("--largest", type=int, default=max(SIZES), help="qubits")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--precision", choices=["single", "double"], default="single")
    parser.add_argument("--cpu-results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--results", type=pathlib.Path, default=None)
    arguments = parser.parse_args(words)
    try:
        devices = jax.devices("gpu")
    except RuntimeError:
        print(
            "No GPU that JAX can use was found: run this script on a machine with one, "
            "with the extra `cuda` or `cuda13` installed."
        )
        return 1
    if arguments.precision == "double" and jnp.asarray(0.0).dtype != jnp.float64:
        print("Double precision needs the environment variable JAX_ENABLE_X64=1.")
        return 1
    copied = copy_bandwidth(arguments.rounds)
    machine = describe() | {"gpu": devices[0].device_kind, "copy_bytes_per_s": copied}
    print(f"{devices[0].device_kind}: a copy moves {copied / 1e9:.0f} GB/s")
    for case in cases(arguments.largest):
        row = measure(case, arguments.precision, arguments.rounds, copied)
        recorded = cpu_seconds(arguments.cpu_results, case, arguments.precision)
        if recorded is not None and "wall" in row:
            row["speedup"] = recorded / row["wall"]["median"]
        print(line(case, row), flush=True)
        if arguments.results is not None:
            group = {
                "case": case.name,
                "precision": arguments.precision,
                "machine": machine,
                "rounds": arguments.rounds,
                "rows": [row],
            }
            store.put(arguments.results, json.loads(json.dumps(group)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
