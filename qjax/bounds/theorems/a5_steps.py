"""The proof of the update lifetime A5; numbers are headings of proofs/a5.md."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.theorems.a1_steps import (
    block_information,
    information_chain,
    joint_convexity,
    mixture_acceptance,
)

layers, updates = sp.symbols("T L", integer=True, nonnegative=True)
lam = sp.Symbol("lambda", positive=True)


def one_query() -> bool:
    """Steps A1.3 to A1.5 for the surviving elements: same identities."""
    return block_information() and mixture_acceptance() and joint_convexity()


def counted_layers() -> bool:
    """L updates of T layers are TL layers: the exponents multiply."""
    squared = (lam ** (2 * layers)) ** updates / lam ** (2 * layers * updates)
    single = (lam**layers) ** updates / lam ** (layers * updates)
    return is_zero(sp.powsimp(squared) - 1) and is_zero(sp.powsimp(single) - 1)


def conclusion() -> bool:
    """chi - n d >= 0 and m g - chi >= 0 give m g - n d >= 0."""
    chi, needed, available = sp.symbols("chi nd mg", real=True)
    premises = [chi - needed, available - chi]
    return is_combination(premises, [1, 1], available - needed) and counted_layers()


def horizon() -> bool:
    """log nd <= log m - 2TL log(1/lambda) gives L <= log(m/nd)/(2T log(1/lambda))."""
    log_needed, log_memory = sp.symbols("log_nd log_m", real=True)
    rate, count = sp.symbols("R T_1", positive=True)  # log(1/lambda), T >= 1
    premise = log_memory - 2 * count * updates * rate - log_needed
    limit = (log_memory - log_needed) / (2 * count * rate)
    return is_combination([premise], [1 / (2 * count * rate)], limit - updates)


COMMON = (
    Step("A5.1", "hypothesis", "n surviving uniform elements, one in each of n blocks"),
    Step("A5.2", "definition", "I(X^n;Q) is the Holevo quantity of the updated memory, "
         "for each fixed sequence of updates", cites=("A5.1",)),
    Step("A5.3", "symbolic", "each I(X_i;Q) is at least the mean of d over queries",
         one_query, ("A5.1", "L2.1")),
    Step("A5.4", "symbolic", "chi >= n d(p || alpha_b)", information_chain,
         ("A5.2", "L1.2", "A5.3")),
)  # fmt: skip

ONE_QUBIT = (
    *COMMON,
    Step("A5.5", "symbolic", "n d(p || alpha_b) <= m lambda^2TL", conclusion,
         ("A5.4", "L5.2"), concludes=True),
    Step("A5.7", "symbolic", "L <= log(m/(n d)) / (2T log(1/lambda))", horizon,
         ("A5.5",)),
)  # fmt: skip
"""Steps for one-qubit depolarizing noise."""

BLOCK = (
    *COMMON,
    Step("A5.6", "symbolic", "block noise: n d(p || alpha_b) <= m lambda^TL",
         conclusion, ("A5.4", "L4.9"), concludes=True),
)  # fmt: skip
"""Steps for noise that replaces blocks."""

STEPS = {"interleaved": with_lemmas(ONE_QUBIT), "block": with_lemmas(BLOCK)}
"""All steps by the name of the noise."""
