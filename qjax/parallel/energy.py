"""Expectations of Pauli sums on sharded states: <psi|(H psi)>, shard by shard."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int

from qjax._types import Wires
from qjax.circuits.observables import AbstractObservable, PauliSum, Word
from qjax.parallel.mesh import STATE
from qjax.parallel.path import device_index, send
from qjax.parallel.state import ShardedState
from qjax.simulate.energy import apply_cover, cover_words
from qjax.simulate.measure import cast_like, check_observable

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
    return _forward(setting, coefficients, numbers)[0]


def _forward(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Array
) -> tuple[Float[Array, ""], tuple[Array, Array, Array]]:
    def shard(coefficients: Array, numbers: Array) -> tuple[Array, Array]:
        applied = _apply(setting, coefficients, numbers[0])
        high = jax.lax.Precision.HIGHEST
        part = jnp.dot(numbers[0], applied, precision=high)
        return jax.lax.psum(part, STATE), applied[None]

    none, spec = PartitionSpec(), PartitionSpec(STATE)
    value, applied = jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(none, spec),
        out_specs=(none, spec),
        check_vma=False,
    )(coefficients, numbers)
    return value, (coefficients, numbers, applied)


def _backward(
    setting: _Setting, residuals: tuple[Array, Array, Array], cotangent: Array
) -> tuple[Array, Array]:
    coefficients, numbers, applied = residuals

    def shard(coefficients: Array, numbers: Array) -> Array:
        own = numbers[0]
        _, pull = jax.vjp(lambda c: _apply(setting, c, own), coefficients)
        return jax.lax.psum(pull(own)[0], STATE)

    # The energy is linear in the coefficients: their slopes are the words' values.
    values = jax.shard_map(
        shard,
        mesh=setting.mesh,
        in_specs=(PartitionSpec(), PartitionSpec(STATE)),
        out_specs=PartitionSpec(),
        check_vma=False,
    )(coefficients, numbers)
    return cotangent * values, 2 * cotangent * applied


_bilinear.defvjp(_forward, _backward)


def _apply(
    setting: _Setting, coefficients: Float[Array, " t"], numbers: Shard
) -> Shard:
    """Return a device's shard of H psi."""
    index = device_index(STATE)
    total = jnp.zeros_like(numbers)
    for flip in sorted({term.flip for term in setting.terms}):
        other = numbers
        if flip:
            other = send(numbers, flip, setting.num_outer, STATE)
        for odd in (0, 1):
            terms = [
                (j, term)
                for j, term in enumerate(setting.terms)
                if term.flip == flip and term.turns % 2 == odd
            ]
            if not terms:
                continue
            weights = coefficients[np.asarray([j for j, _ in terms])]
            weights = weights * _signs([term for _, term in terms], index, weights)
            words = tuple(term.word for _, term in terms)
            done = _apply_words(words, setting.num_inner, weights, other)
            if odd:  # times -i
                real, imag = jnp.split(done, 2)
                done = jnp.concatenate([imag, -real])
            total = total + done
    return total


def _signs(
    terms: Sequence[_Term], index: Int[Array, ""], like: Array
) -> Float[Array, " t"]:
    """Return the signs of words on a device, (-i)^turns but for a factor -i."""
    masks = np.asarray([term.signs for term in terms], np.int32)
    turned = np.asarray([term.turns // 2 for term in terms], np.int32)
    odd = (jax.lax.population_count(index & masks) + turned) & 1
    return (1 - 2 * odd).astype(like.dtype)


def _apply_words(
    words: tuple[Word, ...], num_wires: int, weights: Float[Array, " t"], numbers: Shard
) -> Shard:
    """Return sum_j w_j P_j psi on one shard; words may occur several times."""
    dtype = numbers.dtype
    cover, wide = cover_words(words, num_wires, 0, dtype.name)
    total = jnp.zeros_like(numbers)
    if cover:
        view = numbers.reshape(2, -1, 1)
        total = apply_cover(cover, words, num_wires, weights, view).reshape(-1)
    for j in wide:
        total = total + weights[j] * _apply_word(words[j], num_wires, numbers)
    return total


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
    real, imag = jnp.split(tensor.reshape(-1), 2)
    for _ in range(turns % 4):  # times i
        real, imag = -imag, real
    return jnp.concatenate([real, imag])
