"""The folder that data sets live in, and how a folder gets into it all at once."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import filelock
import platformdirs

#: A folder with this file in it was written by us, and may be replaced by us.
OWNED = "fetched-by-qjax"
_UNFINISHED = ".unfinished-"


_Contents = TypeVar("_Contents")


class DataError(RuntimeError):
    """A data set is absent, damaged or out of reach; the message says what to do."""


def data_root(root: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """The folder of all data sets.

    Args:
        root: A folder, or None for the one in the environment variable `QJAX_DATA`,
            or else the user's cache folder.

    Returns:
        Its path, which need not exist.

    >>> import qjax.data
    >>> qjax.data.data_root("somewhere").name
    'somewhere'
    """
    if root is not None:
        return pathlib.Path(root).expanduser()
    configured = os.environ.get("QJAX_DATA")
    if configured:
        return pathlib.Path(configured).expanduser()
    return platformdirs.user_cache_path("qjax")


@contextlib.contextmanager
def _writable(root: pathlib.Path) -> Iterator[None]:
    """Say in one sentence that `root` cannot be written, and what else to use."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder {root} must be writable and not full, but "
            f"{error.strerror or error}: name another one in QJAX_DATA or `root`."
        ) from error


def place(
    root: pathlib.Path,
    name: str,
    fill: Callable[[pathlib.Path], None],
    good: Callable[[pathlib.Path], bool],
) -> pathlib.Path:
    """Put the folder `name` into `root`, whole or not at all.

    One process at a time fills a folder beside the final one, which then takes its
    place by a rename; a killed process leaves only such a side folder, removed by
    the next. A damaged earlier folder of ours is set aside as `<name>.damaged`.

    Args:
        root: The data folder; made where absent.
        name: Name of the data set's folder in it.
        fill: Writes the files into the empty folder it is given.
        good: Whether a folder holds the whole data set.

    Returns:
        Path of the folder, for which `good` holds.

    Raises:
        DataError: If `root` cannot be written; also whatever `fill` raises.
    """
    target = root / name
    with _writable(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(root / f".{name}.lock")
        lock.acquire()
    try:
        # Another process may have finished while this one waited.
        if good(target):
            return target
        with _writable(root):
            for left_over in root.glob(f"{_UNFINISHED}{name}-*"):
                shutil.rmtree(left_over, ignore_errors=True)
            prefix = f"{_UNFINISHED}{name}-"
            side = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        try:
            with _writable(root):
                fill(side)
                (side / OWNED).touch()
                side.chmod(0o755)  # temporary folders are private; this one is shared
                set_aside(target)
                side.rename(target)
        finally:
            shutil.rmtree(side, ignore_errors=True)
        return target
    finally:
        lock.release()


def set_aside(folder: pathlib.Path) -> None:
    """Rename `folder`, if it exists, to `<name>.damaged`, replacing an earlier one."""
    if folder.exists():
        damaged = folder.with_name(f"{folder.name}.damaged")
        shutil.rmtree(damaged, ignore_errors=True)
        folder.rename(damaged)


@dataclasses.dataclass(frozen=True)
class Dataset(Generic[_Contents]):
    """How a data set is recognised, read and fetched.

    Attributes:
        title: What messages call it.
        name: Name of its folder in the data folder.
        by_hand: What to do where it cannot be fetched; ends every message.
        places: Folders to look into, in order.
        present: Whether a folder holds any of it.
        read: Reads a folder, checked; ValueError or OSError says what is wrong.
        fill: Writes it into an empty folder, or None to go without the network.
    """

    title: str
    name: str
    by_hand: str
    places: tuple[pathlib.Path, ...]
    present: Callable[[pathlib.Path], bool]
    read: Callable[[pathlib.Path], _Contents]
    fill: Callable[[pathlib.Path], None] | None

    def whole(self, folder: pathlib.Path) -> bool:
        """Whether a folder holds all of it, undamaged."""
        try:
            self.read(folder)
        except (ValueError, OSError):
            return False
        return True


def find(
    base: pathlib.Path, dataset: Dataset[_Contents]
) -> tuple[pathlib.Path, _Contents]:
    """Find a data set or fetch it, and read it.

    A damaged copy that is ours is fetched again, with a warning; one of the user's is
    reported and left alone.

    Args:
        base: The data folder that a fetched copy goes into.
        dataset: What to find.

    Returns:
        Its folder and its contents.

    Raises:
        DataError: If it is absent and cannot be fetched, or is damaged and not ours to
            replace.
    """
    by_hand = dataset.by_hand
    for folder in dataset.places:
        if not dataset.present(folder):
            continue
        try:
            return folder, dataset.read(folder)
        except (ValueError, OSError) as error:
            ours = (folder / OWNED).is_file()
            if dataset.fill is None or not ours:
                raise DataError(
                    f"{error} Remove the damaged copy, or {by_hand}."
                ) from error
            warnings.warn(f"{error} Fetching it again.", stacklevel=4)
            break
    if dataset.fill is None:
        raise DataError(
            f"{dataset.title} must already be in {base} in offline mode, but is not: "
            f"fetch it once without `offline`, or {by_hand}."
        )
    folder = place(base, dataset.name, dataset.fill, dataset.whole)
    return folder, dataset.read(folder)


def check_sha256(data: bytes, expected: str, name: str) -> None:
    """Raise unless `data` has the given SHA-256.

    Args:
        data: Contents of a file, uncompressed if it is packed.
        expected: 64 hexadecimal digits.
        name: What the message calls it.

    Raises:
        ValueError: If the hash differs; the message gives both.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ValueError(f"{name} must have SHA-256 {expected}, but has {found}.")
