"""L4: noise that replaces blocks of qubits contracts D(rho || I/2^m) by lambda.

f(A) = |A| - S(rho_A) is supermodular, and that alone bounds its mean over the random
set A of blocks that survive. Blocks may be of any size and entangled in any way.
"""

import itertools
from collections.abc import Iterator, Mapping

import sympy as sp
from sympy.logic.inference import satisfiable

from qjax.bounds.bound import Checked, Step
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq, derived_from_entropies

Blocks = frozenset[int]

MOST_BLOCKS = 4
"""Sets of blocks are enumerated up to here; the texts argue for any number."""

lam, lost = sp.symbols("lambda mu", nonnegative=True)


def _subsets(blocks: int) -> Iterator[Blocks]:
    everything = range(1, blocks + 1)
    for size in range(blocks + 1):
        yield from map(frozenset, itertools.combinations(everything, size))


def _first(count: int) -> Blocks:
    return frozenset(range(1, count + 1))


def _set_function(blocks: int) -> Mapping[Blocks, sp.Expr]:
    """A symbol for f of every set of blocks; f of the empty set is 0."""
    return {
        kept: sp.Symbol("f_" + "".join(map(str, sorted(kept))), real=True)
        if kept
        else sp.S.Zero
        for kept in _subsets(blocks)
    }


def _weight(kept: Blocks, blocks: int) -> sp.Expr:
    """Probability that exactly these blocks survive, mu = 1 - lambda."""
    return lam ** len(kept) * lost ** (blocks - len(kept))


def block_divergence() -> bool:
    """D(rho_A (x) I/2^c || I/2^(a+c)) = (a+c) - [S(rho_A) + c] = a - S(rho_A)."""
    size, rest, entropy = sp.symbols("a c S", real=True)
    total, of_product = size + rest, entropy + rest
    return is_zero((total - of_product) - (size - entropy))


def replacement_mixture() -> bool | Checked:
    """The weights of the surviving sets sum to 1, and D(.||I/2^m) is convex.

    D(rho||I/2^m) = m - S(rho) and S is concave (certificate `concavity`).
    """
    for blocks in range(1, MOST_BLOCKS + 1):
        total = sp.Add(*(_weight(kept, blocks) for kept in _subsets(blocks)))
        if sp.expand(total.subs(lost, 1 - lam)) != 1:
            return False
    return derived_from_entropies("concavity")()


def increments() -> bool:
    """(A n [i]) u [i-1] = [i] and (A n [i]) n [i-1] = A n [i-1] for i in A.

    An element j is before, at or after i; both are tautologies in each case. So the
    increment of f at i is at most f([i]) - f([i-1]), for any number of blocks.
    """
    chosen, before, at = sp.symbols("j_in_A j_before_i j_at_i")
    upto = sp.Or(before, at)
    # At j = i membership is given: i lies in A.
    known = sp.And(sp.Implies(at, chosen), sp.Not(sp.And(before, at)))
    union = sp.Equivalent(sp.Or(sp.And(chosen, upto), before), upto)
    meet = sp.Equivalent(sp.And(chosen, upto, before), sp.And(chosen, before))
    claim = sp.Implies(known, sp.And(union, meet))
    return satisfiable(sp.Not(claim)) is False


def telescoping() -> bool:
    """sum_{i in A} [f(A n [i]) - f(A n [i-1])] = f(A), for every A of up to 4 blocks.

    In general: the sum over all i <= r telescopes, and terms with i not in A vanish.
    """
    for blocks in range(1, MOST_BLOCKS + 1):
        f = _set_function(blocks)
        for kept in _subsets(blocks):
            steps = [f[kept & _first(i)] - f[kept & _first(i - 1)] for i in kept]
            if sp.expand(sum(steps) - f[kept]) != 0:
                return False
    return True


