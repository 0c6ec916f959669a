"""Mixed states as density tensors."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import checked, require
from qjax._linalg import (
    as_complex,
    contract,
    has_unit_trace,
    is_hermitian,
    superoperator,
)
from qjax._memory import itemsize, require_state_fits
from qjax._types import ArrayLike, Wires
from qjax.states.base import (
    AbstractMixedState,
    AbstractState,
    mask_wires,
    pauli_sums,
    resolve_wires,
)
from qjax.states.vector import StateVector, one_at


class DensityMatrix(AbstractMixedState):
    """A mixed state rho.

    Attributes:
        tensor: rho, shape (2,) * 2n: axes 0..n-1 are the ket wires, n..2n-1 the bra
            wires. complex64 or complex128.

    Raises:
        ValueError: If the shape is not (2,) * 2n.

    Example:
        >>> from qjax.states import DensityMatrix
        >>> DensityMatrix.zeros(2).matrix().shape
        (4, 4)
    """

    tensor: Complex[Array, "*n"]

    def __check_init__(self):
        shape = self.tensor.shape
        fits = set(shape) == {2} and len(shape) % 2 == 0
        require(fits, "tensor", "have shape (2,) * 2 num_wires", f"of shape {shape}")

    @classmethod
    def zeros(cls, num_wires: int, dtype: np.dtype | type | None = None):
        """Return |0...0><0...0|, by default in JAX's complex dtype now.

        Raises:
            ValueError: If it does not fit into memory.
        """
        require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
        dtype = complex if dtype is None else dtype
        _require_fits(num_wires, dtype)
        return cls(one_at(np.zeros(2 * num_wires, np.int32), dtype))

    @classmethod
    def from_state(cls, state: StateVector):
        """Return |psi><psi|.

        Raises:
            ValueError: If it does not fit into memory.
        """
        _require_fits(state.num_wires, state.dtype)
        return cls(jnp.multiply.outer(state.amplitudes, state.amplitudes.conj()))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike):
        """Return the state of a matrix rho, checked to be Hermitian with trace 1.

        Args:
            matrix: Shape (2^n, 2^n), n >= 1. Positivity is not checked: it would cost
                an eigendecomposition.

        Raises:
            ValueError: If the shape is off, or a concrete matrix is not Hermitian to
                rounding with trace 1 to sqrt(eps); a traced one is reported at run
                time.
        """
        shape = np.shape(matrix)
        num_wires = max(shape[0].bit_length() - 1, 1) if shape else 1
        rule = "have shape (2^n, 2^n) with n >= 1"
        require(shape == (2**num_wires,) * 2, "matrix", rule, f"of shape {shape}")
        matrix = checked(matrix, is_hermitian, "matrix", "be Hermitian")
        matrix = checked(matrix, has_unit_trace, "matrix", "have trace 1")
        rho = as_complex(matrix)
        return cls(rho.reshape((2,) * (2 * num_wires)))

    @classmethod
    def maximally_mixed(cls, num_wires: int, dtype: np.dtype | type | None = None):
        """Return I / 2^n."""
        require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
        dtype = complex if dtype is None else dtype
        _require_fits(num_wires, dtype)
        size = 2**num_wires
        eye = jnp.eye(size, dtype=dtype) / size
        return cls(eye.reshape((2,) * (2 * num_wires)))

    @property
    def num_wires(self) -> int:
        return self.tensor.ndim // 2

    @property
    def dtype(self) -> np.dtype:
        return self.tensor.dtype

    def matrix(self) -> Complex[Array, "d d"]:
        size = 2**self.num_wires
        return self.tensor.reshape(size, size)

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "DensityMatrix":
        matrix = jnp.asarray(matrix)
        ket = contract(self.tensor, matrix, wires, controls, control_values)
        bra_wires, bra_controls = self._bra(wires), self._bra(controls)
        both = contract(ket, matrix.conj(), bra_wires, bra_controls, control_values)
        return DensityMatrix(both)

    def apply_kraus(self, kraus: Array | np.ndarray, wires: Wires) -> "DensityMatrix":
        operators = jnp.asarray(kraus).astype(self.dtype)
        doubled = tuple(wires) + self._bra(wires)
        return DensityMatrix(contract(self.tensor, superoperator(operators), doubled))

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        wires = resolve_wires(wires, self.num_wires)
        diagonal = self._coherence(0).real
        others = tuple(w for w in range(self.num_wires) if w not in wires)
        kept = sorted(wires)
        marginal = jnp.sum(diagonal, axis=others)
        return marginal.transpose([kept.index(wire) for wire in wires])

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        wires = resolve_wires(wires, self.num_wires)
        others = tuple(w for w in range(self.num_wires) if w not in wires)
        order = wires + others
        size, rest = 2 ** len(wires), 2 ** len(others)
        tensor = self.tensor.transpose(order + self._bra(order))
        return jnp.einsum("arbr->ab", tensor.reshape(size, rest, size, rest))

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        coherences = {x: self._coherence(x) for x in set(x_masks)}
        return pauli_sums(coherences, x_masks, z_masks)

    def norm(self) -> Float[Array, ""]:
        return jnp.trace(self.matrix()).real

    def overlap(self, other: AbstractState) -> Float[Array, ""]:
        if not isinstance(other, DensityMatrix):
            raise TypeError(
                "Argument `other` must be a DensityMatrix, "
                f"but is {type(other).__name__}; use qjax.states.fidelity."
            )
        # Tr(A B) = sum_ij A_ij B_ji = sum_ij A_ij conj(B_ij) for Hermitian B.
        return jnp.sum(self.matrix() * other.matrix().conj()).real

    def _bra(self, wires: Sequence[int]) -> Wires:
        return tuple(wire + self.num_wires for wire in wires)

    def _coherence(self, x_mask: int) -> Complex[Array, "*n"]:
        """Return <j|rho|j xor x> over basis indices j, shape (2,) * n."""
        flips = self._bra(mask_wires(x_mask, self.num_wires))
        size = 2**self.num_wires
        matrix = jnp.flip(self.tensor, flips).reshape(size, size)
        return jnp.diagonal(matrix).reshape((2,) * self.num_wires)


def mixed_alternatives(num_wires: int, dtype: np.dtype | type) -> list[tuple[int, str]]:
    """What to use where a mixed state does not fit: bytes, and advice."""
    trajectories = "use trajectories of a StateVector (`average_trajectories`)"
    return [(2**num_wires * itemsize(dtype), trajectories)]


def _require_fits(num_wires: int, dtype: np.dtype | type) -> None:
    half = 4**num_wires * itemsize(dtype) // 2
    others = mixed_alternatives(num_wires, dtype)
    options = [(half, "a PauliDensity takes half of it"), *others]
    require_state_fits("DensityMatrix", num_wires, 4**num_wires, dtype, options)


def as_density(state: AbstractState) -> DensityMatrix:
    """Return the state as a density matrix; a pure one becomes |psi><psi|."""
    if isinstance(state, DensityMatrix):
        return state
    if isinstance(state, StateVector):
        return DensityMatrix.from_state(state)
    if isinstance(state, AbstractMixedState):
        return DensityMatrix(state.matrix().reshape((2,) * (2 * state.num_wires)))
    raise TypeError(
        "Argument `state` must be a StateVector or a mixed state, "
        f"but is {type(state).__name__}."
    )
