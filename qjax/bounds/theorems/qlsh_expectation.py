"""Q-LSH lemma, exact laws of the overlap: amplitude, fidelity, moments, slope, noise.

Each statement is an equation between a simulated expectation over hyperplanes and its
closed form; proofs are in qlsh_steps.
"""

import math
from collections.abc import Mapping
from typing import Any

import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.theorems.qlsh_law import sketch_law
from qjax.bounds.theorems.qlsh_readout_steps import steps_of
from qjax.bounds.theorems.qlsh_simulation import (
    Point,
    product_sketch,
    simulate_points,
    sketch_instance,
)
from qjax.bounds.theorems.qlsh_symbols import (
    AMPLITUDE,
    AMPLITUDE_SLOPE,
    ARC,
    C1,
    C2,
    C4,
    DELTA,
    E2,
    FIDELITY,
    FIDELITY_SLOPE,
    HYPOTHESES,
    NOISELESS_MODEL,
    NOISY,
    NOISY_SQUARE,
    OFFSET,
    SECOND_MOMENT,
    TRANSVERSE,
    A,
    E,
    K,
    T,
    dA,
    dE,
    eta,
    g,
    lam,
    m,
    noisy_level,
    nu,
    s,
    theta,
    variables_of,
)

SIXTEEN = Point(16, 1, 0.35, 0.5)
"""k = 16 signs, one per qubit: the example of the original design's ROC."""

NOISELESS_POINTS = (
    Point(1, 1, 0.7, 0.3),
    Point(1, 3, 0.7, 0.3),
    Point(2, 2, 0.35, 0.5),
    Point(2, 2, -1.2, -0.4),
    Point(2, 2, 1.4, 0.0),
)
"""Enumerated sketches: every bucketing, both signs of theta and s."""

PRODUCT_POINTS = (
    SIXTEEN,
    Point(16, 1, -0.35, 0.5),
    Point(16, 1, 0.35, 0.0),
    Point(256, 1, 0.3, 0.0),
)
"""One sign per qubit, up to k = 256."""

NOISY_POINTS = (
    Point(2, 2, 0.8, 0.6, lam=0.9, T=2),
    Point(2, 2, 0.8, 0.6, nu=0.8, T=3),
    Point(2, 2, 0.8, 0.6, eta=0.7, T=2),
    Point(2, 2, 0.8, 0.6, eta=0.7, e=0.2, T=2),
    Point(1, 1, 0.5, -0.2, nu=0.9, eta=0.8, e=0.1, T=1),
    Point(2, 2, 0.8, 0.6, lam=0.0, T=1),
    Point(2, 2, 0.8, 0.6),
)
"""Depolarizing, dephasing, damping at zero and positive temperature, T1/T2, none."""


def _points(
    enumerated: tuple[Point, ...], products: tuple[Point, ...] = ()
) -> tuple[Instance, ...]:
    found = [sketch_instance(point) for point in enumerated]
    found += [sketch_instance(p, simulate=product_sketch) for p in products]
    return tuple(found)


def _derived(text: str) -> tuple[Constant, ...]:
    return (Constant("1", sp.S.One, text),)


def qlsh_amplitude() -> Bound:
    """Hadamard test: E <psi_a|psi_b> = (1 - 2 delta sin^2(theta/2))^k, any bucketing.

    Source: proofs/qlsh.md, step Q1.6.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_amplitude
        >>> qlsh_amplitude().id
        'Q-LSH/amplitude'
    """
    statement = sp.Eq(A, AMPLITUDE)
    uneven = Point(2, 2, 0.35, 0.5).label()
    mutants = (
        Mutant("Q1a", "sin^2(theta) for sin^2(theta/2)", sp.Eq(A, C2**K), uneven),
        Mutant("Q1b", "one factor per qubit: exponent m", sp.Eq(A, C1**m), uneven),
        Mutant("Q1c", "mean Hamming distance: cos(theta)^(k delta)",
               sp.Eq(A, sp.cos(theta) ** (K * DELTA)), SIXTEEN.label()),
        Mutant("Q1d", "5 % more", sp.Eq(A, AMPLITUDE * sp.Rational(21, 20)), uneven),
    )  # fmt: skip
    return sketch_law(
        "Q-LSH/amplitude",
        "Mean of a Hadamard test of two phase sketches",
        statement,
        constants=_derived("step Q1.6: exact for every k"),
        steps=steps_of("Q1.6"),
        instances=_points(NOISELESS_POINTS, PRODUCT_POINTS[:2]),
        mutants=mutants,
        noisy=False,
    )


