"""Mixed states in the Pauli basis: 4^n real numbers, and real matrices act on them."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import check_bits, require
from qjax._linalg import contract, pauli_transfer
from qjax._memory import require_state_fits
from qjax._types import ArrayLike, Wires
from qjax.states.base import AbstractMixedState, AbstractState, resolve_wires
from qjax.states.density import DensityMatrix, mixed_alternatives
from qjax.states.vector import StateVector

_MAX_TRANSFER_WIRES = 4
"""Beyond it, two matrices of 2^k on rho are cheaper than building one of 4^k."""

_LETTERS = np.asarray([[0, 3], [1, 2]])
"""Position in I, X, Y, Z of a letter with bits (x, z)."""


_SUMS = np.asarray([[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, -1, 0], [1, 0, 0, -1]])
"""I, X, Y / i, Z (rows) on the entries 00, 01, 10, 11; twice its own inverse."""


class PauliDensity(AbstractMixedState):
    """A mixed state rho = 2^-n sum_P r_P P, by its Pauli expectations r_P = Tr(P rho).

    It is the same state as a `DensityMatrix` in half the memory: gates and channels are
    real matrices, and the expectation of a Pauli word is an entry.

    Attributes:
        coefficients: r, shape (4,) * n, float32 or float64. Axis w is wire w, in the
            order I, X, Y, Z.

    Raises:
        ValueError: If the shape is not (4,) * n or the numbers are not real.

    Source: Nielsen and Chuang, section 8.3.2 (for one qubit, the Bloch vector).

    Example:
        >>> from qjax.states import PauliDensity
        >>> PauliDensity.zeros(1).coefficients.tolist()
        [1.0, 0.0, 0.0, 1.0]
    """

    coefficients: Float[Array, "*n"]

    def __check_init__(self):
        shape, dtype = self.coefficients.shape, self.coefficients.dtype
        rule = "have shape (4,) * num_wires"
        require(set(shape) == {4}, "coefficients", rule, f"of shape {shape}")
        real = jnp.issubdtype(dtype, jnp.floating)
        require(real, "coefficients", "be real", f"of dtype {dtype}")

    @classmethod
    def zeros(cls, num_wires: int, dtype: np.dtype | type | None = None):
        """Return |0...0><0...0|, by default in the precision of JAX's default now.

        Raises:
            ValueError: If it does not fit into memory.
        """
        require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
        return cls.basis((0,) * num_wires, dtype)

    @classmethod
    def basis(cls, bits: Sequence[int], dtype: np.dtype | type | None = None):
        """Return |bits><bits|; a complex `dtype` names its real counterpart."""
        check_bits(bits)
        real = _real_dtype(dtype)
        _require_fits(len(bits), real)
        wires = [jnp.asarray([1, 0, 0, 1 - 2 * int(bit)], real) for bit in bits]
        return cls(functools.reduce(jnp.multiply.outer, wires))

    @classmethod
    def maximally_mixed(cls, num_wires: int, dtype: np.dtype | type | None = None):
        """Return I / 2^n."""
        require(num_wires >= 1, "num_wires", "be at least 1", num_wires)
        real = _real_dtype(dtype)
        _require_fits(num_wires, real)
        blank = jnp.zeros((4,) * num_wires, real)
        return cls(blank.at[(0,) * num_wires].set(1))

    @classmethod
    def from_state(cls, state: StateVector):
        """Return |psi><psi|."""
        return cls.from_density(DensityMatrix.from_state(state))

    @classmethod
    def from_density(cls, state: DensityMatrix):
        """Return the same state in the Pauli basis (its Hermitian part, that is)."""
        # rho is Hermitian, so its real part reaches only words with an even number of
        # Y, its imaginary part the others: their sum keeps both, in real numbers.
        both = state.tensor.real + state.tensor.imag
        # Ket and bra of a wire side by side: two axes of 2 are then one of 4.
        paired = np.arange(2 * state.num_wires).reshape(2, -1).T.reshape(-1)
        tensor = both.transpose(tuple(paired)).reshape((4,) * state.num_wires)
        return cls(_on_every_wire(_SUMS, tensor) * _y_signs(tensor))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike):
        """Return the state of a matrix rho; see `DensityMatrix.from_matrix`."""
        return cls.from_density(DensityMatrix.from_matrix(matrix))

    @property
    def num_wires(self) -> int:
        return self.coefficients.ndim

    @property
    def dtype(self) -> np.dtype:
        return np.result_type(self.coefficients.dtype, np.complex64)

    def density(self) -> DensityMatrix:
        """Return the same state as a density matrix."""
        size = self.num_wires
        return DensityMatrix(_to_matrix(self.coefficients).reshape((2,) * (2 * size)))

    def matrix(self) -> Complex[Array, "d d"]:
        return _to_matrix(self.coefficients)

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "PauliDensity":
        wires, num_controls = tuple(wires), len(controls)
        num_acted = num_controls + len(wires)
        if num_acted > _MAX_TRANSFER_WIRES:
            density = self.density()
            changed = density.apply_matrix(matrix, wires, controls, control_values)
            return PauliDensity.from_density(changed)
        size = 2**num_acted
        # Acting on the identity gives the matrix on controls and targets together.
        full = contract(
            jnp.eye(size, dtype=self.dtype).reshape((2,) * (2 * num_acted)),
            matrix,
            tuple(range(num_controls, num_acted)),
            tuple(range(num_controls)),
            control_values,
        )
        return self.apply_kraus(full.reshape(1, size, size), tuple(controls) + wires)

    def apply_kraus(self, kraus: Array | np.ndarray, wires: Wires) -> "PauliDensity":
        transfer = pauli_transfer(jnp.asarray(kraus).astype(self.dtype))
        tensor = contract(_as_pairs(self.coefficients), transfer, _pairs(wires))
        return PauliDensity(tensor.reshape(self.coefficients.shape))

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        wires = resolve_wires(wires, self.num_wires)
        # Only words of I and Z have a diagonal; I on a wire traces it out.
        tensor = self._marginal(wires, slice(0, 4, 3))
        for axis in range(len(wires)):
            tensor = contract(tensor, np.asarray([[1, 1], [1, -1]]) / 2, (axis,))
        return tensor

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        wires = resolve_wires(wires, self.num_wires)
        return _to_matrix(self._marginal(wires, slice(None)))

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        shifts = range(self.num_wires - 1, -1, -1)
        bits = [[np.asarray([m >> s & 1 for m in masks], int) for s in shifts]
                for masks in (x_masks, z_masks)]  # fmt: skip
        letters = [_LETTERS[x, z] for x, z in zip(*bits, strict=True)]
        return self.coefficients[tuple(letters)]

    def norm(self) -> Float[Array, ""]:
        return self.coefficients[(0,) * self.num_wires]

    def overlap(self, other: AbstractState) -> Float[Array, ""]:
        if not isinstance(other, PauliDensity):
            raise TypeError(
                "Argument `other` must be a PauliDensity, "
                f"but is {type(other).__name__}; use qjax.states.fidelity."
            )
        # Tr(P Q) = 2^n if P = Q, else 0.
        return jnp.sum(self.coefficients * other.coefficients) / 2**self.num_wires

    def _marginal(self, wires: Wires, letters: slice) -> Array:
        """Return the entries with I elsewhere than on `wires`, axes in their order."""
        index = tuple(letters if w in wires else 0 for w in range(self.num_wires))
        kept = sorted(wires)
        return self.coefficients[index].transpose([kept.index(w) for w in wires])


def _require_fits(num_wires: int, dtype: np.dtype) -> None:
    others = mixed_alternatives(num_wires, np.result_type(dtype, np.complex64))
    require_state_fits("PauliDensity", num_wires, 4**num_wires, dtype, others)


def _real_dtype(dtype: np.dtype | type | None) -> np.dtype:
    """Return the real dtype of the same precision; None means JAX's default now."""
    return jnp.finfo(jnp.zeros((), float if dtype is None else dtype).dtype).dtype


