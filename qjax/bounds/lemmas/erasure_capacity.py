"""L6c: noise that replaces a qubit with probability mu holds (1 - mu)^T bits."""

from fractions import Fraction

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.certified import doeblin_certificate
from qjax.bounds.lemmas.algebra import is_combination, is_zero

mu, eta, exc = sp.symbols("mu eta e", positive=True)
T = sp.Symbol("T", integer=True, nonnegative=True)


def layers_compose() -> bool:
    """Not replaced in T + 1 layers: (1-mu)^T (1-mu), by induction (1-mu)^(T+1)."""
    step = (1 - mu) ** T * (1 - mu) - (1 - mu) ** (T + 1)
    return sp.powsimp(sp.expand(step)) == 0 and (1 - mu) ** sp.S.Zero == 1


def mean_kept() -> bool:
    """E|A| = m q: the slope at z = 1 of the generating function (1 - q + q z)^m."""
    m = sp.Symbol("m", integer=True, positive=True)
    q, z = sp.symbols("q z", positive=True)
    slope = sp.diff((1 - q + q * z) ** m, z).subs(z, 1)
    return is_zero(sp.simplify(slope - m * q))


def kept_information() -> bool:
    """chi(Phi) <= E chi_A (X2), chi_A <= |A| (L6e.1), E|A| = m q: chi <= m q."""
    chi, erased, kept, capacity = sp.symbols("chi chi_E E_A mq", real=True)
    premises = [erased - chi, kept - erased, capacity - kept]
    return is_combination(premises, [1, 1, 1], capacity - chi)


def damping_closed_form() -> bool:
    """Generalized damping: J - mu I (x) sigma >= 0 at the claimed mu, with equality.

    With u = mu sigma_11 and v = mu sigma_00 the conditions are u <= gamma e, v <=
    gamma (1-e) and (A - v)(B - u) >= eta, A = 1 - gamma e, B = 1 - gamma (1-e). Warm:
    A - v = B - u = sqrt(eta). Cold: u = 0.
    """
    x = sp.Symbol("x", positive=True)  # sqrt(eta)
    gamma = 1 - x**2
    a, b = 1 - gamma * exc, 1 - gamma * (1 - exc)
    u, v = b - x, a - x
    warm = is_zero(u + v - (1 - x) ** 2) and is_zero((a - v) * (b - u) - x**2)
    # u <= gamma e, v <= gamma (1-e): the gaps are x(1-x) >= 0.
    below = is_zero(gamma * exc - u - x * (1 - x))
    below = below and is_zero(gamma * (1 - exc) - v - x * (1 - x))
    # u >= 0 iff e >= x/(1+x).
    edge = is_zero(sp.cancel(u / gamma) - (exc - x / (1 + x)))
    cold_v = a - x**2 / b
    cold = is_zero(cold_v - gamma**2 * exc * (1 - exc) / (x**2 + gamma * exc))
    return warm and below and edge and cold


def positive_at_rational_points() -> bool:
    """LDL^T without rounding at a grid of sqrt(eta) and e, warm and cold."""
    grid = [Fraction(k, 6) for k in range(1, 6)]
    return all(doeblin_certificate(root, e).holds for root in grid for e in grid)


STEPS = (
    Step("L6c.1", "definition", "N - mu (replace by sigma) completely positive: N "
         "replaces with probability mu, or applies some channel"),
    Step("L6c.2", "symbolic", "T layers leave a qubit unreplaced with (1-mu)^T",
         layers_compose, ("L6c.1",)),
    Step("L6c.3", "symbolic", "of m qubits m q are kept on average, q = (1-mu)^T",
         mean_kept, ("L6c.2",)),
    Step("L6c.4", "symbolic", "chi(Phi) <= m (1-mu)^T", kept_information,
         ("X2", "L6e.1", "L6c.3")),
    Step("L6c.5", "symbolic", "mu of generalized amplitude damping in closed form",
         damping_closed_form, ("L6c.1",)),
    Step("L6c.6", "certified", "J - mu I (x) sigma >= 0 in exact arithmetic",
         positive_at_rational_points, domain="25 rational points"),
)  # fmt: skip
"""Steps of proofs/lemmas/erasure_capacity.md."""
