"""State vectors and density matrices against the oracle."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import Circuit
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector
from tests import oracles, strategies
from tests.compiling import quick_jit

NUM_WIRES = 4
RNG = np.random.default_rng(23)
VECTOR = oracles.random_state(RNG, NUM_WIRES)
OTHER = oracles.random_state(RNG, NUM_WIRES)
RHO = oracles.random_density(RNG, NUM_WIRES)
SIGMA = oracles.random_density(RNG, NUM_WIRES)
SUBSETS = [
    wires for k in (1, 2, 3, 4) for wires in itertools.permutations(range(4), k)
][::5]


def vector(array=VECTOR) -> StateVector:
    return StateVector(jnp.asarray(array.reshape((2,) * NUM_WIRES)))


def density(array=RHO) -> DensityMatrix:
    return DensityMatrix(jnp.asarray(array.reshape((2,) * (2 * NUM_WIRES))))


PAIRS = [(vector, VECTOR), (density, RHO)]
both_kinds = pytest.mark.parametrize(
    "make, reference", PAIRS, ids=["vector", "density"]
)


@both_kinds
def test_basic_facts(make, reference, x64):
    state = make()
    assert state.num_wires == NUM_WIRES and state.dtype == jnp.complex128
    np.testing.assert_allclose(state.norm(), 1, atol=1e-14)
    del reference


@both_kinds
def test_probabilities_of_any_wires_in_any_order(make, reference, x64):
    state = make()
    for wires in SUBSETS:
        actual = state.probabilities(wires)
        assert actual.shape == (2,) * len(wires)
        expected = oracles.probabilities(reference, wires)
        np.testing.assert_allclose(actual.reshape(-1), expected, atol=1e-14)
    everything = oracles.probabilities(reference, range(NUM_WIRES))
    np.testing.assert_allclose(state.probabilities().ravel(), everything, atol=1e-14)


@both_kinds
def test_marginals_are_sums_of_the_joint_distribution(make, reference, x64):
    joint = make().probabilities()
    for wire in range(NUM_WIRES):
        others = tuple(w for w in range(NUM_WIRES) if w != wire)
        single = make().probabilities((wire,))
        np.testing.assert_allclose(single, joint.sum(others), atol=1e-14)
    del reference


@both_kinds
def test_reduced_matrix_of_any_wires_in_any_order(make, reference, x64):
    for wires in SUBSETS:
        expected = oracles.partial_trace(reference, wires)
        actual = make().reduced(wires)
        np.testing.assert_allclose(actual, expected, atol=1e-14)


@both_kinds
def test_apply_matrix_with_and_without_controls(make, reference, x64):
    matrix = oracles.random_unitary(RNG, 4)
    for wires, controls, values in (
        ((2, 0), (), ()),
        ((0, 3), (1,), (1,)),
        ((3, 1), (0, 2), (0, 1)),
    ):
        final = make().apply_matrix(jnp.asarray(matrix), wires, controls, values)
        full = oracles.controlled(matrix, values) if controls else matrix
        full = oracles.embed(full, controls + wires, NUM_WIRES)
        if reference.ndim == 1:
            np.testing.assert_allclose(final.vector(), full @ reference, atol=1e-14)
        else:
            expected = full @ reference @ full.conj().T
            np.testing.assert_allclose(final.matrix(), expected, atol=1e-14)


def test_overlaps(x64):
    actual = vector().overlap(vector(OTHER))
    np.testing.assert_allclose(actual, np.vdot(VECTOR, OTHER), atol=1e-14)
    expected = np.trace(RHO @ SIGMA).real
    np.testing.assert_allclose(density().overlap(density(SIGMA)), expected, atol=1e-14)
    with pytest.raises(TypeError, match="fidelity"):
        vector().overlap(density())
    with pytest.raises(TypeError, match="fidelity"):
        density().overlap(vector())


def test_every_pauli_word_of_both_kinds(x64):
    """All 256 words on four wires, from masks."""
    x_masks, z_masks = zip(*itertools.product(range(16), range(16)), strict=True)
    letters = {(0, 0): "I", (1, 0): "X", (1, 1): "Y", (0, 1): "Z"}
    for make, reference in PAIRS:
        actual = jax.jit(lambda s: s.expect_paulis(x_masks, z_masks))(make())
        for value, x, z in zip(actual, x_masks, z_masks, strict=True):
            bits = [(x >> (3 - w) & 1, z >> (3 - w) & 1) for w in range(4)]
            word = oracles.pauli_word("".join(letters[b] for b in bits), range(4), 4)
            expected = oracles.expectation(reference, word)
            np.testing.assert_allclose(value, expected, atol=1e-13)


def test_constructors(x64):
    zero = oracles.zero_state(3)
    np.testing.assert_array_equal(StateVector.zeros(3).vector(), zero)
    np.testing.assert_array_equal(
        DensityMatrix.zeros(3).matrix(), oracles.density(zero)
    )
    basis = StateVector.basis((1, 0, 1)).vector()
    assert int(np.argmax(np.abs(basis))) == 5
    from_vector = StateVector.from_amplitudes(VECTOR)
    np.testing.assert_array_equal(from_vector.vector(), VECTOR)
    np.testing.assert_array_equal(DensityMatrix.from_matrix(RHO).matrix(), RHO)
    pure = DensityMatrix.from_state(from_vector).matrix()
    np.testing.assert_allclose(pure, oracles.density(VECTOR), atol=1e-15)
    mixed = DensityMatrix.maximally_mixed(2).matrix()
    np.testing.assert_array_equal(mixed, np.eye(4) / 4)
    scaled = StateVector.from_amplitudes(3 * VECTOR, normalize=True)
    np.testing.assert_allclose(scaled.vector(), VECTOR, atol=1e-15)


@pytest.mark.parametrize("dtype", [jnp.complex64, jnp.complex128])
def test_the_states_dtype_decides_the_computation(dtype, x64):
    """Double-precision matrices do not promote a single-precision state."""
    circuit = Circuit([strategies.build_step(strategies.random_step(RNG, "u3", 2))], 2)
    for kind in (StateVector, DensityMatrix):
        assert run(circuit, kind.zeros(2, dtype)).dtype == dtype


def test_default_dtype_follows_the_precision():
    for wide, dtype in ((False, jnp.complex64), (True, jnp.complex128)):
        with jax.enable_x64(wide):
            assert StateVector.zeros(1).dtype == dtype
            assert DensityMatrix.zeros(1).dtype == dtype


def test_unnormalised_amplitudes_are_refused_also_under_jit():
    with pytest.raises(ValueError, match="`amplitudes` must have norm 1"):
        StateVector.from_amplitudes(np.ones(4))
    with pytest.raises(ValueError, match="positive norm"):
        StateVector.from_amplitudes(np.zeros(4), normalize=True)
    build = eqx.filter_jit(StateVector.from_amplitudes)
    build(jnp.full(4, 0.5))
    with pytest.raises(RuntimeError, match="`amplitudes` must have norm 1"):
        jax.block_until_ready(build(jnp.ones(4)).amplitudes)


def test_shapes_are_checked():
    for size in (1, 3, 6):
        with pytest.raises(ValueError, match="`amplitudes` must have shape"):
            StateVector.from_amplitudes(np.ones(size) / np.sqrt(size))
    with pytest.raises(ValueError, match="shape"):
        StateVector(jnp.ones((2, 3), complex))
    with pytest.raises(ValueError, match="shape"):
        DensityMatrix(jnp.ones((2, 2, 2), complex))
    with pytest.raises(ValueError, match="shape"):
        DensityMatrix.from_matrix(np.eye(3) / 3)
    for kind in (StateVector, DensityMatrix):
        with pytest.raises(ValueError):
            kind.zeros(0)
    with pytest.raises(ValueError, match="`bits` must hold 0 and 1"):
        StateVector.basis((0, 2))


def test_matrices_that_are_no_states_are_refused():
    with pytest.raises(ValueError, match="Hermitian"):
        DensityMatrix.from_matrix(np.asarray([[0.5, 0.5], [0.0, 0.5]]))
    with pytest.raises(ValueError, match="trace 1"):
        DensityMatrix.from_matrix(np.eye(2))
    build = eqx.filter_jit(DensityMatrix.from_matrix)
    with pytest.raises(RuntimeError, match="trace 1"):
        jax.block_until_ready(build(jnp.eye(2)).tensor)


def test_wires_of_readings_are_checked():
    for state in (StateVector.zeros(2), DensityMatrix.zeros(2)):
        for method in (state.probabilities, state.reduced):
            with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
                method((0, 2))
            with pytest.raises(ValueError, match="must not repeat"):
                method((1, 1))


# --- properties -----------------------------------------------------------------------


@settings(max_examples=15)
@given(strategies.wired_steps(strategies.UNITARY_NAMES, max_wires=4, max_length=5))
def test_unitary_circuits_keep_the_norm_and_agree_between_kinds(case):
    num_wires, steps = case
    circuit = strategies.build(steps, num_wires)

    @quick_jit
    def both(circuit):
        pure = run(circuit, StateVector.zeros(num_wires))
        return pure, run(circuit, DensityMatrix.zeros(num_wires))

    pure, mixed = both(circuit)
    assert abs(float(pure.norm()) - 1) < 1e-5
    outer = oracles.density(np.asarray(pure.vector()))
    np.testing.assert_allclose(mixed.matrix(), outer, atol=1e-5)


@settings(max_examples=15)
@given(
    strategies.wired_steps(
        strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES, max_wires=3, max_length=5
    ),
    st.integers(0, 2**16),
)
def test_noisy_circuits_keep_trace_and_positivity(case, seed):
    num_wires, steps = case
    rho = oracles.random_density(np.random.default_rng(seed), num_wires, rank=1)
    start = DensityMatrix.from_matrix(rho.astype(np.complex64))
    final = quick_jit(run)(strategies.build(steps, num_wires), start).matrix()
    final = np.asarray(final)
    assert abs(np.trace(final) - 1) < 1e-5
    np.testing.assert_allclose(final, final.conj().T, atol=1e-6)
    assert np.linalg.eigvalsh(final).min() > -1e-5


@settings(max_examples=10)
@given(
    strategies.steps(2, strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES, 3),
    strategies.steps(2, strategies.UNITARY_NAMES + strategies.CHANNEL_NAMES, 3),
)
def test_operations_on_disjoint_wires_commute(first, second):
    """The second list acts on wires 2 and 3; order between the lists is free."""
    second = [
        dataclasses.replace(step, wires=tuple(wire + 2 for wire in step.wires))
        for step in second
    ]
    go = quick_jit(run)
    there = go(strategies.build(first + second, 4), DensityMatrix.zeros(4))
    back = go(strategies.build(second + first, 4), DensityMatrix.zeros(4))
    np.testing.assert_allclose(there.matrix(), back.matrix(), atol=1e-5)
