"""Energies by windows: against dense matrices, word by word, and derivatives."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjax.circuits import PauliSum, heisenberg, ising, pauli_sum
from qjax.simulate import energy as energies
from qjax.simulate.energy import sum_expectation
from qjax.states import StateBatch, StateVector
from tests import oracles
from tests.compiling import quick_jit
from tests.plan import problems


def dense(observable: PauliSum, num_wires: int) -> np.ndarray:
    total = np.zeros((2**num_wires,) * 2, complex)
    coefficients = np.asarray(observable.coefficients)
    for coefficient, word in zip(coefficients, observable.words, strict=True):
        wires = [wire for wire, _ in word]
        letters = "".join(letter for _, letter in word)
        total += coefficient * oracles.pauli_word(letters, wires, num_wires)
    return total


def by_words(state: StateVector, observable: PauliSum) -> np.ndarray:
    """The reading that states offer, a pass for each word."""
    values = state.expect_paulis(*observable.masks(state.num_wires))
    return np.asarray(values) @ np.asarray(observable.coefficients)


def random_vectors(num_wires: int, batch: int) -> np.ndarray:
    rng = np.random.default_rng(num_wires)
    return np.stack([oracles.random_state(rng, num_wires) for _ in range(batch)])


def random_sum(rng: np.random.Generator, num_wires: int, count: int) -> PauliSum:
    """Words of every length and letter; the identity and equal words may be among."""
    terms = []
    for _ in range(count):
        size = int(rng.integers(0, num_wires + 1))
        wires = sorted(int(w) for w in rng.permutation(num_wires)[:size])
        terms.append(tuple((wire, str(rng.choice(list("XYZ")))) for wire in wires))
    return PauliSum(rng.normal(size=count), tuple(terms))


def check(observable: PauliSum, num_wires: int) -> None:
    (vector,) = random_vectors(num_wires, 1)
    state = StateVector.from_amplitudes(jnp.asarray(vector))
    found = quick_jit(sum_expectation)(state, observable)
    expected = oracles.expectation(vector, dense(observable, num_wires))
    np.testing.assert_allclose(found, expected, atol=1e-13)
    np.testing.assert_allclose(by_words(state, observable), expected, atol=1e-13)
    assert found.shape == () and found.dtype == np.float64


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize("num_wires", [2, 7])
def test_chains(num_wires, x64):
    check(ising(num_wires, 0.7, -1.3), num_wires)
    check(heisenberg(num_wires, (1.0, -0.5, 0.3), 0.2), num_wires)


@pytest.mark.parametrize("num_wires", [1, 8])
def test_random_sums(num_wires, x64):
    check(random_sum(np.random.default_rng(num_wires), num_wires, 20), num_wires)


@pytest.mark.x64
@settings(max_examples=6)
@given(st.integers(0, 2**16), st.integers(1, 6), st.integers(1, 5))
def test_any_sum_is_its_dense_matrix(seed, num_wires, count):
    check(random_sum(np.random.default_rng(seed), num_wires, count), num_wires)


def test_every_word_on_three_wires(x64):
    """All 64 words at once would hide a wrong sign of one: each with a state's own."""
    words = [
        tuple((wire, letter) for wire, letter in enumerate(letters) if letter != "I")
        for letters in itertools.product("IXYZ", repeat=3)
    ]
    (vector,) = random_vectors(3, 1)
    state = StateVector.from_amplitudes(jnp.asarray(vector))
    base = PauliSum(np.zeros(64), tuple(words))
    go = quick_jit(lambda c: sum_expectation(state, PauliSum(c, base.words)))
    for j, word in enumerate(words):
        expected = oracles.expectation(vector, dense(PauliSum(np.ones(1), (word,)), 3))
        np.testing.assert_allclose(go(np.eye(64)[j]), expected, atol=1e-14)


def test_the_identity_and_words_that_span_all_wires(x64):
    check(PauliSum(np.asarray([0.3]), ((),)), 4)
    wide = {((0, "Y"), (5, "Y")): 0.5, ((0, "X"), (3, "Z"), (5, "Y")): -1.1}
    check(pauli_sum(wide), 6)  # no window at all
    check(pauli_sum(wide | {((2, "Y"), (3, "X")): 0.9, (): 2.0}), 6)


