"""Pure states as amplitude tensors."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from qjax._checks import check_bits, checked, require
from qjax._linalg import (
    as_complex,
    contract,
    has_unit_norm,
    real_to_complex,
    wires_first,
)
from qjax._memory import require_state_fits
from qjax._types import ArrayLike, Wires
from qjax.states.base import (
    AbstractState,
    mask_wires,
    pauli_sums,
    resolve_wires,
)


class StateVector(AbstractState):
    """A pure state |psi> = sum_x a_x |x>.

    Attributes:
        amplitudes: a, shape (2,) * n, complex64 or complex128. Axis w is wire w.

    Raises:
        ValueError: If the shape is not (2,) * n.

    Example:
        >>> from qjax.states import StateVector
        >>> StateVector.zeros(3).probabilities().shape
        (2, 2, 2)
    """

    amplitudes: Complex[Array, "*n"]

    def __check_init__(self):
        shape = self.amplitudes.shape
        rule = "have shape (2,) * num_wires"
        require(set(shape) == {2}, "amplitudes", rule, f"of shape {shape}")

    @classmethod
    def zeros(cls, num_wires: int, dtype: np.dtype | type | None = None):
        """Return |0...0>, by default in JAX's complex dtype at the time of the call.

        Raises:
            ValueError: If it does not fit into memory.
        """
        return cls.basis((0,) * num_wires, dtype)

    @classmethod
    def basis(cls, bits: Sequence[int], dtype: np.dtype | type | None = None):
        """Return the basis state |bits>."""
        check_bits(bits)
        dtype = complex if dtype is None else dtype
        require_state_fits("StateVector", len(bits), 2 ** len(bits), dtype)
        return cls(one_at(np.asarray(bits, np.int32), dtype))

    @classmethod
    def from_amplitudes(cls, amplitudes: ArrayLike, *, normalize: bool = False):
        """Return sum_x a_x |x> from a vector a of length 2^n.

        Args:
            amplitudes: Shape (2^n,), n >= 1, real or complex, of Euclidean norm 1.
            normalize: Divide by the norm (positive and finite) instead of checking it.

        Raises:
            ValueError: If the length is no power of two, or a concrete norm is not 1
                to sqrt(eps); a traced one is reported at run time.
        """
        if normalize:
            rule, holds = "have a positive norm, and finite", has_direction
        else:
            rule, holds = "have norm 1", has_unit_norm
        vector = as_complex(checked(amplitudes, holds, "amplitudes", rule))
        num_wires = max(vector.size.bit_length() - 1, 1)
        rule = "have shape (2^n,) with n >= 1"
        fits = vector.shape == (2**num_wires,)
        require(fits, "amplitudes", rule, f"of shape {vector.shape}")
        if normalize:
            vector = unit_rows(vector)
        return cls(vector.reshape((2,) * num_wires))

    @property
    def num_wires(self) -> int:
        return self.amplitudes.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.amplitudes.dtype

    def vector(self) -> Complex[Array, " d"]:
        """Return the amplitudes as a vector, shape (2^n,)."""
        return self.amplitudes.reshape(-1)

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "StateVector":
        tensor = contract(self.amplitudes, matrix, wires, controls, control_values)
        return StateVector(tensor)

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        wires = resolve_wires(wires, self.num_wires)
        weights = self.amplitudes.real**2 + self.amplitudes.imag**2
        grouped = wires_first(weights, wires, self.num_wires)
        return jnp.sum(grouped, axis=1).reshape((2,) * len(wires))

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        wires = resolve_wires(wires, self.num_wires)
        grouped = wires_first(self.amplitudes, wires, self.num_wires)
        return jnp.matmul(
            grouped, grouped.conj().T, precision=jax.lax.Precision.HIGHEST
        )

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        coherences = {}
        for x in set(x_masks):
            flipped = jnp.flip(self.amplitudes, mask_wires(x, self.num_wires))
            coherences[x] = self.amplitudes * flipped.conj()
        return pauli_sums(coherences, x_masks, z_masks)

    def norm(self) -> Float[Array, ""]:
        return jnp.linalg.norm(self.vector())

    def overlap(self, other: AbstractState) -> Complex[Array, ""]:
        if not isinstance(other, StateVector):
            raise TypeError(
                "Argument `other` must be a StateVector, "
                f"but is {type(other).__name__}; use qjax.states.fidelity."
            )
        return jnp.vdot(self.vector(), other.vector())


def has_direction(vector: Any) -> Any:
    """Say whether all entries are finite and one is not 0, in JAX's precision."""
    dtype = jax.dtypes.canonicalize_dtype(vector.dtype)
    if not jnp.issubdtype(dtype, jnp.inexact):
        return (vector != 0).any()
    limits, sizes = jnp.finfo(dtype), abs(vector)
    return (sizes <= float(limits.max)).all() & (sizes.max() >= float(limits.tiny))


def unit_rows(vectors: Complex[Array, "*b d"]) -> Complex[Array, "*b d"]:
    """Divide by the norms along the last axis; no square over- or underflows."""
    largest = jnp.max(jnp.abs(jax.lax.stop_gradient(vectors)), axis=-1, keepdims=True)
    near_one = vectors / real_to_complex(largest)
    norms = jnp.linalg.norm(near_one, axis=-1, keepdims=True)
    return near_one / real_to_complex(norms)


@functools.partial(jax.jit, static_argnums=1)
def one_at(index: Int[Array, " k"] | np.ndarray, dtype: np.dtype | type) -> Array:
    """Return zeros of shape (2,) * k with 1 at an index; jitted, it is one array.

    A comparison, since a scatter of constants would be compiled into the program.
    """
    weights = 2 ** np.arange(index.shape[0], dtype=np.int32)[::-1]
    place = jnp.sum(jnp.asarray(index, np.int32) * weights, dtype=np.int32)
    ones = jax.lax.iota(np.int32, 2 ** index.shape[0]) == place
    return ones.astype(dtype).reshape((2,) * index.shape[0])
