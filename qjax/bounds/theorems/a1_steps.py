"""The proof of Theorem A1, step by step, as checks that computer algebra can decide.

Numbers are headings of proofs/a1.md. An inequality is never "proved" by simplifying
something to zero: each check is an identity between rational functions or linear forms
whose terms carry a known sign, a derivative, a limit or a sum.
"""

from collections.abc import Sequence

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d, h

p, q, u, s, t = sp.symbols("p q u s t", positive=True)
r = sp.Symbol("r", positive=True)  # 1 - q where both are needed as positive symbols
x, y = sp.symbols("x y", real=True)
b = sp.Symbol("b", positive=True)
a = sp.Symbol("a", nonnegative=True)
lam, mu = sp.symbols("lambda mu", nonnegative=True)
k = sp.Symbol("k", integer=True, positive=True)


def is_zero(rational: sp.Expr) -> bool:
    """Whether a rational function is identically zero (its canonical form is 0)."""
    return sp.cancel(sp.together(rational)) == 0


def is_combination(
    premises: Sequence[sp.Expr],
    weights: Sequence[sp.Expr | int],
    conclusion: sp.Expr,
) -> bool:
    """Whether conclusion = sum_i w_i premise_i with every w_i >= 0, identically.

    If each premise is non-negative then so is the conclusion.
    """
    signs = all(sp.sympify(weight).is_nonnegative for weight in weights)
    total = sum(w * e for w, e in zip(weights, premises, strict=True))
    return bool(signs) and sp.expand(conclusion - total) == 0


def superadditivity() -> bool:
    """I(AB;Q) - I(A;Q) - I(B;Q) = [S_AQ + S_BQ - S_ABQ - S_Q] - [S_A + S_B - S_AB].

    The first bracket is strong subadditivity, the second vanishes by independence.
    """
    names = "S_A S_B S_Q S_AB S_AQ S_BQ S_ABQ"
    s_a, s_b, s_q, s_ab, s_aq, s_bq, s_abq = sp.symbols(names, real=True)
    both = s_ab + s_q - s_abq
    first, second = s_a + s_q - s_aq, s_b + s_q - s_bq
    subadditive = s_aq + s_bq - s_abq - s_q
    independent = s_a + s_b - s_ab  # equal to 0
    return sp.expand(both - first - second - (subadditive - independent)) == 0


def telescoping() -> bool:
    """sum_{k<=n} [I(X^k;Q) - I(X^{k-1};Q)] = I(X^n;Q) - I(X^0;Q), by induction on n."""
    n = sp.Symbol("n", integer=True, positive=True)
    total = sp.Function("I")
    partial = total(n) - total(0)  # claimed sum of the first n differences
    base = partial.subs(n, 1) - (total(1) - total(0))
    step = partial.subs(n, n + 1) - partial - (total(n + 1) - total(n))
    return sp.expand(base) == 0 and sp.expand(step) == 0


def measured_divergence() -> bool:
    """D(diag(p,1-p) || diag(q,1-q)), as a trace, is d(p||q)."""
    first, second = sp.diag(p, 1 - p), sp.diag(q, 1 - q)
    logs = sp.diag(*[sp.log(first[i, i] / second[i, i]) for i in range(2)])
    trace = (first * logs).trace() / sp.log(2)
    return sp.expand(trace - d(p, q).rewrite(sp.log)) == 0


