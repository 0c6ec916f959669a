"""NumPy: plain code that the others are checked against, and the sampler to beat.

Gates are 2 x 2 and 4 x 4 matrices contracted with the state in complex128; gradients
come from an adjoint sweep, tangents from a forward one. Slow on purpose.
"""

import numpy as np

from scripts.bench.sides.base import (
    Arrays,
    Prepared,
    Unsupported,
    ones_of_counts,
    ones_of_indices,
)
from scripts.bench.workloads import PAULI_ERROR, Case, Op, ising_words, z_words

PAULIS = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}
FIXED = {
    "cx": np.eye(4)[[0, 1, 3, 2]].astype(complex),
    "cz": np.diag([1, 1, 1, -1]).astype(complex),
}
MAX_WIRES = 12


def matrix(op: Op, angles: np.ndarray) -> np.ndarray:
    if op.name in FIXED:
        return FIXED[op.name]
    angle = angles[op.angle]
    word = PAULIS[op.name[1].upper()]
    return np.cos(angle / 2) * PAULIS["I"] - 1j * np.sin(angle / 2) * word


def apply(gate: np.ndarray, tensor: np.ndarray, wires: tuple[int, ...]) -> np.ndarray:
    """Contract a gate with the axes `wires` of a tensor."""
    count = len(wires)
    gate = gate.reshape((2,) * (2 * count))
    moved = np.tensordot(gate, tensor, (range(count, 2 * count), wires))
    return np.moveaxis(moved, range(count), wires)


