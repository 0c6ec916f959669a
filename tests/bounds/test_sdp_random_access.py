"""See-saw values against the known optima, and the caps that they must respect."""

import math

import numpy as np
import pytest

from qjax.bounds.information import binary_entropy, depolarizing_capacity
from qjax.bounds.sdp import (
    mancinska_storgaard_success,
    nayak_success,
    qrac_dual,
    qrac_seesaw,
    qrac_table,
)

KNOWN = {
    (2, 1): 0.853553, (3, 1): 0.788675, (4, 1): 0.741481, (3, 2): 0.908248,
    (4, 2): 0.853553, (5, 2): 0.814625, (6, 2): 0.788675, (4, 3): 0.933013,
}  # fmt: skip


@pytest.mark.parametrize("sizes", KNOWN)
def test_seesaw_reaches_the_known_success_and_meets_its_dual(sizes, key):
    n, m = sizes
    code = qrac_seesaw(key, n, m, restarts=16, iterations=200)
    assert code.success == pytest.approx(KNOWN[sizes], abs=1e-4)
    assert np.max(code.all_successes) == code.success
    dual = qrac_dual(code.observables)
    assert dual.success == pytest.approx(code.success, abs=1e-12)
    assert code.success <= nayak_success(n, m)
    assert code.success <= mancinska_storgaard_success(n, m) + 1e-12


def test_the_reported_code_has_the_reported_success(key):
    code = qrac_seesaw(key, 3, 1, restarts=4)
    total = 0.0
    for x in range(8):
        for position in range(3):
            bit = (x >> (2 - position)) & 1
            projector = (np.eye(2) + (-1) ** bit * code.observables[position]) / 2
            total += float(np.vdot(code.kets[x], projector @ code.kets[x]).real)
    assert total / 24 == pytest.approx(code.success, abs=1e-12)
    squares = code.observables @ code.observables
    assert np.allclose(squares, np.eye(2), atol=1e-12)


def test_dual_levels_bound_every_encoding_and_are_not_slack(key):
    code = qrac_seesaw(key, 2, 1, restarts=4)
    dual = qrac_dual(code.observables)
    signs = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    for level, sign in zip(dual.levels, signs, strict=True):
        gain = np.eye(2) / 2 + np.einsum("i,iab->ab", sign, code.observables) / 4
        slack = np.linalg.eigvalsh(level * np.eye(2) - gain)
        assert slack[0] > -1e-12
        assert np.linalg.eigvalsh((level - 0.01) * np.eye(2) - gain)[0] < -0.005
    equal = np.stack([np.diag([1.0, -1.0])] * 2)  # both positions measured alike
    assert qrac_dual(equal).success == pytest.approx(0.75)
    with pytest.raises(ValueError, match="lie in"):
        qrac_dual(2 * equal)
    with pytest.raises(ValueError, match="be Hermitian"):
        qrac_dual(np.asarray([[[0.0, 1.0], [0.0, 0.0]]]))


@pytest.mark.parametrize("survival", [0.3, 0.8])
def test_noisy_codes_obey_the_noisy_nayak_bound_and_a_mutant_is_refuted(survival, key):
    for n in (2, 3):
        success = qrac_seesaw(key, n, 1, restarts=4).success
        noisy = survival * success + (1 - survival) / 2
        needed = n * (1 - float(binary_entropy(noisy)))
        assert needed <= float(depolarizing_capacity(survival))
        assert needed > float(depolarizing_capacity(survival**2))  # exponent typo


def test_caps_at_known_points():
    assert nayak_success(2, 2) == nayak_success(2, 3) == 1.0
    p = nayak_success(5, 2)
    assert 5 * (1 - float(binary_entropy(p))) == pytest.approx(2, abs=1e-12)
    assert mancinska_storgaard_success(4, 3) == 1.0
    cap = mancinska_storgaard_success(6, 2)
    assert cap == pytest.approx(0.5 + 0.5 / math.sqrt(3))


def test_table_has_a_row_per_code_below_its_caps(key):
    rows = qrac_table(key, max_bits=4, max_wires=2, restarts=6, iterations=100)
    sizes = [(row["n"], row["m"]) for row in rows]
    assert sizes == [(2, 1), (3, 1), (4, 1), (3, 2), (4, 2)]
    for row in rows:
        assert 0.6 < row["share"] <= 1
        assert row["seesaw"] <= min(row["nayak"], row["mancinska_storgaard"]) + 1e-12


def test_the_same_key_gives_the_same_code(getkey):
    key = getkey()
    first, again = (qrac_seesaw(key, 3, 2, restarts=2, iterations=5) for _ in range(2))
    assert np.array_equal(first.all_successes, again.all_successes)
    other = qrac_seesaw(getkey(), 3, 2, restarts=2, iterations=5)
    assert not np.array_equal(first.all_successes, other.all_successes)
    with pytest.raises(ValueError, match="`num_bits` must be at least 1"):
        qrac_seesaw(key, 0, 1)
