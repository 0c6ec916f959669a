"""The proof of Theorem B1 and of its form for fair signs, as checks of algebra.

Numbers are headings of proofs/b1.md; the lemmas it cites are in proofs/lemmas/.
"""

import sympy as sp

from qjax.bounds.bound import Checked, Step
from qjax.bounds.entropic.stored import replay_certificate
from qjax.bounds.information import d, h
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import divergence_in_nats, is_combination, is_zero

p, q = sp.symbols("p q", positive=True)
lam = sp.Symbol("lambda", positive=True)
chi, total = sp.symbols("chi I", real=True)
c = sp.Symbol("c", integer=True, positive=True)


def measured_information() -> Checked:
    """Certificate of data processing: a measurement is an isometry and a loss."""
    return Checked(replay_certificate("data_processing"), "I(A;BC) >= I(A;B)")


def shared_out() -> bool:
    """L8.3, L1.2 and B1.2 add up: c chi - sum_j I(X_j;Y_j) >= 0."""
    joint, parts = sp.symbols("I_joint I_parts", real=True)
    premises = [c * chi - joint, joint - parts, parts - total]
    return is_combination(premises, [1, 1, 1], c * chi - total)


def two_queries() -> Checked:
    """Certificates for B = 2: two shared copies, and a copy for each query."""
    names = ("b1_same_copies", "b1_own_copies")
    return Checked(all(map(replay_certificate, names)), ", ".join(names))


def information_of_outcomes() -> bool:
    """I(X;Y) = sum_y P(y) D(P_{X|y}||P_X), three values and two outcomes."""
    rows, outcomes = 3, 2
    joint = sp.Matrix(rows, outcomes, lambda i, y: sp.Symbol(f"P{i}{y}", positive=True))
    first = [sp.Symbol(f"p{i}", positive=True) for i in range(rows)]
    second = [sp.Symbol(f"w{y}", positive=True) for y in range(outcomes)]
    gap = sp.S.Zero
    for i in range(rows):
        for y in range(outcomes):
            mutual = joint[i, y] * sp.log(joint[i, y] / (first[i] * second[y]))
            given = joint[i, y] / second[y]
            gap += mutual - second[y] * given * sp.log(given / first[i])
    return sp.expand(sp.expand_log(gap)) == 0


def answer_as_test() -> bool:
    """M = (X - low)/r has 0 <= M <= 1, and E[M|y] - E M = (E[X|y] - E X)/r."""
    low, mean, given = sp.symbols("low E E_y", real=True)
    reach, above, below = sp.symbols("r u v", nonnegative=True)
    # low + u and low + u + v = low + r are the value and the upper end.
    test, rest = above / reach, (reach - above) / reach
    signs = bool(above.is_nonnegative) and is_zero(
        rest.subs(reach, above + below) - below / (above + below)
    )
    value = low + above
    same_test = is_zero((value - low) / reach - test)
    gap = (given - low) / reach - (mean - low) / reach - (given - mean) / reach
    return signs and same_test and is_zero(gap)


def binary_pinsker() -> bool:
    """f(p) = d ln2 - 2 (p-q)^2: f(q) = f'(q) = 0, f'' = (1-2p)^2/(p(1-p)) >= 0."""
    gap = divergence_in_nats(p, q) - 2 * (p - q) ** 2
    start = gap.subs(p, q) == 0 and sp.simplify(sp.diff(gap, p).subs(p, q)) == 0
    curvature = (1 - 2 * p) ** 2 / (p * (1 - p))
    return start and is_zero(sp.diff(gap, p, 2) - curvature)


