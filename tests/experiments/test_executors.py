"""Cells computed elsewhere: the rows of this process, and what a dead worker leaves."""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future

import pytest
from workplace import Workplace

from qjax.experiments import Catalogue, RowStore
from qjax.parallel import process_pool


def stored(workplace: Workplace, catalogue: Catalogue) -> list:
    """Stored rows of both experiments in their order, without what is measured."""
    found = []
    for name in ("coin", "width"):
        store = RowStore(workplace.store(name), catalogue.experiments[name])
        for cell, record in store.records.items():
            rows = [{**row, "seconds": None} for row in record.rows]
            found.append((name, cell, record.root_seed, record.point, rows))
    return found


def check_equal(workplace: Workplace, catalogue: Catalogue, executor: Executor) -> None:
    """Compare the rows of an executor, also of a grid that it found half done."""
    experiments = list(catalogue.experiments.values())
    workplace.run(experiments)
    expected = stored(workplace, catalogue)
    for name in ("coin", "width"):
        workplace.store(name).unlink()
    half = workplace.run(experiments, executor, tosses=[16])
    rest = workplace.run(experiments, executor)
    assert not half.failed and not rest.failed
    assert half.computed + rest.computed == len(expected) and rest.computed == 3
    found = stored(workplace, catalogue)
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_pool_of_processes_computes_the_rows_of_this_process(workplace, catalogue):
    with process_pool(1) as executor:
        check_equal(workplace, catalogue, executor)


@pytest.mark.slow
def test_a_dask_cluster_computes_the_rows_of_this_process(workplace, catalogue):
    with dask_cluster() as executor:
        check_equal(workplace, catalogue, executor)


@contextlib.contextmanager
def dask_cluster() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("qjax.parallel.dask")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        dask.dask_pool(cluster.scheduler_address) as executor,
    ):
        yield executor


class Fatal(Executor):
    """An executor one of whose tasks kills the process that it falls to."""

    def __init__(self, inner: Executor, place: int):
        self.inner = inner
        self.left = place

    def submit(self, fn: Callable, /, *args, **kwargs) -> Future:
        self.left -= 1
        if self.left == 0:
            return self.inner.submit(os._exit, 1)
        return self.inner.submit(fn, *args, **kwargs)


@pytest.mark.slow
def test_a_worker_that_dies_loses_no_finished_cell(workplace, catalogue, coin):
    workplace.run([coin])
    whole = stored(workplace, catalogue)
    workplace.store().unlink()
    with process_pool(1) as executor:
        outcome = workplace.run([coin], Fatal(executor, 4))
        assert (outcome.computed, len(outcome.failed)) == (3, 3)
        assert stored(workplace, catalogue) == whole[:3]
        assert "BrokenProcessPool" in workplace.text
        with pytest.raises(BrokenExecutor):  # a dead pool is not used any further
            workplace.run([coin], executor)
    with process_pool(1) as executor:
        again = workplace.run([coin], executor)
    assert (again.computed, again.present, again.failed) == (3, 3, ())
    assert stored(workplace, catalogue) == whole
