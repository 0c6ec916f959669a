"""Fixtures: a copy of the small checkout, and what it offers."""

import io
import pathlib
import shutil

import pytest
from rich.console import Console
from workplace import CHECKOUT, Workplace

from qjax.experiments import Catalogue, Experiment, discover


@pytest.fixture
def workplace(tmp_path: pathlib.Path) -> Workplace:
    """A fresh copy of the checkout."""
    root = tmp_path / "checkout"
    shutil.copytree(CHECKOUT, root, ignore=shutil.ignore_patterns("__pycache__"))
    return Workplace(root, Console(file=io.StringIO(), width=500, no_color=True))


@pytest.fixture
def catalogue(workplace: Workplace) -> Catalogue:
    """The experiments and artefacts of the copy."""
    return discover(workplace.root / "scripts" / "artefacts")


@pytest.fixture
def coin(catalogue: Catalogue) -> Experiment:
    """The experiment with random numbers, a curve and a measured column."""
    return catalogue.experiments["coin"]
