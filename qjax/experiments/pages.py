"""Figures, plain-text pages and the bundle, with the same bytes at every rendering."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.figure
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages

from qjax.experiments.artefacts import Figure, Rendered, stamps
from qjax.experiments.frames import Frames, Results

# A4, landscape, in inches.
_PAGE = (11.69, 8.27)
_MARGIN = 0.6
_LINES_PER_PAGE = 48
# Advance width of DejaVu Sans Mono, and points per inch.
_MONO_WIDTH = 0.602
_POINTS = 72

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same on every machine
    "font.size": 9.0,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 100.0,
    "savefig.dpi": 200.0,
    "pdf.fonttype": 42,  # text stays text
    "pdf.compression": 6,
    "svg.hashsalt": "qjax",
}


@contextmanager
def fixed_style() -> Iterator[None]:
    """matplotlib's own defaults and our style, whatever a user's settings are."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


def _metadata(title: str, lines: Sequence[str]) -> dict[str, Any]:
    """PDF metadata without a date, so that two renderings have equal bytes."""
    return {
        "Title": title,
        "Subject": " | ".join(lines),
        "Creator": "qjax",
        "CreationDate": None,
    }


def _blank(width: float, height: float, layout: Any = None) -> matplotlib.figure.Figure:
    figure = matplotlib.figure.Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _footed(
    figure: Figure, frames: Frames, lines: Sequence[str], heading: str
) -> matplotlib.figure.Figure:
    """Draw the figure above a caption and a provenance footer of fixed height."""
    columns = int(figure.width * _POINTS / 3.1)  # characters of the 5-point footer
    caption = textwrap.wrap(f"{heading}. {figure.caption}", int(columns * 0.62))
    footer = [part for line in lines for part in textwrap.wrap(line, columns)]
    extra = 0.15 + 0.15 * len(caption) + 0.1 * len(footer)
    total = figure.height + extra
    page = _blank(figure.width, total, "constrained")
    engine: Any = page.get_layout_engine()
    engine.set(rect=(0, extra / total, 1, figure.height / total))
    figure.draw(page, frames)
    top = (extra - 0.05) / total
    page.text(0.01, top, "\n".join(caption), fontsize=7.5, va="top")
    page.text(0.01, 0.01, "\n".join(footer), fontsize=5, va="bottom", color="0.4")
    return page


def render_figure(
    figure: Figure, frames: Frames, results: Sequence[Results]
) -> Rendered:
    """Render a figure to PDF, PNG and a page; the bytes depend on the rows only."""
    lines = stamps(results)
    size = results[0].size
    heading = f"{figure.title} [{size}]"
    page = _footed(figure, frames, lines, heading)
    pdf, png = io.BytesIO(), io.BytesIO()
    page.savefig(pdf, format="pdf", metadata=_metadata(heading, lines))
    words = {"Title": heading, "Description": " | ".join(lines), "Software": "qjax"}
    page.savefig(png, format="png", metadata=words)
    files = {".pdf": pdf.getvalue(), ".png": png.getvalue()}
    return Rendered(figure, size, files, [page])


def text_pages(
    title: str, body: Sequence[str], notes: Sequence[str], footer: Sequence[str]
) -> list[matplotlib.figure.Figure]:
    """Lay monospaced lines out on as many pages as they need.

    The font shrinks until the longest line fits the page. Notes follow the body,
    the footer stands at the foot of every page.
    """
    width = (_PAGE[0] - 2 * _MARGIN) * _POINTS
    longest = max([len(line) for line in body], default=1)
    size = min(9.0, width / (_MONO_WIDTH * max(longest, 1)))
    columns = int(width / (_MONO_WIDTH * size))
    wrapped = [part for note in notes for part in textwrap.wrap(note, columns)]
    lines = [*body, "", *wrapped]
    small = int(width / (_MONO_WIDTH * 5.5))
    foot = [part for line in footer for part in textwrap.wrap(line, small)]
    pages = []
    for start in range(0, len(lines), _LINES_PER_PAGE):
        page = _blank(*_PAGE)
        left, top = _MARGIN / _PAGE[0], 1 - _MARGIN / _PAGE[1]
        page.text(left, top, title, fontsize=13, va="bottom", parse_math=False)
        chunk = "\n".join(lines[start : start + _LINES_PER_PAGE])
        mono = {"family": "DejaVu Sans Mono", "parse_math": False}
        page.text(left, top - 0.03, chunk, fontsize=size, va="top", **mono)
        page.text(
            left, 0.03, "\n".join(foot), fontsize=5.5, va="bottom", color="0.4", **mono
        )
        pages.append(page)
    return pages


def bundle(
    rendered: Sequence[Rendered], absent: Sequence[str], lines: Sequence[str]
) -> bytes:
    """One PDF with a page of contents and every rendered table and figure.

    Args:
        rendered: The artefacts, in order.
        absent: One sentence per artefact that could not be rendered.
        lines: Provenance, one line per experiment and size.
    """
    contents = [
        f"{r.artefact.name:32s} {r.size:8s} {r.artefact.title}" for r in rendered
    ]
    front = text_pages("qjax: tables and figures", contents, absent, lines)
    buffer = io.BytesIO()
    with PdfPages(buffer, metadata=_metadata("qjax: tables and figures", lines)) as pdf:
        for page in [*front, *(page for r in rendered for page in r.pages)]:
            pdf.savefig(page)
    return buffer.getvalue()