def evolve(ops: list[Op], angles: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    for op in ops:
        tensor = apply(matrix(op, angles), tensor, op.wires)
    return tensor


def zeros(num_wires: int) -> np.ndarray:
    tensor = np.zeros((2,) * num_wires, complex)
    tensor[(0,) * num_wires] = 1
    return tensor


def weighted(tensor: np.ndarray, words: list[tuple[float, str]]) -> np.ndarray:
    """O |psi> of a weighted sum of Pauli words; trailing axes are carried along."""
    total = np.zeros_like(tensor)
    for weight, word in words:
        term = tensor
        for wire, letter in enumerate(word):
            if letter != "I":
                term = apply(PAULIS[letter], term, (wire,))
        total += weight * term
    return total


def z_values(probabilities: np.ndarray, num_wires: int) -> np.ndarray:
    """<Z_i> of (..., 2^n) probabilities."""
    return 1 - 2 * bits(num_wires, probabilities)


def bits(num_wires: int, probabilities: np.ndarray) -> np.ndarray:
    table = np.arange(2**num_wires)[:, None] >> np.arange(num_wires)[::-1] & 1
    return probabilities @ table


def tangents(ops: list[Op], angles: np.ndarray, start: np.ndarray) -> np.ndarray:
    """All d|psi>/d(angle), shape (angles, 2^n), by forward accumulation."""
    state, parts = start, np.zeros((len(angles), *start.shape), complex)
    for op in ops:
        gate = matrix(op, angles)
        parts = apply(gate, parts, tuple(w + 1 for w in op.wires))
        state = apply(gate, state, op.wires)
        if op.angle is not None:
            word = PAULIS[op.name[1].upper()]
            parts[op.angle] += -0.5j * apply(word, state, op.wires)
    return parts.reshape(len(angles), -1)


def value_and_gradient(
    ops: list[Op], angles: np.ndarray, start: np.ndarray, words: list[tuple[float, str]]
) -> tuple[float, np.ndarray]:
    """Reversible adjoint, one angle after another."""
    ket = evolve(ops, angles, start)
    bra = weighted(ket, words)
    value = float(np.vdot(ket, bra).real)
    gradient = np.zeros(len(angles))
    for op in reversed(ops):
        if op.angle is not None:
            word = PAULIS[op.name[1].upper()]
            turned = apply(word, ket, op.wires)
            gradient[op.angle] += float(np.vdot(bra, -1j * turned).real)
        inverse = matrix(op, angles).conj().T
        ket, bra = apply(inverse, ket, op.wires), apply(inverse, bra, op.wires)
    return value, gradient


def density(case: Case) -> np.ndarray:
    """Exact density matrix with depolarizing noise after each CNOT."""
    n, angles = case.num_wires, case.angles().ravel()
    rho = zeros(2 * n)
    weights = [1 - PAULI_ERROR] + [PAULI_ERROR / 3] * 3
    for op in case.operations():
        gate = matrix(op, angles)
        rho = apply(gate, rho, op.wires)
        rho = apply(gate.conj(), rho, tuple(w + n for w in op.wires))
        if op.name != "cx":
            continue
        for wire in op.wires:
            noisy = np.zeros_like(rho)
            for weight, pauli in zip(weights, PAULIS.values(), strict=True):
                turned = apply(pauli, rho, (wire,))
                noisy += weight * apply(pauli.conj(), turned, (wire + n,))
            rho = noisy
    return rho.reshape(2**n, 2**n)


def batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """<Z_i> of every sample (batch, n), and their derivatives (batch, angles, n)."""
    n, ops, values, slopes = case.num_wires, case.operations(), [], []
    for start, offset in zip(case.inputs(), case.offsets(), strict=True):
        angles = case.angles()
        if case.reupload:
            angles[:, :, 0] += offset
        angles = angles.ravel()
        tensor = start.reshape((2,) * n).astype(complex)
        psi = evolve(ops, angles, tensor).ravel()
        values.append(z_values(np.abs(psi) ** 2, n))
        if case.task == "batch_gradient":
            parts = tangents(ops, angles, tensor)
            slopes.append(z_values(2 * np.real(psi.conj() * parts), n) - 1)
    return np.asarray(values), np.asarray(slopes)


def loss_of_values(case: Case, values: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of (w . <Z> - target)^2 over the batch, and the residuals."""
    residual = values @ case.weights() - case.targets()
    return float(np.mean(residual**2)), residual


def _exact(case: Case) -> Arrays:
    n, ops = case.num_wires, case.operations()
    angles = case.angles().ravel()
    if case.task == "state":
        return {"state": evolve(ops, angles, zeros(n)).ravel()}
    if case.task in ("chain_values", "chain_compile"):
        values = z_values(np.abs(evolve(ops, angles, zeros(n)).ravel()) ** 2, n)
        return {"values": values[list(case.sites)], "fidelity": np.asarray(1.0)}
    if case.task in ("gradient", "chain_gradient"):
        chain = case.task == "chain_gradient"
        words = [(1.0, w) for w in (z_words(n) if chain else ising_words(n))]
        value, gradient = value_and_gradient(ops, angles, zeros(n), words)
        return {"value": np.asarray(value), "gradient": gradient}
    if case.task == "metric":
        psi = evolve(ops, angles, zeros(n)).ravel()
        parts = tangents(ops, angles, zeros(n))
        overlap = parts.conj() @ psi
        metric = parts.conj() @ parts.T - np.outer(overlap, overlap.conj())
        return {"metric": np.real(metric)}
    if case.task == "density":
        return {"state": density(case)}
    if case.task == "trajectories":
        diagonal = np.real(np.diagonal(density(case)))
        return {"values": z_values(diagonal, n), "count": np.asarray(np.inf)}
    values, slopes = batch(case)
    if case.task == "batch_values":
        return {"values": values}
    value, residual = loss_of_values(case, values)
    gradient = np.einsum("b,bpi,i->p", 2 * residual, slopes, case.weights())
    return {"value": np.asarray(value), "gradient": gradient / len(residual)}


def _sampler(case: Case, method: str) -> Prepared:
    probabilities = np.abs(case.amplitudes()) ** 2
    generator, n, shots = np.random.default_rng(0), case.num_wires, case.shots
    probabilities /= probabilities.sum(-1, keepdims=True)
    if method == "choice":
        if probabilities.ndim > 1:
            raise Unsupported("one state at a time")

        def draw():
            return generator.choice(2**n, shots, p=probabilities)

        return Prepared(
            draw,
            lambda out: {"ones": ones_of_indices(out, n)},
            "float64",
            "Generator.choice: indices",
        )

    def counts():
        return generator.multinomial(shots, probabilities)

    def ones(out):
        rows = [ones_of_counts(row, n) for row in np.atleast_2d(out)]
        return {"ones": np.asarray(rows).reshape((*np.shape(out)[:-1], n))}

    return Prepared(counts, ones, "float64", "Generator.multinomial: counts")


def prepare(case: Case, precision: str, variant: str) -> Prepared:
    if variant in ("multinomial", "choice"):
        return _sampler(case, variant)
    if case.num_wires > MAX_WIRES and case.task in ("state", "gradient"):
        raise Unsupported(f"the oracle stops at {MAX_WIRES} wires")
    if case.task == "density" and case.num_wires > MAX_WIRES - 2:
        raise Unsupported("the oracle's density matrix is too large")
    if case.task == "trajectories" and case.num_wires > MAX_WIRES // 2:
        raise Unsupported("the oracle averages exactly: small registers only")
    return Prepared(lambda: _exact(case), lambda out: out, "complex128", "oracle")
