"""Histories of Clifford circuits on stabilizer states, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import circuits
from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    Reset,
    Unitary,
    cx,
    h,
    pauli,
    rx,
    s,
    sx,
    t,
    x,
    z,
)
from qjax.noise import (
    amplitude_damping,
    depolarizing,
    mixed_unitary,
    two_qubit_depolarizing,
)
from qjax.simulate import average_trajectories, expectation, run, trajectory
from qjax.states import DensityMatrix, StabilizerState
from tests import oracles, stats
from tests.compiling import quick_jit

ZERO = StabilizerState.zeros(4)


def feed_forward(flip) -> Circuit:
    """Bits that depend on each other, on noise and on conditions; wire 3 repeats."""
    layer = Circuit([h(3), Measure(3)], 4)
    mixture = mixed_unitary(
        np.asarray([0.25, 0.75]), np.stack([np.eye(2), oracles.gate("sx")]), 2
    )
    operations = [
        h(0), cx(0, 1), depolarizing(flip, 1), s(1), Measure((0, 1)),
        Conditional(x(2), (0, 1), (1, 0)), mixture, sx(2), Reset(0),
        Conditional(Reset(1), (-1,), (1,)), Conditional(h(0), (0,), (1,)),
        Repeat(jax.tree.map(lambda leaf: np.stack([leaf] * 2), layer), 2),
        two_qubit_depolarizing(flip, (0, 2)), Measure((0, 2, 1)),
    ]  # fmt: skip
    return Circuit(operations, 4)


@quick_jit
def distribution(flip):
    """p of the bits 0, 1, then of wires 0, 2, 1: by the exact density matrix.

    A branch for each pair of bits, where it is known which conditions hold.
    """
    circuit = feed_forward(flip)
    first = Circuit(circuit.operations[:5], 4)
    rest = Circuit(circuit.operations[5:], 4)
    rho = run(first, DensityMatrix.zeros(4))
    joint = []
    for a, b in np.ndindex(2, 2):
        projected = rho
        for wire, bit in ((0, a), (1, b)):
            projected = projected.apply_matrix(np.diag([1 - bit, bit]), (wire,))
        steps = []
        for op in rest.operations:
            if isinstance(op, Conditional):
                bits = [(a, b)[place] for place in op.outcomes]
                steps += [op.operation] if tuple(bits) == op.values else []
            else:
                steps.append(op)
        last = run(Circuit(steps, 4), projected)
        joint.append(last.probabilities((0, 2, 1)).reshape(-1))
    return jnp.concatenate(joint)


def test_histories_follow_the_density_matrix_and_wrong_noise_is_rejected(key):
    exact = np.asarray(distribution(0.3))
    assert 0.05 < exact.max() < 0.5
    circuit = feed_forward(0.3)  # closed over, so that its matrices are concrete
    each = jax.jit(jax.vmap(lambda k: trajectory(k, circuit, ZERO)))
    states, records = each(jax.random.split(key, 4000))
    bits = np.asarray(records.outcomes)
    assert bits.shape == (4000, 7)
    seen = bits[:, [0, 1, 4, 5, 6]]
    assert stats.born_rule_p_value(seen, exact) > stats.ALPHA
    repeated = bits[:, 2:4]
    assert stats.born_rule_p_value(repeated, np.full(4, 0.25)) > stats.ALPHA
    # Measured last: the final state has these bits.
    left = jax.vmap(lambda one: one.probabilities((0, 2, 1)))(states)
    assert (np.asarray(left)[np.arange(4000), *seen[:, 2:].T] == 1).all()
    # Mutants: noise of another strength, and the first condition ignored.
    assert stats.born_rule_p_value(seen, distribution(0.1)) < stats.ALPHA
    held = (seen[:, 0] == 1) & (seen[:, 1] == 0)
    blind = seen.copy()
    blind[:, 3] ^= ~held
    assert stats.born_rule_p_value(blind, exact) < stats.ALPHA


def test_the_probability_of_a_history_is_that_of_its_choices():
    circuit = Circuit([h(0), depolarizing(0.4, 1), Measure((0, 1))], 4)
    keys = jax.random.split(jax.random.key(3), 200)
    _, records = jax.vmap(lambda k: trajectory(k, circuit, ZERO))(keys)
    found = set(np.round(np.exp(np.asarray(records.log_prob)), 4).tolist())
    # Half for the coin; for the noise 1 - 3 p / 4, or p / 4 for each Pauli matrix.
    assert {round(value, 3) for value in found} == {0.35, 0.05}


def test_noise_without_measurements_averages_to_the_density_matrix(key):
    circuit = Circuit([h(0), depolarizing(0.2, 0), cx(0, 1), depolarizing(0.3, 1)], 4)
    word = pauli("XX", (0, 1))
    exact = float(expectation(run(circuit, DensityMatrix.zeros(4)), word))
    found = average_trajectories(key, circuit, ZERO, word, 2000)
    p_value = stats.z_p_value(float(found.mean), exact, float(found.stderr))
    assert p_value > stats.ALPHA
    wrong = stats.z_p_value(float(found.mean), exact * 0.8, float(found.stderr))
    assert wrong < stats.ALPHA


def test_jit_and_traced_strengths_give_the_same_history():
    def bits(strength):
        circuit = Circuit([h(0), depolarizing(strength, 0), Measure((0, 1))], 4)
        return trajectory(jax.random.key(5), circuit, ZERO)[1].outcomes

    np.testing.assert_array_equal(jax.jit(bits)(0.3), bits(0.3))


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (t(1), r"operation 1 is T on wires \(1,\)"),
        (rx(0.3, 2), "operation 1 is RX"),
        (Unitary(np.diag([1, np.exp(0.5j)]), (0,)), "operation 1 is U"),
        (circuits.ccx(0, 1, 2), "operation 1 is CCX"),
        (amplitude_damping(0.1, 0), "operation 1 is AmplitudeDamping"),
        (Conditional(x(0), (0,), (1,)), "point into the 0 bits"),
    ],
)
def test_what_is_not_clifford_is_named(operation, says):
    circuit = Circuit([h(0), operation], 4)
    with pytest.raises(ValueError, match=says):
        trajectory(jax.random.key(0), circuit, ZERO)


def test_run_takes_only_gates_and_only_angles_known_when_tracing():
    with pytest.raises(TypeError, match="use `trajectory`"):
        run(Circuit([Measure(0)], 4), ZERO)
    with pytest.raises(ValueError, match='"gates" on a tableau'):
        run(Circuit([h(0)], 4), ZERO, method="blocks")
    with pytest.raises(ValueError, match="concrete angles"):
        jax.jit(lambda a: run(Circuit([rx(a, 0)], 4), ZERO))(jnp.pi)
    noisy = Conditional(depolarizing(0.1, 0), (0,), (1,))
    with pytest.raises(ValueError, match="operation 1 is"):
        trajectory(jax.random.key(0), Circuit([Measure(0), noisy], 4), ZERO)


def test_fixed_gates_are_recognised_when_the_circuit_is_an_argument():
    circuit = Circuit([h(0), cx(0, 1), z(1)], 4)
    found = jax.jit(run)(circuit, ZERO)
    np.testing.assert_array_equal(found.bits, run(circuit, ZERO).bits)
