"""Fetching the calibrations from wheels; pip is played by a script."""

import hashlib
import pathlib
import sys
import zipfile

import pytest

from qjax.data import DataError, calibrations, fetch_calibrations

CONTENTS = {
    "ibm": {
        "qiskit_ibm_runtime/fake_provider/backends/tiny/props_tiny.json": b"{}",
        "qiskit_ibm_runtime/fake_provider/backends/tiny/conf_tiny.json": b"[]",
        "qiskit_ibm_runtime/fake_provider/backends/tiny/defs_tiny.json": b"no",
        "qiskit_ibm_runtime/fake_provider/backends/tiny/tiny.py": b"raise SystemExit",
    },
    "google": {
        "cirq_google/devices/calibrations/oak_calibration.json": b"{}",
        "cirq_google/devices/calibrations/oak_zphase.json": b"no",
        "cirq_google/devices/specifications/oak_for_grid_device.proto.txt": b"cz",
    },
}
KEPT = {
    "ibm": {"props_tiny.json": b"{}", "conf_tiny.json": b"[]"},
    "google": {"oak_calibration.json": b"{}", "oak_for_grid_device.proto.txt": b"cz"},
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tiny_wheels(folder: pathlib.Path) -> dict[str, calibrations.Wheel]:
    """Wheels of a few bytes in a folder, pinned as the real ones are."""
    folder.mkdir()
    wheels = {}
    for vendor, real in calibrations.WHEELS.items():
        path = folder / real.file
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in CONTENTS[vendor].items():
                archive.writestr(name, data)
        lines = [f"{sha256(data)}  {name}\n" for name, data in KEPT[vendor].items()]
        lines.sort(key=lambda line: line.split()[1])
        digest = sha256("".join(lines).encode())
        wheels[vendor] = real._replace(sha256=sha256(path.read_bytes()), digest=digest)
    return wheels


def pip(path: pathlib.Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def python(tmp_path, monkeypatch) -> pathlib.Path:
    """An interpreter whose pip serves the tiny wheels and counts its downloads."""
    wheels = tiny_wheels(tmp_path / "mirror")
    monkeypatch.setattr(calibrations, "WHEELS", wheels)
    monkeypatch.setenv("QJAX_DATA", str(tmp_path / "data"))
    path = tmp_path / "python"
    pip(
        path,
        f'for last; do :; done; echo "$last" >> {tmp_path}/downloads\n'
        f'name=$(echo "${{last%%==*}}" | tr - _); cp {tmp_path}/mirror/$name-* .',
    )
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def files(folder: pathlib.Path) -> dict[str, dict[str, bytes]]:
    return {
        vendor: {path.name: path.read_bytes() for path in (folder / vendor).iterdir()}
        for vendor in KEPT
    }


def test_a_fetch_leaves_only_the_checked_files_and_the_next_one_nothing_to_do(
    python, tmp_path
):
    folder = fetch_calibrations()
    assert folder == tmp_path / "data/device-calibrations"
    assert files(folder) == KEPT
    kept = ["fetched-by-qjax", "google", "ibm"]
    assert sorted(path.name for path in folder.iterdir()) == kept
    python.unlink()
    assert fetch_calibrations(offline=True) == folder
    asked = (tmp_path / "downloads").read_text().split()
    assert asked == ["qiskit-ibm-runtime==0.51.0", "cirq-google==1.7.0"]


def test_the_two_wheels_in_a_folder_are_enough_without_network(python, tmp_path):
    python.unlink()
    folder = fetch_calibrations(tmp_path / "mirror", offline=True)
    assert files(folder) == KEPT
    # So are the files themselves, wherever they were copied to.
    elsewhere = folder.rename(tmp_path / "elsewhere")
    assert fetch_calibrations(elsewhere, offline=True) == elsewhere


def test_offline_without_the_files_says_what_to_do(python):
    with pytest.raises(DataError, match=r"offline mode, but is not: .* two wheels"):
        fetch_calibrations(offline=True)


def test_no_network_names_the_reason_and_a_way_out(python, tmp_path):
    pip(python, "echo 'ERROR: No matching distribution' >&2; exit 1")
    with pytest.raises(DataError, match="pip says `ERROR: No matching") as error:
        fetch_calibrations()
    assert "check the network, or put the two wheels" in str(error.value)
    assert [p.name for p in (tmp_path / "data").iterdir() if p.is_dir()] == []


@pytest.mark.parametrize("vendor", KEPT)
def test_another_wheel_of_that_name_is_refused(python, tmp_path, vendor: str):
    wheel = calibrations.WHEELS[vendor]
    (tmp_path / "mirror" / wheel.file).write_bytes(b"PK")
    with pytest.raises(DataError, match=f"must have SHA-256 {wheel.sha256}"):
        fetch_calibrations()
    assert [p.name for p in (tmp_path / "data").iterdir() if p.is_dir()] == []


def test_a_damaged_copy_of_ours_is_fetched_again_and_one_of_the_user_left_alone(
    python, tmp_path
):
    folder = fetch_calibrations()
    (folder / "ibm/props_tiny.json").write_bytes(b"{")
    with pytest.raises(DataError, match="must have the digest"):
        fetch_calibrations(offline=True)
    with pytest.warns(UserWarning, match="Fetching it again"):
        assert files(fetch_calibrations()) == KEPT
    (folder / "fetched-by-qjax").unlink()
    (folder / "google/oak_calibration.json").unlink()
    with pytest.raises(DataError, match="Remove the damaged copy"):
        fetch_calibrations()
    assert not (folder / "google/oak_calibration.json").exists()


def test_the_real_files_are_69_snapshots_by_ibm_and_three_by_google():
    folder = fetch_calibrations()
    counts = {
        pattern: len(list(folder.glob(pattern)))
        for pattern in (
            "ibm/props_*.json",
            "ibm/conf_*.json",
            "google/*_calibration.json",
            "google/*.proto.txt",
        )
    }
    assert list(counts.values()) == [69, 68, 3, 3]