def qlsh_fidelity() -> Bound:
    """SWAP test: E F = [(1 + (1 - 2 delta sin^2(theta))^g)/2]^m.

    Source: proofs/qlsh.md, step Q1.7.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_fidelity
        >>> [mutant.id for mutant in qlsh_fidelity().mutants][:2]
        ['M17', 'M20']
    """
    statement = sp.Eq(E, FIDELITY)
    half = Point(16, 1, 0.35, 0.0).label()
    uneven = Point(2, 2, 0.35, 0.5).label()
    mutants = (
        Mutant("M17", "k sin(theta) s for the fidelity",
               sp.Eq(E, K * sp.sin(theta) * s), Point(16, 1, -0.35, 0.5).label()),
        Mutant("M20", "cos^2k of the mean Hamming distance (Jensen swapped)",
               sp.Eq(E, (sp.cos(theta) ** 2) ** (K * DELTA)), half),
        Mutant("Q1e", "buckets ignored: (1 - delta sin^2)^k",
               sp.Eq(E, ((1 + C2) / 2) ** K), uneven),
        Mutant("Q1f", "square of the mean amplitude",
               sp.Eq(E, AMPLITUDE**2), uneven),
        Mutant("Q1g", "no 1/2: (c2^g)^m", sp.Eq(E, C2**K), SIXTEEN.label()),
    )  # fmt: skip
    return sketch_law(
        "Q-LSH/fidelity",
        "Mean of a SWAP test of two phase sketches",
        statement,
        constants=_derived("step Q1.7: exact for every m and g"),
        steps=steps_of("Q1.7"),
        instances=_points(NOISELESS_POINTS, PRODUCT_POINTS),
        mutants=mutants,
        noisy=False,
    )


def qlsh_second_moment() -> Bound:
    """E F^2 = [3/8 + c2^g/2 + c4^g/8]^m, and with noise [E (u + v cos)^2/4]^m.

    Source: proofs/qlsh.md, steps Q1.8 and Q2.3.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_second_moment
        >>> len(qlsh_second_moment().mutants)
        4
    """
    statement = sp.Eq(E2, NOISY_SQUARE)
    pure = Point(2, 2, 0.8, 0.6).label()
    wrong = (sp.Rational(3, 8) + C2**g / 2 + C2**g / 8) ** m
    quarter = (sp.Rational(1, 4) + C2**g / 2 + C4**g / 4) ** m
    mutants = (
        Mutant("Q2a", "square of the mean: no spread over hyperplanes",
               sp.Eq(E2, NOISY**2), SIXTEEN.label()),
        Mutant("Q2b", "c4 taken for c2", sp.Eq(E2, wrong), pure),
        Mutant("Q2c", "1/4 + c2/2 + c4/4", sp.Eq(E2, quarter), pure),
        Mutant("Q2d", "noiseless moments under noise", sp.Eq(E2, SECOND_MOMENT),
               Point(2, 2, 0.8, 0.6, lam=0.9, T=2).label()),
    )  # fmt: skip
    return sketch_law(
        "Q-LSH/second-moment",
        "Second moment of the overlap over hyperplanes, with noise",
        statement,
        constants=_derived("step Q2.3: exact for every m and g"),
        steps=steps_of("Q2.3"),
        instances=_points(NOISY_POINTS + NOISELESS_POINTS, PRODUCT_POINTS[:1]),
        mutants=mutants,
    )


def qlsh_slope() -> Bound:
    """dE F/ds = m [(1+c2^g)/2]^(m-1) g c2^(g-1) sin^2(theta)/(pi sqrt(1-s^2)).

    Also the amplitude's slope. Both are quadratic in theta and decay with k.

    Source: proofs/qlsh.md, step Q1.9.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_slope
        >>> len(qlsh_slope().also)
        1
    """
    statement = sp.Eq(dE, FIDELITY_SLOPE)
    amplitude = sp.Eq(dA, AMPLITUDE_SLOPE)
    many = Point(256, 1, 0.3, 0.0).label()
    linear = K * sp.sin(theta) ** 2 / ARC
    mutants = (
        Mutant("Q3a", "slope k sin(theta): the original's",
               sp.Eq(dE, K * sp.sin(theta)), many),
        Mutant("Q3b", "no decay with k", sp.Eq(dE, linear), many),
        Mutant("Q3c", "d delta/ds at s = 0 everywhere",
               sp.Eq(dE, FIDELITY_SLOPE * sp.sqrt(1 - s**2)),
               Point(2, 2, 0.35, 0.5).label()),
        Mutant("Q3d", "1/2 in place of 1/pi",
               sp.Eq(dE, FIDELITY_SLOPE * sp.pi / 2), SIXTEEN.label()),
    )  # fmt: skip
    slopes = (Point(1, 1, 0.3, 0.0), Point(23, 1, 0.3, 0.0), Point(64, 1, 0.3, 0.0))
    return sketch_law(
        "Q-LSH/slope",
        "Slopes of the mean overlaps in the cosine",
        statement,
        given=("-1 < s < 1",),
        constants=_derived("step Q1.9: exact for every m and g"),
        steps=steps_of("Q1.9"),
        instances=_points(NOISELESS_POINTS, PRODUCT_POINTS + slopes),
        mutants=mutants,
        also=(amplitude,),
        noisy=False,
    )


