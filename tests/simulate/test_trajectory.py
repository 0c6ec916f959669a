"""Sampled histories: measurement, feed-forward, log-probability, unbiased averages."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    cx,
    h,
    pauli,
    rx,
    ry,
    u3,
    unitary,
    x,
    z,
)
from qjax.noise import amplitude_damping, depolarizing
from qjax.simulate import expectation, run, trajectory
from qjax.states import DensityMatrix, StateVector, fidelity
from tests import oracle_channels, oracles, stats, strategies
from tests.histories import MANY, many_trajectories

# --- teleportation --------------------------------------------------------------------


def teleport(message) -> Circuit:
    """Wire 0 to wire 2 by a Bell pair, two measured bits and two corrections."""
    return Circuit(
        [
            u3(message[0], message[1], message[2], 0),
            h(1),
            cx(1, 2),
            cx(0, 1),
            h(0),
            Measure((0, 1)),
            Conditional(x(2), (1,), (1,)),
            Conditional(z(2), (0,), (1,)),
        ],
        3,
    )


MESSAGE = np.asarray([1.1, 0.4, -0.9])


def test_teleportation_works_for_all_four_outcomes(key):
    states, records = many_trajectories(key, teleport(MESSAGE), StateVector.zeros(3))
    seen = set(map(tuple, np.asarray(records.outcomes).tolist()))
    assert seen == set(itertools.product((0, 1), repeat=2))
    expected = oracles.gate("u3", *MESSAGE) @ oracles.zero_state(1)
    reduced = jax.vmap(lambda state: state.reduced((2,)))(states)
    overlap = np.einsum("a,nab,b->n", expected.conj(), reduced, expected).real
    np.testing.assert_allclose(overlap, 1, atol=1e-5)
    counts = np.bincount(stats.indices(records.outcomes), minlength=4)
    assert stats.counts_p_value(counts, np.full(4, 0.25)) > stats.ALPHA


def test_teleportation_without_a_correction_fails(key):
    """The mutant: what the test above would see if conditions were ignored."""
    whole = teleport(MESSAGE)
    lame = Circuit(whole.operations[:-1], 3)
    states, _ = many_trajectories(key, lame, StateVector.zeros(3), 64)
    expected = oracles.gate("u3", *MESSAGE) @ oracles.zero_state(1)
    reduced = jax.vmap(lambda state: state.reduced((2,)))(states)
    overlap = np.einsum("a,nab,b->n", expected.conj(), reduced, expected).real
    assert overlap.min() < 0.9


def test_teleportation_is_exact_on_a_density_matrix(x64):
    final = run(teleport(MESSAGE), DensityMatrix.zeros(3))
    expected = oracles.density(oracles.gate("u3", *MESSAGE) @ oracles.zero_state(1))
    np.testing.assert_allclose(final.reduced((2,)), expected, atol=1e-14)
    # The measured wires are left fully mixed.
    np.testing.assert_allclose(final.probabilities((0, 1)), 0.25, atol=1e-14)


def test_teleportation_inside_repeat_chains(key, x64):
    """Each repetition sends wire 2 back to wire 0 and teleports it again."""

    def layer(angle):
        circuit = Circuit(
            [
                h(1),
                cx(1, 2),
                cx(0, 1),
                h(0),
                Measure((0, 1)),
                Conditional(x(2), (-1,), (1,)),
                Conditional(z(2), (-2,), (1,)),
                Reset((0, 1)),
                cx(2, 0),
                cx(0, 2),
                rx(angle, 0),
            ],
            3,
        )
        return circuit

    angles = jnp.asarray([0.3, 0.5, 0.7])
    circuit = Circuit(
        [u3(MESSAGE[0], MESSAGE[1], MESSAGE[2], 0), Repeat(jax.vmap(layer)(angles), 3)],
        3,
    )
    states, records = many_trajectories(key, circuit, StateVector.zeros(3), 64)
    assert records.outcomes.shape == (64, 6)
    assert len(np.unique(np.asarray(records.outcomes), axis=0)) > 20
    turned = oracles.gate("rx", 1.5) @ oracles.gate("u3", *MESSAGE)
    expected = turned @ oracles.zero_state(1)
    reduced = jax.vmap(lambda state: state.reduced((0,)))(states)
    overlap = np.einsum("a,nab,b->n", expected.conj(), reduced, expected).real
    np.testing.assert_allclose(overlap, 1, atol=1e-12)


# --- measurement, reset, feed-forward -------------------------------------------------


def feed_forward(angle) -> Circuit:
    """Measured bit of wire 0 decides on a noisy rotation of wire 1."""
    return Circuit(
        [
            ry(angle, 0),
            ry(0.6, 1),
            Measure(0),
            Conditional(rx(angle * 0.7, 1), (0,), (1,)),
            Conditional(depolarizing(0.3, 1), (0,), (0,)),
            Measure(1),
            Conditional(Reset(0), (0, 1), (1, 1)),
            h(0),
        ],
        2,
    )


def deferred(angle) -> np.ndarray:
    """The same on the oracle: sum over outcomes of projected, unnormalised branches."""
    rho = oracles.density(oracles.zero_state(2))
    total = np.zeros_like(rho)
    prepare = strategies.oracle_density(
        [
            strategies.Step("gate", "ry", (0,), (float(angle),)),
            strategies.Step("gate", "ry", (1,), (0.6,)),
        ],
        rho,
    )
    project = {(w, b): _projector(w, b) for w in (0, 1) for b in (0, 1)}
    for first in (0, 1):
        branch = project[0, first] @ prepare @ project[0, first]
        if first:
            turn = oracles.embed(oracles.gate("rx", angle * 0.7), (1,), 2)
            branch = turn @ branch @ turn.conj().T
        else:
            noise = oracle_channels.depolarizing(0.3)
            branch = oracle_channels.on_register(noise, branch, (1,))
        for second in (0, 1):
            leaf = project[1, second] @ branch @ project[1, second]
            if first and second:
                leaf = oracle_channels.on_register(
                    oracle_channels.reset(1.0, 0.0), leaf, (0,)
                )
            hadamard = oracles.embed(oracles.gate("h"), (0,), 2)
            total += hadamard @ leaf @ hadamard.conj().T
    return total


def _projector(wire: int, bit: int) -> np.ndarray:
    single = oracles.ONE if bit else oracles.ZERO
    return oracles.embed(single, (wire,), 2)


def test_density_matrix_follows_every_branch_exactly(x64):
    final = jax.jit(lambda angle: run(feed_forward(angle), DensityMatrix.zeros(2)))(1.1)
    np.testing.assert_allclose(final.matrix(), deferred(1.1), atol=1e-14)


OBSERVABLES = ("XI", "ZI", "IX", "IZ", "XZ", "YY")


def test_deferred_measurement_is_the_mean_of_sampled_ones(key):
    """Six z-tests at joint level ALPHA; the mutant is the circuit at another angle."""
    states, _ = many_trajectories(key, feed_forward(1.1), StateVector.zeros(2))
    smallest, mutant = [], []
    for word in OBSERVABLES:
        observable = pauli(word, (0, 1))
        values = jax.vmap(lambda s, o=observable: expectation(s, o))(states)
        full = oracles.pauli_word(word, (0, 1), 2)
        exact = oracles.expectation(deferred(1.1), full)
        smallest.append(stats.mean_p_value(values, exact))
        other = oracles.expectation(deferred(1.3), full)
        mutant.append(stats.mean_p_value(values, other))
    level = stats.corrected(len(OBSERVABLES))
    assert min(smallest) > level
    assert min(mutant) < level


def test_recorded_bits_follow_the_born_rule(key):
    _, records = many_trajectories(key, feed_forward(1.1), StateVector.zeros(2))
    counts = np.bincount(stats.indices(records.outcomes), minlength=4)
    probs = exact_record_probabilities(1.1)
    assert stats.counts_p_value(counts, probs) > stats.ALPHA
    swapped = probs.reshape(2, 2).T
    assert stats.counts_p_value(counts, swapped) < stats.ALPHA


def exact_record_probabilities(angle: float) -> np.ndarray:
    """p(first, second) by hand: the first bit is cos/sin, the second a Bloch z."""
    one = np.sin(angle / 2) ** 2
    start = np.asarray([np.sin(0.6), 0, np.cos(0.6)])
    turned = np.cos(angle * 0.7) * start[2]  # rx turns z about x; start has no y
    mixed = 0.7 * start[2]
    return np.asarray(
        [
            [(1 - one) * (1 + mixed) / 2, (1 - one) * (1 - mixed) / 2],
            [one * (1 + turned) / 2, one * (1 - turned) / 2],
        ]
    ).reshape(-1)


def test_log_prob_is_the_exact_log_probability_of_the_record(key, x64):
    """With measurements only, the record names the whole history."""
    circuit = Circuit(
        [ry(0.9, 0), Measure(0), ry(0.5, 0), cx(0, 1), Measure((1, 0))], 2
    )
    _, records = many_trajectories(key, circuit, StateVector.zeros(2), 200)
    exact = {}
    for bits in itertools.product((0, 1), repeat=3):
        vector = oracles.zero_state(2)
        vector = oracles.embed(oracles.gate("ry", 0.9), (0,), 2) @ vector
        vector = _projector(0, bits[0]) @ vector
        turn = oracles.embed(oracles.gate("ry", 0.5), (0,), 2)
        vector = oracles.embed(oracles.gate("cx"), (0, 1), 2) @ turn @ vector
        vector = _projector(0, bits[2]) @ _projector(1, bits[1]) @ vector
        exact[bits] = np.linalg.norm(vector) ** 2
    seen = set()
    for bits, log_prob in zip(records.outcomes, records.log_prob, strict=True):
        outcome = tuple(np.asarray(bits).tolist())
        seen.add(outcome)
        np.testing.assert_allclose(np.exp(log_prob), exact[outcome], atol=1e-13)
    assert len(seen) == 4  # the wires agree after cx


def test_log_prob_of_channels_and_resets_is_exact(key, x64):
    """One damped qubit, reset: four histories, told apart by state and probability."""
    circuit = Circuit([ry(1.2, 0), amplitude_damping(0.4, 0), Reset(0)], 1)
    states, records = many_trajectories(key, circuit, StateVector.zeros(1), 500)
    one = np.sin(0.6) ** 2
    jump, stay = 0.4 * one, 1 - 0.4 * one
    found_one = 0.6 * one  # no jump, then the reset finds |1>
    expected = np.log([jump, stay - found_one, found_one])
    gaps = np.abs(np.asarray(records.log_prob)[:, None] - expected[None])
    assert np.all(gaps.min(1) < 1e-12)
    counts = np.bincount(gaps.argmin(1), minlength=3)
    assert stats.counts_p_value(counts, np.exp(expected)) > stats.ALPHA
    np.testing.assert_allclose(jax.vmap(lambda s: s.norm())(states), 1, atol=1e-12)
    assert records.outcomes.shape == (500, 0)


def test_log_prob_leaves_out_what_was_not_done(key, x64):
    """A reset in a branch not taken is no random choice."""
    circuit = Circuit(
        [ry(0.9, 0), ry(1.3, 1), Measure(0), Conditional(Reset(1), (0,), (1,))], 2
    )
    _, records = many_trajectories(key, circuit, StateVector.zeros(2), 200)
    one, other = np.sin(0.45) ** 2, np.sin(0.65) ** 2
    bits = np.asarray(records.outcomes)[:, 0]
    probs = np.exp(np.asarray(records.log_prob))
    np.testing.assert_allclose(probs[bits == 0], 1 - one, atol=1e-13)
    choices = np.asarray([one * other, one * (1 - other)])
    gaps = np.abs(probs[bits == 1][:, None] - choices[None])
    assert np.all(gaps.min(1) < 1e-13) and np.ptp(gaps.argmin(1)) == 1


def test_probability_of_a_forced_history_sums_to_one(key, x64):
    """E[1 / p(history)] counts the histories: 2 x 2 here."""
    circuit = Circuit([ry(1.0, 0), Measure(0), ry(0.8, 0), Measure(0)], 1)
    _, records = many_trajectories(key, circuit, StateVector.zeros(1))
    assert stats.mean_p_value(np.exp(-np.asarray(records.log_prob)), 4) > stats.ALPHA


def test_measuring_twice_gives_the_same_bit(key):
    circuit = Circuit([h(0), cx(0, 1), Measure((0, 1)), Measure(0)], 2)
    _, records = many_trajectories(key, circuit, StateVector.zeros(2), 200)
    bits = np.asarray(records.outcomes)
    np.testing.assert_array_equal(bits[:, 0], bits[:, 1])
    np.testing.assert_array_equal(bits[:, 0], bits[:, 2])
    assert bits.dtype == np.uint8 and 50 < bits[:, 0].sum() < 150


def test_reset_returns_a_wire_to_zero_and_keeps_the_others(key, x64):
    circuit = Circuit([ry(0.8, 0), ry(1.9, 1), Reset(0)], 2)
    states, _ = many_trajectories(key, circuit, StateVector.zeros(2), 20)
    probs = jax.vmap(lambda s: s.probabilities())(states)
    one = np.sin(0.95) ** 2
    np.testing.assert_allclose(probs[:, 0], [[1 - one, one]] * 20, atol=1e-13)
    np.testing.assert_allclose(probs[:, 1], 0, atol=1e-13)


@pytest.mark.parametrize("kind", [StateVector, DensityMatrix])
def test_conditions_work_on_both_kinds_of_states(kind, key):
    circuit = Circuit([x(0), Measure(0), Conditional(x(1), (0,), (1,))], 2)
    final, record = jax.jit(trajectory)(key, circuit, kind.zeros(2))
    assert record.outcomes.tolist() == [1]
    np.testing.assert_allclose(final.probabilities()[1, 1], 1, atol=1e-6)
    np.testing.assert_allclose(record.log_prob, 0, atol=1e-6)


def test_bits_from_before_a_repeat_can_be_used_inside_it(key):
    def layer(angle):
        return Circuit([Conditional(rx(angle, 1), (0,), (1,))], 2)

    angles = jnp.full(4, np.pi / 4)
    circuit = Circuit([x(0), Measure(0), Repeat(jax.vmap(layer)(angles), 4)], 2)
    final, _ = jax.jit(trajectory)(key, circuit, StateVector.zeros(2))
    np.testing.assert_allclose(final.probabilities((1,)), [0, 1], atol=1e-6)


def test_a_condition_on_a_bit_not_yet_recorded_is_refused(key):
    for position in (1, -2):
        circuit = Circuit(
            [Measure(0), Conditional(x(1), (position,), (1,)), Measure(1)], 2
        )
        for go in (
            lambda c=circuit: trajectory(key, c, StateVector.zeros(2)),
            lambda c=circuit: run(c, DensityMatrix.zeros(2)),
        ):
            with pytest.raises(ValueError, match="1 bits recorded before"):
                go()


def test_random_circuits_are_refused_by_run_on_a_vector():
    for operation in (Measure(0), Reset(0), depolarizing(0.1, 0)):
        with pytest.raises(TypeError, match="use `trajectory`, or a mixed state"):
            run(Circuit([operation], 1), StateVector.zeros(1))


def test_widths_must_agree(key):
    circuit = Circuit([h(0)], 2)
    with pytest.raises(ValueError, match="`state` must have 2 wires"):
        run(circuit, StateVector.zeros(1))
    with pytest.raises(ValueError, match="`state` must have 2 wires"):
        trajectory(key, circuit, DensityMatrix.zeros(3))


def test_a_unitary_circuit_has_one_history(key, x64):
    rng = np.random.default_rng(5)
    circuit = Circuit([unitary(oracles.random_unitary(rng, 4), (1, 0)), h(0)], 2)
    final, record = trajectory(key, circuit, StateVector.zeros(2))
    expected = run(circuit, StateVector.zeros(2))
    assert abs(float(fidelity(final, expected)) - 1) < 1e-14
    assert float(record.log_prob) == 0 and record.outcomes.shape == (0,)


# --- keys -----------------------------------------------------------------------------


def test_the_same_key_repeats_and_another_differs(getkey):
    circuit = Circuit([op for _ in range(12) for op in (h(0), Measure(0))], 1)
    go = jax.jit(lambda k: trajectory(k, circuit, StateVector.zeros(1))[1].outcomes)
    first, second = getkey(), getkey()
    np.testing.assert_array_equal(go(first), go(first))
    assert not np.array_equal(go(first), go(second))


def test_choices_at_different_places_are_independent(key):
    """A key used twice would correlate bits; 28 pairs, chi-squared each."""

    def layer(angle):
        return Circuit([rx(angle, 0), Measure(0), rx(angle, 1), Measure(1)], 2)

    body = jax.vmap(layer)(jnp.full(2, np.pi / 2))
    circuit = Circuit(
        [h(0), h(1), Measure((0, 1)), Repeat(body, 2), h(0), h(1), Measure((1, 0))], 2
    )
    _, records = many_trajectories(key, circuit, StateVector.zeros(2))
    bits = np.asarray(records.outcomes)
    assert bits.shape == (MANY, 8)
    pairs = list(itertools.combinations(range(8), 2))
    for i, j in pairs:
        counts = np.bincount(2 * bits[:, i] + bits[:, j], minlength=4)
        p_value = stats.counts_p_value(counts, np.full(4, 0.25))
        assert p_value > stats.corrected(len(pairs)), (i, j)
    same = np.bincount(3 * bits[:, 0], minlength=4)
    assert stats.counts_p_value(same, np.full(4, 0.25)) < stats.ALPHA  # the mutant
