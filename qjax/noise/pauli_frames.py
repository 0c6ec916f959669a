"""Pauli noise without matrices: words that are pushed past gates, and drawn.

A *frame* is a Pauli word up to its phase, X^x Z^z, as two masks (x, z): bit n - 1 - w
is wire w, as in the index of an amplitude. Gates that take words to words (Clifford
gates), or commute with them, may be done first and the word afterwards. A circuit then
falls into *segments*: its gates as they are, and behind them one random frame.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32

from qjax._types import Key, Wires
from qjax.circuits import Channel, Circuit, Gate, Repeat
from qjax.circuits.gates import pauli_matrix
from qjax.circuits.operation import AbstractOperation, AbstractUnitary, GateSpec
from qjax.noise.unravel import draw_choices

Masks = UInt32[np.ndarray, "_ 2"]

MAX_WIRES = 32
"""Wires that a mask has bits for."""

_WIDEST_IMAGES = 3
"""Gates on more wires are passed by no word that touches them."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """Gates, and channels whose drawn words are put behind all of the gates.

    Attributes:
        gates: Positions of the unitary operations, in an order of doing them.
        channels: Positions of the channels.
        frames: For each channel, what its words are behind the gates, shape (k, 2).
    """

    gates: tuple[int, ...]
    channels: tuple[int, ...]
    frames: tuple[Masks, ...]


def has_pauli_noise(circuit: Circuit) -> bool:
    """Say whether all that is random are Pauli mixtures, at most one `Repeat` deep."""
    inside = [
        inner
        for outer in circuit.operations
        for inner in (outer.operations if isinstance(outer, Repeat) else [outer])
    ]
    known = [isinstance(o, AbstractUnitary) or _is_pauli(o) for o in inside]
    return all(known) and circuit.num_wires <= MAX_WIRES


def as_repeats(circuit: Circuit) -> tuple[Repeat, ...]:
    """Write what stands between `Repeat`s as such, of depth 1."""
    repeats: list[Repeat] = []
    for repeated, group in itertools.groupby(
        circuit.operations, lambda operation: isinstance(operation, Repeat)
    ):
        run = tuple(group)
        if repeated:
            repeats += [one for one in run if isinstance(one, Repeat)]
        else:
            body = Circuit(run, circuit.num_wires)
            repeats.append(Repeat(jax.tree.map(lambda leaf: leaf[None], body), 1))
    return tuple(repeats)


def noiseless(body: Circuit, segment: Segment) -> Circuit:
    """Return a segment's gates as a circuit."""
    gates = [body.operations[position] for position in segment.gates]
    return Circuit(gates, body.num_wires)


def draw_frames(
    key: Key, repeats: Sequence[Repeat]
) -> tuple[UInt32[Array, "segments 2"], Float[Array, ""]]:
    """Draw every segment's frame: the choices that `draw_unitaries` makes of the key.

    Args:
        key: JAX random key.
        repeats: Unitary operations and Pauli mixtures, as from `as_repeats`.

    Returns:
        Frames of all segments of all repetitions in time order, and ln of the
        probability of the choices.

    Source: Pauli frames: Knill, Nature 434, 39 (2005).

    Example:
        >>> import jax
        >>> from qjax.circuits import Circuit, cx, h
        >>> from qjax.noise import bit_flip
        >>> from qjax.noise.pauli_frames import as_repeats, draw_frames
        >>> noisy = Circuit([h(0), bit_flip(1.0, 0), cx(0, 1)], 2)
        >>> draw_frames(jax.random.key(1), as_repeats(noisy))[0].tolist()
        [[3, 0]]
    """
    channels: list[Channel] = []
    tables: list[Masks] = []
    places: list[np.ndarray] = []
    total = 0
    for repeat in repeats:
        found = segments(repeat.body)
        of_channel = {
            position: (number, frames)
            for number, segment in enumerate(found)
            for position, frames in zip(segment.channels, segment.frames, strict=True)
        }
        # In time order, as `draw_unitaries` finds them.
        for position in sorted(of_channel):
            number, frames = of_channel[position]
            channel = repeat.body.operations[position]
            assert isinstance(channel, Channel)
            channels.append(channel)
            tables.append(frames)
            places.append(total + number + len(found) * np.arange(repeat.depth))
        total += len(found) * repeat.depth
    groups, log_prob = draw_choices(key, channels)
    drawn = [jnp.zeros((1, 2), jnp.uint32)]
    segment_of = [np.asarray([-1])]
    for members, index in groups:
        which = np.repeat(np.arange(len(members)), [len(places[m]) for m in members])
        drawn.append(jnp.asarray(np.stack([tables[m] for m in members]))[which, index])
        segment_of += [places[m] for m in members]
    rows = _rows_by_segment(np.concatenate(segment_of), total)
    words = jnp.concatenate(drawn)[rows]
    return jax.lax.reduce(words, np.uint32(0), jax.lax.bitwise_xor, (1,)), log_prob


