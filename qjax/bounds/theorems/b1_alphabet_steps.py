"""Proofs of B1 for symbols (Fano) and for normal answers (entropy power)."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d, h
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.theorems.b1_steps import BASE, EXPLAINED, OUTCOMES

chi = sp.Symbol("chi", real=True)
c, queries = sp.symbols("c B", integer=True, positive=True)
delta = sp.Symbol("delta", positive=True)
mean = sp.Symbol("u", real=True)
small, wide = sp.symbols("v s", positive=True)


def guess_by_chance() -> bool:
    """In rho_X x rho_Q the guess is right with (1/a) sum_v Tr M_v rho = 1/a."""
    for size in range(2, 6):
        rates = list(sp.symbols(f"t1:{size}", real=True))
        rates.append(1 - sum(rates))  # the outcomes' probabilities sum to 1
        if sp.expand(sum(sp.Rational(1, size) * t for t in rates)) != sp.Rational(
            1, size
        ):
            return False
    return True


def fano_form() -> bool:
    """d(1-delta || 1/a) = log a - h(delta) - delta log(a-1)."""
    extra = sp.Symbol("e", positive=True)
    size = 1 + extra  # a > 1, so that a - 1 is a positive symbol
    gap = d(1 - delta, 1 / size) - (
        sp.log(size) / sp.log(2) - h(delta) - delta * sp.log(extra) / sp.log(2)
    )
    nats = sp.expand(gap.rewrite(sp.log) * sp.log(2))
    # log((1-delta) a) and log(delta a/(a-1)), split for positive arguments.
    rest = sp.Symbol("k", positive=True)
    split = sp.together(nats).subs(1 - delta, rest)
    written = sp.expand_log(sp.expand(split), force=True)
    return sp.simplify(written.subs(rest, 1 - delta)) == 0


def fano_is_convex() -> bool:
    """d2/d delta2 of ln2 d(1-delta||1/a) is 1/(delta (1-delta)) > 0."""
    chance = sp.Symbol("t", positive=True)
    nats = (d(1 - delta, chance).rewrite(sp.log)) * sp.log(2)
    return is_zero(sp.diff(nats, delta, 2) - 1 / (delta * (1 - delta)))


def fano_law() -> bool:
    """L8.3, L1.2, B1.18 and B1.20 add up to c chi - B d(1-delta||1/a) >= 0."""
    joint, parts, tests, value = sp.symbols("I I_1 D d", real=True)
    premises = [c * chi - joint, joint - parts, parts - tests, tests - queries * value]
    return is_combination(premises, [1] * 4, c * chi - queries * value)


def symmetric_symbol() -> bool:
    """Eigenvalues 1-delta and delta/(a-1): chi = log a - h(delta) - delta log(a-1)."""
    for size in (2, 3, 4, 8):
        wrong = delta / (size - 1)
        kept = -(1 - delta) * sp.log(1 - delta) - (size - 1) * wrong * sp.log(wrong)
        needed = sp.log(size) - delta * sp.log(size - 1)
        needed -= h(delta).rewrite(sp.log) * sp.log(2)
        gap = sp.expand_log(sp.expand(sp.log(size) - kept - needed), force=True)
        if sp.simplify(gap) != 0:
            return False
    return True


def normal_comparison() -> bool:
    """E_P ln(g_{u,v}/g_{0,s}) = ln(s/v)/2 + (v+u^2)/(2s) - 1/2 from two moments of P.

    ln(g_{u,v}/g_{0,s}) is a quadratic polynomial of x, so that its mean needs only
    E x = u and E x^2 = v + u^2.
    """
    x = sp.Symbol("x", real=True)
    quadratic = sp.log(wide / small) / 2 - (x - mean) ** 2 / (2 * small)
    quadratic += x**2 / (2 * wide)
    powers = sp.Poly(quadratic, x)
    moments = [1, mean, small + mean**2]
    if powers.degree() != 2:
        return False
    average = sum(powers.coeff_monomial(x**k) * moments[k] for k in range(3))
    claim = (
        sp.log(wide / small) / 2 + (small + mean**2) / (2 * wide) - sp.Rational(1, 2)
    )
    # g_{u,v} and g_{0,s} themselves, to be sure of the polynomial.
    first = -sp.log(2 * sp.pi * small) / 2 - (x - mean) ** 2 / (2 * small)
    second = -sp.log(2 * sp.pi * wide) / 2 - x**2 / (2 * wide)
    densities = sp.expand(sp.expand_log(first - second - quadratic))
    return sp.expand(average - claim) == 0 and densities == 0


def gibbs() -> bool:
    """t - 1 - ln t >= 0: value and slope 0 at 1, curvature 1/t^2 > 0; so D >= 0."""
    ratio = sp.Symbol("t", positive=True)
    gap = ratio - 1 - sp.log(ratio)
    curvature = sp.diff(gap, ratio, 2)
    at_one = gap.subs(ratio, 1) == 0 and sp.diff(gap, ratio).subs(ratio, 1) == 0
    return at_one and is_zero(curvature - 1 / ratio**2) and bool(curvature.is_positive)


def posterior_variances() -> bool:
    """Mean over y of ln(s/v_y)/2 + (v_y+u_y^2)/(2s) - 1/2 >= ln(s/mean v)/2.

    The linear parts cancel because mean (v_y + u_y^2) = s (B1.8); -ln is convex.
    """
    weights = [*sp.symbols("w1 w2", positive=True)]
    weights.append(1 - sum(weights))
    variances, squares = (
        sp.symbols("v1:4", positive=True),
        sp.symbols("q1:4", real=True),
    )
    logs = [sp.log(wide / v) / 2 for v in variances]
    terms = [
        log + (v + square) / (2 * wide) - sp.Rational(1, 2)
        for log, v, square in zip(logs, variances, squares, strict=True)
    ]
    average = sum(w * term for w, term in zip(weights, terms, strict=True))
    only_logs = sum(w * log for w, log in zip(weights, logs, strict=True))
    spread = sum(
        w * (v + square)
        for w, v, square in zip(weights, variances, squares, strict=True)
    )
    linear = (spread - wide) / (2 * wide)  # 0 by B1.8
    convex = sp.diff(-sp.log(small), small, 2)
    return is_zero(average - only_logs - linear) and bool(convex.is_positive)


def normal_law() -> bool:
    """sum_j log(s_j/MMSE_j)/2 <= sum I <= c chi."""
    total, gains = sp.symbols("I G", real=True)
    return is_combination([c * chi - total, total - gains], [1, 1], c * chi - gains)


def small_tilt() -> bool:
    """P(Y=+-1) = (1 +- e X)/2: both sides are e^2/2 + e^4/4 + O(e^6) nats.

    E phi(e^2 X^2) ln2 = sum_k e^2k E X^2k/(2k(2k-1)) with E X^2k = (2k-1)!!, and
    -ln(1-e^2)/2 = sum_k e^2k/(2k).
    """
    pairs = [
        (sp.Rational(1, 2 * k * (2 * k - 1)) * sp.factorial2(2 * k - 1),
         sp.Rational(1, 2 * k))
        for k in (1, 2, 3)
    ]  # fmt: skip
    tilt = sp.Symbol("e", positive=True)
    series = sp.series(-sp.log(1 - tilt**2) / 2, tilt, 0, 8).removeO()
    written = sum(pair[1] * tilt ** (2 * k) for k, pair in enumerate(pairs, start=1))
    same = [first == second for first, second in pairs]
    return sp.expand(series - written) == 0 and same == [True, True, False]


FANO_STEPS = (
    BASE[0],
    Step("B1.17", "symbolic", "without the memory a guess is right with 1/a",
         guess_by_chance, ("B1.1",)),
    Step("B1.18", "symbolic", "I(X_j;Q^c) >= d(1-delta_j || 1/a), written out",
         fano_form, ("L2.1", "B1.17")),
    Step("B1.19", "symbolic", "that is convex in delta", fano_is_convex),
    Step("B1.20", "symbolic", "c chi >= B [log a - h(delta) - delta log(a-1)]",
         fano_law, ("L8.3", "L1.2", "B1.18", "B1.19"), concludes=True),
    Step("B1.21", "symbolic", "a symbol that another replaces at random: equality",
         symmetric_symbol, ("B1.20",)),
)  # fmt: skip
"""Steps of B1/fano."""

NORMAL_STEPS = (
    *BASE,
    OUTCOMES,
    EXPLAINED,
    Step("B1.22", "symbolic", "relative entropy is never negative", gibbs),
    Step("B1.23", "symbolic", "D(P||normal) is at least that of the normal with P's "
         "mean and variance", normal_comparison, ("B1.22",)),
    Step("B1.24", "symbolic", "I(X;Y) >= log(Var X/MMSE)/2 for normal X",
         posterior_variances, ("B1.5", "B1.8", "B1.23")),
    Step("B1.25", "symbolic", "sum_j log(Var X_j/MMSE_j)/2 <= c chi", normal_law,
         ("B1.3", "B1.24"), concludes=True),
    Step("B1.26", "symbolic", "a bit tilted by e X: equal to order e^4", small_tilt,
         ("B1.25",)),
)  # fmt: skip
"""Steps of B1/entropy-power."""

STEPS_FOR_SYMBOLS = with_lemmas(FANO_STEPS)
"""Steps of B1/fano with the lemmas it cites."""

STEPS_FOR_NORMAL = with_lemmas(NORMAL_STEPS)
"""Steps of B1/entropy-power with the lemmas it cites."""
