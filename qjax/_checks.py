"""Argument checks with one form of message: Argument `x` must ..., but is ... ."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qjax._types import ArrayLike, Wires, is_traced


def require(condition: bool, argument: str, rule: str, value: object) -> None:
    """Raise ValueError "Argument `x` must <rule>, but is <value>." unless it holds."""
    if not condition:
        raise ValueError(f"Argument `{argument}` must {rule}, but is {value}.")


def check_wires(
    wires: int | Sequence[int], num_wires: int | None = None, argument: str = "wires"
) -> Wires:
    """Return `wires` as a tuple of distinct ints in [0, num_wires), or raise."""
    if isinstance(wires, int | np.integer):
        wires = (int(wires),)
    rule = "be integers"
    if not all(isinstance(wire, int | np.integer) for wire in wires):
        raise TypeError(f"Argument `{argument}` must {rule}, but is {wires!r}.")
    checked_wires = tuple(int(wire) for wire in wires)
    distinct = len(set(checked_wires)) == len(checked_wires)
    require(distinct, argument, "not repeat a wire", checked_wires)
    if num_wires is None:
        in_range = all(wire >= 0 for wire in checked_wires)
        require(in_range, argument, "be non-negative", checked_wires)
    else:
        in_range = all(0 <= wire < num_wires for wire in checked_wires)
        require(in_range, argument, f"lie in [0, {num_wires})", checked_wires)
    return checked_wires


def check_bits(bits: Sequence[int]) -> None:
    """Raise unless `bits` holds a bit for each of at least one wire."""
    require(len(bits) > 0, "bits", "name at least one wire", bits)
    require(all(bit in (0, 1) for bit in bits), "bits", "hold 0 and 1", bits)


def checked(value: Any, holds: Callable[[Any], Any], argument: str, rule: str) -> Any:
    """Return `value` if `holds(value)` is true everywhere, or report the broken rule.

    A concrete value is tested on the host, also inside jit, and reported as ValueError
    at once. A traced one is reported at run time by `equinox.error_if`, which lives
    only if the returned value is used; the environment variable EQX_ON_ERROR=nan turns
    the report into NaNs, without a host callback, which is what `jax.export` needs.
    """
    if is_traced(value):
        message = f"Argument `{argument}` must {rule}, but is not."
        return eqx.error_if(value, ~jnp.all(holds(value)), message)
    host = np.asarray(value)
    if not np.all(holds(host)):
        require(False, argument, rule, np.array2string(host, precision=6, threshold=8))
    return value


def check_probability(value: ArrayLike, argument: str = "probability") -> ArrayLike:
    """Return `value` as it came, or report that it lies outside [0, 1]."""
    return checked(value, lambda p: (p >= 0) & (p <= 1), argument, "lie in [0, 1]")


def as_float(value: ArrayLike, argument: str) -> Array:
    """Return a real `value` as a floating array, in JAX's default width for numbers."""
    array = jnp.asarray(value)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise TypeError(f"Argument `{argument}` must be real, but has {array.dtype}.")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jax.dtypes.canonicalize_dtype(float))
    return array


def check_shots(shots: int, argument: str = "shots") -> None:
    """Raise unless `shots` is a Python integer of at least 1."""
    if not isinstance(shots, int | np.integer) or isinstance(shots, bool):
        raise TypeError(f"Argument `{argument}` must be an integer, but is {shots!r}.")
    require(shots >= 1, argument, "be at least 1", shots)
