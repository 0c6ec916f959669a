"""What the sides that compile with JAX share: programs and the loss over a batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.bench.sides.base import Arrays, Prepared
from scripts.bench.workloads import Case

# The backend's own start-up belongs to no first call.
jax.block_until_ready(jnp.zeros(1) + 1)


def dtypes(precision: str) -> tuple[Any, Any]:
    """Real and complex dtype; double needs JAX_ENABLE_X64, which the worker sets."""
    if precision == "double":
        return jnp.float64, jnp.complex128
    return jnp.float32, jnp.complex64


def compiled(
    function: Callable,
    arguments: tuple,
    result: Callable[[Any], Arrays],
    note: str,
    scale: float = 1.0,
) -> Prepared:
    """Compile `function` for these arguments, which stay inputs of the program."""
    arguments = jax.tree.map(jnp.asarray, arguments)
    program = jax.jit(function).lower(*arguments).compile()
    analysis = program.memory_analysis()
    temporaries = getattr(analysis, "temp_size_in_bytes", None)
    real = jnp.asarray(0.0).dtype
    return Prepared(
        lambda: jax.block_until_ready(program(*arguments)),
        result,
        "complex128" if real == jnp.float64 else "complex64",
        note,
        scale,
        temporaries,
        program,
    )


def gradient_arrays(out: Any) -> Arrays:
    value, gradient = out
    return {"value": np.asarray(value), "gradient": np.asarray(gradient).ravel()}


def state_arrays(out: Any) -> Arrays:
    return {"state": np.asarray(out).ravel()}


def batch_case(case: Case, precision: str, model: Callable, note: str) -> Prepared:
    """W3 from model(angles, input) -> <Z_i>, mapped over the batch by vmap.

    `angles` has shape (depth, n, 2), `input` (2^n,).
    """

    def values(angles, inputs, offsets):
        def one(vector, offset):
            if case.reupload:
                return model(angles.at[:, :, 0].add(offset), vector)
            return model(angles, vector)

        return jax.vmap(one)(inputs, offsets)

    return batch_program(case, precision, values, note)


def batch_program(
    case: Case,
    precision: str,
    values: Callable,
    note: str,
    arrange: Callable = jnp.asarray,
) -> Prepared:
    """W3 from values(angles, inputs, offsets) -> all <Z_i>, shape (batch, n).

    `angles` has shape (depth, n, 2), `inputs` is what `arrange` makes of shape
    (batch, 2^n) outside the clock, `offsets` (batch, n) are for re-uploading.
    """
    real, complex_dtype = dtypes(precision)
    weights, targets = (jnp.asarray(x, real) for x in (case.weights(), case.targets()))

    def loss(angles, inputs, offsets):
        predicted = values(angles, inputs, offsets) @ weights
        return jnp.mean((predicted - targets) ** 2)

    arguments = (
        jnp.asarray(case.angles(), real),
        arrange(jnp.asarray(case.inputs(), complex_dtype)),
        jnp.asarray(case.offsets(), real),
    )
    if case.task == "batch_values":
        return compiled(
            values, arguments, lambda out: {"values": np.asarray(out)}, note
        )
    return compiled(jax.value_and_grad(loss), arguments, gradient_arrays, note)
