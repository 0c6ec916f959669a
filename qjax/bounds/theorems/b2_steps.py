"""The proofs of Theorem B2, the shot laws, as checks that algebra can decide.

Numbers are headings of proofs/b2.md.
"""

import itertools

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero

B, c = sp.symbols("B c", integer=True, positive=True)
v = sp.Symbol("v", positive=True)
SIGMA = (
    sp.Matrix([[0, 1], [1, 0]]),
    sp.Matrix([[0, -sp.I], [sp.I, 0]]),
    sp.Matrix([[1, 0], [0, -1]]),
)


def moments_of_the_score() -> bool:
    """L = (O - A)/v: Tr rho L = 0, Tr rho O L = 1, Tr rho L^2 = 1/v, in any dimension.

    All are linear in 1 = Tr rho, A = Tr rho O and v + A^2 = Tr rho O^2.
    """
    mean, operator = sp.symbols("A O", real=True)
    moments = {0: sp.S.One, 1: mean, 2: v + mean**2}
    score = (operator - mean) / v

    def trace(polynomial: sp.Expr) -> sp.Expr:
        rows = sp.Poly(sp.expand(polynomial), operator).all_coeffs()[::-1]
        return sum(row * moments[k] for k, row in enumerate(rows))

    return (
        is_zero(trace(score))
        and is_zero(trace(operator * score) - 1)
        and is_zero(trace(score**2) - 1 / v)
    )


def family_of_states() -> bool:
    """rho_t = e^{tL/2} rho e^{tL/2}/Z: d rho/dt = (L rho + rho L)/2 at 0 for a qubit.

    With rho = (I + r.sigma)/2 and O = a.sigma + a0: dTr(rho_t O)/dt = 1, and the
    symmetric derivative has Tr rho L^2 = 1/v.
    """
    bloch, axis = sp.symbols("r1:4", real=True), sp.symbols("a1:4", real=True)
    shift, time = sp.symbols("a0 t", real=True)
    rho = (sp.eye(2) + sum((r * s for r, s in zip(bloch, SIGMA, strict=True)),
                           sp.zeros(2))) / 2  # fmt: skip
    observable = shift * sp.eye(2)
    for a, s in zip(axis, SIGMA, strict=True):
        observable += a * s
    mean = sp.expand((rho * observable).trace())
    variance = sp.expand((rho * observable * observable).trace() - mean**2)
    score = (observable - mean * sp.eye(2)) / variance
    factor = sp.eye(2) + time * score / 2  # e^{tL/2} to first order
    moved = factor * rho * factor
    slope = moved.diff(time).subs(time, 0)
    same = (slope - (score * rho + rho * score) / 2).applyfunc(sp.cancel)
    norm = is_zero(slope.trace())
    rate = is_zero((slope * observable).trace() - 1)
    information = is_zero((rho * score * score).trace() - 1 / variance)
    return same == sp.zeros(2) and norm and rate and information


def separate_shots() -> bool:
    """The mean of k = c/B outcomes has variance k v/k^2 = B v/c."""
    return is_zero((c / B) * v / (c / B) ** 2 - B * v / c)


def shot_law() -> bool:
    """w - v/c >= 0 gives B w - B v/c >= 0."""
    batch = sp.Symbol("w", real=True)
    return is_combination([batch - v / c], [B], B * batch - B * v / c)


def commuting_is_sharp() -> bool:
    """Eigenvalues of commuting O_j in a joint eigenbasis: variance v_j for each.

    f_j(k) = o_jk and p_k = <k|rho|k>: E f_j = Tr rho O_j, E f_j^2 = Tr rho O_j^2.
    """
    size = 3
    weights, values = sp.symbols("p1:4", positive=True), sp.symbols("o1:4", real=True)
    off = sp.Symbol("z")
    rho = sp.Matrix(size, size, lambda i, j: weights[i] if i == j else off)
    observable = sp.diag(*values)
    first = sum(p * o for p, o in zip(weights, values, strict=True))
    second = sum(p * o**2 for p, o in zip(weights, values, strict=True))
    return (
        sp.expand((rho * observable).trace() - first) == 0
        and sp.expand((rho * observable**2).trace() - second) == 0
    )


