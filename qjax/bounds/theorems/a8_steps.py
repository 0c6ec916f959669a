"""The proof of the strong converse A8; numbers are headings of proofs/a8.md."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.relaxation_capacity import (
    code_success,
    products_are_feasible,
    transpose_output,
)

lam = sp.Symbol("lambda", nonnegative=True)
root = sp.Symbol("x", nonnegative=True)  # sqrt(eta^T), at most 1


def depolarized_choi() -> sp.Matrix:
    """J = sum_ij |i><j| (x) (lambda |i><j| + (1 - lambda) delta_ij I/2)."""
    total = sp.zeros(4, 4)
    for i in range(2):
        for j in range(2):
            unit = sp.zeros(2, 2)
            unit[i, j] = 1
            output = lam * unit + (1 - lam) * unit.trace() * sp.eye(2) / 2
            total += sp.kronecker_product(unit, output)
    return sp.Matrix(total)  # sums of products come back immutable


def feasible_point() -> bool:
    """R = (1+lambda)/2 I (x) I and Sigma = (1+lambda)/2 I, of trace 1 + lambda.

    J^G = lambda F + (1-lambda)/2 I with the swap F, F^2 = I, so that
    R - J^G = 2 lambda (I-F)/2 and R + J^G = (1+lambda)(I+F)/2 + (1-lambda)(I-F)/2,
    non-negative multiples of projectors. R^G = R = I (x) Sigma.
    """
    swap = sp.Matrix([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    same, other = (sp.eye(4) + swap) / 2, (sp.eye(4) - swap) / 2
    projectors = same * same == same and other * other == other
    level = (1 + lam) / 2
    turned, above = transpose_output(depolarized_choi()), level * sp.eye(4)
    lower = above - turned - 2 * lam * other
    upper = above + turned - (1 + lam) * same - (1 - lam) * other
    zero = sp.zeros(4, 4)
    closed = sp.expand(lower) == zero and sp.expand(upper) == zero
    local = sp.kronecker_product(sp.eye(2), level * sp.eye(2))
    fits = sp.expand(local - transpose_output(above)) == zero
    return bool(projectors and closed and fits) and is_zero(2 * level - (1 + lam))


def depolarizing_codes() -> bool:
    """Feasible points multiply, and p <= (Tr Sigma)^m / M."""
    return products_are_feasible() and code_success()


def damping_is_relaxation() -> bool:
    """c^T = sqrt(eta^T) = x >= x^2 = eta^T for x <= 1: x - x^2 = x (1-x)."""
    left = sp.Symbol("y", nonnegative=True)  # 1 - x
    gap = root * left
    return bool(gap.is_nonnegative) and is_zero(
        gap.subs(left, 1 - root) - (root - root**2)
    )


def relaxation_codes() -> bool:
    """p <= beta^m/M for one layer with eta^T and c^T is the claim for T layers."""
    success, limit = sp.symbols("p limit", real=True)
    return is_combination([limit - success], [1], limit - success)


def logarithmic_form() -> bool:
    """log p <= m log beta - log M gives m >= (log M - log(1/p))/log beta, beta > 1."""
    log_success, log_size = sp.symbols("log_p log_M", real=True)
    rate = sp.Symbol("log_beta", positive=True)
    m = sp.Symbol("m", nonnegative=True)
    premise = m * rate - log_size - log_success
    needed = (log_size + log_success) / rate
    return is_combination([premise], [1 / rate], m - needed)


def product_code() -> bool:
    """M = 2^m, one opposite pair per qubit: p = ((1+x)/2)^m = (1+x)^m/M."""
    m = sp.Symbol("m", integer=True, positive=True)
    x = sp.Symbol("x", positive=True)
    success = ((1 + x) / 2) ** m
    return sp.simplify(success - (1 + x) ** m / 2**m) == 0


START = (
    Step("A8.1", "hypothesis", "one of M sets, uniform, in m qubits; one measurement"),
)  # fmt: skip
END = (
    Step("A8.6", "symbolic", "m >= (log M - log(1/p)) / log beta", logarithmic_form),
    Step("A8.7", "symbolic", "opposite pairs reach it with M = 2^m", product_code),
)  # fmt: skip

OWN = {
    "depolarizing": (
        *START,
        Step("A8.2", "symbolic", "a feasible point with Tr Sigma = 1 + lambda",
             feasible_point),
        Step("A8.3", "symbolic", "depolarizing: p <= (1 + lambda^T)^m / M",
             depolarizing_codes, ("A8.1", "A8.2", "L6a.1"), concludes=True),
        *END,
    ),
    "damping": (
        *START,
        Step("A8.4", "symbolic", "damping: p <= (1 + sqrt(eta)^T)^m / M",
             damping_is_relaxation, ("A8.1", "L6b.1", "L6b.4"), concludes=True),
        *END,
    ),
    "relaxation": (
        *START,
        Step("A8.5", "symbolic", "T1/T2: p <= (1 + max(eta^T, c^T))^m / M",
             relaxation_codes, ("A8.1", "L6b.1", "L6b.4"), concludes=True),
        *END,
    ),
}  # fmt: skip
"""Own steps by the name of the noise."""

STEPS = {name: with_lemmas(own) for name, own in OWN.items()}
"""All steps by the name of the noise."""
