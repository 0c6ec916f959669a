"""The Q-LSH lemma as originally written, in its readings, each refuted.

"For cosine similarity s the acceptance gap scales as Delta ~ k sin(theta) s up to
O(epsilon); ROC from shot variance sigma^2 = (1 - mu^2)/c". "Scales" and "O" leave a
constant C free, so that every refutation is a map from C to a simulated sketch.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Variable
from qjax.bounds.model import CellProbeModel
from qjax.bounds.sketches.sign_sketches import SketchNoise
from qjax.bounds.sketches.sketch_profiles import sketch_profiles
from qjax.bounds.theorems.qlsh_readout_steps import steps_of
from qjax.bounds.theorems.qlsh_simulation import Point, product_sketch
from qjax.bounds.theorems.qlsh_symbols import (
    HYPOTHESES,
    NOISELESS_MODEL,
    NOISY_MODEL,
    E,
    V,
    c,
    m,
    s,
    theta,
    variables_of,
)

C = sp.Symbol("C", real=True)
k = sp.Symbol("k", integer=True, positive=True)
gap = sp.Symbol("Delta", real=True)
eps = sp.Symbol("eps", real=True, nonnegative=True)

GAP_VARIABLES = (
    Variable(gap, -1, 1, "mean SWAP value at cosine s minus that at cosine 0"),
    Variable(k, 1, sp.oo, "signs of a sketch, one per qubit"),
    Variable(C, -sp.oo, sp.oo, "constant of proportionality"),
)
FREE = Variable(C, 0, sp.oo, "constant hidden in the claim")

SIGNED_GRID = (-1, 0, Fraction(1, 100), Fraction(1, 10), 1, Fraction(2, 7), 10, 100)
POSITIVE_GRID = (Fraction(1, 100), Fraction(1, 10), Fraction(2, 7), 1, 10, 100)
VARIANCE_GRID = (1, 2, 10, 100, 1000)

EXAMPLE = Point(16, 1, 0.35, 0.5, c=400)
"""k = 16, theta = 0.35, s = 0.5, c = 400: the original's own setting."""


def gap_instance(num_signs: int, angle: float, cosine: float) -> Instance:
    """Acceptance gap of a noiseless sketch with one sign per qubit, simulated.

    Args:
        num_signs: k <= 1000.
        angle: theta, of either sign.
        cosine: s, compared with cosine 0.
    """
    point = Point(num_signs, 1, angle, cosine)
    base = dataclasses.replace(point, s=0.0)

    def values() -> Mapping[str, Any]:
        found = product_sketch(point)["E"] - product_sketch(base)["E"]
        return {"Delta": found, "k": num_signs, "theta": angle, "s": cosine}

    return Instance(f"gap {point.label()}", values, error=1e-9)


def _literal(
    name: str,
    title: str,
    statement: sp.Rel,
    variables: tuple[Variable, ...],
    steps: tuple[str, ...],
    grid: tuple[Any, ...],
    instances: tuple[Instance, ...],
    family: Callable[[Mapping[str, Any]], Instance],
    model: CellProbeModel = NOISELESS_MODEL,
) -> Bound:
    return Bound(
        id=name,
        title=title,
        statement=statement,
        variables=variables,
        model=model,
        hypotheses=HYPOTHESES,
        vacuous_when=None,
        constants=(Constant("C", None, "left open by the claim", grid),),
        steps=steps_of("", *steps),
        instances=instances,
        mutants=(),
        proof="qlsh",
        family=family,
    )


def odd_instance(constants: Mapping[str, Any]) -> Instance:
    """The map C -> sketch: theta < 0 for C > 0, where the claim is negative."""
    sign = -1 if Fraction(constants["C"]) > 0 else 1
    return gap_instance(16, sign * 0.35, 0.5)


def qlsh_literal() -> Bound:
    """Literal lemma, Delta = C k sin(theta) s with some constant C: refuted by parity.

    The gap is the same at theta and -theta and positive; the claim changes its sign.

    Source: proofs/qlsh.md, steps Q6.1 and Q6.2.

    Example:
        >>> from qjax.bounds.theorems.qlsh_literal import qlsh_literal
        >>> qlsh_literal().family({"C": 1}).name
        'gap m=16 g=1 theta=-0.35 s=0.5'
    """
    statement = sp.Eq(gap, C * k * sp.sin(theta) * s)
    points = ((16, 0.35, 0.5), (16, -0.35, 0.5), (23, 0.3, 0.5), (256, 0.3, 0.5))
    return _literal(
        "Q-LSH/literal",
        "Literal Q-LSH lemma: Delta = C k sin(theta) s",
        statement,
        (*GAP_VARIABLES, *variables_of(sp.Eq(theta, s))),
        ("Q6.1", "Q6.2"),
        SIGNED_GRID,
        tuple(gap_instance(*point) for point in points),
        odd_instance,
    )


