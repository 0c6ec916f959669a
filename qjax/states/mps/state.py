"""Pure states as chains of tensors (matrix product states)."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, UInt8

from qjax._checks import check_bits, check_shots, require
from qjax._decompositions import row_basis
from qjax._linalg import as_complex, product, real_to_complex
from qjax._memory import require_state_fits
from qjax._types import Key, Wires, is_traced
from qjax.states.base import AbstractState, resolve_wires
from qjax.states.mps.cuts import determined
from qjax.states.mps.readings import (
    draw_shots,
    log_weights,
    overlap,
    reduced,
    word_values,
)
from qjax.states.mps.strings import layer_of_matrix
from qjax.states.mps.sweeps import (
    right_canonical,
    squared_norm,
    truncated,
)
from qjax.states.mps.updates import apply_sites, grow
from qjax.states.vector import StateVector

_LETTERS = {
    (True, False): np.asarray([[0, 1], [1, 0]], complex),
    (True, True): np.asarray([[0, -1j], [1j, 0]]),
    (False, True): np.asarray([[1, 0], [0, -1]], complex),
}


class MPS(AbstractState):
    """A pure state psi(s) = A_1[s_1] A_2[s_2] ... A_n[s_n], one tensor for each wire.

    Bonds hold at most `max_bond` numbers: what a circuit entangles beyond is cut off,
    the lightest Schmidt vectors first, and the error is bounded. The state is then no
    longer normalised: `norm()` squared estimates the fidelity with the exact state.
    Probabilities, expectations, shots and reduced states are those of the normalised
    one, psi / |psi|.

    Attributes:
        tensors: Shape (n, x, 2, x): wire, left bond, bit, right bond. Bonds are padded
            with zeros to x <= max_bond; the outer ones use their entry 0 only.
        truncation_error: Bound on |psi - psi_exact| by the weights cut off so far, in
            exact arithmetic; an expectation of O is then off by at most
            (largest - smallest eigenvalue of O) * truncation_error. Not differentiated.
        max_bond: Largest bond, at least 1. Static.

    Gradients of circuits whose bonds stay within `max_bond` are exact. Where bonds are
    cut they are those of the cut map. It has none where a weight cut off equals one
    that is kept: a gradient is then an error. At special angles, where the state has
    fewer Schmidt vectors than the bond has room for, it may be incomplete: see
    docs/representations.md.

    Raises:
        ValueError: If the shape is not (n, x, 2, x) with x <= max_bond.

    Source: Schollwoeck, Ann. Phys. 326, 96 (2011).

    Example:
        >>> from qjax.circuits import Circuit, Repeat, cx, h, pauli
        >>> from qjax.simulate import expectation, run
        >>> from qjax.states import MPS
        >>> chain = [h(0), *(cx(i, i + 1) for i in range(99))]
        >>> ghz = run(Circuit(chain, 100), MPS.zeros(100, max_bond=4))
        >>> ghz.bond, round(float(expectation(ghz, pauli("ZZ", (0, 99)))), 3)
        (2, 1.0)
    """

    tensors: Complex[Array, "n x 2 x"]
    truncation_error: Float[Array, ""]
    max_bond: int = eqx.field(static=True)

    def __check_init__(self):
        require(self.max_bond >= 1, "max_bond", "be at least 1", self.max_bond)
        _, left, bits, right = self.tensors.shape
        fits = left == right <= self.max_bond and bits == 2
        rule = f"have shape (n, x, 2, x) with x <= {self.max_bond}"
        require(fits, "tensors", rule, f"of shape {self.tensors.shape}")

    @classmethod
    def zeros(
        cls, num_wires: int, max_bond: int, dtype: np.dtype | type | None = None
    ) -> "MPS":
        """Return |0...0>, by default in JAX's complex dtype at the time of the call.

        Raises:
            ValueError: If `max_bond` < 1 or the largest chain does not fit into memory.
        """
        return cls.basis((0,) * num_wires, max_bond, dtype)

    @classmethod
    def basis(
        cls,
        bits: Sequence[int],
        max_bond: int,
        dtype: np.dtype | type | None = None,
    ) -> "MPS":
        """Return the basis state |bits>."""
        check_bits(bits)
        require(max_bond >= 1, "max_bond", "be at least 1", max_bond)
        dtype = complex if dtype is None else dtype
        # A chain, its environments, and as much again while a layer acts.
        size = 8 * len(bits) * max_bond**2
        require_state_fits("MPS", len(bits), size, dtype, [(0, "use a smaller bond")])
        tensors = np.eye(2)[np.asarray(bits)][:, None, :, None]
        dtype = jax.dtypes.canonicalize_dtype(dtype)
        error = jnp.zeros((), jnp.finfo(dtype).dtype)
        return cls(jnp.asarray(tensors, dtype), error, max_bond)

    @classmethod
    def from_vector(cls, state: StateVector, max_bond: int) -> "MPS":
        """Return a state vector as a chain, its bonds cut to `max_bond`.

        Bonds of up to 2^(n/2) appear on the way.
        """
        require(max_bond >= 1, "max_bond", "be at least 1", max_bond)
        n = state.num_wires
        rest, tensors = state.amplitudes.reshape(-1, 2), []
        right = 1
        for _ in range(n - 1):
            rest, rows = row_basis(rest)
            tensors.append(rows.reshape(-1, 2, right))
            right = rows.shape[0]
            rest = rest.reshape(-1, 2 * right)
        tensors.append(rest.reshape(1, 2, right))
        size = max(tensor.shape[0] for tensor in tensors)
        padded = [
            jnp.pad(t, ((0, size - t.shape[0]), (0, 0), (0, size - t.shape[2])))
            for t in reversed(tensors)
        ]
        chain, error = jnp.stack(padded), jnp.zeros((), jnp.finfo(state.dtype).dtype)
        if size > max_bond:
            (chain, _), loss = truncated(chain, max_bond)
            chain, error = determined(chain, loss.tied), loss.error
        return cls(chain, error, max_bond)

    @property
    def num_wires(self) -> int:
        return self.tensors.shape[0]

    @property
    def dtype(self) -> np.dtype:
        return self.tensors.dtype

    @property
    def bond(self) -> int:
        """Size that the bonds are padded to."""
        return self.tensors.shape[1]

    def to_vector(self) -> StateVector:
        """Return all amplitudes, as they are (see `norm`).

        Raises:
            ValueError: If they do not fit into memory.
        """
        n = self.num_wires
        size = 2**n * self.bond
        require_state_fits("MPS as a StateVector", n, size, self.dtype)
        rows = self.tensors[0, :1].reshape(2, self.bond)
        for tensor in self.tensors[1:]:
            rows = product(rows, tensor.reshape(self.bond, -1)).reshape(-1, self.bond)
        return StateVector(rows[:, 0].reshape((2,) * n))

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "MPS":
        """Return the state after a matrix on one wire, or two, anywhere on the chain.

        One operation at a time, each a sweep over the chain: the readable reference of
        `qjax.simulate.run`.

        Raises:
            ValueError: If it acts on more than two wires without controls, or on more
                than one with controls.
        """
        matrix = jnp.asarray(matrix).astype(self.dtype)
        if len(wires) == 1 and not controls:
            identity = jnp.eye(2, dtype=self.dtype)
            every = jnp.broadcast_to(identity, (self.num_wires, 2, 2))
            tensors = apply_sites(self.tensors, every.at[wires[0]].set(matrix))
            return MPS(tensors, self.truncation_error, self.max_bond)
        layer = layer_of_matrix(matrix, wires, controls, control_values, self.num_wires)
        return self._limited(grow(self.tensors, layer))

    def _limited(self, tensors: Array) -> "MPS":
        """Return the state of a chain, cut where it is wider than allowed."""
        error = self.truncation_error
        if tensors.shape[1] > self.max_bond:
            (tensors, _), loss = truncated(right_canonical(tensors), self.max_bond)
            tensors, error = determined(tensors, loss.tied), error + loss.error
        return MPS(tensors, error, self.max_bond)

    def canonical(self) -> "MPS":
        """Return the same state with orthonormal rows in all tensors but the first."""
        tensors = right_canonical(self.tensors)
        return MPS(tensors, self.truncation_error, self.max_bond)

    def with_max_bond(self, max_bond: int) -> "MPS":
        """Return the state with another largest bond, cut to it if it was wider."""
        narrow = self.tensors[:, :1, :, :1]
        return MPS(narrow, self.truncation_error, max_bond)._limited(self.tensors)

    def within(self, max_error: float) -> "MPS":
        """Return the state as it is, or report a `truncation_error` above `max_error`.

        A concrete error is reported at once, a traced one at run time.

        Raises:
            ValueError: If the error is larger.

        Example:
            >>> from qjax.circuits import ghz
            >>> from qjax.simulate import run
            >>> from qjax.states import MPS
            >>> run(ghz(40), MPS.zeros(40, max_bond=2)).within(1e-6).bond
            2
        """
        error = self.truncation_error
        tensors = self.tensors
        if is_traced(error):
            message = (
                "Argument `max_error` must be at least the truncation error of the "
                f"state, but is {max_error}; use a larger `max_bond`."
            )
            tensors = eqx.error_if(tensors, error > max_error, message)
        else:
            rule = f"be at least {float(error):.3g}, the truncation error of the state"
            require(float(error) <= max_error, "max_error", rule, max_error)
        return MPS(tensors, error, self.max_bond)

    def normalized(self) -> "MPS":
        """Return psi / |psi|."""
        scale = real_to_complex(1 / self.norm())
        tensors = self.tensors.at[0].multiply(scale)
        return MPS(tensors, self.truncation_error, self.max_bond)

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        wires = resolve_wires(wires, self.num_wires)
        if len(wires) == self.num_wires:
            vector = self.to_vector().vector()
            weights = vector.real**2 + vector.imag**2
            return (weights / jnp.sum(weights)).reshape((2,) * len(wires))
        require_state_fits("Probabilities", len(wires), 4 ** len(wires), self.dtype)
        diagonal = jnp.diagonal(self.reduced(wires)).real
        return diagonal.reshape((2,) * len(wires))

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        rho = reduced(self.tensors, resolve_wires(wires, self.num_wires))
        return rho / jnp.trace(rho)

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        words = [
            _letters(x, z, self.num_wires)
            for x, z in zip(x_masks, z_masks, strict=True)
        ]
        return word_values(self.tensors, words)

    def norm(self) -> Float[Array, ""]:
        return jnp.sqrt(squared_norm(self.tensors))

    def overlap(self, other: AbstractState) -> Complex[Array, ""]:
        if not isinstance(other, MPS):
            raise TypeError(
                f"Argument `other` must be an MPS, but is {type(other).__name__}; "
                "use MPS.from_vector, or to_vector()."
            )
        fits = other.num_wires == self.num_wires
        require(fits, "other", f"have {self.num_wires} wires", other.num_wires)
        return overlap(self.tensors, as_complex(other.tensors))

    def sample(
        self, key: Key, shots: int, wires: Sequence[int] | None = None
    ) -> UInt8[Array, "shots k"]:
        check_shots(shots)
        wires = resolve_wires(wires, self.num_wires)
        return draw_shots(key, self.tensors, shots)[:, np.asarray(wires)]

    def log_probabilities(
        self, bits: UInt8[Array, "shots n"]
    ) -> Float[Array, " shots"]:
        """Return ln |<bits|psi>|^2 / <psi|psi> for rows of bits of all wires."""
        fits = bits.ndim == 2 and bits.shape[1] == self.num_wires
        rule = f"have shape (shots, {self.num_wires})"
        require(fits, "bits", rule, f"of shape {bits.shape}")
        return log_weights(self.tensors, bits) - jnp.log(squared_norm(self.tensors))


def _letters(x: int, z: int, num_wires: int) -> dict[int, np.ndarray]:
    """Return the matrices of a word of masks, wire 0 the most significant bit."""
    bits = [(w, 1 << (num_wires - 1 - w)) for w in range(num_wires)]
    return {w: _LETTERS[bool(x & b), bool(z & b)] for w, b in bits if (x | z) & b}