def qlsh_noise() -> Bound:
    """E Tr rho_a rho_b = [(1 + v c2^g + w)/2]^m under T layers of storage noise.

    v = (lambda nu)^2T eta^T, w = ((1 - eta^T)(1 - 2e))^2.

    Source: proofs/qlsh.md, step Q2.2.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_noise
        >>> qlsh_noise().title
        'Mean overlap of two noisy phase sketches'
    """
    statement = sp.Eq(E, NOISY)
    one_side = (lam * nu) ** T * eta ** (T / 2)
    depolarized = Point(2, 2, 0.8, 0.6, lam=0.9, T=2).label()
    damped = Point(2, 2, 0.8, 0.6, eta=0.7, T=2).label()
    warm = Point(2, 2, 0.8, 0.6, eta=0.7, e=0.2, T=2).label()
    cold = noisy_level(TRANSVERSE, (1 - eta**T) ** 2) ** m
    first_order = 1 - m * T * (1 - lam * nu * eta)
    mutants = (
        Mutant("Q4a", "noise on one sketch only: r for r^2",
               sp.Eq(E, noisy_level(one_side, OFFSET) ** m), depolarized),
        Mutant("Q4b", "the damped state's polarisation left out",
               sp.Eq(E, noisy_level(TRANSVERSE, sp.S.Zero) ** m), damped),
        Mutant("Q4c", "zero temperature", sp.Eq(E, cold), warm),
        Mutant("Q4d", "degradation of order epsilon: factor 1 - m T epsilon",
               sp.Eq(E, FIDELITY * first_order),
               Point(2, 2, 0.8, 0.6, lam=0.0, T=1).label()),
        Mutant("Q4e", "coherence shrinks by eta, not sqrt(eta)",
               sp.Eq(E, noisy_level(TRANSVERSE * eta**T, OFFSET) ** m), damped),
    )  # fmt: skip
    return sketch_law(
        "Q-LSH/noise",
        "Mean overlap of two noisy phase sketches",
        statement,
        constants=_derived("step Q2.2: exact for every m, g and T"),
        steps=steps_of("Q2.2"),
        instances=_points(NOISY_POINTS),
        mutants=mutants,
    )


OPPOSITE = sp.Symbol("E_opposite", real=True)


def _mirrored(point: Point) -> Mapping[str, Any]:
    """Mean overlaps at s and -s of one enumerated sketch."""
    pair = (point, Point(point.m, point.g, point.theta, -point.s))
    values = simulate_points(pair)["E"]
    return {"E": float(values[0]), "E_opposite": float(values[1])}


def qlsh_aliasing() -> Bound:
    """Aliasing: at theta = pi/2 and even g the fidelity cannot tell s from -s.

    Keep g theta below pi/2, where it can.

    Source: proofs/qlsh.md, step Q7.1.

    Example:
        >>> from qjax.bounds.theorems.qlsh_expectation import qlsh_aliasing
        >>> qlsh_aliasing().id
        'Q-LSH/aliasing'
    """
    right = [Point(2, 2, math.pi / 2, cosine) for cosine in (0.9, 0.5, 0.1)]
    odd, slant = Point(1, 3, math.pi / 2, 0.5), Point(2, 2, 1.4, 0.5)
    same = sp.Eq(E, OPPOSITE)
    mirrored = Variable(OPPOSITE, 0, 1, "mean overlap at -s")
    return Bound(
        id="Q-LSH/aliasing",
        title="At theta = pi/2 with g even, s and -s look alike",
        statement=same,
        variables=(*variables_of(sp.Eq(E, 0)), mirrored),
        model=NOISELESS_MODEL,
        hypotheses=(*HYPOTHESES, "theta = pi/2 and g is even"),
        vacuous_when=None,
        constants=_derived("step Q7.1: exact for every m and even g"),
        steps=steps_of("Q7.1"),
        instances=tuple(sketch_instance(p, simulate=_mirrored) for p in right),
        mutants=(
            Mutant("Q7a", "g need not be even", same, odd.label(),
                   (sketch_instance(odd, False, _mirrored),)),
            Mutant("Q7b", "theta need not be pi/2", same, slant.label(),
                   (sketch_instance(slant, False, _mirrored),)),
            Mutant("Q7c", "the sign of the cosine is lost with 5 %",
                   sp.Eq(E, OPPOSITE * sp.Rational(21, 20)), right[0].label()),
        ),
        proof="qlsh",
    )  # fmt: skip
