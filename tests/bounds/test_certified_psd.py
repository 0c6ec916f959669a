"""Exact positive semidefiniteness and the dual certificates that rest on it."""

import itertools
from fractions import Fraction

import cvxpy as cp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from qjax.bounds.certified import (
    DualPoint,
    RationalMatrix,
    certify_qrac_dual,
    check_dual,
    check_minorization,
    check_qrac_dual,
    damping_dual,
    damping_dual_certificate,
    damping_dual_identities,
    doeblin_certificate,
    doeblin_identities,
    doeblin_weights,
    exact_inertia,
    is_positive_semidefinite,
    rounded_hermitian,
    smallest_shift,
)
from qjax.bounds.certified.damping_duals import relaxation_choi
from qjax.bounds.certified.psd_identities import block_minors, is_sum_of_products

TINY = Fraction(1, 10**12)
PAULI_X = np.array([[0, 1], [1, 0]], complex)
PAULI_Y = np.array([[0, -1j], [1j, 0]])
PAULI_Z = np.diag([1, -1]).astype(complex)

small = st.integers(-4, 4)


@st.composite
def gaussian_factors(draw, rows=4, columns=4):
    entry = st.tuples(small, small)
    parts = draw(st.lists(entry, min_size=rows * columns, max_size=rows * columns))
    numbers = np.array([a + 1j * b for a, b in parts], complex)
    return numbers.reshape(rows, columns)


@given(factor=gaussian_factors(), rank=st.integers(1, 4))
def test_gram_matrices_of_any_rank_are_semidefinite(factor, rank):
    gram = factor[:, :rank] @ factor[:, :rank].conj().T  # small integers: exact
    matrix = RationalMatrix(gram)
    inertia = exact_inertia(matrix)
    assert inertia.semidefinite
    full = np.linalg.matrix_rank(gram) == 4
    assert inertia.definite == full


@given(factor=gaussian_factors(), rank=st.integers(1, 3))
def test_a_singular_matrix_lowered_by_1e_12_is_rejected_with_a_witness(factor, rank):
    gram = RationalMatrix(factor[:, :rank] @ factor[:, :rank].conj().T)
    lowered = gram.shifted(-TINY)
    inertia = exact_inertia(lowered)
    assert not inertia.semidefinite
    assert _value(lowered, inertia.negative_direction) < 0


def _value(matrix, vector):
    rows = matrix.real_form()
    total = 0
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            value = Fraction(int(entry.p), int(entry.q))
            total += vector[i] * value * vector[j]
    return total


@given(factor=gaussian_factors())
def test_the_exact_verdict_agrees_with_floating_eigenvalues(factor):
    hermitian = factor + factor.conj().T
    smallest = np.linalg.eigvalsh(hermitian)[0]
    inertia = exact_inertia(RationalMatrix(hermitian))
    if abs(smallest) > 1e-9:
        assert inertia.semidefinite == bool(smallest > 0)
    if not inertia.semidefinite:
        assert _value(RationalMatrix(hermitian), inertia.negative_direction) < 0


NOT_SEMIDEFINITE = {
    "negative diagonal": [[1, 0], [0, -TINY]],
    "zero pivot beside an element": [[0, 1], [1, 5]],
    "zero pivot, large corner": [[0, TINY], [TINY, 10**9]],
    "negative Schur complement": [[1, 1], [1, 1 - TINY]],
    "complex": [[1, 1j], [-1j, 1 - TINY.limit_denominator(10**12)]],
    "positive leading minors only": [[0, 0, 0], [0, 1, 2], [0, 2, 3]],
}


@pytest.mark.parametrize("name", NOT_SEMIDEFINITE)
def test_a_negative_eigenvalue_is_never_accepted(name):
    matrix = RationalMatrix(NOT_SEMIDEFINITE[name])
    inertia = exact_inertia(matrix)
    assert not inertia.semidefinite
    assert _value(matrix, inertia.negative_direction) < 0


