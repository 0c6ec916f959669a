"""The Q-LSH lemma's proof: expectations over hyperplanes, with and without noise.

Numbers are headings of proofs/qlsh.md. Sums over g signs are proved by induction on g,
so that every identity below holds for all g, m and k, not for the enumerated ones.
"""

import itertools

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.theorems.qlsh_symbols import (
    AMPLITUDE,
    AMPLITUDE_SLOPE,
    ARC,
    C1,
    C2,
    C4,
    FIDELITY,
    FIDELITY_SLOPE,
    NOISY,
    NOISY_SQUARE,
    OFFSET,
    SECOND_MOMENT,
    TRANSVERSE,
    K,
    e,
    eta,
    g,
    lam,
    m,
    noisy_level,
    noisy_square,
    nu,
    s,
    theta,
)

x, X, t, phi = sp.symbols("x X t phi", real=True)
delta = sp.Symbol("delta", real=True, nonnegative=True)
c2, c4 = sp.symbols("c_2 c_4", real=True, nonzero=True)
c1 = sp.Symbol("c_1", positive=True)


def is_trigonometric_zero(expression: sp.Expr) -> bool:
    """Whether a polynomial in sines and cosines is identically zero.

    As a Laurent polynomial in the exponentials of its angles; no simplification.
    """
    written = sp.expand(expression.rewrite(sp.exp), complex=False)
    return sp.expand(sp.powsimp(sp.expand(written))) == 0


def separation() -> bool:
    """The angle of a Gaussian normal in the plane of u, v is uniform; u sees cos t.

    cos t cos(t - phi) = (cos phi + cos(2t - phi))/2 is negative iff 2t - phi lies less
    than phi from pi (mod 2 pi): a share 2 phi/(2 pi) of the circle.
    """
    radius = sp.Symbol("r", positive=True)
    density = radius * sp.exp(-(radius**2) / 2) / (2 * sp.pi)
    uniform = sp.integrate(density, (radius, 0, sp.oo)) == 1 / (2 * sp.pi)
    product = sp.cos(t) * sp.cos(t - phi) - (sp.cos(phi) + sp.cos(2 * t - phi)) / 2
    # At 2t - phi = pi - x: cos phi - cos x, negative iff |x| < phi <= pi, as cos falls.
    shifted = sp.cos(sp.pi - x) + sp.cos(x)
    falls = sp.diff(sp.cos(x), x) == -sp.sin(x)
    length = sp.integrate(1, (x, -phi, phi)) / (2 * sp.pi) - phi / sp.pi
    identities = is_trigonometric_zero(product) and sp.expand(shifted) == 0
    return bool(uniform) and identities and falls and sp.expand(length) == 0


def sign_law() -> bool:
    """Law of (a, b): d = (a-b)/2 is 0 or +-1; E[b|a] = (1 - 2 delta) a; arcsine."""
    law = {
        (a, b): (delta if a != b else 1 - delta) / 2
        for a, b in itertools.product((1, -1), repeat=2)
    }
    chance = {
        d: sum(p for (a, b), p in law.items() if sp.Rational(a - b, 2) == d)
        for d in (-1, 0, 1)
    }
    steps = {-1: delta / 2, 0: 1 - delta, 1: delta / 2}
    if any(sp.expand(chance[d] - steps[d]) != 0 for d in steps):
        return False
    for a in (1, -1):
        given = sum(b * law[a, b] for b in (1, -1)) / sum(law[a, b] for b in (1, -1))
        if sp.expand(sp.cancel(given) - (1 - 2 * delta) * a) != 0:
            return False
    arc = 1 - 2 * sp.acos(s).rewrite(sp.asin) / sp.pi - 2 * sp.asin(s) / sp.pi
    return sp.expand(arc) == 0


def kets_overlap() -> bool:
    """<+|Rz(-y) Rz(x)|+> = cos((x-y)/2); a bucket's phase is theta times its sum."""
    y = sp.Symbol("y", real=True)

    def turned(angle):
        turn = sp.diag(sp.exp(-sp.I * angle / 2), sp.exp(sp.I * angle / 2))
        return turn * sp.Matrix([1, 1]) / sp.sqrt(2)

    overlap = (turned(y).H * turned(x))[0] - sp.cos((x - y) / 2)
    # Rz(x) Rz(y) = Rz(x + y), so that a bucket's phases add.
    sums = turned(x + y) - sp.diag(
        sp.exp(-sp.I * y / 2), sp.exp(sp.I * y / 2)
    ) * turned(x)
    zero = all(sp.powsimp(sp.expand(entry)) == 0 for entry in sums)
    return zero and is_trigonometric_zero(overlap)


