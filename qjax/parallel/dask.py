"""An executor on a Dask cluster; needs the extra `cluster`."""

import concurrent.futures
import contextlib
from collections.abc import Iterator

import distributed


@contextlib.contextmanager
def dask_pool(address: str) -> Iterator[concurrent.futures.Executor]:
    """Give an executor of the workers of a Dask scheduler.

    Args:
        address: The scheduler's, such as "tcp://node1:8786".

    Raises:
        OSError: If there is no scheduler at the address.
    """
    with distributed.Client(address) as client:
        yield client.get_executor(pure=False)
