"""Writing every table, every figure and the bundle from stored rows."""

import traceback
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from qjax.experiments.artefacts import Artefact, Rendered, Table
from qjax.experiments.catalogue import Catalogue, Layout
from qjax.experiments.experiment import Size
from qjax.experiments.files import (
    only_writer,
    probe_folder,
    write_bytes,
    write_text,
)
from qjax.experiments.frames import Results, provenance_frame
from qjax.experiments.pages import bundle, fixed_style, render_figure
from qjax.experiments.tables import render_table

# Headline artefacts come from the committed full rows, where they are complete.
SHOWN: dict[Size, tuple[Size, ...]] = {
    "smoke": ("smoke",),
    "default": ("full", "default"),
    "full": ("full",),
}


def render_artefact(
    artefact: Artefact, results: Sequence[Results], mask_measured: bool
) -> Rendered:
    """Render one artefact from the results of its experiments."""
    frames = {r.experiment.name: r.frame(mask_measured) for r in results}
    if isinstance(artefact, Table):
        return render_table(artefact, frames, results)
    return render_figure(artefact, frames, results)


def _try_render(
    artefact: Artefact,
    results: Sequence[Results],
    mask_measured: bool,
    console: Console,
) -> Rendered | str:
    """Render, or say in a sentence why not."""
    size = results[0].size
    for result in results:
        if result.missing or not result.cells:
            name = result.experiment.name
            return (
                f"{artefact.name} [{size}]: not rendered, {result.missing} of "
                f"{len(result.cells)} cells of experiment {name!r} are not computed"
            )
    try:
        return render_artefact(artefact, results, mask_measured)
    except Exception as error:
        console.print(escape(traceback.format_exc()), style="dim", soft_wrap=True)
        return (
            f"{artefact.name} [{size}]: not rendered, it raised "
            f"{type(error).__name__}: {error}"
        )


def render(
    catalogue: Catalogue,
    artefacts: Sequence[Artefact],
    layout: Layout,
    size: Size,
    console: Console,
    mask_measured: bool = False,
) -> list[str]:
    """Write the artefacts under `out/<size>/`; if these are all, also the bundle.

    The bundle is `out/paper.pdf`; `out/provenance.csv` has a line for every cell.

    Args:
        catalogue: All experiments.
        artefacts: What to render.
        layout: Where files lie.
        size: Size of the rows; complete full rows are rendered beside default ones.
        console: Where progress is shown.
        mask_measured: Put 1 in place of every measured number.

    Returns:
        One sentence per artefact of this size that could not be rendered.

    Raises:
        HarnessError: If a store or stored configuration is malformed, or the
            output folder is not writable.
    """
    probe_folder(layout.out)
    rendered: list[Rendered] = []
    absent: list[str] = []
    used: dict[tuple[str, str], Results] = {}
    bundled = layout.out / "paper.pdf"
    with only_writer(bundled), fixed_style(), console.status("rendering"):
        for artefact in artefacts:
            for shown in SHOWN[size]:
                results = []
                for name in artefact.experiments:
                    if (name, shown) not in used:
                        experiment = catalogue.experiments[name]
                        used[name, shown] = layout.results_of(experiment, shown)
                    results.append(used[name, shown])
                if shown != size and any(r.missing for r in results):
                    continue  # a headline needs all of its cells
                one = _try_render(artefact, results, mask_measured, console)
                if isinstance(one, str):
                    absent.append(one)
                    continue
                for ending, content in one.files.items():
                    write_bytes(
                        layout.out / shown / f"{artefact.name}{ending}", content
                    )
                rendered.append(one)
        if len(artefacts) == len(catalogue.artefacts):  # a part is not the paper
            sources = [r for r in used.values() if r.done]
            lines = [r.stamp() for r in sources]
            write_bytes(bundled, bundle(rendered, absent, lines))
            text = provenance_frame(sources).to_csv(index=False, lineterminator="\n")
            write_text(layout.out / "provenance.csv", text)
    return absent
