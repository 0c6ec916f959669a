"""Score-function gradients: unbiased although the draws are not differentiable."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.circuits.circuit import Circuit
from qjax.circuits.operation import Channel
from qjax.gradients.estimate import GradientEstimate, flatten
from qjax.gradients.guided import GuidedState
from qjax.gradients.spectra import CircuitFn
from qjax.states.base import AbstractState
from qjax.states.vector import StateVector
from qjax.statistics import Estimate, Moments

Sampled = tuple[Array, Array]
PathFn = Callable[[Key, Circuit, AbstractState], Sampled]


def score_gradient(
    key: Key,
    sample_fn: Callable[[Key, Any], Sampled],
    params: PyTree,
    num_samples: int,
    *,
    batch_size: int | None = None,
) -> tuple[Estimate, GradientEstimate]:
    """Estimate E[f] and its gradient where the draw's probabilities depend on params.

    g_s = df_s + (f_s - b_s) d ln p_s, with b_s the mean of the other samples of the
    batch, so that E[g_s] = dE[f].

    Args:
        key: JAX random key.
        sample_fn: Maps a key and the parameters to a sampled value and ln of the
            probability of all draws made for it, both differentiable scalars.
        params: Pytree of p real floating numbers in all.
        num_samples: At least 2. Static.
        batch_size: Samples done at the same time, at least 2, a divisor of
            `num_samples`; memory grows with it. None takes all.

    Returns:
        The mean, and its gradient, with standard errors.

    Raises:
        ValueError: If a number is out of range.

    Source: Williams, Machine Learning 8, 229 (1992); baseline: Kool et al., 2019.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.gradients import score_gradient
        >>> def coin(key, p):  # 1 with probability p: the slope of the mean is 1
        ...     bit = jax.random.bernoulli(key, p)
        ...     log_prob = jnp.where(bit, jnp.log(p), jnp.log1p(-p))
        ...     return bit.astype(float), log_prob
        >>> _, slope = score_gradient(jax.random.key(1), coin, jnp.asarray(0.3), 1000)
        >>> abs(float(slope.mean) - 1) < 5 * float(slope.stderr)
        True
    """
    flat, unravel = flatten(params)
    values, slopes = _moments(
        jax.random.split(key, num_samples),
        lambda sample_key, x: sample_fn(sample_key, unravel(x)),
        flat,
        num_samples if batch_size is None else batch_size,
    )
    return _report(values, slopes, unravel, num_samples)


def trajectory_gradient(
    key: Key,
    path_fn: PathFn,
    circuit_fn: CircuitFn,
    params: PyTree,
    state: StateVector,
    num_trajectories: int,
    *,
    batch_size: int | None = None,
) -> tuple[Estimate, GradientEstimate]:
    """Estimate Tr(O E(rho)) and its gradient by trajectories, one of them exactly.

    With P the probability of the history h that takes the likeliest Kraus operator at
    every choice,

        d(P f_h) + (1 - P) E[df + (f - b) d ln p | not h] - b dP,

    which is unbiased for every b independent of the sample; b is the mean of the other
    trajectories of the batch. The variance is at most 1 - P times that of as many plain
    trajectories with the same b: little where noise is weak and P near 1.

    Args:
        key: JAX random key.
        path_fn: Maps a key, a circuit and a state to the value read from one trajectory
            and the ln of its probability, as in the example. It must draw by the
            state's `sample_kraus` only (no shots), as `trajectory` does.
        circuit_fn: Maps the parameters to a `Circuit`, noisy or not: angles and noise
            strengths may depend on them.
        params: Pytree of p real floating numbers in all.
        state: Initial state, normalised.
        num_trajectories: Sampled histories besides the likeliest, at least 2. Static.
        batch_size: Trajectories done at the same time, at least 2, a divisor of
            `num_trajectories`; memory grows with it. None takes all.

    Returns:
        The mean, and its gradient, with standard errors.

    Raises:
        ValueError: If a number is out of range.

    Source: score function: Williams 1992; the likeliest history apart: Abdelhafez,
    Schuster and Koch, Phys. Rev. A 99, 052327 (2019).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, pauli, ry
        >>> from qjax.gradients import trajectory_gradient
        >>> from qjax.noise import amplitude_damping
        >>> from qjax.simulate import expectation, trajectory
        >>> from qjax.states import StateVector
        >>> def build(x):
        ...     return Circuit([ry(x, 0), amplitude_damping(0.1, 0)], 1)
        >>> def path(key, circuit, state):
        ...     final, record = trajectory(key, circuit, state)
        ...     return expectation(final, pauli("X", 0)), record.log_prob
        >>> go = jax.jit(lambda key, x: trajectory_gradient(
        ...     key, path, build, x, StateVector.zeros(1), 100))
        >>> _, slope = go(jax.random.key(1), jnp.asarray(1.0))
        >>> exact = 0.9**0.5 * jnp.cos(1.0)
        >>> abs(float(slope.mean - exact)) < 5 * float(slope.stderr) + 1e-5
        True
    """
    flat, unravel = flatten(params)

    def path(path_key: Key, level: Array, x: Array) -> Sampled:
        # Mixtures of unitaries would be drawn before the run, without the guide.
        circuit = as_kraus(circuit_fn(unravel(x)))
        return path_fn(path_key, circuit, GuidedState.start(state, level))

    free_key, level_key, first_key = jax.random.split(key, 3)

    def likeliest(x: Array) -> tuple[Array, Array]:
        value, log_prob = path(first_key, jnp.zeros((), x.dtype), x)
        return jnp.stack([value, jnp.exp(log_prob)]), value

    pairs, pull, value = jax.vjp(likeliest, flat, has_aux=True)
    chance = jnp.minimum(pairs[1], 1)
    rest = 1 - chance
    levels = 1 - rest * jax.random.uniform(level_key, (num_trajectories,), chance.dtype)
    values, slopes = _moments(
        (jax.random.split(free_key, num_trajectories), levels),
        lambda draw, x: path(draw[0], draw[1], x),
        flat,
        num_trajectories if batch_size is None else batch_size,
    )
    (apart,) = pull(jnp.stack([chance, value - values.mean]))
    values = Moments(
        values.count, chance * value + rest * values.mean, rest**2 * values.squares
    )
    slopes = Moments(slopes.count, apart + rest * slopes.mean, rest**2 * slopes.squares)
    return _report(values, slopes, unravel, num_trajectories)


def _moments(
    draws: Any,
    one: Callable[[Any, Array], Sampled],
    flat: Float[Array, " p"],
    batch_size: int,
) -> tuple[Moments, Moments]:
    """Return moments of the values and of the gradient's samples, batch by batch."""
    number = jax.tree.leaves(draws)[0].shape[0]
    check_shots(batch_size, "batch_size")
    rule = f"be at least 2 and divide the number of samples {number}"
    fits = batch_size >= 2 and number % batch_size == 0
    require(fits, "batch_size", rule, batch_size)

    def batch(chunk: Any) -> tuple[Moments, Moments]:
        # One copy of the parameters for each sample: one pullback gives all gradients.
        copies = jnp.broadcast_to(flat, (batch_size, flat.size))
        values, pull = jax.vjp(lambda x: jax.vmap(one)(chunk, x), copies)
        sampled = values[0]
        baseline = (jnp.sum(sampled) - sampled) / (batch_size - 1)
        (slopes,) = pull((jnp.ones_like(sampled), sampled - baseline))
        return Moments.of(sampled), Moments.of(slopes)

    chunks = jax.tree.map(
        lambda leaf: leaf.reshape(-1, batch_size, *leaf.shape[1:]), draws
    )
    if number == batch_size:
        return batch(jax.tree.map(lambda leaf: leaf[0], chunks))

    def add(total: tuple[Moments, Moments], chunk: Any):
        parts = batch(chunk)
        return tuple(a.merge(b) for a, b in zip(total, parts, strict=True)), None

    shapes = jax.eval_shape(batch, jax.tree.map(lambda leaf: leaf[0], chunks))
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return jax.lax.scan(add, empty, chunks)[0]


def _report(
    values: Moments, slopes: Moments, unravel: Callable[[Array], PyTree], number: int
) -> tuple[Estimate, GradientEstimate]:
    gradient = GradientEstimate(unravel(slopes.mean), unravel(slopes.stderr()), number)
    return Estimate(values.mean, values.stderr(), number), gradient


def as_kraus(circuit: Circuit) -> Circuit:
    """Return the circuit with every mixture of unitaries as Kraus operators."""

    def convert(node: Any) -> Any:
        if not isinstance(node, Channel) or node.weights is None:
            return node
        return eqx.tree_at(
            lambda c: (c.operators, c.weights),
            node,
            (node.kraus, None),
            is_leaf=lambda leaf: leaf is None,
        )

    return jax.tree.map(
        convert, circuit, is_leaf=lambda node: isinstance(node, Channel)
    )
