"""Reports as files: they read back, stand alone, say what was found, and are safe."""

import dataclasses
import html.parser
import json
import math
import re
import time

import pytest
import sympy as sp

from qjax.bounds import BOUNDS, Report, theorem_a1
from qjax.bounds.reports.report import (
    REPORT_FORMAT,
    WITNESS_FORMAT,
    Kill,
    StageResult,
    Witness,
    describe,
)
from qjax.bounds.reports.report_files import write_report
from qjax.bounds.reports.report_math import formula_svg, statement_latex
from qjax.bounds.reports.report_pages import (
    folder_name,
    html_page,
    proof_rows,
    shared_folders,
)
from qjax.bounds.reports.report_plot import tightness
from qjax.bounds.reports.report_verdicts import STATUSES, as_expected, expected_verdict

VOID = {"meta", "br", "link", "img", "hr"}
EVIL = "<script>alert('x')</script> & | \"quoted\""


def witness(name: str = "at 1/2", **changes) -> Witness:
    base = Witness(WITNESS_FORMAT, "A1", "x <= y", "instance", name, {"c": "1"},
                   {"x": "0.5"}, "2.0", "1.0", "1.0", {"key": [1, 2]})  # fmt: skip
    return dataclasses.replace(base, **changes)


def stage(name: str, *details, verdict: str = "passed") -> StageResult:
    return StageResult(name, verdict, f"summary of {name}", details, 0.25)


