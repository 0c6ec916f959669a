"""Proofs of entropic inequalities, and refutations of their derivability, as data.

Both are checked by exact arithmetic alone. No solver takes part in a check.
"""

import dataclasses
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from qjax._checks import require
from qjax.bounds.entropic.axioms import PLACES, Axiom, elementary_axioms
from qjax.bounds.entropic.expressions import (
    EntropyExpression,
    EntropyRelation,
    Term,
    format_registers,
    format_term,
    register_names,
)
from qjax.bounds.entropic.parsing import parse
from qjax.bounds.entropic.systems import System

FORMAT = 1
"""Version of the JSON that this module writes and the only one that it reads."""


@dataclasses.dataclass(frozen=True, repr=False)
class Certificate:
    """A claim as a combination of axioms and assumptions: its proof.

    claim = sum_i w_i axiom_i + sum_j v_j assumption_j, as an identity between linear
    forms, with w_i > 0, and v_j > 0 unless the assumption is an equation.

    Attributes:
        claim: The inequality form >= 0 that is proved.
        system: The state it is proved for.
        axioms: Pairs (w_i, axiom).
        assumptions: Pairs (v_j, name in `system.assumptions`).

    Example:
        >>> from qjax.bounds.entropic import System, derive
        >>> print(derive("S(A|B) + S(A) >= 0", System("AB")))
        S(A|B) + S(A) >= 0
        is the sum of
            1 * [S(A) + S(A|B) >= 0]  weak monotonicity
    """

    claim: EntropyRelation
    system: System
    axioms: tuple[tuple[Fraction, Axiom], ...]
    assumptions: tuple[tuple[Fraction, str], ...]

    def faults(self) -> tuple[str, ...]:
        """Everything that is wrong with the proof; empty if it is one."""
        found = list(_claim_faults(self.claim, self.system))
        total = EntropyExpression()
        for weight, axiom in self.axioms:
            fault = axiom.fault(self.system)
            if weight <= 0:
                fault = f"{axiom} has weight {weight}, not a positive one"
            if fault is not None:
                found.append(fault)
            else:
                total += weight * axiom.form
        known = self.system.assumptions
        for weight, name in self.assumptions:
            relation = known.get(name)
            if relation is None:
                found.append(f"{name!r} is not assumed")
            elif weight <= 0 and not relation.is_equality:
                found.append(f"{name} has weight {weight}, not a positive one")
            else:
                total += weight * relation.form
        if not found and total != self.claim.form:
            found.append(f"the sum misses the claim by {self.claim.form - total}")
        return tuple(found)

    def check(self) -> bool:
        """Whether this is a proof of the claim, by exact arithmetic."""
        return not self.faults()

    @property
    def weight(self) -> Fraction:
        """Sum of the weights of the axioms: how long the proof is."""
        return sum((weight for weight, _ in self.axioms), Fraction(0))

    def __str__(self) -> str:
        known = self.system.assumptions
        lines = [f"{w} * [{a}]  {a.kind}" for w, a in self.axioms]
        lines += [f"{w} * [{known.get(n)}]  {n}" for w, n in self.assumptions]
        body = "\n    ".join(lines or ["nothing: it is an identity"])
        return f"{self.claim}\nis the sum of\n    {body}"

    def to_json(self) -> str:
        """The proof as text; `from_json` reads it back."""
        axioms = [
            {"weight": str(weight), "kind": axiom.kind}
            | dict(
                zip(PLACES[axiom.kind], map(format_registers, axiom.sets), strict=True)
            )
            for weight, axiom in self.axioms
        ]
        assumptions = [{"weight": str(w), "name": name} for w, name in self.assumptions]
        body = {"axioms": axioms, "assumptions": assumptions}
        return _write("certificate", self.claim, self.system, body)

    @classmethod
    def from_json(cls, text: str) -> "Certificate":
        """A stored proof, not yet checked.

        Args:
            text: What `to_json` wrote.

        Raises:
            ValueError: If it is of another format or kind, or misses a field.
        """
        claim, system, record = _read("certificate", ("axioms", "assumptions"), text)
        axioms = tuple(_read_axiom(each) for each in record["axioms"])
        assumptions = tuple(_read_assumption(each) for each in record["assumptions"])
        return cls(claim, system, axioms, assumptions)


