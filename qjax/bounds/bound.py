"""What a bound is: a statement with its hypotheses, proof steps, instances, mutants.

A `Bound` is data. `verify` reads it; nothing here computes. Every field that decides
what the statement means is required, because a bound without its noise convention or
its logarithm's base is not one statement but several.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import sympy as sp

from qjax._checks import require
from qjax.bounds.information import evaluate
from qjax.bounds.model import CellProbeModel
from qjax.bounds.program import Program

STEP_KINDS = {
    "hypothesis": "part of what the statement assumes",
    "definition": "true by the definition of a term",
    "axiom": "a published theorem that is trusted, with its citation",
    "symbolic": "checked by exact computer algebra",
    "exact": "checked by exact rational or finite enumeration",
    "entropic": "derived from strong subadditivity by an exact, stored certificate",
    "certified": "checked by certified numerics, on all of its domain or a stated part",
    "machine-checked": "compiled by a proof assistant, here or in a matching record",
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
    "batch": "B: queries in the batch",
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
        quiet: For a noise parameter without a role, its value when there is no noise.
    """

    symbol: sp.Symbol
    low: Any
    high: Any
    meaning: str
    role: str = ""
    quiet: Any = None

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


class Checked(NamedTuple):
    """What a step's check found.

    Attributes:
        closed: True or False; None if it was not checked here (no proof assistant).
        note: One line: the certified domain, the certificate, the compiled theorem.
    """

    closed: bool | None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Step:
    """One numbered step of a proof; its number is also a heading of the text.

    Attributes:
        number: For example "L1.2"; the text has a heading "Step L1.2".
        kind: A key of `STEP_KINDS`.
        claim: One line.
        check: Returns whether the claim was checked; None for unchecked kinds.
        cites: Numbers of the earlier steps it uses.
        source: Citation; required for an axiom.
        concludes: Whether its claim is the bound's statement.
        domain: Where a certified step holds; empty if that is all of its claim.
    """

    number: str
    kind: str
    claim: str
    check: Callable[[], bool | Checked] | None = None
    cites: tuple[str, ...] = ()
    source: str = ""
    concludes: bool = False
    domain: str = ""

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
        still_open: Why no killer is known; the verdict does not wait for such a mutant.
        everywhere: Whether it is claimed beyond the bound's `where` too.
    """

    id: str
    change: str
    statement: sp.Rel
    killer: str = ""
    instances: tuple[Instance, ...] = ()
    variables: tuple[Variable, ...] = ()
    still_open: str = ""
    everywhere: bool = False


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
class Attack:
    """An adversarial search for a violation, which also measures tightness.

    Attributes:
        name: Unique within its bound; a witness names it.
        run: (key, restarts, steps) -> JSON-able record of the best candidate found.
        replay: Record -> values by symbol name at 50 digits, sharing no code with the
            search. Only these values are compared; the search itself decides nothing.
        reaches: Ratio of the sides that a search in order must reach, or None.
        relation: Inequality it attacks; by default the bound's statement.
        restarts, steps: Enough for `reaches` at the default budget.
    """

    name: str
    run: Callable[[Any, int, int], Mapping[str, Any]]
    replay: Callable[[Mapping[str, Any]], Values]
    reaches: float | None = None
    relation: sp.Rel | None = None
    restarts: int = 16
    steps: int = 300


@dataclasses.dataclass(frozen=True)
class Bound:
    """A bound and all that is needed to believe or refute it.

    Attributes:
        id: Short name, unique, the key of `BOUNDS`.
        title: One line.
        statement: Sympy inequality (<= or >=), or equation (an exact law).
        variables: One `Variable` per symbol of the statement.
        model: Hypotheses of the cell-probe model, each a declared choice.
        hypotheses: What else the statement assumes, in words.
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
        attacks: Adversarial searches.
        programs: Semidefinite programs whose optima are constants of the statement.
        where: Relations under which the statement is claimed, beyond the variables'
            ranges; a violation elsewhere does not count.
        not_tight: Why no instance reaches equality; required if none is marked tight
            and the statement is an inequality with proof steps.

    Raises:
        ValueError: If a symbol of the statement has no `Variable`, if the statement is
            not an inequality, or if step numbers repeat or cite a later step.
    """

    id: str
    title: str
    statement: sp.Rel
    variables: tuple[Variable, ...]
    model: CellProbeModel
    hypotheses: tuple[str, ...]
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
    attacks: tuple[Attack, ...] = ()
    programs: tuple[Program, ...] = ()
    where: tuple[sp.Rel, ...] = ()
    not_tight: str = ""

    def __post_init__(self):
        _check_hypotheses(self)
        _check_statement("statement", self.statement, self.variables)
        for relation in self.also:
            _check_statement("also", relation, self.variables)
        for mutant in self.mutants:
            known = self.variables + mutant.variables
            _check_statement(f"mutant {mutant.id}", mutant.statement, known)
        _check_steps(self.steps)
        for field in ("instances", "attacks", "programs"):
            names = [row.name for row in getattr(self, field)]
            repeated = sorted({name for name in names if names.count(name) > 1})
            require(not repeated, field, "have distinct names", repeated)

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
            where=() if mutant.everywhere else self.where,
            attacks=(),
            programs=(),
            proof="",
        )

    def claimed_at(self, values: Values, digits: int = 50) -> bool:
        """Whether the statement is claimed at a point: all of `where` holds."""
        gaps = (evaluate(each.gts - each.lts, values, digits) for each in self.where)
        return not any(gap < 0 for gap in gaps)

    def proof_closure(self) -> tuple[Step, ...]:
        """The steps that the concluding steps rest on, directly or through others.

        Steps outside it are second opinions: the same claim checked another way, a
        special case, sharpness.
        """
        by_number = {step.number: step for step in self.steps}
        wanted = [step.number for step in self.steps if step.concludes]
        found: set[str] = set()
        while wanted:
            number = wanted.pop()
            if number not in found:
                found.add(number)
                wanted.extend(by_number[number].cites)
        return tuple(step for step in self.steps if step.number in found)


def _check_hypotheses(bound: Bound) -> None:
    model = isinstance(bound.model, CellProbeModel)
    require(model, "model", "be a CellProbeModel", repr(bound.model))
    given = bool(bound.hypotheses) and all(text.strip() for text in bound.hypotheses)
    require(given, "hypotheses", "name at least one hypothesis", bound.hypotheses)


def _check_statement(
    name: str, relation: sp.Rel, variables: tuple[Variable, ...]
) -> None:
    known_form = isinstance(relation, sp.LessThan | sp.GreaterThan | sp.Equality)
    require(known_form, name, "be a sympy <= or >= inequality or an Eq", relation)
    known = {variable.symbol for variable in variables}
    bare = sorted(str(symbol) for symbol in relation.free_symbols - known)
    rule = "use only symbols that have a Variable with assumptions and a domain"
    require(not bare, name, rule, f"also in {', '.join(bare)}")
    rule = "use logarithms of base 2 on both sides; sympy's log is natural: log(x, 2)"
    natural = _natural_logarithm(relation.lhs) or _natural_logarithm(relation.rhs)
    require(not natural, name, rule, relation)


def _natural_logarithm(expression: sp.Basic, divided: bool = False) -> bool:
    """Whether some logarithm of a symbol is not divided by ln 2 or by another one.

    What stands inside a logarithm is a number, whatever base made it.
    """
    if isinstance(expression, sp.log):
        return bool(expression.free_symbols) and not divided
    if isinstance(expression, sp.Mul):
        bases = [part.base for part in expression.args
                 if isinstance(part, sp.Pow) and part.exp == -1]  # fmt: skip
        divided = divided or any(isinstance(base, sp.log) for base in bases)
    return any(_natural_logarithm(part, divided) for part in expression.args)


def _check_steps(steps: tuple[Step, ...]) -> None:
    seen: set[str] = set()
    for step in steps:
        fresh = step.number not in seen
        require(fresh, "steps", "have distinct numbers", step.number)
        unknown = [number for number in step.cites if number not in seen]
        rule = "cite earlier steps only"
        require(not unknown, f"cites of step {step.number}", rule, unknown)
        seen.add(step.number)
