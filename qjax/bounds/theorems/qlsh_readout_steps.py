"""The Q-LSH lemma's proof: linear readouts, variances, dominance, refutations.

Continues qlsh_steps; numbers are headings of proofs/qlsh.md.
"""

import dataclasses

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.theorems.qlsh_steps import STEPS as EXPECTATION_STEPS
from qjax.bounds.theorems.qlsh_steps import X, c2, delta, is_trigonometric_zero, t, x
from qjax.bounds.theorems.qlsh_symbols import (
    AGREEMENT,
    ARC,
    C2,
    FIDELITY,
    LEVEL,
    LOCAL,
    LOCAL_SLOPE,
    QUADRATURE,
    SHRINK,
    TRANSVERSE,
    K,
    c,
    g,
    m,
    quadrature_spread,
    s,
    theta,
    total_variance,
)

mu, F, mean, square = sp.symbols("mu F E E_2", real=True)
k = sp.Symbol("k", integer=True, positive=True)
d0, gap = sp.symbols("delta_1 gap", positive=True)
C = sp.Symbol("C", real=True)


def quadrature_of_qubit() -> bool:
    """<Y> of Rz(phi)|+> is sin(phi): the Y component of the Bloch vector."""
    ket = sp.Matrix([sp.exp(-sp.I * x / 2), sp.exp(sp.I * x / 2)]) / sp.sqrt(2)
    y = sp.Matrix([[0, -sp.I], [sp.I, 0]])
    return is_trigonometric_zero((ket.H * y * ket)[0] - sp.sin(x))


def sine_induction() -> bool:
    """E a_1 sin(x (a_1 + ... + a_g)) = sin(x) cos^(g-1)(x) by induction on g."""
    start = (sp.sin(x) - sp.sin(-x)) / 2 - sp.sin(x)
    grows = (sp.sin(X + x) + sp.sin(X - x)) / 2 - sp.cos(x) * sp.sin(X)
    power = sp.powsimp(sp.cos(x) ** (g - 1) * sp.cos(x)) == sp.cos(x) ** g
    return sp.expand(start) == 0 and is_trigonometric_zero(grows) and bool(power)


def quadrature_law() -> bool:
    """E B_q <Y_q> = g (1 - 2 delta) sin cos^(g-1) r for one bucket; m buckets."""
    bucket = g * AGREEMENT * sp.sin(theta) * sp.cos(theta) ** (g - 1) * SHRINK
    return sp.expand(m * bucket - QUADRATURE) == 0


def quadrature_variance_law() -> bool:
    """Buckets are independent: m (E B^2 - (E R)^2) = k - (E G)^2/m with E B^2 = g."""
    total = sp.Symbol("B", real=True)
    # Adding a sign +-1: E (B + b)^2 = E B^2 + 1, from E B^2 = 1 at g = 1.
    added = sp.expand(((total + 1) ** 2 + (total - 1) ** 2) / 2 - total**2 - 1)
    one = sp.Symbol("R", real=True)
    return added == 0 and sp.expand(m * (g - one**2) - (K - (m * one) ** 2 / m)) == 0


def local_law() -> bool:
    """A sum of means, one per qubit: m (1 + v c2^g + w)/2."""
    return sp.expand(LOCAL - m * LEVEL) == 0


def local_slope_law() -> bool:
    """dL/ds = m v g c2^(g-1)/2 dc2/ds with dc2/ds = 2 sin^2(theta)/(pi sqrt(1-s^2))."""
    v, w = sp.symbols("v w", real=True)
    outer = sp.powsimp(sp.diff(m * (1 + v * c2**g + w) / 2, c2))
    inner = 2 * sp.sin(theta) ** 2 / ARC
    known = sp.simplify(sp.diff(C2, s) - inner) == 0
    claim = LOCAL_SLOPE.subs(TRANSVERSE, v).subs(C2, c2)
    return known and sp.expand(sp.powsimp(sp.expand(outer * inner - claim))) == 0


