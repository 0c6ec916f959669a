"""Files that are never half-written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from qjax.experiments.errors import HarnessError

# Enough to notice a full disk before a computation of hours.
_PROBE_BYTES = 1 << 16


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step: a temporary in the same folder, then a rename.

    Raises:
        HarnessError: If the folder or the disk refuses; the old file is kept.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
        raise HarnessError(f"Cannot write {path}: {error.strerror}.") from error


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text in one step; see `write_bytes`."""
    write_bytes(path, content.encode("utf-8"))


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Be the only process that writes `path`; the lock dies with the process.

    Args:
        path: File or folder to write; the lock file lies beside it.

    Raises:
        HarnessError: If another process is writing, or the lock cannot be made.
    """
    lock = filelock.FileLock(f"{path}.lock", timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise HarnessError(
            f"{path} is being written by another process; wait for it, or end it."
        ) from error
    except OSError as error:
        raise HarnessError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def probe_folder(folder: Path) -> None:
    """Make sure that a folder exists and takes files, before anything is computed.

    Raises:
        HarnessError: If the folder cannot be made, or a small file in it cannot be
            written (read-only, full disk, a file in place of the folder).
    """
    probe = folder / ".probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(probe, "wb") as stream:
            stream.write(bytes(_PROBE_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        probe.unlink()
    except OSError as error:
        raise HarnessError(
            f"Output folder {folder} must be writable with room on its disk, but: "
            f"{error.strerror}; choose another one with --out."
        ) from error
