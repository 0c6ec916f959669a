"""How many shots the next gradient is worth: fixed, by progress, by expected gain."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from qjax._checks import check_shots, require


class Seen(NamedTuple):
    """What the last gradient showed.

    Attributes:
        gradient: g, shape (p,).
        spread: v: the variance of g_j is sum_m v_jm / s_jm with s_jm shots in setting
            m of each of its circuits; shape (p, m).
        value: Loss.
    """

    gradient: Float[Array, " p"]
    spread: Float[Array, "p m"]
    value: Float[Array, ""]


class AbstractShotRule(eqx.Module):
    """A rule for the shots of each parameter's circuits, in each setting."""

    @abc.abstractmethod
    def init(self, params: Float[Array, " p"], settings: int) -> Any:
        """Return the state before the first gradient."""

    @abc.abstractmethod
    def number(self, state: Any) -> Float[Array, "p m"]:
        """Return the shots of the next gradient: whole numbers, at least 1."""

    @abc.abstractmethod
    def update(self, state: Any, seen: Seen) -> Any:
        """Return the next state."""


class FixedShots(AbstractShotRule):
    """The same number for every circuit.

    Attributes:
        number_each: Shots, at least 1. Static.

    Raises:
        ValueError: If it is less than 1.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import FixedShots
        >>> rule = FixedShots(100)
        >>> rule.number(rule.init(jnp.zeros(2), 1)).tolist()
        [[100.0], [100.0]]
    """

    number_each: int = eqx.field(static=True)

    def __check_init__(self):
        check_shots(self.number_each, "shots")

    def init(self, params: Float[Array, " p"], settings: int) -> Float[Array, "p m"]:
        return jnp.full((params.size, settings), self.number_each, params.dtype)

    def number(self, state: Any) -> Float[Array, "p m"]:
        return state

    def update(self, state: Any, seen: Seen) -> Any:
        return state


class _Norms(NamedTuple):
    count: Int[Array, ""]
    recent: Float[Array, " w"]
    like: Float[Array, "p m"]


class ProgressShots(AbstractShotRule):
    """More shots late in training: 500, 1000, 2000 from progress 0, 0.3, 0.7.

    With three recent gradients or more, times 1.5 if the standard deviation of their
    norms is above 0.1, times 0.75 if below 0.01; clipped to [500, 2000].

    Attributes:
        steps: Steps of the whole training, at least 1. Static.
        levels: Shots of the three stages. Static.
        window: Number of recent gradients, at least 3. Static.

    Raises:
        ValueError: If a number is out of range.

    Source: the original training system; kept as a row to compare with.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import ProgressShots
        >>> rule = ProgressShots(steps=10)
        >>> rule.number(rule.init(jnp.zeros(1), 1)).item()
        500.0
    """

    steps: int = eqx.field(static=True)
    levels: tuple[int, int, int] = eqx.field(static=True, default=(500, 1000, 2000))
    window: int = eqx.field(static=True, default=10)

    def __check_init__(self):
        require(self.steps >= 1, "steps", "be at least 1", self.steps)
        require(self.window >= 3, "window", "be at least 3", self.window)
        rising = 1 <= self.levels[0] <= self.levels[1] <= self.levels[2]
        require(rising, "levels", "be at least 1 and rise", self.levels)

    def init(self, params: Float[Array, " p"], settings: int) -> _Norms:
        recent = jnp.zeros(self.window, params.dtype)
        like = jnp.ones((params.size, settings), params.dtype)
        return _Norms(jnp.zeros((), jnp.int32), recent, like)

    def number(self, state: _Norms) -> Float[Array, "p m"]:
        real = state.like.dtype
        progress = state.count.astype(real) / self.steps
        first, second, third = self.levels
        base = jnp.where(progress < 0.7, second, third)
        base = jnp.where(progress < 0.3, first, base).astype(real)
        known = jnp.minimum(state.count, self.window)
        used = (jnp.arange(self.window) < known).astype(real)
        share = used / jnp.maximum(jnp.sum(used), 1)
        mean = jnp.sum(share * state.recent)
        spread = jnp.sqrt(jnp.sum(share * (state.recent - mean) ** 2))
        factor = jnp.where(spread > 0.1, 1.5, jnp.where(spread < 0.01, 0.75, 1.0))
        factor = jnp.where(known >= 3, factor, 1.0).astype(real)
        return state.like * jnp.clip(jnp.floor(base * factor), first, third)

    def update(self, state: _Norms, seen: Seen) -> _Norms:
        norm = jnp.sqrt(jnp.sum(seen.gradient**2)).astype(state.recent.dtype)
        place = state.count % self.window
        recent = state.recent.at[place].set(norm)
        return _Norms(state.count + 1, recent, state.like)


class _Averages(NamedTuple):
    count: Int[Array, ""]
    slopes: Float[Array, " p"]
    spreads: Float[Array, "p m"]


