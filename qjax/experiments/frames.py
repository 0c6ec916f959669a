"""Stored rows as data frames, and the provenance line that artefacts carry."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from qjax.experiments.cells import Point
from qjax.experiments.columns import Row
from qjax.experiments.experiment import Experiment, Size
from qjax.experiments.store import Record

Frames = Mapping[str, pd.DataFrame]

# Recorded per cell, and equal on one machine however often a run was interrupted.
_STEADY = ("qjax", "python", "jax", "jaxlib", "numpy", "device", "threads")


@dataclasses.dataclass(frozen=True)
class Results:
    """The rows of one experiment at one size, in grid order.

    Args:
        experiment: The experiment.
        size: Size of the grid.
        config: Resolved configuration.
        cells: Points of the grid by cell id.
        records: Stored records by cell id; may lack cells.
    """

    experiment: Experiment
    size: Size
    config: Any
    cells: Mapping[str, Point]
    records: Mapping[str, Record]

    @property
    def done(self) -> list[Record]:
        """Stored records of this grid, in grid order."""
        return [self.records[cell] for cell in self.cells if cell in self.records]

    @property
    def missing(self) -> int:
        """Number of cells without rows."""
        return len(self.cells) - len(self.done)

    def frame(self, mask_measured: bool = False) -> pd.DataFrame:
        """One line per row: cell, root_seed, the point's fields, the columns.

        Args:
            mask_measured: Put 1 in place of every measured number, so that what is
                drawn from two runs can be compared byte for byte.
        """
        lines = []
        for record in self.done:
            head = {"cell": record.cell, "root_seed": record.root_seed}
            for row in record.rows:
                shown = self._masked(row) if mask_measured else row
                lines.append({**head, **record.point, **shown})
        return pd.DataFrame(lines)

    def _masked(self, row: Row) -> Row:
        masked = dict(row)
        for column in self.experiment.columns:
            value = row.get(column.name)
            if column.kind == "measured" and value is not None:
                masked[column.name] = [1] * len(value) if isinstance(value, list) else 1
        return masked

    def steady(self) -> dict[str, str]:
        """Provenance that does not change when a run is interrupted and resumed."""
        first = {
            "experiment": f"{self.experiment.name} v{self.experiment.version}",
            "size": self.size,
            "seed": str(self.config.seed),
            "dtypes": ",".join(self.experiment.dtypes),
            "cells": str(len(self.done)),
        }
        names = _STEADY
        if self.size == "full":
            # Committed rows: their age belongs on the label.
            names += ("git", "date")
        rest = {}
        for name in names:
            values = [str(record.provenance.get(name, "")) for record in self.done]
            if name == "date":
                values = [value[:10] for value in values]
            rest[name] = " ".join(sorted(set(values)))
        return {**first, **rest}

    def stamp(self) -> str:
        """The provenance as one line of text."""
        return ", ".join(f"{k} {v}" for k, v in self.steady().items() if v)


def provenance_frame(results: Iterable[Results]) -> pd.DataFrame:
    """One line per cell: id, point, seed and all that was recorded with it."""
    lines = [
        {
            "experiment": record.experiment,
            "version": record.version,
            "cell": record.cell,
            "root_seed": record.root_seed,
            "point": str(record.point),
            **record.provenance,
        }
        for result in results
        for record in result.done
    ]
    return pd.DataFrame(lines)
