"""Symbols and closed forms of the Q-LSH lemma, as sympy expressions.

Only statements use these; instances are simulated, replays recompute them in mpmath.
"""

import dataclasses

import sympy as sp

from qjax.bounds.bound import Variable
from qjax.bounds.model import STORED

s = sp.Symbol("s", real=True)
theta = sp.Symbol("theta", real=True)
m, g, c = sp.symbols("m g c", integer=True, positive=True)
T = sp.Symbol("T", integer=True, nonnegative=True)
lam, nu, eta, e = sp.symbols("lam nu eta e", real=True, nonnegative=True)
A, dA, E, E2, dE = sp.symbols("A dA E E2 dE", real=True)
G, VG, VGc, L, dL, VL, V = sp.symbols("G VG VGc L dL VL V", real=True)
tpr, fpr, power, auc, auc_classical = sp.symbols(
    "tpr fpr power auc auc_classical", real=True, nonnegative=True
)

DELTA = sp.acos(s) / sp.pi
AGREEMENT = 2 * sp.asin(s) / sp.pi
K = m * g

C1 = 1 - 2 * DELTA * sp.sin(theta / 2) ** 2
C2 = 1 - 2 * DELTA * sp.sin(theta) ** 2
C4 = 1 - 2 * DELTA * sp.sin(2 * theta) ** 2
ARC = sp.pi * sp.sqrt(1 - s**2)

TRANSVERSE = (lam * nu) ** (2 * T) * eta**T
SHRINK = (lam * nu) ** T * eta ** (T / 2)
OFFSET = ((1 - eta**T) * (1 - 2 * e)) ** 2

AMPLITUDE = C1**K
FIDELITY = ((1 + C2**g) / 2) ** m
SECOND_MOMENT = (sp.Rational(3, 8) + C2**g / 2 + C4**g / 8) ** m
AMPLITUDE_SLOPE = 2 * K * sp.sin(theta / 2) ** 2 * C1 ** (K - 1) / ARC
FIDELITY_SLOPE = (
    m * ((1 + C2**g) / 2) ** (m - 1) * g * C2 ** (g - 1) * sp.sin(theta) ** 2 / ARC
)


def noisy_level(transverse: sp.Expr, offset: sp.Expr) -> sp.Expr:
    """E Tr rho_a rho_b of one qubit: (1 + v c2^g + w)/2."""
    return (1 + transverse * C2**g + offset) / 2


def noisy_square(transverse: sp.Expr, offset: sp.Expr) -> sp.Expr:
    """E (Tr rho_a rho_b)^2 of one qubit: (u^2 + 2 u v c2^g + v^2 (1 + c4^g)/2)/4."""
    u = 1 + offset
    return (u**2 + 2 * u * transverse * C2**g + transverse**2 * (1 + C4**g) / 2) / 4


LEVEL = noisy_level(TRANSVERSE, OFFSET)
NOISY = LEVEL**m
NOISY_SQUARE = noisy_square(TRANSVERSE, OFFSET) ** m
QUADRATURE = AGREEMENT * K * sp.sin(theta) * sp.cos(theta) ** (g - 1) * SHRINK
LOCAL = m * LEVEL
LOCAL_SLOPE = K * TRANSVERSE * sp.sin(theta) ** 2 * C2 ** (g - 1) / ARC


def total_variance(mean: sp.Expr, square: sp.Expr) -> sp.Expr:
    """Var(F) + (1 - E F^2)/c for a mean of c outcomes +-1 with random mean F."""
    return square - mean**2 + (1 - square) / c


def quadrature_spread() -> sp.Expr:
    """W = r^2 E B^2 sin^2(theta A) of one bucket of g signs."""
    x, q = sp.cos(2 * theta), AGREEMENT**2
    curved = g * x**g - g * (g - 1) * x ** (g - 2) * (1 - x**2)
    return TRANSVERSE * (g - (1 - q) * g * x**g - q * curved) / 2


VARIABLES = (
    Variable(s, -1, 1, "cosine similarity of the two vectors"),
    Variable(theta, -sp.oo, sp.oo, "phase per sign, radians"),
    Variable(m, 1, sp.oo, "qubits of a sketch"),
    Variable(g, 1, sp.oo, "signs per qubit; k = m g"),
    Variable(c, 1, sp.oo, "shots: trials per query, each with fresh copies"),
    Variable(lam, 0, 1, "survival per layer of depolarizing noise"),
    Variable(nu, 0, 1, "coherence factor per layer of dephasing"),
    Variable(eta, 0, 1, "population factor per layer of damping"),
    Variable(e, 0, 1, "excited population of the damping's fixed state"),
    Variable(T, 0, sp.oo, "noise layers on every qubit of both sketches"),
    Variable(A, -1, 1, "mean of <psi_a|psi_b> over hyperplanes"),
    Variable(dA, -sp.oo, sp.oo, "its slope in s"),
    Variable(E, 0, 1, "mean of Tr rho_a rho_b over hyperplanes"),
    Variable(E2, 0, 1, "mean of its square"),
    Variable(dE, -sp.oo, sp.oo, "slope of E in s"),
    Variable(G, -sp.oo, sp.oo, "mean of sum_q B_q Y_q"),
    Variable(VG, 0, sp.oo, "single-shot variance of sum_q B_q Y_q"),
    Variable(VGc, 0, sp.oo, "its variance averaged over c shots of one pair"),
    Variable(L, 0, sp.oo, "mean of the sum of one-qubit SWAP tests"),
    Variable(dL, -sp.oo, sp.oo, "slope of L in s"),
    Variable(VL, 0, sp.oo, "single-trial variance of the sum of one-qubit SWAP tests"),
    Variable(V, 0, sp.oo, "variance of the mean of c SWAP outcomes +-1"),
    Variable(tpr, 0, 1, "acceptance at the higher cosine"),
    Variable(fpr, 0, 1, "acceptance at the lower cosine"),
    Variable(power, 0, 1, "best acceptance of a test of k signs at that rate"),
    Variable(auc, 0, 1, "area under the curve of the sketch"),
    Variable(auc_classical, 0, 1, "area under the curve of SimHash with k signs"),
)


def variables_of(*relations: sp.Rel) -> tuple[Variable, ...]:
    """The variables that some relations use, in the order of `VARIABLES`."""
    used = set().union(*(relation.free_symbols for relation in relations))
    return tuple(variable for variable in VARIABLES if variable.symbol in used)


NOISY_MODEL = dataclasses.replace(STORED, layers="exactly", copies="own")
"""Storage noise of exactly T layers; every trial has fresh copies."""

NOISELESS_MODEL = dataclasses.replace(
    NOISY_MODEL, noise_parameter="none", noise_place="none", layers="none"
)

HYPOTHESES = (
    "hyperplane normals are independent standard Gaussian vectors, known to both",
    "k = m g signs, g on each qubit, each an Rz(+theta) or Rz(-theta) on |+>",
    "expectations and variances are over hyperplanes and shots",
)

NOISE_HYPOTHESES = (
    *HYPOTHESES,
    "both sketches pass T layers of storage noise: depolarizing lambda, dephasing nu, "
    "damping eta towards excited population e; lambda = 1 or eta = 1",
)
