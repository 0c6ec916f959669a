"""Fisher information: of mixed states, and of what is measured."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from qjax._checks import check_shots
from qjax._linalg import dagger, product
from qjax._types import Key
from qjax.geometry.states import metric_tensor
from qjax.states.density import DensityMatrix
from qjax.states.sampling import draw
from qjax.states.vector import StateVector
from qjax.statistics import Estimate, mean_and_stderr

AnyStateFn = Callable[[Any], StateVector | DensityMatrix]
ProbabilitiesFn = Callable[[Any], Float[Array, "*k"]]


def quantum_fisher(state_fn: AnyStateFn, params: PyTree) -> Float[Array, "p p"]:
    """Return the quantum Fisher information of a state, by symmetric derivatives (SLD).

    F_ij = sum_{kl} 2 Re(<k|d_i rho|l> <l|d_j rho|k>) / (r_k + r_l) over eigenvectors of
    rho with r_k + r_l > 0. Of a pure state it is 4 G with the Fubini-Study metric G, so
    F / 4 is the metric of a natural gradient with noise. Where the rank of rho changes
    with the parameters it jumps, as all such formulas do.

    Args:
        state_fn: Maps parameters to a normalised `StateVector` or `DensityMatrix` of n
            wires; differentiable.
        params: Pytree of p real numbers in all, floating.

    Returns:
        Symmetric positive semi-definite matrix in the order of
        `jax.flatten_util.ravel_pytree(params)`, in the parameters' dtype. Memory of a
        mixed state: (p + 1) 4^n numbers. It is not meant to be differentiated itself:
        eigenvectors have no derivative where eigenvalues are equal.

    Raises:
        TypeError: If `state_fn` returns another kind of state.

    Source: Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994); Liu et al., J. Phys.
        A 53, 023001 (2020), equation 2.16; jumps: Safranek, Phys. Rev. A 95, 052320.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import quantum_fisher
        >>> from qjax.noise import depolarizing
        >>> from qjax.simulate import run
        >>> from qjax.states import DensityMatrix
        >>> def state(angle):
        ...     circuit = Circuit([ry(angle, 0), depolarizing(0.3, 0)], 1)
        ...     return run(circuit, DensityMatrix.zeros(1))
        >>> round(float(quantum_fisher(state, jnp.asarray(0.4))[0, 0]), 4)  # 0.7^2
        0.49
    """
    flat, unravel = ravel_pytree(params)
    start = jax.eval_shape(state_fn, params)
    if isinstance(start, StateVector):
        return 4 * metric_tensor(state_fn, params)  # type: ignore[arg-type]
    if not isinstance(start, DensityMatrix):
        raise TypeError(
            "Argument `state_fn` must return a StateVector or a DensityMatrix, "
            f"but returns {type(start).__name__}."
        )

    def matrix(values: Float[Array, " p"]) -> Array:
        state = state_fn(unravel(values))
        assert isinstance(state, DensityMatrix)
        return state.matrix()

    rho, push = jax.linearize(matrix, flat)
    changes = jax.vmap(push)(jnp.eye(flat.size, dtype=flat.dtype))
    weights, vectors = jnp.linalg.eigh(rho)
    floor = 4 * weights.size * jnp.finfo(weights.dtype).eps
    sums = jnp.maximum(weights, 0)[:, None] + jnp.maximum(weights, 0)[None]
    seen = sums > floor
    scales = jnp.where(seen, jnp.sqrt(2 / jnp.where(seen, sums, 1)), 0)
    turned = product(dagger(vectors)[None], product(changes, vectors[None]))
    columns = (turned * scales.astype(turned.dtype)[None]).reshape(flat.size, -1)
    both = jnp.concatenate([columns.real, columns.imag], axis=1)
    return product(both, both.T).astype(flat.dtype)


def classical_fisher(
    probabilities_fn: ProbabilitiesFn, params: PyTree
) -> Float[Array, "p p"]:
    """Return the Fisher information of measurement outcomes.

    F_ij = sum_x d_i p(x) d_j p(x) / p(x) over outcomes with p(x) > 0; at most the
    quantum Fisher information of the state that is measured.

    Args:
        probabilities_fn: Maps parameters to probabilities of any shape that add up to
            1, such as `run(circuit, state).probabilities()`; differentiable.
        params: Pytree of p real numbers in all, floating.

    Returns:
        Matrix as of `quantum_fisher`. Outcomes of probability below rounding are left
        out, with the information that a growing one may have.

    Source: Fisher 1925; Meyer, Quantum 5, 539 (2021), section 2.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.geometry import classical_fisher
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def outcomes(angle):
        ...     state = run(Circuit([ry(angle, 0)], 1), StateVector.zeros(1))
        ...     return state.probabilities()
        >>> round(float(classical_fisher(outcomes, jnp.asarray(0.4))[0, 0]), 4)
        1.0
    """
    flat, chances, slopes = _slopes(probabilities_fn, params)
    scales = _inverse_roots(chances)
    scaled = slopes * scales[None]
    return product(scaled, scaled.T).astype(flat.dtype)


def sampled_classical_fisher(
    key: Key, probabilities_fn: ProbabilitiesFn, params: PyTree, shots: int
) -> Estimate:
    """Estimate the Fisher information of outcomes by averaging over drawn ones.

    F = E_x[s(x) s(x)^T] with the score s_i(x) = d_i ln p(x): unbiased.

    Args:
        key: JAX random key.
        probabilities_fn: As for `classical_fisher`.
        params: Pytree of p real numbers in all, floating.
        shots: Outcomes drawn, at least 1; with one, the standard error is NaN. Static.

    Returns:
        Matrix of shape (p, p) with the standard error of each entry.

    Raises:
        ValueError: If `shots` < 1.

    Source: Meyer, Quantum 5, 539 (2021), section 4.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.geometry import sampled_classical_fisher
        >>> def coin(p):
        ...     return jnp.stack([p, 1 - p])
        >>> found = sampled_classical_fisher(
        ...     jax.random.key(1), coin, jnp.asarray(0.5), 100)
        >>> round(float(found.mean[0, 0]), 4), found.shots
        (4.0, 100)
    """
    check_shots(shots)
    flat, chances, slopes = _slopes(probabilities_fn, params)
    scores = slopes * _inverse_roots(chances)[None] ** 2
    drawn = scores.T[draw(key, chances, shots)]
    found = mean_and_stderr(drawn[:, :, None] * drawn[:, None, :])
    return jax.tree.map(lambda leaf: leaf.astype(flat.dtype), found)


def _slopes(
    probabilities_fn: ProbabilitiesFn, params: PyTree
) -> tuple[Float[Array, " p"], Float[Array, " k"], Float[Array, "p k"]]:
    flat, unravel = ravel_pytree(params)
    chances, push = jax.linearize(
        lambda values: probabilities_fn(unravel(values)).reshape(-1), flat
    )
    slopes = jax.vmap(push)(jnp.eye(flat.size, dtype=flat.dtype))
    return flat, chances, slopes


def _inverse_roots(chances: Float[Array, " k"]) -> Float[Array, " k"]:
    """Return 1 / sqrt(p), and 0 where p is within rounding of 0."""
    seen = chances > jnp.finfo(chances.dtype).eps
    return jnp.where(seen, 1 / jnp.sqrt(jnp.where(seen, chances, 1)), 0)
