"""A batch of states, each with a circuit of its own: entry by entry, batch last."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation, AbstractUnitary, walk
from qjax.plan import level_matrices, turn_levels
from qjax.simulate.run import run
from qjax.states.batch import StateBatch

Rows = Complex[Array, "d batch"]

_TERMS = 16
"""Terms of a sum over rows that are written out."""


def run_each(circuits: Circuit, batch: StateBatch) -> StateBatch:
    """Apply to every state of a batch the circuit with its own numbers.

    |psi_b> -> U(t_b) |psi_b>. The same as `jax.vmap` of `run` over circuits and states,
    but with the batch as the last axis all arithmetic runs along it: the way to go for
    few wires and many samples with angles of their own (data re-uploading).

    Args:
        circuits: One circuit whose leaves have a leading batch axis, as `jax.vmap` of a
            builder returns it; unitary.
        batch: As many states of n wires.

    Returns:
        Batch of the same shape and dtype.

    Raises:
        ValueError: If the widths or the lengths of the batches differ.
        TypeError: If an operation is not unitary, or in forward-mode differentiation.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qjax.circuits import Circuit, ry
        >>> from qjax.simulate import run_each
        >>> from qjax.states import StateBatch
        >>> angles = jnp.asarray([0.0, 3.0])
        >>> circuits = jax.vmap(lambda t: Circuit([ry(t, 0)], 1))(angles)
        >>> run_each(circuits, StateBatch.zeros(1, 2)).probabilities().shape
        (2, 2)
    """
    fits = circuits.num_wires == batch.num_wires
    require(fits, "batch", f"have {circuits.num_wires} wires", batch.num_wires)
    for leaf in jax.tree.leaves(circuits):
        rule = f"have leaves with a leading axis of length {batch.batch}"
        shape = np.shape(leaf)
        require(shape[:1] == (batch.batch,), "circuits", rule, f"one of shape {shape}")
    for operation in walk(circuits.operations):
        if not isinstance(operation, AbstractUnitary):
            raise TypeError(
                "Argument `circuits` must be unitary for `run_each`, "
                f"but has {operation.name}; use `jax.vmap` of `trajectory`."
            )
    if not _takes_levels(circuits.operations, circuits.num_wires):
        each = jax.vmap(lambda circuit, state: run(circuit, state, method="gates"))
        return StateBatch.stack(each(circuits, batch.unstack()))
    rows = _run(circuits, batch.amplitudes.reshape(-1, batch.batch))
    return StateBatch(rows.reshape(batch.amplitudes.shape))


def _takes_levels(operations: Sequence[AbstractOperation], num_wires: int) -> bool:
    return num_wires > 1 and all(
        _takes_levels(operation.operations, num_wires)
        if isinstance(operation, Repeat)
        else len(operation.wires) <= 2
        for operation in operations
    )


def _run(circuits: Circuit, rows: Rows) -> Rows:
    """Run stretches without Repeat by levels, and a Repeat as a scan."""
    stretch: list[AbstractOperation] = []
    for operation in (*circuits.operations, None):
        if operation is not None and not isinstance(operation, Repeat):
            stretch.append(operation)
            continue
        if stretch:
            rows = _run_levels(stretch, circuits.num_wires, rows)
            stretch = []
        if isinstance(operation, Repeat):
            # Scan over the depth axis, which comes after the batch axis.
            body = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), operation.body)
            rows, _ = jax.lax.scan(
                lambda carry, layer: (_run(layer, carry), None),
                rows,
                body,
                length=operation.depth,
            )
    return rows


def _run_levels(
    operations: Sequence[AbstractOperation], num_wires: int, rows: Rows
) -> Rows:
    """Apply level after level: one wire each if possible, else two.

    Amplitudes are pairs of real rows, the parts leading: real arithmetic is what loops
    along the batch do well.
    """
    plan: list[tuple[np.ndarray, np.ndarray]] = []

    def build(own: Sequence[AbstractOperation]) -> Array:
        found = turn_levels(own, num_wires, rows.dtype)
        found = found or level_matrices(own, num_wires, rows.dtype)
        matrices, orders, back = found
        plan.append((orders, back))
        parts = jnp.stack([matrices.real, -matrices.imag, matrices.imag, matrices.real])
        size = 2 * matrices.shape[-1]
        parts = parts.reshape(2, 2, *matrices.shape).transpose(2, 0, 3, 1, 4)
        return parts.reshape(-1, size, size)

    matrices = jax.vmap(build, out_axes=-1)(list(operations))
    orders, back = plan[0]
    steps = (jnp.asarray(orders), jnp.asarray(np.argsort(orders)), matrices)

    # A loop, not a chain of operations: fused with its neighbours, a level would be
    # computed again for every entry that depends on it.
    def level(now: Array, step: tuple[Array, Array, Array]) -> tuple[Array, None]:
        order, inverse, matrix = step
        grouped = _reordered(order, inverse, now).reshape(len(matrix), -1, now.shape[2])
        return _multiplied(matrix, grouped).reshape(now.shape), None

    now, _ = jax.lax.scan(level, jnp.stack([rows.real, rows.imag]), steps)
    real, imag = _reordered(jnp.asarray(back), jnp.asarray(np.argsort(back)), now)
    return jax.lax.complex(real, imag)


# Both rules below are what JAX would find, in forms that compile to fast loops: it
# makes a scatter of a gather, and a reduction of each term of a product.


@jax.custom_vjp
def _reordered(order: Array, inverse: Array, now: Array) -> Array:
    """Reorder the rows of both parts."""
    return now[:, order]


_reordered.defvjp(
    lambda order, inverse, now: (now[:, order], (order, inverse)),
    lambda orders, pulled: (None, None, _reordered(*orders[::-1], pulled)),
)


@jax.custom_vjp
def _multiplied(matrix: Array, grouped: Array) -> Array:
    """Multiply (k, k, batch) by (k, rows, batch)."""
    terms = [matrix[:, j, None] * grouped[None, j] for j in range(len(matrix))]
    return sum(terms[1:], terms[0])


def _multiplied_backward(
    saved: tuple[Array, Array], pulled: Array
) -> tuple[Array, Array]:
    matrix, grouped = saved
    return _outer(pulled, grouped), _multiplied(jnp.swapaxes(matrix, 0, 1), pulled)


_multiplied.defvjp(
    lambda matrix, grouped: (_multiplied(matrix, grouped), (matrix, grouped)),
    _multiplied_backward,
)


def _outer(left: Array, right: Array) -> Array:
    """Return sum_r left[i, r] right[j, r]: terms written out, in a loop over pieces."""
    size, rows, batch = left.shape
    piece = min(rows, _TERMS)

    def add(total: Array, both: tuple[Array, Array]) -> tuple[Array, None]:
        first, second = both
        terms = [first[:, None, r] * second[None, :, r] for r in range(piece)]
        return total + sum(terms[1:], terms[0]), None

    def pieces(whole: Array) -> Array:
        return jnp.swapaxes(whole.reshape(size, -1, piece, batch), 0, 1)

    start = jnp.zeros((size, size, batch), left.dtype)
    return jax.lax.scan(add, start, (pieces(left), pieces(right)))[0]
