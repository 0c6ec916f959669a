"""Random access codes n -> m: see-saw from below, a dual and two caps from above.

In NumPy, with the restarts as a batch axis: an iteration is two batches of small
eigendecompositions, and no semidefinite program is needed because both half-problems
are solved by them.
"""

import dataclasses
import itertools
import math
from typing import Any

import jax
import numpy as np
import scipy.optimize
from jaxtyping import Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.information import binary_entropy

_CONVERGED = 1e-13


@dataclasses.dataclass(frozen=True)
class RandomAccessCode:
    """The best code that a see-saw found.

    Attributes:
        success: Average success probability over strings and asked positions.
        observables: A_i with eigenvalues +-1, shape (n, 2^m, 2^m); position i is
            decoded as 0 for outcome +1.
        kets: One per string x, in binary order, shape (2^n, 2^m).
        all_successes: Value of every restart.
    """

    success: float
    observables: np.ndarray
    kets: np.ndarray
    all_successes: np.ndarray


@dataclasses.dataclass(frozen=True)
class DualCertificate:
    """No encoding does better with these measurements.

    Attributes:
        success: mean_x y_x, an upper bound given the observables.
        levels: y_x with y_x I >= G_x = I/2 + (1/2n) sum_i (-1)^{x_i} A_i, shape (2^n,).
        observables: A_i.
    """

    success: float
    levels: np.ndarray
    observables: np.ndarray


def _signs(num_bits: int) -> np.ndarray:
    """(-1)^{x_i} for every string, shape (2^n, n)."""
    return 1 - 2 * np.asarray(list(itertools.product((0, 1), repeat=num_bits)))


def _require_sizes(num_bits: int, num_wires: int) -> None:
    require(num_bits >= 1, "num_bits", "be at least 1", num_bits)
    require(num_wires >= 1, "num_wires", "be at least 1", num_wires)


def qrac_seesaw(
    key: Key,
    num_bits: int,
    num_wires: int,
    *,
    restarts: int = 32,
    iterations: int = 300,
) -> RandomAccessCode:
    """Random access code by alternating optimisation: a lower bound on the success.

    Given A_i the best |psi_x> is the top eigenvector of sum_i (-1)^{x_i} A_i; given the
    states the best A_i is the sign of sum_x (-1)^{x_i} |psi_x><psi_x|. The success
    1/2 + (1/(2n 2^n)) sum_x <psi_x| sum_i (-1)^{x_i} A_i |psi_x> never falls.

    Args:
        key: JAX random key of the starting observables.
        num_bits: n >= 1.
        num_wires: m >= 1.
        restarts: Random starts.
        iterations: At most this many; stops when all restarts have converged.

    Returns:
        The best code.

    Raises:
        ValueError: If a size is below 1.

    Source: Werner and Wolf, Quantum Inf. Comput. 1, 1 (2001), for the see-saw;
    Ambainis, Leung, Mancinska and Ozols, arXiv:0810.2937 (2008).

    Example:
        >>> import jax
        >>> from qjax.bounds.sdp import qrac_seesaw
        >>> round(qrac_seesaw(jax.random.key(1), 2, 1, restarts=4).success, 6)
        0.853553
    """
    _require_sizes(num_bits, num_wires)
    require(restarts >= 1, "restarts", "be at least 1", restarts)
    require(iterations >= 1, "iterations", "be at least 1", iterations)
    size, signs = 2**num_wires, _signs(num_bits)
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    raw = generator.normal(size=(2, restarts, num_bits, size, size))
    observables = _sign_matrices(raw[0] + 1j * raw[1])
    previous = np.full(restarts, -np.inf)
    kets = np.zeros((restarts, 2**num_bits, size), complex)
    success = previous
    for step in range(iterations):
        wanted = np.einsum("xi,riab->rxab", signs, observables)
        values, vectors = np.linalg.eigh(wanted)
        kets = vectors[..., -1]
        success = 0.5 + values[..., -1].mean(axis=1) / (2 * num_bits)
        # The last observables stay those that the kets are best for.
        if step == iterations - 1 or np.all(success - previous < _CONVERGED):
            break
        previous = success
        pulled = np.einsum("xi,rxa,rxb->riab", signs, kets, kets.conj(), optimize=True)
        observables = _sign_matrices(pulled)
    best = int(np.argmax(success))
    return RandomAccessCode(
        float(success[best]), observables[best], kets[best], success
    )


def _sign_matrices(matrices: np.ndarray) -> np.ndarray:
    """+1 on the positive part of (M + M^dag)/2, -1 on the rest."""
    values, vectors = np.linalg.eigh(matrices + matrices.conj().mT)
    outcomes = np.where(values >= 0, 1.0, -1.0)
    return (vectors * outcomes[..., None, :]) @ vectors.conj().mT


