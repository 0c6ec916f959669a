"""L7: a test that tells two states apart with errors alpha, beta needs them far apart.

1 - alpha - beta <= ||rho - sigma||_1 / 2, with equality for Helstrom's test.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.algebra import is_combination, is_zero

t, u, v = sp.symbols("t Tr_MP Tr_MQ", real=True)


def best_test() -> bool:
    """rho - sigma = P - Q with P, Q >= 0 of one trace t = ||rho - sigma||_1 / 2.

    t - Tr M(rho - sigma) = Tr (I-M)P + Tr MQ, and both are >= 0 for 0 <= M <= I.
    """
    positive, negative = sp.symbols("Tr_P Tr_Q", real=True)
    # Tr(rho - sigma) = 0 and ||rho - sigma||_1 = Tr P + Tr Q fix both traces.
    equations = [positive - negative, positive + negative - 2 * t]
    traces = sp.solve(equations, [positive, negative], dict=True)
    same = traces == [{positive: t, negative: t}]
    rejected = t - u  # Tr (I - M) P
    return same and is_combination([rejected, v], [1, 1], t - (u - v))


def error_gap() -> bool:
    """Tr M rho >= 1 - beta and Tr M sigma <= alpha give 1 - alpha - beta <= t."""
    member, other, alpha, beta = sp.symbols("p q alpha beta", real=True)
    premises = [t - (member - other), member - (1 - beta), alpha - other]
    return is_combination(premises, [1, 1, 1], t - (1 - alpha - beta))


def helstrom_attains() -> bool:
    """M the projector on P: Tr MP = t and Tr MQ = 0, so Tr M(rho - sigma) = t."""
    return is_zero((u - v).subs({u: t, v: 0}) - t)


STEPS = (
    Step("L7.1", "symbolic", "Tr M(rho - sigma) <= ||rho - sigma||_1 / 2", best_test),
    Step("L7.2", "symbolic", "1 - alpha - beta <= ||rho_S - rho_S'||_1 / 2", error_gap,
         ("L7.1",)),
    Step("L7.3", "symbolic", "Helstrom's test attains it", helstrom_attains, ("L7.1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/distance.md."""
