"""Artefacts: the same rows give the same bytes, and nothing else shows."""

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from pypdf import PdfReader
from workplace import PROGRAM, SOURCE, rendered_files

from qjax.experiments import Column
from qjax.experiments.files import only_writer
from qjax.experiments.render import render
from qjax.experiments.tables import shown_cell, shown_estimate


@pytest.fixture
def written(workplace, catalogue):
    """All artefacts of the default size, and what could not be rendered."""
    workplace.run(list(catalogue.experiments.values()))

    def write(mask: bool = False, names: tuple[str, ...] = ()) -> dict[str, bytes]:
        chosen = catalogue.select_artefacts(names)
        absent = render(
            catalogue, chosen, workplace.layout, "default", workplace.console, mask
        )
        assert absent == []
        return rendered_files(workplace.root / "paper")

    return write


def test_every_artefact_has_every_format(written):
    names = set(written())
    assert names == {
        "default/t0_coin.md",
        "default/t0_coin.csv",
        "default/t0_coin.tex",
        "default/f0_coin.pdf",
        "default/f0_coin.png",
        "default/t1_width.md",
        "default/t1_width.csv",
        "default/t1_width.tex",
        "paper.pdf",
        "provenance.csv",
    }


def test_rendering_twice_gives_the_same_bytes_also_in_another_process(
    workplace, written
):
    first = written()
    assert written() == first
    out = workplace.root / "paper"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONHASHSEED": "77"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(workplace.root), "render", "--out", out],
        env=environment,
        check=True,
    )
    again = rendered_files(out)
    assert {n: hashlib.sha256(b).hexdigest() for n, b in again.items()} == {
        n: hashlib.sha256(b).hexdigest() for n, b in first.items()
    }


@pytest.mark.slow
def test_measured_values_are_the_only_ones_that_may_differ(
    workplace, catalogue, written
):
    plain, masked = written(), written(mask=True)
    workplace.store().unlink()
    workplace.run([catalogue.experiments["coin"]])
    provenance = "provenance.csv"  # dates and seconds: measured altogether
    plain_again, masked_again = written(), written(mask=True)
    assert plain_again["default/t0_coin.csv"] != plain["default/t0_coin.csv"]
    for name in masked.keys() - {provenance}:
        assert masked_again[name] == masked[name], name


def test_masking_does_not_hide_a_change_of_any_other_value(workplace, written):
    before = written(mask=True)
    lines = workplace.store().read_text().splitlines()
    first = json.loads(lines[0])
    first["rows"][0]["mean"] += 1e-9
    workplace.store().write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    after = written(mask=True)
    assert after["default/t0_coin.csv"] != before["default/t0_coin.csv"]


def test_markdown_shows_units_errors_legend_and_provenance(written):
    text = written()["default/t0_coin.md"].decode()
    assert "# T0. Coins, p ≤ 0.75 & more" in text
    assert "mean \\| share" in text and "seconds (s), measured" in text
    assert " ± " in text and "A fair coin has 0.5." in text
    assert "experiment coin v1, size default, seed 0, dtypes float32, cells 6" in text


def test_csv_has_all_digits_and_the_seed_and_reads_back(workplace, coin, written):
    frame = pd.read_csv(io.BytesIO(written()["default/t0_coin.csv"]))
    records = workplace.layout.results_of(coin, "default").done
    stored = {(r.point["bias"], r.point["tosses"]): r.rows[0] for r in records}
    assert len(frame) == 6
    for line in frame.to_dict("records"):
        row = stored[line["bias"], line["tosses"]]
        assert line["mean"] == row["mean"]
        assert line["mean_stderr"] == row["mean_stderr"]
        assert line["seconds"] == row["seconds"]
    assert set(frame["provenance_seed"]) == {0}
    assert set(frame["provenance_size"]) == {"default"}


def test_latex_escapes_what_latex_would_read(written):
    text = written()["default/t0_coin.tex"].decode()
    assert r"$\pm$" in text and "±" not in text.split(r"\begin{table}")[1]
    assert r"\toprule" in text and r"\bottomrule" in text
    assert r"\caption{T0. Coins, p ≤ 0.75 \& more}" in text
    assert text.startswith("% ")


def test_pictures_carry_their_provenance_and_no_date(written):
    files = written()
    reader = PdfReader(io.BytesIO(files["default/f0_coin.pdf"]))
    assert reader.metadata is not None
    assert "experiment coin v1, size default, seed 0" in str(reader.metadata.subject)
    assert reader.metadata.creation_date is None
    text = b"tEXtDescription\x00experiment coin v1, size default, seed 0"
    assert text in files["default/f0_coin.png"]


