"""The console command `qjax`: verify, replay, data, paper."""

import importlib.metadata
import json
import multiprocessing
import pathlib
import re
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from workplace import SOURCE

import qjax.bounds
import qjax.data
from qjax import cli
from qjax.bounds import SMOKE
from qjax.bounds.stages.budget import BUDGETS
from qjax.cli import run
from qjax.cli.bound_names import find_bound, matching_bounds
from qjax.cli.workers import Task, bound_key, verify_tasks

# A bound that is verified in a second.
NAME = "literal-B/ratio"
SMALL = ["--random-instances", "0", "--shots", "0", "--restarts", "0"]


@pytest.fixture
def greedy(tmp_path) -> pathlib.Path:
    """The false bound of the tutorial, 5 % above a sharp constant, in a user's file."""
    page = (SOURCE / "docs" / "verifier.md").read_text()
    section = page.partition("## A false bound")[2]
    match = re.search(r"^```python\n(.*?)^with ", section, re.MULTILINE | re.DOTALL)
    assert match is not None
    path = tmp_path / "mine.py"
    path.write_text(match[1])
    return path


@pytest.fixture
def own(tmp_path) -> pathlib.Path:
    """Three bounds of a user: one that works, one that fails, one that is none."""
    path = tmp_path / "own.py"
    path.write_text(
        "import dataclasses\n"
        "from qjax.bounds import Instance, literal_b\n"
        "def crash():\n"
        "    raise RuntimeError('no such machine')\n"
        "works = dataclasses.replace(literal_b('ratio'), id='works-literal')\n"
        "fails = dataclasses.replace(\n"
        "    works, id='fails', instances=(Instance('crash', crash),))\n"
        "number = 7\n"
    )
    return path


def test_verify_prints_the_report_of_a_named_bound(capsys):
    assert run(["verify", NAME, *SMALL]) == 0
    text = capsys.readouterr().out
    status = text.splitlines()[0].removeprefix(f"# {NAME}: ")
    assert status in qjax.bounds.STATUSES


