"""Hypothesis strategies for states, tests and membership structures (extra `test`).

Import this module only where hypothesis is installed; `qjax.bounds` does not. Arrays
are NumPy complex128, built from bounded entries so that examples shrink.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# Hypothesis's own DrawFn is a protocol that cannot be checked at run time.
Draw = Callable[..., Any]

_ENTRIES = st.floats(-2, 2, allow_nan=False, width=32)


@st.composite
def complex_matrices(draw: Draw, rows: int, columns: int) -> np.ndarray:
    """Complex matrices with entries of modulus at most 3, never all near zero."""
    parts = draw(hnp.arrays(np.float64, (2, rows, columns), elements=_ENTRIES))
    matrix = parts[0] + 1j * parts[1]
    if np.linalg.norm(matrix) < 1e-3:
        matrix[0, 0] = 1.0
    return matrix


@st.composite
def pure_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Projectors |psi><psi| on `num_wires` qubits."""
    ket = draw(complex_matrices(2**num_wires, 1))
    ket = ket / np.linalg.norm(ket)
    return ket @ ket.conj().T


@st.composite
def mixed_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Density matrices G G^dagger / Tr of any rank."""
    size = 2**num_wires
    factor = draw(complex_matrices(size, draw(st.integers(1, size))))
    matrix = factor @ factor.conj().T
    return matrix / np.trace(matrix).real


@st.composite
def density_matrices(draw: Draw, num_wires: int) -> np.ndarray:
    """Pure, mixed, near-pure, near-maximally-mixed and classical states."""
    size = 2**num_wires
    kinds = ["pure", "mixed", "near pure", "near mixed", "diagonal"]
    kind = draw(st.sampled_from(kinds))
    if kind == "pure":
        return draw(pure_states(num_wires))
    mixed = draw(mixed_states(num_wires))
    small = 10.0 ** -draw(st.integers(2, 8))
    if kind == "near pure":
        return (1 - small) * draw(pure_states(num_wires)) + small * mixed
    if kind == "near mixed":
        return small * mixed + (1 - small) * np.eye(size) / size
    if kind == "diagonal":
        return np.diag(np.diag(mixed))
    return mixed


@st.composite
def effects(draw: Draw, num_wires: int) -> np.ndarray:
    """POVM elements 0 <= M <= I: projectors and unsharp ones."""
    size = 2**num_wires
    raw = draw(complex_matrices(size, size))
    _, vectors = np.linalg.eigh(raw + raw.conj().T)
    sharp = st.sampled_from([0.0, 1.0])
    value = draw(st.sampled_from([sharp, st.floats(0, 1)]))
    spectrum = draw(hnp.arrays(np.float64, size, elements=value))
    return (vectors * spectrum) @ vectors.conj().T


def probabilities() -> st.SearchStrategy[float]:
    """Numbers in [0, 1], edges included."""
    return st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32))


@dataclasses.dataclass(frozen=True)
class StructureSample:
    """A membership structure as NumPy arrays, with its noise.

    Attributes:
        states: Shape (b^n, d, d).
        effects: Shape (n b, d, d).
        num_blocks: n.
        block_size: b.
        survival: lambda of one layer of depolarizing noise on every qubit.
    """

    states: np.ndarray
    effects: np.ndarray
    num_blocks: int
    block_size: int
    survival: float


@st.composite
def membership_structures(draw: Draw) -> StructureSample:
    """Small structures: n, m in {1, 2}, b in {2, 3}; tests drawn or Helstrom-like."""
    blocks, wires = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    size = draw(st.integers(2, 3))
    sets, queries = size**blocks, size * blocks
    states = np.stack([draw(density_matrices(wires)) for _ in range(sets)])
    if draw(st.booleans()):
        # The projector on where the stored element raises the mean state.
        digits = np.stack(np.unravel_index(np.arange(sets), (size,) * blocks))
        tests = []
        for query in range(queries):
            inside = digits[query // size] == query % size
            gap = states[inside].mean(axis=0) - states.mean(axis=0)
            values, vectors = np.linalg.eigh(gap)
            tests.append((vectors * (values > 0)) @ vectors.conj().T)
    else:
        tests = [draw(effects(wires)) for _ in range(queries)]
    survival = draw(probabilities())
    return StructureSample(states, np.stack(tests), blocks, size, survival)