def explained_variance() -> bool:
    """Var X - E Var(X|Y) = E (E[X|Y] - E X)^2, for three outcomes."""
    weights = [*sp.symbols("w1 w2", positive=True)]
    weights.append(1 - sum(weights))
    means = sp.symbols("m1:4", real=True)
    squares = sp.symbols("s1:4", real=True)
    mean = sum(w * m for w, m in zip(weights, means, strict=True))
    second = sum(w * s for w, s in zip(weights, squares, strict=True))
    kept = sum(w * (s - m**2) for w, s, m in zip(weights, squares, means, strict=True))
    moved = sum(w * (m - mean) ** 2 for w, m in zip(weights, means, strict=True))
    return sp.expand(second - mean**2 - kept - moved) == 0


def variance_law() -> bool:
    """(ln2/2) sum I - S >= 0 and c chi - sum I >= 0 give (ln2/2) c chi - S >= 0."""
    explained = sp.Symbol("S", real=True)
    half = sp.log(2) / 2
    premises = [half * total - explained, c * chi - total]
    return is_combination(premises, [1, half], half * c * chi - explained)


def sharp_constant() -> bool:
    """Noisy bit: (lambda^2/4) / ((ln2/2)(1 - h((1+lambda)/2))) -> 1 as lambda -> 0."""
    capacity = (sp.S.One - h((1 + lam) / 2)).rewrite(sp.log)
    leading = sp.limit(capacity * sp.log(2) / lam**2, lam, 0, "+")
    return sp.simplify(leading - sp.Rational(1, 2)) == 0


def with_storage_noise() -> bool:
    """chi <= m kappa turns (ln2/2) c chi into (ln2/2) c m kappa."""
    kappa, explained = sp.symbols("kappa S", real=True)
    m = sp.Symbol("m", integer=True, nonnegative=True)
    half = sp.log(2) / 2
    premises = [half * c * chi - explained, m * kappa - chi]
    return is_combination(premises, [1, half * c], half * c * m * kappa - explained)


def fair_sign() -> bool:
    """d((1+mu)/2 || 1/2) = 1 - h((1+mu)/2) = phi(mu^2)."""
    gap = d((1 + lam) / 2, sp.S.Half) - (1 - h((1 + lam) / 2))
    written = sp.expand_log(sp.expand(gap.rewrite(sp.log)), force=True)
    return sp.simplify(written) == 0


def phi_is_convex() -> bool:
    """u^k/(2k(2k-1)), k = j+1: second derivative j u^(j-1)/(2(2j+1)) >= 0.

    So a sum of such terms is convex; each is also >= 0, and the first is u/2, so that
    phi(u) >= u/(2 ln 2).
    """
    u = sp.Symbol("u", positive=True)
    j = sp.Symbol("j", integer=True, nonnegative=True)
    k = j + 1
    term = u**k / (2 * k * (2 * k - 1))
    curvature = j * u ** (j - 1) / (2 * (2 * j + 1))
    ratio = sp.simplify(sp.diff(term, u, 2) / u ** (j - 1))
    same = is_zero(ratio - j / (2 * (2 * j + 1)))
    signs = bool(term.is_nonnegative) and bool((curvature * u).is_nonnegative)
    return same and signs and is_zero(term.subs(j, 0) - u / 2)


def tangent_jensen() -> bool:
    """A convex f lies above its tangents: sum w_i f(u_i) >= f(sum w_i u_i).

    With weights w_i >= 0, sum 1, the gaps f(u_i) - f(m) - s (u_i - m) >= 0 at the mean
    m add up to sum w_i f(u_i) - f(m).
    """
    weights = [*sp.symbols("w1 w2", nonnegative=True)]
    weights.append(1 - sum(weights))
    points, heights = sp.symbols("u1:4", real=True), sp.symbols("f1:4", real=True)
    slope, height = sp.symbols("s f", real=True)
    mean = sum(w * u for w, u in zip(weights, points, strict=True))
    above = [
        value - height - slope * (u - mean)
        for u, value in zip(points, heights, strict=True)
    ]
    combined = sum(w * gap for w, gap in zip(weights, above, strict=True))
    average = sum(w * value for w, value in zip(weights, heights, strict=True))
    return sp.expand(combined - (average - height)) == 0


