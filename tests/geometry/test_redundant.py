"""Redundant parameters are named, and nothing else is."""

import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Circuit, cx, ry, rz
from qjax.geometry import metric_tensor, parameter_names, redundant_parameters
from qjax.simulate import run
from qjax.states import StateVector


def state(params) -> StateVector:
    # rz does nothing to |0>, and of two turns about one axis only the sum counts.
    turns = [rz(params["a"][0], 0), ry(params["a"][1], 0), ry(params["b"], 0)]
    rest = [cx(0, 1), ry(params["c"][0, 1], 1), rz(params["c"][0, 0], 1)]
    return run(Circuit([*turns, *rest], 2), StateVector.zeros(2))


PARAMS = {"a": jnp.asarray([0.2, 0.5]), "b": jnp.asarray(0.4)}
PARAMS = PARAMS | {"c": jnp.asarray([[0.3, 0.9]])}


def test_names_follow_the_order_of_the_ravel():
    assert parameter_names(PARAMS) == ["a[0]", "a[1]", "b", "c[0, 0]", "c[0, 1]"]
    assert parameter_names(jnp.zeros(2)) == ["params[0]", "params[1]"]


def test_what_changes_nothing_new_is_named_and_nothing_else():
    metric = metric_tensor(state, PARAMS)
    assert redundant_parameters(metric, PARAMS) == ("a[0]", "b")
    kept = np.asarray([1, 3, 4])
    assert np.linalg.matrix_rank(np.asarray(metric)[kept][:, kept], tol=1e-4) == 3
    assert redundant_parameters(np.eye(5), PARAMS) == ()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`metric` must have shape \(5, 5\)"):
        redundant_parameters(np.eye(2), PARAMS)
    with pytest.raises(ValueError, match="`tolerance` must lie in"):
        redundant_parameters(np.eye(5), PARAMS, tolerance=0.0)
