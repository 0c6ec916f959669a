"""Expectations of Pauli sums as <psi|(H psi)>, with H applied window by window."""

import functools
import operator
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qjax.circuits.gates import pauli_matrix
from qjax.circuits.observables import PauliSum, Word
from qjax.plan import Layout, cheapest_cover, default_cost_model
from qjax.simulate.fused import to_numbers
from qjax.states.batch import StateBatch
from qjax.states.vector import StateVector

_WIDEST_SPAN = 3
"""Words that span more wires go one by one: windows would have to overlap too much."""

_WIDEST_WINDOW = 6

_FEWEST_WIRES = 8
"""On fewer wires a pass for each word is as fast, and compiles faster."""

_SMALLEST_LOG_SIZE = 13
"""Fewer numbers are not done piece by piece: a loop costs more than it saves."""

_LARGEST_SIGN_TABLE = 2**16
"""Up to so many signs, diagonal sums are one matrix product with the probabilities."""

Cover = tuple[tuple[int, int, tuple[int, ...]], ...]
"""Windows start .. stop, each with the words that it takes."""


def takes_windows(state: StateVector, observable: PauliSum) -> bool:
    """Say whether H psi is cheaper than one pass over the state for each word."""
    return state.num_wires >= _FEWEST_WIRES and len(observable.words) > 1


def sum_expectations(
    batch: StateBatch, observables: Sequence[PauliSum]
) -> Float[Array, "batch t"]:
    """Return the expectations of several Pauli sums in every state of a batch."""
    letters = {a for o in observables for word in o.words for _, a in word}
    num_wires, terms = batch.num_wires, sum(len(o.words) for o in observables)
    if letters <= {"Z"} and terms * 2**num_wires <= _LARGEST_SIGN_TABLE:
        dtype = jnp.finfo(batch.dtype).dtype
        rows = []
        for observable in observables:
            own = jnp.asarray(observable.coefficients).astype(dtype)
            signs = np.stack([_signs(word, num_wires) for word in observable.words])
            rows.append(jnp.tensordot(own, jnp.asarray(signs, dtype), 1))
        flat = batch.amplitudes.reshape(2**num_wires, -1)
        weights = flat.real**2 + flat.imag**2
        high = jax.lax.Precision.HIGHEST
        return jnp.matmul(jnp.stack(rows), weights, precision=high).T
    return jnp.stack([sum_expectation(batch, o) for o in observables], axis=-1)


def _signs(word: Word, num_wires: int) -> np.ndarray:
    """Return the diagonal of a word of Zs."""
    index = np.arange(2**num_wires)
    bits = [index >> (num_wires - 1 - wire) & 1 for wire, _ in word]
    return 1 - 2 * (sum(bits, np.zeros_like(index)) % 2)


def sum_expectation(
    state: StateVector | StateBatch, observable: PauliSum
) -> Float[Array, "*batch"]:
    """Return <psi| sum_j c_j P_j |psi>, for every state of a batch.

    Words on neighbouring wires are added up to one matrix for each window of wires, so
    the cost is one matrix product for each window, not a pass for each word, and the
    gradient 2 H psi costs nothing more.
    """
    numbers = to_numbers(state).reshape(2, 2**state.num_wires, -1)
    dtype = numbers.dtype
    coefficients = jnp.asarray(observable.coefficients).astype(dtype)
    batch = numbers.shape[-1]
    log_batch = max(batch.bit_length() - 1, int(batch > 1))
    cover, wide = cover_words(observable.words, state.num_wires, log_batch, dtype.name)
    total = jnp.zeros(batch, dtype)
    if cover:
        total = _energy(cover, observable.words, state.num_wires, coefficients, numbers)
    for j in wide:
        x, z = (mask[j] for mask in observable.masks(state.num_wires))
        total = total + coefficients[j] * _word_expectation(state, x, z)
    return total if isinstance(state, StateBatch) else total[0]


def _word_expectation(
    state: StateVector | StateBatch, x: int, z: int
) -> Float[Array, " batch"]:
    if isinstance(state, StateVector):
        return state.expect_paulis((x,), (z,))
    return jax.vmap(lambda each: each.expect_paulis((x,), (z,))[0])(state.unstack())


@functools.lru_cache(maxsize=256)
def cover_words(
    words: tuple[Word, ...], num_wires: int, log_batch: int, dtype: str
) -> tuple[Cover, tuple[int, ...]]:
    """Give every narrow word to one window; list the wide ones."""
    spans = [word[-1][0] - word[0][0] + 1 if word else 1 for word in words]
    narrow = [j for j, span in enumerate(spans) if span <= _WIDEST_SPAN]
    wide = tuple(j for j, span in enumerate(spans) if span > _WIDEST_SPAN)
    overlap = max((spans[j] for j in narrow), default=1) - 1
    cost = default_cost_model(jax.default_backend(), dtype)
    # The part, real or imaginary, is one more axis to the left of every window.
    layout = Layout(num_wires, carry=False, log_batch=log_batch)
    size = min(_WIDEST_WINDOW, num_wires)
    windows = cheapest_cover(layout, cost, size, overlap) or ((0, num_wires),)
    taken: dict[tuple[int, int], list[int]] = {}
    for j in narrow:
        wires = [wire for wire, _ in words[j]] or [0]
        home = next(w for w in windows if w[0] <= wires[0] and wires[-1] < w[1])
        taken.setdefault(home, []).append(j)
    return tuple((*window, tuple(own)) for window, own in taken.items()), wide


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _energy(
    cover: Cover,
    words: tuple[Word, ...],
    num_wires: int,
    coefficients: Float[Array, " t"],
    numbers: Float[Array, "2 d batch"],
) -> Float[Array, " batch"]:
    applied = _apply(cover, words, num_wires, coefficients, numbers)
    return _dots(numbers, applied)