def sign_law() -> bool:
    """c chi - sum I >= 0 and sum I - sum phi(Delta_j) >= 0."""
    shares = sp.Symbol("F", real=True)
    return is_combination([c * chi - total, total - shares], [1, 1], c * chi - shares)


def noisy_bits_are_sharp() -> bool:
    """Delta = lambda^2: phi(Delta) = 1 - h((1 + sqrt(lambda^2))/2) = kappa."""
    delta = (((1 + lam) / 2) - ((1 - lam) / 2)) ** 2
    gap = (1 - h((1 + sp.sqrt(sp.expand(delta))) / 2)) - (1 - h((1 + lam) / 2))
    return gap == 0


BASE = (
    Step("B1.1", "hypothesis", "X_1, ..., X_B are independent; Y_j is any measurement "
         "of c copies"),
    Step("B1.2", "entropic", "I(X_j;Y_j) <= I(X_j;Q^c)", measured_information,
         ("X1", "B1.1")),
    Step("B1.3", "symbolic", "sum_j I(X_j;Y_j) <= c chi", shared_out,
         ("L8.3", "L1.2", "B1.2")),
)  # fmt: skip
"""What the forms of B1 share: the batch has c chi bits to divide."""

OUTCOMES = Step("B1.5", "symbolic", "I(X;Y) = mean over y of D(P_{X|y} || P_X)",
                information_of_outcomes)  # fmt: skip
AS_TEST = Step("B1.6", "symbolic", "D(P_{X|y}||P_X) >= d(E[M|y] || E M), M = (X-low)/r",
               answer_as_test, ("L2.1",))  # fmt: skip
EXPLAINED = Step("B1.8", "symbolic", "V = r^2 E (E[M|Y] - E M)^2", explained_variance)

OWN = (
    *BASE,
    Step("B1.4", "entropic", "B1.3 for two queries, from certificates", two_queries,
         ("X1",)),
    OUTCOMES,
    AS_TEST,
    Step("B1.7", "symbolic", "d(p||q) >= (2/ln2) (p-q)^2", binary_pinsker),
    EXPLAINED,
    Step("B1.9", "symbolic", "sum_j V_j/r_j^2 <= (ln2/2) c chi", variance_law,
         ("B1.3", "B1.5", "B1.6", "B1.7", "B1.8"), concludes=True),
    Step("B1.10", "symbolic", "the constant ln2/2 is optimal: noisy bits, lambda -> 0",
         sharp_constant, ("B1.9",)),
    Step("B1.11", "symbolic", "storage noise: sum_j V_j/r_j^2 <= (ln2/2) c m kappa",
         with_storage_noise, ("B1.9", "L6a.5")),
)  # fmt: skip
"""Steps of the variance law in order."""

SIGN_STEPS = (
    *BASE,
    OUTCOMES,
    AS_TEST,
    EXPLAINED,
    Step("B1.12", "symbolic", "fair sign: d((1+mu)/2||1/2) = phi(mu^2)", fair_sign),
    Step("B1.13", "symbolic", "phi is convex, and phi(u) >= u/(2 ln2)", phi_is_convex,
         ("L6a.4",)),
    Step("B1.14", "symbolic", "convex: the mean of phi is at least phi of the mean",
         tangent_jensen, ("B1.13",)),
    Step("B1.15", "symbolic", "mean of phi(Delta_j) <= c chi/B", sign_law,
         ("B1.3", "B1.5", "B1.6", "B1.8", "B1.12", "B1.14"), concludes=True),
    Step("B1.16", "symbolic", "noisy bits give equality at every lambda",
         noisy_bits_are_sharp, ("B1.15", "L6a.5")),
)  # fmt: skip
"""Steps of the form for fair signs."""

STEPS = with_lemmas(OWN)
"""Steps of B1 with the lemmas it cites."""

STEPS_FOR_SIGNS = with_lemmas(SIGN_STEPS)
"""Steps of B1/signs with the lemmas it cites."""
