"""Stabilizer states: what Clifford gates make of basis states, on many wires."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int, UInt8, UInt32

from qjax._checks import check_bits, check_shots, check_wires, require
from qjax._linalg import pauli_words
from qjax._memory import require_fits
from qjax._types import Key, Wires, is_traced
from qjax.states import tableau
from qjax.states.base import AbstractState, resolve_wires
from qjax.states.clifford import clifford_action, pack_actions, with_controls
from qjax.states.vector import StateVector

_MOST_OUTCOME_WIRES = 16
"""Distributions of more wires are for `sample`."""

_MOST_REDUCED_WIRES = 6
"""A reduced density matrix takes 4^k expectations."""

_CHUNK_BYTES = 2**26
"""Shots at a time: their random bits, as float32."""


class StabilizerState(AbstractState):
    """A pure state that n commuting signed Pauli words leave as it is.

    Memory is n^2 / 2 bytes, a gate costs O(n), a measurement O(n^2): a thousand wires
    are no effort. Gates must be Clifford (H, S, CX, ..., rotations by multiples of
    pi / 2) and known when the program is traced. There is no global phase. `run`,
    `trajectory`, `expectation` and `sample` take it, `jax.jit` and `jax.vmap` too;
    nothing is differentiable, since nothing can vary by a little.

    Attributes:
        bits: Tableau, shape (n, 2, 2, ceil(n / 32)), uint32: see
            `qjax.states.tableau`.
        phases: Phases of its rows, shape (2, 2, ceil(n / 32)), uint32.

    Raises:
        ValueError: If the shapes are not those of a tableau.

    Source: Aaronson and Gottesman, arXiv:quant-ph/0406196.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, pauli
        >>> from qjax.simulate import expectation, run
        >>> from qjax.states import StabilizerState
        >>> ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(299))], 300)
        >>> state = run(ghz, StabilizerState.zeros(300))
        >>> float(expectation(state, pauli("X" * 300, range(300))))
        1.0
    """

    bits: UInt32[Array, "n 2 2 w"]
    phases: UInt32[Array, "2 2 w"]

    def __check_init__(self):
        num_wires, *rest = self.bits.shape
        width = -(-num_wires // 32)
        fits = rest == [2, 2, width] and self.phases.shape == (2, 2, width)
        require(fits, "bits", "have shape (n, 2, 2, ceil(n / 32))", self.bits.shape)

    @classmethod
    def zeros(cls, num_wires: int):
        """Return |0...0>.

        Raises:
            ValueError: If it does not fit into memory.
        """
        return cls.basis((0,) * num_wires)

    @classmethod
    def basis(cls, bits: Sequence[int]):
        """Return the basis state |bits>."""
        check_bits(bits)
        size = len(bits) * 4 * -(-len(bits) // 32) * 4
        what = f"StabilizerState of {len(bits)} wires"
        require_fits(size, what, [(0, "use fewer wires")])
        return cls(*tableau.basis_tableau(jnp.asarray(bits, jnp.uint32)))

    @property
    def num_wires(self) -> int:
        return self.bits.shape[0]

    @property
    def dtype(self) -> np.dtype:
        """JAX's complex dtype at the time of the call: bits have no precision."""
        return jax.dtypes.canonicalize_dtype(complex)

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
    ) -> "StabilizerState":
        """Return the state after a Clifford matrix, which must not be traced.

        Raises:
            ValueError: If the matrix, with its controls, is traced or not Clifford.
        """
        require(not is_traced(matrix), "matrix", "be known when tracing", "traced")
        full = with_controls(np.asarray(matrix), control_values)
        action = clifford_action(full)
        if action is None:
            shown = np.array2string(full, precision=3)
            raise ValueError(f"Argument `matrix` must be Clifford, but is {shown}.")
        packed = jnp.asarray(pack_actions([action], action.num_wires)[0])
        return StabilizerState(*_conjugate(self, jnp.asarray(controls + wires), packed))

    def measure(
        self, key: Key, wires: int | Sequence[int]
    ) -> tuple["StabilizerState", UInt8[Array, " k"], Float[Array, ""]]:
        """Measure wires one after the other.

        Args:
            key: JAX random key.
            wires: k wires.

        Returns:
            The state after the outcomes, the bits, and ln of their probability.
        """
        wires = check_wires(wires, self.num_wires)
        coins = jax.random.bits(key, (len(wires),), jnp.uint8) & np.uint8(1)
        state, bits, random = _measure(self, jnp.asarray(wires, jnp.int32), coins)
        return state, bits, log_of_coins(random, self.dtype)

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        """Return p(x) of measuring k wires, shape (2,) * k.

        Raises:
            ValueError: If these are more than 16 wires.
        """
        instead = ": `sample` takes any number"
        wires = resolve_wires(wires, self.num_wires, _MOST_OUTCOME_WIRES, instead)
        values = _outcome_values(self, jnp.asarray(wires, jnp.int32))
        return values.astype(jnp.finfo(self.dtype).dtype)

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        """Return the reduced density matrix of k wires, shape (2^k, 2^k).

        Raises:
            ValueError: If these are more than 6 wires.
        """
        wires = resolve_wires(wires, self.num_wires, _MOST_REDUCED_WIRES)
        place = np.asarray(wires, int)
        letters = np.indices((4,) * len(wires)).reshape(len(wires), -1).T
        words = np.zeros((len(letters), self.num_wires, 2), np.uint32)
        words[:, place, 0] = (letters == 1) | (letters == 2)
        words[:, place, 1] = letters >= 2
        values = _word_values(self, words).astype(self.dtype) / 2 ** len(wires)
        basis = jnp.asarray(pauli_words(len(wires))).astype(self.dtype)
        return jnp.einsum("p,pab->ab", values, basis)

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        parts = [_mask_bits(masks, self.num_wires) for masks in (x_masks, z_masks)]
        values = _word_values(self, np.stack(parts, axis=2))
        return values.astype(jnp.finfo(self.dtype).dtype)

    def norm(self) -> Float[Array, ""]:
        return jnp.ones((), jnp.finfo(self.dtype).dtype)

    def overlap(self, other: AbstractState) -> Float[Array, ""]:
        """Return |<self|other>|^2 = Tr(rho sigma): 0, or 2^-s with s up to n.

        A tableau has no global phase, so this is that of the density matrices. Values
        below the smallest number of the precision are 0.
        """
        if not isinstance(other, StabilizerState):
            raise TypeError(
                "Argument `other` must be a StabilizerState, "
                f"but is {type(other).__name__}; use `to_vector` for few wires."
            )
        rule = f"have {self.num_wires} wires"
        require(other.num_wires == self.num_wires, "other", rule, other.num_wires)
        return _overlap(self, other).astype(jnp.finfo(self.dtype).dtype)

    def sample_kraus(self, key: Key, kraus: Array | np.ndarray, wires: Wires):
        """Raise: `measure`, `trajectory` and mixtures of Clifford gates do this."""
        raise TypeError(
            "Argument `state` must not be a StabilizerState for Kraus operators that "
            "depend on it; use `measure`, or channels that mix Clifford gates."
        )

    def sample(
        self, key: Key, shots: int, wires: Sequence[int] | None = None
    ) -> UInt8[Array, "shots k"]:
        """Measure `wires` (default all) `shots` times; see `qjax.simulate.sample`.

        One elimination finds all bit strings that occur, A r + b modulo 2; a shot is
        then a product with random bits r.
        """
        check_shots(shots)
        wires = resolve_wires(wires, self.num_wires)
        return _sample(key, self, shots, jnp.asarray(wires, jnp.int32))

    def to_vector(self) -> StateVector:
        """Return the amplitudes; the first that is not 0, in one order, is positive.

        Raises:
            ValueError: If they do not fit into memory.
        """
        start = StateVector.zeros(self.num_wires, self.dtype)
        return StateVector(_amplitudes(self).reshape(start.amplitudes.shape))


