"""Operations split over wires: strings of one-wire matrices, and tables of them.

A gate on a chain is a sum over k < r of products F_1[k] (x) F_2[k] (x) ... of one-wire
matrices: r = 2 for a controlled gate on any number of wires or the rotation of a Pauli
word, r = 4 for any matrix on two wires.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from qjax._linalg import pauli_words
from qjax._types import Wires
from qjax.circuits.builders import ccx, cx
from qjax.circuits.circuit import Repeat
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Controlled,
    Gate,
    Measure,
    Reset,
    walk,
)
from qjax.plan.pool import PROJECTORS, RESETS, Pool
from qjax.plan.wiring import diagonal_wires
from qjax.states.mps.strings import controlled_factors, pauli_factors

_CONTROLS = {"CCX": 2, "CCZ": 2}
"""Controls of gates of the table on three wires; the rest of them is the target."""


@dataclasses.dataclass(frozen=True)
class Split:
    """How a two-wire matrix G is written as a sum of products.

    Attributes:
        kind: "first" or "second" if G keeps the basis states of that wire, "word" if
            G = a 1 + b P (x) P', "any" otherwise.
        letter: Of "word", the place of P in I, X, Y, Z.
    """

    kind: str
    letter: int = 0

    @property
    def rank(self) -> int:
        """Number of products."""
        return 4 if self.kind == "any" else 2


@dataclasses.dataclass(frozen=True)
class Piece:
    """An operation of a circuit in time order, by its rows in the tables.

    Attributes:
        wires: Wires acted on.
        row: Row of `singles`, `pairs` or `kraus`, or the first one of `factors`.
        split: Of an operation on two wires.
        outcomes: Of what is random, the number of Kraus operators, otherwise 0.
        recorded: Whether the outcome is a measured bit.
    """

    wires: Wires
    row: int
    split: Split | None = None
    outcomes: int = 0
    recorded: bool = False

    @property
    def rank(self) -> int:
        """Number of products that the operation is a sum of."""
        return (
            1 if len(self.wires) == 1 else 2 if self.split is None else self.split.rank
        )


class Tables(NamedTuple):
    """The matrices of all operations of a circuit, in time order.

    Attributes:
        singles: Of operations on one wire, shape (a, 2, 2).
        pairs: Of operations on two wires, shape (b, 4, 4).
        factors: F[k] of every wire of operations on more, shape (c, 2, 2, 2).
        kraus: Kraus operators of channels, measurements and resets of one wire, as many
            as the largest channel has, shape (d, k, 2, 2).
    """

    singles: Complex[Array, "a 2 2"]
    pairs: Complex[Array, "b 4 4"]
    factors: Complex[Array, "c 2 2 2"]
    kraus: Complex[Array, "d k 2 2"]


def pieces(operations: Sequence[AbstractOperation]) -> list[Piece]:
    """List what a circuit does, composites opened, with the rows of its tables."""
    found, rows = [], [0, 0, 0, 0]
    for operation in _opened(operations):
        wires = operation.wires
        if not isinstance(operation, AbstractUnitary):
            recorded = isinstance(operation, Measure)
            number = _num_outcomes(operation)
            for wire in wires:
                found.append(Piece((wire,), rows[3], None, number, recorded))
                rows[3] += 1
            continue
        table = min(len(wires), 3) - 1
        split = two_wire_split(operation) if len(wires) == 2 else None
        found.append(Piece(wires, rows[table], split))
        rows[table] += 1 if table < 2 else len(wires)
    return found


def tables(operations: Sequence[AbstractOperation], dtype: np.dtype) -> Tables:
    """Compute the matrices of all operations, those of one kind together.

    Raises:
        TypeError: If an operation acts on three or more wires and is neither controlled
            with one target nor the rotation of a Pauli word; if a channel acts on two
            or more; or if an operation is conditional.
    """
    random = [o for o in walk(operations) if isinstance(o, Channel | Measure | Reset)]
    return _tables(operations, dtype, max(map(_num_outcomes, random), default=0))


def _tables(
    operations: Sequence[AbstractOperation], dtype: np.dtype, outcomes: int
) -> Tables:
    parts, run = [_plain([], dtype, outcomes)], []
    for operation in operations:
        if isinstance(operation, Repeat):
            parts.append(_plain(run, dtype, outcomes))
            run = []
            many = jax.vmap(lambda body: _tables(body.operations, dtype, outcomes))
            rows = [
                t.reshape(t.shape[0] * t.shape[1], *t.shape[2:])
                for t in many(operation.body)
            ]
            parts.append(Tables(*rows))
        else:
            run.append(operation)
    parts.append(_plain(run, dtype, outcomes))
    return Tables(*(jnp.concatenate(same) for same in zip(*parts, strict=True)))


def _plain(
    operations: Sequence[AbstractOperation], dtype: np.dtype, outcomes: int
) -> Tables:
    """Tables of operations that are none of them repeated."""
    opened = list(_opened(operations))
    unitary = [o for o in opened if isinstance(o, AbstractUnitary)]
    few = [(i, ()) for i, operation in enumerate(unitary) if len(operation.wires) < 3]
    pool = Pool(unitary, few, 2, dtype)
    own = {
        w: [item for item in few if len(unitary[item[0]].wires) == w] for w in (1, 2)
    }
    singles = pool.take(own[1], 1) if own[1] else jnp.zeros((0, 2, 2), dtype)
    pairs = pool.take(own[2], 2) if own[2] else jnp.zeros((0, 4, 4), dtype)
    wide = [_factors(o, dtype) for o in unitary if len(o.wires) > 2]
    factors = jnp.concatenate([jnp.zeros((0, 2, 2, 2), dtype), *wide])
    random = [
        _kraus(o, dtype, outcomes) for o in opened if not isinstance(o, AbstractUnitary)
    ]
    kraus = jnp.concatenate([jnp.zeros((0, outcomes, 2, 2), dtype), *random])
    return Tables(singles, pairs, factors, kraus)


def _opened(operations: Sequence[AbstractOperation]) -> Iterator[AbstractOperation]:
    """Yield elementary operations in time order, a controlled swap as three.

    Leaves of a repeated operation keep their depth axis.
    """
    for operation in operations:
        if isinstance(operation, Repeat):
            for _ in range(operation.depth):
                yield from _opened(operation.operations)
        elif isinstance(operation, Gate) and operation.name == "CSWAP":
            control, first, second = operation.wires
            yield cx(second, first)
            yield ccx(control, first, second)
            yield cx(second, first)
        else:
            yield operation


# --- random operations ----------------------------------------------------------------


def _num_outcomes(operation: AbstractOperation) -> int:
    """Return the number of Kraus operators on a wire."""
    return operation.operators.shape[-3] if isinstance(operation, Channel) else 2


def _kraus(
    operation: AbstractOperation, dtype: np.dtype, outcomes: int
) -> Complex[Array, "wires k 2 2"]:
    """Return the Kraus operators on every wire, zeros up to the number asked for."""
    if isinstance(operation, Measure | Reset):
        fixed = PROJECTORS if isinstance(operation, Measure) else RESETS
        operators = jnp.asarray(np.stack([fixed] * len(operation.wires)), dtype)
    elif isinstance(operation, Channel) and len(operation.wires) == 1:
        operators = jnp.asarray(operation.kraus)[None].astype(dtype)
    else:
        raise TypeError(
            "Argument `circuit` must have channels on one wire, or mixtures of "
            "unitaries, and nothing conditional for an MPS, but has "
            f"{operation.name} on wires {operation.wires}."
        )
    missing = outcomes - operators.shape[1]
    return jnp.pad(operators, ((0, 0), (0, missing), (0, 0), (0, 0)))


# --- two wires ------------------------------------------------------------------------


def two_wire_split(operation: AbstractUnitary) -> Split:
    """Find the cheapest way to write a two-wire operation as a sum of products."""
    diagonal = diagonal_wires(operation)
    if operation.wires[0] in diagonal:
        return Split("first")
    if operation.wires[1] in diagonal:
        return Split("second")
    if isinstance(operation, Gate) and operation.spec.generator is not None:
        blocks = operation.spec.generator.reshape(2, 2, 2, 2)
        parts = np.einsum("kba,asbt->kst", pauli_words(1), blocks)
        present = np.flatnonzero(np.abs(parts).max((1, 2)) > 0)
        if len(present) == 1 and present[0]:
            return Split("word", int(present[0]))
    return Split("any")


def split_pairs(
    matrices: Complex[Array, "m 4 4"], split: Split
) -> tuple[Complex[Array, "m r 2 2"], Complex[Array, "m r 2 2"]]:
    """Return F_1 and F_2 with G = sum_k F_1[k] (x) F_2[k], for every matrix."""
    dtype = matrices.dtype
    blocks = matrices.reshape(-1, 2, 2, 2, 2)
    if split.kind in ("first", "second"):
        projectors = np.asarray([np.diag([1, 0]), np.diag([0, 1])], dtype)
        kept = jnp.broadcast_to(projectors, (blocks.shape[0], 2, 2, 2))
        if split.kind == "first":
            return kept, jnp.einsum("mkskt->mkst", blocks)
        return jnp.einsum("mskuk->mksu", blocks), kept
    letters = [0, split.letter] if split.kind == "word" else [0, 1, 2, 3]
    first, second = jax.vmap(lambda matrix: pauli_factors(matrix, letters))(matrices)
    return first, second


# --- more wires -----------------------------------------------------------------------


def _factors(
    operation: AbstractUnitary, dtype: np.dtype
) -> Complex[Array, "wires 2 2 2"]:
    """Return F[k] of every wire of an operation on three or more."""
    if isinstance(operation, Gate) and len(operation.spec.name) == 1 + len(
        operation.wires
    ):
        word = operation.spec.name[1:]
        if operation.spec.num_params == 1 and set(word) <= set("IXYZ"):
            return _rotation_factors(operation, word, dtype)
    controlled = _as_controlled(operation)
    if controlled is None:
        raise TypeError(
            "Argument `circuit` must have operations on at most two wires, or "
            "controlled ones with one target, or rotations of Pauli words, for `run` "
            f"on an MPS, but has {operation.name} on {len(operation.wires)} wires."
        )
    values, target = controlled
    return jnp.stack(controlled_factors(target.astype(dtype), values))


def _rotation_factors(
    operation: Gate, word: str, dtype: np.dtype
) -> Complex[Array, "wires 2 2 2"]:
    """cos(t / 2) 1 - i sin(t / 2) P_1 (x) P_2 ..., the numbers on the first wire."""
    half = jnp.asarray(operation.params)[0].astype(jnp.finfo(dtype).dtype) / 2
    zero = jnp.zeros_like(half)
    scales = jax.lax.complex(
        jnp.stack([jnp.cos(half), zero]), jnp.stack([zero, -jnp.sin(half)])
    )
    paulis = pauli_words(1)[["IXYZ".index(letter) for letter in word]]
    both = np.stack([np.broadcast_to(np.eye(2), paulis.shape), paulis], axis=1)
    factors = jnp.asarray(both, dtype)
    return factors.at[0].multiply(scales[:, None, None])


def _as_controlled(
    operation: AbstractUnitary,
) -> tuple[tuple[int, ...], Array] | None:
    """Return the values of all controls and the matrix of the one target, if it is."""
    if len(operation.wires) == 1:
        return (), jnp.asarray(operation.matrix())
    if isinstance(operation, Controlled):
        inner = _as_controlled(operation.operation)
        return None if inner is None else (operation.values + inner[0], inner[1])
    if isinstance(operation, Gate):
        controls = _CONTROLS.get(operation.name, 0)
        if len(operation.wires) == 2 and operation.name.startswith("C"):
            controls = 1
        if controls:
            return (1,) * controls, jnp.asarray(operation.matrix())[-2:, -2:]
    return None
