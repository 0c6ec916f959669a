"""What the figures of times share: first and later calls, their spread, its bars."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import matplotlib.axes
import pandas as pd
import scipy.linalg.lapack  # noqa: F401  # JAX loads its library late, and it has threads
import threadpoolctl

from qjax.experiments import Column, Row
from scripts.bench.sides.base import Prepared
from scripts.bench.worker import measure_time


def one_blas_thread() -> threadpoolctl.threadpool_limits:
    """A context in which LAPACK does not share its small matrices among threads.

    On a machine with other work to do, its threads wait for each other.
    """
    return threadpoolctl.threadpool_limits(1)


def first_calls(
    prepare: Callable[[], Prepared], starts: int
) -> tuple[list[float], Prepared, Any]:
    """Seconds from nothing to the first result, the last program and its result."""
    firsts, prepared, out = [], None, None
    for _ in range(max(starts, 1)):
        # Otherwise what an earlier cell compiled would be there already.
        jax.clear_caches()
        begin = time.perf_counter()
        prepared = prepare()
        out = prepared.call()
        firsts.append(time.perf_counter() - begin)
    assert prepared is not None
    return firsts, prepared, out


def later_calls(prepared: Prepared, rounds: int, seconds: float) -> list[float]:
    """Milliseconds of a call: the median of each round of about so many seconds."""
    begin = time.perf_counter()
    prepared.call()
    once = time.perf_counter() - begin
    return [
        1e3 * statistics.median(measure_time(prepared, seconds, once)["wall"])
        for _ in range(max(rounds, 1))
    ]


def spread(name: str, values: Sequence[float]) -> Row:
    """Median and range."""
    return {
        name: statistics.median(values),
        f"{name}_low": min(values),
        f"{name}_high": max(values),
    }


def spread_columns(name: str, unit: str, description: str) -> tuple[Column, ...]:
    """Columns of what `spread` gives."""
    return (
        Column(name, "measured", unit=unit, description=description),
        Column(f"{name}_low", "measured", unit=unit),
        Column(f"{name}_high", "measured", unit=unit),
    )


def draw_spread(
    axes: matplotlib.axes.Axes,
    rows: pd.DataFrame,
    size: str,
    column: str,
    **style: Any,
) -> None:
    """A line through the medians, bars over the ranges where there are any."""
    rows = rows.dropna(subset=[column]).sort_values(size)
    if rows.empty:
        return
    middle, error = rows[column].astype(float), None
    if f"{column}_low" in rows:
        low, high = rows[f"{column}_low"], rows[f"{column}_high"]
        error = [middle - low.astype(float), high.astype(float) - middle]
    axes.errorbar(
        rows[size].astype(float),
        middle,
        yerr=error,
        markersize=3,
        capsize=2,
        linewidth=1.2,
        **style,
    )
