"""SIGKILL at random moments, then finishing: the same artefacts, bit for bit."""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import pytest
from workplace import CHECKOUT, PROGRAM, SOURCE, rendered_files

from qjax.experiments import RowStore, discover

CELLS = 40
SETTINGS = ["--set", "coin.pause=0.05", "--set", f"coin.tosses={list(range(1, 21))}"]
SETTINGS += ["--set", "coin.biases=[0.3, 0.6]", "--mask-measured"]


def start(root: pathlib.Path) -> subprocess.Popen:
    out = root / "paper"
    words = [str(root), "all", *SETTINGS, "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def copy(folder: pathlib.Path) -> pathlib.Path:
    return shutil.copytree(
        CHECKOUT, folder, ignore=shutil.ignore_patterns("__pycache__")
    )


def wait_for(process: subprocess.Popen, path: pathlib.Path, above: int) -> None:
    """Wait until a file is longer than `above` bytes."""
    while not path.exists() or path.stat().st_size <= above:
        assert process.poll() is None, "it ended before the kill"
        time.sleep(0.002)


def size_of(path: pathlib.Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_and_finished_gives_the_same_bytes(tmp_path, kills):
    whole, killed = copy(tmp_path / "whole"), copy(tmp_path / "killed")
    assert start(whole).wait(timeout=120) == 0
    draw = random.Random(20)
    store = killed / "paper" / "rows" / "coin.jsonl"
    bundle = killed / "paper" / "default" / "t0_coin.csv"
    counts = []
    for kill in range(kills):
        last = kill == kills - 1
        process = start(killed)
        # Random moments among the cells; the last one is in the rendering.
        wait_for(process, bundle if last else store, 0 if last else size_of(store))
        time.sleep(draw.uniform(0, 0.1 if last else 0.3))
        process.kill()
        process.wait()
        counts.append(store.read_bytes().count(b"\n"))
    # The kills did fall into the computation, and each run went on from the last.
    assert counts == sorted({0, *counts})[1:] and counts[-1] == CELLS
    assert start(killed).wait(timeout=120) == 0
    expected, found = (rendered_files(root / "paper") for root in (whole, killed))
    assert found.keys() == expected.keys()
    for name in expected.keys() - {"provenance.csv"}:
        assert found[name] == expected[name], name
    coin = discover(killed / "scripts" / "artefacts").experiments["coin"]
    assert len(RowStore(store, coin).records) == CELLS
    assert store.read_bytes().count(b"\n") == CELLS