def qrac_dual(
    observables: Complex[np.ndarray, "n d d"] | Float[np.ndarray, "n d d"],
) -> DualCertificate:
    """Upper bound on the success of every encoding for given measurements.

    y_x = lambda_max(I/2 + (1/2n) sum_i (-1)^{x_i} A_i): the dual of the program over
    states, in closed form. A see-saw that has converged meets it.

    Args:
        observables: A_i, Hermitian with -I <= A_i <= I.

    Returns:
        The levels y_x and their mean.

    Raises:
        ValueError: If an observable is not Hermitian or exceeds 1 by more than 1e-9.

    Source: Boyd and Vandenberghe, Convex Optimization, section 5.9.

    Example:
        >>> import numpy as np
        >>> from qjax.bounds.sdp import qrac_dual
        >>> x, z = np.asarray([[0, 1], [1, 0.0]]), np.diag([1.0, -1.0])
        >>> round(qrac_dual(np.stack([x, z])).success, 6)
        0.853553
    """
    observables = np.asarray(observables)
    skew = float(np.max(np.abs(observables - observables.conj().mT)))
    require(skew < 1e-9, "observables", "be Hermitian", f"off by {skew:.1e}")
    largest = float(np.max(np.abs(np.linalg.eigvalsh(observables))))
    require(largest < 1 + 1e-9, "observables", "lie in [-I, I]", f"of norm {largest}")
    num_bits = len(observables)
    signed = np.einsum("xi,iab->xab", _signs(num_bits), observables)
    levels = 0.5 + np.linalg.eigvalsh(signed)[:, -1] / (2 * num_bits)
    return DualCertificate(float(levels.mean()), levels, observables)


def nayak_success(num_bits: int, num_wires: int) -> float:
    """Largest p with n (1 - h(p)) <= m: the cap of Nayak's bound.

    Args:
        num_bits: n >= 1.
        num_wires: m >= 1.

    Source: Nayak, FOCS 1999; Ambainis, Nayak, Ta-Shma and Vazirani, J. ACM 49 (2002).

    Example:
        >>> from qjax.bounds.sdp import nayak_success
        >>> round(nayak_success(2, 1), 6)
        0.889972
    """
    _require_sizes(num_bits, num_wires)
    share = num_wires / num_bits
    if share >= 1:
        return 1.0

    def excess(p: float) -> float:
        return 1 - float(binary_entropy(p)) - share

    return float(scipy.optimize.brentq(excess, 0.5, 1.0, xtol=1e-15))


def mancinska_storgaard_success(num_bits: int, num_wires: int) -> float:
    """Cap 1/2 + 1/2 sqrt(2^{m-1} / n) on the average success, at most 1.

    Args:
        num_bits: n >= 1.
        num_wires: m >= 1.

    Source: Mancinska and Storgaard, The geometry of Bloch space in the context of
    quantum random access codes, Quantum Inf. Process. 21, 143 (2022).

    Example:
        >>> from qjax.bounds.sdp import mancinska_storgaard_success
        >>> round(mancinska_storgaard_success(4, 1), 6)
        0.75
    """
    _require_sizes(num_bits, num_wires)
    return min(1.0, 0.5 + 0.5 * math.sqrt(2 ** (num_wires - 1) / num_bits))


def qrac_table(
    key: Key,
    *,
    max_bits: int = 6,
    max_wires: int = 3,
    restarts: int = 32,
    iterations: int = 300,
) -> list[dict[str, Any]]:
    """See-saw values and caps of every n -> m with m < n.

    Args:
        key: JAX random key.
        max_bits: Largest n, at least 2.
        max_wires: Largest m, at least 1.
        restarts: Per code.
        iterations: Per code.

    Returns:
        Rows with n, m, seesaw, dual, nayak, mancinska_storgaard, and share =
        n (1 - h(seesaw)) / m, the fraction of Nayak's bound that is attained.

    Raises:
        ValueError: If a size is too small.

    Source: theory of bounds, section 9.

    Example:
        >>> import jax
        >>> from qjax.bounds.sdp import qrac_table
        >>> rows = qrac_table(jax.random.key(1), max_bits=3, max_wires=1, restarts=4)
        >>> [(row["n"], row["m"], round(row["seesaw"], 4)) for row in rows]
        [(2, 1, 0.8536), (3, 1, 0.7887)]
    """
    require(max_bits >= 2, "max_bits", "be at least 2", max_bits)
    require(max_wires >= 1, "max_wires", "be at least 1", max_wires)
    shapes = [
        (n, m) for m in range(1, max_wires + 1) for n in range(m + 1, max_bits + 1)
    ]
    rows = []
    for (n, m), own in zip(shapes, jax.random.split(key, len(shapes)), strict=True):
        code = qrac_seesaw(own, n, m, restarts=restarts, iterations=iterations)
        share = n * (1 - float(binary_entropy(code.success))) / m
        row = {"n": n, "m": m, "seesaw": code.success, "share": share}
        row["dual"] = qrac_dual(code.observables).success
        row["nayak"] = nayak_success(n, m)
        row["mancinska_storgaard"] = mancinska_storgaard_success(n, m)
        rows.append(row)
    return rows
