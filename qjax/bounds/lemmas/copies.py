"""L8: c copies hold at most c times the information of one."""

import sympy as sp

from qjax.bounds.bound import Checked, Step
from qjax.bounds.entropic.stored import replay_certificate, stored_certificate


def two_copies() -> Checked:
    """Certificate: I(X;Q1 Q2) <= I(X;Q1) + I(X;Q2) for Q1, Q2 independent given X."""
    name = "l8_conditional_independence"
    summands = str(stored_certificate(name)).splitlines()[2:]
    note = "; ".join(line.strip() for line in summands)
    return Checked(replay_certificate(name), note)


def two_copies_by_hand() -> bool:
    """I(X;Q1)+I(X;Q2)-I(X;Q1Q2) = [S1 + S2 - S12] - [S(1|X) + S(2|X) - S(12|X)].

    The first bracket is subadditivity; the second vanishes for product states.
    """
    names = "S_1 S_2 S_12 S_1|X S_2|X S_12|X"
    first, second, both, first_x, second_x, both_x = sp.symbols(names, real=True)
    gap = (first - first_x) + (second - second_x) - (both - both_x)
    subadditive, product = first + second - both, first_x + second_x - both_x
    return sp.expand(gap - (subadditive - product)) == 0


def induction() -> bool:
    """I_1 <= chi and I_{c+1} <= I_c + chi give I_c <= c chi, by induction."""
    chi = sp.Symbol("chi", real=True)
    count = sp.Symbol("c", integer=True, positive=True)
    claimed = count * chi
    start = sp.expand(claimed.subs(count, 1) - chi) == 0
    step = sp.expand(claimed.subs(count, count + 1) - claimed - chi) == 0
    return start and step


STEPS = (
    Step("L8.1", "entropic", "I(X;Q1 Q2) <= I(X;Q1) + I(X;Q2) for copies given X",
         two_copies, ("X1",)),
    Step("L8.2", "symbolic", "the same from subadditivity, by hand",
         two_copies_by_hand, ("X1",)),
    Step("L8.3", "symbolic", "I(X;Q^c) <= c chi", induction, ("L8.1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/copies.md."""