def cosine_induction() -> bool:
    """E cos(x D_g) = (1 - 2 delta sin^2(x/2))^g by induction on g.

    Averaging over one more difference multiplies cos X and sin X by one factor.
    """
    factor = 1 - 2 * delta * sp.sin(x / 2) ** 2
    cosines = (1 - delta) * sp.cos(X) + delta * (sp.cos(X + x) + sp.cos(X - x)) / 2
    sines = (1 - delta) * sp.sin(X) + delta * (sp.sin(X + x) + sp.sin(X - x)) / 2
    grows = is_trigonometric_zero(cosines - factor * sp.cos(X))
    keeps = is_trigonometric_zero(sines - factor * sp.sin(X))
    start = (1 - delta) + delta * sp.cos(x) - factor
    power = sp.Symbol("p", positive=True)
    step = sp.powsimp(power**g * power) == power ** (g + 1)
    return grows and keeps and is_trigonometric_zero(start) and bool(step)


def amplitude_law() -> bool:
    """m independent buckets: (c1^g)^m = c1^k, whatever the bucketing."""
    claim = AMPLITUDE.subs(C1, c1)
    return sp.powsimp((c1**g) ** m, force=False) == claim == c1**K


def fidelity_law() -> bool:
    """cos^2 = (1 + cos 2x)/2 and E cos(2 theta D) = c2^g; at g = 1 (1 - d sin^2)^k."""
    half = is_trigonometric_zero(sp.cos(x) ** 2 - (1 + sp.cos(2 * x)) / 2)
    claim = FIDELITY.subs(C2, c2) == ((1 + c2**g) / 2) ** m
    single = sp.expand((FIDELITY.subs(g, 1)).base - (1 + C2) / 2)
    short = sp.expand((1 + C2) / 2 - (1 - sp.acos(s) / sp.pi * sp.sin(theta) ** 2))
    return half and bool(claim) and single == 0 and short == 0


def second_moment_law() -> bool:
    """cos^4 = 3/8 + cos(2x)/2 + cos(4x)/8; x = theta D_q, cosines by Q1.5."""
    fourth = sp.Rational(3, 8) + sp.cos(2 * x) / 2 + sp.cos(4 * x) / 8
    claim = (sp.Rational(3, 8) + c2**g / 2 + c4**g / 8) ** m
    same = SECOND_MOMENT.subs({C2: c2, C4: c4}) == claim
    return bool(same) and is_trigonometric_zero(sp.cos(x) ** 4 - fourth)


def slopes() -> bool:
    """d delta/ds = -1/(pi sqrt(1-s^2)); the chain rule through c1 and c2."""
    rate = sp.diff(sp.acos(s) / sp.pi, s) + 1 / ARC
    inner = sp.diff(C2, s) - 2 * sp.sin(theta) ** 2 / ARC
    half = sp.diff(C1, s) - 2 * sp.sin(theta / 2) ** 2 / ARC
    if any(sp.simplify(gap) != 0 for gap in (rate, inner, half)):
        return False
    base = sp.Symbol("B", positive=True)
    # With B = (1 + c2^g)/2: d(B^m) = m B^(m-1) dB and dB = g c2^(g-1) dc2/2.
    outer = sp.powsimp(sp.diff(base**m, base) - m * base ** (m - 1))
    middle = sp.powsimp(sp.diff((1 + c2**g) / 2, c2) - g * c2 ** (g - 1) / 2)
    claim = m * base ** (m - 1) * g * c2 ** (g - 1) / 2 * (2 * sp.sin(theta) ** 2 / ARC)
    written = FIDELITY_SLOPE.subs(C2, c2).subs((1 + c2**g) / 2, base)
    amplitude = K * c1 ** (K - 1) * 2 * sp.sin(theta / 2) ** 2 / ARC
    first = sp.powsimp(sp.diff(c1**K, c1) - K * c1 ** (K - 1))
    gaps = (outer, middle, first, sp.expand(written - claim))
    same = sp.expand(AMPLITUDE_SLOPE.subs(C1, c1) - amplitude) == 0
    return all(gap == 0 for gap in gaps) and same


def bloch_layers() -> bool:
    """One layer on (x, y, z) by its Kraus operators; T layers by induction, z = 0."""
    r = sp.symbols("r_x r_y r_z", real=True)
    paulis = (sp.Matrix([[0, 1], [1, 0]]), sp.Matrix([[0, -sp.I], [sp.I, 0]]),
              sp.diag(1, -1))  # fmt: skip
    rho = sp.eye(2) + sum((a * p for a, p in zip(r, paulis, strict=True)), sp.zeros(2))
    rho = rho / 2
    lower, upper = sp.Matrix([[0, 1], [0, 0]]), sp.Matrix([[0, 0], [1, 0]])
    # Weighted operators (w, K) stand for sqrt(w) K.
    depolarize = [((1 + 3 * lam) / 4, sp.eye(2)), *(((1 - lam) / 4, p) for p in paulis)]
    dephase = [((1 + nu) / 2, sp.eye(2)), ((1 - nu) / 2, paulis[2])]
    damp = [(1 - e, sp.diag(1, sp.sqrt(eta))), ((1 - e) * (1 - eta), lower),
            (e, sp.diag(sp.sqrt(eta), 1)), (e * (1 - eta), upper)]  # fmt: skip
    cold = (1 - eta) * (1 - 2 * e)
    claims = (
        (depolarize, [lam * a for a in r]),
        (dephase, [nu * r[0], nu * r[1], r[2]]),
        (damp, [sp.sqrt(eta) * r[0], sp.sqrt(eta) * r[1], eta * r[2] + cold]),
    )
    for kraus, claim in claims:
        out = sum((w * k * rho * k.H for w, k in kraus), sp.zeros(2))
        for pauli, wanted in zip(paulis, claim, strict=True):
            if sp.expand((out * pauli).trace() - wanted) != 0:
                return False
    left = sp.Symbol("eta_T", nonnegative=True)  # eta^T after T layers
    grown = eta * (1 - left) * (1 - 2 * e) + cold - (1 - eta * left) * (1 - 2 * e)
    return sp.expand(grown) == 0


