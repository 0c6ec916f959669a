"""Bath registers: wires, limits without memory and without strength, and memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    Circuit,
    Conditional,
    Measure,
    Repeat,
    cx,
    h,
    i,
    kraus_channel,
    pauli,
    rx,
    rxx,
    ry,
    ryy,
    rzz,
    unitary,
    x,
)
from qjax.noise import (
    Bath,
    NoiseModel,
    amplitude_damping,
    reset_error,
    transfer_matrix,
)
from qjax.simulate import average_trajectories, expectation, run
from qjax.states import DensityMatrix, PauliDensity, StateVector
from tests import oracles, stats
from tests.compiling import quick_jit

FORGET = (reset_error(1.0, 0.0, 0),)


def exchange(angle):
    return rxx(angle, 0, 1), ryy(angle, 0, 1)


def layers(angles) -> Circuit:
    def layer(angle):
        return Circuit([ry(angle, 0), cx(0, 1), rx(angle, 1)], 2)

    return Circuit([Repeat(jax.vmap(layer)(angles), len(angles)), h(0)], 2)


CIRCUIT = layers(jnp.asarray([0.4, 0.7, 1.1]))


def final(bath: Bath, circuit: Circuit = CIRCUIT):
    start = bath.extend(DensityMatrix.zeros(circuit.num_wires))
    wires = tuple(range(circuit.num_wires))
    return quick_jit(lambda: run(bath(circuit), start).reduced(wires))()


def final_of(circuit: Circuit):
    return quick_jit(lambda: run(circuit, DensityMatrix.zeros(2)).matrix())()


def test_wires_keep_their_numbers_and_baths_come_behind():
    bath = Bath((rzz(0.1, 1, 0),), (1, None, 0), FORGET, gates=("CX", "X"))
    noisy = bath(Circuit([cx(2, 1), h(0), x(0)], 3))
    assert noisy.num_wires == 5 and bath.num_baths == 2
    assert [(one.name, one.wires) for one in noisy.operations] == [
        ("CX", (2, 1)),
        ("error RZZ", (3, 2)),
        ("ResetError", (3,)),
        ("H", (0,)),
        ("X", (0,)),
        ("error RZZ", (4, 0)),
        ("ResetError", (4,)),
    ]


def test_a_conditional_gate_meets_the_bath_only_if_it_is_done():
    bath = Bath(exchange(0.3), (0, 0), FORGET)
    noisy = bath(Circuit([Measure(0), Conditional(x(1), (-1,), (1,))], 2))
    assert [one.name for one in noisy.operations[2:]] == [
        "if[-1]=1: error RXX",
        "if[-1]=1: error RYY",
        "if[-1]=1: ResetError",
    ]


@pytest.mark.parametrize("assignment", [(0, 1), (None, 0)])
def test_strength_zero_does_nothing(assignment):
    bath = Bath(exchange(0.0), assignment, (amplitude_damping(0.3, 0),))
    expected = final_of(CIRCUIT)
    np.testing.assert_allclose(final(bath), expected, atol=1e-6)


@pytest.mark.x64
@pytest.mark.parametrize("assignment", [(0, 1), (0, 0)])
def test_with_a_reset_in_each_step_it_is_the_memoryless_channel(assignment):
    turn = unitary(oracles.random_unitary(np.random.default_rng(3), 4), (1, 0))
    interaction = (*exchange(0.6), turn)
    bath = Bath(interaction, assignment, FORGET)
    channel = bath.memoryless().checked()
    model = NoiseModel((channel,), (channel,))
    expected = final_of(model(CIRCUIT))
    np.testing.assert_allclose(final(bath), expected, atol=1e-12)
    # Without the reset the bath remembers, and the result is another one.
    kept = Bath(interaction, assignment)
    assert abs(np.asarray(final(kept)) - np.asarray(expected)).max() > 1e-2


def test_exchange_with_an_empty_bath_is_amplitude_damping():
    """exp(-i a (XX + YY) / 2) moves an excitation with probability sin^2 a."""
    found = transfer_matrix(Bath(exchange(0.6), (0,)).memoryless())
    expected = transfer_matrix(amplitude_damping(np.sin(0.6) ** 2, 0))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.x64
def test_an_excitation_comes_back_from_a_bath_with_memory():
    """Non-Markovian: <1|rho|1> = cos^2(k a) after k steps, not cos^2k(a)."""
    angle = 0.35
    final = quick_jit(
        lambda circuit, start: run(circuit, start).reduced((0,))[1, 1].real
    )
    for steps in (1, 9):
        body = jax.vmap(lambda _: Circuit([i(0)], 1))(jnp.arange(steps))
        circuit = Circuit([Repeat(body, steps)], 1)
        excited = DensityMatrix.from_matrix(np.diag([0, 1]).astype(complex))
        bath = Bath(exchange(angle), (0,))
        kept = final(bath(circuit), bath.extend(excited))
        assert abs(kept - np.cos(steps * angle) ** 2) < 1e-12
        markov = Bath(exchange(angle), (0,), FORGET)
        lost = final(markov(circuit), markov.extend(excited))
        assert abs(lost - np.cos(angle) ** (2 * steps)) < 1e-12


@pytest.mark.x64
def test_a_shared_bath_is_the_oracles_evolution():
    bath = Bath(exchange(0.5), (0, 0), (amplitude_damping(0.2, 0),))
    rng = np.random.default_rng(4)
    rho = oracles.random_density(rng, 2)
    noisy = bath(Circuit([cx(1, 0)], 2))
    start = bath.extend(DensityMatrix.from_matrix(rho))
    found = quick_jit(lambda: run(noisy, start).matrix())()
    full = np.kron(rho, np.diag([1, 0]))
    damping = [np.diag([1, np.sqrt(0.8)]), np.sqrt(0.2) * np.asarray([[0, 1], [0, 0]])]
    swap = (np.kron(oracles.X, oracles.X) + np.kron(oracles.Y, oracles.Y)) / 2
    meeting = oracles.exponential(swap, 0.5)
    steps = [([oracles.gate("cx")], (1, 0))]
    for wire in (1, 0):
        steps += [([meeting], (wire, 2)), (damping, (2,))]
    for kraus, wires in steps:
        operators = [oracles.embed(np.asarray(k, complex), wires, 3) for k in kraus]
        full = sum(k @ full @ k.conj().T for k in operators)
    np.testing.assert_allclose(found, full, atol=1e-12)


def test_trajectories_agree_with_the_density_matrix(key):
    """A damped bath, all words of the system; the mutant forgets in each step."""
    bath = Bath(exchange(0.6), (0, 1), (amplitude_damping(0.3, 0),))
    words = [pauli("Z", 0), pauli("X", 1), pauli("ZZ", (0, 1)), pauli("YX", (0, 1))]
    zero = bath.extend(StateVector.zeros(2))
    found = jax.jit(
        lambda own: average_trajectories(own, bath(CIRCUIT), zero, words, 4000)
    )(key)
    mutant = Bath(exchange(0.6), (0, 1), FORGET)

    def p_values(law: Bath) -> list[float]:
        exact = expectation(DensityMatrix.from_matrix(final(law)), words)
        return [
            stats.z_p_value(float(m), float(e), float(s))
            for m, e, s in zip(found.mean, exact, found.stderr, strict=True)
        ]

    level = stats.corrected(len(words))
    assert min(p_values(bath)) > level
    assert min(p_values(mutant)) < level


def test_strengths_are_leaves_batched_and_differentiated():
    @quick_jit
    @jax.vmap
    @jax.value_and_grad
    def energy(angle):
        bath = Bath(exchange(angle), (0, 1), (amplitude_damping(0.3, 0),))
        state = run(bath(CIRCUIT), bath.extend(DensityMatrix.zeros(2)))
        return expectation(state, pauli("Z", 1))

    step = 1e-2
    values, slopes = energy(jnp.asarray([0.5 - step, 0.5, 0.5 + step]))
    central = (values[2] - values[0]) / (2 * step)
    np.testing.assert_allclose(slopes[1], central, atol=3e-3)
    assert abs(slopes[1]) > 0.05


def test_arguments_that_do_not_fit_are_refused():
    pair = exchange(0.1)
    for assignment in ((), (None, None), (0, 2), (1, 1), (-1, 0)):
        with pytest.raises(ValueError, match="`assignment` must number the bath"):
            Bath(pair, assignment)
    with pytest.raises(ValueError, match="`interaction` must hold at least one"):
        Bath((), (0,))
    with pytest.raises(ValueError, match="`interaction` must act on wires 0"):
        Bath((rxx(0.1, 1, 2),), (0,))
    with pytest.raises(TypeError, match="`interaction` must hold unitaries"):
        Bath((kraus_channel(np.eye(4)[None], (0, 1)),), (0,))  # pyright: ignore
    with pytest.raises(ValueError, match="`relaxation` must act on one wire"):
        Bath(pair, (0,), (kraus_channel(np.eye(4)[None], (0, 1)),))
    with pytest.raises(TypeError, match="`relaxation` must hold channels"):
        Bath(pair, (0,), (h(0),))  # pyright: ignore
    with pytest.raises(ValueError, match="`circuit` must have 1 wires"):
        Bath(pair, (0,))(CIRCUIT)
    with pytest.raises(ValueError, match="`state` must have 1 wires"):
        Bath(pair, (0,)).extend(StateVector.zeros(2))
    with pytest.raises(TypeError, match="`state` must be a StateVector or"):
        Bath(pair, (0,)).extend(PauliDensity.zeros(1))
