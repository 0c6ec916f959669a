"""What memory there is, and refusals before anything is allocated."""

import pathlib
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qjax import _memory
from qjax._memory import available_bytes, container_limits, memory_limit, require_fits
from qjax.states import DensityMatrix, PauliDensity, StateBatch, StateVector
from qjax.states.vector import one_at

MIB, GIB = 2**20, 2**30


# --- how much there is ----------------------------------------------------------------


def test_a_cpu_has_the_machines_memory_at_most():
    available = available_bytes()
    assert available is not None
    meminfo = pathlib.Path("/proc/meminfo").read_text().split()
    total = 1024 * int(meminfo[meminfo.index("MemTotal:") + 1])
    assert 2**26 < available <= total


def write(root: pathlib.Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_limits_of_control_groups_of_both_versions(tmp_path):
    groups = "9:cpu,memory:/outer/inner\n8:pids:/outer\n0::/slice/job\n"
    write(tmp_path, "proc/self/cgroup", groups)
    mount = "sys/fs/cgroup"
    write(tmp_path, f"{mount}/memory/outer/memory.limit_in_bytes", "500\n")
    write(tmp_path, f"{mount}/memory/memory.limit_in_bytes", "9223372036854771712\n")
    write(tmp_path, f"{mount}/slice/job/memory.max", "max\n")
    write(tmp_path, f"{mount}/slice/memory.max", "700\n")
    write(tmp_path, f"{mount}/elsewhere/memory.max", "1\n")
    assert sorted(container_limits(tmp_path)) == [500, 700, 9223372036854771712]


def test_a_system_without_control_groups_has_no_limits(tmp_path):
    assert list(container_limits(tmp_path)) == []
    write(tmp_path, "proc/self/cgroup", "0::/\n")
    assert list(container_limits(tmp_path)) == []


def test_the_smaller_of_machine_and_container_counts(monkeypatch):
    monkeypatch.setattr(_memory, "container_limits", lambda root: iter([10**6]))
    assert _memory._host_bytes.__wrapped__() == 10**6
    monkeypatch.setattr(_memory, "container_limits", lambda root: iter([2**63]))
    physical = _memory._host_bytes.__wrapped__()
    assert physical is not None and physical < 2**60


def test_an_accelerator_is_asked(monkeypatch):
    stats = {"bytes_limit": 75 * GIB, "bytes_in_use": 1}
    device = types.SimpleNamespace(platform="gpu", memory_stats=lambda: stats)
    monkeypatch.setattr(_memory, "_default_device", lambda: device)
    assert available_bytes() == 75 * GIB
    device.memory_stats = lambda: None  # what it does not say is not refused
    assert available_bytes() is None
    require_fits(2**80, "Anything", [])


def test_the_default_device_is_the_one_that_jax_uses():
    assert _memory._default_device() in jnp.zeros(()).devices()
    for chosen in (jax.local_devices()[0], "cpu"):
        with jax.default_device(chosen):
            assert _memory._default_device() == jax.local_devices()[0]


def test_a_limit_holds_within_its_block_only():
    before = available_bytes()
    with memory_limit(MIB):
        assert available_bytes() == MIB
        with memory_limit(GIB):
            assert available_bytes() == GIB
        assert available_bytes() == MIB
    assert available_bytes() == before
    with pytest.raises(ValueError, match="`num_bytes` must be at least 1"):
        memory_limit(0).__enter__()


# --- the sentence ---------------------------------------------------------------------


def test_the_first_alternative_that_fits_is_named():
    options = [(3 * GIB, "use half"), (GIB, "use a third"), (0, "give up")]
    with memory_limit(2 * GIB):
        require_fits(2 * GIB, "It", options)
        with pytest.raises(ValueError) as error:
            require_fits(6 * GIB, "It", options)
    sentence = "It needs 6.0 GiB of memory, but there is 2.0 GiB: use a third."
    assert str(error.value) == sentence
    with memory_limit(GIB), pytest.raises(ValueError, match=r"but there is 1\.0 GiB\."):
        require_fits(2 * GIB, "It", options[:1])


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "9.3e-10 GiB"),
        (8 * MIB, "0.0078 GiB"),
        (GIB // 2, "0.5 GiB"),
        (3 * GIB // 2, "1.5 GiB"),
        (2**43, "8,192.0 GiB"),
        (2**2003, "2^1973 GiB"),
    ],
)
def test_sizes_are_readable(size, text):
    assert _memory._gib(size) == text


# --- states ---------------------------------------------------------------------------