@dataclasses.dataclass(frozen=True, repr=False)
class NotDerivable:
    """Numbers that obey every axiom and assumption and break the claim.

    It shows that no combination of axioms proves the claim. The numbers need not be
    entropies of a state: the claim may still be true (see `qjax.bounds.entropic`).

    Attributes:
        claim: The inequality.
        system: The state it was claimed for.
        ray: S(K) for every nonempty set K of registers, and a value of each parameter.

    Example:
        >>> from qjax.bounds.entropic import System, derive
        >>> print(derive("S(AB) >= S(A)", System("AB")))
        S(AB) >= S(A)
        is not derivable: S(A) = 1, S(B) = 1, S(AB) = 0
    """

    claim: EntropyRelation
    system: System
    ray: Mapping[Term, Fraction]

    def faults(self) -> tuple[str, ...]:
        """Everything that is wrong with the refutation; empty if it is one."""
        found = list(_claim_faults(self.claim, self.system))
        if set(self.ray) != set(terms_of(self.claim, self.system)):
            return (*found, "the ray does not give every entropy and parameter")
        for axiom in elementary_axioms(self.system):
            if axiom.form.evaluate(self.ray) < 0:
                found.append(f"the ray breaks {axiom}")
        for name, relation in self.system.assumptions.items():
            if not relation.holds(self.ray):
                found.append(f"the ray breaks {name}")
        if self.claim.holds(self.ray):
            found.append("the ray obeys the claim")
        return tuple(found)

    def check(self) -> bool:
        """Whether the claim is not derivable, by exact arithmetic."""
        return not self.faults()

    def __str__(self) -> str:
        shown = ", ".join(f"{format_term(t)} = {v}" for t, v in self.ray.items())
        return f"{self.claim}\nis not derivable: {shown}"

    def to_json(self) -> str:
        """The refutation as text; `from_json` reads it back."""
        body = {"ray": {format_term(t): str(v) for t, v in self.ray.items()}}
        return _write("not derivable", self.claim, self.system, body)

    @classmethod
    def from_json(cls, text: str) -> "NotDerivable":
        """A stored refutation, not yet checked.

        Args:
            text: What `to_json` wrote.

        Raises:
            ValueError: If it is of another format or kind, or misses a field.
        """
        claim, system, record = _read("not derivable", ("ray",), text)
        ray: dict[Term, Fraction] = {}
        for name, value in record["ray"].items():
            inside = name.removeprefix("S(").removesuffix(")")
            is_entropy = name.startswith("S(")
            term = frozenset(register_names(inside)) if is_entropy else name
            ray[term] = Fraction(str(value))
        return cls(claim, system, ray)


def terms_of(claim: EntropyRelation, system: System) -> tuple[Term, ...]:
    """Every nonempty set of registers, then the parameters that occur.

    Args:
        claim: A relation about the system.
        system: The registers and assumptions.
    """
    names = sorted(system.names)
    sets: list[Term] = [
        frozenset(name for place, name in enumerate(names) if mask >> place & 1)
        for mask in range(1, 2 ** len(names))
    ]
    forms = [claim.form, *(each.form for each in system.assumptions.values())]
    parameters = frozenset().union(*(form.parameters for form in forms))
    return (*sets, *sorted(parameters))


def _claim_faults(claim: EntropyRelation, system: System) -> tuple[str, ...]:
    unknown = claim.form.registers - set(system.names)
    faults = []
    if claim.is_equality:
        faults.append("the claim is an equation: prove each direction by itself")
    if unknown:
        faults.append(f"the claim speaks of unknown {format_registers(unknown)}")
    if parse(claim.text) != claim:
        faults.append(f"the claim is {claim.form} >= 0, but reads {claim.text!r}")
    return tuple(faults)


def _write(
    kind: str, claim: EntropyRelation, system: System, body: Mapping[str, Any]
) -> str:
    record = {
        "format": FORMAT,
        "kind": kind,
        "claim": claim.text,
        "system": system.to_dict(),
        **body,
    }
    return json.dumps(record, indent=1) + "\n"


def _read(
    kind: str, fields: tuple[str, ...], text: str
) -> tuple[EntropyRelation, System, dict[str, Any]]:
    record = json.loads(text)
    version = record.get("format") if isinstance(record, dict) else None
    rule = f"have format {FORMAT}; it was written by another version of qjax"
    require(version == FORMAT, "text", rule, version)
    require(record.get("kind") == kind, "text", f"hold a {kind}", record.get("kind"))
    _require_fields(record, "text", ("format", "kind", "claim", "system", *fields))
    return parse(record["claim"]), System.from_dict(record["system"]), record


def _read_axiom(record: Mapping[str, Any]) -> tuple[Fraction, Axiom]:
    kind = record.get("kind")
    require(kind in PLACES, "axiom", f"be of a kind in {[*PLACES]}", kind)
    places = PLACES[str(kind)]
    _require_fields(record, "axiom", ("weight", "kind", *places))
    sets = tuple(frozenset(register_names(record[place])) for place in places)
    return Fraction(str(record["weight"])), Axiom(str(kind), sets)


def _read_assumption(record: Mapping[str, Any]) -> tuple[Fraction, str]:
    _require_fields(record, "assumption", ("weight", "name"))
    return Fraction(str(record["weight"])), str(record["name"])


def _require_fields(record: Any, what: str, fields: tuple[str, ...]) -> None:
    found = sorted(record) if isinstance(record, Mapping) else record
    require(found == sorted(fields), what, f"have the fields {fields}", found)
