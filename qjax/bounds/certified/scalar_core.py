"""The core scalar inequality d(1-beta||alpha) > (1-s) log2(1/s), certified on boxes."""

import importlib.resources
from fractions import Fraction

import sympy as sp

from qjax.bounds.certified.box_certificate import BoxCertificate, read_certificate
from qjax.bounds.certified.boxes import certify, replay
from qjax.bounds.certified.claims import Claim, state_claim
from qjax.bounds.information import d

ALPHA, BETA = sp.symbols("alpha beta", positive=True)

MARGIN = Fraction(1, 100)
"""Distance of the certified domain from alpha = 0, beta = 0 and alpha + beta = 1."""

STORED = "scalar_core_certificate.json"


def scalar_core_claim(factor: sp.Rational = sp.S.One) -> Claim:
    """The claim d(1-beta||alpha) - factor (1-s) log2(1/s) > 0, s = alpha + beta.

    Its domain is alpha, beta >= 1/100, alpha + beta <= 99/100. At s = 1 both sides
    vanish, and at beta = 0 the difference vanishes as s -> 0: the edges belong to the
    analytic proof.

    Args:
        factor: 1 for the lemma; a larger one makes the claim stronger, and false from
            some factor on.

    Returns:
        The claim, for `certify` and `replay`.

    Source: lemma L3 of theorem A1, proofs/a1.md.

    Example:
        >>> scalar_core_claim().names
        ('alpha', 'beta')
    """
    total = ALPHA + BETA
    right = (1 - total) * sp.log(1 / total) / sp.log(2)
    ends = (MARGIN, 1 - 2 * MARGIN)
    return state_claim(
        d(1 - BETA, ALPHA) - factor * right,
        {"alpha": ends, "beta": ends},
        [sp.Le(total, sp.Rational(99, 100))],
        relation=">",
    )


def certify_scalar_core() -> BoxCertificate:
    """Certify the core inequality on its whole stated domain, from nothing.

    Returns:
        The certificate; "certified", with no open box.

    Source: lemma L3 of theorem A1, proofs/a1.md.

    Example:
        >>> certificate = certify_scalar_core()
        >>> certificate.verdict, certificate.count("?")
        ('certified', 0)
    """
    return certify(scalar_core_claim())


def stored_scalar_core() -> BoxCertificate:
    """The certificate that ships with the library, as read: not yet checked."""
    folder = importlib.resources.files("qjax") / "bounds" / "certified"
    return read_certificate((folder / STORED).read_text(encoding="utf-8"))


def replay_scalar_core() -> bool:
    """Whether the stored certificate proves the core inequality, box by box.

    Example:
        >>> replay_scalar_core()
        True
    """
    return replay(stored_scalar_core(), scalar_core_claim())
