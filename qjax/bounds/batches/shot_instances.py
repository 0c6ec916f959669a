"""Simulated batches of shots: one measurement for all observables, or one at a time.

Observables are Paulis, so that Var_rho(O) = 1 - <O>^2; probabilities come from the
engine, variances from the exact law of the outcomes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qjax.bounds.batches.batch_instances import (
    IDENTITY,
    PAULI_X,
    PAULI_Y,
    PAULI_Z,
    basis_effects,
)
from qjax.bounds.batches.batch_memories import noisy_register, outcome_table, prepare
from qjax.bounds.batches.shot_ensembles import GAMMAS
from qjax.bounds.memory.instances import TETRAHEDRON

FIRST_QUBIT = {
    name: np.kron(matrix, IDENTITY).astype(complex)
    for name, matrix in (("X", PAULI_X), ("Y", PAULI_Y), ("Z", PAULI_Z))
}
COMMUTING = np.stack(
    [np.kron(PAULI_Z, IDENTITY), np.kron(IDENTITY, PAULI_Z), np.kron(PAULI_Z, PAULI_Z)]
).astype(complex)
SIGNS = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=float)
"""Value of each of `COMMUTING` in the four basis states."""


def tilted_state(survival: float, angle: float = 0.7) -> NDArray[np.complex128]:
    """Two qubits turned by different angles, under one layer of depolarizing noise."""
    angles = np.array([[[angle, 0.4], [2 * angle, 1.1]]])
    return noisy_register(prepare(angles), survival, 1)


def mixed_state() -> NDArray[np.complex128]:
    """The maximally mixed state of two qubits: any state after full noise."""
    return tilted_state(0.0)


def halves(observables: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Effects (I + O)/2 and (I - O)/2 of each observable with O^2 = I."""
    one = np.eye(observables.shape[-1])
    return np.stack([(one + observables) / 2, (one - observables) / 2], axis=1)


def own_variances(
    state: NDArray[np.complex128], observables: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Var_rho(O) = 1 - <O>^2 of observables with O^2 = I, measured by themselves."""
    chances = outcome_table(state, halves(observables))[..., 0]
    return 1 - (chances[:, 0] - chances[:, 1]) ** 2


def _values(
    own: NDArray[np.float64], batch: NDArray[np.float64], copies: int
) -> Mapping[str, Any]:
    """Mean variances: v of O_j, u from c/B copies each, w of the batch."""
    count = len(own)
    v, w = float(own.mean()), float(batch.mean())
    return {"B": count, "c": copies, "v": v, "u": count * v / copies, "w": w / copies}


def commuting_values(survival: float, copies: int) -> Mapping[str, Any]:
    """Z1, Z2 and Z1 Z2 read from one basis measurement of each of c copies."""
    state = tilted_state(survival)
    chances = outcome_table(state, basis_effects())[0, :, 0]
    means = SIGNS @ chances
    return _values(
        own_variances(state, COMMUTING), SIGNS**2 @ chances - means**2, copies
    )


def one_at_a_time(
    state: NDArray[np.complex128], observables: NDArray[np.complex128], copies: int
) -> Mapping[str, Any]:
    """Every copy measures one random O_j, j uniform, and estimates B O_j; others 0.

    Args:
        state: Shape (1, 4, 4).
        observables: Shape (B, 4, 4), each with square 1.
        copies: c.
    """
    count = len(observables)
    chances = outcome_table(state, halves(observables) / count)[..., 0]
    means = count * (chances[:, 0] - chances[:, 1])
    squares = count**2 * chances.sum(axis=1)
    return _values(own_variances(state, observables), squares - means**2, copies)


def paulis(names: str) -> NDArray[np.complex128]:
    """Paulis of the first qubit of the register, for example "XZ"."""
    return np.stack([FIRST_QUBIT[name] for name in names])


def gammas(count: int) -> NDArray[np.complex128]:
    """The first of five anticommuting two-qubit observables."""
    return GAMMAS[4][:count]


def ignoring_values(copies: int) -> Mapping[str, Any]:
    """An estimator that answers 0 whatever it sees: no variance, but a bias."""
    own = own_variances(tilted_state(0.8), COMMUTING)
    return _values(own, np.zeros(len(own)), copies)


def corner_values(copies: int) -> Mapping[str, Any]:
    """X, Y, Z of a mixed qubit from the four corners of a tetrahedron: f = 3 n."""
    rows = np.zeros((4, 2, 2))
    rows[:, 0] = np.asarray(TETRAHEDRON)
    vectors = _bloch_vectors(rows[:, 0])
    half = np.einsum("nk,kij->nij", vectors, paulis("XYZ"))
    effects = (np.eye(4) + half) / 4
    chances = outcome_table(mixed_state(), effects[None])[0, :, 0]
    return _three_means(chances, 3 * vectors, copies, 1)


def paired_values() -> Mapping[str, Any]:
    """X, Y, Z of a mixed qubit from two copies measured together: f = 2 n.

    Outcomes are six directions n with effects |nn><nn|/2, which add up to the
    symmetric projector, and the singlet, for which the estimate is 0.
    """
    vectors = np.concatenate([np.eye(3), -np.eye(3)])
    single = (np.eye(2) + np.einsum(
        "nk,kij->nij", vectors, np.stack([PAULI_X, PAULI_Y, PAULI_Z])
    )) / 2  # fmt: skip
    pairs = np.stack([np.kron(rho, rho) for rho in single]) / 2
    singlet = np.eye(4) - pairs.sum(axis=0)
    effects = np.concatenate([pairs, singlet[None]]).astype(complex)
    chances = outcome_table(mixed_state(), effects[None])[0, :, 0]
    estimates = np.concatenate([2 * vectors, np.zeros((1, 3))])
    return _three_means(chances, estimates, 2, 2)


def _bloch_vectors(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    theta, phi = angles.T
    flat = np.sin(theta)
    return np.stack([flat * np.cos(phi), flat * np.sin(phi), np.cos(theta)], axis=1)


def _three_means(
    chances: NDArray[np.float64], estimates: NDArray[np.float64], copies: int, used: int
) -> Mapping[str, Any]:
    """Variances of estimates that each use some copies, averaged over all copies."""
    means = chances @ estimates
    spread = chances @ estimates**2 - means**2
    own = own_variances(mixed_state(), paulis("XYZ"))
    return _values(own, spread * used, copies)
