"""Q-LSH lemma, dominance: no test of a phase sketch beats SimHash with the same signs.

The sketches are a channel applied to the two sign patterns, whose Hamming distance has
a monotone likelihood ratio. Instances are simulated tests: SWAP trials with thresholds,
and the best joint measurement of both sketches (Helstrom's).
"""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
import scipy.stats
import sympy as sp
from jaxtyping import Array
from numpy.typing import NDArray

from qjax._types import Key
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, RandomBatch, Variable
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.sampling import BernoulliTest, Counts
from qjax.bounds.sketches.sign_sketches import SketchNoise, sign_patterns, sketch_states
from qjax.bounds.sketches.sketch_profiles import (
    hamming_table,
    hyperplane_mean,
    noiseless,
    sketch_profiles,
)
from qjax.bounds.sketches.sketch_roc import (
    best_power,
    gaussian_auc,
    mixture_roc,
    simhash_roc,
)
from qjax.bounds.sketches.sketch_sampling import (
    hyperplane_signs,
    measured_outcomes,
    vector_pair,
)
from qjax.bounds.theorems.qlsh_precise import replay_test
from qjax.bounds.theorems.qlsh_readout_steps import steps_of
from qjax.bounds.theorems.qlsh_simulation import random_columns
from qjax.bounds.theorems.qlsh_symbols import (
    HYPOTHESES,
    NOISY_MODEL,
    auc,
    auc_classical,
    power,
    tpr,
    variables_of,
)

claimed = sp.Symbol("auc_claimed", real=True, nonnegative=True)
power_of_m = sp.Symbol("power_of_m", real=True, nonnegative=True)
unmixed = sp.Symbol("power_unmixed", real=True, nonnegative=True)


def _delta(cosine: Any) -> NDArray[np.float64]:
    return np.asarray(np.arccos(cosine) / np.pi)


def _single_overlap(theta: float) -> float:
    """Tr rho_a rho_b of two simulated qubits whose signs differ."""
    profile = sketch_profiles((1, 1), np.asarray([theta]), noiseless(1))
    return float(profile.overlap[0, 1])


def swap_test_values(
    num_signs: int, theta: float, low: float, high: float, shots: int
) -> Mapping[str, Any]:
    """One sign per qubit: rates at the threshold where the curves are closest.

    One pair of qubits is simulated; the Hamming distance and the trials are binomial.
    The threshold is the one at which tpr/power is largest among non-trivial ones.

    Returns:
        tpr, fpr, power, auc, auc_classical; auc_claimed from Gaussians with variances
        (1 - mu^2)/c, as in the original design; power_unmixed, of the largest threshold
        on d_H whose rate is at most fpr.
    """
    overlap = _single_overlap(theta)
    roc = mixture_roc(overlap, num_signs, low, high, shots)
    classical = simhash_roc(num_signs, low, high)
    reachable = classical.power(roc.false_positive)
    # The last points differ from (1, 1) by less than rounding: they say nothing.
    inner = (roc.true_positive > 1e-6) & (roc.false_positive < 0.999)
    ratio = np.where(inner, roc.true_positive / np.maximum(reachable, 1e-300), 0)
    best = int(np.argmax(ratio))
    rate = roc.false_positive[best]
    pure = classical.true_positive[classical.false_positive <= rate * (1 + 1e-12)]
    h = np.arange(num_signs + 1)
    profile = scipy.special.comb(num_signs, h) * overlap**h
    means = [float(hyperplane_mean(profile, _delta(s))) for s in (low, high)]
    spread = [(1 - mean**2) / shots for mean in means]
    return {
        "tpr": roc.true_positive[best], "fpr": rate, "power": reachable[best],
        "auc": roc.auc(), "auc_classical": classical.auc(),
        "auc_claimed": gaussian_auc((means[0], means[1]), (spread[0], spread[1])),
        "power_unmixed": pure[-1],
    }  # fmt: skip


