"""Unbiased estimators of observables from one measurement, the best ones, at random.

A measurement with effects |w_k><w_k| estimates O without bias by numbers f_k with
sum_k f_k |w_k><w_k| = O. Among these the variance in a state is least for one that a
linear system gives, here in float64 and again at 50 digits.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

DIGITS = 50


def whiten(kets: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Vectors w_k with sum_k |w_k><w_k| = I, from any that span: shape (..., K, d)."""
    total = np.einsum("...ki,...kj->...ij", kets, kets.conj())
    values, vectors = np.linalg.eigh(total)
    root = (vectors / np.sqrt(values)[..., None, :]) @ vectors.conj().swapaxes(-1, -2)
    return np.einsum("...ij,...kj->...ki", root, kets)


def _coordinates(matrices: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Real and imaginary parts of a Hermitian matrix's upper triangle, last axis."""
    size = matrices.shape[-1]
    rows, columns = np.triu_indices(size)
    upper = matrices[..., rows, columns]
    strict = rows < columns
    return np.concatenate([upper.real, upper.imag[..., strict]], axis=-1)


def least_variances(
    kets: NDArray[np.complex128],
    state: NDArray[np.complex128],
    observables: NDArray[np.complex128],
) -> NDArray[np.float64]:
    """Least variance of an unbiased estimator of each observable, from one copy.

    Minimises sum_k p_k f_k^2 - (Tr rho O)^2 under sum_k f_k |w_k><w_k| = O.

    Args:
        kets: w_k of a measurement that determines every state, shape (..., K, d).
        state: rho, shape (..., d, d).
        observables: Shape (..., B, d, d).

    Returns:
        Shape (..., B).

    Source: proofs/b2.md, step B2.5, says that it is at least Var_rho(O).

    Example:
        >>> import numpy as np
        >>> corners = np.array([[1, 0], [1, 1], [1, 1j], [0, 1]], dtype=complex)
        >>> mixed = np.eye(2, dtype=complex) / 2
        >>> z = np.diag([1.0, -1.0]).astype(complex)
        >>> bool(least_variances(whiten(corners), mixed, z[None])[0] >= 1)
        True
    """
    chance = np.einsum("...ki,...ij,...kj->...k", kets.conj(), state, kets).real
    effects = _coordinates(kets[..., :, None] * kets[..., None, :].conj())
    scaled = effects / chance[..., None]
    gram = np.einsum("...ka,...kb->...ab", scaled, effects)
    target = _coordinates(observables).swapaxes(-1, -2)
    solved = np.linalg.solve(gram, target)
    mean = np.einsum("...bij,...ji->...b", observables, state).real
    return np.asarray(np.sum(target * solved, axis=-2) - mean**2)


def replay_shots(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Variances at 50 digits of a batch that `shot_ensembles` serialised.

    Args:
        record: B, c, kets, state and observables.

    Returns:
        B, c, v, u and w.
    """
    with mpmath.workdps(DIGITS):
        queries, copies = record["B"], record["c"]
        kets = _precise_measurement(_table(record["kets"]))
        state = _precise_state(_table(record["state"]))
        stacked = zip(
            record["observables"]["real"], record["observables"]["imag"], strict=True
        )
        observables = [_hermitian(_table({"real": x, "imag": y})) for x, y in stacked]
        squares = _precise_squares(kets, state, observables)
        least, own = [], []
        for observable, square in zip(observables, squares, strict=True):
            mean = _expectation(state, observable)
            own.append(_expectation(state, observable * observable) - mean**2)
            least.append(square - mean**2)
        v = mpmath.fsum(own) / queries
        w = mpmath.fsum(least) / (queries * copies)
        return {"B": queries, "c": copies, "v": v, "u": queries * v / copies, "w": w}


def _table(record: Mapping[str, Any]) -> Any:
    return mpmath.matrix(record["real"]) + 1j * mpmath.matrix(record["imag"])


def _hermitian(matrix: Any) -> Any:
    return (matrix + matrix.H) / 2


def _expectation(state: Any, observable: Any) -> Any:
    product = state * observable
    return mpmath.re(mpmath.fsum(product[i, i] for i in range(product.rows)))


def _precise_state(matrix: Any) -> Any:
    values, vectors = mpmath.eighe(_hermitian(matrix))
    clipped = [max(value, mpmath.mpf(0)) for value in values]
    total = mpmath.fsum(clipped)
    return vectors * mpmath.diag([value / total for value in clipped]) * vectors.H


def _precise_measurement(rows: Any) -> list[Any]:
    """Columns w_k with sum_k |w_k><w_k| = I at the working precision."""
    kets = [rows[k, :].T for k in range(rows.rows)]
    total = kets[0] * kets[0].H
    for ket in kets[1:]:
        total = total + ket * ket.H
    values, vectors = mpmath.eighe(total)
    root = vectors * mpmath.diag([1 / mpmath.sqrt(v) for v in values]) * vectors.H
    return [root * ket for ket in kets]


def _precise_squares(kets: list[Any], state: Any, observables: list[Any]) -> list[Any]:
    """sum_k p_k f_k^2 of the best f: t^T (sum_k g_k g_k^T/p_k)^-1 t, t from O."""
    size = state.rows
    pairs = list(itertools.combinations_with_replacement(range(size), 2))
    strict = [pair for pair in pairs if pair[0] < pair[1]]

    def coordinates(matrix: Any) -> list[Any]:
        return [mpmath.re(matrix[i, j]) for i, j in pairs] + [
            mpmath.im(matrix[i, j]) for i, j in strict
        ]

    gram = mpmath.zeros(size * size)
    for ket in kets:
        chance = mpmath.re((ket.H * state * ket)[0])
        row = mpmath.matrix(coordinates(ket * ket.H))
        gram = gram + row * (row.T / chance)
    targets = [mpmath.matrix(coordinates(observable)) for observable in observables]
    return [(target.T * mpmath.lu_solve(gram, target))[0] for target in targets]
