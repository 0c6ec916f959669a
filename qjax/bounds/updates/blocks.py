"""Random instances drawn in blocks, so that memory does not grow with the count."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.bound import RandomBatch, Values

Block = Mapping[str, np.ndarray]


def batch_in_blocks(
    key: Key,
    count: int,
    size: int,
    names: Sequence[str],
    draw: Callable[[Key, int], Block],
    record: Callable[[Block, int], Mapping[str, Any]],
    replay: Callable[[Mapping[str, Any]], Values],
) -> RandomBatch:
    """A batch whose states are drawn again, a block at a time, when one is replayed.

    Args:
        key: JAX random key; block i is drawn with `fold_in(key, i)`.
        count: At least 1.
        size: Instances in a block.
        names: Arrays of a block that are values of the batch.
        draw: (key, instances) -> arrays by name, the first axis counting instances.
        record: (block, row) -> JSON-able record of one instance.
        replay: Record -> values at 50 digits.

    Raises:
        ValueError: If `count` < 1.
    """
    require(count >= 1, "count", "be at least 1", count)
    sizes = [min(size, count - start) for start in range(0, count, size)]

    @functools.lru_cache(maxsize=1)  # replays mostly ask for the block drawn last
    def block(number: int) -> Block:
        return draw(jax.random.fold_in(key, number), sizes[number])

    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for number in range(len(sizes)):
        for name in names:
            parts[name].append(block(number)[name])

    def serialise(index: int) -> Mapping[str, Any]:
        return record(block(index // size), index % size)

    values = {name: np.concatenate(rows) for name, rows in parts.items()}
    return RandomBatch(values, lambda i: replay(serialise(i)), serialise)
