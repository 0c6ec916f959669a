"""Pauli words as bit masks: generators of gates, moved through other gates.

A word Z^z X^x has one bit of x and of z for each wire, and acts on amplitudes as
(Z^z X^x a)[b] = (-1)^|z & b| a[b ^ x]. Wire 0 is the most significant bit. A sum of
words is a dictionary from (x, z) to coefficients.
"""

import functools

import numpy as np

from qjax._types import Wires
from qjax.circuits.operation import (
    AbstractOperation,
    Controlled,
    Gate,
    GateSpec,
)

Words = dict[tuple[int, int], complex]

MAX_WORDS = 4
"""A generator of more words than this is not moved: each word costs a pass."""

_WIDEST = 6
"""A generator on more wires than this is not written as words."""


def is_rotation(operation: AbstractOperation) -> bool:
    """Say whether an operation is exp(-i t G) for its single number t."""
    if isinstance(operation, Controlled):
        return is_rotation(operation.operation)
    return isinstance(operation, Gate) and operation.spec.generator is not None


def generator(operation: AbstractOperation, num_wires: int) -> Words | None:
    """Return G of exp(-i t G) without its multiple of the identity, a mere phase."""
    if not is_rotation(operation) or len(operation.wires) > _WIDEST:
        return None
    words = _on_wires(_local_words(_matrix(operation)), operation.wires, num_wires)
    words.pop((0, 0), None)
    return words


def moved(
    words: Words, operation: AbstractOperation, num_wires: int, *, forwards: bool
) -> Words | None:
    """Return W with W V = V words (forwards) or V W = words V, V the operation.

    None if that is not known from the operation's structure alone, or has many words.
    """
    support = _mask(operation.wires, num_wires)
    if not any((x | z) & support for x, z in words):
        return words
    if isinstance(operation, Gate) and not operation.spec.num_params:
        return _conjugated(words, operation, num_wires, forwards)
    own = generator(operation, num_wires)
    if own is not None and all(_commute(a, b) for a in words for b in own):
        return words
    return None


def real_words(words: Words, num_wires: int) -> list[tuple[int, int, float]]:
    """Write -i G on (real part, imaginary part): words with one more bit in front.

    A word of a Hermitian sum has a real coefficient, and -i then trades the parts, or
    an imaginary one.
    """
    carry = 1 << num_wires
    return [
        (x | carry, z | carry, c.real) if abs(c.real) > abs(c.imag) else (x, z, c.imag)
        for (x, z), c in words.items()
    ]


def _commute(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return ((a[0] & b[1]).bit_count() + (a[1] & b[0]).bit_count()) % 2 == 0


def _conjugated(
    words: Words, gate: Gate, num_wires: int, forwards: bool
) -> Words | None:
    result: Words = {}
    outside = ~_mask(gate.wires, num_wires)
    for (x, z), coefficient in words.items():
        local = (_local(x, gate.wires, num_wires), _local(z, gate.wires, num_wires))
        images = _on_wires(_image(gate.spec, local, forwards), gate.wires, num_wires)
        for (u, v), factor in images.items():
            word = (x & outside | u, z & outside | v)
            result[word] = result.get(word, 0) + coefficient * factor
    result = _without_zeros(result)
    return result if len(result) <= MAX_WORDS else None


@functools.lru_cache(maxsize=4096)
def _image(spec: GateSpec, word: tuple[int, int], forwards: bool) -> Words:
    """V P V^dagger, or V^dagger P V, on the gate's own wires."""
    gate, basis = np.asarray(spec.matrix()), np.arange(2**spec.num_wires)
    dense = np.zeros(gate.shape, complex)
    dense[basis, basis ^ word[0]] = _signs(basis & word[1])
    left = gate if forwards else gate.conj().T
    return _local_words(left @ dense @ left.conj().T)


def _matrix(operation: AbstractOperation) -> np.ndarray:
    if isinstance(operation, Gate):
        assert operation.spec.generator is not None
        return operation.spec.generator
    assert isinstance(operation, Controlled)
    inner = _matrix(operation.operation)
    projector = np.zeros((2 ** len(operation.controls),) * 2)
    chosen = int("".join(map(str, operation.values)), 2)
    projector[chosen, chosen] = 1
    return np.kron(projector, inner)


def _local_words(matrix: np.ndarray) -> Words:
    """Expand a matrix: Z^z X^x has the entries (-1)^|z & b| at (b, b ^ x)."""
    basis = np.arange(len(matrix))
    signs = _signs(basis[:, None] & basis)
    bands = matrix[basis, basis ^ basis[:, None]]
    table = bands @ signs / len(matrix)
    words = {(int(x), int(z)): complex(table[x, z]) for x, z in np.argwhere(table)}
    return _without_zeros(words)


def _without_zeros(words: Words) -> Words:
    return {word: c for word, c in words.items() if abs(c) > 1e-12}


def _signs(bits: np.ndarray) -> np.ndarray:
    return 1 - 2 * (np.bitwise_count(bits) % 2).astype(int)


def _mask(wires: Wires, num_wires: int) -> int:
    return sum(1 << (num_wires - 1 - wire) for wire in wires)


def _local(mask: int, wires: Wires, num_wires: int) -> int:
    """The bits of a mask on `wires`, the first of them leading."""
    bits = 0
    for wire in wires:
        bits = 2 * bits + (mask >> (num_wires - 1 - wire) & 1)
    return bits


def _on_wires(words: Words, wires: Wires, num_wires: int) -> Words:
    """Spread words of few bits over the bits of the wires that they mean."""

    def spread(bits: int) -> int:
        places = zip(reversed(wires), range(len(wires)), strict=True)
        return sum((bits >> i & 1) << (num_wires - 1 - wire) for wire, i in places)

    return {(spread(x), spread(z)): c for (x, z), c in words.items()}
