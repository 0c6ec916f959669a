"""Outcomes of probes in one entangled state: what their mean's variance is.

Probes are simulated with noise; random laws are exchangeable by construction.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import mpmath
import numpy as np
from jaxtyping import Array, Complex, Float
from numpy.typing import NDArray

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.batches.batch_memories import generator
from qjax.bounds.bound import RandomBatch
from qjax.bounds.memory.structure import storage_noise
from qjax.circuits import Circuit
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

DIGITS = 50
PROBES = 4
"""Qubits of every simulation, so that one compilation serves all; spares are |0>."""
MOST = 6
"""Largest B of the random laws; the smallest is 2."""


@eqx.filter_jit
def _basis_law(
    amplitudes: Complex[Array, "*qubits"], noise: Circuit
) -> Float[Array, "*qubits"]:
    state = DensityMatrix.from_state(StateVector(amplitudes))
    count = amplitudes.ndim
    return run(noise, state).probabilities(tuple(range(count)))


def _counts(count: int) -> NDArray[np.int64]:
    """Number of ones of every word of a shape (2,) * B table."""
    return np.indices((2,) * count).sum(axis=0)


def entangled_probes(kind: str, count: int) -> NDArray[np.complex128]:
    """Amplitudes of B probes, shape (2,) * B.

    Args:
        kind: "cat" (|0..0> + |1..1>), "half" (Dicke state with B/2 ones), "singlet"
            (B = 2) or "product" (every probe turned by 1 radian).
        count: B; even for "half".

    Raises:
        ValueError: If the kind is unknown.
    """
    ones = _counts(count)
    if kind == "cat":
        weights = ((ones == 0) | (ones == count)).astype(float)
    elif kind == "half":
        weights = (2 * ones == count).astype(float)
    elif kind == "singlet":
        require(count == 2, "count", "be 2 for a singlet", count)
        weights = np.array([[0.0, 1.0], [-1.0, 0.0]])
    else:
        rule = "be cat, half, singlet or product"
        require(kind == "product", "kind", rule, repr(kind))
        weights = math.cos(0.5) ** (count - ones) * math.sin(0.5) ** ones
    return (weights / np.linalg.norm(weights)).astype(complex)


def exchangeable_values(kind: str, count: int, survival: float) -> Mapping[str, Any]:
    """Z outcomes of B probes in one state: variance of their mean and correlation.

    Args:
        kind: See `entangled_probes`.
        count: B, at most 4.
        survival: lambda of one layer of depolarizing noise on every probe.
    """
    probes = entangled_probes(kind, count)
    spare = np.zeros((2,) * (PROBES - count), dtype=complex)
    spare[(0,) * (PROBES - count)] = 1
    noise = storage_noise(survival, 1, PROBES)
    law = _basis_law(jnp.asarray(np.multiply.outer(probes, spare)), noise)
    return outcome_moments(np.asarray(law).sum(axis=tuple(range(count, PROBES))))


def outcome_moments(law: NDArray[np.float64]) -> Mapping[str, Any]:
    """sigma^2, r and the variance of the mean of +-1 outcomes, from their joint law.

    Args:
        law: Probabilities, shape (2,) * B.

    Returns:
        B, s2 = mean variance, r = mean covariance of two over s2, w = Var of the mean.

    Example:
        >>> import numpy as np
        >>> outcome_moments(np.array([[0.5, 0.0], [0.0, 0.5]]))  # one bit, read twice
        {'B': 2, 's2': 1.0, 'r': 1.0, 'w': 1.0}
    """
    count = law.ndim
    weights = law.reshape(-1) / law.sum()
    signs = 1 - 2 * np.indices(law.shape).reshape(count, -1)
    centred = signs - (signs @ weights)[:, None]
    covariance = (centred * weights) @ centred.T
    own = float(np.trace(covariance) / count)
    pairs = covariance.sum() - np.trace(covariance)
    shared = float(pairs / (count * (count - 1))) if count > 1 else 0.0
    average = signs.mean(axis=0)
    spread = float(weights @ average**2 - (weights @ average) ** 2)
    return {"B": count, "s2": own, "r": shared / own if own > 0 else 0.0,
            "w": max(spread, 0.0)}  # fmt: skip


def _words(count: int) -> NDArray[np.int64]:
    return np.array(list(itertools.product((0, 1), repeat=count)))


def random_outcomes(key: Key, count: int) -> RandomBatch:
    """Random exchangeable laws of 2 to 6 outcomes +-1.

    The number of ones has a random law; given it, every word is equally likely.

    Args:
        key: JAX random key.
        count: At least 1.

    Returns:
        B, s2, r and w, each from the whole joint law.

    Raises:
        ValueError: If `count` < 1.
    """
    require(count >= 1, "count", "be at least 1", count)
    draw = generator(key)
    power = draw.uniform(0.5, 6.0, (count, 1))
    law = draw.random((count, MOST + 1)) ** power
    sizes = 2 + np.arange(count) % (MOST - 1)
    law = np.where(np.arange(MOST + 1) <= sizes[:, None], law, 0)
    law = law / law.sum(axis=1, keepdims=True)
    values = {name: np.zeros(count) for name in ("s2", "r", "w")}
    for size in range(2, MOST + 1):
        rows = np.flatnonzero(sizes == size)
        words = _words(size)
        ones = words.sum(axis=1)
        chances = law[rows][:, ones] / np.array([math.comb(size, k) for k in ones])
        signs = 1.0 - 2 * words
        mean = chances @ signs
        second_moment = np.einsum("nx,xi,xj->nij", chances, signs, signs)
        covariance = second_moment - mean[:, :, None] * mean[:, None, :]
        own = np.trace(covariance, axis1=1, axis2=2) / size
        pair = (covariance.sum(axis=(1, 2)) - size * own) / (size * (size - 1))
        average = signs.mean(axis=1)
        values["s2"][rows] = own
        values["r"][rows] = pair / own
        values["w"][rows] = chances @ average**2 - (chances @ average) ** 2

    def serialise(index: int) -> Mapping[str, Any]:
        size = int(sizes[index])
        return {"B": size, "law": law[index, : size + 1].tolist()}

    everything = {"B": sizes, **values}
    return RandomBatch(everything, lambda i: replay_outcomes(serialise(i)), serialise)


def replay_outcomes(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """B, s2, r and w at 50 digits from the law of the number of ones.

    With k ones the sum of the outcomes is B - 2k; two outcomes have product
    ((B - 2k)^2 - B)/(B(B-1)) on average.

    Args:
        record: B and law, as `random_outcomes` serialises them.
    """
    with mpmath.workdps(DIGITS):
        size = record["B"]
        law = [mpmath.mpf(x) for x in record["law"]]
        law = [x / mpmath.fsum(law) for x in law]
        sums = [size - 2 * k for k in range(size + 1)]
        mean = mpmath.fdot(law, sums) / size
        square = mpmath.fdot(law, [x * x for x in sums])
        product = (square - size) / (size * (size - 1))
        own = 1 - mean**2
        return {
            "B": size, "s2": own, "r": (product - mean**2) / own,
            "w": square / size**2 - mean**2,
        }  # fmt: skip
