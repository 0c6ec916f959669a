"""Capacities of memory noise: how many bits a noisy qubit holds, at most.

Each is an upper bound kappa on the Holevo information per memory qubit, as a sympy
expression in the noise's parameters of one layer and the number T of layers.
"""

from typing import Any

import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from qjax.bounds.information import BitsFunction, binary_entropy, h

_HALVINGS = 60
"""Bisection steps in float64: the bracket is then below the spacing of the numbers."""


def _damping_slope(p: Any, eta: Any, log: Any) -> Any:
    """Derivative in p of h(p) + h(eta p) - h((1-eta) p), in the logarithm's unit."""
    lost = 1 - eta
    own = log((1 - p) / p)
    kept = eta * log((1 - eta * p) / (eta * p))
    return own + kept - lost * log((1 - lost * p) / (lost * p))


def _precise_assisted(eta: Any) -> mpmath.mpf:
    if eta <= 0 or eta >= 1:
        return mpmath.mpf(0 if eta <= 0 else 2)
    low, high = mpmath.mpf(0), mpmath.mpf(1)
    for _ in range(int(3.4 * mpmath.mp.dps) + 10):
        middle = (low + high) / 2
        rising = _damping_slope(middle, eta, mpmath.log) > 0
        low, high = (middle, high) if rising else (low, middle)
    p = (low + high) / 2
    entropy = h.precise
    return entropy(p) + entropy(eta * p) - entropy((1 - eta) * p)


def damping_assisted_capacity(eta: Any) -> NDArray[np.float64]:
    """Entanglement-assisted capacity of amplitude damping, in bits a use.

    C_EA = max_p h(p) + h(eta p) - h((1 - eta) p): by covariance under rotations about
    z and concavity the best input is diagonal, with excitation p; the environment sees
    (1 - eta) p of it.

    Args:
        eta: Survival 1 - gamma in [0, 1], any shape.

    Returns:
        Float64 array, entries in [0, 2]; eta = 1/2 gives exactly 1.

    Source: Bennett, Shor, Smolin and Thapliyal (2002); proofs/lemmas/damping_capacity.

    Example:
        >>> from qjax.bounds import damping_assisted_capacity
        >>> round(float(damping_assisted_capacity(0.3)), 4)
        0.6779
    """
    eta = np.asarray(eta, dtype=np.float64)
    inside = np.clip(eta, 1e-150, 1 - 1e-16)
    low, high = np.full(eta.shape, 1e-150), np.full(eta.shape, 1 - 1e-16)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rising = _damping_slope(middle, inside, np.log) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    p = (low + high) / 2
    bits = binary_entropy(p) + binary_entropy(inside * p)
    bits = bits - binary_entropy((1 - inside) * p)
    return np.asarray(np.where(eta <= 0, 0.0, np.where(eta >= 1, 2.0, bits)))


class assisted_damping(BitsFunction):
    """Sympy form of `damping_assisted_capacity`."""

    nargs = 1
    precise = staticmethod(_precise_assisted)
    fast = staticmethod(damping_assisted_capacity)

    @classmethod
    def eval(cls, eta):
        known = {sp.S.Zero: sp.S.Zero, sp.S.Half: sp.S.One, sp.S.One: sp.Integer(2)}
        return known.get(eta)


def depolarizing_bits(survival: sp.Expr) -> sp.Expr:
    """1 - h((1+lambda)/2): exact, for storage noise."""
    return 1 - h((1 + survival) / 2)


def relaxation_bits(population: sp.Expr, coherence: sp.Expr) -> sp.Expr:
    """log2(1 + max(eta, c)), at every temperature."""
    return sp.log(1 + sp.Max(population, coherence), 2)


def damping_bits(eta: sp.Expr) -> sp.Expr:
    """The smallest of log2(1+sqrt eta), h(eta) for eta <= 1/2, and C_EA."""
    low = sp.Piecewise((h(eta), sp.Le(eta, sp.Rational(1, 2))), (1, True))
    return sp.Min(sp.log(1 + sp.sqrt(eta), 2), low, assisted_damping(eta))


def replaced_by_damping(eta: sp.Expr, excited: sp.Expr) -> sp.Expr:
    """Largest mu such that damping - mu (replace by some state) is a channel's part.

    (1 - sqrt eta)^2 if e* = min(e, 1-e) >= sqrt(eta)/(1 + sqrt(eta)), else
    gamma^2 e*(1 - e*)/(1 - gamma + gamma e*).
    """
    root, gamma = sp.sqrt(eta), 1 - eta
    least = sp.Min(excited, 1 - excited)
    cold = gamma**2 * least * (1 - least) / (eta + gamma * least)
    return sp.Piecewise(
        ((1 - root) ** 2, sp.Ge(least, root / (1 + root))), (cold, True)
    )


def generalized_damping_bits(eta: sp.Expr, excited: sp.Expr) -> sp.Expr:
    """The smaller of log2(1+sqrt eta) and 1 - mu, the Doeblin bound."""
    doeblin = 1 - replaced_by_damping(eta, excited)
    return sp.Min(sp.log(1 + sp.sqrt(eta), 2), doeblin)
