"""The proof of the readout floor A3; numbers are headings of proofs/a3.md."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero

lam, gamma, lost = sp.symbols("lambda gamma mu", nonnegative=True)
alpha0, beta0, trace_half = sp.symbols("alpha_0 beta_0 tau", nonnegative=True)


def depolarized_answer() -> bool:
    """Tr M D(rho) = lambda Tr M rho + (1-lambda) tau with tau = Tr M/2.

    So alpha = lambda alpha_0 + (1-lambda) tau, beta = lambda beta_0 + (1-lambda)(1-tau)
    and their sum is 1 - lambda (1 - alpha_0 - beta_0).
    """
    entries = sp.symbols("m0:4")
    effect = sp.Matrix(2, 2, entries)
    r, s, t, u = sp.symbols("r s t u")
    state = sp.Matrix([[r, s], [t, u]])
    output = lam * state + (1 - lam) * (r + u) * sp.eye(2) / 2
    gap = (effect * output).trace() - lam * (effect * state).trace()
    affine = sp.expand(gap - (1 - lam) * (r + u) * effect.trace() / 2) == 0
    alpha = lam * alpha0 + (1 - lam) * trace_half
    beta = lam * beta0 + (1 - lam) * (1 - trace_half)
    return affine and is_zero(alpha + beta - (1 - lam * (1 - alpha0 - beta0)))


def depolarizing_floor() -> bool:
    """alpha + beta - (1-lambda) = lambda (alpha_0 + beta_0) >= 0."""
    excess = (1 - lam * (1 - alpha0 - beta0)) - (1 - lam)
    return is_combination([alpha0, beta0], [lam, lam], sp.expand(excess))


def damped_answer() -> bool:
    """<1|A(rho)|1> = (1-gamma) <1|rho|1>: alpha = (1-gamma) alpha_0 and
    beta = 1 - (1-gamma)(1 - beta_0) = gamma + (1-gamma) beta_0.
    """
    root = sp.sqrt(1 - gamma)
    kraus = [sp.diag(1, root), sp.Matrix([[0, sp.sqrt(gamma)], [0, 0]])]
    r, s, t, u = sp.symbols("r s t u")
    state = sp.Matrix([[r, s], [t, u]])
    output = kraus[0] * state * kraus[0].T + kraus[1] * state * kraus[1].T
    excited = sp.expand(output[1, 1] - (1 - gamma) * u) == 0
    beta = 1 - (1 - gamma) * (1 - beta0)
    return excited and is_zero(beta - (gamma + (1 - gamma) * beta0))


def damping_floor() -> bool:
    """alpha + beta - gamma = (1-gamma)(alpha_0 + beta_0) >= 0, mu = 1 - gamma."""
    excess = lost * alpha0 + gamma + lost * beta0 - gamma
    return is_combination([alpha0, beta0], [lost, lost], sp.expand(excess))


def other_readouts() -> bool:
    """Damping with any test: the accepted Bloch vector shrinks by sqrt(1-gamma) in x, y
    and by 1-gamma <= sqrt(1-gamma) in z, so the floor is 1 - sqrt(1-gamma).

    The test Pauli X reaches it. gamma - [1 - sqrt(1-gamma)] = x (1-x) with x =
    sqrt(1-gamma): the floor of the Z readout is the higher one.
    """
    x, y = sp.symbols("x y", nonnegative=True)  # y = 1 - x
    gap = x * y
    return bool(gap.is_nonnegative) and is_zero(
        gap.subs(y, 1 - x) - ((1 - x**2) - (1 - x))
    )


START = (
    Step("A3.1", "hypothesis", "the answer is a measurement of one qubit that suffered "
         "the noise; alpha_0 and beta_0 are the errors without it"),
)  # fmt: skip

OWN = {
    "depolarizing": (
        *START,
        Step("A3.2", "symbolic", "alpha + beta = 1 - lambda (1 - alpha_0 - beta_0)",
             depolarized_answer, ("A3.1",)),
        Step("A3.3", "symbolic", "alpha + beta >= 1 - lambda", depolarizing_floor,
             ("A3.2",), concludes=True),
    ),
    "damping": (
        *START,
        Step("A3.4", "symbolic", "alpha = (1-g) alpha_0, beta = g + (1-g) beta_0",
             damped_answer, ("A3.1",)),
        Step("A3.5", "symbolic", "alpha + beta >= gamma", damping_floor, ("A3.4",),
             concludes=True),
        Step("A3.6", "symbolic", "any other test of the qubit: 1 - sqrt(1-gamma) only",
             other_readouts),
    ),
}  # fmt: skip
"""Own steps by the name of the noise."""

STEPS = {name: with_lemmas(own) for name, own in OWN.items()}
"""All steps by the name of the noise."""