def signal_to_noise() -> bool:
    """y (1-y)^(g-1), y = sin^2(theta), is largest at y = 1/g: sign of its slope."""
    y = sp.Symbol("y", positive=True)
    rest = sp.Symbol("z", positive=True)  # z = 1 - y
    slope = sp.diff(y * (1 - y) ** (g - 1), y).subs(1 - y, rest)
    claim = rest ** (g - 2) * (rest - (g - 1) * y)
    same = sp.expand(sp.powsimp(sp.expand(slope - claim))) == 0
    sign = sp.expand((1 - y) - (g - 1) * y - (1 - g * y)) == 0
    best = g * (1 / g) * (1 - 1 / g) ** (g - 1) - (1 - 1 / g) ** (g - 1)
    return same and sign and sp.expand(best) == 0


def trial_variance() -> bool:
    """Mean of c outcomes +-1: E = mu, E square = (c + c(c-1) mu^2)/c^2."""
    second = (c + c * (c - 1) * mu**2) / c**2
    return is_zero(second - mu**2 - (1 - mu**2) / c)


def law_of_total_variance() -> bool:
    """E[F^2 + (1-F^2)/c] - (E F)^2 = E F^2 - (E F)^2 + (1 - E F^2)/c, linear in E."""
    inside = sp.expand(F**2 + (1 - F**2) / c)
    averaged = inside.subs(F**2, square)
    return is_zero(averaged - mean**2 - total_variance(mean, square))


def squared_hadamard() -> bool:
    """c Var(mean^2) -> 4 mu^2 (1-mu^2); below 1 - mu^4 iff mu^2 < 1/3."""
    # With n outcomes the moments of a sum of +-1 follow from its generating function.
    n, z = sp.Symbol("n", positive=True), sp.Symbol("z")
    outcome = sp.cosh(z) + mu * sp.sinh(z)
    series = sp.series(n * sp.log(outcome), z, 0, 5).removeO()
    moments = sp.series(sp.exp(series), z, 0, 5).removeO()
    fourth, second = (moments.coeff(z, p) * sp.factorial(p) / n**p for p in (4, 2))
    variance = sp.expand(fourth - second**2)
    limit = sp.limit(sp.expand(n * variance), n, sp.oo)
    leading = sp.expand(limit - 4 * mu**2 * (1 - mu**2)) == 0
    ahead = (1 - mu**4) - 4 * mu**2 * (1 - mu**2) - (1 - mu**2) * (1 - 3 * mu**2)
    return leading and sp.expand(ahead) == 0


def quadrature_shots() -> bool:
    """E B^2 sin^2(theta A) from E[B^2|a] = g + q (A^2 - g), q = (1 - 2 delta)^2.

    E cos(2 theta A) = x^g with x = cos(2 theta), and E A^2 cos(2 theta A) is minus a
    quarter of its second derivative. Also: at c = 1 it is the law Q3.4.
    """
    q, total, level = sp.symbols("q A x", real=True)
    # E[(B + b)^2 | a] = E[B^2|a] + 2 q A a + 1, so it grows by the same rule.
    rule = g + q * (total**2 - g)
    sign = sp.Symbol("a", real=True)
    grown = rule.subs({g: g + 1, total: total + sign}, simultaneous=True)
    step = sp.expand(grown - rule - 2 * q * total * sign - 1)
    step = sp.expand(step.subs(sign**2, 1))
    angle = sp.Symbol("angle", real=True)
    curve = -sp.diff(sp.cos(2 * angle) ** g, angle, 2) / 4
    u, v = sp.symbols("u v", positive=True)  # cos and sin of twice the angle
    named = curve.subs({sp.cos(2 * angle): u, sp.sin(2 * angle): v})
    wanted = g * u**g - g * (g - 1) * u ** (g - 2) * v**2
    same = sp.expand(sp.powsimp(sp.expand(named - wanted))) == 0
    moment = (g * (1 - q) + q * g - (1 - q) * g * level - q * C) / 2
    claim = (g - (1 - q) * g * level - q * C) / 2
    spread = quadrature_spread()
    cosine = sp.cos(2 * theta)
    curved = g * cosine**g - g * (g - 1) * cosine ** (g - 2) * (1 - cosine**2)
    point = {q: AGREEMENT**2, level: cosine**g, C: curved}
    written = sp.expand(TRANSVERSE * claim.subs(point, simultaneous=True) - spread)
    one = m * (spread - (QUADRATURE / m) ** 2 + (g - spread) / c)
    single = sp.expand(one.subs(c, 1) - (K - QUADRATURE**2 / m))
    return step == written == single == 0 and same and sp.expand(moment - claim) == 0


