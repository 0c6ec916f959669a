"""The geometry of parametrised pure states: the Fubini-Study metric."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Complex, Float, PyTree

from qjax.geometry.dependence import lacks_forward_mode
from qjax.states.vector import StateVector

StateFn = Callable[[Any], StateVector]


def metric_tensor(state_fn: StateFn, params: PyTree) -> Float[Array, "p p"]:
    """Return the Fubini-Study metric of a state, over all parameters at once.

    G_ij = Re <d_i psi|d_j psi> - Re <d_i psi|psi> <psi|d_j psi>, so that a small step
    d changes the fidelity by 1 - |<psi(t)|psi(t + d)>|^2 = d^T G d + O(|d|^3). The
    quantum Fisher information is 4 G. A parameter of several gates is one parameter.

    Args:
        state_fn: Maps parameters to a normalised `StateVector`; differentiable.
        params: Pytree of p real numbers in all, floating.

    Returns:
        Symmetric positive semi-definite matrix in the order of
        `jax.flatten_util.ravel_pytree(params)`, in the parameters' dtype. Cost: p
        forward-mode derivatives of the state, in one batch.

    Raises:
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Provost and Vallee 1980; Stokes et al., Quantum 4, 269 (2020), equation 6.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import metric_tensor
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angle):
        ...     return run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        >>> round(float(metric_tensor(state, jnp.asarray(0.3))[0, 0]), 6)
        0.25
    """
    flat, unravel = ravel_pytree(params)
    amplitudes = amplitudes_of(state_fn, unravel)

    psi, push = amplitudes(flat), pushforward(amplitudes, flat)
    tangents = jax.vmap(push)(jnp.eye(flat.size, dtype=flat.dtype))
    return gram(tangents, psi, flat.dtype)


def metric_vp(state_fn: StateFn, params: PyTree, vector: PyTree) -> PyTree:
    """Return the metric times a vector, G v, without forming G.

    One forward-mode derivative |phi> = sum_j v_j |d_j psi>, made orthogonal to |psi>,
    and one reverse-mode derivative back: the cost does not grow with the number of
    parameters.

    Args:
        state_fn: Maps parameters to a normalised `StateVector`; differentiable.
        params: Pytree of real numbers.
        vector: v, same structure, shapes and dtypes as `params`.

    Returns:
        G v, same structure as `params`; linear in v.

    Raises:
        TypeError: If `state_fn` returns something else than a `StateVector`.

    Source: Stokes et al., Quantum 4, 269 (2020); the product as in stochastic
        reconfiguration.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import metric_vp
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def state(angle):
        ...     return run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        >>> round(float(metric_vp(state, jnp.asarray(0.3), jnp.asarray(2.0))), 6)
        0.5
    """
    amplitudes = amplitudes_of(state_fn, lambda tree: tree)
    psi, pull = jax.vjp(amplitudes, params)
    phi = pushforward(amplitudes, params)(vector)
    phi = phi - psi * jnp.vdot(psi, phi)
    (product,) = pull(phi.conj())
    return product


def gram(
    tangents: Complex[Array, "k d"], psi: Complex[Array, " d"], dtype: jnp.dtype
) -> Float[Array, "k k"]:
    """Return Re <d_i|d_j> - <d_i|psi><psi|d_j>."""
    high = jax.lax.Precision.HIGHEST
    along = jnp.matmul(tangents, psi.conj(), precision=high)
    inner = jnp.matmul(tangents.conj(), tangents.T, precision=high)
    return (inner - along.conj()[:, None] * along[None, :]).real.astype(dtype)


def pushforward(
    amplitudes: Callable[[Any], Complex[Array, " d"]], params: Any
) -> Callable[[Any], Complex[Array, " d"]]:
    """Return v -> sum_j v_j |d_j psi>, by forward mode wherever there is one.

    Reverse mode is linear in the cotangent, and its transpose is forward mode. So `run`
    with gradient="adjoint" serves too, at the memory of plain reverse mode.
    """
    if not lacks_forward_mode(amplitudes, params):
        return lambda direction: jax.jvp(amplitudes, (params,), (direction,))[1]
    psi, pull = jax.vjp(amplitudes, params)
    zero = jnp.zeros_like(psi)
    # Linearised first: the pull's loops also carry what its argument does not change.
    _, linear = jax.linearize(lambda cotangent: pull(cotangent)[0], zero)
    push = jax.linear_transpose(linear, zero)
    return lambda direction: push(direction)[0]


def amplitudes_of(
    state_fn: StateFn, unravel: Callable[[Any], Any]
) -> Callable[[Any], Complex[Array, " d"]]:
    def amplitudes(params: Any) -> Complex[Array, " d"]:
        state = state_fn(unravel(params))
        if not isinstance(state, StateVector):
            raise TypeError(
                "Argument `state_fn` must return a StateVector, "
                f"but returns {type(state).__name__}."
            )
        return state.vector()

    return amplitudes
