"""The parameter-shift rule: exact values, or shots that a rule hands out."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from qjax._checks import require
from qjax._types import Key
from qjax.gradients.parameter_shift import Spectra, each_entry
from qjax.gradients.shift_rules import shift_rule
from qjax.optim.estimators.base import (
    AbstractEstimator,
    Cost,
    GradientReport,
    HybridLoss,
    LossFn,
    count_points,
    draw_shares,
    require_hybrid,
)
from qjax.optim.shots import AbstractShotRule, FixedShots, Seen


class ParameterShift(AbstractEstimator):
    """dL/dt_j = sum_i <dL_i/dz_i, dz_i/dt_j>, with dz/dt by values at shifted angles.

    dL/dz is computed from the values at the parameters themselves. With shots these and
    the shifted values are independent samples; the product is unbiased up to O(1/shots)
    from the curvature of the head.

    Attributes:
        shots: None for exact values, a number for each circuit, or a rule.
        entries: Draw this many of the p parameters without repetition, and scale what
            they give by p / entries: unbiased; None takes all. Static.
        spectra: Frequencies of the circuit's parameters, as for
            `qjax.gradients.parameter_shift`. Static.

    Raises:
        ValueError: If a number is out of range.

    Source: Schuld et al., Phys. Rev. A 99, 032331 (2019); Sweke et al., Quantum 4, 314
        (2020), for sampling parameters and shots.

    Example:
        >>> from qjax.optim import ParameterShift
        >>> ParameterShift(shots=100).shots
        FixedShots(number_each=100)
    """

    shots: AbstractShotRule | None = eqx.field(
        default=None, converter=lambda s: FixedShots(s) if isinstance(s, int) else s
    )
    entries: int | None = eqx.field(static=True, default=None)
    spectra: Spectra = eqx.field(static=True, default=(1.0,))

    def init(self, loss: LossFn, params: Any) -> Any:
        hybrid = require_hybrid(loss)
        flat = ravel_pytree(hybrid.split(params)[0])[0]
        if self.entries is not None:
            fits = 1 <= self.entries <= flat.size
            require(fits, "entries", f"lie in [1, {flat.size}]", self.entries)
        settings = hybrid.readings.shape[0]
        return () if self.shots is None else self.shots.init(flat, settings)

    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: Any,
    ) -> tuple[GradientReport, Any]:
        hybrid = require_hybrid(loss)
        own, rest = hybrid.split(params)
        flat, unravel = ravel_pytree(own)
        pick_key, here_key, shift_key = jax.random.split(key, 3)
        chosen = self._chosen(pick_key, flat.size)
        each = None
        if self.shots is not None:
            each = self.shots.number(state)[chosen]
        value, slopes, rest_gradient, points = _here(
            here_key, hybrid, own, rest, batch, weights, each
        )

        def shifted(term_key: Key, place: Array, shift: Array, n: Any) -> Any:
            moved = unravel(flat.at[place].add(shift))
            return _along(term_key, hybrid, moved, batch[0], slopes, n)

        terms = _Terms.of(self.spectra, flat.size, chosen)
        keys = jax.random.split(shift_key, terms.places.shape)
        over = jax.vmap(
            jax.vmap(shifted, in_axes=(0, 0, 0, None)), in_axes=(0, 0, 0, 0)
        )
        shifts = terms.shifts.astype(flat.dtype)
        values, spreads = over(keys, terms.places, shifts, each)
        scale = flat.size / chosen.size
        factors = terms.coefficients.astype(flat.dtype)
        entries = scale * jnp.sum(factors * values, axis=1)
        gradient = jnp.zeros_like(flat).at[chosen].set(entries)
        # Terms that only fill up a shorter rule are simulated, but no circuits.
        real = jnp.sum((terms.coefficients != 0).astype(points.dtype), axis=1)
        passes = points * (terms.places.size + 1)
        circuits = points * (jnp.sum(real) + 1) * hybrid.readings.shape[0]
        report = {**unravel(gradient), **rest_gradient}
        if self.shots is None or each is None:
            cost = Cost.of(circuits, passes, 0)
            return GradientReport(value, report, cost), state
        shares = each.astype(points.dtype)
        measured = jnp.sum(real[:, None] * shares) + jnp.sum(_most(shares))
        cost = Cost.of(circuits, passes, points * measured)
        found = scale**2 * jnp.sum(factors[:, :, None] ** 2 * spreads, axis=1)
        spread = jnp.zeros((flat.size, found.shape[1]), found.dtype)
        spread = spread.at[chosen].set(found)
        state = self.shots.update(state, Seen(gradient, spread, value))
        return GradientReport(value, report, cost, spread), state

    def _chosen(self, key: Key, size: int) -> Int[Array, " e"]:
        if self.entries is None:
            return jnp.arange(size)
        return jax.random.permutation(key, size)[: self.entries]


class _Terms(eqx.Module):
    """For each chosen entry the shifts of its rule, padded with coefficients of 0."""

    places: Int[Array, "e t"]
    shifts: Float[Array, "e t"]
    coefficients: Float[Array, "e t"]

    @classmethod
    def of(cls, spectra: Spectra, size: int, chosen: Int[Array, " e"]):
        rules = [shift_rule(entry) for entry in each_entry(spectra, size)]
        most = max(rule.shifts.size for rule in rules)
        shifts, coefficients = np.zeros((2, size, most))
        for place, rule in enumerate(rules):
            shifts[place, : rule.shifts.size] = rule.shifts
            coefficients[place, : rule.shifts.size] = rule.coefficients
        places = jnp.broadcast_to(chosen[:, None], (chosen.shape[0], most))
        own = jnp.asarray(shifts)[chosen], jnp.asarray(coefficients)[chosen]
        return cls(places, *own)


def _here(
    key: Key,
    hybrid: HybridLoss,
    own: Any,
    rest: Any,
    batch: Any,
    weights: Float[Array, " b"],
    each: Array | None,
) -> tuple[Array, Float[Array, "b f"], Any, Array]:
    """Return the loss, its slopes by z and by the other parameters, and the points."""
    shares = hybrid.outcomes(own, batch[0])
    if each is not None:
        shares = draw_shares(key, shares, _most(each))
    z = hybrid.read(shares)

    def mean(other: Any, values: Array) -> Float[Array, ""]:
        losses = hybrid.head(other, values, batch[1])
        return jnp.sum(weights.astype(losses.dtype) * losses)

    value, (rest_gradient, slopes) = jax.value_and_grad(mean, (0, 1))(rest, z)
    return value, slopes, rest_gradient, count_points(weights)


def _most(each: Float[Array, "e m"]) -> Float[Array, " m"]:
    """Return the shots of the values at the parameters themselves."""
    return jnp.max(each, axis=0)


def _along(
    key: Key,
    hybrid: HybridLoss,
    own: Any,
    inputs: Any,
    slopes: Float[Array, "b f"],
    shots: Float[Array, " m"] | None,
) -> tuple[Float[Array, ""], Float[Array, " m"]]:
    """Return sum_i <slopes_i, z_i>, and its variance for a single shot each."""
    shares = hybrid.outcomes(own, inputs)
    high = jax.lax.Precision.HIGHEST
    readings = hybrid.readings.astype(shares.dtype)
    heights = jnp.einsum("mkf,bf->bmk", readings, slopes, precision=high)
    if shots is None:
        return jnp.sum(shares * heights), jnp.zeros(shares.shape[1], shares.dtype)
    shares = draw_shares(key, shares, shots)
    means = jnp.sum(shares * heights, axis=-1)
    squares = jnp.sum(shares * heights**2, axis=-1)
    number = shots.astype(shares.dtype)
    unbiased = number / jnp.maximum(number - 1, 1)
    return jnp.sum(means), unbiased * jnp.sum(squares - means**2, axis=0)
