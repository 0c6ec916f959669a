"""Heisenberg picture: observables carried backwards through a circuit, word by word."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, UInt8

from qjax._checks import require
from qjax._linalg import pauli_transfer
from qjax._types import is_traced
from qjax.circuits.circuit import Circuit
from qjax.circuits.observables import PauliSum, Word, check_observable
from qjax.circuits.operation import (
    AbstractOperation,
    AbstractUnitary,
    Channel,
    Controlled,
    Gate,
    GateSpec,
    Measure,
    Reset,
)
from qjax.plan.clifford import known_matrix, written_out
from qjax.plan.pool import PROJECTORS, RESETS

Numbers = Array | np.ndarray

_WIDEST = 4
"""A table of what becomes of words on k wires has 16^k entries."""

_ROUNDINGS = 64
"""Entries this many roundings away from -1, 0 or 1 are such a number."""


@dataclasses.dataclass(frozen=True, eq=False)
class Transfer:
    """What an operation makes of words, P_i -> sum_j R_ij P_j, backwards in time.

    Attributes:
        pattern: Where R may differ from 0, shape (4^k, 4^k).
        values: R; it may be traced.
    """

    pattern: np.ndarray
    values: Numbers


def propagate(
    circuit: Circuit, observable: PauliSum, *, max_terms: int = 4096
) -> PauliSum:
    """Return E*(O), so that Tr(O E(rho)) = Tr(E*(O) rho): U^dagger O U of gates.

    Clifford gates and Pauli channels take a word to a word, and those outside the
    light cone do nothing. Any other operation on up to 4 wires makes several words of
    one: a rotation exp(-i t P / 2) two of each that anticommutes with P, with cos t and
    sin t. Equal words are added up. All is exact; a thousand wires and ten thousand
    Clifford gates with a few others cost less than a second.

    Words are found on the host, so they must not depend on traced numbers; their
    coefficients may, and are differentiable in all angles and strengths. A traced angle
    is taken for a general one: only concrete ones are recognised as Clifford.

    Args:
        circuit: Circuit of gates, channels, measurements that nobody reads, resets.
        observable: O. Other observables have to be written as Pauli words first.
        max_terms: The most words at any time.

    Returns:
        E*(O), for `expectation` on the state before the circuit, whatever its kind.

    Raises:
        ValueError: If there are more words, or an operation has more than 4 wires, or
            is conditional.

    Source: Begusic and Chan, arXiv:2306.04797; Rall et al., arXiv:1901.09070.

    Example:
        >>> import numpy as np
        >>> from qjax.circuits import Circuit, cx, h, pauli, rz
        >>> from qjax.simulate import expectation, propagate
        >>> from qjax.states import StabilizerState
        >>> chain = [cx(i, i + 1) for i in range(999)]
        >>> circuit = Circuit([h(0), rz(0.3, 0), *chain], 1000)
        >>> before = propagate(circuit, pauli("X" * 1000, range(1000)))
        >>> zero = StabilizerState.zeros(1000)
        >>> round(float(expectation(zero, before)), 4), round(float(np.cos(0.3)), 4)
        (0.9553, 0.9553)
    """
    known = check_observable(observable, circuit.num_wires)
    if not isinstance(known, PauliSum):
        raise TypeError(
            "Argument `observable` must be a PauliSum, "
            f"but is {type(observable).__name__}."
        )
    require(max_terms >= 1, "max_terms", "be at least 1", max_terms)
    letters = _letters(known.words, circuit.num_wires)
    coefficients = known.coefficients
    if not is_traced(coefficients):
        coefficients = np.asarray(coefficients, np.float64)
    letters, coefficients = _merged(letters, coefficients)
    for operation in reversed(written_out(circuit)):
        for wires, transfer in _transfers(operation, letters):
            letters, coefficients = _step(letters, coefficients, wires, transfer)
            rule = f"be at least {len(letters)} for {operation.name} on wires {wires}"
            require(len(letters) <= max_terms, "max_terms", rule, max_terms)
    if len(letters) == 0:
        return PauliSum(np.zeros(1), ((),))
    return PauliSum(coefficients, tuple(map(_word, letters)))


def _step(
    letters: UInt8[np.ndarray, "t n"],
    coefficients: Numbers,
    wires: Sequence[int],
    transfer: Transfer,
) -> tuple[UInt8[np.ndarray, "s n"], Numbers]:
    """Replace the letters on some wires."""
    codes = np.zeros(len(letters), int)
    for wire in wires:
        codes = 4 * codes + letters[:, wire]
    source, images = np.nonzero(transfer.pattern[codes])
    letters = letters[source]
    for place, wire in enumerate(reversed(wires)):
        letters[:, wire] = images >> 2 * place & 3
    factors = transfer.values[codes[source], images]
    if isinstance(factors, np.ndarray) and not isinstance(coefficients, np.ndarray):
        factors = jnp.asarray(factors, coefficients.dtype)
    elif isinstance(coefficients, np.ndarray) and not isinstance(factors, np.ndarray):
        coefficients = jnp.asarray(coefficients, factors.dtype)
    made = coefficients[source] * factors
    one_to_one = len(letters) == len(codes) and len(np.unique(images)) == len(
        np.unique(codes)
    )
    return (letters, made) if one_to_one else _merged(letters, made)


def _merged(
    letters: UInt8[np.ndarray, "t n"], coefficients: Numbers
) -> tuple[UInt8[np.ndarray, "s n"], Numbers]:
    """Add up the coefficients of equal words."""
    words, group = np.unique(letters, axis=0, return_inverse=True)
    group = group.reshape(-1)
    if not isinstance(coefficients, np.ndarray):
        return words, jax.ops.segment_sum(coefficients, group, num_segments=len(words))
    sums = np.zeros(len(words))
    np.add.at(sums, group, coefficients)
    return words[sums != 0], sums[sums != 0]


# --- tables ---------------------------------------------------------------------------


def _transfers(
    operation: AbstractOperation, letters: UInt8[np.ndarray, "t n"]
) -> list[tuple[Sequence[int], Transfer]]:
    """List what an operation does: one table, or one for each wire read or reset."""
    if isinstance(operation, Measure | Reset):
        kraus = PROJECTORS if isinstance(operation, Measure) else RESETS
        return [((wire,), _concrete(kraus)) for wire in operation.wires]
    wires = operation.wires
    if not isinstance(operation, AbstractUnitary | Channel):
        raise ValueError(
            "Argument `circuit` must hold gates, channels, measurements and resets, "
            f"but has {operation.name}."
        )
    if not letters[:, wires].any():
        return []  # outside the light cone
    rule = f"have operations on at most {_WIDEST} wires"
    shown = f"with {operation.name} on {wires}"
    require(len(wires) <= _WIDEST, "circuit", rule, shown)
    if isinstance(operation, Channel):
        return [(wires, _channel_transfer(operation))]
    return [(wires, _unitary_transfer(operation))]


def _unitary_transfer(operation: AbstractUnitary) -> Transfer:
    if isinstance(operation, Gate) and not is_traced(operation.params):
        params = np.asarray(operation.params)
        precision = jax.dtypes.canonicalize_dtype(params.dtype).name
        return _gate_transfer(operation.spec, tuple(params.tolist()), precision)
    if isinstance(operation, Gate) and operation.spec.num_params == 0:
        return _gate_transfer(operation.spec, (), "")
    matrix = known_matrix(operation)
    if matrix is not None:
        return _concrete(matrix[None])
    values = pauli_transfer(jnp.asarray(operation.matrix())[None])
    general = _general(operation)
    return Transfer(_full_pattern(values) if general is None else general, values)


@functools.lru_cache(maxsize=4096)
def _gate_transfer(
    spec: GateSpec, params: tuple[float, ...], precision: str
) -> Transfer:
    wires = tuple(range(spec.num_wires))
    matrix = known_matrix(Gate(np.asarray(params, precision or float), wires, spec))
    assert matrix is not None
    return _concrete(matrix[None])


def _general(operation: AbstractUnitary) -> np.ndarray | None:
    """Return where R may differ from 0 for some angle; None for a traced matrix."""
    if isinstance(operation, Controlled):
        sampled = _sampled(operation.operation)
        if sampled is None:
            return None
        sampled = Controlled(sampled, operation.controls, operation.values)
    else:
        sampled = _sampled(operation)
    matrix = None if sampled is None else known_matrix(sampled)
    return None if matrix is None else _concrete(matrix[None]).pattern


def _sampled(operation: AbstractUnitary) -> Gate | None:
    """Return the gate at angles where no entry vanishes by chance."""
    if not isinstance(operation, Gate):
        return None
    angles = 0.7 + 0.1 * np.arange(operation.spec.num_params)
    return Gate(angles, operation.wires, operation.spec)


def _channel_transfer(channel: Channel) -> Transfer:
    if not any(is_traced(leaf) for leaf in jax.tree.leaves(channel)):
        with jax.ensure_compile_time_eval():
            return _concrete(np.asarray(channel.kraus))
    values = pauli_transfer(jnp.asarray(channel.kraus))
    if channel.paulis is not None:
        return Transfer(np.eye(len(values), dtype=bool), values)
    return Transfer(_full_pattern(values), values)


def _full_pattern(values: Array) -> np.ndarray:
    """Let every word become any, but the identity, which stays."""
    pattern = np.ones(values.shape, bool)
    pattern[0, 1:] = False
    return pattern


def _concrete(kraus: np.ndarray) -> Transfer:
    """Return the table of known Kraus operators; what is a whole number is exact."""
    with jax.ensure_compile_time_eval():
        values = np.asarray(pauli_transfer(kraus), np.float64)
    eps = np.finfo(jax.dtypes.canonicalize_dtype(kraus.dtype)).eps
    whole = np.round(values)
    values = np.where(abs(values - whole) < _ROUNDINGS * eps, whole, values)
    return Transfer(values != 0, values)


# --- words ----------------------------------------------------------------------------


def _letters(words: Sequence[Word], num_wires: int) -> UInt8[np.ndarray, "t n"]:
    """Write words as digits: 0, 1, 2, 3 for I, X, Y, Z."""
    digits = np.zeros((len(words), num_wires), np.uint8)
    for row, word in zip(digits, words, strict=True):
        for wire, letter in word:
            row[wire] = "IXYZ".index(letter)
    return digits


def _word(row: UInt8[np.ndarray, " n"]) -> Word:
    wires = np.flatnonzero(row)
    return tuple((int(wire), "IXYZ"[row[wire]]) for wire in wires)
