"""What a verification found, as data: verdict, axioms, kill table, witnesses."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

WITNESS_FORMAT = 2
"""Version of the witness record; `replay` refuses any other."""

STATUSES = {
    "REFUTED": "a witness violates the statement and was replayed at high precision",
    "VACUOUS": "the right side is trivial at every instance tried",
    "UNFALSIFIABLE": "it has no mutants, or the checks refuted none of them",
    "PROVED": "every step is closed, none that the conclusion rests on is sampled or "
    "certified on a part of its domain only, every mutant is refuted, every tight "
    "instance and every search reaches its ratio; axioms are trusted as listed",
    "CERTIFIED-ON-DOMAIN": "as PROVED, but the conclusion rests on a step that is "
    "certified on a stated domain only",
    "SUPPORTED": "nothing refutes it, and something above is missing",
}
"""Every verdict and its rule; the first that applies, in this order, is given."""


@dataclasses.dataclass(frozen=True)
class Witness:
    """A replayable violation of a statement.

    Attributes:
        format: `WITNESS_FORMAT` of the writer.
        bound: Id of the bound, or "id/mutant".
        statement: The inequality, as text.
        kind: "instance", "trivial structure", "random", "family", "monte carlo" or
            "attack".
        name: Which one.
        constants: Values of existential constants, as exact text.
        values: Values of the symbols, as exact text (rational, or a float's repr).
        left, right: Both sides, 17 digits.
        excess: How far the wrong side is ahead, in the statement's units.
        data: What a random instance or a search's best candidate is rebuilt from, or
            the key and the shots of a Monte-Carlo run; else empty.
    """

    format: int
    bound: str
    statement: str
    kind: str
    name: str
    constants: Mapping[str, str]
    values: Mapping[str, str]
    left: str
    right: str
    excess: str
    data: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The witness as JSON-able data."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class StageResult:
    """Outcome of one stage.

    Attributes:
        name: For example "statement lint", "symbolic" or "adversarial".
        verdict: "passed", "failed" (not closed), "refuted" or "skipped".
        summary: One line.
        details: One mapping per check.
        seconds: Wall time; a measurement, not part of the result.
    """

    name: str
    verdict: str
    summary: str
    details: tuple[Mapping[str, Any], ...]
    seconds: float = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class Kill:
    """Whether, and by what, a mutant was refuted; or why none is known to do it."""

    mutant: str
    change: str
    killed: bool
    killer: str
    witness: Witness | None
    still_open: str


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of `verify`.

    Attributes:
        bound: Id.
        title: One line.
        statement: The inequality, as text.
        status: A key of `STATUSES`.
        reasons: Why not a better status; empty if PROVED.
        hypotheses: As declared.
        model: The choices of the cell-probe model, one sentence each.
        axioms: Trusted steps: number, claim, source.
        open_steps: Numbers of the steps that were not closed.
        stages: In order.
        tight_ratio: Smallest (smaller side)/(larger side) over the tight instances;
            None if there are none.
        not_tight: Why no instance reaches equality, where there is none.
        kills: One per mutant.
        witnesses: Violations of the statement itself.
        seeds: Key data by purpose.
        versions: Software versions.
        budget: As given.
        proof: Name of the text.
    """

    bound: str
    title: str
    statement: str
    status: str
    reasons: tuple[str, ...]
    hypotheses: tuple[str, ...]
    model: tuple[str, ...]
    axioms: tuple[Mapping[str, str], ...]
    open_steps: tuple[str, ...]
    stages: tuple[StageResult, ...]
    tight_ratio: float | None
    not_tight: str
    kills: tuple[Kill, ...]
    witnesses: tuple[Witness, ...]
    seeds: Mapping[str, Any]
    versions: Mapping[str, str]
    budget: Mapping[str, Any]
    proof: str

    def stage(self, name: str) -> StageResult:
        """The result of the stage called `name`."""
        return next(stage for stage in self.stages if stage.name == name)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, default=str)

    def to_markdown(self) -> str:
        """The report as Markdown: verdict first, then what it rests on."""
        lines = [
            f"# {self.bound}: {self.status}",
            "",
            f"{self.title}",
            "",
            f"Statement: `{self.statement}`",
            "",
        ]
        lines += [f"- not better because: {reason}" for reason in self.reasons]
        lines += ["", "## Stages", "", "| stage | verdict | what |", "|---|---|---|"]
        for stage in self.stages:
            lines.append(f"| {stage.name} | {stage.verdict} | {stage.summary} |")
        if self.tight_ratio is not None:
            lines += ["", f"Ratio at the tight instances: {self.tight_ratio:.12f}"]
        lines += ["", "## Trusted", ""]
        lines += [f"- {a['number']}: {a['claim']} ({a['source']})" for a in self.axioms]
        lines += ["", "## Mutants", "", "| mutant | change | killer |", "|---|---|---|"]
        for kill in self.kills:
            killer = kill.killer or kill.still_open or "SURVIVES"
            lines.append(f"| {kill.mutant} | {kill.change} | {killer} |")
        lines += ["", "## Witnesses", ""]
        for witness in self.witnesses:
            given = ", ".join(f"{name}={v}" for name, v in witness.values.items())
            lines.append(
                f"- {witness.kind} {witness.name}: {given}; left {witness.left}, "
                f"right {witness.right}"
            )
        lines += ["", "## Hypotheses", ""]
        lines += [f"- {text}" for text in self.hypotheses]
        lines += [f"- {text}" for text in self.model]
        lines += ["", f"Seeds {dict(self.seeds)}; versions {dict(self.versions)}"]
        lines += [f"Budget {dict(self.budget)}; proof text: {self.proof or 'none'}"]
        return "\n".join(lines) + "\n"
