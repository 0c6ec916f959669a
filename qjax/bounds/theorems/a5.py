"""A5: the lifetime of what is stored under unital updates.

n d(p || alpha_b) <= m lambda^(2TL) for the n original elements that survive L updates,
each a unitary on the memory and T layers of noise. Without an entropy sink the memory
must be refreshed, or rewritten, before this horizon.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import mpmath
import numpy as np
import sympy as sp

from qjax._types import Key
from qjax.bounds.bound import Bound, Constant, Instance, Mutant, RandomBatch, Variable
from qjax.bounds.memory.ensembles import random_structures, replay_structure
from qjax.bounds.memory.instances import STRUCTURES
from qjax.bounds.memory.memory_noise import SURVIVAL, lam
from qjax.bounds.memory.refresh import (
    REFRESHED_QUBITS,
    refreshed_bit,
    refreshing_circuit,
)
from qjax.bounds.memory.state_pairs import pair_errors
from qjax.bounds.memory.structure import QuantumDataStructure
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a4 import scrambling
from qjax.bounds.theorems.a5_steps import STEPS
from qjax.bounds.theorems.membership import (
    NEEDED,
    a,
    acceptance_test,
    b,
    chi,
    m,
    membership_values,
    n,
    p,
)

T = sp.Symbol("T", integer=True, nonnegative=True)
L = sp.Symbol("L", integer=True, nonnegative=True)

EXPONENTS = {"interleaved": 2 * T * L, "block": T * L}
"""Available bits are m lambda^exponent, by the name of the noise."""

# No roles for the memory and the layers: the linter's trivial structures do not know
# of updates.
VARIABLES = (
    Variable(n, 1, sp.oo, "original elements that survive, one per block"),
    Variable(b, 2, sp.oo, "elements per block"),
    Variable(m, 0, sp.oo, "memory qubits"),
    Variable(p, 0, 1, "mean acceptance of surviving members"),
    Variable(a, 0, 1, "mean acceptance of same-block non-members"),
    Variable(chi, 0, sp.oo, "Holevo information about the surviving elements"),
    SURVIVAL,
    Variable(T, 0, sp.oo, "layers of noise in each update"),
    Variable(L, 0, sp.oo, "updates since the elements were written"),
)

HYPOTHESES = (
    "n original elements, one per block of size b, uniform; none is touched since",
    "each update is a unitary on the m qubits and at least T layers of noise on all",
    "updates are unital: no reset, no fresh qubit, no measurement",
    "the updates' order and contents are independent of the surviving elements",
)


def rotated(
    structure: QuantumDataStructure, unitaries: Sequence[np.ndarray]
) -> QuantumDataStructure:
    """The structure whose queries undo the unitaries: M -> W M W^dagger."""
    if not unitaries:
        return structure
    total = unitaries[0]
    for matrix in unitaries[1:]:
        total = matrix @ total
    turned = jnp.asarray(total @ np.asarray(structure.effects) @ total.conj().T)
    return eqx.tree_at(lambda each: each.effects, structure, turned)


def lifetime_values(
    structure: QuantumDataStructure,
    noise: str,
    survival: float,
    layers: int,
    updates: int,
    seed: int | None = None,
) -> Mapping[str, Any]:
    """Values of A5's symbols after L updates, simulated.

    Args:
        structure: Stores the surviving elements in complex128.
        noise: "interleaved" or "block".
        survival: lambda per layer.
        layers: T, in each update.
        updates: L.
        seed: Of the Haar-random unitaries between the layers; None for no unitaries.
            Queries undo them.
    """
    between: tuple[np.ndarray, ...] = ()
    if seed is not None:
        between = scrambling(structure.num_wires, layers * updates - 1, seed)
    found = membership_values(
        rotated(structure, between), noise, {"lam": survival}, layers * updates, between
    )
    return {**found, "T": layers, "L": updates}


def _instance(
    noise: str, name: str, arguments: Mapping[str, Any], survival: float, layers: int,
    updates: int, *, seed: int | None = None, tight: bool = False,
    sampled: bool = False,
) -> Instance:  # fmt: skip
    label = " ".join([name, *(f"{k}={v}" for k, v in arguments.items())])
    label += f" lam={survival:g} T={layers} L={updates}"
    if seed is not None:
        label += " scrambled"

    def values() -> Mapping[str, Any]:
        structure = STRUCTURES[name](**arguments)
        return lifetime_values(structure, noise, survival, layers, updates, seed)

    build = functools.partial(STRUCTURES[name], **arguments)
    once = acceptance_test(build, noise, {"lam": survival}, layers * updates)
    test = dataclasses.replace(
        once, values=lambda limits: {**once.values(limits), "T": layers, "L": updates}
    )
    return Instance(label, values, tight, sampled=test if sampled else None)


def _refreshed() -> Mapping[str, Any]:
    """Forty updates that are corrections with resets, at lambda = .9."""
    updates, survival = 40, 0.9
    errors = pair_errors(refreshed_bit(), refreshing_circuit(survival, updates))
    return {
        "n": 1, "b": 2, "m": REFRESHED_QUBITS, "p": 1 - errors.beta, "a": errors.alpha,
        "lam": survival, "T": 1, "L": updates,
    }  # fmt: skip


REFRESH = Instance("majority refresh with resets, 40 updates", _refreshed, note=(
    "an entropy sink: outside the hypotheses"))  # fmt: skip

PAIR_CODE = ("basis", {"num_wires": 2})
"""One of four elements in two qubits, as a computational-basis state."""


def _instances(noise: str) -> tuple[Instance, ...]:
    name, arguments = PAIR_CODE
    found = [
        _instance(noise, name, arguments, 1.0, 1, 2, seed=0, tight=True),
        _instance(noise, name, arguments, 0.9, 1, 2, seed=0),
        _instance(noise, name, arguments, 0.1, 1, 1),
    ]
    sic = ("sic", {"num_blocks": 1})
    # A single qubit is a block of its own: both noises act on it alike.
    one_qubit = noise == "interleaved"
    found += [
        _instance(noise, *sic, level, 1, 1, sampled=one_qubit) for level in (0.5, 0.9)
    ]
    found += [_instance(noise, *sic, 0.9, 2, 2)]
    if one_qubit:
        found.append(_instance(noise, *sic, 1.0, 2, 2, tight=True))
    return tuple(found)


def _one_qubit_mutants() -> tuple[Mutant, ...]:
    sic = "sic num_blocks=1 lam={} T={} L={}"
    pair = _instance("block", *PAIR_CODE, 0.1, 1, 1)
    block = Instance("two-qubit block " + pair.name, pair.values)
    return (
        Mutant("A5a", "exponent 4TL in place of 2TL",
               sp.Le(NEEDED, m * lam ** (4 * T * L)), sic.format("0.5", 1, 1)),
        Mutant("A5b", "one update too many: 2T(L+1)",
               sp.Le(NEEDED, m * lam ** (2 * T * (L + 1))), sic.format("0.9", 1, 1)),
        Mutant("A5c", "constant 1.05 n d",
               sp.Le(sp.Rational(21, 20) * NEEDED, m * lam ** (2 * T * L)),
               "sic num_blocks=1 lam=1 T=2 L=2"),
        Mutant("A5d", "updates may refresh: fresh qubits carry entropy away",
               sp.Le(NEEDED, m * lam ** (2 * T * L)), REFRESH.name, (REFRESH,)),
        Mutant("M8", "lambda^2TL for noise that hits two qubits at once",
               sp.Le(NEEDED, m * lam ** (2 * T * L)), block.name, (block,)),
    )  # fmt: skip


def _block_mutants() -> tuple[Mutant, ...]:
    name = "basis num_wires=2 lam={} T={} L={}"
    return (
        Mutant("M8", "the one-qubit exponent 2TL for block noise",
               sp.Le(NEEDED, m * lam ** (2 * T * L)), name.format("0.1", 1, 1)),
        Mutant("A5e", "constant 1.05 n d",
               sp.Le(sp.Rational(21, 20) * NEEDED, m * lam ** (T * L)),
               name.format("1", 1, 2) + " scrambled"),
        Mutant("A5f", "exponent 2T(L+1)",
               sp.Le(NEEDED, m * lam ** (2 * T * (L + 1))),
               name.format("0.9", 1, 2) + " scrambled"),
    )  # fmt: skip


def _at_edges(probability: Any, rounding: float) -> Any:
    """0 and 1 instead of what differs from them by rounding only.

    d(p||q) is infinite where q excludes an outcome that p allows: with p one unit in
    the last place below 1 and q rounded up to 1, it would be a violation that is none.
    """
    if isinstance(probability, np.ndarray):
        low = np.where(probability < rounding, 0.0, probability)
        return np.where(1 - low < rounding, 1.0, low)
    nearest = mpmath.nint(probability)
    return nearest if abs(probability - nearest) < rounding else probability


def _as_updates(values: Mapping[str, Any], rounding: float) -> dict[str, Any]:
    """T layers of an interleaved memory are T updates of one layer each."""
    seen = {name: _at_edges(values[name], rounding) for name in ("p", "a")}
    return {**values, **seen, "L": values["T"], "T": values["T"] * 0 + 1}


def _replayed(record: Mapping[str, Any]) -> dict[str, Any]:
    with mpmath.workdps(60):
        return _as_updates(replay_structure(record), 1e-45)


def _random_updates(noise: str, key: Key, count: int) -> RandomBatch:
    batch = random_structures(key, count, noise)
    values = _as_updates(batch.values, 1e-15)
    return RandomBatch(
        values, lambda index: _replayed(batch.serialise(index)), batch.serialise
    )


def _lifetime(noise: str, identifier: str, mutants: tuple[Mutant, ...]) -> Bound:
    available = m * lam ** EXPONENTS[noise]
    return Bound(
        id=identifier,
        title=f"Update lifetime: n d(p||alpha_b) <= {available}",
        statement=sp.Le(NEEDED, available),
        variables=VARIABLES,
        model=dataclasses.replace(STORED, noise_place="interleaved", updates="unital"),
        hypotheses=HYPOTHESES,
        vacuous_when=sp.Le(p, a),
        constants=(
            Constant("1", sp.S.One, "Theorem A1's information; attained without noise"),
        ),
        steps=STEPS[noise],
        instances=_instances(noise),
        mutants=mutants,
        proof="a5",
        also=(sp.Le(NEEDED, chi), sp.Le(chi, available)),
        random=lambda key, count: _random_updates(noise, key, count),
        replay_random=_replayed,
    )


def update_lifetime() -> Bound:
    """A5: n d(p || alpha_b) <= m lambda^(2TL) after L unital updates of T layers.

    Returns:
        The bound for one-qubit depolarizing noise on every qubit in every layer.

    Source: proofs/a5.md.

    Example:
        >>> from qjax.bounds.theorems.a5 import update_lifetime
        >>> [mutant.id for mutant in update_lifetime().mutants]
        ['A5a', 'A5b', 'A5c', 'A5d', 'M8']
    """
    return _lifetime("interleaved", "A5", _one_qubit_mutants())


def block_update_lifetime() -> Bound:
    """A5 for block noise: n d(p || alpha_b) <= m lambda^(TL).

    Returns:
        The bound for noise that replaces each block of a partition independently.

    Source: proofs/a5.md.

    Example:
        >>> from qjax.bounds.theorems.a5 import block_update_lifetime
        >>> block_update_lifetime().id
        'A5/block'
    """
    return _lifetime("block", "A5/block", _block_mutants())
