"""Programs compiled once for each structure of a circuit, and bound to any angles."""

import collections
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qjax._checks import require
from qjax._types import is_traced


class CacheCounts(NamedTuple):
    """What a `CompiledCache` has done so far.

    Attributes:
        binds: Calls with numbers.
        hits: Calls that found their program.
        traces: Traces, each followed by a compilation.
        evictions: Programs given up for room.
    """

    binds: int = 0
    hits: int = 0
    traces: int = 0
    evictions: int = 0

    @property
    def hit_rate(self) -> float:
        """Share of the calls that found their program; NaN before the first."""
        return self.hits / self.binds if self.binds else float("nan")


class CompiledCache:
    """A function of circuits, compiled once for each structure.

    The structure is all that is static: gates, wires, depth, shapes and dtypes; angles
    and other numbers are bound to the compiled program. Unlike those of `jax.jit`, the
    programs are bounded in number: the one unused for longest makes room.

    Args:
        function: Maps arguments (circuits, states, observables, arrays) to arrays;
            traceable.
        max_size: Largest number of programs, at least 1.

    Raises:
        ValueError: If `max_size` < 1.

    Example:
        >>> from qjax.circuits import Circuit, pauli, ry
        >>> from qjax.simulate import CompiledCache, expectation, run
        >>> from qjax.states import StateVector
        >>> def energy(circuit):
        ...     return expectation(run(circuit, StateVector.zeros(1)), pauli("Z", 0))
        >>> cached = CompiledCache(energy)
        >>> for angle in (0.1, 0.2, 0.3):
        ...     value = cached(Circuit([ry(angle, 0)], 1))
        >>> cached.counts
        CacheCounts(binds=3, hits=2, traces=1, evictions=0)
    """

    def __init__(self, function: Callable[..., Any], max_size: int = 64):
        require(max_size >= 1, "max_size", "be at least 1", max_size)
        self._function, self._max_size = function, max_size
        self._programs: collections.OrderedDict[Any, Any] = collections.OrderedDict()
        self._counts = CacheCounts()
        # Two threads must not compile the same program, nor lose a count.
        self._lock = threading.Lock()

    @property
    def counts(self) -> CacheCounts:
        """Counts of calls, hits, traces and evictions."""
        return self._counts

    def __len__(self) -> int:
        return len(self._programs)

    def __call__(self, *args: Any) -> Any:
        """Return function(*args); inside another trace the function is called as is."""
        if any(is_traced(leaf) for leaf in jax.tree.leaves(args)):
            return self._function(*args)
        key, arrays = _numbers(args)
        with self._lock:
            program = self._program(key, arrays)
        return program(arrays)

    def warm(self, *args: Any) -> None:
        """Compile for the structure of the arguments, without running it.

        Counted as a trace if it was not there, and not as a call.
        """
        key, arrays = _numbers(args)
        with self._lock:
            before = self._counts
            self._program(key, arrays)
            calls = {"binds": before.binds, "hits": before.hits}
            self._counts = self._counts._replace(**calls)

    def clear(self) -> None:
        """Forget all programs; the counts stay."""
        with self._lock:
            self._programs.clear()

    def _program(self, key: Any, arrays: list[Any]) -> Callable[..., Any]:
        binds, hits, traces, evictions = self._counts
        program = self._programs.get(key)
        if program is None:
            structure, _ = key

            def flat(numbers: list[Any]) -> Any:
                return self._function(*jax.tree.unflatten(structure, numbers))

            program = jax.jit(flat).lower(arrays).compile()
            traces += 1
            if len(self._programs) >= self._max_size:
                self._programs.popitem(last=False)
                evictions += 1
            self._programs[key] = program
        else:
            hits += 1
            self._programs.move_to_end(key)
        self._counts = CacheCounts(binds + 1, hits, traces, evictions)
        return program


def _numbers(args: Any) -> tuple[Any, list[Any]]:
    """Return what tells programs apart, and the numbers bound to one."""
    leaves, structure = jax.tree.flatten(args)
    arrays = [_strict(leaf) for leaf in leaves]
    shapes = tuple((array.shape, array.dtype.name) for array in arrays)
    return (structure, shapes), arrays


def _strict(leaf: Any) -> Any:
    """Return a leaf as an array of JAX's own dtype for it: Python numbers have none."""
    if isinstance(leaf, jax.Array):
        # A program compiled for a weak type would refuse a number of a strong one.
        return jnp.asarray(leaf, leaf.dtype) if leaf.weak_type else leaf
    array = np.asarray(leaf)
    return np.asarray(array, jax.dtypes.canonicalize_dtype(array.dtype))
