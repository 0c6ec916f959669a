"""The unrelated distribution of the same import name is noticed, nothing else is."""

import pathlib
import subprocess
import sys
import time

import pytest

from qjax._identity import check_distribution

SOURCE = pathlib.Path(__file__).resolve().parents[1]


def install(site: pathlib.Path, name: str, files: str | None) -> None:
    """What pip leaves behind: metadata, list of files, and the files themselves.

    Newer versions of `importlib.metadata` leave out listed files that are missing.
    """
    info = site / f"{name.replace('-', '_')}-0.2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.2.0\n"
    )
    if files is not None:
        (info / "RECORD").write_text(files)
        for line in files.splitlines():
            path = site / line.partition(",")[0]
            path.parent.mkdir(exist_ok=True)
            path.touch()


def test_this_environment_is_clean():
    check_distribution()


@pytest.mark.parametrize("files", ["qjax/__init__.py,,\nqjax/stats.py,,\n", None])
def test_the_other_project_is_refused_with_the_way_out(tmp_path, monkeypatch, files):
    install(tmp_path, "qjax", files)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ImportError, match=r"`qjax` 0\.2\.0 is an unrelated project"
    ) as e:
        check_distribution()
    assert "pip uninstall qjax" in str(e.value)
    assert "qjax-simulator" in str(e.value)


def test_ourselves_and_lookalikes_are_accepted(tmp_path, monkeypatch):
    install(tmp_path, "qjax-simulator", "qjax/__init__.py,,\n")
    install(tmp_path, "qjax-extras", "qjax_extras/__init__.py,,\n")
    # A distribution of that name without that package overwrites nothing.
    install(tmp_path, "qjax", "qjax_tools/__init__.py,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    check_distribution()


def test_importing_qjax_runs_the_check(tmp_path):
    install(tmp_path, "qjax", "qjax/__init__.py,,\n")
    code = (
        f"import sys; sys.path[:0] = [{str(SOURCE)!r}, {str(tmp_path)!r}]\nimport qjax"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "is an unrelated project" in done.stderr.splitlines()[-1]


def test_the_check_costs_less_than_five_milliseconds():
    check_distribution()
    costs = []
    for _ in range(5):
        start = time.perf_counter()
        check_distribution()
        costs.append(time.perf_counter() - start)
    assert min(costs) < 5e-3
