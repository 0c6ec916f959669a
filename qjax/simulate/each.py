"""A batch of states, each with a circuit of its own: entry by entry, batch last."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._checks import require
from qjax.circuits.circuit import Circuit, Repeat
from qjax.circuits.operation import AbstractOperation, AbstractUnitary, walk
from qjax.plan import level_matrices
from qjax.simulate.run import run
from qjax.states.batch import StateBatch

Rows = Complex[Array, "d batch"]


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
        TypeError: If an operation is not unitary.

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
    plan: list[tuple[np.ndarray, np.ndarray]] = []

    def build(own: Sequence[AbstractOperation]) -> Array:
        pairs, orders, back = level_matrices(own, num_wires, rows.dtype)
        plan.append((orders, back))
        return pairs

    pairs = jax.vmap(build, out_axes=-1)(list(operations))
    orders, back = plan[0]

    # A loop, not a chain of operations: fused with its neighbours, a level would be
    # computed again for every entry that depends on it.
    def level(now: Rows, step: tuple[Array, Array]) -> tuple[Rows, None]:
        order, pair = step
        grouped = now[order].reshape(4, -1, now.shape[-1])
        terms = [pair[:, j, None, :] * grouped[None, j] for j in range(4)]
        return sum(terms[1:], terms[0]).reshape(now.shape), None

    rows, _ = jax.lax.scan(level, rows, (jnp.asarray(orders), pairs))
    return rows[back]
