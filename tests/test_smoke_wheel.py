"""The wheel's smoke test tells our files from those of the project of the same name."""

import importlib.machinery
import importlib.metadata
import importlib.util
import pathlib

import pytest

from scripts import smoke_wheel


@pytest.fixture
def site(tmp_path, monkeypatch) -> pathlib.Path:
    """An environment into which our wheel has just been installed."""
    package = tmp_path / "qjax"
    (package / "_proofs").mkdir(parents=True)
    (package / "__init__.py").write_text("from qjax._identity import check\n")
    (package / "_proofs" / "a1.md").write_text("# A1\n")
    info = tmp_path / "qjax_simulator-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: qjax-simulator\nVersion: 0.1.0\n"
    )
    size = (package / "__init__.py").stat().st_size
    (info / "RECORD").write_text(f"qjax/__init__.py,,{size}\nqjax/_proofs/a1.md,,5\n")

    def find_spec(name: str):
        path = tmp_path / name / "__init__.py"
        found = importlib.machinery.ModuleSpec(name, None, origin=str(path))
        return found if path.is_file() else None

    distribution = importlib.metadata.PathDistribution(info)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: distribution)
    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    return tmp_path


def test_our_own_files_pass(site):
    folder = smoke_wheel.package_folder()
    assert folder == site / "qjax"
    smoke_wheel.check_contents(folder)


def test_a_later_installation_that_overwrote_our_files_is_named(site):
    (site / "qjax" / "__init__.py").write_text('"""Something else entirely."""\n')
    with pytest.raises(SystemExit, match="is not one: run `pip uninstall qjax`"):
        smoke_wheel.package_folder()


def test_a_wheel_without_the_package_is_named(site):
    (site / "qjax" / "__init__.py").unlink()
    with pytest.raises(SystemExit, match="must make `qjax` importable"):
        smoke_wheel.package_folder()


def test_a_wheel_without_the_proofs_is_named(site):
    (site / "qjax" / "_proofs" / "a1.md").unlink()
    with pytest.raises(SystemExit, match="must ship proofs"):
        smoke_wheel.check_contents(site / "qjax")


def test_a_wheel_that_installs_the_tests_is_named(site):
    (site / "tests").mkdir()
    (site / "tests" / "__init__.py").touch()
    with pytest.raises(SystemExit, match="must not install a top-level `tests`"):
        smoke_wheel.check_contents(site / "qjax")
