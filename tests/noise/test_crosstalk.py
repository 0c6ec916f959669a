"""Crosstalk and background errors: where they go, and that they are what they say."""

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
    ccz,
    cx,
    cz,
    h,
    pauli,
    rx,
    ry,
    rz,
    rzz,
    x,
)
from qjax.noise import (
    Background,
    CoherentError,
    Crosstalk,
    NoiseModel,
    OverRotation,
    bit_flip,
    correlated_pauli,
    depolarizing,
    zz_crosstalk,
)
from qjax.simulate import expectation, run
from qjax.states import DensityMatrix, StateVector
from tests import oracle_channels, oracles
from tests.compiling import quick_jit


def names(circuit: Circuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(operation.name, operation.wires) for operation in circuit.operations]


# --- correlated Pauli channel ---------------------------------------------------------


@pytest.mark.x64
def test_correlated_pauli_is_the_mixture_of_its_words():
    rng = np.random.default_rng(3)
    rho = oracles.random_density(rng, 3)
    channel = correlated_pauli([0.2, 0.1, 0.3], ["XIZ", "YYI", "IZX"], (2, 0, 1))
    start = DensityMatrix.from_matrix(rho)
    final = run(Circuit([channel], 3), start).matrix()
    expected = 0.4 * rho
    for p, word in ((0.2, "XIZ"), (0.1, "YYI"), (0.3, "IZX")):
        full = oracles.pauli_word(word, (2, 0, 1), 3)
        expected = expected + p * full @ rho @ full
    np.testing.assert_allclose(final, expected, atol=1e-13)


def test_correlated_errors_are_not_independent_ones():
    """Both wires flip or none: <Z0 Z1> stays 1 while <Z0> shrinks."""
    channel = correlated_pauli([0.25], ["XX"], (0, 1))
    final = run(Circuit([channel], 2), DensityMatrix.zeros(2))
    words = [pauli("Z", 0), pauli("ZZ", (0, 1))]
    np.testing.assert_allclose(expectation(final, words), [0.5, 1], atol=1e-6)


@pytest.mark.parametrize(
    "probabilities, words, message",
    [
        ([0.1], ["XXX"], "`words` must hold different words of 2 letters"),
        ([0.1, 0.1], ["XX", "XX"], "`words` must hold different words"),
        ([0.1], ["II"], "`words` must hold different words"),
        ([0.1], ["XA"], "`words` must hold different words"),
        ([], [], "`words` must hold different words"),
        ([0.1, 0.1], ["XX"], "`probabilities` must have 1 entries"),
        ([1.1], ["XX"], r"`probabilities` must lie in \[0, 1\]"),
        ([-0.1], ["XX"], r"`probabilities` must lie in \[0, 1\]"),
        ([0.6, 0.6], ["XX", "ZZ"], "`probabilities` must be at most 1 in sum"),
    ],
)
def test_words_and_probabilities_that_do_not_fit_are_refused(
    probabilities, words, message
):
    with pytest.raises(ValueError, match=message):
        correlated_pauli(probabilities, words, (0, 1))


# --- where crosstalk goes -------------------------------------------------------------


def test_spectators_of_each_gate_feel_its_couplings():
    crosstalk = zz_crosstalk(np.asarray([0.1, 0.2, 0.3]), [(0, 1), (1, 2), (2, 3)], 1.0)
    noisy = crosstalk(Circuit([cx(1, 2), x(0), Measure(3)], 4))
    assert names(noisy) == [
        ("CX", (1, 2)),
        ("error RZZ", (0, 1)),
        ("error RZZ", (2, 3)),
        ("X", (0,)),
        ("error RZZ", (0, 1)),
        ("M", (3,)),
    ]


def test_only_named_gates_cause_crosstalk():
    crosstalk = Crosstalk((rzz(0.1, 0, 1),), gates="X")
    noisy = OverRotation(0.1)(crosstalk(Circuit([x(0), h(0)], 2)))
    assert [name for name, _ in names(noisy)] == ["X^t", "error RZZ", "H^t"]
    # An altered gate still goes by its name.
    noisy = crosstalk(OverRotation(0.1)(Circuit([x(0), h(0)], 2)))
    assert [name for name, _ in names(noisy)] == ["X^t", "error RZZ", "H^t"]