def gamma_matrices() -> dict[int, list[sp.Matrix]]:
    """Three Paulis of one qubit, and five anticommuting ones of two, by dimension."""
    one = sp.eye(2)
    x, y, z = SIGMA
    pairs = ((x, one), (y, one), (z, x), (z, y), (z, z))
    return {2: list(SIGMA), 4: [sp.kronecker_product(*pair) for pair in pairs]}


def square_of_a_sum() -> bool:
    """(sum n_j O_j)^2 = |n|^2 I: by hand for 3 and 5 Paulis, and from {O_j,O_k} = 0."""
    for size, table in gamma_matrices().items():
        weights = sp.symbols(f"n1:{len(table) + 1}", real=True)
        total = sp.zeros(size)
        for weight, matrix in zip(weights, table, strict=True):
            total += weight * matrix
        norm = sum(weight**2 for weight in weights)
        gap = total * total - norm * sp.eye(size)
        if gap.applyfunc(sp.expand) != sp.zeros(size):
            return False
    # Any number of them: what is left of the square is a sum of anticommutators.
    first, second = sp.symbols("O1 O2", commutative=False)
    m, n = sp.symbols("m n", real=True)
    square = sp.expand((m * first + n * second) ** 2)
    rest = m**2 * first**2 + n**2 * second**2
    rest += m * n * (first * second + second * first)
    return sp.expand(square - rest) == 0


def traceless_and_orthogonal() -> bool:
    """O_1 = -O_2 O_1 O_2 and O_1 O_2 = -O_2 O_1 have trace equal to minus itself.

    Checked on the explicit matrices; with Tr AB = Tr BA it holds for every such pair.
    """
    for table in gamma_matrices().values():
        for first, second in itertools.permutations(table, 2):
            turned = (second * first * second + first).applyfunc(sp.expand)
            if turned != sp.zeros(first.rows):
                return False
            if first.trace() != 0 or (first * second).trace() != 0:
                return False
    trace = sp.Symbol("t", real=True)
    return sp.solve(trace + trace, trace) == [0]


def bounded_scores() -> bool:
    """|t|^2 = Tr(G sum t_j O_j)/Tr G <= |t| gives 1 - |t| = (|t| - |t|^2)/|t| >= 0."""
    length = sp.Symbol("t", positive=True)
    premise = length - length**2
    return is_combination([premise], [1 / length], sp.expand(1 - length))


def scores_add_up() -> bool:
    """d/d theta_j Tr G (I + theta.O)/D = (Tr G/D) t_j; scores of copies are orthogonal.

    The sum of t over outcomes has mean Tr O_j/D = 0 whatever was seen before, so that
    E (a + b)^2 = E a^2 + E b^2 for the scores a of earlier copies and b of the next.
    """
    weight, trace, theta, t = sp.symbols("g D theta t", real=True)
    chance = weight * (1 + theta * t) / trace
    slope = is_zero(sp.diff(chance, theta) - (weight / trace) * t)
    first, second, cross = sp.symbols("a2 b2 ab", real=True)
    square = first + 2 * cross + second
    orthogonal = sp.expand(square.subs(cross, 0) - (first + second)) == 0
    # c copies: by induction, E|s|^2 <= c.
    count = sp.Symbol("k", integer=True, positive=True)
    return slope and orthogonal and sp.expand((count + 1) - count - 1) == 0


def cauchy_schwarz() -> bool:
    """E sum_j (f_j - mu s_j)^2 >= 0 with mu = B/c: sum Var_j - B^2/c >= 0.

    E f_j s_j = 1 sums to B and E|s|^2 <= c.
    """
    total, square, mu = sp.symbols("W E mu", real=True)
    quadratic = total - 2 * mu * B + mu**2 * square
    premises = [quadratic.subs(mu, B / c), c - square]
    return is_combination(premises, [1, (B / c) ** 2], total - B**2 / c)


def mean_variance() -> bool:
    """sum_j Var_j - B^2/c >= 0, over B: c w - B >= 0 for w the mean."""
    batch = sp.Symbol("w", real=True)
    return is_combination([B * batch - B**2 / c], [c / B], c * batch - B)


def one_at_a_time_is_sharp() -> bool:
    """f_j = B o_j with probability 1/B, else 0: E f_j = <O_j> = 0, E f_j^2 = B."""
    chance = sp.Symbol("p", real=True)
    mean = (B * chance - B * (1 - chance)) / B - (2 * chance - 1)
    square = (B**2 * chance + B**2 * (1 - chance)) / B - B
    return is_zero(mean) and is_zero(square)