def sufficiency() -> bool:
    """P(a, b) = prod of delta/2 or (1-delta)/2 = 2^-k delta^h (1-delta)^(k-h).

    By induction on k, one sign at a time; hence E[A | d_H = h] does not contain delta.
    """
    h = sp.Symbol("h", integer=True, nonnegative=True)
    p, q = sp.symbols("p q", positive=True)  # delta and 1 - delta

    def weight(signs, distance):
        return sp.Integer(2) ** -signs * p**distance * q ** (signs - distance)

    differ = weight(k + 1, h + 1) / weight(k, h) - p / 2
    agree = weight(k + 1, h) / weight(k, h) - q / 2
    return sp.simplify(differ) == 0 and sp.simplify(agree) == 0


def monotone_ratio() -> bool:
    """L(h+1)/L(h) = delta_1 (1-delta_0)/(delta_0 (1-delta_1)) <= 1.

    For delta_1 <= delta_0, as 1 minus it is (delta_0 - delta_1)/(delta_0 (1-delta_1)),
    a quotient of non-negative numbers.
    """
    low = d0 + gap  # delta_0 at the lower cosine
    rest = sp.Symbol("rest", positive=True)  # 1 - delta_1
    ratio = d0 * (1 - low) / (low * (1 - d0))
    difference = (1 - ratio) - gap / (low * (1 - d0))
    sign = (gap / (low * rest)).is_positive
    return is_zero(difference) and bool(sign)


def neyman_pearson() -> bool:
    """(A* - A)(p_1 - kappa p_0) >= 0 at every h, summed: power gap >= kappa size gap.

    A* = 1 where the ratio exceeds kappa, 0 below it: both factors have one sign. With
    equal sizes the power gap is non-negative.
    """
    test, slack = sp.symbols("A slack", nonnegative=True)
    # Above kappa: A* - A = slack >= 0 times excess > 0; below: -A times -excess.
    above, below = sp.symbols("excess deficit", nonnegative=True)
    signs = [(slack * above).is_nonnegative, ((-test) * (-below)).is_nonnegative]
    powers, sizes, kappa = sp.symbols("power_gap size_gap kappa", real=True)
    premise = powers - kappa * sizes
    weight = sp.Symbol("lambda", nonnegative=True)
    # size_gap = 0 (same false-positive rate): the premise is the conclusion.
    same = is_combination([premise.subs(sizes, 0)], [1], powers)
    # size_gap >= 0 (the other test accepts less often): kappa >= 0 suffices.
    larger = is_combination([premise.subs(kappa, weight), sizes], [1, weight], powers)
    return all(signs) and same and larger


def area() -> bool:
    """Trapezium between two points of a curve that lies below another: area below it.

    A point of the chord belongs to a mixture of two tests, itself a test: Q5.4 holds
    along the chord, and the integral of a non-negative gap is non-negative.
    """
    low, high, best_low, best_high, width = sp.symbols("t_0 t_1 b_0 b_1 w", real=True)
    premises = [best_low - low, best_high - high]
    half = sp.Symbol("half", positive=True)
    total = half * (best_low + best_high - low - high)
    mixed = (1 - t) * low + t * high
    integral = sp.integrate(mixed, (t, 0, 1)) * width - width * (low + high) / 2
    return is_combination(premises, [half, half], total) and sp.expand(integral) == 0


def saturation() -> bool:
    """k = 1: h = 0 gives F = 1, always accepted; then h = 1 is accepted with some p.

    That is the randomised test A*(0) = 1, A*(1) = p. At theta = pi/2 two signs that
    differ give orthogonal qubits, which a measurement tells apart: h is seen itself.
    """
    orthogonal = sp.cos(sp.pi / 2) == 0
    equal = sp.cos(0) ** 2 == 1
    certain = (1 + sp.cos(0) ** 2) / 2 == 1
    return orthogonal and equal and certain


def parity() -> bool:
    """E F and E <psi_a|psi_b> are even in theta; C k sin(theta) s is odd."""
    even = FIDELITY.subs(theta, -theta) - FIDELITY
    slope, other = sp.symbols("C_0 s_0", real=True)
    odd = slope * k * sp.sin(-theta) * other + slope * k * sp.sin(theta) * other
    return even == 0 and odd == 0


