"""What of a function's outputs depends on its argument, read off its trace."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal
from jaxtyping import Array, Float

from qjax._types import is_traced


def depends(
    function: Callable[[Array], Sequence[Array]],
    argument: Array,
    *,
    outer: bool = False,
) -> list[bool]:
    """Say for each output whether it can depend on the argument.

    Args:
        function: Maps an array to arrays; traced, not run.
        argument: Only shape and dtype are used.
        outer: Count also what the function has from an enclosing trace.
    """
    closed = jax.make_jaxpr(function)(argument)
    traced = [outer and is_traced(constant) for constant in closed.consts]
    return _flow(closed.jaxpr, traced, [True])


def constant_jacobian(
    function: Callable[[Array], Array], argument: Float[Array, " p"]
) -> Float[np.ndarray, "m p"] | None:
    """Return the Jacobian of a function whose Jacobian is the same everywhere.

    None if it may depend on the argument, or on an enclosing trace.
    """
    jacobian = jax.jacfwd(function)
    if any(depends(lambda x: [jacobian(x)], argument, outer=True)):
        return None
    closed = jax.make_jaxpr(jacobian)(argument)
    if any(map(is_traced, closed.consts)):
        return None
    with jax.ensure_compile_time_eval():
        zeros = np.zeros(argument.shape, argument.dtype)
        return np.asarray(jax.jit(jacobian)(zeros), np.float64)


def lacks_forward_mode(function: Callable[[Any], Any], argument: Any) -> bool:
    """Say whether a function calls another one that has a reverse mode of its own only.

    Such as `run` with gradient="adjoint". JAX would report it at compilation, too late
    to do something else.
    """
    return _calls_custom_vjp(jax.make_jaxpr(function)(argument).jaxpr)


def _calls_custom_vjp(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        if "custom_vjp" in equation.primitive.name:
            return True
        for inner in jax.tree.leaves(list(equation.params.values())):
            body = getattr(inner, "jaxpr", inner)
            if hasattr(body, "eqns") and _calls_custom_vjp(body):
                return True
    return False


def _flow(jaxpr: Any, constants: list[bool], inputs: list[bool]) -> list[bool]:
    reached = dict(zip(jaxpr.constvars, constants, strict=True))
    reached |= dict(zip(jaxpr.invars, inputs, strict=True))

    def reaches(atom: Any) -> bool:
        return not isinstance(atom, Literal) and reached[atom]

    for equation in jaxpr.eqns:
        given = [reaches(atom) for atom in equation.invars]
        found = [any(given)] * len(equation.outvars)
        if any(given) and equation.primitive.name in ("jit", "pjit"):
            inner = equation.params["jaxpr"]
            traced = [is_traced(constant) for constant in inner.consts]
            found = _flow(inner.jaxpr, traced, given)
        reached |= dict(zip(equation.outvars, found, strict=True))
    return [reaches(atom) for atom in jaxpr.outvars]
