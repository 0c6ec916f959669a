"""How many layers to train at which stage of a training."""

import math
from collections.abc import Callable

from qjax._checks import require

DepthSchedule = Callable[[float], int]

_LEVELS: dict[str, Callable[[float], float]] = {
    # Share of what is above the lower depth, by progress in [0, 1].
    "linear": lambda progress: 1 - progress,
    "exponential": lambda progress: math.exp(-3 * progress),
    "step": lambda progress: 1.0 if progress < 0.3 else 0.5 if progress < 0.7 else 0.0,
    "growing": lambda progress: progress,
    "constant": lambda progress: 1.0,
}


def depth_schedule(name: str, depth: int, lowest: int = 1) -> DepthSchedule:
    """Return the number of layers by the progress of a training.

    d(p) = ceil(lowest + (depth - lowest) s(p)) with s = 1 - p ("linear"), e^{-3p}
    ("exponential"), 1, 1/2, 0 from p = 0, 0.3, 0.7 ("step"): the three that shrink;
    p ("growing"), layerwise training; and 1 ("constant").

    Args:
        name: One of those.
        depth: Largest number of layers.
        lowest: Smallest, in [1, depth].

    Returns:
        Function of p in [0, 1].

    Raises:
        ValueError: If the name is unknown, a number is out of range, or, when called,
            p is.

    Source: growing: Skolik et al., Quantum Mach. Intell. 3, 5 (2021).

    Example:
        >>> from qjax.optim import depth_schedule
        >>> [depth_schedule("step", 4, 2)(p) for p in (0.0, 0.5, 1.0)]
        [4, 3, 2]
    """
    require(name in _LEVELS, "name", f"be one of {sorted(_LEVELS)}", repr(name))
    require(1 <= lowest <= depth, "lowest", f"lie in [1, {depth}]", lowest)
    level = _LEVELS[name]

    def at(progress: float) -> int:
        require(0 <= progress <= 1, "progress", "lie in [0, 1]", progress)
        # Rounded first: 4 - 2 * 0.5 must not become 3.0000000001 and then 4.
        return math.ceil(round(lowest + (depth - lowest) * level(progress), 9))

    return at
