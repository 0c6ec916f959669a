"""Data structures so simple that their memory and errors are exact rationals.

A statement about *any* data structure must survive these. They refute a bound that
forgot the number of elements, has a pole, or grows with a resource that a structure
need not use.
"""

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

# Stored elements and block sizes: the smallest of each, and one that is not a power
# of two. Larger ones only scale the same sides.
SIZES = ((1, 2), (1, 4), (2, 2), (2, 5))
ALLOWANCES = (1, 4, 16, 64)
"""Error allowances 2^-k that an exact structure meets."""


@dataclasses.dataclass(frozen=True)
class TrivialStructure:
    """A structure by the roles of `ROLES`, as exact numbers.

    Attributes:
        name: What it is and its size.
        roles: Value by role.
    """

    name: str
    roles: dict[str, Any]


def trivial_structures(
    noise_levels: tuple[Fraction, ...],
    layer_counts: tuple[int, ...],
    layers_at_most: bool,
) -> Iterator[TrivialStructure]:
    """Empty memories, exact bit vectors and lists, noisy bits with and without copies.

    Args:
        noise_levels: Replacement probabilities epsilon in [0, 1] per layer.
        layer_counts: Numbers T of noise layers.
        layers_at_most: Whether T is a budget: a structure that suffers no layer at all
            then belongs to the class of every T and of every epsilon.

    Returns:
        Structures, the strongest killers first.

    Source: theory of bounds, section 3.1; proofs/literal_a.md.
    """
    for noise in noise_levels:
        for layers in layer_counts:
            quiet = noise == 0 or layers == 0 or layers_at_most
            if quiet:
                yield from _exact_structures(noise, layers)
            if layers <= 128:  # exact rationals grow with every layer
                yield from _noisy_bits(noise, layers)
            yield from _empty_memories(noise, layers)


def _record(
    name: str, memory: int, size: tuple[int, int], accept: tuple, noise, layers: int
) -> TrivialStructure:
    items, block = size
    member, other = accept
    label = f"{name}: n={items}, b={block}, m={memory}, eps={noise}, T={layers}"
    if len(label) > 120:
        label = f"{name}: n={items}, b={block}, m={memory}, T={layers}"
    roles = {
        "memory": memory,
        "items": items,
        "block_size": block,
        "universe": items * block,
        "member_acceptance": member,
        "other_acceptance": other,
        "false_positive": other,
        "false_negative": 1 - member,
        "survival": 1 - noise,
        "noise": noise,
        "layers": layers,
    }
    return TrivialStructure(label, roles)


def _exact_structures(noise: Fraction, layers: int) -> Iterator[TrivialStructure]:
    """Errors 0, so that every allowance 2^-k on both errors is met as well."""
    errors = [Fraction(1, 2 ** (k + 1)) for k in ALLOWANCES] + [Fraction(0)]
    for items, block in SIZES:
        list_bits = items * math.ceil(math.log2(block))
        for error in errors:
            accept = (1 - error, error)
            size = (items, block)
            bits = f"bit vector, errors allowed {_power(error)}"
            yield _record(bits, items * block, size, accept, noise, layers)
            listed = f"sorted list, errors allowed {_power(error)}"
            yield _record(listed, list_bits, size, accept, noise, layers)


def _power(error: Fraction) -> str:
    return "0" if error == 0 else f"2^-{error.denominator.bit_length() - 1}"


def _noisy_bits(noise: Fraction, layers: int) -> Iterator[TrivialStructure]:
    """Computational-basis bits: T layers flip each with probability (1-lambda^T)/2."""
    flip = (1 - (1 - noise) ** layers) / 2
    accept = (1 - flip, flip)
    for items, block in SIZES:
        memory = items * block
        yield _record("noisy bit vector", memory, (items, block), accept, noise, layers)
    yield _record("noisy bit per block", 2, (2, 2), accept, noise, layers)
    if layers > 16:
        return
    for copies in (3, 9):
        wrong = repetition_error(flip, copies)
        accept = (1 - wrong, wrong)
        yield _record("repetition code", copies, (1, 2), accept, noise, layers)


def _empty_memories(noise: Fraction, layers: int) -> Iterator[TrivialStructure]:
    """No memory: every query is accepted with the same probability."""
    for items, block in SIZES:
        for rate in (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)):
            name = f"empty memory, accept with probability {rate}"
            yield _record(name, 0, (items, block), (rate, rate), noise, layers)


def repetition_error(flip: Any, copies: int) -> Any:
    """Probability that the majority of `copies` independent bits is wrong.

    sum_{k > r/2} C(r, k) f^k (1-f)^{r-k}, exact if `flip` is a Fraction.

    Args:
        flip: f in [0, 1/2], the probability that one bit is wrong.
        copies: r, odd and at least 1.

    Returns:
        A number of the type of `flip`.

    Example:
        >>> from fractions import Fraction
        >>> from qjax.bounds.memory.trivial import repetition_error
        >>> repetition_error(Fraction(1, 4), 3)
        Fraction(5, 32)
    """
    wrong = range(copies // 2 + 1, copies + 1)
    return sum(
        math.comb(copies, k) * flip**k * (1 - flip) ** (copies - k) for k in wrong
    )
