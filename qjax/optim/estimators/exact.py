"""Exact gradients by differentiating the simulation."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._types import Key
from qjax.optim.estimators.base import (
    AbstractEstimator,
    Cost,
    GradientReport,
    LossFn,
    circuit_part,
    count_entries,
    count_points,
    count_settings,
)


class Autodiff(AbstractEstimator):
    """Reverse-mode derivatives of the loss, or its adjoint rule if the loss has one.

    Charged with 2 p + 1 circuits for each data point, the parameter shift's, and with
    `passes` evolutions.

    Attributes:
        passes: Evolutions for each data point: 2 in reverse mode (forwards and back), 3
            by the adjoint rule (two states are taken back). Static.

    Source: Jones and Gacon, arXiv:2009.02823, for the adjoint rule.

    Example:
        >>> from qjax.optim import Autodiff
        >>> Autodiff().passes
        2
    """

    passes: int = eqx.field(static=True, default=2)

    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: Any,
    ) -> tuple[GradientReport, Any]:
        del key

        def mean(own: Any) -> Float[Array, ""]:
            losses = loss(own, batch)
            return jnp.sum(weights.astype(losses.dtype) * losses)

        value, gradient = jax.value_and_grad(mean)(params)
        points = count_points(weights)
        terms = 2 * count_entries(circuit_part(loss, params)) + 1
        circuits = points * terms * count_settings(loss)
        cost = Cost.of(circuits, points * self.passes, 0)
        return GradientReport(value, gradient, cost), state
