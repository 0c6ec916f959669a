"""The console command `qjax`: verify, data, paper."""

import json
import pathlib
import shutil

import jax
import jax.numpy as jnp
import pytest
from workplace import SOURCE

import qjax.bounds
import qjax.data
from qjax import cli
from qjax.cli import run

# A bound that is verified in a second.
NAME = "literal-B/ratio"
SMALL = ["--random-instances", "0", "--shots", "0"]


def test_verify_prints_the_report_of_a_named_bound(capsys):
    assert run(["verify", NAME, *SMALL]) == 0
    text = capsys.readouterr().out
    status = text.splitlines()[0].removeprefix(f"# {NAME}: ")
    assert status in qjax.bounds.STATUSES


def test_verify_prints_json_one_report_a_line(capsys):
    assert run(["verify", NAME, *SMALL, "--json", "--seed", "5"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["bound"] == NAME


def test_verify_leaves_the_precision_of_the_process_alone(capsys):
    before = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    run(["verify", NAME, *SMALL])
    assert jax.config.jax_enable_x64 == before  # pyright: ignore[reportAttributeAccessIssue]
    assert jnp.zeros(()).dtype == jnp.float32
    assert capsys.readouterr().err == ""


def test_an_unknown_bound_suggests_the_nearest_before_any_is_verified(capsys):
    assert run(["verify", NAME, f"{NAME[:-1]}_", *SMALL]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"did you mean {NAME!r}?" in printed.err
    assert run(["verify", "%%%"]) == 2
    assert "known are A1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--shots", "-1"], "`shots` must be at least 0, but is -1"),
        (["--random-instances", "-5"], "`random_instances` must be at least 0"),
        (["--delta", "1.5"], "`delta` must be between 0 and 1, but is 1.5"),
        (["--seed", "-1"], "`seed` must be at least 0"),
    ],
)
def test_a_number_out_of_range_is_one_sentence(capsys, words, rule):
    assert run(["verify", *words]) == 2
    error = capsys.readouterr().err
    assert rule in error and error.count("\n") == 1


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
    package.mkdir(parents=True)
    shutil.copy(SOURCE / "qjax" / "cli.py", package)
    monkeypatch.setattr(cli, "__file__", str(package / "cli.py"))
    assert run(["paper"]) == 2
    assert "needs a checkout" in capsys.readouterr().err
    # A stranger's folder of scripts beside the package is not a checkout.
    (tmp_path / "site-packages" / "scripts").mkdir()
    (tmp_path / "site-packages" / "scripts" / "paper.py").write_text("1 / 0")
    assert run(["paper", "list"]) == 2


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"], ["paper", "-h"]])
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