def test_simultaneous_gates_on_coupled_wires_feel_each_other():
    crosstalk = Crosstalk((rzz(0.1, 1, 2),), "simultaneous")
    at_once = Circuit([cx(0, 1), cx(2, 3)], 4)
    one_by_one = Circuit([cx(0, 1), cx(1, 2), x(3)], 4)
    alone = Circuit([h(0), h(3), cx(1, 2)], 4)
    assert [name for name, _ in names(crosstalk(at_once))] == ["CX", "CX", "error RZZ"]
    assert crosstalk(one_by_one).resources().by_name.get("error RZZ") is None
    assert crosstalk(alone).resources().by_name.get("error RZZ") is None


def test_channels_take_no_time():
    """Moments are those of the noiseless circuit, so `NoiseModel` may come first."""
    model = NoiseModel((depolarizing(0.1, 0),), (bit_flip(0.1, 0),))
    crosstalk = Crosstalk((rzz(0.1, 0, 1),), "simultaneous")
    circuit = Circuit([h(0), h(1), cx(0, 1), x(0), h(1)], 2)
    found = [name for name, _ in names(crosstalk(model(circuit)))]
    assert [name for name in found if name not in ("Depolarizing", "BitFlip")] == [
        *("H", "H", "error RZZ", "CX", "X", "H", "error RZZ")
    ]


def test_rewriting_by_moments_keeps_the_order_on_every_wire():
    """Operations that share no wire commute, so this order is all that matters."""
    rng = np.random.default_rng(8)
    nothing = Background((rz(0.0, 0),))
    for _ in range(50):
        operations = []
        for _ in range(20):
            a, b, c, _ = (int(wire) for wire in rng.permutation(4))
            choices = [
                ry(0.1, a),
                cx(a, b),
                ccz(a, b, c),
                correlated_pauli([0.3], ["XZ"], (a, b)),
                CoherentError(rzz(0.4, a, b)),
                Reset(a),
                depolarizing(0.2, a),
            ]
            operations.append(choices[int(rng.integers(len(choices)))])
        found = nothing(Circuit(operations, 4)).operations
        kept = [one for one in found if one.name != "error RZ"]
        assert len(kept) == len(operations)
        for wire in range(4):
            before = [id(one) for one in operations if wire in one.wires]
            assert [id(one) for one in kept if wire in one.wires] == before


def test_background_follows_every_moment_and_not_measurements():
    background = Background((rz(0.1, 1), correlated_pauli([0.1], ["ZZ"], (0, 1))))
    feedback = [h(0), h(1), Measure(0), Conditional(x(1), (-1,), (1,)), Reset(0)]
    assert [name for name, _ in names(background(Circuit(feedback, 2)))] == [
        *("H", "H", "error RZ", "CorrelatedPauli", "M"),
        *("if[-1]=1: X", "error RZ", "CorrelatedPauli", "|0>"),
    ]


def test_crosstalk_of_a_conditional_gate_is_conditional():
    crosstalk = Crosstalk((rzz(0.1, 0, 1),))
    noisy = crosstalk(Circuit([Measure(0), Conditional(x(1), (-1,), (1,))], 2))
    assert names(noisy)[-1] == ("if[-1]=1: error RZZ", (0, 1))


# --- what it does ---------------------------------------------------------------------


@pytest.mark.x64
def test_zz_crosstalk_is_the_oracles_evolution():
    """exp(-i zeta t ZZ / 2) on each coupled pair, and a correlated channel after it."""
    circuit = Circuit([ry(0.7, 1), cx(1, 0), ry(-0.4, 2)], 3)
    coherent = zz_crosstalk(np.asarray([0.3, 0.5]), [(0, 1), (2, 1)], time=0.8)
    mixed = Crosstalk((correlated_pauli([0.2], ["XZ"], (1, 2)),), gates="CX")
    noisy = mixed(coherent(circuit))
    final = quick_jit(lambda: run(noisy, DensityMatrix.zeros(3)))()
    zz = np.kron(oracles.Z, oracles.Z)
    first, second = (oracles.exponential(zz, a * 0.8 / 2) for a in (0.3, 0.5))
    rho = oracles.density(oracles.zero_state(3))
    steps = [
        (oracles.gate("ry", 0.7), (1,)), (first, (0, 1)), (second, (2, 1)),
        (oracles.gate("cx"), (1, 0)), (None, (1, 2)), (second, (2, 1)),
        (oracles.gate("ry", -0.4), (2,)), (second, (2, 1)),
    ]  # fmt: skip
    word = np.kron(oracles.X, oracles.Z)
    for matrix, wires in steps:
        if matrix is None:
            channel = oracle_channels.from_kraus(
                np.stack([np.sqrt(0.8) * np.eye(4), np.sqrt(0.2) * word])
            )
            rho = oracle_channels.on_register(channel, rho, wires)
        else:
            full = oracles.embed(matrix, wires, 3)
            rho = full @ rho @ full.conj().T
    np.testing.assert_allclose(final.matrix(), rho, atol=1e-13)