# One case for each constructor: what builds it, and what the sentence must hold.
TOO_LARGE = {
    "vector": (
        lambda: StateVector.zeros(40),
        "StateVector of 40 wires in complex64 needs 8,192.0 GiB",
        "fewer wires",
    ),
    "basis": (
        lambda: StateVector.basis((1,) * 40),
        "StateVector of 40 wires in complex64 needs 8,192.0 GiB",
        "fewer wires",
    ),
    "more wires than bits of an integer": (
        lambda: StateVector.zeros(70),
        "StateVector of 70 wires in complex64 needs 8,796,093,022,208.0 GiB",
        "fewer wires",
    ),
    "more bytes than a float holds": (
        lambda: StateVector.zeros(2000),
        "needs 2^1973 GiB",
        "fewer wires",
    ),
    "density": (
        lambda: DensityMatrix.zeros(20),
        "DensityMatrix of 20 wires in complex64 needs 8,192.0 GiB",
        "use trajectories of a StateVector (`average_trajectories`)",
    ),
    "density, 40 wires": (
        lambda: DensityMatrix.zeros(40),
        "DensityMatrix of 40 wires",
        "fewer wires",
    ),
    "density of a pure state": (
        lambda: DensityMatrix.from_state(StateVector.zeros(20)),
        "DensityMatrix of 20 wires",
        "trajectories",
    ),
    "density, mixed": (
        lambda: DensityMatrix.maximally_mixed(20),
        "DensityMatrix of 20 wires",
        "trajectories",
    ),
    "pauli": (
        lambda: PauliDensity.zeros(20),
        "PauliDensity of 20 wires in float32 needs 4,096.0 GiB",
        "trajectories",
    ),
    "pauli, mixed": (
        lambda: PauliDensity.maximally_mixed(70),
        "PauliDensity of 70 wires",
        "fewer wires",
    ),
    "pauli of a pure state": (
        lambda: PauliDensity.from_state(StateVector.zeros(20)),
        "of 20 wires",
        "trajectories",
    ),
    "batch": (
        lambda: StateBatch.zeros(20, 10**6),
        "StateBatch of 1000000 states of 20 wires needs 7,812.5 GiB",
        "do it in chunks, as by `jax.lax.map(..., batch_size=...)`",
    ),
    "batch of what is too large alone": (
        lambda: StateBatch.zeros(50, 2),
        "StateBatch of 2 states of 50 wires",
        "fewer wires",
    ),
}


@pytest.mark.parametrize("name", TOO_LARGE)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
def test_a_state_too_large_is_refused_in_one_sentence(name, compiled):
    build, what, advice = TOO_LARGE[name]
    with memory_limit(20 * GIB), pytest.raises(ValueError) as error:
        (jax.jit(build) if compiled else build)()
    text = str(error.value)
    assert what in text and advice in text and "but there is 20.0 GiB: " in text
    assert text.endswith(".") and "\n" not in text


def test_a_batch_of_rows_too_large_is_refused():
    rows = np.broadcast_to(np.asarray([1, 0, 0, 0], np.float32), (1000, 4))
    with memory_limit(2000), pytest.raises(ValueError, match="in chunks"):
        StateBatch.from_amplitudes(rows)
    assert StateBatch.from_amplitudes(rows).batch == 1000


@pytest.mark.parametrize(
    ("build", "size", "advice"),
    [
        (lambda: StateVector.zeros(10, np.complex128), 2**14, "complex64"),
        (lambda: PauliDensity.zeros(5, np.float64), 2**13, "float32"),
        (lambda: DensityMatrix.zeros(5, np.complex128), 2**14, "complex64"),
    ],
)
def test_single_precision_is_advised_where_it_fits(x64, build, size, advice):
    with memory_limit(size // 2):
        with pytest.raises(ValueError, match=f"{advice} takes half of it"):
            build()
    with memory_limit(size // 2 - 1):
        with pytest.raises(ValueError, match=r"use trajectories|use fewer wires"):
            build()


def test_half_of_a_density_matrix_is_advised_where_it_fits():
    with memory_limit(4 * 4**5):
        with pytest.raises(ValueError, match="a PauliDensity takes half of it"):
            DensityMatrix.zeros(5)
        assert PauliDensity.zeros(5).num_wires == 5


def test_what_fits_exactly_is_taken():
    with memory_limit(8 * 2**10):
        assert StateVector.zeros(10).num_wires == 10
        with pytest.raises(ValueError):
            StateVector.zeros(11)


def test_a_state_is_built_in_one_array():
    index = np.zeros(12, np.int32)
    used = one_at.lower(index, np.dtype(np.complex64)).compile().memory_analysis()
    assert used is not None
    assert used.output_size_in_bytes == 8 * 2**12
    assert used.temp_size_in_bytes < 2**12
