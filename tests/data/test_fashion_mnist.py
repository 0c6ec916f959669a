"""Finding, fetching and checking the data set; package tools are played by scripts."""

import gzip
import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from qjax.data import DataError, fashion, fashion_mnist, fetch_fashion_mnist

SOURCE = pathlib.Path(__file__).resolve().parents[2]

# Two training pictures and one test picture, in the order of the pinned names.
ARRAYS = [
    np.arange(2 * 28 * 28).reshape(2, 28, 28).astype(np.uint8),
    np.array([3, 7], np.uint8),
    np.full((1, 28, 28), 9, np.uint8),
    np.array([1], np.uint8),
]


def to_idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


TINY = dict(zip(fashion.SHA256, map(to_idx, ARRAYS), strict=True))
HASHES = {name: hashlib.sha256(data).hexdigest() for name, data in TINY.items()}


def write_tiny(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in TINY.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(data))
    return folder


def script(path: pathlib.Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path, monkeypatch) -> pathlib.Path:
    """A machine whose only programs are a working apt-get and dpkg-deb."""
    write_tiny(tmp_path / "mirror/usr/share/datasets/fashion-mnist")
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "downloads"
    script(
        folder / "apt-get",
        f'case "$*" in *download*) echo x >> {log}; sleep "${{SLOW:-0}}";'
        f" : > dataset-fashion-mnist_1_all.deb;; esac",
    )
    script(folder / "dpkg-deb", f'mkdir "$3" && cp -r {tmp_path}/mirror/usr "$3"')
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(fashion, "SHA256", HASHES)
    monkeypatch.setattr(fashion, "INSTALLED", tmp_path / "installed")
    monkeypatch.setenv("QJAX_DATA", str(tmp_path / "data"))
    return folder


def assert_tiny(found: tuple) -> None:
    for array, expected in zip(found, ARRAYS, strict=True):
        np.testing.assert_array_equal(array, expected)


def only_ours(root: pathlib.Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.suffix != ".lock")


def test_a_fetch_leaves_only_the_checked_files_and_the_next_one_nothing_to_do(
    tools, tmp_path
):
    folder = fetch_fashion_mnist()
    assert folder == tmp_path / "data/fashion-mnist"
    assert_tiny(fashion_mnist())
    expected = sorted([*(f"{name}.gz" for name in TINY), "fetched-by-qjax"])
    assert only_ours(folder) == expected
    assert only_ours(tmp_path / "data") == ["fashion-mnist"]
    (tools / "apt-get").unlink()
    assert_tiny(fashion_mnist(offline=True))
    assert (tmp_path / "downloads").read_text().split() == ["x"]