@functools.partial(_energy.defjvp, symbolic_zeros=True)
def _energy_derivative(cover, words, num_wires, primals, tangents):
    coefficients, numbers = primals
    changes, moved = tangents
    applied = _apply(cover, words, num_wires, coefficients, numbers)
    value = _dots(numbers, applied)
    tangent = jnp.zeros_like(value)
    if not isinstance(moved, jax.custom_derivatives.SymbolicZero):
        tangent = tangent + 2 * jnp.sum(applied * moved, axis=(0, 1))
    if not isinstance(changes, jax.custom_derivatives.SymbolicZero):
        # The energy is linear in the coefficients: H with the changes in their place.
        with_changes = _apply(cover, words, num_wires, changes, numbers)
        tangent = tangent + jnp.sum(numbers * with_changes, axis=(0, 1))
    return value, tangent


def _dots(left: Float[Array, "2 d batch"], right: Float[Array, "2 d batch"]) -> Array:
    """Multiply column by column; one pair as vectors, which is faster than a sum."""
    if left.shape[-1] > 1:
        return jnp.sum(left * right, axis=(0, 1))
    high = jax.lax.Precision.HIGHEST
    return jnp.dot(left.reshape(-1), right.reshape(-1), precision=high)[None]


def _apply(
    cover: Cover,
    words: tuple[Word, ...],
    num_wires: int,
    coefficients: Float[Array, " t"],
    numbers: Float[Array, "2 d batch"],
) -> Float[Array, "2 d batch"]:
    """Return H psi, real part and imaginary part.

    Windows that do not see the first wires are done piece by piece, those wires and the
    part being fixed: so their results stay in the cache, and XLA does not merge them
    with the sum that follows into one kernel, which takes several times as long.
    """
    fixed = _fixed_wires(num_wires, numbers)
    whole: list[Array] = []
    pieced: list[tuple[int, Array]] = []
    for start, stop, members in cover:
        matrices = np.stack([word_matrix(words[j], start, stop) for j in members])
        real, imag = np.real(matrices), np.imag(matrices)
        own = coefficients[np.asarray(members)]
        if np.any(real):
            matrix = jnp.tensordot(own, jnp.asarray(real, own.dtype), 1)
            if fixed is not None and start >= fixed:
                pieced.append((2 ** (start - fixed), matrix))
            else:
                whole.append(_window(matrix, numbers, 2 ** (start + 1)))
        if np.any(imag):
            matrix = jnp.tensordot(own, jnp.asarray(imag, own.dtype), 1)
            upper, lower = _window(matrix, numbers, 2 ** (start + 1))
            whole.append(jnp.stack([-lower, upper]))
    if whole:
        whole = [functools.reduce(operator.add, whole)]
    if not pieced:
        return whole[0]

    assert fixed is not None
    pieces = [each.reshape(2 ** (fixed + 1), -1) for each in (*whole, numbers)]

    def cut(index: Array | int) -> list[Array]:
        take = jax.lax.dynamic_index_in_dim
        return [take(each, index, keepdims=False) for each in pieces]

    def step(now: list[Array], following: Array) -> tuple[list[Array], Array]:
        *done, piece = now
        done += [_window(matrix, piece, left) for left, matrix in pieced]
        return cut(following), functools.reduce(operator.add, done)

    # A piece is cut one turn ahead: otherwise XLA copies it anew for every window.
    following = jnp.arange(1, 2 ** (fixed + 1) + 1)
    return jax.lax.scan(step, cut(0), following)[1].reshape(numbers.shape)


def _fixed_wires(num_wires: int, numbers: Float[Array, "2 d batch"]) -> int | None:
    """Count the wires to fix for pieces that fit a cache; None for no pieces."""
    cost = default_cost_model(jax.default_backend(), numbers.dtype.name)
    if cost.log_piece is None or numbers.size < 2**_SMALLEST_LOG_SIZE:
        return None
    half = (numbers.size // 2).bit_length() - 1
    return min(max(half - cost.log_piece, 0), num_wires)


def word_matrix(word: Word, start: int, stop: int) -> np.ndarray:
    """Return the matrix of a word on the wires of a window."""
    letters = dict(word)
    return pauli_matrix("".join(letters.get(w, "I") for w in range(start, stop)))


def _window(matrix: Float[Array, "k k"], numbers: Array, left: int) -> Array:
    """Multiply numbers, seen as (left, k, right), by a real matrix."""
    rows = matrix.shape[0]
    view = numbers.reshape(left, rows, -1)
    high = jax.lax.Precision.HIGHEST
    if view.shape[2] == 1:
        done = jnp.matmul(view[..., 0], matrix.T, precision=high)
    else:
        many = jnp.broadcast_to(matrix, (left, rows, rows))
        done = jnp.matmul(many, view, precision=high)
    return done.reshape(numbers.shape)
