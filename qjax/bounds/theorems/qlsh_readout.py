"""Q-LSH lemma, linear readouts and variances: where k sin(theta) is right.

Y-quadrature and local SWAP are sums over qubits, so their signal grows with k; the
variance of a SWAP estimate keeps the hyperplanes' share whatever the shots.
"""

import dataclasses
import math

import sympy as sp

from qjax.bounds.bound import Bound, Constant, Mutant
from qjax.bounds.theorems.qlsh_expectation import (
    NOISELESS_POINTS,
    NOISY_POINTS,
    SIXTEEN,
)
from qjax.bounds.theorems.qlsh_law import sketch_law
from qjax.bounds.theorems.qlsh_readout_steps import steps_of
from qjax.bounds.theorems.qlsh_simulation import (
    Point,
    product_sketch,
    sketch_instance,
)
from qjax.bounds.theorems.qlsh_symbols import (
    AGREEMENT,
    ARC,
    C2,
    LOCAL,
    LOCAL_SLOPE,
    NOISY,
    NOISY_SQUARE,
    QUADRATURE,
    SHRINK,
    TRANSVERSE,
    VG,
    VL,
    G,
    K,
    L,
    V,
    VGc,
    c,
    dL,
    g,
    m,
    quadrature_spread,
    s,
    theta,
    total_variance,
)

SHARP = tuple(
    Point(1, 3, math.asin(1 / math.sqrt(3)), cosine) for cosine in (0.999, 0.5)
)
"""sin^2(theta) = 1/g: the largest signal to noise per qubit."""


def qlsh_quadrature() -> Bound:
    """Y readout: E G = (2/pi) arcsin(s) k sin(theta) cos^(g-1)(theta) r, exactly.

    Also its single-shot variance k - (E G)^2/m, its variance over c shots, and the
    limit of its signal to noise per qubit, (1 - 1/g)^(g-1) (1 - 2 delta)^2.

    Source: proofs/qlsh.md, steps Q3.3, Q3.4, Q3.7 and Q4.5.

    Example:
        >>> from qjax.bounds.theorems.qlsh_readout import qlsh_quadrature
        >>> len(qlsh_quadrature().also)
        3
    """
    statement = sp.Eq(G, QUADRATURE)
    spread = quadrature_spread()
    shots = m * (spread - (QUADRATURE / m) ** 2 + (g - spread) / c)
    also = (
        sp.Eq(VG, K - G**2 / m),
        sp.Eq(VGc, shots),
        sp.Le(G**2 / (m * K), (1 - 1 / g) ** (g - 1) * AGREEMENT**2),
    )
    noisy = Point(2, 2, 0.8, 0.6, lam=0.9, T=2).label()
    triple = Point(1, 3, 0.7, 0.3, c=5)
    mutants = (
        Mutant("Q5a", "s in place of (2/pi) arcsin s",
               sp.Eq(G, QUADRATURE / AGREEMENT * s), SHARP[1].label()),
        Mutant("Q5b", "no interference in a bucket: k sin(theta)",
               sp.Eq(G, AGREEMENT * K * sp.sin(theta) * SHRINK), triple.label()),
        Mutant("Q5c", "noise counted twice: lambda^2T", sp.Eq(G, QUADRATURE * SHRINK),
               noisy),
        Mutant("Q5d", "m in place of k", sp.Eq(G, QUADRATURE / g), noisy),
        Mutant("Q5e", "variance k - (E G)^2", sp.Eq(VG, K - G**2), noisy),
        Mutant("Q5f", "all of the variance averages away: VG/c", sp.Eq(VGc, VG / c),
               triple.label()),
        Mutant("Q5g", "accumulated signs gain: SNR above e^-1 (1-2 delta)^2 only",
               sp.Le(G**2 / (m * K), sp.exp(-1) * AGREEMENT**2), SHARP[0].label()),
    )  # fmt: skip
    points = (*SHARP, triple, *NOISELESS_POINTS[:4], *NOISY_POINTS[:5], SIGNS[0])
    return sketch_law(
        "Q-LSH/quadrature",
        "Y readout: the estimator that is linear in k sin(theta)",
        statement,
        constants=(Constant("2/pi", 2 / sp.pi, "step Q1.3: Sheppard's arcsine"),),
        steps=steps_of("Q3.3", "Q3.4", "Q3.7", "Q4.5"),
        instances=tuple(sketch_instance(point) for point in points),
        mutants=mutants,
        also=also,
    )


