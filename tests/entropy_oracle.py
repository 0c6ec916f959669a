"""Entropies of real states in plain NumPy, and states whose entropies are extreme.

Nothing here imports qjax. A state is a density matrix with the dimensions of its
registers; the first register is the most significant digit of an index.
"""

import itertools

import numpy as np

BITS = list(itertools.product((0, 1), repeat=2))
BELL = np.outer([1, 0, 0, 1], [1, 0, 0, 1]).astype(complex) / 2


def all_entropies(rho, dims, names):
    """S of every nonempty set of registers, from a density matrix."""
    count, values = len(dims), {}
    for size in range(1, count + 1):
        for kept in itertools.combinations(range(count), size):
            lost = [i for i in range(count) if i not in kept]
            order = [*kept, *lost]
            tensor = rho.reshape(*dims, *dims)
            tensor = tensor.transpose([*order, *(count + i for i in order)])
            rows = int(np.prod([dims[i] for i in kept]))
            rest = int(np.prod([dims[i] for i in lost], initial=1))
            reduced = np.einsum("aibi->ab", tensor.reshape(rows, rest, rows, rest))
            spectrum = np.linalg.eigvalsh(reduced)
            spectrum = spectrum[spectrum > 1e-14]
            values[frozenset(names[i] for i in kept)] = float(
                -(spectrum * np.log2(spectrum)).sum()
            )
    return values


def value(form, entropies):
    return sum(float(c) * entropies[term] for term, c in form.terms)


def random_state(rng, size):
    """Density matrices of random rank, with eigenvalues down to about 1e-6."""
    rank = int(rng.integers(1, size + 1))
    factor = rng.normal(size=(size, rank)) + 1j * rng.normal(size=(size, rank))
    factor *= 10.0 ** -rng.integers(0, 4, size=rank)
    rho = factor @ factor.conj().T
    return rho / np.trace(rho).real


def projector(ket):
    ket = np.asarray(ket, complex).ravel()
    return np.outer(ket, ket.conj()) / np.vdot(ket, ket).real


def distribution(outcomes, count):
    """Classical bits, uniform over the listed outcomes."""
    diagonal = np.zeros((2,) * count)
    for outcome in outcomes:
        diagonal[outcome] += 1 / len(outcomes)
    return np.diag(diagonal.ravel()).astype(complex)


def superdense_state():
    """X in {0,1,2,3} says which Pauli acted on half of a Bell pair."""
    paulis = [np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    rho = np.zeros((16, 16), complex)
    for x, pauli in enumerate(paulis):
        ket = np.kron(pauli, np.eye(2)) @ np.array([1, 0, 0, 1])
        rho += np.kron(np.diag(np.eye(4)[x]), projector(ket)) / 4
    return rho


def quantum_rays():
    """States on A, B, C whose entropies span every von Neumann inequality's cone."""
    kets = []
    for first, second in itertools.combinations(range(4), 2):
        ket = np.zeros((2,) * 4)
        ket[(0,) * 4] = 1
        both = tuple(int(i in (first, second)) for i in range(4))
        ket[both] = 1
        kets.append((ket, 2))
    ghz = np.zeros((2,) * 4)
    ghz[(0,) * 4] = ghz[(1,) * 4] = 1
    perfect = np.zeros((3,) * 4)
    for i, j in itertools.product(range(3), repeat=2):
        perfect[i, j, (i + j) % 3, (i + 2 * j) % 3] = 1
    rays = []
    for ket, levels in [*kets, (ghz, 2), (perfect, 3)]:
        matrix = ket.reshape(levels**3, levels)
        rho = matrix @ matrix.T / np.sum(matrix**2)
        rays.append(all_entropies(rho, (levels,) * 3, "ABC"))
    return rays


def classical_rays():
    """One bit shared by each set of A, B, C, and the parity of two bits."""
    rays = []
    for shared in itertools.product((0, 1), repeat=3):
        if any(shared):
            rho = distribution([(0, 0, 0), shared], 3)
            rays.append(all_entropies(rho, (2,) * 3, "ABC"))
    parity = distribution([(a, b, a ^ b) for a, b in BITS], 3)
    return [*rays, all_entropies(parity, (2,) * 3, "ABC")]
