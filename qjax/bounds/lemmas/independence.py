"""L1: information about independent parts adds up."""

import sympy as sp

from qjax.bounds.bound import Step


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


STEPS = (
    Step("L1.1", "symbolic", "I(AB;Q) >= I(A;Q) + I(B;Q) for independent A, B",
         superadditivity, ("X1",)),
    Step("L1.2", "symbolic", "I(X^n;Q) >= sum_i I(X_i;Q)", telescoping, ("L1.1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/independence.md."""
