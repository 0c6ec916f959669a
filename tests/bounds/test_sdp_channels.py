"""Channel programs against closed forms, with their certificates checked by NumPy."""

import subprocess
import sys

import numpy as np
import pytest

from qjax.bounds.sdp import channel_beta, choi_matrix, doeblin

cvxpy = pytest.importorskip("cvxpy")

GAMMAS = (0.1, 0.5, 0.9)
EXCITED = (0.0, 0.1, 0.3, 0.5)


def _damping(gamma: float, excited: float = 0.0) -> np.ndarray:
    kept, lost = np.sqrt(1 - gamma), np.sqrt(gamma)
    low, high = np.sqrt(1 - excited), np.sqrt(excited)
    kraus = [
        low * np.diag([1, kept]), low * np.asarray([[0, lost], [0, 0]]),
        high * np.diag([kept, 1]), high * np.asarray([[0, 0], [lost, 0]]),
    ]  # fmt: skip
    return np.asarray(kraus, complex)


def _depolarizing(survival: float) -> np.ndarray:
    paulis = [np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], np.diag([1, -1])]
    weights = np.sqrt([(1 + 3 * survival) / 4] + [(1 - survival) / 4] * 3)
    return weights[:, None, None] * np.asarray(paulis, complex)


def _turned(matrix: np.ndarray) -> np.ndarray:
    return matrix.reshape(2, 2, 2, 2).transpose(0, 3, 2, 1).reshape(4, 4)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_beta_of_damping_is_one_plus_the_coherence_at_every_temperature(gamma):
    known = {0.1: 1.948683, 0.5: 1.707107, 0.9: 1.316228}[gamma]
    for excited in EXCITED:
        found = channel_beta(_damping(gamma, excited)).value
        assert found == pytest.approx(known, abs=2e-6), excited
        assert found == pytest.approx(1 + np.sqrt(1 - gamma), abs=1e-6)


@pytest.mark.parametrize("survival", [0.0, 0.2, 0.7, 1.0])
def test_beta_of_depolarizing_is_one_plus_lambda(survival):
    found = channel_beta(_depolarizing(survival))
    assert found.value == pytest.approx(1 + survival, abs=1e-6)


def test_beta_comes_with_a_feasible_certificate():
    kraus = _damping(0.5, 0.2)
    found, choi = channel_beta(kraus), _turned(choi_matrix(kraus))
    local, flipped = np.kron(np.eye(2), found.sigma), _turned(found.remainder)
    for matrix in (
        found.remainder - choi, found.remainder + choi, local - flipped, local + flipped
    ):  # fmt: skip
        assert np.linalg.eigvalsh(matrix)[0] > -1e-7
    assert np.trace(found.sigma).real == pytest.approx(found.value, abs=1e-7)
    # A certificate with a tenth less trace is none.
    less = np.kron(np.eye(2), 0.9 * found.sigma) - flipped
    assert np.linalg.eigvalsh(less)[0] < -1e-3


@pytest.mark.parametrize("gamma", GAMMAS)
def test_two_words_reach_beta_and_refute_a_smaller_one(gamma):
    kraus = _damping(gamma)
    plus = np.asarray([[0.5, 0.5], [0.5, 0.5]])
    minus = np.asarray([[0.5, -0.5], [-0.5, 0.5]])
    out = [
        np.einsum("kab,bc,kdc->ad", kraus, rho, kraus.conj()) for rho in (plus, minus)
    ]
    gap = np.abs(np.linalg.eigvalsh(out[0] - out[1])).sum()
    success = 0.5 + gap / 4
    beta = channel_beta(kraus).value
    assert success == pytest.approx(beta / 2, abs=1e-6)
    assert success > (1 + (1 - gamma)) / 2 + 1e-3  # mutant: beta = 1 + eta


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("excited", EXCITED)
def test_doeblin_coefficient_of_damping_has_its_closed_form(gamma, excited):
    root, e = np.sqrt(1 - gamma), min(excited, 1 - excited)
    if e >= root / (1 + root):
        expected = (1 - root) ** 2
    else:
        expected = gamma**2 * e * (1 - e) / (1 - gamma + gamma * e)
    found = doeblin(_damping(gamma, excited))
    assert found.value == pytest.approx(expected, abs=1e-6)
    rest = choi_matrix(_damping(gamma, excited)) - np.kron(np.eye(2), found.sigma)
    assert np.linalg.eigvalsh(rest)[0] > -1e-7
    assert np.linalg.eigvalsh(found.sigma)[0] > -1e-7


def test_doeblin_coefficient_of_depolarizing_is_what_is_replaced():
    for survival in (0.3, 0.8):
        found = doeblin(_depolarizing(survival)).value
        assert found == pytest.approx(1 - survival, abs=1e-6)


def test_kraus_operators_must_keep_the_trace():
    with pytest.raises(ValueError, match="`kraus` must preserve the trace"):
        choi_matrix(0.9 * np.eye(2, dtype=complex)[None])


def test_without_cvxpy_one_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(ImportError, match="install the extra `sdp`"):
        channel_beta(_damping(0.5))


def test_only_solving_a_program_imports_cvxpy():
    code = (
        "import sys, qjax.bounds, qjax.bounds.sdp; print('cvxpy' in sys.modules);"
        "qjax.bounds.sdp.solver.modeller(); print('cvxpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"], done.stderr
