"""L6a: capacity of depolarizing storage noise, m (1 - h((1 + lambda^T)/2)) bits."""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.information import h
from qjax.bounds.lemmas.algebra import is_combination, is_zero
from qjax.bounds.lemmas.certificates import compiled_by_coq

x = sp.Symbol("x", real=True)
lam, mu = sp.symbols("lambda mu", nonnegative=True)
k = sp.Symbol("k", integer=True, positive=True)


def layers_compose() -> bool:
    """D_lambda after D_mu multiplies the Bloch vector by lambda mu; T layers: ^T."""
    bloch = sp.Matrix(sp.symbols("v1:4", real=True))
    twice = lam * (mu * bloch)
    count = sp.Symbol("T", integer=True, nonnegative=True)
    induction = sp.powsimp(lam**count * lam) == lam ** (count + 1)
    return sp.expand(twice - (lam * mu) * bloch) == sp.zeros(3, 1) and induction


def output_spectrum() -> bool:
    """lambda rho + (1-lambda) I/2 has eigenvalues (1 +- lambda |v|)/2."""
    v1, v2, v3 = sp.symbols("v1:4", real=True)
    paulis = (
        sp.Matrix([[0, 1], [1, 0]]),
        sp.Matrix([[0, -sp.I], [sp.I, 0]]),
        sp.Matrix([[1, 0], [0, -1]]),
    )
    vector = v1 * paulis[0] + v2 * paulis[1] + v3 * paulis[2]
    state = (sp.eye(2) + vector) / 2
    output = lam * state + (1 - lam) * sp.eye(2) / 2
    length_squared = v1**2 + v2**2 + v3**2
    z = sp.Symbol("z")
    polynomial = (output - z * sp.eye(2)).det()
    claim = (z - sp.Rational(1, 2)) ** 2 - lam**2 * length_squared / 4
    return sp.expand(polynomial - claim) == 0


def capacity_series() -> bool:
    """ln2 (1 - h((1+x)/2)) and sum x^{2k}/(2k(2k-1)) share value, slope, curvature.

    Both vanish with their slope at 0 and have second derivative 1/(1-x^2), the
    geometric series; the coefficients are positive and sum to the limit at 1, ln 2, so
    that the series is at most x^2 ln 2 on [0, 1].
    """
    gap = sp.log(2) * (sp.S.One - h((1 + x) / 2)).rewrite(sp.log)
    curvature = is_zero(sp.diff(gap, x, 2) - 1 / (1 - x**2))
    value = sp.expand_log(gap.subs(x, 0), force=True)
    slope = sp.diff(gap, x).subs(x, 0)
    start = sp.expand(value) == 0 and sp.simplify(slope) == 0
    term = x ** (2 * k) / (2 * k * (2 * k - 1))
    power = is_zero(sp.simplify(sp.diff(term, x, 2) / x ** (2 * k - 2)) - 1)
    # Positive coefficients: by Abel's theorem they sum to the limit at x = 1.
    total = sp.limit(gap, x, 1, "-")
    return curvature and start and power and total == sp.log(2)


def one_qubit_capacity() -> bool:
    """1 - h((1+x)/2) grows with x in [0,1]: slope log2((1+x)/(1-x))/2 >= 0.

    So the output entropy h((1+lambda |v|)/2) is least for pure inputs, and no output
    entropy exceeds 1: chi <= 1 - h((1+lambda)/2).
    """
    z, w = sp.symbols("z w", nonnegative=True)
    slope = sp.diff(1 - h((1 + z) / 2), z)
    claim = sp.log((1 + z) / (1 - z)) / (2 * sp.log(2))
    same = is_zero(sp.diff(slope - claim, z)) and slope.subs(z, 0) == 0
    # (1+z)/(1-z) - 1 = 2z/(1-z) with w = 1 - z.
    ratio_gap = 2 * z / w
    return (
        same
        and bool((z * w).is_nonnegative)
        and is_zero(ratio_gap.subs(w, 1 - z) - ((1 + z) / (1 - z) - 1))
    )


def storage_bound() -> bool:
    """chi(Phi) <= m chi_1 and chi_1 <= kappa give chi(Phi) <= m kappa."""
    chi, single, kappa = sp.symbols("chi chi_1 kappa", real=True)
    m = sp.Symbol("m", integer=True, nonnegative=True)
    return is_combination([m * single - chi, kappa - single], [1, m], m * kappa - chi)


STEPS = (
    Step("L6a.1", "symbolic", "T layers of D_lambda are D_{lambda^T}", layers_compose),
    Step("L6a.2", "symbolic", "output eigenvalues (1 +- lambda |v|)/2",
         output_spectrum),
    Step("L6a.3", "symbolic", "one depolarized qubit: chi <= 1 - h((1+lambda)/2)",
         one_qubit_capacity, ("L6a.2",)),
    Step("L6a.4", "symbolic", "1-h((1+x)/2) = sum x^2k/(2k(2k-1) ln 2) <= x^2",
         capacity_series),
    Step("L6a.5", "symbolic", "chi(Phi) <= m kappa for storage noise", storage_bound,
         ("X3", "L6a.1", "L6a.3")),
    Step("L6a.6", "machine-checked", "1-h((1+x)/2) <= x^2 on the closed interval [0,1]",
         compiled_by_coq("capacity_below_square", "capacity_below_square_bits",
                         "capacity_square_ends")),
)  # fmt: skip
"""Steps of proofs/lemmas/unital_capacity.md."""