def test_a_closed_ring_is_a_chain_and_a_wide_word(x64):
    check(heisenberg(7, (0.2, 0.9, -0.4), periodic=True), 7)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_a_batch_is_every_state_by_itself(batch, x64):
    num_wires = 5
    rng = np.random.default_rng(batch)
    observable = heisenberg(num_wires, (1.0, 0.3, -0.5)) + random_sum(rng, num_wires, 6)
    vectors = random_vectors(num_wires, batch)
    found = quick_jit(sum_expectation)(
        StateBatch.from_amplitudes(jnp.asarray(vectors)), observable
    )
    assert found.shape == (batch,)
    operator = dense(observable, num_wires)
    expected = [oracles.expectation(vector, operator) for vector in vectors]
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_single_precision_follows_the_state(x64):
    vector = random_vectors(6, 1)[0].astype(np.complex64)
    state = StateVector.from_amplitudes(jnp.asarray(vector))
    found = sum_expectation(state, heisenberg(6))
    assert found.dtype == np.float32
    expected = oracles.expectation(vector, dense(heisenberg(6), 6))
    np.testing.assert_allclose(found, expected, atol=1e-5)


# --- derivatives ----------------------------------------------------------------------

MORE = random_sum(np.random.default_rng(9), 4, 5)
WORDS = heisenberg(4, field=0.2).words + MORE.words
COEFFICIENTS = np.random.default_rng(10).normal(size=len(WORDS))
OBSERVABLE = PauliSum(COEFFICIENTS, WORDS)


def value(numbers, coefficients):
    state = StateVector(jax.lax.complex(*numbers).reshape(2, 2, 2, 2))
    return sum_expectation(state, PauliSum(coefficients, WORDS))


def arguments():
    (vector,) = random_vectors(4, 1)
    return jnp.stack([vector.real, vector.imag]), jnp.asarray(COEFFICIENTS)


def test_the_gradient_by_the_state_is_twice_h_psi(x64):
    numbers, coefficients = arguments()
    slopes = quick_jit(jax.grad(value))(numbers, coefficients)
    applied = dense(OBSERVABLE, 4) @ random_vectors(4, 1)[0]
    np.testing.assert_allclose(slopes[0], 2 * applied.real, atol=1e-13)
    np.testing.assert_allclose(slopes[1], 2 * applied.imag, atol=1e-13)


def test_the_gradient_by_the_coefficients_is_every_words_value(x64):
    numbers, coefficients = arguments()
    slopes = quick_jit(jax.grad(value, 1))(numbers, coefficients)
    (vector,) = random_vectors(4, 1)
    expected = [
        oracles.expectation(vector, dense(PauliSum(np.ones(1), (word,)), 4))
        for word in WORDS
    ]
    np.testing.assert_allclose(slopes, expected, atol=1e-13)


def test_forward_mode_and_second_derivatives(x64):
    """Quadratic in the state, linear in the coefficients, and mixed."""
    numbers, coefficients = arguments()
    rng = np.random.default_rng(4)
    moved, changed = rng.normal(size=numbers.shape), rng.normal(size=coefficients.shape)
    go = quick_jit(lambda t: jax.jvp(value, (numbers, coefficients), t))
    tangent = go((moved, changed))[1]
    slopes = quick_jit(jax.grad(value, (0, 1)))(numbers, coefficients)
    expected = np.sum(slopes[0] * moved) + np.sum(slopes[1] * changed)
    np.testing.assert_allclose(tangent, expected, atol=1e-12)

    def along(s):
        return value(numbers + s[0] * moved, coefficients + s[1] * changed)

    curvature = quick_jit(jax.hessian(along))(np.zeros(2))
    jitted = quick_jit(along)
    step = 1e-3
    differences = oracles.gradient(
        lambda s: oracles.gradient(lambda t: np.asarray(jitted(t)), s),
        np.zeros(2),
        step,
    )
    np.testing.assert_allclose(curvature, differences, atol=1e-7)
    np.testing.assert_allclose(curvature[1, 1], 0, atol=1e-13)


