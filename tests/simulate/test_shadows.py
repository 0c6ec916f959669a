"""Classical shadows: unbiased, of the variance promised, with honest error bars."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import Hermitian, Projector, pauli
from qjax.simulate import Shadow, classical_shadow, shadows
from qjax.states import DensityMatrix, PauliDensity, StateVector
from tests import oracles, stats

NUM_WIRES = 3
RNG = np.random.default_rng(31)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
RHO = oracles.random_density(RNG, NUM_WIRES)
MATRIX = oracles.random_unitary(RNG, 4)
BLOCK = MATRIX + MATRIX.conj().T
SNAPSHOTS = 60_000
STATES = {
    "vector": (lambda: StateVector.from_amplitudes(VECTOR), VECTOR),
    "density": (lambda: DensityMatrix.from_matrix(RHO), RHO),
    "pauli": (lambda: PauliDensity.from_matrix(RHO), RHO),
}
OBSERVABLES = {
    "z": (pauli("Z", 1), oracles.pauli_word("Z", (1,), 3)),
    "xy": (pauli("XY", (2, 0)), oracles.pauli_word("XY", (2, 0), 3)),
    "yzx": (pauli("YZX", (0, 1, 2)), oracles.pauli_word("YZX", (0, 1, 2), 3)),
    "sum": (
        0.5 * pauli("XX", (0, 1)) + -1.5 * pauli("Y", 2) + pauli("I", 1),
        0.5 * oracles.pauli_word("XX", (0, 1), 3)
        - 1.5 * oracles.pauli_word("Y", (2,), 3)
        + np.eye(8),
    ),
    "projector": (
        Projector((1, 0), (2, 0)),
        oracles.kron([oracles.ZERO, oracles.I2, oracles.ONE]),
    ),
    "hermitian": (Hermitian(BLOCK, (2, 0)), oracles.embed(BLOCK, (2, 0), 3)),
}


@functools.cache
def shadow_of(name: str) -> Shadow:
    build, _ = STATES[name]
    run = jax.jit(classical_shadow, static_argnums=2)
    return run(jax.random.key(12), build(), SNAPSHOTS)


@pytest.mark.parametrize("name", STATES)
def test_bases_are_uniform_and_independent_of_each_other(name):
    shadow = shadow_of(name)
    assert shadow.bases.shape == shadow.bits.shape == (SNAPSHOTS, NUM_WIRES)
    together = np.asarray(shadow.bases).astype(int) @ [9, 3, 1]
    counts = np.bincount(together, minlength=27)
    assert stats.counts_p_value(counts, np.full(27, 1 / 27)) > stats.corrected(3)
    few_y = np.full(3, 1 / 3) * [1.05, 0.9, 1.05]  # the mutant: one basis is rarer
    product = np.einsum("a,b,c->abc", few_y, few_y, few_y)
    assert stats.counts_p_value(counts, product) < stats.corrected(3)


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("observable", OBSERVABLES)
def test_the_mean_is_unbiased(name, observable):
    """And 2 in place of 3, a wrong inverse of the channel, is not."""
    one, full = OBSERVABLES[observable]
    shadow, exact = shadow_of(name), oracles.expectation(STATES[name][1], full)
    result = shadow.expectation(one)
    assert result.shots == SNAPSHOTS
    level = stats.corrected(len(STATES) * len(OBSERVABLES))
    assert stats.z_p_value(float(result.mean), exact, float(result.stderr)) > level


# In "sum" the errors of two words nearly cancel for this state.
@pytest.mark.parametrize("observable", sorted(set(OBSERVABLES) - {"sum"}))
def test_a_wrong_factor_of_the_inverse_channel_is_noticed(observable, monkeypatch):
    monkeypatch.setattr(shadows, "_INVERSE_FACTOR", 2)
    one, full = OBSERVABLES[observable]
    exact = oracles.expectation(VECTOR, full)
    result = shadow_of("vector").expectation(one)
    level = stats.corrected(len(STATES) * len(OBSERVABLES))
    assert stats.z_p_value(float(result.mean), exact, float(result.stderr)) < level


@pytest.mark.parametrize("letters", ["Z", "XY", "YZX"])
def test_variance_of_a_word_on_k_wires_is_at_most_3_to_the_k(letters):
    """E v^2 = 3^k exactly, so the variance is 3^k - <P>^2."""
    wires = tuple(range(len(letters)))
    full = oracles.pauli_word(letters, wires, NUM_WIRES)
    exact = oracles.expectation(VECTOR, full)
    result = shadow_of("vector").expectation(pauli(letters, wires))
    variance = float(result.stderr) ** 2 * SNAPSHOTS
    wanted = 3 ** len(letters) - exact**2
    # v^2 is 9^k with probability 3^-k, else 0; 4 standard deviations of its mean.
    spread = np.sqrt(27 ** len(letters) - 9 ** len(letters))
    assert abs(variance - wanted) < 4 * spread / np.sqrt(SNAPSHOTS)


def many(observable: str, num_batches: int, snapshots: int = 500, runs: int = 1000):
    state, (one, full) = STATES["vector"][0](), OBSERVABLES[observable]

    def estimate(key):
        return classical_shadow(key, state, snapshots).expectation(one, num_batches)

    keys = jax.random.split(jax.random.key(4), runs)
    result = jax.jit(lambda k: jax.lax.map(estimate, k, batch_size=50))(keys)
    return result, oracles.expectation(VECTOR, full)


@pytest.mark.parametrize("num_batches", [1, 9])
def test_interval_covers_the_truth_95_percent_of_the_time(num_batches):
    """To 4 standard deviations of the coverage over 1000 keys."""
    result, exact = many("sum", num_batches)
    errors = np.abs(np.asarray(result.mean, np.float64) - exact)
    tolerance = 4 * np.sqrt(0.95 * 0.05 / 1000)
    assert abs(np.mean(errors < 1.96 * result.stderr) - 0.95) < tolerance
    # The mutant, a standard error that is too small by a third, is noticed.
    assert abs(np.mean(errors < 0.67 * 1.96 * result.stderr) - 0.95) > tolerance


def test_one_bad_batch_moves_the_mean_and_not_the_median():
    shadow = shadow_of("vector")
    exact = oracles.expectation(VECTOR, OBSERVABLES["z"][1])
    bases, bits = np.array(shadow.bases), np.array(shadow.bits)
    bases[: SNAPSHOTS // 10, 1], bits[: SNAPSHOTS // 10, 1] = 2, 1
    broken = Shadow(jnp.asarray(bases), jnp.asarray(bits), shadow.dtype)
    median = broken.expectation(pauli("Z", 1), 15)
    assert abs(float(median.mean) - exact) < 0.05
    assert abs(float(broken.expectation(pauli("Z", 1)).mean) - exact) > 0.2


@pytest.mark.parametrize("num_batches, snapshots", [(1, 7), (2, 7), (3, 7), (7, 7)])
def test_median_of_means_is_numpys(num_batches, snapshots, x64):
    bases = RNG.integers(0, 3, (snapshots, 2)).astype(np.uint8)
    bits = RNG.integers(0, 2, (snapshots, 2)).astype(np.uint8)
    shadow = Shadow(jnp.asarray(bases), jnp.asarray(bits), np.dtype(np.float64))
    value = np.ones(snapshots)
    for wire, letter in ((0, 1), (1, 0)):
        value *= np.where(bases[:, wire] == letter, 3 - 6.0 * bits[:, wire], 0)
    ends = [-(-k * snapshots // num_batches) for k in range(1, num_batches)]
    means = [part.mean() for part in np.split(value, ends)]
    found = shadow.expectation(pauli("YX", (0, 1)), num_batches)
    np.testing.assert_allclose(found.mean, np.median(means), rtol=1e-14)


def test_many_observables_at_once_are_each_alone():
    shadow = shadow_of("vector")
    observables = [one for one, _ in OBSERVABLES.values()]
    together = shadow.expectation(observables, 5)
    each = [shadow.expectation(one, 5) for one in observables]
    np.testing.assert_array_equal(together.mean, jnp.stack([e.mean for e in each]))
    np.testing.assert_array_equal(together.stderr, jnp.stack([e.stderr for e in each]))


def test_jit_and_vmap_are_a_loop(getkey):
    state = StateVector.from_amplitudes(VECTOR)

    def mean(key):
        shadow = classical_shadow(key, state, 40)
        return shadow.expectation(OBSERVABLES["sum"][0], 3).mean

    keys = jax.random.split(getkey(), 2)
    together = jax.jit(jax.vmap(mean))(keys)
    np.testing.assert_allclose(together, jnp.stack([mean(k) for k in keys]), rtol=1e-5)
    assert not np.allclose(together[0], together[1])


def test_results_follow_the_dtype_of_the_state(key, x64):
    for dtype, real in ((jnp.complex64, jnp.float32), (jnp.complex128, jnp.float64)):
        shadow = classical_shadow(key, StateVector.zeros(2, dtype), 20)
        for observable in (pauli("ZZ", (0, 1)), Hermitian(BLOCK, (1, 0))):
            assert shadow.expectation(observable).mean.dtype == real
        assert shadow.bits.dtype == jnp.uint8 and shadow.num_wires == 2


def test_bad_arguments_are_refused(key):
    zero = StateVector.zeros(2)
    with pytest.raises(ValueError, match=r"`snapshots` must be at least 1, but is 0"):
        classical_shadow(key, zero, 0)
    shadow = classical_shadow(key, zero, 10)
    with pytest.raises(ValueError, match=r"`num_batches` must be at most the 10"):
        shadow.expectation(pauli("Z", 0), 11)
    with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
        shadow.expectation(pauli("Z", 2))
