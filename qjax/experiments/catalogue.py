"""The experiments and artefacts of a checkout, and where their files lie."""

import dataclasses
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from qjax.experiments.artefacts import Artefact, Figure, Table
from qjax.experiments.config import resolve, stored_config
from qjax.experiments.errors import HarnessError, unknown_name
from qjax.experiments.experiment import Experiment, Size
from qjax.experiments.frames import Results
from qjax.experiments.store import RowStore


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Experiments and artefacts by name, each name once.

    Args:
        experiments: Experiments by name.
        artefacts: Tables and figures by name, in the order of their modules.
    """

    experiments: Mapping[str, Experiment]
    artefacts: Mapping[str, Artefact]

    def select(self, names: Iterable[str]) -> list[Experiment]:
        """Experiments by name or by artefact that needs them; all if none is named.

        Raises:
            HarnessError: If a name is unknown, with the nearest known one.
        """
        chosen: dict[str, Experiment] = {}
        for name in names:
            if name in self.experiments:
                chosen[name] = self.experiments[name]
            elif name in self.artefacts:
                needed = self.artefacts[name].experiments
                chosen.update((n, self.experiments[n]) for n in needed)
            else:
                known = [*self.experiments, *self.artefacts]
                raise unknown_name("experiment or artefact", name, known)
        return list((chosen or self.experiments).values())

    def select_artefacts(self, names: Iterable[str]) -> list[Artefact]:
        """Artefacts by name or by experiment that they show; all if none is named.

        Raises:
            HarnessError: If a name is unknown, with the nearest known one.
        """
        wanted = set(names)
        known = [*self.experiments, *self.artefacts]
        for name in sorted(wanted):
            if name not in known:
                raise unknown_name("experiment or artefact", name, known)
        return [
            artefact
            for artefact in self.artefacts.values()
            if not wanted or wanted & {artefact.name, *artefact.experiments}
        ]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where files lie.

    Args:
        configs: Folder with one YAML file per experiment.
        out: Output folder, not committed: rows, tables, figures.
        results: Folder of the committed rows of full runs.
    """

    configs: Path
    out: Path
    results: Path

    def rows_folder(self, size: Size) -> Path:
        """Folder of the row stores: full rows are committed, others are not."""
        return self.results if size == "full" else self.out / "rows"

    def store_path(self, experiment: Experiment, size: Size) -> Path:
        """The row store of an experiment; smoke and default rows share one."""
        return self.rows_folder(size) / f"{experiment.name}.jsonl"

    def config_path(self, experiment: Experiment, size: Size) -> Path:
        """The resolved configuration, beside the rows."""
        return self.rows_folder(size) / f"{experiment.name}.{size}.yaml"

    def results_of(
        self,
        experiment: Experiment,
        size: Size,
        overrides: Mapping[str, Any] | None = None,
    ) -> Results:
        """Stored rows of the grid that was last run at this size.

        Without a stored configuration, or with overrides, the grid is the one of
        the YAML file.
        """
        config = None
        if not overrides:
            config = stored_config(self.config_path(experiment, size), experiment)
        if config is None:
            config = resolve(experiment, self.configs, size, overrides)
        store = RowStore(self.store_path(experiment, size), experiment)
        cells = experiment.cells(config)
        return Results(experiment, size, config, cells, store.records)


_PREFIX = "qjax_artefact_"
"""Of the names that artefact modules are imported under."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """An experiment by the module that offers it, for another process to import.

    Args:
        path: File of the artefact module.
        name: Name of the experiment.
    """

    path: Path
    name: str

    def load(self) -> Experiment:
        """The experiment, its module imported if it was not yet."""
        module = sys.modules.get(_PREFIX + self.path.stem)
        if module is None or module.__file__ != str(self.path):
            module = _load_module(self.path)
        return next(one for one in module.EXPERIMENTS if one.name == self.name)


def to_travel(experiment: Experiment) -> Experiment | Reference:
    """What to pickle of an experiment: other processes cannot import its module."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PREFIX) and module.__file__ is not None:
            offered = getattr(module, "EXPERIMENTS", ())
            if any(one is experiment for one in offered):
                return Reference(Path(module.__file__), experiment.name)
    return experiment


def _load_module(path: Path) -> ModuleType:
    """Import one artefact module from its file."""
    name = _PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise HarnessError(f"Artefact module {path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up here
    spec.loader.exec_module(module)
    return module


def discover(folder: Path) -> Catalogue:
    """Import every module `<id>_<name>.py` of a folder and collect what it offers.

    A module offers `EXPERIMENTS: tuple[Experiment, ...]` and
    `ARTEFACTS: tuple[Table | Figure, ...]`. Files that start with "_" are skipped.

    Raises:
        HarnessError: If a module lacks one of them, a name occurs twice, or an
            artefact needs an experiment that does not exist.
    """
    if not folder.is_dir():
        raise HarnessError(f"Folder {folder} of artefact modules must exist.")
    experiments: dict[str, Experiment] = {}
    artefacts: dict[str, Artefact] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        module = _load_module(path)
        for attribute, kinds, table in (
            ("EXPERIMENTS", (Experiment,), experiments),
            ("ARTEFACTS", (Table, Figure), artefacts),
        ):
            items = getattr(module, attribute, None)
            good = isinstance(items, tuple) and all(isinstance(i, kinds) for i in items)
            if not good or items is None:
                expected = " or ".join(kind.__name__ for kind in kinds)
                raise HarnessError(
                    f"Artefact module {path} must define {attribute}, a tuple of "
                    f"{expected}."
                )
            for item in items:
                # One experiment may be offered by the modules that share it.
                if table.get(item.name, item) is not item:
                    raise HarnessError(
                        f"The name {item.name!r} in {path} is taken by another module."
                    )
                table[item.name] = item
    for artefact in artefacts.values():
        for name in artefact.experiments:
            if name not in experiments:
                raise HarnessError(
                    f"Artefact {artefact.name!r}: "
                    f"{unknown_name('experiment', name, experiments)}"
                )
    return Catalogue(experiments, artefacts)
