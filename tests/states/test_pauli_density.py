"""Mixed states in the Pauli basis: readings, gates, channels, transforms, physics."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    controlled,
    cx,
    h,
    ising,
    pauli,
    pauli_sum,
    ry,
    rz,
    x,
)
from qjax.noise import amplitude_damping, depolarizing, thermal_relaxation
from qjax.simulate import estimate, expectation, run, sample, trajectory
from qjax.states import (
    DensityMatrix,
    PauliDensity,
    StateVector,
    entropy,
    fidelity,
    partial_trace,
    trace_distance,
)
from tests import oracles, stats, strategies
from tests.compiling import quick_jit

NUM_WIRES = 3
RNG = np.random.default_rng(31)
RHO = oracles.random_density(RNG, NUM_WIRES)
SIGMA = oracles.random_density(RNG, NUM_WIRES)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
SUBSETS = [w for k in (1, 2, 3) for w in itertools.permutations(range(3), k)]
WORDS = ["".join(letters) for letters in itertools.product("IXYZ", repeat=NUM_WIRES)]
Wired = tuple[int, list[strategies.Step]]
NAMES = strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES


def state(rho: np.ndarray = RHO) -> PauliDensity:
    return PauliDensity.from_matrix(rho)


def coefficients(rho: np.ndarray, num_wires: int = NUM_WIRES) -> np.ndarray:
    """Tr(P rho) for every word, from Kronecker products."""
    words = itertools.product("IXYZ", repeat=num_wires)
    products = [oracles.kron([oracles.PAULIS[p] for p in word]) for word in words]
    values = [np.trace(product @ rho).real for product in products]
    return np.reshape(values, (4,) * num_wires)


# --- readings, against the oracle -----------------------------------------------------


def test_coefficients_are_pauli_expectations_and_conversions_are_inverses(x64):
    np.testing.assert_allclose(state().coefficients, coefficients(RHO), atol=1e-14)
    np.testing.assert_allclose(state().matrix(), RHO, atol=1e-14)
    density = DensityMatrix.from_matrix(RHO)
    both = PauliDensity.from_density(density)
    np.testing.assert_allclose(both.density().tensor, density.tensor, atol=1e-14)
    pure = PauliDensity.from_state(StateVector.from_amplitudes(VECTOR))
    np.testing.assert_allclose(pure.matrix(), oracles.density(VECTOR), atol=1e-14)


def test_constructors(x64):
    zero = oracles.density(oracles.zero_state(NUM_WIRES))
    np.testing.assert_array_equal(PauliDensity.zeros(NUM_WIRES).matrix(), zero)
    basis = PauliDensity.basis((1, 0, 1)).matrix()
    np.testing.assert_array_equal(basis, np.diag(np.arange(8) == 5))
    mixed = PauliDensity.maximally_mixed(2).matrix()
    np.testing.assert_array_equal(mixed, np.eye(4) / 4)


def test_basic_facts(x64):
    one = state()
    assert one.num_wires == NUM_WIRES and one.dtype == jnp.complex128
    np.testing.assert_allclose(one.norm(), 1, atol=1e-14)
    overlap = np.trace(RHO @ SIGMA).real
    np.testing.assert_allclose(one.overlap(state(SIGMA)), overlap, atol=1e-14)
    purity = np.trace(RHO @ RHO).real
    np.testing.assert_allclose(one.overlap(one), purity, atol=1e-14)


def test_probabilities_and_reduced_matrices_of_any_wires_in_any_order(x64):
    for wires in SUBSETS:
        chances = state().probabilities(wires)
        assert chances.shape == (2,) * len(wires)
        expected = oracles.probabilities(RHO, wires)
        np.testing.assert_allclose(chances.reshape(-1), expected, atol=1e-14)
        expected = oracles.partial_trace(RHO, wires)
        np.testing.assert_allclose(state().reduced(wires), expected, atol=1e-14)


def test_every_pauli_word_is_an_entry(x64):
    words = pauli_sum({pauli(word, range(NUM_WIRES)).words[0]: 1.0 for word in WORDS})
    actual = state().expect_paulis(*words.masks(NUM_WIRES))
    np.testing.assert_allclose(actual, coefficients(RHO).ravel(), atol=1e-14)


def test_distances_take_it_together_with_the_other_states(x64):
    rho, sigma, vector = state(), DensityMatrix.from_matrix(SIGMA), VECTOR
    pure = StateVector.from_amplitudes(vector)
    np.testing.assert_allclose(
        fidelity(rho, sigma), oracles.fidelity(RHO, SIGMA), atol=1e-12
    )
    np.testing.assert_allclose(
        fidelity(pure, rho), oracles.fidelity(vector, RHO), atol=1e-7
    )
    np.testing.assert_allclose(
        trace_distance(rho, pure), oracles.trace_distance(RHO, vector), atol=1e-13
    )
    np.testing.assert_allclose(entropy(rho), oracles.entropy(RHO), atol=1e-13)
    kept = partial_trace(rho, (2, 0)).matrix()
    np.testing.assert_allclose(kept, oracles.partial_trace(RHO, (2, 0)), atol=1e-14)


# --- what acts on it ------------------------------------------------------------------


def test_apply_matrix_on_any_wires_with_controls_and_on_many_wires(x64):
    rho = oracles.random_density(RNG, 5)
    one = PauliDensity.from_matrix(rho)
    for wires, controls, values in (
        ((2, 0), (), ()),
        ((4,), (1,), (1,)),
        ((3, 1), (0, 2), (0, 1)),
        ((3, 1), (0, 2, 4), (0, 1, 1)),  # so many that it goes by the matrix of rho
        ((4, 0, 3, 1, 2), (), ()),
    ):
        matrix = oracles.random_unitary(RNG, 2 ** len(wires))
        final = one.apply_matrix(jnp.asarray(matrix), wires, controls, values)
        full = oracles.controlled(matrix, values) if controls else matrix
        full = oracles.embed(full, controls + wires, 5)
        expected = full @ rho @ full.conj().T
        np.testing.assert_allclose(final.matrix(), expected, atol=1e-14)


# --- the same circuit on all kinds of state -------------------------------------------


def check_cross_state(num_wires: int, steps: list, dtype: type, tolerance: float):
    circuit = strategies.build(steps, num_wires)
    gates = quick_jit(lambda c, s: run(c, s, method="gates"))
    actual = gates(circuit, PauliDensity.zeros(num_wires, dtype))
    assert actual.dtype == dtype
    density = gates(circuit, DensityMatrix.zeros(num_wires, dtype))
    np.testing.assert_allclose(actual.matrix(), density.matrix(), atol=tolerance)
    if not any(step.is_noise for step in steps):
        pure = gates(circuit, StateVector.zeros(num_wires, dtype))
        expected = PauliDensity.from_state(pure).coefficients
        np.testing.assert_allclose(actual.coefficients, expected, atol=tolerance)
    zero = oracles.density(oracles.zero_state(num_wires))
    expected = strategies.oracle_density(steps, zero)
    np.testing.assert_allclose(actual.matrix(), expected, atol=tolerance)
    # Physics: a trace of 1, no negative eigenvalue, a purity between those of the
    # maximally mixed and of a pure state.
    np.testing.assert_allclose(actual.norm(), 1, atol=tolerance)
    assert np.linalg.eigvalsh(actual.matrix()).min() > -tolerance
    purity = float(actual.overlap(actual))
    assert 2.0**-num_wires - tolerance < purity < 1 + tolerance


@pytest.mark.x64
@settings(max_examples=12)
@given(strategies.wired_steps(NAMES))
def test_noisy_circuits_agree_with_density_matrix_and_oracle_in_double(wired: Wired):
    check_cross_state(*wired, jnp.complex128, 1e-13)


@settings(max_examples=6)
@given(strategies.wired_steps(NAMES))
def test_noisy_circuits_agree_with_density_matrix_and_oracle_in_single(wired: Wired):
    check_cross_state(*wired, jnp.complex64, 5e-6)


@pytest.mark.x64
@settings(max_examples=6)
@given(strategies.wired_steps(strategies.UNITARY_NAMES))
def test_unitary_circuits_agree_with_the_state_vector(wired: Wired):
    check_cross_state(*wired, jnp.complex128, 1e-13)


def test_the_state_decides_the_precision(x64):
    circuit = Circuit([ry(0.3, 0), controlled(x(1), (0,)), depolarizing(0.1, 1)], 2)
    for dtype in (jnp.complex64, jnp.complex128):
        final = run(circuit, PauliDensity.zeros(2, dtype), method="gates")
        assert final.dtype == dtype
        assert final.coefficients.dtype == jnp.finfo(dtype).dtype
        assert final.probabilities().dtype == jnp.finfo(dtype).dtype
        assert final.reduced((0,)).dtype == final.density().dtype == dtype
    for wide in (False, True):
        with jax.enable_x64(wide):
            expected = jnp.float64 if wide else jnp.float32
            assert PauliDensity.zeros(1).coefficients.dtype == expected


def feedback() -> Circuit:
    """Measured bits that decide what happens, in a repetition and after it."""

    def layer(angle):
        steps = [ry(angle, 0), cx(0, 1), Measure(0), Conditional(x(1), (-1,), (1,))]
        return Circuit([*steps, amplitude_damping(0.2, 1)], 3)

    body = jax.vmap(layer)(np.asarray([0.4, 1.3]))
    tail = [h(2), Measure((2, 1)), Conditional(ry(0.7, 0), (-1, -2), (0, 1)), Reset(1)]
    return Circuit([Repeat(body, 2), *tail], 3)


def test_measurement_reset_and_feed_forward_are_the_density_matrix_ones(x64):
    kinds = (PauliDensity, DensityMatrix)
    final = [quick_jit(run)(feedback(), kind.zeros(3)).matrix() for kind in kinds]
    np.testing.assert_allclose(*final, atol=1e-14)


def test_trajectories_sample_measurements_only_and_like_a_density_matrix(key, x64):
    steps = [h(0), cx(0, 1), depolarizing(0.3, 0), Measure(0)]
    circuit = Circuit([*steps, Conditional(x(1), (0,), (1,)), Reset(1)], 2)
    follow = quick_jit(trajectory)
    one, record = follow(key, circuit, PauliDensity.zeros(2))
    other, expected = follow(key, circuit, DensityMatrix.zeros(2))
    np.testing.assert_array_equal(record.outcomes, expected.outcomes)
    np.testing.assert_allclose(record.log_prob, expected.log_prob, atol=1e-13)
    np.testing.assert_allclose(one.matrix(), other.matrix(), atol=1e-13)


# --- transforms -----------------------------------------------------------------------

PARAMS = np.asarray([0.3, -0.7, 1.1, 0.4])


def energy(params, kind: type[PauliDensity | DensityMatrix] = PauliDensity):
    circuit = Circuit(
        [
            ry(params[0], 0),
            rz(params[1], 1),
            cx(0, 1),
            controlled(ry(params[2], 2), (1, 0), (1, 0)),
            amplitude_damping(params[3], 1),
            depolarizing(params[3] / 2, 0),
            thermal_relaxation(50.0, 70.0, 10 * params[3], 0.1, 2),
        ],
        3,
    )
    final = run(circuit, kind.zeros(3), method="gates")
    readings = [expectation(final, ising(3, 1.0, 0.6)), final.overlap(final)]
    return jnp.stack([*readings, final.probabilities((1, 0))[1, 0]])


def test_jit_is_eager_and_vmap_a_loop(x64):
    batch = np.stack([PARAMS, PARAMS + 0.1, PARAMS / 2])
    jitted = quick_jit(energy)
    np.testing.assert_allclose(jitted(PARAMS), energy(PARAMS), atol=1e-14)
    together = quick_jit(jax.vmap(energy))(batch)
    np.testing.assert_allclose(together, [jitted(p) for p in batch], atol=1e-14)


def test_the_gradient_is_the_density_matrix_one_and_the_finite_difference(x64):
    slopes = quick_jit(jax.jacrev(energy))(PARAMS)
    density = quick_jit(jax.jacrev(lambda p: energy(p, DensityMatrix)))(PARAMS)
    np.testing.assert_allclose(slopes, density, atol=1e-13)
    value = quick_jit(energy)
    expected = oracles.gradient(lambda p: np.asarray(value(p)), PARAMS).T
    np.testing.assert_allclose(slopes, expected, atol=1e-11)


def test_noise_is_differentiable_where_it_vanishes(x64):
    def purity(strength, kind):
        circuit = Circuit([ry(0.7, 0), depolarizing(strength, 0)], 1)
        final = run(circuit, kind.zeros(1), method="gates")
        return final.overlap(final)

    slopes = [jax.grad(purity)(0.0, kind) for kind in (PauliDensity, DensityMatrix)]
    # Tr rho^2 = (1 + (1 - p)^2) / 2 for a pure qubit.
    np.testing.assert_allclose(slopes, -1, atol=1e-13)


# --- shots ----------------------------------------------------------------------------


def test_samples_follow_the_born_rule_and_a_swapped_basis_would_not(key):
    chances = oracles.probabilities(RHO, range(NUM_WIRES))
    bits = sample(key, state(), 20_000)
    assert bits.shape == (20_000, NUM_WIRES) and bits.dtype == jnp.uint8
    assert stats.born_rule_p_value(bits, chances) > stats.ALPHA
    # Mutant: the letters in another order, I Z Y X.
    swapped = PauliDensity(state().coefficients[:, :, np.asarray([0, 3, 2, 1])])
    mutant = sample(key, swapped, 20_000)
    assert stats.born_rule_p_value(mutant, chances) < stats.ALPHA


def test_estimates_agree_with_expectations(key, x64):
    observable = ising(NUM_WIRES, 1.0, 0.6) + pauli("YX", (0, 2))
    result = estimate(key, state(), observable, 4000)
    exact = float(expectation(state(), observable))
    p_value = stats.z_p_value(float(result.mean), exact, float(result.stderr))
    assert p_value > stats.ALPHA
    shifted = exact + 12 * float(result.stderr)
    mutant = stats.z_p_value(float(result.mean), shifted, float(result.stderr))
    assert mutant < stats.ALPHA


# --- bad input ------------------------------------------------------------------------


def test_what_is_no_state_is_refused_in_one_sentence():
    for shape in ((), (2, 2), (4, 2)):
        with pytest.raises(ValueError, match=r"`coefficients` must have shape \(4,\)"):
            PauliDensity(jnp.ones(shape))
    with pytest.raises((ValueError, TypeError)):
        PauliDensity(jnp.ones(4, complex))
    for make in (PauliDensity.zeros, PauliDensity.maximally_mixed):
        with pytest.raises(ValueError, match="`num_wires` must be at least 1"):
            make(0)
    with pytest.raises(ValueError, match="`bits` must name at least one wire"):
        PauliDensity.basis(())
    with pytest.raises(ValueError, match="`bits` must hold 0 and 1"):
        PauliDensity.basis((0, 2))
    with pytest.raises(ValueError, match="Hermitian"):
        PauliDensity.from_matrix(np.asarray([[0.5, 0.5], [0.0, 0.5]]))
    build = eqx.filter_jit(PauliDensity.from_matrix)
    with pytest.raises(RuntimeError, match="trace 1"):
        jax.block_until_ready(build(jnp.eye(2)).coefficients)


def test_wrong_wires_partners_and_circuits_are_refused():
    one = PauliDensity.zeros(2)
    for method in (one.probabilities, one.reduced):
        with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
            method((2,))
        with pytest.raises(ValueError, match="repeat"):
            method((0, 0))
    for other in (StateVector.zeros(2), DensityMatrix.zeros(2)):
        with pytest.raises(TypeError, match=r"must be a PauliDensity.*fidelity"):
            one.overlap(other)
    with pytest.raises(ValueError, match="`state` must have 3 wires"):
        run(Circuit([h(0)], 3), one)


@pytest.mark.x64
@given(st.integers(1, 4), st.integers(0, 2**16))
@settings(max_examples=10)
def test_conversion_round_trips(num_wires, seed):
    rho = oracles.random_density(np.random.default_rng(seed), num_wires)
    there = PauliDensity.from_matrix(rho)
    back = PauliDensity.from_density(there.density())
    np.testing.assert_allclose(back.coefficients, there.coefficients, atol=1e-14)
    np.testing.assert_allclose(there.matrix(), rho, atol=1e-14)
