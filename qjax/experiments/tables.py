"""Tables as Markdown, CSV, LaTeX and plain-text pages."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from qjax.experiments.artefacts import Rendered, Table, built_frame, stamps
from qjax.experiments.columns import Column
from qjax.experiments.errors import HarnessError
from qjax.experiments.frames import Frames, Results
from qjax.experiments.pages import text_pages

_ABSENT = "–"
# Single characters, so that one replacement is never read by another one.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


def shown_number(value: float, digits: int) -> str:
    """A number at `digits` significant digits; whole numbers in full.

    >>> shown_number(60000.0, 3), shown_number(0.123456, 3)
    ('60000', '0.123')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 10**digits <= abs(value) < 1e7:
        return f"{float(f'{value:.{digits}g}'):.0f}"  # 32000, not 3.2e+04
    return f"{value:.{digits}g}"


def shown_estimate(value: float, stderr: float) -> str:
    """A value with its standard error, which is shown to two significant digits.

    >>> shown_estimate(0.80312, 0.00397)
    '0.8031 ± 0.0040'
    """
    if not stderr > 0:
        return f"{shown_number(value, 4)} ± {shown_number(stderr, 2)}"
    exponent = math.floor(math.log10(max(abs(value), stderr)))
    if exponent < -4:
        scale = 10.0**exponent
        return f"({shown_estimate(value / scale, stderr / scale)})e{exponent}"
    decimals = max(0, 1 - math.floor(math.log10(stderr)))
    return f"{value:.{decimals}f} ± {stderr:.{decimals}f}"


def shown_cell(value: Any, stderr: Any, column: Column) -> str:
    """The text of one cell."""
    if isinstance(value, (list, tuple)):
        raise HarnessError(
            f"Table column {column.name!r} must hold scalars, not lists."
        )
    if value is None or pd.isna(value):
        return _ABSENT
    if column.kind == "label":
        flags = {True: "yes", False: "no"}
        if isinstance(value, bool) or type(value).__name__ == "bool":
            return flags[bool(value)]
        # A label column of integers with gaps arrives as floats.
        is_whole = isinstance(value, float) and value.is_integer()
        return str(int(value)) if is_whole else str(value)
    if column.stderr is not None and stderr is not None and not pd.isna(stderr):
        return shown_estimate(float(value), float(stderr))
    return shown_number(float(value), column.digits)


def shown_frame(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The table as text, one column per declared column."""
    out = {}
    for column in table.columns:
        errors = frame[column.stderr] if column.stderr else [None] * len(frame)
        texts = [
            shown_cell(value, stderr, column)
            for value, stderr in zip(frame[column.name], errors, strict=True)
        ]
        suffix = ", measured" if column.kind == "measured" else ""
        out[f"{column.title}{suffix}"] = texts
    return pd.DataFrame(out, dtype=object)


def legend(table: Table) -> list[str]:
    """One line per column that has a description."""
    lines = []
    for column in table.columns:
        if column.description:
            error = ", ± one standard error" if column.stderr else ""
            lines.append(
                f"{column.heading or column.name} ({column.kind}{error}): "
                f"{column.description}"
            )
    return lines


def _markdown(table: Table, shown: pd.DataFrame, lines: Sequence[str]) -> str:
    safe = shown.map(lambda text: text.replace("|", "\\|"))
    body = tabulate(
        safe.values.tolist(),
        headers=[name.replace("|", "\\|") for name in safe.columns],
        tablefmt="pipe",
        disable_numparse=True,
    )
    parts = [f"# {table.title}", body, *table.notes]
    if legend(table):
        parts.append("\n".join(f"- {line}" for line in legend(table)))
    parts.append("\n".join(f"<sub>{line}</sub>  " for line in lines))
    return "\n\n".join(parts) + "\n"


def _csv(frame: pd.DataFrame, results: Sequence[Results]) -> str:
    """All digits, and the provenance as constant columns on the right."""
    full = frame.copy()
    steady = [result.steady() for result in results]
    for name in dict.fromkeys(name for line in steady for name in line):
        values = dict.fromkeys(line.get(name, "") for line in steady)
        full[f"provenance_{name}"] = "; ".join(values)
    return full.to_csv(index=False, lineterminator="\n")


def _latex(table: Table, shown: pd.DataFrame, lines: Sequence[str]) -> str:
    styler = shown.style.hide(axis="index").format(escape="latex")
    styler = styler.format_index(escape="latex", axis=1)
    body = styler.to_latex(
        hrules=True,
        column_format="l" * len(shown.columns),
        caption=table.title.translate(_LATEX),
        label=f"tab:{table.name}",
        position_float="centering",
    )
    comments = [
        "Needs the package booktabs; Greek letters need LuaLaTeX or XeLaTeX.",
        *table.notes,
        *legend(table),
        *lines,
    ]
    # A line break would end the comment.
    head = "".join(f"% {' '.join(comment.split())}\n" for comment in comments)
    return head + body.replace("±", r"$\pm$")


def _page_lines(table: Table, shown: pd.DataFrame) -> list[str]:
    """The table as monospaced lines, wide columns wrapped."""
    headers = ["\n".join(textwrap.wrap(str(name), 16)) for name in shown.columns]
    body = tabulate(
        shown.values.tolist(),
        headers=headers,
        tablefmt="simple",
        disable_numparse=True,
        maxcolwidths=30,
    )
    return body.splitlines()


def render_table(table: Table, frames: Frames, results: Sequence[Results]) -> Rendered:
    """Render a table to Markdown, CSV, LaTeX and pages, from its rows alone."""
    frame = built_frame(table, frames)
    shown = shown_frame(table, frame)
    lines = stamps(results)
    files = {
        ".md": _markdown(table, shown, lines).encode(),
        ".csv": _csv(frame, results).encode(),
        ".tex": _latex(table, shown, lines).encode(),
    }
    size = results[0].size
    pages = text_pages(
        f"{table.title} [{size}]",
        _page_lines(table, shown),
        [*table.notes, *legend(table)],
        lines,
    )
    return Rendered(table, size, files, pages)
