"""Discovery: what a folder of artefact modules must offer, and names."""

import re

import pytest

from qjax.experiments import HarnessError, discover


def test_experiments_and_artefacts_are_found_in_the_order_of_their_files(catalogue):
    assert list(catalogue.experiments) == ["coin", "width"]
    assert list(catalogue.artefacts) == ["t0_coin", "f0_coin", "t1_width"]


def test_names_select_experiments_and_artefacts(catalogue):
    names = lambda things: [thing.name for thing in things]  # noqa: E731
    assert names(catalogue.select([])) == ["coin", "width"]
    assert names(catalogue.select(["f0_coin", "coin"])) == ["coin"]
    assert names(catalogue.select_artefacts(["coin"])) == ["t0_coin", "f0_coin"]
    assert names(catalogue.select_artefacts(["t1_width"])) == ["t1_width"]


@pytest.mark.parametrize("select", ["select", "select_artefacts"])
def test_an_unknown_name_suggests_the_nearest(catalogue, select):
    with pytest.raises(HarnessError, match="'cion': did you mean 'coin'"):
        getattr(catalogue, select)(["cion"])
    with pytest.raises(HarnessError, match="'zzz': known are coin, f0_coin, t0_coin"):
        getattr(catalogue, select)(["zzz"])


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("ARTEFACTS = ()", "must define EXPERIMENTS, a tuple of Experiment"),
        ("EXPERIMENTS = ()", "must define ARTEFACTS, a tuple of Table or Figure"),
        ("EXPERIMENTS = (1,)\nARTEFACTS = ()", "must define EXPERIMENTS"),
        ("EXPERIMENTS = []\nARTEFACTS = ()", "must define EXPERIMENTS"),
    ],
)
def test_a_module_that_offers_the_wrong_thing_is_named(workplace, source, rule):
    folder = workplace.root / "scripts" / "artefacts"
    (folder / "t9_wrong.py").write_text(source)
    with pytest.raises(HarnessError, match=re.escape(rule)) as caught:
        discover(folder)
    assert "t9_wrong.py" in str(caught.value)


def test_one_name_for_two_experiments_is_refused(workplace):
    folder = workplace.root / "scripts" / "artefacts"
    text = (folder / "t0_coin.py").read_text()
    (folder / "t2_coin.py").write_text(text)
    with pytest.raises(HarnessError, match=r"'coin' in .*t2_coin\.py is taken"):
        discover(folder)


def test_an_artefact_of_an_unknown_experiment_is_refused(workplace):
    path = workplace.root / "scripts" / "artefacts" / "t1_width.py"
    text = path.read_text().replace('experiments=("width",)', 'experiments=("widht",)')
    path.write_text(text)
    with pytest.raises(HarnessError, match=r"'t1_width': .*did you mean 'width'"):
        discover(path.parent)


def test_files_with_an_underscore_are_not_artefacts(workplace):
    folder = workplace.root / "scripts" / "artefacts"
    (folder / "_shared.py").write_text("raise RuntimeError")
    assert len(discover(folder).experiments) == 2


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(HarnessError, match="of artefact modules must exist"):
        discover(tmp_path / "nowhere")
