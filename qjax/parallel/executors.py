"""Where the cells of a sweep are computed: any `concurrent.futures.Executor`."""

import concurrent.futures
import contextlib
import multiprocessing
from collections.abc import Iterator

from qjax._checks import require


@contextlib.contextmanager
def process_pool(workers: int) -> Iterator[concurrent.futures.Executor]:
    """Give an executor of processes on this machine, started anew by spawning.

    A fork would copy the threads and locks of a JAX that has begun to run.

    Args:
        workers: Number of processes, at least 1.

    Raises:
        ValueError: If `workers` < 1.

    Example:
        >>> from qjax.parallel import process_pool
        >>> with process_pool(1) as executor:
        ...     executor.submit(pow, 2, 3).result()
        8
    """
    require(workers >= 1, "workers", "be at least 1", workers)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield pool
