"""Sparse states against plain matrices, on few wires and on many."""

import functools

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import Circuit, Measure, Reset, ccx, cx, h, pauli, ry, t
from qjax.simulate import expectation, run, sample, trajectory
from qjax.states import SparseState, StateVector, fidelity
from tests import oracles, stats, strategies

WIRES = 4
STEPS = strategies.steps(WIRES, strategies.UNITARY_NAMES, 6)
FEWER = hypothesis.settings(max_examples=8)


def zeros(max_terms: int = 2**WIRES, num_wires: int = WIRES) -> SparseState:
    return SparseState.zeros(num_wires, max_terms)


@functools.cache
def prepared() -> tuple[SparseState, np.ndarray]:
    """Five terms with phases, and the amplitudes by the oracle."""
    rng = np.random.default_rng(4)
    vector = np.zeros(16, complex)
    vector[[1, 4, 7, 8, 14]] = rng.normal(size=5) + 1j * rng.normal(size=5)
    vector /= np.linalg.norm(vector)
    dense = StateVector.from_amplitudes(vector)
    return SparseState.from_vector(dense, 6), vector


@FEWER
@hypothesis.given(STEPS)
def test_amplitudes_are_those_of_matrices(steps):
    state = run(strategies.build(steps, WIRES), zeros())
    vector = strategies.oracle_vector(steps, oracles.zero_state(WIRES))
    np.testing.assert_allclose(state.to_vector().vector(), vector, atol=1e-5)
    assert int(state.needed) <= 16


def test_what_is_read_is_what_matrices_give():
    state, vector = prepared()
    np.testing.assert_allclose(state.norm(), 1, rtol=1e-6)
    np.testing.assert_allclose(state.overlap(state), 1, rtol=1e-6)
    for wires in ((2,), (1, 0, 2)):
        found = np.asarray(state.probabilities(wires)).reshape(-1)
        np.testing.assert_allclose(
            found, oracles.probabilities(vector, wires), atol=1e-6
        )
        rho = oracles.partial_trace(vector, wires)
        np.testing.assert_allclose(state.reduced(wires), rho, atol=1e-6)
    words = ["ZIXY", "YYII", "IZZI", "XXXX", "IIII", "YXZY"]
    total = functools.reduce(
        lambda a, b: a + b, [pauli(word, range(4)) for word in words]
    )
    values = state.expect_paulis(*total.masks(4))
    exact = [oracles.pauli_word(word, range(4), 4) for word in words]
    expected = [oracles.expectation(vector, word) for word in exact]
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_the_overlap_is_that_of_vectors():
    state, vector = prepared()
    other = run(Circuit([h(0), ry(0.3, 2), t(2)], 4), zeros(5))
    expected = np.vdot(vector, np.asarray(other.to_vector().vector()))
    np.testing.assert_allclose(state.overlap(other), expected, atol=1e-6)
    squared = abs(expected) ** 2
    np.testing.assert_allclose(fidelity(state, other), squared, atol=1e-6)


def test_permutations_and_phases_need_no_room():
    names = ("x", "y", "z", "s", "t", "cx", "cz", "swap", "ccx", "cswap", "iswap")
    gates = [strategies.random_step(np.random.default_rng(i), n, 4) for i, n in
             enumerate(names)]  # fmt: skip
    gates.append(strategies.Step("gate", "rzz", (0, 2), (0.4,)))
    state, vector = prepared()
    state = SparseState.from_vector(state.to_vector(), 5)
    after = run(strategies.build(gates, 4), state)
    assert int(after.needed) == 5
    expected = strategies.oracle_vector(gates, vector)
    np.testing.assert_allclose(after.to_vector().vector(), expected, atol=1e-6)


def test_a_traced_phase_needs_no_room():
    def terms(angle):
        gates = [circuits.rz(angle, 0), circuits.cphase(angle, 0, 1)]
        return run(Circuit(gates, 4), zeros(1)).needed

    assert int(jax.jit(terms)(0.3)) == 1


def test_terms_that_cancel_to_rounding_are_dropped():
    toffoli = [h(2), cx(1, 2), circuits.tdg(2), cx(0, 2), t(2), cx(1, 2),
               circuits.tdg(2), cx(0, 2), t(1), t(2), h(2), cx(0, 1), t(0),
               circuits.tdg(1), cx(0, 1)]  # fmt: skip
    ones = SparseState.basis((1, 1, 0), 2)
    state = run(Circuit(toffoli, 3), ones)
    assert int(state.num_terms()) == 1
    np.testing.assert_allclose(state.probabilities()[1, 1, 1], 1, rtol=1e-5)


def test_too_many_terms_are_reported_and_never_look_right():
    circuit = Circuit([h(0), h(1), h(2), cx(0, 3), h(3)], 4)
    state = run(circuit, zeros(4))
    assert int(state.needed) == 8 and np.isnan(np.asarray(state.values)).all()
    for read in (
        lambda s: s.norm(),
        lambda s: s.probabilities((0,)),
        lambda s: s.reduced((0,)),
        lambda s: s.expect_paulis((0,), (1,)),
        lambda s: s.overlap(s),
        lambda s: s.sample(jax.random.key(0), 2),
        lambda s: s.to_vector(),
    ):
        with pytest.raises(ValueError, match="`max_terms` must be at least 8"):
            read(state)
    with pytest.raises(Exception, match="must be at least the number of terms"):
        jax.block_until_ready(jax.jit(lambda: run(circuit, zeros(4)).norm())())


# --- derivatives ----------------------------------------------------------------------

OBSERVABLE = circuits.heisenberg(3, (1.0, 0.5, 0.3), 0.2) + pauli("XY", (0, 2))