@pytest.mark.parametrize("below", ["", "fashion-mnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_local_folder_is_enough_without_any_tool(
    tools, tmp_path, monkeypatch, below: str, packed: bool
):
    monkeypatch.setenv("PATH", "")
    root = tmp_path / "mine"
    (root / below).mkdir(parents=True)
    for name, data in TINY.items():
        path = root / below / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    assert fetch_fashion_mnist(root, offline=True) == root / below
    assert_tiny(fashion_mnist(root, offline=True))
    monkeypatch.setenv("QJAX_DATA", str(root))
    assert_tiny(fashion_mnist(offline=True))


def test_the_installed_package_is_used(tools, tmp_path):
    write_tiny(tmp_path / "installed")
    assert_tiny(fashion_mnist(offline=True))
    assert not (tmp_path / "downloads").exists()


def test_offline_without_the_files_says_what_to_do(tools):
    with pytest.raises(DataError, match="offline mode, but is not: fetch it once"):
        fashion_mnist(offline=True)


@pytest.mark.parametrize("tool", ["apt-get", "dpkg-deb"])
def test_no_debian(tools, tmp_path, tool: str):
    (tools / tool).unlink()
    with pytest.raises(DataError, match=f"has no {tool}: put the four files") as error:
        fashion_mnist()
    assert "QJAX_DATA" in str(error.value)
    assert only_ours(tmp_path / "data") == []


def test_no_network_names_the_reason_and_a_way_out(tools, tmp_path):
    script(tools / "apt-get", "echo 'E: Could not resolve the mirror' >&2; exit 100")
    with pytest.raises(DataError, match="Could not resolve the mirror") as error:
        fashion_mnist()
    assert "check the network, or put the four files" in str(error.value)
    assert only_ours(tmp_path / "data") == []


def test_missing_package_lists_are_updated_first(tools, tmp_path):
    lists, working = tmp_path / "lists", (tools / "apt-get").read_text()
    script(
        tools / "apt-get",
        f'case "$*" in *update*) : > {lists}; exit 0;; esac\n'
        f"[ -e {lists} ] || {{ echo 'E: Unable to locate package' >&2; exit 100; }}\n"
        + working.split("\n", 1)[1],
    )
    assert_tiny(fashion_mnist())


def test_a_package_with_other_contents_is_refused(tools, tmp_path):
    name = "t10k-labels-idx1-ubyte"
    mirror = tmp_path / "mirror/usr/share/datasets/fashion-mnist"
    other = to_idx(np.array([2], np.uint8))
    (mirror / f"{name}.gz").write_bytes(gzip.compress(other))
    with pytest.raises(DataError, match=f"{name}.gz must have SHA-256 {HASHES[name]}"):
        fashion_mnist()
    assert only_ours(tmp_path / "data") == []


DAMAGE = {
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "whole gzip file"),
    "changed": (
        lambda path: path.write_bytes(gzip.compress(TINY["train-labels-idx1-ubyte"])),
        "must have SHA-256",
    ),
    "absent": (lambda path: path.unlink(), "must hold train-images-idx3-ubyte.gz"),
    "empty": (lambda path: path.write_bytes(b""), "begins with nothing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_our_damaged_copy_is_set_aside_and_fetched_again(tools, tmp_path, kind: str):
    damage, says = DAMAGE[kind]
    folder = fetch_fashion_mnist()
    damage(folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match=says):
        fashion_mnist(offline=True)
    with pytest.warns(UserWarning, match=f"{says}.*Fetching it again"):
        assert_tiny(fashion_mnist())
    assert only_ours(tmp_path / "data") == ["fashion-mnist", "fashion-mnist.damaged"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_tiny(fashion_mnist())


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_copy_of_the_user_is_left_alone(tools, tmp_path, kind: str):
    damage, says = DAMAGE[kind]
    root = write_tiny(tmp_path / "mine")
    damage(root / "train-images-idx3-ubyte.gz")
    before = {path.name: path.read_bytes() for path in root.iterdir()}
    with pytest.raises(DataError, match=f"{says}.*Remove the damaged copy"):
        fashion_mnist(root)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == before


def test_a_data_folder_that_cannot_be_written_is_named(tools, tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(DataError, match="data must be writable and not full, but"):
        fashion_mnist()


def start_fetch(slow: float) -> subprocess.Popen:
    """A process of its own that fetches the tiny set, its download taking a while."""
    code = (
        "import os, pathlib\n"
        "from qjax.data import fashion\n"
        f"fashion.SHA256 = {HASHES!r}\n"
        "fashion.INSTALLED = pathlib.Path(os.environ['QJAX_DATA']) / 'no'\n"
        "fashion.fetch_fashion_mnist()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "SLOW": str(slow)}
    # A session of its own, so that a kill reaches the tools it started as well.
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, env=environment, start_new_session=True)


def test_a_killed_fetch_leaves_no_half_data_set(tools, tmp_path):
    process = start_fetch(slow=60)
    deadline = time.monotonic() + 60
    while not (tmp_path / "downloads").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (left_over,) = only_ours(tmp_path / "data")
    assert left_over.startswith(".unfinished-")
    with pytest.raises(DataError, match="offline mode"):
        fashion_mnist(offline=True)
    assert_tiny(fashion_mnist())
    assert only_ours(tmp_path / "data") == ["fashion-mnist"]


def test_two_processes_download_once(tools, tmp_path):
    processes = [start_fetch(slow=2), start_fetch(slow=2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert (tmp_path / "downloads").read_text().split() == ["x"]
    assert_tiny(fashion_mnist(offline=True))


def test_the_real_data_set_has_its_known_statistics():
    found = fashion_mnist()
    assert found.train_images.shape == (60000, 28, 28)
    assert found.test_images.shape == (10000, 28, 28)
    assert {array.dtype for array in found} == {np.dtype(np.uint8)}
    assert np.bincount(found.train_labels).tolist() == [6000] * 10
    assert np.bincount(found.test_labels).tolist() == [1000] * 10
    assert round(float(found.train_images.mean()), 2) == 72.94
    assert round(float(found.train_images.std()), 2) == 90.02
