"""What every state can do: the contract between circuits and simulators."""

import abc
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int, UInt8

from qjax._checks import check_shots, check_wires, require
from qjax._linalg import real_to_complex
from qjax._types import Key, Wires
from qjax.states.sampling import draw, index_to_bits


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
        index = draw(key, weights, 1)
        log_prob = jnp.log(weights[index[0]])
        scale = real_to_complex(jnp.exp(-log_prob / 2))
        state = self.apply_matrix(operators[index[0]] * scale, wires)
        return state, index[0], log_prob

    def sample(
        self, key: Key, shots: int, wires: Sequence[int] | None = None
    ) -> UInt8[Array, "shots k"]:
        """Measure `wires` (default all) `shots` times; see `qjax.simulate.sample`."""
        check_shots(shots)
        wires = resolve_wires(wires, self.num_wires)
        index = draw(key, self.probabilities(wires).reshape(-1), shots)
        return index_to_bits(index, len(wires))


class AbstractMixedState(AbstractState):
    """A state that channels act on exactly, as linear maps of its numbers."""

    @abc.abstractmethod
    def apply_kraus(
        self, kraus: Array | np.ndarray, wires: Wires
    ) -> "AbstractMixedState":
        """Return sum_k K_k rho K_k^dagger, in one contraction.

        Args:
            kraus: Shape (k, 2^w, 2^w), cast to the state's dtype; not checked.
            wires: w wires.
        """

    @abc.abstractmethod
    def matrix(self) -> Complex[Array, "d d"]:
        """Return rho as a matrix, shape (2^n, 2^n)."""


def mask_wires(mask: int, num_wires: int) -> Wires:
    """List the wires whose bit is set in `mask`, wire 0 the most significant."""
    return tuple(w for w in range(num_wires) if mask >> (num_wires - 1 - w) & 1)


def pauli_sums(
    coherences: dict[int, Complex[Array, "*n"]],
    x_masks: tuple[int, ...],
    z_masks: tuple[int, ...],
) -> Float[Array, " t"]:
    """Sum c_x(j) (-1)^(z.j) i^|x & z| over basis indices j, for every word (x, z).

    `coherences[x]` holds c_x(j) = <j|rho|j xor x>, shape (2,) * n. Words with one x
    share one pass: the signs of j are products of those of its upper and lower bits.
    """
    groups: dict[tuple[int, bool], list[int]] = {}
    num_ys = [(x & z).bit_count() for x, z in zip(x_masks, z_masks, strict=True)]
    for j, (x, num_y) in enumerate(zip(x_masks, num_ys, strict=True)):
        groups.setdefault((x, num_y % 2 == 1), []).append(j)
    sums, order = [], []
    for (x, odd), members in groups.items():
        # i^|y| c: the real part of the sum is all that a Hermitian word needs.
        part = coherences[x].imag if odd else coherences[x].real
        sums.append(_signed_sums(part, [z_masks[j] for j in members]))
        order += members
    turns = np.asarray([(1, -1, -1, 1)[num_ys[j] % 4] for j in order])
    values = jnp.concatenate(sums)
    values = values * jnp.asarray(turns, values.dtype)
    return values[np.argsort(order)]


def _signed_sums(
    part: Float[Array, "*n"], z_masks: Sequence[int]
) -> Float[Array, " t"]:
    """Sum part(j) (-1)^(z.j) for every z."""
    low = part.ndim // 2
    highs = sorted({z >> low for z in z_masks})
    lows = sorted({z & (1 << low) - 1 for z in z_masks})
    table = jnp.asarray(_parity_signs(highs, part.ndim - low), part.dtype)
    other = jnp.asarray(_parity_signs(lows, low), part.dtype)
    high = jax.lax.Precision.HIGHEST
    half = jnp.matmul(table, part.reshape(table.shape[1], -1), precision=high)
    both = jnp.matmul(half, other.T, precision=high)
    rows = np.asarray([highs.index(z >> low) for z in z_masks])
    columns = np.asarray([lows.index(z & (1 << low) - 1) for z in z_masks])
    return both[rows, columns]


def _parity_signs(masks: Sequence[int], num_bits: int) -> np.ndarray:
    """Return (-1)^(z.j) for every mask z and every j of so many bits."""
    parity = np.zeros(1, int)
    for _ in range(num_bits):
        parity = np.concatenate([parity, 1 - parity])
    index = np.arange(2**num_bits)
    return 1 - 2 * parity[index[None, :] & np.asarray(masks)[:, None]]


def resolve_wires(
    wires: Sequence[int] | None,
    num_wires: int,
    most: int | None = None,
    instead: str = "",
) -> Wires:
    """Return checked wires, or all of them for None; `most` of them at the most.

    `instead` says in the message what to do for more.
    """
    found = tuple(range(num_wires)) if wires is None else check_wires(wires, num_wires)
    if most is not None:
        rule = f"name at most {most} wires{instead}"
        require(len(found) <= most, "wires", rule, f"{len(found)} wires")
    return found
