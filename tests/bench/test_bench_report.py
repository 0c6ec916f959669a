"""The report holds measured numbers against bars, and the page shows it."""

import numpy as np
import pytest

from scripts.bench import bars, report, run, sides, store, workloads


def synthetic(case: str, times: dict[str, float], precision: str = "single") -> dict:
    """A group whose sides took these CPU milliseconds."""
    rows = []
    for side, took in times.items():
        spread = {"median": took / 1e3, "min": took / 2e3, "max": took / 500}
        row = {"side": side, "status": "ready", "dtype": "complex64"}
        rows.append(row | {"cpu": spread, "wall": spread, "first_cpu": took})
    machine = {
        "processor": "a processor",
        "cores": 2,
        "memory_gib": 8,
        "system": "Linux",
        "python": "3",
        "commit": "0123456789abcdef",
        "dirty": True,
    }
    return {
        "case": case,
        "precision": precision,
        "date": "2026-01-02T00:00:00",
        "seed": 1,
        "machine": machine,
        "rows": rows,
    }


def as_groups(*groups: dict) -> dict[store.Key, dict]:
    return {store.key_of(group): group for group in groups}


def rendered(*groups: dict) -> str:
    return report.render(as_groups(*groups))


def test_the_report_sets_ratios_against_bars():
    times = {"qjax": 2.0, "qulacs:plain": 9.0, "qulacs:light": 5.0, "qsim:f2": 1.0}
    rows = report.frame({("W1-n10", "single"): synthetic("W1-n10", times)})
    table = bars.ratio_table(rows).set_index("case").loc["W1-n10"]
    assert table["peer"] == "qulacs:light" and table["ratio"] == 2.5
    assert table["met"] == "yes"
    assert table["fastest peer of all"] == "qsim:f2" and table["its ratio"] == 0.5


def test_samplers_are_held_against_those_that_hand_out_the_same():
    times = {"qjax:counts": 4.0, "qjax:indices": 2.0, "qjax:bits": 1.0}
    times |= {"numpy:multinomial": 6.0, "numpy:choice": 9.0}
    times |= {"qulacs:plain": 10.0, "lightning": 3.0}
    rows = report.frame({("W4-big", "single"): synthetic("W4-big", times)})
    table = bars.ratio_table(rows).set_index("case")
    counted, drawn = table.loc["W4-big, counts"], table.loc["W4-big, indices"]
    assert (counted["peer"], counted["ratio"]) == ("numpy:multinomial", 1.5)
    assert (drawn["peer"], drawn["ratio"]) == ("qulacs:plain", 5.0)
    # Lightning is faster than both and draws something else.
    assert (drawn["fastest peer of all"], drawn["its ratio"]) == ("numpy:choice", 4.5)
    ratios = report.details(rows).set_index("side")["ratio"]
    assert ratios["lightning"] == 3 and ratios["qulacs:plain"] == 5
    assert list(report.wide(rows)["case"]) == [
        "W4-big, counts",
        "W4-big, indices",
        "W4-big, bits",
    ]


def test_first_calls_show_how_they_grow_with_depth():
    depths = {"FC-d10": 2.0, "FC-d50": 2.1, "FC-d200": 3.0}
    groups = [synthetic(case, {"qjax": t}) for case, t in depths.items()]
    del groups[0]["rows"][0]["first_cpu"]
    line = report.first_calls(report.frame(as_groups(*groups))).iloc[0]
    assert np.isnan(line["depth 200 / depth 10"])
    groups = [synthetic(case, {"qjax": t}) for case, t in depths.items()]
    line = report.first_calls(report.frame(as_groups(*groups))).iloc[0]
    assert line["depth 200 / depth 10"] == 1.5


def test_compiling_chains_is_held_against_each_other():
    depths = {"W6C-d10": 2.0, "W6C-d100": 3.5}
    groups = [synthetic(case, {"qjax": 9.0}) for case in depths]
    for group, took in zip(groups, depths.values(), strict=True):
        group["rows"][0]["prepare_cpu_spread"] = {"median": took}
    rows = report.frame(as_groups(*groups))
    table = bars.limit_table(rows).set_index(["case", "quantity"])
    line = table.loc[("W6C-d100", "the same / depth 10")]
    assert line["measured"] == 1.75 and line["met"] == "no"
    assert table.loc[("W6C-d100", "trace and compile, CPU s"), "met"] == "stretch"


def test_what_a_cut_chain_kept_is_shown_with_its_configuration():
    group = synthetic("W6", {"qjax": 2.0, "aer:mps": 3.0})
    group["rows"][0] |= {"note": "MPS", "fidelity": 0.98765432}
    group["rows"][1] |= {"note": "Aer"}
    table = report.details(report.frame(as_groups(group))).set_index("side")
    assert table.loc["qjax", "configuration"] == "MPS; squared norm 0.98765"
    assert table.loc["aer:mps", "configuration"] == "Aer"


def test_limits_are_kept_from_above():
    assert bars.verdict(100, 120, 57, smaller=True) == "yes"
    assert bars.verdict(121, 120, 57, smaller=True) == "no"
    assert bars.verdict(57, 120, 57, smaller=True) == "stretch"
    assert bars.verdict(4.0, 2.3, 4) == "stretch"
    assert bars.verdict(float("nan"), 1, 2) == "not measured"


def test_every_bar_names_a_case_and_peers_that_take_it():
    for bar in bars.BARS:
        case = workloads.CASES[bar.case]
        for peer in [*bar.peers, "qjax"]:
            assert any(
                side.takes(case) and side.gives(case) == bar.gives
                for side in sides.select([peer])
            ), bar
        assert bar.bar <= bar.stretch
    named = {name for limit in bars.LIMITS for name in (limit.case, limit.per)}
    assert named - {""} <= set(workloads.CASES)


def test_the_report_has_its_tables_and_only_measured_numbers():
    page = rendered(
        synthetic("W1-n10", {"qjax": 2.0, "qulacs:plain": 5.0}),
        synthetic("W1-n10", {"qjax": 3.0, "qulacs:plain": 5.0}, "double"),
        synthetic("FC-d10", {"qjax": 1.0}),
    )
    assert "| W1-n10" in page and "complex128 side by side" in page
    assert "2 (1–4)" in page and "a processor" in page and "nan" not in page
    assert rendered() == "No results were recorded yet.\n"


def test_the_page_changes_between_its_markers_only():
    page = f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n"
    changed = report.between(page, "new\n")
    assert changed == f"above\n{report.BEGIN}\n\nnew\n\n{report.END}\nbelow\n"
    assert report.between(changed, "new\n") == changed
    with pytest.raises(SystemExit, match="must hold the lines"):
        report.between("nothing", "new")


def test_the_documentation_shows_the_recorded_results():
    assert report.main(["--check"]) == 0


def test_the_recorded_results_are_json_lines_of_known_cases():
    for case, precision in store.read(run.RESULTS):
        assert case in workloads.CASES and precision in ("single", "double")
