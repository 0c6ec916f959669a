"""Verifications in processes of their own: the same reports whatever their number."""

import multiprocessing
import os
import signal
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import jax

from qjax._types import Key
from qjax.bounds import Budget, Report
from qjax.bounds import verify as verify_bound
from qjax.cli.bound_names import find_bound


class Task(NamedTuple):
    """One verification.

    Attributes:
        name: What `find_bound` takes.
        seed: Of the whole run.
        budget: Sizes.
    """

    name: str
    seed: int
    budget: Budget


class Verified(NamedTuple):
    """What became of a task: a report, or the traceback of what stopped it."""

    name: str
    report: Report | None
    failure: str
    seconds: float


def bound_key(seed: int, identifier: str) -> Key:
    """The key of one bound: it depends on the seed and on the bound's id only.

    Args:
        seed: Of the whole run.
        identifier: The bound's id.
    """
    stable_hash = zlib.crc32(identifier.encode())
    return jax.random.fold_in(jax.random.key(seed), stable_hash)


def verify_task(task: Task) -> Verified:
    """Verify one bound in double precision; an exception becomes part of the result."""
    start = time.perf_counter()
    report, failure = None, ""
    # The verifier decides in double precision; here, and only here, it is switched on.
    with jax.enable_x64(True):
        try:
            bound = find_bound(task.name)
            key = bound_key(task.seed, bound.id)
            report = verify_bound(key, bound, task.budget)
        except Exception:  # a bound of a user may raise anything
            failure = traceback.format_exc()
    return Verified(task.name, report, failure, time.perf_counter() - start)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def verify_tasks(
    tasks: Sequence[Task], workers: int, advance: Callable[[], object]
) -> Iterator[Verified]:
    """Verify each task; yields in the order of the tasks.

    Args:
        tasks: What to verify.
        workers: Processes; with 1, or one task, everything runs in this process.
        advance: Called once per finished task, in any order and from any thread.

    Raises:
        concurrent.futures.process.BrokenProcessPool: If a process was killed.
    """
    if min(workers, len(tasks)) <= 1:
        for task in tasks:
            result = verify_task(task)
            advance()
            yield result
        return
    others = set(multiprocessing.active_children())
    # A forked child would inherit JAX's threads in the middle of what they do.
    context = multiprocessing.get_context("spawn")
    size = min(workers, len(tasks))
    pool = ProcessPoolExecutor(size, mp_context=context, initializer=_set_up_worker)
    try:
        futures = [pool.submit(verify_task, task) for task in tasks]
        for future in futures:
            future.add_done_callback(lambda _: advance())
        for future in futures:
            yield future.result()
    except BaseException:
        # Interrupted: nobody waits for what the workers still compute.
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _set_up_worker() -> None:
    # The parent hears the interrupt and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # On a GPU each process would otherwise take most of the memory for itself.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
