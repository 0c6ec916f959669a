"""Running: resume, order, failures, output folders, and the recomputing check."""

import dataclasses
import json

import jax
import pytest

from qjax.experiments import Column, Experiment, HarnessError, RowStore
from qjax.experiments.runner import check_experiments, run_cell, run_experiments


def rows(workplace, experiment):
    """Stored rows by cell, without the measured column."""
    records = RowStore(workplace.store(experiment.name), experiment).records
    return {
        cell: [{k: v for k, v in row.items() if k != "seconds"} for row in record.rows]
        for cell, record in records.items()
    }


def reordered(experiment: Experiment) -> Experiment:
    return dataclasses.replace(
        experiment, grid=lambda config: list(reversed(list(experiment.grid(config))))
    )


def test_resume_adds_none(workplace, coin):
    first = workplace.run([coin])
    assert (first.computed, first.present, first.failed) == (6, 0, ())
    content = workplace.store().read_bytes()
    second = workplace.run([coin])
    assert (second.computed, second.present, second.failed) == (0, 6, ())
    assert workplace.store().read_bytes() == content


def test_grid_order_does_not_change_rows(workplace, coin):
    workplace.run([coin])
    forward = rows(workplace, coin)
    workplace.store().unlink()
    workplace.run([reordered(coin)])
    assert rows(workplace, coin) == forward
    assert len({json.dumps(row) for row in forward.values()}) == 6


def test_a_larger_grid_keeps_the_rows_of_the_smaller_one(workplace, coin):
    workplace.run([coin], tosses=[16])
    before = rows(workplace, coin)
    outcome = workplace.run([coin])
    assert (outcome.computed, outcome.present) == (3, 3)
    assert before.items() <= rows(workplace, coin).items()


def test_another_root_seed_reuses_nothing(workplace, coin):
    workplace.run([coin])
    outcome = workplace.run([coin], seed=1)
    assert (outcome.computed, outcome.present) == (6, 0)
    paths = {str(row[0]["path"]) for row in rows(workplace, coin).values()}
    assert len(paths) == 12


def test_provenance_travels_with_every_row_and_not_in_the_id(workplace, coin):
    workplace.run([coin])
    (record, *others) = RowStore(workplace.store(), coin).records.values()
    found = record.provenance
    assert found["jax"] == jax.__version__
    assert found["size"] == "default" and found["dtypes"] == "float32"
    assert found["seconds"] > 0 and found["threads"] >= 1
    assert {"git", "dirty", "jaxlib", "numpy", "python", "device", "date"} <= set(found)
    assert len(others) == 5


def test_wide_types_are_on_for_those_that_declare_them_and_off_for_others(
    workplace, catalogue
):
    width = catalogue.experiments["width"]
    workplace.run([width])
    for record in RowStore(workplace.store("width"), width).records.values():
        assert [row["gap"] for row in record.rows] == [
            2.0 ** -record.point["power"],
            -(2.0 ** -record.point["power"]),
        ]
    narrow = dataclasses.replace(width, dtypes=("float32",))
    with jax.enable_x64(True):  # whatever the process has set
        (cell, point), *_ = narrow.cells(narrow.config()).items()
        assert [row["gap"] for row in run_cell(narrow, 7, cell, point)] == [0.0, 0.0]


def test_a_cell_that_raises_is_reported_and_the_others_go_on(workplace, coin):
    def sometimes(key, *, bias, tosses, pause):
        if bias == 0.5:
            raise RuntimeError("no coin at hand")
        return coin.run(key, bias=bias, tosses=tosses, pause=pause)

    outcome = workplace.run([dataclasses.replace(coin, run=sometimes)])
    assert outcome.computed == 4
    assert [point["bias"] for _, point in outcome.failed] == [0.5, 0.5]
    assert "{'bias': 0.5, 'tosses': 16, 'pause': 0.0}" in workplace.text
    assert "RuntimeError: no coin at hand" in workplace.text
    assert len(rows(workplace, coin)) == 4
    assert workplace.run([coin]).computed == 2  # mended, it computes what is missing


def test_a_row_that_breaks_its_declaration_is_a_failed_cell(workplace, coin):
    wrong = dataclasses.replace(coin, columns=(*coin.columns, Column("more", "exact")))
    outcome = workplace.run([wrong])
    assert outcome.computed == 0 and len(outcome.failed) == 6
    assert "lacks column(s) ['more']" in workplace.text


