"""First call of a circuit's gradient at two depths: is compile time flat?

Measures, each in a fresh process without a compilation cache, the wall time from the
start of building the circuit to the first gradient of the Ising energy: with `Repeat`,
and for a circuit built by a plain Python loop through `template` (whose own time
outside jit is counted, and shown). Reports the median of a few runs and the ratio of
the depths, as Markdown and JSON.

    python scripts/bench/compile_time.py --num-wires 10 --depths 10 200 --runs 3
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from qjax.circuits import Circuit, cx, hardware_efficient, ising, ry, rz, template
from qjax.simulate import expectation, run
from qjax.states import StateVector

BAR = 1.5
WAYS = ("repeat", "template")


def loop_built(params: np.ndarray) -> Circuit:
    """RY and RZ on every wire and a chain of CNOTs, layer by layer."""
    num_wires = params.shape[1]
    operations = []
    for layer in params:
        operations += [ry(layer[wire, 0], wire) for wire in range(num_wires)]
        operations += [rz(layer[wire, 1], wire) for wire in range(num_wires)]
        operations += [cx(wire, wire + 1) for wire in range(num_wires - 1)]
    return Circuit(operations, num_wires)


def first_call(way: str, num_wires: int, depth: int) -> dict[str, float]:
    """Seconds of the first gradient, of `template` within, and of the second call."""
    params = np.random.default_rng(0).uniform(-1, 1, (depth, num_wires, 2))
    params = params.astype(np.float32)
    # The backend's own start-up is not the circuit's.
    jax.block_until_ready(jnp.zeros(1) + 1)
    start = time.perf_counter()
    build = hardware_efficient
    if way == "template":
        build = template(loop_built, params)
    built = time.perf_counter() - start

    @jax.jit
    def gradient(values):
        def energy(p):
            final = run(build(p), StateVector.zeros(num_wires))
            return expectation(final, ising(num_wires))

        return jax.grad(energy)(values)

    jax.block_until_ready(gradient(params))
    first = time.perf_counter() - start
    start = time.perf_counter()
    jax.block_until_ready(gradient(params))
    second = time.perf_counter() - start
    return {"first": first, "template": built, "second": second}


def measure(way: str, num_wires: int, depth: int) -> dict[str, float]:
    """`first_call` in a process of its own."""
    command = [sys.executable, __file__, "--child", way, str(num_wires), str(depth)]
    environment = {
        **os.environ,
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "PYTHONPATH": os.pathsep.join(
            [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        ),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: list[dict], depths: list[int]) -> str:
    """Markdown: one line for each way, seconds by depth and their ratio."""
    head = [f"first call, depth {depth} (s)" for depth in depths]
    head += [f"of it template, depth {depth} (s)" for depth in depths]
    again = [f"second call, depth {depth} (ms)" for depth in depths]
    names = ["way", *head, f"ratio (bar {BAR})", *again]
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in rows:
        first = [f"{seconds:.2f}" for seconds in row["first"] + row["template"]]
        second = [f"{1e3 * seconds:.1f}" for seconds in row["second"]]
        cells = [row["way"], *first, f"{row['ratio']:.2f}", *second]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bench(num_wires: int, depths: list[int], runs: int) -> list[dict]:
    """Medians over interleaved runs, so that drift of the machine hits all alike."""
    samples: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(runs):
        for way in WAYS:
            for depth in depths:
                sample = measure(way, num_wires, depth)
                samples.setdefault((way, depth), []).append(sample)
    rows = []
    for way in WAYS:
        row: dict = {"way": way, "num_wires": num_wires, "depths": depths, "runs": runs}
        for call in ("first", "template", "second"):
            row[call] = [
                statistics.median(sample[call] for sample in samples[way, depth])
                for depth in depths
            ]
        row["ratio"] = row["first"][-1] / row["first"][0]
        row["samples"] = [samples[way, depth] for depth in depths]
        rows.append(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure the first call of a gradient at two depths."
    )
    parser.add_argument("--num-wires", type=int, default=10)
    parser.add_argument("--depths", type=int, nargs=2, default=[10, 200])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows here")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, num_wires, depth = arguments.child
        print(json.dumps(first_call(way, int(num_wires), int(depth))))
        return 0
    rows = bench(arguments.num_wires, arguments.depths, arguments.runs)
    print(table(rows, arguments.depths))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if all(row["ratio"] <= BAR for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