def example(**changes) -> Report:
    """A report with something in every place, for theorem A1."""
    steps = (
        {"step": "L1.2", "kind": "symbolic", "claim": "a", "closed": True, "note": ""},
        {"step": "A1.6", "kind": "symbolic", "claim": "b", "closed": False,
         "note": "ZeroDivisionError: no"},
        {"step": "A1.18", "kind": "machine-checked", "claim": "c", "closed": None,
         "note": "theorem worst_case_errors"},
    )  # fmt: skip
    ratios = (
        {"instance": "tight one", "tight": True, "ratio": 1 - 1e-15},
        {"instance": "no signal", "tight": False, "ratio": math.nan},
        {"instance": "loose one", "tight": False, "ratio": 0.5},
        {"instance": "random structures", "float64 violations": 3,
         "smallest slack not replayed": math.inf, "confirmed": 0},
    )  # fmt: skip
    search = {"instance": "seesaw", "ratio": 0.999, "reaches": 0.9}
    shots = {"instance": "tight one", "pessimistic ratio": 0.8}
    solved = {"program": "beta", "agrees": True, "claimed": 1.75, "optimum": 1.7500001,
              "proved": 1.7500002}  # fmt: skip
    unsolved = {"program": "mu", "agrees": None, "note": "no solver installed"}
    broken = {"rule": "limits", "passed": False, "text": "grows without bound"}
    base = Report(
        "A1", "A title", "x <= y", "SUPPORTED", ("mutants survive: M9",),
        ("a hypothesis",), ("a model sentence",),
        ({"number": "X1", "claim": "an axiom", "source": "A. Author (1973)"},),
        ("A1.6",),
        (stage("statement lint", broken, verdict="failed"), stage("symbolic", *steps),
         stage("exact", *ratios), stage("monte carlo", shots),
         stage("adversarial", search), stage("semidefinite", solved, unsolved)),
        0.999999999999, "", (
            Kill("M1", "a constant", True, "instance: at 1/2", witness("kill"), ""),
            Kill("M8", "an exponent", False, "", None, "nobody knows one"),
            Kill("M9", "a sign", False, "", None, ""),
        ),
        (), {"verify": [0, 7]}, {"jax": "1.2.3"}, {"shots": 11}, "a1",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


class Checker(html.parser.HTMLParser):
    """Fails on tags that do not nest; collects ids, links and forbidden things."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.bad: list[str] = []
        self.feed(text)
        self.close()
        self.bad += [f"unclosed {tag}" for tag in self.open]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.bad += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        outside = ("script", "iframe", "object", "link", "img")
        self.bad += [tag] if tag in outside else []
        self.ids += [value for name, value in attrs if name == "id" and value]
        places = ("href", "src", "xlink:href")
        self.links += [value for name, value in attrs if name in places and value]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"wrong end of {tag}")


def test_a_report_reads_back_from_its_json():
    report = describe(example(witnesses=(witness(),)), theorem_a1())
    text = report.to_json()
    again = Report.from_json(text)
    assert again.to_json() == text and again.kills == report.kills
    assert again.witnesses == report.witnesses and again.steps == report.steps
    assert html_page(again.to_dict()) == html_page(report.to_dict())
    plain = example(stages=())
    assert Report.from_json(plain.to_json(indent=None)) == plain
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize(
    ("change", "text"),
    [({"format": REPORT_FORMAT + 1}, "have report format 1; another qjax wrote it"),
     ({"extra": 1}, "have exactly the fields of a report"),
     (None, "be the JSON of one report")],
)  # fmt: skip
def test_what_is_no_report_is_refused_in_one_sentence(change, text):
    record = json.loads(example().to_json())
    stored = "[1]" if change is None else json.dumps({**record, **change})
    with pytest.raises(ValueError, match=text):
        Report.from_json(stored)


def test_describe_refuses_the_report_of_another_bound():
    with pytest.raises(ValueError, match="be about A1, but is B7"):
        describe(example(bound="B7"), theorem_a1())


def test_every_proof_step_is_listed_with_what_was_found():
    report = describe(example(), theorem_a1())
    rows = {row["number"]: row for row in proof_rows(report.to_dict())}
    assert list(rows) == [step.number for step in theorem_a1().steps]
    assert rows["X1"]["result"] == "trusted"
    assert rows["A1.1"]["result"] == "assumed"
    assert rows["L1.2"]["result"] == "closed"
    assert rows["A1.6"]["result"] == "OPEN"
    assert rows["A1.18"]["result"] == "not checked here"
    assert rows["A1.18"]["note"] == "theorem worst_case_errors"
    assert rows["A1.9"]["concludes"] and "A1.6" in rows["A1.9"]["cites"]
    bare = [row["number"] for row in proof_rows(example().to_dict())]
    assert bare == ["X1", "L1.2", "A1.6", "A1.18"]


def test_a_certified_domain_is_not_written_twice():
    check = {"step": "Z1", "kind": "certified", "claim": "c", "closed": True,
             "note": "x in [0, 1]; 12 boxes"}  # fmt: skip
    step = {"number": "Z1", "kind": "certified", "claim": "c", "cites": [],
            "source": "", "concludes": False, "domain": "x in [0, 1]"}  # fmt: skip
    report = example(stages=(stage("certified", check),), steps=(step,))
    (row,) = proof_rows(report.to_dict())
    assert (row["domain"], row["note"]) == ("x in [0, 1]", "12 boxes")


def test_both_pages_say_what_was_found():
    report = describe(example(), theorem_a1())
    for text in (report.to_markdown(), html_page(report.to_dict())):
        for part in (
            "SUPPORTED", STATUSES["SUPPORTED"], "mutants survive: M9", "a hypothesis",
            "a model sentence", "A. Author (1973)", "not checked here", "OPEN",
            "instance: at 1/2", "SURVIVES", "nobody knows one", "0.999999999999",
            "seesaw", "1.2.3", "shots", "grows without bound", "survival per layer",
            "1.75", "1.7500001", "1.7500002", "no solver installed",
        ):  # fmt: skip
            assert part in text, part
    assert report.to_markdown().startswith("# A1: SUPPORTED\n")


def test_files_of_a_run_are_complete_and_their_links_lead_somewhere(tmp_path):
    literal = example(bound="literal-B/ratio", status="REFUTED", witnesses=(witness(),))
    page = write_report(tmp_path / "run", [example(), literal])
    root = tmp_path / "run"
    assert page == root / "index.html"
    names = {path.relative_to(root).as_posix() for path in root.rglob("*.*")}
    pages = ("report.html", "report.json", "report.md", "witness-mutant-1-M1.json")
    expected = {f"{b}/{p}" for b in ("A1", "literal-B-ratio") for p in pages}
    expected |= {"index.html", "index.json", "index.md"}
    assert names == expected | {"literal-B-ratio/witness-1.json"}
    for path in root.rglob("*.html"):
        checked = Checker(path.read_text())
        assert checked.bad == [] and len(set(checked.ids)) == len(checked.ids)
        assert checked.links
        assert [x for x in checked.links if not (path.parent / x).is_file()] == []
    for path in root.rglob("*.md"):
        links = re.findall(r"\]\(([^)]+)\)", path.read_text())
        assert [x for x in links if not (path.parent / x).is_file()] == []
    stored = json.loads((root / "literal-B-ratio" / "witness-1.json").read_text())
    assert stored == witness().to_dict()
    index = json.loads((root / "index.json").read_text())
    assert index["format"] == REPORT_FORMAT
    assert [row["as_expected"] for row in index["bounds"]] == [True, True]
    assert [row["killed"] for row in index["bounds"]] == [1, 1]


def test_a_second_run_replaces_the_witnesses_of_the_first(tmp_path):
    write_report(tmp_path, [example(status="REFUTED", witnesses=(witness(),) * 3)])
    (tmp_path / "A1" / "mine.txt").write_text("keep")
    write_report(tmp_path, [example(status="REFUTED", witnesses=(witness(),))])
    left = sorted(path.name for path in (tmp_path / "A1").iterdir())
    assert "mine.txt" in left and "witness-1.json" in left
    assert "witness-2.json" not in left


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch):
    write_report(tmp_path, [example()])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}

    def broken(*_):
        raise OSError("disk")

    monkeypatch.setattr("qjax.bounds.reports.report_files.os.replace", broken)
    with pytest.raises(OSError, match="disk"):
        write_report(tmp_path, [example(title="new")])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_folder_names_are_safe_and_must_differ(tmp_path):
    assert folder_name("A1/damping") == "A1-damping"
    for odd in ("../../etc/passwd", "..", "", "é/", "a b", "a/", ".a"):
        name = folder_name(odd)
        assert re.fullmatch(r"[A-Za-z0-9-][A-Za-z0-9._-]*", name), (odd, name)
        assert name not in {folder_name(odd + "x"), folder_name("x" + odd)}
    assert shared_folders(list(BOUNDS)) == []
    same = [example(bound="A1/x"), example(bound="a1-x")]
    with pytest.raises(ValueError, match="differ as folder names"):
        write_report(tmp_path, same)
    with pytest.raises(ValueError, match="at least one report"):
        write_report(tmp_path, [])


def test_text_of_a_bound_cannot_break_a_page():
    mutant = Kill(EVIL, EVIL, True, EVIL, witness(EVIL), "")
    report = example(title=EVIL, reasons=(EVIL,), hypotheses=(EVIL,), kills=(mutant,))
    page = html_page(report.to_dict())
    assert "<script" not in page and "&lt;script&gt;" in page
    assert Checker(page).bad == []
    table = report.to_markdown().partition("## Mutants")[2].partition("## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert bars == {6}


def test_pages_need_nothing_from_elsewhere():
    page = html_page(describe(example(), theorem_a1()).to_dict())
    assert "http" not in page and "@import" not in page and "url(" not in page
    assert '<svg class="formula"' in page and '<svg class="plot"' in page


def test_the_checker_of_pages_finds_what_is_wrong():
    assert Checker("<p><b></p>").bad and Checker("<script></script>").bad
    assert Checker('<p onclick="x"></p>').bad and not Checker("<p><br></p>").bad


def test_the_plot_puts_nines_to_the_right_and_violations_last():
    rows = [
        {"instance": name, "ratio": ratio}
        for name, ratio in (("half", 0.5), ("nines", 1 - 1e-6), ("equal", 1.0),
                            ("over", 1.05), ("rounding", 1 + 1e-12), ("none", -3.0))
    ]  # fmt: skip
    plot = tightness(example(stages=(stage("exact", *rows),)).to_dict())
    assert plot is not None
    x = {row["label"]: row["x"] for row in plot["rows"]}
    assert x["none"] < x["half"] < x["nines"] < x["rounding"] < x["equal"] < x["over"]
    ticks = {tick["label"]: tick["x"] for tick in plot["ticks"]}
    assert x["nines"] == pytest.approx(ticks["1e-6"], abs=0.2)
    marks = {row["label"]: row["mark"] for row in plot["rows"]}
    assert marks["over"] == "violated" and marks["rounding"] == "exact"
    assert tightness(example(stages=()).to_dict()) is None


def test_a_plot_of_many_instances_says_how_many_it_leaves_out():
    rows = [{"instance": f"i{k}", "ratio": k / 100} for k in range(100)]
    plot = tightness(example(stages=(stage("exact", *rows),)).to_dict())
    assert plot is not None and len(plot["rows"]) + plot["left_out"] == 100
    assert plot["rows"][-1]["label"] == "i99" and plot["left_out"] > 0


def test_formulas_have_logarithms_to_the_base_two_and_greek_letters():
    lam, eps, q = sp.symbols("lam eps q", positive=True)
    first = statement_latex(sp.Le(lam * sp.log(1 + q, 2), eps, evaluate=False))
    assert first == r"\lambda\,\log_2\left(q + 1\right) \leq \varepsilon"
    natural = statement_latex(sp.Ge(q, sp.log(1 + lam), evaluate=False))
    assert r"\geq \ln" in natural and "log_2" not in natural
    equation = statement_latex(sp.Eq(q, lam / sp.log(2), evaluate=False))
    assert " = " in equation and "log_2" not in equation
    cases = sp.Piecewise((q, q < 1), (lam, True))
    drawn = formula_svg(statement_latex(sp.Le(cases, eps, evaluate=False)), "cases")
    assert drawn is not None


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_every_statement_that_ships_is_typeset(name):
    latex = statement_latex(BOUNDS[name]().statement)
    drawn = formula_svg(latex, "<a & b>")
    assert drawn is not None and Checker(drawn).bad == []
    assert 'aria-label="&lt;a &amp; b&gt;"' in drawn


def test_literal_statements_are_expected_to_be_refuted():
    expected = {name for name in BOUNDS if expected_verdict(name) == "REFUTED"}
    assert expected == {name for name in BOUNDS if "literal" in name}
    for status in STATUSES:
        assert as_expected("literal-A", status) == (status == "REFUTED")
        bad = status in ("REFUTED", "VACUOUS", "UNFALSIFIABLE")
        assert as_expected("A1", status) == (not bad)


def test_a_run_of_many_bounds_is_written_in_seconds(tmp_path):
    described = describe(example(), theorem_a1())
    reports = [dataclasses.replace(described, bound=f"A1/{k}") for k in range(45)]
    start = time.perf_counter()
    write_report(tmp_path, reports)
    assert time.perf_counter() - start < 15
