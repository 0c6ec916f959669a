"""L5: one-qubit depolarizing noise contracts D(rho || I/2^m) by lambda^2 per layer.

A module of its own, so that bounds on block noise, which rest on L4 alone, do not list
the theorem that is trusted here.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.algebra import is_combination, is_zero

lam = sp.Symbol("lambda", nonnegative=True)


def layers_through_unitaries() -> bool:
    """D_{T+1} <= lambda^2 D_T gives D_T <= lambda^(2T) D_0 by induction; D_0 <= m."""
    count = sp.Symbol("T", integer=True, nonnegative=True)
    start, now, after, m, entropy = sp.symbols("D_0 D_T D_next m S", real=True)
    premises = [lam**2 * now - after, lam ** (2 * count) * start - now]
    power = sp.powsimp(lam**2 * lam ** (2 * count))
    same = is_zero(sp.expand(power / lam ** (2 * (count + 1))) - 1)
    induction = is_combination(premises, [1, lam**2], power * start - after)
    return same and induction and is_combination([entropy], [1], m - (m - entropy))


def holevo_of_layers() -> bool:
    """chi = sum p D(rho_x||I/2^m) - D(mean||I/2^m), and the last term is >= 0."""
    total, mean, m, factor = sp.symbols("D_x D_mean m g", real=True)
    premises = [mean, m * factor - total]
    return is_combination(premises, [1, 1], m * factor - (total - mean))


STEPS = (
    Step("L5.1", "symbolic", "T layers with any unitaries between: D <= m lambda^2T",
         layers_through_unitaries, ("X4",)),
    Step("L5.2", "symbolic", "chi <= m lambda^2T after T such layers",
         holevo_of_layers, ("L5.1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/one_qubit_contraction.md."""
