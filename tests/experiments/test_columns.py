"""Declared columns: what is refused, what is converted, what counts as equal."""

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.experiments import Column, HarnessError
from qjax.experiments.columns import check_columns, difference, normal_row

COLUMNS = (
    Column("who", "label"),
    Column("count", "exact"),
    Column("mean", "estimated", stderr="error"),
    Column("seconds", "measured"),
)
ROW = {"who": "a", "count": 3, "mean": 0.5, "error": 0.1, "seconds": 2.0}


def normal(**changes):
    return normal_row({**ROW, **changes}, COLUMNS, "x")


def test_arrays_become_json_values_exactly():
    row = normal(
        count=np.int64(3), mean=jnp.asarray(0.1, jnp.float32), seconds=np.arange(3)
    )
    assert row["count"] == 3 and type(row["count"]) is int
    assert row["mean"] == float(np.float32(0.1)) and type(row["mean"]) is float
    assert row["seconds"] == [0, 1, 2]
    assert list(row) == ["who", "count", "mean", "error", "seconds"]


def test_a_missing_or_undeclared_column_is_named():
    with pytest.raises(HarnessError, match=r"'x' lacks column\(s\) \['error'\]"):
        normal_row({k: v for k, v in ROW.items() if k != "error"}, COLUMNS, "x")
    with pytest.raises(HarnessError, match=r"undeclared column\(s\) \['extra'\]"):
        normal(extra=1)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"count": "three"}, "'count' of experiment 'x' is exact and must be a number"),
        ({"count": True}, "must be a number"),
        ({"mean": float("nan")}, "'mean' of experiment 'x' must be finite"),
        ({"mean": [1.0, float("inf")]}, "must be finite"),
        ({"who": [1]}, "is a label and must be a scalar"),
        ({"count": [[1]]}, "flat list of numbers"),
        ({"count": np.eye(2)}, "flat list of numbers"),
        ({"count": 1j}, "must be a JSON scalar"),
        ({"who": {"a": 1}}, "must be a JSON scalar"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(changes, rule):
    with pytest.raises(HarnessError, match=rule):
        normal(**changes)


def test_none_stands_for_an_undefined_number():
    assert normal(mean=None, error=None)["mean"] is None


def test_an_estimated_column_names_its_standard_error_and_only_it_does():
    with pytest.raises(ValueError, match="`stderr` must name a column"):
        Column("mean", "estimated")
    with pytest.raises(ValueError, match="`stderr` must name a column"):
        Column("mean", "exact", stderr="error")


@pytest.mark.parametrize("name", ["who", "error", "cell", "root_seed"])
def test_a_name_is_declared_once_and_is_not_reserved(name):
    with pytest.raises(ValueError, match=f"Column '{name}' of y is"):
        check_columns((*COLUMNS, Column(name, "label")), "y")


def test_measured_columns_are_exempt_from_equality_and_no_other():
    assert difference([ROW], [{**ROW, "seconds": 9.0}], COLUMNS) is None
    for name, value in [("who", "b"), ("count", 4), ("mean", 0.6), ("error", 0.2)]:
        phrase = difference([ROW], [{**ROW, name: value}], COLUMNS)
        assert phrase is not None and repr(name) in phrase


def test_equality_has_tolerance_zero_and_sees_types():
    off = {**ROW, "mean": np.nextafter(0.5, 1.0).item()}
    assert difference([ROW], [off], COLUMNS) is not None
    assert difference([ROW], [{**ROW, "count": 3.0}], COLUMNS) is not None
    assert difference([ROW], [ROW, ROW], COLUMNS) is not None