def exchangeable_sum() -> bool:
    """Var(mean) = [B s + B(B-1) r s]/B^2 = s (1+(B-1)r)/B.

    Term by term for 2 to 6 outcomes, and one outcome more in general: it adds its own
    variance and 2 B covariances.
    """
    s, r = sp.symbols("s r", real=True)
    for count in range(2, 7):
        table = sp.Matrix(count, count, lambda i, j: s if i == j else r * s)
        total = sum(table) / count**2
        if not is_zero(total - s * (1 + (count - 1) * r) / count):
            return False
    whole = B * s + B * (B - 1) * r * s
    more = whole + s + 2 * B * r * s
    grown = is_zero(more - whole.subs(B, B + 1))
    return grown and is_zero(whole / B**2 - s * (1 + (B - 1) * r) / B)


def range_of_correlation() -> bool:
    """Var(mean) >= 0 gives 1 + (B-1) r >= 0 where s > 0."""
    s = sp.Symbol("s", positive=True)
    r = sp.Symbol("r", real=True)
    variance = s * (1 + (B - 1) * r) / B
    return is_combination([sp.expand(variance)], [B / s], sp.expand(1 + (B - 1) * r))


SHOTS = (
    Step("B2.1", "hypothesis", "estimators are unbiased for every state near rho; any "
         "measurement of c copies"),
    Step("B2.2", "symbolic", "L = (O - <O>)/v: Tr rho L = 0, Tr rho O L = 1, "
         "Tr rho L^2 = 1/v", moments_of_the_score),
    Step("B2.3", "symbolic", "a qubit's family e^{tL/2} rho e^{tL/2}: d theta/dt = 1, "
         "Fisher information 1/v", family_of_states, ("B2.2",)),
    Step("B2.4", "symbolic", "separate shots: c/B copies each, variance B v/c",
         separate_shots),
    Step("B2.5", "symbolic", "B Var_batch >= Var_separate", shot_law,
         ("X7", "B2.1", "B2.2", "B2.4"), concludes=True),
    Step("B2.6", "symbolic", "commuting observables: one measurement serves all",
         commuting_is_sharp, ("B2.5",)),
)  # fmt: skip
"""Steps of B2."""

ANTICOMMUTING = (
    Step("B2.7", "hypothesis", "B >= 2 pairwise anticommuting O_j, O_j^2 = I; copies "
         "measured one at a time; estimators unbiased near I/D"),
    Step("B2.8", "symbolic", "(sum n_j O_j)^2 = |n|^2 I", square_of_a_sum, ("B2.7",)),
    Step("B2.9", "symbolic", "Tr O_j = 0 and Tr O_j O_k = 0", traceless_and_orthogonal,
         ("B2.7",)),
    Step("B2.10", "symbolic", "t_j = Tr G O_j/Tr G has |t| <= 1", bounded_scores,
         ("B2.8",)),
    Step("B2.11", "symbolic", "scores of c copies: E|s|^2 <= c", scores_add_up,
         ("B2.9", "B2.10")),
    Step("B2.12", "symbolic", "sum_j Var_j >= B^2/c", cauchy_schwarz,
         ("B2.7", "B2.11")),
    Step("B2.13", "symbolic", "mean Var_j >= B/c, the separate value", mean_variance,
         ("B2.12",), concludes=True),
    Step("B2.14", "symbolic", "one random O_j per copy attains it",
         one_at_a_time_is_sharp, ("B2.13",)),
)  # fmt: skip
"""Steps of B2/anticommuting."""

DESIGN = (
    Step("B2.15", "hypothesis", "B outcomes with one variance and one correlation r of "
         "every pair"),
    Step("B2.16", "symbolic", "Var(mean) = sigma^2 (1 + (B-1) r)/B", exchangeable_sum,
         ("B2.15",), concludes=True),
    Step("B2.17", "symbolic", "1 + (B-1) r >= 0", range_of_correlation, ("B2.16",)),
)  # fmt: skip
"""Steps of B2/design-effect."""

STEPS = with_lemmas(SHOTS)
STEPS_FOR_ANTICOMMUTING = with_lemmas(ANTICOMMUTING)
STEPS_FOR_DESIGN = with_lemmas(DESIGN)
"""Steps of the three bounds with what they cite."""
