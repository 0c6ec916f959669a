"""The IDX format of the MNIST family: a big-endian header, then unsigned bytes."""

import gzip
import math
import pathlib
import zlib

import numpy as np

_UNSIGNED_BYTE = 0x08


def read_bytes(path: pathlib.Path) -> bytes:
    """Contents of a file, unpacked if its name ends in `.gz`.

    Args:
        path: A plain or gzip-compressed file.

    Returns:
        The uncompressed bytes.

    Raises:
        ValueError: If the compressed file is damaged or cut short.
        OSError: If it cannot be read.
    """
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as file:
            return file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        size = path.stat().st_size
        raise ValueError(
            f"{path} must be a whole gzip file, but after {size} bytes: {error}."
        ) from error


def parse_idx(data: bytes, name: str) -> np.ndarray:
    """The array in an IDX file of unsigned bytes.

    Header: two zero bytes, the type code 0x08, the number of axes d, and d sizes as
    big-endian 32-bit integers; then the entries, last axis fastest.

    Args:
        data: Contents of the file.
        name: What messages call it.

    Returns:
        A read-only array of dtype uint8.

    Raises:
        ValueError: If the magic number or the length is wrong.

    Source: the format description on the MNIST page (LeCun, Cortes, Burges).

    >>> from qjax.data.idx import parse_idx
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), "three").tolist()
    [7, 8, 9]
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE:
        raise ValueError(
            f"{name} must begin with the IDX magic number 00 00 08, but begins with "
            f"{data[:3].hex(' ') or 'nothing'}."
        )
    axes = data[3]
    header = 4 + 4 * axes
    if len(data) < header:
        raise ValueError(
            f"{name} must hold a header of {header} bytes, but has {len(data)}."
        )
    shape = tuple(np.frombuffer(data, ">u4", axes, offset=4).tolist())
    expected = header + math.prod(shape)
    if len(data) != expected:
        raise ValueError(
            f"{name} must hold {expected} bytes for shape {shape}, but has {len(data)}."
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