def noisy_law() -> bool:
    """Tr rho_a rho_b = (1 + r_a . r_b)/2 = (1 + v cos(2 theta D) + w)/2; then Q1.5."""
    v, w = sp.symbols("v w", real=True)
    first, second = sp.symbols("phi_a phi_b", real=True)
    dot = sp.cos(first) * sp.cos(second) + sp.sin(first) * sp.sin(second)
    angle = is_trigonometric_zero(dot - sp.cos(first - second))
    level = noisy_level(v, w).subs(C2, c2) - (1 + v * c2**g + w) / 2
    whole = NOISY.subs({TRANSVERSE: v, OFFSET: w}) == noisy_level(v, w) ** m
    pure = sp.expand(noisy_level(sp.S.One, sp.S.Zero) - (1 + C2**g) / 2)
    return angle and sp.expand(level) == 0 and bool(whole) and pure == 0


def noisy_square_law() -> bool:
    """Square of (u + v cos y)/2: (u^2 + 2 u v cos y + v^2 (1 + cos 2y)/2)/4."""
    u, v = sp.symbols("u v", real=True)
    square = u**2 + 2 * u * v * sp.cos(x) + v**2 * (1 + sp.cos(2 * x)) / 2
    identity = is_trigonometric_zero(((u + v * sp.cos(x)) / 2) ** 2 - square / 4)
    claim = (u**2 + 2 * u * v * c2**g + v**2 * (1 + c4**g) / 2) / 4
    written = noisy_square(v, u - 1).subs({C2: c2, C4: c4})
    pure = noisy_square(sp.S.One, sp.S.Zero) - SECOND_MOMENT.base
    # sympy merges the powers of TRANSVERSE, so that it cannot be substituted back.
    whole = NOISY_SQUARE == noisy_square(TRANSVERSE, OFFSET) ** m
    return identity and whole and sp.expand(written - claim) == sp.expand(pure) == 0


STEPS = (
    Step("Q1.1", "hypothesis", "normals r_j are independent standard Gaussian vectors, "
         "a_j = sign(r_j.u), b_j = sign(r_j.v)"),
    Step("Q1.2", "symbolic", "P(a_j != b_j) = delta = arccos(s)/pi", separation,
         ("Q1.1",)),
    Step("Q1.3", "exact", "(a_j - b_j)/2 is 0, +1, -1 with 1-delta, delta/2, delta/2; "
         "E[b|a] = (1 - 2 delta) a; 1 - 2 delta = (2/pi) arcsin s", sign_law,
         ("Q1.2",)),
    Step("Q1.4", "symbolic", "<psi_a|psi_b> = prod_q cos(theta D_q)", kets_overlap),
    Step("Q1.5", "symbolic", "E cos(x D_q) = (1 - 2 delta sin^2(x/2))^g for every g",
         cosine_induction, ("Q1.3",)),
    Step("Q1.6", "symbolic", "E <psi_a|psi_b> = (1 - 2 delta sin^2(theta/2))^k",
         amplitude_law, ("Q1.4", "Q1.5")),
    Step("Q1.7", "symbolic", "E F = [(1 + c2^g)/2]^m", fidelity_law, ("Q1.4", "Q1.5")),
    Step("Q1.8", "symbolic", "E F^2 = [3/8 + c2^g/2 + c4^g/8]^m", second_moment_law,
         ("Q1.4", "Q1.5")),
    Step("Q1.9", "symbolic", "slopes of E <psi_a|psi_b> and E F in s", slopes,
         ("Q1.6", "Q1.7")),
    Step("Q2.1", "symbolic", "T layers leave a Bloch vector (r cos, r sin, z)",
         bloch_layers),
    Step("Q2.2", "symbolic", "E Tr rho_a rho_b = [(1 + v c2^g + w)/2]^m", noisy_law,
         ("Q1.4", "Q1.5", "Q2.1")),
    Step("Q2.3", "symbolic", "E (Tr rho_a rho_b)^2 with noise", noisy_square_law,
         ("Q1.8", "Q2.2")),
)  # fmt: skip
"""Steps Q1 and Q2 of proofs/qlsh.md."""
