"""The literal statement B in its three readings, each with structures that violate it.

As written: in a batch of B queries on a shared state, Delta_var <= min(1/B, chi/H).
The text does not say what Delta_var is; the ratio, the fractional reduction and the
absolute reduction of the batch mean's variance are all refuted.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Array, Float

from qjax.bounds.bound import Bound, Instance, Step, Variable
from qjax.bounds.memory.structure import holevo_information
from qjax.bounds.model import STORED
from qjax.circuits import AbstractOperation, Circuit, cx, x
from qjax.simulate import run
from qjax.states import DensityMatrix, StateVector

B = sp.Symbol("B", integer=True, positive=True)
chi = sp.Symbol("chi", real=True, nonnegative=True)
H = sp.Symbol("H", positive=True)
delta = sp.Symbol("Delta", real=True)

VARIABLES = (
    Variable(B, 1, sp.oo, "queries in the batch"),
    Variable(chi, 0, sp.oo, "Holevo information of the memory, bits"),
    Variable(H, 0, sp.oo, "entropy per query, bits"),
    Variable(delta, -sp.oo, sp.oo, "change of variance, in the given reading"),
)

READINGS: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "ratio": ("Var(batch mean)/Var(one query)", lambda one, mean: mean / one),
    "fraction": (
        "1 - Var(batch mean)/Var(one query)",
        lambda one, mean: 1 - mean / one,
    ),
    "absolute": ("Var(one query) - Var(batch mean)", lambda one, mean: one - mean),
}
"""Each reading of Delta_var, as a function of the two variances."""


def batch_variances(outcomes: Float[Array, "*queries"]) -> tuple[float, float]:
    """Variances of one +-1 answer and of the mean of all, from a joint distribution.

    Args:
        outcomes: Probability of each tuple of answers, shape (2,) * B; answer 0 is +1.
    """
    probabilities = np.asarray(outcomes, dtype=np.float64)
    signs = 1 - 2 * np.indices(probabilities.shape)
    mean = signs.mean(axis=0)
    weight = probabilities / probabilities.sum()

    def variance(values: np.ndarray) -> float:
        return float((weight * values**2).sum() - (weight * values).sum() ** 2)

    return variance(signs[0]), variance(mean)


def memory_values(
    bits: int, reads: tuple[int, ...], entropy: float, reading: str
) -> Mapping[str, Any]:
    """Simulate a memory of uniform classical bits and a batch of Z readouts of it.

    Read j copies memory qubit reads[j] to a fresh register qubit by a CNOT, which is a
    projective Z measurement whose outcome is kept; reading one qubit twice is allowed.

    Args:
        bits: Memory qubits, each holding an independent uniform bit.
        reads: Memory qubit read by each query of the batch.
        entropy: H, entropy per query in bits.
        reading: Key of `READINGS`.

    Returns:
        B, chi, H, Delta by name.
    """
    total = bits + len(reads)
    joint: Any = 0.0
    stored = []
    for word in itertools.product((0, 1), repeat=bits):
        gates: list[AbstractOperation] = [x(i) for i, bit in enumerate(word) if bit]
        gates += [cx(source, bits + j) for j, source in enumerate(reads)]
        state = run(Circuit(tuple(gates), total), StateVector.zeros(total))
        mixed = DensityMatrix.from_state(state)
        stored.append(np.asarray(mixed.reduced(tuple(range(bits)))))
        joint = joint + mixed.probabilities(tuple(range(bits, total))) / 2**bits
    weights = np.full(2**bits, 1 / 2**bits)
    holevo = holevo_information(np.stack(stored), weights)
    one, mean = batch_variances(joint)
    change = READINGS[reading][1](one, mean)
    return {"B": len(reads), "chi": holevo, "H": entropy, "Delta": change}


def _instance(name: str, bits: int, reads: tuple[int, ...], reading: str) -> Instance:
    def values() -> Mapping[str, Any]:
        return memory_values(bits, reads, 1.0, reading)

    return Instance(name, values, error=1e-9)


INSTANCES = {
    "ratio": (("one qubit read twice", 1, (0, 0)),),
    "fraction": (("three independent bits", 3, (0, 1, 2)),),
    "absolute": (("three independent bits", 3, (0, 1, 2)),),
}


def _ratio_exceeds() -> bool:
    """A qubit read B times gives ratio 1, and 1 - 1/B > 0 for B >= 2."""
    extra = sp.Symbol("e", integer=True, nonnegative=True)
    return bool(sp.cancel((1 - 1 / B).subs(B, 2 + extra)).is_positive)


def _reduction_exceeds() -> bool:
    """B independent answers: (1 - 1/B) - 1/B = (B-2)/B > 0 for B >= 3."""
    extra = sp.Symbol("e", integer=True, nonnegative=True)
    return bool(sp.cancel((1 - 2 / B).subs(B, 3 + extra)).is_positive)


STEPS = {
    "ratio": Step("B0.1", "symbolic", "one qubit read B >= 2 times: ratio 1 > 1/B",
                  _ratio_exceeds),
    "fraction": Step("B0.2", "symbolic", "B >= 3 independent answers: 1 - 1/B > 1/B",
                     _reduction_exceeds),
    "absolute": Step("B0.3", "symbolic", "+-1 answers have variance 1: B0.2 applies",
                     _reduction_exceeds),
}  # fmt: skip
"""Refutation of each reading for every B, in proofs/literal_b.md."""


def literal_b(reading: str) -> Bound:
    """The literal statement B in one reading: Delta <= min(1/B, chi/H), to be refuted.

    Args:
        reading: Key of `READINGS`: "ratio", "fraction" or "absolute".

    Returns:
        The bound with a simulated counterexample.

    Source: proofs/literal_b.md.

    Example:
        >>> from qjax.bounds import literal_b
        >>> literal_b("ratio").id
        'literal-B/ratio'
    """
    meaning, _ = READINGS[reading]
    return Bound(
        id=f"literal-B/{reading}",
        title=f"Literal B, Delta = {meaning} <= min(1/B, chi/H)",
        statement=sp.Le(delta, sp.Min(1 / B, chi / H)),
        variables=VARIABLES,
        model=dataclasses.replace(
            STORED, noise_parameter="none", noise_place="none", layers="none",
            copies="shared", batch="collective",
        ),
        hypotheses=("a batch of B queries answered from one shared state",),
        vacuous_when=None,
        constants=(),
        steps=(STEPS[reading],),
        instances=tuple(
            _instance(name, bits, reads, reading)
            for name, bits, reads in INSTANCES[reading]
        ),
        mutants=(),
        proof="literal_b",
    )  # fmt: skip
