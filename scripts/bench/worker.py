"""A process that runs one side of one case: commands come in as JSON lines, answers go.

    python -m scripts.bench.worker SIDE CASE PRECISION ARRAYS.npz CORE

It prepares the case at once and answers with its first-call times; afterwards `time`
and `memory` are served until the input ends. Idle, it waits for a line and uses no CPU.
"""

import ctypes
import gc
import json
import os
import pathlib
import sys
import time
import traceback

import numpy as np

from scripts.bench.sides import ORACLE, SIDES
from scripts.bench.sides.base import Prepared, Unsupported
from scripts.bench.workloads import find

# A sample lasts at least this long, by repeating the call inside it.
MIN_SAMPLE = 0.02
# Calls longer than this are not repeated to warm the caches at each turn.
WARM_BELOW = 1.0
STATUS = pathlib.Path("/proc/self/status")
PEAK_RESET = pathlib.Path("/proc/self/clear_refs")


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def resident(field: str) -> int:
    """Bytes of VmRSS (now) or VmHWM (peak)."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"{STATUS} has no {field}")


def measure_time(prepared: Prepared, budget: float, once: float) -> dict:
    """Samples of wall and CPU seconds per call, for about `budget` seconds.

    `once` is what the first call took: short ones are called again to warm the caches.
    """
    start, _ = clocks()
    if once < WARM_BELOW:
        prepared.call()
        once = clocks()[0] - start
    inner = max(1, int(np.ceil(MIN_SAMPLE / max(once, 1e-9))))
    wall, cpu = [], []
    while not wall or clocks()[0] - start < budget:
        begin = clocks()
        for _ in range(inner):
            prepared.call()
        end = clocks()
        wall.append((end[0] - begin[0]) / inner * prepared.scale)
        cpu.append((end[1] - begin[1]) / inner * prepared.scale)
    return {"wall": wall, "cpu": cpu, "inner": inner}


def measure_memory(prepared: Prepared) -> dict:
    """Peak resident bytes that one call adds once everything is compiled and warm."""
    gc.collect()
    # Give back what earlier calls freed, or the call would find it and add nothing.
    ctypes.CDLL(None).malloc_trim(0)
    PEAK_RESET.write_text("5")
    before = resident("VmRSS")
    prepared.call()
    return {"rss_added": resident("VmHWM") - before, "rss_before": before}


def prepare(side_name: str, case_name: str, precision: str, arrays: str):
    side = ORACLE if side_name == ORACLE.name else SIDES[side_name]
    case = find(case_name)
    module = side.load()
    begin = clocks()
    prepared = module.prepare(case, precision, side.variant)
    ready = clocks()
    out = prepared.call()
    end = clocks()
    found = prepared.result(out)
    np.savez(arrays, **found)
    answer = {
        "status": "ready",
        "dtype": prepared.dtype,
        "note": prepared.note,
        "scale": prepared.scale,
        "temporaries": prepared.temporaries,
        "first_wall": end[0] - begin[0],
        "first_cpu": end[1] - begin[1],
        "prepare_wall": ready[0] - begin[0],
        "prepare_cpu": ready[1] - begin[1],
        "call_wall": end[0] - ready[0],
        "version": side.version(),
    }
    if "fidelity" in found:
        answer["fidelity"] = float(found["fidelity"])
    return prepared, answer


def main() -> None:
    # Packages print: keep the real output for the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    # Before the side's packages are loaded: they count the cores they may use.
    os.sched_setaffinity(0, {int(sys.argv[5])})
    try:
        prepared, answer = prepare(*sys.argv[1:5])
    except Unsupported as reason:
        answers.write(json.dumps({"status": "unsupported", "reason": str(reason)}))
        answers.write("\n")
        return
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
        answers.write(json.dumps({"status": "failed", "reason": reason[:500]}) + "\n")
        return
    answers.write(json.dumps(answer) + "\n")
    once = answer["call_wall"]
    for line in sys.stdin:
        command = json.loads(line)
        if command["command"] == "time":
            answer = measure_time(prepared, command["budget"], once)
        else:
            answer = measure_memory(prepared)
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
