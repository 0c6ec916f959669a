"""Expectations of Pauli sums on sharded states: <psi|(H psi)>, shard by shard."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int

from qjax._types import Wires
from qjax.circuits.observables import (
    AbstractObservable,
    PauliSum,
    Word,
    check_observable,
)
from qjax.parallel.mesh import STATE
from qjax.parallel.path import always, device_index, send
from qjax.parallel.state import ShardedState
from qjax.plan.alone import by_itself
from qjax.simulate.energy import cover_words, word_matrix
from qjax.simulate.measure import cast_like

_FEWEST_WORDS = 8
"""Fewer words are done one by one, in one pass."""

_FEWEST_PIECES = 8
_LARGEST_PIECE = 2**17
"""Numbers of a piece at most: with its product it stays in a core's cache."""

Shard = Float[Array, " size"]


@dataclasses.dataclass(frozen=True)
class _Term:
    """A word as a device sees it: <d| P |d ^ flip> = (-i)^turns (-1)^|d & signs| P'.

    Attributes:
        flip: Outer wires with an X or Y, as bits of the device's number.
        signs: Outer wires with a Z or Y.
        turns: Number of outer wires with a Y.
        word: P', on the axes of the shard.
    """

    flip: int
    signs: int
    turns: int
    word: Word


@dataclasses.dataclass(frozen=True)
class _Setting:
    terms: tuple[_Term, ...]
    mesh: Mesh
    num_outer: int
    num_inner: int


def expectation(
    state: ShardedState, observable: PauliSum | Sequence[PauliSum]
) -> Float[Array, "*t"]:
    """Return <psi|O|psi> of a state that is spread over devices.

    Words whose X and Y lie on inner wires need no communication. For all others that
    flip the same outer wires, every device gets one other device's shard.

    Args:
        state: State of n wires.
        observable: One Pauli sum, or a sequence of t of them.

    Returns:
        A real scalar, or shape (t,) for a sequence; the same on all devices.

    Raises:
        ValueError: If a word acts outside the state's wires.
        TypeError: If it is no Pauli sum.

    Source: Born rule.

    Example:
        >>> from qjax import parallel
        >>> from qjax.circuits import pauli
        >>> state = parallel.ShardedState.zeros(2, parallel.device_mesh(1))
        >>> float(parallel.expectation(state, pauli("ZZ", (0, 1))))
        1.0
    """
    if isinstance(observable, Sequence):
        return jnp.stack([expectation(state, one) for one in observable])
    checked: AbstractObservable = check_observable(observable, state.num_wires)
    if not isinstance(checked, PauliSum):
        raise TypeError(
            "Argument `observable` must be a PauliSum on a ShardedState, "
            f"but is {type(checked).__name__}."
        )
    outer = state.num_outer
    terms = tuple(_term(word, state.order, outer) for word in checked.words)
    setting = _Setting(terms, state.mesh, outer, state.num_wires - outer)
    coefficients = cast_like(checked.coefficients, state.numbers)
    return _energy(setting, coefficients, state.numbers)


def _term(word: Word, order: Wires, num_outer: int) -> _Term:
    flip = signs = turns = 0
    inner = []
    for wire, letter in word:
        place = order.index(wire)
        if place >= num_outer:
            inner.append((place - num_outer, letter))
            continue
        bit = 1 << (num_outer - 1 - place)
        flip |= bit if letter in "XY" else 0
        signs |= bit if letter in "YZ" else 0
        turns += letter == "Y"
    return _Term(flip, signs, turns, tuple(sorted(inner)))


@functools.partial(jax.jit, static_argnums=0)
def _energy(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Array
) -> Float[Array, ""]:
    return _bilinear(setting, coefficients, numbers)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _bilinear(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Array
) -> Float[Array, ""]:
    return _value(setting, coefficients, numbers)[0]


def _value(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Array
) -> tuple[Float[Array, ""], Array]:
    """Return the energy, and H psi."""

    def shard(coefficients: Array, numbers: Array) -> tuple[Array, Array]:
        applied = _apply(setting, coefficients, numbers[0])
        high = jax.lax.Precision.HIGHEST
        part = jnp.dot(numbers[0], applied, precision=high)
        return jax.lax.psum(part, STATE), applied[None]

    none, spec = PartitionSpec(), PartitionSpec(STATE)
    return jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(none, spec),
        out_specs=(none, spec),
        check_vma=False,
    )(coefficients, numbers)


def _forward(
    setting: _Setting, coefficients: Any, numbers: Any
) -> tuple[Float[Array, ""], tuple[Array, Array | None, Array]]:
    value, applied = _value(setting, coefficients.value, numbers.value)
    # The energy is linear in the coefficients: their slopes are the words' values.
    kept = numbers.value if coefficients.perturbed else None
    return value, (coefficients.value, kept, applied)


def _backward(
    setting: _Setting,
    residuals: tuple[Array, Array | None, Array],
    cotangent: Array | jax.custom_derivatives.SymbolicZero,
) -> tuple[Array | None, Array | None]:
    coefficients, numbers, applied = residuals
    if isinstance(cotangent, jax.custom_derivatives.SymbolicZero):
        return None, None
    slopes = None
    if numbers is not None:
        slopes = cotangent * _slopes(setting, coefficients, numbers)
    return slopes, 2 * cotangent * applied


_bilinear.defvjp(_forward, _backward, symbolic_zeros=True)


