"""Simultaneous perturbation of a circuit's parameters."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from qjax._checks import check_shots, require
from qjax._types import Key
from qjax.optim.estimators.base import (
    AbstractEstimator,
    Cost,
    GradientReport,
    HybridLoss,
    LossFn,
    count_points,
    count_settings,
)


class SPSA(AbstractEstimator):
    """g = mean over d of d (L(t + r d) - L(t - r d)) / (2 r), entries of d +1 or -1.

    The parameters that no circuit depends on have the mean of their gradients at the
    displaced points, which costs no circuit more.

    Attributes:
        radius: r > 0, in the unit of the parameters. Static.
        num_samples: Perturbations, evaluated in one batch, at least 1. Static.
        shots: For each circuit; None for exact values. Static.
        common: Draw the shots of the two points of a pair from the same key, so that
            part of their noise cancels. Static.

    Raises:
        ValueError: If a number is out of range.

    Source: Spall, IEEE Trans. Autom. Control 37, 332 (1992); common random numbers:
        Kleinman, Spall and Naiman, Manag. Sci. 45, 1570 (1999).

    Example:
        >>> from qjax.optim import SPSA
        >>> SPSA(radius=0.1, num_samples=4).shots is None
        True
    """

    radius: float = eqx.field(static=True)
    num_samples: int = eqx.field(static=True, default=1)
    shots: int | None = eqx.field(static=True, default=None)
    common: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        require(self.radius > 0, "radius", "be positive", self.radius)
        check_shots(self.num_samples, "num_samples")
        if self.shots is not None:
            check_shots(self.shots)

    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: Any,
    ) -> tuple[GradientReport, Any]:
        own, rest = loss.split(params) if isinstance(loss, HybridLoss) else (params, {})
        flat, unravel = ravel_pytree(own)
        step = jnp.asarray(self.radius, flat.dtype)

        def mean(other: Any, values: Array, shot_key: Key) -> Float[Array, ""]:
            losses = self._losses(shot_key, loss, unravel(values), other, batch)
            return jnp.sum(weights.astype(losses.dtype) * losses)

        def one(pair_key: Key) -> tuple[Array, Array, Any]:
            sign_key, up_key, down_key = jax.random.split(pair_key, 3)
            down_key = up_key if self.common else down_key
            signs = jax.random.rademacher(sign_key, flat.shape, flat.dtype)
            ends = jnp.stack([flat + step * signs, flat - step * signs])
            keys = jnp.stack([up_key, down_key])
            both = jax.vmap(jax.value_and_grad(mean), in_axes=(None, 0, 0))
            values, slopes = both(rest, ends, keys)
            slope = (values[0] - values[1]).astype(flat.dtype) / (2 * step)
            return jnp.mean(values), slope * signs, _mean(slopes)

        keys = jax.random.split(key, self.num_samples)
        values, slopes, rests = jax.vmap(one)(keys)
        gradient = unravel(jnp.mean(slopes, axis=0))
        if isinstance(loss, HybridLoss):
            gradient = {**gradient, **_mean(rests)}
        points = count_points(weights)
        circuits = points * 2 * self.num_samples * count_settings(loss)
        cost = Cost.of(circuits, circuits, circuits * (self.shots or 0))
        return GradientReport(jnp.mean(values), gradient, cost), state

    def _losses(
        self, key: Key, loss: LossFn, own: Any, rest: Any, batch: Any
    ) -> Float[Array, " b"]:
        if not isinstance(loss, HybridLoss):
            return loss(own, batch)
        if self.shots is None:
            return loss({**own, **rest}, batch)
        shares = loss.sample(key, own, batch[0], jnp.asarray(self.shots))
        return loss.head(rest, loss.read(shares), batch[1])


def _mean(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.mean(leaf, axis=0), tree)
