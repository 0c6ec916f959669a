"""Gradient ascent from many random starts under one jit: Adam, then L-BFGS."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.optimize
from jaxtyping import Array, Float, PyTree

from qjax._checks import require
from qjax._types import Key

Objective = Callable[[Any, Float[Array, ""]], Float[Array, ""]]

_MAX_ITERATIONS = 300  # of L-BFGS; it stops earlier where it has converged


class SearchResult(eqx.Module):
    """What the restarts of one search found.

    Attributes:
        best: Largest value among the finite restarts, -inf if there are none.
        best_params: Its parameters as NumPy arrays.
        all_values: Value of every restart, shape (restarts,); NaN where dropped.
        dropped: Number of restarts that ended in a value that is not finite.
    """

    best: float
    best_params: PyTree
    all_values: np.ndarray
    dropped: int


@dataclasses.dataclass(frozen=True)
class NormalStart:
    """A normal distribution of starting points.

    Attributes:
        centre: Array by name.
        width: Standard deviation of the entries: one number, or an array by name that
            broadcasts against the centre.
    """

    centre: Mapping[str, np.ndarray]
    width: float | Mapping[str, np.ndarray]

    def draw(self, key: Key, count: int) -> dict[str, np.ndarray]:
        """Draw `count` points along a new leading axis, repeatably from the key."""
        # NumPy's generator: JAX's float64 normal takes longer to compile than a climb.
        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        points = {}
        for name, middle in self.centre.items():
            width = self.width[name] if isinstance(self.width, Mapping) else self.width
            noise = generator.normal(size=(count, *middle.shape))
            points[name] = middle + width * noise
        return points


def gaussian_start(shapes: Mapping[str, tuple[int, ...]]) -> NormalStart:
    """A start that draws every named array from the standard normal distribution.

    Args:
        shapes: Shape by name.

    Returns:
        The distribution; entries are float64.

    Example:
        >>> import jax
        >>> from qjax.bounds.search import gaussian_start
        >>> gaussian_start({"kets": (2, 4)}).draw(jax.random.key(1), 5)["kets"].shape
        (5, 2, 4)
    """
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    return NormalStart(zeros, 1.0)


def require_double() -> None:
    """Raise unless JAX computes in 64 bits, which every search here needs."""
    double = jax.dtypes.canonicalize_dtype(np.float64) == np.float64
    rule = "be on for a search: use jax.enable_x64 or the entry point's setting"
    require(double, "jax_enable_x64", rule, "off")


def ascend(
    key: Key,
    objective: Objective,
    start: NormalStart,
    *,
    restarts: int,
    steps: int,
    polish: int = 4,
    learning_rate: float = 0.05,
) -> SearchResult:
    """Maximise a smooth function from many starts, all of them in one compiled program.

    Each restart takes `steps` steps of Adam with a cosine schedule while the annealing
    parameter rises from 0 to 1. The best `polish` of them are then followed by L-BFGS
    to convergence at 1; where that ends lower or breaks down, Adam's end is kept.

    Args:
        key: JAX random key; the same key repeats the search.
        objective: Maps (params, progress) to a real scalar, progress in [0, 1]. An
            equinox Module lets arrays change without a new compilation.
        start: Where the restarts begin; see `gaussian_start`.
        restarts: At least 1.
        steps: Steps of Adam, at least 2.
        polish: How many of the best restarts L-BFGS follows, at least 0.
        learning_rate: Initial rate of Adam.

    Returns:
        The best restart and the value of each.

    Raises:
        ValueError: If a size is out of range or 64-bit types are off.

    Source: Kingma and Ba, ICLR 2015; Liu and Nocedal, Math. Program. 45, 503 (1989).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.bounds.search import ascend, gaussian_start
        >>> def hill(params, progress):
        ...     return -jnp.sum((params["x"] - 2.0) ** 2)
        >>> with jax.enable_x64(True):
        ...     found = ascend(jax.random.key(1), hill, gaussian_start({"x": (3,)}),
        ...                    restarts=2, steps=20)
        >>> abs(found.best) < 1e-12, found.dropped
        (True, 0)
    """
    require(restarts >= 1, "restarts", "be at least 1", restarts)
    require(steps >= 2, "steps", "be at least 2", steps)
    require(polish >= 0, "polish", "be at least 0", polish)
    require_double()
    starts = jax.tree.map(jnp.asarray, start.draw(key, restarts))
    with jax.numpy_dtype_promotion("standard"):  # optax mixes ints and floats
        rate = jnp.asarray(learning_rate)
        ends, climbed = _climb(objective, starts, rate, steps)
    params = jax.tree.map(np.asarray, ends)
    values = np.where(np.isfinite(climbed), np.asarray(climbed), -np.inf)
    best, best_params = -np.inf, jax.tree.map(lambda leaf: leaf[0], params)
    for rank, index in enumerate(np.argsort(-values, kind="stable")):
        here = jax.tree.map(lambda leaf, i=index: leaf[i], params)
        if rank < polish and np.isfinite(values[index]):
            here, values[index] = _polished(objective, here, float(values[index]))
        if values[index] > best:
            best, best_params = float(values[index]), here
    finite = np.isfinite(values)
    return SearchResult(
        best, best_params, np.where(finite, values, np.nan), int(np.sum(~finite))
    )


@eqx.filter_jit
def _climb(
    objective: Objective, starts: PyTree, rate: Float[Array, ""], steps: int
) -> tuple[PyTree, Float[Array, " restarts"]]:
    # Adam's direction without its rate, which is scheduled here.
    solver = optax.scale_by_adam()

    def step(carry, progress):
        params, state = carry
        value, slope = jax.value_and_grad(objective)(params, progress)
        ascent, state = solver.update(slope, state)
        scale = rate * (1 + jnp.cos(jnp.pi * progress)) / 2
        params = jax.tree.map(lambda x, g: x + scale * g, params, ascent)
        return (params, state), value

    def one(params):
        start = (params, solver.init(params))
        schedule = jnp.linspace(0.0, 1.0, steps)
        (params, _), values = jax.lax.scan(step, start, schedule)
        return params, values[-1]  # the last step has rate zero: the value at the end

    return jax.vmap(one)(starts)


@eqx.filter_jit
def _value_and_slope(
    objective: Objective, params: PyTree
) -> tuple[Float[Array, ""], PyTree]:
    return jax.value_and_grad(objective)(params, jnp.asarray(1.0))


def _polished(
    objective: Objective, params: PyTree, value: float
) -> tuple[PyTree, float]:
    """Follow L-BFGS from params; the given point if it finds nothing better."""
    leaves, structure = jax.tree.flatten(params)
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]

    def restore(point: np.ndarray) -> PyTree:
        parts = zip(np.split(point, ends), leaves, strict=True)
        return structure.unflatten([part.reshape(leaf.shape) for part, leaf in parts])

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        arrays = jax.tree.map(jnp.asarray, restore(point))
        height, slope = _value_and_slope(objective, arrays)
        return -float(height), -_flat(slope)

    options = {"maxiter": _MAX_ITERATIONS, "ftol": 1e-15, "gtol": 1e-12}
    end = scipy.optimize.minimize(
        loss, _flat(params), jac=True, method="L-BFGS-B", options=options
    )
    if not -end.fun > value:  # also where it is NaN
        return params, value
    return restore(end.x), -float(end.fun)


def _flat(params: PyTree) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])
