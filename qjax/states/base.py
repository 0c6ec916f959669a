"""What every state can do: the contract between circuits and simulators."""

import abc
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int, UInt8

from qjax._checks import check_shots, check_wires
from qjax._linalg import real_to_complex
from qjax._types import Key, Wires


class AbstractState(eqx.Module):
    """A state of `num_wires` two-level systems; wire 0 is the most significant bit."""

    @property
    @abc.abstractmethod
    def num_wires(self) -> int:
        """Number of wires."""

    @property
    @abc.abstractmethod
    def dtype(self) -> np.dtype:
        """Complex dtype of the state, which decides that of all that acts on it."""

    @abc.abstractmethod
    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "AbstractState":
        """Return the state after `matrix` on `wires`, where `controls` have the values.

        Args:
            matrix: Shape (2^k, 2^k), cast to the state's dtype; not checked.
            wires: k wires, the first the leading bit of the matrix.
            controls: Further wires; elsewhere nothing happens.
            control_values: One bit for each control.
        """

    @abc.abstractmethod
    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        """Return p(x) of measuring `wires` (default all), shape (2,) * k."""

    @abc.abstractmethod
    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        """Return the reduced density matrix of `wires`, shape (2^k, 2^k)."""

    @abc.abstractmethod
    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        """Return the expectation of t Pauli words, given as static bit masks.

        Word j is the product over wires of i^(x z) X^x Z^z with the wire's bits of
        `x_masks[j]` and `z_masks[j]` (so both bits set mean Y); wire 0 is the most
        significant bit of a mask.
        """

    @abc.abstractmethod
    def norm(self) -> Float[Array, ""]:
        """Return sqrt(<psi|psi>) of a pure state, Tr rho of a mixed one."""

    @abc.abstractmethod
    def overlap(self, other: "AbstractState") -> Array:
        """Return <self|other> of pure states, Tr(self other) of mixed ones."""

    def sample_kraus(
        self, key: Key, kraus: Array | np.ndarray, wires: Wires
    ) -> tuple["AbstractState", Int[Array, ""], Float[Array, ""]]:
        """Draw one Kraus operator K_i with probability p_i = Tr K_i rho K_i^dagger.

        Returns:
            The normalised state K_i rho K_i^dagger / p_i, the index i, and ln p_i. The
            draw itself is not differentiated; the state and ln p_i are.
        """
        operators = jnp.asarray(kraus).astype(self.dtype)
        rho = self.reduced(wires)
        weights = jnp.einsum("kab,bc,kac->k", operators, rho, operators.conj()).real
        # Rounding must not make an impossible outcome negative.
        index, _ = draw_index(key, jnp.maximum(weights, 0), 1)
        log_prob = jnp.log(weights[index[0]])
        scale = real_to_complex(jnp.exp(-log_prob / 2))
        state = self.apply_matrix(operators[index[0]] * scale, wires)
        return state, index[0], log_prob

    def sample(self, key: Key, shots: int) -> UInt8[Array, "shots n"]:
        """Measure all wires `shots` times; see `qjax.simulate.sample`."""
        check_shots(shots)
        index, _ = draw_index(key, self.probabilities().reshape(-1), shots)
        return index_to_bits(index, self.num_wires)


def draw_index(
    key: Key, weights: Float[Array, " outcomes"], shots: int
) -> tuple[Int[Array, " shots"], Float[Array, " shots"]]:
    """Draw indices in proportion to `weights` by cumulative sum and binary search.

    Returns:
        The indices, shape (shots,), and ln of their probabilities, differentiable in
        `weights` (the draw itself is not).
    """
    cumulative = jnp.cumsum(jax.lax.stop_gradient(weights))
    # A point in [0, total) falls on no interval of width zero.
    point = jax.random.uniform(key, (shots,), cumulative.dtype) * cumulative[-1]
    index = jnp.searchsorted(cumulative, point, side="right")
    index = jnp.minimum(index, weights.shape[0] - 1)
    return index, jnp.log(weights[index]) - jnp.log(jnp.sum(weights))


def index_to_bits(index: Int[Array, " s"], num_bits: int) -> UInt8[Array, "s bits"]:
    """Write indices in binary, the most significant bit first."""
    shifts = np.arange(num_bits - 1, -1, -1, dtype=np.int32)
    bits = (index[:, None].astype(jnp.int32) >> shifts[None, :]) & 1
    return bits.astype(jnp.uint8)


def mask_wires(mask: int, num_wires: int) -> Wires:
    """List the wires whose bit is set in `mask`, wire 0 the most significant."""
    return tuple(w for w in range(num_wires) if mask >> (num_wires - 1 - w) & 1)


def pauli_sums(
    coherences: dict[int, Complex[Array, "*n"]],
    x_masks: tuple[int, ...],
    z_masks: tuple[int, ...],
) -> Float[Array, " t"]:
    """Sum c_x(j) (-1)^(z.j) i^|x & z| over basis indices j, for every word (x, z).

    `coherences[x]` holds c_x(j) = <j|rho|j xor x>, shape (2,) * n.
    """
    return jnp.stack(
        [
            _signed_sum(coherences[x], z, (x & z).bit_count())
            for x, z in zip(x_masks, z_masks, strict=True)
        ]
    )


def _signed_sum(
    coherence: Complex[Array, "*n"], z_mask: int, num_y: int
) -> Float[Array, ""]:
    num_wires = coherence.ndim
    signed = mask_wires(z_mask, num_wires)
    # i^|y| c: the real part of the sum is all that a Hermitian word needs.
    part = (coherence.real, -coherence.imag, -coherence.real, coherence.imag)[num_y % 4]
    others = tuple(axis for axis in range(num_wires) if axis not in signed)
    total = jnp.sum(part, axis=others)
    for _ in signed:
        total = total[0] - total[1]
    return total


def resolve_wires(wires: Sequence[int] | None, num_wires: int) -> Wires:
    """Return checked wires, or all of them for None."""
    return tuple(range(num_wires)) if wires is None else check_wires(wires, num_wires)
