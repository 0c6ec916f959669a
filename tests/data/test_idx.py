"""The IDX parser against bytes written by hand."""

import gzip
import hashlib

import numpy as np
import pytest

from qjax.data.cache import check_sha256
from qjax.data.idx import parse_idx, read_bytes

PICTURES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
WHOLE = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]) + PICTURES.tobytes()


def test_the_last_axis_runs_fastest():
    found = parse_idx(WHOLE, "pictures")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, PICTURES)


@pytest.mark.parametrize(
    ("damaged", "says"),
    [
        (b"", "begins with nothing"),
        (b"\x1f\x8b\x08\x00", "begins with 1f 8b 08"),
        (b"\0\0\x0d" + WHOLE[3:], "begins with 00 00 0d"),  # floats, not bytes
        (WHOLE[:10], "header of 16 bytes, but has 10"),
        (WHOLE[:-1], "must hold 40 bytes for shape (2, 3, 4), but has 39"),
        (WHOLE + b"\0", "must hold 40 bytes for shape (2, 3, 4), but has 41"),
    ],
)
def test_damage_is_named(damaged: bytes, says: str):
    with pytest.raises(ValueError, match="pictures must") as error:
        parse_idx(damaged, "pictures")
    assert says in str(error.value)


def test_a_huge_declared_shape_does_not_overflow():
    header = bytes([0, 0, 8, 4]) + b"\xff\xff\xff\xff" * 4
    with pytest.raises(ValueError, match=f"must hold {20 + (2**32 - 1) ** 4} bytes"):
        parse_idx(header, "pictures")


def test_packed_and_plain_files_hold_the_same(tmp_path):
    plain, packed = tmp_path / "a", tmp_path / "a.gz"
    plain.write_bytes(WHOLE)
    packed.write_bytes(gzip.compress(WHOLE))
    assert read_bytes(plain) == read_bytes(packed) == WHOLE


@pytest.mark.parametrize("position", ["end", "middle", "start"])
def test_a_damaged_gzip_file_is_named(tmp_path, position: str):
    packed = bytearray(gzip.compress(WHOLE))
    if position == "end":
        packed = packed[:-6]
    else:
        packed[len(packed) // 2 if position == "middle" else 0] ^= 0xFF
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    with pytest.raises(ValueError, match=r"a\.gz must be a whole gzip file"):
        read_bytes(path)


def test_one_flipped_bit_fails_the_checksum():
    expected = hashlib.sha256(WHOLE).hexdigest()
    check_sha256(WHOLE, expected, "pictures")
    with pytest.raises(ValueError, match=f"pictures must have SHA-256 {expected}"):
        check_sha256(WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]), expected, "pictures")
