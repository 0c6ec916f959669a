"""Every public jitted function lowers for CPU, CUDA and TPU; none is forgotten."""

import functools
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import jax
import pytest
from jax import export

from qjax import noise
from qjax.circuits import Circuit, rx
from qjax.simulate import run
from qjax.states import DensityMatrix
from tests import lowering

ROOT = pathlib.Path(__file__).parent.parent


@functools.cache
def outcome() -> dict[str, Any]:
    """Lower the whole table in one process that reports errors as NaN."""
    command = [sys.executable, "-m", "tests.lowering"]
    environment = {**os.environ, "EQX_ON_ERROR": "nan", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", lowering.CASES)
def test_lowers_for_cpu_cuda_and_tpu(name):
    assert outcome()["lowered"][name] == list(lowering.PLATFORMS)


def test_every_public_function_is_lowered_or_excluded_for_a_reason():
    missing = set(outcome()["never called"]) - set(lowering.EXCLUDED)
    assert not missing, f"add a case to tests/lowering.py: {sorted(missing)}"
    assert outcome()["public"] > 90  # the search for public functions finds them


def test_exclusions_are_needed_and_give_a_reason():
    assert set(lowering.EXCLUDED) <= set(outcome()["never called"])
    assert all(lowering.EXCLUDED.values())


def test_concrete_strengths_need_no_host_callback():
    """Checked on the host at once: such a circuit lowers whatever EQX_ON_ERROR says."""

    def final(angle):
        noisy = [noise.depolarizing(0.1, 0), noise.amplitude_damping(0.2, 1)]
        circuit = Circuit([rx(angle, 0), *noisy], 2)
        return run(circuit, DensityMatrix.zeros(2)).matrix()

    exported = export.export(jax.jit(final), platforms=lowering.PLATFORMS)(0.3)
    assert exported.platforms == lowering.PLATFORMS
