"""Quantum mechanics in plain NumPy: the reference the engine is tested against.

Nothing here imports qjax, and nothing is clever: every operator becomes a full-register
matrix by Kronecker products, in complex128. Wire 0 is the most significant bit, so
basis state |b0 b1 ... b(n-1)> has index b0 2^(n-1) + ... + b(n-1). Gates are written
from their generators (rotations as matrix exponentials), not copied from the engine.
"""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
import scipy.linalg

Wires = Sequence[int]

I2 = np.eye(2, dtype=complex)
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]], dtype=complex)
Z = np.array([[1, 0], [0, -1]], dtype=complex)
PAULIS = {"I": I2, "X": X, "Y": Y, "Z": Z}
ZERO = np.diag([1, 0]).astype(complex)
ONE = np.diag([0, 1]).astype(complex)


def kron(factors: Sequence[np.ndarray]) -> np.ndarray:
    """factors[0] (x) factors[1] (x) ...; the empty product is the number 1."""
    return reduce(np.kron, factors, np.eye(1, dtype=complex))


def exponential(hermitian: np.ndarray, angle: float) -> np.ndarray:
    """exp(-i angle H)."""
    return np.asarray(scipy.linalg.expm(-1j * angle * hermitian))


def controlled(matrix: np.ndarray, values: Sequence[int] = (1,)) -> np.ndarray:
    """`matrix` where the leading control bits equal `values`, identity elsewhere."""
    project = kron([ONE if value else ZERO for value in values])
    rest = np.eye(len(project)) - project
    return np.kron(rest, np.eye(len(matrix))) + np.kron(project, matrix)


def _u3(theta: float, phi: float, lam: float) -> np.ndarray:
    # U3 = e^{i (phi + lambda) / 2} Rz(phi) Ry(theta) Rz(lambda): the top left entry
    # is then real, as in the usual definition.
    rotations = [
        exponential(Z, phi / 2),
        exponential(Y, theta / 2),
        exponential(Z, lam / 2),
    ]
    return np.exp(0.5j * (phi + lam)) * np.linalg.multi_dot(rotations)


def _phase(phi: float) -> np.ndarray:
    return exponential(-ONE, phi)


def _rotation(word: str) -> Callable[[float], np.ndarray]:
    return lambda theta: exponential(kron([PAULIS[p] for p in word]), theta / 2)


