"""Cheaper metrics: parts of the dense one, and what they solve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import hardware_efficient
from qjax.geometry import (
    AbstractMetric,
    BlockMetric,
    DenseMetric,
    DiagonalMetric,
    LowRankMetric,
    block_metric,
    diagonal_metric,
    low_rank_metric,
    metric_tensor,
)
from qjax.simulate import run
from qjax.states import StateVector
from tests.compiling import quick_jit

DEPTH, WIRES = 4, 3


def state(params) -> StateVector:
    final = run(hardware_efficient(params["angles"]), StateVector.zeros(WIRES))
    return run(hardware_efficient(params["last"][None]), final)


def draw(key) -> dict[str, jax.Array]:
    first, second = jax.random.split(key)
    return {
        "angles": jax.random.normal(first, (DEPTH, WIRES, 2)),
        "last": jax.random.normal(second, (WIRES, 1)) * jnp.ones((1, 2)),
    }


def blocked(dense: np.ndarray, sizes: list[int]) -> np.ndarray:
    found, start = np.zeros_like(dense), 0
    for size in sizes:
        own = slice(start, start + size)
        found[own, own] = dense[own, own]
        start += size
    return found


@pytest.mark.x64
def test_blocks_and_diagonal_are_those_of_the_dense_metric(key):
    params = draw(key)
    dense = np.asarray(quick_jit(lambda p: metric_tensor(state, p))(params))
    layers = quick_jit(lambda p: block_metric(state, p))(params)
    assert [stack.shape for stack in layers.blocks] == [(4, 6, 6), (3, 2, 2)]
    np.testing.assert_allclose(
        layers.dense(), blocked(dense, [6] * 4 + [2] * 3), atol=1e-12
    )
    whole = quick_jit(lambda p: block_metric(state, p, split=False))(params)
    np.testing.assert_allclose(whole.dense(), blocked(dense, [24, 6]), atol=1e-12)
    for size in (None, 7):
        diagonal = quick_jit(lambda p, s=size: diagonal_metric(state, p, batch_size=s))(
            params
        )
        np.testing.assert_allclose(diagonal.diagonal, np.diag(dense), atol=1e-12)


@pytest.mark.x64
def test_low_rank_is_below_the_metric_and_exact_at_its_rank(getkey):
    params = draw(getkey())
    dense = np.asarray(metric_tensor(state, params))
    rank = int(np.sum(np.linalg.eigvalsh(dense) > 1e-10))
    assert rank == 2 ** (WIRES + 1) - 2 < dense.shape[0]
    build = jax.jit(lambda k, r: low_rank_metric(k, state, params, r), static_argnums=1)
    full = build(getkey(), rank)
    np.testing.assert_allclose(full.dense(), dense, atol=1e-9)
    part = np.asarray(build(getkey(), 5).dense())
    assert np.linalg.matrix_rank(part, tol=1e-9) == 5
    assert np.linalg.eigvalsh(dense - part).min() > -1e-10
    # A sketch of too few products is no metric at all of what it has not seen.
    assert np.abs(part - dense).max() > 1e-3


def _metrics() -> dict[str, AbstractMetric]:
    rng = np.random.default_rng(3)

    def positive(*shape: int) -> jax.Array:
        root = rng.normal(size=(*shape, shape[-1]))
        return jnp.asarray(root @ np.swapaxes(root, -1, -2))

    return {
        "dense": DenseMetric(positive(6)),
        "blocks": BlockMetric((positive(2, 2), positive(1, 1), positive(1, 1))),
        "diagonal": DiagonalMetric(jnp.asarray(rng.uniform(1, 2, 6))),
        "low rank": LowRankMetric(jnp.asarray(rng.normal(size=(6, 2)))),
    }


@pytest.mark.x64
@pytest.mark.parametrize("name", ["dense", "blocks", "diagonal", "low rank"])
def test_every_metric_multiplies_solves_and_applies_as_its_matrix(name, key):
    metric = _metrics()[name]
    matrix = np.asarray(metric.dense())
    assert metric.size == 6 and metric.dtype == jnp.float64
    vector = jax.random.normal(key, (6,))
    np.testing.assert_allclose(metric.product(vector), matrix @ vector, atol=1e-10)
    expected = np.linalg.solve(matrix + 0.3 * np.eye(6), vector)
    found = metric.solve(vector, jnp.asarray(0.3))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    values, vectors = np.linalg.eigh(matrix)
    np.testing.assert_allclose(metric.largest(), values[-1], rtol=1e-10)
    curved = vectors @ (np.exp(-values) * (vectors.T @ np.asarray(vector)))
    found = metric.apply(lambda e: jnp.exp(-e), vector)
    np.testing.assert_allclose(found, curved, atol=1e-10)


def test_bad_input_is_named(key):
    params = draw(key)
    with pytest.raises(ValueError, match=r"`rank` must lie in \[1, 30\], but is 31"):
        low_rank_metric(key, state, params, 31)
