"""Experiments: grids of cells, stored rows, and the tables and figures from them."""

from qjax.experiments.artefacts import Artefact, Figure, Table
from qjax.experiments.catalogue import Catalogue, Layout, discover
from qjax.experiments.cells import Point, canonical_json, cell_id, cell_key
from qjax.experiments.columns import Column, Row
from qjax.experiments.errors import HarnessError
from qjax.experiments.experiment import SIZES, Experiment, Size
from qjax.experiments.frames import Frames, Results
from qjax.experiments.store import Record, RowStore

__all__ = [
    "SIZES",
    "Artefact",
    "Catalogue",
    "Column",
    "Experiment",
    "Figure",
    "Frames",
    "HarnessError",
    "Layout",
    "Point",
    "Record",
    "Results",
    "Row",
    "RowStore",
    "Size",
    "Table",
    "canonical_json",
    "cell_id",
    "cell_key",
    "discover",
]