def single(num_wires: int, wire: Array) -> UInt32[Array, "n 2"]:
    """Return the word Z on one wire, as masks."""
    here = jnp.arange(num_wires) == wire
    z = jnp.where(here, tableau.ALL, np.uint32(0))
    return jnp.stack([jnp.zeros_like(z), z], axis=1)


def log_of_coins(random: Bool[Array, " k"], dtype: np.dtype) -> Float[Array, ""]:
    """Return ln of the probability of outcomes, each a fair coin or certain."""
    number = jnp.sum(random).astype(jnp.finfo(dtype).dtype)
    return number * -float(np.log(2))


@jax.jit
def _conjugate(state: StabilizerState, wires: Array, action: Array):
    return tableau.conjugate(state.bits, state.phases, wires, action)


@jax.jit
def _measure(state: StabilizerState, wires: Array, coins: Array):
    def step(now: StabilizerState, wire_and_coin: tuple[Array, Array]):
        wire, coin = wire_and_coin
        word = single(now.num_wires, wire)
        *after, bit, random = tableau.measure(now.bits, now.phases, word, coin)
        return StabilizerState(*after), (bit, random)

    state, (bits, random) = jax.lax.scan(step, state, (wires, coins))
    return state, bits, random


@jax.jit
def _outcome_values(state: StabilizerState, wires: Int[Array, " k"]) -> Array:
    """Return p(x) on k wires: the Walsh transform of <Z^m>, m any pattern of them."""
    flips, offset = tableau.affine_form(state.bits, state.phases)
    num_wires = len(wires)
    patterns = np.indices((2,) * num_wires, np.float32).reshape(num_wires, -1)
    # <Z^m> is 0 if m sees a bit that is random, else a sign.
    random = _products(flips[wires].T.astype(jnp.float32), patterns)
    odd = _products(offset[wires][None].astype(jnp.float32), patterns)[0]
    values = jnp.where(jnp.any(random == 1, axis=0), 0, 1 - 2 * odd)
    values = values.astype(jnp.float32).reshape((2,) * num_wires)
    for axis in range(num_wires):
        zero, one = jnp.split(values, 2, axis)
        values = jnp.concatenate([zero + one, zero - one], axis) / 2
    return values


