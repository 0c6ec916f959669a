"""The proof of the no-advantage corollary A9; numbers are headings of proofs/a9.md."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.theorems.a1_steps import information_chain
from qjax.bounds.theorems.a5_steps import one_query

b, k = sp.symbols("b k", integer=True, positive=True)
j = sp.Symbol("j", integer=True, nonnegative=True)


def certain_members() -> bool:
    """d(1||q) = log2(1/q), and p/b + (1-1/b) a at p = 1 is 1/b + (1-1/b) a."""
    q, a = sp.symbols("q a", positive=True)
    p = sp.Symbol("p", positive=True)
    mixture = (p / b + (1 - 1 / b) * a).subs(p, 1)
    same = is_zero(mixture - (1 / b + (1 - 1 / b) * a))
    return same and sp.expand(d(sp.S.One, q) + sp.log(q) / sp.log(2)) == 0


def memory_needed() -> bool:
    """chi >= n log2(1/alpha_b) and m >= chi give m >= n log2(1/alpha_b)."""
    chi, needed, m = sp.symbols("chi needed m", real=True)
    return is_combination([chi - needed, m - chi], [1, 1], m - needed)


def balanced_fingerprints() -> bool:
    """b = k 2^j: k - 1 of the b - 1 others collide, and alpha_b = k/b = 2^-j."""
    size = k * 2**j
    collide = (k - 1) / (size - 1)
    mixture = 1 / size + (1 - 1 / size) * collide
    bits = sp.expand_log(-sp.log(2 ** (-j)) / sp.log(2), force=True)
    return is_zero(sp.simplify(mixture - 2 ** (-j))) and is_zero(bits - j)


def asymptotic_gap() -> bool:
    """C <= (1+o) W + K n, m >= W - n D give C - m <= o W + n (K + D).

    W = n log2(1/alpha); D = log2(1 + (1-alpha)/(b alpha)) since alpha_b =
    alpha + (1-alpha)/b. D <= 1/(b alpha ln2) vanishes for b alpha -> oo.
    """
    classical, memory, work = sp.symbols("C m W", real=True)
    small, extra, shift, count = sp.symbols("o K D n", nonnegative=True)
    premises = [(1 + small) * work + extra * count - classical,
                memory - (work - count * shift)]  # fmt: skip
    claim = small * work + count * (extra + shift) - (classical - memory)
    alpha, size = sp.symbols("alpha b", positive=True)
    ratio = (1 / size + (1 - 1 / size) * alpha) / alpha
    same = is_zero(ratio - (1 + (1 - alpha) / (size * alpha)))
    # (1 - alpha)/(b alpha) <= 1/(b alpha), and log2(1 + x) <= x/ln2.
    slope = is_zero(1 / (size * alpha) - (1 - alpha) / (size * alpha) - 1 / size)
    return is_combination(premises, [1, 1], claim) and same and slope


def bloom_constant() -> bool:
    """(1 - e^(-k n/m))^k is least at k = (m/n) ln2, where it is 2^-k: m ln2 = n k.

    So Bloom filters need 1/ln2 = 1.4427 times n log2(1/alpha), more than is needed.
    """
    hashes, load = sp.symbols("k load", positive=True)  # load = n/m
    log_rate = hashes * sp.log(1 - sp.exp(-hashes * load))
    best = sp.log(2) / load
    flat = sp.simplify(sp.diff(log_rate, hashes).subs(hashes, best)) == 0
    rate = sp.simplify(log_rate.subs(hashes, best) + best * sp.log(2)) == 0
    # log2(1/alpha) = k and m = n k / ln2.
    memory = is_zero(1 / load - best / sp.log(2))
    return flat and rate and memory and bool(1 / sp.log(2) > 1)


QUANTUM = (
    Step("A9.1", "hypothesis", "one uniform element in each of n blocks of size b; "
         "members are always accepted"),
    Step("A9.2", "definition", "I(X^n;Q) is the Holevo quantity of the memory",
         cites=("A9.1",)),
    Step("A9.3", "symbolic", "each I(X_i;Q) is at least the mean of d over queries",
         one_query, ("A9.1", "L2.1")),
    Step("A9.4", "symbolic", "chi >= n d(1 || alpha_b)", information_chain,
         ("A9.2", "L1.2", "A9.3")),
    Step("A9.5", "symbolic", "d(1 || alpha_b) = log2(1/alpha_b)", certain_members),
    Step("A9.6", "symbolic", "m >= n log2(1/alpha_b)", memory_needed,
         ("A9.4", "A9.5", "L6e.1"), concludes=True),
    Step("A9.8", "symbolic", "all n-subsets: classical minus quantum memory is lower "
         "order", asymptotic_gap, ("A9.6", "X9")),
    Step("A9.9", "symbolic", "Bloom filters need 1/ln2 times the least memory",
         bloom_constant),
)  # fmt: skip
"""Steps of the lower bound, which every quantum structure obeys."""

CLASSICAL = (
    Step("A9.7", "symbolic", "balanced fingerprints of j bits: alpha_b = 2^-j, m = n j",
         balanced_fingerprints, concludes=True),
)  # fmt: skip
"""Steps of the law that classical fingerprints obey."""

STEPS = {"quantum": with_lemmas(QUANTUM), "classical": with_lemmas(CLASSICAL)}
"""All steps by what they are about."""
