"""Joining the processes of a cluster, with a clear end if one of them never comes."""

import os
import socket
import time
from collections.abc import Mapping

import jax

from qjax._checks import require

COORDINATOR = "QJAX_COORDINATOR"
NUM_PROCESSES = ("QJAX_NUM_PROCESSES", "SLURM_NTASKS")
PROCESS_ID = ("QJAX_PROCESS_ID", "SLURM_PROCID")
"""Environment variables; the launcher sets the first ones, SLURM the others."""

_POLL_SECONDS = 0.2


def join_cluster(*, timeout: float = 300.0, heartbeat: int = 30) -> int:
    """Join the other processes of a job, before anything else is done with JAX.

    An entry point calls this first: it starts `jax.distributed`, after which
    `jax.devices()` are those of all processes. Where, how many and which of them this
    one is stands in the environment: QJAX_COORDINATOR (host:port of process 0),
    QJAX_NUM_PROCESSES and QJAX_PROCESS_ID, as `python -m qjax.parallel.launch` sets
    them; SLURM_NTASKS and SLURM_PROCID take the place of the last two. Without
    QJAX_COORDINATOR there is nothing to join.

    All processes call each other's names first, since JAX itself aborts without an
    exception when one does not come. If one ends later, JAX ends the others.

    Args:
        timeout: Seconds to wait for all processes.
        heartbeat: Seconds after which a process that is silent counts as dead.

    Returns:
        Number of this process, from 0; 0 if there is nothing to join.

    Raises:
        TimeoutError: If a process does not join in time; it names the address.
        ValueError: If a variable is missing or no number, or the address no host:port.

    Source: `jax.distributed.initialize`.

    Example:
        >>> from qjax.parallel import join_cluster
        >>> join_cluster()  # of one process, where no launcher has said otherwise
        0
    """
    address = os.environ.get(COORDINATOR)
    if address is None:
        return 0
    host, _, port = address.rpartition(":")
    named = bool(host) and port.isdigit()
    require(named, COORDINATOR, "be host:port", repr(address))
    count = _number(os.environ, NUM_PROCESSES)
    process = _number(os.environ, PROCESS_ID)
    require(count >= 1, NUM_PROCESSES[0], "be at least 1", count)
    known = 0 <= process < count
    require(known, PROCESS_ID[0], f"lie in [0, {count})", process)
    deadline = time.monotonic() + timeout
    if process == 0:
        _wait_for_all((host, int(port)), count, deadline)
    else:
        _report((host, int(port)), process, deadline)
    jax.distributed.initialize(
        address,
        count,
        process,
        initialization_timeout=max(1, int(timeout)),
        heartbeat_timeout_seconds=heartbeat,
    )
    return process


def _number(environment: Mapping[str, str], names: tuple[str, ...]) -> int:
    """Return the first variable that is set, as a number."""
    for name in names:
        if name in environment:
            value = environment[name]
            require(value.isdigit(), name, "be a number", repr(value))
            return int(value)
    raise ValueError(f"Environment variable {names[0]} must be set with {COORDINATOR}.")


def _wait_for_all(address: tuple[str, int], count: int, deadline: float) -> None:
    """Wait until processes 1 .. count - 1 have called, then answer all of them."""
    calls: dict[int, socket.socket] = {}
    family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
    try:
        with socket.create_server(address, family=family, backlog=count) as server:
            while len(calls) < count - 1:
                server.settimeout(max(deadline - time.monotonic(), 0.01))
                call, _ = server.accept()
                # Strangers may call too: they say nothing that is a number.
                call.settimeout(1.0)
                name = _read(call)
                if name.isdigit() and 0 < int(name) < count:
                    calls[int(name)] = call
                else:
                    call.close()
        for call in calls.values():
            call.sendall(b"go\n")
    except TimeoutError as error:
        missing = sorted(set(range(1, count)) - set(calls))
        raise TimeoutError(
            f"Processes {missing} of {count} did not join at {_name(address)} in time."
        ) from error
    finally:
        for call in calls.values():
            call.close()


def _report(address: tuple[str, int], process: int, deadline: float) -> None:
    """Call process 0 until it answers; it does so when all others have called."""
    while time.monotonic() < deadline:
        try:
            left = max(deadline - time.monotonic(), 0.01)
            with socket.create_connection(address, timeout=left) as call:
                call.sendall(f"{process}\n".encode())
                if _read(call) == "go":
                    return
        except OSError:  # not there yet, or gone without an answer
            pass
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(
        f"Process {process} waited for all processes to join at {_name(address)}, but "
        "had no answer in time."
    )


def _read(call: socket.socket) -> str:
    """Read one line; an empty one if nothing comes."""
    try:
        with call.makefile("r") as lines:
            return lines.readline().strip()
    except OSError:
        return ""


def _name(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"
