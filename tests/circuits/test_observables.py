"""Observables, Hamiltonians and Trotter circuits against the oracle."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from qjax.circuits import (
    PauliSum,
    Projector,
    heisenberg,
    hermitian,
    ising,
    pauli,
    pauli_sum,
    trotter,
)
from qjax.simulate import expectation, unitary_matrix
from qjax.states import StateVector
from tests import oracles
from tests.compiling import quick_jit


def dense(observable: PauliSum, num_wires: int) -> np.ndarray:
    """The matrix, read from the words by the oracle."""
    total = np.zeros((2**num_wires, 2**num_wires), complex)
    for weight, word in zip(observable.coefficients, observable.words, strict=True):
        wires, letters = zip(*word, strict=True) if word else ((), ())
        total += float(weight) * oracles.pauli_word("".join(letters), wires, num_wires)
    return total


def chain(num_wires: int, periodic: bool) -> list[tuple[int, int]]:
    links = [(i, i + 1) for i in range(num_wires - 1)]
    return links + ([(0, num_wires - 1)] if periodic else [])


@pytest.mark.parametrize("periodic", [False, True])
def test_ising_is_the_textbook_chain(periodic):
    expected = sum(
        0.7 * oracles.pauli_word("ZZ", link, 4) for link in chain(4, periodic)
    ) + sum(-0.4 * oracles.pauli_word("X", (wire,), 4) for wire in range(4))
    actual = dense(ising(4, 0.7, -0.4, periodic=periodic), 4)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("periodic", [False, True])
def test_heisenberg_is_the_textbook_chain(periodic):
    couplings = (0.3, -0.5, 1.1)
    expected = sum(
        weight * oracles.pauli_word(2 * letter, link, 4)
        for link in chain(4, periodic)
        for letter, weight in zip("XYZ", couplings, strict=True)
    ) + sum(0.2 * oracles.pauli_word("Z", (wire,), 4) for wire in range(4))
    actual = dense(heisenberg(4, couplings, 0.2, periodic=periodic), 4)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_arithmetic_of_pauli_sums(x64):
    a, b = pauli("XY", (0, 1)), pauli("Z", 2)
    total = 2.0 * a - b * 0.5 + pauli("III", (0, 1, 2))
    expected = (
        2 * oracles.pauli_word("XY", (0, 1), 3)
        - 0.5 * oracles.pauli_word("Z", (2,), 3)
        + np.eye(8)
    )
    np.testing.assert_allclose(dense(total, 3), expected, atol=1e-15)
    assert total.wires == (0, 1, 2)


def test_words_are_sorted_by_wire_whatever_the_order_given():
    assert pauli("XZ", (3, 1)).words == pauli("ZX", (1, 3)).words
    assert pauli("IXI", (0, 1, 2)).words == (((1, "X"),),)


def test_coefficients_may_be_traced_and_differentiated(x64):
    state = StateVector.from_amplitudes(oracles.random_state(
        np.random.default_rng(1), 3))  # fmt: skip

    def energy(couplings):
        return expectation(state, ising(3, couplings[0], couplings[1]))

    slopes = jax.jit(jax.grad(energy))(jnp.asarray([0.3, 0.6]))
    links = [expectation(state, pauli("ZZ", link)) for link in chain(3, False)]
    fields = [expectation(state, pauli("X", wire)) for wire in range(3)]
    expected = [float(sum(links)), float(sum(fields))]
    np.testing.assert_allclose(slopes, expected, atol=1e-14)


def test_traced_and_plain_coefficients_mix(x64):
    """Also in different widths: the caller need not know which are arrays."""
    for coupling in (jnp.float32(0.5), jnp.float64(0.5), np.float64(0.5), 1):
        observable = ising(3, coupling, 0.25)
        expected = [float(coupling)] * 2 + [0.25] * 3
        np.testing.assert_allclose(observable.coefficients, expected, atol=1e-7)


def test_bad_observables_are_refused():
    with pytest.raises(ValueError, match="`letters`"):
        pauli("XX", 0)
    with pytest.raises(ValueError, match="`letters`"):
        pauli("Q", 0)
    with pytest.raises(ValueError, match="must not repeat a wire"):
        pauli("XX", (1, 1))
    with pytest.raises(ValueError, match="`coefficients` must have shape"):
        PauliSum(np.ones(2), (((0, "X"),),))
    with pytest.raises(ValueError, match="rising wire order"):
        PauliSum(np.ones(1), (((1, "X"), (0, "Z")),))
    with pytest.raises(ValueError, match="`words`"):
        PauliSum(np.ones(0), ())
    with pytest.raises(ValueError, match="`bits`"):
        Projector((0, 2), (0, 1))
    with pytest.raises(ValueError, match="`bits`"):
        Projector((0,), (0, 1))
    with pytest.raises(ValueError, match="`num_wires` must be at least 2"):
        ising(1)
    with pytest.raises(ValueError, match="`num_wires` must be at least 3"):
        heisenberg(2, periodic=True)


def test_a_matrix_that_is_not_hermitian_is_refused_also_under_jit():
    with pytest.raises(ValueError, match="Hermitian"):
        hermitian(np.asarray([[0, 1], [0, 0]]), 0)
    with pytest.raises(ValueError, match="shape"):
        hermitian(np.eye(2), (0, 1))
    build = eqx.filter_jit(lambda matrix: hermitian(matrix, 0))
    build(jnp.eye(2))
    with pytest.raises(RuntimeError, match="Hermitian"):
        jax.block_until_ready(build(jnp.asarray([[0.0, 1.0], [0.0, 0.0]])).matrix)


# --- Trotter -------------------------------------------------------------------------


def trotter_error(order: int, steps: int, time: float) -> float:
    """Largest singular value of the difference to the exact evolution."""
    hamiltonian = ising(3, 1.0, 0.8) + 0.3 * pauli("Y", 1)
    circuit = trotter(hamiltonian, time, steps, 3, order=order)
    exact = oracles.exponential(dense(hamiltonian, 3), time)
    actual = np.asarray(quick_jit(unitary_matrix)(circuit))
    return float(scipy.linalg.svdvals(actual - exact)[0])


@pytest.mark.parametrize("order", [1, 2])
def test_trotter_error_falls_as_steps_to_the_minus_order(order, x64):
    steps = np.asarray([8, 16, 32, 64])
    errors = [trotter_error(order, int(count), 0.9) for count in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope + order) < 0.05, errors


@pytest.mark.parametrize("order", [1, 2])
def test_trotter_error_grows_as_time_to_the_order_plus_one(order, x64):
    times = np.asarray([0.05, 0.1, 0.2])
    errors = [trotter_error(order, 4, float(time)) for time in times]
    slope = np.polyfit(np.log(times), np.log(errors), 1)[0]
    assert abs(slope - order - 1) < 0.05, errors


def test_trotter_of_commuting_words_is_exact_and_differentiable_in_time(x64):
    hamiltonian = pauli("ZZ", (0, 1)) + 0.5 * pauli("Z", 1)
    circuit = trotter(hamiltonian, 0.7, 1, 2)
    exact = oracles.exponential(dense(hamiltonian, 2), 0.7)
    np.testing.assert_allclose(unitary_matrix(circuit), exact, atol=1e-14)

    def corner(time):
        return unitary_matrix(trotter(hamiltonian, time, 2, 2))[0, 0].imag

    slope = jax.grad(corner)(jnp.asarray(0.7))
    np.testing.assert_allclose(slope, -1.5 * np.cos(1.05), atol=1e-13)


def test_trotter_leaves_the_identity_out_as_a_phase(x64):
    with_identity = pauli("X", 0) + 3.0 * pauli("I", 0)
    actual = unitary_matrix(trotter(with_identity, 0.4, 2, 1))
    np.testing.assert_allclose(actual, oracles.exponential(oracles.X, 0.4), atol=1e-14)
    with pytest.raises(ValueError, match="besides the identity"):
        trotter(pauli("I", 0), 0.4, 2, 1)


def test_bad_trotter_arguments_are_refused():
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        trotter(ising(2), 0.1, 0, 2)
    with pytest.raises(ValueError, match="`order` must be 1 or 2"):
        trotter(ising(2), 0.1, 1, 2, order=4)
    with pytest.raises(ValueError, match=r"must lie in \[0, 2\)"):
        trotter(ising(3), 0.1, 1, 2)


def test_words_from_a_mapping():
    observable = pauli_sum({((0, "Z"), (1, "Z")): 0.5, (): 2.0})
    expected = 0.5 * oracles.pauli_word("ZZ", (0, 1), 2) + 2 * np.eye(4)
    np.testing.assert_allclose(dense(observable, 2), expected, atol=1e-7)
