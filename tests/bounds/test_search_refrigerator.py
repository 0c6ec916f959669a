"""Interleaved amplitude damping beats storage: exactly, and by search."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from qjax.bounds.memory.array_records import recorded_array
from qjax.bounds.search import (
    attack_damping,
    refrigerator,
    refrigerator_permutation,
    refrigerator_start,
)


def _exact_outputs(gamma: Fraction, images, layers: int) -> list[list[Fraction]]:
    """P(after | before) of basis states in rational arithmetic, bit by bit."""
    size = len(images)
    decay = [[Fraction(0)] * size for _ in range(size)]
    for before in range(size):
        for after in range(size):
            if after & ~before == 0:  # excitations are only lost
                lost = (before ^ after).bit_count()
                decay[before][after] = gamma**lost * (1 - gamma) ** after.bit_count()
    rows = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    for layer in range(layers):
        if layer:
            moved = [[Fraction(0)] * size for _ in range(size)]
            for i, row in enumerate(rows):
                for j, share in enumerate(row):
                    moved[i][images[j]] += share
            rows = moved
        rows = [
            [
                sum((row[k] * decay[k][j] for k in range(size)), Fraction(0))
                for j in range(size)
            ]
            for row in rows
        ]
    return rows


def _holevo_of_rows(rows, weights) -> mpmath.mpf:
    total = mpmath.mpf(0)
    precise = [[mpmath.mpf(x.numerator) / x.denominator for x in row] for row in rows]
    columns = range(len(rows[0]))
    average = [
        mpmath.fsum(w * row[j] for w, row in zip(weights, precise, strict=True))
        for j in columns
    ]
    for w, row in zip(weights, precise, strict=True):
        total += w * mpmath.fsum(
            row[j] * mpmath.log(row[j] / average[j], 2) for j in columns if row[j]
        )
    return total


@pytest.mark.parametrize(("wires", "layers"), [(2, 25), (3, 10)])
def test_refrigerator_beats_storage_by_rational_arithmetic(wires, layers):
    found = refrigerator(0.5, layers, wires)
    assert found.refutes
    images = refrigerator_permutation(0.5, wires)
    with mpmath.workdps(50):
        rows = _exact_outputs(Fraction(1, 2), images, layers)
        used = [
            int(np.argmax(np.abs(ket))) for ket in recorded_array(found.record["kets"])
        ]
        weights = [mpmath.mpf(x) for x in found.record["probabilities"]]
        weights = [w / mpmath.fsum(weights) for w in weights]
        chi = _holevo_of_rows([rows[i] for i in used], weights)
        assert abs(chi - found.replayed.values["chi"]) < mpmath.mpf(10) ** -40
        # Storage is capped by h(eta^T) per qubit, written out here once more.
        eta = mpmath.mpf(2) ** -layers
        cap = -eta * mpmath.log(eta, 2) - (1 - eta) * mpmath.log(1 - eta, 2)
        assert chi > wires * cap * (1 if wires == 2 else 0.5)


def _rate(gamma: Fraction, images) -> float:
    """Decay per layer of the probability to be found excited, from |11>."""
    early, late = (1 - _exact_outputs(gamma, images, t)[3][0] for t in (30, 50))
    return float(late / early) ** (1 / 20)


@pytest.mark.parametrize("gamma", ["1/20", "3/10", "7/10", "99/100"])
def test_the_cycle_on_two_qubits_decays_slower_than_one_excitation(gamma):
    strength = Fraction(gamma)
    images = refrigerator_permutation(float(strength), 2)
    assert images[0] == 0 and sorted(images) == [0, 1, 2, 3]
    assert _rate(strength, images) > 1.01 * (1 - float(strength))
    # Without unitaries two excitations decay like one in the end.
    assert _rate(strength, (0, 1, 2, 3)) < 0.995 * _rate(strength, images)


def test_no_refrigerator_without_time_or_without_a_second_qubit():
    assert not refrigerator(0.5, 4, 2).refutes
    assert not refrigerator(0.5, 25, 1).refutes


def _simulated_chi(record) -> float:
    """chi of a record by Kraus sums in NumPy."""
    root = np.sqrt(record["eta"])
    pair = [np.diag([1, root]), np.asarray([[0, np.sqrt(1 - root**2)], [0, 0]])]
    (unitary,) = recorded_array(record["unitaries"])
    outputs = []
    for ket in recorded_array(record["kets"]):
        rho = np.outer(ket, ket.conj())
        for layer in range(record["T"]):
            if layer:
                rho = unitary @ rho @ unitary.conj().T
            for wire in range(record["m"]):
                sides = np.eye(2**wire), np.eye(2 ** (record["m"] - wire - 1))
                full = [np.kron(np.kron(sides[0], k), sides[1]) for k in pair]
                rho = sum(k @ rho @ k.T for k in full)
        outputs.append(rho)

    def entropy(rho):
        values = np.linalg.eigvalsh(rho)
        values = values[values > 0]
        return -np.sum(values * np.log2(values))

    weights = np.asarray(record["probabilities"])
    average = sum(w * rho for w, rho in zip(weights, outputs, strict=True))
    parts = sum(w * entropy(rho) for w, rho in zip(weights, outputs, strict=True))
    return float(entropy(average) - parts)


@pytest.mark.x64
def test_damping_attack_finds_a_coherent_refrigerator(key):
    found = attack_damping(key, 2, 8, 0.7, restarts=8, steps=200)
    assert found.refutes and found.dropped == 0
    chi = float(found.replayed.values["chi"])
    assert _simulated_chi(found.record) == pytest.approx(chi, rel=1e-6)
    assert found.climbed == pytest.approx(float(found.replayed.ratio), rel=1e-6)


@pytest.mark.x64
@pytest.mark.slow
def test_damping_attack_needs_two_qubits_and_four_layers(key):
    single = attack_damping(key, 1, 6, 0.9, repeated=False)
    assert not single.refutes and single.climbed < 0.6
    early = attack_damping(key, 3, 4, 0.97, repeated=False, restarts=16)
    assert early.refutes
    near = refrigerator_start(0.5, 2, 0.05)
    warm = attack_damping(key, 2, 12, 0.5, start=near, restarts=8)
    assert warm.refutes


def test_refrigerators_refuse_bad_arguments():
    with pytest.raises(ValueError, match="`num_wires` must be 1, 2 or 3"):
        refrigerator_permutation(0.5, 4)
    with pytest.raises(ValueError, match="`gamma` must lie in"):
        refrigerator(1.0, 5, 2)
