"""Cell ids, keys and collisions."""

import hashlib
import json
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjax.experiments import HarnessError, canonical_json, cell_id, cell_key
from qjax.experiments.cells import grid_cells

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
POINTS = st.dictionaries(st.text(min_size=1, max_size=8), SCALARS, max_size=5)


def same(one: Any, two: Any) -> bool:
    """Equality of points that tells 1, 1.0 and True, and 0.0 and -0.0, apart."""
    return {k: repr(v) for k, v in one.items()} == {k: repr(v) for k, v in two.items()}


@given(POINTS, st.randoms())
def test_the_id_does_not_depend_on_the_order_of_fields(point, random):
    names = list(point)
    random.shuffle(names)
    shuffled = {name: point[name] for name in names}
    assert cell_id("x", 1, 0, point) == cell_id("x", 1, 0, shuffled)


@given(POINTS, POINTS)
def test_different_points_have_different_ids_and_equal_points_equal_ones(one, two):
    assert (cell_id("x", 1, 0, one) == cell_id("x", 1, 0, two)) == same(one, two)


@given(POINTS)
def test_canonical_json_survives_storage(point):
    text = canonical_json(point)
    assert text.isascii() and "\n" not in text
    assert same(json.loads(text), point)
    assert canonical_json(json.loads(text)) == text


def test_the_id_never_changes_between_releases():
    # Computed by hand from the documented form; stored rows depend on it.
    text = '{"name":"coin","point":{"a":1,"b":0.5},"seed":7,"version":3}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert cell_id("coin", 3, 7, {"b": 0.5, "a": 1}) == expected


@pytest.mark.parametrize(
    "other", [("y", 1, 0, {"a": 1}), ("x", 2, 0, {"a": 1}), ("x", 1, 5, {"a": 1})]
)
def test_name_version_and_root_seed_are_part_of_the_id(other):
    assert cell_id("x", 1, 0, {"a": 1}) != cell_id(*other)


def test_the_key_is_the_root_key_with_32_bits_of_the_id_folded_in():
    cell = cell_id("x", 1, 11, {"a": 1})
    root = jax.random.key(11)
    expected = jax.random.fold_in(root, np.uint32(int(cell, 16) >> 224))
    found = jax.random.key_data(cell_key(11, cell))
    np.testing.assert_array_equal(found, jax.random.key_data(expected))
    default = jax.random.key_data(root)
    assert not np.array_equal(found, default)


def test_a_point_that_occurs_twice_is_refused():
    with pytest.raises(HarnessError, match=r"'x' has the point .* twice"):
        grid_cells("x", 1, 0, [{"a": 1}, {"a": 2}, {"a": 1}])


def test_two_cells_with_one_key_are_refused():
    # By the birthday rule about 80 000 ids share 32 bits once.
    seen: dict[str, int] = {}
    pair = None
    for number in range(1_000_000):
        head = cell_id("x", 1, 0, {"a": number})[:8]
        if head in seen:
            pair = (seen[head], number)
            break
        seen[head] = number
    assert pair is not None
    points = [{"a": number} for number in pair]
    with pytest.raises(HarnessError, match="same random key; change its version"):
        grid_cells("x", 1, 0, points)
    # The advice works.
    assert len(grid_cells("x", 2, 0, points)) == 2


@pytest.mark.parametrize("value", [np.float64(0.5), [1], float("nan"), {"b": 1}])
def test_a_point_that_is_not_json_is_refused(value):
    with pytest.raises(HarnessError, match="experiment 'x' must be"):
        grid_cells("x", 1, 0, [{"a": value}])
