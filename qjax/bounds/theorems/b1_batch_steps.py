"""The proof of Corollary B1', the size of a batch, as checks of algebra.

Numbers are headings of proofs/b1_batch.md; the lemmas it cites are in proofs/lemmas/.
"""

import itertools

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d, h
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero

delta = sp.Symbol("delta", positive=True)
lam = sp.Symbol("lambda", nonnegative=True)
m, queries = sp.symbols("m B", integer=True, positive=True)


def guess_as_test() -> bool:
    """Without the memory a fair bit is guessed with (t + (1-t))/2 = 1/2."""
    chance = sp.Symbol("t", real=True)
    return is_zero((chance + (1 - chance)) / 2 - sp.Rational(1, 2))


def one_bit() -> bool:
    """d(1-delta || 1/2) = 1 - h(delta), with curvature 1/(delta(1-delta)) > 0."""
    gap = d(1 - delta, sp.S.Half) - (1 - h(delta))
    written = sp.expand_log(sp.expand(gap.rewrite(sp.log)), force=True)
    nats = (sp.S.One - h(delta)).rewrite(sp.log) * sp.log(2)
    curvature = is_zero(sp.diff(nats, delta, 2) - 1 / (delta * (1 - delta)))
    return sp.simplify(written) == 0 and curvature


def batch_of_bits() -> bool:
    """L6a.5, L1.2 and B1b.2 add up to m kappa - B (1 - h(delta)) >= 0."""
    memory, joint, parts, bit = sp.symbols("mk chi I_1 b", real=True)
    premises = [memory - joint, joint - parts, parts - queries * bit]
    return is_combination(premises, [1, 1, 1], memory - queries * bit)


def noisy_bits_are_sharp() -> bool:
    """B = m, delta = (1-lambda)/2: 1 - h((1-lambda)/2) = 1 - h((1+lambda)/2)."""
    level = sp.Symbol("l", positive=True)
    gap = (h((1 + level) / 2) - h((1 - level) / 2)).rewrite(sp.log)
    return sp.simplify(sp.expand_log(sp.expand(gap), force=True)) == 0


def kept_and_replaced() -> bool:
    """D_lambda on each of m qubits is a mixture over the set A of kept qubits.

    Weight lambda^|A| (1-lambda)^(m-|A|): they are >= 0, sum to 1, and applying one more
    qubit's noise to the mixture gives that of m + 1 qubits (checked as a product of
    non-commuting symbols: R replaces, K keeps).
    """
    factors = [
        [(lam, sp.Symbol(f"K{i}", commutative=False)),
         (1 - lam, sp.Symbol(f"R{i}", commutative=False))]
        for i in range(3)
    ]  # fmt: skip
    product = sp.S.One
    for (keep, kept), (drop, replaced) in factors:
        product = product * (keep * kept + drop * replaced)
    mixture, weights = sp.S.Zero, sp.S.Zero
    for choice in itertools.product((0, 1), repeat=3):
        weight, term = sp.S.One, sp.S.One
        for i, side in enumerate(choice):
            weight = weight * factors[i][side][0]
            term = term * factors[i][side][1]
        mixture, weights = mixture + weight * term, weights + weight
    return sp.expand(product - mixture) == 0 and sp.expand(weights - 1) == 0


def largest_eigenvalue() -> bool:
    """sum_A lambda^|A| (1-lambda)^(m-|A|) 2^-(m-|A|) = ((1+lambda)/2)^m.

    By the binomial theorem, checked for m = 1..6 and by one more factor for every m.
    """
    half = (1 - lam) / 2
    for count in range(1, 7):
        total = sum(
            sp.binomial(count, kept) * lam**kept * half ** (count - kept)
            for kept in range(count + 1)
        )
        if not is_zero(total - ((1 + lam) / 2) ** count):
            return False
    # (lam + (1-lam)/2)^m: one qubit more is one factor more.
    return is_zero(lam + half - (1 + lam) / 2)


def joint_success() -> bool:
    """2^-B sum_x Tr M_x rho_x <= 2^-B ((1+lambda)/2)^m 2^m = (1+lambda)^m/2^B.

    ((1+lambda)/2)^m Tr M_x - Tr M_x rho_x >= 0 for each word, sum_x Tr M_x = 2^m.
    """
    top = sp.Symbol("top", real=True)
    traces, hits = sp.symbols("t1:5", real=True), sp.symbols("s1:5", real=True)
    words = len(traces)
    premises = [top * t - s for t, s in zip(traces, hits, strict=True)]
    weight = sp.Rational(1, words)
    claim = top * sum(traces) * weight - sum(hits) * weight
    dimension = sp.powsimp(((1 + lam) / 2) ** m * 2**m, force=True)
    same = (
        sp.simplify(sp.expand_power_base(dimension, force=True) - (1 + lam) ** m) == 0
    )
    return is_combination(premises, [weight] * words, claim) and same


def words_are_sharp() -> bool:
    """One bit per qubit: every bit is right with (1+lambda)/2, all m = B of them."""
    right = ((1 + lam) / 2) ** m
    claim = (1 + lam) ** m / 2**m
    return sp.simplify(sp.expand_power_base(right - claim, force=True)) == 0


OWN = (
    Step("B1b.1", "hypothesis", "B independent fair bits; each query measures one copy "
         "of m qubits after storage noise"),
    Step("B1b.2", "symbolic", "I(X_j;Q) >= d(1-delta_j || 1/2)", guess_as_test,
         ("L2.1", "B1b.1")),
    Step("B1b.3", "symbolic", "d(1-delta||1/2) = 1 - h(delta), convex in delta",
         one_bit),
    Step("B1b.4", "symbolic", "B (1 - h(delta)) <= m kappa", batch_of_bits,
         ("L6a.5", "L1.2", "B1b.2", "B1b.3"), concludes=True),
    Step("B1b.5", "symbolic", "one noisy bit per qubit: equality at every lambda",
         noisy_bits_are_sharp, ("B1b.4",)),
)  # fmt: skip
"""Steps of B1' in order."""

JOINT = (
    OWN[0],
    Step("B1b.6", "symbolic", "depolarized qubits are kept or replaced, independently",
         kept_and_replaced),
    Step("B1b.7", "symbolic", "no eigenvalue of the memory exceeds ((1+lambda)/2)^m",
         largest_eigenvalue, ("B1b.6",)),
    Step("B1b.8", "symbolic", "p <= (1+lambda^T)^m/2^B", joint_success,
         ("B1b.1", "L6a.1", "B1b.7"), concludes=True),
    Step("B1b.9", "symbolic", "one noisy bit per qubit: equality at every lambda",
         words_are_sharp, ("B1b.8",)),
)  # fmt: skip
"""Steps of B1'/joint in order."""

STEPS = with_lemmas(OWN)
"""Steps of B1' with the lemmas it cites."""

STEPS_FOR_WORDS = with_lemmas(JOINT)
"""Steps of B1'/joint with the lemmas it cites."""