def crowded_instance(constants: Mapping[str, Any]) -> Instance:
    """The map C -> sketch with so many signs that the claim exceeds 1."""
    angle, cosine = 0.3, 0.5
    claim = float(Fraction(constants["C"])) * math.sin(angle) * cosine
    return gap_instance(math.floor(1 / claim) + 1, angle, cosine)


def qlsh_literal_growth() -> Bound:
    """Literal lemma read as an order of growth, 0 < theta < pi/2: Delta >= C k sin s.

    A gap of two values in [0, 1] cannot grow with k.

    Source: proofs/qlsh.md, step Q6.3.

    Example:
        >>> from qjax.bounds.theorems.qlsh_literal import qlsh_literal_growth
        >>> qlsh_literal_growth().family({"C": 1}).name
        'gap m=7 g=1 theta=0.3 s=0.5'
    """
    statement = sp.Ge(gap, C * k * sp.sin(theta) * s)
    return _literal(
        "Q-LSH/literal-growth",
        "Literal Q-LSH lemma as a growth: Delta >= C k sin(theta) s, C > 0",
        statement,
        (*GAP_VARIABLES[:2], FREE, *variables_of(sp.Eq(theta, s))),
        ("Q6.3",),
        POSITIVE_GRID,
        (gap_instance(256, 0.3, 0.5),),
        crowded_instance,
    )


def variance_instance(shots: int) -> Instance:
    """Total variance of the example with c trials, from the law of their count."""
    point = dataclasses.replace(EXAMPLE, c=shots)
    return Instance(
        f"variance {point.label()}", lambda: product_sketch(point), error=1e-9
    )


def patient_instance(constants: Mapping[str, Any]) -> Instance:
    """The map C -> so many trials that C (1 - mu^2)/c falls below Var F."""
    values = product_sketch(dataclasses.replace(EXAMPLE, c=1))
    fixed = values["E2"] - values["E"] ** 2
    ratio = float(Fraction(constants["C"])) * (1 - values["E"] ** 2) / fixed
    return variance_instance(math.floor(ratio) + 1)


def qlsh_literal_variance() -> Bound:
    """Literal shot variance, unconditionally: Var <= C (1 - mu^2)/c for some C.

    The hyperplanes' part Var F does not shrink with c. With C = 1 and the original's
    numbers: 0.01696 against 0.00180.

    Source: proofs/qlsh.md, step Q6.4.

    Example:
        >>> from qjax.bounds.theorems.qlsh_literal import qlsh_literal_variance
        >>> qlsh_literal_variance().instances[0].name
        'variance m=16 g=1 theta=0.35 s=0.5 c=400'
    """
    statement = sp.Le(V, C * (1 - E**2) / c)
    return _literal(
        "Q-LSH/literal-variance",
        "Literal shot variance: Var <= C (1 - mu^2)/c",
        statement,
        (*variables_of(statement), FREE),
        ("Q6.4",),
        VARIANCE_GRID,
        (variance_instance(400),),
        patient_instance,
    )


def worn_instance(noise: Fraction, qubits: int) -> Instance:
    """Overlap of a sketch with itself after one layer of depolarizing noise.

    One pair of qubits is simulated; m of them multiply.
    """

    def values() -> Mapping[str, Any]:
        one = np.ones(1)
        layer = SketchNoise(
            np.asarray([float(1 - noise)]), one, one, 0 * one, np.asarray([1])
        )
        profile = sketch_profiles((1, 1), 0.35 * one, layer)
        return {"E": float(profile.overlap[0, 0]) ** qubits, "m": qubits, "eps": noise}

    return Instance(f"same vectors, m={qubits} eps={noise}", values, error=1e-9)


def wide_instance(constants: Mapping[str, Any]) -> Instance:
    """The map C -> epsilon = 1/(2C) and so many qubits that less than half is left."""
    level = max(Fraction(constants["C"]), Fraction(1, 2))
    return worn_instance(
        1 / (2 * level), math.floor(4 * float(level) * math.log(2)) + 1
    )


def qlsh_literal_noise() -> Bound:
    """Literal degradation O(epsilon): E F >= 1 - C epsilon for equal vectors, any m.

    Identical sketches keep ((1 + lambda^2)/2)^m only.

    Source: proofs/qlsh.md, step Q6.5.

    Example:
        >>> from qjax.bounds.theorems.qlsh_literal import qlsh_literal_noise
        >>> qlsh_literal_noise().family({"C": 1}).name
        'same vectors, m=3 eps=1/2'
    """
    statement = sp.Ge(E, 1 - C * eps)
    noise = Variable(eps, 0, 1, "epsilon = 1 - lambda, one depolarizing layer")
    return _literal(
        "Q-LSH/literal-noise",
        "Literal degradation: E F >= 1 - C epsilon for equal vectors",
        statement,
        (*variables_of(sp.Eq(E, m)), noise, FREE),
        ("Q6.5",),
        POSITIVE_GRID,
        (worn_instance(Fraction(1, 100), 256),),
        wide_instance,
        dataclasses.replace(NOISY_MODEL, layers="none"),
    )
