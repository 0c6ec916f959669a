"""States on eight simulated devices equal those on one, and move as little as said."""

import functools
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tests.parallel import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAST = ("unsharded", "states", "programs", "samples", "trajectories", "refusals")


@functools.cache
def run(*sections: str, flags: str = "") -> dict[str, Any]:
    """Run sections of the program on eight devices."""
    own = f"{flags} --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": own}
    command = [sys.executable, "-m", "tests.parallel.program", *sections]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


QUICK = (
    "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
    "--xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false"
)


def fast() -> dict[str, Any]:
    return run(*FAST, flags=QUICK)


@pytest.mark.slow
def test_value_and_gradients_are_those_of_one_device():
    assert fast()["unsharded"]["8 1"] < 1e-5


def test_a_state_agrees_with_plain_numpy_wherever_its_wires_are():
    found = fast()["states"]
    assert found["moved"]  # the case is one in which wires have changed places
    assert found["oracle"] < 1e-6
    assert found["scatter"] == 0
    assert abs(found["norm"] - 1) < 1e-6
    assert found["shard"] == [1, 2 ** (program.N - 3 + 1)]


@pytest.mark.parametrize("name", ["run 3", "run 12", "gradient 3", "sample"])
def test_nothing_is_gathered(name: str):
    found = fast()["programs"][name]
    assert found["all-gather"] == found["all-to-all"] == found["reduce-scatter"] == 0


def test_a_gather_would_be_noticed():
    assert fast()["programs"]["gather"]["all-gather"] > 0


def test_programs_have_the_planned_exchanges_whatever_the_depth():
    found = fast()["programs"]
    assert found["run 3"] == found["run 12"]
    assert found["run 3"]["collective-permute"] == 6
    # There, back for the state and its cotangent, and an X on each outer wire.
    assert found["gradient 3"]["collective-permute"] == 3 * 6 + 3


def test_samples_follow_the_probabilities():
    found = fast()["samples"]
    counts, expected = (np.asarray(found[k]) for k in ("counts", "probabilities"))
    assert chi_squared(counts, expected) > 1e-4
    # A sampler that took every device to be equally likely is found out.
    rows = expected.reshape(8, -1)
    wrong = (rows / rows.sum(1, keepdims=True) / 8).reshape(-1)
    assert chi_squared(counts, wrong) < 1e-4


def chi_squared(counts: np.ndarray, probabilities: np.ndarray) -> float:
    mean = probabilities * counts.sum() / probabilities.sum()
    seen = mean > 10
    both = [np.append(x[seen], x[~seen].sum() + 1e-9) for x in (counts, mean)]
    return float(
        scipy.stats.chisquare(both[0], both[1] * both[0].sum() / both[1].sum())[1]
    )


def test_a_key_repeats_its_samples_and_wires_choose_their_columns():
    found = fast()["samples"]
    assert found["repeats"] and found["differs"] and found["columns"]


def test_trajectories_on_devices_have_the_mean_error_and_gradient_of_one():
    assert fast()["trajectories"]["None"] < 1e-6


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("three devices", "`state` must be a power of two"),
        ("a mesh of three", "`mesh` must have a power of two of devices"),
        ("too many", "at most the 8 devices"),
        ("no groups", "`data` must be at least 1"),
        ("outer wires", "`num_wires` must be at least 6, twice the outer wires"),
        ("too wide", "`circuit` must change at most 3 wires"),
        ("noise", "must be unitary on a ShardedState, but has Depolarizing"),
        ("width", "`state` must have 5 wires"),
        ("layers", "`layers` must be at least 1"),
        ("projector", "must be a PauliSum on a ShardedState, but is Projector"),
        ("batch", "`batch` must have a leading axis of a multiple of 8"),
        ("trajectories", "`num_trajectories` must be a multiple of 8"),
    ],
)
def test_bad_input_is_refused(name: str, says: str):
    assert says in fast()["refusals"][name]


@pytest.mark.slow
def test_more_meshes_and_64_bits_agree_with_one_device():
    found = run("long", flags=QUICK)["long"]
    assert max(found["32 bits"].values()) < 1e-5
    assert max(found["64 bits"].values()) < 1e-12
    assert max(found["shots"].values()) < 1e-6


@pytest.mark.slow
def test_batches_go_over_the_devices_of_a_mesh_with_two_axes():
    found = run("batches", flags=QUICK)["batches"]
    assert found["map_batch"] < 1e-5
    assert found["batch of sharded states"] < 1e-5
    assert found["collectives"] == 0


@pytest.mark.slow
def test_a_gradient_takes_at_most_six_shards_and_keeps_no_state_for_a_layer():
    found = run("memory")["memory"]
    assert found["2"] <= found["8"] <= 6
    # What grows is matrices, of less than a sixteenth of a shard for each layer.
    assert found["8"] - found["2"] < 6 / 16