def _rows_by_segment(segment_of: np.ndarray, total: int) -> np.ndarray:
    """List the rows of each segment, filled up with row 0, which belongs to none."""
    members = [np.flatnonzero(segment_of == segment) for segment in range(total)]
    width = max((len(rows) for rows in members), default=0)
    table = np.zeros((total, width), np.int32)
    for row, own in zip(table, members, strict=True):
        row[: len(own)] = own
    return table


# --- segments -------------------------------------------------------------------------


class _Growing:
    """A segment in the making: the words that were put in, where they are by now."""

    def __init__(self) -> None:
        self.gates: list[int] = []
        self.channels: list[int] = []
        self.sizes: list[int] = []
        self.masks = np.zeros((0, 2), np.uint32)

    def push(self, operation: AbstractUnitary, num_wires: int) -> bool:
        """Take all words past an operation, or none if one cannot pass."""
        codes = _local(self.masks, operation.wires, num_wires)
        if codes.any():
            narrow = len(operation.wires) <= _WIDEST_IMAGES
            if not (isinstance(operation, Gate) and narrow):
                return False
            codes = _images(operation.spec)[codes]
            if (codes < 0).any():
                return False
            self.masks = _with_local(self.masks, operation.wires, num_wires, codes)
        return True

    def add(self, channel: Channel, num_wires: int) -> None:
        assert channel.paulis is not None
        codes = np.asarray([_code(word) for word in channel.paulis])
        blank = np.zeros((len(codes), 2), np.uint32)
        words = _with_local(blank, channel.wires, num_wires, codes)
        self.masks = np.concatenate([self.masks, words])
        self.sizes.append(len(codes))

    def finished(self) -> Segment:
        ends = np.cumsum(self.sizes, dtype=int)
        frames = np.split(self.masks, ends)[: len(ends)]
        return Segment(tuple(self.gates), tuple(self.channels), tuple(frames))


def segments(body: Circuit) -> list[Segment]:
    """Put every operation into the earliest segment that its wires allow."""
    found, level_of = [_Growing()], [0] * body.num_wires
    for position, operation in enumerate(body.operations):
        level = max((level_of[wire] for wire in operation.wires), default=0)
        if isinstance(operation, Channel):
            found[level].add(operation, body.num_wires)
            found[level].channels.append(position)
        else:
            assert isinstance(operation, AbstractUnitary)
            if not found[level].push(operation, body.num_wires):
                # No word of the next segment can have come to these wires.
                level += 1
                if level == len(found):
                    found.append(_Growing())
            found[level].gates.append(position)
        for wire in operation.wires:
            level_of[wire] = level
    return [one.finished() for one in found]


def _is_pauli(operation: AbstractOperation) -> bool:
    return isinstance(operation, Channel) and operation.paulis is not None


# --- words ----------------------------------------------------------------------------


@functools.cache
def _images(spec: GateSpec) -> np.ndarray:
    """What U P U^dagger is for every word P on the gate's wires; -1 if it is none.

    Gates with parameters let pass, unchanged, the words that commute with them all.
    """
    words = ["".join(w) for w in itertools.product("IXYZ", repeat=spec.num_wires)]
    paulis = np.stack([pauli_matrix(word) for word in words])
    codes = np.asarray([_code(word) for word in words])
    images = np.full(len(words), -1)
    if spec.num_params == 0:
        gate = np.asarray(spec.matrix())
        moved = gate @ paulis @ gate.conj().T
        overlaps = abs(np.einsum("aij,bji->ab", moved, paulis)) / len(gate)
        images[codes] = np.where(
            overlaps.max(1) > 1 - 1e-6, codes[overlaps.argmax(1)], -1
        )
    elif spec.generator is not None:
        gap = spec.generator @ paulis - paulis @ spec.generator
        images[codes] = np.where(abs(gap).max((1, 2)) < 1e-6, codes, -1)
    images[0] = 0
    return images


def _code(word: str) -> int:
    """Read a word as digits x + 2 z, the first letter leading."""
    return functools.reduce(
        lambda code, letter: 4 * code + "IXZY".index(letter), word, 0
    )


def _local(masks: Masks, wires: Wires, num_wires: int) -> np.ndarray:
    """Codes of words on some wires."""
    codes = np.zeros(len(masks), int)
    for wire in wires:
        bits = masks >> np.uint32(num_wires - 1 - wire) & np.uint32(1)
        codes = 4 * codes + bits[:, 0] + 2 * bits[:, 1]
    return codes


def _with_local(masks: Masks, wires: Wires, num_wires: int, codes: np.ndarray) -> Masks:
    """Replace words on some wires."""
    for place, wire in enumerate(reversed(wires)):
        shift, digit = np.uint32(num_wires - 1 - wire), codes >> 2 * place
        bits = np.stack([digit & 1, digit >> 1 & 1], axis=1).astype(np.uint32)
        masks = masks & ~(np.uint32(1) << shift) | bits << shift
    return masks
