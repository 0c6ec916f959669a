"""Distances between states, entropies and partial traces."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from qjax._checks import check_wires, require
from qjax._linalg import dagger, real_to_complex
from qjax.states.base import AbstractState
from qjax.states.density import DensityMatrix, as_density
from qjax.states.mps import MPS
from qjax.states.sparse import SparseState
from qjax.states.stabilizer import StabilizerState
from qjax.states.vector import StateVector


def partial_trace(state: AbstractState, keep: Sequence[int]) -> DensityMatrix:
    """Trace out all wires but `keep`: rho_keep = Tr_others rho.

    Args:
        state: Pure or mixed state of n wires.
        keep: Wires that stay, in the order they get.

    Returns:
        Density matrix of len(keep) wires, in the state's dtype.

    Raises:
        ValueError: If `keep` is empty, repeats a wire or leaves the range.

    Source: Nielsen and Chuang, section 2.4.3.

    Example:
        >>> from qjax.states import StateVector, partial_trace
        >>> float(partial_trace(StateVector.zeros(2), (1,)).matrix()[0, 0].real)
        1.0
    """
    keep = check_wires(keep, state.num_wires, "keep")
    require(len(keep) > 0, "keep", "name at least one wire", keep)
    return DensityMatrix(state.reduced(keep).reshape((2,) * (2 * len(keep))))


def fidelity(first: AbstractState, second: AbstractState) -> Float[Array, ""]:
    """Return the squared fidelity F = (Tr sqrt(sqrt(rho) sigma sqrt(rho)))^2.

    Pure states give |<psi|phi>|^2, one pure state <psi|rho|psi>, both differentiable
    everywhere; two mixed states take an eigendecomposition, whose gradient needs full
    rank.

    Args:
        first: State of n wires.
        second: State of n wires.

    Returns:
        Scalar in [0, 1] up to rounding.

    Raises:
        ValueError: If the numbers of wires differ.

    Source: Uhlmann 1976; Nielsen and Chuang, section 9.2.2 (whose F is the root).

    Example:
        >>> from qjax.states import DensityMatrix, StateVector, fidelity
        >>> float(fidelity(StateVector.zeros(1), DensityMatrix.maximally_mixed(1)))
        0.5
    """
    _check_same_size(first, second)
    if isinstance(first, MPS) and isinstance(second, MPS):
        overlap = first.overlap(second)
        scale = first.norm() * second.norm()
        return (overlap.real**2 + overlap.imag**2) / scale**2
    if isinstance(first, StabilizerState) and isinstance(second, StabilizerState):
        return first.overlap(second)
    for kind in (StateVector, SparseState):
        if isinstance(first, kind) and isinstance(second, kind):
            overlap = first.overlap(second)
            return overlap.real**2 + overlap.imag**2
    if isinstance(first, StateVector) or isinstance(second, StateVector):
        return as_density(first).overlap(as_density(second))
    weights, vectors = jnp.linalg.eigh(as_density(first).matrix())
    root = jnp.sqrt(jnp.maximum(weights, 0))
    sqrt_rho = vectors * real_to_complex(root)[None, :] @ dagger(vectors)
    product = sqrt_rho @ as_density(second).matrix() @ sqrt_rho
    eigenvalues = jnp.linalg.eigvalsh((product + dagger(product)) / 2)
    return jnp.sum(jnp.sqrt(jnp.maximum(eigenvalues, 0))) ** 2


def trace_distance(first: AbstractState, second: AbstractState) -> Float[Array, ""]:
    """Return D = ||rho - sigma||_1 / 2, the bias of the best single measurement.

    Pure states give sqrt(1 - |<psi|phi>|^2), computed without cancellation.

    Args:
        first: State of n wires.
        second: State of n wires.

    Returns:
        Scalar in [0, 1] up to rounding.

    Raises:
        ValueError: If the numbers of wires differ.

    Source: Helstrom 1976; Nielsen and Chuang, section 9.2.1.

    Example:
        >>> from qjax.states import StateVector, trace_distance
        >>> zero, one = StateVector.basis((0,)), StateVector.basis((1,))
        >>> float(trace_distance(zero, one))
        1.0
    """
    _check_same_size(first, second)
    if isinstance(first, StateVector) and isinstance(second, StateVector):
        a, b = first.vector(), second.vector()
        return jnp.linalg.norm(b - a * jnp.vdot(a, b))
    difference = as_density(first).matrix() - as_density(second).matrix()
    return jnp.sum(jnp.abs(jnp.linalg.eigvalsh(difference))) / 2


def entropy(state: AbstractState, base: float | int = 2) -> Float[Array, ""]:
    """Return the von Neumann entropy S = -Tr rho log rho, with 0 log 0 = 0.

    Args:
        state: State of n wires; a pure one has entropy 0.
        base: Base of the logarithm, greater than 1; 2 gives bits.

    Returns:
        Scalar in [0, n log 2 / log base].

    Raises:
        ValueError: If `base` is not above 1.

    Source: Nielsen and Chuang, section 11.3.

    Example:
        >>> from qjax.states import DensityMatrix, entropy
        >>> round(float(entropy(DensityMatrix.maximally_mixed(2))), 5)
        2.0
    """
    require(base > 1, "base", "be above 1", base)
    if isinstance(state, StateVector):
        return jnp.zeros((), state.amplitudes.real.dtype)
    return matrix_entropy(as_density(state).matrix()) / jnp.log(base)


def matrix_entropy(rho: Complex[Array, "d d"]) -> Float[Array, ""]:
    """Return -Tr rho ln rho in nats."""
    weights = jnp.linalg.eigvalsh(rho)
    # Two `where`s: the logarithm of a zero eigenvalue must not enter the gradient.
    positive = weights > 0
    safe = jnp.where(positive, weights, 1)
    return -jnp.sum(jnp.where(positive, safe * jnp.log(safe), 0))


def _check_same_size(first: AbstractState, second: AbstractState) -> None:
    fits = first.num_wires == second.num_wires
    require(fits, "second", f"have {first.num_wires} wires", second.num_wires)
