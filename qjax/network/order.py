"""Contraction orders: opt_einsum's greedy search with jitter, and its exact one."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import opt_einsum

from qjax.network.network import Indices

Optimizer = str | Callable[..., Any]
"""A search: auto, greedy, random-greedy, optimal, or what opt_einsum would call."""

Path = list[tuple[int, ...]]

TRIALS = 32
"""Paths that the randomised search tries; the first is the plain greedy one."""

EXACT = 12
"""Tensors up to which dynamic programming takes milliseconds."""


def find_paths(
    inputs: Sequence[Indices],
    output: Indices,
    sizes: Mapping[int, int],
    optimizer: Optimizer,
) -> list[Path]:
    """Return the paths that a search finds, one or several."""
    sets = [frozenset(names) for names in inputs]
    kept, lengths = frozenset(output), dict(sizes)
    if len(sets) == 1:
        return [[]]
    if callable(optimizer):
        return [list(optimizer(sets, kept, lengths, None))]
    if optimizer == "auto":
        optimizer = "optimal" if len(sets) <= EXACT else "random-greedy"
    if optimizer == "optimal":
        return [opt_einsum.DynamicProgramming("flops")(sets, kept, lengths)]
    trials = TRIALS if optimizer == "random-greedy" else 1
    return [_greedy(sets, kept, lengths, trial) for trial in range(trials)]


def _greedy(
    inputs: list[frozenset[int]],
    output: frozenset[int],
    sizes: dict[int, int],
    trial: int,
) -> Path:
    """One greedy path; trial 0 is opt_einsum's own, others perturb what it minimises.

    opt_einsum's randomised search seeds the generator of the process, which belongs to
    the caller: here each trial has a generator of its own, so that the same network
    always gets the same path.

    Source: Gray and Kourtis, Quantum 5, 410 (2021), section 3.1.
    """
    generator = random.Random(trial)
    weight = generator.uniform(0.3, 1.5)
    temperature = 10 ** generator.uniform(-3, 0)

    def jittered(result: int, left: int, right: int, *_: object) -> float:
        change = result - weight * (left + right)
        scale = math.copysign(math.log1p(abs(change)), change)
        gumbel = -math.log(-math.log(generator.uniform(1e-12, 1 - 1e-12)))
        return scale - temperature * gumbel

    cost: Any = jittered if trial else "memory-removed"
    search = opt_einsum.paths.ssa_greedy_optimize
    path = search(inputs, output, sizes, cost_fn=cost)
    return opt_einsum.paths.ssa_to_linear(path)
