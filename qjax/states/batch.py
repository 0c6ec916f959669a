"""Many pure states at once, the batch as the last axis."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import checked, require
from qjax._linalg import as_complex, has_unit_norm
from qjax._memory import itemsize, require_fits
from qjax._types import ArrayLike
from qjax.states.base import resolve_wires
from qjax.states.vector import StateVector, has_direction, unit_rows


class StateBatch(eqx.Module):
    """A batch of pure states of one width that one circuit acts on.

    With the batch as the last axis, a gate is one matrix product with all states as
    columns. `run` and `expectation` take it; for all else, `unstack` and `jax.vmap`
    work as ever. Where every state has angles of its own, `jax.vmap` over
    `StateVector`s is the way.

    Attributes:
        amplitudes: Shape (2,) * n + (batch,), complex64 or complex128.

    Raises:
        ValueError: If the shape is not that of a batch of states.

    Example:
        >>> import jax.numpy as jnp
        >>> from qjax.states import StateBatch
        >>> batch = StateBatch.from_amplitudes(jnp.eye(4)[:3])
        >>> batch.num_wires, batch.batch, batch.probabilities().shape
        (2, 3, (3, 2, 2))
    """

    amplitudes: Complex[Array, "*n batch"]

    def __check_init__(self):
        shape = self.amplitudes.shape
        fits = set(shape[:-1]) == {2} and shape[-1] >= 1
        rule = "have shape (2,) * n + (batch,) with n and batch at least 1"
        require(fits, "amplitudes", rule, f"of shape {shape}")

    @classmethod
    def from_amplitudes(cls, amplitudes: ArrayLike, *, normalize: bool = False):
        """Return the states whose amplitudes are the rows of a matrix.

        Args:
            amplitudes: Shape (batch, 2^n), each row of norm 1.
            normalize: Divide by the norms, positive and finite, instead.

        Raises:
            ValueError: As `StateVector.from_amplitudes`, for any row; or if the batch
                does not fit into memory.
        """
        shape = np.shape(amplitudes)
        rule = "have shape (batch, 2^n) with n and batch at least 1"
        fits = len(shape) == 2 and shape[0] >= 1 and shape[1] >= 2
        fits = fits and shape[1] & (shape[1] - 1) == 0
        require(fits, "amplitudes", rule, f"of shape {shape}")
        num_wires = shape[1].bit_length() - 1
        dtype = jax.eval_shape(lambda: as_complex(amplitudes)).dtype
        _require_fits(num_wires, shape[0], dtype)
        if normalize:
            rule, holds = "have rows of positive norm, and finite", has_direction
        else:
            rule, holds = "have rows of norm 1", has_unit_norm
        rows = as_complex(checked(amplitudes, _each_row(holds), "amplitudes", rule))
        if normalize:
            rows = unit_rows(rows)
        return cls(rows.T.reshape((2,) * num_wires + shape[:1]))

    @classmethod
    def stack(cls, states: StateVector):
        """Return the batch of states with a leading batch axis, as `vmap` gives."""
        return cls(jnp.moveaxis(states.amplitudes, 0, -1))

    @classmethod
    def zeros(cls, num_wires: int, batch: int, dtype: np.dtype | type | None = None):
        """Return `batch` copies of |0...0>.

        Raises:
            ValueError: If they do not fit into memory.
        """
        _require_fits(num_wires, batch, complex if dtype is None else dtype)
        zero = StateVector.zeros(num_wires, dtype).amplitudes
        return cls(jnp.broadcast_to(zero[..., None], (*zero.shape, batch)))

    @property
    def num_wires(self) -> int:
        return self.amplitudes.ndim - 1

    @property
    def batch(self) -> int:
        """Number of states."""
        return self.amplitudes.shape[-1]

    @property
    def dtype(self) -> np.dtype:
        return self.amplitudes.dtype

    def unstack(self) -> StateVector:
        """Return the states with a leading batch axis, for `jax.vmap`."""
        one = jax.eval_shape(lambda: StateVector.zeros(self.num_wires, self.dtype))
        leading = jnp.moveaxis(self.amplitudes, -1, 0)
        return jax.tree.unflatten(jax.tree.structure(one), [leading])

    def probabilities(
        self, wires: Sequence[int] | None = None
    ) -> Float[Array, "batch *k"]:
        """Return p(x) of measuring `wires` (default all), shape (batch,) + (2,) * k."""
        wires = resolve_wires(wires, self.num_wires)
        weights = self.amplitudes.real**2 + self.amplitudes.imag**2
        others = [w for w in range(self.num_wires) if w not in wires]
        kept = [w for w in range(self.num_wires) if w in wires]
        summed = jnp.sum(weights, axis=tuple(others))
        order = [kept.index(wire) for wire in wires]
        return summed.transpose(len(wires), *order)


def _require_fits(num_wires: int, batch: int, dtype: np.dtype | type) -> None:
    one = 2**num_wires * itemsize(dtype)
    chunks = "do it in chunks, as by `jax.lax.map(..., batch_size=...)`"
    what = f"StateBatch of {batch} states of {num_wires} wires"
    require_fits(batch * one, what, [(one, chunks), (0, "use fewer wires")])


def _each_row(holds: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Turn a test of a vector into one of every row of a matrix."""

    def test(matrix: Any) -> Any:
        if isinstance(matrix, np.ndarray):
            return np.asarray([holds(row) for row in matrix])
        return jax.vmap(holds)(matrix)

    return test
