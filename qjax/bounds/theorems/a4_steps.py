"""The proof of the depth cap A4, for one-qubit and for block noise.

Numbers are headings of proofs/a4.md.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import divergence_in_nats, is_combination, is_zero
from qjax.bounds.theorems.a1_steps import joint_convexity

lam, width = sp.symbols("lambda w", positive=True)
layers = sp.Symbol("T", integer=True, nonnegative=True)
p, q = sp.symbols("p q", positive=True)


def two_pinskers() -> bool:
    """gap <= N/2, N <= N_1 + N_2, N_i <= r give gap <= r with r = sqrt(2 ln2 D).

    N is ||rho - sigma||_1 and N_1, N_2 are the distances of both from I/2^w.
    """
    gap, norm, first, second, root = sp.symbols("gap N N_1 N_2 r", real=True)
    premises = [norm / 2 - gap, first + second - norm, root - first, root - second]
    half = sp.S.Half
    return is_combination(premises, [1, half, half, half], root - gap)


def one_qubit_power() -> bool:
    """sqrt(2 ln2 w lambda^(2T)) = sqrt(2 ln2 w) lambda^T: equal squares, both >= 0."""
    limit = sp.sqrt(2 * sp.log(2) * width) * lam**layers
    inside = 2 * sp.log(2) * width * lam ** (2 * layers)
    return is_zero(sp.powsimp(limit**2 / inside) - 1) and bool(limit.is_positive)


def block_power() -> bool:
    """sqrt(2 ln2 w lambda^T) = sqrt(2 ln2 w) lambda^(T/2): equal squares."""
    limit = sp.sqrt(2 * sp.log(2) * width) * lam ** (layers / 2)
    inside = 2 * sp.log(2) * width * lam**layers
    return is_zero(sp.powsimp(limit**2 / inside) - 1) and bool(limit.is_positive)


def tested_pair() -> bool:
    """chi of two equal weights >= [d(p||r) + d(q||r)]/2 >= 1 - h((1+p-q)/2), r = mean.

    The pair (1-q, 1-p) has the same value, d is jointly convex (the Hessian form of
    A1.5), and the mean of both pairs is ((1+p-q)/2, (1-p+q)/2) with r = 1/2.
    """
    mean = (p + q) / 2
    own = divergence_in_nats(p, mean) + divergence_in_nats(q, mean)
    swapped = divergence_in_nats(1 - q, 1 - mean) + divergence_in_nats(1 - p, 1 - mean)
    # Logarithms of the same arguments in another order: expansion decides.
    same = sp.expand(own - swapped) == 0
    middle = sp.expand((p + (1 - q)) / 2 - (1 + p - q) / 2) == 0
    gap = sp.Symbol("t", positive=True)
    upper, lower = (1 + gap) / 2, (1 - gap) / 2
    nats = divergence_in_nats(upper, sp.S.Half) + divergence_in_nats(lower, sp.S.Half)
    entropy = -upper * sp.log(upper) - lower * sp.log(lower)
    found = sp.expand(sp.expand(nats / 2) - (sp.log(2) - entropy))
    value = sp.expand(found.subs(lower, 1 - upper)) == 0 or sp.simplify(found) == 0
    return same and middle and value and joint_convexity()


def sharper_chain() -> bool:
    """1 - h((1+gap)/2) <= chi and chi <= w g give 1 - h((1+gap)/2) <= w g."""
    needed, chi, limit = sp.symbols("phi chi wg", real=True)
    return is_combination([chi - needed, limit - chi], [1, 1], limit - needed)


def depth_form() -> bool:
    """ln gap <= ln sqrt(2 ln2 w) - T L, L = ln(1/lambda) > 0: T <= ln(.../gap)/L."""
    log_gap, log_constant = sp.symbols("ln_gap ln_c", real=True)
    rate = sp.Symbol("L", positive=True)
    premise = log_constant - layers * rate - log_gap
    return is_combination(
        [premise], [1 / rate], (log_constant - log_gap) / rate - layers
    )


COMMON = (
    Step("A4.1", "hypothesis", "T layers on all w qubits, unitaries between them"),
    Step("A4.2", "symbolic", "both divergences <= D: 1-alpha-beta <= sqrt(2 ln2 D)",
         two_pinskers, ("A4.1", "L7.2", "X8")),
)  # fmt: skip

SHARPER = (
    Step("A4.5", "symbolic", "1 - h((1+gap)/2) <= chi of the two states", tested_pair,
         ("A4.1", "L2.1")),
)  # fmt: skip

ONE_QUBIT = (
    *COMMON,
    Step("A4.3", "symbolic", "1-alpha-beta <= sqrt(2 ln2 w) lambda^T", one_qubit_power,
         ("A4.2", "L5.1"), concludes=True),
    *SHARPER,
    Step("A4.6", "symbolic", "1 - h((1+gap)/2) <= w lambda^2T", sharper_chain,
         ("A4.5", "L5.2")),
    Step("A4.8", "symbolic", "T <= ln(sqrt(2 ln2 w)/gap)/ln(1/lambda)", depth_form,
         ("A4.3",)),
)  # fmt: skip
"""Steps for one-qubit depolarizing noise."""

BLOCK = (
    *COMMON,
    Step("A4.4", "symbolic", "block noise: 1-alpha-beta <= sqrt(2 ln2 w) lambda^(T/2)",
         block_power, ("A4.2", "L4.8"), concludes=True),
    *SHARPER,
    Step("A4.7", "symbolic", "block noise: 1 - h((1+gap)/2) <= w lambda^T",
         sharper_chain, ("A4.5", "L4.9")),
)  # fmt: skip
"""Steps for noise that replaces blocks."""

STEPS = {"interleaved": with_lemmas(ONE_QUBIT), "block": with_lemmas(BLOCK)}
"""All steps by the name of the noise."""
