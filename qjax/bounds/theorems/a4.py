"""A4: a depth cap. Noise between any unitaries drowns every distinction in the end.

1 - alpha - beta <= sqrt(2 ln2 w) lambda^T for one-qubit depolarizing noise on w qubits,
and lambda^(T/2) for noise that replaces blocks of qubits.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, RandomBatch, Variable
from qjax.bounds.information import h
from qjax.bounds.memory.ensembles import (
    random_structures,
    random_unitaries,
    replay_structure,
)
from qjax.bounds.memory.memory_noise import MEMORY_NOISES
from qjax.bounds.memory.refresh import (
    REFRESHED_QUBITS,
    refreshed_bit,
    refreshing_circuit,
)
from qjax.bounds.memory.state_pairs import pair_errors
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a4_steps import STEPS

alpha, beta, lam = sp.symbols("alpha beta lam", real=True, nonnegative=True)
w, T = sp.symbols("w T", integer=True, nonnegative=True)

GAP = 1 - alpha - beta
PINSKER = sp.sqrt(2 * sp.log(2) * w)
EXPONENTS = {"interleaved": 2 * T, "block": T}
"""D(rho || I/2^w) <= w lambda^exponent after T layers, by the name of the noise."""

DIGITS = 60

VARIABLES = (
    Variable(alpha, 0, 1, "acceptance of x for a set without x", "false_positive"),
    Variable(beta, 0, 1, "rejection of x for a set with x", "false_negative"),
    Variable(w, 1, sp.oo, "qubits of memory and workspace"),
    Variable(lam, 0, 1, "survival per layer", "survival"),
    Variable(T, 0, sp.oo, "layers of noise on all w qubits", "layers"),
)

HYPOTHESES = (
    "two sets and one query: x is in one set and not in the other",
    "at least T layers of noise hit every one of the w qubits, unitaries between them",
    "workspace is counted in w; no fresh ancilla, reset or measurement before the end",
)

NOISE_TEXT = {
    "interleaved": "one-qubit depolarizing noise on every qubit in every layer",
    "block": "each layer replaces each block of a partition with probability 1-lambda",
}


def basis_pair(num_wires: int) -> np.ndarray:
    """Kets |0..0> and |1..1>, shape (2, 2^w)."""
    kets = np.zeros((2, 2**num_wires), dtype=complex)
    kets[0, 0] = kets[1, -1] = 1
    return kets


def cat_pair(num_wires: int) -> np.ndarray:
    """Kets (|0..0> +- |1..1>)/sqrt 2, shape (2, 2^w)."""
    flat, signs = basis_pair(num_wires), np.asarray([[1, 1], [1, -1]])
    return signs @ flat / np.sqrt(2)


def depth_values(
    noise: str,
    kets: np.ndarray,
    survival: float,
    layers: int,
    between: Sequence[np.ndarray] = (),
) -> Mapping[str, Any]:
    """Values of A4's symbols for two kets under interleaved noise, Helstrom's test.

    Args:
        noise: "interleaved" or "block".
        kets: Shape (2, 2^w).
        survival: lambda per layer.
        layers: T.
        between: T - 1 unitaries on the w qubits, or none.
    """
    num_wires = kets.shape[1].bit_length() - 1
    row = MEMORY_NOISES[noise]
    circuit = row.circuit({"lam": survival}, layers, num_wires, between)
    errors = pair_errors(kets, circuit)
    return {
        "alpha": errors.alpha, "beta": errors.beta, "w": num_wires, "lam": survival,
        "T": layers,
    }  # fmt: skip


def scrambling(num_wires: int, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Haar-random unitaries on w qubits, the same ones for the same seed."""
    size = 2**num_wires
    normal = np.random.default_rng(seed).normal(size=(2, count, size, size))
    return tuple(random_unitaries(normal))


def _refreshed() -> Mapping[str, Any]:
    """Forty rounds of noise at lambda = .9, each followed by a correction."""
    rounds, survival = 40, 0.9
    errors = pair_errors(refreshed_bit(), refreshing_circuit(survival, rounds))
    return {
        "alpha": errors.alpha, "beta": errors.beta, "w": REFRESHED_QUBITS,
        "lam": survival, "T": rounds,
    }  # fmt: skip


REFRESH = Instance("majority refresh with resets, 40 rounds", _refreshed, note=(
    "an entropy sink: outside the hypotheses"))  # fmt: skip


def _instance(
    noise: str, label: str, kets: np.ndarray, survival: float, layers: int,
    between: Sequence[np.ndarray] = (),
) -> Instance:  # fmt: skip
    width = kets.shape[1].bit_length() - 1
    name = f"{label} w={width} lam={survival:g} T={layers}"

    def values() -> Mapping[str, Any]:
        return depth_values(noise, kets, survival, layers, between)

    return Instance(name, values)


def _instances(noise: str) -> tuple[Instance, ...]:
    def make(*args: Any) -> Instance:
        return _instance(noise, *args)

    widths = (1, 3) if noise == "interleaved" else (2,)
    found = [
        make("basis pair", basis_pair(width), level, 1)
        for width in widths for level in (0.2, 0.3, 0.5, 0.9)
    ]  # fmt: skip
    found += [make("cat pair", cat_pair(widths[-1]), level, 1) for level in (0.5, 0.8)]
    found += [
        make("random circuit", basis_pair(3), level, 3, scrambling(3, 2, seed))
        for seed, level in ((0, 0.6), (1, 0.8))
    ]
    # Without noise the sharper form is an equality.
    found.append(make("basis pair", basis_pair(widths[0]), 1.0, 1))
    return tuple(found)