def value(angles, max_terms: int = 8):
    gates = [ry(angles[0], 0), cx(0, 1), circuits.crx(angles[1], 1, 2), h(1)]
    gates += [circuits.rxx(angles[0], 0, 2), circuits.rz(angles[1], 2)]
    state = run(Circuit(gates, 3), SparseState.zeros(3, max_terms))
    return expectation(state, OBSERVABLE)


def exact_value(angles):
    gate = oracles.gate
    matrices = [
        (gate("ry", angles[0]), (0,)), (gate("cx"), (0, 1)),
        (gate("crx", angles[1]), (1, 2)), (gate("h"), (1,)),
        (gate("rxx", angles[0]), (0, 2)), (gate("rz", angles[1]), (2,)),
    ]  # fmt: skip
    vector = oracles.zero_state(3)
    for matrix, wires in matrices:
        vector = oracles.embed(matrix, wires, 3) @ vector
    parts = [
        float(c) * oracles.pauli_word("".join(x for _, x in w), [v for v, _ in w], 3)
        for c, w in zip(OBSERVABLE.coefficients, OBSERVABLE.words, strict=True)
    ]
    return np.asarray(oracles.expectation(vector, np.sum(parts, axis=0)))


@pytest.mark.x64
def test_derivatives_are_right_where_amplitudes_are_zero_too():
    points = np.asarray([(0.0, 0.0), (np.pi, 0.0), (0.7, -1.1)])
    found = jax.jit(jax.vmap(jax.value_and_grad(value)))(jnp.asarray(points))
    exact = [exact_value(point) for point in points]
    slopes = [oracles.gradient(exact_value, point) for point in points]
    np.testing.assert_allclose(found[0], exact, atol=1e-12)
    np.testing.assert_allclose(found[1], slopes, atol=1e-7)


def test_jit_is_eager_and_vmap_a_loop():
    def both(angle):
        gates = [ry(angle, 0), cx(0, 1), circuits.crx(angle, 1, 2), h(1)]
        return run(Circuit(gates, 3), SparseState.zeros(3, 8)).values

    batch = jnp.asarray([0.2, 0.0])
    loop = [both(one) for one in batch]
    np.testing.assert_allclose(jax.jit(jax.vmap(both))(batch), loop, atol=1e-6)


# --- many wires -----------------------------------------------------------------------


@pytest.mark.parametrize("num_wires", [31, 32, 300])
def test_indices_of_any_width_are_told_apart(num_wires):
    last = num_wires - 1
    ones = SparseState.basis((1,) * num_wires, 4)
    gates = [h(0), cx(0, last), h(last // 2), ccx(last // 2, 0, last)]
    state = run(Circuit(gates, num_wires), ones)
    assert int(state.num_terms()) == 4
    bits = sample(jax.random.key(3), state, 64, (0, last // 2, last))
    rows = set(map(tuple, np.asarray(bits).tolist()))
    # |1>: last = 1 xor b0 xor (b0 and b_middle), from H|1> = |0> - |1>.
    assert rows == {(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 1)}
    z = expectation(state, pauli("ZZ", (1, 2)))
    x = expectation(state, pauli("X", last // 2))
    np.testing.assert_allclose([z, x], [1, -0.5], atol=1e-6)


def test_measurements_and_resets_go_by_trajectory(key):
    circuit = Circuit([h(0), cx(0, 20), cx(20, 39), Measure((39,)), Reset(20)], 40)
    once = jax.jit(lambda k: trajectory(k, circuit, SparseState.zeros(40, 4)))
    states, records = jax.vmap(once)(jax.random.split(key, 200))
    bits = np.asarray(records.outcomes)[:, 0]
    assert stats.binomial_p_value(int(bits.sum()), 200, 0.5) > stats.ALPHA
    np.testing.assert_allclose(records.log_prob, 2 * -np.log(2) / 2, atol=1e-5)
    left = jax.vmap(lambda s: s.probabilities((0, 20, 39)))(states)
    np.testing.assert_allclose(left[np.arange(200), bits, 0, bits], 1, atol=1e-5)


def test_shots_follow_the_born_rule(key):
    state, vector = prepared()
    probs = abs(vector) ** 2
    assert stats.born_rule_p_value(sample(key, state, 4000), probs) > stats.ALPHA
    # The mutant: amplitudes in the place of probabilities.
    wrong = SparseState(
        state.indices, jnp.sqrt(jnp.abs(state.values)).astype(complex), state.needed, 4
    )
    assert stats.born_rule_p_value(sample(key, wrong, 4000), probs) < stats.ALPHA


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (lambda: zeros(4, 100).probabilities(), "at most 24 wires"),
        (lambda: zeros(4, 100).reduced(range(11)), "at most 10 wires"),
        (lambda: zeros(4, 100).to_vector(), "at most 24"),
        (lambda: zeros(0), "`max_terms` must be at least 1"),
        (lambda: SparseState.basis((), 1), "at least one wire"),
        (lambda: SparseState.basis((2,), 1), "0 and 1"),
        (lambda: zeros(4).overlap(zeros(4, 5)), "4 wires"),
        (lambda: SparseState.from_vector(prepared()[0].to_vector(), 4).norm(), "5"),
        (lambda: SparseState.zeros(10, 2**50), "memory"),
        (lambda: SparseState(zeros(4).indices, zeros(4).values, jnp.ones((), int), 40),
         "shape"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(bad, says):
    with pytest.raises(ValueError, match=says):
        bad()


def test_another_kind_of_state_is_refused():
    with pytest.raises(TypeError, match="SparseState"):
        zeros(4).overlap(StateVector.zeros(4))