def _nats(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """d in nats with its logarithms written apart, for positive arguments."""
    return first * (sp.log(first) - sp.log(second)) + (1 - first) * (
        sp.log(1 - first) - sp.log(1 - second)
    )


def scalar_derivative() -> bool:
    """d/du d(q+u||q) = ln(1+u/q) - ln(1-u/(1-q)) in nats: equal slopes and values."""
    slope = sp.diff(_nats(q + u, q), u)
    claim = sp.log(1 + u / q) - sp.log(1 - u / (1 - q))
    same_slope = is_zero(sp.diff(slope - claim, u))
    return same_slope and slope.subs(u, 0) == 0 and claim.subs(u, 0) == 0


def scalar_integrand() -> bool:
    """u/q - u/s >= 0 for q <= s = q+t, and u/(1-q) - u >= 0: signs of quotients."""
    first = sp.factor(sp.together(u / q - u / (q + t)))
    second = u * q / r  # u/(1-q) - u with r = 1 - q > 0
    matches = is_zero(second.subs(r, 1 - q) - (u / (1 - q) - u))
    return bool(first.is_positive and second.is_positive) and matches


def scalar_integrals() -> bool:
    """Both integrals over [0, 1-s], by their antiderivatives, add to (1-s) ln(1/s)."""
    first = (s + u) * sp.log((s + u) / s) - u
    second = (1 - u) * sp.log(1 - u) + u
    derivatives = (
        sp.diff(first, u) - sp.log((s + u) / s),
        sp.diff(second, u) + sp.log(1 - u),
    )
    # Identities, not inequalities: simplifying them to 0 is a proof.
    if any(sp.simplify(gap) != 0 for gap in derivatives):
        return False
    if first.subs(u, 0) != 0 or second.subs(u, 0) != 0:
        return False
    # At u = 1 - s: (s+u)/s = 1/s and 1-u = s.
    total = (first + second).subs(u, 1 - s)
    residual = sp.expand(sp.expand_log(total + (1 - s) * sp.log(s), force=False))
    return residual == 0


def scalar_limits() -> bool:
    """Both sides meet: ratio 1 at beta = 0, s -> 0; both 0 at s -> 1."""
    ratio = sp.log(1 / s) / ((1 - s) * sp.log(1 / s))
    at_zero = sp.limit(ratio, s, 0, "+") == 1
    at_one = sp.limit((1 - s) * sp.log(1 / s), s, 1, "-") == 0
    return at_zero and at_one and sp.limit(s * sp.log(s), s, 0, "+") == 0


def layers_compose() -> bool:
    """D_lambda after D_mu multiplies the Bloch vector by lambda mu; T layers: ^T."""
    bloch = sp.Matrix(sp.symbols("v1:4", real=True))
    twice = lam * (mu * bloch)
    count = sp.Symbol("T", integer=True, nonnegative=True)
    induction = sp.powsimp(lam**count * lam) == lam ** (count + 1)
    return sp.expand(twice - (lam * mu) * bloch) == sp.zeros(3, 1) and induction


def output_spectrum() -> bool:
    """lambda rho + (1-lambda) I/2 has eigenvalues (1 +- lambda |v|)/2."""
    v1, v2, v3 = sp.symbols("v1:4", real=True)
    paulis = (
        sp.Matrix([[0, 1], [1, 0]]),
        sp.Matrix([[0, -sp.I], [sp.I, 0]]),
        sp.Matrix([[1, 0], [0, -1]]),
    )
    vector = v1 * paulis[0] + v2 * paulis[1] + v3 * paulis[2]
    state = (sp.eye(2) + vector) / 2
    output = lam * state + (1 - lam) * sp.eye(2) / 2
    length_squared = v1**2 + v2**2 + v3**2
    z = sp.Symbol("z")
    polynomial = (output - z * sp.eye(2)).det()
    claim = (z - sp.Rational(1, 2)) ** 2 - lam**2 * length_squared / 4
    return sp.expand(polynomial - claim) == 0


def capacity_series() -> bool:
    """ln2 (1 - h((1+x)/2)) and sum x^{2k}/(2k(2k-1)) share value, slope, curvature.

    Both vanish with their slope at 0 and have second derivative 1/(1-x^2), the
    geometric series; the coefficients are positive and sum to the limit at 1, ln 2, so
    that the series is at most x^2 ln 2 on [0, 1].
    """
    gap = sp.log(2) * (sp.S.One - h((1 + x) / 2)).rewrite(sp.log)
    curvature = is_zero(sp.diff(gap, x, 2) - 1 / (1 - x**2))
    value = sp.expand_log(gap.subs(x, 0), force=True)
    slope = sp.diff(gap, x).subs(x, 0)
    start = sp.expand(value) == 0 and sp.simplify(slope) == 0
    term = x ** (2 * k) / (2 * k * (2 * k - 1))
    power = is_zero(sp.simplify(sp.diff(term, x, 2) / x ** (2 * k - 2)) - 1)
    # Positive coefficients: by Abel's theorem they sum to the limit at x = 1.
    total = sp.limit(gap, x, 1, "-")
    return curvature and start and power and total == sp.log(2)


def one_qubit_capacity() -> bool:
    """1 - h((1+x)/2) grows with x in [0,1]: slope log2((1+x)/(1-x))/2 >= 0.

    So the output entropy h((1+lambda |v|)/2) is least for pure inputs, and no output
    entropy exceeds 1: chi <= 1 - h((1+lambda)/2).
    """
    z, w = sp.symbols("z w", nonnegative=True)
    slope = sp.diff(1 - h((1 + z) / 2), z)
    claim = sp.log((1 + z) / (1 - z)) / (2 * sp.log(2))
    same = is_zero(sp.diff(slope - claim, z)) and slope.subs(z, 0) == 0
    # (1+z)/(1-z) - 1 = 2z/(1-z) with w = 1 - z.
    ratio_gap = 2 * z / w
    return (
        same
        and bool((z * w).is_nonnegative)
        and is_zero(ratio_gap.subs(w, 1 - z) - ((1 + z) / (1 - z) - 1))
    )


def storage_bound() -> bool:
    """chi(Phi) <= m chi_1 and chi_1 <= kappa give chi(Phi) <= m kappa."""
    chi, single, kappa = sp.symbols("chi chi_1 kappa", real=True)
    m = sp.Symbol("m", integer=True, nonnegative=True)
    return is_combination([m * single - chi, kappa - single], [1, m], m * kappa - chi)


def block_information() -> bool:
    """S(mean) - mean S = mean D(rho_x || mean), by linearity of the trace, b = 2..5."""
    log_mean = sp.MatrixSymbol("L", 2, 2)
    for size in range(2, 6):
        states = [sp.MatrixSymbol(f"R{i}", 2, 2) for i in range(size)]
        logs = [sp.MatrixSymbol(f"L{i}", 2, 2) for i in range(size)]
        weight = sp.Rational(1, size)
        mean = weight * sp.MatAdd(*states)
        entropy_mean = -sp.trace(sp.expand(mean * log_mean))
        pairs = list(zip(states, logs, strict=True))
        entropies = sum(-sp.trace(rho * log) for rho, log in pairs)
        gaps = [sp.trace(rho * log) - sp.trace(rho * log_mean) for rho, log in pairs]
        divergences = sum(gaps)
        gap = entropy_mean - weight * entropies - weight * divergences
        if sp.expand(gap.doit()) != 0:
            return False
    return True


def mixture_acceptance() -> bool:
    """(1/b) p + (1-1/b) a = a + (p-a)/b: acceptance in the mean state, alpha_b."""
    return is_zero(p / b + (1 - 1 / b) * a - (a + (p - a) / b))


def joint_convexity() -> bool:
    """v^T Hess d v ln2 = p (x/p - y/q)^2 + (1-p)(x/(1-p) - y/(1-q))^2 >= 0."""
    nats = _nats(p, q)
    hessian = sp.hessian(nats, (p, q))
    vector = sp.Matrix([x, y])
    form = (vector.T * hessian * vector)[0]
    squares = p * (x / p - y / q) ** 2
    squares += (1 - p) * (x / (1 - p) - y / (1 - q)) ** 2
    return is_zero(form - squares)


def information_chain() -> bool:
    """Steps A1.2, L1.2, A1.3 with L2.1, A1.5 add up to chi(Phi) - n d >= 0."""
    chi, joint, single, tested, mean = sp.symbols("chi I I_1 D_1 d", real=True)
    n = sp.Symbol("n", integer=True, positive=True)
    premises = [chi - joint, joint - single, single - tested, tested - n * mean]
    return is_combination(premises, [1, 1, 1, 1], chi - n * mean)


def monotonicity() -> bool:
    """G(p,a) = d(p||p/b+(1-1/b)a): dG/da <= 0 and dG/dp >= 0 for p >= a.

    dG/da ln2 = -(1-1/b)^2 (p-a)/(q(1-q)); dG/dp vanishes at p = a and d2G/dp2 is the
    quadratic form of step A1.5 along (1, 1/b), hence >= 0.
    """
    mixture = p / b + (1 - 1 / b) * a
    nats = _nats(p, mixture)
    in_a = -((1 - 1 / b) ** 2) * (p - a) / (mixture * (1 - mixture))
    first = is_zero(sp.diff(nats, a) - in_a)
    start = sp.simplify(sp.diff(nats, p).subs(p, a)) == 0
    curve = p * (1 / p - 1 / (b * mixture)) ** 2
    curve += (1 - p) * (1 / (1 - p) - 1 / (b * (1 - mixture))) ** 2
    return first and start and is_zero(sp.diff(nats, p, 2) - curve)


def conclusion() -> bool:
    """chi(Phi) - n d >= 0 and m kappa - chi(Phi) >= 0 give m kappa - n d >= 0."""
    chi, needed, available = sp.symbols("chi nd mk", real=True)
    premises = [chi - needed, available - chi]
    return is_combination(premises, [1, 1], available - needed)


def sic_equality() -> bool:
    """SIC filter: p = (1+l)/2, a = (3-l)/6, alpha_b = 1/2, d = 1 - h((1+l)/2)."""
    corners = [
        sp.Matrix([0, 0, 1]),
        sp.Matrix([2 * sp.sqrt(2) / 3, 0, -sp.Rational(1, 3)]),
        sp.Matrix([-sp.sqrt(2) / 3, sp.sqrt(6) / 3, -sp.Rational(1, 3)]),
        sp.Matrix([-sp.sqrt(2) / 3, -sp.sqrt(6) / 3, -sp.Rational(1, 3)]),
    ]
    table = sp.Matrix(4, 4, lambda i, j: (1 + lam * corners[i].dot(corners[j])) / 2)
    accepted = sp.Rational(1, 4) * sum(table[i, i] for i in range(4))
    others = sum(table[i, j] for i in range(4) for j in range(4) if i != j)
    others = sp.Rational(1, 12) * others
    mixture = sp.expand(accepted / 4 + sp.Rational(3, 4) * others)
    if sp.expand(accepted - (1 + lam) / 2) != 0 or mixture != sp.S.Half:
        return False
    level = sp.Symbol("l", positive=True)
    gap = d((1 + level) / 2, sp.S.Half) - (1 - h((1 + level) / 2))
    # d(p||1/2) = p log2(2p) + (1-p) log2(2(1-p)): split the logarithms, then compare.
    written = sp.expand_log(sp.expand(gap.rewrite(sp.log)), force=True)
    return sp.simplify(written) == 0


KING = "C. King, IEEE Trans. Inf. Theory 49, 221 (2003)"
LINDBLAD = "G. Lindblad, Commun. Math. Phys. 40, 147 (1975)"
LIEB = "E. H. Lieb and M. B. Ruskai, J. Math. Phys. 14, 1938 (1973)"
HOLEVO = "A. S. Holevo, Probl. Inf. Transm. 9, 177 (1973)"

STEPS = (
    Step("X1", "axiom", "strong subadditivity of von Neumann entropy", source=LIEB),
    Step("X2", "axiom", "relative entropy does not grow under channels",
         source=LINDBLAD),
    Step("X3", "axiom", "chi of m depolarized qubits is m times that of one",
         source=KING),
    Step("L1.1", "symbolic", "I(AB;Q) >= I(A;Q) + I(B;Q) for independent A, B",
         superadditivity, ("X1",)),
    Step("L1.2", "symbolic", "I(X^n;Q) >= sum_i I(X_i;Q)", telescoping, ("L1.1",)),
    Step("L2.1", "symbolic", "D(rho||sigma) >= d(Tr M rho || Tr M sigma)",
         measured_divergence, ("X2",)),
    Step("L3.1", "symbolic", "slope of d(q+u||q) in u", scalar_derivative),
    Step("L3.2", "symbolic", "both integrands are bounded below", scalar_integrand,
         ("L3.1",)),
    Step("L3.3", "symbolic", "d(1-beta||alpha) >= (1-s) log(1/s), s = alpha+beta",
         scalar_integrals, ("L3.2",)),
    Step("L3.4", "symbolic", "L3 is sharp at s -> 0 and s -> 1", scalar_limits,
         ("L3.3",)),
    Step("L6.1", "symbolic", "T layers of D_lambda are D_{lambda^T}", layers_compose),
    Step("L6.2", "symbolic", "output eigenvalues (1 +- lambda |v|)/2", output_spectrum),
    Step("L6.3", "symbolic", "one depolarized qubit: chi <= 1 - h((1+lambda)/2)",
         one_qubit_capacity, ("L6.2",)),
    Step("L6.4", "symbolic", "1-h((1+x)/2) = sum x^2k/(2k(2k-1) ln 2) <= x^2",
         capacity_series),
    Step("L6.5", "symbolic", "chi(Phi) <= m kappa for storage noise", storage_bound,
         ("X3", "L6.1", "L6.3")),
    Step("A1.1", "hypothesis", "one uniform element X_i in each of n blocks of size b"),
    Step("A1.2", "definition", "I(X^n;Q) is the ensemble's Holevo quantity <= chi(Phi)",
         cites=("A1.1",), source=HOLEVO),
    Step("A1.3", "symbolic", "I(X_i;Q) = mean over x of D(rho^(i,x) || mean state)",
         block_information, ("A1.1",)),
    Step("A1.4", "symbolic", "the mean state is accepted with p/b + (1-1/b) a",
         mixture_acceptance, ("A1.1",)),
    Step("A1.5", "symbolic", "d is jointly convex, so averages may be taken inside",
         joint_convexity),
    Step("A1.6", "symbolic", "chi(Phi) >= n d(p || p/b + (1-1/b) a)",
         information_chain, ("A1.2", "L1.2", "A1.3", "L2.1", "A1.4", "A1.5")),
    Step("A1.7", "symbolic", "G grows in p and falls in a where p >= a", monotonicity,
         ("A1.5",)),
    Step("A1.8", "symbolic", "m kappa >= n d(p || p/b + (1-1/b) a)", conclusion,
         ("A1.6", "L6.5"), concludes=True),
    Step("A1.9", "symbolic", "the SIC filter gives equality at every lambda",
         sic_equality, ("A1.8",)),
)  # fmt: skip
"""Steps of proofs/a1.md in order."""
