"""Matrix product states: readings against plain NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.states import MPS, StateVector, fidelity
from tests import oracles, stats

WIRES = 6
RNG = np.random.default_rng(11)
VECTOR = oracles.random_state(RNG, WIRES).reshape(-1)


def state(max_bond=8):
    return MPS.from_vector(StateVector.from_amplitudes(jnp.asarray(VECTOR)), max_bond)


@pytest.mark.x64
def test_a_vector_becomes_a_chain_and_comes_back():
    assert np.abs(state().to_vector().vector() - VECTOR).max() < 1e-13
    assert state().bond == 8 and float(state().truncation_error) == 0
    assert abs(float(state().norm()) - 1) < 1e-13


@pytest.mark.x64
def test_cutting_to_a_smaller_bond_is_optimal_on_one_link_and_bounded():
    cut = state(3)
    error = np.linalg.norm(cut.to_vector().vector() - VECTOR)
    assert error <= float(cut.truncation_error) + 1e-12
    # Eckart-Young on the middle link bounds it from below.
    values = np.linalg.svd(VECTOR.reshape(8, 8), compute_uv=False)
    assert error >= np.sqrt(np.sum(values[3:] ** 2)) - 1e-12
    assert float(cut.truncation_error) < 2 * error
    again = state().with_max_bond(3)
    assert np.abs(again.to_vector().vector() - cut.to_vector().vector()).max() < 1e-12
    assert state().with_max_bond(20).max_bond == 20


@pytest.mark.x64
@pytest.mark.parametrize("wires", ((0,), (5,), (3, 1), (0, 2, 5)))
def test_reduced_states_and_probabilities(wires):
    expected = oracles.partial_trace(oracles.density(VECTOR), wires)
    found = np.asarray(state().reduced(wires))
    assert np.abs(found - expected.reshape(found.shape)).max() < 1e-12
    probabilities = np.asarray(state().probabilities(wires)).reshape(-1)
    assert np.abs(probabilities - np.diagonal(found)).max() < 1e-12


@pytest.mark.x64
def test_readings_are_those_of_the_normalised_state():
    scaled = MPS(state().tensors * 0.5, state().truncation_error, 8)
    assert abs(float(scaled.norm()) - 0.5**WIRES) < 1e-13
    assert np.allclose(scaled.reduced((2,)), state().reduced((2,)))
    masks = (5, 0), (1, 7)
    assert np.allclose(scaled.expect_paulis(*masks), state().expect_paulis(*masks))
    assert np.allclose(scaled.probabilities(), state().probabilities())
    assert abs(float(scaled.normalized().norm()) - 1) < 1e-12


@pytest.mark.x64
def test_pauli_words_of_every_length():
    words = ["XIIIII", "IZIIII", "YZIIII", "IIXIYZ", "ZIIIIX", "XYZXYZ", "IIIIII"]
    masks = [
        tuple(int("".join("1" if c in ls else "0" for c in word), 2) for word in words)
        for ls in ("XY", "ZY")
    ]
    expected = [
        oracles.expectation(VECTOR, oracles.pauli_word(w, range(WIRES), WIRES))
        for w in words
    ]
    assert np.allclose(state().expect_paulis(*masks), expected, atol=1e-12)


@pytest.mark.x64
def test_overlaps_take_chains_of_different_bonds():
    other = oracles.random_state(np.random.default_rng(2), WIRES).reshape(-1)
    chain = MPS.from_vector(StateVector.from_amplitudes(jnp.asarray(other)), 8)
    found = complex(state().overlap(chain))
    assert abs(found - np.vdot(VECTOR, other)) < 1e-13
    zero = MPS.zeros(WIRES, 4)
    assert abs(complex(zero.overlap(chain)) - other[0]) < 1e-13
    assert (
        abs(float(fidelity(state(), chain)) - abs(np.vdot(VECTOR, other)) ** 2) < 1e-12
    )
    with pytest.raises(TypeError, match="must be an MPS"):
        zero.overlap(StateVector.zeros(WIRES))


@pytest.mark.x64
def test_canonical_form_keeps_the_state_and_has_orthonormal_rows():
    chain = state().canonical()
    assert np.abs(chain.to_vector().vector() - VECTOR).max() < 1e-13
    tensors = np.asarray(chain.tensors)
    for tensor in tensors[1:]:
        rows = tensor.reshape(8, -1)
        assert np.abs(rows @ rows.conj().T - np.eye(8)).max() < 1e-12


@pytest.mark.x64
@pytest.mark.parametrize("wires", ((0, 1), (4, 1), (5, 0)))
def test_one_matrix_at_a_time(wires):
    matrix = oracles.random_unitary(RNG, 4)
    expected = oracles.embed(matrix, wires, WIRES) @ VECTOR
    found = state().apply_matrix(matrix, wires)
    assert found.bond == 8
    assert np.abs(found.to_vector().vector() - expected).max() < 1e-12
    single = oracles.random_unitary(RNG, 2)
    controls = tuple(w for w in range(WIRES) if w not in wires)[:2]
    full = oracles.controlled(single, (1, 0))
    expected = oracles.embed(full, (*controls, wires[0]), WIRES) @ VECTOR
    found = state().apply_matrix(single, (wires[0],), controls, (1, 0))
    assert np.abs(found.to_vector().vector() - expected).max() < 1e-12


@pytest.mark.x64
def test_kraus_operators_are_drawn_with_their_probability(key):
    damp = np.asarray([[[1, 0], [0, np.sqrt(0.4)]], [[0, np.sqrt(0.6)], [0, 0]]])
    draws = jax.vmap(lambda k: state().sample_kraus(k, damp, (2,))[1:])
    index, logs = draws(jax.random.split(key, 2000))
    rho = np.asarray(state().reduced((2,)))
    jump = float((damp[1] @ rho @ damp[1].T).trace().real)
    assert stats.binomial_p_value(int(index.sum()), 2000, jump) > stats.ALPHA
    assert stats.binomial_p_value(int(index.sum()), 2000, jump * 1.3) < stats.ALPHA
    assert np.allclose(np.exp(logs), np.where(index == 1, jump, 1 - jump))


def test_basis_states_of_many_wires():
    bits = tuple(int(b) for b in RNG.integers(0, 2, 150))
    chain = MPS.basis(bits, 1)
    assert np.allclose(chain.expect_paulis((0,), (1 << 149,)), 1 - 2 * bits[0])
    assert chain.sample(jax.random.key(0), 3).tolist() == [list(bits)] * 3
    with pytest.raises(ValueError, match="needs 2"):
        chain.to_vector()
    with pytest.raises(ValueError, match="needs 2"):
        chain.probabilities()


@pytest.mark.parametrize(
    "make, message",
    (
        (lambda: MPS.zeros(3, 0), "`max_bond` must be at least 1, but is 0"),
        (lambda: MPS.basis((), 2), "`bits` must name"),
        (lambda: MPS.basis((2,), 2), "`bits` must hold 0 and 1"),
        (
            lambda: MPS(jnp.zeros((3, 4, 2, 4), complex), jnp.zeros(()), 2),
            "`tensors` must have",
        ),
        (lambda: MPS.zeros(2, 2).apply_matrix(np.eye(8), (0, 1)), "16|8|reshape"),
        (lambda: MPS.zeros(100, 9**9), "needs .* GiB"),
    ),
)
def test_bad_input_is_named(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_an_error_is_reported_if_asked_for():
    cut = state(3)
    bound = float(cut.truncation_error)
    assert cut.within(bound).max_bond == 3
    with pytest.raises(ValueError, match=r"`max_error` must be at least .* truncation"):
        cut.within(bound / 2)
    within = jax.jit(lambda own, limit: own.within(limit).norm(), static_argnums=1)
    assert np.allclose(within(cut, 2 * bound), cut.norm())
    with pytest.raises(Exception, match="`max_error` must be at least the truncation"):
        within(cut, bound / 2)
