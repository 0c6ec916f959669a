"""The script behind the default `Rates`."""

import dataclasses
import math

import jax
import pytest

from qjax.simulate import Rates
from scripts.bench.rates import MEASURES, Sizes, measured

SMALL = Sizes(matrix=8, eigen=4, wires=4, clifford=5, doublings=2, compiled=2)


@pytest.mark.slow
def test_every_rate_is_measured_and_is_a_finite_positive_number(monkeypatch):
    monkeypatch.setattr(jax, "clear_caches", lambda: None)  # other tests use them
    assert list(MEASURES) == [field.name for field in dataclasses.fields(Rates)]
    found = dataclasses.asdict(measured(SMALL, rounds=1))
    assert all(math.isfinite(value) and value > 0 for value in found.values())
