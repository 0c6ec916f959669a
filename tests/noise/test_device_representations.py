"""Noise of real calibrations: what is drawn agrees with the exact density matrix."""

import warnings
from collections.abc import Sequence

import jax
import numpy as np
import pytest

from qjax.circuits import Channel, Circuit, Measure, Repeat, cx, pauli, ry
from qjax.circuits.observables import PauliSum
from qjax.circuits.operation import walk
from qjax.noise import (
    Calibration,
    RelaxationWarning,
    device_noise,
    path_in,
    read_google,
    read_ibm,
)
from qjax.simulate import average_trajectories, expectation, run
from qjax.states import MPS, DensityMatrix, PauliDensity, StateVector
from tests import stats
from tests.compiling import quick_jit


def layered(num_wires: int, depth: int) -> Circuit:
    """Turns and a ladder of CX, repeated; a reading, during which the others wait."""

    def layer(angles) -> Circuit:
        turns = [ry(angles[wire], wire) for wire in range(num_wires)]
        ladder = [cx(wire, wire + 1) for wire in range(num_wires - 1)]
        return Circuit([*turns, *ladder], num_wires)

    rng = np.random.default_rng(num_wires)
    angles = rng.uniform(0, 2 * np.pi, (depth, num_wires)).astype(np.float32)
    layers = Repeat(jax.vmap(layer)(angles), depth)
    return Circuit([layers, Measure(0), ry(np.float32(0.5), num_wires - 1)], num_wires)


def words(num_wires: int) -> list[PauliSum]:
    """X and Z of every wire, ZZ of neighbours, and X of them all."""
    wires = range(num_wires)
    single = [pauli(letter, wire) for wire in wires for letter in "XZ"]
    neighbours = [pauli("ZZ", (wire, wire + 1)) for wire in wires[:-1]]
    return [*single, *neighbours, pauli("X" * num_wires, wires)]


def noisy(device: Calibration, wires: Sequence[int], circuit: Circuit) -> Circuit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RelaxationWarning)
        return device_noise(device.to_subset(wires)).model(circuit)


def agreement(key, device: Calibration, line: Sequence[int], depth, max_bond, shots):
    """Compare drawn averages with the exact ones, and with those of mutants.

    Returns:
        For state vectors and for matrix product states, the least p-value over all
        words given the exact averages with the device's noise, with that of its qubits
        in the other order, and without noise; and the level of one word.
    """
    num_wires = len(line)
    ideal, asked = layered(num_wires, depth), words(num_wires)
    true = noisy(device, line, ideal)
    channels = [o for o in walk(true.operations) if isinstance(o, Channel)]
    assert any(len(channel.wires) == 2 for channel in channels)
    kind = DensityMatrix if num_wires <= 10 else PauliDensity
    exact = quick_jit(lambda one: expectation(run(one, kind.zeros(num_wires)), asked))
    expected = [exact(c) for c in (true, noisy(device, line[::-1], ideal), ideal)]

    def least(state) -> list[float]:
        draw = quick_jit(
            lambda one: average_trajectories(key, one, state, asked, shots)
        )
        found = draw(true)
        return [
            min(map(stats.z_p_value, found.mean, values, found.stderr))
            for values in expected
        ]

    states = StateVector.zeros(num_wires), MPS.zeros(num_wires, max_bond)
    level = stats.corrected(len(states) * len(asked))
    return [least(state) for state in states], level


def check(result) -> None:
    found, level = result
    for right, reversed_line, ideal in found:
        assert right > level
        # Mutants that it rejects: noise of other qubits, and none.
        assert reversed_line < level and ideal < level


@pytest.mark.slow
def test_trajectories_and_chains_agree_with_the_exact_density_matrix(key):
    quito = read_ibm("quito", offline=True)
    check(agreement(key, quito, path_in(quito, 3), 3, 2, 3000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "name", "num_wires"),
    [(read_ibm, "cairo", 10), (read_google, "weber", 12)],
)
def test_they_agree_up_to_twelve_qubits(reader, name, num_wires, key):
    """Two ladders make bonds of at most 4, so that the chain cuts nothing."""
    device = reader(name, offline=True)
    check(agreement(key, device, path_in(device, num_wires), 2, 4, 2000))


@pytest.mark.slow
def test_a_chain_too_narrow_for_the_state_is_noticed(key):
    quito = read_ibm("quito", offline=True)
    (_, narrow), level = agreement(key, quito, path_in(quito, 3), 3, 1, 3000)
    assert narrow[0] < level