def test_leading_minors_would_not_do():
    # All leading minors are >= 0 and the matrix is still indefinite.
    matrix = sp.Matrix([[0, 0], [0, -1]])
    assert all(matrix[:k, :k].det() >= 0 for k in (1, 2))
    assert not is_positive_semidefinite(RationalMatrix(matrix))


def test_exact_entries_of_many_types_are_read():
    matrix = RationalMatrix(
        [[sp.Rational(1, 3), sp.I / 2], [-sp.I / 2, Fraction(3, 4)]]
    )
    assert is_positive_semidefinite(matrix)
    assert matrix.trace == Fraction(13, 12) and not matrix.is_real


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], [3, 4]], "Hermitian"),
        ([[1j]], "Hermitian"),
        ([[1, 2]], "square"),
        ([], "square"),
        ([[sp.sqrt(2)]], "rational"),
        ([[float("inf")]], "finite"),
    ],
)
def test_bad_matrices_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        RationalMatrix(rows)


@given(factor=gaussian_factors())
def test_rounding_keeps_the_hermitian_part(factor):
    matrix = factor / 7 + factor.conj().T / 7
    rounded = rounded_hermitian(matrix, 20)
    for i, j in itertools.product(range(4), repeat=2):
        real, imaginary = rounded.entries[i][j]
        assert abs(complex(real, imaginary) - matrix[i, j]) < 2**-19


@given(shift=st.fractions(0, 3, max_denominator=10**6))
def test_the_shift_repairs_a_matrix_and_is_not_much_too_large(shift):
    lowered = RationalMatrix([[1, 1j], [-1j, 1]]).shifted(-shift)  # smallest: -shift
    found = smallest_shift(lowered)
    assert is_positive_semidefinite(lowered.shifted(found))
    assert shift <= found <= shift * Fraction(17, 16) + Fraction(1, 2**60)


# -- lemma L6(b) -----------------------------------------------------------------------

RATIONALS = (
    Fraction(0),
    Fraction(1, 100),
    Fraction(1, 3),
    Fraction(9, 10),
    Fraction(1),
)


@pytest.mark.parametrize("root", RATIONALS)
@pytest.mark.parametrize("excited", RATIONALS)
def test_the_damping_dual_is_feasible_and_has_the_claimed_trace(root, excited):
    for coherence in {root, root**2, root / 2, (root + root**2) / 2}:
        found = damping_dual_certificate(root**2, coherence, excited)
        assert found.feasible
        assert found.beta == 1 + max(root**2, coherence)


@given(
    root=st.fractions(0, 1, max_denominator=50),
    share=st.fractions(0, 1, max_denominator=50),
    excited=st.fractions(0, 1, max_denominator=50),
)
def test_the_damping_dual_is_feasible_at_random_points(root, share, excited):
    found = damping_dual_certificate(root**2, share * root, excited)
    assert found.feasible and found.beta == 1 + max(root**2, share * root)


def _rational_point(eta, coherence, excited, surplus):
    return damping_dual(*map(sp.Rational, (eta, coherence, excited, surplus)))


def test_a_smaller_surplus_or_sigma_is_infeasible():
    eta, coherence, excited = Fraction(1, 4), Fraction(1, 2), Fraction(1, 10)
    surplus = (coherence - eta) / 2
    assert check_dual(_rational_point(eta, coherence, excited, surplus)).feasible
    lower = _rational_point(eta, coherence, excited, surplus - TINY)
    assert not check_dual(lower).feasible
    point = _rational_point(eta, coherence, excited, surplus)
    shrunk = DualPoint(
        point.choi, point.upper, point.sigma - sp.diag(sp.Rational(TINY), 0)
    )
    assert not check_dual(shrunk).feasible


