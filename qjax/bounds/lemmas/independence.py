"""L1: information about independent parts adds up."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.certificates import derived_from_entropies


def telescoping() -> bool:
    """sum_{k<=n} [I(X^k;Q) - I(X^{k-1};Q)] = I(X^n;Q) - I(X^0;Q), by induction on n."""
    n = sp.Symbol("n", integer=True, positive=True)
    total = sp.Function("I")
    partial = total(n) - total(0)  # claimed sum of the first n differences
    base = partial.subs(n, 1) - (total(1) - total(0))
    step = partial.subs(n, n + 1) - partial - (total(n + 1) - total(n))
    return sp.expand(base) == 0 and sp.expand(step) == 0


STEPS = (
    Step("L1.1", "entropic", "I(AB;Q) >= I(A;Q) + I(B;Q) for independent A, B",
         derived_from_entropies("l1_two_parts", "l1_three_parts"), ("X1",)),
    Step("L1.2", "symbolic", "I(X^n;Q) >= sum_i I(X_i;Q)", telescoping, ("L1.1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/independence.md."""