def _one_qubit_mutants() -> tuple[Mutant, ...]:
    one, three = "basis pair w=1 lam={} T=1", "basis pair w=3 lam={} T=1"
    return (
        Mutant("A4a", "exponent 2T in place of T",
               sp.Le(GAP, PINSKER * lam ** (2 * T)), one.format("0.5")),
        Mutant("A4b", "no width: sqrt(2 ln2) lambda^T",
               sp.Le(GAP, sp.sqrt(2 * sp.log(2)) * lam**T), three.format("0.2")),
        Mutant("A4c", "half the constant, as if one of the states stood still",
               sp.Le(GAP, PINSKER / 2 * lam**T), one.format("0.9")),
        Mutant("A4d", "divergence in nats: sqrt(w/2)",
               sp.Le(GAP, sp.sqrt(w / 2) * lam**T), one.format("0.9")),
        Mutant("A4e", "fresh qubits between the layers", sp.Le(GAP, PINSKER * lam**T),
               REFRESH.name, (REFRESH,)),
        Mutant("A4f", "the sharper form with lambda^(3T)",
               sp.Le(1 - h((1 + GAP) / 2), w * lam ** (3 * T)), one.format("0.5")),
    )  # fmt: skip


def _block_mutants() -> tuple[Mutant, ...]:
    pair = "basis pair w=2 lam={} T=1"
    return (
        Mutant("A4g", "exponent 2T in place of T/2",
               sp.Le(GAP, PINSKER * lam ** (2 * T)), pair.format("0.5")),
        Mutant("A4h", "exponent 3T/2", sp.Le(GAP, PINSKER * lam ** (3 * T / 2)),
               pair.format("0.3")),
        Mutant("A4i", "half the constant, as if one of the states stood still",
               sp.Le(GAP, PINSKER / 2 * lam ** (T / 2)), pair.format("0.9")),
        Mutant("A4j", "sharper form without the width",
               sp.Le(1 - h((1 + GAP) / 2), (lam**T / 2)), pair.format("0.9")),
    )  # fmt: skip


def _relabelled(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """alpha, beta and w of a membership structure: the pair form holds for averages."""
    with mpmath.workdps(DIGITS):  # of a replay; arrays of float64 do not notice
        rejected = 1 - values["p"]
    return {
        "alpha": values["a"], "beta": rejected, "w": values["m"],
        "lam": values["lam"], "T": values["T"],
    }  # fmt: skip


def _random_circuits(noise: str, key: Key, count: int) -> RandomBatch:
    batch = random_structures(key, count, noise)
    return RandomBatch(
        _relabelled(batch.values),
        lambda index: _relabelled(batch.replay(index)),
        batch.serialise,
    )


def _depth_cap(noise: str, identifier: str, mutants: tuple[Mutant, ...]) -> Bound:
    exponent = EXPONENTS[noise]
    limit = PINSKER * lam ** (exponent / 2)
    return Bound(
        id=identifier,
        title=f"Depth cap: 1-alpha-beta <= sqrt(2 ln2 w) lambda^({exponent / 2})",
        statement=sp.Le(GAP, limit),
        variables=VARIABLES,
        model=dataclasses.replace(
            STORED, noise_place="interleaved", choice="worst case", randomness="none"
        ),
        hypotheses=(*HYPOTHESES, NOISE_TEXT[noise]),
        vacuous_when=sp.Ge(limit, 1),
        constants=(
            Constant("sqrt(2 ln2)", sp.sqrt(2 * sp.log(2)),
                     "Pinsker in bits, once for each state, halved by the distance"),
        ),
        steps=STEPS[noise],
        instances=_instances(noise),
        mutants=mutants,
        proof="a4",
        also=(sp.Le(1 - h((1 + GAP) / 2), w * lam**exponent),),
        random=lambda key, count: _random_circuits(noise, key, count),
        replay_random=lambda record: _relabelled(replay_structure(record)),
        not_tight="Pinsker's inequality is sharp only near equal states, where the "
        "divergence is far below its maximum w; the best ratio is 1/sqrt(2 ln2) = .849 "
        "at w = 1, and the sharper form 1-h((1+gap)/2) <= w lambda^... is an equality "
        "without noise",
    )  # fmt: skip


def depth_cap() -> Bound:
    """A4: 1 - alpha - beta <= sqrt(2 ln2 w) lambda^T between any unitaries.

    And, sharper, 1 - h((1 + gap)/2) <= w lambda^(2T) with gap = 1 - alpha - beta.

    Returns:
        The bound for one-qubit depolarizing noise on each of w qubits.

    Source: proofs/a4.md.

    Example:
        >>> from qjax.bounds.theorems.a4 import depth_cap
        >>> [mutant.id for mutant in depth_cap().mutants]
        ['A4a', 'A4b', 'A4c', 'A4d', 'A4e', 'A4f']
    """
    return _depth_cap("interleaved", "A4", _one_qubit_mutants())


def block_depth_cap() -> Bound:
    """A4 for block noise: 1 - alpha - beta <= sqrt(2 ln2 w) lambda^(T/2).

    Returns:
        The bound for noise that replaces each block of a partition independently.

    Source: proofs/a4.md.

    Example:
        >>> from qjax.bounds.theorems.a4 import block_depth_cap
        >>> block_depth_cap().id
        'A4/block'
    """
    return _depth_cap("block", "A4/block", _block_mutants())
