"""The stage that reads the statement only."""

from qjax.bounds.bound import Bound
from qjax.bounds.stages.budget import (
    Outcome,
    constant_grid,
    covers_grid,
    exact_text,
    make_witness,
)
from qjax.bounds.stages.lint import by_symbol, lint


def lint_stage(bound: Bound) -> Outcome:
    """Lint the statement for every choice of its existential constants."""
    details, witnesses = [], []
    for constants in constant_grid(bound):
        found = lint(bound, constants)
        shown = {name: exact_text(value) for name, value in constants.items()}
        details += [
            {"constants": shown, "rule": f.rule, "passed": f.passed, "text": f.message}
            for f in found
        ]
        witnesses += [
            make_witness(
                bound.id,
                bound.statement,
                "trivial structure",
                f.structure.name,
                by_symbol(bound, f.structure),
                f.sides,
                constants,
            )
            for f in found
            if f.structure is not None and f.sides is not None
        ]
    broken = sorted({d["rule"] for d in details if not d["passed"]})
    if witnesses and covers_grid(bound, witnesses):
        text = f"{len(witnesses)} violations by trivial structures; broken: {broken}"
        return Outcome("refuted", text, details, witnesses)
    if broken:
        text = f"broken: {', '.join(broken)}"
        return Outcome("failed", text, details, witnesses)
    return Outcome("passed", "no rule broken", details, witnesses)
