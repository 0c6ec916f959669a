"""The climber: finds known maxima, repeats itself, drops and counts broken runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.bounds.search import NormalStart, ascend, gaussian_start


def _hills(params, progress):
    """Two maxima: 1 at x = 2 and 0.5 at x = -2; progress shifts neither."""
    x = params["x"][0]
    return jnp.exp(-((x - 2) ** 2)) + 0.5 * jnp.exp(-((x + 2) ** 2))


def _valley_with_holes(params, progress):
    x = params["x"][0]
    return jnp.where(x > 0, jnp.nan, -((x + 1) ** 2))


@pytest.mark.x64
def test_restarts_find_the_higher_of_two_hills_and_repeat_from_the_key(getkey):
    start, key = gaussian_start({"x": (1,)}), getkey()
    found = ascend(key, _hills, start, restarts=24, steps=100)
    assert found.best == pytest.approx(1, abs=1e-6)
    assert found.best_params["x"][0] == pytest.approx(2, abs=1e-3)
    assert found.all_values.shape == (24,) and found.dropped == 0
    assert np.min(found.all_values) == pytest.approx(0.5, abs=1e-3)  # the lower hill
    again = ascend(key, _hills, start, restarts=24, steps=100)
    assert np.array_equal(again.all_values, found.all_values)
    other = ascend(getkey(), _hills, start, restarts=24, steps=100)
    assert not np.array_equal(other.all_values, found.all_values)


@pytest.mark.x64
def test_the_wrong_sign_does_not_find_the_hill(key):
    start = gaussian_start({"x": (1,)})

    def downhill(params, progress):
        return -_hills(params, progress)

    found = ascend(key, downhill, start, restarts=8, steps=100)
    assert -found.best < 0.2


@pytest.mark.x64
def test_runs_that_are_not_finite_are_dropped_and_counted(key):
    start = gaussian_start({"x": (1,)})
    found = ascend(key, _valley_with_holes, start, restarts=32, steps=60)
    begun_in_hole = int(np.sum(start.draw(key, 32)["x"][:, 0] > 0))
    assert 0 < begun_in_hole <= found.dropped < 32
    assert np.sum(np.isnan(found.all_values)) == found.dropped
    assert found.best == pytest.approx(0, abs=1e-9)
    hopeless = NormalStart({"x": np.asarray([5.0])}, 0.1)
    none = ascend(key, _valley_with_holes, hopeless, restarts=4, steps=10)
    assert none.dropped == 4 and none.best == -np.inf


@pytest.mark.x64
def test_polishing_only_ever_raises_the_best_restarts(key):
    def ridge(params, progress):  # Rosenbrock: Adam alone is far from converged
        x, y = params["x"]
        return -((1 - x) ** 2) - 100 * (y - x**2) ** 2

    start = gaussian_start({"x": (2,)})
    rough = ascend(key, ridge, start, restarts=6, steps=50, polish=0)
    fine = ascend(key, ridge, start, restarts=6, steps=50, polish=2)
    assert rough.best < -1e-3 and fine.best > -1e-9
    raised = fine.all_values > rough.all_values
    assert np.all(fine.all_values >= rough.all_values) and np.sum(raised) == 2


@pytest.mark.x64
def test_annealing_ends_at_one(key):
    def moving(params, progress):
        return -((params["x"][0] - progress) ** 2)

    start = gaussian_start({"x": (1,)})
    found = ascend(key, moving, start, restarts=2, steps=200)
    assert found.best_params["x"][0] == pytest.approx(1, abs=1e-6)


def test_searches_refuse_single_precision_and_bad_sizes(key):
    start = gaussian_start({"x": (1,)})
    with pytest.raises(ValueError, match="`jax_enable_x64` must be on"):
        ascend(key, _hills, start, restarts=1, steps=2)
    with pytest.raises(ValueError, match="`restarts` must be at least 1"):
        ascend(key, _hills, start, restarts=0, steps=2)
    with pytest.raises(ValueError, match="`steps` must be at least 2"):
        ascend(key, _hills, start, restarts=1, steps=1)
    assert jax.dtypes.canonicalize_dtype(np.float64) == np.float32
