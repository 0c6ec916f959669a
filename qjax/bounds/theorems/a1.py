"""Theorem A1: a noisy memory for approximate membership needs n d(p||alpha_b) bits.

The tight instance is the SIC filter; Bloom filters, QRACs and repetition codes are the
others. Every instance is simulated; the closed forms appear in proofs/a1.md only.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.ensembles import random_structures, replay_structure
from qjax.bounds.information import d, h
from qjax.bounds.instances import STRUCTURES
from qjax.bounds.model import STORED
from qjax.bounds.structure import (
    acceptance_intervals,
    exact_statistics,
    sampled_acceptances,
    storage_noise,
)
from qjax.bounds.theorems.a1_steps import STEPS

n, m = sp.symbols("n m", integer=True, nonnegative=True)
b = sp.Symbol("b", integer=True, positive=True)
T = sp.Symbol("T", integer=True, nonnegative=True)
lam, p, a, chi = sp.symbols("lam p a chi", real=True, nonnegative=True)

ALPHA_B = p / b + (1 - 1 / b) * a
KAPPA = 1 - h((1 + lam**T) / 2)
NEEDED = n * d(p, ALPHA_B)

VARIABLES = (
    Variable(n, 1, sp.oo, "stored elements, one per block", "items"),
    Variable(b, 2, sp.oo, "elements per block", "block_size"),
    Variable(m, 0, sp.oo, "memory qubits over all copies", "memory"),
    Variable(lam, 0, 1, "survival per layer", "survival"),
    Variable(T, 0, sp.oo, "noise layers on every memory qubit", "layers"),
    Variable(p, 0, 1, "mean acceptance of members, 1 - beta", "member_acceptance"),
    Variable(a, 0, 1, "mean acceptance of same-block non-members, alpha",
             "other_acceptance"),
    Variable(chi, 0, sp.oo, "Holevo information of the stored ensemble", "holevo"),
)  # fmt: skip

HYPOTHESES = (
    "the family contains every set with one element in each of n blocks of size b",
    "p and a are averages over uniform such sets, or worst-case values with p >= a",
    "storage noise: T depolarizing layers on every memory qubit, nothing between them",
    "no fresh ancilla, reset or measurement between encoding and query",
    "public randomness may be shared by encoder and querier; no entanglement",
)

SIC_LEVELS = (0.0, 0.05, 0.2, 0.5, 0.9, 0.99, 1.0)
"""lambda of the one-block SIC filter in the exact stage, both edges included."""


def membership_values(
    structure: Any, survival: float, layers: int
) -> Mapping[str, Any]:
    """Values of A1's symbols for a structure simulated under storage noise.

    Args:
        structure: A `QuantumDataStructure` in complex128.
        survival: lambda per layer, in [0, 1].
        layers: T.

    Returns:
        n, b, m, lam, T, p, a, chi by name.
    """
    noise = storage_noise(survival, layers, structure.num_wires)
    result = exact_statistics(structure, noise)
    # Rounding may leave [0, 1] by one unit in the last place.
    inside, outside = (min(max(x, 0.0), 1.0) for x in (result.member, result.other))
    return {
        "n": structure.num_blocks, "b": structure.block_size,
        "m": structure.num_wires, "lam": survival, "T": layers,
        "p": inside, "a": outside, "chi": result.holevo,
    }  # fmt: skip


def sampled_values(
    key: Key, shots: int, confidence: float, *, structure: Any, survival: float,
    layers: int,
) -> Mapping[str, Any]:  # fmt: skip
    """Pessimistic values from shots: p at its lower limit, a at its upper one.

    By step A1.7 the bound evaluated there is at most the true one with the given
    confidence. If the intervals overlap, a = p and the bound is 0. chi is absent: a
    plug-in entropy would be biased.
    """
    noise = storage_noise(survival, layers, structure.num_wires)
    counts = sampled_acceptances(key, structure, noise, shots)
    member, other = acceptance_intervals(counts, shots, confidence)
    low, high = member[0], min(other[1], member[0])
    return {
        "n": structure.num_blocks, "b": structure.block_size,
        "m": structure.num_wires, "lam": survival, "T": layers, "p": low, "a": high,
    }  # fmt: skip


def membership_instance(
    name: str,
    arguments: Mapping[str, Any],
    survival: float,
    layers: int = 1,
    *,
    tight: bool = False,
    sampled: bool = False,
) -> Instance:
    """An instance of A1 from a row of `STRUCTURES`, simulated when it is asked for.

    Args:
        name: Key of `STRUCTURES`.
        arguments: Keyword arguments of the builder.
        survival: lambda per layer.
        layers: T.
        tight: Whether A1 is claimed to be an equality here.
        sampled: Whether the Monte-Carlo stage runs it too.
    """
    build: Callable[[], Any] = functools.partial(STRUCTURES[name], **arguments)
    sizes = "".join(f" {key}={value}" for key, value in arguments.items())
    label = f"{name}{sizes} lam={survival:g} T={layers}"

    def values() -> Mapping[str, Any]:
        return membership_values(build(), survival, layers)

    def shots(key: Key, count: int, confidence: float) -> Mapping[str, Any]:
        return sampled_values(
            key, count, confidence, structure=build(), survival=survival, layers=layers
        )

    return Instance(label, values, tight, 1e-11, shots if sampled else None)


def _instances() -> tuple[Instance, ...]:
    make = membership_instance
    found = [
        make("sic", {"num_blocks": 1}, level, tight=level > 0,
             sampled=level in (0.5, 0.9, 1.0))
        for level in SIC_LEVELS
    ]  # fmt: skip
    found += [
        make("sic", {"num_blocks": 1}, 0.9, 3, tight=True),
        make("sic", {"num_blocks": 2}, 0.9, tight=True),
        make("sic", {"num_blocks": 2}, 0.5, tight=True),
    ]
    for level in (1.0, 0.7):
        found.append(make("qrac", {"num_bits": 2}, level, sampled=True))
        found.append(make("qrac", {"num_bits": 3}, level))
    bits = {"num_blocks": 2, "block_size": 2}
    found += [make("bit_vector", bits, level) for level in (1.0, 0.9)]
    # One bit per block of two is the classical tight case.
    found.append(make("repetition", {"copies": 1}, 0.6, tight=True))
    found.append(make("repetition", {"copies": 3}, 0.6, sampled=True))
    bloom = {
        "num_blocks": 2, "block_size": 4, "num_bits": 5, "hashes": 2, "seeds": (0, 1, 2)
    }  # fmt: skip
    found += [make("bloom", bloom, level) for level in (1.0, 0.9)]
    return tuple(found)


def _mutants() -> tuple[Mutant, ...]:
    sic = "sic num_blocks=1 lam={} T=1"
    squared = 1 - h((1 + lam ** (2 * T)) / 2)
    literal = -sp.log(1 - p + a, 2)
    return (
        Mutant("M1", "alpha in place of alpha_b", sp.Le(n * d(p, a), m * KAPPA),
               sic.format("1")),
        Mutant("M2", "kappa = 1 - h((1 + lambda^2T)/2)", sp.Le(NEEDED, m * squared),
               sic.format("0.9")),
        Mutant("M3", "constant 1.05 n d",
               sp.Le(sp.Rational(21, 20) * NEEDED, m * KAPPA), sic.format("0.9")),
        Mutant("M4", "literal A: log 1/(alpha+beta), no n and no N",
               sp.Le(literal, m * KAPPA),
               "bit_vector num_blocks=2 block_size=2 lam=1 T=1"),
    )  # fmt: skip


def theorem_a1() -> Bound:
    """Theorem A1 with depolarizing storage noise: m kappa >= n d(p || alpha_b).

    m (1 - h((1 + lambda^T)/2)) >= chi >= n d(p || p/b + (1 - 1/b) a).

    Returns:
        The bound, with its proof steps, instances, random instances and mutants.

    Source: proofs/a1.md.

    Example:
        >>> from qjax.bounds import theorem_a1
        >>> [mutant.id for mutant in theorem_a1().mutants]
        ['M1', 'M2', 'M3', 'M4']
    """
    return Bound(
        id="A1",
        title="Noisy approximate membership: m kappa >= n d(1-beta || alpha_b)",
        statement=sp.Le(NEEDED, m * KAPPA),
        variables=VARIABLES,
        model=STORED,
        hypotheses=HYPOTHESES,
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("1", sp.S.One, "step A1.6: superadditivity, data processing, "
                     "convexity; attained by the SIC filter (A1.9)"),
            Constant("kappa", KAPPA, "step L6.5: King's additivity at lambda^T"),
        ),
        steps=STEPS,
        instances=_instances(),
        mutants=_mutants(),
        proof="a1",
        also=(sp.Le(NEEDED, chi), sp.Le(chi, m * KAPPA)),
        random=random_structures,
        replay_random=replay_structure,
    )  # fmt: skip
