"""Processes that join, work together, die and start again."""

import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

from qjax.parallel import join_cluster
from qjax.parallel.launch import launch

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICK = (
    "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
    "--xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false"
)


def train(processes: int, devices: int, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "qjax.parallel.launch"]
    command += ["--processes", str(processes), "--devices", str(devices)]
    command += ["tests/parallel/training.py", *arguments]
    environment = {**os.environ, "XLA_FLAGS": QUICK, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500
    )


def result(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


@pytest.mark.slow
def test_a_run_killed_at_a_random_step_restarts_to_the_same_bits(
    tmp_path: pathlib.Path,
):
    alone = result(train(1, 4, str(tmp_path / "one")))
    whole = result(train(2, 2, str(tmp_path / "two")))
    assert alone["devices"] == whole["devices"] == 4
    np.testing.assert_allclose(whole["value"], alone["value"], atol=1e-6)
    np.testing.assert_allclose(whole["slope"], alone["slope"], atol=1e-6)
    step = random.randrange(2, 8)
    killed = train(2, 2, str(tmp_path / "killed"), str(step))
    assert killed.returncode != 0
    again = result(train(2, 2, str(tmp_path / "killed")))
    # The survivor may have written the epoch down in which the other was killed.
    assert again["epochs"] in (8 - step, 8 - step + 1), f"killed in epoch {step}"
    assert again["bytes"] == whole["bytes"]
    assert again["losses"] == whole["losses"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch):
    """Environment of a process of two; returns the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("QJAX_COORDINATOR", address)
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_PROCID", "0")
    return address


def test_a_worker_that_never_joins_is_named_with_the_address(cluster: str):
    with pytest.raises(TimeoutError, match=rf"Processes \[1\] of 2 .* {cluster} "):
        join_cluster(timeout=0.3)


def test_a_coordinator_that_never_comes_is_named_with_the_address(
    cluster: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SLURM_PROCID", "1")
    with pytest.raises(TimeoutError, match=rf"Process 1 waited .* {cluster}"):
        join_cluster(timeout=0.3)


def test_a_stranger_is_not_taken_for_a_worker(cluster: str):
    host, port = cluster.split(":")

    def call() -> None:
        for _ in range(20):
            try:
                with socket.create_connection((host, int(port)), timeout=1) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\n")
                    return
            except OSError:
                threading.Event().wait(0.05)

    other = threading.Thread(target=call)
    other.start()
    with pytest.raises(TimeoutError, match=r"Processes \[1\]"):
        join_cluster(timeout=1.0)
    other.join()


@pytest.mark.parametrize(
    ("name", "value"),
    [("QJAX_COORDINATOR", "nohost"), ("SLURM_PROCID", "2"), ("SLURM_NTASKS", "many")],
)
def test_variables_that_make_no_sense_are_refused(
    cluster: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=r"Argument `.*` must"):
        join_cluster(timeout=0.3)


def test_a_number_of_processes_must_be_given(cluster: str, monkeypatch):
    monkeypatch.delenv("SLURM_NTASKS")
    with pytest.raises(ValueError, match="QJAX_NUM_PROCESSES must be set"):
        join_cluster(timeout=0.3)


def test_the_launcher_gives_every_process_its_number_and_returns_the_first_failure():
    code = "import os, sys; sys.exit(3 if os.environ['QJAX_PROCESS_ID'] == '1' else 0)"
    assert launch(["-c", code], 2, 1) == 3
    assert launch(["-c", "import sys; sys.exit(0)"], 2, 1) == 0
    with pytest.raises(ValueError, match="`processes` must be at least 1"):
        launch(["-c", ""], 0, 1)
