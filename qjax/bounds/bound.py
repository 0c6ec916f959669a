"""What a bound is: a statement with its hypotheses, proof steps, instances, mutants.

A `Bound` is data. `verify` reads it; nothing here computes. Every field that decides
what the statement means is required, because a bound without its noise convention or
its logarithm's base is not one statement but several.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from qjax._checks import require

STEP_KINDS = {
    "hypothesis": "part of what the statement assumes",
    "definition": "true by the definition of a term",
    "axiom": "a published theorem that is trusted, with its citation",
    "symbolic": "checked by exact computer algebra",
    "exact": "checked by exact rational or finite enumeration",
    "certified": "checked by certified numerics on a stated domain only",
    "machine": "checked by a proof assistant",
    "monte_carlo": "supported by sampling only",
}
"""Every kind of proof step, and what closes it."""

UNCHECKED_KINDS = ("hypothesis", "definition", "axiom")

ROLES = {
    "memory": "m: qubits of memory, over all copies",
    "items": "n: number of stored elements",
    "block_size": "b = N/n: universe elements per stored element",
    "universe": "N: size of the universe",
    "member_acceptance": "p = 1 - beta: acceptance of members",
    "other_acceptance": "a = alpha: acceptance of non-members of the same block",
    "false_positive": "alpha",
    "false_negative": "beta",
    "survival": "lambda per layer: rho -> lambda rho + (1 - lambda) I/2",
    "noise": "epsilon = 1 - lambda per layer: replacement probability",
    "layers": "T: noise layers on every memory qubit",
    "holevo": "chi: Holevo information of the stored ensemble, in bits",
}
"""What a symbol can stand for; the statement linter substitutes by role."""

Values = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Variable:
    """A symbol of a statement, with what the linter and the instances need to know.

    Attributes:
        symbol: Sympy symbol that carries assumptions (real, positive, integer, ...).
        low: Smallest admissible value.
        high: Largest admissible value; `sympy.oo` for none.
        meaning: One line of prose with the unit.
        role: A key of `ROLES`, or empty if the linter cannot interpret the symbol.
    """

    symbol: sp.Symbol
    low: Any
    high: Any
    meaning: str
    role: str = ""

    def __post_init__(self):
        has_assumptions = bool(self.symbol.is_real or self.symbol.is_integer)
        require(
            has_assumptions,
            f"symbol {self.symbol}",
            "carry assumptions such as real, positive or integer (without them sympy "
            "takes it for any complex number and proves less or something else)",
            "a bare Symbol",
        )
        known = self.role == "" or self.role in ROLES
        require(known, "role", f"be empty or one of {sorted(ROLES)}", self.role)


@dataclasses.dataclass(frozen=True)
class Conventions:
    """Choices that change constants; none has a default.

    Attributes:
        noise: Parametrisation, for example "replacement: lambda = 1 - epsilon".
        noise_place: "storage", "interleaved" or "none".
        layers: What T counts: "exactly", "at least", "at most" T layers, or "none".
        log_base: Base of every logarithm in the statement.
        copies: Copies of the memory per query, and whether `memory` counts them all.
    """

    noise: str
    noise_place: str
    layers: str
    log_base: int
    copies: str

    def __post_init__(self):
        places = ("storage", "interleaved", "none")
        counts = ("exactly", "at least", "at most", "none")
        rule = f"say where the noise acts, one of {places}"
        require(self.noise_place in places, "noise_place", rule, repr(self.noise_place))
        rule = f"say what T counts, one of {counts}"
        require(self.layers in counts, "layers", rule, repr(self.layers))
        rule = "state the noise parametrisation (epsilon, lambda or Pauli error)"
        require(bool(self.noise.strip()), "noise", rule, repr(self.noise))
        rule = "say how many copies a query uses"
        require(bool(self.copies.strip()), "copies", rule, repr(self.copies))
        require(self.log_base in (2,), "log_base", "be 2 (bits)", self.log_base)


@dataclasses.dataclass(frozen=True)
class Constant:
    """A constant of the statement and where it comes from.

    Attributes:
        name: Symbol name or the number as written.
        value: Its exact value; None if the statement only says that some value exists.
        provenance: Derivation or citation.
        grid: For an existential constant, the values that a refutation must all beat.
    """

    name: str
    value: Any
    provenance: str
    grid: tuple[Any, ...] = ()


@dataclasses.dataclass(frozen=True)
class Step:
    """One numbered step of a proof; its number is also a heading of the text.

    Attributes:
        number: For example "L1.2"; the text has a heading "Step L1.2".
        kind: A key of `STEP_KINDS`.
        claim: One line.
        check: Returns True if the claim was checked; None for unchecked kinds.
        cites: Numbers of the earlier steps it uses.
        source: Citation; required for an axiom.
        concludes: Whether its claim is the bound's statement.
    """

    number: str
    kind: str
    claim: str
    check: Callable[[], bool] | None = None
    cites: tuple[str, ...] = ()
    source: str = ""
    concludes: bool = False

    def __post_init__(self):
        rule = f"be one of {sorted(STEP_KINDS)}"
        require(self.kind in STEP_KINDS, "kind", rule, repr(self.kind))
        name = f"check of step {self.number}"
        if self.kind in UNCHECKED_KINDS:
            require(self.check is None, name, f"be None for a {self.kind}", self.check)
        else:
            require(self.check is not None, name, f"exist ({self.kind})", None)
        if self.kind == "axiom":
            name = f"source of step {self.number}"
            require(bool(self.source), name, "cite a publication", repr(self.source))


@dataclasses.dataclass(frozen=True)
class Instance:
    """A concrete point at which a statement is evaluated.

    Attributes:
        name: Unique within its bound; a witness names it.
        values: Returns numbers by symbol name. Called once per verification.
        tight: Whether both sides are claimed to be equal here.
        error: Bound on the relative rounding error of the values' effect; 0 if exact.
        sampled: Given (key, shots, confidence), returns values that are pessimistic
            for the claim of a violation: with that confidence the true sides are
            further apart in the statement's favour. None if nothing can be sampled.
        note: Where the instance comes from.
    """

    name: str
    values: Callable[[], Values]
    tight: bool = False
    error: float = 1e-10
    sampled: Callable[[Any, int, float], Values] | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A wrong variant of a bound that the verifier must refute.

    Attributes:
        id: For example "M1".
        change: What was altered, in words.
        statement: The wrong inequality.
        killer: Name of the instance that is expected to refute it; tried first.
        instances: Further instances, for statements about other symbols.
        variables: Symbols that the bound itself does not have.
    """

    id: str
    change: str
    statement: sp.Rel
    killer: str = ""
    instances: tuple[Instance, ...] = ()
    variables: tuple[Variable, ...] = ()


