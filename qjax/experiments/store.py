"""The row store: an append-only file that survives a kill at any moment."""

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qjax.experiments.cells import Point, canonical_json, cell_id
from qjax.experiments.columns import Row, difference
from qjax.experiments.errors import HarnessError
from qjax.experiments.experiment import Experiment
from qjax.experiments.files import only_writer


@dataclasses.dataclass(frozen=True)
class Record:
    """All rows of one cell, as one line of a store.

    Args:
        cell: Cell id.
        experiment: Name of the experiment.
        version: Version of the experiment.
        root_seed: Root seed.
        point: The point.
        rows: The rows, at least one.
        provenance: Versions, git id, machine, date, seconds; not in the hash.
    """

    cell: str
    experiment: str
    version: int
    root_seed: int
    point: Point
    rows: list[Row]
    provenance: dict[str, Any]

    def line(self) -> bytes:
        """The record as one line of JSON."""
        return canonical_json(dataclasses.asdict(self)).encode("ascii") + b"\n"


def parse_line(line: bytes, path: Path, number: int) -> Record:
    """Read one whole line of a store.

    Raises:
        HarnessError: If it is not a record, or its id does not fit its content.
    """
    where = f"Row store {path}, line {number}"
    try:
        content = json.loads(line)
        record = Record(**content)
        expected = cell_id(
            record.experiment, record.version, record.root_seed, record.point
        )
        whole = isinstance(record.rows, list) and bool(record.rows)
    except (ValueError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{where} is corrupt; restore the file, or delete that line to have the "
            "cell computed again."
        ) from error
    if expected != record.cell or not whole:
        raise HarnessError(
            f"{where}: cell {record.cell} does not fit its content; restore the file, "
            "or delete that line to have the cell computed again."
        )
    return record


def split_lines(content: bytes) -> tuple[list[bytes], int]:
    """Cut a store into whole lines and the length of what they cover.

    A line without its end is what a kill leaves behind: it is not counted.
    """
    end = content.rfind(b"\n") + 1
    return content[:end].split(b"\n")[:-1], end


class RowStore:
    """The rows of one experiment in one append-only JSON-lines file.

    Reading needs no lock. Appending needs `writing()`, which holds the only writer
    lock and first cuts off a line that an earlier kill left unfinished.

    Args:
        path: The file; absent means empty.
        experiment: The experiment; records of its other versions are kept in the
            file and ignored here.

    Raises:
        HarnessError: If a whole line is corrupt, the path is not a regular file, or
            two records of one cell contradict each other.
    """

    def __init__(self, path: Path, experiment: Experiment) -> None:
        self.path = path
        self.experiment = experiment
        self.records: dict[str, Record] = {}
        self._load()

    def _load(self) -> int:
        """Read the file again; return the length of its whole lines."""
        self.records = {}
        if not self.path.exists():
            return 0
        if not self.path.is_file():
            raise HarnessError(f"Row store {self.path} must be a regular file.")
        lines, end = split_lines(self.path.read_bytes())
        for number, line in enumerate(lines, start=1):
            self._admit(parse_line(line, self.path, number))
        return end

    def _admit(self, record: Record) -> bool:
        """Take a record in; False if an equal one is there already."""
        if record.experiment != self.experiment.name:
            raise HarnessError(
                f"Row store {self.path} holds a row of experiment "
                f"{record.experiment!r}, but belongs to {self.experiment.name!r}."
            )
        if record.version != self.experiment.version:
            return False
        old = self.records.get(record.cell)
        if old is None:
            self.records[record.cell] = record
            return True
        phrase = difference(old.rows, record.rows, self.experiment.columns)
        if phrase is not None:
            raise HarnessError(
                f"Row store {self.path} refuses contradictory rows for cell "
                f"{record.cell} at point {record.point}: {phrase}."
            )
        return False

    @contextmanager
    def writing(self) -> Iterator["RowStore"]:
        """Hold the writer lock; on entry the file is repaired and read again.

        Raises:
            HarnessError: If another process is writing, or the file cannot be
                opened.
        """
        with only_writer(self.path):
            self._repair()
            yield self

    def _repair(self) -> None:
        """Cut off an unfinished line and read the file again."""
        end = self._load()
        try:
            if self.path.exists() and self.path.stat().st_size > end:
                os.truncate(self.path, end)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> HarnessError:
        return HarnessError(
            f"Row store {self.path} cannot be written: {error.strerror}; the rows "
            "stored so far are safe."
        )

    def append(self, record: Record) -> None:
        """Add the rows of one cell and force them to disk. Call inside `writing()`.

        On a failure to write (a full disk) the file is cut back to what it was.

        Raises:
            HarnessError: If the cell is there with other non-measured values, or
                the file cannot be written.
        """
        line = record.line()
        if not self._admit(record):
            return
        try:
            self._write(line)
        except BaseException as error:
            del self.records[record.cell]
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise

    def _write(self, rest: bytes) -> None:
        """Append bytes whole, or leave the file as it was."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.path, flags, 0o644)
        start = os.fstat(descriptor).st_size
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except BaseException:
            # Ctrl-C counts too: a line is in the file whole, or not at all.
            os.ftruncate(descriptor, start)
            raise
        finally:
            os.close(descriptor)
