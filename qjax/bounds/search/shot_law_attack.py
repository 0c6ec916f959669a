"""Attack on Theorem B2(ii): one measurement that serves several observables well."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Int

from qjax._checks import require
from qjax._linalg import pauli_words
from qjax._types import Key
from qjax.bounds.memory.array_records import array_record, recorded_array
from qjax.bounds.search.ascent import ascend, gaussian_start
from qjax.bounds.search.candidates import Candidate, Evaluation
from qjax.bounds.search.parametrise import kraus_operators
from qjax.bounds.search.precise_points import precise_isometry

# Keeps the information matrix invertible where a POVM stops to look in one direction.
_RIDGE = 1e-10


class ShotLawObjective(eqx.Module):
    """B / mean_j Var_j of the best unbiased estimators from one POVM at rho = I/D.

    An estimator f_j with sum_w f_j(w) G_w = O_j is unbiased for every state. Its
    variance at I/D, sum_w p_w f_j(w)^2, is smallest for least squares: o^T A^{-1} o,
    A = sum_w g_w g_w^T / p_w in the coordinates g = Tr P G of the Pauli words P.

    Attributes:
        words: All Pauli words.
        chosen: Indices of the observables among them.
    """

    words: Complex[Array, "p d d"]
    chosen: Int[Array, " b"]

    def __call__(self, params, progress):
        vectors = kraus_operators(params["povm"])[:, 0].conj()
        size = vectors.shape[-1]
        coordinates = jnp.einsum(
            "wi,pij,wj->wp", vectors.conj(), self.words, vectors
        ).real
        weights = coordinates[:, :1] / size  # the first word is the identity
        information = coordinates.T @ (coordinates / weights)
        ridge = _RIDGE * jnp.eye(len(information))
        inverse = jnp.linalg.inv(information + ridge)
        variances = size**2 * jnp.diagonal(inverse)[self.chosen]
        return len(self.chosen) / jnp.mean(variances)


def _word_indices(observables: Sequence[str]) -> list[int]:
    digits = str.maketrans("IXYZ", "0123")
    return [int(word.translate(digits), 4) for word in observables]


def replay_shot_law(record: Mapping[str, Any], digits: int = 50) -> Evaluation:
    """Ratio at 50 digits, from a record of `attack_shot_law`."""
    observables = record["observables"]
    size = 2 ** len(observables[0])
    with mpmath.workdps(digits):
        vectors = precise_isometry(recorded_array(record["isometry"]))
        words = [
            mpmath.matrix(word.tolist()) for word in pauli_words(len(observables[0]))
        ]
        information = mpmath.zeros(len(words))
        for index in range(vectors.rows):
            bra = vectors[index, :]
            g = [mpmath.re((bra * word * bra.H)[0]) for word in words]
            for row, x in enumerate(g):
                for column, y in enumerate(g):
                    information[row, column] += x * y * size / g[0]
        variances = []
        for chosen in _word_indices(observables):
            target = mpmath.zeros(len(words), 1)
            target[chosen] = size
            variances.append(size * mpmath.lu_solve(information, target)[chosen])
        mean = mpmath.fsum(variances) / len(variances)
        values = {"B": len(observables), "c": 1, "V": mean}
        return Evaluation(len(observables) / mean, values)


def attack_shot_law(
    key: Key,
    observables: Sequence[str],
    *,
    outcomes: int | None = None,
    restarts: int = 32,
    steps: int = 400,
) -> Candidate:
    """Search for a POVM whose unbiased estimates of all observables are too good.

    For pairwise anticommuting O_1..O_B, from single copies of I/D:
    mean_j Var_j >= B, the value of measuring each on its own share of the copies.

    Args:
        key: JAX random key.
        observables: Pauli words of one length, such as ("X", "Z"), not the identity.
            Words that commute are allowed: they refute the claim.
        outcomes: Rank-one outcomes of the POVM, at least 4^m (default 4^m + 2).
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best POVM; its ratio is B / mean_j Var_j.

    Raises:
        ValueError: If a word is not one of equal length over IXYZ, if one is the
            identity, or if there are too few outcomes.

    Source: theory of bounds, section 4.3 (Theorem B2(ii)).

    Example:
        >>> import jax
        >>> from qjax.bounds.search import attack_shot_law
        >>> with jax.enable_x64(True):
        ...     found = attack_shot_law(jax.random.key(1), ("X", "Z"), restarts=4,
        ...                             steps=100)
        >>> round(float(found.replayed.ratio), 4), found.refutes
        (1.0, False)
    """
    num_wires = len(observables[0]) if observables else 0
    valid = num_wires > 0 and all(
        len(word) == num_wires and set(word) <= set("IXYZ") and set(word) != {"I"}
        for word in observables
    )
    rule = "be Pauli words of one length over IXYZ, none of them the identity"
    require(valid, "observables", rule, observables)
    count = 4**num_wires + 2 if outcomes is None else outcomes
    require(count >= 4**num_wires, "outcomes", f"be at least {4**num_wires}", count)
    objective = ShotLawObjective(
        jnp.asarray(pauli_words(num_wires)), jnp.asarray(_word_indices(observables))
    )
    start = gaussian_start({"povm": (2, count, 1, 2**num_wires)})
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    isometry = eqx.filter_jit(kraus_operators)(jnp.asarray(found.best_params["povm"]))
    record = {
        "kind": "shot law", "observables": list(observables),
        "isometry": array_record(np.asarray(isometry)[:, 0]),
    }  # fmt: skip
    claim = "B2(ii): mean_j Var_j >= B for single copies of I/D"
    replayed = replay_shot_law(record)
    return Candidate(
        claim, record, found.best, replayed, found.all_values, found.dropped
    )
