"""One seam for sweeps: whatever is a `concurrent.futures.Executor`."""

import pytest

from qjax.parallel import process_pool


def test_a_pool_of_processes_computes_elsewhere_and_passes_errors_on():
    with process_pool(1) as executor:
        assert executor.submit(pow, 2, 5).result() == 32
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result()


def test_a_pool_needs_a_worker():
    with (
        pytest.raises(ValueError, match="`workers` must be at least 1"),
        process_pool(0),
    ):
        pass
