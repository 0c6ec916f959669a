"""The inequalities that every quantum state obeys and that proofs may use.

Three families, for sets of registers:

1. strong subadditivity: I(A;B|C) >= 0, A, B, C disjoint (Lieb and Ruskai 1973);
2. weak monotonicity: S(A|B) + S(A|C) >= 0, where A is disjoint from B and C, and B and
   C have at most classical registers in common;
3. classicality: S(X|K) >= 0, X classical, K any registers disjoint from X.

Why they are true. Weak monotonicity for disjoint B and C is strong subadditivity of a
purification: with O the purifying register, S(A|C) = -S(A|BO'), where O' is everything
else, so the sum is I(A;O'|B) >= 0. If the state is sum_x p_x |x><x| (x) rho_x with X
classical, then S(A|BX) is the mean of S(A|B) over the rho_x; weak monotonicity of
every rho_x gives S(A|BX) + S(A|CX) >= 0. With empty B and C this says
S(A|X) >= 0, which the first and third family do not imply. Classicality is
S(X|K) >= S(X|K Y) = 0 with Y a copy of X, by strong subadditivity.

What is complete. By the chain rule I(A;BB'|C) = I(A;B|C) + I(A;B'|BC) family 1 follows
from single registers A and B. Family 2 with smaller B and C follows from larger ones by
strong subadditivity, so B and C may cover every other register, sharing all classical
ones; by the chain rule for I(A;O|B), conditional on X, a single A suffices; classical A
follows from family 3. Family 3 follows from one X and all other registers as K. These
`elementary_axioms` generate the same cone as all the `general_axioms` (tested).

What "not derivable" means. All axioms are necessary: every state obeys them. Without
classical registers they are what Pippenger (2003) calls the von Neumann inequalities;
up to three registers nothing else is true, which the tests repeat with eight states.
If all registers are classical they are Shannon's inequalities (Yeung 1997), complete up
to three registers. For four or more there are true inequalities that do not follow
(Zhang and Yeung 1998; Linden and Winter 2005), and assumptions or mixtures of classical
and quantum registers may hide more. Not derivable does therefore not mean false.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

from qjax._checks import require
from qjax.bounds.entropic.expressions import (
    EntropyExpression,
    conditional_entropy,
    format_registers,
    mutual_information,
)
from qjax.bounds.entropic.systems import System

SUBADDITIVITY = "strong subadditivity"
MONOTONICITY = "weak monotonicity"
CLASSICALITY = "classicality"

PLACES = {SUBADDITIVITY: "ABC", MONOTONICITY: "ABC", CLASSICALITY: "XK"}
"""Kinds of axioms, with the sets that an instance names, in order."""


@dataclasses.dataclass(frozen=True)
class Axiom:
    """One instance of an axiom.

    Attributes:
        kind: A key of `PLACES`.
        sets: The sets of registers (A, B, C) or (X, K).

    Example:
        >>> from qjax.bounds.entropic import Axiom, System
        >>> sets = (frozenset("A"), frozenset("B"), frozenset())
        >>> Axiom("weak monotonicity", sets)
        S(A|B) + S(A) >= 0
        >>> Axiom("classicality", sets[:2]).fault(System("AB"))
        'S(A|B) >= 0: A is not classical'
    """

    kind: str
    sets: tuple[frozenset[str], ...]

    def __post_init__(self):
        require(self.kind in PLACES, "kind", f"be one of {[*PLACES]}", self.kind)
        places = PLACES[self.kind]
        rule = f"be the sets {', '.join(places)}"
        require(len(self.sets) == len(places), "sets", rule, len(self.sets))

    @property
    def form(self) -> EntropyExpression:
        """The linear form that the axiom says is nonnegative."""
        if self.kind == SUBADDITIVITY:
            return mutual_information(*self.sets)
        total = conditional_entropy(self.sets[0], self.sets[1])
        if self.kind == MONOTONICITY:
            total += conditional_entropy(self.sets[0], self.sets[2])
        return total

    def fault(self, system: System) -> str | None:
        """Why this is no axiom for `system`, or None if it is one.

        Args:
            system: Where the axiom is to be used.
        """
        named = frozenset().union(*self.sets)
        first, second = self.sets[:2]
        third = self.sets[2] if len(self.sets) > 2 else frozenset()
        shared = (first & second) | (first & third)
        if self.kind == SUBADDITIVITY:
            shared |= second & third
        entangled = second & third - system.classical_names
        quantum = first - system.classical_names
        faults = {
            "unknown registers": named - set(system.names),
            "sets that overlap": shared,
            "quantum registers conditioned on twice": entangled,
        }
        if self.kind == CLASSICALITY and quantum:
            return f"{self}: {format_registers(quantum)} is not classical"
        if not first or (self.kind == SUBADDITIVITY and not second):
            return f"an axiom of {self.kind} with an empty set"
        for fault, registers in faults.items():
            if registers:
                return f"{self.kind} with {fault}: {format_registers(registers)}"
        return None

    def __repr__(self) -> str:
        names = [format_registers(each) for each in self.sets]
        if self.kind == SUBADDITIVITY:
            given = f"|{names[2]}" if names[2] else ""
            return f"I({names[0]};{names[1]}{given}) >= 0"
        conditionals = [f"S({names[0]}|{n})" if n else f"S({names[0]})" for n in names]
        if self.kind == MONOTONICITY and self.sets[1] != self.sets[2]:
            return f"{conditionals[1]} + {conditionals[2]} >= 0"
        factor = "2 " if self.kind == MONOTONICITY else ""
        return f"{factor}{conditionals[1]} >= 0"


def elementary_axioms(system: System) -> tuple[Axiom, ...]:
    """A generating set of all axioms, see the head of this module.

    For n registers, q of them quantum, these are C(n,2) 2^(n-2) instances of strong
    subadditivity, about q 2^(q-2) of weak monotonicity and n - q of classicality.

    Args:
        system: The registers.

    Source: N. Pippenger, "The inequalities of quantum information theory" (2003), for
    quantum registers; R. W. Yeung, "A framework for linear information inequalities"
    (1997), for classical ones.

    Example:
        >>> from qjax.bounds.entropic import System, elementary_axioms
        >>> elementary_axioms(System("XQ", classical="X"))
        (I(X;Q) >= 0, S(X|Q) >= 0, 2 S(Q|X) >= 0)
    """
    everything = frozenset(system.names)
    classical = system.classical_names
    found: list[Axiom] = []
    for pair in itertools.combinations(system.names, 2):
        first, second = frozenset(pair[:1]), frozenset(pair[1:])
        for given in _subsets(everything - first - second):
            found.append(Axiom(SUBADDITIVITY, (first, second, given)))
    for name in system.names:
        single = frozenset((name,))
        if name in classical:
            found.append(Axiom(CLASSICALITY, (single, everything - single)))
            continue
        others = everything - classical - single
        for half in _subsets(others):
            both = (half | classical, (others - half) | classical)
            if sorted(both[0]) <= sorted(both[1]):
                found.append(Axiom(MONOTONICITY, (single, *both)))
    return tuple(found)


def general_axioms(system: System) -> tuple[Axiom, ...]:
    """Instances for sets of any size: more than needed, but proofs get shorter.

    Left out is only weak monotonicity of sets A with classical registers.

    Args:
        system: The registers.

    Example:
        >>> from qjax.bounds.entropic import System, general_axioms
        >>> len(general_axioms(System("ABC")))
        31
    """
    found: list[Axiom] = []
    quantum = [name for name in system.names if name not in system.classical_names]
    for first, second, given in _assignments(system.names):
        if first and second and sorted(first) < sorted(second):
            found.append(Axiom(SUBADDITIVITY, (first, second, given)))
        if first and not second and first <= system.classical_names:
            found.append(Axiom(CLASSICALITY, (first, given)))
    for first, second, third in _assignments(quantum):
        if not first:
            continue
        for mine, other, shared in _assignments(sorted(system.classical_names)):
            conditions = (second | mine | shared, third | other | shared)
            if sorted(conditions[0]) <= sorted(conditions[1]):
                found.append(Axiom(MONOTONICITY, (first, *conditions)))
    return tuple(found)


def _subsets(names: frozenset[str]) -> Iterator[frozenset[str]]:
    ordered = sorted(names)
    for size in range(len(ordered) + 1):
        yield from map(frozenset, itertools.combinations(ordered, size))


def _assignments(names: Sequence[str]) -> Iterator[tuple[frozenset[str], ...]]:
    """All triples of disjoint sets of names."""
    for places in itertools.product(range(4), repeat=len(names)):
        pairs = list(zip(names, places, strict=True))
        yield tuple(frozenset(n for n, p in pairs if p == each) for each in range(3))
