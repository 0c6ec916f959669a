"""The row store: kills, corruption, contradictions, full disks, two writers."""

import dataclasses
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

import pytest

from qjax.experiments import Experiment, HarnessError, Record, RowStore, cell_id


def record(coin: Experiment, bias: float, mean: float = 0.5) -> Record:
    point = {"bias": bias, "tosses": 4, "pause": 0.0}
    row = {
        "side": "heads",
        "mean": mean,
        "mean_stderr": 0.1,
        "path": [0, 1, 2],
        "seconds": 0.25,
    }
    cell = cell_id("coin", coin.version, 0, point)
    return Record(cell, "coin", coin.version, 0, point, [row], {"git": "abc"})


def fill(coin: Experiment, path: pathlib.Path, count: int = 3) -> list[Record]:
    records = [record(coin, number / 8) for number in range(count)]
    with RowStore(path, coin).writing() as store:
        for one in records:
            store.append(one)
    return records


def test_rows_come_back_as_they_were(coin, tmp_path):
    path = tmp_path / "rows" / "coin.jsonl"
    records = fill(coin, path)
    assert list(RowStore(path, coin).records.values()) == records


def test_a_kill_at_any_byte_loses_the_unfinished_line_only(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    records = fill(coin, path, 2)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for length in range(first, len(content)):
        path.write_bytes(content[:length])
        # A reader neither counts nor touches the unfinished line.
        assert list(RowStore(path, coin).records) == [records[0].cell]
        assert path.stat().st_size == length
        with RowStore(path, coin).writing() as store:
            assert path.stat().st_size == first
            store.append(records[1])
        assert path.read_bytes() == content


def test_zeros_at_the_end_after_a_power_cut_are_cut_off(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    fill(coin, path)
    content = path.read_bytes()
    path.write_bytes(content + bytes(4096))
    with RowStore(path, coin).writing() as store:
        assert len(store.records) == 3
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "line", [b"{]", b"17", b"\xff\xfe", b"{}", b'{"cell": "0"}', b""]
)
def test_a_corrupt_line_in_the_middle_names_file_and_line(coin, tmp_path, line):
    path = tmp_path / "coin.jsonl"
    fill(coin, path)
    lines = path.read_bytes().split(b"\n")
    lines[1] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(HarnessError, match=r"coin\.jsonl, line 2 is corrupt"):
        RowStore(path, coin)
    assert path.read_bytes().split(b"\n") == lines


def test_a_changed_point_does_not_fit_its_id(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    fill(coin, path)
    path.write_text(path.read_text().replace('"bias":0.125', '"bias":0.126'))
    with pytest.raises(HarnessError, match=r"line 2: cell .* does not fit its content"):
        RowStore(path, coin)


def test_contradictory_rows_are_refused_with_cell_and_column(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    records = fill(coin, path)
    content = path.read_bytes()
    other = record(coin, 0.0, mean=0.75)
    pattern = f"contradictory rows for cell {other.cell} .*column 'mean' is 0.5 in one"
    with (
        RowStore(path, coin).writing() as store,
        pytest.raises(HarnessError, match=pattern),
    ):
        store.append(other)
    assert path.read_bytes() == content
    # The same in a file that two machines wrote and somebody merged.
    path.write_bytes(content + other.line())
    with pytest.raises(HarnessError, match=pattern):
        RowStore(path, coin)
    assert records[0].cell == other.cell


def test_rows_that_differ_in_measured_values_only_are_one_row(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    (one,) = fill(coin, path, 1)
    again = dataclasses.replace(one, rows=[{**one.rows[0], "seconds": 99.0}])
    content = path.read_bytes()
    with RowStore(path, coin).writing() as store:
        store.append(again)
    assert path.read_bytes() == content
    path.write_bytes(content + again.line())
    assert RowStore(path, coin).records == {one.cell: one}


def test_rows_of_another_version_are_kept_and_ignored(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    fill(coin, path)
    content = path.read_bytes()
    newer = dataclasses.replace(coin, version=2)
    assert RowStore(path, newer).records == {}
    fill(newer, path, 1)
    assert path.read_bytes().startswith(content)
    assert len(RowStore(path, newer).records) == 1
    assert len(RowStore(path, coin).records) == 3


def test_rows_of_another_experiment_are_an_error(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    fill(coin, path)
    other = dataclasses.replace(coin, name="dice")
    with pytest.raises(HarnessError, match="holds a row of experiment 'coin'"):
        RowStore(path, other)


def test_a_second_writer_is_refused_and_a_killed_one_leaves_no_lock(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    fill(coin, path, 1)
    hold = (
        "import filelock, sys, time\n"
        "lock = filelock.FileLock(sys.argv[1]); lock.acquire()\n"
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, f"{path}.lock"], stdout=subprocess.PIPE
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"held\n"
            with (
                pytest.raises(HarnessError, match="being written by another process"),
                RowStore(path, coin).writing(),
            ):
                pass
            assert len(RowStore(path, coin).records) == 1  # reading needs no lock
        finally:
            writer.kill()
    with RowStore(path, coin).writing() as store:
        assert len(store.records) == 1


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_whole_lines(
    coin, tmp_path
):
    path = tmp_path / "coin.jsonl"
    records = fill(coin, path, 2)
    content = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RowStore(path, coin).writing() as store:
            # The file may grow by half a line: the first write is cut short, the
            # second one fails, as on a disk without room.
            limit = len(content) + len(records[0].line()) // 2
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            with pytest.raises(HarnessError, match=r"cannot be written: .*are safe"):
                store.append(record(coin, 0.75))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert path.read_bytes() == content
            assert len(store.records) == 2
            store.append(record(coin, 0.75))  # with room again it goes on
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert len(RowStore(path, coin).records) == 3


def test_ctrl_c_in_the_middle_of_a_write_leaves_whole_lines(
    coin, tmp_path, monkeypatch
):
    path = tmp_path / "coin.jsonl"
    fill(coin, path, 2)
    content = path.read_bytes()
    real_write = os.write

    def interrupted_write(descriptor: int, data: bytes) -> int:
        real_write(descriptor, data[:10])
        raise KeyboardInterrupt

    with RowStore(path, coin).writing() as store:
        monkeypatch.setattr(os, "write", interrupted_write)
        with pytest.raises(KeyboardInterrupt):
            store.append(record(coin, 0.75))
    assert path.read_bytes() == content


def test_a_store_that_is_not_a_file_is_an_error(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(HarnessError, match="must be a regular file"):
        RowStore(path, coin)


def test_a_folder_in_place_of_the_file_is_an_error(coin, tmp_path):
    (tmp_path / "file").write_text("")
    store = RowStore(tmp_path / "file" / "coin.jsonl", coin)
    with pytest.raises(HarnessError, match="cannot be written"), store.writing():
        pass


def test_lines_are_plain_json_in_canonical_form(coin, tmp_path):
    path = tmp_path / "coin.jsonl"
    (one,) = fill(coin, path, 1)
    content = json.loads(path.read_text())
    assert content == dataclasses.asdict(one)
