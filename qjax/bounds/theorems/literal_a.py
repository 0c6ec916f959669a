"""The literal statement A, and a map from its constants to structures that violate it.

As written: m >= Omega(log(1/(alpha+beta)) / (1 - c T epsilon)) for any quantum data
structure with at most T two-qubit gates per operation. "Omega" and "c depending on the
channel" leave two constants free, so a refutation must beat every choice of both.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from qjax._checks import require
from qjax.bounds.bound import Bound, Constant, Instance, Step, Variable
from qjax.bounds.lemmas.algebra import is_zero
from qjax.bounds.memory.instances import bit_vector, repetition_code
from qjax.bounds.memory.structure import (
    exact_statistics,
    simulate_noise,
    storage_noise,
)
from qjax.bounds.memory.trivial import repetition_error
from qjax.bounds.model import STORED

m = sp.Symbol("m", integer=True, nonnegative=True)
T = sp.Symbol("T", integer=True, nonnegative=True)
alpha, beta, eps = sp.symbols("alpha beta eps", real=True, nonnegative=True)
c = sp.Symbol("c", real=True, nonnegative=True)
C = sp.Symbol("C", positive=True)

CLAIM = -C * sp.log(alpha + beta, 2) / (1 - c * T * eps)

C_GRID = (1, Fraction(1, 100), 100)
C_POLE_GRID = (1, 0, Fraction(1, 10), Fraction(1, 2), Fraction(14427, 10000), 4, 100)

# Below this c the pole instance is exact but its numbers (e^-1/c) outgrow 50 digits;
# the noiseless instance refutes every c and serves there.
SMALLEST_POLE_CONSTANT = Fraction(1, 20)


def noisy_bit_error(noise: float, layers: int) -> float:
    """Flip probability of one stored bit after T layers, from the engine.

    (1 - lambda^T)/2 in closed form; here 1 - p of the one-bit structure, simulated
    layer by layer, so that one compilation serves every T.
    """
    structure, layer = repetition_code(1), storage_noise(1 - noise, 1, 1)
    states = np.asarray(structure.states)
    for _ in range(layers):
        states = simulate_noise(states, layer)
    right = np.einsum("kxij,kxji->kx", np.asarray(structure.effects), states).real
    return 1 - float(right.mean())


def pole_instance(c_value: Fraction, big_c: Fraction) -> Instance:
    """A bit vector of four elements so close to the pole that the claim exceeds 2 m.

    T = floor(1/c) + 1 layers; epsilon = (1 - eta)/(c T) with eta = C g/(2 m), where
    g = log2 1/(1 - lambda0^T) and lambda0 = 1 - 1/(c T) <= lambda. The claim is then at
    least C g / eta >= 2 m, and it grows without limit as eta falls.

    Args:
        c_value: c > 0.
        big_c: C > 0, the constant hidden in Omega.

    Returns:
        The instance, with alpha = beta = (1 - lambda^T)/2 simulated on the engine.

    Raises:
        ValueError: If c is 0 (there is no pole).

    Source: proofs/literal_a.md, steps A0.4 and A0.5.
    """
    require(c_value > 0, "c_value", "be positive", c_value)
    memory = 4
    layers = math.floor(1 / c_value) + 1
    at_pole = 1 - Fraction(1) / (c_value * layers)
    gain = -math.log1p(-(float(at_pole) ** layers)) / math.log(2)
    eta = Fraction(min(0.5, float(big_c) * gain / (2 * memory)))
    noise = (1 - eta) / (c_value * layers)

    def values() -> Mapping[str, Any]:
        error = noisy_bit_error(float(noise), layers)
        return {"m": memory, "alpha": error, "beta": error, "eps": noise, "T": layers}

    label = f"bit vector at the pole: m=4, T={layers}, c T eps = 1 - {float(eta):.3g}"
    note = "each of the four bits flips with (1 - lambda^T)/2"
    return Instance(label, values, error=1e-9, note=note)


def noiseless_instance(big_c: Fraction) -> Instance:
    """The exact bit vector with T = epsilon = 0 and the errors 2^-(k+1) allowed.

    m = 4 qubits hold any subset of four elements without error, so it meets alpha =
    beta = 2^-(k+1) for every k; the claim is C k, more than 4 for k = floor(4/C) + 1.

    Source: proofs/literal_a.md, steps A0.1 to A0.3.
    """
    memory = 4
    allowed = math.floor(memory / big_c) + 1

    def values() -> Mapping[str, Any]:
        measured = exact_statistics(bit_vector(2, 2), storage_noise(1.0, 0, memory))
        exact = measured.member == 1 and measured.other == 0
        require(exact, "bit vector", "be exact without noise", measured)
        budget = Fraction(1, 2 ** (allowed + 1))
        return {"m": memory, "alpha": budget, "beta": budget, "eps": 0, "T": 0}

    label = f"exact bit vector: m=4, T=eps=0, alpha=beta=2^-{allowed + 1}"
    return Instance(label, values, error=0.0)


def refuting_instance(constants: Mapping[str, Any]) -> Instance:
    """The map (C, c) -> instance: a pole if 50 digits resolve it, else no noise."""
    big_c, c_value = Fraction(constants["C"]), Fraction(constants["c"])
    if c_value >= SMALLEST_POLE_CONSTANT:
        return pole_instance(c_value, big_c)
    return noiseless_instance(big_c)


def repetition_instance(copies: int, layers: int, noise: Fraction) -> Instance:
    """A repetition code whose qubits are simulated one by one (they never interact).

    The majority's error is the binomial tail of the simulated flip probability.
    """

    def values() -> Mapping[str, Any]:
        error = repetition_error(noisy_bit_error(float(noise), layers), copies)
        return {"m": copies, "alpha": error, "beta": error, "eps": noise, "T": layers}

    label = f"repetition code: m={copies}, T={layers}, eps={noise}"
    return Instance(label, values, error=1e-9, note="binomial tail, exact")


def _noiseless_exceeds() -> bool:
    """C k > 4 for k = floor(4/C) + 1: x - floor(x) < 1 for every real x."""
    fraction = sp.frac(4 / C)
    excess = C * (4 / C - fraction + 1) - 4
    return sp.expand(excess - C * (1 - fraction)) == 0 and (fraction < 1) == sp.true


def _noiseless_claim() -> bool:
    """At T = eps = 0 and alpha = beta = 2^-(k+1) the claim is C k."""
    k = sp.Symbol("k", integer=True, positive=True)
    point = {T: 0, eps: 0, alpha: 2 ** (-k - 1), beta: 2 ** (-k - 1)}
    value = CLAIM.subs(point, simultaneous=True)
    return sp.expand(sp.expand_log(sp.powsimp(value), force=True) - C * k) == 0


def _pole_claim() -> bool:
    """At eps = (1 - eta)/(c T) the claim is C g/eta with g = log2 1/(alpha+beta)."""
    eta, count, rate = sp.symbols("eta T_0 c_0", positive=True)
    value = CLAIM.subs({c: rate, T: count, eps: (1 - eta) / (rate * count)})
    return is_zero(value + C * sp.log(alpha + beta, 2) / eta)


def _pole_exceeds() -> bool:
    """eta <= C g/(2 m) gives C g/eta >= 2 m: (C g - 2 m eta)/eta >= 0."""
    eta, gain, slack = sp.symbols("eta g s", positive=True)
    memory = sp.Symbol("m_0", positive=True)
    # eta = C g/(2 m) - s with s >= 0
    excess = (C * gain - 2 * memory * eta) / eta
    at_slack = excess.subs(gain, 2 * memory * (eta + slack) / C)
    return bool(sp.cancel(at_slack).is_positive)


def _exact_bit_vector() -> bool:
    """All 16 subsets and 4 queries: |1><1| on bit x accepts iff x is in S."""
    one = sp.diag(0, 1)
    for subset in itertools.product((0, 1), repeat=4):
        for x in range(4):
            factors = [one if wire == x else sp.eye(2) for wire in range(4)]
            effect = sp.kronecker_product(*factors)
            index = sum(bit << (3 - wire) for wire, bit in enumerate(subset))
            if effect[index, index] != subset[x]:
                return False
    return True


STEPS = (
    Step("A0.1", "exact", "a 4-bit vector stores every subset of 4 elements exactly",
         _exact_bit_vector),
    Step("A0.2", "symbolic", "at T = eps = 0, alpha = beta = 2^-(k+1): claim = C k",
         _noiseless_claim, ("A0.1",)),
    Step("A0.3", "symbolic", "C k > 4 for k = floor(4/C) + 1, whatever C and c",
         _noiseless_exceeds, ("A0.2",)),
    Step("A0.4", "symbolic", "at c T eps = 1 - eta: claim = C log2(1/(alpha+beta))/eta",
         _pole_claim),
    Step("A0.5", "symbolic", "for c > 0 some eta > 0 makes the claim exceed 2 m",
         _pole_exceeds, ("A0.4",)),
)  # fmt: skip
"""The refutation for every (C, c), in proofs/literal_a.md."""

VARIABLES = (
    Variable(m, 0, sp.oo, "memory qubits", "memory"),
    Variable(alpha, 0, 1, "false-positive rate", "false_positive"),
    Variable(beta, 0, 1, "false-negative rate", "false_negative"),
    Variable(eps, 0, 1, "noise per gate: replacement probability", "noise"),
    Variable(T, 0, sp.oo, "two-qubit gates per operation", "layers"),
    Variable(c, 0, sp.oo, "constant of the channel"),
    Variable(C, 0, sp.oo, "constant hidden in Omega"),
)


def literal_a() -> Bound:
    """The literal statement A: m >= C log(1/(alpha+beta))/(1 - c T eps), to be refuted.

    Returns:
        The bound, with a grid over (C, c), the refuting family and the refutation's
        steps. Noise is read in the way that favours it most: T layers on the whole
        memory.

    Source: proofs/literal_a.md.

    Example:
        >>> from qjax.bounds import literal_a
        >>> bound = literal_a()
        >>> bound.family({"C": 1, "c": 0}).name
        'exact bit vector: m=4, T=eps=0, alpha=beta=2^-6'
    """
    return Bound(
        id="literal-A",
        title="Literal A: m >= Omega(log(1/(alpha+beta))/(1 - c T eps))",
        statement=sp.Ge(m, CLAIM),
        variables=VARIABLES,
        # The reading that favours it most: storage noise on the whole memory.
        model=dataclasses.replace(STORED, layers="at most", choice="worst case"),
        hypotheses=("any quantum data structure that stores S, a subset of {0,1}^d",),
        vacuous_when=None,
        constants=(
            Constant("C", None, "hidden in Omega: some C > 0", C_GRID),
            Constant("c", None, "'depending on the channel': some c >= 0", C_POLE_GRID),
        ),
        steps=STEPS,
        instances=(
            repetition_instance(19, 100, Fraction(1, 100)),
            repetition_instance(5, 2, Fraction(1, 2)),
        ),
        mutants=(),
        proof="literal_a",
        family=refuting_instance,
    )