def mean_bound() -> bool:
    """lambda f([r]) - E f(A) is a positive combination of supermodular gaps, r <= 4.

    The gaps are f([i]) + f(A n [i-1]) - f(A n [i]) - f([i-1]) for i in A, each with the
    probability of A: exact polynomials in lambda and mu = 1 - lambda >= 0.
    """
    for blocks in range(1, MOST_BLOCKS + 1):
        f = _set_function(blocks)
        gaps, weights = [], []
        for kept in _subsets(blocks):
            for i in kept:
                whole = f[_first(i)] - f[_first(i - 1)]
                gaps.append(whole - f[kept & _first(i)] + f[kept & _first(i - 1)])
                weights.append(_weight(kept, blocks))
        mean = sum(_weight(kept, blocks) * f[kept] for kept in _subsets(blocks))
        claim = lam * (lam + lost) ** (blocks - 1) * f[_first(blocks)] - mean
        # P(i survives) is lambda (lambda + mu)^(r-1): lambda at mu = 1 - lambda.
        if not is_combination(gaps, weights, sp.expand(claim)):
            return False
    return True


def one_layer() -> bool:
    """m - S(Phi(rho)) <= E f(A) and E f(A) <= lambda f([r]) add up."""
    out, mean, whole = sp.symbols("D_out Ef D", real=True)
    premises = [mean - out, lam * whole - mean]
    return is_combination(premises, [1, 1], lam * whole - out)


def layers_through_unitaries() -> bool:
    """D_{T+1} <= lambda D_T and D_T <= lambda^T D_0 give D_{T+1} <= lambda^(T+1) D_0.

    A unitary fixes I/2^m and changes no divergence. D_0 = m - S <= m since S >= 0.
    """
    count = sp.Symbol("T", integer=True, nonnegative=True)
    start, now, after, m, entropy = sp.symbols("D_0 D_T D_next m S", real=True)
    premises = [lam * now - after, lam**count * start - now]
    grown = sp.powsimp(lam * lam**count) * start - after
    induction = is_combination(premises, [1, lam], grown)
    pure = is_combination([entropy], [1], m - (m - entropy))
    return induction and pure


def holevo_of_layers() -> bool:
    """chi = sum p D(rho_x||I/2^m) - D(mean||I/2^m) <= sum p D(rho_x||I/2^m) <= m g."""
    total, mean, m, factor = sp.symbols("D_x D_mean m g", real=True)
    chi = total - mean
    premises = [mean, m * factor - total]
    # chi is also S(mean) - sum p S(rho_x), with D = m - S.
    entropy_mean, entropies = sp.symbols("S_mean S_x", real=True)
    written = (m - entropies) - (m - entropy_mean)
    same = is_zero(written - (entropy_mean - entropies))
    return same and is_combination(premises, [1, 1], m * factor - chi)


STEPS = (
    Step("L4.1", "symbolic", "D(rho_A (x) I/2^c || I/2^m) = |A| - S(rho_A) = f(A)",
         block_divergence),
    Step("L4.2", "entropic", "D(Phi(rho)||I/2^m) <= E f(A), A the surviving blocks",
         replacement_mixture, ("X1", "L4.1")),
    Step("L4.3", "entropic", "f is supermodular: f(ABC) + f(B) >= f(AB) + f(BC)",
         derived_from_entropies("l4_supermodular"), ("X1",)),
    Step("L4.4", "symbolic", "the increment of f at i in A is at most that in [i]",
         increments, ("L4.3",)),
    Step("L4.5", "exact", "f(A) is the sum of its increments at the blocks of A",
         telescoping),
    Step("L4.6", "exact", "E f(A) <= lambda f([r])", mean_bound, ("L4.4", "L4.5")),
    Step("L4.7", "symbolic", "D(Phi(rho)||I/2^m) <= lambda D(rho||I/2^m)", one_layer,
         ("L4.2", "L4.6")),
    Step("L4.8", "symbolic", "T layers with any unitaries between: D <= m lambda^T",
         layers_through_unitaries, ("L4.7",)),
    Step("L4.9", "symbolic", "chi <= m lambda^T after T such layers", holevo_of_layers,
         ("L4.8",)),
    Step("L4.10", "entropic", "r = 3, lambda = 2/3, by a linear program",
         derived_from_entropies("l4_contraction"), ("X1",)),
    Step("L4.11", "machine-checked", "L4.6 for any number of blocks and any f",
         compiled_by_coq("supermodular_contraction", "information_contraction",
                         "probabilities_sum_to_one")),
)  # fmt: skip
"""Steps of proofs/lemmas/contraction.md."""