def test_an_interrupted_run_keeps_the_cells_before(workplace, coin):
    def interrupted(key, *, bias, tosses, pause):
        if bias == 0.75:
            raise KeyboardInterrupt
        return coin.run(key, bias=bias, tosses=tosses, pause=pause)

    with pytest.raises(KeyboardInterrupt):
        workplace.run([dataclasses.replace(coin, run=interrupted)])
    assert len(rows(workplace, coin)) == 4
    assert workplace.run([coin]).computed == 2


def forbidden(key, **point):
    raise AssertionError("nothing may be computed")


@pytest.mark.parametrize("place", ["paper", "paper/rows"])
def test_an_unwritable_folder_is_noticed_before_anything_is_computed(
    workplace, coin, place
):
    path = workplace.root / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file in place of the folder")
    with pytest.raises(HarnessError, match=f"Output folder .*{place} must be writable"):
        workplace.run([dataclasses.replace(coin, run=forbidden)])
    assert path.read_text() == "a file in place of the folder"


def test_a_full_disk_is_noticed_before_anything_is_computed(workplace, coin):
    (workplace.root / "paper").mkdir()
    (workplace.root / "paper" / ".probe").symlink_to("/dev/full")
    with pytest.raises(HarnessError, match="No space left on device"):
        workplace.run([dataclasses.replace(coin, run=forbidden)])


def test_a_malformed_config_is_noticed_before_anything_is_computed(
    workplace, catalogue, coin
):
    width = catalogue.experiments["width"]
    (workplace.layout.configs / "width.yaml").write_text("smoke: {}")
    with pytest.raises(HarnessError, match="'default' is absent"):
        workplace.run([dataclasses.replace(coin, run=forbidden), width])


def test_a_point_field_with_the_name_of_a_column_is_refused(workplace, coin):
    clash = dataclasses.replace(coin, grid=lambda config: [{"mean": 1}])
    with pytest.raises(HarnessError, match=r"\['mean'\] .* have the name of a column"):
        workplace.run([clash])


def test_full_rows_lie_in_the_committed_folder_with_their_configuration(
    workplace, coin
):
    outcome = run_experiments(
        [coin], workplace.layout, "full", {}, workplace.root, workplace.console
    )
    assert outcome.computed == 3
    folder = workplace.root / "results"
    assert len((folder / "coin.jsonl").read_text().splitlines()) == 3
    assert "tosses:\n  - 256" in (folder / "coin.full.yaml").read_text()
    assert not workplace.store().exists()


def test_check_computes_again_with_tolerance_zero(workplace, coin):
    workplace.run([coin])
    results = workplace.layout.results_of(coin, "default")
    assert check_experiments([results], 3, 0, workplace.console) == []

    def off(key, **point):
        row = coin.run(key, **point)
        row["mean_stderr"] = float(row["mean_stderr"]) * (1 + 2**-50)
        return row

    mutant = dataclasses.replace(coin, run=off)
    changed = dataclasses.replace(results, experiment=mutant)
    problems = check_experiments([changed], 3, 0, workplace.console)
    assert len(problems) == 3
    assert all("column 'mean_stderr'" in problem for problem in problems)


def test_check_draws_a_random_sample(workplace, coin):
    workplace.run([coin])
    drawn = []

    def noted(key, **point):
        drawn.append(tuple(point.values()))
        return coin.run(key, **point)

    results = workplace.layout.results_of(
        dataclasses.replace(coin, run=noted), "default"
    )
    samples = []
    for seed in (0, 1, 2, 3, 0):
        drawn.clear()
        check_experiments([results], 2, seed, workplace.console)
        samples.append(tuple(drawn))
    assert samples[0] == samples[-1]
    assert len(set(samples)) > 1
    drawn.clear()
    check_experiments([results], 100, 0, workplace.console)
    assert len(drawn) == 6


def test_check_reports_a_cell_that_raises_now(workplace, coin):
    workplace.run([coin])
    results = workplace.layout.results_of(
        dataclasses.replace(coin, run=forbidden), "default"
    )
    problems = check_experiments([results], 1, 0, workplace.console)
    assert len(problems) == 1 and "it raises now" in problems[0]
