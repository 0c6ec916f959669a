"""The proofs of Corollary A6 and its variants, as checks of computer algebra.

Numbers are headings of proofs/a6.md; L9 is in proofs/lemmas/local_update.md. The steps
from information to acceptances are those of Theorem A1 for one block.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.entropic import replay_certificate
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination
from qjax.bounds.lemmas.local_update import PAULIS
from qjax.bounds.theorems.a1_steps import (
    block_information,
    joint_convexity,
    mixture_acceptance,
    monotonicity,
)

lam = sp.Symbol("lambda", nonnegative=True)


def information_of_a_query() -> bool:
    """I(X;Q) = mean D(rho_x||mean) >= mean d(p_x||q_x) >= d(p||q)."""
    joint, mean, tested, needed = sp.symbols("I D_mean d_mean d", real=True)
    premises = [joint - mean, mean - tested, tested - needed]
    return is_combination(premises, [1, 1, 1], joint - needed)


def written_and_needed() -> bool:
    """t c - I(X;A'R) >= 0 and I(X;A'R) - d >= 0 give t c - d >= 0."""
    most, joint, needed = sp.symbols("t_c I d", real=True)
    return is_combination([most - joint, joint - needed], [1, 1], most - needed)


def place_and_content() -> bool:
    """I(X;Q) = I(J;Q) + I(X;Q|J) <= S(J) + I(X;Q|J) for J = f(X), a classical X.

    S(XJ) = S(X) and S(XJQ) = S(XQ), since J adds nothing to X.
    """
    names = "S_X S_Q S_J S_XQ S_JQ"
    s_x, s_q, s_j, s_xq, s_jq = sp.symbols(names, real=True)
    whole = s_x + s_q - s_xq
    place = s_j + s_q - s_jq
    content = s_x + s_jq - s_xq - s_j
    return sp.expand(whole - place - content) == 0 and replay_certificate(
        "holevo_source"
    )


def any_set_bound() -> bool:
    """log K >= S(J), and t c >= I(X;Q|J=j) for every place j, with weights P_j."""
    whole, place, limit, most = sp.symbols("I S_J log_K t_c", real=True)
    weights = sp.symbols("P1:4", nonnegative=True)
    contents = sp.symbols("I1:4", real=True)
    pairs = list(zip(weights, contents, strict=True))
    content = sum(w * c for w, c in pairs)
    premises = [place + content - whole, limit - place, *(most - c for c in contents)]
    gap = limit + most * sum(weights) - whole  # the weights sum to 1
    return is_combination(premises, [1, 1, *weights], gap)


def number_of_places() -> bool:
    """-x ln x is concave: by Jensen S(J) <= K f(1/K) = log K for at most K places."""
    x, count = sp.symbols("x K", positive=True)
    share = -x * sp.log(x)
    concave = sp.diff(share, x, 2).is_negative
    most = sp.expand_log(count * share.subs(x, 1 / count))
    return bool(concave) and sp.expand(most - sp.log(count)) == 0


def rest_unchanged() -> bool:
    """Tr_A (K (x) I) rho (K (x) I)^dagger = Tr_A (K^dagger K (x) I) rho for every K.

    Summed over Kraus operators, with sum K^dagger K = I, it is Tr_A rho: a channel on A
    leaves the rest as it was. One qubit each; the identity is linear in |i><j| on R.
    """
    kraus = sp.Matrix(2, 2, sp.symbols("k1:5"))
    adjoint = sp.Matrix(2, 2, sp.symbols("c1:5"))  # stands for K^dagger: any matrix
    state = sp.Matrix(4, 4, sp.symbols("r1:17"))
    left = sp.kronecker_product(kraus, sp.eye(2))
    right = sp.kronecker_product(adjoint, sp.eye(2))
    both = sp.kronecker_product(adjoint * kraus, sp.eye(2))

    def rest(matrix: sp.MatrixBase) -> sp.MatrixBase:
        return sp.Matrix(2, 2, lambda i, j: matrix[i, j] + matrix[2 + i, 2 + j])

    gap = rest(left * state * right) - rest(both * state)
    return gap.expand() == sp.zeros(2, 2)


def bell_equality() -> bool:
    """Paulis on half a Bell pair: p = (1+3l)/4, a = (1-l)/4, mean acceptance 1/4."""
    bell = sp.Matrix([1, 0, 0, 1]) / sp.sqrt(2)
    kets = [sp.kronecker_product(pauli, sp.eye(2)) * bell for pauli in PAULIS]
    mixed = sp.eye(4) / 4  # depolarizing one half of a Bell state: l Bell + (1-l) I/4
    table = sp.Matrix(4, 4, lambda x, y: sp.expand(
        (kets[y].H * (lam * kets[x] * kets[x].H + (1 - lam) * mixed) * kets[y])[0]
    ))  # fmt: skip
    member = sum(table[x, x] for x in range(4)) / 4
    other = sum(table[x, y] for x in range(4) for y in range(4) if x != y) / 12
    accepted = sp.expand(member - (1 + 3 * lam) / 4) == 0
    rejected = sp.expand(other - (1 - lam) / 4) == 0
    mean = sp.expand(member / 4 + sp.Rational(3, 4) * other) == sp.Rational(1, 4)
    return accepted and rejected and mean


OWN = (
    Step("A6.1", "hypothesis", "X is uniform over N' absent elements; one query"),
    Step("A6.2", "hypothesis", "insert(x) is a channel on the same t qubits A of AR, "
         "whose state before does not depend on x; noise on A follows"),
    Step("A6.3", "symbolic", "I(X;Q) = mean over x of D(rho_x || mean state)",
         block_information, ("A6.1",)),
    Step("A6.4", "symbolic", "the mean state is accepted with p/N' + (1-1/N') a",
         mixture_acceptance, ("A6.1",)),
    Step("A6.5", "symbolic", "d is jointly convex, so averages may be taken inside",
         joint_convexity),
    Step("A6.6", "symbolic", "I(X;Q) >= d(p || p/N' + (1-1/N') a)",
         information_of_a_query, ("A6.3", "L2.1", "A6.4", "A6.5")),
    Step("A6.7", "symbolic", "worst-case errors may stand for p and a", monotonicity,
         ("A6.5",)),
)  # fmt: skip
_FIXED = Step("A6.8", "symbolic", "t C_EA(lambda^T) >= d(p || p/N' + (1-1/N') a)",
              written_and_needed, ("A6.2", "A6.6", "L9.8"), concludes=True)  # fmt: skip
_EQUAL = Step("A6.9", "symbolic", "Paulis on a Bell pair: equality at every lambda",
              bell_equality, ("L9.7",))  # fmt: skip
_NOISELESS = Step("A6.10", "symbolic", "without noise 2t >= d", written_and_needed,
                  ("A6.2", "A6.6", "L9.2"), concludes=True)  # fmt: skip
_ANY_SET = (
    Step("A6.11", "entropic", "I(X;Q) <= S(J) + I(X;Q|J) for the place J(x)",
         place_and_content, ("X1", "A6.1")),
    Step("A6.12", "symbolic", "S(J) <= log K for K places", number_of_places),
    Step("A6.13", "symbolic", "t C_EA + log K >= d if the place depends on x",
         any_set_bound, ("A6.6", "A6.11", "A6.12", "L9.8"), concludes=True),
)  # fmt: skip
_DELETE = (
    Step("A6.14", "symbolic", "a channel on A leaves Tr_A unchanged", rest_unchanged),
    Step("A6.15", "hypothesis", "delete(x) acts on the t qubits A and returns exactly "
         "to a state that does not depend on x"),
    Step("A6.16", "symbolic", "deletes that forget: t C_EA(lambda^T) >= d",
         written_and_needed, ("A6.6", "A6.14", "A6.15", "L9.8"), concludes=True),
)  # fmt: skip

STEPS = with_lemmas((*OWN, _FIXED, _EQUAL))
NOISELESS_STEPS = with_lemmas((*OWN, _NOISELESS, _EQUAL))
ANY_SET_STEPS = with_lemmas((*OWN, *_ANY_SET))
DELETE_STEPS = with_lemmas((*OWN, _EQUAL, *_DELETE))