def layered(angles: jax.Array) -> Circuit:
    def layer(angle):
        return Circuit([rx(angle, 0), ry(angle, 1), cz(0, 1), h(2)], 3)

    return Circuit([Repeat(jax.vmap(layer)(angles), len(angles)), h(1)], 3)


@pytest.mark.parametrize(
    "noise",
    [
        zz_crosstalk(0.2, [(0, 1), (1, 2)], 1.0),
        zz_crosstalk(0.2, [(0, 1), (1, 2)], 1.0, "simultaneous"),
        Background((rz(0.1, 0), correlated_pauli([0.1], ["XX"], (1, 2)))),
    ],
)
def test_repeat_stays_one_layer_and_equals_the_unrolled_circuit(noise):
    circuit = layered(jnp.asarray([0.3, 0.5, 0.7]))
    noisy = noise(circuit)
    assert isinstance(noisy.operations[0], Repeat)
    repeat = circuit.operations[0]
    assert isinstance(repeat, Repeat)
    layers = [repeat.layer(index) for index in range(3)]
    unrolled = sum(
        (noise(layer) for layer in layers[1:]), start=noise(layers[0])
    ) + noise(Circuit([h(1)], 3))
    final = quick_jit(lambda one: run(one, DensityMatrix.zeros(3)).matrix())
    np.testing.assert_allclose(final(noisy), final(unrolled), atol=1e-6)


def test_strengths_are_leaves_batched_and_differentiated_under_one_jit():
    circuit = layered(jnp.asarray([0.3, 0.5]))

    @quick_jit
    @jax.vmap
    @jax.value_and_grad
    def energy(rate):
        noisy = zz_crosstalk(rate, [(0, 1), (1, 2)], 1.0)(circuit)
        return expectation(run(noisy, StateVector.zeros(3)), pauli("X", 1))

    step = 1e-2
    rates = jnp.asarray([0.0 - step, 0.0, 0.0 + step, 0.2 - step, 0.2, 0.2 + step])
    values, slopes = energy(rates)
    central = (values[2::3] - values[0::3]) / (2 * step)
    np.testing.assert_allclose(slopes[1::3], central, atol=2e-3)
    assert abs(slopes[4]) > 0.01


def test_errors_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="`errors` must hold at least one"):
        Crosstalk(())
    with pytest.raises(ValueError, match="`errors` must act on at least 2 wires"):
        Crosstalk((rz(0.1, 0),))
    with pytest.raises(TypeError, match="`errors` must hold unitaries and channels"):
        Background((Measure(0),))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="`when` must be one of"):
        Crosstalk((rzz(0.1, 0, 1),), "always")
    with pytest.raises(ValueError, match="`errors` must act on wires below 2"):
        Crosstalk((rzz(0.1, 1, 2),))(Circuit([h(0)], 2))
    with pytest.raises(ValueError, match="`gates` must name at least one gate"):
        Crosstalk((rzz(0.1, 0, 1),), gates=())
    with pytest.raises(ValueError, match="`pairs` must not repeat a wire"):
        zz_crosstalk(0.1, [(1, 1)], 1.0)
    with pytest.raises(ValueError, match="`pairs` must hold pairs"):
        zz_crosstalk(0.1, [(0, 1), (1, 0)], 1.0)
    with pytest.raises(ValueError, match="`time` must be at least 0"):
        zz_crosstalk(0.1, [(0, 1)], -1.0)
    with pytest.raises(ValueError, match="`rates` must be a scalar or have shape"):
        zz_crosstalk(np.ones(3), [(0, 1)], 1.0)