SIGNS = (Point(2, 2, 0.9, 0.7, c=4), Point(2, 2, -0.9, 0.7, c=4))


def qlsh_local_swap() -> Bound:
    """Local SWAP, a sum over qubits: E L = m (1 + v c2^g + w)/2.

    Also its slope k v sin^2(theta) c2^(g-1)/(pi sqrt(1-s^2)), which grows with k at
    fixed g, and its single-trial variance m - (E L)^2/m.

    Source: proofs/qlsh.md, steps Q3.5, Q3.6 and Q4.3.

    Example:
        >>> from qjax.bounds.theorems.qlsh_readout import qlsh_local_swap
        >>> qlsh_local_swap().statement.lhs
        L
    """
    statement = sp.Eq(L, LOCAL)
    also = (sp.Eq(dL, LOCAL_SLOPE), sp.Eq(VL, m - L**2 / m))
    noisy = Point(2, 2, 0.8, 0.6, lam=0.9, T=2).label()
    plain = Point(2, 2, 0.35, 0.5).label()
    mutants = (
        Mutant("Q6a", "product of the qubits, not sum", sp.Eq(L, m * NOISY), noisy),
        Mutant("Q6b", "slope linear in sin(theta)",
               sp.Eq(dL, LOCAL_SLOPE / sp.sin(theta)), plain),
        Mutant("Q6c", "slope without noise",
               sp.Eq(dL, LOCAL_SLOPE / TRANSVERSE), noisy),
        Mutant("Q6d", "slope decays with every sign",
               sp.Eq(dL, K * TRANSVERSE * sp.sin(theta) ** 2 * C2 ** (K - 1) / ARC),
               plain),
        Mutant("Q6e", "variance m - (E L)^2", sp.Eq(VL, m - L**2), plain),
    )  # fmt: skip
    points = (*NOISELESS_POINTS, *NOISY_POINTS[:5])
    return sketch_law(
        "Q-LSH/local-swap",
        "Sum of one-qubit SWAP tests: slope proportional to k",
        statement,
        given=("-1 < s < 1 for the slope",),
        constants=(Constant("1/pi", 1 / sp.pi, "step Q1.9: slope of arccos(s)/pi"),),
        steps=steps_of("Q3.5", "Q3.6", "Q4.1"),
        instances=tuple(sketch_instance(point) for point in points),
        mutants=mutants,
        also=also,
    )


def qlsh_variance() -> Bound:
    """SWAP estimate of c trials: Var = E F^2 - (E F)^2 + (1 - E F^2)/c.

    The first part is the hyperplanes' and does not shrink with c.

    Source: proofs/qlsh.md, steps Q4.2 and Q4.3.

    Example:
        >>> from qjax.bounds.theorems.qlsh_readout import qlsh_variance
        >>> [mutant.id for mutant in qlsh_variance().mutants]
        ['M18', 'Q8a', 'Q8b', 'Q8c']
    """
    law = total_variance(NOISY, NOISY_SQUARE)
    statement = sp.Eq(V, law)
    example = dataclasses.replace(SIXTEEN, c=400)
    few = Point(2, 2, 0.8, 0.6, c=5)
    mutants = (
        Mutant("M18", "(1 - mu^2)/c unconditionally",
               sp.Eq(V, (1 - NOISY**2) / c), example.label()),
        Mutant("Q8a", "everything shrinks with c",
               sp.Eq(V, law.subs(c, 1) / c), few.label()),
        Mutant("Q8b", "shot noise left out", sp.Eq(V, NOISY_SQUARE - NOISY**2),
               few.label()),
        Mutant("Q8c", "shot noise of the mean overlap",
               sp.Eq(V, NOISY_SQUARE - NOISY**2 + (1 - NOISY**2) / c), few.label()),
    )  # fmt: skip
    noisy = [
        dataclasses.replace(point, c=shots)
        for point, shots in zip(NOISY_POINTS[:5], (1, 2, 3, 4, 6), strict=True)
    ]
    big = [example, dataclasses.replace(SIXTEEN, c=100)]
    instances = [sketch_instance(point) for point in (few, *noisy)]
    instances += [sketch_instance(point, simulate=product_sketch) for point in big]
    return sketch_law(
        "Q-LSH/variance",
        "Variance of a SWAP estimate, hyperplanes included",
        statement,
        constants=(Constant("1", sp.S.One, "step Q4.2: law of total variance"),),
        steps=steps_of("Q4.3", "Q4.4"),
        instances=tuple(instances),
        mutants=mutants,
    )
