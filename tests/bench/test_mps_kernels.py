"""Ways to cut bonds: all see the same state, and say what they lose."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from scripts.bench import mps_kernels, workloads
from scripts.bench.sides import numpy_side


@pytest.fixture(scope="module")
def state() -> np.ndarray:
    return mps_kernels.matrices(2, num_wires=6)


def test_the_matrices_hold_the_weights_of_the_state(state: np.ndarray):
    # Before anything is cut: bonds of 8 hold any state of 6 wires.
    whole = mps_kernels.matrices(8, num_wires=6)
    layers = range(13)
    ops = [op for layer in layers for op in workloads.alternating_ops(6, layer)]
    case = dataclasses.replace(workloads.CASES["W6"], num_wires=6)
    psi = numpy_side.evolve(ops, case.angles().ravel(), numpy_side.zeros(6))
    for pair, matrix in enumerate(whole):
        exact = np.linalg.svd(psi.reshape(2 ** (2 * pair + 1), -1), compute_uv=False)
        found = np.linalg.svd(matrix, compute_uv=False)[: len(exact)]
        np.testing.assert_allclose(found, exact[: len(found)], atol=1e-5)
    assert state.shape == (3, 4, 4)


def test_every_way_loses_at_least_what_must_be_lost(state: np.ndarray):
    best = mps_kernels.least(state, 2)
    assert 1e-4 < best < 0.5
    for name, cut in mps_kernels.METHODS.items():
        basis = np.asarray(cut(jnp.asarray(state, "complex64"), 2))
        found = mps_kernels.lost(state, basis)
        assert found > best - 1e-6, name
        if "range" not in name:
            assert found < best + 1e-6, name
    # The lightest vectors instead of the heaviest are found out.
    rows = np.linalg.svd(state)[2]
    wrong = rows[:, 2:].conj().swapaxes(1, 2)
    assert mps_kernels.lost(state, wrong) > best + 0.1
