"""How much memory there is, and a refusal of what cannot fit before it is allocated."""

import contextlib
import contextvars
import functools
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from qjax._checks import require

GIB = 2**30

_LIMIT: contextvars.ContextVar[int | None] = contextvars.ContextVar(
    "memory_limit", default=None
)


def available_bytes(device: jax.Device | None = None) -> int | None:
    """Return the bytes that arrays and programs on a device may take in all.

    That is what an accelerator's allocator is allowed (`memory_stats`); on a CPU the
    physical memory, or the limit of the container where that is less.

    Args:
        device: By default the one that JAX computes on by default.

    Returns:
        Bytes, or None where the device does not say.
    """
    limit = _LIMIT.get()
    if limit is not None:
        return limit
    asked: Any = _default_device() if device is None else device
    if asked.platform == "cpu":
        return _host_bytes()
    return (asked.memory_stats() or {}).get("bytes_limit")


@contextlib.contextmanager
def memory_limit(num_bytes: int) -> Iterator[None]:
    """Within the block, take `num_bytes` for the memory of every device.

    For states that are spread over several devices, or to plan for another machine.

    Args:
        num_bytes: Bytes, at least 1.

    Example:
        >>> from qjax.simulate import memory_limit
        >>> from qjax.states import StateVector
        >>> with memory_limit(2**20):
        ...     StateVector.zeros(20)
        Traceback (most recent call last):
        ...
        ValueError: StateVector of 20 wires in complex64 needs 0.0078 GiB of memory, but
        there is 0.00098 GiB: use fewer wires.
    """
    require(num_bytes >= 1, "num_bytes", "be at least 1", num_bytes)
    token = _LIMIT.set(num_bytes)
    try:
        yield
    finally:
        _LIMIT.reset(token)


def require_fits(
    num_bytes: int, what: str, alternatives: Sequence[tuple[int, str]]
) -> None:
    """Raise ValueError "<what> needs ... GiB ..." if it exceeds the device's memory.

    Args:
        num_bytes: Bytes that it takes.
        what: Noun that the sentence begins with.
        alternatives: Bytes and advice, the best first; the first that fits is named.
    """
    available = available_bytes()
    if available is None or num_bytes <= available:
        return
    fitting = [advice for size, advice in alternatives if size <= available]
    advice = f": {fitting[0]}" if fitting else ""
    raise ValueError(
        f"{what} needs {_gib(num_bytes)} of memory, "
        f"but there is {_gib(available)}{advice}."
    )


def require_state_fits(
    kind: str,
    num_wires: int,
    size: int,
    dtype: np.dtype | type,
    alternatives: Sequence[tuple[int, str]] = (),
) -> None:
    """Raise unless `size` numbers of a dtype fit; single precision is advised first."""
    name = jax.dtypes.canonicalize_dtype(dtype).name
    num_bytes, options = size * itemsize(dtype), list(alternatives)
    single = {"complex128": "complex64", "float64": "float32"}
    if name in single:
        options.insert(0, (num_bytes // 2, f"{single[name]} takes half of it"))
    what = f"{kind} of {num_wires} wires in {name}"
    require_fits(num_bytes, what, [*options, (0, "use fewer wires")])


def itemsize(dtype: np.dtype | type) -> int:
    """Return the bytes of one number, in 32 bits where JAX is set to them."""
    return jax.dtypes.canonicalize_dtype(dtype).itemsize


def _default_device() -> jax.Device:
    # The setting holds a device, the name of a platform, or nothing.
    chosen = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(chosen, jax.Device):
        return chosen
    return jax.local_devices(backend=chosen)[0]


def _gib(num_bytes: int) -> str:
    if num_bytes >= 2**100:
        return f"2^{num_bytes.bit_length() - 31} GiB"  # floats end at 2^1024
    gib = num_bytes / GIB
    return f"{gib:,.1f} GiB" if gib >= 1 else f"{gib:.2g} GiB"


@functools.cache
def _host_bytes() -> int | None:
    """Physical memory, or the smallest limit of the containers around the process."""
    limits = list(container_limits(pathlib.Path("/")))
    try:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):  # not on every system
        pass
    return min(limits, default=None)


def container_limits(root: pathlib.Path) -> Iterator[int]:
    """Read every memory limit of control groups, of either version, below `root`."""
    mount = root / "sys/fs/cgroup"
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, own = line.split(":", 2)
        if controllers == "":
            base, name = mount, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        path = pathlib.PurePosixPath(own)
        # A container may see its own group as the root, so all the way up is tried.
        for group in (path, *path.parents):
            file = base / str(group).lstrip("/") / name
            with contextlib.suppress(OSError, ValueError):  # absent, or "max"
                yield int(file.read_text())