def _slopes(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Array
) -> Float[Array, " t"]:
    """Return the expectation of every word."""

    def shard(coefficients: Array, numbers: Array) -> Array:
        own = numbers[0]
        _, pull = jax.vjp(lambda c: _apply(setting, c, own), coefficients)
        return jax.lax.psum(pull(own)[0], STATE)

    return jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(PartitionSpec(), PartitionSpec(STATE)),
        out_specs=PartitionSpec(),
        check_vma=False,
    )(coefficients, numbers)


def _apply(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Shard
) -> Shard:
    """Return a device's shard of H psi."""
    total = jnp.zeros_like(numbers)
    for flip in sorted({term.flip for term in setting.terms}):

        def add(total: Shard, numbers: Shard, flip: int = flip) -> Shard:
            return total + _flipped(setting, flip, coefficients, numbers)

        # One after the other: there is room for one other device's shard.
        total = by_itself(always(STATE) if flip else None, add, total, numbers)
    return total


def _flipped(
    setting: _Setting, flip: int, coefficients: Float[Array, " t"], numbers: Shard
) -> Shard:
    """Return what the words that flip these outer wires make of psi."""
    if flip:
        numbers = send(numbers, flip, setting.num_outer, STATE)
    total = jnp.zeros_like(numbers)
    for odd in (0, 1):
        terms = [
            (j, term)
            for j, term in enumerate(setting.terms)
            if term.flip == flip and term.turns % 2 == odd
        ]
        if terms:
            weights = coefficients[np.asarray([j for j, _ in terms])]
            weights = weights * _signs([term for _, term in terms], weights)
            words = tuple(term.word for _, term in terms)
            done = _apply_words(words, setting.num_inner, weights, numbers)
            total = total - _times_i(done) if odd else total + done
    return total


def _signs(terms: Sequence[_Term], like: Array) -> Float[Array, " t"]:
    """Return the signs of words on a device, (-i)^turns but for a factor -i."""
    index = device_index(STATE)
    masks = np.asarray([term.signs for term in terms], np.int32)
    turned = np.asarray([term.turns // 2 for term in terms], np.int32)
    odd = (jax.lax.population_count(index & masks) + turned) & 1
    return (1 - 2 * odd).astype(like.dtype)


def _apply_words(
    words: tuple[Word, ...], num_wires: int, weights: Float[Array, " t"], numbers: Shard
) -> Shard:
    """Return sum_j w_j P_j psi on one shard; words may occur several times."""
    cover, alone = (), range(len(words))
    if len(words) >= _FEWEST_WORDS:
        cover, alone = cover_words(words, num_wires, 0, numbers.dtype.name)
    total = jnp.zeros_like(numbers)
    for start, stop, members in cover:
        matrices = np.stack([word_matrix(words[j], start, stop) for j in members])
        own = weights[np.asarray(members)]
        for part, turned in ((np.real(matrices), False), (np.imag(matrices), True)):
            if part.any():
                matrix = jnp.tensordot(own, jnp.asarray(part, own.dtype), 1)
                source = _times_i(numbers) if turned else numbers
                total = _add_window(total, matrix, 2 ** (start + 1), source)
    for j in alone:
        total = total + weights[j] * _apply_word(words[j], num_wires, numbers)
    return total


def _add_window(
    total: Shard, matrix: Float[Array, "k k"], left: int, numbers: Shard
) -> Shard:
    """Add a real matrix times numbers, seen as (left, k, right), piece by piece.

    A loop that adds in place needs room for one piece, and XLA cannot merge it with
    those of other windows, all of whose products would then be there at a time.
    """
    size = matrix.shape[0]
    right = numbers.size // (left * size)
    most = max(_FEWEST_PIECES, numbers.size // _LARGEST_PIECE)
    count = min(most, max(left, right))
    if left >= right:
        shape = (count, left // count, size, right)
        axis = 0
    else:
        shape = (left, size, count, right // count)
        axis = 2
    view = numbers.reshape(shape)

    def add(index: Int[Array, ""], total: Array) -> Array:
        take = functools.partial(jax.lax.dynamic_index_in_dim, axis=axis)
        piece = take(view, index, keepdims=False)
        high = jax.lax.Precision.HIGHEST
        done = jnp.einsum(
            "ij,ljr->lir",
            matrix,
            piece.reshape(-1, size, piece.shape[-1]),
            precision=high,
        ).reshape(piece.shape)
        new = take(total, index, keepdims=False) + done
        return jax.lax.dynamic_update_index_in_dim(total, new, index, axis)

    return jax.lax.fori_loop(0, count, add, total.reshape(shape)).reshape(-1)


def _times_i(numbers: Shard) -> Shard:
    real, imag = jnp.split(numbers, 2)
    return jnp.concatenate([-imag, real])


def _apply_word(word: Word, num_wires: int, numbers: Shard) -> Shard:
    """Apply one Pauli word: flips, signs, and a power of i."""
    tensor = numbers.reshape((2,) * (num_wires + 1))
    turns = 0
    for wire, letter in word:
        axis = 1 + wire
        if letter in "YZ":  # Y = i X Z
            shape = [1] * tensor.ndim
            shape[axis] = 2
            signs = np.asarray([1, -1], numbers.dtype).reshape(shape)
            tensor = tensor * signs
        if letter in "XY":
            tensor = jnp.flip(tensor, axis)
        turns += letter == "Y"
    done = tensor.reshape(-1)
    if turns % 2:
        done = _times_i(done)
    return -done if turns % 4 > 1 else done
