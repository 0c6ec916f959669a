"""Hypothesis strategies for numbers, states, unitaries and channels.

`qjax.bounds.strategies` offers them together with those for tests and structures.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# Hypothesis's own DrawFn is a protocol that cannot be checked at run time.
Draw = Callable[..., Any]
Arrays = st.SearchStrategy[np.ndarray]

_ENTRIES = st.floats(-2, 2, allow_nan=False, width=32)
_ROOT = 0.5**0.5
_CLIFFORDS = {
    "h": np.asarray([[_ROOT, _ROOT], [_ROOT, -_ROOT]], dtype=complex),
    "s": np.diag([1, 1j]),
    "cx": np.eye(4, dtype=complex)[[0, 1, 3, 2]],
}


# --- numbers ---


def probabilities() -> st.SearchStrategy[float]:
    """Numbers in [0, 1], edges included."""
    return st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32))


@st.composite
def strengths(draw: Draw) -> float:
    """Numbers in [0, 1] such as survivals: 1, 0, within 1e-2 .. 1e-8 of both, others.

    Example:
        >>> from hypothesis import find
        >>> find(strengths(), lambda strength: True)
        1.0
    """
    kind = draw(st.sampled_from(["one", "zero", "near one", "near zero", "inside"]))
    if kind in ("one", "zero"):
        return float(kind == "one")
    if kind == "inside":
        return draw(st.floats(0, 1, width=32))
    small = 10.0 ** -draw(st.integers(2, 8))
    return 1 - small if kind == "near one" else small


@st.composite
def probability_pairs(draw: Draw) -> tuple[float, float]:
    """(p, q) in [0, 1]^2: equal, at edges, at distances 1e-1 .. 1e-12, and any.

    These are the places where d(p||q) loses digits or is infinite.

    Example:
        >>> from hypothesis import find
        >>> find(probability_pairs(), lambda pair: pair[0] != pair[1])
        (1.0, 0.0)
    """
    first = draw(strengths())
    kind = draw(st.sampled_from(["edge", "equal", "close", "any"]))
    if kind == "edge":
        return first, draw(st.sampled_from([0.0, 1.0]))
    if kind == "equal":
        return first, first
    if kind == "any":
        return first, draw(strengths())
    step = 10.0 ** -draw(st.integers(1, 12))
    return first, abs(first - step)


@st.composite
def probability_vectors(draw: Draw, size: int) -> np.ndarray:
    """Weights that sum to one, shape (size,); zeros and uniform ones among them.

    Example:
        >>> from hypothesis import find
        >>> find(probability_vectors(2), lambda weights: True)
        array([1., 0.])
    """
    counts = draw(hnp.arrays(np.int64, size, elements=st.integers(0, 8)))
    if not counts.any():
        counts[0] = 1
    return counts / counts.sum()


# --- states ---


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
def stabilizer_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Projectors on stabilizer states: H, S and CX on |0...0>, shape (2^n, 2^n).

    Example:
        >>> from hypothesis import find
        >>> find(stabilizer_states(1), lambda rho: rho[1, 1] > 0.4).real.round(3)
        array([[0.5, 0.5],
               [0.5, 0.5]])
    """
    ket = draw(clifford_unitaries(num_wires))[:, 0]
    return np.outer(ket, ket.conj())


@st.composite
def clifford_unitaries(draw: Draw, num_wires: int) -> np.ndarray:
    """Products of at most 3n + 3 gates H, S, CX, shape (2^n, 2^n)."""
    names = ["h", "s", "cx"] if num_wires > 1 else ["h", "s"]
    wires = st.permutations(range(num_wires))
    gates = st.lists(
        st.tuples(st.sampled_from(names), wires), max_size=3 * num_wires + 3
    )
    total = np.eye(2**num_wires, dtype=complex)
    for name, order in draw(gates):
        matrix = _CLIFFORDS[name]
        width = matrix.shape[0].bit_length() - 1
        # The gate acts on the first wires of the order; the rest follows.
        tensor = total.reshape((2,) * num_wires + (-1,)).transpose(*order, num_wires)
        tensor = (matrix @ tensor.reshape(2**width, -1)).reshape(tensor.shape)
        total = tensor.transpose(*np.argsort(order), num_wires).reshape(total.shape)
    return total


@st.composite
def haar_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Projectors on uniformly random kets, from a drawn seed, shape (2^n, 2^n).

    They shrink to |0...0> only, not to simple neighbours: pair them with `pure_states`.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    normal = np.random.default_rng(seed).normal(size=(2, 2**num_wires))
    ket = normal[0] + 1j * normal[1] if seed else np.eye(2**num_wires)[0]
    ket = ket / np.linalg.norm(ket)
    return np.outer(ket, ket.conj())


@st.composite
def product_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Products of pure or mixed one-qubit states, shape (2^n, 2^n)."""
    matrix = np.ones((1, 1))
    for _ in range(num_wires):
        matrix = np.kron(matrix, draw(density_matrices(1)))
    return matrix


@st.composite
def classical_states(draw: Draw, num_wires: int) -> np.ndarray:
    """Diagonal density matrices, zeros among their probabilities."""
    return np.diag(draw(probability_vectors(2**num_wires))).astype(complex)


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


def any_states(num_wires: int) -> Arrays:
    """Every kind of density matrix of this module, shape (2^n, 2^n).

    Example:
        >>> from hypothesis import find
        >>> find(any_states(1), lambda rho: True).real
        array([[1., 0.],
               [0., 0.]])
    """
    kinds = [stabilizer_states, classical_states, density_matrices, product_states]
    return st.one_of(*(kind(num_wires) for kind in (*kinds, haar_states)))


# --- channels ---


@st.composite
def unitaries(draw: Draw, num_wires: int) -> np.ndarray:
    """Unitaries from the QR decomposition of a drawn matrix, shape (2^n, 2^n)."""
    return draw(channels(num_wires, 1))[0]


@st.composite
def channels(draw: Draw, num_wires: int, operators: int) -> np.ndarray:
    """Kraus operators of a channel, cut from an isometry, shape (k, 2^n, 2^n).

    Example:
        >>> from hypothesis import find
        >>> abs(find(channels(1, 1), lambda kraus: True))
        array([[[1., 0.],
                [0., 1.]]])
    """
    size = 2**num_wires
    raw = draw(complex_matrices(operators * size, size))
    isometry, _ = np.linalg.qr(raw)
    return isometry.reshape(operators, size, size)
