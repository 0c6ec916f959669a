"""Products of a window's matrix with many small pieces of the state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.plan import Layout
from qjax.plan.arrays import apply_window
from qjax.plan.sweeps import Window

NUM_WIRES = 15
SMALL = [(2, 2), (2, 3), (3, 3), (3, 4), (2, 4)]
"""Wires of a window and wires to its right."""


def problem(width: int, right: int, mux: bool):
    """Return a window's product by one matrix, or by one for each value of a wire."""
    start = NUM_WIRES - right - width
    window = Window(start, start + width, (start - 2,) if mux else (), ())
    rows = 2 ** (width + 1)
    rng = np.random.default_rng(10 * width + right)
    matrix = rng.normal(size=(1 + mux, rows, rows)).astype(np.float32)
    numbers = rng.normal(size=2 ** (NUM_WIRES + 1)).astype(np.float32)
    order, layout = tuple(range(NUM_WIRES)), Layout(NUM_WIRES)

    def product(matrix, numbers):
        return apply_window(window, order, layout, matrix, numbers)

    return product, jnp.asarray(matrix), jnp.asarray(numbers)


def expected(matrix, numbers, right: int) -> np.ndarray:
    """Multiply in NumPy; the wire that chooses is the last but one on the left."""
    matrix = np.asarray(matrix, np.float64)
    view = np.asarray(numbers, np.float64).reshape(
        -1, len(matrix), 2, matrix.shape[1], 2**right
    )
    return np.einsum("zij,bzdjc->bzdic", matrix, view).reshape(-1)


@pytest.mark.parametrize("mux", [False, True])
@pytest.mark.parametrize(("width", "right"), SMALL)
def test_values_and_derivatives_of_small_products(width, right, mux):
    product, matrix, numbers = problem(width, right, mux)
    want = expected(matrix, numbers, right)
    np.testing.assert_allclose(jax.jit(product)(matrix, numbers), want, atol=1e-4)
    # The product is linear in either argument, so derivatives are products again.
    other = problem(width, right, mux)[2][::-1]
    changed, moved = jax.jvp(product, (matrix, numbers), (matrix, other))[1], other
    np.testing.assert_allclose(
        changed, want + expected(matrix, moved, right), atol=1e-4
    )
    _, pull = jax.vjp(product, matrix, numbers)
    by_matrix, by_numbers = pull(other)
    turned = np.swapaxes(np.asarray(matrix), 1, 2)
    np.testing.assert_allclose(by_numbers, expected(turned, other, right), atol=1e-4)
    total = np.vdot(np.asarray(other, np.float64), want)
    assert float(jnp.vdot(by_matrix, matrix)) == pytest.approx(total, abs=1e-2)


@pytest.mark.parametrize(
    ("width", "right", "dtype", "dots"),
    [
        (2, 4, "float32", 0),
        (3, 3, "float32", 0),
        (2, 6, "float32", 1),
        (2, 4, "bfloat16", 1),
    ],
)
def test_products_are_written_out_where_that_was_measured(width, right, dtype, dots):
    product, matrix, numbers = problem(width, right, True)
    args = matrix.astype(dtype), numbers.astype(dtype)
    assert str(jax.make_jaxpr(product)(*args)).count("dot_general") == dots
