"""The commands of scripts/paper.py: all, list, run, render, check."""

import dataclasses
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table as RichTable

from qjax.experiments.catalogue import Catalogue, Layout, discover
from qjax.experiments.config import parse_overrides
from qjax.experiments.errors import HarnessError
from qjax.experiments.experiment import Experiment, Size
from qjax.experiments.render import render
from qjax.experiments.runner import check_experiments, require_rows, run_experiments

Names = tyro.conf.Positional[tuple[str, ...]]
Settings = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set")
]


@dataclasses.dataclass(frozen=True)
class Commands:
    """The commands, bound to a checkout.

    Args:
        root: Checkout with `scripts/artefacts` and `scripts/configs`.
        console: Where everything is printed.
    """

    root: Path
    console: Console

    def _open(self, out: Path, results: Path | None) -> tuple[Catalogue, Layout]:
        catalogue = discover(self.root / "scripts" / "artefacts")
        committed = self.root / "results" if results is None else results
        layout = Layout(self.root / "scripts" / "configs", out, committed)
        return catalogue, layout

    def _compute(
        self,
        chosen: Sequence[Experiment],
        layout: Layout,
        size: Size,
        settings: Sequence[str],
    ) -> bool:
        overrides = parse_overrides(settings, chosen)
        outcome = run_experiments(
            chosen, layout, size, overrides, self.root, self.console
        )
        self.console.print(
            f"computed {outcome.computed} cells, {outcome.present} were stored, "
            f"{len(outcome.failed)} failed"
        )
        return not outcome.failed

    def _show_absent(self, absent: Sequence[str]) -> bool:
        for sentence in absent:
            self.console.print(
                sentence, style="yellow", markup=False, highlight=False, soft_wrap=True
            )
        return not absent

    def all(
        self,
        names: Names = (),
        /,
        size: Size = "default",
        settings: Settings = (),
        out: Path = Path("paper"),
        results: Path | None = None,
        mask_measured: bool = False,
    ) -> int:
        """Compute what is missing, then render everything.

        Args:
            names: Experiments or artefacts; all if none is named.
            size: smoke (seconds), default (minutes) or full (hours).
            settings: Override, `experiment.field=value`; may be repeated.
            out: Output folder.
            results: Folder of full rows; `results` of the checkout if not given.
            mask_measured: Put 1 in place of measured numbers, to compare two runs.
        """
        catalogue, layout = self._open(out, results)
        good = self._compute(catalogue.select(names), layout, size, settings)
        artefacts = catalogue.select_artefacts(names)
        absent = render(catalogue, artefacts, layout, size, self.console, mask_measured)
        good = self._show_absent(absent) and good
        self.console.print(f"wrote {layout.out}", soft_wrap=True)
        return 0 if good else 1

    def run(
        self,
        names: Names = (),
        /,
        size: Size = "default",
        settings: Settings = (),
        out: Path = Path("paper"),
        results: Path | None = None,
    ) -> int:
        """Compute the missing cells and store their rows.

        Args:
            names: Experiments or artefacts; all if none is named.
            size: smoke (seconds), default (minutes) or full (hours).
            settings: Override, `experiment.field=value`; may be repeated.
            out: Output folder.
            results: Folder of full rows; `results` of the checkout if not given.
        """
        catalogue, layout = self._open(out, results)
        good = self._compute(catalogue.select(names), layout, size, settings)
        return 0 if good else 1

    def render(
        self,
        names: Names = (),
        /,
        size: Size = "default",
        out: Path = Path("paper"),
        results: Path | None = None,
        mask_measured: bool = False,
    ) -> int:
        """Write tables, figures and the bundle from stored rows; compute nothing.

        Args:
            names: Artefacts or experiments; all if none is named.
            size: Size of the rows to show.
            out: Output folder.
            results: Folder of full rows; `results` of the checkout if not given.
            mask_measured: Put 1 in place of measured numbers, to compare two runs.
        """
        catalogue, layout = self._open(out, results)
        artefacts = catalogue.select_artefacts(names)
        absent = render(catalogue, artefacts, layout, size, self.console, mask_measured)
        return 0 if self._show_absent(absent) else 1

    def check(
        self,
        names: Names = (),
        /,
        size: Size = "default",
        cells: int = 2,
        seed: int | None = None,
        out: Path = Path("paper"),
        results: Path | None = None,
    ) -> int:
        """Compute a random sample of stored cells again; fail on any difference.

        Args:
            names: Experiments or artefacts; all if none is named.
            size: Size of the rows to check.
            cells: Cells per experiment.
            seed: Seed of the sample; a fresh one, which is printed, if not given.
            out: Output folder.
            results: Folder of full rows; `results` of the checkout if not given.
        """
        if cells < 1:
            raise HarnessError(f"Argument `cells` must be at least 1, but is {cells}.")
        catalogue, layout = self._open(out, results)
        sources = [layout.results_of(e, size) for e in catalogue.select(names)]
        require_rows(sources)
        seed = secrets.randbelow(2**32) if seed is None else seed
        self.console.print(f"sample seed {seed}")
        problems = check_experiments(sources, cells, seed, self.console)
        for problem in problems:
            self.console.print(
                f"differs: {problem}", style="red", markup=False, soft_wrap=True
            )
        return 1 if problems else 0

    def list(
        self,
        names: Names = (),
        /,
        size: Size = "default",
        out: Path = Path("paper"),
        results: Path | None = None,
    ) -> int:
        """Show experiments, cells done of total, and the artefacts they feed.

        Args:
            names: Experiments or artefacts; all if none is named.
            size: Size of the grid.
            out: Output folder.
            results: Folder of full rows; `results` of the checkout if not given.
        """
        catalogue, layout = self._open(out, results)
        table = RichTable("experiment", "version", "cells", "artefacts", title=size)
        for experiment in catalogue.select(names):
            found = layout.results_of(experiment, size)
            shown = catalogue.select_artefacts([experiment.name])
            table.add_row(
                experiment.name,
                str(experiment.version),
                f"{len(found.done)}/{len(found.cells)}",
                ", ".join(artefact.name for artefact in shown),
            )
        self.console.print(table)
        return 0


def main(root: Path, arguments: Sequence[str]) -> int:
    """Run one command; without a command, `all`.

    Args:
        root: Checkout.
        arguments: Command-line arguments after the program's name.

    Returns:
        Exit status: 0 done, 1 a cell failed or differs or an artefact is absent, 2
        bad input, 130 interrupted.
    """
    console = Console()
    commands = Commands(root, console)
    table = {
        name: getattr(commands, name)
        for name in ("all", "run", "render", "check", "list")
    }
    words = [*arguments]
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["all", *words]
    try:
        return tyro.extras.subcommand_cli_from_dict(
            table, prog="paper.py", description=__doc__, args=words
        )
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the rows stored so far are safe", file=sys.stderr)
        return 130
