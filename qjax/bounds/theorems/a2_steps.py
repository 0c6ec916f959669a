"""The proof of Corollary A2: from d to the logarithm, from lambda^2T to 1 - c T eps."""

import math

import sympy as sp

from qjax.bounds.bound import Checked, Step
from qjax.bounds.certified import certify_threshold_table
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq
from qjax.bounds.theorems import a1_steps

CONSTANTS = {"interleaved": 1 / sp.log(2), "block": 1 / (2 * sp.log(2))}
"""c by noise."""

EXPONENTS = {"interleaved": 2, "block": 1}
"""The noise contracts by lambda^(k T)."""


def needed_logarithm() -> bool:
    """chi >= n d >= n (1-s) log(1/s) >= (n/2) log(1/s) for s <= 1/2."""
    chi, needed, core = sp.symbols("chi D L", real=True)
    n, gap = sp.symbols("n g", nonnegative=True)  # s = 1/2 - g
    chain = is_combination([chi - n * needed, needed - core], [1, n], chi - n * core)
    log = sp.Symbol("l", nonnegative=True)
    half = (1 - (sp.Rational(1, 2) - gap)) * log - log / 2
    return chain and is_combination([log], [gap], sp.expand(half))


def survival_bound() -> bool:
    """-ln(1 - eps) - eps has value 0 at 0 and slope eps/(1 - eps) >= 0.

    So lambda^-T >= e^(T eps), and its k-th power for k T layers' worth.
    """
    eps = sp.Symbol("eps", positive=True)
    gap = -sp.log(1 - eps) - eps
    slope = is_zero(sp.diff(gap, eps) - eps / (1 - eps))
    return slope and gap.subs(eps, 0) == 0


def chord() -> bool:
    """2 ln2 y + ln(1-y) is concave with the value 0 at y = 0 and y = 1/2.

    Its second derivative is -1/(1-y)^2; a concave function lies above its chord.
    """
    y = sp.Symbol("y", real=True)
    gap = 2 * sp.log(2) * y + sp.log(1 - y)
    curved = is_zero(sp.diff(gap, y, 2) + 1 / (1 - y) ** 2)
    ends = [gap.subs(y, 0), sp.expand_log(gap.subs(y, sp.Rational(1, 2)), force=True)]
    return curved and all(sp.simplify(end) == 0 for end in ends)


def constants_fit() -> bool:
    """2 ln2 * c = k: with y = c T eps, e^(k T eps) = e^(2 ln2 y) >= 1/(1-y)."""
    pairs = zip(CONSTANTS.values(), EXPONENTS.values(), strict=True)
    return all(sp.simplify(2 * sp.log(2) * c - k) == 0 for c, k in pairs)


def conclusion() -> bool:
    """chi >= X and chi <= m/w, 1/w <= 1 - y with y < 1: m (1-y) >= X."""
    x, chi, kept = sp.symbols("X chi kappa", real=True)
    m = sp.Symbol("m", nonnegative=True)
    bound = sp.Symbol("y_1", real=True)  # 1 - y
    premises = [chi - x, m * kept - chi, bound - kept]
    return is_combination(premises, [1, 1, m], m * bound - x)


def soundness_thresholds() -> Checked:
    """Certified x* of each c, rounded down: beyond it the denominator over-claims."""
    rows = certify_threshold_table()
    shown = ", ".join(
        f"c={float(row.slope):.4g}: {math.floor(row.root.low * 10**4) / 10**4}"
        for row in rows
    )
    return Checked(all(row.holds for row in rows), shown)


OWN = (
    Step("A2.1", "symbolic", "chi >= n (1-s) log2(1/s), and 1-s >= 1/2 for s <= 1/2",
         needed_logarithm, ("A1.6", "L3.3")),
    Step("A2.2", "symbolic", "lambda^-T >= e^(T eps)", survival_bound),
    Step("A2.3", "symbolic", "-ln(1-y) <= 2 ln2 y on [0, 1/2]", chord),
    Step("A2.4", "symbolic", "c = 1/ln2 for lambda^2T, 1/(2 ln2) for lambda^T",
         constants_fit, ("A2.2", "A2.3")),
    Step("A2.5", "machine-checked", "A2.2, A2.3 and both denominators, ends included",
         compiled_by_coq("bernoulli", "survival_below_exponential",
                         "exponential_chord", "exponential_chord_ends",
                         "denominator_one_qubit", "denominator_block")),
    Step("A2.8", "certified", "1 - c x >= 1 - h((1+e^-x)/2) iff x <= x*, for six c",
         soundness_thresholds),
)  # fmt: skip

CONCLUSIONS = {"interleaved": ("A2.6", "L5.2"), "block": ("A2.7", "L4.9")}
"""Number of the concluding step and of the capacity it rests on, by noise."""


def steps_for(noise: str) -> tuple[Step, ...]:
    """All steps of Corollary A2 under a noise, with those of A1 and of lemmas."""
    number, capacity = CONCLUSIONS[noise]
    claim = f"m >= n (1-s) log2(1/s)/(1 - c T eps), {noise} noise"
    cites = ("A2.1", "A2.4", capacity)
    end = Step(number, "symbolic", claim, conclusion, cites, concludes=True)
    return with_lemmas((*a1_steps.SHARED, *OWN, end))