def positive_gap() -> bool:
    """(1 - delta y) - (1 - y/2) = y (1/2 - delta) > 0 for s > 0, y = sin^2 > 0.

    Both bases are positive (y <= 1, delta < 1/2), so their k-th powers keep the order.
    """
    y, below = sp.symbols("y below", positive=True)  # delta = 1/2 - below
    first = sp.expand((1 - delta * y) - (1 - y / 2) - y * (sp.S.Half - delta))
    sign = (y * (sp.S.Half - delta)).subs(delta, sp.S.Half - below)
    return first == 0 and bool(sp.expand(sign).is_positive)


def growth_exceeds() -> bool:
    """k = floor(1/q) + 1 with q = C sin(theta) s > 0 gives k q > 1 >= gap."""
    q = sp.Symbol("q", positive=True)
    fraction = sp.frac(1 / q)
    excess = q * (1 / q - fraction + 1) - 1
    return sp.expand(excess - q * (1 - fraction)) == 0 and (fraction < 1) == sp.true


def variance_stays() -> bool:
    """c = floor(C M/v) + 1 gives C M/c < v <= variance, M = 1 - mu^2 and v = Var F > 0.

    Var F > 0 as F takes the values 1 (h = 0) and cos^2(theta) < 1 (h = 1, one sign per
    qubit), both with positive probability for 0 < delta < 1.
    """
    ratio = sp.Symbol("R", positive=True)  # C M / v
    fraction = sp.frac(ratio)
    shots = ratio - fraction + 1
    exceeds = sp.expand(shots - ratio - (1 - fraction)) == 0
    chances = (delta * (1 - delta)).subs(delta, 1 / (1 + d0))
    spread = sp.factor(sp.together(chances))
    return exceeds and (fraction < 1) == sp.true and bool(spread.is_positive)


def noise_exceeds() -> bool:
    """((1 + lambda^2)/2)^m <= (1 - eps/2)^m <= e^(-m eps/2) < 1/2 = 1 - C eps.

    At eps = 1/(2C) <= 1 and m = floor(4 C ln 2) + 1.
    """
    eps, y, level = sp.symbols("eps y level", positive=True)
    kept = (1 + (1 - eps) ** 2) / 2
    rest = sp.Symbol("lambda", nonnegative=True)  # 1 - eps
    below = sp.expand(1 - eps / 2 - kept - eps * (1 - eps) / 2)
    sign = (eps * rest / 2).is_nonnegative
    # e^-y - (1 - y) vanishes at 0 and has the slope 1 - e^-y >= 0.
    curve = sp.exp(-y) - (1 - y)
    starts = (
        curve.subs(y, 0) == 0 and sp.expand(sp.diff(curve, y) - 1 + sp.exp(-y)) == 0
    )
    fraction = sp.frac(4 * level * sp.log(2))
    count = 4 * level * sp.log(2) - fraction + 1
    exponent = sp.expand(count / (4 * level) - sp.log(2) - (1 - fraction) / (4 * level))
    left = sp.expand(1 - level / (2 * level)) == sp.S.Half
    return below == exponent == 0 and bool(sign) and starts and left


def aliasing_law() -> bool:
    """delta(-s) = 1 - delta(s), so c2 = 1 - 2 delta changes sign at theta = pi/2."""
    reflected = sp.acos(-s).rewrite(sp.asin) + sp.acos(s).rewrite(sp.asin) - sp.pi
    half = sp.Symbol("g_2", integer=True, positive=True)  # g = 2 g_2
    even = (-c2) ** (2 * half) - c2 ** (2 * half)
    at_right_angle = sp.expand(C2.subs(theta, sp.pi / 2) - (1 - 2 * sp.acos(s) / sp.pi))
    return sp.expand(reflected) == 0 and sp.expand(even) == 0 and at_right_angle == 0