def test_coherence_above_the_square_root_of_survival_is_refused():
    with pytest.raises(ValueError, match="coherence"):
        damping_dual_certificate(Fraction(1, 4), Fraction(1, 2) + TINY, 0)
    # It is no channel: the Choi matrix itself is not positive.
    half = Fraction(1, 2)
    choi = relaxation_choi(Fraction(1, 4), half + TINY, Fraction(0))
    assert not is_positive_semidefinite(RationalMatrix(choi))
    valid = relaxation_choi(Fraction(1, 4), half, Fraction(0))
    assert is_positive_semidefinite(RationalMatrix(valid))


def test_beta_equals_the_semidefinite_optimum_for_amplitude_damping():
    for root, excited in ((0.9**0.5, 0.0), (0.5**0.5, 0.3)):
        choi = np.array(relaxation_choi(root**2, root, excited), float)
        turned = np.diag(np.diag(choi))
        turned[1, 2] = turned[2, 1] = choi[0, 3]
        upper = cp.Variable((4, 4), symmetric=True)
        sigma = cp.Variable((2, 2), symmetric=True)
        other = cp.bmat(
            [[upper[2 * (x // 2) + y % 2, 2 * (y // 2) + x % 2] for y in range(4)]
             for x in range(4)]
        )  # fmt: skip
        cover = cp.kron(np.eye(2), sigma)
        problem = cp.Problem(
            cp.Minimize(cp.trace(sigma)),
            [upper - turned >> 0, upper + turned >> 0,
             cover - other >> 0, cover + other >> 0],
        )  # fmt: skip
        problem.solve(solver=cp.CLARABEL)
        assert problem.value == pytest.approx(1 + root, abs=1e-6)


def test_the_damping_dual_is_feasible_for_all_parameters_by_identities():
    assert damping_dual_identities()


@pytest.mark.parametrize("share", ["1/3", "499/1000", "501/1000", "1"])
def test_another_surplus_breaks_the_identities(share):
    assert not damping_dual_identities(sp.Rational(share))


def test_a_sum_with_a_negative_coefficient_is_no_proof():
    x, w = sp.symbols("x w")
    factors = {x: x, w: 1 - x}
    assert is_sum_of_products(1 - x**2, factors, w * (1 + x))
    assert not is_sum_of_products(x - 1, factors, -w)
    assert not is_sum_of_products(1 - x**2, factors, w * (2 + x))


def test_minors_need_the_block_form():
    full = sp.Matrix([[1, 1, 1], [1, 1, 1], [1, 1, 1]])
    assert block_minors(full, (0, 1)) is None
    assert block_minors(sp.Matrix([[1, 2], [3, 4]]), (0, 1)) is None
    assert block_minors(sp.Matrix([[1, 2], [2, 1]]), (0, 1)) == (1, 1, -3)


# -- lemma L6(c) -----------------------------------------------------------------------


@given(
    root=st.fractions(0, 1, max_denominator=60),
    excited=st.fractions(0, 1, max_denominator=60),
)
def test_the_doeblin_minorization_is_exact(root, excited):
    found = doeblin_certificate(root, excited)
    assert found.holds and sum(found.sigma) == 1
    assert found.mu == pytest.approx(_closed_form(float(root), float(excited)))
    if found.mu > 0:
        weights = doeblin_weights(root, excited)
        scaled = [w * (1 + TINY) for w in weights]
        assert not check_minorization(root, excited, tuple(scaled)).holds


def _closed_form(r, e):
    gamma, rare = 1 - r * r, min(e, 1 - e)
    if rare >= r / (1 + r) - 1e-15:
        return (1 - r) ** 2
    return gamma**2 * rare * (1 - rare) / (1 - gamma + gamma * rare)


@pytest.mark.parametrize(
    ("root", "excited"), [("1/2", "2/5"), ("1/2", "1/10"), ("4/5", "7/10")]
)
def test_the_doeblin_constant_equals_the_semidefinite_optimum(root, excited):
    exact = [sp.Rational(root) ** 2, sp.Rational(root), sp.Rational(excited)]
    choi = np.array(relaxation_choi(*exact), float)
    sigma = cp.Variable((2, 2), symmetric=True)
    problem = cp.Problem(
        cp.Maximize(cp.trace(sigma)),
        [choi - cp.kron(np.eye(2), sigma) >> 0, sigma >> 0],
    )
    problem.solve(solver=cp.CLARABEL)
    found = doeblin_certificate(Fraction(root), Fraction(excited))
    assert problem.value == pytest.approx(float(found.mu), abs=1e-6)


def test_the_doeblin_edges():
    assert doeblin_certificate(0, 0).mu == 1  # replacement by |0>
    assert doeblin_certificate(1, Fraction(1, 2)).mu == 0  # no noise
    assert doeblin_certificate(Fraction(1, 2), 0).mu == 0  # pure amplitude damping
    assert not check_minorization(Fraction(1, 2), 0, (TINY, 0)).holds
    assert not check_minorization(Fraction(1, 2), Fraction(1, 2), (-TINY, 0)).holds
    with pytest.raises(ValueError, match="excited"):
        doeblin_certificate(0, 2)


def test_the_doeblin_minorization_holds_for_all_parameters_by_identities():
    assert doeblin_identities()


# -- access codes ----------------------------------------------------------------------

ACCESS_CODES = {
    "2 to 1": ([PAULI_X, PAULI_Z], (1 + 2**-0.5) / 2),
    "3 to 1": ([PAULI_X, PAULI_Y, PAULI_Z], (1 + 3**-0.5) / 2),
    "one bit": ([PAULI_Y], 1.0),
    "identical": ([PAULI_Z, PAULI_Z], 0.75),
    "blind": ([0 * PAULI_X, PAULI_X], 0.75),
}


@pytest.mark.parametrize("name", ACCESS_CODES)
def test_the_dual_of_an_access_code_is_its_optimum(name):
    observables, expected = ACCESS_CODES[name]
    dual = certify_qrac_dual(observables)
    assert dual.holds and dual.rounding == 0
    assert float(dual.bound) == pytest.approx(expected, abs=1e-10)
    assert float(dual.bound) >= expected - 1e-15


@given(angle=st.floats(0, 3.2), other=st.floats(0, 3.2))
def test_the_bound_dominates_the_best_states_of_random_measurements(angle, other):
    observables = [
        np.cos(angle) * PAULI_X + np.sin(angle) * PAULI_Z,
        np.cos(other) * PAULI_Y + np.sin(other) * PAULI_Z,
    ]
    dual = certify_qrac_dual(observables)
    signs = itertools.product((1, -1), repeat=2)
    best = np.mean(
        [
            np.linalg.eigvalsh(
                np.eye(2) / 2 + (s * observables[0] + t * observables[1]) / 4
            )[-1]
            for s, t in signs
        ]
    )
    assert dual.holds and dual.rounding < 1e-9
    assert best - 1e-13 <= float(dual.bound_as_given) <= best + 1e-9


def test_a_value_lowered_by_1e_9_is_rejected():
    dual = certify_qrac_dual([RationalMatrix(PAULI_X), RationalMatrix(PAULI_Z)])
    values = dict(dual.values)
    values[0, 1] -= Fraction(1, 10**9)
    assert not check_qrac_dual(dual.observables, values).holds


def test_observables_that_are_no_effects_are_rejected():
    too_large = RationalMatrix([[1 + TINY, 0], [0, -1]])
    dual = certify_qrac_dual([too_large])
    assert not dual.holds


def test_words_and_sizes_are_checked():
    x = RationalMatrix(PAULI_X)
    with pytest.raises(ValueError, match="words"):
        check_qrac_dual([x, x], {(0, 0): 1})
    with pytest.raises(ValueError, match="size"):
        certify_qrac_dual([x, RationalMatrix([[1]])])
    with pytest.raises(ValueError, match="empty"):
        certify_qrac_dual([])