def test_the_bundle_has_every_table_and_figure(written):
    pages = PdfReader(io.BytesIO(written()["paper.pdf"])).pages
    text = [page.extract_text() for page in pages]
    assert len(pages) == 4
    assert all(name in text[0] for name in ("t0_coin", "f0_coin", "t1_width"))
    assert "T0. Coins" in text[1] and "F0. Coins" in text[2] and "T1." in text[3]


def test_the_provenance_file_has_a_line_for_every_cell(written):
    frame = pd.read_csv(io.BytesIO(written()["provenance.csv"]))
    assert len(frame) == 8
    assert {"git", "dirty", "date", "root_seed", "jaxlib"} <= set(frame.columns)
    assert frame["cell"].is_unique


def test_an_artefact_without_all_its_cells_is_not_rendered(workplace, catalogue, coin):
    workplace.run([coin])
    lines = workplace.store().read_bytes().splitlines(keepends=True)
    workplace.store().write_bytes(b"".join(lines[:-1]))
    artefacts = catalogue.select_artefacts([])
    absent = render(
        catalogue, artefacts, workplace.layout, "default", workplace.console
    )
    assert len(absent) == 3
    assert "1 of 6 cells of experiment 'coin' are not computed" in absent[0]
    assert not (workplace.root / "paper" / "default").exists()


def test_an_artefact_that_raises_does_not_stop_the_others(
    workplace, catalogue, written
):
    def wrong(frames):
        return frames["coin"]["nothing"]

    written()
    (table,) = catalogue.select_artefacts(["t0_coin"])
    (other,) = catalogue.select_artefacts(["t1_width"])
    (workplace.root / "paper" / "default" / "t1_width.md").unlink()
    broken = dataclasses.replace(table, build=wrong)
    absent = render(
        catalogue, [broken, other], workplace.layout, "default", workplace.console
    )
    assert len(absent) == 1 and "KeyError: 'nothing'" in absent[0]
    assert (workplace.root / "paper" / "default" / "t1_width.md").exists()


def test_a_table_with_undeclared_or_absent_columns_is_not_rendered(
    workplace, catalogue, written
):
    (table,) = catalogue.select_artefacts(["t1_width"])
    written()
    for columns, phrase in (
        (table.columns[:-1], "undeclared column(s) ['gap']"),
        ((*table.columns, Column("more", "label")), "lacks column(s) ['more']"),
    ):
        broken = dataclasses.replace(table, columns=columns)
        absent = render(
            catalogue, [broken], workplace.layout, "default", workplace.console
        )
        assert phrase in absent[0]


def test_rendering_a_part_leaves_the_bundle_alone(workplace, written):
    before = written()
    (workplace.root / "paper" / "default" / "t1_width.md").unlink()
    bundle = workplace.root / "paper" / "paper.pdf"
    bundle.write_bytes(b"the whole paper")
    after = written(names=("t1_width",))
    assert after["paper.pdf"] == b"the whole paper"
    assert after["default/t1_width.md"] == before["default/t1_width.md"]


def test_two_renderings_at_once_are_refused(workplace, catalogue, written):
    written()
    with only_writer(workplace.root / "paper" / "paper.pdf"):
        words = [sys.executable, "-c", PROGRAM, str(workplace.root), "render"]
        second = subprocess.run(
            [*words, "--out", str(workplace.root / "paper")],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
        )
    assert second.returncode == 2
    assert "paper.pdf is being written by another process" in second.stderr


def test_complete_full_rows_are_shown_beside_default_ones(workplace, written):
    written()
    assert workplace.commands.run(("coin",), size="full") == 0
    files = written()
    assert "full/t0_coin.md" in files and "full/t1_width.md" not in files
    text = files["full/t0_coin.md"].decode()
    assert "size full" in text and "date 2" in text


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (0.80312, 0.00397, "0.8031 ± 0.0040"),
        (123.4, 12.0, "123 ± 12"),
        (0.5, 0.0, "0.5 ± 0"),
        (1e-7, 2e-8, "(1.00 ± 0.20)e-7"),
    ],
)
def test_the_error_decides_the_digits(value, stderr, text):
    assert shown_estimate(value, stderr) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "exact", "–"),
        (float("nan"), "label", "–"),
        (True, "label", "yes"),
        (3.0, "label", "3"),
        (60000, "exact", "60000"),
        (0.123456, "exact", "0.1235"),
        (32109.4, "measured", "32110"),
        (1.5e9, "exact", "1500000000"),
        (1.23456e-9, "exact", "1.235e-09"),
        ("REFUTED", "label", "REFUTED"),
    ],
)
def test_a_cell_is_shown_as_a_reader_expects(value, kind, text):
    assert shown_cell(value, None, Column("x", kind)) == text