@jax.jit
def _word_values(state: StabilizerState, words: Array | np.ndarray) -> Array:
    """Return expectations of t words given by bits, shape (t, n, 2)."""

    def value(word: UInt32[Array, "n 2"]):
        return tableau.word_value(state.bits, state.phases, np.uint32(0) - word)

    return jax.lax.map(value, jnp.asarray(words))


@jax.jit
def _overlap(state: StabilizerState, other: StabilizerState) -> Float[Array, ""]:
    """Project on the stabilizers of `other` one by one: each halves, or nothing."""
    masks, phases = tableau.stabilizer_masks(other.bits, other.phases)
    words = jnp.moveaxis(masks, 2, 0).astype(jnp.uint32)

    def step(carry: tuple[StabilizerState, Array], row: tuple[Array, Array]):
        (now, factor), (word, phase) = carry, row
        # i^k X^x Z^z against the Hermitian word i^(x.z) X^x Z^z.
        num_y = jnp.sum(word[:, 0] & word[:, 1], dtype=jnp.uint32)
        wanted = (phase[0] + 2 * phase[1] - num_y & np.uint32(3)) >> np.uint32(1)
        wanted = wanted.astype(jnp.uint8)
        *after, bit, random = tableau.measure(
            now.bits, now.phases, np.uint32(0) - word, wanted
        )
        half = jnp.where(random, factor / 2, factor)
        factor = jnp.where(bit == wanted, half, 0)
        return (StabilizerState(*after), factor), None

    start = (state, jnp.ones(()))
    rows = (words, phases.T.astype(jnp.uint32))
    return jax.lax.scan(step, start, rows)[0][1]


@functools.partial(jax.jit, static_argnames="shots")
def _sample(key: Key, state: StabilizerState, shots: int, wires: Array) -> Array:
    num_wires = state.num_wires
    flips, offset = tableau.affine_form(state.bits, state.phases)
    columns = flips[wires].T.astype(jnp.float32)
    size = max(1, min(shots, _CHUNK_BYTES // (4 * num_wires)))
    chunks = -(-shots // size)

    def draw(chunk_key: Key) -> UInt8[Array, "s k"]:
        words = jax.random.bits(chunk_key, (size, -(-num_wires // 32)), jnp.uint32)
        drawn = tableau.unpack(words, num_wires).astype(jnp.float32)
        return _products(drawn, columns).astype(jnp.uint8) ^ offset[wires][None]

    bits = jax.lax.map(draw, jax.random.split(key, chunks))
    return bits.reshape(chunks * size, -1)[:shots]


def _products(left: Array | np.ndarray, right: Array | np.ndarray) -> Int[Array, "a b"]:
    """Multiply modulo 2: sums of fewer than 2^24 ones are exact in float32."""
    high = jax.lax.Precision.HIGHEST
    total = jnp.matmul(jnp.asarray(left), jnp.asarray(right), precision=high)
    return total.astype(jnp.int32) & 1


@jax.jit
def _amplitudes(state: StabilizerState) -> Complex[Array, " d"]:
    """Project a basis state that occurs on every stabilizer: (1 + i^k X^x Z^z) psi."""
    num_wires = state.num_wires
    masks, phases = tableau.stabilizer_masks(state.bits, state.phases)
    _, offset = tableau.affine_form(state.bits, state.phases)
    weights = jnp.asarray(2 ** np.arange(num_wires)[::-1], jnp.int32)
    words = jnp.einsum("n,npw->wp", weights, masks.astype(jnp.int32))
    powers = phases[0].astype(jnp.int32) + 2 * phases[1].astype(jnp.int32)
    units = jnp.asarray([1, 1j, -1, -1j], state.dtype)
    index = jnp.arange(2**num_wires, dtype=jnp.int32)

    def step(vector: Array, row: tuple[Array, Array]):
        (x, z), unit = row
        signs = 1 - 2 * (jax.lax.population_count(index & z) & 1)
        moved = (vector * signs.astype(vector.dtype))[index ^ x]
        return (vector + unit * moved) / 2, None

    first = jnp.sum(weights * offset.astype(jnp.int32), dtype=jnp.int32)
    start = (index == first).astype(state.dtype)
    vector, _ = jax.lax.scan(step, start, (words, units[powers]))
    return vector / jnp.linalg.norm(vector).astype(vector.dtype)


def _mask_bits(masks: Sequence[int], num_wires: int) -> np.ndarray:
    """Write Python integers in binary, wire 0 leading: shape (t, n), uint32."""
    width = -(-num_wires // 8)
    raw = b"".join(mask.to_bytes(width, "big") for mask in masks)
    rows = np.frombuffer(raw, np.uint8).reshape(len(masks), width)
    return np.unpackbits(rows, axis=1)[:, -num_wires:].astype(np.uint32)
