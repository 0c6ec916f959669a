"""Circuits on matrix product states against plain NumPy, and what truncation costs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Measure,
    Repeat,
    Reset,
    ccx,
    controlled,
    cphase,
    cx,
    cz,
    h,
    ising,
    kraus_channel,
    pauli,
    pauli_rotation,
    rx,
    ry,
    rz,
    swap,
    unitary,
)
from qjax.noise import amplitude_damping, depolarizing, phase_damping
from qjax.plan.chains import Draws, Layer, Pairs, plan_chain
from qjax.plan.strings import pieces
from qjax.simulate import (
    average_trajectories,
    estimate,
    expectation,
    run,
    sample,
    trajectory,
)
from qjax.states import MPS, DensityMatrix, StateVector
from tests import oracles, stats
from tests.strategies import build, oracle_vector, random_step

#: Rows of the gate table that make every kind of string, and what is no table row.
NAMES = (
    "ry", "u3", "cx", "cz", "cphase", "crx", "swap", "iswap", "rxx", "rzz", "ccx",
    "ccz", "cswap", "unitary", "rotation", "controlled",
)  # fmt: skip
WIRES = 5

#: One program for each circuit: quicker to compile than operation by operation.
final = jax.jit(run)


def random_circuit_steps(rng, count):
    """Steps with every name in turn; matrices on three wires are left out."""
    found = []
    while len(found) < count:
        step = random_step(rng, NAMES[len(found) % len(NAMES)], WIRES)
        wide = step.kind == "unitary" and len(step.wires) > 2
        targets = len(step.wires) - len(step.values)
        if not wide and not (step.kind == "controlled" and targets > 1):
            found.append(step)
    return found


@pytest.mark.x64
@pytest.mark.parametrize("seed", range(2))
def test_every_gate_equals_the_oracle_on_a_chain_wide_enough(seed):
    rng = np.random.default_rng(seed)
    steps = random_circuit_steps(rng, 2 * len(NAMES))
    expected = oracle_vector(steps, oracles.zero_state(WIRES))
    state = final(build(steps, WIRES), MPS.zeros(WIRES, max_bond=4))
    vector = np.asarray(state.to_vector().vector())
    assert np.abs(vector - expected.reshape(-1)).max() < 1e-9
    assert float(state.truncation_error) < 1e-4
    assert abs(float(state.norm()) - 1) < 1e-9


def layered(angles, entangle):
    """Rotations on every wire and an entangling layer, for each row of angles."""

    def layer(own):
        turns = [gate(own[w], w) for w in range(own.shape[0]) for gate in (ry, rz)]
        return Circuit([*turns, *entangle(own.shape[0])], own.shape[0])

    body = jax.vmap(layer)(angles)
    return Circuit([Repeat(body, angles.shape[0])], angles.shape[1])


def ladder(num_wires):
    return [cx(w, w + 1) for w in range(num_wires - 1)]


def ring(num_wires):
    return [*ladder(num_wires), cz(num_wires - 1, 0)]


@pytest.mark.x64
@pytest.mark.parametrize(
    "entangle, max_bond", ((ladder, 3), (ring, 2), (ring, 5), (ring, 16))
)
def test_truncation_error_bounds_states_and_expectations(entangle, max_bond):
    angles = jnp.asarray(np.random.default_rng(max_bond).uniform(0, 6, (4, 8)))
    circuit = layered(angles, entangle)
    exact = final(circuit, StateVector.zeros(8))
    state = final(circuit, MPS.zeros(8, max_bond))
    error = np.linalg.norm(np.asarray(state.to_vector().vector() - exact.vector()))
    bound = float(state.truncation_error)
    assert error <= bound + 1e-9
    assert (error > 1e-3) == (max_bond < 16)
    values = [pauli("Z", w) for w in range(8)]
    gap = expectation(state, values) - expectation(exact, values)
    # A Pauli word has eigenvalues 1 and -1.
    assert float(jnp.abs(gap).max()) <= 2 * bound + 1e-9


@pytest.mark.x64
def test_norm_squared_estimates_the_fidelity():
    angles = jnp.asarray(np.random.default_rng(1).uniform(0, 6, (6, 10)))
    circuit = layered(angles, lambda n: [cz(w, w + 1) for w in range(n - 1)])
    exact = final(circuit, StateVector.zeros(10)).vector()
    state = final(circuit, MPS.zeros(10, 6))
    vector = state.to_vector().vector()
    fidelity = abs(np.vdot(exact, vector)) ** 2 / np.linalg.norm(vector) ** 2
    assert 0.5 < fidelity < 0.999
    assert abs(float(state.norm()) ** 2 - fidelity) < 0.1 * (1 - fidelity)


@pytest.mark.slow
@pytest.mark.x64
def test_truncation_error_bounds_200_random_circuits():
    worst, loosest = 0.0, 0.0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n, depth = int(rng.integers(6, 15)), int(rng.integers(3, 7))
        angles = jnp.asarray(rng.uniform(0, 2 * np.pi, (depth, n)))
        circuit = layered(angles, ladder if seed % 2 else ring)
        exact = final(circuit, StateVector.zeros(n)).vector()
        state = final(circuit, MPS.zeros(n, int(rng.choice([4, 8]))))
        error = np.linalg.norm(np.asarray(state.to_vector().vector() - exact))
        bound = float(state.truncation_error)
        worst = max(worst, error - bound)
        if error > 1e-6:
            loosest = max(loosest, bound / error)
    assert worst < 1e-9
    assert loosest < 100


# --- plans ----------------------------------------------------------------------------


def planned(circuit, max_bond):
    return plan_chain(pieces(circuit.operations), circuit.num_wires, 1, max_bond)


def test_a_ladder_is_one_layer_of_bond_two():
    plan = planned(Circuit([h(0), *ladder(64)], 64), 2)
    assert [layer.rank for layer in plan.layers] == [2]
    assert plan.growth == 2 and plan.steps == ()


def test_a_brickwork_beyond_the_bond_is_pairs():
    brick = [cz(w, w + 1) for start in (0, 1) for w in range(start, 7, 2)]
    plan = planned(Circuit(brick * 3, 8), 2)
    assert len(plan.layers) == 1
    assert all(isinstance(step, Pairs) for step in plan.steps)
    assert [len(step.placed) for step in plan.steps] == [4, 3, 4, 3]


def test_distant_gates_are_swapped_or_done_as_a_layer_by_cost():
    near = planned(Circuit([cx(0, 1), cx(0, 2)], 64), 1)
    assert all(isinstance(step, Pairs) for step in near.steps)
    wide = planned(Circuit([cx(0, 1), ccx(0, 30, 60)], 64), 1)
    assert any(isinstance(step, Layer) for step in wide.steps)
    # The second distant gate joins the layer of the first for nothing.
    both = planned(Circuit([ccx(0, 1, 2), cx(3, 7)], 8), 1)
    assert [type(step) for step in both.steps] == [Layer]
    far = planned(Circuit([swap(0, 7)], 8), 2)
    assert all(isinstance(step, Pairs) for step in far.steps)
    assert sum(len(step.placed) for step in far.steps) == 13


def test_what_is_random_waits_for_its_wire_alone():
    noisy = Circuit([cx(0, 1), Measure(0), Measure(2), cx(1, 2), Measure(2)], 3)
    kinds = [type(step) for step in planned(noisy, 4).steps]
    assert kinds == [Pairs, Draws, Pairs, Draws]


@pytest.mark.parametrize("links", (ladder, lambda n: [ccx(0, 2, n - 1)]))
@pytest.mark.parametrize("depth", (10, 100))
def test_the_program_does_not_grow_with_depth(depth, links):
    def program(angles):
        return run(layered(angles, links), MPS.zeros(6, 4)).tensors

    shape = jax.ShapeDtypeStruct((depth, 6), np.float32)
    jaxpr = jax.make_jaxpr(program)(shape).jaxpr
    assert len(jaxpr.eqns) < 400


# --- trajectories ---------------------------------------------------------------------


def noisy_circuit(angles):
    def layer(own):
        turns = [ry(own[w], w) for w in range(4)]
        damped = [amplitude_damping(0.3, w) for w in range(4)]
        rest = [
            depolarizing(0.1, 0),
            cx(3, 0),
            Measure((1, 3)),
            Reset(2),
            rx(own[0], 2),
        ]
        return Circuit([*turns, *ladder(4), *damped, *rest], 4)

    body = jax.vmap(layer)(angles)
    return Circuit([h(0), Repeat(body, angles.shape[0]), phase_damping(0.2, 1)], 4)


ANGLES = np.random.default_rng(3).normal(size=(2, 4)).astype(np.float32)
WORDS = [pauli("Z", 0), pauli("Z", 1), pauli("Z", 3), pauli("ZZ", (0, 3))]


def deviations(key, max_bond, circuit):
    """Return the least p-value of averages, given the exact density matrix."""
    exact = expectation(run(noisy_circuit(ANGLES), DensityMatrix.zeros(4)), WORDS)
    found = average_trajectories(key, circuit, MPS.zeros(4, max_bond), WORDS, 3000)
    p_values = [
        stats.z_p_value(float(a), float(b), float(s))
        for a, b, s in zip(found.mean, exact, found.stderr, strict=True)
    ]
    return min(p_values)


@pytest.mark.slow
def test_trajectories_average_to_the_density_matrix(key):
    level = stats.corrected(len(WORDS))
    assert deviations(key, 4, noisy_circuit(ANGLES)) > level
    # Mutants that it rejects: one channel gone, and a bond too small for the state.
    last = noisy_circuit(ANGLES)
    assert deviations(key, 4, Circuit(last.operations[1:], 4)) < level
    assert deviations(key, 1, noisy_circuit(ANGLES)) < level


def test_outcomes_are_recorded_in_time_order(key):
    @jax.jit
    def records(angle):
        turn, check = ry(angle, 0), Measure((1, 0))
        flip = Circuit([Measure(1), turn, check, cx(0, 2), Measure(2)], 3)
        many = jax.vmap(lambda k: trajectory(k, flip, MPS.zeros(3, 2))[1])
        return many(jax.random.split(key, 200))

    def fair(bits):
        return stats.binomial_p_value(int(bits[:, 2].sum()), 200, 0.5)

    record = records(np.float32(np.pi / 2))
    bits = np.asarray(record.outcomes)
    assert (bits[:, :2] == 0).all() and (bits[:, 2] == bits[:, 3]).all()
    assert fair(bits) > stats.ALPHA
    assert np.allclose(record.log_prob, np.log(0.5), atol=1e-5)
    # Mutants that it rejects: another column in its place, and a coin that is not fair.
    assert fair(np.roll(bits, 1, axis=1)) < stats.ALPHA
    assert fair(np.asarray(records(np.float32(1.0)).outcomes)) < stats.ALPHA


# --- transforms -----------------------------------------------------------------------


def test_jit_vmap_and_loop_agree():
    angles = np.random.default_rng(5).normal(size=(3, 4, 5)).astype(np.float32)

    def value(own):
        state = run(layered(own, ladder), MPS.zeros(5, 2))
        return expectation(state, ising(5)), state.truncation_error

    together = jax.jit(jax.vmap(value))(angles)
    one = jax.jit(value)
    for index in range(3):
        alone = one(angles[index])
        assert np.allclose(alone[0], together[0][index], atol=1e-4)
        assert np.allclose(alone[1], together[1][index], atol=1e-4)


def test_shots_follow_the_state(key):
    angles = np.random.default_rng(7).uniform(0, 6, (3, 5)).astype(np.float32)
    circuit = layered(angles, ladder)
    exact = np.asarray(final(circuit, StateVector.zeros(5)).probabilities()).reshape(-1)
    state = final(circuit, MPS.zeros(5, 4))
    bits = sample(key, state, 4000)
    assert stats.born_rule_p_value(bits, exact) > stats.ALPHA
    # A mutant that it rejects: wires in the other order.
    assert stats.born_rule_p_value(bits[:, ::-1], exact) < stats.ALPHA
    logs = state.log_probabilities(bits)
    assert np.allclose(np.exp(logs), exact[stats.indices(bits)], rtol=1e-3)


def test_estimates_by_shots_need_no_table_of_outcomes(key):
    energy = pauli("Z" * 40, range(40)) + 0.5 * pauli("X", 3) + pauli("ZZ", (0, 39))

    @jax.jit
    def estimated(angle):
        wide = Circuit([h(0), *ladder(40), rx(angle, 39)], 40)
        return estimate(key, run(wide, MPS.zeros(40, 2)), energy, 400)

    def p_value(angle):
        found = estimated(np.float32(angle))
        return stats.z_p_value(float(found.mean), 2.0, float(found.stderr))

    assert p_value(0.0) > stats.ALPHA
    # A mutant that it rejects: the last wire turned.
    assert p_value(0.5) < stats.ALPHA


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "circuit, message",
    (
        (Circuit([unitary(np.eye(8), (0, 1, 2))], 3), "at most two wires"),
        (Circuit([Measure(0)], 3), "use `trajectory`"),
        (Circuit([controlled(swap(0, 1), (2,))], 3), "one target"),
    ),
)
def test_what_a_chain_cannot_do_is_named(circuit, message):
    with pytest.raises(TypeError, match=message):
        run(circuit, MPS.zeros(3, 4))


def test_channels_on_two_wires_are_refused(key):
    both = kraus_channel(np.eye(4, dtype=complex)[None], (0, 1))
    with pytest.raises(TypeError, match="channels on one wire"):
        trajectory(key, Circuit([both], 3), MPS.zeros(3, 4))


@pytest.mark.parametrize(
    "option", ({"method": "gates"}, {"gradient": "adjoint"}, {"storage": "bfloat16"})
)
def test_options_of_amplitudes_are_refused(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must"):
        run(Circuit([pauli_rotation(0.1, "X", (0,))], 2), MPS.zeros(2, 2), **option)


def test_phases_of_distant_gates_survive_truncating_steps():
    qft = [h(0), cphase(0.5, 3, 0), h(1), cphase(0.25, 3, 1), h(3), cphase(0.1, 0, 3)]
    circuit = Circuit(qft * 2, 4)
    exact = final(circuit, StateVector.zeros(4)).vector()
    found = final(circuit, MPS.zeros(4, 4)).to_vector().vector()
    assert np.abs(np.asarray(found - exact)).max() < 1e-5
