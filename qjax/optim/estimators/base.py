"""What gradient estimators work on, what they return, and how cost is counted."""

import abc
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qjax._types import Key

Params = Mapping[str, Any]
LossFn = Callable[[Any, Any], Float[Array, " b"]]


class Cost(eqx.Module):
    """What one gradient cost.

    Attributes:
        circuits: Circuits that a device would run: for each data point 2 for SPSA, and
            2 p for the two-term parameter shift, which is what an exact gradient is
            charged too, since a device has no other way to it.
        passes: Evolutions of a state in this simulation, for all data points.
        shots: Measurements; 0 if exact.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import Cost
        >>> (Cost.of(4, 2, 0) + Cost.of(1, 1, 100)).circuits.item()
        5.0
    """

    circuits: Float[Array, ""]
    passes: Float[Array, ""]
    shots: Float[Array, ""]

    @classmethod
    def of(cls, circuits: Any, passes: Any, shots: Any):
        """Return a cost of numbers, as float32: counts of one step may pass 2^31."""
        numbers = (circuits, passes, shots)
        return cls(*(jnp.asarray(x).astype(jnp.float32) for x in numbers))

    def __add__(self, other: "Cost") -> "Cost":
        return jax.tree.map(jnp.add, self, other)


class GradientReport(eqx.Module):
    """A gradient, and how it came about.

    Attributes:
        value: Loss, as far as the estimator saw it.
        gradient: Pytree like the parameters.
        cost: What it cost.
        spread: For parameter shifts by shots, v as in `qjax.optim.Seen`; else None.
    """

    value: Float[Array, ""]
    gradient: Any
    cost: Cost
    spread: Any = None


class HybridLoss(eqx.Module):
    """A loss of expectation values: L = mean_i head(rest, z(circuit, x_i), y_i).

    z = sum_m p_m R_m: probabilities p of the outcomes of each measurement setting m
    times what the outcomes stand for. So a device's part, which only gives samples of
    p, is apart from the rest, which is computed.

    Attributes:
        outcomes: Maps the circuit's parameters and inputs of shape (b, ...) to
            probabilities, shape (b, settings, k). Static.
        readings: R, shape (settings, k, f).
        head: Maps the other parameters, z of shape (b, f) and targets to losses, shape
            (b,). Static.
        names: Names of the circuit's parameters in the mapping of all. Static.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.optim import HybridLoss
        >>> from qjax.simulate import run
        >>> from qjax.states import StateVector
        >>> def outcomes(own, inputs):
        ...     circuit = Circuit([ry(own["angle"], 0)], 1)
        ...     p = run(circuit, StateVector.zeros(1)).probabilities()
        ...     return jnp.broadcast_to(p, (len(inputs), 1, 2))
        >>> def head(rest, z, targets):
        ...     return (z[:, 0] - targets) ** 2
        >>> z = jnp.asarray([[[1.0], [-1.0]]])
        >>> loss = HybridLoss(outcomes, z, head, ("angle",))
        >>> loss({"angle": jnp.asarray(0.0)}, (jnp.zeros(2), jnp.zeros(2))).tolist()
        [1.0, 1.0]
    """

    outcomes: Callable[[Any, Any], Float[Array, "b m k"]] = eqx.field(static=True)
    readings: Float[Array, "m k f"]
    head: Callable[[Any, Any, Any], Float[Array, " b"]] = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def split(self, params: Params) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the circuit's parameters and the others."""
        own = {name: params[name] for name in self.names}
        rest = {name: params[name] for name in params if name not in self.names}
        return own, rest

    def expectations(self, own: Params, inputs: Any) -> Float[Array, "b f"]:
        """Return z."""
        return self.read(self.outcomes(own, inputs))

    def read(self, shares: Float[Array, "b m k"]) -> Float[Array, "b f"]:
        """Return sum_m p_m R_m."""
        high = jax.lax.Precision.HIGHEST
        readings = self.readings.astype(shares.dtype)
        return jnp.einsum("bmk,mkf->bf", shares, readings, precision=high)

    def sample(
        self, key: Key, own: Params, inputs: Any, shots: Array
    ) -> Float[Array, "b m k"]:
        """Return shares of the outcomes in `shots` measurements of each setting."""
        return draw_shares(key, self.outcomes(own, inputs), shots)

    def __call__(self, params: Params, batch: tuple[Any, Any]) -> Float[Array, " b"]:
        """Return the losses of a batch (inputs, targets)."""
        own, rest = self.split(params)
        return self.head(rest, self.expectations(own, batch[0]), batch[1])


class AbstractEstimator(eqx.Module):
    """A way to a gradient of the mean loss of a batch."""

    def init(self, loss: LossFn, params: Any) -> Any:
        """Return the state before the first step; most estimators have none."""
        del loss, params
        return ()

    @abc.abstractmethod
    def __call__(
        self,
        key: Key,
        loss: LossFn,
        params: Any,
        batch: Any,
        weights: Float[Array, " b"],
        state: Any,
    ) -> tuple[GradientReport, Any]:
        """Return the gradient of sum_i weights_i loss_i, and the next state.

        Args:
            key: JAX random key.
            loss: Maps (params, batch) to losses of shape (b,).
            params: Pytree of floating arrays.
            batch: Pytree of arrays with a leading axis b.
            weights: Of the examples; they add up to 1, and are 0 for padding.
            state: As `init` or the last call returned it.
        """


def draw_shares(
    key: Key, chances: Float[Array, "b m k"], shots: Array
) -> Float[Array, "b m k"]:
    """Draw outcomes of each setting, and return the share of each.

    Their number, a scalar or of shape (m,), may be traced.
    """
    number = jnp.asarray(shots).astype(chances.dtype)
    number = number if number.ndim == 0 else number[None]
    # Rounding may leave probabilities a little below 0.
    safe = jnp.maximum(chances, 0)
    safe = safe / jnp.sum(safe, axis=-1, keepdims=True)
    many = jnp.broadcast_to(number, safe.shape[:-1])
    counts = jax.random.multinomial(key, many, safe, dtype=safe.dtype)
    return counts / many[..., None]


def require_hybrid(loss: Any) -> HybridLoss:
    """Return the loss, or say what this estimator needs."""
    if not isinstance(loss, HybridLoss):
        raise TypeError(
            "Argument `loss` must be a HybridLoss for this estimator, "
            f"but is {type(loss).__name__}."
        )
    return loss


def count_entries(tree: Any) -> int:
    """Return p."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def circuit_part(loss: LossFn, params: Any) -> Any:
    """Return the parameters that shifted circuits are counted for."""
    return loss.split(params)[0] if isinstance(loss, HybridLoss) else params


def count_settings(loss: LossFn) -> int:
    """Return the circuits that one evaluation of one data point takes."""
    return loss.readings.shape[0] if isinstance(loss, HybridLoss) else 1


def count_points(weights: Float[Array, " b"]) -> Float[Array, ""]:
    """Return the number of examples that are not padding, as costs are counted."""
    return jnp.sum((weights > 0).astype(jnp.float32))
