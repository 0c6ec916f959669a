"""The command line of scripts/paper.py: exit statuses and single sentences."""

import pytest
from workplace import rendered_files

from qjax.experiments.commands import main


@pytest.fixture
def paper(workplace, capsys):
    """Run a command in the copy; return its status and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        words = list(arguments)
        words += ["--out", str(workplace.root / "paper")]
        status = main(workplace.root, words)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_without_a_command_everything_is_computed_and_rendered(workplace, paper):
    status, out, err = paper()
    assert (status, err) == (0, "")
    assert "computed 8 cells, 0 were stored, 0 failed" in out
    files = rendered_files(workplace.root / "paper")
    assert "paper.pdf" in files
    status, out, _ = paper()
    assert status == 0 and "computed 0 cells, 8 were stored" in out
    assert rendered_files(workplace.root / "paper") == files


def test_render_shows_what_was_run_with_its_settings(workplace, paper):
    assert paper("run", "coin", "--set", "biases=[0.5]", "--set", "tosses=[8]")[0] == 0
    assert paper("render", "coin")[0] == 0
    text = (workplace.root / "paper" / "default" / "t0_coin.md").read_text()
    assert "cells 1" in text


def test_render_without_rows_says_what_is_missing(workplace, paper):
    status, out, _ = paper("render")
    assert status == 1
    assert "t0_coin [default]: not rendered, 6 of 6 cells" in out


def test_list_counts_cells(paper):
    paper("run", "coin")
    status, out, _ = paper("list")
    assert status == 0
    assert "6/6" in out and "0/2" in out and "t0_coin" in out


def test_check_passes_on_good_rows_and_fails_on_changed_ones(workplace, paper):
    paper("run", "width")
    status, out, _ = paper("check", "width", "--cells", "5", "--seed", "3")
    assert status == 0 and "checked 2 cells, 0 differ" in out
    store = workplace.store("width")
    text = store.read_text()
    assert text.count('"sign":-1') == 2
    store.write_text(text.replace('"sign":-1', '"sign":-2'))
    status, out, _ = paper("check", "width")
    assert status == 1 and "column 'sign' is -2 in one and -1 in the other" in out


def test_a_failed_cell_fails_the_command_but_not_the_other_artefacts(workplace, paper):
    path = workplace.root / "scripts" / "artefacts" / "t1_width.py"
    path.write_text(path.read_text().replace("del key", "assert power != 30"))
    status, out, _ = paper()
    assert status == 1
    assert "cell {'power': 30} of experiment 'width' raised AssertionError" in out
    assert "t1_width [default]: not rendered, 1 of 2 cells" in out
    assert "default/t0_coin.md" in rendered_files(workplace.root / "paper")


def test_ctrl_c_is_one_sentence_and_status_130(workplace, paper):
    path = workplace.root / "scripts" / "artefacts" / "t1_width.py"
    path.write_text(path.read_text().replace("del key", "raise KeyboardInterrupt"))
    status, _, err = paper("run")
    assert status == 130
    assert err == "interrupted: the rows stored so far are safe\n"
    assert len(workplace.store("coin").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["run", "cion"],
            "Unknown experiment or artefact 'cion': did you mean 'coin'?",
        ),
        (["run", "coin", "--set", "bias=1"], "unknown key 'bias' (did you mean"),
        (["check"], "There are no stored rows to check"),
        (["check", "--cells", "0"], "Argument `cells` must be at least 1, but is 0."),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(paper, words, sentence):
    status, _, err = paper(*words)
    assert status == 2
    assert err.startswith("error: ") and err.count("\n") == 1
    assert sentence in err


def test_a_file_in_place_of_the_output_folder_is_one_sentence(workplace, paper):
    (workplace.root / "paper").write_text("")
    for words in ([], ["run"], ["render"]):
        status, _, err = paper(*words)
        assert status == 2 and err.count("\n") == 1
        assert "must be writable" in err


def test_an_unknown_size_is_refused(paper):
    with pytest.raises(SystemExit) as caught:
        paper("run", "--size", "huge")
    assert caught.value.code == 2
