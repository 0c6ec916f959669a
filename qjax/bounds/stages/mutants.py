"""The mutation matrix: every wrong variant of a bound must be refuted."""

import dataclasses
from collections.abc import Iterator

from qjax.bounds.bound import Bound, Mutant
from qjax.bounds.reports.report import Kill, StageResult, Witness
from qjax.bounds.stages.budget import Budget, Evidence, constant_grid
from qjax.bounds.stages.exact import random_violations, violations
from qjax.bounds.stages.statement import lint_stage


def kill_mutant(
    bound: Bound, mutant: Mutant, budget: Budget, evidence: Evidence
) -> Kill:
    """Refute a mutant: at its expected killer, other instances, then elsewhere."""
    mutated = bound.with_mutant(mutant)
    for witness in _mutant_witnesses(mutated, mutant, budget, evidence):
        killer = f"{witness.kind}: {witness.name}"
        return Kill(mutant.id, mutant.change, True, killer, witness, "")
    return Kill(mutant.id, mutant.change, False, "", None, mutant.still_open)


def _mutant_witnesses(
    mutated: Bound, mutant: Mutant, budget: Budget, evidence: Evidence
) -> Iterator[Witness]:
    names = {symbol.name for symbol in mutant.statement.free_symbols}
    own = {instance.name: instance.values() for instance in mutant.instances}
    known = Evidence({**evidence.values, **own})
    usable = [i for i in mutated.instances if names <= set(known.values[i.name])]
    usable.sort(key=lambda instance: instance.name != mutant.killer)
    simulated = dataclasses.replace(mutated, instances=tuple(usable))
    for constants in constant_grid(mutated):
        yield from violations(simulated, budget, known, constants)
    yield from lint_stage(mutated).witnesses
    if evidence.batch is not None and names <= set(evidence.batch.values):
        yield from random_violations(mutated, evidence.batch, budget)[0]


def mutant_stage(kills: tuple[Kill, ...], seconds: float) -> StageResult:
    """Sum up the kills: every mutant but those known to be open must be refuted."""
    details = tuple(
        {"mutant": k.mutant, "killed": k.killed, "killer": k.killer or k.still_open}
        for k in kills
    )
    survivors = surviving(kills)
    if not kills:
        return StageResult("mutants", "skipped", "no mutants", details, seconds)
    text = f"{sum(kill.killed for kill in kills)} of {len(kills)} refuted"
    still_open = [kill.mutant for kill in kills if not kill.killed and kill.still_open]
    if still_open:
        text += f"; open: {', '.join(still_open)}"
    verdict = "failed" if survivors else "passed"
    return StageResult("mutants", verdict, text, details, seconds)


def surviving(kills: tuple[Kill, ...]) -> list[str]:
    """Mutants that should have been refuted and were not."""
    return [kill.mutant for kill in kills if not kill.killed and not kill.still_open]
