"""The proof of Theorem A1, step by step, as checks that computer algebra can decide.

Numbers are headings of proofs/a1.md; the lemmas it cites are in proofs/lemmas/.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import d, h
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import divergence_in_nats, is_combination, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq

p, q = sp.symbols("p q", positive=True)
x, y = sp.symbols("x y", real=True)
b = sp.Symbol("b", positive=True)
a = sp.Symbol("a", nonnegative=True)
lam = sp.Symbol("lambda", nonnegative=True)


def block_information() -> bool:
    """S(mean) - mean S = mean D(rho_x || mean), by linearity of the trace, b = 2..5."""
    log_mean = sp.MatrixSymbol("L", 2, 2)
    for size in range(2, 6):
        states = [sp.MatrixSymbol(f"R{i}", 2, 2) for i in range(size)]
        logs = [sp.MatrixSymbol(f"L{i}", 2, 2) for i in range(size)]
        weight = sp.Rational(1, size)
        mean = weight * sp.MatAdd(*states)
        entropy_mean = -sp.trace(sp.expand(mean * log_mean))
        pairs = list(zip(states, logs, strict=True))
        entropies = sum(-sp.trace(rho * log) for rho, log in pairs)
        gaps = [sp.trace(rho * log) - sp.trace(rho * log_mean) for rho, log in pairs]
        divergences = sum(gaps)
        gap = entropy_mean - weight * entropies - weight * divergences
        if sp.expand(gap.doit()) != 0:
            return False
    return True


def mixture_acceptance() -> bool:
    """(1/b) p + (1-1/b) a = a + (p-a)/b: acceptance in the mean state, alpha_b."""
    return is_zero(p / b + (1 - 1 / b) * a - (a + (p - a) / b))


def joint_convexity() -> bool:
    """v^T Hess d v ln2 = p (x/p - y/q)^2 + (1-p)(x/(1-p) - y/(1-q))^2 >= 0."""
    nats = divergence_in_nats(p, q)
    hessian = sp.hessian(nats, (p, q))
    vector = sp.Matrix([x, y])
    form = (vector.T * hessian * vector)[0]
    squares = p * (x / p - y / q) ** 2
    squares += (1 - p) * (x / (1 - p) - y / (1 - q)) ** 2
    return is_zero(form - squares)


def information_chain() -> bool:
    """Steps A1.2, L1.2, A1.3 with L2.1, A1.5 add up to chi(Phi) - n d >= 0."""
    chi, joint, single, tested, mean = sp.symbols("chi I I_1 D_1 d", real=True)
    n = sp.Symbol("n", integer=True, positive=True)
    premises = [chi - joint, joint - single, single - tested, tested - n * mean]
    return is_combination(premises, [1, 1, 1, 1], chi - n * mean)


def monotonicity() -> bool:
    """G(p,a) = d(p||p/b+(1-1/b)a): dG/da <= 0 and dG/dp >= 0 for p >= a.

    dG/da ln2 = -(1-1/b)^2 (p-a)/(q(1-q)); dG/dp vanishes at p = a and d2G/dp2 is the
    quadratic form of step A1.5 along (1, 1/b), hence >= 0.
    """
    mixture = p / b + (1 - 1 / b) * a
    nats = divergence_in_nats(p, mixture)
    in_a = -((1 - 1 / b) ** 2) * (p - a) / (mixture * (1 - mixture))
    first = is_zero(sp.diff(nats, a) - in_a)
    start = sp.simplify(sp.diff(nats, p).subs(p, a)) == 0
    curve = p * (1 / p - 1 / (b * mixture)) ** 2
    curve += (1 - p) * (1 / (1 - p) - 1 / (b * (1 - mixture))) ** 2
    return first and start and is_zero(sp.diff(nats, p, 2) - curve)


def conclusion() -> bool:
    """chi(Phi) - n d >= 0 and m kappa - chi(Phi) >= 0 give m kappa - n d >= 0."""
    chi, needed, available = sp.symbols("chi nd mk", real=True)
    premises = [chi - needed, available - chi]
    return is_combination(premises, [1, 1], available - needed)


def sic_equality() -> bool:
    """SIC filter: p = (1+l)/2, a = (3-l)/6, alpha_b = 1/2, d = 1 - h((1+l)/2)."""
    corners = [
        sp.Matrix([0, 0, 1]),
        sp.Matrix([2 * sp.sqrt(2) / 3, 0, -sp.Rational(1, 3)]),
        sp.Matrix([-sp.sqrt(2) / 3, sp.sqrt(6) / 3, -sp.Rational(1, 3)]),
        sp.Matrix([-sp.sqrt(2) / 3, -sp.sqrt(6) / 3, -sp.Rational(1, 3)]),
    ]
    table = sp.Matrix(4, 4, lambda i, j: (1 + lam * corners[i].dot(corners[j])) / 2)
    accepted = sp.Rational(1, 4) * sum(table[i, i] for i in range(4))
    others = sum(table[i, j] for i in range(4) for j in range(4) if i != j)
    others = sp.Rational(1, 12) * others
    mixture = sp.expand(accepted / 4 + sp.Rational(3, 4) * others)
    if sp.expand(accepted - (1 + lam) / 2) != 0 or mixture != sp.S.Half:
        return False
    level = sp.Symbol("l", positive=True)
    gap = d((1 + level) / 2, sp.S.Half) - (1 - h((1 + level) / 2))
    # d(p||1/2) = p log2(2p) + (1-p) log2(2(1-p)): split the logarithms, then compare.
    written = sp.expand_log(sp.expand(gap.rewrite(sp.log)), force=True)
    return sp.simplify(written) == 0


OWN = (
    Step("A1.1", "hypothesis", "one uniform element X_i in each of n blocks of size b"),
    Step("A1.2", "definition", "I(X^n;Q) is the ensemble's Holevo quantity <= chi(Phi)",
         cites=("A1.1",), source="A. S. Holevo, Probl. Inf. Transm. 9, 177 (1973)"),
    Step("A1.3", "symbolic", "I(X_i;Q) = mean over x of D(rho^(i,x) || mean state)",
         block_information, ("A1.1",)),
    Step("A1.4", "symbolic", "the mean state is accepted with p/b + (1-1/b) a",
         mixture_acceptance, ("A1.1",)),
    Step("A1.5", "symbolic", "d is jointly convex, so averages may be taken inside",
         joint_convexity),
    Step("A1.6", "symbolic", "chi(Phi) >= n d(p || p/b + (1-1/b) a)",
         information_chain, ("A1.2", "L1.2", "A1.3", "L2.1", "A1.4", "A1.5")),
    Step("A1.7", "symbolic", "G grows in p and falls in a where p >= a", monotonicity,
         ("A1.5",)),
    Step("A1.8", "symbolic", "the SIC filter gives equality at every lambda",
         sic_equality, ("A1.6",)),
    Step("A1.17", "machine-checked", "A1.5 for every finite average, edges included",
         compiled_by_coq("divergence_usual_form", "joint_convexity")),
    Step("A1.18", "machine-checked", "A1.7: worst-case errors may be put in",
         compiled_by_coq("needed_increases_with_acceptance",
                         "needed_decreases_with_false_positives",
                         "worst_case_errors")),
)  # fmt: skip
"""Steps of proofs/a1.md that every noise shares, in order."""

SHARED = tuple(step for step in OWN if step.number not in ("A1.8", "A1.17", "A1.18"))
"""Steps A1.1 to A1.7: what corollaries start from."""

CAPACITIES = {
    "depolarizing": ("A1.9", "L6a.5"),
    "dephasing": ("A1.10", "L6e.1"),
    "damping": ("A1.11", "L6d.4"),
    "generalized-damping": ("A1.12", "L6d.5"),
    "relaxation": ("A1.13", "L6b.5"),
    "replacement": ("A1.14", "L6c.4"),
    "interleaved": ("A1.15", "L5.2"),
    "block": ("A1.16", "L4.9"),
}
"""For each noise, the number of the concluding step and of its capacity's step."""


def steps_for(noise: str) -> tuple[Step, ...]:
    """All steps of Theorem A1 under a noise of the memory, with the lemmas it uses."""
    number, capacity = CAPACITIES[noise]
    claim = f"m kappa >= n d(p || p/b + (1-1/b) a), {noise} noise"
    cites = ("A1.6", capacity)
    end = Step(number, "symbolic", claim, conclusion, cites, concludes=True)
    return with_lemmas((*OWN, end))
