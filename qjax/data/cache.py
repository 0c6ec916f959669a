"""The folder that data sets live in, and how a folder gets into it all at once."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator

import filelock
import platformdirs

#: A folder with this file in it was written by us, and may be replaced by us.
OWNED = "fetched-by-qjax"
_UNFINISHED = ".unfinished-"


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
