"""Files out of a Debian package, without installing it and without root."""

import os
import pathlib
import shutil

from qjax.data.cache import DataError
from qjax.data.command import run_command


def _list_options(folder: pathlib.Path) -> list[str]:
    """Where apt keeps its package lists: root's own place, or a private one."""
    if os.geteuid() == 0:
        return []
    for part in ("lists/partial", "archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return [
        f"-oDir::State::Lists={folder / 'lists'}",
        f"-oDir::Cache::Archives={folder / 'archives'}",
        f"-oDir::Cache::pkgcache={folder / 'pkgcache.bin'}",
        f"-oDir::Cache::srcpkgcache={folder / 'srcpkgcache.bin'}",
    ]


def unpack_package(package: str, folder: pathlib.Path, instead: str) -> pathlib.Path:
    """Download a Debian package with the machine's own tools and unpack it.

    Args:
        package: Name of the package.
        folder: An existing folder to work in.
        instead: What to do where this cannot work; ends every message.

    Returns:
        The folder that stands for `/` in the unpacked package.

    Raises:
        DataError: If this is not a Debian machine, the package cannot be downloaded,
            or the download cannot be unpacked.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise DataError(
                f"The Debian package {package} must be fetched with apt-get and "
                f"dpkg-deb, but this machine has no {tool}: {instead}."
            )
    work = folder / "download"
    work.mkdir()
    download = ["download", "-q", package]
    done, complaint = run_command(["apt-get", *download], work)
    if not done:
        # Fresh machines have no package lists yet.
        options = _list_options(work)
        _, update_complaint = run_command(["apt-get", *options, "-q", "update"], work)
        done, complaint = run_command(["apt-get", *options, *download], work)
        if not done:
            reason = f"{complaint} (update: {update_complaint})"
            raise DataError(
                f"The Debian package {package} must be downloadable, but apt-get says "
                f"`{reason}`: check the network, or {instead}."
            )
    archives = sorted(work.glob(f"{package}_*.deb"))
    unpacked = folder / "unpacked"
    done, complaint = (
        run_command(["dpkg-deb", "-x", str(archives[0]), str(unpacked)], work)
        if archives
        else (False, "apt-get left no file")
    )
    if not done:
        raise DataError(
            f"The Debian package {package} must unpack, but dpkg-deb says "
            f"`{complaint}`: try again, or {instead}."
        )
    shutil.rmtree(work)
    return unpacked