def test_vmap_over_states_and_over_coefficients(x64):
    vectors = random_vectors(4, 3)
    numbers = np.stack([np.real(vectors), np.imag(vectors)], 1)
    many = np.random.default_rng(2).normal(size=(3, len(WORDS)))
    single = quick_jit(jax.value_and_grad(value))
    loop = [single(n, c) for n, c in zip(numbers, many, strict=True)]
    together = quick_jit(jax.vmap(jax.value_and_grad(value)))(numbers, many)
    np.testing.assert_allclose(together[0], [v for v, _ in loop], atol=1e-13)
    np.testing.assert_allclose(together[1], [g for _, g in loop], atol=1e-13)


def test_jit_is_eager(x64):
    numbers, coefficients = arguments()
    eager = jax.value_and_grad(value)(numbers, coefficients)
    jitted = quick_jit(jax.value_and_grad(value))(numbers, coefficients)
    np.testing.assert_allclose(jitted[0], eager[0], atol=1e-13)
    np.testing.assert_allclose(jitted[1], eager[1], atol=1e-13)


@pytest.fixture
def in_pieces(monkeypatch):
    """Pieces of 2^5 numbers, of states that are otherwise too small for any."""
    monkeypatch.setattr(energies, "_SMALLEST_LOG_SIZE", 0)
    small = problems.small_cache(5)
    monkeypatch.setattr(energies, "default_cost_model", lambda *_: small)
    energies.cover_words.cache_clear()
    yield
    energies.cover_words.cache_clear()


def near(num_wires: int) -> PauliSum:
    """Words of neighbours: real and imaginary ones, in windows left and right."""
    rng = np.random.default_rng(7)
    words = [
        ((wire, str(rng.choice(list("XYZ")))), (wire + 1, str(rng.choice(list("XYZ")))))
        for wire in range(num_wires - 1)
    ]
    words += [((wire, "Y"),) for wire in range(num_wires)]
    return PauliSum(rng.normal(size=len(words)), tuple(words))


def test_large_states_go_piece_by_piece(in_pieces, monkeypatch, x64):
    num_wires, lengths, scan = 8, [], jax.lax.scan
    monkeypatch.setattr(
        jax.lax,
        "scan",
        lambda f, init, xs: lengths.append(len(xs)) or scan(f, init, xs),
    )
    check(near(num_wires), num_wires)
    assert lengths == [2 ** (num_wires + 1 - 5)]


def test_the_gradient_of_pieces_and_of_a_batch_of_them(in_pieces, x64):
    observable = near(8)
    (vector,) = random_vectors(8, 1)
    parts = jnp.asarray(np.stack([np.real(vector), np.imag(vector)]))

    def energy(parts, batch=1):
        tensor = jax.lax.complex(*parts).reshape(*(2,) * 8, 1)
        state = StateBatch(jnp.concatenate([tensor] * batch, -1))
        return jnp.sum(sum_expectation(state, observable)) / batch

    slopes = quick_jit(jax.grad(energy))(parts)
    applied = dense(observable, 8) @ vector
    expected = 2 * np.stack([np.real(applied), np.imag(applied)])
    np.testing.assert_allclose(slopes, expected, atol=1e-12)
    batched = quick_jit(jax.grad(lambda own: energy(own, 3)))(parts)
    np.testing.assert_allclose(batched, expected, atol=1e-12)


def test_words_cost_windows_not_passes():
    """The traced program must not grow with the words on a window."""
    state = StateVector.zeros(6)

    def equations(pairs):
        terms = {((w, a), (w + 1, b)): 1.0 for a, b in pairs for w in range(5)}
        return str(jax.make_jaxpr(sum_expectation)(state, pauli_sum(terms))).count(
            " = "
        )

    assert equations(["XX", "XY"]) == equations(itertools.product("XYZ", repeat=2))


# --- a mutant -------------------------------------------------------------------------


def test_the_comparison_rejects_windows_without_their_imaginary_part(monkeypatch, x64):
    """A word with one Y is imaginary: the part that is easiest to lose."""
    right = energies.word_matrix
    monkeypatch.setattr(energies, "word_matrix", lambda *a: right(*a).conj())
    jax.clear_caches()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(pauli_sum({((0, "X"), (1, "Y")): 1.0, ((1, "Y"),): 0.3}), 3)
    jax.clear_caches()