OWN = (
    Step("Q3.1", "symbolic", "<Y> of a stored qubit is r sin(theta A_q)",
         quadrature_of_qubit, ("Q2.1",)),
    Step("Q3.2", "symbolic", "E a_1 sin(theta sum a) = sin(theta) cos^(g-1)(theta)",
         sine_induction, ("Q1.3",)),
    Step("Q3.3", "symbolic", "E G = (2/pi) arcsin(s) k sin cos^(g-1) r",
         quadrature_law, ("Q1.3", "Q3.1", "Q3.2")),
    Step("Q3.4", "symbolic", "single-shot variance k - (E G)^2/m",
         quadrature_variance_law, ("Q3.3",)),
    Step("Q3.5", "symbolic", "E L = m (1 + v c2^g + w)/2", local_law, ("Q2.2",)),
    Step("Q3.6", "symbolic", "dE L/ds = k v sin^2 c2^(g-1)/(pi sqrt(1-s^2))",
         local_slope_law, ("Q3.5",)),
    Step("Q3.7", "symbolic", "signal to noise per qubit <= (1-1/g)^(g-1) (1-2 delta)^2",
         signal_to_noise, ("Q3.3",)),
    Step("Q4.1", "symbolic", "c outcomes +-1 of mean mu: variance (1 - mu^2)/c",
         trial_variance),
    Step("Q4.2", "symbolic", "Var = Var(F) + (1 - E F^2)/c", law_of_total_variance,
         ("Q4.1",)),
    Step("Q4.3", "symbolic", "the same with the closed forms of E F and E F^2",
         law_of_total_variance, ("Q2.2", "Q2.3", "Q4.2")),
    Step("Q4.4", "symbolic", "squared Hadamard mean: 4 mu^2 (1 - mu^2)/c + O(1/c^2)",
         squared_hadamard, ("Q4.1",)),
    Step("Q4.5", "symbolic", "variance of the Y readout over c shots",
         quadrature_shots, ("Q3.4",)),
    Step("Q5.1", "definition", "a test of sketches accepts (a,b) with some A(a,b)"),
    Step("Q5.2", "symbolic", "P(a,b) = 2^-k delta^h (1-delta)^(k-h): h is sufficient",
         sufficiency, ("Q1.3", "Q5.1")),
    Step("Q5.3", "symbolic", "the likelihood ratio falls with h", monotone_ratio,
         ("Q5.2",)),
    Step("Q5.4", "symbolic", "no test has more power than d_H thresholds, mixed",
         neyman_pearson, ("Q5.3",)),
    Step("Q5.5", "symbolic", "so its area under the curve is not larger", area,
         ("Q5.4",)),
    Step("Q5.6", "symbolic", "equality at k = 1, and at theta = pi/2 with g = 1",
         saturation, ("Q5.5",)),
    Step("Q6.1", "symbolic", "fidelity and amplitude are even in theta, the claim odd",
         parity, ("Q1.6", "Q1.7")),
    Step("Q6.2", "symbolic", "the gap is positive for s > 0: no C fits both signs",
         positive_gap, ("Q6.1",)),
    Step("Q6.3", "symbolic", "for C > 0 some k makes C k sin(theta) s exceed 1",
         growth_exceeds),
    Step("Q6.4", "symbolic", "for every C some c makes C (1-mu^2)/c less than Var F",
         variance_stays, ("Q4.2",)),
    Step("Q6.5", "symbolic", "for every C some eps and m leave less than 1 - C eps",
         noise_exceeds, ("Q2.2",)),
    Step("Q7.1", "symbolic", "theta = pi/2 and g even: E F(-s) = E F(s)", aliasing_law,
         ("Q1.7",)),
)  # fmt: skip
"""Steps Q3 to Q7 of proofs/qlsh.md."""

STEPS = EXPECTATION_STEPS + OWN


def steps_of(conclusion: str, *more: str) -> tuple[Step, ...]:
    """The steps that some steps rest on, in order; the first one concludes.

    Args:
        conclusion: Number of the step that is the bound's statement; empty for a
            refuted bound, whose steps conclude nothing.
        *more: Numbers of further steps: other relations, second opinions.
    """
    by_number = {step.number: step for step in STEPS}
    wanted = [number for number in (conclusion, *more) if number]
    found = set(wanted)
    while wanted:
        cites = by_number[wanted.pop()].cites
        wanted.extend(number for number in cites if number not in found)
        found.update(cites)
    return tuple(
        dataclasses.replace(step, concludes=step.number == conclusion)
        for step in STEPS
        if step.number in found
    )
