"""Sparse states: the few amplitudes that are not zero, on any number of wires."""

import functools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int, UInt8, UInt32

from qjax._checks import check_bits, check_shots, require
from qjax._memory import require_fits
from qjax._types import Key, Wires, is_traced
from qjax.states.base import AbstractState, resolve_wires
from qjax.states.sampling import draw
from qjax.states.terms import (
    EMPTY,
    bits_of,
    codes_of,
    groups,
    looked_up,
    marginal,
    reduced_matrix,
    sorting_order,
    split,
    spread,
    union,
    wire_masks,
    word_sums,
)
from qjax.states.vector import StateVector

_MOST_DENSE_WIRES = 24
"""Distributions and vectors of more wires are for `sample` and `expect_paulis`."""

_MOST_REDUCED_WIRES = 10
"""A reduced density matrix has 4^k entries, and its factor one row for each term."""

_ROUNDINGS = 32
"""A sum this many roundings below what went into it is zero."""


class SparseState(AbstractState):
    """A pure state sum_j v_j |x_j> of at most `max_terms` terms, exact.

    A gate on k wires makes up to 2^k terms of one; equal ones are added up, and those
    that cancel to rounding are dropped. Permutations and phases (X, CX, CCX, SWAP, Z,
    S, T, CZ, RZ, ...) make no term more. If a step needs more than `max_terms`, the
    values become NaN, `needed` says how many there were, and reading the state reports
    it. `run` (gate by gate), `trajectory`, `expectation` and `sample` take it, and so
    do `jax.jit`, `jax.vmap` and `jax.grad`: while it is differentiated, terms of value
    zero are kept where a gate may bring them forth, since their derivative need not be
    zero, so that more terms are needed.

    Attributes:
        indices: x_j in binary, wire 0 the most significant bit, in as many uint32 as
            hold one bit more than there are wires, shape (max_terms, w); all ones where
            there is no term. In no order.
        values: v_j, complex64 or complex128, shape (max_terms,); 0 where no term is.
        needed: The most terms that any step had.
        width: Number of wires. Static.

    Raises:
        ValueError: If the shapes do not fit each other.

    Example:
        >>> from qjax.circuits import Circuit, cx, h, t
        >>> from qjax.simulate import run
        >>> from qjax.states import SparseState
        >>> ghz = Circuit([h(0), *(cx(i, i + 1) for i in range(99)), t(99)], 100)
        >>> state = run(ghz, SparseState.zeros(100, max_terms=2))
        >>> state.probabilities((0, 99)).round(3).tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """

    indices: UInt32[Array, "t w"]
    values: Complex[Array, " t"]
    needed: Int[Array, ""]
    width: int = eqx.field(static=True)

    def __check_init__(self):
        shape = self.values.shape + (self.width // 32 + 1,)
        rule = f"have shape {shape}, with at least one term"
        fits = self.indices.shape == shape and shape[0] >= 1
        require(fits, "indices", rule, f"of shape {self.indices.shape}")

    @classmethod
    def zeros(
        cls, num_wires: int, max_terms: int, dtype: np.dtype | type | None = None
    ):
        """Return |0...0> with room for `max_terms` terms."""
        return cls.basis((0,) * num_wires, max_terms, dtype)

    @classmethod
    def basis(
        cls, bits: Sequence[int], max_terms: int, dtype: np.dtype | type | None = None
    ):
        """Return the basis state |bits> with room for `max_terms` terms.

        Raises:
            ValueError: If it does not fit into memory.
        """
        check_bits(bits)
        require(max_terms >= 1, "max_terms", "be at least 1", max_terms)
        words = len(bits) // 32 + 1
        what = f"SparseState of {max_terms} terms on {len(bits)} wires"
        require_fits(4 * max_terms * (words + 4), what, [(0, "use fewer terms")])
        ones = np.flatnonzero(bits)
        first = np.bitwise_or.reduce(wire_masks(ones, len(bits)), axis=0)
        indices = np.full((max_terms, words), EMPTY)
        indices[0] = first
        dtype = jax.dtypes.canonicalize_dtype(complex if dtype is None else dtype)
        values = jnp.zeros((max_terms,), dtype).at[0].set(1)
        return cls(jnp.asarray(indices), values, jnp.ones((), jnp.int32), len(bits))

    @classmethod
    def from_vector(cls, state: StateVector, max_terms: int):
        """Return a state vector's amplitudes that are not zero.

        Raises:
            ValueError: If there are more than `max_terms`, or the vector is too wide.
        """
        num_wires = state.num_wires
        rule = f"have at most {_MOST_DENSE_WIRES} wires"
        require(num_wires <= _MOST_DENSE_WIRES, "state", rule, num_wires)
        require(max_terms >= 1, "max_terms", "be at least 1", max_terms)
        vector = state.vector()
        (place,) = jnp.nonzero(vector, size=max_terms, fill_value=-1)
        free = place < 0
        values = jnp.where(free, 0, vector[place]).astype(vector.dtype)
        needed = jnp.sum(vector != 0, dtype=jnp.int32)
        index = jnp.where(free, EMPTY, place.astype(jnp.uint32))
        return cls(index[:, None], _poisoned(values, needed), needed, num_wires)

    @property
    def num_wires(self) -> int:
        return self.width

    @property
    def max_terms(self) -> int:
        """Number of terms there is room for."""
        return self.values.shape[0]

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    def num_terms(self) -> Int[Array, ""]:
        """Return the number of terms there are."""
        return jnp.sum(self.indices[:, 0] != EMPTY, dtype=jnp.int32)

    def apply_matrix(
        self,
        matrix: Array | np.ndarray,
        wires: Wires,
        controls: Wires = (),
        control_values: tuple[int, ...] = (),
        diagonal: Wires = (),
    ) -> "SparseState":
        """Return the state after `matrix` on `wires`, where `controls` have the values.

        Terms are made only where an entry of a matrix may differ from zero: a concrete
        one tells by itself, a traced one by `diagonal`, wires whose basis states it
        keeps.
        """
        pattern = _pattern(matrix, [wire in diagonal for wire in wires])
        rows = _rows_by_column(pattern)
        columns = np.arange(len(pattern))
        full = jnp.asarray(matrix).astype(self.dtype)
        factors = full[np.maximum(rows, 0), columns]
        masks = wire_masks(wires, self.num_wires)
        guards = wire_masks(controls, self.num_wires)
        wanted = guards * np.asarray(control_values, np.uint32).reshape(-1, 1)
        merge = len(rows) > 1 or len(set(rows[0].tolist())) < len(pattern)
        control = [np.bitwise_or.reduce(m, axis=0) for m in (guards, wanted)]
        indices, values, needed = _apply(
            self, factors, rows, masks, np.stack(control), merge
        )
        return SparseState(indices, values, needed, self.num_wires)

    def probabilities(self, wires: Sequence[int] | None = None) -> Float[Array, "*k"]:
        """Return p(x) of measuring k wires, shape (2,) * k.

        Raises:
            ValueError: If these are more than 24 wires.
        """
        instead = ": `sample` takes any number"
        wires = resolve_wires(wires, self.num_wires, _MOST_DENSE_WIRES, instead)
        masks = wire_masks(wires, self.num_wires)
        return marginal(self.indices, self._read(), masks)

    def reduced(self, wires: Sequence[int]) -> Complex[Array, "d d"]:
        """Return the reduced density matrix of k wires, shape (2^k, 2^k).

        Raises:
            ValueError: If these are more than 10 wires.
        """
        wires = resolve_wires(wires, self.num_wires, _MOST_REDUCED_WIRES)
        masks = wire_masks(wires, self.num_wires)
        return reduced_matrix(self.indices, self._read(), masks)

    def expect_paulis(
        self, x_masks: tuple[int, ...], z_masks: tuple[int, ...]
    ) -> Float[Array, " t"]:
        size = self.indices.shape[1]
        words = [split(masks, size) for masks in (x_masks, z_masks)]
        turns = [(x & z).bit_count() % 4 for x, z in zip(x_masks, z_masks, strict=True)]
        units = np.asarray([1, 1j, -1, -1j])[turns]
        units = jnp.asarray(units).astype(self.dtype)
        return word_sums(self.indices, self._read(), *words, units)

    def norm(self) -> Float[Array, ""]:
        return jnp.linalg.norm(self._read())

    def overlap(self, other: AbstractState) -> Complex[Array, ""]:
        if not isinstance(other, SparseState):
            raise TypeError(
                "Argument `other` must be a SparseState, "
                f"but is {type(other).__name__}; use `from_vector` or `to_vector`."
            )
        rule = f"have {self.num_wires} wires"
        require(other.num_wires == self.num_wires, "other", rule, other.num_wires)
        theirs = looked_up(other.indices, other._read(), self.indices)
        return jnp.vdot(self._read(), theirs.astype(self.dtype))

    def sample(
        self, key: Key, shots: int, wires: Sequence[int] | None = None
    ) -> UInt8[Array, "shots k"]:
        """Measure `wires` (default all) `shots` times; see `qjax.simulate.sample`."""
        check_shots(shots)
        wires = resolve_wires(wires, self.num_wires)
        values = self._read()
        term = draw(key, values.real**2 + values.imag**2, shots)
        masks = wire_masks(wires, self.num_wires)
        return bits_of(self.indices, masks)[term]

    def to_vector(self) -> StateVector:
        """Return all amplitudes, zeros included.

        Raises:
            ValueError: If these are more than 24 wires.
        """
        rule = f"be at most {_MOST_DENSE_WIRES} for a vector"
        fits = self.num_wires <= _MOST_DENSE_WIRES
        require(fits, "num_wires", rule, self.num_wires)
        index = self.indices[:, 0].astype(jnp.int32)
        vector = jnp.zeros((2**self.num_wires,), self.dtype)
        # Free slots hold 0: where they go does not matter.
        vector = vector.at[jnp.maximum(index, 0)].add(self._read())
        return StateVector(vector.reshape((2,) * self.num_wires))

    def _read(self) -> Complex[Array, " t"]:
        """Return the values, or report that some did not fit."""
        if is_traced(self.needed):
            message = (
                "Argument `max_terms` must be at least the number of terms that each "
                "step needs (see `needed`), but is not."
            )
            return eqx.error_if(self.values, self.needed > self.max_terms, message)
        rule = f"be at least {self.needed}, the terms that a step needs"
        require(int(self.needed) <= self.max_terms, "max_terms", rule, self.max_terms)
        return self.values


# --- gates ----------------------------------------------------------------------------


def _pattern(matrix: Array | np.ndarray, diagonal: Sequence[bool]) -> np.ndarray:
    """Mark the entries of a matrix that may differ from zero."""
    if not is_traced(matrix):
        return np.asarray(matrix) != 0
    bits = np.indices((2,) * len(diagonal)).reshape(len(diagonal), -1)[diagonal]
    return (bits[:, :, None] == bits[:, None, :]).all(axis=0)


def _rows_by_column(pattern: np.ndarray) -> np.ndarray:
    """List the rows that each column may lead to, filled up with -1: shape (m, d)."""
    lists = [np.flatnonzero(column) for column in pattern.T]
    rows = np.full((max(map(len, lists), default=1) or 1, len(lists)), -1)
    for column, own in enumerate(lists):
        rows[: len(own), column] = own
    return rows.astype(np.int32)


@functools.partial(jax.jit, static_argnames="merge")
def _apply(
    state: SparseState,
    factors: Complex[Array, "m d"],
    rows: Int[Array, "m d"],
    masks: UInt32[Array, "k w"],
    control: UInt32[Array, "2 w"],
    merge: bool,
) -> tuple[Array, Array, Array]:
    """Replace each term by those that its column leads to, and add up equal ones."""
    indices, values = state.indices, state.values
    codes = codes_of(indices, masks)
    free = indices[:, 0] == EMPTY
    active = jnp.all(indices & control[0, None] == control[1, None], axis=1) & ~free
    other = indices & ~union(masks)[None]
    made, terms = [], []
    for choice in range(rows.shape[0]):
        row = rows[choice][codes]
        # Where a control is off the term stays, as the first choice.
        idle = ~active & (choice == 0)
        index = jnp.where(idle[:, None], indices, other | spread(row, masks))
        taken = idle | (active & (row >= 0))
        made.append(jnp.where(taken[:, None], index, EMPTY))
        value = jnp.where(idle, values, values * factors[choice][codes])
        terms.append(jnp.where(taken, value, 0))
    if not merge:
        return made[0], terms[0], state.needed
    merged = _merge(jnp.concatenate(made), jnp.concatenate(terms), values.shape[0])
    indices, values, number = merged
    return indices, values, jnp.maximum(state.needed, number)


def _merge(
    indices: UInt32[Array, "m w"], values: Complex[Array, " m"], capacity: int
) -> tuple[UInt32[Array, "t w"], Complex[Array, " t"], Int[Array, ""]]:
    """Add up the values of equal indices; keep those that are not zero."""
    order = sorting_order(indices)
    indices, values = indices[order], values[order]
    group = groups(indices)
    total = functools.partial(jax.ops.segment_sum, num_segments=len(values))
    sums = total(values, group)
    sizes = total(jnp.abs(jax.lax.stop_gradient(values)), group)
    heads = jnp.full(indices.shape, EMPTY).at[group].set(indices)
    kept = _is_there(sums, sizes) & (heads[:, 0] != EMPTY)
    place = jnp.where(kept, jnp.cumsum(kept) - 1, capacity)
    blank = jnp.full((capacity, indices.shape[1]), EMPTY)
    number = jnp.sum(kept, dtype=jnp.int32)
    values = jnp.zeros((capacity,), values.dtype).at[place].set(sums, mode="drop")
    return (
        blank.at[place].set(heads, mode="drop"),
        _poisoned(values, number),
        number,
    )


@jax.custom_jvp
def _is_there(
    sums: Complex[Array, " m"], sizes: Float[Array, " m"]
) -> Bool[Array, " m"]:
    """Say where a sum differs from zero by more than the rounding of its parts."""
    limit = _ROUNDINGS * float(jnp.finfo(sizes.dtype).eps)
    # The other way round, so that what is no number stays.
    return ~(jnp.abs(sums) <= limit * sizes)


@_is_there.defjvp
def _keep_all(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> Any:
    """While differentiating, keep zeros: their derivative need not be zero."""
    del tangents
    kept = jnp.ones(primals[0].shape, bool)
    return kept, np.zeros(kept.shape, jax.dtypes.float0)


def _poisoned(values: Complex[Array, " t"], number: Int[Array, ""]) -> Array:
    """Return NaNs if the terms did not fit: no number may look right by chance."""
    return jnp.where(number > values.shape[0], jnp.nan, values)
