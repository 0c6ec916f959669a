"""Errors that drift: strengths that change from repetition to repetition, run to run.

Draws are sequences x_0, ..., x_(T-1) of real numbers, one for each step; `jax.vmap`
over keys gives independent runs. `drift` puts them into a circuit.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax._checks import (
    as_float,
    check_probability,
    check_shots,
    checked,
    require,
)
from qjax._types import ArrayLike, Key
from qjax.circuits import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation

Strengths = TypeVar("Strengths")


def num_steps(circuit: Circuit) -> int:
    """Count the steps of `drift`: repetitions of the outermost `Repeat`s, at least 1.

    Example:
        >>> from qjax.circuits import Circuit, h
        >>> from qjax.noise import num_steps
        >>> num_steps(Circuit([h(0)], 1))
        1
    """
    depths = [one.depth for one in circuit.operations if isinstance(one, Repeat)]
    return max(sum(depths), 1)


def drift(
    noise: Callable[[Strengths], Callable[[Circuit], Circuit]],
    strengths: Strengths,
    circuit: Circuit,
) -> Circuit:
    """Put noise whose strengths change in time into a circuit.

    Strengths are constant within a step, a repetition of an outermost `Repeat`. What
    stands between `Repeat`s belongs to the step that comes next, or to the last.

    Args:
        noise: Maps strengths to a transformation Circuit -> Circuit, for example
            `lambda p: NoiseModel((depolarizing(p, 0),))`.
        strengths: Pytree of arrays with a leading axis of T = `num_steps(circuit)`.
        circuit: Circuit of n wires.

    Returns:
        The noisy circuit; each `Repeat` stays one repeated layer.

    Raises:
        ValueError: If a leaf of the strengths has not T rows.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, Repeat, rx, rz
        >>> from qjax.noise import Background, drift
        >>> body = jax.vmap(lambda angle: Circuit([rx(angle, 0)], 1))(jnp.ones(3))
        >>> detuned = drift(lambda angle: Background((rz(angle, 0),)),
        ...     jnp.asarray([0.1, 0.2, 0.3]), Circuit([Repeat(body, 3)], 1))
        >>> detuned.operations[0].operations[1].operation.params.ravel().tolist()
        [0.10000000149011612, 0.20000000298023224, 0.30000001192092896]
    """
    steps = num_steps(circuit)
    for leaf in jax.tree.leaves(strengths):
        rule = f"have leaves with {steps} rows, one for each step"
        require(np.shape(leaf)[:1] == (steps,), "strengths", rule, np.shape(leaf))
    strengths = jax.tree.map(jnp.asarray, strengths)
    result: list[AbstractOperation] = []
    between: list[AbstractOperation] = []
    width, step = circuit.num_wires, 0

    def finish(at: int) -> None:
        nonlocal width
        here = jax.tree.map(lambda leaf: leaf[at], strengths)
        noisy = noise(here)(Circuit(between, circuit.num_wires))
        result.extend(noisy.operations)
        width = noisy.num_wires
        between.clear()

    for operation in circuit.operations:
        if not isinstance(operation, Repeat):
            between.append(operation)
            continue
        if between:
            finish(step)
        stop = step + operation.depth
        here = jax.tree.map(lambda leaf, a=step, b=stop: leaf[a:b], strengths)
        body = jax.vmap(lambda own, layer: noise(own)(layer))(here, operation.body)
        result.append(Repeat(body, operation.depth))
        width, step = body.num_wires, stop
    if between:
        finish(steps - 1)
    return Circuit(result, width)


def ornstein_uhlenbeck(
    key: Key, steps: int, spread: ArrayLike, correlation: ArrayLike
) -> Float[Array, " steps"]:
    """Draw a stationary Gaussian drift: Cov(x_s, x_t) = spread^2 c^|s - t|.

    x_0 = spread xi_0, x_(t+1) = c x_t + spread sqrt(1 - c^2) xi_(t+1); c is
    exp(-dt / tau) for steps of dt and a correlation time tau. c = 1 is quasi-static: a
    single number for the whole run, another for the next; c = 0 is white noise.

    Args:
        key: JAX random key.
        steps: Number T of steps, at least 1. Static.
        spread: Standard deviation of each x_t, at least 0.
        correlation: c in [0, 1], of neighbouring steps.

    Returns:
        Shape (T,).

    Raises:
        ValueError: If a number leaves its range (traced: at run time).

    Source: Gillespie, Phys. Rev. E 54, 2084 (1996), eq. 1.9 (exact for any dt).

    Example:
        >>> import jax
        >>> from qjax.noise import ornstein_uhlenbeck
        >>> ornstein_uhlenbeck(jax.random.key(1), 5, 0.1, 0.9).shape
        (5,)
    """
    check_shots(steps, "steps")
    spread = checked(spread, lambda x: x >= 0, "spread", "be at least 0")
    sigma = as_float(spread, "spread")
    c = as_float(check_probability(correlation, "correlation"), "correlation")
    c = c.astype(sigma.dtype)
    white = jax.random.normal(key, (steps,), sigma.dtype)
    kick = jnp.sqrt(1 - c**2)

    def step(now: Array, fresh: Array) -> tuple[Array, Array]:
        then = c * now + kick * fresh
        return then, then

    _, later = jax.lax.scan(step, white[0], white[1:])
    return sigma * jnp.concatenate([white[:1], later])


def random_telegraph(
    key: Key, steps: int, amplitude: ArrayLike, switching: ArrayLike
) -> Float[Array, " steps"]:
    """Draw a two-level fluctuator: x_t = +-a, E[x_s x_t] = a^2 (1 - 2 p)^|s - t|.

    Args:
        key: JAX random key.
        steps: Number T of steps, at least 1. Static.
        amplitude: a, of either sign.
        switching: Probability p in [0, 1] of a switch from one step to the next; a
            fluctuator that switches at a rate r has p = (1 - exp(-2 r dt)) / 2.

    Returns:
        Shape (T,); +a and -a are equally likely.

    Raises:
        ValueError: If a number leaves its range (traced: at run time).

    Source: Paladino et al., Rev. Mod. Phys. 86, 361 (2014).

    Example:
        >>> import jax
        >>> from qjax.noise import random_telegraph
        >>> abs(random_telegraph(jax.random.key(1), 3, 2.0, 0.1)).tolist()
        [2.0, 2.0, 2.0]
    """
    check_shots(steps, "steps")
    a = as_float(amplitude, "amplitude")
    p = check_probability(switching, "switching")
    first = jnp.full((1,), 0.5, a.dtype)
    chances = jnp.broadcast_to(as_float(p, "switching").astype(a.dtype), (steps - 1,))
    switches = jax.random.bernoulli(key, jnp.concatenate([first, chances]))
    odd = jnp.cumsum(switches) % 2 == 1
    return jnp.where(odd, -a, a)


def one_over_f(
    key: Key,
    steps: int,
    spread: ArrayLike,
    slowest: float,
    fastest: float,
    fluctuators: int,
) -> Float[Array, " steps"]:
    """Draw 1/f noise: a sum of M random telegraphs with rates even on a log scale.

    E[x_s x_t] = spread^2 mean_m exp(-r_m |s - t|) with r_m from `slowest` to `fastest`
    per step: between these rates the power spectrum falls as 1 / frequency.

    Args:
        key: JAX random key.
        steps: Number T of steps, at least 1. Static.
        spread: Standard deviation of each x_t, at least 0.
        slowest: Smallest r_m > 0. Static.
        fastest: Largest r_m, at least `slowest`. Static.
        fluctuators: Number M, at least 1. Static.

    Returns:
        Shape (T,).

    Raises:
        ValueError: If a number leaves its range.

    Source: Paladino et al., Rev. Mod. Phys. 86, 361 (2014).

    Example:
        >>> import jax
        >>> from qjax.noise import one_over_f
        >>> one_over_f(jax.random.key(1), 100, 0.1, 1e-3, 1.0, 10).shape
        (100,)
    """
    check_shots(fluctuators, "fluctuators")
    rule = "satisfy 0 < slowest <= fastest"
    ends = (slowest, fastest)
    require(0 < slowest <= fastest, "slowest, fastest", rule, ends)
    spread = checked(spread, lambda x: x >= 0, "spread", "be at least 0")
    a = as_float(spread, "spread") / float(np.sqrt(fluctuators))
    rates = np.geomspace(slowest, fastest, fluctuators)
    switching = jnp.asarray(-np.expm1(-rates) / 2, a.dtype)
    keys = jax.random.split(key, fluctuators)
    draw = jax.vmap(lambda own, p: random_telegraph(own, steps, a, p))
    return jnp.sum(draw(keys, switching), axis=0)
