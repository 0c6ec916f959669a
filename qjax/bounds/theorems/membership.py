"""Symbols, values and instances that all bounds on membership structures share."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Instance, Variable
from qjax.bounds.information import d
from qjax.bounds.memory.instances import STRUCTURES
from qjax.bounds.memory.memory_noise import MEMORY_NOISES, T
from qjax.bounds.memory.structure import exact_statistics, sampled_acceptances
from qjax.bounds.sampling import BernoulliTest, Counts

n, m = sp.symbols("n m", integer=True, nonnegative=True)
b = sp.Symbol("b", integer=True, positive=True)
p, a, chi = sp.symbols("p a chi", real=True, nonnegative=True)

ALPHA_B = p / b + (1 - 1 / b) * a
NEEDED = n * d(p, ALPHA_B)

STRUCTURE_VARIABLES = (
    Variable(n, 1, sp.oo, "stored elements, one per block", "items"),
    Variable(b, 2, sp.oo, "elements per block", "block_size"),
    Variable(m, 0, sp.oo, "memory qubits over all copies", "memory"),
    Variable(T, 0, sp.oo, "noise layers on every memory qubit", "layers"),
    Variable(p, 0, 1, "mean acceptance of members, 1 - beta", "member_acceptance"),
    Variable(a, 0, 1, "mean acceptance of same-block non-members, alpha",
             "other_acceptance"),
    Variable(chi, 0, sp.oo, "Holevo information of the stored ensemble", "holevo"),
)  # fmt: skip

BLOCK_SETS = (
    "the family contains every set with one element in each of n blocks of size b",
    "p and a are averages over uniform such sets, or worst-case values with p >= a",
)

Strengths = Mapping[str, float]


def membership_values(
    structure: Any,
    noise: str,
    strengths: Strengths,
    layers: int = 1,
    between: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Values of the symbols for a structure simulated under a noise.

    Args:
        structure: A `QuantumDataStructure` in complex128.
        noise: Key of `MEMORY_NOISES`.
        strengths: Parameters of one layer.
        layers: T.
        between: T - 1 unitaries on the memory, or none.

    Returns:
        n, b, m, T, p, a, chi and the noise's parameters, by name.
    """
    row = MEMORY_NOISES[noise]
    circuit = row.circuit(strengths, layers, structure.num_wires, between)
    result = exact_statistics(structure, circuit)
    # Rounding may leave [0, 1] by one unit in the last place.
    inside, outside = (min(max(x, 0.0), 1.0) for x in (result.member, result.other))
    return {
        "n": structure.num_blocks, "b": structure.block_size,
        "m": structure.num_wires, "T": layers,
        "p": inside, "a": outside, "chi": result.holevo, **strengths,
    }  # fmt: skip


def acceptance_test(
    build: Callable[[], Any], noise: str, strengths: Strengths, layers: int = 1
) -> BernoulliTest:
    """The Monte-Carlo test of a structure: p at its lower limit, a at its upper one.

    By step A1.7 the bound evaluated there is at most the true one with the test's
    confidence. If the intervals overlap, a = p and the bound is 0. chi is absent: a
    plug-in entropy would be biased.

    Args:
        build: Returns a `QuantumDataStructure`.
        noise: Key of `MEMORY_NOISES`.
        strengths: Parameters of one layer.
        layers: T.
    """

    def rates() -> Sequence[float]:
        values = membership_values(build(), noise, strengths, layers)
        return values["p"], values["a"]

    def count(key: Key, shots: int) -> Counts:
        structure = build()
        circuit = MEMORY_NOISES[noise].circuit(strengths, layers, structure.num_wires)
        return sampled_acceptances(key, structure, circuit, shots)

    def values(limits: Sequence[Any]) -> dict[str, Any]:
        structure, (low, high) = build(), limits
        return {
            "n": structure.num_blocks, "b": structure.block_size,
            "m": structure.num_wires, "T": layers, "p": low,
            "a": np.minimum(high, low), **strengths,
        }  # fmt: skip

    return BernoulliTest(rates, count, ("lower", "upper"), values)


def noisy_instance(
    name: str,
    arguments: Mapping[str, Any],
    noise: str,
    strengths: Strengths,
    layers: int = 1,
    between: Sequence[np.ndarray] = (),
    *,
    tight: bool = False,
    sampled: bool = False,
) -> Instance:
    """An instance from a row of `STRUCTURES`, simulated when it is asked for.

    Args:
        name: Key of `STRUCTURES`.
        arguments: Keyword arguments of the builder.
        noise: Key of `MEMORY_NOISES`.
        strengths: Parameters of one layer.
        layers: T.
        between: T - 1 unitaries on the memory, or none.
        tight: Whether the bound is claimed to be an equality here.
        sampled: Whether the Monte-Carlo stage runs it too.
    """
    build: Callable[[], Any] = functools.partial(STRUCTURES[name], **arguments)
    numbers = {**arguments, **{key: f"{value:g}" for key, value in strengths.items()}}
    label = " ".join([name, *(f"{k}={v}" for k, v in numbers.items()), f"T={layers}"])
    if between:
        label += " with unitaries between"

    def values() -> Mapping[str, Any]:
        return membership_values(build(), noise, strengths, layers, between)

    test = acceptance_test(build, noise, strengths, layers) if sampled else None
    return Instance(label, values, tight, 1e-11, test)


def membership_instance(
    name: str,
    arguments: Mapping[str, Any],
    survival: float,
    layers: int = 1,
    *,
    tight: bool = False,
    sampled: bool = False,
) -> Instance:
    """`noisy_instance` with depolarizing storage noise of the given survival."""
    strengths = {"lam": survival}
    return noisy_instance(
        name, arguments, "depolarizing", strengths, layers, tight=tight, sampled=sampled
    )
