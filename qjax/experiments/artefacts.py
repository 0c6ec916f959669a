"""What a reader sees: tables and figures built from stored rows alone."""

import dataclasses
from collections.abc import Callable, Sequence

import matplotlib.figure
import pandas as pd

from qjax.experiments.columns import Column, check_columns
from qjax.experiments.errors import HarnessError
from qjax.experiments.frames import Frames, Results


@dataclasses.dataclass(frozen=True)
class Table:
    """A table, written as Markdown, CSV and LaTeX and as a page of the bundle.

    Args:
        name: File name without ending, for example "t1_verification".
        title: Heading.
        experiments: Names of the experiments whose rows it needs.
        build: Function of the frames (by experiment name) to the table's frame,
            which has exactly the declared columns.
        columns: Declaration of the table's columns, in order. An estimated column
            shows as "value ± standard error".
        notes: Sentences below the table.
    """

    name: str
    title: str
    experiments: tuple[str, ...]
    build: Callable[[Frames], pd.DataFrame]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_columns(self.columns, f"table {self.name!r}")


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure, written as PDF and PNG and as a page of the bundle.

    Args:
        name: File name without ending, for example "f2_training".
        title: Heading, for the metadata and the bundle.
        experiments: Names of the experiments whose rows it needs.
        draw: Function `draw(figure, frames)` that draws on an empty matplotlib
            figure (start with `figure.subplots()`; no pyplot).
        caption: Text below the figure.
        width: Width in inches.
        height: Height in inches.
    """

    name: str
    title: str
    experiments: tuple[str, ...]
    draw: Callable[[matplotlib.figure.Figure, Frames], None]
    caption: str = ""
    width: float = 6.4
    height: float = 4.0


Artefact = Table | Figure


@dataclasses.dataclass(frozen=True)
class Rendered:
    """One artefact as bytes and as pages.

    Args:
        artefact: What was rendered.
        size: Label of the rows' size.
        files: Content by file ending, for example ".csv".
        pages: Pages for the bundle.
    """

    artefact: Artefact
    size: str
    files: dict[str, bytes]
    pages: list[matplotlib.figure.Figure]


def built_frame(table: Table, frames: Frames) -> pd.DataFrame:
    """Build the table's frame and check it against its declaration.

    Raises:
        HarnessError: If a column is absent or undeclared.
    """
    frame = table.build(frames)
    names = [name for column in table.columns for name in column.names]
    missing = [name for name in names if name not in frame.columns]
    extra = [str(name) for name in frame.columns if name not in names]
    if missing or extra:
        parts = [f"lacks column(s) {missing}"] if missing else []
        parts += [f"has undeclared column(s) {extra}"] if extra else []
        raise HarnessError(f"The frame of table {table.name!r} {' and '.join(parts)}.")
    return frame[names].reset_index(drop=True)


def stamps(results: Sequence[Results]) -> list[str]:
    """The provenance lines of an artefact, one per experiment."""
    return [result.stamp() for result in results]
