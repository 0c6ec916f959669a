"""L9: what an update of t qubits can write, even if they are entangled with the rest.

t qubits take at most 2t bits, and at most t d((1+3 lambda)/4 || 1/4) bits if they are
depolarized afterwards.
"""

import sympy as sp

from qjax.bounds.bound import Checked, Step
from qjax.bounds.information import d
from qjax.bounds.lemmas.algebra import is_combination
from qjax.bounds.lemmas.certificates import derived_from_entropies
from qjax.bounds.lemmas.unital_capacity import layers_compose

lam = sp.Symbol("lambda", nonnegative=True)

PAULIS = (
    sp.eye(2),
    sp.Matrix([[0, 1], [1, 0]]),
    sp.Matrix([[0, -sp.I], [sp.I, 0]]),
    sp.Matrix([[1, 0], [0, -1]]),
)


def concave_in_the_input() -> Checked:
    """I(P;B) = S(B) + S(B|E) on A -> BE; both terms are concave, and grow with P.

    P purifies the input A, so S(P) = S(A) = S(BE) and S(PB) = S(E).
    """
    s_b, s_e, s_be = sp.symbols("S_B S_E S_BE", real=True)
    mutual = s_be + s_b - s_e
    written = sp.expand(mutual - (s_b + (s_be - s_e))) == 0
    found = derived_from_entropies("concavity", "conditioning", "data_processing")()
    return Checked(written and bool(found.closed), found.note)


def pauli_covariance() -> bool:
    """D(PMP) = P D(M) P, sum_P PMP/4 = Tr(M) I/2, and T layers are D_{lambda^T}."""
    matrix = sp.Matrix(2, 2, sp.symbols("m1:5"))

    def noise(argument: sp.MatrixBase) -> sp.MatrixBase:
        return lam * argument + (1 - lam) * argument.trace() * sp.eye(2) / 2

    twirled = sp.zeros(2, 2)
    for pauli in PAULIS:
        moved = pauli * matrix * pauli
        twirled += moved / 4
        gap = (noise(moved) - pauli * noise(matrix) * pauli).expand()
        if gap != sp.zeros(2, 2):
            return False
    mixed = (twirled - matrix.trace() * sp.eye(2) / 2).expand() == sp.zeros(2, 2)
    return mixed and layers_compose()


def best_input() -> bool:
    """4^-t sum_P I(P rho P) <= I(mean), every term I(rho): I(rho) <= I(I/2^t) = t c."""
    own, mixed, single = sp.symbols("I_rho I_mixed c", real=True)
    t = sp.Symbol("t", integer=True, positive=True)
    count = 4**t
    concave = mixed - count * own / count  # every one of 4^t terms equals I_rho
    product = t * single - mixed  # equal to 0: t Bell pairs, each through its own D
    return is_combination([concave, product], [1, 1], t * single - own)


def noisy_bell_spectrum() -> bool:
    """(D (x) id)(Bell pair) has eigenvalues (1+3 lambda)/4 and (1-lambda)/4 thrice."""
    bell = sp.Matrix([1, 0, 0, 1])
    state = bell * bell.T / 2
    output = lam * state + (1 - lam) * sp.eye(4) / 4
    # Tracing out one half of a Bell pair leaves the other maximally mixed.
    reduced = sp.Matrix(2, 2, lambda i, j: sum(state[i + 2 * k, j + 2 * k]
                                               for k in range(2)))  # fmt: skip
    if reduced != sp.eye(2) / 2:
        return False
    z = sp.Symbol("z")
    claim = (z - (1 + 3 * lam) / 4) * (z - (1 - lam) / 4) ** 3
    return sp.expand((z * sp.eye(4) - output).det() - claim) == 0


def assisted_capacity_is_a_divergence() -> bool:
    """2 + w log w + 3 v log v = d(w || 1/4) with w = (1+3l)/4 and v = (1-w)/3."""
    w, v = sp.symbols("w v", positive=True)  # v = (1-w)/3, positive for lambda < 1
    nats = 2 * sp.log(2) + w * sp.log(w) + 3 * v * sp.log(v)
    divergence = d(w, sp.Rational(1, 4)).rewrite(sp.log) * sp.log(2)
    written = sp.expand_log(divergence.subs(1 - w, 3 * v), force=False)
    gap = sp.expand(sp.expand_log(written - nats, force=False))
    # d has (1-w) log((1-w)/(3/4)); with 1-w = 3v the logarithm is log(4v).
    first = sp.expand(gap.subs(w, 1 - 3 * v)) == 0
    edge = sp.expand_log(d(sp.S.One, sp.Rational(1, 4)).rewrite(sp.log), force=True)
    at_one = sp.simplify(edge - 2) == 0
    return first and at_one and d(sp.Rational(1, 4), sp.Rational(1, 4)) == 0


def local_update_bound() -> bool:
    """I(X;A'R) <= I(XR;A') <= I(P;A') <= t c."""
    update, both, purified, most = sp.symbols("I_update I_XR I_P t_c", real=True)
    premises = [both - update, purified - both, most - purified]
    return is_combination(premises, [1, 1, 1], most - update)


STEPS = (
    Step("L9.1", "entropic", "I(X;A'R) <= I(XR;A') if R does not depend on X",
         derived_from_entropies("l9_local_update"), ("X1",)),
    Step("L9.2", "entropic", "I(X;A'R) <= 2t if A' has t qubits",
         derived_from_entropies("l9_two_bits_per_qubit"), ("X1",)),
    Step("L9.3", "entropic", "a channel's mutual information is concave in its input",
         concave_in_the_input, ("X1",)),
    Step("L9.4", "symbolic", "D_lambda commutes with Paulis, which average to I/2; T "
         "layers are D_{lambda^T}", pauli_covariance),
    Step("L9.5", "symbolic", "the best input of t depolarized qubits is I/2^t",
         best_input, ("L9.3", "L9.4")),
    Step("L9.6", "symbolic", "half of a Bell pair: eigenvalues (1+3l)/4, (1-l)/4 x 3",
         noisy_bell_spectrum),
    Step("L9.7", "symbolic", "their mutual information is d((1+3l)/4 || 1/4)",
         assisted_capacity_is_a_divergence, ("L9.6",)),
    Step("L9.8", "symbolic", "I(X;A'R) <= t d((1+3 lambda^T)/4 || 1/4)",
         local_update_bound, ("L9.1", "L9.5", "L9.7")),
)  # fmt: skip
"""Steps of proofs/lemmas/local_update.md."""