@dataclasses.dataclass(frozen=True)
class RandomBatch:
    """Random instances, evaluated in float64, with a precise replay of each.

    Attributes:
        values: Arrays of shape (count,) by symbol name.
        replay: index -> values at 50 digits, from the same states and effects.
        serialise: index -> JSON-able record from which `replay` can be repeated.
    """

    values: Mapping[str, Any]
    replay: Callable[[int], Values]
    serialise: Callable[[int], Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Bound:
    """A bound and everything that is needed to believe or refute it.

    Attributes:
        id: Short name, unique, the key of `BOUNDS`.
        title: One line.
        statement: Sympy inequality (<= or >=).
        variables: One `Variable` per symbol of the statement.
        hypotheses: What the statement assumes, in words.
        conventions: Noise convention, log base, copies.
        vacuous_when: Sympy relation under which the statement says nothing, or None.
        constants: Constants with provenance; existential ones with a grid.
        steps: Proof steps in order; a proof has one that concludes the statement. Those
            of a refuted bound prove its refutation for every choice of constants.
        instances: Concrete points, tight ones marked.
        mutants: Wrong variants that must be refuted.
        proof: Name of the text in proofs/, without suffix; empty if there is none.
        also: Stronger inequalities that must hold at the same instances.
        random: (key, count) -> RandomBatch, or None.
        replay_random: Serialised random instance -> values at 50 digits, or None.
        family: For existential constants: values of the constants -> Instance that
            violates the statement with them, or None.

    Raises:
        ValueError: If a symbol of the statement has no `Variable`, if the statement is
            not an inequality, or if step numbers repeat or cite a later step.
    """

    id: str
    title: str
    statement: sp.Rel
    variables: tuple[Variable, ...]
    hypotheses: tuple[str, ...]
    conventions: Conventions
    vacuous_when: sp.Rel | None
    constants: tuple[Constant, ...]
    steps: tuple[Step, ...]
    instances: tuple[Instance, ...]
    mutants: tuple[Mutant, ...]
    proof: str
    also: tuple[sp.Rel, ...] = ()
    random: Callable[[Any, int], RandomBatch] | None = None
    replay_random: Callable[[Mapping[str, Any]], Values] | None = None
    family: Callable[[Values], Instance] | None = None

    def __post_init__(self):
        _check_hypotheses(self)
        _check_statement("statement", self.statement, self.variables)
        for relation in self.also:
            _check_statement("also", relation, self.variables)
        for mutant in self.mutants:
            known = self.variables + mutant.variables
            _check_statement(f"mutant {mutant.id}", mutant.statement, known)
        _check_steps(self.steps)
        names = [instance.name for instance in self.instances]
        repeated = sorted({name for name in names if names.count(name) > 1})
        require(not repeated, "instances", "have distinct names", repeated)

    def existential(self) -> tuple[Constant, ...]:
        """Constants of which the statement only says that they exist."""
        return tuple(constant for constant in self.constants if constant.value is None)

    def with_mutant(self, mutant: Mutant) -> "Bound":
        """The bound whose statement is the mutant's, with no proof and no mutants."""
        return dataclasses.replace(
            self,
            id=f"{self.id}/{mutant.id}",
            title=mutant.change,
            statement=mutant.statement,
            variables=self.variables + mutant.variables,
            instances=self.instances + mutant.instances,
            steps=(),
            mutants=(),
            also=(),
            proof="",
        )


def _check_hypotheses(bound: Bound) -> None:
    given = bool(bound.hypotheses) and all(text.strip() for text in bound.hypotheses)
    require(given, "hypotheses", "name at least one hypothesis", bound.hypotheses)


def _check_statement(
    name: str, relation: sp.Rel, variables: tuple[Variable, ...]
) -> None:
    is_inequality = isinstance(relation, sp.LessThan | sp.GreaterThan)
    require(is_inequality, name, "be a sympy <= or >= inequality", relation)
    known = {variable.symbol for variable in variables}
    bare = sorted(str(symbol) for symbol in relation.free_symbols - known)
    rule = "use only symbols that have a Variable with assumptions and a domain"
    require(not bare, name, rule, f"also in {', '.join(bare)}")
    natural = any(atom.args[0].free_symbols for atom in relation.atoms(sp.log))
    in_bits = relation.has(sp.log(2))
    rule = "use logarithms of base 2 on both sides; sympy's log is natural: log(x, 2)"
    require(in_bits or not natural, name, rule, relation)


def _check_steps(steps: tuple[Step, ...]) -> None:
    seen: set[str] = set()
    for step in steps:
        fresh = step.number not in seen
        require(fresh, "steps", "have distinct numbers", step.number)
        unknown = [number for number in step.cites if number not in seen]
        rule = "cite earlier steps only"
        require(not unknown, f"cites of step {step.number}", rule, unknown)
        seen.add(step.number)