@eqx.filter_jit
def _densities(theta: Array, noise: SketchNoise, per_qubit: int) -> Array:
    """Density matrices of one qubit with g signs, all patterns: (n, 2^g, 2, 2)."""
    signs = jnp.asarray(sign_patterns(per_qubit))

    def one(angle, strengths):
        _, states = sketch_states(signs, angle, strengths, 1)
        return jax.vmap(lambda state: state.matrix())(states)

    return jax.vmap(one)(theta, noise)


def helstrom_tests(
    states: NDArray[np.complex128],
    cosines: tuple[NDArray[np.float64], NDArray[np.float64]],
    price: NDArray[np.float64],
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
    """Best joint test of both sketches: the positive part of sigma_1 - kappa sigma_0.

    sigma_s is the mean of rho_a x rho_b over hyperplanes.

    Args:
        states: Shape (n, patterns, 2, 2).
        cosines: s_0 and s_1, shape (n,).
        price: kappa, the weight of a false positive, shape (n,).

    Returns:
        Effects of shape (n, 4, 4), false-positive and true-positive rates.

    Source: Helstrom, J. Stat. Phys. 1, 231 (1969).
    """
    num_signs = states.shape[1].bit_length() - 1
    distance = hamming_table(num_signs)
    pairs = np.einsum("naij,nbkl->nabikjl", states, states)
    pairs = pairs.reshape(*pairs.shape[:3], 4, 4)
    sigma = []
    for cosine in cosines:
        delta = _delta(cosine)[:, None, None]
        weight = delta**distance * (1 - delta) ** (num_signs - distance) / 2**num_signs
        sigma.append(np.einsum("nab,nabij->nij", weight, pairs))
    values, vectors = np.linalg.eigh(sigma[1] - price[:, None, None] * sigma[0])
    effects = (vectors * (values > 0)[:, None, :]) @ vectors.conj().mT
    rates = [np.einsum("nij,nji->n", effects, rho).real for rho in sigma]
    return effects, rates[0], rates[1]


def helstrom_values(
    per_qubit: int, theta: float, low: float, high: float, price: float
) -> Mapping[str, Any]:
    """Best joint test of one-qubit sketches with g signs, simulated without noise.

    Returns:
        tpr, fpr, power, and power_of_m: that of a single sign (m = 1 bit).
    """
    still = noiseless(1)
    columns = {
        "theta": np.asarray([theta]), "g": np.asarray([per_qubit]),
        "lam": still.survival, "nu": still.coherence, "eta": still.population,
        "e": still.excited, "T": still.layers,
    }  # fmt: skip
    states = _chunked_densities(columns)
    pair = (np.asarray([low]), np.asarray([high]))
    _, false, true = helstrom_tests(states, pair, np.asarray([price]))
    rate = float(np.clip(false[0], 0, 1))
    deltas = (float(_delta(low)), float(_delta(high)))
    found = float(true[0])
    return {
        "tpr": found, "fpr": rate,
        "power": float(best_power(rate, per_qubit, *deltas)),
        "auc": (1 + found - rate) / 2,
        "auc_classical": simhash_roc(per_qubit, low, high).auc(),
        "power_of_m": float(best_power(rate, 1, *deltas)),
    }  # fmt: skip


def swap_test(num_signs: int, theta: float, trials: int) -> BernoulliTest:
    """The Monte-Carlo test of SWAP trials: hyperplanes in R^8, an ancilla per trial.

    Each run draws its own hyperplanes and c trials; accepted if all trials give +1. The
    true-positive rate at its lower limit, the best power at the upper limit of the
    false-positive rate: power grows with the rate.

    Args:
        num_signs: k, one sign on each qubit.
        theta: Radians.
        trials: c.
    """

    def rates() -> Sequence[float]:
        angle, needed = np.asarray([theta]), np.asarray([trials])
        shape = (num_signs, 1)
        profile = sketch_profiles(shape, angle, noiseless(1), needed, needed)
        accept = np.asarray(profile.accept)
        means = [hyperplane_mean(accept, np.asarray([_delta(s)])) for s in (0.8, 0.5)]
        return float(means[0][0]), float(means[1][0])

    def count(key: Key, shots: int) -> Counts:
        counts = []
        for cosine, part in zip((0.8, 0.5), jax.random.split(key), strict=True):
            plane_key, shot_key = jax.random.split(part)
            vectors = jnp.asarray(vector_pair(cosine, 8))
            signs = hyperplane_signs(plane_key, vectors, shots, num_signs)
            outcome = measured_outcomes(
                shot_key, signs, theta, num_signs, readout="swap", shots=trials
            )
            counts.append(int(np.sum(np.all(np.asarray(outcome) > 0, axis=1))))
        return counts[0], counts[1]

    def values(limits: Sequence[Any]) -> Mapping[str, Any]:
        true, false = limits
        deltas = (float(_delta(0.5)), float(_delta(0.8)))
        reachable = best_power(false, num_signs, *deltas)
        return {"tpr": true, "fpr": false, "power": reachable}

    return BernoulliTest(rates, count, ("lower", "upper"), values)


def random_tests(key: Key, count: int) -> RandomBatch:
    """Random tests: c SWAP trials with a threshold, and Helstrom tests, with noise.

    Args:
        key: JAX random key.
        count: At least 2; half are SWAP tests of two qubits with two signs each, half
            Helstrom tests of one qubit with two signs.

    Returns:
        tpr, fpr, power, auc (of two outcomes), auc_classical; replays in mpmath.
    """
    half = count // 2
    uniform = np.asarray(jax.random.uniform(key, (13, count)), np.float64)
    swap, joint = uniform[:, :half], uniform[:, half:]
    columns = [
        {**random_columns(shape, part[:10], True), **_random_cosines(part[10:])}
        for shape, part in (((2, 2), swap), ((1, 2), joint))
    ]
    first, second = columns
    first["t"] = 1 + (first["c"] * swap[12]).astype(int) % first["c"]
    profile = sketch_profiles(
        (2, 2), first["theta"], _noise(first), first["c"], first["t"]
    )
    accept = np.asarray(profile.accept)
    rates = [hyperplane_mean(accept, _delta(first[s])) for s in ("s0", "s1")]
    states = _chunked_densities(second)
    pair = (second["s0"], second["s1"])
    effects, false, true = helstrom_tests(states, pair, 2 * joint[12])
    parts = [_rates(rates[0], rates[1], 4, first), _rates(false, true, 2, second)]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def serialise(index: int) -> Mapping[str, Any]:
        own, row = (first, index) if index < half else (second, index - half)
        record: dict[str, Any] = {name: x[row].item() for name, x in own.items()}
        if index >= half:
            record["effect"] = array_record(effects[row])
        return record

    return RandomBatch(values, lambda i: replay_test(serialise(i)), serialise)


def _random_cosines(uniform: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """s_0 < s_1, at least 0.01 apart, both inside (-1, 1)."""
    low = -0.99 + 1.9 * uniform[0]
    return {"s0": low, "s1": low + (0.99 - low) * (0.2 + 0.8 * uniform[1])}


def _noise(columns: Mapping[str, Any]) -> SketchNoise:
    return SketchNoise(*(columns[name] for name in ("lam", "nu", "eta", "e", "T")))


def _chunked_densities(
    columns: Mapping[str, Any], size: int = 64
) -> NDArray[np.complex128]:
    """States of all random sketches; one compiled program serves every part."""
    count = len(columns["theta"])
    arguments = (columns["theta"], _noise(columns))
    parts = []
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        theta, noise = jax.tree.map(lambda x, i=rows: jnp.asarray(x[i]), arguments)
        parts.append(np.asarray(_densities(theta, noise, int(columns["g"][0]))))
    return np.concatenate(parts)[:count]


def _rates(
    false: NDArray[np.float64], true: NDArray[np.float64], num_signs: int,
    columns: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    false, true = np.clip(false, 0, 1), np.clip(true, 0, 1)
    low, high = _delta(columns["s0"]), _delta(columns["s1"])
    reachable = best_power(false, num_signs, low, high)
    h = np.arange(num_signs + 1)
    law = [scipy.stats.binom.pmf(h, num_signs, d[:, None]) for d in (low, high)]
    above = law[0].sum(axis=1, keepdims=True) - np.cumsum(law[0], axis=1)
    area = np.sum(law[1] * (above + law[0] / 2), axis=1)
    return {
        "tpr": true, "fpr": false, "power": reachable,
        "auc": (1 + true - false) / 2, "auc_classical": area,
    }  # fmt: skip


SETTINGS = (
    (16, 0.35, 100, False),
    (16, 0.35, 10_000, True),
    (1, 0.9, 3, True),
    (64, math.pi / 2, 100, False),
    (2, math.pi / 2, 64, True),
)
"""(k, theta, c, tight) at cosines 0.5 and 0.8, one sign per qubit."""


def _instances() -> tuple[Instance, ...]:
    found = []
    for k, theta, c, tight in SETTINGS:
        simulate = functools.partial(swap_test_values, k, theta, 0.5, 0.8, c)
        small = k <= 2 and c <= 3
        test = swap_test(k, theta, c) if small else None
        name = f"SWAP k={k} theta={theta:.6g} c={c}"
        found.append(Instance(name, simulate, tight, 1e-9, test))
    for g, theta, pair, price in (
        (2, math.pi / 2, (0.9, 0.99), 1.0),
        (2, 0.9, (0.5, 0.8), 0.7),
        (2, 0.5, (-0.2, 0.3), 1.0),
    ):
        simulate = functools.partial(helstrom_values, g, theta, *pair, price)
        name = f"Helstrom m=1 g={g} theta={theta:.6g} s={pair} kappa={price:g}"
        found.append(Instance(name, simulate, error=1e-9))
    return tuple(found)


def qlsh_dominance() -> Bound:
    """Every test of phase sketches of k signs: power at most SimHash's, at each rate.

    tpr <= max over tests of d_H with the same false-positive rate; also the area under
    the curve. Equality: k = 1, orthogonal qubits (theta = pi/2), shots -> infinity.

    Source: proofs/qlsh.md, steps Q5.4 to Q5.6.

    Example:
        >>> from qjax.bounds.theorems.qlsh_dominance import qlsh_dominance
        >>> [str(relation) for relation in qlsh_dominance().also]
        ['auc <= auc_classical']
    """
    statement, area = sp.Le(tpr, power), sp.Le(auc, auc_classical)
    ideal = "SWAP k=16 theta=0.35 c=10000"
    parity = f"Helstrom m=1 g=2 theta={math.pi / 2:.6g} s=(0.9, 0.99) kappa=1"
    more = sp.Rational(21, 20)
    mutants = (
        Mutant("Q9a", "5 % less than SimHash", sp.Le(more * tpr, power), ideal),
        Mutant("Q9b", "hyperplane variance left out: the claimed area is reached",
               sp.Le(claimed, auc_classical), ideal,
               variables=(Variable(claimed, 0, 1, "area claimed without it"),)),
        Mutant("Q9c", "SimHash with one bit per qubit, not per sign",
               sp.Le(tpr, power_of_m), parity,
               variables=(Variable(power_of_m, 0, 1, "power of m bits"),)),
        Mutant("Q9d", "thresholds on d_H that are not mixed", sp.Le(tpr, unmixed),
               "SWAP k=1 theta=0.9 c=3",
               variables=(Variable(unmixed, 0, 1, "power without mixing"),)),
    )  # fmt: skip
    return Bound(
        id="Q-LSH/dominance",
        title="No test of phase sketches beats SimHash with the same signs",
        statement=statement,
        variables=variables_of(statement, area),
        model=dataclasses.replace(NOISY_MODEL, noise_parameter="any"),
        hypotheses=(
            *HYPOTHESES,
            "any measurement of any number of copies of both sketches, after any noise "
            "that does not depend on the vectors",
        ),
        vacuous_when=None,
        constants=(Constant("1", sp.S.One, "step Q5.4; attained, step Q5.6"),),
        steps=steps_of("Q5.4", "Q5.5", "Q5.6"),
        instances=_instances(),
        mutants=mutants,
        proof="qlsh",
        also=(area,),
        random=random_tests,
        replay_random=replay_test,
    )