def _pairs(wires: Sequence[int]) -> Wires:
    return tuple(axis for wire in wires for axis in (2 * wire, 2 * wire + 1))


def _as_pairs(tensor: Array) -> Array:
    """Split every axis of length 4 into two of length 2."""
    return tensor.reshape((2,) * (2 * tensor.ndim))


def _on_every_wire(matrix: np.ndarray, tensor: Float[Array, "*k"]) -> Array:
    """Apply a 4x4 matrix to every axis, three axes in one product."""
    shape = tensor.shape
    for start in range(0, len(shape), 3):
        block = functools.reduce(np.kron, [matrix] * min(3, len(shape) - start))
        tensor = jnp.einsum(
            "ij,ljr->lir",
            jnp.asarray(block, tensor.dtype),
            tensor.reshape(4**start, block.shape[0], -1),
            precision=jax.lax.Precision.HIGHEST,
        )
    return tensor.reshape(shape)


def _y_signs(like: Float[Array, "*k"]) -> Float[Array, "*k"]:
    """Return Re i^y - Im i^y for each word, y its number of Y: 1, -1, -1, 1, 1, ..."""
    is_y = np.asarray([0, 0, 1, 0], np.int32)
    num_y = functools.reduce(jnp.add.outer, [is_y] * like.ndim)
    return jnp.where((num_y + 1) & 2 == 0, 1, -1).astype(like.dtype)


def _to_matrix(coefficients: Float[Array, "*k"]) -> Complex[Array, "d d"]:
    """Return 2^-k sum_P r_P P for r of shape (4,) * k, by `from_density` backwards."""
    size = 2**coefficients.ndim
    tensor = _on_every_wire(_SUMS / 2, coefficients * _y_signs(coefficients))
    axes = range(2 * coefficients.ndim)
    both = _as_pairs(tensor).transpose((*axes[::2], *axes[1::2])).reshape(size, size)
    return jax.lax.complex((both + both.T) / 2, (both - both.T) / 2)
