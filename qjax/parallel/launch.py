"""Start a script as several processes that join each other, on this machine.

    python -m qjax.parallel.launch --processes 2 --devices 2 train.py --depth 4

Every process gets simulated CPU devices and calls `qjax.parallel.join_cluster`. If one
ends with an error, the others are ended too, and the error is the launcher's own. On a
cluster the scheduler starts the processes, and this is not needed.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from qjax._checks import require
from qjax.parallel.cluster import COORDINATOR, NUM_PROCESSES, PROCESS_ID

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 10.0
"""Time for the other processes to end by themselves once one has failed."""


def launch(command: Sequence[str], processes: int, devices: int) -> int:
    """Run a command as several processes, each with simulated CPU devices.

    Args:
        command: Script and arguments, for this Python.
        processes: Number of processes, at least 1.
        devices: Simulated devices of each, at least 1.

    Returns:
        0, or the exit status of the process that failed first.

    Raises:
        ValueError: If a number is below 1.
    """
    require(processes >= 1, "processes", "be at least 1", processes)
    require(devices >= 1, "devices", "be at least 1", devices)
    address = f"127.0.0.1:{_free_port()}"
    running = []
    for process in range(processes):
        environment = _environment(devices)
        environment[COORDINATOR] = address
        environment[NUM_PROCESSES[0]] = str(processes)
        environment[PROCESS_ID[0]] = str(process)
        child = subprocess.Popen([sys.executable, *command], env=environment)
        running.append(child)
    try:
        return _wait(running)
    finally:
        for child in running:
            if child.poll() is None:
                child.kill()
            child.wait()


def _wait(running: Sequence[subprocess.Popen]) -> int:
    """Wait for all, or for the first that fails and a while for the others."""
    while True:
        status = [child.poll() for child in running]
        failed = [code for code in status if code]
        if failed:
            break
        if None not in status:
            return 0
        time.sleep(_POLL_SECONDS)
    end = time.monotonic() + _GRACE_SECONDS
    while None in [child.poll() for child in running] and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    return failed[0]


def _environment(devices: int) -> dict[str, str]:
    """Return the environment with so many CPU devices; flags of the caller stay."""
    flags = os.environ.get("XLA_FLAGS", "")
    flags = re.sub(r"--xla_force_host_platform_device_count=\d+", "", flags)
    own = f"--xla_force_host_platform_device_count={devices}"
    return {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"{flags} {own}".strip()}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m qjax.parallel.launch",
        description="Start a script as several processes with simulated CPU devices.",
    )
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--devices", type=int, default=1, help="of each process")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="script and arguments"
    )
    given = parser.parse_args()
    if not given.command:
        parser.error("a script is missing")
    return launch(given.command, given.processes, given.devices)


if __name__ == "__main__":
    sys.exit(main())
