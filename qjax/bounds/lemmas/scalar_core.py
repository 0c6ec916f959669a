"""L3: d(1-beta || alpha) >= (1-s) log(1/s) with s = alpha + beta."""

import sympy as sp

from qjax.bounds.bound import Checked, Step
from qjax.bounds.certified import replay_scalar_core, stored_scalar_core
from qjax.bounds.lemmas.algebra import divergence_in_nats, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq

q, u, s, t = sp.symbols("q u s t", positive=True)
r = sp.Symbol("r", positive=True)  # 1 - q where both are needed as positive symbols


def scalar_derivative() -> bool:
    """d/du d(q+u||q) = ln(1+u/q) - ln(1-u/(1-q)) in nats: equal slopes and values."""
    slope = sp.diff(divergence_in_nats(q + u, q), u)
    claim = sp.log(1 + u / q) - sp.log(1 - u / (1 - q))
    same_slope = is_zero(sp.diff(slope - claim, u))
    return same_slope and slope.subs(u, 0) == 0 and claim.subs(u, 0) == 0


def scalar_integrand() -> bool:
    """u/q - u/s >= 0 for q <= s = q+t, and u/(1-q) - u >= 0: signs of quotients."""
    first = sp.factor(sp.together(u / q - u / (q + t)))
    second = u * q / r  # u/(1-q) - u with r = 1 - q > 0
    matches = is_zero(second.subs(r, 1 - q) - (u / (1 - q) - u))
    return bool(first.is_positive and second.is_positive) and matches


def scalar_integrals() -> bool:
    """Both integrals over [0, 1-s], by their antiderivatives, add to (1-s) ln(1/s)."""
    first = (s + u) * sp.log((s + u) / s) - u
    second = (1 - u) * sp.log(1 - u) + u
    derivatives = (
        sp.diff(first, u) - sp.log((s + u) / s),
        sp.diff(second, u) + sp.log(1 - u),
    )
    # Identities, not inequalities: simplifying them to 0 is a proof.
    if any(sp.simplify(gap) != 0 for gap in derivatives):
        return False
    if first.subs(u, 0) != 0 or second.subs(u, 0) != 0:
        return False
    # At u = 1 - s: (s+u)/s = 1/s and 1-u = s.
    total = (first + second).subs(u, 1 - s)
    residual = sp.expand(sp.expand_log(total + (1 - s) * sp.log(s), force=False))
    return residual == 0


def scalar_limits() -> bool:
    """Both sides meet: ratio 1 at beta = 0, s -> 0; both 0 at s -> 1."""
    ratio = sp.log(1 / s) / ((1 - s) * sp.log(1 / s))
    at_zero = sp.limit(ratio, s, 0, "+") == 1
    at_one = sp.limit((1 - s) * sp.log(1 / s), s, 1, "-") == 0
    return at_zero and at_one and sp.limit(s * sp.log(s), s, 0, "+") == 0


def certified_on_boxes() -> Checked:
    """The stored tiling covers the domain, and every box is positive again."""
    stored = stored_scalar_core()
    note = f"{stored.count('+')} boxes, {stored.count('?')} undecided, replayed"
    return Checked(replay_scalar_core(), note)


STEPS = (
    Step("L3.1", "symbolic", "slope of d(q+u||q) in u", scalar_derivative),
    Step("L3.2", "symbolic", "both integrands are bounded below", scalar_integrand,
         ("L3.1",)),
    Step("L3.3", "symbolic", "d(1-beta||alpha) >= (1-s) log(1/s), s = alpha+beta",
         scalar_integrals, ("L3.2",)),
    Step("L3.4", "symbolic", "L3 is sharp at s -> 0 and s -> 1", scalar_limits,
         ("L3.3",)),
    Step("L3.5", "machine-checked", "L3 on its whole domain, edges included",
         compiled_by_coq("core_inequality", "core_inequality_strict",
                         "core_inequality_bits", "core_inequality_both_certain",
                         "divergence_unbounded")),
    Step("L3.6", "certified", "L3 by interval arithmetic, without L3.1 to L3.3",
         certified_on_boxes, domain="alpha, beta >= .01, alpha + beta <= .99"),
)  # fmt: skip
"""Steps of proofs/lemmas/scalar_core.md."""
