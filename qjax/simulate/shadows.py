"""Classical shadows: measure first, decide later what to estimate."""

import functools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from qjax._checks import check_shots, require
from qjax._linalg import pauli_words
from qjax._types import Key
from qjax.circuits.observables import (
    AbstractObservable,
    Hermitian,
    PauliSum,
    Projector,
    Word,
    check_observable,
)
from qjax.simulate.measure import cast_like
from qjax.states.base import AbstractState
from qjax.statistics import Estimate, mean_and_stderr

LETTERS = "XYZ"
"""The basis that a number of `Shadow.bases` stands for."""

_INVERSE_FACTOR = 3
"""A wire keeps a Pauli letter with probability 1/3, when its basis is that letter."""

_MEDIAN_FACTOR = float(np.sqrt(np.pi / 2))
"""Standard error of the median of many normal numbers, in units of their mean's."""

_CHUNK_BYTES = 2**26
"""Size of the states that are measured at the same time."""


class Shadow(eqx.Module):
    """Outcomes of measuring every wire of copies of a state in a random Pauli basis.

    Attributes:
        bases: 0, 1, 2 for X, Y, Z; shape (snapshots, n).
        bits: Outcomes, shape (snapshots, n).
        dtype: Real dtype of what is estimated. Static.

    Source: Huang, Kueng and Preskill, Nature Physics 16, 1050 (2020).
    """

    bases: UInt8[Array, "s n"]
    bits: UInt8[Array, "s n"]
    dtype: np.dtype = eqx.field(static=True)

    @property
    def num_wires(self) -> int:
        """Number of wires."""
        return self.bases.shape[1]

    @property
    def snapshots(self) -> int:
        """Number of snapshots."""
        return self.bases.shape[0]

    def expectation(
        self,
        observable: AbstractObservable | Sequence[AbstractObservable],
        num_batches: int = 1,
    ) -> Estimate:
        """Estimate expectations of any number of observables from the same snapshots.

        Snapshot s gives rho_s = prod_w (3 U_w^dagger |b_w><b_w| U_w - I), whose mean is
        rho, and the value Tr(O rho_s). A Pauli word on k wires has a variance of at
        most 3^k, whatever n is. The mean of all values is unbiased. The median of the
        means of K batches is biased by O(K / S), but off by more than sqrt(34 / B)
        standard deviations, B = S / K, with a probability of at most 2 exp(-K / 2),
        however heavy the tails are.

        Args:
            observable: O, or a sequence of t of them.
            num_batches: K, in [1, snapshots]; 1 gives the mean. Static.

        Returns:
            Estimate, scalar or of shape (t,). For K >= 3 its stderr is sqrt(pi / 2)
            times the mean's, which it approaches from below as K grows.

        Raises:
            ValueError: If K or a wire is out of range.

        Example:
            >>> import jax
            >>> from qjax.circuits import pauli
            >>> from qjax.simulate import classical_shadow
            >>> from qjax.states import StateVector
            >>> state = StateVector.basis((0, 1))
            >>> shadow = classical_shadow(jax.random.key(1), state, 4000)
            >>> found = shadow.expectation(pauli("ZZ", (0, 1)))
            >>> abs(float(found.mean) + 1) < 4 * float(found.stderr)
            True
        """
        check_shots(num_batches, "num_batches")
        rule = f"be at most the {self.snapshots} snapshots"
        require(num_batches <= self.snapshots, "num_batches", rule, num_batches)
        if isinstance(observable, Sequence):
            found = [self.expectation(one, num_batches) for one in observable]
            mean, stderr = (
                jnp.stack(part)
                for part in zip(*((x.mean, x.stderr) for x in found), strict=True)
            )
            return Estimate(mean, stderr, self.snapshots)
        values = self._values(check_observable(observable, self.num_wires))
        spread = mean_and_stderr(values)
        if num_batches == 1:
            return spread
        # Batches differ in size by one at most.
        batch = np.arange(self.snapshots, dtype=np.int64) * num_batches
        batch = (batch // self.snapshots).astype(np.int32)
        sizes = np.bincount(batch, minlength=num_batches)
        sums = jax.ops.segment_sum(values, batch, num_batches, indices_are_sorted=True)
        median = jnp.median(sums / jnp.asarray(sizes, values.dtype))
        factor = _MEDIAN_FACTOR if num_batches > 2 else 1.0
        return Estimate(median, factor * spread.stderr, self.snapshots)

    def _values(self, observable: AbstractObservable) -> Float[Array, " s"]:
        """Return Tr(O rho_s) for every snapshot."""
        if isinstance(observable, PauliSum):
            return self._sum_values(observable.coefficients, observable.words)
        if isinstance(observable, Projector):
            words = _words_of(observable.wires, "IZ")
            # |b><b| = (I + (-1)^b Z) / 2 on each wire.
            factors = [np.asarray([0.5, 0.5 - bit]) for bit in observable.bits]
            product = functools.reduce(np.multiply.outer, factors)
            return self._sum_values(product.reshape(-1), words)
        assert isinstance(observable, Hermitian)
        matrix = jnp.asarray(observable.matrix)
        paulis = jnp.asarray(pauli_words(len(observable.wires))).astype(matrix.dtype)
        overlaps = jnp.einsum(
            "pab,ba->p", paulis, matrix, precision=jax.lax.Precision.HIGHEST
        )
        words = _words_of(observable.wires, "IXYZ")
        return self._sum_values(overlaps.real / matrix.shape[0], words)

    def _sum_values(
        self, coefficients: Array | np.ndarray, words: Sequence[Word]
    ) -> Float[Array, " s"]:
        """Return sum_j c_j prod_w 3 [basis is the letter] (-1)^bit."""
        width = max(1, *(len(word) for word in words))
        wires = np.zeros((len(words), width), np.int32)
        # A letter of 3 is the identity: it fits every basis, with factor 1.
        letters = np.full((len(words), width), len(LETTERS), np.uint8)
        for j, word in enumerate(words):
            for place, (wire, letter) in enumerate(word):
                wires[j, place] = wire
                letters[j, place] = LETTERS.index(letter)
        signs = _INVERSE_FACTOR * (1 - 2 * self.bits.astype(self.dtype))
        one = jnp.ones((), self.dtype)

        def add(total: Array, row: tuple[Array, Array, Array]) -> tuple[Array, None]:
            coefficient, at, letter = row
            kept = jnp.where(self.bases[:, at] == letter[None], signs[:, at], 0)
            factors = jnp.where(letter[None] == len(LETTERS), one, kept)
            return total + coefficient * jnp.prod(factors, axis=1), None

        zeros = jnp.zeros((self.snapshots,), self.dtype)
        rows = (
            cast_like(coefficients, zeros),
            jnp.asarray(wires),
            jnp.asarray(letters),
        )
        return jax.lax.scan(add, zeros, rows)[0]


def classical_shadow(key: Key, state: AbstractState, snapshots: int) -> Shadow:
    """Measure copies of a state, every wire in its own random Pauli basis.

    Snapshots are independent of each other and do not depend on what will be estimated
    from them: `Shadow.expectation` does that, for many observables at once. They are
    constants under differentiation; use `estimate` for gradients.

    Args:
        key: JAX random key.
        state: Normalised state of n wires.
        snapshots: Number of copies, at least 1. Static.

    Returns:
        The bases and outcomes.

    Raises:
        ValueError: If `snapshots` < 1.

    Source: Huang, Kueng and Preskill, Nature Physics 16, 1050 (2020).

    Example:
        >>> import jax
        >>> from qjax.simulate import classical_shadow
        >>> from qjax.states import StateVector
        >>> shadow = classical_shadow(jax.random.key(1), StateVector.zeros(2), 100)
        >>> shadow.bits.shape, shadow.num_wires, shadow.snapshots
        ((100, 2), 2, 100)
    """
    check_shots(snapshots, "snapshots")
    state = jax.tree.map(jax.lax.stop_gradient, state)
    base_key, shot_key = jax.random.split(key)
    shape = (snapshots, state.num_wires)
    bases = jax.random.randint(base_key, shape, 0, len(LETTERS), jnp.int32)
    turns = jnp.asarray(_to_z()).astype(state.dtype)

    def measure(one: tuple[Key, Array]) -> UInt8[Array, " n"]:
        here, basis = one
        rotated = state
        for wire in range(state.num_wires):
            rotated = rotated.apply_matrix(turns[basis[wire]], (wire,))
        return rotated.sample(here, 1)[0]

    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    at_a_time = max(1, min(_CHUNK_BYTES // size, snapshots))
    keys = jax.random.split(shot_key, snapshots)
    bits = jax.lax.map(measure, (keys, bases), batch_size=at_a_time)
    real = jnp.finfo(state.dtype).dtype
    return Shadow(bases.astype(jnp.uint8), bits, np.dtype(real))


def _to_z() -> np.ndarray:
    """Return, for X, Y and Z, the unitary that turns its eigenstates into |0>, |1>."""
    hadamard = np.asarray([[1, 1], [1, -1]]) / np.sqrt(2)
    return np.stack([hadamard, hadamard @ np.diag([1, -1j]), np.eye(2)])


def _words_of(wires: Sequence[int], letters: str) -> list[Word]:
    """List all words of these letters, the first wire's letter changing slowest."""
    words: list[Word] = [()]
    for wire in wires:
        words = [
            word + ((wire, letter),) if letter != "I" else word
            for word in words
            for letter in letters
        ]
    return words