class GainShots(AbstractShotRule):
    """Shots that promise the largest fall of the loss per shot, by parameter.

    Of a step with rate a on a loss whose gradient has the Lipschitz constant L, the
    expected fall per shot is largest for

        s_j = 2 L a / (2 - L a) * v_j / g_j^2          ("individual", iCANS)
        s_j = 2 L a / (2 - L a) * sqrt(v_j) sum_i sqrt(v_i) / |g|^2   ("global", gCANS)

    with running means of the slopes g and the variances v of single shots. Individual
    numbers are capped by that of the parameter with the largest expected gain. Settings
    of one circuit share its shots in proportion to sqrt(v_jm), which is best for a
    given sum.

    Attributes:
        rate: a, positive. Static.
        lipschitz: L, in (0, 2 / a). Static.
        kind: "global" or "individual". Static.
        lowest: Least number in each setting, at least 2: a variance needs as many.
            Static.
        highest: Largest number in each setting. Static.
        memory: Weight of the past in the running means, in [0, 1). Static.
        bias: Added to v and g^2, and fading as memory^step: keeps first steps sane.
            Static.

    Raises:
        ValueError: If a number is out of range, or the kind unknown.

    Source: Kuebler, Arrasmith, Cincio and Coles, Quantum 4, 263 (2020) (iCANS); Gu,
        Lowe, Dub, Coles and Arrasmith, arXiv:2108.10434 (gCANS); shares of settings:
        Arrasmith et al., arXiv:2004.06252 (Rosalin).

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.optim import GainShots, Seen
        >>> rule = GainShots(rate=0.1, lipschitz=1.0, bias=0.0)
        >>> state = rule.init(jnp.zeros(2), 1)
        >>> seen = Seen(jnp.asarray([0.1, 0.0]), jnp.ones((2, 1)), jnp.asarray(0.0))
        >>> rule.number(rule.update(state, seen)).tolist()
        [[22.0], [22.0]]
    """

    rate: float = eqx.field(static=True)
    lipschitz: float = eqx.field(static=True)
    kind: str = eqx.field(static=True, default="global")
    lowest: int = eqx.field(static=True, default=10)
    highest: int = eqx.field(static=True, default=100_000)
    memory: float = eqx.field(static=True, default=0.99)
    bias: float = eqx.field(static=True, default=1e-6)

    def __check_init__(self):
        require(self.rate > 0, "rate", "be positive", self.rate)
        stable = 0 < self.lipschitz < 2 / self.rate
        rule = f"lie in (0, {2 / self.rate:g}), below 2 / rate"
        require(stable, "lipschitz", rule, self.lipschitz)
        kinds = ("global", "individual")
        require(self.kind in kinds, "kind", f"be one of {kinds}", repr(self.kind))
        ordered = 2 <= self.lowest <= self.highest
        limits = (self.lowest, self.highest)
        require(ordered, "lowest, highest", "be at least 2 and rise", limits)
        require(0 <= self.memory < 1, "memory", "lie in [0, 1)", self.memory)
        require(self.bias >= 0, "bias", "be at least 0", self.bias)

    def init(self, params: Float[Array, " p"], settings: int) -> _Averages:
        slopes = jnp.zeros_like(params)
        spreads = jnp.zeros((params.size, settings), params.dtype)
        return _Averages(jnp.zeros((), jnp.int32), slopes, spreads)

    def number(self, state: _Averages) -> Float[Array, "p m"]:
        real, settings = state.slopes.dtype, state.spreads.shape[1]
        steps = state.count.astype(real)
        seen = jnp.maximum(1 - self.memory**steps, jnp.finfo(real).tiny)
        slopes, roots = state.slopes / seen, jnp.sqrt(state.spreads / seen)
        sums = jnp.sum(roots, axis=1)
        bias = jnp.asarray(self.bias, real) * self.memory**steps
        tiny = jnp.finfo(real).tiny
        scale = 2 * self.lipschitz * self.rate / (2 - self.lipschitz * self.rate)
        squares = slopes**2 + bias
        if self.kind == "global":
            top = sums * jnp.sum(sums) + bias
            wanted = scale * top / jnp.maximum(jnp.sum(squares), tiny)
        else:
            wanted = scale * (sums**2 + bias) / jnp.maximum(squares, tiny)
            gain = self._gain(slopes, sums, jnp.ceil(wanted))
            wanted = jnp.minimum(wanted, wanted[jnp.argmax(gain)])
        # Rounded up, but not because of rounding.
        whole = jnp.ceil(wanted * (1 - 8 * jnp.finfo(real).eps))
        shares = (
            jnp.where(sums > 0, 1, 0)[:, None]
            * roots
            / jnp.maximum(sums, tiny)[:, None]
        )
        shares = jnp.where(sums[:, None] > 0, shares, 1 / settings)
        split = jnp.clip(jnp.ceil(whole[:, None] * shares), self.lowest, self.highest)
        return jnp.where(state.count == 0, float(self.lowest), split)

    def _gain(
        self, slopes: Float[Array, " p"], sums: Float[Array, " p"], wanted: Array
    ) -> Float[Array, " p"]:
        """Return the expected fall of the loss per shot."""
        curve = self.lipschitz * self.rate**2 / 2
        shots = jnp.maximum(wanted, self.lowest)
        return ((self.rate - curve) * slopes**2 - curve * sums**2 / shots) / shots

    def update(self, state: _Averages, seen: Seen) -> _Averages:
        past, new = self.memory, 1 - self.memory
        slopes = past * state.slopes + new * seen.gradient.astype(state.slopes.dtype)
        spreads = past * state.spreads + new * seen.spread.astype(state.spreads.dtype)
        return _Averages(state.count + 1, slopes, spreads)
