"""A small checkout with two experiments, which a test of the harness may change."""

import dataclasses
import io
import pathlib
from collections.abc import Sequence
from concurrent.futures import Executor

from rich.console import Console

from qjax.experiments import Experiment, Layout
from qjax.experiments.commands import Commands
from qjax.experiments.runner import Outcome, run_experiments

SOURCE = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = pathlib.Path(__file__).parent / "experiments" / "checkout"

#: scripts/paper.py for another checkout, for `python -c`.
PROGRAM = (
    "import pathlib, sys; from qjax.experiments.commands import main;"
    "sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))"
)


@dataclasses.dataclass
class Workplace:
    """A copy of the checkout with its output folder."""

    root: pathlib.Path
    console: Console

    @property
    def layout(self) -> Layout:
        """Where the copy's files lie."""
        configs = self.root / "scripts" / "configs"
        return Layout(configs, self.root / "paper", self.root / "results")

    @property
    def commands(self) -> Commands:
        """The commands bound to the copy."""
        return Commands(self.root, self.console)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        assert isinstance(self.console.file, io.StringIO)
        return self.console.file.getvalue()

    def run(
        self,
        experiments: Sequence[Experiment],
        executor: Executor | None = None,
        **overrides: object,
    ) -> Outcome:
        """Compute the default size with settings for the first experiment."""
        return run_experiments(
            experiments,
            self.layout,
            "default",
            {experiments[0].name: overrides},
            self.root,
            self.console,
            executor,
        )

    def store(self, name: str = "coin") -> pathlib.Path:
        """The row store of default rows."""
        return self.root / "paper" / "rows" / f"{name}.jsonl"


def rendered_files(out: pathlib.Path) -> dict[str, bytes]:
    """Everything that rendering wrote, by relative path: no rows, no locks."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
        and path.suffix != ".lock"
        and path.relative_to(out).parts[0] != "rows"
    }
