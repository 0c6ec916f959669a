"""Depths by progress: the three original rules, and layerwise growth."""

import math

import pytest

from qjax.optim import depth_schedule


def test_the_three_shrinking_schedules_are_as_written():
    for progress in (0.0, 0.1, 0.29, 0.3, 0.5, 0.69, 0.7, 0.9, 1.0):
        linear = math.ceil(4 - 2 * progress - 1e-9)
        assert depth_schedule("linear", 4, 2)(progress) == linear
        falling = math.ceil(2 + 2 * math.exp(-3 * progress) - 1e-9)
        assert depth_schedule("exponential", 4, 2)(progress) == falling
        step = 4 if progress < 0.3 else 3 if progress < 0.7 else 2
        assert depth_schedule("step", 4, 2)(progress) == step


def test_growing_starts_low_and_ends_full_and_constant_stays():
    grown = [depth_schedule("growing", 5)(k / 10) for k in range(11)]
    assert grown == sorted(grown) and grown[0] == 1 and grown[-1] == 5
    assert {depth_schedule("constant", 5)(k / 10) for k in range(11)} == {5}


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`name` must be one of .*'growing'"):
        depth_schedule("shrinking", 4)
    with pytest.raises(ValueError, match=r"`lowest` must lie in \[1, 4\], but is 5"):
        depth_schedule("linear", 4, 5)
    with pytest.raises(ValueError, match=r"`progress` must lie in \[0, 1\]"):
        depth_schedule("linear", 4)(1.5)
