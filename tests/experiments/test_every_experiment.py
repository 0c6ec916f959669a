"""Every experiment of the paper at its smoke size: it runs, resumes, and renders."""

import dataclasses
import io

import jax
import pytest
from rich.console import Console
from workplace import SOURCE

from qjax.experiments import SIZES, Catalogue, Experiment, Layout, RowStore, discover
from qjax.experiments.columns import difference
from qjax.experiments.config import resolve
from qjax.experiments.render import render
from qjax.experiments.runner import Outcome, run_experiments

ARTEFACTS = SOURCE / "scripts" / "artefacts"
CONFIGS = SOURCE / "scripts" / "configs"
PAPER = discover(ARTEFACTS) if ARTEFACTS.is_dir() else Catalogue({}, {})
# Others share their code; these are computed by `make test-slow`.
LONG = {"classifier_tuning", "scaling", "sharding"}


@pytest.fixture(scope="module")
def layout(tmp_path_factory) -> Layout:
    """The real configurations with an output folder shared by this file."""
    out = tmp_path_factory.mktemp("paper")
    return Layout(CONFIGS, out, out / "results")


def compute(experiment: Experiment, layout: Layout) -> Outcome:
    console = Console(file=io.StringIO(), width=500)
    # As the command runs them: optax's Adam refuses strict promotion.
    with jax.numpy_dtype_promotion("standard"):
        outcome = run_experiments([experiment], layout, "smoke", {}, SOURCE, console)
    assert isinstance(console.file, io.StringIO)
    assert not outcome.failed, console.file.getvalue()
    return outcome


def rows(names, slow):
    """Names as parameters; those that take long are left to `make test-slow`."""
    marks = {True: [pytest.mark.slow], False: []}
    return [pytest.param(name, marks=marks[slow(name)]) for name in names]


def needs_long(name) -> bool:
    return not LONG.isdisjoint(PAPER.artefacts[name].experiments)


@pytest.mark.parametrize("name", rows(PAPER.experiments, LONG.__contains__))
def test_it_runs_resumes_and_does_not_depend_on_grid_order(name, layout, tmp_path):
    experiment = PAPER.experiments[name]
    assert compute(experiment, layout).computed > 0
    assert compute(experiment, layout).computed == 0
    backwards = dataclasses.replace(
        experiment, grid=lambda config: list(experiment.grid(config))[::-1]
    )
    other = Layout(CONFIGS, tmp_path, tmp_path / "results")
    compute(backwards, other)
    path = layout.store_path(experiment, "smoke")
    forward = RowStore(path, experiment).records
    again = RowStore(other.store_path(experiment, "smoke"), experiment).records
    assert forward.keys() == again.keys()
    for cell, record in forward.items():
        rows = again[cell].rows
        assert difference(record.rows, rows, experiment.columns) is None


@pytest.mark.parametrize("name", PAPER.experiments)
def test_the_grid_of_every_size_is_sound(name):
    experiment = PAPER.experiments[name]
    for size in SIZES:
        assert experiment.cells(resolve(experiment, CONFIGS, size))


@pytest.mark.parametrize("name", rows(PAPER.artefacts, needs_long))
def test_it_renders(name, layout):
    artefact = PAPER.artefacts[name]
    for needed in artefact.experiments:
        compute(PAPER.experiments[needed], layout)
    console = Console(file=io.StringIO(), width=500)
    absent = render(PAPER, [artefact], layout, "smoke", console)
    assert isinstance(console.file, io.StringIO)
    assert absent == [], console.file.getvalue()


def test_every_configuration_belongs_to_an_experiment():
    files = {path.stem for path in CONFIGS.glob("*.yaml")}
    assert files == set(PAPER.experiments)