def _fixed(matrix: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: matrix


_S = _phase(np.pi / 2)
_T = _phase(np.pi / 4)
# The square root of X whose eigenvalues are 1 and i.
_SX = np.exp(0.25j * np.pi) * exponential(X, np.pi / 4)
_SWAP = (np.eye(4) + np.kron(X, X) + np.kron(Y, Y) + np.kron(Z, Z)) / 2
_ISWAP = exponential(np.kron(X, X) + np.kron(Y, Y), -np.pi / 4)

# name: (number of wires, number of parameters, parameters -> matrix)
GATES: dict[str, tuple[int, int, Callable[..., np.ndarray]]] = {
    "i": (1, 0, _fixed(I2)),
    "x": (1, 0, _fixed(X)),
    "y": (1, 0, _fixed(Y)),
    "z": (1, 0, _fixed(Z)),
    "h": (1, 0, _fixed((X + Z) / np.sqrt(2))),
    "s": (1, 0, _fixed(_S)),
    "sdg": (1, 0, _fixed(_S.conj().T)),
    "t": (1, 0, _fixed(_T)),
    "tdg": (1, 0, _fixed(_T.conj().T)),
    "sx": (1, 0, _fixed(_SX)),
    "sxdg": (1, 0, _fixed(_SX.conj().T)),
    "rx": (1, 1, _rotation("X")),
    "ry": (1, 1, _rotation("Y")),
    "rz": (1, 1, _rotation("Z")),
    "phase": (1, 1, _phase),
    "u3": (1, 3, _u3),
    "cx": (2, 0, _fixed(controlled(X))),
    "cy": (2, 0, _fixed(controlled(Y))),
    "cz": (2, 0, _fixed(controlled(Z))),
    "swap": (2, 0, _fixed(_SWAP)),
    "iswap": (2, 0, _fixed(_ISWAP)),
    "iswapdg": (2, 0, _fixed(_ISWAP.conj().T)),
    "crx": (2, 1, lambda a: controlled(exponential(X, a / 2))),
    "cry": (2, 1, lambda a: controlled(exponential(Y, a / 2))),
    "crz": (2, 1, lambda a: controlled(exponential(Z, a / 2))),
    "cphase": (2, 1, lambda a: controlled(_phase(a))),
    "rxx": (2, 1, _rotation("XX")),
    "ryy": (2, 1, _rotation("YY")),
    "rzz": (2, 1, _rotation("ZZ")),
    "ccx": (3, 0, _fixed(controlled(X, (1, 1)))),
    "ccz": (3, 0, _fixed(controlled(Z, (1, 1)))),
    "cswap": (3, 0, _fixed(controlled(_SWAP))),
}


def gate(name: str, *params: float) -> np.ndarray:
    """Matrix of a gate of the table."""
    return GATES[name][2](*params)


def embed(matrix: np.ndarray, wires: Wires, num_wires: int) -> np.ndarray:
    """Full-register matrix of `matrix` on `wires`, in that order.

    Writes M = sum_ab M_ab |a><b| and each |a><b| as one Kronecker product over the
    register, so it needs no transpose or reshape that could hide an axis error.
    """
    total = np.zeros((2**num_wires, 2**num_wires), dtype=complex)
    k = len(wires)
    for a, b in zip(*np.nonzero(matrix), strict=True):
        factors = [I2] * num_wires
        for position, wire in enumerate(wires):
            unit = np.zeros((2, 2), dtype=complex)
            shift = k - 1 - position
            unit[(a >> shift) & 1, (b >> shift) & 1] = 1
            factors[wire] = unit
        total += matrix[a, b] * kron(factors)
    return total


def pauli_word(word: str, wires: Wires, num_wires: int) -> np.ndarray:
    """Full-register matrix of e.g. "XZ" on wires (0, 2)."""
    factors = [I2] * num_wires
    for letter, wire in zip(word, wires, strict=True):
        factors[wire] = PAULIS[letter]
    return kron(factors)


def zero_state(num_wires: int) -> np.ndarray:
    """|0...0> as a vector."""
    vector = np.zeros(2**num_wires, dtype=complex)
    vector[0] = 1
    return vector


def random_state(rng: np.random.Generator, num_wires: int) -> np.ndarray:
    """A Haar-random state vector."""
    vector = rng.normal(size=2**num_wires) + 1j * rng.normal(size=2**num_wires)
    return vector / np.linalg.norm(vector)


def random_density(
    rng: np.random.Generator, num_wires: int, rank: int | None = None
) -> np.ndarray:
    """A density matrix G G^dagger / Tr, with G complex Gaussian of the given rank."""
    d = 2**num_wires
    shape = (d, d if rank is None else rank)
    factor = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    rho = factor @ factor.conj().T
    return rho / np.trace(rho).real


def random_unitary(rng: np.random.Generator, dimension: int) -> np.ndarray:
    """A Haar-random unitary: QR of a Gaussian matrix, phases of R divided out."""
    shape = (dimension, dimension)
    q, r = np.linalg.qr(rng.normal(size=shape) + 1j * rng.normal(size=shape))
    phases = np.diag(r) / np.abs(np.diag(r))
    return q * phases


def random_kraus(rng: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """`count` Kraus operators: the blocks of a random isometry."""
    shape = (count * dimension, dimension)
    q, _ = np.linalg.qr(rng.normal(size=shape) + 1j * rng.normal(size=shape))
    return q.reshape(count, dimension, dimension)


def probabilities(state: np.ndarray, wires: Wires) -> np.ndarray:
    """p(b) = Tr(|b><b|_wires rho) for all bit strings b, in the order of `wires`."""
    rho = density(state)
    num_wires = int(np.log2(len(rho)))
    result = np.zeros(2 ** len(wires))
    for index in range(len(result)):
        factors = [I2] * num_wires
        for position, wire in enumerate(wires):
            bit = (index >> (len(wires) - 1 - position)) & 1
            factors[wire] = ONE if bit else ZERO
        result[index] = np.trace(kron(factors) @ rho).real
    return result


def density(state: np.ndarray) -> np.ndarray:
    """|psi><psi| of a vector; a matrix is returned as it is."""
    return np.outer(state, state.conj()) if state.ndim == 1 else state


def expectation(state: np.ndarray, operator: np.ndarray) -> float:
    """Tr(O rho)."""
    return float(np.trace(operator @ density(state)).real)


def partial_trace(state: np.ndarray, keep: Wires) -> np.ndarray:
    """Reduced matrix on `keep`, from its definition Tr(rho |j><i|_keep) = rho_ij."""
    rho = density(state)
    num_wires = int(np.log2(len(rho)))
    d = 2 ** len(keep)
    reduced = np.zeros((d, d), dtype=complex)
    for i in range(d):
        for j in range(d):
            unit = np.zeros((d, d), dtype=complex)
            unit[j, i] = 1
            reduced[i, j] = np.trace(embed(unit, keep, num_wires) @ rho)
    return reduced


def fidelity(a: np.ndarray, b: np.ndarray) -> float:
    """F = (Tr sqrt(sqrt(rho) sigma sqrt(rho)))^2 = (sum of singular values)^2."""
    return float(np.sum(scipy.linalg.svdvals(_root(a) @ _root(b))) ** 2)


def _root(state: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(density(state))
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.conj().T


def trace_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Half the sum of singular values of rho - sigma."""
    return float(np.sum(scipy.linalg.svdvals(density(a) - density(b))) / 2)


def entropy(state: np.ndarray, base: float = 2) -> float:
    """-Tr(rho log rho), with 0 log 0 = 0."""
    values = np.linalg.eigvalsh(density(state))
    values = values[values > 1e-15]
    return float(-np.sum(values * np.log(values)) / np.log(base))


def gradient(
    function: Callable[[np.ndarray], np.ndarray], params: np.ndarray, step: float = 1e-3
) -> np.ndarray:
    """d function / d params[j], stacked along axis 0.

    Five-point central differences: the truncation error is step^4 f^(5) / 30, about
    1e-13 here, below the rounding error eps / step of about 1e-13.
    """
    rows = []
    for j in range(params.size):
        shift = np.zeros_like(params)
        shift[j] = step
        near = function(params + shift) - function(params - shift)
        far = function(params + 2 * shift) - function(params - 2 * shift)
        rows.append((8 * near - far) / (12 * step))
    return np.stack(rows)


def metric_tensor(
    state_fn: Callable[[np.ndarray], np.ndarray], params: np.ndarray
) -> np.ndarray:
    """Fubini-Study metric Re(<d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>)."""
    psi = state_fn(params)
    tangents = gradient(state_fn, params)
    overlap = tangents.conj() @ psi
    return np.real(tangents.conj() @ tangents.T - np.outer(overlap, overlap.conj()))
