"""L6b: T1/T2 relaxation at any temperature holds log2(1 + max(eta, c)) bits a qubit."""

from fractions import Fraction

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.certified import damping_dual_certificate
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq

eta, coh, exc = sp.symbols("eta c e", nonnegative=True)
gamma = 1 - eta
half = sp.Rational(1, 2)
# Matrices in the basis |in, out> = 00, 01, 10, 11.


def relaxed(rho: sp.Matrix) -> sp.Matrix:
    """One layer: populations move towards e by the factor eta, coherence shrinks."""
    excited = exc * (rho[0, 0] + rho[1, 1]) + eta * (
        rho[1, 1] - exc * (rho[0, 0] + rho[1, 1])
    )
    rest = rho[0, 0] + rho[1, 1] - excited
    return sp.Matrix([[rest, coh * rho[0, 1]], [coh * rho[1, 0], excited]])


def choi() -> sp.Matrix:
    """J = sum_ij |i><j| (x) N(|i><j|)."""
    total = sp.zeros(4, 4)
    for i in range(2):
        for j in range(2):
            unit = sp.zeros(2, 2)
            unit[i, j] = 1
            total += sp.kronecker_product(unit, relaxed(unit))
    return sp.Matrix(total)


def transpose_output(matrix: sp.Matrix) -> sp.Matrix:
    """Partial transpose on the output factor."""
    return sp.Matrix(
        4, 4, lambda r, s: matrix[2 * (r // 2) + s % 2, 2 * (s // 2) + r % 2]
    )


def feasible_point(excess: sp.Expr) -> tuple[sp.Matrix, sp.Matrix]:
    """Sigma and R with the given r = max(0, (c - eta)/2)."""
    low, high = 1 - gamma * exc, 1 - gamma * (1 - exc)
    sigma = sp.diag(low + excess, high + excess)
    r_matrix = sp.diag(low, high + excess, low + excess, high)
    r_matrix[1, 2] = r_matrix[2, 1] = excess
    return sigma, r_matrix


def layers_compose() -> bool:
    """Two layers multiply eta and c and keep e; by induction T layers: eta^T, c^T."""
    x, y, z, w = sp.symbols("x y z w")
    rho = sp.Matrix([[x, z], [w, y]])
    twice = relaxed(relaxed(rho))
    squared = {eta: eta**2, coh: coh**2}
    once = relaxed(rho).subs(squared, simultaneous=True)
    return sp.expand(twice - once) == sp.zeros(4, 4)[:2, :2]


def feasible_below() -> bool:
    """R >= J^G: entries 0 at 00 and 11, block [[eta+r, r-c], [r-c, eta+r]].

    eta + r - |c - r| is 0 for c >= eta (r = (c-eta)/2) and eta - c >= 0 below.
    """
    r = sp.Symbol("r", nonnegative=True)
    _, r_matrix = feasible_point(r)
    gap = (r_matrix - transpose_output(choi())).applyfunc(sp.expand)
    block = sp.Matrix([[eta + r, r - coh], [r - coh, eta + r]])
    same = (gap[1:3, 1:3] - block).applyfunc(sp.expand) == sp.zeros(2, 2)
    rest = gap[0, 0] == 0 and gap[3, 3] == 0 and gap[0, 3] == 0
    above = sp.expand((eta + r - (coh - r)).subs(r, (coh - eta) / 2)) == 0
    nonnegative = sp.expand((coh - r).subs(r, (coh - eta) / 2) - (coh + eta) / 2) == 0
    return bool(same and rest and above and nonnegative)


def feasible_above() -> bool:
    """R >= -J^G: block [[a+r, c+r], [c+r, 2-a+r]] with a = eta + 2 gamma e.

    Its determinant is concave in a and symmetric about 1, so least at the ends eta and
    2 - eta. For eta <= c it is there (eta - c^2) + c(1-c) + eta(c - eta), each term
    >= 0 since c^2 <= eta <= 1; for c < eta, r = 0, it is eta(2-eta) - c^2 =
    eta(1-eta) + (eta - c^2).
    """
    r = sp.Symbol("r", nonnegative=True)
    _, r_matrix = feasible_point(r)
    total = (r_matrix + transpose_output(choi())).applyfunc(sp.expand)
    a = eta + 2 * gamma * exc
    block = sp.Matrix([[a + r, coh + r], [coh + r, 2 - a + r]])
    same = (total[1:3, 1:3] - block).applyfunc(sp.expand) == sp.zeros(2, 2)
    corners = sp.expand(total[0, 0] - 2 * (1 - gamma * exc)) == 0
    s = sp.Symbol("s", real=True)  # a = 1 + s
    minor = (1 + s + r) * (1 - s + r) - (coh + r) ** 2
    symmetric = sp.expand(minor - minor.subs(s, -s)) == 0
    concave = sp.diff(minor, s, 2) == -2
    wide = minor.subs({s: eta - 1, r: (coh - eta) / 2})
    terms = (eta - coh**2) + coh * (1 - coh) + eta * (coh - eta)
    narrow = minor.subs({s: eta - 1, r: 0})
    short = eta * (1 - eta) + (eta - coh**2)
    ends = sp.expand(wide - terms) == 0 and sp.expand(narrow - short) == 0
    return bool(same and corners and symmetric and concave and ends)


def feasible_sigma() -> bool:
    """I (x) Sigma - R^G = r [[1,-1],[-1,1]] on 00, 11; and I (x) Sigma + R^G >= 0.

    In the sum, 01 and 10 are diagonal and non-negative, and on 00, 11 the diagonal is
    2(1 - gamma e) + r, 2(1 - gamma(1-e)) + r beside r: diagonally dominant.
    """
    r = sp.Symbol("r", nonnegative=True)
    sigma, r_matrix = feasible_point(r)
    local = sp.Matrix(sp.kronecker_product(sp.eye(2), sigma))
    turned = transpose_output(r_matrix)
    gap = (local - turned).applyfunc(sp.expand)
    wanted = sp.zeros(4, 4)
    wanted[0, 0] = wanted[3, 3] = r
    wanted[0, 3] = wanted[3, 0] = -r
    total = (local + turned).applyfunc(sp.expand)
    excess = [total[0, 0] - total[0, 3] - 2 * (1 - gamma * exc)]
    excess.append(total[3, 3] - total[0, 3] - 2 * (1 - gamma * (1 - exc)))
    trace = sp.expand(sigma.trace() - (1 + eta + 2 * r)) == 0
    # 1 + eta + 2r = 1 + max(eta, c).
    reached = sp.expand((1 + eta + 2 * r).subs(r, (coh - eta) / 2) - (1 + coh)) == 0
    dominant = all(sp.expand(term) == 0 for term in excess)
    return bool(gap == wanted and dominant and trace and reached)


def products_are_feasible() -> bool:
    """R1 R2 -+ J1 J2 = 1/2 [(R1 -+ J1)(R2 + J2) + (R1 +- J1)(R2 - J2)] as tensors."""
    r1, r2, j1, j2 = sp.symbols("R1 R2 J1 J2", commutative=False)
    minus = half * ((r1 - j1) * (r2 + j2) + (r1 + j1) * (r2 - j2))
    plus = half * ((r1 + j1) * (r2 + j2) + (r1 - j1) * (r2 - j2))
    below = sp.expand(r1 * r2 - j1 * j2 - minus) == 0
    return below and sp.expand(r1 * r2 + j1 * j2 - plus) == 0


def code_success() -> bool:
    """p <= (1/M) sum Tr J^G (.) <= (1/M) sum Tr R (.) = (1/M) sum Tr R^G (.) <= beta/M.

    With sum_k M_k = I and Tr rho_k = 1 the last sum is Tr Sigma; for m qubits
    (Tr Sigma)^m.
    """
    success, turned, bound, weight = sp.symbols("p J R beta", real=True)
    size = sp.Symbol("M", positive=True)
    premises = [turned / size - success, (bound - turned) / size,
                (weight - bound) / size]  # fmt: skip
    return is_combination(premises, [1, 1, 1], weight / size - success)


def rates_are_bounded() -> bool:
    """beta^(m k)/2^(R k) = 2^(-k (R - m log2 beta)): above m log2 beta codes fail."""
    k, m, beta = sp.symbols("k m beta", positive=True)
    rate = sp.Symbol("R", real=True)
    exponent = m * k * sp.log(beta, 2) - rate * k
    return is_zero(exponent + k * (rate - m * sp.log(beta, 2)))


def equatorial_pair() -> bool:
    """(|0> +- |1>)/sqrt2 after one layer: half the trace distance is c."""
    plus = sp.Matrix([[1, 1], [1, 1]]) / 2
    minus = sp.Matrix([[1, -1], [-1, 1]]) / 2
    gap = relaxed(plus) - relaxed(minus)
    return sp.simplify(gap - sp.Matrix([[0, coh], [coh, 0]])) == sp.zeros(2, 2)


def feasible_at_rational_points() -> bool:
    """LDL^T without rounding at a grid of x = sqrt(eta), c/x and e."""
    grid = [Fraction(k, 3) for k in range(4)]
    return all(
        damping_dual_certificate(x**2, share * x, excited).feasible
        for x in grid for share in grid for excited in grid
    )  # fmt: skip


STEPS = (
    Step("L6b.1", "symbolic", "T layers have eta^T, c^T and the same e",
         layers_compose),
    Step("L6b.2", "symbolic", "R - J^G >= 0", feasible_below),
    Step("L6b.3", "symbolic", "R + J^G >= 0, and I (x) Sigma +- R^G >= 0",
         lambda: feasible_above() and feasible_sigma()),
    Step("L6b.4", "symbolic", "M messages in m qubits: p <= (1 + max(eta, c))^m / M",
         lambda: products_are_feasible() and code_success(), ("L6b.2", "L6b.3")),
    Step("L6b.5", "symbolic", "chi(Phi) <= m log2(1 + max(eta^T, c^T))",
         rates_are_bounded, ("X6", "L6b.1", "L6b.4")),
    Step("L6b.6", "symbolic", "one use, two messages: (1 + c)/2 is reached",
         equatorial_pair, ("L6b.4",)),
    Step("L6b.7", "machine-checked", "the four inequalities of the feasible point",
         compiled_by_coq("relaxation_determinant", "choi_below_bound",
                         "bound_above_minus_choi", "transposed_below_sigma",
                         "minus_sigma_below_transposed", "sigma_trace")),
    Step("L6b.8", "certified", "the feasible point in exact arithmetic",
         feasible_at_rational_points, domain="64 rational points"),
)  # fmt: skip
"""Steps of proofs/lemmas/relaxation_capacity.md."""
