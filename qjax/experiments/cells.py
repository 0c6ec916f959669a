"""Cells: one point of a grid, its content hash and its random key."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from qjax.experiments.errors import HarnessError

Point = dict[str, Any]


def canonical_json(value: Any) -> str:
    """Write JSON in the one form that is hashed.

    Keys are sorted, no spaces, ASCII only, floats in their shortest exact form;
    NaN and infinity raise ValueError.

    >>> canonical_json({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def cell_id(name: str, version: int, root_seed: int, point: Mapping[str, Any]) -> str:
    """Hash what determines a result: experiment, version, root seed and point.

    The root seed is part of the id, so that another seed never reuses rows. The
    git id and the order of the grid are not: they do not determine the result.

    Returns:
        SHA-256 as 64 hexadecimal digits.
    """
    content = {"name": name, "version": version, "seed": root_seed, "point": point}
    return hashlib.sha256(canonical_json(content).encode("ascii")).hexdigest()


def key_word(cell: str) -> int:
    """The 32 bits of a cell id that are folded into the root key."""
    return int(cell[:8], 16)


def cell_key(root_seed: int, cell: str) -> PRNGKeyArray:
    """The random key of a cell: fold_in(key(root_seed), first 32 bits of its id).

    The generator is named, so that a process-wide default cannot change results.
    """
    root = jax.random.key(root_seed, impl="threefry2x32")
    return jax.random.fold_in(root, np.uint32(key_word(cell)))


def check_point(point: Mapping[str, Any], owner: str) -> Point:
    """Return the point, checked to be a dict of JSON scalars.

    Raises:
        HarnessError: If a value is not a JSON scalar.
    """
    for name, value in point.items():
        scalar = value is None or type(value) in (bool, int, float, str)
        if not isinstance(name, str) or not scalar:
            raise HarnessError(
                f"Point field {name!r} of experiment {owner!r} must be a JSON scalar "
                f"(text, int, float, bool or None), but is {value!r}."
            )
    try:
        canonical_json(dict(point))
    except ValueError:
        raise HarnessError(
            f"A point of experiment {owner!r} must be finite, but is {dict(point)}."
        ) from None
    return dict(point)


def grid_cells(
    name: str, version: int, root_seed: int, points: Iterable[Mapping[str, Any]]
) -> dict[str, Point]:
    """Give every point of a grid its id, in grid order.

    Raises:
        HarnessError: If a point occurs twice, or two cells share a random key.
    """
    cells: dict[str, Point] = {}
    words: dict[int, str] = {}
    for raw in points:
        point = check_point(raw, name)
        cell = cell_id(name, version, root_seed, point)
        if cell in cells:
            raise HarnessError(
                f"Experiment {name!r} has the point {point} twice in its grid."
            )
        other = words.setdefault(key_word(cell), cell)
        if other != cell:
            raise HarnessError(
                f"Experiment {name!r} gives the points {cells[other]} and {point} the "
                "same random key; change its version by one to draw new keys."
            )
        cells[cell] = point
    return cells
