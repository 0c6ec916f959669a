"""L6d: bits per qubit of amplitude damping, cold and at any temperature."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.algebra import is_combination, is_zero

eta, p = sp.symbols("eta p", positive=True)
KRAUS = (
    sp.Matrix([[1, 0], [0, sp.sqrt(eta)]]),
    sp.Matrix([[0, sp.sqrt(1 - eta)], [0, 0]]),
)


def excitation_shrinks() -> bool:
    """<1|N(rho)|1> = eta rho_11, from the Kraus operators."""
    x, y, z, w = sp.symbols("x y z w")
    rho = sp.Matrix([[x, z], [w, y]])
    output = sp.Matrix(sum((k * rho * k.T for k in KRAUS), sp.zeros(2, 2)))
    return sp.simplify(output[1, 1] - eta * y) == 0


def entropy_of_weak_excitation() -> bool:
    """S(out) <= sum S(i) <= sum h(P_i) <= m h(eta) for P_i <= eta <= 1/2.

    S(i) <= h(P): eigenvalues 1/2 +- r with r^2 = (1/2 - P)^2 + |c|^2, and the entropy
    falls with r. h grows on [0, 1/2]: its slope is ln((1-P)/P) >= 0.
    """
    excitation, off = sp.symbols("P c", nonnegative=True)
    rho = sp.Matrix([[1 - excitation, off], [off, excitation]])
    z = sp.Symbol("z")
    radius = (sp.Rational(1, 2) - excitation) ** 2 + off**2
    spectrum = (z - sp.Rational(1, 2)) ** 2 - radius
    same = sp.expand((rho - z * sp.eye(2)).det() - spectrum) == 0
    r = sp.Symbol("r", positive=True)
    low, high = sp.Rational(1, 2) - r, sp.Rational(1, 2) + r
    nats = -low * sp.log(low) - high * sp.log(high)
    falls = sp.simplify(sp.diff(nats, r) - (sp.log(low) - sp.log(high))) == 0
    gap = sp.Symbol("g", nonnegative=True)  # P = 1/2 - g
    ratio = sp.cancel((1 - excitation) / excitation - 1).subs(
        excitation, sp.Rational(1, 2) - gap
    )
    grows = is_zero(ratio - 2 * gap / (sp.Rational(1, 2) - gap))
    joint, parts, each, limit = sp.symbols("S S_i h_i mh", real=True)
    premises = [parts - joint, each - parts, limit - each]
    return (
        same and falls and grows and is_combination(premises, [1, 1, 1], limit - joint)
    )


def assisted_formula() -> bool:
    """Diagonal input: output eta p, environment (1 - eta) p: h + h - h.

    N commutes with rotations about z, so averaging over them makes the input diagonal,
    and does not lower I = S(B) + S(B|E), which is concave (X1). Its second derivative
    in p is -[1/(p(1-p)) - q/(p(1-qp)) + eta/(p(1-eta p))] with q = 1 - eta, and
    1/(p(1-p)) - q/(p(1-qp)) = eta/(p(1-p)(1-qp)) > 0.
    """
    rho = sp.diag(1 - p, p)
    output = sum((k * rho * k.T for k in KRAUS), sp.zeros(2, 2))
    seen = sp.Matrix(2, 2, lambda i, j: (KRAUS[i] * rho * KRAUS[j].T).trace())
    diagonal = sp.diag(1 - eta * p, eta * p), sp.diag(1 - (1 - eta) * p, (1 - eta) * p)
    same = sp.simplify(output - diagonal[0]) == sp.zeros(2, 2)
    same = same and sp.simplify(seen - diagonal[1]) == sp.zeros(2, 2)
    phi = sp.Symbol("phi", real=True)
    turn = sp.diag(1, sp.exp(sp.I * phi))
    commutes = all(
        sp.simplify(turn.H * k * turn - k * factor) == sp.zeros(2, 2)
        for k, factor in zip(KRAUS, (1, sp.exp(sp.I * phi)), strict=True)
    )
    q = 1 - eta
    positive = 1 / (p * (1 - p)) - q / (p * (1 - q * p))
    curved = is_zero(positive - eta / (p * (1 - p) * (1 - q * p)))
    s_b, s_e, s_be = sp.symbols("S_B S_E S_BE", real=True)
    # I(A;B) of a pure ABE: S_A = S_BE and S_AB = S_E.
    mutual = sp.expand((s_be + s_b - s_e) - (s_b + (s_be - s_e))) == 0
    return bool(same and commutes and curved and mutual)


STEPS = (
    Step("L6d.1", "symbolic", "cold damping leaves eta^T of every excitation",
         excitation_shrinks),
    Step("L6d.2", "symbolic", "eta <= 1/2: chi(Phi) <= S(mean output) <= m h(eta)",
         entropy_of_weak_excitation, ("X1", "L6d.1")),
    Step("L6d.3", "symbolic", "chi(Phi) <= m C_EA = m max_p h(p)+h(eta p)-h((1-eta)p)",
         assisted_formula, ("X1", "X5")),
    Step("L6d.4", "definition", "cold: kappa = min(log2(1+sqrt eta), h(eta), C_EA)",
         cites=("L6b.5", "L6d.2", "L6d.3")),
    Step("L6d.5", "definition", "any temperature: kappa = min(log2(1+sqrt eta), 1-mu)",
         cites=("L6b.5", "L6c.4", "L6c.5")),
)  # fmt: skip
"""Steps of proofs/lemmas/damping_capacity.md."""
