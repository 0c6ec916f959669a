"""A9: no advantage. Without false negatives, qubits store a filter no better than bits.

Every quantum structure needs m >= n log2(1/alpha_b); a classical fingerprint filter has
exactly that many bits. What quantum memory saves elsewhere is of lower order.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp

from qjax.bounds.bound import Bound, Constant, Instance, Mutant, Variable
from qjax.bounds.memory.fingerprints import (
    fingerprint_filter,
    random_without_negatives,
    replay_without_negatives,
)
from qjax.bounds.memory.instances import STRUCTURES, sic_filter
from qjax.bounds.memory.structure import QuantumDataStructure
from qjax.bounds.model import STORED
from qjax.bounds.theorems.a9_steps import STEPS
from qjax.bounds.theorems.membership import BLOCK_SETS, a, b, m, membership_values, n

RATE = 1 / b + (1 - 1 / b) * a
NEEDED = -n * sp.log(RATE, 2)
BLOOM = sp.Rational(14427, 10000)
"""1/ln2 to five digits."""

# No roles: the linter's trivial structures may reject members.
VARIABLES = (
    Variable(n, 1, sp.oo, "stored elements, one per block"),
    Variable(b, 2, sp.oo, "elements per block"),
    Variable(m, 0, sp.oo, "memory qubits over all copies"),
    Variable(a, 0, 1, "mean acceptance of same-block non-members, alpha"),
)

NOISELESS = dataclasses.replace(
    STORED, noise_parameter="none", noise_place="none", layers="none"
)

Builder = Callable[[], QuantumDataStructure]


def filter_values(structure: QuantumDataStructure) -> Mapping[str, Any]:
    """n, b, m, p, a and chi of a structure without noise, simulated."""
    found = membership_values(structure, "depolarizing", {"lam": 1.0})
    return {name: found[name] for name in ("n", "b", "m", "p", "a", "chi")}


def filter_instance(
    name: str, build: Builder, *, tight: bool = False, note: str = ""
) -> Instance:
    """An instance of A9 from a structure that is built when it is asked for."""
    return Instance(name, lambda: filter_values(build()), tight, note=note)


def fingerprint_instance(
    num_blocks: int, block_size: int, bits: int, balanced: bool = True
) -> Instance:
    """Fingerprints of n elements in j bits each, two public hashes averaged."""
    kind = "balanced" if balanced else "independent"

    def build() -> QuantumDataStructure:
        return fingerprint_filter(num_blocks, block_size, bits, (0, 1), balanced)

    name = f"{kind} fingerprints n={num_blocks} b={block_size} j={bits}"
    return filter_instance(name, build, tight=balanced)


FINGERPRINTS = ((1, 4, 1), (1, 8, 2), (2, 4, 1))
"""n, b and j of the balanced fingerprint filters."""


def _lower_instances() -> tuple[Instance, ...]:
    found = [fingerprint_instance(*row) for row in FINGERPRINTS]
    sic = functools.partial(STRUCTURES["sic"], num_blocks=1)
    vector = functools.partial(STRUCTURES["bit_vector"], num_blocks=2, block_size=2)
    bloom = functools.partial(
        STRUCTURES["bloom"], num_blocks=2, block_size=4, num_bits=5, hashes=2,
        seeds=(0, 1, 2),
    )  # fmt: skip
    found += [
        filter_instance("SIC filter", sic, tight=True),
        filter_instance("bit vector n=2 b=2", vector),
        filter_instance("Bloom filter n=2 b=4 m=5 k=2", bloom),
    ]
    return tuple(found)


def rejecting() -> QuantumDataStructure:
    """One qubit and queries that reject everything (n = 1, b = 4): p = 0."""
    structure = sic_filter(1)
    silent = jnp.zeros_like(structure.effects)
    return QuantumDataStructure(structure.states, silent, 1, 4, "rejects everything")


def _per_copy() -> Mapping[str, Any]:
    """Two copies of the SIC filter per query, both of which must accept; m = 1."""
    one = sic_filter(1)
    states, effects = (np.asarray(x)[0] for x in (one.states, one.effects))
    pairs, tests = (
        jnp.asarray(np.stack([np.kron(x, x) for x in rows])[None])
        for rows in (states, effects)
    )
    found = filter_values(QuantumDataStructure(pairs, tests, 1, 4, "two copies"))
    return {**found, "m": 1}


def _bell_memory() -> Mapping[str, Any]:
    """Four Bell states, made by Paulis on a half; the querier holds the other half."""
    paulis = (np.eye(2), np.asarray([[0, 1], [1, 0]]), np.diag([1, -1]))
    paulis += (paulis[1] @ paulis[2],)
    bell = np.eye(2).reshape(4) / np.sqrt(2)
    kets = np.stack([np.kron(pauli, np.eye(2)) @ bell for pauli in paulis])
    table = jnp.asarray((kets[:, :, None] * kets[:, None, :])[None] + 0j)
    found = filter_values(QuantumDataStructure(table, table, 1, 4, "Bell memory"))
    return {**found, "m": 1}


def _lower_mutants() -> tuple[Mutant, ...]:
    one = fingerprint_instance(1, 4, 1).name
    reject = filter_instance("queries that reject everything", rejecting)
    copies = Instance("SIC filter with two copies", _per_copy)
    bell = Instance("Bell memory", _bell_memory)
    return (
        Mutant("A9a", "Bloom's constant 1/ln2 for every structure",
               sp.Le(BLOOM * NEEDED, m), one),
        Mutant("A9b", "alpha in place of alpha_b", sp.Le(-n * sp.log(a, 2), m), one),
        Mutant("A9c", "constant 1.05", sp.Le(sp.Rational(21, 20) * NEEDED, m), one),
        Mutant("A9d", "false negatives allowed", sp.Le(NEEDED, m), reject.name,
               (reject,)),
        Mutant("M19", "m per copy where a query uses two", sp.Le(NEEDED, m),
               copies.name, (copies,)),
        Mutant("A9e", "the querier shares entanglement with the memory",
               sp.Le(NEEDED, m), bell.name, (bell,)),
    )  # fmt: skip


def _law_mutants() -> tuple[Mutant, ...]:
    one = fingerprint_instance(1, 4, 1).name
    loose = fingerprint_instance(1, 4, 1, balanced=False)
    return (
        Mutant("A9f", "classical filters need 1/ln2 times more",
               sp.Eq(m, BLOOM * NEEDED), one),
        Mutant("A9g", "alpha in place of alpha_b", sp.Eq(m, -n * sp.log(a, 2)), one),
        Mutant("A9h", "one bit of overhead per element", sp.Eq(m, NEEDED + n), one),
        Mutant("A9i", "independent hashes in place of balanced ones",
               sp.Eq(m, NEEDED), loose.name, (loose,)),
    )  # fmt: skip


def no_advantage() -> Bound:
    """A9: without false negatives every quantum structure has m >= n log2(1/alpha_b).

    alpha_b = 1/b + (1 - 1/b) alpha. Classical fingerprints reach it, see
    `classical_fingerprints`.

    Returns:
        The bound.

    Source: proofs/a9.md; Carter et al., Proc. STOC 1978, 59, for classical filters.

    Example:
        >>> from qjax.bounds.theorems.a9 import no_advantage
        >>> [mutant.id for mutant in no_advantage().mutants]
        ['A9a', 'A9b', 'A9c', 'A9d', 'M19', 'A9e']
    """
    return Bound(
        id="A9",
        title="No advantage: m >= n log2(1/alpha_b) qubits, as many as classical bits",
        statement=sp.Le(NEEDED, m),
        variables=VARIABLES,
        model=NOISELESS,
        hypotheses=(*BLOCK_SETS, "members are always accepted: p = 1, beta = 0"),
        vacuous_when=sp.Le(NEEDED, 0),
        constants=(Constant("1", sp.S.One, "d(1||q) = log2(1/q); attained by classical "
                            "fingerprints"),),
        steps=STEPS["quantum"],
        instances=_lower_instances(),
        mutants=_lower_mutants(),
        proof="a9",
        random=random_without_negatives,
        replay_random=replay_without_negatives,
    )  # fmt: skip


def classical_fingerprints() -> Bound:
    """A9's other half: balanced classical fingerprints have m = n log2(1/alpha_b).

    Returns:
        The law, an equation.

    Source: proofs/a9.md.

    Example:
        >>> from qjax.bounds.theorems.a9 import classical_fingerprints
        >>> classical_fingerprints().statement.lhs
        m
    """
    law = sp.Eq(m, NEEDED)
    assert isinstance(law, sp.Equality)
    return Bound(
        id="A9/classical",
        title="Classical fingerprints of n elements have n log2(1/alpha_b) bits",
        statement=law,
        variables=VARIABLES,
        model=NOISELESS,
        hypotheses=(
            "one element in each of n blocks of size b = k 2^j",
            "a public random hash of each block to j bits, each value k times; a query "
            "is accepted if its hash is the stored one",
        ),
        vacuous_when=None,
        constants=(),
        steps=STEPS["classical"],
        instances=tuple(fingerprint_instance(*row) for row in FINGERPRINTS),
        mutants=_law_mutants(),
        proof="a9",
    )
