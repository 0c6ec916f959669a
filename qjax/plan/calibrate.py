"""Measuring a cost model: the times of a program's steps on the machine at hand."""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._checks import require
from qjax.circuits.builders import cx, ry
from qjax.plan.arrays import apply_window, open_window, relayout
from qjax.plan.cost import CostModel
from qjax.plan.matrices import window_matrices
from qjax.plan.sweeps import Layout, Window, closes

_LOG_SIZES = (9, 13, 17, 21, 23)
_LOG_ROWS = (2, 3, 4, 5, 6, 7)
_LOG_RIGHTS = (1, 3, 4, 5, 6, 8, 12)
_LOG_RUNS = (0, 1, 2, 4, 8)

_FIRST = Window(0, 2, (), ())
"""The window that others are timed behind."""


def calibrate(
    dtype: str = "float32",
    *,
    log_sizes: Sequence[int] = _LOG_SIZES,
    rounds: int = 3,
) -> CostModel:
    """Measure a cost model on JAX's default device; takes a few minutes.

    Every step is timed inside a compiled loop, so that neither dispatch nor the first
    touch of memory counts; the fastest of a few rounds is kept. The result is a value:
    pass it to `run`, or write `dataclasses.asdict` of it to a file.

    Args:
        dtype: "float32" or "float64" (which needs x64).
        log_sizes: log2 of the numbers of real numbers in a state to measure at, rising.
        rounds: Timings of each step, at least 1.

    Raises:
        ValueError: If `rounds` < 1 or the sizes are too small.

    Example:
        >>> from qjax.plan import calibrate
        >>> calibrate(log_sizes=(9,), rounds=1).log_sizes  # doctest: +SKIP
        (9,)
    """
    require(rounds >= 1, "rounds", "be at least 1", rounds)
    rule = "hold numbers of at least 9"
    require(min(log_sizes) >= 9, "log_sizes", rule, tuple(log_sizes))
    timed = functools.partial(_seconds, dtype=dtype, rounds=rounds)
    step = timed(lambda numbers: numbers * 0.5 + 1, 9)
    window, closing, relayouts = [], [], []
    for size in log_sizes:
        first = timed(functools.partial(_apply, size, _FIRST), size)
        table = [
            [_window_rate(timed, size, rows, right, first) for right in _LOG_RIGHTS]
            for rows in _LOG_ROWS
        ]
        window.append(tuple(tuple(row) for row in table))
        closing.append(tuple(_closing_rate(timed, size, rows) for rows in _LOG_ROWS))
        relayouts.append(tuple(_relayout_rate(timed, size, run) for run in _LOG_RUNS))
    return CostModel(
        device=jax.default_backend(),
        dtype=dtype,
        log_sizes=tuple(log_sizes),
        log_rows=_LOG_ROWS,
        log_rights=_LOG_RIGHTS,
        window=tuple(window),
        closing=tuple(closing),
        log_runs=_LOG_RUNS,
        relayout=tuple(relayouts),
        step=step,
        build=_build_rate(dtype, rounds),
    )


def _seconds(
    function: Callable[[Array], Array], log_size: int, *, dtype: str, rounds: int
) -> float:
    """Time one application among many in a loop."""
    length = max(4, 2 ** (20 - log_size))

    def repeated(numbers: Array) -> Array:
        # Two in a body: with an odd number the loop would copy its state.
        def step(carry: Array, _: None) -> tuple[Array, None]:
            return function(function(carry)), None

        return jax.lax.scan(step, numbers, None, length=length)[0]

    numbers = jnp.ones(2**log_size, dtype)
    compiled = jax.jit(repeated).lower(numbers).compile()
    return _fastest(lambda: compiled(numbers), rounds) / (2 * length)


def _fastest(call: Callable[[], Array], rounds: int) -> float:
    jax.block_until_ready(call())
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - start)
    return min(times)


def _window_rate(
    timed: Callable, size: int, rows: int, right: int, first: float
) -> float:
    """ns per number of a window of 2^rows rows with 2^right numbers to its right.

    It is timed behind the window `_FIRST`, as in a sweep, whose seconds are given: XLA
    may merge a window with itself.
    """
    num_wires, width = size - 1, rows - 1
    stop = num_wires - min(right, num_wires - width)
    here = functools.partial(_apply, size, Window(stop - width, stop, (), ()))
    seconds = timed(lambda numbers: here(_apply(size, _FIRST, numbers)), size)
    # Noise must not make it nothing.
    return _rate(max(seconds - first, 0.1 * seconds), size)


def _closing_rate(timed: Callable, size: int, rows: int) -> float:
    """ns per number of a window at the right end, which the wire before it chooses."""
    start = size - rows
    window = Window(start, size - 1, (start - 1,), ())
    # A gradient undoes twice what was done once.
    return _rate(timed(functools.partial(_apply, size, window), size) / 2, size)


def _apply(size: int, window: Window, numbers: Array) -> Array:
    """Apply a window to 2^size numbers, and undo it if it closes a sweep."""
    layout, order = Layout(size - 1), tuple(range(size - 1))
    rows = 2 ** (window.stop - window.start + 1)
    matrix = np.eye(rows) * 0.99 + 0.001
    both = jnp.asarray([[matrix] * 2 ** len(window.mux)] * 2, numbers.dtype)
    # A matrix that depends on the state is spread over it anew in every step.
    own = both[(numbers[0] > 2).astype(jnp.int32)]
    done = apply_window(window, order, layout, own, numbers)
    if closes(window, layout):
        return open_window(window, order, layout, own, done)
    return done


def _relayout_rate(timed: Callable, size: int, run: int) -> float:
    """ns per number of a random permutation of axes that keeps runs."""
    moved = np.random.default_rng(size).permutation(size - run)
    old = tuple(range(size))
    new = (*(int(axis) for axis in moved), *old[size - run :])
    function = functools.partial(relayout, old, new, 1, True)
    return _rate(timed(function, size), size)


def _build_rate(dtype: str, rounds: int) -> float:
    """ns per entry and level of windows of five wires."""
    width, count = 5, 8
    operations = [ry(np.float32(0.1), wire) for wire in range(width)]
    operations += [cx(wire, wire + 1) for wire in range(width - 1)]
    wires = tuple(range(width))
    window = Window(0, width, (), tuple(range(len(operations))))

    def build(angle: Array) -> list[Array]:
        turned = [ry(angle, wire) for wire in range(width)] + operations[width:]
        complex_dtype = np.result_type(dtype, np.complex64)
        return window_matrices(turned, [(wires, window)] * count, 2, complex_dtype)

    compiled = jax.jit(build).lower(jnp.ones((), dtype)).compile()
    angle = jnp.ones((), dtype)
    seconds = _fastest(lambda: compiled(angle), 10 * rounds)
    return 1e9 * seconds / (count * 4.0**width * width)


def _rate(seconds: float, log_size: int) -> float:
    return round(1e9 * seconds / 2.0**log_size, 4)


def to_json(model: CostModel) -> dict:
    """Return a model as plain lists and numbers, as the shipped file holds it."""
    return dataclasses.asdict(model)
