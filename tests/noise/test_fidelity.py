"""Representations of channels, fidelities and twirls against their definitions."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax.circuits import (
    AbstractUnitary,
    Channel,
    Circuit,
    Measure,
    cx,
    h,
    kraus_channel,
    pauli,
    rx,
    t,
    unitary,
)
from qjax.noise import (
    Background,
    Crosstalk,
    NoiseModel,
    OverRotation,
    amplitude_damping,
    average_gate_fidelity,
    choi_from_kraus,
    choi_from_transfer,
    correlated_pauli,
    depolarizing,
    kraus_from_choi,
    pauli_twirl,
    process_fidelity,
    transfer_from_choi,
    transfer_matrix,
    two_qubit_depolarizing,
    unitarity,
)
from qjax.simulate import average_trajectories, expectation, run
from qjax.states import DensityMatrix, StateVector
from tests import oracle_channels, oracles, stats

WORDS = {
    n: ["".join(word) for word in itertools.product("IXYZ", repeat=n)] for n in (1, 2)
}


def random_channel(seed: int, num_wires: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return oracles.random_kraus(rng, 3, 2**num_wires)


def oracle_transfer(kraus: np.ndarray, num_wires: int) -> np.ndarray:
    words = [
        oracles.pauli_word(w, range(num_wires), num_wires) for w in WORDS[num_wires]
    ]
    channel = oracle_channels.from_kraus(kraus)
    return np.asarray(
        [[np.trace(p @ channel(q)).real / 2**num_wires for q in words] for p in words]
    )


# --- representations ------------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("num_wires", [1, 2])
def test_representations_are_their_definitions_and_convert_into_each_other(num_wires):
    kraus = random_channel(7, num_wires)
    wires = tuple(range(num_wires))
    transfer = oracle_transfer(kraus, num_wires)
    choi = oracle_channels.choi(oracle_channels.from_kraus(kraus), 2**num_wires)
    found = transfer_matrix(kraus_channel(kraus, wires))
    np.testing.assert_allclose(found, transfer, atol=1e-13)
    np.testing.assert_allclose(choi_from_kraus(kraus), choi, atol=1e-13)
    np.testing.assert_allclose(choi_from_transfer(transfer), choi, atol=1e-13)
    np.testing.assert_allclose(transfer_from_choi(choi), transfer, atol=1e-13)
    again = kraus_from_choi(choi)
    assert again.shape[0] == 4**num_wires
    np.testing.assert_allclose(again[3:], 0, atol=1e-7)  # three operators were enough
    rebuilt = oracle_channels.choi(
        oracle_channels.from_kraus(np.asarray(again)), 2**num_wires
    )
    np.testing.assert_allclose(rebuilt, choi, atol=1e-12)


@pytest.mark.x64
def test_operations_in_time_order_on_wires_in_any_order():
    rng = np.random.default_rng(1)
    first, second = oracles.random_unitary(rng, 4), random_channel(2, 1)
    operations = [unitary(first, (5, 2)), kraus_channel(second, 2)]
    found = transfer_matrix(operations)  # on wires (5, 2)
    local = [np.kron(np.eye(2), k) @ first for k in second]
    expected = oracle_transfer(np.stack(local), 2)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    swap = oracles.gate("swap")
    exchanged = oracle_transfer(np.stack([swap @ k @ swap for k in local]), 2)
    np.testing.assert_allclose(
        transfer_matrix(operations, (2, 5)), exchanged, atol=1e-13
    )


# --- fidelities -----------------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("num_wires", [1, 2])
def test_average_gate_fidelity_is_the_average_over_a_design(num_wires):
    """Mean of <psi|U^-1 E(psi) U|psi> over a 2-design: stabilizer states."""
    rng = np.random.default_rng(num_wires)
    wires = tuple(range(num_wires))
    gate = oracles.random_unitary(rng, 2**num_wires)
    kraus = random_channel(3, num_wires)
    noisy = [unitary(gate, wires), kraus_channel(kraus, wires)]
    values = []
    for psi in stabilizer_states(num_wires):
        out = oracle_channels.from_kraus(kraus)(oracles.density(gate @ psi))
        values.append((gate @ psi).conj() @ out @ (gate @ psi))
    found = average_gate_fidelity(noisy, unitary(gate, wires))
    np.testing.assert_allclose(found, np.mean(values).real, atol=1e-12)
    # The channel alone, without its gate, is another one.
    assert abs(average_gate_fidelity(noisy[1], noisy[0]) - found) > 1e-3


def stabilizer_states(num_wires: int) -> list[np.ndarray]:
    """All of them, as the orbit of |0...0> under Clifford generators."""
    gates = [
        oracles.embed(oracles.gate(name), (wire,), num_wires)
        for name in ("h", "s")
        for wire in range(num_wires)
    ]
    if num_wires == 2:
        gates.append(oracles.gate("cx"))
    found = [oracles.zero_state(num_wires)]
    for psi in found:
        for gate in gates:
            new = gate @ psi
            if all(abs(new.conj() @ old) < 1 - 1e-9 for old in found):
                found.append(new)
    assert len(found) == {1: 6, 2: 60}[num_wires]
    return found


def test_infidelities_in_closed_form():
    angle = 0.3
    over = OverRotation(angle)(Circuit([rx(1.0, 0)], 1)).operations
    found = 1 - average_gate_fidelity(over, rx(1.0, 0))
    np.testing.assert_allclose(found, 2 * np.sin(angle / 2) ** 2 / 3, atol=1e-6)
    for channel, gate, size in (
        (depolarizing(0.06, 0), t(0), 2),
        (two_qubit_depolarizing(0.06, (0, 1)), cx(0, 1), 4),
    ):
        found = average_gate_fidelity([gate, channel], gate)
        np.testing.assert_allclose(1 - found, 0.06 * (size - 1) / size, atol=1e-6)
        pro = process_fidelity([gate, channel], gate)
        np.testing.assert_allclose(1 - pro, 0.06 * (1 - 1 / size**2), atol=1e-6)


def test_fidelity_takes_wires_in_any_order_and_transfer_matrices():
    reversed_damping = amplitude_damping(0.3, 1)
    noisy = [cx(0, 1), reversed_damping]
    by_list = average_gate_fidelity(noisy, cx(0, 1))
    by_matrix = average_gate_fidelity(transfer_matrix(noisy), cx(0, 1))
    np.testing.assert_allclose(by_list, by_matrix, atol=1e-6)
    assert float(average_gate_fidelity(cx(1, 0), cx(0, 1))) < 0.6
    np.testing.assert_allclose(average_gate_fidelity(cx(1, 0), cx(1, 0)), 1, atol=1e-6)


def test_fidelity_is_differentiated_with_respect_to_strengths():
    slope = jax.jit(
        jax.grad(lambda p: average_gate_fidelity([h(0), depolarizing(p, 0)], h(0)))
    )
    np.testing.assert_allclose(slope(0.1), -0.5, atol=1e-5)


# --- twirl ----------------------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("num_wires", [1, 2])
def test_the_twirl_is_the_mean_over_pauli_frames(num_wires):
    kraus = random_channel(4, num_wires)
    wires = tuple(range(num_wires))
    twirled = pauli_twirl(kraus_channel(kraus, wires)).checked()
    words = [
        oracles.pauli_word(w, range(num_wires), num_wires) for w in WORDS[num_wires]
    ]
    framed = np.concatenate([[p @ k @ p for k in kraus] for p in words])
    expected = oracle_transfer(framed / 2**num_wires, num_wires)
    np.testing.assert_allclose(transfer_matrix(twirled), expected, atol=1e-12)


def test_the_twirl_keeps_the_fidelity_and_loses_the_coherence():
    gate, error = cx(0, 1), OverRotation(0.1)(Circuit([cx(0, 1)], 2)).operations[0]
    assert isinstance(error, AbstractUnitary)
    twirled = pauli_twirl(error, target=gate)
    coherent, stochastic = error, [gate, twirled]
    np.testing.assert_allclose(
        average_gate_fidelity(coherent, gate),
        average_gate_fidelity(stochastic, gate),
        atol=1e-6,
    )
    np.testing.assert_allclose(unitarity(coherent), 1, atol=1e-5)
    assert float(unitarity(stochastic)) < 0.99
    # Coherent errors add up in amplitude: ten of them are worse than ten twirled.
    ten = average_gate_fidelity([error] * 11, gate)
    ten_twirled = average_gate_fidelity([gate, twirled] * 11, gate)
    assert float(ten) < float(ten_twirled) - 0.05


def test_unitarity_of_depolarizing_noise():
    """T = (1 - p) I, so u = (1 - p)^2."""
    np.testing.assert_allclose(unitarity(depolarizing(0.3, 0)), 0.49, atol=1e-6)


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="`operations` must hold at least one"):
        transfer_matrix([])
    with pytest.raises(ValueError, match="`operations` must hold at least one"):
        average_gate_fidelity([], h(0))
    with pytest.raises(ValueError, match="`operations` must act on wires among"):
        transfer_matrix([h(0), cx(0, 1)])
    with pytest.raises(TypeError, match="`operations` must hold unitaries"):
        transfer_matrix(Measure(0))
    with pytest.raises(ValueError, match="`actual` must have a transfer matrix of"):
        average_gate_fidelity(jnp.eye(16), h(0))
    with pytest.raises(ValueError, match="`target` must act on wires"):
        pauli_twirl(depolarizing(0.1, 0), target=h(1))
    with pytest.raises(ValueError, match="`transfer` must have shape"):
        choi_from_transfer(jnp.eye(8))
    with pytest.raises(ValueError, match="`choi` must have shape"):
        kraus_from_choi(jnp.eye(2, dtype=complex))


# --- trajectories ---------------------------------------------------------------------


def test_trajectories_of_all_errors_in_space_agree_with_the_density_matrix(key):
    """Noise model, over-rotation, crosstalk and background together, on all words of
    two wires; the mutant takes the two wires' errors for independent."""
    ideal = Circuit([h(0), rx(0.6, 1), cx(0, 1), h(2), cx(1, 2), t(1)], 3)

    def noisy(word_error: Channel) -> Circuit:
        model = NoiseModel((amplitude_damping(0.05, 0),), (depolarizing(0.03, 0),))
        crosstalk = Crosstalk((word_error,), gates="CX")
        drive = Background((rx(0.1, 0), correlated_pauli([0.05], ["ZZ"], (1, 2))))
        return drive(crosstalk(OverRotation(0.08)(model(ideal))))

    together = noisy(correlated_pauli([0.3], ["XX"], (0, 2)))
    independent = kraus_channel(
        np.stack([
            np.sqrt(p * q) * np.kron(a, b)
            for p, a in ((0.7, np.eye(2)), (0.3, oracles.X))
            for q, b in ((0.7, np.eye(2)), (0.3, oracles.X))
        ]), (0, 2),
    )  # fmt: skip
    words = [pauli(w, (0, 2)) for w in WORDS[2][1:]]
    zero = StateVector.zeros(3)
    found = jax.jit(lambda own: average_trajectories(own, together, zero, words, 4000))(
        key
    )

    def p_values(circuit: Circuit) -> list[float]:
        final = jax.jit(lambda: run(circuit, DensityMatrix.zeros(3)))()
        exact = np.asarray(expectation(final, words))
        return [
            float(abs(m - e) < 1e-5) if s < 1e-6 else stats.z_p_value(m, e, s)
            for m, e, s in zip(
                np.asarray(found.mean, float), exact, np.asarray(found.stderr, float),
                strict=True,
            )
        ]  # fmt: skip

    level = stats.corrected(len(words))
    assert min(p_values(together)) > level
    assert min(p_values(noisy(independent))) < level