def test_verify_prints_json_one_report_a_line(capsys):
    assert run(["verify", NAME, *SMALL, "--json", "--seed", "5"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["bound"] == NAME
    report = qjax.bounds.Report.from_json(line)
    assert report.seeds["verify"] == jax.random.key_data(bound_key(5, NAME)).tolist()
    assert report.latex and report.steps


def test_verify_leaves_the_precision_of_the_process_alone(capsys):
    before = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    run(["verify", NAME, *SMALL])
    assert jax.config.jax_enable_x64 == before  # pyright: ignore[reportAttributeAccessIssue]
    assert jnp.zeros(()).dtype == jnp.float32
    assert capsys.readouterr().err == ""


def test_several_bounds_print_a_table_of_verdicts(capsys):
    assert run(["verify", NAME, "literal-B/fraction", *SMALL, "--workers", "1"]) == 0
    text = capsys.readouterr().out
    assert "# literal" not in text
    rows = [line.split() for line in text.splitlines() if "literal" in line]
    assert [row[:3] for row in rows] == [
        [NAME, "REFUTED", "REFUTED"], ["literal-B/fraction", "REFUTED", "REFUTED"],
    ]  # fmt: skip


def test_an_unknown_bound_suggests_the_nearest_before_any_is_verified(capsys):
    assert run(["verify", NAME, f"{NAME[:-1]}_", *SMALL]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"did you mean {NAME!r}?" in printed.err
    assert run(["verify", "%%%"]) == 2
    assert "known are A1" in capsys.readouterr().err


def test_patterns_name_groups_of_bounds_once_each_in_order():
    table = {"A1": 0, "A1/x": 0, "A1/y": 0, "B": 0}
    assert matching_bounds(["A1"], table) == ("A1",)
    assert matching_bounds(["B", "A1/*", "A1/x"], table) == ("B", "A1/x", "A1/y")
    with pytest.raises(ValueError, match=r"Unknown bound 'C\*'"):
        matching_bounds(["C*"], table)


def test_list_names_every_bound_with_its_expected_verdict(capsys):
    assert run(["verify", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(qjax.bounds.BOUNDS)
    assert f"{NAME:<24} REFUTED" in "\n".join(lines)
    assert run(["verify", "--list", "literal-B/*"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_all_and_names_exclude_each_other(capsys):
    assert run(["verify", NAME, "--all"]) == 2
    assert "not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--shots", "-1"], "`shots` must be at least 0, but is -1"),
        (["--random-instances", "-5"], "`random_instances` must be at least 0"),
        (["--delta", "1.5"], "`delta` must lie between 0 and 1, but is 1.5"),
        (["--restarts", "-1"], "`restarts` must be at least 0, but is -1"),
        (["--seed", "-1"], "`seed` must be at least 0"),
        (["--workers", "0"], "`workers` must be at least 1, but is 0"),
    ],
)
def test_a_number_out_of_range_is_one_sentence(capsys, words, rule):
    assert run(["verify", *words]) == 2
    error = capsys.readouterr().err
    assert rule in error and error.count("\n") == 1


def test_sizes_are_budgets_and_options_replace_their_numbers(capsys):
    assert BUDGETS["default"] == qjax.bounds.Budget()
    sizes = [BUDGETS[name] for name in ("smoke", "default", "full")]
    for field in ("random_instances", "shots", "restarts"):
        values = [getattr(budget, field) for budget in sizes]
        assert values == sorted(set(values))
    words = ["verify", NAME, "--size", "smoke", "--shots", "3", "--json"]
    assert run(words) == 0
    budget = json.loads(capsys.readouterr().out)["budget"]
    assert budget["shots"] == 3
    assert budget["random_instances"] == BUDGETS["smoke"].random_instances


def test_the_key_of_a_bound_depends_on_seed_and_id_only():
    def data(seed: int, name: str) -> tuple[int, ...]:
        return tuple(jax.random.key_data(bound_key(seed, name)).tolist())

    assert data(1, "A1") == data(1, "A1")
    assert len({data(seed, name) for seed in (0, 1) for name in ("A1", "A2")}) == 4


def test_workers_change_no_result_and_no_order():
    names = ["literal-B/fraction", NAME]
    tasks = [Task(name, 3, SMOKE) for name in names]
    ticks: list[int] = []
    alone = list(verify_tasks(tasks, 1, lambda: ticks.append(1)))
    assert len(ticks) == 2
    pooled = list(verify_tasks(tasks, 2, lambda: ticks.append(2)))
    assert sorted(ticks) == [1, 1, 2, 2]
    assert [each.name for each in pooled] == names
    assert [each.report for each in pooled] == [each.report for each in alone]
    assert all(each.report is not None for each in alone)


def test_an_interrupted_run_leaves_no_process_behind():
    tasks = [Task(NAME, 0, SMOKE)] * 4
    running = verify_tasks(tasks, 2, lambda: None)
    next(running)
    with pytest.raises(KeyboardInterrupt):
        running.throw(KeyboardInterrupt)  # pyright: ignore[reportAttributeAccessIssue]
    assert multiprocessing.active_children() == []


def test_only_verifications_that_compile_most_compile_fast():
    assert cli.quick_compiling(["verify", "A1"])["XLA_FLAGS"]
    assert cli.quick_compiling(["replay", "w.json"])["XLA_FLAGS"]
    for words in (
        ["verify", "--size", "full"],
        ["verify", "--size=full"],
        ["data"],
        [],
    ):
        assert cli.quick_compiling(words) == {}


def test_flags_are_given_only_to_the_compiler_that_knows_them(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.11.0")
    assert cli.quick_compiling(["verify", "A1"]) == {}


def test_an_interrupt_has_a_status_of_its_own(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("qjax.cli.verify_command.verify_tasks", interrupted)
    assert run(["verify", NAME, *SMALL]) == 130
    assert "interrupted" in capsys.readouterr().err


# --- bounds of a user ---


def test_a_false_bound_of_a_user_is_refuted_and_replayed(capsys, greedy, tmp_path):
    spec, folder = f"{greedy}:greedy", tmp_path / "found"
    words = ["verify", "--bound", spec, *SMALL, "--report", str(folder)]
    assert run(words) == 1  # nobody expects one's own bound to be false
    assert capsys.readouterr().out.startswith("# greedy: REFUTED")
    stored = folder / "greedy" / "witness-1.json"
    assert run(["replay", str(stored), "--bound", spec]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^verdict +violated$", text, re.MULTILINE)
    sides = dict(re.findall(r"^(left|right) +(\S+)$", text, re.MULTILINE))
    witness = json.loads(stored.read_text())
    for name, side in sides.items():
        np.testing.assert_allclose(float(side), float(witness[name]), rtol=1e-12)
    assert float(sides["left"]) / float(sides["right"]) == pytest.approx(1.05)
    # A witness of another format, or against another statement, is refused.
    stored.write_text(json.dumps({**witness, "statement": "p <= 1"}))
    assert run(["replay", str(stored), "--bound", spec]) == 2
    assert "speak of a statement of greedy" in capsys.readouterr().err
    # Without the file nothing says what the bound is.
    assert run(["replay", str(stored)]) == 2


def test_a_corrected_bound_does_not_violate_its_old_witness(capsys, greedy, tmp_path):
    spec, folder = f"{greedy}:greedy", tmp_path / "found"
    run(["verify", "--bound", spec, *SMALL, "--report", str(folder)])
    # Same statement, but the structure that was said to violate it has changed.
    greedy.write_text(greedy.read_text().replace("noisy(0.8)", "noisy(0.0)"))
    capsys.readouterr()
    stored = folder / "greedy" / "witness-1.json"
    assert run(["replay", str(stored), "--bound", spec]) == 1
    assert "not violated" in capsys.readouterr().out


def test_the_installed_command_refutes_and_replays(greedy, tmp_path):
    command = pathlib.Path(sys.executable).with_name("qjax")
    if not command.exists():
        pytest.skip("the command is not installed here")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        full = [str(command), *words]
        return subprocess.run(full, cwd=tmp_path, capture_output=True, text=True)

    verified = call("verify", "--bound", "mine.py:greedy", *SMALL, "--report", "found")
    assert verified.returncode == 1, verified.stderr
    assert (tmp_path / "found" / "index.html").is_file()
    replayed = call("replay", "found/greedy/witness-1.json", "--bound", "mine:greedy")
    assert replayed.returncode == 0, replayed.stderr
    assert "violated" in replayed.stdout


def test_a_failing_bound_of_a_user_stops_no_other(capsys, own, tmp_path):
    words = ["verify", "--bound", f"{own}:fails", "--bound", f"{own}:works", *SMALL]
    assert run([*words, "--workers", "1", "--report", str(tmp_path / "found")]) == 1
    printed = capsys.readouterr()
    assert "RuntimeError: no such machine" in printed.err
    assert re.search(r"works-literal +REFUTED", printed.out)
    assert "stopped" in printed.out
    assert (tmp_path / "found" / "works-literal" / "report.html").is_file()


def test_what_is_not_a_bound_is_one_sentence(capsys, own, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("1 +")
    for spec, text in (
        (f"{own}:number", "must be a Bound, or a function without arguments"),
        (f"{own}:absent", "must name something in"),
        (f"{tmp_path}/none.py:x", "must name a file that exists"),
        (f"{broken}:x", "SyntaxError"),
        ("no_such_module:x", "No module named 'no_such_module'"),
        ("plain", "must be path/to/file.py:name or package.module:name"),
    ):
        assert run(["verify", "--bound", spec, *SMALL]) == 2
        error = capsys.readouterr().err
        assert text in error and error.count("\n") == 1, error


def test_bounds_that_would_share_a_folder_are_refused(capsys, own):
    own.write_text(own.read_text().replace("works-literal", "literal-b-ratio"))
    assert run(["verify", NAME, "--bound", f"{own}:works", *SMALL]) == 2
    assert "have an id of its own" in capsys.readouterr().err


def test_a_module_of_the_working_folder_holds_a_bound(own, monkeypatch):
    monkeypatch.chdir(own.parent)
    own.rename(own.parent / "qjax_test_module_of_a_user.py")
    before = list(sys.path)
    bound = find_bound("qjax_test_module_of_a_user:works")
    assert bound.id == "works-literal" and sys.path == before


def test_a_witness_file_that_cannot_be_read_is_one_sentence(capsys, tmp_path):
    assert run(["replay", str(tmp_path / "none.json")]) == 2
    bad = tmp_path / "bad.json"
    for text in ("not json", "[1]", "{}", '{"format": 99}'):
        bad.write_text(text)
        assert run(["replay", str(bad)]) == 2, text
        error = capsys.readouterr().err
        assert "Cannot re" in error


def test_a_folder_that_cannot_be_written_is_said_before_the_work(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(["verify", NAME, "--report", str(tmp_path / "file")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and "Cannot write to" in printed.err


# --- the other commands ---


def test_data_offline_without_data_says_what_to_do(tmp_path, capsys):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not a picture")
    assert run(["data", "--root", str(tmp_path), "--offline"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ")


def test_data_prints_the_folder(tmp_path, capsys, monkeypatch):
    asked = {}

    def fetch(root: pathlib.Path | None, *, offline: bool) -> pathlib.Path:
        asked.update(root=root, offline=offline)
        return tmp_path / "fashion-mnist"

    monkeypatch.setattr(qjax.data, "fetch_fashion_mnist", fetch)
    assert run(["data"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "fashion-mnist")
    assert asked == {"root": None, "offline": False}


def test_paper_hands_its_arguments_to_the_script_of_the_checkout(capsys):
    assert cli.checkout_script() == SOURCE / "scripts" / "paper.py"
    # An argument only that script knows, and a status only it gives.
    assert run(["paper", "check", "--cells", "0"]) == 2
    assert "Argument `cells` must be at least 1" in capsys.readouterr().err


def test_paper_outside_a_checkout_says_what_to_do(tmp_path, capsys, monkeypatch):
    package = tmp_path / "site-packages" / "qjax"
    shutil.copytree(SOURCE / "qjax" / "cli", package / "cli")
    monkeypatch.setattr(cli, "__file__", str(package / "cli" / "__init__.py"))
    assert run(["paper"]) == 2
    assert "needs a checkout" in capsys.readouterr().err
    # A stranger's folder of scripts beside the package is not a checkout.
    (tmp_path / "site-packages" / "scripts").mkdir()
    (tmp_path / "site-packages" / "scripts" / "paper.py").write_text("1 / 0")
    assert run(["paper", "list"]) == 2


@pytest.mark.parametrize(
    "words", [["--help"], ["verify", "--help"], ["replay", "-h"], ["paper", "-h"]]
)
def test_help_names_the_commands(words, capsys):
    try:
        status = run(words)
    except SystemExit as stop:
        status = stop.code
    assert status == 0
    assert "usage" in capsys.readouterr().out


def test_no_command_or_an_unknown_one_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        run(["verfy"])
    assert caught.value.code == 2
    assert "verify" in capsys.readouterr().err
