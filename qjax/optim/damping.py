"""How a metric that is nearly singular is inverted all the same."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax.geometry import AbstractMetric

Schedule = Callable[[Int[Array, ""]], Any]


class Step(NamedTuple):
    """What a damping knows at one step.

    Attributes:
        metric: G.
        gradient: g, in the order of `ravel_pytree`.
        params: The parameters where both were taken, as one vector.
        names: Name of each parameter.
        count: Steps done before, shape ().
        value: The loss, if it was passed to `update`.
    """

    metric: AbstractMetric
    gradient: Float[Array, " p"]
    params: Float[Array, " p"]
    names: Callable[[], list[str]]
    count: Int[Array, ""]
    value: Float[Array, ""] | None


class AbstractDamping(eqx.Module):
    """A rule that turns a gradient and a metric into a step."""

    @abc.abstractmethod
    def init(self, params: Float[Array, " p"]) -> Any:
        """Return the state before the first step."""

    @abc.abstractmethod
    def solve(self, step: Step, state: Any) -> tuple[Float[Array, " p"], Any]:
        """Return the natural gradient, and the next state."""


class Fixed(AbstractDamping):
    """(G + t I)^-1 g with a given t.

    With t = 0 a singular metric is an error that names a redundant parameter; see
    `qjax.geometry.redundant_parameters` for all of them.

    Attributes:
        strength: t, at least 0: a number, or an optax schedule. Static.

    Raises:
        ValueError: If the number is negative.

    Example:
        >>> from qjax.optim import Fixed
        >>> Fixed(0.01).strength
        0.01
    """

    strength: float | Schedule = eqx.field(static=True)

    def __check_init__(self):
        if not callable(self.strength):
            require(self.strength >= 0, "damping", "be at least 0", self.strength)

    def init(self, params: Float[Array, " p"]) -> tuple[()]:
        return ()

    def solve(self, step: Step, state: Any) -> tuple[Float[Array, " p"], Any]:
        strength, gradient = self.strength, step.gradient
        if callable(strength):
            strength = strength(step.count)
        elif strength == 0:
            gradient = _regular(step)
        damping = jnp.asarray(strength).astype(gradient.dtype)
        return step.metric.solve(gradient, damping), state


class Spectral(AbstractDamping):
    """Invert large eigenvalues only: f(G) g with f(e) = 1 / (|e| + t), 0 for small e.

    An eigenvalue is small if |e| < cutoff * (largest |e|): the pseudo-inverse. The
    absolute value serves metrics estimated from shots, which need not be positive.

    Attributes:
        cutoff: Relative, in [0, 1). Static.
        strength: t, at least 0. Static.

    Raises:
        ValueError: If a number is out of range, or both are 0.

    Source: Gacon et al., Quantum 5, 567 (2021), equation 14, for the absolute value.

    Example:
        >>> from qjax.optim import Spectral
        >>> Spectral(cutoff=1e-3).strength
        0.0
    """

    cutoff: float = eqx.field(static=True, default=1e-3)
    strength: float = eqx.field(static=True, default=0.0)

    def __check_init__(self):
        require(0 <= self.cutoff < 1, "cutoff", "lie in [0, 1)", self.cutoff)
        require(self.strength >= 0, "strength", "be at least 0", self.strength)
        rule = "be positive where `strength` is 0"
        require(self.cutoff > 0 or self.strength > 0, "cutoff", rule, self.cutoff)

    def init(self, params: Float[Array, " p"]) -> tuple[()]:
        return ()

    def solve(self, step: Step, state: Any) -> tuple[Float[Array, " p"], Any]:
        metric = step.metric
        # Without a cutoff no eigenvalue is needed beforehand.
        floor = self.cutoff * metric.largest() if self.cutoff else 0.0

        def function(values: Float[Array, " k"]) -> Float[Array, " k"]:
            sizes = jnp.abs(values)
            kept = (sizes >= floor) & (sizes + self.strength > 0)
            return jnp.where(kept, 1 / jnp.where(kept, sizes + self.strength, 1), 0)

        return metric.apply(function, step.gradient), state


class LevenbergMarquardt(AbstractDamping):
    """(G + t I)^-1 g with t raised where the loss fell less than expected.

    A step d that minimises g.d + d^T (G + t I) d / (2 rate) promises the fall -g.d / 2.
    With the fall that was seen as a share of it, t grows by `up` below 1/4, and shrinks
    by `down` above 3/4. Needs the loss: `update(..., value=...)`, and, since losses of
    two steps are compared, batches large enough to tell a fall from the batch.

    Attributes:
        initial: First t.
        up: Factor above 1.
        down: Factor in (0, 1).
        lowest: Least t, positive.
        highest: Greatest t.

    Raises:
        ValueError: If a number is out of range; in `update`, if no loss is passed.

    Source: Marquardt 1963; Martens, J. Mach. Learn. Res. 21, 146 (2020), section 6.5.

    Example:
        >>> from qjax.optim import LevenbergMarquardt
        >>> LevenbergMarquardt(initial=0.1).up
        2.0
    """

    initial: float = eqx.field(static=True, default=0.01)
    up: float = eqx.field(static=True, default=2.0)
    down: float = eqx.field(static=True, default=0.7)
    lowest: float = eqx.field(static=True, default=1e-5)
    highest: float = eqx.field(static=True, default=10.0)

    def __check_init__(self):
        ordered = 0 < self.lowest <= self.initial <= self.highest
        limits = (self.lowest, self.initial, self.highest)
        require(ordered, "lowest, initial, highest", "be positive and rise", limits)
        require(self.up > 1, "up", "be above 1", self.up)
        require(0 < self.down < 1, "down", "lie in (0, 1)", self.down)

    def init(self, params: Float[Array, " p"]) -> "LastStep":
        one = jnp.ones((), params.dtype)
        nothing = jnp.zeros_like(params)
        return LastStep(self.initial * one, 0 * one, nothing, nothing)

    def solve(self, step: Step, state: Any) -> tuple[Float[Array, " p"], Any]:
        if step.value is None:
            raise ValueError(
                "Argument `value` must be passed to `update` with LevenbergMarquardt, "
                "but is None."
            )
        value = step.value.astype(step.gradient.dtype)
        promised = -jnp.vdot(state.gradient, step.params - state.params) / 2
        seen = state.value - value
        # Compared without a division: the promise may be 0.
        factor = jnp.where(seen > 0.75 * promised, self.down, 1.0)
        factor = jnp.where(seen < 0.25 * promised, self.up, factor)
        changed = jnp.clip(state.damping * factor, self.lowest, self.highest)
        known = (step.count > 0) & (promised > 0)
        damping = jnp.where(known, changed, state.damping).astype(value.dtype)
        found = step.metric.solve(step.gradient, damping)
        return found, LastStep(damping, value, step.gradient, step.params)


class LastStep(NamedTuple):
    """What Levenberg-Marquardt remembers."""

    damping: Float[Array, ""]
    value: Float[Array, ""]
    gradient: Float[Array, " p"]
    params: Float[Array, " p"]


def _regular(step: Step) -> Float[Array, " p"]:
    """Return the gradient, or report a singular metric and a parameter to blame."""
    matrix = step.metric.dense()
    values, vectors = jnp.linalg.eigh(matrix)
    limit = matrix.shape[0] * jnp.finfo(values.dtype).eps * values[-1]
    messages = [
        "Argument `damping` must be positive where the metric is singular, but is 0: "
        f"parameter {name} is redundant (`qjax.geometry.redundant_parameters` names "
        "all that are)."
        for name in step.names()
    ]
    worst = jnp.argmax(jnp.abs(vectors[:, 0]))
    singular = values[0] <= limit
    return eqx.branched_error_if(step.gradient, singular, worst, messages)
