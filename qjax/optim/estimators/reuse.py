"""Fewer gradients: the last one while it still fits, or part of the examples."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.optim.estimators.base import (
    AbstractEstimator,
    Cost,
    GradientReport,
    LossFn,
    count_points,
    count_settings,
)


class LastGradient(NamedTuple):
    """The gradient that may be used again, its age in steps, and the inner state."""

    gradient: Any
    age: Int[Array, ""]
    inner: Any


class Reused(AbstractEstimator):
    """Use the last gradient again as long as the loss falls along it as it says.

    The slope along g is measured by two values at t + r u and t - r u, u = g / |g|, and
    should be |g|. Where it is off by more than `tolerance` |g|, or after `longest`
    steps, the gradient is computed anew, and the two values were lost.

    Attributes:
        inner: Estimator of new gradients.
        tolerance: Relative, positive. Static.
        radius: r > 0, in the unit of the parameters. Static.
        longest: Steps that a gradient may serve after its own, at least 1. Static.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from qjax.optim import Autodiff, Reused
        >>> Reused(Autodiff(), tolerance=0.3).longest
        5
    """

    inner: AbstractEstimator
    tolerance: float = eqx.field(static=True, default=0.3)
    radius: float = eqx.field(static=True, default=0.05)
    longest: int = eqx.field(static=True, default=5)

    def __check_init__(self):
        require(self.tolerance > 0, "tolerance", "be positive", self.tolerance)
        require(self.radius > 0, "radius", "be positive", self.radius)
        check_shots(self.longest, "longest")

    def init(self, loss: LossFn, params: Any) -> LastGradient:
        nothing = jax.tree.map(jnp.zeros_like, params)
        too_old = jnp.asarray(self.longest, jnp.int32)
        return LastGradient(nothing, too_old, self.inner.init(loss, params))

    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: LastGradient,
    ) -> tuple[GradientReport, Any]:
        flat, unravel = ravel_pytree(params)
        old = ravel_pytree(state.gradient)[0]
        size = jnp.sqrt(jnp.sum(old**2))
        step = self.radius * old / jnp.where(size > 0, size, 1)

        def value(where: Float[Array, " p"]) -> Float[Array, ""]:
            losses = loss(unravel(where), batch)
            return jnp.sum(weights.astype(losses.dtype) * losses)

        def test() -> tuple[Array, Array]:
            ends = value(flat + step), value(flat - step)
            slope = (ends[0] - ends[1]) / (2 * self.radius)
            good = jnp.abs(slope - size) <= self.tolerance * size
            return good & (size > 0), (ends[0] + ends[1]) / 2

        young = state.age < self.longest
        blank = jnp.asarray(False), jnp.zeros((), flat.dtype)
        good, middle = jax.lax.cond(young, test, lambda: blank)
        points = count_points(weights) * count_settings(loss)
        evaluations = 2 * points * young.astype(points.dtype)
        tested = Cost.of(evaluations, evaluations, 0)

        def again() -> tuple[GradientReport, Any]:
            return GradientReport(middle, state.gradient, tested), state.inner

        def anew() -> tuple[GradientReport, Any]:
            found, inner = self.inner(key, loss, params, batch, weights, state.inner)
            cost = found.cost + tested
            return GradientReport(found.value, found.gradient, cost), inner

        report, inner = jax.lax.cond(good, again, anew)
        age = jnp.where(good, state.age + 1, 0).astype(jnp.int32)
        return report, LastGradient(report.gradient, age, inner)


class Subsampled(AbstractEstimator):
    """Estimate the gradient of a batch from some of its examples, drawn at random.

    Attributes:
        inner: Estimator of their gradient.
        examples: How many are drawn, without repetition, at least 1. Static.

    Raises:
        ValueError: If `examples` < 1, or there are not as many in a batch.

    Example:
        >>> from qjax.optim import Autodiff, Subsampled
        >>> Subsampled(Autodiff(), examples=8).examples
        8
    """

    inner: AbstractEstimator
    examples: int = eqx.field(static=True)

    def __check_init__(self):
        check_shots(self.examples, "examples")

    def init(self, loss: LossFn, params: Any) -> Any:
        return self.inner.init(loss, params)

    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: Any,
    ) -> tuple[GradientReport, Any]:
        count = weights.shape[0]
        rule = f"lie in [1, {count}], the size of a batch"
        require(self.examples <= count, "examples", rule, self.examples)
        pick_key, inner_key = jax.random.split(key)
        rows = jax.random.permutation(pick_key, count)[: self.examples]
        few = jax.tree.map(lambda leaf: leaf[rows], batch)
        scaled = weights[rows] * (count / self.examples)
        return self.inner(inner_key, loss, params, few, scaled, state)
