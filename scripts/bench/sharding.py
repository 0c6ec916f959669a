"""Strong and weak scaling of a sharded gradient, on simulated devices of this machine.

    python scripts/bench/sharding.py results/sharding.csv --wires 18 --devices 1 2 4 8

Each row is measured in a process of its own, since the number of devices is set before
JAX starts. Simulated devices share the cores and the memory of one machine: these rows
show what communication and planning cost, not what more hardware would give.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import jax
import numpy as np

from qjax import parallel
from qjax.circuits import hardware_efficient, ising
from scripts.bench.process import ROOT

_FLAG = "--xla_force_host_platform_device_count="


def angles_of(wires: int, depth: int) -> np.ndarray:
    """Angles that depend on the size only, shape (depth, wires, 2), float32."""
    angles = np.random.default_rng(0).normal(size=(depth, wires, 2))
    return angles.astype(np.float32)


def measure(wires: int, devices: int, depth: int, rounds: int) -> dict[str, Any]:
    """Time value and gradient of the Ising energy of a layered circuit."""
    mesh = parallel.device_mesh(devices)

    def energy(angles: Any) -> Any:
        zeros = parallel.ShardedState.zeros(wires, mesh)
        final = parallel.run(hardware_efficient(angles), zeros)
        return parallel.expectation(final, ising(wires))

    angles = angles_of(wires, depth)
    start = time.perf_counter()
    compiled = jax.jit(jax.value_and_grad(energy)).lower(angles).compile()
    compile_seconds = time.perf_counter() - start
    value, slopes = jax.block_until_ready(compiled(angles))
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(compiled(angles))
        seconds.append(time.perf_counter() - start)
    analysis = compiled.memory_analysis()
    assert analysis is not None
    order, outer = tuple(range(wires)), devices.bit_length() - 1
    route = parallel.plan_route(hardware_efficient(angles), order, outer)
    return {
        "kind": "simulated devices",
        "wires": wires,
        "devices": devices,
        "depth": depth,
        "energy": float(value),
        "slope": float(np.linalg.norm(slopes)),
        "median_seconds": statistics.median(seconds),
        "fastest_seconds": min(seconds),
        "slowest_seconds": max(seconds),
        "rounds": rounds,
        "compile_seconds": compile_seconds,
        "temporaries_in_shards": analysis.temp_size_in_bytes * devices / 2**wires / 8,
        "exchanges_layer_by_layer": route.num_exchanges,
        "cores": os.cpu_count(),
        "jax": jax.__version__,
    }


def elsewhere(wires: int, devices: int, depth: int, rounds: int) -> dict[str, Any]:
    """Measure in a new process with so many devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} {_FLAG}{devices}"
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "0",
        "XLA_FLAGS": flags.strip(),
        "PYTHONPATH": str(ROOT),
    }
    numbers = [str(n) for n in (wires, devices, depth, rounds)]
    command = [sys.executable, "-m", "scripts.bench.sharding", "--one", *numbers]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=pathlib.Path, nargs="?")
    parser.add_argument("--wires", type=int, default=18, help="on one device")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", type=int, nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    if given.output is None:
        parser.error("an output file is missing")
    rows = []
    for devices in given.devices:
        grown = given.wires + devices.bit_length() - 1
        for scaling, wires in (("strong", given.wires), ("weak", grown)):
            row = elsewhere(wires, devices, given.depth, given.rounds)
            rows.append({"scaling": scaling, **row})
            print(rows[-1], flush=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=given.output.parent)
    with os.fdopen(handle, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(name, given.output)


if __name__ == "__main__":
    main()
